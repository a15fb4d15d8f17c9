"""The requests that create jobs, as the API's JSON has them: what is sent is what a dry run shows."""

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trainer.cloud import image
from trainer.cloud.vertex import machines
from trainer.cloud.vertex.settings import Settings


@dataclass(frozen=True)
class Container:
    """What every replica of a job starts.

    Args:
        package: The package's file, in the folder of what is staged.
        luggage: The list of the files that go along, there too; None where there are none.
        argv: The flags of the task.
    """

    package: str
    luggage: str | None
    argv: tuple[str, ...]


def custom_job(settings: Settings, name: str, container: Container) -> dict[str, Any]:
    """Returns the body of the request that creates a custom job.

    Args:
        settings: The flags of submit.
        name: What the job is called.
        container: What runs in it.
    """
    spec = {"jobSpec": job_spec(settings, name, container)}
    return {"displayName": name, **spec, **_labels(settings)}


def tuning_job(settings: Settings, name: str, container: Container, study: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the body of the request that creates a hyperparameter-tuning job, of whose trials each is a custom job.

    Args:
        settings: The flags of submit.
        name: What the job is called.
        container: What runs in each trial.
        study: What is looked for, and where.
    """
    return {
        "displayName": name,
        "studySpec": dict(study),
        "maxTrialCount": settings.trials or 20,
        "parallelTrialCount": settings.parallel_trials or 2,
        "trialJobSpec": job_spec(settings, name, container),
        **_labels(settings),
    }


def job_spec(settings: Settings, name: str, container: Container) -> dict[str, Any]:
    """Returns the specification of a job: its machines, what they run, and where the run is left."""
    spec: dict[str, Any] = {"workerPoolSpecs": _pools(settings, container)}
    if scheduling := _scheduling(settings):
        spec["scheduling"] = scheduling
    for key in ("service_account", "network", "tensorboard"):
        if value := getattr(settings, key):
            spec["serviceAccount" if key == "service_account" else key] = value
    return {**spec, "baseOutputDirectory": {"outputUriPrefix": output_folder(settings, name)}}


def staged_folder(settings: Settings) -> str:
    """Returns the folder in which all that is staged lies, at names with its digest."""
    return f"{settings.bucket}/staged"


def output_folder(settings: Settings, name: str) -> str:
    """Returns the folder in which the run is left.

    Example:
        >>> output_folder(Settings(staging_bucket="gs://bucket/"), "try 1")
        'gs://bucket/try-1'
    """
    return settings.base_output_dir or f"{settings.bucket}/{re.sub('[^A-Za-z0-9._-]+', '-', name)}"


def mounted(path: str) -> str:
    """Returns where a container finds what lies in a bucket.

    Example:
        >>> mounted("gs://bucket/staged")
        '/gcs/bucket/staged'
    """
    return path.replace("gs://", "/gcs/", 1)


def as_json(value: Any, indent: int | None = None) -> str:
    """Returns JSON that is YAML too: what YAML takes for the end of a line, or does not take, is escaped.

    Example:
        >>> as_json(["ü", "\\x85", "\\x7f"])
        '["ü", "\\\\u0085", "\\\\u007f"]'
    """
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return re.sub("[\x7f-\x9f\u2028\u2029\ufeff]", lambda found: f"\\u{ord(found[0]):04x}", text)


def as_text(made: Mapping[str, Any]) -> str:
    """Returns a request as YAML, or, without the library that writes it, as JSON, which is YAML too."""
    try:
        import yaml
    except ModuleNotFoundError:
        return as_json(made, indent=2) + "\n"
    apart = json.loads(json.dumps(made))  # replicas share a container, which YAML would write once and refer to
    return str(yaml.safe_dump(apart, sort_keys=False, allow_unicode=True, width=1 << 20))


def _labels(settings: Settings) -> dict[str, Any]:
    return {"labels": settings.label_values} if settings.labels else {}


def _pools(settings: Settings, container: Container) -> list[dict[str, Any]]:
    """Every replica has the same container, so that TF_CONFIG alone tells them apart."""
    machine = machines.chosen(settings.machine_type, settings.accelerator_type, settings.accelerator_count)
    server = machines.without_accelerators(settings.server_machine_type, settings.machine_type)
    image = {"imageUri": settings.image, "command": _command(settings, container, machine)}
    runs = {"containerSpec": {**image, "args": list(container.argv)}, **_disk(settings)}
    pools = [
        {"machineSpec": _specification(one), "replicaCount": count, **runs} if count else {}
        for count, one in zip(settings.replicas.counts, (machine, machine, server), strict=True)
    ]
    while not pools[-1]:
        pools.pop()
    return pools


def _specification(machine: machines.Machine) -> dict[str, Any]:
    has = {"acceleratorType": machine.accelerator, "acceleratorCount": machine.count} if machine.accelerator else {}
    return {"machineType": machine.name, **has}


def _disk(settings: Settings) -> dict[str, Any]:
    given = {"bootDiskType": settings.boot_disk_type, "bootDiskSizeGb": settings.boot_disk_gb}
    disk = {name: value for name, value in given.items() if value}
    return {"diskSpec": disk} if disk else {}


def _command(settings: Settings, container: Container, machine: machines.Machine) -> list[str]:
    """The task's flags are the shell's arguments, which it passes on and does not read."""
    staged = mounted(staged_folder(settings))
    install = [f"{staged}/{container.package}", *([image.ACCELERATED] if machine.accelerator else [])]
    install += settings.requirement
    start = ["trainer.cloud.start", f"{staged}/{container.luggage}"] if container.luggage else ["trainer.task"]
    # A container may start in the root of its disk, where neither data nor luggage belongs.
    steps = [f"python -m pip install --quiet {shlex.join(install)}", 'cd "$(mktemp -d)"']
    line = " && ".join([*steps, f'exec python -m {shlex.join(start)} "$@"'])
    return ["sh", "-c", line, "trainer"]


def _scheduling(settings: Settings) -> dict[str, Any]:
    asked: dict[str, Any] = {}
    if settings.timeout_seconds is not None:
        asked["timeout"] = f"{settings.timeout_seconds}s"
    if settings.restarts is not None:
        # A false restartJobOnWorkerRestart is Vertex AI's default, and still starts a replica anew.
        asked |= {"restartJobOnWorkerRestart": True} if settings.restarts else {"disableRetries": True}
    if settings.spot:
        asked["strategy"] = "SPOT"
    return asked
