"""The words of a command line: flags as they are typed, and as they are read."""

import re
from collections.abc import Collection, Iterator, Sequence

_NEGATIVE = re.compile(r"-(\d+\.?\d*|\.\d+)[eE][+-]?\d+")
"""Numbers below 0 with an exponent; argparse knows the others."""


def flag_name(field_name: str) -> str:
    """Returns the flag of a field.

    Example:
        >>> flag_name("job_dir")
        '--job-dir'
    """
    return f"--{field_name.replace('_', '-')}"


def without(argv: Sequence[str], names: Collection[str]) -> list[str]:
    """Returns a command line without some flags and their values; the other words stay as they were typed.

    Args:
        argv: A command line that `parse` accepts.
        names: Fields whose flags take a value.

    Example:
        >>> without(["--job_dir", "here", "--seed=1", "--warm-start=a=b"], ["job_dir", "warm_start"])
        ['--seed=1']
    """
    dropped = {flag_name(name) for name in names}
    kept, words = [], iter(argv)
    for word in words:
        name, equals, _ = dashed(word).partition("=")
        if name.partition(".")[0] not in dropped:
            kept.append(word)
        elif not equals:
            next(words, None)
    return kept


def joined(argv: Sequence[str], pairs: Collection[str] = ()) -> list[str]:
    """Returns the words for argparse, to which a number such as -1e-05 looks like a flag unless it is joined to one.

    Args:
        argv: As typed.
        pairs: Flags that take KEY=VALUE, which `--flag.KEY VALUE` says too.

    Example:
        >>> joined(["--dimension.day_hour", "8", "--least", "-1e-5"], ["--dimension"])
        ['--dimension=day_hour=8', '--least=-1e-5']
    """
    words: list[str] = []
    for word in _paired(argv, pairs):
        if words and words[-1].startswith("--") and "=" not in words[-1] and _NEGATIVE.fullmatch(word):
            words[-1] += f"={word}"
        else:
            words.append(dashed(word))
    return words


def _paired(argv: Sequence[str], pairs: Collection[str]) -> Iterator[str]:
    words = iter(argv)
    for word in words:
        name, dot, rest = word.partition(".")
        if not dot or dashed(name) not in pairs:
            yield word
            continue
        key, equals, value = rest.partition("=")
        given = value if equals else next(words, "")
        yield f"{name}={key}={given}"


def dashed(word: str) -> str:
    """Returns a word with the name of its flag as `--help` shows it, if it is one.

    Example:
        >>> dashed("--job_dir=my_runs"), dashed("my_runs")
        ('--job-dir=my_runs', 'my_runs')
    """
    if not word.startswith("--"):
        return word
    name, equals, value = word.partition("=")
    return name.replace("_", "-") + equals + value
