"""`python -m trainer VERB`: one verb a file. The first line of a file's docstring is its help; `main(argv)` runs it."""

import ast
import importlib
import pkgutil
from collections.abc import Callable, Sequence
from pathlib import Path

PROG = "python -m trainer"


def helps() -> dict[str, str]:
    """Returns the one line of help of each verb; no verb is imported, so that listing them takes no time."""
    folder = Path(__file__).parent
    names = sorted(module.name for module in pkgutil.iter_modules([str(folder)]))
    return {name.replace("_", "-"): _first_line(folder / f"{name}.py") for name in names}


def command(verb: str) -> Callable[[Sequence[str]], int]:
    """Returns the `main` of one of the verbs that `helps` lists."""
    found: Callable[[Sequence[str]], int] = importlib.import_module(f"{__name__}.{verb.replace('-', '_')}").main
    return found


def _first_line(file: Path) -> str:
    docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n")[0]
