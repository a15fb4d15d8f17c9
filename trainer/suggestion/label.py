"""What a label asks for: a head, how the label is read, and what other columns are judged by."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trainer.analysis.column import NUMBER, TEXT, WHOLE, Column
from trainer.errors import Refusal
from trainer.suggestion.information import Target
from trainer.suggestion.python import written
from trainer.terminal import listed

MOST_CLASSES = 100
"""Different texts up to which a label is one of classes."""

_FEW_NUMBERS = 10
_SKEWED = 2.0
_YES = ("1", "true", "yes", "y", "t", "positive", "on", ">50k")

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Label:
    """The label of a problem.

    Args:
        column: What is known of its column.
        feature: The feature that is the label.
        head: A head, as it is written.
        reason: Why this head, a line.
        target: Of the rows of a sample that have a label.
        there: Which rows of the sample have one.
        made: What `from_rows` makes of the column, by the name of the feature; a Python expression.
    """

    column: Column
    feature: str
    head: str
    reason: str
    target: Target
    there: Array
    made: Mapping[str, str] = field(default_factory=dict)


def label_of(column: Column, texts: Any) -> Label:
    """Returns what the label of a column is.

    Args:
        column: What is known of it.
        texts: A sample of it, an Arrow array of strings.

    Raises:
        Refusal: It has no value, one value alone, or too many different texts.
    """
    name = column.name
    if column.is_bag:
        raise Refusal(f"--label: '{name}' has several values a row; one is wanted.")
    if column.different < 2:
        what = f"is always {column.texts(1)[0]}" if column.has_vocabulary else "has no two different values"
        raise Refusal(f"--label: '{name}' {what}, so there is nothing to learn; name another column.")
    there = np.asarray(pc.not_equal(texts, "").to_numpy(zero_copy_only=False))
    known = texts.filter(pa.array(there))
    if column.different == 2 and column.has_vocabulary:
        return _binary(column, known, there)
    if column.kind == TEXT:
        return _classes(column, known, there)
    is_class = column.kind == WHOLE and column.facts.least == 0 and column.facts.greatest == column.different - 1
    if is_class and column.different <= _FEW_NUMBERS:
        classes = column.different
        target = Target.of_classes(_whole(known), classes)
        reason = f"whole numbers from 0 to {classes - 1} are taken as classes; for amounts give RegressionHead()."
        return Label(column, name, f"MultiClassHead(num_classes={classes})", reason, target, there)
    return _number(column, known, there)


def _binary(column: Column, known: Any, there: Array) -> Label:
    values = column.texts()  # the more frequent first
    yes = next((value for value in values if value.strip().lower() in _YES), values[1])
    codes = np.asarray(pc.equal(known, yes).to_numpy(zero_copy_only=False)).astype(np.int64)
    share = float(column.counts[values.index(yes)] / column.counts.sum())
    target = Target.of_classes(codes, 2)
    if column.kind == WHOLE and set(values) == {"0", "1"}:
        reason = f"1 in {100 * share:.1f} % of the rows, else 0."
        return Label(column, column.name, "BinaryHead()", reason, target, there)
    other = next(value for value in values if value != yes)
    reason = f"'{yes}' in {100 * share:.1f} % of the rows, which is taken as yes, else '{other}'."
    head = f"BinaryHead(label_vocabulary={written([other, yes])})"
    return Label(column, column.name, head, reason, target, there)


def _classes(column: Column, known: Any, there: Array) -> Label:
    if column.different > MOST_CLASSES or not column.is_exact:
        raise Refusal(
            f"--label: '{column.name}' has {column.different:,} different texts, as {listed(column.texts(3))}; a label "
            f"is a number, or one of at most {MOST_CLASSES} classes."
        )
    values = sorted(column.texts())
    codes = pc.index_in(known, pa.array(values, pa.string())).to_numpy(zero_copy_only=False)
    most = float(column.counts[0] / column.counts.sum())
    reason = f"{len(values)} classes; the most frequent, '{column.texts(1)[0]}', is {100 * most:.1f} % of the rows."
    head = f"MultiClassHead(num_classes={len(values)}, label_vocabulary={written(values)})"
    return Label(column, column.name, head, reason, Target.of_classes(codes.astype(np.int64), len(values)), there)


def _number(column: Column, known: Any, there: Array) -> Label:
    numbers = known.cast(pa.float64()).to_numpy(zero_copy_only=False)
    least = float(column.facts.least or 0)
    if least >= 0 and _skew(numbers) > _SKEWED and abs(_skew(np.log1p(numbers))) < _skew(numbers):
        logs = np.log1p(numbers)
        feature = f"log_{column.name}"
        reason = (
            f"from {column.facts.least:,} to {column.facts.greatest:,}, a few far larger than most, so the logarithm "
            "of 1 + the number is learned."
        )
        made = {feature: f"np.log1p(rows[{written(column.name)}].astype(float))"}
        return Label(column, feature, _head(logs), reason, Target.of_numbers(logs), there, made)
    what = "numbers" if column.kind == NUMBER else "whole numbers"
    reason = f"{what} from {column.facts.least:,} to {column.facts.greatest:,}."
    return Label(column, column.name, _head(numbers), reason, Target.of_numbers(numbers), there)


def _head(numbers: Array) -> str:
    return f"RegressionHead(mean={float(f'{numbers.mean():.4g}')}, scale={float(f'{numbers.std():.4g}')})"


def _skew(numbers: Array) -> float:
    apart = numbers - numbers.mean()
    return float(np.mean(apart**3) / max(float(np.mean(apart**2)), 1e-12) ** 1.5)


def _whole(texts: Any) -> Array:
    return np.asarray(texts.cast(pa.float64()).to_numpy(zero_copy_only=False)).astype(np.int64)
