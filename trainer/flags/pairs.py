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
