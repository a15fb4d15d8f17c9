"""A small table of trips by taxi, the ways to write it down, and short jobs that read it."""

import csv
import dataclasses
import gzip
import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest
import tensorflow as tf

from trainer import feature_column as fc
from trainer import tables
from trainer.inputs import split
from trainer.inputs.cache import AnyExamples
from trainer.inputs.examples import Source
from trainer.inputs.split import Data
from trainer.job import steps
from trainer.job.leaving import Left
from trainer.job.plan import Plan, with_settings
from trainer.job.reading import Read, dtypes_of, read
from trainer.job.tables import leave_tables
from trainer.job.work import Work
from trainer.problem import Files, Problem
from trainer.run import Run
from trainer.settings import Settings

Row = dict[str, Any]

CITIES = ("Oslo", "Bern", "São Paulo", "東京", 'a "b", c', "line\nbreak", None)


def rows(count: int = 300, seed: int = 0) -> list[Row]:
    """Trips of some people, some of whose values are missing, and whether each was late."""
    draw = np.random.default_rng(seed)
    return [
        {
            "city": CITIES[int(draw.integers(len(CITIES)))],
            "user": None if draw.random() < 0.1 else 2**53 + int(draw.integers(60)),
            "hour": int(draw.integers(24)),
            "fare": None if draw.random() < 0.1 else round(float(draw.uniform(0, 50)), 2),
            "tags": [("fast", "clean", "loud")[tag] for tag in draw.integers(3, size=draw.integers(4))],
            "late": int(draw.integers(2)),
        }
        for _ in range(count)
    ]


city = fc.categorical_column_with_vocabulary_list("city", fc.from_data(), num_oov_buckets=1)
user = fc.categorical_column_with_hash_bucket("user", 40, "int64")
hour = fc.categorical_column_with_identity("hour", 24)
tags = fc.categorical_column_with_vocabulary_list("tags", ("fast", "clean"))
fare = fc.numeric_column("fare", default_value=0.0, normalizer_fn=lambda dollars: dollars / 10)

PROBLEM = Problem(
    dataset=Files("trips.csv"),
    dnn_feature_columns=[
        *(fc.embedding_column(column, 2, name=column.key) for column in (city, user, tags)),
        fc.indicator_column(hour),
        fare,
    ],
    dnn_hidden_units=[4],
    label="late",
    bags={"tags": "|"},
    learning_rate=0.05,
    num_epochs=1,
    train_batch_size=32,
    name="trips",
    description="Which trips are late.",
)


# The ways to write rows down


def write_text(path: Path, text: str | bytes) -> None:
    data = text if isinstance(text, bytes) else text.encode()
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)


def csv_text(trips: Sequence[Row]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(trips[0]))
    writer.writeheader()
    writer.writerows(row | {"tags": "|".join(row["tags"])} for row in trips)
    return out.getvalue()


def write_csv(path: Path, trips: Sequence[Row]) -> None:
    write_text(path, csv_text(trips))


def write_json(path: Path, trips: Sequence[Row]) -> None:
    there = ({key: value for key, value in row.items() if value is not None} for row in trips)
    write_text(path, "".join(f"{json.dumps(row)}\n" for row in there))


def write_parquet(path: Path, trips: Sequence[Row]) -> None:
    pq.write_table(pa.Table.from_pylist(list(trips)), path, row_group_size=100)


def write_feather(path: Path, trips: Sequence[Row]) -> None:
    feather.write_feather(pa.Table.from_pylist(list(trips)), str(path), chunksize=100)


def write_records(path: Path, trips: Sequence[Row]) -> None:
    with tf.io.TFRecordWriter(str(path)) as writer:
        for row in trips:
            there = {key: _feature(value) for key, value in row.items() if value is not None}
            writer.write(tf.train.Example(features=tf.train.Features(feature=there)).SerializeToString())


def _feature(value: Any) -> Any:
    if isinstance(value, float):
        return tf.train.Feature(float_list=tf.train.FloatList(value=[value]))
    if isinstance(value, int):
        return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))
    texts = [text.encode() for text in (value if isinstance(value, list) else [value])]
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=texts))


WRITERS: Mapping[str, Callable[[Path, Sequence[Row]], None]] = {
    "trips.csv": write_csv,
    "trips.csv.gz": write_csv,
    "trips.parquet": write_parquet,
    "trips.feather": write_feather,
    "trips.jsonl": write_json,
    "trips.tfrecord": write_records,
}


def write(path: Path, trips: Sequence[Row] | None = None) -> str:
    """Writes trips as the name of the file says, and returns its path."""
    WRITERS[f"trips.{path.name.partition('.')[2]}"](path, rows() if trips is None else trips)
    return str(path)


# Jobs


def are_quick(patch: pytest.MonkeyPatch) -> None:
    """Lets jobs leave tables alone, since models to serve, pictures, projector and report take longer than all else."""

    def leave(work: Work) -> Left:
        return Left(leave_tables(work), tables.read_manifest(work.plan.run.tables).tables, [])

    patch.setattr(steps, "leave", leave)
    patch.setattr(steps, "leave_report", lambda run, left: None)


def planned(run: Path, problem: Problem = PROBLEM, **settings: Any) -> Plan:
    """The plan of a job, which takes its settings as `task` does, but not from a file."""
    given = Settings(**settings)
    plan = Plan(given, problem, Run(str(run)))
    return dataclasses.replace(plan, problem=with_settings(problem, given, plan.restores))


def trained(run: Path, problem: Problem = PROBLEM, **settings: Any) -> dict[str, Any]:
    """Carries a job out, and returns its metrics."""
    return steps.carry_out(planned(run, problem, **settings))


def read_by(run: Path, problem: Problem = PROBLEM, **settings: Any) -> Read:
    """What a job reads before its first step; the encoded examples are kept in its folder."""
    return read(planned(run, problem, **settings), lambda model, source: None)


def values_of(run: Path) -> dict[str, Any]:
    """The trained tables of a run by their names."""
    checkpoint = tf.train.load_checkpoint(str(run / "tables"))
    return {name: checkpoint.get_tensor(name) for name in checkpoint.get_variable_to_shape_map()}


def assert_same_tables(run: Path, other: Path) -> None:
    """Compares the tables of two runs bit for bit."""
    first, second = values_of(run), values_of(other)
    assert first.keys() == second.keys()
    for name, values in first.items():
        assert values.tobytes() == second[name].tobytes(), name


def arrays_of(examples: Any) -> list[Any]:
    """What examples hold, in an order of its own, as lists and their dtypes."""
    found = []
    for values in examples.in_memory().arrays:
        flat = values.to_list() if isinstance(values, tf.RaggedTensor) else values.tolist()
        found.append((str(values.dtype), flat))
    return found


def raw(problem: Problem = PROBLEM, **settings: Any) -> Data:
    """The sets of a problem's rows, not encoded."""
    given = Settings(**settings)
    changed = with_settings(problem, given)
    source = Source(changed, dtypes_of(changed), "", given.bad_rows)
    source.prepare(download=False)
    return split.read(source, None)


def sets_of(found: Read) -> list[AnyExamples]:
    """The training, validation and test examples of a job."""
    return [found.data.train, found.data.validation, found.data.test()]
