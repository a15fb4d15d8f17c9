"""What becomes of a column of a table: a part of a problem, or nothing, each with its reason."""

import builtins
import keyword
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from trainer.suggestion.information import Told

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, eq=False)
class Part:
    """A categorical column of a problem.

    Args:
        key: The column of the table; of a cross, nothing.
        variable: Its name in the file.
        declaration: Of the categorical column, a Python expression.
        reason: Why it is so, a line.
        codes: Of its values in a sample, `(rows,)`, from 0 on; None where a row has several.
        size: How many ids it has, about.
        made: What `from_rows` makes, Python expressions by the names of features; others are read as they are.
        before: Lines of Python that these expressions want before them, in the function.
        bags: What stands between the values of a row, by the name of a feature.
        finer: Codes by which it is judged too: narrower ranges of numbers, in which a threshold shows, or whole bags.
        told: What it tells of the label by itself; None where that was not seen.
        is_crossable: Whether it may be crossed with another.
    """

    key: str
    variable: str
    declaration: str
    reason: str
    codes: Array | None
    size: int
    made: Mapping[str, str] = field(default_factory=dict)
    before: tuple[str, ...] = ()
    bags: Mapping[str, str] = field(default_factory=dict)
    finer: Array | None = None
    told: Told | None = None
    is_crossable: bool = True


@dataclass(frozen=True)
class LeftOut:
    """A column that is no part of a problem.

    Args:
        name: Of the column.
        reason: Why it is not, a line.
    """

    name: str
    reason: str


class Names:
    """Names of variables and of features, of which each is given once.

    Args:
        columns: The names that features have already.
        taken: Names of variables that have another meaning.

    Example:
        >>> names = Names(["native country"], ["fc"])
        >>> [names.variable(name) for name in ("native country", "native_country", "class", "2nd", "fc", "m²")]
        ['native_country', 'native_country_', 'class_', 'column_2nd', 'fc_', 'm2']
        >>> names.feature("native country"), names.feature("day")
        ('native country_', 'day')
    """

    def __init__(self, columns: Iterable[str], taken: Iterable[str] = ()) -> None:
        self._features, self._variables = {*columns}, {*taken, *dir(builtins)}

    def variable(self, name: str) -> str:
        """Returns a name for Python that is as near to a name as can be."""
        letters = unicodedata.normalize("NFKC", name)
        plain = "".join(letter if f"a{letter}".isidentifier() else "_" for letter in letters)
        plain = re.sub(r"_+", "_", plain).strip("_") or "column"
        plain = plain if plain.isidentifier() else f"column_{plain}"
        return _new(f"{plain}_" if keyword.iskeyword(plain) else plain, self._variables)

    def feature(self, name: str) -> str:
        """Returns a name for a feature that no column has."""
        return _new(name, self._features)


def _new(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    taken.add(name)
    return name
