"""Trains one small old model and exports it for serving in several ways: `python -m tests.estimators.serving OUT`.

It takes a Python that has TensorFlow 2.15. In the new folder are the exports by the names of `RECEIVERS`, and
`rows.npz`: raw rows, and the Estimator's own logits of them. `--archive` packs it into `serving.tar.xz`, which lies
beside this file.
"""

import argparse
import os
import shutil
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tests import estimators

ARCHIVE = Path(__file__).with_name("serving.tar.xz")
DAYS, WORDS = ["Mon", "Tue", "Wed"], ["u", "v", "w"]
COUNT = 60


def declared(fc: Any) -> tuple[list[Any], list[Any]]:
    """Returns the wide and the deep columns, declared by `tf.feature_column` or by `trainer.feature_column`."""
    day = fc.categorical_column_with_vocabulary_list("day", DAYS, num_oov_buckets=1)
    hour = fc.categorical_column_with_identity("hour", 24, default_value=0)
    words = fc.weighted_categorical_column(fc.categorical_column_with_vocabulary_list("words", WORDS), "amounts")
    miles = fc.numeric_column("miles")
    return [day, miles, words], [
        fc.embedding_column(day, 2),
        fc.embedding_column(hour, 3),
        fc.embedding_column(words, 2),
    ]


def rows(seed: int = 15) -> dict[str, Any]:
    """Returns raw rows; in a bag '' comes last, and has a weight of 0."""
    random = np.random.default_rng(seed)
    words = np.array([[*random.permutation(WORDS)[:size], *[""] * (3 - size)] for size in random.integers(0, 4, COUNT)])
    return {
        "day": random.choice([*DAYS, "Sun", ""], COUNT),
        "hour": random.integers(0, 24, COUNT),
        "miles": random.integers(-9, 9, COUNT).astype(np.float32),
        "words": words,
        "amounts": np.where(words == "", 0, random.integers(1, 9, words.shape) / 4).astype(np.float32),
    }


def _raw(tf: Any, is_sparse: bool) -> Any:
    """Returns a receiver of raw features: bags padded, or sparse."""
    bag = tf.compat.v1.sparse_placeholder if is_sparse else tf.compat.v1.placeholder
    one = tf.compat.v1.placeholder
    features = {
        "day": one(tf.string, [None], "day"),
        "hour": one(tf.int32, [None, 1], "hour"),
        "miles": one(tf.float32, [None, 1], "miles"),
        "words": bag(tf.string, [None, None], "words"),
        "amounts": bag(tf.float32, [None, None], "amounts"),
    }
    return tf.estimator.export.ServingInputReceiver(features, features)


def _parsing(tf: Any) -> Any:
    """Returns a receiver of examples by a specification of one's own: of fixed lengths, and with more than is used."""
    spec = {
        "day": tf.io.FixedLenFeature([], tf.string),
        "hour": tf.io.FixedLenFeature([1], tf.int64, default_value=[7]),
        "miles": tf.io.FixedLenFeature([1], tf.float32),
        "words": tf.io.VarLenFeature(tf.string),
        "amounts": tf.io.VarLenFeature(tf.float32),
        "weight": tf.io.VarLenFeature(tf.float32),
    }
    return tf.estimator.export.build_parsing_serving_input_receiver_fn(spec)()


def _first_version(tf: Any) -> Any:
    """Returns a receiver that parses by the operation of TensorFlow 1."""
    examples = tf.compat.v1.placeholder(tf.string, [None], "examples")
    kinds = [tf.string, tf.float32, tf.string, tf.int64]
    indices, values, shapes, dense = tf.raw_ops.ParseExample(
        serialized=examples,
        names=[],
        sparse_keys=["words", "amounts", "day", "hour"],
        dense_keys=["miles"],
        dense_defaults=[tf.zeros([0])],
        sparse_types=[kinds[0], kinds[1], kinds[2], kinds[3]],
        dense_shapes=[[1]],
    )
    parts = zip(["words", "amounts", "day", "hour"], indices, values, shapes, strict=True)
    features = {key: tf.SparseTensor(*part) for key, *part in parts}
    return tf.estimator.export.ServingInputReceiver({**features, "miles": dense[0]}, {"examples": examples})


RECEIVERS = {
    "padded": lambda tf: _raw(tf, False),
    "sparse": lambda tf: _raw(tf, True),
    "parsed": _parsing,
    "first_version": _first_version,
}


def _train(out: Path) -> None:
    os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    warnings.simplefilter("ignore")
    import tensorflow as tf

    tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.FATAL)
    wide, deep = declared(tf.feature_column)
    drawn = rows()
    labels = np.arange(COUNT) % 2
    estimator = tf.compat.v1.estimator.DNNLinearCombinedClassifier(
        model_dir=str(out / "model"),
        linear_feature_columns=wide,
        dnn_feature_columns=deep,
        dnn_hidden_units=[4],
        linear_optimizer=tf.compat.v1.train.AdagradOptimizer(0.5),
        dnn_optimizer=tf.compat.v1.train.AdagradOptimizer(0.5),
        config=tf.estimator.RunConfig(tf_random_seed=15, save_summary_steps=1000),
    )
    estimator.train(lambda: tf.data.Dataset.from_tensor_slices((drawn, labels)).repeat().batch(COUNT), steps=20)
    predicted = estimator.predict(lambda: tf.data.Dataset.from_tensor_slices(drawn).batch(COUNT))
    np.savez(out / "rows.npz", logits=np.array([row["logits"] for row in predicted]), **drawn)
    for name, receiver in RECEIVERS.items():
        made = estimator.export_saved_model(str(out / "exports"), lambda made_by=receiver: made_by(tf))
        Path(made.decode()).rename(out / name)
    shutil.rmtree(out / "exports")
    shutil.rmtree(out / "model")


def main(argv: Sequence[str]) -> None:
    """Trains and exports the model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="a new folder")
    parser.add_argument("--archive", action="store_true", help="pack the folder into serving.tar.xz")
    given = parser.parse_args(argv)
    given.out.mkdir(parents=True)
    _train(given.out)
    if given.archive:
        print(f"{estimators.pack(given.out, ARCHIVE).stat().st_size:,} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
