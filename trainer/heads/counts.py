"""The Keras loss and metrics of heads for counts, which a saved model names."""

from typing import Any

import keras


def counts(logits: Any, mean: float) -> Any:
    """Returns the counts that logits stand for, `mean * exp(logits)`, in float32: float16 ends at logit 11.

    Args:
        logits: Of any shape.
        mean: What a logit of 0 predicts.

    Example:
        >>> counts([[0.0]], mean=20.0).numpy().tolist()
        [[20.0]]
    """
    return mean * keras.ops.exp(keras.ops.cast(keras.ops.convert_to_tensor(logits), "float32"))


@keras.saving.register_keras_serializable("trainer")
class PoissonLoss(keras.losses.Loss):
    """The mean of `exp(logit) - label / mean * logit`: minus the Poisson log likelihood, less what no logit changes.

    Args:
        mean: What a logit of 0 predicts, in the label's unit.
        name: The loss's name.
        reduction: How the losses of the examples become one.
        dtype: Of the computation.

    Source:
        John Nelder and Robert Wedderburn, "Generalized linear models", 1972.

    Example:
        >>> float(PoissonLoss(mean=2.0)([[2.0], [6.0]], [[0.0], [0.0]]))
        1.0
    """

    def __init__(
        self,
        mean: float,
        name: str = "poisson_loss",
        reduction: str = "sum_over_batch_size",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.mean = mean

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Returns the loss of each example, `(batch,)`, from labels and logits."""
        labels = keras.ops.reshape(y_true, keras.ops.shape(y_pred))  # fit gives labels as the data have them: (batch,)
        losses = keras.ops.exp(y_pred) - labels / self.mean * y_pred  # (batch, 1)
        return keras.ops.mean(losses, axis=-1)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments."""
        return {**super().get_config(), "mean": self.mean}


class _RootMeanSquaredError(keras.metrics.RootMeanSquaredError):
    """What the errors of counts have in common: labels and logits of a batch, each `(batch, 1)`, and its weights.

    Args:
        mean: What a logit of 0 predicts, in the label's unit.
        name: The metric's name.
        dtype: Of the computation.
    """

    def __init__(self, mean: float, name: str, dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.mean = mean

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mean": self.mean}


@keras.saving.register_keras_serializable("trainer")
class CountError(_RootMeanSquaredError):
    """The root of the mean squared error of counts, in their unit.

    Example:
        >>> float(CountError(mean=2.0, name="rmse")([[5.0]], [[0.0]]))
        3.0
    """

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes the labels, logits and weights of a batch."""
        super().update_state(y_true, counts(y_pred, self.mean), sample_weight)


@keras.saving.register_keras_serializable("trainer")
class CountErrorOverMean(_RootMeanSquaredError):
    """The root of the mean squared error of counts, divided by the weighted mean of the labels seen.

    Example:
        >>> float(CountErrorOverMean(mean=2.0, name="rmse_over_mean")([[4.0]], [[0.0]]))
        0.5
    """

    def __init__(self, mean: float, name: str, dtype: Any = None) -> None:
        super().__init__(mean, name, dtype)
        self.labels = keras.metrics.Mean("labels", dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes the labels, logits and weights of a batch."""
        super().update_state(y_true, counts(y_pred, self.mean), sample_weight)
        self.labels.update_state(y_true, sample_weight)

    def reset_state(self) -> None:
        """Forgets the batches."""
        super().reset_state()
        self.labels.reset_state()  # a Keras mean resets its own variables alone

    def result(self) -> Any:
        """Returns a share of the mean label; where all labels are 0 there is none."""
        return super().result() / self.labels.result()


@keras.saving.register_keras_serializable("trainer")
class CountLogarithmError(_RootMeanSquaredError):
    """The root of the mean squared difference of the logarithms of 1 + label and 1 + count.

    Example:
        >>> round(float(CountLogarithmError(mean=1.0, name="rmsle")([[3.0]], [[0.0]])), 4)  # ln 4 - ln 2
        0.6931
    """

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes the labels, logits and weights of a batch."""
        labels = keras.ops.log1p(keras.ops.cast(y_true, "float32"))
        super().update_state(labels, keras.ops.log1p(counts(y_pred, self.mean)), sample_weight)
