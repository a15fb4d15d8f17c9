"""Patterns that Python and TensorFlow read alike: what `re` and RE2 read differently is refused."""

import importlib
import re
import string
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NoReturn

from trainer.errors import Refusal

# What reads patterns for `re`; nothing public tells what a pattern may match.
_parser: Any = importlib.import_module("re._parser")
_named: Any = importlib.import_module("re._constants")

MOST_REPEATS = 1000
"""The times that RE2 repeats something, repeats inside repeats multiplied."""

_PIECES = re.compile(r"\\x[0-9A-Fa-f]{2}|\\.|\[\^?\]?|\]|\(\?.?|\{,\d*\}|.", re.DOTALL)
_ESCAPES = {*string.punctuation, *"dDwWtnrfva"}
_OUTSIDE = {*_ESCAPES, *"bBA"}
_REMEDIES = {
    r"\s": r"write [ \t\n\r\f\v] for it",
    r"\S": r"write [^ \t\n\r\f\v] for it",
    r"\Z": "leave it out, and take what is before it anywhere",
    "$": "leave it out, or write \\$ for the sign itself",
    "(": "write (?:…) for a group",
    r"\0": r"write \x00 for it",
}
_KINDS = (
    _named.LITERAL,
    _named.NOT_LITERAL,
    _named.ANY,
    _named.IN,
    _named.BRANCH,
    _named.SUBPATTERN,
    _named.MAX_REPEAT,
    _named.MIN_REPEAT,
    _named.AT,
)
_CATEGORIES = {
    _named.CATEGORY_DIGIT: r"\d",
    _named.CATEGORY_NOT_DIGIT: r"\D",
    _named.CATEGORY_WORD: r"\w",
    _named.CATEGORY_NOT_WORD: r"\W",
}
_IN_ASCII = (_named.CATEGORY_DIGIT, _named.CATEGORY_WORD)


def check_pattern(function: str, pattern: object) -> None:
    """Refuses a pattern that is none, that can match nothing, or that Python and TensorFlow read differently.

    Args:
        function: What a refusal begins with.
        pattern: As `re.findall` takes it.

    Raises:
        Refusal: It cannot be used; the sentence says what to write instead.
    """
    if not isinstance(pattern, str) or not pattern:
        raise Refusal(f"{function}: pattern must be a regular expression such as '[a-z0-9]+', not {pattern!r}.")
    who = f"{function}: pattern {pattern!r}"
    _check_pieces(who, pattern)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            parsed = _parser.parse(pattern, re.ASCII)
            pattern.encode()
        except (re.error, UnicodeEncodeError, FutureWarning, OverflowError, RecursionError) as error:
            raise Refusal(f"{who} cannot be read ({error}); give a regular expression such as '[a-z0-9]+'.") from None
    _check_parsed(who, parsed, MOST_REPEATS)
    if parsed.getwidth()[0] == 0:
        raise Refusal(f"{who} can match nothing, and a word has one letter at least; write + for *.")


def _check_pieces(who: str, pattern: str) -> None:
    inside = False  # of a set
    for piece in _PIECES.findall(pattern):
        if piece[0] == "\\":
            escapes = _ESCAPES if inside else _OUTSIDE
            if len(piece) == 2 and piece[1] not in escapes:
                _refuse(who, piece)
        elif inside:
            inside = not piece.endswith("]")
        elif piece[0] == "[":
            inside = True
        elif piece == "$" or (piece[0] == "(" and piece != "(?:"):
            _refuse(who, piece, "(" if piece[0] == "(" else piece)
        elif piece.startswith("{,"):
            _refuse(who, piece, remedy=f"write {{0{piece[1:]} for it")
    if found := re.search(r"\[:\^?[a-z]+:\]", pattern):
        _refuse(who, found[0], remedy="write its letters")


def _refuse(who: str, piece: str, known: str | None = None, remedy: str | None = None) -> NoReturn:
    remedy = remedy or _REMEDIES.get(known or piece, "write the letters themselves, or \\x and two digits")
    raise Refusal(f"{who} has {piece}, which Python and TensorFlow do not read alike; {remedy}.")


def _check_parsed(who: str, parsed: Any, repeats: int) -> None:
    for kind, value in parsed:
        if kind not in _KINDS:
            raise Refusal(
                f"{who} has a part ({str(kind).lower()}) that TensorFlow cannot match; write it with sets, |, (?:…), "
                "*, + and ?."
            )
        within = repeats
        if kind in (_named.MAX_REPEAT, _named.MIN_REPEAT):
            least, most, body = value
            times = max(1, least if most is _named.MAXREPEAT else most)
            if times > repeats:
                raise Refusal(f"{who} repeats over {MOST_REPEATS:,} times, which TensorFlow cannot; write + for it.")
            if body.getwidth()[0] == 0:
                raise Refusal(f"{who} repeats what can match nothing; let what repeats have one letter at least.")
            within = repeats // times
        for inner in _inside(kind, value):
            _check_parsed(who, inner, within)


def _inside(kind: Any, value: Any) -> Iterator[Any]:
    if kind is _named.BRANCH:
        yield from value[1]
    elif kind in (_named.SUBPATTERN, _named.MAX_REPEAT, _named.MIN_REPEAT):
        yield value[-1]


def delimiters(pattern: str) -> bytes | None:
    """Returns the bytes between the matches of a pattern that is one set of ASCII's letters, repeated; else None.

    Splitting at them costs less than matching. A space comes first, for they are looked for in this order.

    Example:
        >>> found = delimiters("[a-z0-9]+")
        >>> len(found), found[:3]
        (220, b' \\x00\\x01')
        >>> delimiters("[a-z]+[0-9]") is None
        True
    """
    parsed = list(_parser.parse(pattern, re.ASCII))
    if len(parsed) != 1 or parsed[0][0] is not _named.MAX_REPEAT:
        return None
    least, most, body = parsed[0][1]
    if (least, most) != (1, _named.MAXREPEAT) or len(body) != 1:
        return None
    ((kind, items),) = body
    if not all(map(_is_ascii, items if kind is _named.IN else [(kind, items)])):
        return None
    # Where not even the first code point beyond ASCII is of the set, no byte of any of these is part of a word.
    beyond = b"" if _holds((kind, items), 128) else bytes(range(128, 256))
    return _without([(kind, items)], str) + beyond


def gaps(pattern: str, lower: bool) -> bytes:
    """Returns bytes of ASCII at which a text can be split without a change to what matches a pattern: part of no match.

    Args:
        pattern: One that `check_pattern` has seen.
        lower: Whether texts become lower before they are matched, and are split before that.

    Example:
        >>> gaps(r"[^\\W\\d_]+(?:'[a-z]+)?", lower=True)[:5]
        b' \\x00\\x01\\x02\\x03'
        >>> gaps("^a", lower=False)  # which does not match at the beginning of a piece
        b''
    """
    parts = list(_leaves(_parser.parse(pattern, re.ASCII)))
    places = {value for kind, value in parts if kind is _named.AT}
    if places & {_named.AT_BEGINNING, _named.AT_BEGINNING_STRING}:
        return b""
    if places:  # the end of a piece, as that of a text, bounds a word as what is of no word does
        parts.append((_named.IN, [(_named.CATEGORY, _named.CATEGORY_WORD)]))
    return _without([part for part in parts if part[0] is not _named.AT], str.lower if lower else str)


def _without(parts: Iterable[tuple[Any, Any]], read: Callable[[str], str]) -> bytes:
    parts = list(parts)
    codes = [code for code in range(128) if not any(_holds(part, ord(read(chr(code)))) for part in parts)]
    return bytes(sorted(codes, key=lambda code: code != ord(" ")))


def _leaves(parsed: Any) -> Iterator[tuple[Any, Any]]:
    for kind, value in parsed:
        inner = list(_inside(kind, value))
        yield from [leaf for part in inner for leaf in _leaves(part)] if inner else [(kind, value)]


def _holds(part: tuple[Any, Any], code: int) -> bool:
    """Tells whether a code point matches a part of a pattern that matches one."""
    kind, value = part
    if kind is _named.IN:
        is_negated = value[0][0] is _named.NEGATE
        return any(_holds(item, code) for item in value[is_negated:]) != is_negated
    if kind is _named.LITERAL:
        return bool(code == value)
    if kind is _named.RANGE:
        return bool(value[0] <= code <= value[1])
    if kind is _named.CATEGORY:
        return re.match(_CATEGORIES[value], chr(code), re.ASCII) is not None
    return bool(code != (ord("\n") if kind is _named.ANY else value))


def _is_ascii(item: tuple[Any, Any]) -> bool:
    """Tells whether a part of a set is of ASCII alone, so that all that is not ASCII is in the set, or none of it."""
    kind, value = item
    if kind in (_named.LITERAL, _named.NOT_LITERAL):
        return bool(value < 128)
    if kind is _named.RANGE:
        return bool(value[1] < 128)
    return kind is _named.NEGATE or (kind is _named.CATEGORY and value in _IN_ASCII)
