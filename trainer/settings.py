"""What `python -m trainer.task` can be told."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trainer import flags, paths
from trainer.errors import Refusal
from trainer.flags import flag

PROG = "python -m trainer.task"
DESCRIPTION = "Trains a problem and leaves a run: metrics, tables, projector, export."


@dataclass(frozen=True)
class Settings:
    """The settings of one training job; None leaves the choice to the problem."""

    problem: str = flag("flights", "a problem's name, or the path of a Python file that sets PROBLEM", "NAME|FILE")
    dataset: str | None = flag(None, "a TFDS data set in place of the problem's", "NAME[/CONFIG]", group="data")
    data_dir: str = flag("data", "where data sets are prepared and found", "DIR", group="data")
    download: bool = flag(True, "fetch what a data set needs from the network", group="data")
    job_dir: str | None = flag(
        None, "where the run is left (default runs/PROBLEM, then runs/PROBLEM-2 and so on)", "DIR", group="run"
    )
    overwrite: bool = flag(False, "replace the run that the job dir holds", group="run")
    resume: bool = flag(False, "go on with the run that the job dir holds, from its last checkpoint", group="run")
    settings: str | None = flag(
        None, "a run's settings.json to repeat; flags beside it come before it", "FILE", group="run"
    )
    dry_run: bool = flag(False, "read 1,000 rows, print what would be trained and write nothing", group="run")
    baselines: bool = flag(
        False,
        "also train the problem with its crosses as one-hots, and without them, on parts of the data",
        group="run",
    )
    verbose: bool = flag(False, "show TensorFlow's own messages", group="run")
    num_epochs: int | None = flag(None, "passes over the training rows", "N", least=1, group="training")
    train_steps: int | None = flag(None, "stop after this many steps", "N", least=1, group="training")
    train_batch_size: int | None = flag(None, "examples a step", "N", least=1, group="training")
    eval_batch_size: int = flag(4096, "examples a step of evaluation", "N", least=1, group="training")
    learning_rate: float | None = flag(None, "of tables and hidden layers", "X", least=0, group="training")
    optimizer: str | None = flag(
        None, "of tables and hidden layers: a name in trainer.optimizers, or FILE.py:NAME", "NAME", group="training"
    )
    seed: int = flag(0, "of the initial tables and the order of the data", "N", least=0, group="training")
    warm_start: tuple[str, ...] = flag(
        (), "start a table from a run's; repeatable", "TABLE=SOURCE[#TENSOR]", group="tables"
    )
    freeze: tuple[str, ...] = flag((), "leave a table as it starts; repeatable", "TABLE", group="tables")

    @property
    def warm_starts(self) -> dict[str, tuple[str, str | None]]:
        """The source and the tensor's name there, by the table that starts from it."""
        return dict(_warm_start(text) for text in self.warm_start)


def from_argv(argv: Sequence[str]) -> Settings:
    """Returns the settings of a command line, over those of the file that `--settings` names.

    Raises:
        Refusal: A flag or the file cannot be used.
    """
    given = flags.parse(Settings, argv, PROG, DESCRIPTION)
    stored = _stored(given["settings"]) if "settings" in given else {}
    made = Settings(**{**stored, **given})
    if made.resume and made.overwrite:
        raise Refusal("--resume and --overwrite: give one of them; the first keeps the run, the second replaces it.")
    _ = made.warm_starts
    return made


def to_dict(settings: Settings) -> dict[str, Any]:
    """Returns the settings as JSON can hold them."""
    return dataclasses.asdict(settings)


def _stored(path: str) -> Mapping[str, Any]:
    names = {field.name for field in dataclasses.fields(Settings)}
    # What belongs to the one run that wrote the file is not repeated.
    own = {"job_dir", "overwrite", "resume", "settings", "dry_run", "baselines"}
    try:
        stored = json.loads(paths.read_text(path))["settings"]
        return {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in stored.items()
            if name in names - own
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise Refusal(f"--settings: {path} is no settings.json of a run; give the one in a job dir.") from None


def _warm_start(text: str) -> tuple[str, tuple[str, str | None]]:
    table, equals, source = text.partition("=")
    source, _, tensor = source.partition("#")
    if not (table and equals and source):
        raise Refusal(f"--warm-start: TABLE=SOURCE is wanted, as in day_hour=runs/jfk, not '{text}'.")
    return table, (source, tensor or None)
