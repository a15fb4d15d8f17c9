"""One of the old models as a Keras 3 model, and what it is held against."""

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tests.estimators import columns, rows
from trainer import feature_column, optimizers
from trainer.migration import from_estimator


def known(folder: Path, name: str) -> dict[str, Any]:
    """Returns what is known of a model, `arguments.json`."""
    return json.loads((folder / name / "arguments.json").read_text(encoding="utf-8"))


def drawn(folder: Path, name: str, fc: Any = feature_column) -> columns.Columns:
    """Returns the columns of a model, by one module or the other; a table that Estimator never trains is frozen."""
    about = known(folder, name)
    with tf.Graph().as_default():  # TensorFlow shares no table eagerly
        return columns.draw(fc, about["seed"], folder, about["shared"], trainable=not about["never_trained"])


def arguments(folder: Path, name: str, fc: Any = feature_column) -> dict[str, Any]:
    """Returns what a model was declared with, by one module or the other, as `from_estimator` takes it."""
    words, made = known(folder, name)["arguments"], drawn(folder, name, fc)
    given = {key: _optimizer(value) if key.endswith("_optimizer") else value for key, value in words.items()}
    given |= {"linear_feature_columns": made.linear} if "Linear" in name else {}
    given |= {"dnn_feature_columns": made.dnn} if "DNN" in name else {}
    return {**given, "bags": ["genres"]}


def model(folder: Path, name: str, fc: Any = feature_column) -> keras.Model:
    """Returns a model of Keras 3 with the weights of an old one."""
    return from_estimator(str(folder / name), known(folder, name)["class"], **arguments(folder, name, fc))


def logits(model: keras.Model, folder: Path, name: str) -> Any:
    """Returns the logits of the 1,000 rows, `(rows, units)`."""
    features, _ = rows.split(rows.read(folder / "rows.csv"), known(folder, name)["label"])
    return np.asarray(model({key: tf.constant(values) for key, values in features.items()}))


def expected(folder: Path, name: str) -> dict[str, Any]:
    """Returns the Estimator's `logits`, and `later` those after more steps."""
    with np.load(folder / name / "expected.npz") as found:
        return dict(found)


def batches(folder: Path, name: str) -> tf.data.Dataset:
    """Returns what the Estimator learned from in more steps: features, numbers of classes, and weights if any."""
    about, raw = known(folder, name), rows.read(folder / "rows.csv")
    features, labels = rows.split(raw, about["label"])
    names = about["arguments"].get("label_vocabulary")
    parts = [features, np.array([names.index(label) for label in labels]) if names else labels]
    if "weight_column" in about["arguments"]:
        parts.append(raw[about["arguments"]["weight_column"]])
    return tf.data.Dataset.from_tensor_slices(tuple(parts)).batch(about["more_batch_size"]).take(about["more_steps"])


def _optimizer(given: Any) -> Any:
    return given if isinstance(given, str) else getattr(optimizers, given[0])(given[1])
