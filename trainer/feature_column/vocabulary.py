"""Where the values of a vocabulary are: in a file, in a saved model's assets, or still in the data."""

import functools
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from trainer import paths
from trainer.errors import Refusal
from trainer.feature_column.column import checked_count

TEXT = "text"
GZIPPED_RECORDS = "tfrecord_gzip"


@dataclass(frozen=True)
class FromData:
    """A vocabulary that the training data give: the most frequent values first, ties in the order of the values."""

    top_k: int | None = None
    frequency_threshold: int = 0


@dataclass(frozen=True)
class Quantiles:
    """Boundaries that the training data give, so that `count` ranges hold about as many rows each."""

    count: int


@dataclass(frozen=True)
class VocabularyFile:
    """The first values of a file, one a line, known by their number and digest.

    Args:
        path: Of the file, local or remote.
        size: How many of its lines are values.
        digest: Of those lines, as `digest_of` gives it.
        file_format: None for text, "tfrecord_gzip" for a compressed TFRecord file of values.
    """

    path: str
    size: int
    digest: str
    file_format: str | None = None


@dataclass(frozen=True)
class SavedVocabulary:
    """A vocabulary whose values lie in a saved model's assets, and take this one's place when those are read."""

    size: int
    digest: str


def from_data(top_k: int | None = None, frequency_threshold: int = 0) -> FromData:
    """Declares a vocabulary that is learned from the training data, in place of a list.

    The training job learns it in one pass over the training rows and saves it with the run; `adapt(dataset)` does the
    same for a layer.

    Args:
        top_k: The most values to keep; None keeps all.
        frequency_threshold: The fewest rows that a value must have; of a text whose words are the values, the times
            that a word must be there.

    Raises:
        Refusal: A number is no whole number, or too small.

    Example:
        >>> from trainer import feature_column as fc
        >>> fc.categorical_column_with_vocabulary_list("word", fc.from_data(top_k=1000), num_oov_buckets=1).name
        'word'
    """
    if top_k is not None:
        top_k = checked_count("from_data", "top_k", top_k)
    return FromData(top_k, checked_count("from_data", "frequency_threshold", frequency_threshold, least=0))


def quantiles(n: int) -> Quantiles:
    """Declares boundaries that are learned from the training data: `n` ranges of about as many rows each.

    Where values repeat so often that two boundaries fall together, there are fewer ranges.

    Raises:
        Refusal: `n` is no whole number of at least 2.

    Example:
        >>> from trainer import feature_column as fc
        >>> fc.bucketized_column(fc.numeric_column("miles"), fc.quantiles(10)).name
        'miles_bucketized'
    """
    return Quantiles(checked_count("quantiles", "n", n, least=2))


def digest_of(values: Iterable[str | int | bytes]) -> str:
    """Returns 16 hexadecimal digits that differ when the values or their order do."""
    lines = (value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogateescape") for value in values)
    return hashlib.sha256(b"".join(b"%d:%b" % (len(line), line) for line in lines)).hexdigest()[:16]


def file_of(function: str, path: str, size: int | None, file_format: str | None) -> VocabularyFile:
    """Returns the vocabulary of a file, which is read once.

    Args:
        function: What a refusal begins with.
        path: Of the file.
        size: How many lines to take; None takes all.
        file_format: None or "tfrecord_gzip".

    Raises:
        Refusal: The file is not there, is empty, has fewer lines than asked for, an empty line, or a value twice.
    """
    try:
        values = _lines(path, file_format)
    except OSError as error:
        raise Refusal(f"{function}: the file {path} cannot be read ({error}); give the path of a vocabulary.") from None
    if not values:
        raise Refusal(f"{function}: the file {path} is empty; one value a line is wanted.")
    if size is not None and size > len(values):
        raise Refusal(
            f"{function}: vocabulary_size is {size:,}, but {path} has {len(values):,} lines; give at most that."
        )
    values = values[:size]
    if file_format is None and b"" in values:
        raise Refusal(
            f"{function}: line {values.index(b'') + 1} of {path} is empty, and an empty value is a missing one; take "
            "the line out."
        )
    if len(set(values)) < len(values):
        place, twice = _first_repeated(values)
        raise Refusal(f"{function}: {path} has {_text(twice)!r} in line {place} and before; each value needs one id.")
    return VocabularyFile(path, len(values), digest_of(values), file_format)


def _first_repeated(values: Sequence[bytes]) -> tuple[int, bytes]:
    seen: set[bytes] = set()
    for place, value in enumerate(values, 1):
        if value in seen:
            return place, value
        seen.add(value)
    raise AssertionError("no value is repeated")


@functools.lru_cache(maxsize=8)
def values_in(file: VocabularyFile) -> tuple[str, ...]:
    """Returns the values of a vocabulary file.

    Raises:
        Refusal: The file is gone, or changed since the column was declared.
    """
    return tuple(map(_text, check_unchanged(file)))


def _text(value: bytes) -> str:
    """Returns bytes as text, from which the same bytes can be made whether or not they are UTF-8."""
    return value.decode("utf-8", "surrogateescape")


def check_unchanged(file: VocabularyFile) -> list[bytes]:
    """Returns the lines of a vocabulary file.

    Raises:
        Refusal: The file is gone, or changed since the column was declared.
    """
    try:
        values = _lines(file.path, file.file_format)[: file.size]
    except OSError:
        values = []
    if digest_of(values) != file.digest:
        raise Refusal(f"vocabulary: {file.path} is gone or was changed since it was declared; put it back.")
    return values


def _lines(path: str, file_format: str | None) -> list[bytes]:
    if not paths.exists(path):  # a remote file's reader raises no OSError
        raise FileNotFoundError("there is no such file")
    if file_format == GZIPPED_RECORDS:
        return list(_records(path))
    # As TensorFlow's own reader of lines does it: a carriage return before the end of a line is no part of it.
    lines = [line.removesuffix(b"\r") for line in paths.read_bytes(path).split(b"\n")]
    return lines if lines[-1] else lines[:-1]


def _records(path: str) -> Iterator[bytes]:
    import tensorflow as tf

    try:
        yield from tf.data.TFRecordDataset(path, compression_type="GZIP").as_numpy_iterator()
    except tf.errors.OpError:
        raise OSError("it is no TFRecord file compressed with gzip") from None
