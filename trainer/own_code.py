"""A person's own Python file, loaded by its path."""

import importlib.abc
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from trainer import paths
from trainer.errors import Refusal


def module_of(path: str, flag: str, wanted: str) -> ModuleType:
    """Returns the module that a Python file makes; nothing is written beside the file.

    Args:
        path: Of the file.
        flag: The flag that named it, for the refusal.
        wanted: What to give instead, for the refusal.

    Raises:
        Refusal: There is no such file, or its name does not end in .py.
    """
    if not paths.exists(path) or paths.is_folder(path):
        raise Refusal(f"{flag}: there is no file {path}; give {wanted}.")
    specification = _specification(path)
    if specification is None or specification.loader is None:
        raise Refusal(f"{flag}: {path} cannot be read as a Python file; its name should end in .py.")
    module = importlib.util.module_from_spec(specification)
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        specification.loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = before
    return module


def _specification(path: str) -> Any:
    name = Path(path).stem
    if paths.is_remote(path):
        if not path.endswith(".py"):
            return None
        return importlib.util.spec_from_loader(name, _Remote(path))
    return importlib.util.spec_from_file_location(name, path)


class _Remote(importlib.abc.SourceLoader):
    """Loads a remote file; `__file__` is its path, and an error shows its lines."""

    def __init__(self, path: str) -> None:
        self.path = path

    def get_filename(self, fullname: str) -> str:
        return self.path

    def get_data(self, path: str | bytes) -> bytes:
        return paths.read_bytes(str(path))
