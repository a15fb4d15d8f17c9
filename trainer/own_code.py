"""A person's own Python file, loaded by its path."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

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
    if not Path(path).is_file():
        raise Refusal(f"{flag}: there is no file {path}; give {wanted}.")
    specification = importlib.util.spec_from_file_location(Path(path).stem, path)
    if specification is None or specification.loader is None:
        raise Refusal(f"{flag}: {path} cannot be read as a Python file; its name should end in .py.")
    module = importlib.util.module_from_spec(specification)
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        specification.loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = before
    return module
