"""`python -m trainer VERB`: one verb a file. The first line of a file's docstring is its help; `main(argv)` runs it."""

import ast
import importlib
import pkgutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainer import paths
from trainer.errors import Refusal
from trainer.flags import flag, flag_name

if TYPE_CHECKING:
    from trainer.inputs.bad_rows import BadRow

PROG = "python -m trainer"
SOURCE: Any = flag(
    (), "a run's job dir, a checkpoint or a file of vectors; a path or a quoted pattern", "SOURCE", is_word=True
)
"""The field of a verb that takes what tables can be read from."""
SOURCE_WANTED = "source is wanted, a path or a quoted pattern"
RUN: Any = flag((), "a run's job dir", "RUN", is_word=True)
"""The field of a verb that takes a run."""


def helps() -> dict[str, str]:
    """Returns the one line of help of each verb; no verb is imported, so that listing them takes no time."""
    folder = Path(__file__).parent
    names = sorted(module.name for module in pkgutil.iter_modules([str(folder)]))
    return {name.replace("_", "-"): _first_line(folder / f"{name}.py") for name in names}


def command(verb: str) -> Callable[[Sequence[str]], int]:
    """Returns the `main` of one of the verbs that `helps` lists."""
    found: Callable[[Sequence[str]], int] = importlib.import_module(f"{__name__}.{verb.replace('-', '_')}").main
    return found


def only(given: Sequence[str], prog: str, what: str) -> str:
    """Returns the one word that a command line has.

    Args:
        given: The words.
        prog: What a refusal begins with.
        what: What is wanted, as in "run is wanted".

    Raises:
        Refusal: There is none, or several.
    """
    if len(given) != 1:
        raise Refusal(f"{prog}: one {what}, not {len(given)}; see --help.")
    return given[0]


def wanted(value: str | None, prog: str, name: str) -> str:
    """Returns what a flag was given.

    Args:
        value: The field's value.
        prog: What a refusal begins with.
        name: Of the field.

    Raises:
        Refusal: It is not given.
    """
    if not value:
        raise Refusal(f"{prog}: {flag_name(name)} is wanted, and it is not given; see --help.")
    return value


def tell_bad_rows(out: str, bad: Sequence["BadRow"]) -> None:
    """Prints how many rows were set aside and writes them beside a file; without any, those of an earlier one go.

    Args:
        out: The file that was written without them.
        bad: The rows.
    """
    from trainer.inputs import bad_rows
    from trainer.prediction import writing

    aside = writing.beside(out, bad_rows.FILE)
    if bad:
        bad_rows.write(aside, bad)
        left_out = "row cannot be used and is left out" if len(bad) == 1 else "rows cannot be used and are left out"
        print(f"{len(bad):,} {left_out}, told in {aside}; the first: {bad[0]}")
    elif paths.exists(aside):
        paths.remove_file(aside)


def _first_line(file: Path) -> str:
    docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n")[0]
