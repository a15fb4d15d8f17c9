"""A number."""

from dataclasses import dataclass
from typing import Any

from trainer.heads.head import Head


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
