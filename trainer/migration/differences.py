"""The deliberate differences from `tf.feature_column` that show in rows, each with its sentence."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import tensorflow as tf
from tensorflow.python.feature_column import feature_column_v2 as v2
from tensorflow.python.feature_column import sequence_feature_column as sequence

from trainer.migration.rows import flat


@dataclass(frozen=True)
class Case:
    """A column whose sides differ, and the rows that show it.

    Args:
        parts: The column of TensorFlow's, and every column and key inside it.
        features: The raw features of all rows, as tensors.
        raw: The raw values of the first row that differs, by key.
        theirs: What TensorFlow makes of that row, or its error as text.
        ours: What we make of it, or our error as text.
    """

    parts: tuple[Any, ...]
    features: Mapping[str, Any]
    raw: Mapping[str, Any]
    theirs: Any
    ours: Any

    def of(self, kind: type | tuple[type, ...]) -> list[Any]:
        """Returns the columns of a kind of TensorFlow's inside the column, and itself."""
        return [part for part in self.parts if isinstance(part, kind)]

    @property
    def raw_keys(self) -> list[str]:
        """The keys of crosses that are features, not columns."""
        return [key for cross in self.of(v2.CrossedColumn) for key in cross.keys if isinstance(key, str)]


def keys_of(column: Any) -> list[str]:
    """Returns the keys of the features that a column of TensorFlow's reads, in its order."""
    return list(dict.fromkeys(part for part in _parts(column) if isinstance(part, str)))


def reason(theirs: Any, features: Mapping[str, Any], raw: Mapping[str, Any], left: Any, right: Any) -> str:
    """Returns why the sides of a column differ, in a sentence.

    Args:
        theirs: The column of TensorFlow's.
        features: The raw features of all rows, as tensors.
        raw: The raw values of the first row that differs; empty where the column cannot be declared here.
        left: What TensorFlow makes of it, or its error as text.
        right: What we make of it, or our error as text.
    """
    case = Case(tuple(_parts(theirs)), features, raw, left, right)
    return next((sentence for holds, sentence in _REASONS if holds(case)), _UNKNOWN)


def _parts(column: Any) -> Iterator[Any]:
    yield column
    if not isinstance(column, str):
        for parent in getattr(column, "parents", []):
            yield from _parts(parent)


def _missing(case: Case, keys: list[str]) -> bool:
    return any(value in ("", -1) for key in keys for value in flat(case.raw.get(key)))


def _refused(case: Case) -> bool:
    return not case.raw


def _both_fail(case: Case) -> bool:
    return isinstance(case.theirs, str) and isinstance(case.ours, str)


def _id_out_of_range(case: Case) -> bool:
    return isinstance(case.ours, str) and "categorical_column_with_identity" in case.ours


def _raw_key_of_floats(case: Case) -> bool:
    return isinstance(case.ours, str) and any(case.features[key].dtype.is_floating for key in case.raw_keys)


def _unsafe_lookup(case: Case) -> bool:
    columns = case.of((v2.EmbeddingColumn, v2.SharedEmbeddingColumn))
    return any(not column.use_safe_embedding_lookup for column in columns)


def _step_begun(case: Case) -> bool:
    columns = case.of(sequence.SequenceNumericColumn)
    return "requested shape requires a multiple" in str(case.theirs) and bool(columns)


def _dense_sequence(case: Case) -> bool:
    return isinstance(case.theirs, str) and any(
        isinstance(case.features[column.key], tf.Tensor) for column in case.of(sequence.SequenceNumericColumn)
    )


def _sparse_normalizer(case: Case) -> bool:
    return any(column.normalizer_fn is not None for column in case.of(sequence.SequenceNumericColumn))


def _dtype_of_weights(case: Case) -> bool:
    return "Bad dtype" in str(case.theirs)


def _weight_of_zero(case: Case) -> bool:
    keys = [column.weight_feature_key for column in case.of(v2.WeightedCategoricalColumn)]
    dense = [case.features[key] for key in keys if isinstance(case.features[key], tf.Tensor)]
    return any(bool(tf.reduce_any(tf.equal(weights, 0))) for weights in dense)


def _weights_without_value(case: Case) -> bool:
    columns = case.of(v2.WeightedCategoricalColumn)
    return any(_missing(case, keys_of(column.categorical_column)) for column in columns) or (
        bool(columns) and "ids and" in str(case.theirs)
    )


def _raw_key_missing(case: Case) -> bool:
    return _missing(case, case.raw_keys)


def _missing_in_sparse(case: Case) -> bool:
    return _missing(case, [key for key, values in case.features.items() if not isinstance(values, tf.Tensor)])


def _sparse_raw_key(case: Case) -> bool:
    return any(not isinstance(case.features[key], tf.Tensor) for key in case.raw_keys)


_REASONS: tuple[tuple[Callable[[Case], bool], str], ...] = (
    (_refused, "The column cannot be declared here; TensorFlow says so when it is called, or never."),
    (_both_fail, "Neither side takes these rows, so nothing was compared; leave the row out."),
    (
        _id_out_of_range,
        "An id out of range is refused here, with its row and value; TensorFlow lets it through where no table is "
        "looked up.",
    ),
    (_dense_sequence, "A dense sequence is taken here; TensorFlow takes a sparse one only."),
    (
        _sparse_normalizer,
        "normalizer_fn gets the numbers of a sequence as a dense tensor here, as a SparseTensor in TensorFlow.",
    ),
    (_step_begun, "A step of a sequence that was begun is filled up here; TensorFlow fails."),
    (
        _raw_key_of_floats,
        "A raw key of a cross is strings or whole numbers here; TensorFlow drops what comes after the point.",
    ),
    (
        _unsafe_lookup,
        "A row without values gets zeros here, whatever use_safe_embedding_lookup says; TensorFlow leaves it out at "
        "the end of a batch.",
    ),
    (_dtype_of_weights, "Weights of another dtype than the column's are cast here; TensorFlow refuses them."),
    (
        _weight_of_zero,
        "A weight of 0 keeps its place here; TensorFlow drops zeros from dense weights, and those after them move up.",
    ),
    (
        _weights_without_value,
        "The weight of a missing value is left out here; TensorFlow keeps it, and those after it belong to other "
        "values.",
    ),
    (
        _raw_key_missing,
        "Where a raw key of a cross is missing there is no combination here; TensorFlow crosses '' and -1 as values.",
    ),
    (
        _missing_in_sparse,
        "'' and -1 are missing here in sparse and ragged features too; TensorFlow leaves them out of dense ones only.",
    ),
    (
        _sparse_raw_key,
        "The raw keys of a cross are hashed after its columns here, as TensorFlow does with dense features; sparse "
        "ones it hashes in the order of the keys.",
    ),
)

_UNKNOWN = "No deliberate difference explains this; please report it with this row."
