"""Yes or no."""

from dataclasses import dataclass
from typing import Any

from trainer.heads.head import Head


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
