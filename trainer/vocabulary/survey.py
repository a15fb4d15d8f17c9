"""One pass over batches of raw features, and the columns with what it learned."""

import dataclasses
import pickle
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from trainer import feature_column as fc
from trainer.encoding.numeric import NumericEncoding
from trainer.errors import Refusal
from trainer.feature_column.embedding import by_rule
from trainer.feature_column.nested import is_learned, rebuilt
from trainer.vocabulary.bags import batches_of, counted
from trainer.vocabulary.quantiles import Numbers
from trainer.vocabulary.tally import SKETCH, Tally
from trainer.vocabulary.together import Part, groups_of
from trainer.vocabulary.words import Words

Place = tuple[str, str, fc.Tokens | None]
"""Where values are counted: a feature, its dtype, and how its texts become words where these are counted."""

MOST_VALUES = 1 << 23
"""Different values of a feature up to which they are counted exactly, some hundred megabytes."""


def learned(columns: Sequence[fc.FeatureColumn], batches: Any) -> tuple[Any, ...]:
    """Returns columns whose vocabularies and boundaries are those of the data.

    The values of a vocabulary are in the order of their frequency, the most frequent first, ties in the order of the
    values: of bytes, or of numbers. Boundaries are quantiles of the numbers as `normalizer_fn` leaves them. Columns
    that share a table learn from the features of all of them.

    Args:
        columns: Columns of any kind, with `fc.from_data()` and `fc.quantiles()` anywhere inside.
        batches: Raw features by key, as an iterable of batches or one batch; read once, and not at all where nothing
            has to be learned. Of a batch in a tuple, as `(features, label)`, the first is taken.

    Returns:
        The columns in their order.

    Raises:
        Refusal: There is no batch, a feature is not there or of the wrong kind, no value is left for a vocabulary, or
            there are not two different numbers to put a boundary between.

    Example:
        >>> word = fc.categorical_column_with_vocabulary_list("word", fc.from_data(top_k=2))
        >>> (column,) = learned([fc.embedding_column(word)], [{"word": ["b", "a", "c", "c", ""]}])
        >>> column.categorical_column.vocabulary_list, column.dimension
        (('c', 'a'), 2)
    """
    return applied(columns, found(columns, batches))


def found(
    columns: Sequence[fc.FeatureColumn],
    batches: Any,
    tell: Callable[[str], None] = lambda line: None,
    everything: Callable[[bytes], Sequence[bytes]] | None = None,
) -> list[Any]:
    """Returns the vocabularies and boundaries that `applied` puts into columns, as JSON can hold them.

    Args:
        columns: As in `learned`.
        batches: As in `learned`.
        tell: Is given a line for each feature with so many different values that they are not counted exactly.
        everything: Where several processes have a part of the batches each, is given what this one has counted and
            returns what all have; None is all batches here.

    Raises:
        Refusal: As in `learned`.
    """
    survey = Survey(columns)
    if not all(map(is_learned, columns)):
        for batch in batches_of("learned", batches):
            survey.update(batch)
        survey = survey if everything is None else Survey.together(columns, everything(survey.packed()))
    for line in survey.notes:
        tell(line)
    return survey.found()


def applied(columns: Sequence[fc.FeatureColumn], values: Sequence[Any]) -> tuple[Any, ...]:
    """Returns columns with the vocabularies and boundaries that `found` has found for them."""
    by_part = dict(zip(groups_of(tuple(columns)), values, strict=True))
    return tuple(rebuilt(column, lambda part: _changed(part, by_part)) for column in columns)


class Survey:
    """What the raw features seen so far say of some columns.

    Example:
        >>> survey = Survey([fc.bucketized_column(fc.numeric_column("miles"), fc.quantiles(2))])
        >>> survey.update({"miles": [100.0, 200.0]})
        >>> survey.update({"miles": [300.0, 400.0]})
        >>> [column.boundaries for column in survey.learned()]
        [(300.0,)]
    """

    def __init__(self, columns: Sequence[fc.FeatureColumn]) -> None:
        self._columns = tuple(columns)
        self._groups = groups_of(self._columns)
        self._batches = 0
        self._tallies: dict[Place, Tally] = {}
        self._numbers: dict[fc.NumericColumn, Numbers] = {}
        for part in self._groups:
            if isinstance(part, fc.BucketizedColumn):
                self._numbers[part.source_column] = Numbers()
            else:
                self._tallies[_key(part)] = Tally(MOST_VALUES)
        self._encodings = {column: NumericEncoding(column) for column in self._numbers}
        self._words = {tokens: Words(tokens) for _, _, tokens in self._tallies if tokens is not None}

    def update(self, batch: Mapping[str, Any]) -> None:
        """Counts the values and numbers of one batch of raw features.

        Raises:
            Refusal: A feature is not there or of the wrong kind.
        """
        for (key, kind, tokens), tally in self._tallies.items():
            values, rows = counted(batch, key, "categorical_column_with_vocabulary_list", kind)
            values, rows = (values, rows) if tokens is None else self._words[tokens](values, rows)
            tally.add(values, rows=rows)
        for column, numbers in self._numbers.items():
            numbers.add(self._encodings[column](batch).numpy())
        self._batches += 1

    def packed(self) -> bytes:
        """Returns what was counted so far, for `together`."""
        return pickle.dumps((list(self._tallies.values()), list(self._numbers.values()), self._batches))

    @classmethod
    def together(cls, columns: Sequence[fc.FeatureColumn], parts: Iterable[bytes]) -> "Survey":
        """Returns what surveys of the same columns have counted of parts of the batches, each as it was packed.

        Example:
            >>> word = fc.categorical_column_with_vocabulary_list("word", fc.from_data())
            >>> parts = [Survey([word]), Survey([word])]
            >>> parts[0].update({"word": ["a", "b"]}), parts[1].update({"word": ["b"]})
            (None, None)
            >>> Survey.together([word], [part.packed() for part in parts]).found()
            [['b', 'a']]
        """
        made = cls(columns)
        for part in parts:
            tallies, numbers, batches = pickle.loads(part)  # written by a process of the same job
            for tally, other in zip(made._tallies.values(), tallies, strict=True):
                tally.include(other)
            for own, others in zip(made._numbers.values(), numbers, strict=True):
                own.include(others)
            made._batches += batches
        return made

    def learned(self) -> tuple[Any, ...]:
        """Returns the columns with what was learned so far.

        Raises:
            Refusal: There was no batch, or nothing to learn in those that came.
        """
        return applied(self._columns, self.found())

    @property
    def notes(self) -> list[str]:
        """A line for each feature whose values are too many to be counted exactly, with how far counts may be off."""
        return [
            f"{key}: over {MOST_VALUES:,} different values, so the rows of each are counted by a {SKETCH} sketch, too "
            f"low by at most {tally.error:,}"
            for (key, _, _), tally in self._tallies.items()
            if tally.error
        ]

    def found(self) -> list[Any]:
        """Returns what was learned so far, for each part of the columns that learns.

        Raises:
            Refusal: There was no batch, or nothing to learn in those that came.
        """
        if self._groups and not self._batches:
            raise Refusal("learned: the data have no batch, and columns learn from them; give at least one batch.")
        return [
            self._vocabulary(part) if isinstance(part, fc.VocabularyListColumn) else self._boundaries(part)
            for part in self._groups
        ]

    def _vocabulary(self, column: fc.VocabularyListColumn) -> list[Any]:
        wanted: Any = column.vocabulary_list
        tally = Tally(MOST_VALUES)
        for place in dict.fromkeys(_key(part) for part in self._groups[column]):
            tally.include(self._tallies[place])
        keys, rows = tally.counted()
        frequent = np.flatnonzero(rows >= wanted.frequency_threshold)
        if not len(frequent):
            raise _no_value(column, len(rows))
        table = pa.table({"value": keys[0].take(pa.array(frequent)), "rows": rows[frequent]})
        order = table.sort_by([("rows", "descending"), ("value", "ascending")])
        values = order["value"].slice(0, wanted.top_k).to_pylist()
        return [value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value for value in values]

    def _boundaries(self, column: fc.BucketizedColumn) -> list[float]:
        wanted: Any = column.boundaries
        numbers = Numbers()
        for source in dict.fromkeys(part.source_column for part in self._groups[column]):  # type: ignore[union-attr]
            numbers.include(self._numbers[source])
        edges = numbers.boundaries(wanted.count)
        if not edges:
            raise Refusal(
                f"bucketized_column: source '{column.source_column.key}' has "
                f"{'one number alone' if len(numbers) else 'no number'} in the data, and a boundary lies between two; "
                "give boundaries, or other data."
            )
        return edges


def _changed(column: Any, values: Mapping[Any, Any]) -> Any:
    if isinstance(column, fc.VocabularyListColumn) and column in values:
        return fc.categorical_column_with_vocabulary_list(
            column.key,
            values[column],
            column.dtype,
            column.default_value,
            column.num_oov_buckets,
            tokenize=column.tokenize,
        )
    if isinstance(column, fc.BucketizedColumn) and column in values:
        return fc.bucketized_column(column.source_column, values[column])
    if isinstance(column, fc.CrossedColumn):
        return fc.crossed_column(column.keys, column.hash_bucket_size, column.hash_key)
    if isinstance(column, fc.EmbeddingColumn):
        return _sized(column)
    return column


def _key(column: Part) -> Place:
    ((key, feature),) = column.raw_features.items()
    return key, feature.dtype or "string", getattr(column, "tokenize", None)


def _no_value(column: fc.VocabularyListColumn, different: int) -> Refusal:
    function = f"categorical_column_with_vocabulary_list: key '{column.key}'"
    if not different:
        return Refusal(f"{function} has no value in the data, and a vocabulary needs one; give other data.")
    wanted: Any = column.vocabulary_list
    return Refusal(
        f"{function}: none of the {different:,} values in the data has {wanted.frequency_threshold:,} rows; "
        "give a lower frequency_threshold."
    )


def _sized(column: fc.EmbeddingColumn) -> fc.EmbeddingColumn:
    dimension = column.dimension or by_rule(column.categorical_column.num_buckets)
    if column.shared_by:
        fc.shared_embeddings(column.shared_by, dimension)  # refuses columns whose ids mean different values
    return dataclasses.replace(column, dimension=dimension)
