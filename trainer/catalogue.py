"""What is known of the values of a feature besides themselves: the titles of films, the pictures of digits."""

import csv
import functools
import io
import numbers
import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trainer import paths
from trainer.errors import Refusal, nearest

Values = Collection[Any]
"""Texts or numbers in an order: a list, an array, a tensor or a column of a data frame."""


@dataclass(frozen=True, eq=False)
class Catalogue:
    """What is known of a feature's values, which the projector and the files of a table on that feature then tell.

    Args:
        keys: The feature's values, strings or whole numbers; 7 and "7" are one key. Others than those of the training
            data do no harm. They are kept as texts.
        fields: By name, a text or a number a key; None, NaN and pandas' NA are nothing. They are kept as texts.
        title: The field that a person knows a key by; None is the key itself.
        pictures: `(keys, height, width)` grey, or with 3 colours after that, uint8. A table of more than 100,000 rows
            has none.

    Raises:
        Refusal: A key is no string or whole number or comes twice, a field or the pictures are not as many as the
            keys, a value is a list, a field has no name, or the title is no field.

    Example:
        >>> films = Catalogue([1, 7], {"film": ["Toy Story", "Sabrina"], "year": [1995.0, 1995.0]}, title="film")
        >>> films.places(["7", "8"]), films.texts("year")
        ([1, -1], ['1995', '1995'])
    """

    keys: Values
    fields: Mapping[str, Values]
    title: str | None = None
    pictures: Any = None

    @classmethod
    def from_file(cls, path: str, key: str, fields: Collection[str], title: str | None = None) -> "Catalogue":
        """Returns what a file tells: CSV with a header row, or Parquet where its name ends so; here or in a bucket.

        Args:
            path: The file.
            key: The column of the keys.
            fields: The columns of the fields, or by the names of fields their columns.
            title: The field that a person knows a key by.

        Raises:
            Refusal: The file cannot be read, or lacks a column.
        """
        named = fields if isinstance(fields, Mapping) else {name: name for name in fields}
        columns = _columns(path, [key, *named.values()])
        return cls(columns[key], {name: columns[column] for name, column in named.items()}, title)

    def __post_init__(self) -> None:
        # All is read here and once: what cannot be read is not to be found out after a training.
        object.__setattr__(self, "keys", self._read_keys())
        object.__setattr__(self, "fields", self._read_fields())
        if self.title is not None and not (isinstance(self.title, str) and self.title in self.fields):
            others = f"; the fields are {', '.join(self.fields) or 'none'}."
            raise Refusal(
                f"Catalogue: there is no field '{self.title}'{nearest(str(self.title), self.fields) or others}"
            )
        if self.pictures is not None:
            object.__setattr__(self, "pictures", self._read_pictures())

    def _read_keys(self) -> tuple[str, ...]:
        keys = _listed("keys are", self.keys)
        for key in keys:
            if not isinstance(key, (str, numbers.Integral)) or isinstance(key, bool):
                raise Refusal(f"Catalogue: a key is a string or a whole number, not {key!r}.")
        texts = tuple(map(str, keys))
        if len(set(texts)) < len(texts):
            seen: set[str] = set()
            twice = next(key for key in texts if key in seen or seen.add(key))  # type: ignore[func-returns-value]
            raise Refusal(f"Catalogue: key '{twice}' is there more than once; give each key once.")
        return texts

    def _read_fields(self) -> dict[str, tuple[str, ...]]:
        if not callable(getattr(self.fields, "items", None)):  # a data frame has them too
            kind = type(self.fields).__name__
            raise Refusal(
                f"Catalogue: fields is a dictionary of lists by name, not {kind}; give {{}} where there is none."
            )
        found = {}
        for name, given in self.fields.items():
            if not isinstance(name, str):
                raise Refusal(f"Catalogue: the name of a field is a string, not {name!r}.")
            values = _listed(f"field '{name}' is", given)
            if len(values) != len(self.keys):
                raise Refusal(
                    f"Catalogue: field '{name}' has {len(values):,} values for {len(self.keys):,} keys; give one a key."
                )
            found[name] = tuple(_text(name, value) for value in values)
        return found

    def _read_pictures(self) -> Any:
        import numpy as np

        try:
            pictures = np.asarray(self.pictures)
        except ValueError:  # they are of several sizes
            pictures = np.array(None)
        shape = pictures.shape
        is_whole = len(shape) in (3, 4) and 0 not in shape[1:3] and shape[3:] in ((), (3,))
        if shape[:1] != (len(self.keys),) or not is_whole or pictures.dtype != "uint8":
            found = f"{shape}, {pictures.dtype}" if shape else type(self.pictures).__name__
            raise Refusal(
                f"Catalogue: a picture a key is wanted, an array ({len(self.keys):,}, height, width) or with 3 colours "
                f"after that, uint8, not {found}."
            )
        return pictures

    @functools.cached_property
    def _places(self) -> dict[str, int]:
        return {key: place for place, key in enumerate(self.keys)}

    def places(self, keys: Sequence[str]) -> list[int]:
        """Returns the place of each of some keys, given as texts; -1 where the catalogue has not the key."""
        known = self._places
        return [known.get(key, -1) for key in keys]

    def texts(self, field: str) -> list[str]:
        """Returns a field as texts, one a key."""
        return [*self.fields[field]]


@dataclass(frozen=True)
class Beside:
    """Where the data of a job lie, beside which a catalogue may be found.

    Args:
        data_dir: The folder in which data sets are prepared.
        files: The files to train on, here or in a bucket; none where the data are no files.
        rows: Returns, by the names of features, their values in the rows of a data set of TFDS, where the data are one
            that has them all, and else None.
    """

    data_dir: str
    files: tuple[str, ...] = ()
    rows: Callable[[Sequence[str]], Mapping[str, list[str]] | None] = lambda features: None

    def find(self, name: str) -> str | None:
        """Returns the path of the file of that name beside the files to train on, or in the data folder, or None.

        Example:
            >>> Beside("data", (__file__,)).find("catalogue.py") == __file__
            True
        """
        folders = dict.fromkeys([*map(os.path.dirname, self.files), self.data_dir])
        return next((path for folder in folders if paths.exists(path := paths.join(folder, name))), None)

    def values(self, key: str, *others: str) -> dict[str, list[str]] | None:
        """Returns features of the rows of a data set of TFDS, as texts, of each key's first row; None without them.

        Args:
            key: A feature, each value of which comes once.
            others: Further features; several values of a row are joined by "|".
        """
        told = self.rows([key, *others])
        if told is None:
            return None
        first = {value: place for place, value in reversed([*enumerate(told[key])])}
        return {name: [texts[place] for place in sorted(first.values())] for name, texts in told.items()}


Catalogues = Mapping[str, Catalogue | Callable[[Beside], Catalogue | None]]
"""By raw feature; a function of what is known of the data's place returns the catalogue, or None where there is none.
"""


def check(catalogues: Catalogues, features: Collection[str]) -> None:
    """Refuses catalogues of features that nothing reads, and what is no catalogue.

    Args:
        catalogues: By raw feature.
        features: The raw features that are read.

    Raises:
        Refusal: A feature is not among them, or something is neither a catalogue nor a function.
    """
    if not isinstance(catalogues, Mapping):
        raise Refusal(f"Problem: catalogues is a dictionary by raw feature, not {type(catalogues).__name__}.")
    for key, catalogue in catalogues.items():
        if key not in features:
            others = f"; they read {', '.join(sorted(features)) or 'none'}."
            raise Refusal(f"Problem: catalogues has '{key}', which no column reads{nearest(key, features) or others}")
        if not isinstance(catalogue, Catalogue) and not callable(catalogue):
            raise Refusal(
                f"Problem: catalogues takes for '{key}' a Catalogue, or a function of a catalogue.Beside that returns "
                f"one, not {type(catalogue).__name__}."
            )


def opened(catalogues: Catalogues, beside: Beside) -> dict[str, Catalogue]:
    """Returns catalogues, with what functions make of what lies beside the data in their place.

    Raises:
        Refusal: A function returns something else than a catalogue or None.
    """
    found = {key: made if isinstance(made, Catalogue) else made(beside) for key, made in catalogues.items()}
    for key, catalogue in found.items():
        if catalogue is not None and not isinstance(catalogue, Catalogue):
            raise Refusal(
                f"Problem: the function of catalogues for '{key}' returns {type(catalogue).__name__}; return a "
                "Catalogue, or None where there is none."
            )
    return {key: catalogue for key, catalogue in found.items() if catalogue is not None}


def _columns(path: str, wanted: Sequence[str]) -> dict[str, list[Any]]:
    """Returns columns of a file by their names."""
    try:
        with paths.opened(path) as file:
            if path.lower().endswith((".parquet", ".pq")):
                import pyarrow.parquet as pq

                table = pq.read_table(file)
                names: Sequence[str] = table.column_names
                rows: Iterable[Sequence[Any]] = zip(*(column.to_pylist() for column in table.columns), strict=True)
            else:
                lines = csv.reader(io.TextIOWrapper(file, "utf-8-sig", newline=""))
                names, rows = next(lines, []), (line for line in lines if line)
            places = [_place(path, name, names) for name in wanted]
            read = [[row[place] for place in places] for row in rows]
    except paths.Refused:
        raise
    except IndexError:
        raise Refusal(f"Catalogue: a row of {path} has fewer values than its header; give each row all.") from None
    except (OSError, ValueError, csv.Error) as error:
        if isinstance(error, Refusal):
            raise
        reason = getattr(error, "strerror", None) or str(error).removesuffix(".")
        raise Refusal(f"Catalogue: {path} cannot be read ({reason}); give a CSV or a Parquet file.") from None
    return dict(zip(wanted, map(list, zip(*read, strict=True)) if read else [[] for _ in wanted], strict=True))


def _place(path: str, name: str, names: Sequence[str]) -> int:
    if name not in names:
        others = f"; it has {', '.join(names) or 'none'}."
        raise Refusal(f"Catalogue: {path} has no column '{name}'{nearest(name, names) or others}")
    return names.index(name)


def _listed(what: str, values: Any) -> list[Any]:
    shape: Any = (0,)
    if hasattr(values, "__array__"):  # an array, a tensor, or a column of a data frame
        import numpy as np

        values = np.asanyarray(values)
        shape = values.shape
    if (
        len(shape) != 1
        or isinstance(values, (str, bytes, Mapping, set, frozenset))
        or not isinstance(values, Collection)
    ):
        found = type(values).__name__ if len(shape) == 1 else f"an array of shape {shape}"
        raise Refusal(f"Catalogue: {what} a list or an array of one dimension, not {found}.")
    return list(values)


def _text(field: str, value: Any) -> str:
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    if value is None or type(value).__name__ in ("NAType", "MaskedConstant"):  # of pandas and of NumPy
        return ""
    if isinstance(value, Iterable):
        raise Refusal(
            f"Catalogue: field '{field}' has a text or a number a key, not {value!r}; join what is several in one text."
        )
    if value != value:  # NaN is what an absent number is in a column of numbers
        return ""
    # A column of whole numbers, some of them absent, is one of floats.
    return str(value).removesuffix(".0") if isinstance(value, numbers.Real) else str(value)
