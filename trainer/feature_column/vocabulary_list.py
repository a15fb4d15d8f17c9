"""Values from a known list, from a file, or from the training data."""

import numbers
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike, fspath
from typing import Any

from trainer.errors import Refusal
from trainer.feature_column.column import CategoricalColumn, RawFeature, checked_count, checked_dtype, checked_key
from trainer.feature_column.tokens import Tokens, checked_tokens
from trainer.feature_column.vocabulary import (
    GZIPPED_RECORDS,
    TEXT,
    FromData,
    SavedVocabulary,
    VocabularyFile,
    digest_of,
    file_of,
    values_in,
)

_INTEGERS = ("int8", "int16", "int32", "int64")


@dataclass(frozen=True)
class VocabularyListColumn(CategoricalColumn):
    """Values from a vocabulary; an id is the place in it, and out-of-vocabulary buckets come after it.

    Example:
        >>> day = categorical_column_with_vocabulary_list("day", ["Mon", "Tue"], num_oov_buckets=1)
        >>> [day.label(id) for id in range(day.num_buckets)]
        ['Mon', 'Tue', '(unseen 1)']
    """

    key: str
    vocabulary_list: tuple[str, ...] | tuple[int, ...] | VocabularyFile | SavedVocabulary | FromData
    dtype: str = "string"
    default_value: int = -1
    num_oov_buckets: int = 0
    tokenize: Tokens | None = None

    @property
    def name(self) -> str:
        """The key."""
        return self.key

    @property
    def raw_features(self) -> Mapping[str, RawFeature]:
        """One feature of strings or whole numbers."""
        return {self.key: RawFeature("string" if self.dtype == "string" else "int64")}

    @property
    def vocabulary(self) -> tuple[str, ...] | tuple[int, ...]:
        """The values; those of a file are read when they are first asked for.

        Raises:
            Refusal: They are still in the data or in a saved model's assets, or the file is gone.
        """
        if isinstance(self.vocabulary_list, VocabularyFile):
            values = values_in(self.vocabulary_list)
            return values if self.dtype == "string" else tuple(int(value) for value in values)
        if isinstance(self.vocabulary_list, SavedVocabulary):
            raise Refusal(f"{self._function}: the vocabulary lies in a saved model; load the whole model first.")
        if isinstance(self.vocabulary_list, FromData):
            raise Refusal(
                f"{self._function}: the vocabulary comes from data that were not read yet; call adapt(dataset) on the "
                "layer, or vocabulary.learned(columns, batches) first."
            )
        return self.vocabulary_list

    @property
    def has_values(self) -> bool:
        """Tells whether the values are at hand: neither in data that were not read yet, nor in a saved model."""
        return not isinstance(self.vocabulary_list, (SavedVocabulary, FromData))

    @property
    def vocabulary_size(self) -> int:
        """The number of values, without out-of-vocabulary buckets."""
        if isinstance(self.vocabulary_list, (VocabularyFile, SavedVocabulary)):
            return self.vocabulary_list.size
        return len(self.vocabulary)

    @property
    def vocabulary_digest(self) -> str:
        """16 hexadecimal digits that differ when the values or their order do."""
        if isinstance(self.vocabulary_list, SavedVocabulary):
            return self.vocabulary_list.digest
        if isinstance(self.vocabulary_list, VocabularyFile) and self.dtype == "string":  # a number may be written 007
            return self.vocabulary_list.digest
        return digest_of(self.vocabulary)

    @property
    def num_buckets(self) -> int:
        """The values and the out-of-vocabulary buckets."""
        return self.vocabulary_size + self.num_oov_buckets

    def fields(self, id: int) -> dict[str, str]:
        """Returns the value that an id stands for."""
        unseen = id - self.vocabulary_size
        return {self.key: str(self.vocabulary[id]) if unseen < 0 else f"(unseen {unseen + 1})"}

    @property
    def _function(self) -> str:
        return f"categorical_column_with_vocabulary_list: key '{self.key}'"


def categorical_column_with_vocabulary_list(
    key: str,
    vocabulary_list: Sequence[str] | Sequence[int] | FromData,
    dtype: Any = None,
    default_value: int = -1,
    num_oov_buckets: int = 0,
    *,
    tokenize: Tokens | None = None,
) -> VocabularyListColumn:
    """Declares values from a list, as `tf.feature_column.categorical_column_with_vocabulary_list`.

    Args:
        key: The raw feature.
        vocabulary_list: Different strings, or different whole numbers; an id is the place in this list.
            `fc.from_data()` learns the list from the training data.
        dtype: "string" or an integer dtype; None takes the list's, and strings for `fc.from_data()`.
        default_value: The id of a value that is not in the list; -1 leaves the value out.
        num_oov_buckets: Ids after the list, over which values that are not in it are spread by a hash.
        tokenize: How the feature, a text, becomes words, whose ids are a bag; None takes it as one value.

    Raises:
        Refusal: The list is empty, mixed or repeats a value, both of the two arguments before are given, or words are
            to be made of what are no strings.
    """
    name = "categorical_column_with_vocabulary_list"
    function = f"{name}: key '{checked_key(name, key)}'"
    if isinstance(vocabulary_list, FromData):
        dtype = checked_dtype(function, dtype or "string", ("string", *_INTEGERS))
        out = _checked_out_of_vocabulary(function, default_value, num_oov_buckets, None)
        return VocabularyListColumn(key, vocabulary_list, dtype, *out, checked_tokens(function, tokenize, dtype))
    if isinstance(vocabulary_list, (str, bytes, PathLike)) or not isinstance(vocabulary_list, Iterable):
        raise Refusal(
            f"{function}: vocabulary_list must be a list of values, or fc.from_data(), not {vocabulary_list!r}; "
            "for a file there is categorical_column_with_vocabulary_file."
        )
    values = tuple(getattr(value, "item", lambda value=value: value)() for value in vocabulary_list)
    if not values:
        raise Refusal(f"{function}: vocabulary_list is empty; give at least one value.")
    kinds = {str if isinstance(value, str) else type(value) for value in values}
    if kinds not in ({str}, {int}):
        names = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise Refusal(f"{function}: vocabulary_list must be all strings or all whole numbers, not {names}.")
    if len(set(values)) < len(values):
        seen: set[Any] = set()
        repeated = next(value for value in values if value in seen or seen.add(value))  # type: ignore[func-returns-value]
        raise Refusal(f"{function}: vocabulary_list has {repeated!r} more than once; each value needs one id.")
    inferred = "string" if kinds == {str} else "int64"
    dtype = checked_dtype(function, dtype or inferred, ("string", *_INTEGERS))
    if (dtype == "string") != (inferred == "string"):
        raise Refusal(f"{function}: dtype {dtype} does not fit a vocabulary_list of {inferred}.")
    out = _checked_out_of_vocabulary(function, default_value, num_oov_buckets, len(values))
    return VocabularyListColumn(key, values, dtype, *out, checked_tokens(function, tokenize, dtype))


def categorical_column_with_vocabulary_file(
    key: str,
    vocabulary_file: str | PathLike[str],
    vocabulary_size: int | None = None,
    dtype: Any = "string",
    default_value: int | None = None,
    num_oov_buckets: int = 0,
    file_format: str | None = None,
    *,
    tokenize: Tokens | None = None,
) -> VocabularyListColumn:
    """Declares values from a file, as `tf.feature_column.categorical_column_with_vocabulary_file`.

    The file is read when the column is declared, so that a mistake in it shows then; saved models hold a copy.

    Args:
        key: The raw feature.
        vocabulary_file: A text file of one value a line, local or remote; an id is the place in it.
        vocabulary_size: How many lines to take from its beginning; None takes all.
        dtype: "string" or an integer dtype.
        default_value: The id of a value that is not in the file; None, as -1, leaves the value out.
        num_oov_buckets: Ids after the file's, over which values that are not in it are spread by a hash.
        file_format: "text", or "tfrecord_gzip" for a TFRecord file of values, compressed with gzip; None is the latter
            where the path ends in "tfrecord.gz", else text.
        tokenize: How the feature, a text, becomes words, whose ids are a bag; None takes it as one value.

    Raises:
        Refusal: The file is missing, empty, too short or repeats a value, or an argument cannot be used.
    """
    name = "categorical_column_with_vocabulary_file"
    function = f"{name}: key '{checked_key(name, key)}'"
    if file_format not in (None, TEXT, GZIPPED_RECORDS):
        raise Refusal(f"{function}: file_format must be None, '{TEXT}' or '{GZIPPED_RECORDS}', not {file_format!r}.")
    if not isinstance(vocabulary_file, (str, PathLike)) or not fspath(vocabulary_file):
        raise Refusal(f"{function}: vocabulary_file must be the path of a file, not {vocabulary_file!r}.")
    path = fspath(vocabulary_file)
    if file_format is None and path.endswith("tfrecord.gz"):
        file_format = GZIPPED_RECORDS
    if vocabulary_size is not None:
        vocabulary_size = checked_count(function, "vocabulary_size", vocabulary_size)
    dtype = checked_dtype(function, dtype, ("string", *_INTEGERS))
    file = file_of(function, path, vocabulary_size, None if file_format == TEXT else file_format)
    default_value = -1 if default_value is None else default_value
    out = _checked_out_of_vocabulary(function, default_value, num_oov_buckets, file.size)
    column = VocabularyListColumn(key, file, dtype, *out, checked_tokens(function, tokenize, dtype))
    if dtype != "string":
        _check_whole_numbers(function, file)
    return column


def _check_whole_numbers(function: str, file: VocabularyFile) -> None:
    """Refuses what TensorFlow would not read as whole numbers of 64 bits, though Python's `int` would, as "1_000"."""
    seen: set[int] = set()
    for place, text in enumerate(values_in(file), 1):
        if not re.fullmatch(r"\s*[+-]?[0-9]+\s*", text, re.ASCII) or not -(2**63) <= int(text) < 2**63:
            raise Refusal(
                f"{function}: {file.path} has {text!r} in line {place}, which is no whole number of 64 bits; give "
                "dtype='string'."
            )
        if int(text) in seen:
            raise Refusal(
                f"{function}: {file.path} has {int(text)} in line {place} and before; each value needs one id."
            )
        seen.add(int(text))


def _checked_out_of_vocabulary(
    function: str, default_value: Any, num_oov_buckets: Any, size: int | None
) -> tuple[int, int]:
    num_oov_buckets = checked_count(function, "num_oov_buckets", num_oov_buckets, least=0)
    if num_oov_buckets and default_value != -1:
        raise Refusal(f"{function}: give num_oov_buckets or default_value, not both.")
    whole = isinstance(default_value, numbers.Integral)
    if not whole or default_value < -1 or (size is not None and default_value >= size):
        wanted = "-1 or an id" if size is None else f"an id from -1 to {size - 1}"
        raise Refusal(f"{function}: default_value must be {wanted}, not {default_value!r}.")
    return int(default_value), num_oov_buckets
