"""The arguments of the canned Estimators, as a problem and its optimizers."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras

from trainer import optimizers
from trainer.errors import Refusal, nearest
from trainer.feature_column import FeatureColumn
from trainer.heads import BinaryHead, Head, MultiClassHead, RegressionHead
from trainer.migration.columns import from_feature_columns, is_column
from trainer.migration.estimator.numbers import NumbersHead
from trainer.migration.estimator.old_optimizers import optimizer_of
from trainer.models import WIDE
from trainer.problem import AFTER_ACTIVATION, Problem

_LINEAR = {"feature_columns": "linear_feature_columns", "optimizer": "linear_optimizer"}
_LINEAR |= {"sparse_combiner": "linear_sparse_combiner"}
_DNN = {"feature_columns": "dnn_feature_columns", "optimizer": "dnn_optimizer", "hidden_units": "dnn_hidden_units"}
_DNN |= {"activation_fn": "dnn_activation_fn", "dropout": "dnn_dropout"}
ESTIMATORS: Mapping[str, Mapping[str, str]] = {
    f"{kind}{goal}": words
    for kind, words in (("Linear", _LINEAR), ("DNN", _DNN), ("DNNLinearCombined", {}))
    for goal in ("Classifier", "Regressor")
}
"""What each class calls an argument, and what `DNNLinearCombined…` calls it."""

_OF_TRAINING = ("config", "warm_start_from", "partitioner", "input_layer_partitioner")
"""Arguments that say nothing of a trained model."""


@dataclass(frozen=True)
class Arguments:
    """What a canned Estimator is declared with, in the words of `DNNLinearCombinedClassifier` and `…Regressor`.

    Args:
        estimator: The name of its class.
        linear_feature_columns: Of `tf.feature_column`, or ours.
        linear_optimizer: A name, or an optimizer of TensorFlow 1, Keras 2 or Keras 3.
        dnn_feature_columns: As the linear ones.
        dnn_optimizer: As the linear one.
        dnn_hidden_units: Widths of the hidden layers.
        dnn_activation_fn: A function of a tensor, or its name.
        dnn_dropout: The share of a layer's outputs that is dropped in training.
        n_classes: Of a classifier.
        label_dimension: Of a regressor, how many numbers it predicts.
        weight_column: A feature's name, or its numeric column.
        label_vocabulary: The texts of labels.
        loss_reduction: "sum", or "sum_over_batch_size", the mean; None is what the class had by default: the sum in
            `tf.compat.v1.estimator`, the mean in `tf.estimator`.
        batch_norm: Whether hidden layers are normalized.
        linear_sparse_combiner: How weights of several ids are combined.
        bags: Features with any number of values an example, beside those of weighted columns.
    """

    estimator: str
    linear_feature_columns: Sequence[Any] = ()
    linear_optimizer: Any = "Ftrl"
    dnn_feature_columns: Sequence[Any] = ()
    dnn_optimizer: Any = "Adagrad"
    dnn_hidden_units: Sequence[int] = ()
    dnn_activation_fn: Any = "relu"
    dnn_dropout: float | None = None
    n_classes: int = 2
    label_dimension: int = 1
    weight_column: Any = None
    label_vocabulary: Sequence[str] | None = None
    loss_reduction: str | None = None
    batch_norm: bool = False
    linear_sparse_combiner: str = "sum"
    bags: Sequence[str] | Mapping[str, str] = ()

    @property
    def is_classifier(self) -> bool:
        """Whether it tells classes, and not numbers."""
        return self.estimator.endswith("Classifier")

    def problem(self, is_of_version_1: bool) -> Problem:
        """Returns the problem whose model is that of the Estimator.

        Args:
            is_of_version_1: Whether the Estimator was one of `tf.compat.v1`, which sums losses by default.

        Raises:
            Refusal: An argument has no counterpart here.
        """
        linear: list[Any] = _ours(self.linear_feature_columns)
        dnn: list[Any] = _ours(self.dnn_feature_columns)
        by_default = "sum" if is_of_version_1 else "sum_over_batch_size"
        is_summed = (self.loss_reduction or by_default).lower() == "sum"
        return Problem(
            dataset=None,
            dnn_feature_columns=dnn,
            linear_feature_columns=linear,
            dnn_hidden_units=tuple(self.dnn_hidden_units),
            head=self._head(),
            dnn_activation_fn=_activation(self.dnn_activation_fn),
            dnn_dropout=self.dnn_dropout,
            batch_norm=AFTER_ACTIVATION if self.batch_norm else False,
            batch_norm_momentum=0.999,
            loss_reduction="sum" if is_summed else "mean",
            linear_sparse_combiner=self.linear_sparse_combiner,
            weight_column=_weight(self.weight_column),
            bags=self.bags,
            name="from_estimator",
        )

    def optimizer(self, model: keras.Model, is_of_version_1: bool) -> keras.optimizers.Optimizer:
        """Returns the optimizer of the model, one for each of its parts where it has two.

        Args:
            model: Of the problem.
            is_of_version_1: Whether the Estimator was one of `tf.compat.v1`, whose learning rates by default differ.

        Raises:
            Refusal: What is given is no optimizer that can be translated.
        """
        rates = self._rates(is_of_version_1)
        owners = (("dnn_optimizer", self.dnn_feature_columns), ("linear_optimizer", self.linear_feature_columns))
        parts = [
            optimizer_of(getattr(self, name), rates[name], f"from_estimator: {name}")
            for name, columns in owners
            if columns
        ]
        if len(parts) == 1:
            return parts[0]
        dnn, linear = parts
        if linear is dnn:  # each keeps what it notes of its own part
            linear = type(dnn).from_config(dnn.get_config())
        return optimizers.Parts(dnn, {WIDE: linear})

    def _rates(self, is_of_version_1: bool) -> dict[str, float | None]:
        """Returns the learning rates of optimizers that are given by name; None is the optimizer's own."""
        if self.estimator.startswith("DNNLinearCombined"):
            linear = min(0.005, 1 / math.sqrt(max(len(self.linear_feature_columns), 1)))
            return {"dnn_optimizer": 0.001, "linear_optimizer": linear}
        return {"dnn_optimizer": 0.05 if is_of_version_1 else None, "linear_optimizer": 0.2}

    def _head(self) -> Head:
        names = self.label_vocabulary
        if not self.is_classifier:
            return RegressionHead() if self.label_dimension == 1 else NumbersHead(self.label_dimension)
        if self.n_classes == 2:
            return BinaryHead(label_vocabulary=names)
        return MultiClassHead(self.n_classes, label_vocabulary=names)


def taken(estimator: str | None, given: Mapping[str, Any]) -> Arguments:
    """Returns arguments as a class of canned Estimators takes them.

    Args:
        estimator: The name of the class; None is `DNNLinearCombinedRegressor` where there is a `label_dimension`, else
            `DNNLinearCombinedClassifier`.
        given: By name, in the words of the class or of `DNNLinearCombined…`.

    Raises:
        Refusal: There is no such class or argument, or no column.

    Example:
        >>> taken("DNNRegressor", {"hidden_units": [8], "feature_columns": [...]}).dnn_hidden_units
        [8]
    """
    if estimator is None:
        estimator = f"DNNLinearCombined{'Regressor' if 'label_dimension' in given else 'Classifier'}"
    if estimator not in ESTIMATORS:
        ending = nearest(estimator, ESTIMATORS) or f"; there are {', '.join(ESTIMATORS)}."
        raise Refusal(f"from_estimator: there is no Estimator '{estimator}'{ending}")
    words = ESTIMATORS[estimator]
    others = {"label_dimension"} if estimator.endswith("Classifier") else {"n_classes", "label_vocabulary"}
    known = {field.name for field in dataclasses.fields(Arguments)} - {"estimator", *others}
    found = {words.get(name, name): value for name, value in given.items() if name not in _OF_TRAINING}
    for name in found:
        if name not in known:
            own = {*words, *(each for each in known if not (words and each.startswith(("dnn_", "linear_"))))}
            ending = nearest(name, own) or f"; it has {', '.join(sorted(own))}."
            raise Refusal(f"from_estimator: {estimator} has no argument '{name}'{ending}")
    # Estimators take None for what is not there.
    columns = {name: value or () for name, value in found.items() if name.endswith(("columns", "units"))}
    arguments = Arguments(estimator, **{**found, **columns})
    if not [*arguments.linear_feature_columns, *arguments.dnn_feature_columns]:
        raise Refusal("from_estimator: give linear_feature_columns, dnn_feature_columns or both, as the Estimator had.")
    return arguments


def _ours(columns: Sequence[Any]) -> list[FeatureColumn]:
    """Returns columns of either kind as ours, in their order; those that share a table still do."""
    theirs = [column for column in columns if is_column(column)]
    made = iter(from_feature_columns(theirs) if theirs else [])
    return [next(made) if is_column(column) else column for column in columns]


def _activation(given: Any) -> Any:
    """Returns a function as Keras 3 knows it by name, where it does: one that is saved by its name."""
    name = getattr(given, "__name__", None)
    is_known = str(getattr(given, "__module__", "")).startswith(("tensorflow", "keras", "tf_keras"))
    return name if is_known and hasattr(keras.activations, str(name)) else given


def _weight(given: Any) -> str | None:
    if given is None or isinstance(given, str):
        return given
    column: Any = _ours([given])[0]
    if getattr(column, "normalizer_fn", None) is not None:
        raise Refusal(
            f"from_estimator: weight_column '{column.key}' has a normalizer_fn; give the feature of the weights as "
            "they are to be used, by its name."
        )
    return str(column.key)
