"""A number."""

import math
import numbers
from dataclasses import dataclass
from typing import Any

from trainer.errors import Refusal
from trainer.heads.head import Head


@dataclass(frozen=True)
class RegressionHead(Head):
    """A number: squared error; metrics `rmse`, in the label's unit, and `r2`, the share of its variance that is told.

    The prediction is `mean + scale * logit`. Where labels are far from 0, or from being about 1 apart, their mean and
    standard deviation spare the model the way there.

    Args:
        mean: What a logit of 0 predicts, in the label's unit.
        scale: How much more a logit of 1 predicts; the loss is in its square.

    Raises:
        Refusal: One of them is not finite, or the scale not above 0.

    Example:
        >>> RegressionHead(mean=150.0, scale=80.0).predictions(0.5)
        {'predictions': 190.0}
    """

    mean: float = 0.0
    scale: float = 1.0

    goals = {"rmse": "min", "r2": "max"}

    def __post_init__(self) -> None:
        for name in ("mean", "scale"):
            value = getattr(self, name)
            is_number = isinstance(value, numbers.Real) and not isinstance(value, bool) and math.isfinite(value)
            if not is_number or (name == "scale" and value <= 0):
                above = " above 0" if name == "scale" else ""
                raise Refusal(f"RegressionHead: {name} is a finite number{above}, in the label's unit, not {value!r}.")

    @property
    def units(self) -> int:
        """One logit."""
        return 1

    def loss(self) -> Any:
        """Returns the mean squared error, in units of `scale` squared."""
        import keras

        from trainer.heads.metrics import ScaledSquaredError

        return keras.losses.MeanSquaredError() if self._is_plain else ScaledSquaredError(self.mean, self.scale)

    def metrics(self) -> list[Any]:
        """Returns the root of the mean squared error, and the share of the variance that the predictions tell."""
        from trainer.heads.metrics import DeterminationShare, ScaledError

        return [ScaledError(self.mean, self.scale, "rmse"), DeterminationShare(self.mean, self.scale, "r2")]

    def predictions(self, logits: Any) -> dict[str, Any]:
        """Returns `predictions`, `(batch, 1)`, in the label's unit."""
        return {"predictions": logits if self._is_plain else self.mean + self.scale * logits}

    @property
    def _is_plain(self) -> bool:
        return self.mean == 0 and self.scale == 1
