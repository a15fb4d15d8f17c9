"""The trials of a hyperparameter-tuning job: each as it ends, and the best of them."""

import shlex
from collections.abc import Sequence
from typing import Any

from trainer import flags
from trainer.cloud.study import Study
from trainer.cloud.vertex.following import View
from trainer.cloud.vertex.sent import Sent, fetching, name_of

ENDED = ("SUCCEEDED", "INFEASIBLE")


def view(sent: Sent, study: Study, argv: Sequence[str]) -> View:
    """Returns what is shown of a tuning job.

    Args:
        sent: The job.
        study: What its trials try.
        argv: The flags of the task that all trials have.
    """
    told = set[str]()

    def new(job: Any) -> list[str]:
        ended = [trial for trial in job.trials if trial.state.name in ENDED and trial.id not in told]
        told.update(trial.id for trial in ended)
        return [line(trial, study.metric) for trial in ended]

    return View(new, lambda job: _left(job, sent, study, argv), is_late=False)


def line(trial: Any, metric: str) -> str:
    """Returns what a trial tried and what came of it."""
    value = measured(trial, metric)
    tried = ", ".join(f"{name}={text}" for name, text in values(trial).items())
    if value is None:
        return f"trial {trial.id}: {tried}: failed{f': {trial.infeasible_reason}' if trial.infeasible_reason else ''}"
    return f"trial {trial.id}: {tried}: {metric} {value:.6g}"


def values(trial: Any) -> dict[str, str]:
    """Returns what a trial tried, by name, as flags take it: a whole number without a point."""
    found = {parameter.parameter_id: parameter.value for parameter in trial.parameters}
    whole = {name for name, value in found.items() if isinstance(value, float) and value.is_integer()}
    return {name: str(int(value) if name in whole else value) for name, value in found.items()}


def measured(trial: Any, metric: str) -> float | None:
    """Returns what a trial that succeeded reported last."""
    if trial.state.name != "SUCCEEDED" or not trial.final_measurement:
        return None
    found = {one.metric_id: float(one.value) for one in trial.final_measurement.metrics}
    return found.get(metric)


def best(trials: Sequence[Any], study: Study) -> Any:
    """Returns the trial with the best metric, the first of several; None where none has any."""
    judged = [(value, trial) for trial in trials if (value := measured(trial, study.metric)) is not None]
    way = 1 if study.is_up else -1
    return max(judged, key=lambda pair: way * pair[0], default=(None, None))[1]


def _left(job: Any, sent: Sent, study: Study, argv: Sequence[str]) -> tuple[str, str | None]:
    """Returns what is said of the end, and where the best run lies."""
    found = best(job.trials, study)
    if found is None:
        return f"none of its {len(job.trials)} trials has reported {study.metric}", None
    output = f"{sent.output.rstrip('/')}/{found.id}"
    folder, fetch = f"{output}/model", fetching(output, f"{name_of(sent.output)}-{found.id}")
    flags_of = [word for name, text in values(found).items() for word in (flags.flag_name(name), text)]
    again = shlex.join(["python", "-m", "trainer.task", *argv, *flags_of])
    judged = f"{study.metric} {measured(found, study.metric):.6g}"
    words = f"the best of its {len(job.trials)} trials is {found.id}, with {judged}; its run lies in {folder}"
    return f"{words}; bring it home with {fetch}, or train so again with {again}", folder
