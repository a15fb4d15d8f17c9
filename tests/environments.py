"""Virtual environments of what a requirement needs and of nothing else."""

import importlib.metadata
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement


def linked(folder: Path, *requirements: str) -> Path:
    """Makes an environment that has what requirements need, down to the last, linked from the one that runs.

    What the running environment has besides cannot be imported there, as if pip had installed the requirements anew;
    that would take half a minute where TensorFlow is among them.

    Returns:
        Its Python.
    """
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    for place in _places(requirements):
        (packages / place.name).symlink_to(place)
    return python_of(folder)


def installed(folder: Path, *requirements: str) -> Path:
    """Makes an environment and installs requirements in it that the running one has not; returns its Python."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = python_of(folder)
    # Most of the modules are never imported: a process compiles what it needs.
    command = [str(python), "-m", "pip", "install", "--quiet", "--no-compile", *requirements]
    subprocess.run(command, check=True, capture_output=True)
    return python


def python_of(folder: Path) -> Path:
    """Returns the Python of an environment."""
    return folder / "bin" / "python"


def _places(requirements: tuple[str, ...]) -> set[Path]:
    """What lies in the folder of packages that belongs to requirements."""
    return {
        Path(str(found.locate_file(file.parts[0])))
        for found in _needed([each for each in requirements if _holds(Requirement(each), "")])
        for file in found.files or ()
        if file.parts[0] not in ("..", "__pycache__")
    }


def _needed(waiting: list[str]) -> Iterator[importlib.metadata.Distribution]:
    """What is installed for requirements, and for theirs."""
    seen = set()
    while waiting:
        wanted = Requirement(waiting.pop())
        for extra in {"", *wanted.extras}:
            if (wanted.name.lower(), extra) in seen:
                continue
            seen.add((wanted.name.lower(), extra))
            found = importlib.metadata.distribution(wanted.name)
            if not extra:
                yield found
            waiting += [need for need in found.requires or () if _holds(Requirement(need), extra)]


def _holds(requirement: Requirement, extra: str) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})
