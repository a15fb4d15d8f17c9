"""Values and expressions as a person would write them in Python."""

import io
import json
import tokenize
from typing import Any


def written(value: Any) -> str:
    """Returns a value as Python, texts in double quotes.

    Example:
        >>> print(written(["Mon", "it's", 7]), written({"genres": "|"}))
        ["Mon", "it's", 7] {"genres": "|"}
    """
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False) if value.isprintable() else repr(value)
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(written, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{written(key)}: {written(each)}" for key, each in value.items()) + "}"
    return repr(value)


def wrapped(line: str, width: int) -> str:
    """Returns a statement in lines of a width, broken after commas; a text that is longer stays whole.

    Args:
        line: One statement, its indentation before it.
        width: Of a line.

    Example:
        >>> print(wrapped('days = f(["Mon", "Tue", "Wed"], size=7)', 24))
        days = f(["Mon", "Tue",
            "Wed"], size=7)
    """
    indent = " " * (len(line) - len(line.lstrip()) + 4)
    tokens = tokenize.generate_tokens(io.StringIO(line.strip()).readline)
    ends = [token.end[1] for token in tokens if token.type == tokenize.OP and token.string == ","]
    shift = len(line) - len(line.lstrip())
    lines: list[str] = []
    rest, taken = line, 0
    while len(rest) > width:
        start = len(indent) if lines else shift
        fitting = [end for end in ends if taken < end and start + end - taken <= width]
        later = [end for end in ends if end > taken]
        if not later:
            break
        end = fitting[-1] if fitting else later[0]
        cut = start + end - taken
        lines.append(rest[:cut])
        rest = indent + rest[cut:].lstrip()
        taken = end + (1 if line.strip()[end : end + 1] == " " else 0)
    return "\n".join([*lines, rest])
