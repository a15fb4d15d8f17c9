"""Clean virtual environments, kept in the user's cache folder: one of the requirements, and a thin one a package."""

import fcntl
import hashlib
import os
import shutil
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from trainer.cloud import process
from trainer.cloud.package import Package
from trainer.cloud.progress import Progress
from trainer.errors import Refusal

MARKER = "finished"
"""A file that is written last: a folder without it is half made. It names what is installed."""

KEPT_REQUIREMENTS = 3
KEPT_PACKAGES = 5
"""So many environments are kept, those that were used last."""


def home() -> Path:
    """Returns the folder of all environments, in $XDG_CACHE_HOME or ~/.cache."""
    cache = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG specification: a relative path is ignored.
    return (Path(cache) if os.path.isabs(cache) else Path.home() / ".cache") / "embedding-columns"


@contextmanager
def ready(package: Package) -> Iterator[Path]:
    """Yields the Python of a clean environment in which a package is installed; it is made where it is not there.

    The environment of the requirements, which takes a minute and more than a gigabyte, serves every package with the
    same requirements; what is made for each package holds nothing but the package. Neither is removed while the block
    runs; before it, those are that were not used lately.

    Raises:
        Refusal: The cache folder cannot be written.
        TrainingFailure: pip or venv fails; what was half made is removed.
    """
    key = "\n".join([sys.version, sys.base_prefix, *package.requirements])
    base = home() / f"requirements-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
    thin = base / f"package-{package.digest}"
    _make_home()
    _clear(thin)
    with _locked(_in_use(base), fcntl.LOCK_SH, f"submit: {base} is being cleared; waiting for that."):
        with _locked(
            _being_made(base), fcntl.LOCK_EX, f"submit: {base} is being made for another job; waiting for it."
        ):
            _once(base, lambda: _make_base(base, package))
            _once(thin, lambda: _make_thin(thin, base, package))
        for folder in (base, thin):
            os.utime(folder / MARKER)
        yield _python_of(thin)


def _make_home() -> None:
    try:
        home().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home()):  # a folder that is there may be another's
            pass
    except OSError as error:
        raise Refusal(
            f"submit: {home()} cannot be written ({error.strerror}), where environments are kept; name another folder "
            "in XDG_CACHE_HOME."
        ) from None


def _make_base(folder: Path, package: Package) -> None:
    print(
        f"submit: installing {', '.join(package.requirements)} in {folder}; this takes a minute and more than a "
        "gigabyte, once: it is kept.",
        file=sys.stderr,
    )
    with Progress() as progress:
        _make_venv(folder)
        # Most of TensorFlow's modules are never imported: the job compiles what it needs.
        words = ["--no-compile", "--progress-bar=off", *package.requirements]
        _pip_install(folder, words, "install the package's requirements", progress.show)


def _make_thin(folder: Path, base: Path, package: Package) -> None:
    _make_venv(folder, "--without-pip")
    line = f"import site; site.addsitedir({str(_packages_of(base))!r})\n"
    (_packages_of(folder) / "requirements.pth").write_text(line, encoding="utf-8")
    _pip_install(folder, ["--no-deps", "--no-build-isolation", str(package.path)], "install the package")


def _make_venv(folder: Path, *options: str) -> None:
    command = [sys.executable, "-m", "venv", *options, str(folder)]
    process.quiet(command, folder.parent, "make a virtual environment")


def _pip_install(
    folder: Path, words: Sequence[str], purpose: str, tell: Callable[[str], None] = lambda line: None
) -> None:
    # Not in the caller's folder: what lies in it could pass for an installed package.
    pip = [str(_python_of(folder)), "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
    process.quiet([*pip, *words], folder, purpose, tell)


def _python_of(folder: Path) -> Path:
    return folder / "bin" / "python"


def _packages_of(folder: Path) -> Path:
    return Path(sysconfig.get_path("purelib", "venv", {"base": str(folder)}))


def _once(folder: Path, make: Callable[[], None]) -> None:
    """Makes a folder unless it is there and whole."""
    if _is_whole(folder):
        return
    if folder.exists():
        print(f"submit: {folder} is not whole, and is made again.", file=sys.stderr)
        shutil.rmtree(folder)
    try:
        make()
        names = sorted(os.listdir(_packages_of(folder)))
        (folder / MARKER).write_text("\n".join(names), encoding="utf-8")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _is_whole(folder: Path) -> bool:
    # A Python that was removed since leaves a dead link.
    if not (folder / MARKER).exists() or not _python_of(folder).exists() or not _packages_of(folder).is_dir():
        return False
    names = (folder / MARKER).read_text(encoding="utf-8").splitlines()
    return set(names) <= set(os.listdir(_packages_of(folder)))


def _clear(needed: Path) -> None:
    """Removes what was not used lately and is not used now, but for one package's environment and what it rests on."""
    bases = [folder for folder in home().glob("requirements-*") if folder.is_dir()]
    for base in bases:
        with _held(_in_use(base)) as is_free:
            if is_free:
                for thin in _old([*base.glob("package-*")], needed, KEPT_PACKAGES):
                    shutil.rmtree(thin)
    for base in _old(bases, needed.parent, KEPT_REQUIREMENTS):
        with _held(_in_use(base)) as is_free, _held(_being_made(base)) as is_made:
            if is_free and is_made:
                print(f"submit: removing {base}, which was not used lately.", file=sys.stderr)
                shutil.rmtree(base)


def _old(folders: list[Path], needed: Path, kept: int) -> list[Path]:
    """Returns the folders that go, so that so many stay with the one that is needed."""

    def used_at(folder: Path) -> float:
        return (folder / MARKER).stat().st_mtime if (folder / MARKER).exists() else 0.0

    others = [folder for folder in folders if folder != needed]
    return sorted(others, key=used_at, reverse=True)[kept - 1 :]


def _in_use(base: Path) -> Path:
    return base.with_name(f"{base.name}.used")


def _being_made(base: Path) -> Path:
    return base.with_name(f"{base.name}.lock")


@contextmanager
def _locked(file: Path, how: int, waiting: str) -> Iterator[None]:
    """Holds a lock while the block runs; who has to wait for it is told so."""
    with open(file, "w") as lock:
        # What makes an environment holds it too, so that a pip whose submit was killed is not disturbed.
        os.set_inheritable(lock.fileno(), how == fcntl.LOCK_EX)
        try:
            fcntl.flock(lock, how | fcntl.LOCK_NB)
        except BlockingIOError:
            print(waiting, file=sys.stderr)
            fcntl.flock(lock, how)
        yield


@contextmanager
def _held(file: Path) -> Iterator[bool]:
    """Holds a lock while the block runs and yields True, or yields False where another has it."""
    with open(file, "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
