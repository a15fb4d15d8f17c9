"""What README.md and data/README.md say is held against the code, the folder and the data."""

import ast
import csv
import hashlib
import io
import os
import re
import shlex
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import trainer
from tests.test_architecture import HEIGHT
from tests.test_task import LEFT
from trainer import commands as verbs
from trainer import flags as flag_room
from trainer import problem, settings, task
from trainer.commands import fetch, submit
from trainer.datasets.nyc_flights import csv_path
from trainer.errors import Refusal

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DATA = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
FENCED = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
BLOCKS = [text for language, text in FENCED if language == "python"]
PROJECTOR = (ROOT / "trainer" / "projector" / "README.md").read_text(encoding="utf-8")
(CALLBACK,) = re.findall(r"^```python\n(.*?)^```$", PROJECTOR, re.DOTALL | re.MULTILINE)
TREE = next(text for _, text in FENCED if text.startswith("setup.py"))


def inline() -> list[str]:
    """What stands in backticks outside of the fenced blocks."""
    prose = re.sub(r"^```.*?^```$", "", README, flags=re.DOTALL | re.MULTILINE)
    return [" ".join(text.split()) for text in re.findall(r"`([^`]+)`", prose)]


def commands() -> list[str]:
    lines = [line for language, text in FENCED if not language for line in text.splitlines()]
    parts = [part.strip() for text in [*lines, *inline()] for part in text.split(" && ")]
    return sorted({part for part in parts if re.match(r"python -m trainer|embedding-columns ", part)})


def setup_keywords() -> dict[str, Any]:
    tree = ast.parse((ROOT / "setup.py").read_text(encoding="utf-8"))
    (call,) = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and ast.unparse(n.func) == "setup"]
    wanted = {"extras_require", "python_requires"}
    return {word.arg: ast.literal_eval(word.value) for word in call.keywords if word.arg in wanted}


def entries() -> Iterator[tuple[int, list[str]]]:
    """The indentation and the names of each line of the file tree."""
    for line in TREE.splitlines():
        yield len(line) - len(line.lstrip()), re.split(r" {2,}", line.strip())[0].split()


def test_the_readme_has_at_most_200_lines() -> None:
    assert len(README.splitlines()) <= 200


def test_the_readme_names_commands() -> None:
    assert len(commands()) >= 9


@pytest.mark.parametrize("command", commands())
def test_a_command_of_the_readme_is_understood(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    words = shlex.split(command, comments=True)
    words = words[1:] if words[0] == "embedding-columns" else words[2:]
    program, flags = words[0].removeprefix("trainer."), words[1:]
    if program == "trainer":
        program, flags = flags[0], flags[1:]
    assert program in (
        "task",
        "submit",
        "tables",
        "projector",
        "vectors",
        "runs",
        "suggest",
        "vocabulary",
        "predict",
        "evaluate",
        "plan",
        "fetch",
        "migrate",
        "recommend",
        "tune",
    )
    if program == "task":
        named = "--problem" in flags and flags[flags.index("--problem") + 1] in problem.names()
        settings.from_argv(flags, problem.flags_of if named else None, problem.names())
    elif program == "plan":
        assert verbs.command(program)(flags) == 0
        assert "examples a second" in capsys.readouterr().out
    elif program == "fetch":  # its bucket is none
        given = flag_room.parse(fetch.Settings, flags, fetch.PROG, fetch.DESCRIPTION)
        assert given == {"places": ("gs://b/JOB", "runs/cloud")}
    elif program == "tune":
        assert verbs.command(program)([*flags, "--dry-run"]) == 0
        assert "auto (declared: 128)" in capsys.readouterr().out
    elif program != "submit":
        with pytest.raises(Refusal, match=r"there is no (folder |run |file mine)?(runs|\.py)|no file matches"):
            verbs.command(program)(flags)
    else:
        end = flags.index("--")
        assert submit.main([*flags[:end], "--dry-run", *flags[end:]]) == 0
        assert "trainer.task" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_a_path_that_the_readme_names_is_there_or_in_a_run() -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if "://" not in link]
    named = [
        text for text in inline() if re.fullmatch(r"[\w.-]+(/[\w.-]*)+|[\w.-]+\.(json|jsonl|md|tsv|png|ipynb)", text)
    ]
    assert len(links) >= 4
    assert len(named) >= 12
    for text in [*links, *named]:
        inside = re.sub(r"^runs/[\w-]+/?", "", text)
        first = inside.partition("/")[0]
        assert inside == "" or first in {*LEFT, "warm_start.json", "bad_rows.jsonl"} or (ROOT / text).exists(), text


def test_the_file_tree_is_the_folder() -> None:
    top = {name for indent, names in entries() if indent == 0 for name in names}
    rooms = [name for indent, names in entries() if indent for name in names]
    there = {f"{path.parent.name}/" for path in (ROOT / "trainer").glob("*/__init__.py")}
    there |= {path.name for path in (ROOT / "trainer").glob("*.py") if not path.name.startswith("__")}
    assert top == {"setup.py", "README.md", "LICENSE", "data/", "notebooks/", "tests/", "trainer/"}
    assert sorted(rooms) == sorted(there)
    assert [name for name in top if not (ROOT / name).exists()] == []


def test_the_file_tree_goes_from_low_to_high() -> None:
    heights = [max(HEIGHT[re.sub(r"/|\.py", "", name)] for name in names) for indent, names in entries() if indent]
    assert heights == sorted(heights)


def test_the_table_of_problems_has_all_of_them() -> None:
    table = README.partition("| problem |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == problem.names()


def test_versions_and_extras_are_those_of_the_package() -> None:
    declared = setup_keywords()
    assert f"version {trainer.__version__}" in README
    assert f"Python {declared['python_requires'].removeprefix('>=')} or later" in " ".join(README.split())
    extras = re.findall(r"\.\[(\w+)\]", README)
    assert extras
    assert set(extras) <= set(declared["extras_require"])


def test_the_problem_of_the_readme_would_be_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(next(block for block in BLOCKS if "PROBLEM" in block))
    assert task.main(["--problem", "mine.py", "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("mine: Is the shop busy?")
    assert re.search(r"^table day_hour +72 rows × 4", out, re.MULTILINE)


# Keras passes on its own default, and says that it has no effect on a tf.data.Dataset.
@pytest.mark.filterwarnings("ignore:`shuffle=True` was passed:UserWarning")
@pytest.mark.parametrize(
    "block", [*(block for block in BLOCKS if "model.fit" in block), CALLBACK], ids=["columns", "projector"]
)
def test_a_keras_model_of_the_readme_trains(
    block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(compile(block, "README.md", "exec"), names)
    assert names["model"].output_shape[-1] == 1
    assert "loss" in capsys.readouterr().out
    shown = sorted(path.parent.name for path in tmp_path.rglob("word.metadata.tsv"))
    assert shown == (["projector", "step-000000005", "step-000000010"] if "Projector" in block else [])


def test_each_python_block_of_the_readme_is_run() -> None:
    assert {id(block) for block in BLOCKS} == {id(each) for each in BLOCKS if "model.fit" in each or "PROBLEM" in each}


def test_in_a_folder_with_a_package_called_trainer_the_console_script_still_works(tmp_path: Path) -> None:
    other = tmp_path / "project" / "trainer"
    other.mkdir(parents=True)
    for name in ("__init__", "task"):
        (other / f"{name}.py").write_text("print('not this one')\n")
    # As pip writes it: a script in a folder of programs.
    script = tmp_path / "programs" / "embedding-columns"
    script.parent.mkdir()
    script.write_text("import sys\nfrom trainer.__main__ import main\nsys.exit(main())\n")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    def out(*command: str) -> str:
        command = (sys.executable, *command)
        return subprocess.run(command, cwd=other.parent, env=environment, capture_output=True, text=True).stdout

    assert out("-m", "trainer.task", "--help").startswith("not this one")
    assert out(str(script), "task", "--help").startswith("usage: python -m trainer.task ")


def test_the_page_of_the_data_tells_the_file_s_digest_and_size() -> None:
    file = Path(csv_path()).read_bytes()
    assert f"`{hashlib.sha256(file).hexdigest()}`" in DATA
    assert f"{len(file):,} bytes" in DATA


def test_the_page_of_the_data_tells_how_many_flights_there_are() -> None:
    with zipfile.ZipFile(csv_path()) as archive:
        rows = list(csv.DictReader(io.StringIO(archive.read("flights.csv").decode())))
    departed = [row for row in rows if row["dep_delay"] not in ("", "NA")]
    counts = Counter((row["origin"], int(row["month"]) > 10) for row in departed)
    expected = {name: [counts[name, late] for late in (False, True)] for name in ("EWR", "JFK", "LGA")}
    expected["all"] = [sum(numbers) for numbers in zip(*expected.values(), strict=True)]
    for name, numbers in expected.items():
        assert "| `{}` | {:,} | {:,} |".format(name, *numbers) in DATA
    assert f"the {len(rows):,} flights" in DATA
    assert f"the {len(rows) - len(departed):,} cancelled flights" in DATA
    assert f"{len(departed):,} flights" in README
