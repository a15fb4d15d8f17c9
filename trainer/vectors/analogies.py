"""How many word analogies a table answers, thousands at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from trainer.measures.analogies import Question, Section, sections_of
from trainer.tables.table import Array
from trainer.vectors import shares
from trainer.vectors.metrics import blocks
from trainer.vectors.spellings import Most, Spellings, spellings, units

if TYPE_CHECKING:
    from trainer.vectors.labelled import LabelledVectors

_PRODUCTS, _SCORES = 1 << 23, 1 << 19
"""Floats that are held at a time: cosines of words with rows; scores of questions, which stay in the cache."""

_NEVER = np.float32(-np.inf)
_TOTAL = "Total accuracy"


@dataclass(frozen=True)
class AnsweredSection:
    """Questions of one kind, by how they were answered.

    Args:
        name: What they ask for.
        correct: Those whose word was found.
        incorrect: Those for which another was found; with `dummy4unknown` those out of vocabulary too.
        questions: How many there are.
        out_of_vocabulary: How many of these have a word that is not in the table.
    """

    name: str
    correct: tuple[Question, ...]
    incorrect: tuple[Question, ...]
    questions: int
    out_of_vocabulary: int

    @property
    def total(self) -> int:
        """How many questions count."""
        return len(self.correct) + len(self.incorrect)

    @property
    def accuracy(self) -> float | None:
        """The share of right answers among the questions that count; None where none does."""
        return len(self.correct) / self.total if self.total else None

    @property
    def coverage(self) -> float:
        """The share of questions all of whose words are in the table."""
        return (self.questions - self.out_of_vocabulary) / self.questions if self.questions else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Returns the section in numbers, as JSON can hold it."""
        return {
            "section": self.name,
            "accuracy": self.accuracy,
            "right": len(self.correct),
            "total": self.total,
            "out_of_vocabulary": self.out_of_vocabulary,
            "coverage": self.coverage,
        }

    @property
    def of_gensim(self) -> dict[str, Any]:
        """The section as gensim gives it."""
        return {"section": self.name, "correct": [*self.correct], "incorrect": [*self.incorrect]}


@dataclass(frozen=True)
class AnsweredAnalogies:
    """How a table answered a file of analogies; it unpacks to gensim's `score, sections`.

    Args:
        sections: In the order of the file.
    """

    sections: tuple[AnsweredSection, ...]

    @property
    def total(self) -> AnsweredSection:
        """All sections as one."""
        return AnsweredSection(
            _TOTAL,
            tuple(question for section in self.sections for question in section.correct),
            tuple(question for section in self.sections for question in section.incorrect),
            sum(section.questions for section in self.sections),
            sum(section.out_of_vocabulary for section in self.sections),
        )

    @property
    def score(self) -> float | None:
        """The share of right answers among the questions that count; None where none does."""
        return self.total.accuracy

    @property
    def coverage(self) -> float:
        """The share of questions all of whose words are in the table."""
        return self.total.coverage

    @property
    def line(self) -> str:
        """What a person is told.

        Example:
            >>> greek = ("athens", "greece", "oslo", "norway")
            >>> AnsweredAnalogies((AnsweredSection("capitals", (greek,), (), 4, 3),)).line
            '1.000 of 1 question, 3 more out of vocabulary (coverage 0.25)'
        """
        total = self.total
        return shares.line(self.score, "", total.total, "question", total.out_of_vocabulary, total.coverage)

    def to_dict(self) -> dict[str, Any]:
        """Returns all sections in numbers, as JSON can hold them."""
        total = self.total.to_dict()
        del total["section"]
        return {**total, "sections": [section.to_dict() for section in self.sections]}

    def __iter__(self) -> Iterator[Any]:
        yield self.score
        yield [section.of_gensim for section in (*self.sections, self.total)]


def answered(
    vectors: "LabelledVectors",
    known: Array,
    analogies: str,
    restrict_vocab: Most,
    case_insensitive: bool,
    dummy4unknown: bool,
) -> AnsweredAnalogies:
    """Returns how a table answers the analogies of a file; the arguments are those of `evaluate_word_analogies`.

    Args:
        vectors: The table.
        known: `(rows,)`: which rows were trained and are finite; no other is asked about or answered with.
        analogies: The path of the file.
        restrict_vocab: How many of the most frequent rows take part.
        case_insensitive: Whether words are compared in upper case.
        dummy4unknown: Whether a question with a word out of vocabulary counts as wrong.

    Raises:
        Refusal: The file cannot be read as analogies.
    """
    sections = sections_of(analogies)
    words = spellings(vectors, known, restrict_vocab, case_insensitive)
    spelt = words.spelt
    sections = [
        Section(each.name, tuple((spelt(a), spelt(b), spelt(c), spelt(d)) for a, b, c, d in each.questions))
        for each in sections
    ]
    places = [[words.place(word) for word in question] for each in sections for question in each.questions]
    asked = np.array(places)  # (questions, 4)
    can_ask = np.asarray((asked >= 0).all(axis=1))
    is_right = np.zeros(len(asked), bool)
    is_right[can_ask] = found(vectors.matrix, words, asked[can_ask, :3]) == asked[can_ask, 3]
    parts, start = [], 0
    for each in sections:
        part = slice(start, start + len(each.questions))
        parts.append(_section(each, is_right[part], can_ask[part], dummy4unknown))
        start = part.stop
    return AnsweredAnalogies(tuple(parts))


def found(matrix: Array, words: Spellings, asked: Array) -> Array:
    """Returns the words that are nearest, by their angle, to b - a + c, `(questions,)` places; -1 where there is none.

    The cosine of a row with that sum is, but for a factor, the sum of its cosines with a, b and c. So each word is
    multiplied with each row once, however many questions it is in. No word of a question is an answer to it, in no
    spelling; gensim looks at the five nearest rows alone for one that is none of these.

    Args:
        matrix: `(rows, dimension)` floats.
        words: The rows that take part.
        asked: `(questions, 3)` places of a, b and c.

    Source:
        Tomas Mikolov, Wen-tau Yih and Geoffrey Zweig, "Linguistic regularities in continuous space word
        representations", 2013.
    """
    distinct, numbers = np.unique(asked, return_inverse=True)
    numbers = numbers.reshape(asked.shape)  # (questions, 3), of words that differ
    vectors = units(matrix[words.rows[distinct]])  # (words, dimension)
    best, answers = np.full(len(asked), _NEVER), np.full(len(asked), -1)
    for part in blocks(len(words.rows), max(1, _PRODUCTS // max(1, len(distinct), _SCORES // 256))):
        products = vectors @ units(matrix[words.rows[part]]).T  # (words, rows)
        own = np.asarray(distinct[:, np.newaxis] == words.owners[part])  # (words, rows)
        plus, minus = np.where(own, _NEVER, products), np.where(own, _NEVER, -products)
        for some in blocks(len(asked), max(1, _SCORES // products.shape[1])):
            a, b, c = numbers[some].T
            scores = plus[b]  # (questions, rows), a copy
            scores += plus[c]
            scores += minus[a]
            places = scores.argmax(axis=1)
            highest = scores[np.arange(len(places)), places]
            better = highest > best[some]
            best[some] = np.where(better, highest, best[some])
            answers[some] = np.where(better, words.owners[part][places], answers[some])
    return answers


def _section(section: Section, is_right: Array, can_ask: Array, dummy4unknown: bool) -> AnsweredSection:
    wrong = ~is_right & (can_ask | dummy4unknown)
    correct, incorrect = (
        tuple(question for question, chosen in zip(section.questions, mask.tolist(), strict=True) if chosen)
        for mask in (is_right, wrong)
    )
    return AnsweredSection(section.name, correct, incorrect, len(can_ask), int((~can_ask).sum()))
