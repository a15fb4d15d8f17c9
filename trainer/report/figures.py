"""What was measured: metrics, time and size, the history, and the baselines."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from trainer.report.files import Files
from trainer.report.wording import NONE, duration, number, words
from trainer.tables import Table
from trainer.terminal import quantity

HISTORY_LINES = 100
"""The most epochs whose numbers are listed."""

_VALIDATION = "validation_"
_EXAMPLES = "examples"
_SIZES = ("train_examples", "steps", "seconds", "examples_per_second", "peak_memory_bytes", "total_seconds")
"""The names in metrics.json that have words of their own."""


@dataclass(frozen=True)
class Grid:
    """A table of texts: what stands in the first row, and in the others; the first column is what a row is about."""

    header: Sequence[str]
    lines: Sequence[Sequence[str]]


def metrics(files: Files) -> Grid | None:
    """Returns each metric on the test and on the validation rows, the loss last but for the number of rows.

    Example:
        >>> found = metrics(Files(metrics={"loss": 0.5, "validation_loss": 0.6, "auc": 0.75, "validation_auc": 0.8}))
        >>> found.lines
        [['AUC', '0.7500', '0.8000'], ['loss', '0.5000', '0.6000']]
    """
    found = files.metrics
    names = sorted(filter(partial(_is_metric, found), found), key=lambda name: (name == _EXAMPLES, name == "loss"))
    lines = [
        ["rows" if name == _EXAMPLES else words(name), number(found[name]), number(found[_VALIDATION + name])]
        for name in names
    ]
    return Grid(("", "test", "validation"), lines) if lines else None


def sizes(files: Files, tables: Sequence[Table]) -> list[tuple[str, str]]:
    """Returns how much was learned from, how long it took, how large it was, and what else was measured, each named.

    What was measured of a table, with a slash in its name, is shown with the table.
    """
    found = {name: value for name, value in files.metrics.items() if _is_number(value) and "/" not in name}
    values = {
        "training rows": _text(found.get("train_examples"), number),
        "epochs": number(files.history[-1].get("epoch")) if files.history else None,
        "steps": _text(found.get("steps"), number),
        "training": _text(found.get("seconds"), duration),
        "rows a second": _text(found.get("examples_per_second"), lambda rate: f"{rate:,.0f}"),
        "in all": _text(found.get("total_seconds"), duration),
        "peak memory": _text(found.get("peak_memory_bytes"), quantity),
        "numbers in tables": f"{sum(table.values.size for table in tables):,}" if tables else None,
    }
    others = {
        words(name): number(value)
        for name, value in found.items()
        if name not in _SIZES and not _is_metric(files.metrics, name.removeprefix(_VALIDATION))
    }
    return [(name, text) for name, text in {**values, **others}.items() if text not in (None, NONE)]


def _is_metric(found: Mapping[str, Any], name: str) -> bool:
    return _is_number(found.get(name)) and _is_number(found.get(_VALIDATION + name))


def history(files: Files) -> Grid | None:
    """Returns the numbers of each epoch, of the last ones where there are many."""
    epochs = files.history[-HISTORY_LINES:]
    names = list(dict.fromkeys(name for epoch in epochs for name in epoch if name != f"{_VALIDATION}{_EXAMPLES}"))
    # Loss beside loss: what was trained on first, then the validation rows.
    names.sort(key=lambda name: name.startswith(_VALIDATION))
    lines = [[_of_epoch(name, epoch.get(name)) for name in names] for epoch in epochs]
    return Grid([words(name) for name in names], lines) if names else None


def _of_epoch(name: str, value: Any) -> str:
    return f"{value:,.1f}" if name == "seconds" and _is_number(value) else number(value)


def baselines(files: Files) -> tuple[str, Grid] | None:
    """Returns what was measured of the baselines, and of each form on each share of the training rows its value."""
    results = [result for result in files.baselines.get("results") or () if isinstance(result, Mapping)]
    values: dict[tuple[str, float], list[float]] = {}
    for result in results:
        if {"form", "share", "value"} <= result.keys():
            values.setdefault((result["form"], result["share"]), []).append(result["value"])
    if not values:
        return None
    forms, shares = dict.fromkeys(form for form, _ in values), dict.fromkeys(share for _, share in values)
    lines = [[str(form), *(_mean(values.get((form, share), [])) for share in shares)] for form in forms]
    metric = words(str(files.baselines.get("metric", "value")))
    examples = files.baselines.get("validation_examples")
    rows = f"{number(examples)} validation rows" if examples else "the validation rows"
    what = f"{metric} on {rows} after training on shares of the training rows, mean ± standard deviation over seeds."
    return what, Grid(("form", *(f"{100 * share:g} %" for share in shares)), lines)


def _mean(values: Sequence[float]) -> str:
    spread = f" ± {statistics.stdev(values):.4f}" if len(values) > 1 else ""
    return f"{statistics.fmean(values):.4f}{spread}" if values else NONE


def _text(value: Any, of: Any) -> str | None:
    return str(of(value)) if _is_number(value) else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
