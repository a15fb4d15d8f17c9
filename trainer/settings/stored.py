"""Settings as a run keeps them in its `settings.json`."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from trainer import paths
from trainer.errors import Refusal
from trainer.settings.job import Settings


def to_dict(settings: Settings) -> dict[str, Any]:
    """Returns the settings as JSON can hold them."""
    return dataclasses.asdict(settings)


def from_dict(stored: Mapping[str, Any]) -> Settings:
    """Returns the settings that `to_dict` was given, as they are read from JSON; what is no setting is passed over."""
    names = {field.name for field in dataclasses.fields(Settings)}
    return Settings(**{name: _as_given(value) for name, value in stored.items() if name in names})


def _as_given(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def read(path: str) -> Mapping[str, Any]:
    """Returns the settings of a run's file, by name, that another run can repeat.

    Raises:
        Refusal: It is no such file, or cannot be read.
    """
    names = {field.name for field in dataclasses.fields(Settings)}
    # What belongs to the one run that wrote the file is not repeated.
    own = {"job_dir", "overwrite", "resume", "allow_changed", "settings", "dry_run", "baselines"}
    try:
        stored = json.loads(paths.read_text(path))["settings"]
        return {name: _as_given(value) for name, value in stored.items() if name in names - own}
    except paths.Refused:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise Refusal(f"--settings: {path} is no settings.json of a run; give the one in a job dir.") from None
