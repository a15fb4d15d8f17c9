"""A problem's search as the study of a tuning service: what is tried, and by what a trial is judged."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from trainer import flags
from trainer import problem as problems
from trainer import search as searches
from trainer.cloud.arguments import Asked
from trainer.errors import Refusal, TrainingFailure
from trainer.heads import goals
from trainer.problem import Range, Searched
from trainer.settings import Settings

TRIAL = "1"
"""The number of the first trial."""

_BESIDE = {"timestamp", "trial", "global_step", "checkpoint_path"}
"""What a report has beside its metric."""

_SCALES = {"linear": "UNIT_LINEAR_SCALE", "log": "UNIT_LOG_SCALE"}


@dataclass(frozen=True)
class Study:
    """What trials try, and by what they are judged.

    Args:
        search: By the name of a flag, with underscores, what its values may be.
        metric: The name under which a trial reports the metric, as validation_auc.
        is_up: Whether more of it is better.
    """

    search: Mapping[str, Searched] = field(hash=False)
    metric: str
    is_up: bool

    @property
    def specification(self) -> dict[str, Any]:
        """The `studySpec` of a HyperparameterTuningJob of Vertex AI, as JSON holds it.

        Example:
            >>> made = Study({"num_epochs": Range(2, 10)}, "validation_auc", True).specification
            >>> made["metrics"], made["parameters"][0]["integerValueSpec"]
            ([{'metricId': 'validation_auc', 'goal': 'MAXIMIZE'}], {'minValue': '2', 'maxValue': '10'})
        """
        return {
            "metrics": [{"metricId": self.metric, "goal": "MAXIMIZE" if self.is_up else "MINIMIZE"}],
            "parameters": [{"parameterId": name, **_values(searched)} for name, searched in self.search.items()],
            # The last report of a trial is of the model that it leaves, the best one where early stopping has kept it.
            "measurementSelectionType": "LAST_MEASUREMENT",
        }

    @property
    def first_trial(self) -> list[str]:
        """The flags that the service would add for a trial in the middle of all ranges, as it writes them.

        Example:
            >>> search = {"num_epochs": Range(2, 10), "train_batch_size": (512, 64, 128)}
            >>> Study(search, "validation_auc", True).first_trial
            ['--num_epochs', '6', '--train_batch_size', '128.0']
        """
        return [word for name, searched in self.search.items() for word in (f"--{name}", _middle(searched))]

    def verdict(self, reports: str) -> str:
        """Returns what is said of a trial by what it has reported.

        Args:
            reports: The lines of JSON that it has left.

        Raises:
            TrainingFailure: The metric that it would be judged by is not among them.
        """
        lines = [json.loads(line) for line in reports.splitlines()]
        last = next((line for line in reversed(lines) if self.metric in line), None)
        if last is None:
            others = sorted({name for line in lines for name in line} - _BESIDE)
            raise TrainingFailure(
                f"--tune: the trial has reported {', '.join(others) or 'nothing'}, and not {self.metric}, by which it "
                "would be judged; a metric is reported after each epoch in which it is finite."
            )
        best = "highest" if self.is_up else "lowest"
        return (
            f"trial {TRIAL} ({_typed(self.first_trial)}) has reported {self.metric} {float(last[self.metric]):.6g} "
            f"after {int(last['global_step']):,} steps; the {best} of all trials would win."
        )


def of(asked: Asked, metric: str | None) -> Study:
    """Returns the study of a job.

    What its command line says of itself is not searched.

    Args:
        asked: The job of all trials.
        metric: What `--metric` says; None is the first metric of the problem's head.

    Raises:
        Refusal: The problem searches nothing that is not said already, there is no such metric, or all trials would
            leave one run.
    """
    problem = asked.problem
    if not problem.search:
        raise Refusal(
            f"--tune: problem {problem.name} searches nothing; write what to search in its Problem(…), as in "
            'search={"learning_rate": Range(1e-4, 1e-1, scale="log")}, with Range from trainer.problem.'
        )
    if asked.settings.job_dir is not None:
        raise Refusal("--tune: each trial leaves a run of its own, and --job-dir is one for all; leave it out.")
    own = problems.flags_of(asked.settings.problem)
    everything = Settings if own is None else flags.together("Settings", [Settings, own])
    search = searches.left(problem.search, everything, asked.argv)
    if not search:
        raise Refusal(
            f"--tune: the task's flags say all that problem {problem.name} searches ({', '.join(problem.search)}); "
            "leave one of them out."
        )
    name, is_up = goals.goal("--metric", metric, problem.head)
    if name.split() != [name]:
        raise Refusal(f"--metric: Vertex AI takes no metric with a space in its name, as '{name}'; give it another.")
    return Study(search, f"validation_{name}", is_up)


def _typed(words: Sequence[str]) -> str:
    """Returns flags and their values as they are read: "num_epochs 6, train_batch_size 128.0"."""
    pairs = zip(words[::2], words[1::2], strict=True)
    return ", ".join(f"{name.removeprefix('--')} {value}" for name, value in pairs)


def _values(searched: Searched) -> dict[str, Any]:
    if isinstance(searched, Range):
        kind = "integerValueSpec" if searched.is_whole else "doubleValueSpec"
        # JSON as Google writes it has whole numbers of 64 bits as texts.
        low, high = (str(int(end)) if searched.is_whole else float(end) for end in (searched.low, searched.high))
        return {kind: {"minValue": low, "maxValue": high}, "scaleType": _SCALES[searched.scale]}
    if isinstance(searched[0], str):
        return {"categoricalValueSpec": {"values": list(searched)}}
    return {"discreteValueSpec": {"values": sorted(map(float, searched))}, "scaleType": _SCALES["linear"]}


def _middle(searched: Searched) -> str:
    if isinstance(searched, Range):
        return str(searched.middle)
    if isinstance(searched[0], str):
        return str(searched[0])
    # The service holds one of several numbers as a float, and trials have been seen to get 128.0.
    return str(sorted(map(float, searched))[(len(searched) - 1) // 2])
