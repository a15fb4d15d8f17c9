"""Which files a person's own code reads while it runs here, since a job on another machine will look for them too."""

import os
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import FrameType
from typing import Any

_watching: ContextVar[dict[str, None] | None] = ContextVar("watching", default=None)
_is_hooked: list[bool] = []


@contextmanager
def watched() -> Iterator[dict[str, None]]:
    """Yields what fills with the absolute paths of files that code of the person's own reads inside, in their order.

    A file counts where such code opens it, be it through a library; what a library reads while it is imported does not.
    """
    if not _is_hooked:  # Python has no way to take a hook back
        _is_hooked.append(True)
        sys.addaudithook(_note)
    found: dict[str, None] = {}
    before = _watching.set(found)
    try:
        yield found
    finally:
        _watching.reset(before)


def own_modules(folder: str) -> list[str]:
    """Returns the files of the modules that are imported from a folder, without what is installed in it."""
    files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
    inside = [os.path.abspath(file) for file in files if file and file.endswith(".py")]
    return sorted({file for file in inside if file.startswith(f"{folder}{os.sep}") and is_own(file)})


def is_own(path: str) -> bool:
    """Tells whether a file is a person's own: no part of Python, of what is installed, or of the system."""
    here = f"{os.getcwd()}{os.sep}"
    # One may work in /opt/app or /usr/src/app, and have an environment in a folder below.
    foreign = [root for root in _FOREIGN if root.startswith(here)] if path.startswith(here) else _FOREIGN
    return not path.startswith(tuple(foreign)) and not {"site-packages", "__pycache__"} & set(Path(path).parts)


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    # An audit hook sees every event of the process, so most have to cost next to nothing.
    if event != "open" or (found := _watching.get()) is None:
        return
    path, mode, flags = arguments
    reads = set(mode or "r").isdisjoint("wax+") and not (flags or 0) & (os.O_WRONLY | os.O_RDWR)
    if not reads or isinstance(path, int) or path is None:
        return
    absolute = os.path.abspath(os.fsdecode(path))
    if is_own(absolute) and _is_asked_for_by_own_code(sys._getframe(1)):
        found[absolute] = None


def _is_asked_for_by_own_code(frame: FrameType | None) -> bool:
    """Tells whether a person's code is the nearest that is neither a library's nor an import of one."""
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(("<frozen importlib", _THIS_ROOM)):
            return False
        if not name.startswith("<") and is_own(os.path.abspath(name)):
            return True
        frame = frame.f_back
    return False


_THIS_ROOM = f"{Path(__file__).parent}{os.sep}"
_SYSTEM = ("/usr", "/etc", "/proc", "/sys", "/dev", "/lib", "/opt")
_FOREIGN = tuple(
    f"{os.path.abspath(root)}{os.sep}"
    for root in (*sysconfig.get_paths().values(), sys.prefix, sys.base_prefix, *_SYSTEM, _THIS_ROOM + "..")
)
