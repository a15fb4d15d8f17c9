"""What a run has left, as far as it is there and can be read."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from trainer import paths
from trainer.errors import Refusal
from trainer.run import Run
from trainer.tables import Entry, read_manifest


@dataclass(frozen=True)
class Files:
    """The contents of a run's files; what is absent or torn is empty.

    Args:
        settings: Of settings.json: the command line, the settings, the versions, the seed and the data.
        metrics: Of metrics.json.
        problem: Of problem.json: the name, the columns and the head.
        warm_start: Of warm_start.json, by table.
        baselines: Of baselines.json.
        history: The lines of history.jsonl, one an epoch.
        entries: What the tables' manifest says of each, by its name.
    """

    settings: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    problem: Mapping[str, Any] = field(default_factory=dict)
    warm_start: Mapping[str, Any] = field(default_factory=dict)
    baselines: Mapping[str, Any] = field(default_factory=dict)
    history: Sequence[Mapping[str, Any]] = ()
    entries: Mapping[str, Entry] = field(default_factory=dict)

    @property
    def data(self) -> str | None:
        """The data set's name; None where nothing tells it."""
        described = self.settings.get("data")
        named = described.get("name") if isinstance(described, Mapping) else None
        return self.metrics.get("data") or named

    @property
    def is_planted(self) -> bool:
        """Whether the data were a problem's planted ones."""
        return self.data == "planted"


def read(run: Run) -> Files:
    """Returns what is there of a run's files."""
    names = ("settings", "metrics", "problem", "warm_start", "baselines")
    return Files(**{name: _object(run, f"{name}.json") for name in names}, history=_history(run), entries=_entries(run))


def _object(run: Run, name: str) -> Mapping[str, Any]:
    try:
        value: Any = run.read_json(name)
    except Refusal:
        return {}
    return value if isinstance(value, dict) else {}


def _history(run: Run) -> Sequence[Mapping[str, Any]]:
    try:
        lines = paths.read_text(run.file("history.jsonl")).splitlines()
    except (OSError, ValueError):
        return ()
    found = []
    for line in lines:
        try:
            epoch = json.loads(line)
        except ValueError:  # a run that was killed leaves half a line
            continue
        if isinstance(epoch, dict):
            found.append(epoch)
    return found


def _entries(run: Run) -> Mapping[str, Entry]:
    try:
        return read_manifest(run.tables).tables
    except (Refusal, OSError):
        return {}
