"""A number."""

import dataclasses
import math
import numbers
from dataclasses import dataclass, field
from typing import Any

from trainer.errors import Refusal
from trainer.heads.head import Head


@dataclass(frozen=True)
class RegressionHead(Head):
    """A number: squared error; metrics `rmse` and `r2`, the share of the variance told, and `median_absolute_error`.

    The prediction is `mean + scale * logit`. Where labels are far from 0, or from being about 1 apart, their mean and
    standard deviation spare the model the way there. Of what is as often half as twice of what is usual, as prices are,
    the logarithm is learned: the prediction is then `exp(mean + scale * logit)`.

    Args:
        mean: What a logit of 0 predicts, in the label's unit, or with `log` as a logarithm. None is 0, or with `log`
            the weighted mean of the logarithms of the training labels, which `fitted` learns.
        scale: How much more a logit of 1 predicts; the loss is in its square. None is 1, or with `log` their standard
            deviation.
        log: Whether the natural logarithm of the label, which is above 0, is learned. Of it are `rmse` and `r2`;
            predictions and `median_absolute_error` are in the label's own unit.
        huber: From how many times `scale` on an error costs linearly and no longer as its square, so that a few labels
            far from all others do not lead; None squares all. Metrics stay as they are.

    Raises:
        Refusal: One of them is not finite, or the scale or `huber` not above 0.

    Example:
        >>> RegressionHead(mean=150.0, scale=80.0).predictions(0.5)["predictions"].numpy().tolist()
        190.0
    """

    mean: float | None = None
    scale: float | None = None
    log: bool = field(default=False, kw_only=True)
    huber: float | None = field(default=None, kw_only=True)

    goals = {"rmse": "min", "r2": "max", "median_absolute_error": "min"}

    def __post_init__(self) -> None:
        for name in ("mean", "scale"):
            value = getattr(self, name)
            is_number = isinstance(value, numbers.Real) and not isinstance(value, bool) and math.isfinite(value)
            if value is not None and (not is_number or (name == "scale" and value <= 0)):
                above = " above 0" if name == "scale" else ""
                unit = "of the label's logarithm" if self.log else "in the label's unit"
                raise Refusal(f"RegressionHead: {name} is a finite number{above}, {unit}, not {value!r}.")
        if self.huber is not None and not 0 < self.huber < math.inf:
            raise Refusal(f"RegressionHead: huber is a finite number above 0, of times the scale, not {self.huber!r}.")

    @property
    def units(self) -> int:
        """One logit."""
        return 1

    @property
    def label_above(self) -> float | None:  # type: ignore[override]  # it follows from the arguments
        """0 where the logarithm is learned."""
        return 0.0 if self.log else None

    def fitted(self, labels: Any, weights: Any) -> "RegressionHead":
        """Returns the head with the mean and scale of the training labels' logarithms, where it has none of its own.

        Args:
            labels: Of the training rows, an array `(examples, 1)`.
            weights: Of each, an array `(examples, 1)`.

        Raises:
            Refusal: The logarithm is learned, and a label is not above 0 or not finite.
        """
        import numpy as np

        if not self.log:
            return self
        mean, scale = self._scaling
        known = np.asarray(labels, np.float64)  # (examples, 1)
        _check(known)
        weights = np.broadcast_to(np.asarray(weights, np.float64), known.shape)
        if weights.sum() > 0:
            logs = np.log(known)
            mean = float(np.average(logs, weights=weights)) if self.mean is None else mean
            spread = float(np.sqrt(np.average((logs - mean) ** 2, weights=weights)))
            scale = (spread or 1.0) if self.scale is None else scale
        return dataclasses.replace(self, mean=mean, scale=scale)

    def loss(self) -> Any:
        """Returns the mean squared error, or with `huber` what is nearly that, in units of `scale` squared."""
        import keras

        from trainer.heads.metrics import ScaledSquaredError

        if self._is_plain and self.huber is None:
            return keras.losses.MeanSquaredError()
        return ScaledSquaredError(*self._scaling, self.log, self.huber)

    def metrics(self) -> list[Any]:
        """Returns the root of the mean squared error, the share of the variance told, and the median error."""
        from trainer.heads.metrics import DeterminationShare, MedianAbsoluteError, ScaledError

        kinds = zip((ScaledError, DeterminationShare, MedianAbsoluteError), self.goals, strict=True)
        return [kind(*self._scaling, name, self.log) for kind, name in kinds]

    def predictions(self, logits: Any) -> dict[str, Any]:
        """Returns `predictions`, `(batch, 1)`, in the label's unit."""
        from trainer.heads.metrics import numbers_of

        return {"predictions": logits if self._is_plain else numbers_of(logits, *self._scaling, self.log)}

    def logits_of(self, labels: Any) -> Any:
        """Returns the logits that predict some labels, an array of their shape."""
        import numpy as np

        mean, scale = self._scaling
        known = np.asarray(labels, np.float64)
        return ((np.log(known) if self.log else known) - mean) / scale

    @property
    def _scaling(self) -> tuple[float, float]:
        return (0.0 if self.mean is None else float(self.mean), 1.0 if self.scale is None else float(self.scale))

    @property
    def _is_plain(self) -> bool:
        return self._scaling == (0.0, 1.0) and not self.log


def _check(labels: Any) -> None:
    import numpy as np

    finite = np.isfinite(labels)
    below = int((labels[finite] <= 0).sum())
    if below or not finite.all():
        raise Refusal(
            f"RegressionHead: with log=True a label is above 0; of {labels.size:,} training labels {below:,} are not "
            f"and {labels.size - int(finite.sum()):,} are not finite, the smallest is "
            f"{np.fmin.reduce(labels, axis=None):g}; leave such rows out, or leave log=True out."
        )
