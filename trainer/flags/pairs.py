"""Flags that say something of one of several things, as `TABLE=SOURCE`."""

from trainer.errors import Refusal


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


def whole(flag: str, text: str) -> tuple[str, int]:
    """Returns the table and the number of `TABLE=N`.

    Raises:
        Refusal: It is no such pair, or the number no whole one of at least 1.

    Example:
        >>> whole("--dimension", "movie=2")
        ('movie', 2)
    """
    table, given = pair(flag, "N", text)
    number = int(given) if given.isascii() and given.isdigit() else 0
    if number < 1:
        raise Refusal(f"{flag}: a whole number of at least 1 is wanted for '{table}', not '{given}'.")
    return table, number


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
