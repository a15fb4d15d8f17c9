"""What a model is asked for: a number, yes or no, or one of several classes; Keras is imported when a head is used."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from trainer.errors import Refusal


class Head(ABC):
    """Turns logits into a loss, metrics and predictions. A head of one's own is a subclass with these four methods."""

    @property
    @abstractmethod
    def units(self) -> int:
        """The number of logits of one example."""

    @abstractmethod
    def loss(self) -> Any:
        """Returns a Keras loss of labels `(batch, 1)` and logits `(batch, units)`, the mean over examples."""

    @abstractmethod
    def metrics(self) -> list[Any]:
        """Returns new Keras metrics of labels `(batch, 1)` and logits `(batch, units)`."""

    @abstractmethod
    def predictions(self, logits: Any) -> dict[str, Any]:
        """Returns what the exported model answers, each of shape `(batch, …)`, from logits `(batch, units)`."""


@dataclass(frozen=True)
class BinaryHead(Head):
    """Yes or no: sigmoid and log loss; metrics `auc` and `accuracy`.

    The area under the curve is taken at 2,000 thresholds of the probability.

    Example:
        >>> BinaryHead().units
        1
    """

    @property
    def units(self) -> int:
        """One logit."""
        return 1

    def loss(self) -> Any:
        """Returns the log loss, in nats."""
        import keras

        return keras.losses.BinaryCrossentropy(from_logits=True)

    def metrics(self) -> list[Any]:
        """Returns the area under the ROC curve and the share of right answers at probability one half."""
        import keras

        return [
            keras.metrics.AUC(num_thresholds=2000, from_logits=True, name="auc"),
            keras.metrics.BinaryAccuracy(threshold=0.0, name="accuracy"),
        ]

    def predictions(self, logits: Any) -> dict[str, Any]:
        """Returns `logits` and `probabilities`, each `(batch, 1)`."""
        import keras

        return {"logits": logits, "probabilities": keras.ops.sigmoid(logits)}


@dataclass(frozen=True)
class MultiClassHead(Head):
    """One of `num_classes`, labels in `[0, num_classes)`: softmax and log loss; metric `accuracy`.

    Example:
        >>> MultiClassHead(num_classes=10).units
        10
    """

    num_classes: int

    def __post_init__(self) -> None:
        if self.num_classes < 2:
            raise Refusal(f"MultiClassHead: num_classes must be at least 2, not {self.num_classes}.")

    @property
    def units(self) -> int:
        """One logit a class."""
        return self.num_classes

    def loss(self) -> Any:
        """Returns the log loss, in nats."""
        import keras

        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def metrics(self) -> list[Any]:
        """Returns the share of right classes."""
        import keras

        return [keras.metrics.SparseCategoricalAccuracy(name="accuracy")]

    def predictions(self, logits: Any) -> dict[str, Any]:
        """Returns `logits` and `probabilities`, `(batch, num_classes)`, and `classes`, `(batch,)`."""
        import keras

        return {
            "logits": logits,
            "probabilities": keras.ops.softmax(logits),
            "classes": keras.ops.argmax(logits, axis=-1),
        }


@dataclass(frozen=True)
class RegressionHead(Head):
    """A number: squared error; metric `rmse`, in the label's unit.

    Example:
        >>> RegressionHead().units
        1
    """

    @property
    def units(self) -> int:
        """One logit."""
        return 1

    def loss(self) -> Any:
        """Returns the mean squared error."""
        import keras

        return keras.losses.MeanSquaredError()

    def metrics(self) -> list[Any]:
        """Returns the root of the mean squared error."""
        import keras

        return [keras.metrics.RootMeanSquaredError(name="rmse")]

    def predictions(self, logits: Any) -> dict[str, Any]:
        """Returns `predictions`, `(batch, 1)`."""
        return {"predictions": logits}
