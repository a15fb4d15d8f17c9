"""How much columns tell of a label, on rows that the telling was not learned from."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

HELD_OUT = 0.3
"""The share of the rows on which it is judged."""

PRIOR_ROWS = 10.0
"""Rows of the mean that are added to those of each value, so that few rows do not tell much."""

ROUNDS = 5
"""Steps of Newton's method for each column, one after the other, so that each is fitted to what the others leave."""

PAIR_ROWS = 60_000
"""Rows by which pairs of columns are judged; they are many."""

MOST_CLASSES = 10
"""Classes that are told apart; the rarer ones are one."""

_LEAST = 1e-4  # of a probability


@dataclass(frozen=True)
class Target:
    """What is told of: classes, or a number.

    Args:
        values: Whether a row is of a class, `(classes, rows)`, of two classes the second alone; or a number of mean 0
            and variance 1, `(1, rows)`.
        is_class: Which of both.
    """

    values: Array
    is_class: bool

    @classmethod
    def of_classes(cls, codes: Array, classes: int) -> "Target":
        """Returns the target of classes, `(rows,)` from 0 on."""
        if classes == 2:
            return cls(codes[np.newaxis].astype(np.float64), True)
        frequent = np.argsort(-np.bincount(codes, minlength=classes), kind="stable")
        places = np.minimum(np.argsort(frequent, kind="stable"), MOST_CLASSES - 1)[codes]
        return cls((places == np.arange(min(classes, MOST_CLASSES))[:, np.newaxis]).astype(np.float64), True)

    @classmethod
    def of_numbers(cls, numbers: Array) -> "Target":
        """Returns the target of numbers, `(rows,)`, not all alike."""
        return cls(((numbers - numbers.mean()) / numbers.std())[np.newaxis], False)

    @functools.cached_property
    def held_out(self) -> Array:
        """Which rows it is judged on, `(rows,)`; the same for the same number of rows."""
        return np.random.default_rng(0).random(self.values.shape[1]) < HELD_OUT

    def fewer(self, step: int) -> "Target":
        """Returns the target of every `step`-th row."""
        return Target(self.values[:, ::step], self.is_class)


@dataclass(frozen=True)
class Told:
    """What columns tell of a target on the rows held out.

    Args:
        bits: A row; of a number, those of a normal distribution whose variance is as much smaller.
        share: Of what there is to tell: of the entropy of classes, or of the variance of a number.
        rows: Of each row held out, the logarithm of its class's probability to base 2, or minus its squared error.
    """

    bits: float
    share: float
    rows: Array


def told(target: Target, codes: Array) -> Told:
    """Returns what a column tells.

    Args:
        target: Of the rows.
        codes: Of the column's values, `(rows,)`, from 0 on.

    Example:
        >>> target = Target.of_classes(np.arange(400) % 2, 2)
        >>> [abs(round(told(target, np.arange(400) % period).share, 1)) for period in (2, 3)]
        [0.9, 0.0]
    """
    return _judged(target, _fitted(target, [codes]))


def gain(target: Target, first: Array, second: Array) -> tuple[float, float]:
    """Returns the bits a row that the pairs of two columns tell beyond both apart, and the standard error of that.

    Args:
        target: Of the rows.
        first: Codes of a column, `(rows,)`, from 0 on.
        second: Those of another.
    """
    step = max(1, len(first) // PAIR_ROWS)
    target, first, second = target.fewer(step), first[::step], second[::step]
    apart = _fitted(target, [first, second])
    _, pairs = np.unique(first * (second.max() + 1) + second, return_inverse=True)
    one, both = _judged(target, apart), _judged(target, _fitted(target, [pairs], apart))
    difference = both.rows - one.rows
    error = float(difference.std() / np.sqrt(len(difference)))
    if not target.is_class:
        error /= max(-float(both.rows.mean()), _LEAST) * 2 * np.log(2)
    return both.bits - one.bits, error


def _fitted(target: Target, columns: Sequence[Array], start: Array | None = None) -> Array:
    """Returns the logits of each row's classes, or its number: the sum of one effect a column, `(classes, rows)`.

    Args:
        target: Of the rows; those held out are not learned from.
        columns: Codes of each column.
        start: What the effects are added to; None is the mean.
    """
    known = ~target.held_out
    truth, codes = target.values[:, known], [column[known] for column in columns]
    mean = truth.mean(1, keepdims=True)
    logits = np.repeat(_start(mean, target.is_class), len(known), axis=1) if start is None else start
    fitted, effects = logits[:, known], [np.zeros((len(truth), int(column.max()) + 1)) for column in columns]
    prior = PRIOR_ROWS * (mean * (1 - mean) + _LEAST if target.is_class else 1.0)
    for _ in range(ROUNDS if target.is_class or len(columns) > 1 else 1):
        for effect, code in zip(effects, codes, strict=True):
            guess = _probabilities(fitted) if target.is_class else fitted
            curves = guess * (1 - guess) if target.is_class else np.ones_like(guess)
            sizes = effect.shape[1]
            step = (_sums(code, truth - guess, sizes) - prior * effect) / (_sums(code, curves, sizes) + prior)
            if len(truth) > 1:  # the logits of all classes move at once, so that each goes half of its way
                step = step / 2
            step = np.clip(step, -2, 2) if target.is_class else step
            effect += step
            fitted = fitted + step[:, code]
    return np.asarray(logits + sum(effect[:, column] for effect, column in zip(effects, columns, strict=True)))


def _start(mean: Array, is_class: bool) -> Array:
    """Returns the logits of a mean, or the mean of numbers."""
    if not is_class:
        return mean
    return np.log(mean + _LEAST) - (np.log(1 - mean + _LEAST) if len(mean) == 1 else 0)


def _sums(codes: Array, values: Array, size: int) -> Array:
    """Returns the sum of the rows of each code, `(classes, size)`."""
    return np.stack([np.bincount(codes, row, size) for row in values])


def _probabilities(logits: Array) -> Array:
    if len(logits) == 1:
        return np.asarray(1 / (1 + np.exp(-logits)))
    powers = np.exp(logits - logits.max(0))
    return np.asarray(powers / powers.sum(0))


def _judged(target: Target, predicted: Array) -> Told:
    held_out = target.held_out
    truth, guess = target.values[:, held_out], predicted[:, held_out]
    mean = target.values[:, ~held_out].mean(1, keepdims=True)
    if not target.is_class:
        rows = -np.square(truth - guess)[0]
        share = 1 + float(rows.mean()) / float(np.square(truth - mean).mean())
        return Told(-0.5 * float(np.log2(max(1 - share, _LEAST))), share, rows)
    rows, before = (np.log2(np.maximum(_of_label(truth, each), _LEAST)) for each in (_probabilities(guess), mean))
    entropy = -float(before.mean())
    bits = entropy + float(rows.mean())
    return Told(bits, bits / max(entropy, _LEAST), rows)


def _of_label(truth: Array, probabilities: Array) -> Array:
    """Returns the probability of each row's own class, `(rows,)`."""
    found = (truth * probabilities).sum(0)
    return np.asarray(found + (1 - truth[0]) * (1 - probabilities[0]) if len(truth) == 1 else found)
