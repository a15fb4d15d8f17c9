"""What a job says of the health of its tables: in the manifest, in its metrics, and in its log."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from trainer import feature_column as fc
from trainer.errors import Refusal
from trainer.heads import BinaryHead
from trainer.job.plan import Plan, with_settings
from trainer.job.steps import carry_out
from trainer.problem import ByValue, Problem
from trainer.run import Run
from trainer.settings import Settings
from trainer.tables import Health, Table, read_manifest

TRAIN = ["a"] * 60 + ["b"] * 36 + ["c"] * 3 + [""]
VALIDATION = ["a"] * 9 + ["z"]
TEST = ["a", "b", "y", "z"] * 5


def dataset(split: str) -> tf.data.Dataset:
    """100 training examples, 10 of validation and 20 of test; "z" and "y" are in no training example."""
    letters = TRAIN + VALIDATION if split == "train" else TEST
    folds = np.where(np.arange(len(letters)) < len(TRAIN), 0, 1)
    numbers = np.arange(len(letters)) % 5
    features = {"letter": letters, "number": numbers, "fold": folds}
    return tf.data.Dataset.from_tensor_slices((features, numbers % 2)).batch(16)


letter = fc.categorical_column_with_vocabulary_list("letter", ["a", "b", "c", "d"], num_oov_buckets=1)
number = fc.categorical_column_with_identity("number", 5)
PROBLEM = Problem(
    name="letters",
    dataset=dataset,
    dnn_feature_columns=[
        fc.embedding_column(letter, 2, name="letter"),
        fc.embedding_column(fc.crossed_column([number, letter]), 2, name="pair"),
        fc.embedding_column(number, 2, name="number"),
        fc.embedding_column(fc.categorical_column_with_hash_bucket("letter", 8), 2, name="hashed"),
    ],
    dnn_hidden_units=[4],
    head=BinaryHead(),
    validation=ByValue("fold", (1,)),
)


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, str]:
    """A short job, and what it has printed."""
    run = Run(str(tmp_path_factory.mktemp("health") / "run"))
    given = Settings(train_steps=20, train_batch_size=50)
    with pytest.MonkeyPatch.context() as patch:
        lines: list[str] = []
        patch.setattr("builtins.print", lambda *words, **_: lines.append(" ".join(map(str, words))))
        carry_out(Plan(given, with_settings(PROBLEM, given), run))
    return run, "\n".join(lines)


def health(run: Run, table: str) -> Health:
    return read_manifest(run.tables).tables[table].health


def test_the_manifest_says_what_share_of_each_set_is_out_of_vocabulary(job: tuple[Run, str]) -> None:
    for table in ("letter", "pair"):
        found = health(job[0], table)
        assert found.out_of_vocabulary_train == 0.0  # '' is missing, and "c" is rare, but neither is outside
        assert found.out_of_vocabulary_validation == 0.1
        assert found.out_of_vocabulary_test == 0.5


def test_where_every_value_has_a_row_nothing_is_said(job: tuple[Run, str]) -> None:
    for table in ("number", "hashed"):
        found = health(job[0], table)
        shares = (found.out_of_vocabulary_train, found.out_of_vocabulary_validation, found.out_of_vocabulary_test)
        assert shares == (None, None, None)


def test_the_metrics_have_the_health_of_each_table(job: tuple[Run, str]) -> None:
    metrics = job[0].read_json("metrics.json")
    own: dict[str, Any] = {
        key.removeprefix("tables/letter/"): value for key, value in metrics.items() if key.startswith("tables/letter/")
    }
    found = health(job[0], "letter")
    assert own == {
        "rows": 5,
        "rows_never_trained": 2,  # "d", and the bucket of what is unknown
        "rows_trained_under_5": 1,  # "c"
        "rows_not_finite": 0,
        "effective_rank": found.effective_rank,
        "largest_norm": found.largest_norm,
        "smallest_norm": found.smallest_norm,
        "out_of_vocabulary_train": 0.0,
        "out_of_vocabulary_validation": 0.1,
        "out_of_vocabulary_test": 0.5,
        "dimension": 2,
    }
    assert all(isinstance(value, int | float | str) for value in metrics.values())


def test_the_log_has_a_line_for_each_table(job: tuple[Run, str]) -> None:
    rank = health(job[0], "letter").effective_rank
    assert (
        f"letter uses {rank:.1f} of 2 dimensions; of 5 rows 2 never trained, 1 under 5 times; "
        "out of vocabulary: validation 10.00 %, test 50.00 %"
    ) in job[1].splitlines()
    assert sum(" of 2 dimensions; of " in line for line in job[1].splitlines()) == 4


def test_a_job_leaves_a_report_and_pictures_for_tensorboard(job: tuple[Run, str]) -> None:
    run, _ = job
    page = Path(run.file("report.html")).read_text(encoding="utf-8")
    assert "<h1><bdi>letters</bdi></h1>" in page
    names = {path.name for path in Path(run.file("pictures")).iterdir()}
    assert {"pair.png", "pair.plane.png", "letter.plane.png", "curves.png"} <= names
    assert page.count('src="data:image/png;base64,') == len(names)
    events = EventAccumulator(str(Path(run.logs, "train")), size_guidance={"tensors": 0}).Reload()
    tags = {f"pictures/{name.removesuffix('.png')}" for name in names}
    assert tags <= set(events.Tags()["tensors"])
    assert {event.step for tag in tags for event in events.Tensors(tag)} == {20}


@pytest.mark.parametrize("shares", [{"dev": 0.1}, {"test": 1.5}, {"train": float("nan")}])
def test_a_table_takes_shares_of_its_three_sets_alone(shares: dict[str, float]) -> None:
    ((name, share),) = shares.items()
    with pytest.raises(Refusal) as refusal:
        Table("letter", np.eye(2), out_of_vocabulary=shares)
    assert str(refusal.value) == (
        "table 'letter': out_of_vocabulary has a share from 0 to 1 of train, validation, test, not "
        f"{share!r} of {name!r}."
    )
