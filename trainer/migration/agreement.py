"""Logits of two models held against each other on a person's own rows: how far apart, where, and by which column."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from trainer.errors import Refusal, nearest
from trainer.feature_column import FeatureColumn
from trainer.migration.agreement_report import Agreement
from trainer.migration.blame import Kept, told_apart
from trainer.migration.logits import WHO, Both, Side
from trainer.migration.rows import as_tensors, batch_of
from trainer.terminal import listed

BATCH = 4096
"""The most rows that a model is given at once."""


def held_against(
    theirs: Side,
    ours: Side,
    features: Mapping[str, Any] | Iterable[Mapping[str, Any]],
    columns: Sequence[FeatureColumn],
    *,
    compared: str = "logits",
    tolerance: float = 1e-5,
) -> Agreement:
    """Returns how far the logits of two models are apart on the same rows, and which columns they differ by.

    A column is told apart by rows in which its raw features alone are those of rows that differ most, and all others
    those of a few rows on which the models agree. Features that go together, such as values and their weights, stay
    together. All of that takes, beside the rows themselves, a thousand rows a column, and where they differ a feature.

    Args:
        theirs: Of the old model, as `OldExport.logits`.
        ours: Of the new one.
        features: Raw features by key of all rows, or batch after batch of them; memory holds one batch.
        columns: Ours of the new model.
        compared: What both sides give, in words.
        tolerance: How far logits may be apart, and how far in shares of themselves where they are above 1.

    Raises:
        Refusal: There are no rows, a column reads a feature that is not there, or the sides give logits of two shapes.

    Example:
        >>> import tensorflow as tf
        >>> from trainer import feature_column as fc
        >>> def ours(features):
        ...     return features["hour"][:, None] / 10
        >>> def theirs(features):
        ...     return (features["hour"][:, None] + features["late"][:, None]) / 10
        >>> rows = {"hour": tf.constant([1.0, 2.0]), "late": tf.constant([0.0, 3.0])}
        >>> found = held_against(theirs, ours, rows, [fc.numeric_column("hour"), fc.numeric_column("late")])
        >>> print(str(found).splitlines()[0])
        2 rows: logits differ by up to 0.3, in 1 row by more than 1e-05; to blame: column late.
    """
    both, kept = Both(theirs, ours, tolerance), Kept()
    for part in _parts(features):
        _check_keys(part, columns)
        kept.add(part, both(part))
    if kept.worst is None:
        raise Refusal(f"{WHO}: there are no rows to compare; give at least one.")
    found, blamed = told_apart(both, kept, columns)
    differences, over = np.concatenate(kept.differences), np.concatenate(kept.over)
    return Agreement(compared, tolerance, differences, over, kept.worst, found, blamed)


def _parts(features: Mapping[str, Any] | Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for batch in [features] if isinstance(features, Mapping) else features:
        tensors = as_tensors(batch)
        rows = batch_of(next(iter(tensors.values()))) if tensors else 0
        for start in range(0, rows, BATCH):
            yield {key: values[start : start + BATCH] for key, values in tensors.items()}


def _check_keys(features: Mapping[str, Any], columns: Sequence[FeatureColumn]) -> None:
    for column in columns:
        for key in column.raw_features:
            if key not in features:
                told = nearest(key, features) or f"; there are {listed(sorted(features))}."
                raise Refusal(f"{WHO}: feature '{key}' is wanted by column '{column.name}' and is not there{told}")
