"""Vertex AI: the request of a custom job in a plain Python 3.12 container, which installs the package and trains.

The prebuilt TensorFlow images of Vertex AI end at 2.17, so the container is a plain one: it installs the package from
the bucket, which is mounted at /gcs/, and starts `python -m trainer.task`. Everything here is from Vertex AI's
documentation; none of it has been tried with an account.
"""

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from trainer import flags
from trainer import settings as task
from trainer.cloud import Submission, arguments, luggage, package
from trainer.cloud.arguments import Asked
from trainer.cloud.luggage import Luggage
from trainer.errors import Refusal
from trainer.flags import flag


@dataclass(frozen=True)
class Settings(Submission):
    """What a Vertex AI custom job can be told."""

    project: str | None = flag(None, "the Google Cloud project", "NAME", group="vertex")
    region: str | None = flag(None, "where the job runs, as in us-central1", "NAME", group="vertex")
    staging_bucket: str | None = flag(
        None, "where the package lies and the run is left, as in gs://bucket", "gs://NAME", group="vertex"
    )
    display_name: str | None = flag(
        None, "the job's name (default embedding-columns-PROBLEM-TIME)", "NAME", group="vertex"
    )
    machine_type: str = flag("n1-standard-4", "the machine", "NAME", group="vertex")
    image: str = flag("python:3.12", "the container's image; it has Python and pip", "URI", group="vertex")
    accelerator_type: str | None = flag(None, "as in NVIDIA_TESLA_T4", "NAME", group="vertex")
    accelerator_count: int | None = flag(
        None, "accelerators of that type (default 1 where there is a type)", "N", least=1, group="vertex"
    )


def notes() -> str:
    """Returns what `submit --help` says of this backend."""
    return """\
vertex: --dry-run needs neither an account nor the network: it prints the request of the custom job, and the commands
  that build and stage the package and send the job. It follows Vertex AI's documentation; it was not tried with an
  account. The container is a plain Python 3.12, because the prebuilt TensorFlow images end at 2.17."""


def submit(settings: Settings, argv: Sequence[str]) -> int:
    """Prints the request of a custom job, and after it the commands that do the same by hand.

    Args:
        settings: The flags of submit.
        argv: The flags of the task.

    Raises:
        Refusal: A flag cannot be used, or names what a cloud cannot see; or `--dry-run` is not given.
    """
    if not settings.dry_run:
        raise Refusal(
            "submit: --backend vertex cannot send a job yet; --dry-run prints its request and the gcloud command "
            "that sends it."
        )
    _check(settings)
    asked = arguments.read(argv)
    _check_places(asked.settings, argv)
    packed = luggage.packed(asked)
    made = request(settings, asked, packed)
    print(json.dumps(made, indent=2, ensure_ascii=False))
    print("", *by_hand(settings, made, packed), sep="\n")
    return 0


def request(settings: Settings, asked: Asked, packed: Luggage) -> dict[str, Any]:
    """Returns the body of the request that creates a custom job of one replica.

    Args:
        settings: The flags of submit.
        asked: The task. Each of its flags is one item of the container's arguments, so that no shell reads it.
        packed: What goes along.
    """
    name = settings.display_name or f"{package.NAME}-{asked.problem.name}-{datetime.now():%Y%m%d-%H%M%S}"
    folder = _folder(settings, name)
    mounted = folder.replace("gs://", "/gcs/", 1)
    installed = [f"{mounted}/{package.file_name()}", *(["tensorflow[and-cuda]"] if settings.accelerator_type else [])]
    module = ["trainer.task"]
    if packed.items:
        module = ["trainer.cloud.start", f"{mounted}/luggage.json"]
    start = f'python -m pip install --quiet {shlex.join(installed)} && exec python -m {shlex.join(module)} "$@"'
    container = {
        "imageUri": settings.image,
        "command": ["sh", "-c", start, "trainer"],
        "args": arguments.with_places(asked.argv, packed.renamed),
    }
    pool = {"machineSpec": _machine(settings), "replicaCount": 1, "containerSpec": container}
    output = {"outputUriPrefix": settings.base_output_dir or folder}
    return {"displayName": name, "jobSpec": {"workerPoolSpecs": [pool], "baseOutputDirectory": output}}


def by_hand(settings: Settings, made: Mapping[str, Any], packed: Luggage) -> list[str]:
    """Returns the commands that build the package, stage it and create the same job with gcloud, one a line.

    Args:
        settings: The flags of submit.
        made: What `request` returned.
        packed: What goes along.
    """
    name = made["displayName"]
    folder = _folder(settings, name)
    staged = {f"dist/{package.file_name()}": f"{folder}/{package.file_name()}"}
    staged |= {item.path: f"{folder}/{item.staged}" for item in packed.items}
    create = ["gcloud", "ai", "custom-jobs", "create", f"--project={settings.project}", f"--region={settings.region}"]
    # gcloud has no flag for the base output directory; its configuration, a CustomJobSpec, has a field.
    create += [f"--display-name={name}", "--config=/dev/stdin"]
    return [
        "python -m trainer.cloud.package dist",
        *(shlex.join(["gcloud", "storage", "cp", here, there]) for here, there in staged.items()),
        f"{shlex.join(create)} <<< {shlex.quote(json.dumps(made['jobSpec'], ensure_ascii=False))}",
    ]


def _folder(settings: Settings, name: str) -> str:
    return f"{(settings.staging_bucket or '').rstrip('/')}/{re.sub('[^A-Za-z0-9._-]+', '-', name)}"


def _machine(settings: Settings) -> dict[str, Any]:
    machine: dict[str, Any] = {"machineType": settings.machine_type}
    if settings.accelerator_type:
        machine["acceleratorType"] = settings.accelerator_type
        machine["acceleratorCount"] = settings.accelerator_count or 1
    return machine


def _check(settings: Settings) -> None:
    for name in ("project", "region", "staging_bucket"):
        if not getattr(settings, name):
            raise Refusal(f"submit: --backend vertex wants {flags.flag_name(name)}; --help tells what it is.")
    bucket = r"gs://[a-z0-9][a-z0-9._-]*(/[A-Za-z0-9._-]+)*/?"
    _match("region", settings.region, r"[a-z]+-[a-z]+[0-9]+", "a region is wanted, as in us-central1")
    _match("staging_bucket", settings.staging_bucket, bucket, "a bucket is wanted, as in gs://bucket")
    _match("base_output_dir", settings.base_output_dir, bucket, "a folder of a bucket is wanted, as in gs://bucket/run")
    if settings.accelerator_count and not settings.accelerator_type:
        raise Refusal("--accelerator-count: give --accelerator-type as well, as in NVIDIA_TESLA_T4.")


def _match(name: str, value: str | None, pattern: str, wanted: str) -> None:
    if value is not None and not re.fullmatch(pattern, value):
        raise Refusal(f"{flags.flag_name(name)}: {wanted}, not '{value}'.")


def _check_places(asked: task.Settings, argv: Sequence[str]) -> None:
    places = [("job_dir", asked.job_dir)]
    places += [(name, getattr(asked, name)) for name in ("train_files", "validation_files", "eval_files")]
    # The default is a folder that the job makes on its own disk.
    if "data_dir" in flags.glance(task.Settings, argv, ["data_dir"]) or asked.data_dir != task.Settings.data_dir:
        places.append(("data_dir", asked.data_dir))
    for name, place in places:
        if place and not place.startswith(("gs://", "/gcs/")):
            raise Refusal(
                f"{flags.flag_name(name)}: {place} is on this machine, where a cloud job cannot see it; copy it to a "
                "bucket and give its gs:// path."
            )
