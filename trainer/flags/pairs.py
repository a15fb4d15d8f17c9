"""Flags that say something of one of several things, as `TABLE=SOURCE`."""

from trainer.errors import Refusal
from trainer.flags.parsing import whole_number

AUTO = "auto"
"""What leaves a dimension to the rule of thumb."""


def pair(flag: str, value: str, text: str) -> tuple[str, str]:
    """Returns the table and the value of `TABLE=VALUE`.

    Args:
        flag: Its name.
        value: What the value is called.
        text: What was given.

    Raises:
        Refusal: It is no such pair.

    Example:
        >>> pair("--old-vocabulary", "FILE", "day=days.txt")
        ('day', 'days.txt')
    """
    table, equals, given = text.partition("=")
    if not (table and equals and given):
        raise Refusal(f"{flag}: TABLE={value} is wanted, not '{text}'.")
    return table, given


def dimension(flag: str, text: str) -> tuple[str, int | None]:
    """Returns the table and the dimension of `TABLE=N`, None for `TABLE=auto`.

    Raises:
        Refusal: It is no such pair, or the dimension neither `auto` nor a whole number of at least 1.

    Example:
        >>> dimension("--dimension", "movie=2"), dimension("--dimension", "movie=auto")
        (('movie', 2), ('movie', None))
    """
    table, given = pair(flag, "N", text)
    if given == AUTO:
        return table, None
    try:
        number = whole_number(given) if given.isascii() else 0
    except (ValueError, OverflowError):
        number = 0
    if number < 1:
        raise Refusal(f"{flag}: a whole number of at least 1 is wanted for '{table}', or auto, not '{given}'.")
    return table, number


def widths(flag: str, text: str) -> tuple[int, ...]:
    """Returns the widths of layers of `N,N`.

    Raises:
        Refusal: One of them is no whole number of at least 1.

    Example:
        >>> widths("--hidden-units", "64,32")
        (64, 32)
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and int(part) for part in parts):
        raise Refusal(f"{flag}: widths of at least 1 are wanted, as 64,32, not '{text}'.")
    return tuple(map(int, parts))


def source(text: str) -> tuple[str, tuple[str, str | None]]:
    """Returns the table, the source and the tensor's name there of `TABLE=SOURCE[#TENSOR]`.

    Raises:
        Refusal: It is no such pair.

    Example:
        >>> source("day_hour=runs/jfk#week")
        ('day_hour', ('runs/jfk', 'week'))
    """
    table, equals, place = text.partition("=")
    place, _, tensor = place.partition("#")
    if not (table and equals and place):
        raise Refusal(f"--warm-start: TABLE=SOURCE is wanted, as in day_hour=runs/jfk, not '{text}'.")
    return table, (place, tensor or None)
