"""What every head says of itself."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from trainer.heads.hidden import Hidden


class Head(ABC):
    """Turns logits into a loss, metrics and predictions.

    A head of one's own is a subclass with the four methods that are abstract. What a head learns from the training rows
    is in the one that `fitted` returns.
    """

    label_vocabulary: Sequence[str] | None = None
    """The texts that labels may be, each of which stands for the number of its place; None where labels are numbers."""

    label_above: float | None = None
    """What labels are above, which are refused where they are not; None takes all."""

    goals: Mapping[str, str] | None = None
    """The names of what `metrics` returns, in its order, each with "max" or "min", for what must do without Keras; None
    asks the metrics themselves."""

    hidden: Hidden | None = None
    """What is hidden of a bag, to be found from the rest: the labels come from there, so a problem names none; None
    hides nothing."""

    @property
    def is_labelled(self) -> bool:
        """Whether examples come with labels, and do not tell them of themselves."""
        return self.hidden is None

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

    def fitted(self, labels: Any, weights: Any) -> "Head":
        """Returns the head with what it learns from the training rows; most learn nothing and are returned as they are.

        Args:
            labels: Of the training rows, an array `(examples, 1)`.
            weights: Of each, an array `(examples, 1)`.

        Raises:
            Refusal: A label is none that the head takes.
        """
        del labels, weights
        return self

    def on(self, model: Any) -> "Head":
        """Returns the head as it is on a model: most are the same on each.

        Args:
            model: The problem's Keras model.
        """
        del model
        return self
