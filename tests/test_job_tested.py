"""Test examples in the projector, by what the last hidden layer makes of them."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests import planted
from trainer import feature_column as fc
from trainer import models, tables
from trainer.commands import projector as projector_command
from trainer.errors import Refusal
from trainer.formats import sprites, tsv
from trainer.heads import MultiClassHead, RegressionHead
from trainer.job.leaving import leave_examples
from trainer.job.plan import Plan
from trainer.job.steps import opened
from trainer.job.tested import examples_of
from trainer.job.work import Work
from trainer.problem import Problem
from trainer.run import Run
from trainer.settings import Settings

COUNT = 300


def dataset(split: str) -> Any:
    """Rows of a day, an hour and a bag of marks; the label is the number of the marks, at most 3."""
    raw, labels = planted.rows(split, COUNT)
    draw = np.random.default_rng(0)
    lengths = draw.integers(0, 5, COUNT)
    marks = tf.RaggedTensor.from_row_lengths(draw.integers(0, 16, lengths.sum()), lengths)
    classes = np.minimum(lengths, 3)
    features = {"hour": raw["hour"], "mark": marks, "yes": labels}
    return tf.data.Dataset.from_tensor_slices((features, classes)).batch(64)


def pictures(features: Any) -> Any:
    """A picture of four pixels, all as dark as there are marks."""
    return np.repeat(features["mark"].row_lengths().numpy().astype(np.uint8) * 50, 4).reshape(-1, 2, 2)


MARKS = Problem(
    dataset=dataset,
    dnn_feature_columns=[
        fc.embedding_column(fc.categorical_column_with_identity("mark", 16), 3, name="mark"),
        fc.embedding_column(fc.categorical_column_with_identity("hour", 24), 2, name="hour"),
    ],
    bags=["mark"],
    dnn_hidden_units=[6, 5],
    head=MultiClassHead(4, label_vocabulary=None),
    projector_examples=50,
    pictures=pictures,
    name="marks",
    description="How many marks there are.",
)


def work_of(problem: Problem, run: Run | None = None) -> Work:
    """A job whose model is as it was drawn."""
    work = opened(Plan(Settings(), problem, run or Run("")))
    return dataclasses.replace(work, test=work.data.test())


def test_each_has_its_label_what_it_is_taken_for_and_its_picture() -> None:
    work = work_of(dataclasses.replace(MARKS, projector_examples=COUNT))
    found = examples_of(work)
    assert found is not None
    raw = {key: tf.concat([batch[0][key] for batch in dataset("test")], 0) for key in ("hour", "mark")}
    labels = np.concatenate([batch[1] for batch in dataset("test")])
    hidden = models.last_hidden(work.model)
    assert hidden is not None
    np.testing.assert_allclose(found.values, hidden(raw), atol=1e-6)
    taken = np.argmax(work.model(raw), axis=1)
    assert (found.name, found.title, [*found.details]) == ("examples", "label", ["label", "predicted", "right"])
    assert found.details["label"] == [str(label) for label in labels]
    assert found.details["predicted"] == [str(number) for number in taken]
    assert found.details["right"] == ["right" if is_right else "wrong" for is_right in labels == taken]
    assert found.pictures is not None
    np.testing.assert_array_equal(found.pictures, pictures(raw))


def test_of_more_examples_than_are_shown_the_same_ones_are_drawn_each_time() -> None:
    work = work_of(MARKS)
    every = examples_of(work_of(dataclasses.replace(MARKS, projector_examples=COUNT)))
    one, two = examples_of(work), examples_of(work)
    assert one is not None
    assert two is not None
    assert every is not None
    assert one.rows == 50
    np.testing.assert_array_equal(one.values, two.values)
    assert one.pictures is not None
    assert every.pictures is not None
    dark = [50 * int(label) if label != "3" else None for label in one.details["label"]]
    found = one.pictures[:, 0, 0].tolist()
    assert all(wanted in (None, got) for wanted, got in zip(dark, found, strict=True))  # each picture is its own
    assert len(set(every.details["label"])) == 4


def test_other_heads_tell_what_they_answer() -> None:
    yes = examples_of(work_of(planted.problem(projector_examples=20)))
    assert yes is not None
    assert [*yes.details] == ["label", "predicted", "right"]
    assert {*yes.details["label"], *yes.details["predicted"]} <= {"0", "1"}
    number = examples_of(work_of(planted.problem(projector_examples=20, head=RegressionHead())))
    assert number is not None
    assert [*number.details] == ["label", "predicted"]
    assert all(np.isfinite(float(text)) for text in number.details["predicted"])
    assert number.pictures is None


def test_nothing_is_shown_unless_it_is_asked_for_or_where_there_is_no_hidden_layer() -> None:
    assert examples_of(work_of(planted.PROBLEM)) is None
    wide = planted.problem(dnn_feature_columns=(), dnn_hidden_units=(), projector_examples=20)
    assert examples_of(work_of(wide)) is None


def test_pictures_that_are_not_one_an_example_are_refused() -> None:
    with pytest.raises(Refusal) as refusal:
        examples_of(work_of(dataclasses.replace(MARKS, pictures=lambda features: pictures(features) / 255)))
    assert str(refusal.value) == (
        "Problem: pictures makes (50, 2, 2), float64, of 50 examples; a picture each is wanted, (examples, height, "
        "width) or with 3 colours after that, uint8."
    )


def test_a_run_keeps_them_as_a_table_and_the_projector_shows_them_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Run(str(tmp_path / "run"))
    work = work_of(MARKS, run)
    (left,) = leave_examples(work)
    stored = tables.read(run.examples, "examples")
    np.testing.assert_array_equal(stored.values, left.values)
    assert stored.details == left.details
    tables.write(run.tables, [])
    run.write_json("settings.json", {})
    assert projector_command.main([run.path, "--no-layouts"]) == 0
    assert "examples: 50 × 5\nexamples.raw: 50 × 5\n" in capsys.readouterr().out
    header, lines = tsv.read(str(Path(run.projector, "examples.metadata.tsv")))
    assert (header[0], header[2:], len(lines)) == ("label", ["predicted", "right"], 50)
    shown = sprites.read(str(Path(run.projector, "examples.sprite.png")), 50, 2, 2)
    np.testing.assert_array_equal(shown, left.pictures)
    views = Path(run.projector, "examples.views.json").read_text()
    assert [f'"PCA by {name}"' in views for name in ("label", "predicted", "right")] == [True] * 3


def test_a_run_that_shows_none_any_more_keeps_none(tmp_path: Path) -> None:
    run = Run(str(tmp_path / "run"))
    leave_examples(work_of(MARKS, run))
    assert leave_examples(work_of(dataclasses.replace(MARKS, projector_examples=0), run)) == []
    assert not Path(run.examples).exists()
