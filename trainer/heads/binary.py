"""Yes or no."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from trainer.heads import classes
from trainer.heads.head import Head


@dataclass(frozen=True)
class BinaryHead(Head):
    """Yes or no: sigmoid and log loss; metrics `auc` and `accuracy`.

    The area under the curve is taken at 2,000 thresholds of the probability.

    Args:
        label_vocabulary: The names of no and of yes, where the labels are texts.

    Raises:
        Refusal: These are not two names.

    Example:
        >>> BinaryHead(label_vocabulary=["<=50K", ">50K"]).units
        1
    """

    label_vocabulary: Sequence[str] | None = field(default=None, kw_only=True)

    goals = {"auc": "max", "accuracy": "max"}

    def __post_init__(self) -> None:
        classes.check("BinaryHead", self.label_vocabulary, 2)

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
        """Returns `logits` and `probabilities`, of a yes, each `(batch, 1)`.

        Where classes have names, also `class_ids` and these names, `classes`, each `(batch,)`.
        """
        import keras

        found = {"logits": logits, "probabilities": keras.ops.sigmoid(logits)}
        if self.label_vocabulary is None:
            return found
        ids = keras.ops.cast(logits[:, 0] > 0, "int64")
        return {**found, "class_ids": ids, "classes": classes.named(ids, self.label_vocabulary)}
