"""One of several classes."""

from dataclasses import dataclass
from typing import Any

from trainer.errors import Refusal
from trainer.heads.head import Head


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
