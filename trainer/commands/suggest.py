"""Writes a problem for files of rows, as a file of Python that trains as it is.

Each column becomes what its values and what they tell of the label speak for, with the reason beside it; what says
the label itself, numbers the rows or never changes is left out, with the reason too.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from trainer import commands, flags, paths
from trainer.errors import Refusal
from trainer.flags import flag
from trainer.rows import CsvFormat, Limit
from trainer.terminal import load_tensorflow

PROG = f"{commands.PROG} suggest"
DESCRIPTION = f"""{__doc__}
  {PROG} data.csv --label price > my_problem.py
  python -m trainer.task --problem my_problem.py"""


@dataclass(frozen=True)
class Settings:
    """What the suggestion can be told."""

    files: tuple[str, ...] = flag((), "the files to train on, a path or a quoted pattern", "FILES", is_word=True)
    label: str | None = flag(None, "the column that is to be predicted", "NAME", group="data")
    delimiter: str | None = flag(None, "between two values of CSV (default: found by the header)", "X", group="data")
    column_names: str | None = flag(None, "of CSV files without a header, as a,b,c", "NAMES", group="data")
    max_bad_rows: str = flag(
        "0", "rows that may be left out, as 10 or 1%, because they cannot be read", "N|N%", group="data"
    )
    out: str | None = flag(None, "the file to write (default: the standard output)", "FILE", group="output")
    overwrite: bool = flag(False, "replace the file that is there", group="output")


def main(argv: Sequence[str]) -> int:
    """Writes a suggested problem and returns the exit code.

    Args:
        argv: The files and flags.

    Raises:
        Refusal: A flag, a file or the label cannot be used.
    """
    given = Settings(**flags.parse(Settings, argv, PROG, DESCRIPTION))
    files = commands.only(given.files, PROG, "path or quoted pattern is wanted")
    if given.label is None:
        raise Refusal(f"{PROG}: --label is wanted, the column that is to be predicted; see --help.")
    if given.out is not None and paths.exists(given.out) and not given.overwrite:
        raise Refusal(f"--out: {given.out} is there already; add --overwrite to replace it, or give another.")
    load_tensorflow()
    from trainer import suggestion

    names = None if given.column_names is None else [name.strip() for name in given.column_names.split(",")]
    csv, limit = CsvFormat(given.delimiter, names), Limit.parsed(given.max_bad_rows)
    text = suggestion.of_files(files, given.label, csv, limit, sys.stderr)
    if given.out is None:
        print(text, end="")
    else:
        paths.write_text(given.out, text)
    return 0
