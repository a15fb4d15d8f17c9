"""Trains one of the models with TensorFlow 2.15, and leaves what it became."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tests.estimators import columns, models
from tests.estimators.models import Model
from tests.estimators.rows import Rows, split

EXPORTED = "1700000000"
"""Instead of the time of the export, so that the same models lie at the same place."""


def train(model: Model, seed: int, rows: Rows, folder: Path, short: bool = False) -> None:
    """Trains a model and writes its checkpoint, logits and arguments, its export, and the logits after more steps.

    Args:
        model: What to train.
        seed: Of its columns and of its weights.
        rows: Of `rows.csv`, which lies in the folder.
        folder: Where all models go; the vocabulary's file lies there.
        short: Whether to do without the export and without more steps.
    """
    with tf.Graph().as_default():  # TensorFlow shares no table eagerly
        drawn = columns.draw(tf.feature_column, seed, folder, model.shared)
    place = folder / model.name
    features, labels = split(rows, model.label, model.arguments.get("weight_column"))
    estimator = _estimator(model, drawn, seed, place)
    estimator.train(_batches(features, labels, models.BATCH_SIZE), steps=models.STEPS)
    expected = {"logits": _logits(estimator, features)}
    if not short:
        _export(estimator, [*drawn.linear] * model.has_linear + [*drawn.dnn] * model.has_dnn, place)
    _leave_checkpoint(place)
    if not short:
        expected["later"] = _after(model, drawn, seed, place, features, labels)
    np.savez(place / "expected.npz", **expected)
    _write_arguments(model, seed, drawn, place)


def _estimator(model: Model, drawn: columns.Columns, seed: int, place: Path) -> Any:
    module = tf.compat.v1.estimator if model.generation == "v1" else tf.estimator
    one_thread = tf.compat.v1.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
    config = tf.estimator.RunConfig(
        model_dir=str(place),
        tf_random_seed=seed,
        save_checkpoints_steps=1000,
        save_summary_steps=1000,
        log_step_count_steps=1000,
        keep_checkpoint_max=1,
        session_config=one_thread,
    )
    return getattr(module, model.class_name)(config=config, **_arguments(model, drawn))


def _arguments(model: Model, drawn: columns.Columns) -> dict[str, Any]:
    """The arguments by the words of the class."""
    given: dict[str, Any] = {
        key: _optimizer(model, value) if key.endswith("_optimizer") else value for key, value in model.arguments.items()
    }
    if "dnn_activation_fn" in given:
        given["dnn_activation_fn"] = getattr(tf.nn, given["dnn_activation_fn"])
    given |= {"linear_feature_columns": drawn.linear} if model.has_linear else {}
    given |= {"dnn_feature_columns": drawn.dnn} if model.has_dnn else {}
    if model.partitioned:
        partitioner = tf.compat.v1.min_max_variable_partitioner(max_partitions=3, min_slice_size=64)
        given["input_layer_partitioner" if model.has_dnn else "partitioner"] = partitioner
    if model.has_linear and model.has_dnn:
        return given
    return {key.removeprefix("linear_").removeprefix("dnn_"): value for key, value in given.items()}


def _optimizer(model: Model, given: Any) -> Any:
    if isinstance(given, str):
        return given
    name, rate = given
    if model.generation == "v1":
        return getattr(tf.compat.v1.train, f"{name}Optimizer")(learning_rate=rate)
    return getattr(tf.keras.optimizers.legacy, name)(learning_rate=rate)


def _batches(features: Rows, labels: Any, size: int) -> Callable[[], Any]:
    return lambda: tf.data.Dataset.from_tensor_slices((features, labels)).repeat().batch(size)


def _logits(estimator: Any, features: Rows) -> Any:
    predicted = estimator.predict(lambda: tf.data.Dataset.from_tensor_slices(features).batch(500))
    return np.array([row["logits"] if "logits" in row else row["predictions"] for row in predicted])


def _export(estimator: Any, given: list[Any], place: Path) -> None:
    spec = tf.feature_column.make_parse_example_spec(given)
    receiver = tf.estimator.export.build_parsing_serving_input_receiver_fn(spec)
    made = Path(estimator.export_saved_model(str(place / "export"), receiver).decode())
    made.rename(made.with_name(EXPORTED))


def _leave_checkpoint(place: Path) -> None:
    """Removes what lies beside the last checkpoint."""
    for file in place.iterdir():
        if not (file.name in ("checkpoint", "export") or file.suffix == ".index" or ".data-" in file.name):
            file.unlink()
    latest = Path(tf.train.latest_checkpoint(str(place))).name
    # TensorFlow notes when it saved.
    (place / "checkpoint").write_text(f'model_checkpoint_path: "{latest}"\nall_model_checkpoint_paths: "{latest}"\n')


def _after(model: Model, drawn: columns.Columns, seed: int, place: Path, features: Rows, labels: Any) -> Any:
    """Returns the logits after more steps of the same optimizers."""
    later = place / "later"
    shutil.copytree(place, later, ignore=shutil.ignore_patterns("export", "later"))
    estimator = _estimator(model, drawn, seed, later)
    estimator.train(_batches(features, labels, models.MORE_BATCH_SIZE), steps=models.MORE_STEPS)
    logits = _logits(estimator, features)
    shutil.rmtree(later)
    return logits


def _write_arguments(model: Model, seed: int, drawn: columns.Columns, place: Path) -> None:
    known = {
        "class": model.class_name,
        "generation": model.generation,
        "tensorflow": tf.__version__,
        "seed": seed,
        "label": model.label,
        "shared": model.shared,
        "partitioned": model.partitioned,
        # Estimator's second generation leaves a table that columns share out of what it trains.
        "never_trained": [model.shared] if model.shared and model.generation == "v2" else [],
        "steps": models.STEPS,
        "batch_size": models.BATCH_SIZE,
        "more_steps": models.MORE_STEPS,
        "more_batch_size": models.MORE_BATCH_SIZE,
        "loss_reduction": "sum" if model.generation == "v1" else "sum_over_batch_size",
        "learning_rates": models.learning_rates(model, len(drawn.linear)),
        "arguments": dict(model.arguments),
    }
    (place / "arguments.json").write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")
