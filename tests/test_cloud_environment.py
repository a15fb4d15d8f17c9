import fcntl
import io
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from trainer.cloud import environment, process
from trainer.cloud.package import Package
from trainer.cloud.progress import Progress
from trainer.errors import Refusal, TrainingFailure

ROOT = Path(__file__).parents[1]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of all environments, which holds none."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return environment.home()


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Makes environments with a file and a link to this Python in them, and returns those that were made."""
    found: list[Path] = []

    def make(folder: Path, *_: object) -> None:
        found.append(folder)
        for part in ("bin", str(environment._packages_of(folder).relative_to(folder))):
            (folder / part).mkdir(parents=True)
        (folder / "bin" / "python").symlink_to(sys.executable)
        (environment._packages_of(folder) / "need.py").touch()

    monkeypatch.setattr(environment, "_make_base", make)
    monkeypatch.setattr(environment, "_make_thin", make)
    return found


def package(digest: str = "first", *needs: str) -> Package:
    return Package(Path("have.whl"), needs, digest)


def python_of(wanted: Package) -> Path:
    with environment.ready(wanted) as python:
        return python


def use(wanted: Package, days_ago: int) -> Path:
    """Uses an environment as if it were some days ago, and returns its folder."""
    folder = python_of(wanted).parents[1]
    then = time.time() - 86400 * days_ago
    for each in (folder, folder.parent):
        os.utime(each / environment.MARKER, (then, then))
    return folder


def small_wheel(folder: Path, name: str, text: str) -> Path:
    """A wheel of one module, which needs nothing."""
    about = f"{name}-1.dist-info"
    path = folder / f"{name}-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.py", text)
        archive.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        archive.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{about}/RECORD", "")
    return path


@pytest.mark.parametrize(
    ("variable", "folder"),
    [
        ("/tmp/cache", "/tmp/cache"),
        ("relative", "/home/ada/.cache"),
        ("", "/home/ada/.cache"),
        (None, "/home/ada/.cache"),
    ],
)
def test_environments_are_kept_where_the_xdg_specification_says(
    monkeypatch: pytest.MonkeyPatch, variable: str | None, folder: str
) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    if variable is not None:
        monkeypatch.setenv("XDG_CACHE_HOME", variable)
    assert environment.home() == Path(folder, "embedding-columns")


def test_a_cache_that_cannot_be_written_is_refused(tmp_path: Path, home: Path) -> None:
    (tmp_path / "cache").touch()
    with pytest.raises(Refusal) as refusal, environment.ready(Package(tmp_path / "x", (), "x")):
        pass
    assert str(refusal.value) == (
        f"submit: {home} cannot be written (Not a directory), where environments are kept; name another folder in "
        "XDG_CACHE_HOME."
    )


@pytest.mark.slow
def test_a_package_is_installed_in_an_environment_of_its_own_beside_its_requirements(
    tmp_path: Path, home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    need = f"need @ {small_wheel(tmp_path, 'need', 'FOUND = 1').as_uri()}"
    with environment.ready(Package(small_wheel(tmp_path, "have", "import need"), (need,), "first")) as python:
        base = python.parents[2]
        assert subprocess.run([python, "-c", "import have, need"], cwd=tmp_path, check=False).returncode == 0
    told = capfd.readouterr().err
    assert subprocess.run([base / "bin" / "python", "-c", "import have"], cwd=tmp_path, check=False).returncode == 1
    assert told.startswith(
        f"submit: installing {need} in {base}; this takes a minute and more than a gigabyte, once: it is kept.\n"
    )
    assert told.splitlines()[-1].startswith("submit: done in ")


@pytest.mark.slow
def test_what_cannot_be_installed_leaves_nothing_behind(tmp_path: Path, home: Path) -> None:
    absent = Package(tmp_path / "absent.whl", (f"absent @ {(tmp_path / 'absent.whl').as_uri()}",), "digest")
    with pytest.raises(TrainingFailure) as failure:
        python_of(absent)
    assert str(failure.value) == "submit: could not install the package's requirements; its own words are above."
    assert [path for path in home.iterdir() if path.is_dir()] == []


def test_packages_with_the_same_requirements_share_their_environment(home: Path, made: list[Path]) -> None:
    first, second = python_of(package("first")), python_of(package("second"))
    base = first.parents[2]
    assert made == [base, base / "package-first", base / "package-second"]
    assert second == base / "package-second" / "bin" / "python"
    assert python_of(package("first")) == first
    assert len(made) == 3
    assert python_of(package("first", "another")).parents[2] != base


@pytest.mark.parametrize("lost", [environment.MARKER, "bin/python", "need.py"])
def test_an_environment_that_is_not_whole_is_made_again(
    home: Path, made: list[Path], capsys: pytest.CaptureFixture[str], lost: str
) -> None:
    base = python_of(package()).parents[2]
    assert capsys.readouterr().err == ""
    (base / lost if lost != "need.py" else environment._packages_of(base) / lost).unlink()
    python_of(package())
    assert made == [base, base / "package-first"] * 2
    assert capsys.readouterr().err == f"submit: {base} is not whole, and is made again.\n"


def test_the_environments_that_were_used_last_are_kept(
    home: Path, made: list[Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(environment, "KEPT_PACKAGES", 3)
    monkeypatch.setattr(environment, "KEPT_REQUIREMENTS", 2)
    folders = [use(package(str(days)), days) for days in (5, 9, 7, 3)]
    folders.append(use(package("1"), 1))
    assert [folder.exists() for folder in folders] == [True, False, False, True, True]
    assert capsys.readouterr().err == ""

    others = [use(package("1", need), 2 + place) for place, need in enumerate("ab")]
    assert [folder.exists() for folder in (folders[-1], *others)] == [True, False, True]
    assert capsys.readouterr().err == f"submit: removing {others[0].parent}, which was not used lately.\n"


def test_what_another_rehearsal_uses_is_kept(home: Path, made: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "KEPT_PACKAGES", 1)
    monkeypatch.setattr(environment, "KEPT_REQUIREMENTS", 1)
    another = environment.ready(package("first", "another"))
    with environment.ready(package("first")) as first, environment.ready(package("second")), another:
        assert first.exists()
    python_of(package("third"))
    assert not first.exists()
    assert len(list(home.glob("requirements-*/"))) == 1


def test_who_needs_an_environment_that_another_makes_waits_for_it(
    home: Path, made: list[Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    base = python_of(package()).parents[2]
    code = (
        "import fcntl, sys, time\nlock = open(sys.argv[1], 'w')\nfcntl.flock(lock, fcntl.LOCK_EX)\n"
        "print('held', flush=True)\ntime.sleep(0.5)"
    )
    command = [sys.executable, "-c", code, str(environment._being_made(base))]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        python_of(package())
        assert other.wait(timeout=20) == 0
    assert capsys.readouterr().err == f"submit: {base} is being made for another job; waiting for it.\n"


def test_a_lock_is_held_until_what_was_started_under_it_has_ended(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    code = (
        "import sys\nfrom pathlib import Path\nfrom trainer.cloud import environment, process\n"
        "with environment._locked(Path(sys.argv[1]), environment.fcntl.LOCK_EX, ''):\n"
        "    process.quiet([sys.executable, '-c', sys.argv[2]], Path('.'), 'wait')\n"
    )
    waiting = f"import time\nopen({str(tmp_path / 'begun')!r}, 'w').close()\ntime.sleep(1)"
    with subprocess.Popen([sys.executable, "-c", code, str(lock), waiting], cwd=ROOT) as submit:
        while not (tmp_path / "begun").exists():
            time.sleep(0.01)
        submit.send_signal(signal.SIGKILL)
        submit.wait()
    with environment._held(lock) as is_free:
        assert not is_free
    with open(lock) as opened:
        fcntl.flock(opened, fcntl.LOCK_EX)


def test_a_tool_is_quiet_unless_it_fails(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    process.quiet([sys.executable, "-c", "print('done')"], tmp_path, "do it")
    assert capfd.readouterr() == ("", "")
    with pytest.raises(TrainingFailure) as failure:
        process.quiet([sys.executable, "-c", "import sys; sys.exit('no space')"], tmp_path, "do it")
    assert str(failure.value) == "submit: could not do it; its own words are above."
    assert capfd.readouterr() == ("", "no space\n")


def test_the_last_words_of_a_tool_are_told_while_it_runs(tmp_path: Path) -> None:
    told: list[str] = []
    code = "import time\nfor word in ('one', 'two\\n'): print(word)\ntime.sleep(0.7)\nprint('three')"
    process.quiet([sys.executable, "-c", code], tmp_path, "do it", told.append)
    assert list(dict.fromkeys(told))[-2:] == ["two", "three"]
    assert told.count("two") > 1


class Terminal(io.StringIO):
    """Says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_progress_is_a_line_that_changes_on_a_terminal_and_a_line_now_and_then_in_a_log(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    seconds = iter([0.0, 3.0, 12.0, 13.0, 70.0] * 2)
    monkeypatch.setattr(time, "monotonic", lambda: next(seconds))
    written = []
    for out in (Terminal(), io.StringIO()):
        with Progress(out) as shown:
            for words in ("Collecting tensorflow", "  Downloading tensorflow-2.21.0.whl (572.4 MB)", "\x1b[1mb"):
                shown.show(words)
        written.append(out.getvalue())
    assert written[0].split("\r\x1b[K") == [
        "",
        "submit: 3 s, Collecting tensorflow",
        "submit: 12 s, Downl…21.0.whl (572.4 MB)",
        "submit: 13 s, \\x1b[1mb",
        "submit: done in 70 s.\n",
    ]
    assert written[1] == "submit: 12 s, Downloading tensorflow-2.21.0.whl (572.4 MB)\nsubmit: done in 70 s.\n"
