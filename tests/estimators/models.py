"""The models: each of the six canned Estimators in both generations, and two of two numbers, with their arguments."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.estimators import rows

STEPS, BATCH_SIZE = 30, 50
MORE_STEPS, MORE_BATCH_SIZE = 100, 10
"""After the checkpoint: the rows once, in their order."""


@dataclass(frozen=True)
class Model:
    """One of them.

    Args:
        generation: "v1" is `tf.compat.v1.estimator`, "v2" is `tf.estimator`.
        class_name: Of the Estimator.
        label: The feature that is its label, or several, each a number that it predicts.
        arguments: In the words of `DNNLinearCombined…`, whatever the class: JSON values, an optimizer being a name, or
            a pair of a name and a learning rate.
        shared: The name of a table that two columns share, or None.
        partitioned: Whether tables lie in several parts, as on parameter servers; the first generation can.
    """

    generation: str
    class_name: str
    label: str | tuple[str, ...]
    arguments: Mapping[str, Any] = field(default_factory=dict)
    shared: str | None = None
    partitioned: bool = False

    @property
    def name(self) -> str:
        """Its folder's, as `v1/DNNClassifier`, or `v1/DNNRegressorOf2` of two numbers."""
        numbers = "" if isinstance(self.label, str) else f"Of{len(self.label)}"
        return f"{self.generation}/{self.class_name}{numbers}"

    @property
    def has_linear(self) -> bool:
        """Whether there is a wide part."""
        return "Linear" in self.class_name

    @property
    def has_dnn(self) -> bool:
        """Whether there is a deep part."""
        return "DNN" in self.class_name


MODELS = [
    Model(
        *("v1", "LinearClassifier", "answer"),
        {"label_vocabulary": rows.ANSWERS, "weight_column": "weight", "linear_optimizer": "Ftrl"},
        partitioned=True,
    ),
    Model(
        *("v1", "LinearRegressor", "delay"),
        {"linear_optimizer": ["Adagrad", 0.1], "linear_sparse_combiner": "mean"},
        partitioned=True,
    ),
    Model(
        *("v1", "DNNClassifier", "rank"),
        {"dnn_hidden_units": [8, 5], "n_classes": 3, "batch_norm": True, "dnn_optimizer": "Adagrad"},
        shared="places",
        partitioned=True,
    ),
    Model(
        *("v1", "DNNRegressor", "delay"),
        {
            "dnn_hidden_units": [6],
            "weight_column": "weight",
            "dnn_activation_fn": "tanh",
            "dnn_optimizer": ["Adagrad", 0.02],
        },
    ),
    Model(
        *("v1", "DNNLinearCombinedClassifier", "answer"),
        {
            "dnn_hidden_units": [8, 4],
            "label_vocabulary": rows.ANSWERS,
            "dnn_optimizer": ["Adagrad", 0.03],
            "linear_optimizer": ["Adagrad", 0.1],
            "linear_sparse_combiner": "sqrtn",
            "dnn_dropout": 0.0,
        },
        shared="airports",
        partitioned=True,
    ),
    Model(
        *("v1", "DNNLinearCombinedRegressor", "delay"),
        {
            "dnn_hidden_units": [7],
            "weight_column": "weight",
            "dnn_optimizer": "Adagrad",
            "linear_optimizer": "Ftrl",
        },
    ),
    Model(
        *("v2", "LinearClassifier", "grade"),
        {
            "n_classes": 3,
            "label_vocabulary": rows.GRADES,
            "linear_optimizer": ["Adagrad", 0.1],
            "linear_sparse_combiner": "mean",
        },
    ),
    Model(*("v2", "LinearRegressor", "delay"), {"weight_column": "weight", "linear_optimizer": "Ftrl"}),
    Model(
        *("v2", "DNNClassifier", "late"),
        {"dnn_hidden_units": [8, 4], "dnn_optimizer": "Adagrad", "dnn_activation_fn": "elu"},
        shared="airports",
    ),
    Model(
        *("v2", "DNNRegressor", "delay"),
        {
            "dnn_hidden_units": [8, 4],
            "weight_column": "weight",
            "batch_norm": True,
            "dnn_optimizer": ["Adagrad", 0.1],
        },
    ),
    Model(
        *("v2", "DNNLinearCombinedClassifier", "grade"),
        {
            "dnn_hidden_units": [6, 4],
            "n_classes": 3,
            "label_vocabulary": rows.GRADES,
            "weight_column": "weight",
            "dnn_optimizer": ["Adagrad", 0.1],
            "linear_optimizer": ["Adagrad", 0.1],
            "linear_sparse_combiner": "sqrtn",
        },
    ),
    Model(
        *("v2", "DNNLinearCombinedRegressor", "delay"),
        {
            "dnn_hidden_units": [6],
            "batch_norm": True,
            "dnn_optimizer": ["Adagrad", 0.1],
            "linear_optimizer": ["Ftrl", 0.05],
        },
        shared="places",
    ),
    Model(
        *("v1", "DNNRegressor", ("delay", "wait")),
        {"dnn_hidden_units": [5], "label_dimension": 2, "weight_column": "weight", "dnn_optimizer": "Adagrad"},
        partitioned=True,
    ),
    Model(
        *("v2", "LinearRegressor", ("delay", "wait")),
        {"label_dimension": 2, "weight_column": "weight", "linear_optimizer": "Ftrl"},
    ),
]


def learning_rates(model: Model, linear_columns: int) -> dict[str, float]:
    """Returns the learning rate of each part: the one that is given, else what Estimator takes."""
    rates = {}
    combined = model.has_linear and model.has_dnn
    if model.has_dnn:
        rates["dnn_optimizer"] = 0.05 if model.generation == "v1" and not combined else 0.001
    if model.has_linear:
        rates["linear_optimizer"] = min(0.005, 1 / math.sqrt(linear_columns)) if combined else 0.2
    given = {part: model.arguments[part] for part in rates if isinstance(model.arguments[part], list)}
    return rates | {part: rate for part, (_, rate) in given.items()}
