"""Clean virtual environments, kept in the user's cache folder: one of the requirements, and a thin one a package."""

import hashlib
import os
import shutil
import sys
import sysconfig
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from trainer.cloud import process
from trainer.cloud.package import Package

# It is written last: a folder without it is half made.
MARKER = "finished"


def home() -> Path:
    """Returns the folder of all environments, in $XDG_CACHE_HOME or ~/.cache."""
    cache = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG specification: a relative path is ignored.
    return (Path(cache) if os.path.isabs(cache) else Path.home() / ".cache") / "embedding-columns"


def python(package: Package) -> Path:
    """Returns the Python of a clean environment in which a package is installed, and makes it when it is not there.

    The environment of the requirements, which takes a minute and more than a gigabyte, serves every package with the
    same requirements; what is made for each package holds nothing but the package.

    Raises:
        TrainingFailure: pip or venv fails; what was half made is removed.
    """
    key = "\n".join([sys.version, sys.base_prefix, *package.requirements])
    base = home() / f"requirements-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
    _once(base, lambda: _make_base(base, package))
    thin = base / f"package-{package.digest}"
    _once(thin, lambda: _make_thin(thin, base, package))
    return _python_of(thin)


def _make_base(folder: Path, package: Package) -> None:
    print(f"submit: installing {', '.join(package.requirements)} in {folder}; it is kept.", file=sys.stderr)
    _make_venv(folder)
    # Most of TensorFlow's modules are never imported: the job compiles what it needs.
    _pip_install(folder, ["--no-compile", *package.requirements], "install the package's requirements")


def _make_thin(folder: Path, base: Path, package: Package) -> None:
    _make_venv(folder, "--without-pip")
    line = f"import site; site.addsitedir({str(_packages_of(base))!r})\n"
    (_packages_of(folder) / "requirements.pth").write_text(line, encoding="utf-8")
    _pip_install(folder, ["--no-deps", "--no-build-isolation", str(package.path)], "install the package")


def _make_venv(folder: Path, *options: str) -> None:
    command = [sys.executable, "-m", "venv", *options, str(folder)]
    process.quiet(command, folder.parent, "make a virtual environment")


def _pip_install(folder: Path, words: Sequence[str], purpose: str) -> None:
    # Not in the caller's folder: what lies in it could pass for an installed package.
    pip = [str(_python_of(folder)), "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
    process.quiet([*pip, *words], folder, purpose)


def _python_of(folder: Path) -> Path:
    return folder / "bin" / "python"


def _packages_of(folder: Path) -> Path:
    return Path(sysconfig.get_path("purelib", "venv", {"base": str(folder)}))


def _once(folder: Path, make: Callable[[], None]) -> None:
    """Makes a folder unless it is there and finished; who comes while another makes it waits for that."""
    with _alone(folder):
        # A Python that was removed since leaves a dead link.
        if (folder / MARKER).exists() and _python_of(folder).exists():
            return
        shutil.rmtree(folder, ignore_errors=True)
        try:
            make()
            (folder / MARKER).touch()
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    import fcntl

    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.with_name(f"{folder.name}.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
