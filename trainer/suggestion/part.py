"""What becomes of a column of a table: a part of a problem, or nothing, each with its reason."""

import keyword
import re
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
        finer: Codes of narrower ranges of numbers, in which a threshold shows.
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


def variables(names: Iterable[str], taken: Iterable[str] = ()) -> dict[str, str]:
    """Returns a Python name for each column, all different.

    Args:
        names: Of the columns.
        taken: Names that have another meaning.

    Example:
        >>> variables(["native country", "class", "2nd floor", "fc"], ["fc"])
        {'native country': 'native_country', 'class': 'class_', '2nd floor': 'column_2nd_floor', 'fc': 'fc_'}
    """
    found: dict[str, str] = {}
    used = {*taken}
    for name in names:
        plain = re.sub(r"\W+", "_", name.strip()).strip("_") or "column"
        plain = f"column_{plain}" if plain[0].isdigit() else plain
        while plain in used or keyword.iskeyword(plain):
            plain += "_"
        used.add(plain)
        found[name] = plain
    return found
