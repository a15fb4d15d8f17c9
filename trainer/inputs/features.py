"""Parts of files as typed features, without the rows that cannot be so."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trainer.errors import Refusal, nearest
from trainer.inputs.bad_rows import BadRow, shortened
from trainer.inputs.part import Array, Part, RowFile
from trainer.inputs.values import Feature, Wanted, fits, rows_of, text_of, typed, why
from trainer.rows import CsvFormat, TextFormat

FromRows = Callable[[Mapping[str, Any]], Mapping[str, Any]]


@dataclass(frozen=True)
class Reading:
    """How the rows of files become features.

    Args:
        wanted: What is wanted of each feature, by its name.
        from_rows: As in `Problem`.
        csv: How CSV files are written.
        beside: Columns that are given beside the features, as the file has them.
        texts: How files that are of no other kind become rows; None takes them as CSV.
    """

    wanted: Mapping[str, Wanted]
    from_rows: FromRows | None = None
    csv: CsvFormat = field(default_factory=CsvFormat)
    beside: Sequence[str] = ()
    texts: TextFormat | None = None

    @property
    def asked(self) -> Mapping[str, Wanted]:
        """What is wanted of columns, by name; nothing is known of those that a function reads."""
        return self.wanted if self.from_rows is None else {}

    @property
    def keeps_lists(self) -> bool:
        """No: a function that reads columns is given texts."""
        return False

    def columns(self, file: RowFile) -> list[str]:
        """Returns the columns of a file that are read: all of them where a function makes the features.

        Raises:
            Refusal: One is not there, or of a type that is none of its feature's.
        """
        if self.from_rows is not None:
            for name, kind in file.types.items():
                if not fits(kind, Wanted("string")) and not fits(kind, Wanted("float32")):
                    raise Refusal(f"{file.path}: column '{name}' holds {kind}, and from_rows takes texts and numbers.")
            self._check_beside(file)
            return file.names
        for key, wanted in self.wanted.items():
            if key not in file.names:
                raise lacking(key, file.names, file.path)
            kind = file.types.get(key)
            if kind is not None and not fits(kind, wanted):
                raise Refusal(
                    f"{file.path}: column '{key}' holds {kind}, and the problem reads it as {described(wanted)}; "
                    "declare it as what it is, or write the file with another type."
                )
        self._check_beside(file)
        return list(dict.fromkeys([*self.wanted, *self.beside]))

    def _check_beside(self, file: RowFile) -> None:
        for name in self.beside:
            if name not in file.names:
                raise lacking(name, file.names, file.path)

    def read(self, part: Part, file: RowFile) -> tuple["Good", int, list[BadRow]]:
        """Returns the good rows of a part, how many these are, and all its bad ones.

        Raises:
            Refusal: A function makes no feature of a name, or not one value a row.
        """
        good, bad = features_of(part, file, self)
        return good, rows_of(good.features), bad


def described(wanted: Wanted) -> str:
    """Returns what a feature is read as, in words.

    Example:
        >>> described(Wanted("string")), described(Wanted("int64", (None,))), described(Wanted("float32", (3,)))
        ('string', 'a bag of int64', 'float32 of shape (3,)')
    """
    if not wanted.shape:
        return wanted.dtype
    return f"a bag of {wanted.dtype}" if None in wanted.shape else f"{wanted.dtype} of shape {wanted.shape}"


def lacking(key: str, there: Collection[str], file: str) -> Refusal:
    """Returns the refusal of a file without a column."""
    ending = nearest(key, there) or f"; it has {', '.join(map(shortened, sorted(there)))}."
    return Refusal(f"{file}: there is no column '{key}'{ending}")


@dataclass(frozen=True)
class Good:
    """The rows of a part of a file that can be used.

    Args:
        features: What was made of them.
        beside: Columns as the file has them, Arrow arrays by name.
    """

    features: dict[str, Feature]
    beside: Mapping[str, Any]


def features_of(part: Part, file: RowFile, reading: Reading) -> tuple[Good, list[BadRow]]:
    """Returns the good rows of a part, and all its bad ones.

    Raises:
        Refusal: A function makes no feature of a name, or not one value a row.
    """
    columns, bad, kept = part.columns, list(part.bad), np.ones(part.rows, bool)
    if reading.from_rows is not None:
        columns, kept, found = _made(part, file, reading)
        bad += found
    features, masks = {}, {}
    for key, wanted in reading.wanted.items():
        features[key], masks[key] = typed(columns[key], wanted)
    good = np.logical_and.reduce([*masks.values()])
    if not good.all():
        numbers = part.numbers()[kept]
        for place in np.flatnonzero(~good):
            key = next(key for key, mask in masks.items() if not mask[place])
            text = text_of(columns[key], int(place))
            wanted_here = why(reading.wanted[key], text)
            bad.append(BadRow(file.path, file.unit, int(numbers[place]), key, text, wanted_here))
        features = {key: feature.kept(good) for key, feature in features.items()}
        kept[kept] = good
    beside = {name: part.columns[name].filter(pa.array(kept)) for name in reading.beside}
    return Good(features, beside), sorted(bad, key=lambda row: row.number)


def _made(part: Part, file: RowFile, reading: Reading) -> tuple[dict[str, Any], Array, list[BadRow]]:
    """Returns what a function makes of a part, a mask of the rows that it can read, and the others."""
    function: Any = reading.from_rows
    rows = {name: _strings(column) for name, column in part.columns.items()}
    kept, bad = np.ones(part.rows, bool), []
    try:
        made = _called(function, rows, file)
    except ValueError as error:
        if isinstance(error, Refusal):
            raise
        kept = np.array([_is_readable(function, rows, place) for place in range(part.rows)], bool)
        if kept.all():
            raise
        numbers = part.numbers()
        for place in np.flatnonzero(~kept):
            text = ",".join(values[place] for values in rows.values())
            what = f"cannot be read by the problem: {text}"
            bad.append(BadRow(file.path, file.unit, int(numbers[place]), None, text, what))
        made = _called(function, {name: values[kept] for name, values in rows.items()}, file)
    count = int(kept.sum())
    for key, values in made.items():
        if values.shape != (count,):
            raise Refusal(
                f"Problem: from_rows makes '{key}' of shape {values.shape} of {count:,} rows; one value a row is "
                "wanted."
            )
    for key in reading.wanted:
        if key not in made:
            raise lacking(key, made, file.path)
    return {key: _arrow(made[key]) for key in reading.wanted}, kept, bad


def _called(function: FromRows, rows: Mapping[str, Any], file: RowFile) -> dict[str, Array]:
    try:
        return {key: np.asarray(values) for key, values in function(rows).items()}
    except KeyError as error:
        raise lacking(str(error.args[0]), rows, file.path) from None


def _is_readable(function: FromRows, rows: Mapping[str, Any], place: int) -> bool:
    try:
        function({name: values[place : place + 1] for name, values in rows.items()})
    except ValueError:
        return False
    return True


def _strings(column: Any) -> Array:
    """Returns a column as an array of strings, whatever the format; '' is missing."""
    texts = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
    if pa.types.is_binary(texts.type) or pa.types.is_large_binary(texts.type):
        texts = pa.array([None if each is None else each.decode("utf-8", "replace") for each in texts.to_pylist()])
    texts = texts.cast(pa.string())
    found: Array = pc.fill_null(texts, "").to_numpy(zero_copy_only=False)
    return found


def _arrow(values: Sequence[Any] | Array) -> Any:
    try:
        return pa.array(values)
    except (OverflowError, pa.ArrowInvalid, pa.ArrowTypeError):  # of several kinds, or larger than 64 bits
        return pa.array([str(value) for value in values])
