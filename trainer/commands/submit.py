"""Trains in a clean environment of this machine, as on a cloud, or on Vertex AI.

The flags of submit come first; those of `python -m trainer.task` follow after `--` and arrive as typed.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

from trainer import cloud, commands, flags
from trainer import settings as task
from trainer.cloud import image
from trainer.errors import Refusal, nearest

PROG = f"{commands.PROG} submit"
DESCRIPTION = f"""{__doc__}
  {PROG} -- --problem flights --train-steps 100
  {PROG} --tune -- --problem flights
  {PROG} --backend vertex --project p --region us-central1 --staging-bucket gs://b --dry-run -- --problem flights"""


def main(argv: Sequence[str]) -> int:
    """Submits a training job and returns its exit code.

    Args:
        argv: The flags of submit, `--`, and the flags of the task.

    Raises:
        Refusal: A flag cannot be used, or is not one of the backend's.
    """
    words = list(argv)
    end = words.index("--") if "--" in words else len(words)
    backends = cloud.backends()
    given = _given(words[:end], backends)
    if given.get("print_dockerfile"):
        print(image.dockerfile("accelerator_type" in given, given.get("requirement", ())), end="")
        return 0
    name = given.get("backend", cloud.Submission.backend)
    if name not in backends:
        ending = nearest(name, backends) or f"; there are {', '.join(backends)}."
        raise Refusal(f"--backend: there is no backend '{name}'{ending}")
    foreign = sorted(set(given) - _names(backends[name].Settings))
    if foreign:
        raise Refusal(f"submit: {flags.flag_name(foreign[0])} is no flag of --backend {name}; leave it out.")
    settings: cloud.Submission = backends[name].Settings(**given)
    if settings.metric is not None and not settings.tune:
        raise Refusal("--metric: it says something of --tune; give --tune as well, or leave --metric out.")
    code: int = backends[name].submit(settings, words[end + 1 :])
    return code


def _given(words: Sequence[str], backends: Mapping[str, ModuleType]) -> dict[str, Any]:
    everything = flags.together("Submission", [backend.Settings for backend in backends.values()])
    for word in words:
        name = word.partition("=")[0].removeprefix("--").replace("-", "_")
        if word.startswith("--") and name in _names(task.Settings) - _names(everything):
            raise Refusal(f"submit: {flags.flag_name(name)} is a flag of the task; write it after '--'.")
    notes = "\n".join(backend.notes() for backend in backends.values())
    return flags.parse(everything, words, PROG, DESCRIPTION, notes)


def _names(settings: type[Any]) -> set[str]:
    return {field.name for field in dataclasses.fields(settings)}
