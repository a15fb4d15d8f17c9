"""What was measured: metrics, time and size, the history, and the baselines."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from trainer.report.files import Files, mapping, text
from trainer.report.wording import NONE, duration, is_finite, number, words
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
        [files.unit if name == _EXAMPLES else words(name), number(found[name]), number(found[_VALIDATION + name])]
        for name in names
    ]
    return Grid(("", "test", "validation"), lines) if lines else None


def sizes(files: Files, tables: Sequence[Table]) -> list[tuple[str, str]]:
    """Returns how much was learned from, how long it took, how large it was, and what else was measured, each named.

    What was measured of a table, with a slash in its name, is shown with the table.
    """
    found = {name: value for name, value in files.metrics.items() if _is_number(value) and "/" not in name}
    values = {
        f"training {files.unit}": _text(found.get("train_examples"), number),
        "epochs": number(files.history[-1].get("epoch")) if files.history else None,
        "steps": _text(found.get("steps"), number),
        "training": _text(found.get("seconds"), duration),
        # A finished run that was resumed had nothing left to train.
        f"{files.unit} a second": _text(found.get("examples_per_second") or None, lambda rate: f"{rate:,.0f}"),
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
    """Returns the numbers of each epoch, of the last ones where there are many, and the seconds that each took.

    Example:
        >>> history(Files(history=[{"epoch": 1, "seconds": 3.0}, {"epoch": 2, "seconds": 3.75}])).lines
        [['1', '3.0'], ['2', '0.8']]
    """
    epochs = _apart(files.history)[-HISTORY_LINES:]
    names = list(dict.fromkeys(name for epoch in epochs for name in epoch if name != f"{_VALIDATION}{_EXAMPLES}"))
    # Loss beside loss: what was trained on first, then the validation rows.
    names.sort(key=lambda name: name.startswith(_VALIDATION))
    lines = [[_of_epoch(name, epoch.get(name)) for name in names] for epoch in epochs]
    return Grid([words(name) for name in names], lines) if names else None


def _apart(epochs: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Returns epochs with their own seconds: a run's file has those since the training was started or resumed."""
    found: list[Mapping[str, Any]] = []
    before: Mapping[str, Any] = {}
    for epoch in epochs:
        seconds, earlier = epoch.get("seconds"), before.get("seconds")
        if is_finite(seconds) and is_finite(earlier) and seconds >= earlier:  # they are fewer where it was resumed
            found.append({**epoch, "seconds": seconds - earlier})
        else:
            found.append(epoch)
        before = epoch
    return found


def _of_epoch(name: str, value: Any) -> str:
    return f"{value:,.1f}" if name == "seconds" and is_finite(value) else number(value)


def baselines(files: Files) -> list[tuple[str, Grid]]:
    """Returns what was measured of the baselines: of each model, and of each form on each share of the rows."""
    found = files.baselines.get("results")
    results = [*map(mapping, found if isinstance(found, list) else ())]
    return [shown for shown in (_of_models(files, results), _of_forms(files, results)) if shown is not None]


def _of_models(files: Files, results: Sequence[Mapping[str, Any]]) -> tuple[str, Grid] | None:
    named = [result for result in results if text(result.get("model")) is not None]
    if not named:
        return None
    names = list(dict.fromkeys(name for result in named for name in result if name not in ("model", "seconds")))
    lines = [
        [str(one["model"]), *(number(one.get(name)) for name in names), _of_epoch("seconds", one.get("seconds"))]
        for one in named
    ]
    examples = files.baselines.get("test_examples")
    rows = f"{number(examples)} test examples" if examples else "the test examples"
    what = f"What is ranked for {rows} by a part of what each has, against the rest of it."
    if "ridge_strength" in files.baselines:
        what = f"What is predicted of {rows}, by models that learn from the same training rows."
    if "lsa_pairs" in files.baselines:
        what = "What is measured of the tables of models that learn from the same training sequences."
    return what, Grid(("model", *map(words, names), "seconds"), lines)


def _of_forms(files: Files, results: Sequence[Mapping[str, Any]]) -> tuple[str, Grid] | None:
    values: dict[tuple[str, float], list[Any]] = {}
    for result in results:
        form, share = text(result.get("form")), result.get("share")
        if form is not None and is_finite(share):
            values.setdefault((form, share), []).append(result.get("value"))
    if not values:
        return None
    forms, shares = dict.fromkeys(form for form, _ in values), dict.fromkeys(share for _, share in values)
    lines = [[form, *(_mean(values.get((form, share), [])) for share in shares)] for form in forms]
    metric = words(str(files.baselines.get("metric", "value")))
    examples = files.baselines.get("validation_examples")
    rows = f"{number(examples)} validation rows" if examples else "the validation rows"
    what = f"{metric} on {rows} after training on shares of the training rows, mean ± standard deviation over seeds."
    return what, Grid(("form", *(f"{100 * share:g} %" for share in shares)), lines)


def _mean(values: Sequence[Any]) -> str:
    """Returns the mean of what was measured with some seeds, and of how many where some have no finite value."""
    measured = [value for value in values if is_finite(value)]
    if not measured:
        return "not a number" if values else NONE
    spread = f" ± {statistics.stdev(measured):.4f}" if len(measured) > 1 else ""
    share = f" ({len(measured)} of {len(values)} seeds)" if len(measured) < len(values) else ""
    return f"{statistics.mean(measured):.4f}{spread}{share}"


def _text(value: Any, of: Callable[[Any], str]) -> str | None:
    if is_finite(value):
        return of(value)
    return number(value) if _is_number(value) else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
