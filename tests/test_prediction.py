"""A run that answers again: in memory, and to files of any format."""

import csv
import json
import resource
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.feather as feather
import pyarrow.json as pa_json
import pyarrow.parquet as pq
import pytest
import tensorflow as tf

import trainer
from tests import served, trips
from trainer import prediction
from trainer.errors import Refusal
from trainer.heads import PoissonRegressionHead
from trainer.prediction import Trained, scoring, writing
from trainer.prediction import files as predicting
from trainer.prediction.files import Written
from trainer.rows import Limit

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def late(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A run of trips: strings, bags, hashed numbers, defaults, a vocabulary of the data."""
    folder = tmp_path_factory.mktemp("late")
    return trainer.load(str(served.trained(folder, served.TRIPS, trips.write(folder / "trips.csv"))))


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A run of three kinds: weights, names of classes, boundaries of the data."""
    folder = tmp_path_factory.mktemp("kinds")
    return trainer.load(str(served.trained(folder, served.KINDS, served.write_kinds(folder / "kinds.parquet"))))


@pytest.fixture(scope="module")
def counts(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A run whose head has learned something."""
    folder = tmp_path_factory.mktemp("counts")
    return trainer.load(str(served.trained(folder, served.COUNTS, served.write_counts(folder / "counts.csv"))))


def columns(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    return {key: [row[key] for row in rows] for key in rows[0]}


def alike(found: Mapping[str, Any], expected: Mapping[str, Any], tolerance: float = 1e-6) -> None:
    assert set(found) == set(expected)
    for name, values in expected.items():
        values = np.asarray(values)
        if values.dtype.kind == "f":
            np.testing.assert_allclose(found[name], values, atol=tolerance, rtol=tolerance)
        else:
            assert np.asarray(found[name]).tolist() == values.tolist()


# In memory


def exported(trained: Trained) -> Any:
    return tf.saved_model.load(trained.run.export).signatures["serving_default"]


def test_a_loaded_run_answers_as_its_exported_model_does(late: Trained) -> None:
    rows = trips.rows(100, seed=5)
    bags = tf.ragged.constant([row["tags"] for row in rows], dtype=tf.string).to_tensor("")
    raw = {
        "city": tf.constant([row["city"] or "" for row in rows]),
        "user": tf.constant([-1 if row["user"] is None else row["user"] for row in rows], tf.int64),
        "hour": tf.constant([row["hour"] for row in rows], tf.int64),
        "fare": tf.constant([row["fare"] or 0.0 for row in rows]),
        "tags": bags,
    }
    alike(late.predict(columns(rows)), {name: values.numpy() for name, values in exported(late)(**raw).items()})


def test_what_columns_and_heads_have_learned_comes_back(late: Trained, kinds: Trained, counts: Trained) -> None:
    assert isinstance(counts.problem.head, PoissonRegressionHead)
    assert counts.problem.head.mean is not None
    assert counts.problem.head.mean > 3
    assert late.problem.dnn_feature_columns[0].categorical_column.vocabulary  # type: ignore[attr-defined]
    assert len(kinds.problem.linear_feature_columns[0].boundaries) == 3  # type: ignore[attr-defined]
    found = counts.predict({"hour of day": [3, 20]})
    served_counts = exported(counts)(hour_of_day=tf.constant([3, 20], tf.int64))
    np.testing.assert_allclose(found["predictions"], served_counts["predictions"], rtol=1e-6)


def test_classes_come_back_by_name(kinds: Trained) -> None:
    found = kinds.predict(columns(served.kinds(50, seed=3)))
    assert set(found) == {"logits", "probabilities", "class_ids", "classes"}
    names = [[b"red", b"green", b"blue"][place] for place in found["probabilities"].argmax(axis=1)]
    assert found["classes"].tolist() == names


@pytest.mark.parametrize(
    "given",
    [
        np.asarray,
        tf.constant,
        pa.array,
        lambda values: np.asarray(values)[:, np.newaxis],
    ],
    ids=["array", "tensor", "arrow", "column"],
)
def test_lists_arrays_and_tensors_are_one_and_the_same(given: Callable[[Any], Any], late: Trained) -> None:
    raw: dict[str, Any] = {"city": ["Oslo", "Bern"], "user": [2**53 + 1, 2**53 + 2], "hour": [3, 4], "fare": [1.5, 2.0]}
    bags = {"tags": [["fast"], ["loud", "clean"]]}
    expected = late.predict(raw | bags)
    alike(late.predict({key: given(values) for key, values in raw.items()} | bags), expected, 0)
    ragged = tf.ragged.constant(bags["tags"])
    for tags in (ragged, ragged.to_sparse(), ragged.to_tensor(""), np.array([["fast", ""], ["loud", "clean"]])):
        alike(late.predict(raw | {"tags": tags}), expected)


def test_none_and_nan_are_missing(late: Trained) -> None:
    there = {"hour": [3], "tags": [[]]}
    missing = late.predict({**there, "city": [None], "user": [None], "fare": [None]})
    alike(late.predict({**there, "city": [""], "user": [-1], "fare": [0.0]}), missing, 0)
    alike(
        late.predict({**there, "city": np.array([None], object), "user": [float("nan")], "fare": [np.nan]}), missing, 0
    )


def test_no_rows_have_no_answers(late: Trained) -> None:
    found = late.predict({"city": [], "user": [], "hour": [], "fare": [], "tags": []})
    assert {name: values.shape for name, values in found.items()} == {"logits": (0, 1), "probabilities": (0, 1)}


GOOD = {"city": ["Oslo"], "user": [1], "hour": [3], "fare": [1.5], "tags": [["fast"]]}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"hour": ["noon"]}, "predict: row 1 has 'noon' as 'hour', and a whole number from 0 to 23 is wanted."),
        ({"hour": [24]}, "predict: row 1 has '24' as 'hour', and a whole number from 0 to 23 is wanted."),
        ({"city": [1.5]}, "predict: 'city' holds double, and the model reads it as string."),
        ({"city": ["Oslo", "Bern"]}, "predict: 'fare' has 1 rows and 'city' 2; give as many of each feature."),
    ],
)
def test_features_that_cannot_be_used_are_told_in_a_sentence(
    changes: dict[str, Any], sentence: str, late: Trained
) -> None:
    with pytest.raises(Refusal) as refusal:
        late.predict(GOOD | changes)
    assert str(refusal.value) == sentence


def test_a_feature_that_is_not_there_is_told_with_the_nearest(late: Trained) -> None:
    given = {("cty" if key == "city" else key): values for key, values in GOOD.items()}
    with pytest.raises(Refusal) as refusal:
        late.predict(given)
    assert str(refusal.value) == "predict: feature 'city' is not there; did you mean 'cty'?"
    with pytest.raises(Refusal) as refusal:
        late.predict(GOOD | {"city": "Oslo"})
    assert str(refusal.value).startswith("predict: 'city' should be a list or an array with one value an example")


# Runs that cannot be loaded


def copied(trained: Trained, folder: Path) -> Path:
    return Path(shutil.copytree(trained.run.path, folder / "runs" / "copy"))


def refused(path: Path | str) -> str:
    with pytest.raises(Refusal) as refusal:
        prediction.load(str(path))
    return str(refusal.value)


def test_a_run_that_is_not_there_is_told_with_the_nearest(late: Trained, tmp_path: Path) -> None:
    run = copied(late, tmp_path)
    assert refused(tmp_path / "runs" / "coppy") == f"there is no run {run.parent}/coppy; did you mean 'copy'?"
    assert refused(tmp_path) == f"{tmp_path} holds no run; give a job dir that a run has left."


def test_a_run_that_has_not_finished_is_refused(late: Trained, tmp_path: Path) -> None:
    run = copied(late, tmp_path)
    shutil.rmtree(run / "export")
    assert refused(run) == (
        f"{run}: the run has not finished, so it has no model yet; python -m trainer.task --resume --job-dir {run} "
        "goes on with it."
    )


def test_a_problem_whose_file_has_vanished_is_refused(late: Trained, tmp_path: Path) -> None:
    run = copied(late, tmp_path)
    stored = json.loads((run / "settings.json").read_text())
    stored["settings"]["problem"] = str(tmp_path / "gone.py")
    (run / "settings.json").write_text(json.dumps(stored))
    assert refused(run).startswith(f"{run}: --problem: there is no file {tmp_path}/gone.py")


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        ('"hour of day", 24)', '"hour of day", 25)', "column 'hour of day_embedding' is declared otherwise there"),
        ("dnn_hidden_units=[4]", "dnn_hidden_units=[5]", "dnn_hidden_units is [5] there, and was [4]"),
        (
            "head=PoissonRegressionHead()",
            "head=__import__('trainer').heads.RegressionHead()",
            "head is RegressionHead there, and was PoissonRegressionHead",
        ),
        (
            'name="hour")]',
            'name="hour")] * 1 + [fc.numeric_column("x")]',
            "dnn_feature_columns has 2 columns there, and had 1",
        ),
    ],
)
def test_a_problem_that_is_another_one_now_is_refused(
    before: str, after: str, what: str, counts: Trained, tmp_path: Path
) -> None:
    run = copied(counts, tmp_path)
    changed = served.COUNTS.replace(before, after)
    assert changed != served.COUNTS
    (tmp_path / "mine.py").write_text(changed)
    stored = json.loads((run / "settings.json").read_text())
    stored["settings"]["problem"] = str(tmp_path / "mine.py")
    (run / "settings.json").write_text(json.dumps(stored))
    assert refused(run) == (
        f"{run}: problem mine is not what the run was trained with: {what}; give back the file as it was, or train "
        "anew."
    )


def test_an_export_of_another_model_is_refused(late: Trained, counts: Trained, tmp_path: Path) -> None:
    run = copied(late, tmp_path)
    shutil.rmtree(run / "export")
    shutil.copytree(counts.run.export, run / "export")
    assert refused(run) == (
        f"{run}: the exported model has other variables than the problem makes now; give back the problem's file as "
        "it was, or train anew."
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", ["own_head", "own_model", "own_tower"])
def test_runs_of_code_of_ones_own_are_loaded(name: str, tmp_path: Path) -> None:
    text = (ROOT / "tests" / "examples" / f"{name}.py").read_text(encoding="utf-8")
    trained = prediction.load(str(served.trained(tmp_path, text, None, train_steps=20)))
    source: Any = trained.problem.dataset
    raw, _ = next(iter(source("test").batch(64) if source("test").element_spec[1].shape.rank == 0 else source("test")))
    specs = exported(trained).structured_input_signature[1]
    given = {key: tf.cast(values, specs[key].dtype) for key, values in raw.items() if key in specs}
    alike(trained.predict(raw), {key: values.numpy() for key, values in exported(trained)(**given).items()})


# Files


def written(
    trained: Trained, files: list[str], out: Path, keep: tuple[str, ...] = (), limit: Limit | None = None, **how: Any
) -> Written:
    rows = predicting.rows_to_answer(trained, files, keep, limit)
    return predicting.write(trained, rows, str(out), **how)


def read(path: Path) -> dict[str, Any]:
    readers: dict[str, Callable[[str], Any]] = {
        ".parquet": pq.read_table,
        ".feather": feather.read_table,
        ".csv": pa_csv.read_csv,
        ".jsonl": pa_json.read_json,
    }
    table = readers[path.suffix](str(path))
    return {name: table.column(name).to_pylist() for name in table.column_names}


@pytest.mark.parametrize("name", trips.WRITERS)
def test_files_of_every_format_are_answered_in_the_order_of_their_rows(
    name: str, late: Trained, tmp_path: Path
) -> None:
    rows = trips.rows(500, seed=7)
    trips.write(tmp_path / name, rows)
    done = written(late, [str(tmp_path / name)], tmp_path / "out.parquet")
    found, expected = read(tmp_path / "out.parquet"), late.predict(columns(rows))
    assert done == Written(500, [])
    assert list(found) == ["logits", "probabilities"]
    for answer, values in expected.items():
        np.testing.assert_allclose(found[answer], values[:, 0], atol=1e-6)


@pytest.mark.parametrize("ending", writing.SINKS)
def test_what_is_written_is_the_same_in_every_format(ending: str, kinds: Trained, tmp_path: Path) -> None:
    things = served.kinds(250, seed=9)
    file, out = served.write_kinds(tmp_path / "things.parquet", things), tmp_path / f"out{ending}"
    written(kinds, [file], out, ("id", "age"))
    found, expected = read(out), kinds.predict(columns(things))
    assert [str(value) for value in found["id"]] == [str(int(t["id"]) if ending == ".csv" else t["id"]) for t in things]
    assert list(found)[:2] == ["id", "age"]
    assert found["age"] == [thing["age"] for thing in things]
    assert found["classes"] == [name.decode() for name in expected["classes"]]
    if ending == ".csv":
        shown = np.array([found[f"probabilities_{place}"] for place in range(3)]).T
    else:
        shown = np.array(found["probabilities"])
    np.testing.assert_allclose(shown, expected["probabilities"], atol=1e-6)


def test_columns_of_csv_are_kept_letter_by_letter_whether_the_model_reads_them_or_not(
    counts: Trained, tmp_path: Path
) -> None:
    (tmp_path / "new.csv").write_text('id,hour of day,note\n007,03,"a, ""b"""\n1e3,20,\n')
    written(counts, [str(tmp_path / "new.csv")], tmp_path / "out.csv", ("note", "hour of day", "id"))
    with (tmp_path / "out.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["note", "hour of day", "id", "predictions"]
    assert [row[:3] for row in rows] == [['a, "b"', "03", "007"], ["", "20", "1e3"]]


def test_neither_the_batch_size_nor_the_pieces_of_files_change_an_answer(
    late: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trips.write(tmp_path / "trips.csv", trips.rows(700, seed=3))
    trips.write(tmp_path / "trips.parquet", trips.rows(300, seed=4))
    files = [str(tmp_path / "trips.csv"), str(tmp_path / "trips.parquet")]
    found = []
    for size in (1000, 7):
        written(late, files, tmp_path / f"{size}.parquet", ("hour",), batch_size=size)
        found.append(read(tmp_path / f"{size}.parquet"))
    assert found[0]["hour"] == [str(row["hour"]) for row in trips.rows(700, seed=3) + trips.rows(300, seed=4)]
    alike(found[1], found[0])


def test_rows_that_cannot_be_used_stop_the_predicting_as_they_stop_a_training(late: Trained, tmp_path: Path) -> None:
    file = tmp_path / "trips.csv"
    file.write_text("city,user,hour,fare,tags\nOslo,1,3,1.5,fast\nBern,2,noon,2.5,\nOslo,3,4,x,\nBern,4,5,1,loud\n")
    with pytest.raises(Refusal) as refusal:
        written(late, [str(file)], tmp_path / "out.csv")
    assert str(refusal.value) == (
        f"{file}: line 3 has 'noon' as 'hour', and a whole number from 0 to 23 is wanted; correct it, or set such "
        "rows aside with --max-bad-rows."
    )
    assert [path.name for path in tmp_path.iterdir()] == ["trips.csv"]
    done = written(late, [str(file)], tmp_path / "out.csv", ("city", "fare"), Limit(2))
    assert (done.rows, [row.number for row in done.bad]) == (2, [3, 4])
    assert (read(tmp_path / "out.csv")["city"], read(tmp_path / "out.csv")["fare"]) == (["Oslo", "Bern"], [1.5, 1.0])


@pytest.mark.parametrize("stop", [KeyboardInterrupt, ZeroDivisionError])
def test_nothing_is_left_of_what_does_not_end_well(
    stop: type[BaseException], late: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trips.write(tmp_path / "trips.csv")
    (tmp_path / "out.csv").write_text("before")
    call = scoring.Scoring.__call__

    def stopped(self: Any, features: Any) -> Any:
        call(self, features)
        raise stop

    monkeypatch.setattr(scoring.Scoring, "__call__", stopped)
    with pytest.raises(stop):
        written(late, [str(tmp_path / "trips.csv")], tmp_path / "out.csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.csv", "trips.csv"]
    assert (tmp_path / "out.csv").read_text() == "before"


@pytest.mark.parametrize("ending", writing.SINKS)
def test_a_full_disk_is_told_in_a_sentence_and_leaves_nothing(ending: str, late: Trained, tmp_path: Path) -> None:
    trips.write(tmp_path / "trips.csv", trips.rows(3000))
    written(late, [str(tmp_path / "trips.csv")], tmp_path / "warm.csv")  # whatever is written only once
    out, before = tmp_path / f"out{ending}", resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))  # as a full disk does, a file can grow no more
    try:
        with pytest.raises(Refusal) as refusal:
            written(late, [str(tmp_path / "trips.csv")], out)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert str(refusal.value).startswith(f"--out: {out} cannot be written (")
    assert str(refusal.value).endswith("); make room there, or give another place.")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["trips.csv", "warm.csv"]


@pytest.mark.parametrize(
    ("keep", "sentence"),
    [
        ("idd", "there is no column 'idd'; did you mean 'id'?"),
        ("probabilities", "--keep: 'probabilities' is also the name of an answer; rename the column, or leave it out."),
    ],
)
def test_a_column_that_cannot_be_kept_is_refused(keep: str, sentence: str, kinds: Trained, tmp_path: Path) -> None:
    things = [{**thing, "probabilities": 1} for thing in served.kinds(10)]
    file = served.write_kinds(tmp_path / "things.parquet", things)
    with pytest.raises(Refusal) as refusal:
        written(kinds, [file], tmp_path / "out.parquet", (keep,))
    assert str(refusal.value).removeprefix(f"{file}: ") == sentence


def test_a_column_of_lists_goes_into_no_csv(kinds: Trained, tmp_path: Path) -> None:
    file = served.write_kinds(tmp_path / "things.parquet")
    with pytest.raises(Refusal) as refusal:
        written(kinds, [file], tmp_path / "out.csv", ("words",))
    assert str(refusal.value) == (
        "--keep: column 'words' holds list<item: string>, which CSV cannot; give --out a name that ends in "
        ".parquet, .feather or .jsonl."
    )
    written(kinds, [file], tmp_path / "out.jsonl", ("words",))
    assert read(tmp_path / "out.jsonl")["words"] == [thing["words"] for thing in served.kinds()]


def test_a_kept_column_whose_type_changes_between_files_is_refused(counts: Trained, tmp_path: Path) -> None:
    pq.write_table(pa.table({"hour of day": [3], "id": [1]}), tmp_path / "1.parquet")
    pq.write_table(pa.table({"hour of day": [4], "id": ["x"]}), tmp_path / "2.parquet")
    files = [str(tmp_path / name) for name in ("1.parquet", "2.parquet")]
    with pytest.raises(Refusal) as refusal:
        written(counts, files, tmp_path / "out.csv", ("id",))
    assert str(refusal.value) == (
        "--keep: column 'id' holds int64 in the first rows and string later; write the files with one type, or leave "
        "it out."
    )


def test_what_cannot_be_written_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    def refusal(out: str, overwrite: bool = False) -> str:
        with pytest.raises(Refusal) as refused:
            writing.check(out, overwrite, [str(tmp_path / "read.csv")])
        return str(refused.value)

    (tmp_path / "there.csv").write_text("")
    (tmp_path / "read.csv").write_text("")
    (tmp_path / "folder.csv").mkdir()
    assert refusal("out.txt") == (
        "--out: out.txt should end in .parquet, .feather, .csv or .jsonl, which says how it is written."
    )
    assert refusal(f"{tmp_path}/no/out.csv") == (
        f"--out: there is no folder {tmp_path}/no; make it, or give another place."
    )
    assert refusal(f"{tmp_path}/there.csv") == (
        f"--out: {tmp_path}/there.csv is there already; add --overwrite to replace it."
    )
    assert refusal(f"{tmp_path}/folder.csv") == f"--out: {tmp_path}/folder.csv is a folder; give the name of a file."
    assert refusal(f"{tmp_path}/read.csv", True) == (
        f"--out: {tmp_path}/read.csv is one of --files; give another name."
    )
    writing.check(f"{tmp_path}/there.csv", True, [])
