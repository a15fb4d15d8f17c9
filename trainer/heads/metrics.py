"""The Keras loss and metrics of heads for numbers, which a saved model names."""

from typing import Any

import keras

OCTAVES, PER_OCTAVE = 128, 1024
"""Powers of two that errors are told apart in, and in how many parts each: two errors of a part are 0.07 % apart."""


def logits_of(labels: Any, mean: float, scale: float, log: bool = False) -> Any:
    """Returns the logits that stand for labels, in float32: half precision ends at 65,504.

    Args:
        labels: Of any shape.
        mean: What a logit of 0 stands for, of labels, or of their logarithms.
        scale: How much more a logit of 1 stands for.
        log: Whether the logarithm of a label is learned.

    Example:
        >>> logits_of([[100.0]], mean=90.0, scale=20.0).numpy().tolist()
        [[0.5]]
    """
    known = keras.ops.cast(keras.ops.convert_to_tensor(labels), "float32")
    return ((keras.ops.log(known) if log else known) - mean) / scale


def numbers_of(logits: Any, mean: float, scale: float, log: bool = False) -> Any:
    """Returns the numbers that logits stand for, in the label's own unit.

    Args:
        logits: Of any shape.
        mean: What a logit of 0 stands for, of labels, or of their logarithms.
        scale: How much more a logit of 1 stands for.
        log: Whether the logarithm of a label is learned; the numbers are then in float32, as float16 ends early.

    Example:
        >>> numbers_of([[0.5]], mean=90.0, scale=20.0).numpy().tolist()
        [[100.0]]
    """
    if not log:
        return mean + scale * keras.ops.convert_to_tensor(logits)
    return keras.ops.exp(mean + scale * keras.ops.cast(keras.ops.convert_to_tensor(logits), "float32"))


@keras.saving.register_keras_serializable("trainer")
class ScaledSquaredError(keras.losses.Loss):
    """The squared error of logits that stand for `mean + scale * logit`, in units of `scale` squared.

    Args:
        mean: What a logit of 0 predicts.
        scale: How much more a logit of 1 predicts.
        log: Whether what is predicted is the logarithm of the label.
        huber: From how many times `scale` on an error costs linearly; None squares all.
        name: The loss's name.
        reduction: How the losses of the examples become one.
        dtype: Of the computation.

    Source:
        Peter Huber, "Robust estimation of a location parameter", 1964, for what is linear; it costs twice what he has.

    Example:
        >>> float(ScaledSquaredError(mean=100.0, scale=10.0)([[120.0]], [[1.0]]))
        1.0
    """

    def __init__(
        self,
        mean: float,
        scale: float,
        log: bool = False,
        huber: float | None = None,
        name: str = "scaled_squared_error",
        reduction: str = "sum_over_batch_size",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.mean, self.scale, self.log, self.huber = mean, scale, log, huber

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Returns the loss of each example, `(batch,)`, from labels and logits."""
        logits = keras.ops.convert_to_tensor(y_pred)
        known = keras.ops.cast(logits_of(y_true, self.mean, self.scale, self.log), logits.dtype)
        errors = logits - keras.ops.reshape(known, keras.ops.shape(logits))  # (batch, 1)
        costs = keras.ops.square(errors)
        if self.huber is not None:
            far = keras.ops.abs(errors)
            costs = keras.ops.where(far <= self.huber, costs, self.huber * (2 * far - self.huber))
        return keras.ops.mean(costs, axis=-1)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments."""
        own = {"mean": self.mean, "scale": self.scale, "log": self.log, "huber": self.huber}
        return {**super().get_config(), **own}


class _OfNumbers(keras.metrics.Metric):
    """What metrics of numbers have in common.

    Args:
        mean: What a logit of 0 predicts.
        scale: How much more a logit of 1 predicts.
        name: The metric's name.
        log: Whether what is predicted is the logarithm of the label.
        dtype: Of the computation.
    """

    def __init__(self, mean: float, scale: float, name: str, log: bool = False, dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.mean, self.scale, self.log = mean, scale, log
        self._direction = "down"  # as Keras's own metrics say which way is better

    def both(self, labels: Any, logits: Any) -> tuple[Any, Any]:
        """Returns the logits that stand for labels, and those of a model, each `(batch, 1)`."""
        found = keras.ops.convert_to_tensor(logits, self.dtype)
        known = keras.ops.cast(logits_of(labels, self.mean, self.scale, self.log), self.dtype)
        return keras.ops.reshape(known, keras.ops.shape(found)), found

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mean": self.mean, "scale": self.scale, "log": self.log}


@keras.saving.register_keras_serializable("trainer")
class ScaledError(_OfNumbers):
    """The root of the mean squared error of logits that stand for `mean + scale * logit`, in the unit of these.

    Example:
        >>> float(ScaledError(mean=100.0, scale=10.0, name="rmse")([[120.0]], [[1.0]]))
        10.0
    """

    def __init__(self, mean: float, scale: float, name: str, log: bool = False, dtype: Any = None) -> None:
        super().__init__(mean, scale, name, log, dtype)
        self.squares = keras.metrics.Mean("squares", dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes the labels, logits and weights of a batch."""
        known, found = self.both(y_true, y_pred)
        self.squares.update_state(keras.ops.square(found - known), sample_weight)

    def reset_state(self) -> None:
        """Forgets the batches."""
        self.squares.reset_state()

    def result(self) -> Any:
        """Returns the error."""
        return self.scale * keras.ops.sqrt(self.squares.result())


@keras.saving.register_keras_serializable("trainer")
class DeterminationShare(ScaledError):
    """The share of the variance of the labels that predictions tell, weighted: 1 is all, 0 what their mean tells.

    Source:
        Sewall Wright, "Correlation and causation", 1921.

    Example:
        >>> metric = DeterminationShare(mean=0.0, scale=1.0, name="r2")
        >>> float(metric([[1.0], [3.0]], [[1.0], [3.0]])), float(metric([[1.0], [3.0]], [[2.0], [2.0]]))
        (1.0, 0.5)
    """

    def __init__(self, mean: float, scale: float, name: str, log: bool = False, dtype: Any = None) -> None:
        super().__init__(mean, scale, name, log, dtype)
        self._direction = "up"
        self.labels = keras.metrics.Mean("labels", dtype)
        self.label_squares = keras.metrics.Mean("label_squares", dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes the labels, logits and weights of a batch."""
        super().update_state(y_true, y_pred, sample_weight)
        # Near 0 and 1 where the head knows their mean and scale, so that little is lost where squares are subtracted.
        known, _ = self.both(y_true, y_pred)
        self.labels.update_state(known, sample_weight)
        self.label_squares.update_state(keras.ops.square(known), sample_weight)

    def reset_state(self) -> None:
        """Forgets the batches."""
        super().reset_state()
        self.labels.reset_state()
        self.label_squares.reset_state()

    def result(self) -> Any:
        """Returns the share; where all labels are alike there is none."""
        variance = self.label_squares.result() - keras.ops.square(self.labels.result())
        return keras.ops.where(variance > 0, 1.0 - self.squares.result() / variance, float("nan"))


@keras.saving.register_keras_serializable("trainer")
class MedianAbsoluteError(_OfNumbers):
    """The median of how far predictions are from labels, weighted, in the label's own unit, to within 0.04 %.

    Errors are counted in parts of powers of two, from 2^-64 to 2^64, so that those of any number of batches, and of
    several machines, take half a megabyte; a smaller error counts as none.

    Example:
        >>> metric = MedianAbsoluteError(mean=0.0, scale=1.0, name="median_absolute_error")
        >>> round(float(metric([[1.0], [2.0], [300.0]], [[1.5], [4.0], [0.0]])), 2)
        2.0
    """

    def __init__(self, mean: float, scale: float, name: str, log: bool = False, dtype: Any = None) -> None:
        super().__init__(mean, scale, name, log, dtype)
        self.often = self.add_variable((OCTAVES * PER_OCTAVE + 1,), "zeros", name="often")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes the labels, logits and weights of a batch."""
        guesses = keras.ops.reshape(numbers_of(y_pred, self.mean, self.scale, self.log), [-1])
        known = keras.ops.cast(keras.ops.reshape(keras.ops.convert_to_tensor(y_true), [-1]), "float32")
        errors = keras.ops.abs(keras.ops.cast(guesses, "float32") - known)  # (batch,)
        # The part of the octave that an error is in, counted from 1; 0 is no error.
        parts = keras.ops.floor((keras.ops.log2(errors) + OCTAVES / 2) * PER_OCTAVE) + 1
        places = keras.ops.cast(keras.ops.clip(parts, 0, OCTAVES * PER_OCTAVE), "int32")
        weights = keras.ops.ones_like(errors) if sample_weight is None else sample_weight
        weights = keras.ops.cast(keras.ops.reshape(keras.ops.convert_to_tensor(weights), [-1]), self.often.dtype)
        self.often.assign_add(keras.ops.segment_sum(weights, places, self.often.shape[0]))

    def result(self) -> Any:
        """Returns the error; that of nothing is 0."""
        until = keras.ops.cumsum(self.often)
        half = until[-1] / 2
        lower = keras.ops.sum(keras.ops.cast(until < half, "int32"))
        upper = keras.ops.sum(keras.ops.cast(until <= half, "int32"))  # the next, where half of the weight ends before
        return keras.ops.where(half > 0, (_middle(lower) + _middle(upper)) / 2, 0.0)


def _middle(place: Any) -> Any:
    """Returns the middle of the part of an octave that has a place."""
    exponent = (keras.ops.cast(place, "float32") - 0.5) / PER_OCTAVE - OCTAVES / 2
    return keras.ops.where(place > 0, keras.ops.power(2.0, exponent), 0.0)
