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
    """The contents of a run's files; what is absent, torn, or of another kind than a run leaves it, is empty.

    Args:
        settings: Of settings.json: the command line, the settings, the versions, the seed and the data.
        metrics: Of metrics.json.
        problem: Of problem.json: the name, the columns and the head.
        warm_start: Of warm_start.json, by table.
        baselines: Of baselines.json.
        measures: Of measures.json, by the name of the measure.
        history: The lines of history.jsonl, one an epoch.
        entries: What the tables' manifest says of each, by its name.
    """

    settings: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    problem: Mapping[str, Any] = field(default_factory=dict)
    warm_start: Mapping[str, Any] = field(default_factory=dict)
    baselines: Mapping[str, Any] = field(default_factory=dict)
    measures: Mapping[str, Any] = field(default_factory=dict)
    history: Sequence[Mapping[str, Any]] = ()
    entries: Mapping[str, Entry] = field(default_factory=dict)

    @property
    def name(self) -> str | None:
        """The problem's name."""
        return text(self.problem.get("name"))

    @property
    def description(self) -> str | None:
        """What the problem says of itself."""
        return text(self.problem.get("description"))

    @property
    def data(self) -> str | None:
        """The data set's name; None where nothing tells it."""
        return text(mapping(self.settings.get("data")).get("name")) or text(self.metrics.get("data"))

    @property
    def digest(self) -> str | None:
        """What differs where the encoded rows do."""
        return text(mapping(self.settings.get("data")).get("digest"))

    @property
    def versions(self) -> Mapping[str, Any]:
        """The versions of packages, by their names."""
        return mapping(self.settings.get("versions"))

    @property
    def given(self) -> Mapping[str, Any]:
        """The settings as they were given, by their names."""
        return mapping(self.settings.get("settings"))

    @property
    def trained_with(self) -> Mapping[str, Any]:
        """What the training went by, by the names of a problem's arguments; of a run that does not tell it nothing."""
        found = mapping(self.settings.get("trained_with"))
        return {name: value for name, value in found.items() if name != "digest"}

    @property
    def unit(self) -> str:
        """What the run's examples are called: rows, or groups of them."""
        by = text(mapping(self.problem.get("grouped")).get("by"))
        return "rows" if by is None else f"groups of '{by}'"

    @property
    def is_planted(self) -> bool:
        """Whether the data were a problem's planted ones."""
        return self.data == "planted"


def read(run: Run) -> Files:
    """Returns what is there of a run's files."""
    names = ("settings", "metrics", "problem", "warm_start", "baselines", "measures")
    return Files(**{name: _object(run, f"{name}.json") for name in names}, history=_history(run), entries=_entries(run))


def mapping(value: Any) -> Mapping[str, Any]:
    """Returns a value that is one by names; an empty one for any other."""
    return value if isinstance(value, Mapping) else {}


def text(value: Any) -> str | None:
    """Returns a value that is a text with any letter in it; None for any other."""
    return value if isinstance(value, str) and value else None


def _object(run: Run, name: str) -> Mapping[str, Any]:
    try:
        return mapping(run.read_json(name))
    except (Refusal, RecursionError):
        return {}


def _history(run: Run) -> Sequence[Mapping[str, Any]]:
    try:
        lines = paths.read_text(run.file("history.jsonl")).splitlines()
    except (OSError, ValueError):
        return ()
    found = []
    for line in lines:
        try:
            epoch = mapping(json.loads(line))
        except (ValueError, RecursionError):  # a run that was killed leaves half a line
            continue
        if epoch:
            found.append(epoch)
    return found


def _entries(run: Run) -> Mapping[str, Entry]:
    try:
        return read_manifest(run.tables).tables
    except (Refusal, OSError):
        return {}
