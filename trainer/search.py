"""What a problem declares to be searched: ranges and choices of the values of flags."""

import math
import numbers
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from trainer import flags
from trainer.errors import Refusal, nearest, refusing
from trainer.settings import Settings

SEARCHED = (
    *("learning_rate", "optimizer", "train_batch_size", "num_epochs", "train_steps", "unfreeze_after"),
    "hidden_units",
)
"""The flags of the task that can be searched: numbers and words that change what is learned.

`dimension.TABLE` is one more for each table, as in `--dimension.TABLE 8`.
`--seed` is left out: a search for the best seed finds what is lucky with the validation rows.
"""

SCALES = ("linear", "log")
_DIMENSION = "dimension."


@dataclass(frozen=True)
class Range:
    """The numbers from `low` to `high`, both of them too: whole numbers where both ends are, else any.

    Args:
        low: The least.
        high: The greatest.
        scale: "linear", or "log", on which 0.001 is as far from 0.01 as that is from 0.1.

    Raises:
        Refusal: The ends are no numbers, or in the wrong order, or the scale cannot be used.

    Example:
        >>> Range(1e-4, 1e-2, scale="log").middle, Range(16, 64).middle
        (0.001, 40)
    """

    low: float
    high: float
    scale: str = "linear"

    def __post_init__(self) -> None:
        for name in ("low", "high"):
            if not _is_number(getattr(self, name)):
                raise Refusal(f"Range: {name} is a finite number, not {getattr(self, name)!r}.")
        if self.scale not in SCALES:
            ending = nearest(str(self.scale), SCALES) or "; it is 'linear' or 'log'."
            raise Refusal(f"Range: there is no scale {self.scale!r}{ending}")
        if not self.low < self.high:
            raise Refusal(f"Range: low is below high, and {self.low!r} is not below {self.high!r}.")
        if self.scale == "log" and self.low <= 0:
            raise Refusal(f"Range: a log scale has numbers above 0 alone, and low is {self.low!r}; give another low.")

    @property
    def is_whole(self) -> bool:
        """Whether all numbers of it are whole."""
        return isinstance(self.low, numbers.Integral) and isinstance(self.high, numbers.Integral)

    @property
    def middle(self) -> float:
        """The number half-way on the scale."""
        # The root of the product, but for its digits: 1e-200 times 1e-200 is 0.
        found = math.sqrt(self.low) * math.sqrt(self.high) if self.scale == "log" else (self.low + self.high) / 2
        return round(found) if self.is_whole else float(f"{found:.6g}")


Searched = Range | Sequence[float] | Sequence[str]
"""What the value of a flag may be: a range, or one of several numbers or of several words."""


def check(search: Any) -> None:
    """Refuses what is no search, whatever its names are.

    Raises:
        Refusal: It is no dictionary of ranges, numbers and words.
    """
    if not isinstance(search, Mapping):
        raise Refusal(f"Problem: search is a dictionary by the names of flags, not {type(search).__name__}.")
    for name, searched in search.items():
        if not isinstance(searched, Range):
            _check_choices(name, searched)


def _check_choices(name: str, values: Any) -> None:
    if isinstance(values, (str, bytes)) or not isinstance(values, Sequence):
        raise Refusal(f"Problem: search takes for '{name}' a Range, or a list of numbers or of words, not {values!r}.")
    if not values:
        raise Refusal(f"Problem: search has no value for '{name}'; give a Range, numbers or words.")
    for value in values:
        # A word that begins with a hyphen would be taken for a flag where it follows one.
        if not _is_number(value) and not (isinstance(value, str) and value.strip() and not value.startswith("-")):
            raise Refusal(f"Problem: search has {value!r} for '{name}', which is neither a finite number nor a word.")
        if list(values).count(value) > 1:
            raise Refusal(f"Problem: search has {value!r} twice for '{name}'; give each value once.")
    if len({isinstance(value, str) for value in values}) > 1:
        raise Refusal(f"Problem: search has numbers and words for '{name}'; give the one or the other.")


def of_dimension(table: str) -> str:
    """Returns the name under which the dimension of a table is searched.

    Example:
        >>> of_dimension("day_hour")
        'dimension.day_hour'
    """
    return f"{_DIMENSION}{table}"


def left(search: Mapping[str, Searched], everything: type[Any], argv: Sequence[str]) -> dict[str, Searched]:
    """Returns what of a search is left to be tried: what a command line says of itself is not searched.

    Args:
        search: Of a problem.
        everything: The flags of the task and of the problem's own, as a dataclass.
        argv: A command line of the task.
    """
    names = [name for name in search if not name.startswith(_DIMENSION)]
    given = flags.glance(everything, argv, ["dimension", *names])
    tables = Settings(dimension=given.pop("dimension", ())).dimensions
    said = {*given, *map(of_dimension, tables)}
    return {name: searched for name, searched in search.items() if name not in said}


def check_names(
    search: Mapping[str, Searched], problem: str, own: type[Any] | None, tables: Collection[str] = ()
) -> None:
    """Refuses a search of what is no flag, or of values that a flag does not take.

    Args:
        search: As `check` wants it.
        problem: The name of the problem.
        own: The flags of the problem's own, as a dataclass; None where it has none.
        tables: The names of its tables.

    Raises:
        Refusal: A name is that of no flag that can be searched, or a value none that it takes.
    """
    task = flags.values_of(Settings)
    fields: dict[str, tuple[type, float | None]] = {name: task[name] for name in SEARCHED}
    fields |= {of_dimension(table): (int, 1) for table in tables} | ({} if own is None else flags.values_of(own))
    for name, searched in search.items():
        who = f"--problem: {problem} searches '{name}'"
        if name not in fields:
            ending = nearest(name, fields) or f"; there are {', '.join(fields)}."
            raise Refusal(f"{who}, which cannot be searched{ending}")
        _check_values(who, searched, *fields[name])
        if name == "hidden_units":
            with refusing(who):
                _ = [Settings(hidden_units=str(widths)).widths for widths in cast(Sequence[str], searched)]


def _check_values(who: str, searched: Searched, kind: type, least: float | None) -> None:
    if kind is bool:
        raise Refusal(f"{who}, which is yes or no and takes no value; make it a number or a word.")
    values: list[Any] = [searched.low, searched.high] if isinstance(searched, Range) else list(searched)
    has_words = isinstance(values[0], str)
    if has_words and kind is not str:
        raise Refusal(f"{who} among words, and it is a number; give a Range or numbers.")
    if kind is str and not has_words:
        raise Refusal(f"{who} among numbers, and it is a word; give a list of words.")
    if kind is int and not all(isinstance(value, numbers.Integral) for value in values):
        raise Refusal(f"{who} among numbers that are not whole, and it is a whole number; write 8, not 8.0.")
    for value in values:
        if least is not None and not (value >= least if kind is int else value > least):
            above = f"at least {least}" if kind is int else f"above {least}"
            raise Refusal(f"{who} down to {value!r}, and it is {above}; give larger numbers.")


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool) and math.isfinite(value)
