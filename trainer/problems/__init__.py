"""One problem a file; and how the module of a problem is found, here or in a file of one's own."""

import functools
import importlib
import os
import pkgutil
from types import ModuleType

from trainer import own_code
from trainer.errors import Refusal, nearest


def names() -> list[str]:
    """Returns the sorted names of the problems that come with the package, one for each file in this folder.

    Example:
        >>> "flights" in names()
        True
    """
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def module_of(name: str) -> ModuleType:
    """Returns the module of a problem.

    Args:
        name: One of `names`, or the path of a Python file.

    Raises:
        Refusal: There is no such problem or file.
    """
    if name.endswith(".py"):
        return _own_module(name, os.stat(name).st_mtime_ns if os.path.exists(name) else 0)
    if name in names():
        return importlib.import_module(f"{__name__}.{name}")
    known = f"; there are {', '.join(names())}, or give the path of a .py file."
    raise Refusal(f"--problem: there is no problem '{name}'{nearest(name, names()) or known}")


@functools.lru_cache(maxsize=1)
def _own_module(path: str, changed: int) -> ModuleType:
    # Kept, so that the file runs once for its flags and for its problem.
    return own_code.module_of(path, "--problem", "a problem's name or the path of a Python file")


def forget() -> None:
    """Makes `module_of` run a file of one's own once more."""
    _own_module.cache_clear()
