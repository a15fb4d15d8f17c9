"""What a label asks for: a head, how the label is read, and what other columns are judged by."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trainer.analysis.column import NUMBER, WHOLE, Column
from trainer.analysis.facts import is_utf8
from trainer.errors import Refusal
from trainer.suggestion.information import Target
from trainer.suggestion.part import Names
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
        codes: Of its classes, `(rows,)`; of a number, its value.
        there: Which rows of the sample have one.
        made: What `from_rows` makes of the column, by the name of the feature; a Python expression.
    """

    column: Column
    feature: str
    head: str
    reason: str
    target: Target
    codes: Array
    there: Array
    made: Mapping[str, str] = field(default_factory=dict)


def label_of(column: Column, texts: Any, names: Names) -> Label:
    """Returns what the label of a column is.

    Args:
        column: What is known of it.
        texts: A sample of it, an Arrow array of strings; whole numbers in one form.
        names: Gives a name to a feature that is made of it.

    Raises:
        Refusal: It has no value, one value alone or nearly so, too many different texts, or texts that are no UTF-8.
    """
    name = column.name
    if column.is_bag:
        raise Refusal(f"--label: '{name}' has several values a row; one is wanted.")
    if column.different < 2:
        what = "has no two different values"
        if column.count:
            what = f"is always {column.texts(1)[0] if column.has_vocabulary else column.facts.least}"
        raise Refusal(f"--label: '{name}' {what}, so there is nothing to learn; name another column.")
    there = np.asarray(pc.not_equal(texts, "").to_numpy(zero_copy_only=False))
    if column.kind in (WHOLE, NUMBER):
        numbers = np.asarray(pc.if_else(pa.array(there), texts, "nan").cast(pa.float64()), np.float64)
        there = np.isfinite(numbers)
        return _of_numbers(column, numbers[there], there, names)
    if column.different > MOST_CLASSES or not column.is_exact:
        raise Refusal(
            f"--label: '{name}' has {column.different:,} different texts, as {listed(column.texts(3))}; a label is a "
            f"number, or one of at most {MOST_CLASSES} classes."
        )
    if not is_utf8(column.values):
        raise Refusal(f"--label: '{name}' has values that are not UTF-8; write the files as UTF-8.")
    return _classes(column, texts.filter(pa.array(there)), there)


def _classes(column: Column, known: Any, there: Array) -> Label:
    shares = dict(zip(column.texts(), (column.counts / column.counts.sum()).tolist(), strict=True))
    values = sorted(shares)
    if len(values) == 2:  # no, and then yes: what is called so, or is rarer
        values.sort(key=lambda text: (text.strip().lower() in _YES, -shares[text]))
    found = pc.index_in(known, pa.array(values, pa.string())).to_numpy(zero_copy_only=False)
    codes = np.asarray(found).astype(np.int64)
    if len(values) == 2:
        no, yes = values
        reason = f"'{yes}' in {100 * shares[yes]:.1f} % of the rows, which is taken as yes, else '{no}'."
        head = f"BinaryHead(label_vocabulary={written(values)})"
    else:
        most = column.texts(1)[0]
        reason = f"{len(values)} classes; the most frequent, '{most}', is {100 * shares[most]:.1f} % of the rows."
        head = f"MultiClassHead(num_classes={len(values)}, label_vocabulary={written(values)})"
    return Label(column, column.name, head, reason, Target.of_classes(codes, len(values)), codes, there)


def _of_numbers(column: Column, numbers: Array, there: Array, names: Names) -> Label:
    name, facts, classes = column.name, column.facts, column.different
    if column.kind == WHOLE and classes == 2:
        return _binary(column, numbers, there)
    if column.kind == WHOLE and facts.least == 0 and facts.greatest == classes - 1 and classes <= _FEW_NUMBERS:
        reason = f"whole numbers from 0 to {classes - 1} are taken as classes; for amounts give RegressionHead()."
        codes = numbers.astype(np.int64)
        head = f"MultiClassHead(num_classes={classes})"
        return Label(column, name, head, reason, Target.of_classes(codes, classes), codes, there)
    if not len(numbers) or numbers.std() == 0:
        raise Refusal(f"--label: '{name}' is nearly always the same, so there is little to learn; name another column.")
    reach = f"from {_shown(facts.least)} to {_shown(facts.greatest)}"
    if numbers.min() >= 0 and _skew(numbers) > _SKEWED and abs(_skew(np.log1p(numbers))) < _skew(numbers):
        logs, feature = np.log1p(numbers), names.feature(f"log_{name}")
        reason = f"{reach}, a few far larger than most, so the logarithm of 1 + the number is learned."
        made = {feature: f"np.log1p(rows[{written(name)}].astype(float))"}
        return Label(column, feature, _head(logs), reason, Target.of_numbers(logs), logs, there, made)
    return Label(column, name, _head(numbers), f"{column.kind} {reach}.", Target.of_numbers(numbers), numbers, there)


def _binary(column: Column, numbers: Array, there: Array) -> Label:
    """Returns the label of two whole numbers, of which the larger is yes."""
    least, greatest = column.facts.least, column.facts.greatest
    codes = (numbers == greatest).astype(np.int64)
    made: dict[str, str] = {}
    reason = f"1 in {100 * codes.mean():.1f} % of the rows, else 0."
    if (least, greatest) != (0, 1):
        reason = f"{greatest} in {100 * codes.mean():.1f} % of the rows, which is taken as yes, else {least}."
        made = {column.name: f"(rows[{written(column.name)}].astype(float) == {greatest}).astype(int)"}
    return Label(column, column.name, "BinaryHead()", reason, Target.of_classes(codes, 2), codes, there, made)


def _shown(number: Any) -> str:
    return "?" if number is None else f"{number:,}"


def _head(numbers: Array) -> str:
    scale = float(f"{numbers.std():.4g}")
    mean = round(float(numbers.mean()), max(0, 3 - int(np.floor(np.log10(scale)))))
    return f"RegressionHead(mean={mean}, scale={scale})"


def _skew(numbers: Array) -> float:
    apart = numbers - numbers.mean()
    return float(np.mean(apart**3) / max(float(np.mean(apart**2)), 1e-12) ** 1.5)
