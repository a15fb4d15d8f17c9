"""Both sides of each column on a person's own rows."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from trainer.errors import Refusal
from trainer.migration.columns import SHARED, columns_of, from_feature_columns, table_of
from trainer.migration.differences import keys_of, reason
from trainer.migration.report import Comparison, Parity, alike
from trainer.migration.rows import batch_of, first_rows, row_of, tensors_of
from trainer.migration.sides import Run, Sides, sides_of


def check_parity(columns: Any, features: Any) -> Parity:
    """Runs columns of `tf.feature_column` and ours of the same declaration on the same rows, and compares.

    Ids are compared bit for bit; numbers to 1e-6, and near zero to 1e-5, for a sum in another order is rounded
    otherwise. Embeddings have the same values in both tables: where a table starts from is not compared. TensorFlow's
    side needs `tf_keras`.

    Args:
        columns: One column of `tf.feature_column`, or any iterable of them.
        features: Raw features by key, `(rows,)` or `(rows, values)`: arrays, lists or tensors, dense, ragged or sparse.

    Returns:
        One `Comparison` a column: equal, or the first row that differs, with its raw values, both outputs, and why.
        It prints as a table.

    Raises:
        Refusal: Something is no column of `tf.feature_column`, the features lack a key that a column reads, or
            `tf_keras` is not installed.

    Example:
        >>> import tensorflow as tf
        >>> hour = tf.feature_column.categorical_column_with_identity("hour", 24)
        >>> check_parity(hour, {"hour": [8, 17]}).equal
        True
    """
    found = columns_of("check_parity", columns)
    _check_oracle()
    wanted = {key: column.name for column in found for key in keys_of(column)}
    features = tensors_of(features, wanted)
    rows = batch_of(next(iter(features.values()))) if features else 0
    comparisons = tuple(_compared(column, _ours(column, found), features) for column in found)
    return Parity(rows, comparisons)


def _check_oracle() -> None:
    try:
        import tf_keras  # noqa: F401
    except ImportError:
        raise Refusal(
            "check_parity: tf_keras is wanted, the Keras 2 that runs TensorFlow's columns; pip install tf-keras."
        ) from None


def _ours(column: Any, columns: list[Any]) -> Any:
    """Returns our column, or the sentence that refuses it."""
    together = [column]
    if type(column) in SHARED:
        table = table_of(column)[0]
        together = [other for other in columns if type(other) in SHARED and table_of(other)[0] == table]
    try:
        return from_feature_columns(together)[together.index(column)]
    except Refusal as refusal:
        return refusal


def _compared(theirs: Any, ours: Any, features: Mapping[str, Any]) -> Comparison:
    features = {key: features[key] for key in keys_of(theirs)}
    if isinstance(ours, Refusal):
        why = reason(theirs, features, {}, "", str(ours))
        return Comparison(theirs.name, False, theirs="is declared", ours=str(ours), why=why)
    sides = sides_of(theirs, ours)
    one, two = _attempt(sides.theirs, features), _attempt(sides.ours, features)
    row = _first_different(one, two) if isinstance(one, list) and isinstance(two, list) else None
    if isinstance(one, list) and isinstance(two, list) and row is None:
        return Comparison(theirs.name, True)
    if row is None:
        row = _first_failing(sides, features)
        before = first_rows(features, row + 1)
        one, two = _attempt(sides.theirs, before), _attempt(sides.ours, before)
    left, right = (side if isinstance(side, str) else side[row].tolist() for side in (one, two))
    raw = row_of(features, row)
    return Comparison(theirs.name, False, row, raw, left, right, reason(theirs, features, raw, left, right))


def _attempt(run: Run, features: Mapping[str, Any]) -> list[Any] | str:
    """Returns what a side makes of rows, one output a row, or its error in a line."""
    try:
        outputs = run(features)
    except Exception as error:  # whatever one side raises is what is being compared
        return f"{type(error).__name__}: {first_line(str(error))}"
    rows = batch_of(next(iter(features.values())))
    return outputs if len(outputs) == rows else f"{len(outputs)} outputs for {rows} rows"


def first_line(message: str) -> str:
    """Returns the first line of an error that says something, without what Keras and TensorFlow put around it."""
    message = re.sub(r"\x1b\[\d+m|\{\{.*?\}\} ?", "", message)
    if "Summarized data: " in message:  # an assertion with its data, strings as Python's bytes, one a line
        data = message.partition("Summarized data: ")[2].splitlines()
        return " ".join(re.sub(r"""^b(["'])(.*)\1$""", r"\2", line) for line in data if line)
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith("Exception encountered when calling")] or [message]
    return re.sub(r" \[Op:.*", "", lines[0])


def _first_different(one: list[Any], two: list[Any]) -> int | None:
    lengths = [[len(row) for row in side] for side in (one, two)]
    if lengths[0] == lengths[1] and _alike(np.concatenate(one), np.concatenate(two)):
        return None
    pairs = enumerate(zip(one, two, strict=True))
    return next((row for row, (left, right) in pairs if not _alike(left, right)), None)


def _alike(left: Any, right: Any) -> bool:
    if left.shape != right.shape:
        return False
    return bool(np.all(alike(left, right)))


def _first_failing(sides: Sides, features: Mapping[str, Any]) -> int:
    """Returns the first row with which one of the sides fails, by halving."""
    low, high = 0, batch_of(next(iter(features.values()))) - 1
    while low < high:
        middle = (low + high) // 2
        before = first_rows(features, middle + 1)
        if isinstance(_attempt(sides.theirs, before), str) or isinstance(_attempt(sides.ours, before), str):
            high = middle
        else:
            low = middle + 1
    return low
