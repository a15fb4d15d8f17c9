"""Pairs of words that people judged by how alike they are, as in WordSim-353."""

import math
from dataclasses import dataclass
from typing import final

from trainer.errors import Refusal
from trainer.measures.lines import lines_of
from trainer.measures.measure import FileMeasure, Measured, Trained

Pair = tuple[str, str, float]
"""Two words, and how alike people find them."""


@final
@dataclass(frozen=True)
class Similarities(FileMeasure):
    """How far a table agrees with people about which words are alike, as `LabelledVectors.evaluate_word_pairs` asks it.

    Args:
        file: The path of the pairs, such as those of WordSim-353, with tabs between two words and a number.
        table: The table that is asked.
        name: What it is called; `similarities` is Spearman's correlation over the pairs both of whose words are in the
            table, and `similarities_coverage` the share of those pairs.
    """

    file: str
    table: str = "word"
    name: str = "similarities"

    def check(self, who: str) -> None:
        """Refuses a file that cannot be read as pairs of words."""
        pairs_of(self.file, who)

    def measured(self, trained: Trained) -> Measured:
        """Returns how far the table agrees."""
        return self.told(trained.vectors(self.table).evaluate_word_pairs(self.file))


def pairs_of(file: str, who: str = "similarities", delimiter: str = "\t", encoding: str = "utf8") -> list[Pair]:
    """Returns the pairs of a file: two words and a number a line; a line that begins with # is a comment.

    The first line that is none may be a header, with a word in the place of the number.

    Args:
        file: Its path.
        who: What a refusal begins with.
        delimiter: What stands between the three.
        encoding: Of the text.

    Raises:
        Refusal: It cannot be read, a line is no such pair, or there is none.
    """
    found: list[Pair] = []
    is_first = True
    for number, line in enumerate(lines_of(file, who, encoding), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = [part.strip() for part in line.split(delimiter)]
        judged = _number(parts[2]) if len(parts) == 3 else None
        if judged is not None:
            found.append((parts[0], parts[1], judged))
        elif len(parts) != 3 or not is_first:
            raise Refusal(
                f"{who}: {file}, line {number:,}: two words and a number are wanted, with {delimiter!r} between them, "
                f"not '{line.strip()[:60]}'; correct it or take it out."
            )
        is_first = False
    if not found:
        raise Refusal(f"{who}: {file} holds no pair; write two words and a number a line.")
    return found


def _number(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) else None
