"""`python -m trainer predict` as a person meets it."""

import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import tensorflow as tf

from tests import films, served, trips
from tests.test_task import environment
from trainer.__main__ import main

ROOT = Path(__file__).parents[1]
SENTENCE = "has 'noon' as 'hour', and a whole number from 0 to 23 is wanted"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("late")
    return served.trained(folder, served.TRIPS, trips.write(folder / "trips.csv"))


def test_a_file_is_answered_and_said_where(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trips.write(tmp_path / "new.csv", trips.rows(200, seed=3))
    words = ["predict", str(run), "--files", str(tmp_path / "new.csv"), "--out", str(tmp_path / "out.parquet")]
    assert main([*words, "--keep", "user,city", "--keep", "late"]) == 0
    *_, told, place = capsys.readouterr().out.splitlines()
    assert told.startswith("200 rows in ")
    assert told.endswith(" rows/s")
    assert place == str(tmp_path / "out.parquet")
    table = pq.read_table(place)
    assert table.column_names == ["user", "city", "late", "logits", "probabilities"]
    assert table.num_rows == 200
    assert main(words) == 2
    assert capsys.readouterr().err == f"--out: {place} is there already; add --overwrite to replace it.\n"
    assert main([*words, "--overwrite", "--batch-size", "10"]) == 0


def test_rows_that_are_set_aside_are_told_beside_the_answers(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, aside = tmp_path / "new.csv", tmp_path / "out.bad_rows.jsonl"
    file.write_text("city,user,hour,fare,tags\nOslo,1,3,1.5,fast\nBern,2,noon,2.5,\n")
    words = ["predict", str(run), "--files", str(file), "--out", str(tmp_path / "out.csv"), "--overwrite"]
    assert main(words) == 2
    assert capsys.readouterr().err == (
        f"{file}: line 3 {SENTENCE}; correct it, or set such rows aside with --max-bad-rows.\n"
    )
    assert main([*words, "--max-bad-rows", "1"]) == 0
    told = f"1 row cannot be used and is left out, told in {aside}; the first: {file}: line 3 {SENTENCE}"
    assert told in capsys.readouterr().out.splitlines()
    assert json.loads(aside.read_text())["number"] == 3
    file.write_text("city,user,hour,fare,tags\nOslo,1,3,1.5,fast\n")
    assert main(words) == 0
    assert not aside.exists()


def test_rows_of_one_person_are_answered_together_with_titles(
    films_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows: list[tuple[str, str, int]] = [("b", "100", 5), ("a", "101", 4), ("b", "103", 4), ("a", "x", 5), ("c", "x", 5)]
    out = tmp_path / "out.parquet"
    words = ["predict", str(films_run), "--files", films.write(tmp_path / "new.csv", rows), "--out", str(out)]
    assert main(words) == 0
    told, place = capsys.readouterr().out.splitlines()
    assert (told.split(" in ")[0], place) == ("3 groups", str(out))
    table = pq.read_table(out)
    assert table.column_names == ["user_id", "movie_id", "titles", "scores", "by_popularity"]
    found = table.to_pydict()
    assert found["user_id"] == ["b", "a", "c"]
    assert found["by_popularity"] == [False, False, True]
    for has, ids, titles in zip(({"100", "103"}, {"101"}, set()), found["movie_id"], found["titles"], strict=True):
        assert len(ids) == 20
        assert not has & set(ids)
        assert titles == [films.FILMS[key][0] for key in ids]
    exported = tf.saved_model.load(str(films_run / "export")).signatures["serving_default"]
    answers = exported(movie_id=tf.constant([["100", "103"], ["101", "x"], ["x", ""]]))
    for name in ("movie_id", "titles"):
        assert [[each.decode() for each in row] for row in answers[name].numpy().tolist()] == found[name]
    assert answers["by_popularity"].numpy().tolist() == found["by_popularity"]
    assert main([*words, "--overwrite", "--keep", "movie_id"]) == 2
    assert capsys.readouterr().err == (
        "--keep: the rows of one 'user_id' are answered together, and it stands beside the answers; leave --keep out.\n"
    )


def test_an_exported_retrieval_takes_titles_as_it_takes_ids(films_run: Path) -> None:
    signatures = tf.saved_model.load(str(films_run / "export")).signatures
    ids = [["100", "103"], ["101", ""], ["", ""]]
    titles = [[films.FILMS[key][0] if key else "" for key in row] for row in ids]
    titles[1][1] = "no such title"  # is missing, as '' is
    expected, found = (
        signatures["serving_default"](movie_id=tf.constant(ids)),
        signatures["by_title"](titles=tf.constant(titles)),
    )
    assert expected.keys() == found.keys() == {"movie_id", "titles", "scores", "by_popularity"}
    for name, values in expected.items():
        assert found[name].numpy().tolist() == values.numpy().tolist()


def test_groups_of_no_row_that_counts_are_refused(
    films_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = films.write(tmp_path / "new.csv", [("b", "100", 1)])
    assert main(["predict", str(films_run), "--files", files, "--out", str(tmp_path / "out.csv")]) == 2
    assert capsys.readouterr().err == (
        "--files: there is no row with user_rating of at least 4 in them; at least one is wanted.\n"
    )
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--out", "out.csv"], "python -m trainer predict: --files is wanted, and it is not given; see --help."),
        (["--files", "a.csv"], "python -m trainer predict: --out is wanted, and it is not given; see --help."),
        (
            ["--files", "a.csv", "--out", "b.csv", "--max-bad-rows", "many"],
            "--max-bad-rows: a number of rows, as 10, or a share of them, as 1%, is wanted, not 'many'.",
        ),
        (["--fles", "a.csv"], "python -m trainer predict: there is no flag --fles; did you mean '--files'?"),
    ],
)
def test_a_mistake_is_told_in_one_sentence(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", "runs/none", *words]) == 2
    assert capsys.readouterr().err == f"{sentence}\n"


@pytest.mark.parametrize("runs", [[], ["runs/a", "runs/b"]])
def test_one_run_is_wanted(runs: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", *runs]) == 2
    assert capsys.readouterr().err == (f"python -m trainer predict: one run is wanted, not {len(runs)}; see --help.\n")


def test_a_file_without_a_wanted_column_is_told_with_the_nearest(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "new.csv"
    file.write_text("cty,user,hour,fare,tags\nOslo,1,3,1.5,fast\n")
    assert main(["predict", str(run), "--files", str(file), "--out", str(tmp_path / "out.csv")]) == 2
    assert capsys.readouterr().err == f"{file}: there is no column 'city'; did you mean 'cty'?\n"


def test_nothing_but_its_own_lines_reaches_a_terminal(run: Path, tmp_path: Path) -> None:
    trips.write(tmp_path / "new.jsonl")
    command = [sys.executable, "-m", "trainer", "predict", str(run), "--files", "new.jsonl", "--out", "out.jsonl"]
    done = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False)
    assert (done.stderr, done.returncode) == ("", 0)
    assert len(done.stdout.splitlines()) == 2
    assert done.stdout.endswith(f"{tmp_path / 'out.jsonl'}\n")
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 300
