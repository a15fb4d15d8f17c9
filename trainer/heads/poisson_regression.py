"""A count."""

import dataclasses
import math
import numbers
from dataclasses import dataclass
from typing import Any

from trainer.errors import Refusal
from trainer.heads.head import Head


@dataclass(frozen=True)
class PoissonRegressionHead(Head):
    """A count, or a rate, of at least 0: Poisson loss with a log link; metrics `rmse`, `rmse_over_mean` and `rmsle`.

    The prediction is `mean * exp(logit)`, so that a model starts near the mean, whatever the label's unit.

    Args:
        mean: What a logit of 0 predicts, in the label's unit; None is the weighted mean of the training labels, which
            `fitted` learns, and 1 until then.

    Raises:
        Refusal: The mean is not above 0.

    Example:
        >>> import numpy as np
        >>> PoissonRegressionHead().fitted(np.array([[2], [8]]), np.array([[1.0], [3.0]]))
        PoissonRegressionHead(mean=6.5)

    Source:
        John Nelder and Robert Wedderburn, "Generalized linear models", 1972.
    """

    mean: float | None = None

    goals = {"rmse": "min", "rmse_over_mean": "min", "rmsle": "min"}

    def __post_init__(self) -> None:
        is_number = isinstance(self.mean, numbers.Real) and not isinstance(self.mean, bool)
        if self.mean is not None and not (is_number and 0 < self.mean < math.inf):
            raise Refusal(
                f"PoissonRegressionHead: mean is a finite number above 0, in the label's unit, not {self.mean!r}; None "
                "learns it from the training labels."
            )

    @property
    def units(self) -> int:
        """One logit."""
        return 1

    def fitted(self, labels: Any, weights: Any) -> "PoissonRegressionHead":
        """Returns the head with the weighted mean of the training labels, or with its own where it was given one.

        Args:
            labels: Of the training rows, an array `(examples, 1)`.
            weights: Of each, an array `(examples, 1)`.

        Raises:
            Refusal: A label is below 0 or not finite, or the mean is not above 0.
        """
        import numpy as np

        counts = np.asarray(labels, np.float64)  # (examples, 1)
        _check(counts)
        if self.mean is not None:
            return dataclasses.replace(self, mean=float(self.mean))  # a NumPy scalar is nothing for problem.json
        weights = np.broadcast_to(np.asarray(weights, np.float64), counts.shape)
        total = weights.sum()
        mean = float((weights * counts).sum() / total) if total else 0.0
        if not 0 < mean < math.inf:
            raise Refusal(
                f"PoissonRegressionHead: the weighted mean of the {len(counts):,} training labels is {mean:g}, and one "
                "above 0 is wanted; look for rows with a count and a weight above 0 in the data."
            )
        return dataclasses.replace(self, mean=mean)

    def loss(self) -> Any:
        """Returns the Poisson loss: `exp(logit) - label / mean * logit`, the same whatever the label's unit."""
        from trainer.heads.counts import PoissonLoss

        return PoissonLoss(self._unit)

    def metrics(self) -> list[Any]:
        """Returns the root of the mean squared error, the same as a share of the mean label, and that of logarithms."""
        from trainer.heads.counts import CountError, CountErrorOverMean, CountLogarithmError

        return [
            CountError(self._unit, "rmse"),
            CountErrorOverMean(self._unit, "rmse_over_mean"),
            CountLogarithmError(self._unit, "rmsle"),
        ]

    def predictions(self, logits: Any) -> dict[str, Any]:
        """Returns `predictions`, `(batch, 1)`, in the label's unit."""
        from trainer.heads.counts import counts

        return {"predictions": counts(logits, self._unit)}

    @property
    def _unit(self) -> float:
        return 1.0 if self.mean is None else float(self.mean)


def _check(counts: Any) -> None:
    import numpy as np

    finite = np.isfinite(counts)
    below = int((counts[finite] < 0).sum())
    if below or not finite.all():
        raise Refusal(
            f"PoissonRegressionHead: a label is a count or a rate of at least 0; of {counts.size:,} training labels "
            f"{below:,} are below 0 and {counts.size - int(finite.sum()):,} not finite, the smallest is "
            f"{np.fmin.reduce(counts, axis=None):g}; leave such rows out, or give RegressionHead()."
        )
