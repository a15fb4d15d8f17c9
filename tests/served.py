"""Runs that are trained in seconds and leave a model to serve, and the problems that they were trained on."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from trainer import tables
from trainer.job import plan, steps
from trainer.job.leaving import Left, leave_model
from trainer.job.tables import leave_tables
from trainer.job.work import Work
from trainer.settings import Settings

TRIPS = '''"""Which trips are late."""
from tests import trips

PROBLEM = trips.PROBLEM
'''

KINDS = '''"""Which of three kinds a thing is, from words with weights and two sizes."""
from trainer import feature_column as fc
from trainer.heads import MultiClassHead
from trainer.problem import Files, Problem

words = fc.categorical_column_with_vocabulary_list("words", fc.from_data(), num_oov_buckets=1)
PROBLEM = Problem(
    dataset=Files("kinds.parquet"),
    dnn_feature_columns=[
        fc.embedding_column(fc.weighted_categorical_column(words, "amounts"), 4, name="words"),
        fc.numeric_column("sizes", (2,), normalizer_fn=lambda sizes: sizes / 10),
    ],
    linear_feature_columns=[fc.bucketized_column(fc.numeric_column("age", default_value=-5.0), fc.quantiles(4))],
    dnn_hidden_units=[8],
    label="kind",
    weight_column="times",
    head=MultiClassHead(3, label_vocabulary=["red", "green", "blue"]),
    learning_rate=0.05,
    num_epochs=2,
    train_batch_size=64,
)
'''

COUNTS = '''"""How many come, by the hour."""
from trainer import feature_column as fc
from trainer.heads import PoissonRegressionHead
from trainer.problem import Files, Problem

hour = fc.categorical_column_with_identity("hour of day", 24)
PROBLEM = Problem(
    dataset=Files("counts.csv"), dnn_feature_columns=[fc.embedding_column(hour, 4, name="hour")],
    dnn_hidden_units=[4], label="come", head=PoissonRegressionHead(), num_epochs=1, train_batch_size=64,
)
'''


def kinds(count: int = 600, seed: int = 0) -> list[dict[str, Any]]:
    """Things whose kind is that of the word which weighs most."""
    draw = np.random.default_rng(seed)
    found = []
    for number in range(count):
        words = draw.choice(["rose", "leaf", "sky", "stone"], int(draw.integers(1, 4)), replace=False)
        amounts = draw.uniform(0.1, 1, len(words)).round(3)
        heaviest = str(words[amounts.argmax()])
        found.append(
            {
                "id": f"{number:04d}",
                "words": words.tolist(),
                "amounts": amounts.tolist(),
                "sizes": draw.uniform(0, 10, 2).round(2).tolist(),
                "age": None if draw.random() < 0.1 else float(draw.integers(90)),
                "kind": {"rose": "red", "leaf": "green", "sky": "blue", "stone": "red"}[heaviest],
                "times": float(draw.integers(1, 4)),
                "place": ["north", "south"][int(draw.integers(2))],
            }
        )
    return found


def write_kinds(path: Path, things: list[dict[str, Any]] | None = None) -> str:
    """Writes things as Parquet and returns the path."""
    pq.write_table(pa.Table.from_pylist(kinds() if things is None else things), path, row_group_size=100)
    return str(path)


def write_counts(path: Path, count: int = 600) -> str:
    """Writes counts as CSV and returns the path."""
    draw = np.random.default_rng(0)
    hours = draw.integers(24, size=count)
    lines = (f"{hour},{come}\n" for hour, come in zip(hours, draw.poisson(3 + hours), strict=True))
    path.write_text("hour of day,come\n" + "".join(lines))
    return str(path)


def trained(folder: Path, text: str, files: str | None, **settings: Any) -> Path:
    """Carries out the job of a problem's file and returns its run, without pictures, projector and report."""

    def leave(work: Work) -> Left:
        found = leave_tables(work)
        leave_model(work.model, work.plan.problem.head, work.plan.run, found)
        return Left(found, tables.read_manifest(work.plan.run.tables).tables, [])

    file = folder / "mine.py"
    file.write_text(text)
    given = Settings(problem=str(file), job_dir=str(folder / "run"), train_files=files, **settings)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(steps, "leave", leave)
        patch.setattr(steps, "leave_report", lambda run, left: None)
        steps.carry_out(plan.planned(given))
    return folder / "run"
