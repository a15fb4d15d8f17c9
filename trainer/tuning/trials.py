"""The trials of a tuning: what was tried, what each training has shown, and the file that keeps it."""

import csv
import dataclasses
import io
import json
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from trainer import paths
from trainer.errors import Refusal
from trainer.run import finite

FILE, TABLE = "trials.json", "trials.csv"

Values = Mapping[str, Any]
"""Of flags, by their names with underscores."""


@dataclass(frozen=True)
class Ran:
    """A training of a trial that has ended.

    Args:
        run: The name of its job dir.
        seed: Its seed.
        value: Of the metric that decides; None where it failed.
        seconds: That it took.
        reason: Why it failed; None where it did not.
        tables: By table, its rows, its dimension and the bytes of a number.
    """

    run: str
    seed: int
    value: float | None
    seconds: float
    reason: str | None = None
    tables: Mapping[str, Sequence[int]] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Trial:
    """Values, and the trainings with them.

    Args:
        number: From 1 on, in the order in which they were begun.
        values: What was tried.
        ran: The trainings that have ended, in the order of their seeds.
    """

    number: int
    values: Values = field(hash=False)
    ran: tuple[Ran, ...] = ()

    @property
    def found(self) -> list[float]:
        """The values of the metric."""
        return [each.value for each in self.ran if each.value is not None]

    @property
    def mean(self) -> float | None:
        """The mean of the metric; None where a training failed, or none has ended."""
        return statistics.fmean(self.found) if self.found and len(self.found) == len(self.ran) else None

    @property
    def spread(self) -> float | None:
        """The standard deviation of the metric over the seeds; None for one."""
        return statistics.stdev(self.found) if len(self.found) > 1 else None

    def of_seed(self, seed: int) -> Ran | None:
        """Returns the training with a seed, if it has ended."""
        return next((each for each in self.ran if each.seed == seed), None)

    def run_name(self, seed: int) -> str:
        """Returns the name of the job dir of a seed.

        Example:
            >>> Trial(3, {}).run_name(0)
            'trial-03-seed-0'
        """
        return f"trial-{self.number:02d}-seed-{seed}"


def noise(trials: Sequence[Trial]) -> float | None:
    """Returns the standard error of the difference of two trials' means; None where one seed says nothing of it.

    It goes by the trial in the middle of all, since few seeds tell little of how far one trial's lie apart, and a trial
    that learns badly may say much of it that is not so of the good ones.

    Example:
        >>> ran = [Ran("a", seed, value, 1.0) for seed, value in enumerate((0.5, 0.7))]
        >>> round(noise([Trial(1, {}, tuple(ran))]), 3)
        0.141
    """
    spreads = [(trial.spread, len(trial.found)) for trial in trials if trial.mean is not None]
    known = [(spread, count) for spread, count in spreads if spread is not None]
    if not known:
        return None
    return statistics.median(spread for spread, _ in known) * math.sqrt(2 / min(count for _, count in known))


def best(trials: Sequence[Trial], is_up: bool) -> Trial | None:
    """Returns the trial with the best mean, the first of equal ones; None where all failed."""
    finished = [(trial.mean, trial) for trial in trials if trial.mean is not None]
    return max(finished, key=lambda pair: pair[0] if is_up else -pair[0])[1] if finished else None


@dataclass
class Trials:
    """The trials of a folder, which are kept there after each training.

    Args:
        folder: Of the tuning.
        record: What it was started with.
        all: The trials, by their numbers.
        data: The digest of the encoded data of the first training.
    """

    folder: str
    record: Mapping[str, Any]
    all: list[Trial] = field(default_factory=list)
    data: str | None = None

    def begun(self, values: Values) -> Trial:
        """Returns the trial of some values, a new one where there is none."""
        found = next((trial for trial in self.all if trial.values == values), None)
        if found is None:
            found = Trial(len(self.all) + 1, dict(values))
            self.all.append(found)
            self.write()
        return found

    def add(self, number: int, ran: Ran) -> Trial:
        """Keeps a training that has ended, and returns its trial with it."""
        trial = self.all[number - 1]
        ran_by_seed = tuple(sorted((*trial.ran, ran), key=lambda each: each.seed))
        self.all[number - 1] = dataclasses.replace(trial, ran=ran_by_seed)
        self.write()
        return self.all[number - 1]

    def write(self) -> None:
        """Writes the trials, as JSON and, a row a training, as CSV; each whole or not at all."""
        content = {**self.record, "data_digest": self.data, "trials": [dataclasses.asdict(trial) for trial in self.all]}
        paths.write_text(paths.join(self.folder, FILE), json.dumps(finite(content), indent=2) + "\n")
        names = list(dict.fromkeys(name for trial in self.all for name in trial.values))
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["trial", *names, "seed", "value", "seconds", "run", "reason"])
        for trial in self.all:
            for each in trial.ran:
                values = [trial.values.get(name, "") for name in names]
                told = (each.seed, each.value, each.seconds, each.run, each.reason)
                writer.writerow([trial.number, *values, *("" if part is None else part for part in told)])
        paths.write_text(paths.join(self.folder, TABLE), text.getvalue())


def read(folder: str) -> tuple[dict[str, Any], Trials] | None:
    """Returns what a folder's tuning was started with, and its trials; None where there is none.

    Raises:
        Refusal: The file cannot be read.
    """
    path = paths.join(folder, FILE)
    if not paths.exists(path):
        return None
    try:
        content = json.loads(paths.read_text(path))
        trials = [_trial(told) for told in content.pop("trials")]
        return content, Trials(folder, content, trials, content.pop("data_digest"))
    except (ValueError, KeyError, TypeError) as error:
        raise Refusal(f"{path}: it cannot be read ({error}); begin anew with --overwrite.") from None


def _trial(told: Mapping[str, Any]) -> Trial:
    return Trial(told["number"], told["values"], tuple(Ran(**each) for each in told["ran"]))
