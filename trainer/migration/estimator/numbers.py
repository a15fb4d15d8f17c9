"""Several numbers of one example, as an Estimator with a `label_dimension` above 1 predicts them."""

import numbers
from dataclasses import dataclass
from typing import Any

import keras

from trainer.errors import Refusal
from trainer.heads import Head


@dataclass(frozen=True)
class NumbersHead(Head):
    """Several numbers: squared error, of each number as of any other; metric `rmse`, over all of them.

    It is for models of `from_estimator` and one's own `fit`: a job reads one label a row.

    Args:
        label_dimension: How many.

    Raises:
        Refusal: It is no whole number above 0.

    Example:
        >>> NumbersHead(2).units
        2
    """

    label_dimension: int

    goals = {"rmse": "min"}

    def __post_init__(self) -> None:
        given = self.label_dimension
        if not isinstance(given, numbers.Integral) or isinstance(given, bool) or given < 1:
            raise Refusal(
                f"NumbersHead: label_dimension is how many numbers a label has, a whole number above 0, not {given!r}."
            )

    @property
    def units(self) -> int:
        """One logit a number."""
        return int(self.label_dimension)

    def loss(self) -> Any:
        """Returns the squared error: the mean over all numbers of a batch, or their sum where its reduction is one."""
        return SquaredErrors()

    def metrics(self) -> list[Any]:
        """Returns the root of the mean squared error."""
        return [keras.metrics.RootMeanSquaredError("rmse")]

    def predictions(self, logits: Any) -> dict[str, Any]:
        """Returns `predictions`, `(batch, label_dimension)`."""
        return {"predictions": logits}


@keras.saving.register_keras_serializable("trainer")
class SquaredErrors(keras.losses.Loss):
    """The squared errors of all numbers of a batch: their mean, or with the reduction "sum" their sum.

    Keras's own takes the mean over the numbers of an example in either case.

    Args:
        name: The loss's name.
        reduction: How the losses of the examples become one.
        dtype: Of the computation.

    Example:
        >>> labels, logits = [[1.0, 2.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 1.0]]
        >>> float(SquaredErrors()(labels, logits)), float(SquaredErrors(reduction="sum")(labels, logits))
        (1.5, 6.0)
    """

    def __init__(self, name: str = "squared_errors", reduction: str = "sum_over_batch_size", dtype: Any = None) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Returns the loss of each example, `(batch,)`, from labels and logits.

        Raises:
            Refusal: A label has not as many numbers as there are logits.
        """
        labels, logits = keras.ops.convert_to_tensor(y_true), keras.ops.convert_to_tensor(y_pred)
        _check(labels, logits)
        squares = keras.ops.square(logits - labels)  # (batch, label_dimension)
        return keras.ops.sum(squares, axis=-1) if self.reduction == "sum" else keras.ops.mean(squares, axis=-1)


def _check(labels: Any, logits: Any) -> None:
    found = 1 if len(labels.shape) < len(logits.shape) else labels.shape[-1]
    if found is not None and found != logits.shape[-1]:  # what is not the same would be repeated silently
        raise Refusal(
            f"NumbersHead: a label has {logits.shape[-1]} numbers here, and one that came has {found}; give labels of "
            f"shape (batch, {logits.shape[-1]}) in your own fit, as a job reads one label a row."
        )
