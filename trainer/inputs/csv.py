"""CSV files with a header row, plain or compressed with gzip, as batches of raw features."""

import csv
import io
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import tensorflow as tf

from trainer import paths
from trainer.errors import Refusal, nearest

Array = np.ndarray[Any, Any]
TENTHS = 10
_WANTED = {"int64": "a whole number", "float32": "a number"}
_BOUNDS = {"int64": "of at least -2**63 and below 2**63", "float32": "that 32 bits hold"}
_EXACT = 2**53  # whole numbers below it are floats without a rounding


@dataclass(frozen=True)
class Reading:
    """How the rows of CSV files become features.

    Args:
        dtypes: The features to read, and the dtype of each: "string", "int64" or "float32".
        from_rows: As in `Problem`.
        required: Features of whole numbers that must be there in each row; elsewhere a missing one is -1.
        is_tenth: True reads the tenth of the rows that a hash of their text draws, False the others, None all.
    """

    dtypes: Mapping[str, str]
    from_rows: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None
    required: Collection[str] = ()
    is_tenth: bool | None = None


def read(files: Sequence[str], reading: Reading) -> tf.data.Dataset:
    """Returns the rows of CSV files as batches of features, in the order of the files.

    Args:
        files: Their paths, local or `gs://`; a name that ends in .gz is decompressed.
        reading: What to make of a row.

    Returns:
        A data set of unknown length; an element maps a name to a tensor `(batch,)`. It raises an
        InvalidArgumentError with the sentence of a refusal where a file or a value cannot be used: see
        `inputs.memory.elements`.
    """
    signature = {key: tf.TensorSpec([None], dtype) for key, dtype in reading.dtypes.items()}

    def batches() -> Iterator[dict[str, Array]]:
        for file in files:
            yield from _features(file, reading)

    return tf.data.Dataset.from_generator(batches, output_signature=signature)


def check(files: Sequence[str], reading: Reading) -> None:
    """Reads the header and the first rows of each file.

    Raises:
        Refusal: A file or a value cannot be used.
    """
    for file in files:
        next(_features(file, reading), None)


def header(file: str) -> list[str]:
    """Returns the names in the first row of a file.

    Raises:
        Refusal: The file cannot be read, is empty, is no UTF-8, or has two columns of one name.
    """
    try:
        with _opened(file) as stream:
            # What follows the header, of which some is read along, is decoded with its rows.
            text = io.TextIOWrapper(stream, "utf-8-sig", errors="surrogateescape", newline="")
            names = next(csv.reader(text), [])
    except (OSError, ValueError, csv.Error) as error:
        raise Refusal(f"{file}: it cannot be read as CSV ({_one_line(error)}).") from None
    if not names:
        raise Refusal(f"{file}: it is empty; a CSV file with a header row is wanted.")
    if any("\udc80" <= character <= "\udcff" for name in names for character in name):
        raise Refusal(f"{file}: its header is not UTF-8; save the file as UTF-8.")
    for name in names:
        if names.count(name) > 1:
            raise Refusal(f"{file}: two columns are named '{name}'; give each its own name.")
    return names


def _opened(file: str) -> Any:
    source = pa.BufferReader(paths.read_bytes(file)) if paths.is_remote(file) else file
    return pa.input_stream(source, compression="gzip" if file.endswith(".gz") else None)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()).removesuffix(".")


def _features(file: str, reading: Reading) -> Iterator[dict[str, Array]]:
    names = header(file)
    if reading.from_rows is None:
        _check(reading.dtypes, names, file)
    row = 1
    for batch in _columns(file, names, reading):
        columns = {name: batch.column(name).to_numpy(zero_copy_only=False) for name in batch.schema.names}
        made = columns if reading.from_rows is None else _made(reading.from_rows, columns, file, row)
        _check_lengths(made, batch.num_rows)
        _check(reading.dtypes, made, file)
        kept = _kept(batch, reading.is_tenth)
        features = {key: _typed(made[key], key, reading, file, row)[kept] for key in reading.dtypes}
        row += batch.num_rows
        if kept.any():
            yield features


def _check(wanted: Collection[str], there: Collection[str], file: str) -> None:
    for key in wanted:
        if key not in there:
            raise _lacking(key, there, file)


def _check_lengths(made: Mapping[str, Array], rows: int) -> None:
    for key, values in made.items():
        if values.shape != (rows,):
            raise Refusal(
                f"Problem: from_rows makes '{key}' of shape {values.shape} of {rows:,} rows; one value a row is wanted."
            )


def _lacking(key: str, there: Collection[str], file: str) -> Refusal:
    ending = nearest(key, there) or f"; it has {', '.join(sorted(there))}."
    return Refusal(f"{file}: there is no column '{key}'{ending}")


def _columns(file: str, names: Sequence[str], reading: Reading) -> Iterator[Any]:
    """Yields record batches of strings; all columns, where a function reads them or the hash of a row is asked for."""
    is_whole = reading.from_rows is not None or reading.is_tenth is not None
    read_names = list(names) if is_whole else list(reading.dtypes)
    convert = pa_csv.ConvertOptions(
        column_types=dict.fromkeys(read_names, pa.string()), include_columns=read_names, strings_can_be_null=False
    )
    try:
        with _opened(file) as stream:
            parse = pa_csv.ParseOptions(newlines_in_values=True)
            yield from pa_csv.open_csv(stream, parse_options=parse, convert_options=convert)
    except (pa.ArrowInvalid, pa.ArrowKeyError, OSError) as error:
        raise Refusal(f"{file}: it cannot be read as CSV ({_one_line(error)}).") from None


def _kept(batch: Any, is_tenth: bool | None) -> Array:
    """Returns a mask of rows; that of one text is always on the same side, whatever file it is in."""
    if is_tenth is None:
        return np.ones(batch.num_rows, bool)
    text = pc.binary_join_element_wise(*batch.columns, "\n").to_numpy(zero_copy_only=False)
    return (tf.strings.to_hash_bucket_fast(text, TENTHS).numpy() == 0) == is_tenth


def _made(
    from_rows: Callable[[Mapping[str, Any]], Mapping[str, Any]], columns: dict[str, Array], file: str, row: int
) -> dict[str, Array]:
    try:
        return {key: np.asarray(values) for key, values in from_rows(columns).items()}
    except KeyError as error:
        raise _lacking(str(error.args[0]), columns, file) from None
    except ValueError:
        place = _first_refused(from_rows, columns)
        if place is None:
            raise
        shown = ",".join(values[place] for values in columns.values())
        raise Refusal(f"{file}: row {row + place:,} cannot be read by the problem: {shown}.") from None


def _first_refused(function: Callable[[Mapping[str, Any]], Any], columns: dict[str, Array]) -> int | None:
    for place in range(len(next(iter(columns.values())))):
        try:
            function({name: values[place : place + 1] for name, values in columns.items()})
        except ValueError:
            return place
    return None


def _typed(values: Array, key: str, reading: Reading, file: str, row: int) -> Array:
    dtype = reading.dtypes[key]
    if dtype == "string":
        return values if values.dtype == object else values.astype(str).astype(object)
    is_missing = values == "" if values.dtype.kind in "OU" else np.zeros(len(values), bool)
    if dtype == "int64" and key not in reading.required:
        values = np.where(is_missing, "-1", values) if is_missing.any() else values
    numbers, is_good = _whole_numbers(values) if dtype == "int64" else _floats(values)
    if not is_good.all():
        place = int(np.argmin(is_good))
        raise Refusal(
            f"{file}: row {row + place:,} has '{values[place]}' as '{key}', and {_wanted(values[place], dtype)} is "
            "wanted."
        )
    return numbers.astype(dtype)


def _wanted(value: Any, dtype: str) -> str:
    number = _decimal(value)
    is_one = number.is_finite() and (dtype != "int64" or number == number.to_integral_value())
    return f"{_WANTED[dtype]} {_BOUNDS[dtype]}" if is_one else _WANTED[dtype]


def _whole_numbers(values: Array) -> tuple[Array, Array]:
    """Returns values as whole numbers, and which of them are whole numbers of 64 bits."""
    is_good = np.ones(len(values), bool)
    whole = _cast(values, pa.int64())
    if whole is not None and whole.dtype.kind in "ib":
        return whole, is_good
    floats = _cast(values, pa.float64())
    if floats is not None and (np.abs(floats) < _EXACT).all() and (floats == np.round(floats)).all():
        return floats, is_good
    # One by one: a float would round those that are large, whatever stands beside them.
    numbers = [_whole_number(value) for value in values.tolist()]
    is_good = np.array([number is not None for number in numbers])
    return np.array([number or 0 for number in numbers]), is_good


def _floats(values: Array) -> tuple[Array, Array]:
    """Returns values as floats of 32 bits, and which of them are finite ones."""
    numbers = _cast(values, pa.float64())
    if numbers is None:
        numbers = np.array([float(_decimal(value)) for value in values])
    with np.errstate(over="ignore"):
        numbers = numbers.astype(np.float32)
    return numbers, np.isfinite(numbers)


def _cast(values: Array, kind: Any) -> Array | None:
    """Returns strings as numbers, or None where one of them is none; numbers stay as they are."""
    if values.dtype.kind in "biuf":
        return values
    try:
        return np.asarray(pc.utf8_trim_whitespace(pa.array(values, pa.string())).cast(kind))
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return None


def _whole_number(value: Any) -> int | None:
    number = _decimal(value)
    is_good = number.is_finite() and -(2**63) <= number < 2**63 and number == number.to_integral_value()
    return int(number) if is_good else None


def _decimal(value: Any) -> Decimal:
    try:
        number = Decimal(value.item() if isinstance(value, np.generic) else value)
    except (ArithmeticError, TypeError, ValueError):
        return Decimal("NaN")
    return Decimal("NaN") if number.is_nan() else number  # one that signals is no float
