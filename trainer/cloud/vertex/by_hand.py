"""The same job by hand: commands that a shell takes as they are, whatever is in the values."""

import shlex
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from trainer.cloud.vertex.goods import Goods
from trainer.cloud.vertex.request import as_json, staged_folder
from trainer.cloud.vertex.settings import Settings


def commands(settings: Settings, made: Mapping[str, Any], goods: Goods) -> list[str]:
    """Returns the commands that build the package, stage what is needed and create the job with gcloud, one a line.

    Args:
        settings: The flags of submit.
        made: The body of the request.
        goods: What is staged.
    """
    folder, place = staged_folder(settings), goods.listing_place
    files = {**goods.files, goods.package: f"dist/{PurePosixPath(goods.package).name}"}
    lines = ["python -m trainer.cloud.package dist"]
    lines += [shlex.join(["gcloud", "storage", "cp", here, f"{folder}/{there}"]) for there, here in files.items()]
    if place is not None and goods.listing is not None:
        copy = shlex.join(["gcloud", "storage", "cp", "-", f"{folder}/{place}"])
        lines.append(f"{copy} <<< {shlex.quote(goods.listing.replace(chr(10), ' ').strip())}")
    return [*lines, create(settings, made)]


def create(settings: Settings, made: Mapping[str, Any]) -> str:
    """Returns the gcloud command that creates a job; what its flags cannot say is in the file that it reads."""
    kind, body = ("hp-tuning-jobs", made) if "studySpec" in made else ("custom-jobs", made["jobSpec"])
    command = ["gcloud", "ai", kind, "create", f"--project={settings.project}", f"--region={settings.region}"]
    command.append(f"--display-name={made['displayName']}")
    if labels := made.get("labels"):
        command.append("--labels=" + ",".join(f"{key}={value}" for key, value in labels.items()))
    return f"{shlex.join([*command, '--config=/dev/stdin'])} <<< {shlex.quote(as_json(body))}"


def later(verb: str, job: str) -> str:
    """Returns the gcloud command that does something with a job that was sent.

    Args:
        verb: "stream-logs" or "cancel".
        job: The job's name in full.

    Example:
        >>> later("cancel", "projects/1/locations/us-central1/customJobs/7")
        'gcloud ai custom-jobs cancel 7 --project=1 --region=us-central1'
    """
    _, project, _, region, kind, number = job.split("/")
    kind = {"customJobs": "custom-jobs", "hyperparameterTuningJobs": "hp-tuning-jobs"}[kind]
    return shlex.join(["gcloud", "ai", kind, verb, number, f"--project={project}", f"--region={region}"])
