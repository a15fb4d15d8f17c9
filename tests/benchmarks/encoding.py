"""Rows a second from raw strings and numbers to ids and to dense features: `python -m tests.benchmarks.encoding`.

A row is shaped like one of Criteo's: 26 strings of 8 hexadecimal digits, hashed over 100,000 buckets each, and 13
numbers. Its peers are `tf.feature_column` with `tf_keras.layers.DenseFeatures`, and `keras.utils.FeatureSpace`. All
compile to one `tf.function` each and are called with the same batches, made before and held in memory, so that no time
of reading is in it; they take turns in one process, and a ratio is that of one turn. What comes out of each:

    to ids and numbers   ids of 26 columns and 13 columns of numbers: our `Encoder`; each column of `tf.feature_column`
                         through one FeatureTransformationCache; FeatureSpace's dictionary
    to dense features    (batch, 26 * 8 + 13): our `DenseFeatures`; that of tf_keras; FeatureSpace, then an `Embedding`
                         a column, as it has none of its own
    to one-hots          (batch, 26 * 1,000 + 13): what FeatureSpace makes of hashed strings where nothing else is
                         asked for, here over 1,000 buckets each; indicators in the other two

It ends with an error where their ids, or our and tf_keras's dense features of the same tables, differ.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tf_keras
from tensorflow.python.feature_column import feature_column_v2

from tests.parity import theirs
from trainer import feature_column as fc
from trainer.feature_column.serialization import encoded_key
from trainer.layers import DenseFeatures, Encoder

BATCH_SIZE, BUCKETS, DIMENSION, ONE_HOT_BUCKETS = 1024, 100_000, 8, 1000
STRINGS, NUMBERS = [f"C{place}" for place in range(1, 27)], [f"I{place}" for place in range(1, 14)]
BARS = {"tf_keras": 1.0, "FeatureSpace": 3.0}
"""How many times the rows a second of each peer are wanted."""

HASHED = [fc.categorical_column_with_hash_bucket(key, BUCKETS) for key in STRINGS]
NUMERIC = [fc.numeric_column(key) for key in NUMBERS]
DENSE = [*(fc.embedding_column(column, DIMENSION) for column in HASHED), *NUMERIC]

ONE_HOT = [fc.indicator_column(fc.categorical_column_with_hash_bucket(key, ONE_HOT_BUCKETS)) for key in STRINGS]

Batch = Mapping[str, tf.Tensor]
Candidates = dict[str, Callable[[Batch], Any]]


def made(batches: int) -> list[Batch]:
    """Returns batches of made-up rows: few or many values a column, the frequent ones far more so."""
    draw = np.random.default_rng(0)
    rows = batches * BATCH_SIZE
    features: dict[str, Any] = {}
    for place, key in enumerate(STRINGS):
        values = int(10 ** (1 + place % 13 / 2))  # 10 to 10,000,000 different ones
        ranks = (draw.zipf(1.2, rows) - 1) % values
        features[key] = np.char.mod("%08x", (ranks * 2654435761 + place * 40503) % 2**32).astype(object)
    for key in NUMBERS:
        features[key] = draw.lognormal(size=rows).astype(np.float32)
    starts = range(0, rows, BATCH_SIZE)
    return [{key: tf.constant(of[start : start + BATCH_SIZE]) for key, of in features.items()} for start in starts]


def feature_space(batch: Batch) -> keras.utils.FeatureSpace:
    """Returns the same declaration for FeatureSpace."""
    space = keras.utils.FeatureSpace
    hashed = {key: space.string_hashed(num_bins=BUCKETS, output_mode="int") for key in STRINGS}
    made = space({**hashed, **{key: space.float() for key in NUMBERS}}, output_mode="dict")
    made.adapt(tf.data.Dataset.from_tensors(dict(batch)))  # it learns nothing here, and is refused without
    return made


def to_ids(batch: Batch) -> Candidates:
    """Returns what makes ids and numbers, each by raw feature."""
    encoder, space = Encoder([*HASHED, *NUMERIC]), feature_space(batch)
    categorical, numeric = [theirs(column) for column in HASHED], [theirs(column) for column in NUMERIC]

    def old(features: Batch) -> dict[str, Any]:
        cache = feature_column_v2.FeatureTransformationCache(dict(features))
        ids = {column.name: column.get_sparse_tensors(cache, None).id_tensor.values for column in categorical}
        return {**ids, **{column.name: column.get_dense_tensor(cache, None) for column in numeric}}

    return {"ours": encoder, "tf_keras": old, "FeatureSpace": lambda features: space(dict(features))}


def to_dense(batch: Batch) -> Candidates:
    """Returns what makes one matrix; ours and tf_keras's from the same tables."""
    ours, old = DenseFeatures(DENSE), tf_keras.layers.DenseFeatures([theirs(column) for column in DENSE])
    space = feature_space(batch)
    tables = {key: keras.layers.Embedding(BUCKETS, DIMENSION) for key in STRINGS}
    ours(batch), old(batch)
    values = {variable.name.split("/")[-2].removesuffix("_embedding"): variable for variable in old.variables}
    for name, table in ours.tables.items():
        table.table.assign(values[name].numpy())

    def new(features: Batch) -> Any:
        encoded = space(dict(features))
        vectors = [tf.squeeze(table(encoded[key]), 1) for key, table in tables.items()]
        return tf.concat([*vectors, *(encoded[key] for key in NUMBERS)], axis=1)

    return {"ours": ours, "tf_keras": old, "FeatureSpace": new}


def to_one_hots(batch: Batch) -> Candidates:
    """Returns what makes one matrix of one-hots and numbers; FeatureSpace by its own defaults."""
    columns = [*ONE_HOT, *NUMERIC]
    space = keras.utils.FeatureSpace
    hashed = {key: space.string_hashed(num_bins=ONE_HOT_BUCKETS) for key in STRINGS}
    whole = space({**hashed, **{key: space.float() for key in NUMBERS}})
    whole.adapt(tf.data.Dataset.from_tensors(dict(batch)))
    old = tf_keras.layers.DenseFeatures([theirs(column) for column in columns])
    return {"ours": DenseFeatures(columns), "tf_keras": old, "FeatureSpace": lambda features: whole(dict(features))}


def same_ids(candidates: Candidates, batch: Batch) -> None:
    """Raises ValueError where a peer makes other ids or numbers than we do."""
    ours = {column.name: candidates["ours"](batch)[encoded_key(column)] for column in (*HASHED, *NUMERIC)}
    for peer in BARS:
        others = candidates[peer](batch)
        wrong = [key for key in ours if not np.array_equal(np.ravel(ours[key]), np.ravel(others[key]))]
        if wrong:
            raise ValueError(f"{peer}: other ids or numbers than ours in {', '.join(wrong)}.")


def same_matrix(candidates: Candidates, batch: Batch) -> None:
    """Raises ValueError where tf_keras makes another matrix than we do, or FeatureSpace one of another shape."""
    matrices = {name: candidate(batch).numpy() for name, candidate in candidates.items()}
    if not np.allclose(matrices["ours"], matrices["tf_keras"], atol=1e-6):
        raise ValueError("tf_keras: other dense features than ours.")
    if matrices["FeatureSpace"].shape != matrices["ours"].shape:
        raise ValueError(f"FeatureSpace: {matrices['FeatureSpace'].shape}, not {matrices['ours'].shape}.")


def measure(candidates: Candidates, batches: Sequence[Batch], rounds: int, calls: int) -> list[dict[str, float]]:
    """Returns the rows a second of each candidate, round by round; who is first changes."""
    names = list(candidates)
    found = []
    for turn in range(rounds):
        speeds = {}
        for name in (*names[turn % len(names) :], *names[: turn % len(names)]):
            candidates[name](batches[-1])
            start = time.perf_counter()
            for call in range(calls):
                candidates[name](batches[call % len(batches)])
            speeds[name] = calls * BATCH_SIZE / (time.perf_counter() - start)
        found.append({name: speeds[name] for name in names})
    return found


def report(rounds: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    """Returns medians of the rows a second, and of the ratios of each round to each peer."""
    found: dict[str, Any] = {name: round(statistics.median(speeds[name] for speeds in rounds)) for name in rounds[0]}
    for peer in BARS:
        ratios = [speeds["ours"] / speeds[peer] for speeds in rounds]
        found[f"ratio_to_{peer}"] = round(statistics.median(ratios), 2)
        found[f"lowest_ratio_to_{peer}"] = round(min(ratios), 2)
    return found


def main() -> None:
    """Measures, prints a table, and writes it as JSON where asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=300, help="batches a round")
    parser.add_argument("--json", metavar="FILE", type=Path)
    flags = parser.parse_args()
    batches = made(20)
    found: dict[str, Any] = {}
    for what, make, check in (
        ("to ids and numbers", to_ids, same_ids),
        ("to dense features", to_dense, same_matrix),
        ("to one-hots", to_one_hots, same_matrix),
    ):
        calls = flags.calls if make is not to_one_hots else max(1, flags.calls // 10)
        candidates: Candidates = {name: tf.function(each) for name, each in make(batches[0]).items()}
        check(candidates, batches[0])
        measure(candidates, batches, 1, min(calls, len(batches)))  # warms them up
        found[what] = report(measure(candidates, batches, flags.rounds, calls))
    print(f"rows a second, batch {BATCH_SIZE}, medians of {flags.rounds} rounds, {os.cpu_count()} cores, ", end="")
    print(f"tensorflow {tf.__version__}, keras {keras.__version__}, tf_keras {tf_keras.__version__}")
    print(f"{'':<20}{'ours':>12}" + "".join(f"{peer:>14}{'ratio (bar)':>16}{'lowest':>8}" for peer in BARS))
    for what, row in found.items():
        print(f"{what:<20}{row['ours']:>12,}", end="")
        for peer, bar in BARS.items():
            print(f"{row[peer]:>14,}{row[f'ratio_to_{peer}']:>10.2f} ({bar:.1f})", end="")
            print(f"{row[f'lowest_ratio_to_{peer}']:>8.2f}", end="")
        print()
    if flags.json:
        flags.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
