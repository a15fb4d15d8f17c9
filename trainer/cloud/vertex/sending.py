"""Stages what a job needs, creates it, and stays with it."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from trainer.cloud.arguments import Asked
from trainer.cloud.study import TRIAL, Study
from trainer.cloud.vertex import earlier, following, service, staging, trials
from trainer.cloud.vertex.goods import Goods
from trainer.cloud.vertex.sent import Sent
from trainer.cloud.vertex.service import Account, Jobs
from trainer.cloud.vertex.settings import Settings
from trainer.errors import Terminated, TrainingFailure


def send(
    settings: Settings, who: Account, made: Mapping[str, Any], goods: Goods, asked: Asked, study: Study | None
) -> int:
    """Sends a job and returns its exit code, or 0 where it is not waited for.

    Args:
        settings: The flags of submit.
        who: Who sends.
        made: The body of the request.
        goods: What is staged before.
        asked: The task.
        study: What a tuning job tries.

    Raises:
        Refusal: There is no such bucket, or a run is where this one would be left.
        TrainingFailure: Something could not be staged or sent, or no longer be followed.
    """
    region = settings.region or ""
    spec = made.get("jobSpec") or made["trialJobSpec"]
    output = spec["baseOutputDirectory"]["outputUriPrefix"]
    named = (asked.settings.job_dir or f"{output.rstrip('/')}/model").replace("/gcs/", "gs://", 1)
    folder = named if study is None else None
    earlier.check(who, folder or f"{output.rstrip('/')}/{TRIAL}/model", asked)
    jobs = service.jobs(who, region, "custom_job" if study is None else "hyperparameter_tuning_job")
    lies = staging.stage(settings, who, goods)
    job = _created(jobs, f"projects/{who.project}/locations/{region}", made, lies)
    sent = Sent(jobs, who, job.name, folder, output, settings.tensorboard, settings.replicas)
    sent.say_where()
    if not settings.wait:
        print(sent.name)
        return 0
    view = following.of_lines(sent) if study is None else trials.view(sent, study, asked.argv)
    return following.follow(sent, view)


def _created(jobs: Jobs, parent: str, made: Mapping[str, Any], lies: Sequence[str]) -> Any:
    try:
        return jobs.create(parent, made)
    except (KeyboardInterrupt, Terminated):
        print(f"submit: interrupted while the job was sent; {_perhaps(parent, made)}.", file=sys.stderr)
        raise
    except Exception as error:  # whatever the network and the library raise, it is the same for a person
        # Of a request without an answer nobody knows whether it has arrived.
        end = f"; {_perhaps(parent, made)}" if service.is_passing(error) else ""
        raise TrainingFailure(
            f"submit: Vertex AI did not take the job: {service.told(error)}{end}; staged before it: {', '.join(lies)}."
        ) from None


def _perhaps(parent: str, made: Mapping[str, Any]) -> str:
    region = parent.rpartition("/")[2]
    return f"look for '{made['displayName']}' among the jobs of {region} before it is sent again"
