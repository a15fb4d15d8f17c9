"""The runs that `python -m trainer migrate` leaves of models which Estimators of TensorFlow 2.15 trained."""

import contextlib
import dataclasses
import io
import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests.estimators import migrated, rows
from trainer import feature_column as fc
from trainer import job, layers, prediction, problem, side_by_side, tables
from trainer.commands import migrate, runs, vectors
from trainer.errors import Refusal
from trainer.job import migrating
from trainer.migration.estimator import checkpoint as checkpoints
from trainer.migration.estimator import filling
from trainer.migration.estimator.stored import Stored
from trainer.settings import Settings
from trainer.training import saving

NAME = "v1/DNNLinearCombinedClassifier"
EXAMPLE = str(Path(__file__).parent / "examples" / "own_estimator.py")


@pytest.fixture(scope="module")
def made(old_estimators: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A run that the verb has left, and the lines that it has printed."""
    folder, rows_file = tmp_path_factory.mktemp("migrated") / "run", str(old_estimators / "rows.csv")
    words = [str(old_estimators / NAME), "--problem", EXAMPLE, "--folder", str(old_estimators)]
    with contextlib.redirect_stdout(io.StringIO()) as shown:
        assert migrate.main([*words, "--check-files", rows_file, "--job-dir", str(folder)]) == 0
    return folder, shown.getvalue().splitlines()


@pytest.fixture(scope="module")
def run(made: tuple[Path, list[str]]) -> Path:
    """The run alone."""
    return made[0]


@pytest.fixture
def copied(run: Path, tmp_path: Path) -> Path:
    """A copy of it, to be changed."""
    return Path(shutil.copytree(run, tmp_path / "run"))


def checkpoint(run: Path, step: int = 0) -> dict[str, Any]:
    """What a run's checkpoint holds, by the paths of variables; an optimizer is called by its number in the model."""
    folder = str(run / "checkpoints" / f"step-{step:08}")
    state, found = saving.check(folder), {}
    owners: dict[str, int] = {}
    for name, path in state["variables"].items():
        owner, _, rest = path.partition("/")
        own = f"{owners.setdefault(owner, len(owners))}/{rest}" if name.startswith("optimizer/") else path
        found[own] = saving.tensor(folder, name, state).numpy()
    return found


def test_it_agrees_with_the_newest_export_and_says_so(made: tuple[Path, list[str]], old_estimators: Path) -> None:
    run, lines = made
    folder = old_estimators / NAME
    assert lines[:3] == [
        str(run),
        f"{folder / 'model.ckpt-30'}, step 30: 28 tensors taken, and 28 of its optimizers",
        f"held against {folder / 'export' / '1700000000'}, step 30",
    ]
    assert re.fullmatch(r"1,000 rows: logits equal to [\d.]+e-0[78]\.", lines[4])
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["check_rows"] == 1000
    assert metrics["check_largest_difference"] < 1e-5
    assert lines[-1] == str(run)


def test_it_answers_as_the_estimator_did(run: Path, old_estimators: Path) -> None:
    raw = rows.read(old_estimators / "rows.csv")
    raw["stars"] = raw["stars"].tolist()
    found = prediction.load(str(run)).predict(rows.split(raw, "answer")[0])
    logits = migrated.expected(old_estimators, NAME)["logits"]
    np.testing.assert_allclose(found["logits"], logits, rtol=0, atol=1e-5)
    assert found["classes"].ravel().tolist() == np.where(logits.ravel() > 0, b"yes", b"no").tolist()


def test_it_is_a_finished_run_of_no_steps(run: Path, old_estimators: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (found,) = side_by_side.records([str(run)])
    prefix = str(old_estimators / NAME / "model.ckpt-30")
    assert (found.state, found.trouble, found.numbers["steps"]) == ("finished", None, 0)
    assert (found.dataset, found.stored["migrated"]) == (f"migrated from {prefix}", {"checkpoint": prefix, "step": 30})
    assert runs.main([str(run)]) == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert first == (f"problem own_estimator, 1 finished run on migrated from {prefix}, with folder {old_estimators}")
    report = (run / "report.html").read_text(encoding="utf-8")
    assert "python -m trainer migrate" in report
    assert "python -m trainer.task" not in report  # no command line of its own trains it again


def test_its_tables_have_their_keys_and_are_shown_in_the_projector(
    run: Path, old_estimators: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = tf.train.load_checkpoint(str(old_estimators / NAME))
    plane = tables.read(str(run / "tables"), "plane")
    expected = old.get_tensor("dnn/input_from_feature_columns/input_layer/plane_embedding/embedding_weights")
    np.testing.assert_array_equal(plane.values, expected)
    assert [*plane.label_texts][:3] == ["plane a", "plane b", "plane c"]
    assert plane.counts is None  # nobody here has seen the rows that it was trained on
    airports = tables.read(str(run / "tables"), "airports")
    np.testing.assert_array_equal(airports.values, old.get_tensor("dnn/input_from_feature_columns/airports"))
    assert vectors.main([str(run), "plane", "--near", "plane a", "--topn", "2"]) == 0
    assert capsys.readouterr().out.count("plane ") >= 2
    shown = (run / "logs" / "projector" / "projector_config.pbtxt").read_text()
    assert all(f'"{name}' in shown for name in tables.read_manifest(str(run / "tables")).tables)


def test_a_column_of_another_problem_starts_from_it_by_key(run: Path) -> None:
    stored = tables.read(str(run / "tables"), "airports")
    known = [*stored.label_texts][-2::-1]  # the last row is that of all others
    place = fc.categorical_column_with_vocabulary_list("place", ["none of them", *known])
    column = fc.embedding_column(place, 3, ckpt_to_load_from=str(run), tensor_name_in_ckpt="airports")
    found = np.asarray(layers.DenseFeatures([column])({"place": np.array(known)}))
    np.testing.assert_array_equal(found, stored.values[-2::-1])


def test_its_checkpoint_holds_what_the_optimizers_had_noted(run: Path, old_estimators: Path) -> None:
    old, found = tf.train.load_checkpoint(str(old_estimators / NAME)), checkpoint(run)
    inputs = "dnn/input_from_feature_columns"
    pairs = {
        f"{inputs}/airports/Adagrad": "1/dense_features_airports_table_accumulator",
        f"{inputs}/input_layer/tail_embedding/embedding_weights/Adagrad": ("1/dense_features_tail_table_accumulator"),
        "dnn/hiddenlayer_0/kernel/Adagrad": "1/hidden_0_kernel_accumulator",
        "dnn/logits/bias/Adagrad": "1/logits_bias_accumulator",
        "linear/linear_model/city/weights/Adagrad": "2/linear_city_weights_table_accumulator",
        "linear/linear_model/bias_weights/Adagrad": "2/linear_bias_accumulator",
    }
    for theirs, ours in pairs.items():
        np.testing.assert_array_equal(found[ours], old.get_tensor(theirs), err_msg=theirs)
    accumulators = [name for name in found if name.endswith("_accumulator")]
    assert len(accumulators) == len([name for name in old.get_variable_to_shape_map() if name.endswith("/Adagrad")]) - 1
    rates = [found["1/learning_rate"], found["2/learning_rate"]]
    assert rates == [np.float32(0.03), np.float32(0.1)]


def test_large_slots_go_from_one_checkpoint_to_the_other_without_being_held(
    run: Path, old_estimators: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[Stored] = []

    def stored(*given: Any) -> Stored:
        left.append(Stored(*given))
        return left[-1]

    monkeypatch.setattr(filling, "LARGE", 400)
    monkeypatch.setattr(filling, "Stored", stored)
    words = [str(old_estimators / NAME), "--problem", EXAMPLE, "--folder", str(old_estimators)]
    assert migrate.main([*words, "--job-dir", str(tmp_path / "run")]) == 0
    assert {each.shape for each in left} == {(63, 8), (59, 4), (50, 2)}
    held, found = checkpoint(run), checkpoint(tmp_path / "run")
    assert found.keys() == held.keys()
    for name, values in held.items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)


# Training it on


def resumed(run: Path, folder: Path, **changed: Any) -> dict[str, Any]:
    """Trains a run on with the rows of the Estimators, and returns its metrics."""
    own = {"problem": EXAMPLE, "problem_arguments": {"folder": str(folder)}, "job_dir": str(run), "resume": True}
    settings = {**own, "train_files": str(folder / "rows.csv"), "train_steps": 12, "train_batch_size": 50, **changed}
    assert job.run(Settings(**settings), ["--resume"]) == 0
    return dict(json.loads((run / "metrics.json").read_text()))


def test_losses_that_the_first_generation_summed_are_told_where_the_problem_takes_their_mean(
    old_estimators: Path,
) -> None:
    declared = problem.load(EXAMPLE, {"folder": str(old_estimators)})
    mean = dataclasses.replace(declared, loss_reduction="mean")
    first, second = (checkpoints.opened(str(old_estimators / name / "DNNClassifier"), "x") for name in ("v1", "v2"))
    assert [migrating.hint(*pair) for pair in ((declared, first), (mean, second))] == [None, None]
    assert migrating.hint(mean, first) == (
        "the checkpoint is of tf.compat.v1.estimator, which sums the losses of a batch unless it is told otherwise: "
        "with loss_reduction='sum' and its own learning rates the run is trained on alike"
    )


def test_it_is_trained_on_from_what_the_optimizers_had_noted(
    copied: Path, old_estimators: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    metrics = resumed(copied, old_estimators)
    assert "goes on after step 0\n" in capsys.readouterr().out
    assert (metrics["steps"], metrics["data"]) == (12, str(old_estimators / "rows.csv"))
    assert metrics["accuracy"] > 0.7  # of a model that is trained from the start by 12 steps it is 0.5
    before, after = checkpoint(copied, 0), checkpoint(copied, 12)
    sums = [name for name in before if name.endswith("_accumulator")]
    assert all((after[name] >= before[name]).all() and (after[name] > before[name]).any() for name in sums)
    stored = json.loads((copied / "settings.json").read_text())
    assert stored["migrated"] == {"checkpoint": str(old_estimators / NAME / "model.ckpt-30"), "step": 30}
    assert stored["data"]["digest"]
    (found,) = side_by_side.records([str(copied)])
    assert found.state == "finished"
    with pytest.raises(Refusal) as refused:  # now it has data of its own, as any other run
        resumed(copied, old_estimators, train_batch_size=40)
    assert str(refused.value) == (
        "--resume: the run was started with train_batch_size 50, not 40; give the same, go on with --allow-changed, "
        "or start anew with --overwrite."
    )


def test_it_is_not_trained_on_as_another_model(copied: Path, old_estimators: Path) -> None:
    with pytest.raises(Refusal) as refused:
        resumed(copied, old_estimators, hidden_units="9", optimizer="SGD")
    assert str(refused.value) == (
        "--resume: the run was migrated with hidden_units (8, 4), not (9,), and optimizer 'Adagrad', not 'SGD'; give "
        "the problem as it was, or migrate anew."
    )


def test_it_is_not_trained_on_by_another_problem(copied: Path, old_estimators: Path, tmp_path: Path) -> None:
    text = Path(EXAMPLE).read_text(encoding="utf-8")
    changes = {"given.linear,": "given.linear[1:],", '"no", "yes"': '"yes", "no"', '"sqrtn"': '"mean"'}
    for was, now in changes.items():
        assert was in text
        text = text.replace(was, now)
    (tmp_path / "other.py").write_text(text, encoding="utf-8")
    with pytest.raises(Refusal) as refused:
        resumed(copied, old_estimators, problem=str(tmp_path / "other.py"), learning_rate=0.5)
    assert str(refused.value) == (
        "--resume: the run was migrated with another head, linear_sparse_combiner 'sqrtn', not 'mean', and other "
        "columns; give the problem as it was, or migrate anew."
    )
