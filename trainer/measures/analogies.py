"""Word analogies: a is to b as c is to which word, in sections of a file such as questions-words.txt."""

from dataclasses import dataclass
from typing import final

from trainer.errors import Refusal
from trainer.measures.lines import lines_of
from trainer.measures.measure import FileMeasure, Measured, Trained

Question = tuple[str, str, str, str]
"""As Athens is to Greece, so is Oslo to Norway: the last is asked for."""


@dataclass(frozen=True)
class Section:
    """Questions of one kind.

    Args:
        name: What they ask for.
        questions: In the order of the file.
    """

    name: str
    questions: tuple[Question, ...]


@final
@dataclass(frozen=True)
class Analogies(FileMeasure):
    """The share of word analogies that a table answers, as `LabelledVectors.evaluate_word_analogies` asks them.

    Args:
        file: The path of the questions, such as word2vec's questions-words.txt.
        table: The table that is asked.
        name: What it is called; `analogies` is the share of right answers to the questions all of whose words are in
            the table, and `analogies_coverage` the share of those questions.
    """

    file: str
    table: str = "word"
    name: str = "analogies"

    def check(self, who: str) -> None:
        """Refuses a file that cannot be read as analogies."""
        sections_of(self.file, who)

    def measured(self, trained: Trained) -> Measured:
        """Returns how many questions the table answers."""
        return self.told(trained.vectors(self.table).evaluate_word_analogies(self.file))


def sections_of(file: str, who: str = "analogies") -> list[Section]:
    """Returns the questions of a file: lines of four words, under lines as `: capital-common-countries`.

    Args:
        file: Its path.
        who: What a refusal begins with.

    Raises:
        Refusal: It cannot be read, a line has another number of words or no section above it, or none is a question.
    """
    names: list[str] = []
    found: list[list[Question]] = []
    for number, line in enumerate(lines_of(file, who), start=1):
        words = line.split()
        if line.startswith(":"):
            names.append(line.lstrip(": ").strip())
            found.append([])
        elif words:
            if len(words) != 4:
                raise Refusal(
                    f"{who}: {file}, line {number:,}: four words are wanted, not {len(words)} ('{line.strip()[:60]}'); "
                    "write `a b c d`, or `: name` for a section."
                )
            if not found:
                raise Refusal(f"{who}: {file}, line {number:,}: no section is above it; begin the file with `: name`.")
            found[-1].append((words[0], words[1], words[2], words[3]))
    if not any(found):
        raise Refusal(f"{who}: {file} holds no question; write `: name` and then four words a line.")
    return [Section(name, tuple(questions)) for name, questions in zip(names, found, strict=True)]
