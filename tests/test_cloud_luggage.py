import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from trainer.cloud import arguments, luggage, start
from trainer.cloud.luggage import Item, Luggage
from trainer.errors import Refusal

ROOT = Path(__file__).parents[1]
PROBLEM = '''"""Mine."""
import dataclasses
import json
from pathlib import Path
from trainer import feature_column as fc
from trainer.problems.flights import PROBLEM as FLIGHTS
{more}
def problem(*, width: int = 2):
    column = fc.embedding_column({column}, width, name="airline")
    changes = {{"dnn_feature_columns": [column], "linear_feature_columns": (), "search": {{}}}}
    return dataclasses.replace(FLIGHTS, name=None, **changes)
'''
IDENTITY = 'fc.categorical_column_with_identity("hour", 24)'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that a job is started from; another one, `elsewhere`, lies beside it."""
    here = tmp_path / "here"
    for path in (here / "own", tmp_path / "elsewhere"):
        path.mkdir(parents=True)
    monkeypatch.chdir(here)
    return here


def write(path: Path, column: str = IDENTITY, more: str = "") -> None:
    path.write_text(PROBLEM.format(column=column, more=more))


def packed(*argv: str, with_rows: bool = False) -> Luggage:
    return luggage.packed(arguments.read(argv), with_rows)


def places(found: Luggage) -> list[str]:
    return [item.place for item in found.items]


def run_files(folder: Path, name: str) -> list[str]:
    """Leaves what a warm start reads of a run, and what it does not, and returns the former."""
    read = [f"{name}/tables/manifest.json", f"{name}/tables/tables.index", f"{name}/tables/airline.tsv"]
    for file in [*read, f"{name}/settings.json", f"{name}/cache/rows", f"{name}/checkpoints/step-1/state.json"]:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text("{}")
    return sorted(read)


def test_a_problem_that_comes_with_the_package_needs_nothing(folder: Path) -> None:
    assert packed("--seed", "1") == Luggage()


def test_what_a_problem_reads_and_imports_goes_along_with_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(folder))  # as `python -m` does it
    (folder / "own" / "airlines.txt").write_text("UA\nDL\n")
    (folder / "helping.py").write_text("from helped import NAMES\n")
    (folder / "helped.py").write_text("from pathlib import Path\nNAMES = Path('names.csv').read_text()\n")
    (folder / "names.csv").write_text("a,b\n")
    (folder / "in_a_function.json").write_text("{}")
    (folder / "left.txt").write_text("not read")
    more = "import helping\nopen('written.txt', 'w').close()\n"
    words = 'json.loads(Path("in_a_function.json").read_text()) or WORDS'
    column = f'fc.categorical_column_with_vocabulary_file("airline", {words})'
    write(folder / "own" / "mine.py", column, f'{more}WORDS = Path(__file__).parent / "airlines.txt"\n')
    found = packed("--problem", "own/mine.py", "--width", "3")
    for name in ("helping", "helped"):
        monkeypatch.delitem(sys.modules, name)
    files = ["helped.py", "helping.py", "in_a_function.json", "names.csv", "own/airlines.txt", "own/mine.py"]
    assert places(found) == files
    assert found.renamed == {}
    assert [item.path for item in found.items] == [str(folder / file) for file in files]


def test_what_flags_name_in_this_folder_keeps_its_name(folder: Path) -> None:
    write(folder / "own" / "mine.py")
    (folder / "own" / "adam.py").write_text("")
    (folder / "settings.json").write_text(json.dumps({"settings": {"seed": 3, "optimizer": "own/adam.py:Adam"}}))
    (folder / "days.txt").write_text("Mon")
    np.save(folder / "old.npy", np.zeros((2, 2)))
    tables = run_files(folder, "runs/a")
    words = ["--problem=own/mine.py", "--settings", "settings.json", "--warm-start", "airline=old.npy"]
    words += ["--old-vocabulary", "airline=days.txt", "--warm-start", "x=runs/a#y", "--warm-start=z=gs://b/run"]
    found = packed(*words)
    assert places(found) == sorted(["days.txt", "old.npy", "own/adam.py", "own/mine.py", *tables, "settings.json"])
    assert found.renamed == {}


def test_what_flags_name_elsewhere_gets_a_place_in_the_job_s_folder(folder: Path) -> None:
    elsewhere = folder.parent / "elsewhere"
    write(elsewhere / "mine.py")
    tables = run_files(elsewhere, "london")
    words = ["--problem", "../elsewhere/mine.py", "--warm-start", f"airline={elsewhere}/london#x"]
    found = packed(*words, "--seed", "1")
    assert places(found) == ["elsewhere-1/mine.py", *(f"elsewhere-2/{file}" for file in tables)]
    assert found.renamed == {
        "problem": "elsewhere-1/mine.py",
        "warm_start": ("airline=elsewhere-2/london#x",),
    }
    assert arguments.with_places([*words, "--seed", "1"], found.renamed) == [
        *("--seed", "1", "--problem=elsewhere-1/mine.py", "--warm-start=airline=elsewhere-2/london#x"),
    ]


def test_a_full_path_in_this_folder_is_made_one_of_the_job_s_folder(folder: Path) -> None:
    write(folder / "own" / "mine.py")
    found = packed("--problem", str(folder / "own" / "mine.py"))
    assert (places(found), found.renamed) == (["own/mine.py"], {"problem": "own/mine.py"})


def test_of_checkpoints_that_fit_a_pattern_the_meant_one_goes_along(folder: Path) -> None:
    for name in ("model.ckpt-1000", "model.ckpt-10000"):
        for ending in (".index", ".data-00000-of-00001", ".meta"):
            (folder / f"{name}{ending}").write_text("")
    found = packed("--warm-start", "x=*ckpt-1000*")
    assert places(found) == ["model.ckpt-1000.data-00000-of-00001", "model.ckpt-1000.index"]


def test_what_columns_start_from_goes_along(folder: Path) -> None:
    np.save(folder / "old.npy", np.zeros((2, 2)))
    (folder / "old.txt").write_text("UA\nDL\n")
    write(folder / "mine.py", more="embedding_column = fc.embedding_column")
    text = (folder / "mine.py").read_text()
    text = text.replace(', name="airline")', ', name="a", ckpt_to_load_from="old.npy", old_vocabulary="old.txt")')
    (folder / "mine.py").write_text(text)
    assert places(packed("--problem", "mine.py")) == ["mine.py", "old.npy", "old.txt"]


def test_what_measures_read_goes_along(folder: Path) -> None:
    (folder / "questions.txt").write_text(": all\na b c d\n")
    write(folder / "mine.py", more="from trainer.measures import Analogies")
    text = (folder / "mine.py").read_text()
    measures = (
        'name=None, measures=[Analogies("questions.txt", "airline"), Analogies("gs://b/q.txt", "airline", "far")]'
    )
    (folder / "mine.py").write_text(text.replace("name=None", measures))
    assert places(packed("--problem", "mine.py")) == ["mine.py", "questions.txt"]


def test_a_rehearsal_takes_rows_that_a_problem_names_and_a_cloud_does_not(folder: Path) -> None:
    (folder / "rows").mkdir()
    for name in ("a", "b"):
        (folder / "rows" / f"{name}.csv").write_text("x\n")
    write(folder / "mine.py", more='from trainer.problem import Files\nDATA = Files("rows/*.csv")')
    text = (folder / "mine.py").read_text().replace("name=None", "name=None, dataset=DATA")
    (folder / "mine.py").write_text(text)
    assert places(packed("--problem", "mine.py")) == ["mine.py"]
    assert places(packed("--problem", "mine.py", with_rows=True)) == ["mine.py", "rows/a.csv", "rows/b.csv"]
    assert places(packed("--problem", "mine.py", "--train-files", "rows/*", with_rows=True)) == ["mine.py"]


def test_a_file_that_a_problem_reads_elsewhere_is_refused(folder: Path) -> None:
    words = folder.parent / "elsewhere" / "airlines.txt"
    words.write_text("UA\nDL\n")
    write(folder / "mine.py", f'fc.categorical_column_with_vocabulary_file("airline", "{words}")')
    with pytest.raises(Refusal) as refusal:
        packed("--problem", "mine.py")
    assert str(refusal.value) == (
        f"--problem: mine.py reads {words}, which lies outside of {folder} and so cannot go along; put it into this "
        "folder and name it from there, or give a gs:// path."
    )


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (
            ["--optimizer", "own/sgd.py:SGD"],
            "--optimizer: there is no file own/sgd.py; give the path of one from here.",
        ),
        (
            ["--warm-start", "a=old.npy", "--old-vocabulary", "a=old.txt"],
            "--old-vocabulary: there is no file old.txt; give the path of one from here.",
        ),
        (
            ["--warm-start", "a=x\n.npy"],
            "submit: a file is called 'x\\n.npy', which no bucket takes; give it another name.",
        ),
    ],
)
def test_a_file_that_is_not_there_or_has_a_name_with_two_lines_is_refused(
    folder: Path, argv: list[str], sentence: str
) -> None:
    for name in ("old.npy", "x\n.npy"):
        np.save(folder / name, np.zeros((2, 2)))
    with pytest.raises(Refusal) as refusal:
        packed(*argv)
    assert str(refusal.value) == sentence


def test_a_name_that_is_no_utf_8_is_refused() -> None:
    with pytest.raises(Refusal) as refusal:
        luggage._check_name(os.fsdecode(b"x\xff.py"))  # not all systems have such files
    assert str(refusal.value) == "submit: a file is called 'x\\udcff.py', which no bucket takes; give it another name."


def test_a_warm_start_from_nothing_is_refused_as_the_task_refuses_it(folder: Path) -> None:
    with pytest.raises(Refusal) as refusal:
        packed("--warm-start", "day_hour=runs/nothing")
    assert str(refusal.value).startswith("warm start of 'day_hour': there is no runs/nothing; give a run's job dir, ")


def test_a_folder_that_is_named_by_a_link_is_the_same_folder(folder: Path) -> None:
    link = folder.parent / "link"
    link.symlink_to(folder)
    (folder / "own" / "airlines.txt").write_text("UA\nDL\n")
    words = 'Path(__file__).with_name("airlines.txt").read_text().split()'
    write(folder / "own" / "mine.py", f'fc.categorical_column_with_vocabulary_list("airline", {words})')
    found = packed("--problem", f"{link}/own/mine.py")  # as where a shell's $PWD goes through a link
    assert places(found) == ["own/airlines.txt", "own/mine.py"]
    assert found.renamed == {"problem": "own/mine.py"}


def test_the_same_content_is_staged_once_wherever_it_lies(folder: Path) -> None:
    for name in ("a", "b"):
        (folder / name).mkdir()
        (folder / name / "words.txt").write_text("UA\n")
    first, second = (Item(f"{name}/words.txt", str(folder / name / "words.txt")) for name in ("a", "b"))
    assert first.staged == second.staged
    assert first != second
    (folder / "b" / "words.txt").write_text("DL\n")
    assert dataclasses.replace(second).staged != first.staged


@pytest.mark.slow
def test_a_job_starts_with_its_luggage_in_its_folder_and_its_words_as_typed(folder: Path) -> None:
    write(folder / "own" / "mine.py")
    staged = folder / "bucket"
    (staged / "files" / "1").mkdir(parents=True)
    (staged / "files" / "1" / "mine.py").write_text((folder / "own" / "mine.py").read_text())
    (staged / "luggage-1.json").write_text(luggage.listing({"own/it's mine.py": "files/1/mine.py"}))
    job = folder.parent / "job"
    job.mkdir()
    words = ["--problem", "own/it's mine.py", "--width", "x $HOME"]
    command = [sys.executable, "-m", "trainer.cloud.start", str(staged / "luggage-1.json"), *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=job, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.endswith("--width: a whole number is wanted, not 'x $HOME'.\n")
    assert [str(path.relative_to(job)) for path in job.rglob("*.py")] == ["own/it's mine.py"]


def test_large_files_are_linked_and_what_an_earlier_start_left_is_replaced(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start, "COPIED_BYTES", 3)
    for name, text in (("small", "abc"), ("large", "abcd")):
        (folder / name).write_text(text)
        (folder / "job" / name).mkdir(parents=True, exist_ok=True)
    listing = folder / "luggage.json"
    listing.write_text(luggage.listing({"job/small/it": "small", "job/large/it": str(folder / "large")}))
    for _ in range(2):
        start.lay_out(listing, folder)
        assert not (folder / "job" / "small" / "it").is_symlink()
        assert (folder / "job" / "large" / "it").readlink() == folder / "large"
        assert [(folder / "job" / name / "it").read_text() for name in ("small", "large")] == ["abc", "abcd"]
