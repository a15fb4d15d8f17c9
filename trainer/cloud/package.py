"""This package as one file that pip installs: a source distribution of a checkout, or a wheel of what is installed."""

import base64
import csv
import hashlib
import importlib.metadata
import importlib.util
import io
import shutil
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer import __version__
from trainer.cloud import process
from trainer.errors import Refusal
from trainer.terminal import exit_code

NAME = "embedding-columns"
ROOT = Path(__file__).resolve().parents[2]
# What a source distribution is made of, besides the package's own folder.
BESIDE = ("setup.py", "README.md", "LICENSE")
# What a package says that an old pip has installed without a wheel.
_WHEEL = "Wheel-Version: 1.0\nGenerator: embedding-columns\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
# With it in its environment, pip builds a source distribution without fetching anything.
BUILD_REQUIREMENT = "setuptools>=70.1"


@dataclass(frozen=True)
class Package:
    """A built package.

    Args:
        path: The file that pip installs.
        requirements: What has to be installed before it.
        digest: Of the files in it: two builds of the same files are the same package.
    """

    path: Path
    requirements: tuple[str, ...]
    digest: str


def is_checkout(root: Path) -> bool:
    """Tells whether the folder above the package is a checkout of it; site-packages is none."""
    setup = root / "setup.py"
    return setup.is_file() and f'name="{NAME}"' in setup.read_text(encoding="utf-8")


def file_name() -> str:
    """Returns the name of the file that `build` leaves."""
    ending = ".tar.gz" if is_checkout(ROOT) else "-py3-none-any.whl"
    return f"{NAME.replace('-', '_')}-{__version__}{ending}"


def build(folder: Path) -> Package:
    """Builds the package that is running, of a checkout or installed, and leaves its file in a folder.

    Raises:
        Refusal: Neither a checkout nor an installed distribution is there, or setuptools is missing.
        TrainingFailure: setup.py fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return _source_distribution(folder) if is_checkout(ROOT) else _wheel(folder)


def _source_distribution(folder: Path) -> Package:
    if importlib.util.find_spec("setuptools") is None:
        raise Refusal("submit: setuptools builds the package and is not installed; pip install setuptools.")
    hook = "import sys; from setuptools import build_meta; build_meta.build_sdist(sys.argv[1])"
    with tempfile.TemporaryDirectory() as temporary:
        # Of a copy: setuptools leaves its own files where it works.
        copy, built = Path(temporary, "checkout"), Path(temporary, "built")
        built.mkdir()
        shutil.copytree(ROOT / "trainer", copy / "trainer", ignore=shutil.ignore_patterns("__pycache__", ".*"))
        for name in BESIDE:
            shutil.copyfile(ROOT / name, copy / name)
        process.quiet([sys.executable, "-c", hook, str(built)], copy, "build the package")
        (made,) = built.iterdir()
        path = shutil.copyfile(made, folder / file_name())
    contents = _contents(path)
    (needs,) = (text for name, text in contents.items() if name.endswith("egg-info/requires.txt"))
    return Package(path, (BUILD_REQUIREMENT, *_requirements(needs.decode())), _digest(contents))


def _contents(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as archive:
        files = {member.name: archive.extractfile(member) for member in archive.getmembers()}
        return {name: file.read() for name, file in files.items() if file is not None}


def _requirements(text: str) -> list[str]:
    """Returns what every installation needs, of a requires.txt: its `[:marker]` headings are kept, extras are not."""
    found, marker, wanted = [], "", True
    for line in filter(None, map(str.strip, text.splitlines())):
        if line.startswith("["):
            extra, _, marker = line.strip("[]").partition(":")
            wanted = not extra
        elif wanted:
            found.append(f"{line}; {marker}" if marker else line)
    return found


def _wheel(folder: Path) -> Package:
    try:
        installed = importlib.metadata.distribution(NAME)
    except importlib.metadata.PackageNotFoundError:
        raise Refusal(f"submit: {ROOT} is no checkout, and {NAME} is not installed; pip install {NAME}.") from None
    about = f"{NAME.replace('-', '_')}-{installed.version}"
    contents = {
        str(file): Path(file.locate()).read_bytes()
        for file in installed.files or ()
        if file.parts[0] == "trainer" and file.suffix != ".pyc"
    }
    told = {
        "METADATA": installed.read_text("METADATA") or installed.read_text("PKG-INFO") or "",
        "WHEEL": installed.read_text("WHEEL") or _WHEEL,
        "entry_points.txt": installed.read_text("entry_points.txt") or "",
    }
    contents |= {f"{about}.dist-info/{name}": text.encode() for name, text in told.items()}
    path = folder / file_name()
    _write_wheel(path, contents, f"{about}.dist-info/RECORD")
    needs = tuple(need for need in installed.requires or () if "extra ==" not in need)
    return Package(path, needs, _digest(contents))


def _write_wheel(path: Path, contents: Mapping[str, bytes], record: str) -> None:
    lines = io.StringIO()
    rows = csv.writer(lines, lineterminator="\n")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            rows.writerow([name, f"sha256={digest}", len(content)])
        rows.writerow([record, "", ""])
        archive.writestr(record, lines.getvalue())


def _digest(contents: Mapping[str, bytes]) -> str:
    found = hashlib.sha256()
    for name in sorted(contents):
        found.update(f"{name}\0{len(contents[name])}\0".encode() + contents[name])
    return found.hexdigest()[:16]


def unpack(path: Path, folder: Path) -> None:
    """Unpacks a package into a folder that is there.

    Args:
        path: Of the source distribution or the wheel.
        folder: Where to.
    """
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel:
            wheel.extractall(folder)
        return
    with tarfile.open(path) as archive:
        # Pythons before 3.11.4 have no filters, and of those after it some warn where none is named.
        named: Any = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        archive.extractall(folder, **named)


def main(argv: Sequence[str]) -> int:
    """Builds the package in a folder (default dist), prints the path of its file and returns the exit code 0."""
    print(build(Path(argv[0] if argv else "dist")).path)
    return 0


if __name__ == "__main__":
    sys.exit(exit_code(lambda: main(sys.argv[1:])))
