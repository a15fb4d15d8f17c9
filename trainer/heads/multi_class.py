"""One of several classes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from trainer.errors import Refusal
from trainer.heads import classes
from trainer.heads.head import Head


@dataclass(frozen=True)
class MultiClassHead(Head):
    """One of `num_classes`, labels in `[0, num_classes)`: softmax and log loss; metric `accuracy`.

    Args:
        num_classes: How many there are.
        label_vocabulary: Their names in the order of their numbers, where the labels are texts; those of files are
            read as texts then. Labels of another data set that are numbers stay the numbers of their classes.

    Raises:
        Refusal: There are fewer than two classes, or not as many names.

    Example:
        >>> MultiClassHead(num_classes=10).units
        10
        >>> MultiClassHead(3, label_vocabulary=["setosa", "versicolor", "virginica"]).units
        3
    """

    num_classes: int
    label_vocabulary: Sequence[str] | None = field(default=None, kw_only=True)

    goals = {"accuracy": "max"}

    def __post_init__(self) -> None:
        if self.num_classes < 2:
            raise Refusal(f"MultiClassHead: num_classes must be at least 2, not {self.num_classes}.")
        classes.check("MultiClassHead", self.label_vocabulary, self.num_classes)

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
        """Returns `logits` and `probabilities`, `(batch, num_classes)`, and `classes`, `(batch,)`.

        These are numbers, or where classes have names, the names; the numbers are `class_ids` then.
        """
        import keras

        ids = keras.ops.argmax(logits, axis=-1)
        found = {"logits": logits, "probabilities": keras.ops.softmax(logits)}
        if self.label_vocabulary is None:
            return {**found, "classes": ids}
        return {**found, "class_ids": ids, "classes": classes.named(ids, self.label_vocabulary)}
