"""How far a table agrees with people about which words are alike."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from trainer.measures.similarities import pairs_of
from trainer.tables.table import Array
from trainer.vectors import shares
from trainer.vectors.spellings import Most, spellings, units

if TYPE_CHECKING:
    from trainer.vectors.labelled import LabelledVectors


class Correlation(NamedTuple):
    """A coefficient from -1 to 1 and its two-tailed p-value; both NaN where one side does not vary."""

    coefficient: float
    p_value: float


@dataclass(frozen=True)
class JudgedPairs:
    """How a table judged the pairs of a file, beside people; it unpacks to gensim's `pearson, spearman, oov_ratio`.

    Args:
        pearson: Of similarities.
        spearman: Of their ranks.
        pairs: How many there are.
        out_of_vocabulary: How many of these have a word that is not in the table.
        total: How many are correlated: those in the table, and with `dummy4unknown` the others too.
    """

    pearson: Correlation
    spearman: Correlation
    pairs: int
    out_of_vocabulary: int
    total: int

    @property
    def coverage(self) -> float:
        """The share of pairs both of whose words are in the table."""
        return (self.pairs - self.out_of_vocabulary) / self.pairs

    @property
    def score(self) -> float | None:
        """Spearman's correlation; None where it is of no pairs, or of pairs that are all alike."""
        return None if math.isnan(self.spearman.coefficient) else self.spearman.coefficient

    @property
    def line(self) -> str:
        """What a person is told.

        Example:
            >>> JudgedPairs(Correlation(0.5, 0.1), Correlation(0.45, 0.1), 353, 34, 319).line
            '0.450 Spearman of 319 pairs, 34 more out of vocabulary (coverage 0.90)'
        """
        return shares.line(self.score, " Spearman", self.total, "pair", self.out_of_vocabulary, self.coverage)

    def to_dict(self) -> dict[str, Any]:
        """Returns the numbers as JSON can hold them."""
        return {
            "spearman": self.score,
            "pearson": None if self.score is None else self.pearson.coefficient,
            "total": self.total,
            "out_of_vocabulary": self.out_of_vocabulary,
            "coverage": self.coverage,
        }

    @property
    def oov_ratio(self) -> float:
        """The pairs out of vocabulary, in percent, as gensim calls them."""
        return self.out_of_vocabulary / self.pairs * 100

    def __iter__(self) -> Iterator[Any]:
        yield from (self.pearson, self.spearman, self.oov_ratio)


def judged(
    vectors: "LabelledVectors",
    known: Array,
    pairs: str,
    delimiter: str,
    encoding: str,
    restrict_vocab: Most,
    case_insensitive: bool,
    dummy4unknown: bool,
) -> JudgedPairs:
    """Returns how a table judges pairs of words; the arguments are those of `evaluate_word_pairs`.

    Args:
        vectors: The table.
        known: `(rows,)`: which rows were trained and are finite; the others are out of vocabulary.
        pairs: The path of the file.
        delimiter: What stands between the words and the number.
        encoding: Of the file.
        restrict_vocab: How many of the most frequent rows take part.
        case_insensitive: Whether words are compared in upper case.
        dummy4unknown: Whether a pair with a word out of vocabulary counts as one of similarity 0.

    Raises:
        Refusal: The file cannot be read as pairs.
    """
    given = pairs_of(pairs, delimiter=delimiter, encoding=encoding)
    words = spellings(vectors, known, restrict_vocab, case_insensitive)
    asked = np.array([[words.place(words.spelt(word)) for word in pair[:2]] for pair in given])  # (pairs, 2)
    by_people = np.array([pair[2] for pair in given])
    can_ask = (asked >= 0).all(axis=1)
    left, right = (units(vectors.matrix[words.rows[side]]) for side in asked[can_ask].T)
    by_table = np.zeros(len(given), np.float32)
    by_table[can_ask] = (left * right).sum(axis=1)
    counted = can_ask | dummy4unknown
    pearson, spearman = _correlations(by_people[counted], by_table[counted])
    return JudgedPairs(pearson, spearman, len(given), int((~can_ask).sum()), int(counted.sum()))


def _correlations(people: Array, table: Array) -> tuple[Correlation, Correlation]:
    if len(people) < 2 or np.ptp(people) == 0 or np.ptp(table) == 0:
        nothing = Correlation(float("nan"), float("nan"))
        return nothing, nothing
    from scipy import stats

    found = stats.pearsonr(people, table), stats.spearmanr(people, table)
    pearson, spearman = (Correlation(float(each[0]), float(each[1])) for each in found)
    return pearson, spearman
