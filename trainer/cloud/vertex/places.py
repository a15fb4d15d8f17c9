"""What a cloud's machine cannot see: folders and rows that are on this one."""

import os
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from trainer import flags, paths
from trainer import settings as task
from trainer.cloud.arguments import Asked, is_here
from trainer.cloud.vertex.request import output_folder
from trainer.cloud.vertex.settings import Settings
from trainer.errors import Refusal
from trainer.problem import Files

UNSEEN = "is on this machine, where a cloud job cannot see it"

ROWS = ("train_files", "validation_files", "eval_files")


@dataclass(frozen=True)
class Place:
    """Where rows lie.

    Args:
        owner: The flag or the file that names it, as the beginning of a sentence.
        path: A file, a pattern of files, or a folder.
        is_folder: Whether it is a folder.
        instead: What to do with the path in the bucket, which takes the place of `{}`.
    """

    owner: str
    path: str
    is_folder: bool
    instead: str


def check(settings: Settings, name: str, asked: Asked) -> None:
    """Refuses a job that would look for its data, or leave its run, on this machine.

    Args:
        settings: The flags of submit.
        name: What the job is called.
        asked: The task.

    Raises:
        Refusal: A place is local; the command that uploads it is in the sentence.
    """
    for place in _places(asked):
        if is_here(place.path):
            command, there = _upload(settings, place.path, place.is_folder)
            raise Refusal(f"{place.owner} {UNSEEN}; run {command} and {place.instead.format(there)}.")
    job_dir = asked.settings.job_dir
    if job_dir and is_here(job_dir):
        output = output_folder(settings, name)
        instead = f"leave it out, and the run is left in {output}, or give a folder of a bucket"
        if os.path.isdir(job_dir):
            command, there = _upload(settings, job_dir, is_folder=True)
            instead = f"leave it out, or run {command} and give --job-dir {there}"
        raise Refusal(f"--job-dir: {job_dir} {UNSEEN}; {instead}.")


def has_default_data(settings: task.Settings) -> bool:
    """Tells whether data sets are looked for where nobody has said so; a rehearsal notes that place in full."""
    return paths.absolute(settings.data_dir) == paths.absolute(task.Settings.data_dir)


def _places(asked: Asked) -> Iterator[Place]:
    settings, files = asked.settings, asked.problem.dataset
    for name in ROWS:
        if path := getattr(settings, name):
            flag = flags.flag_name(name)
            yield Place(f"{flag}: {path}", path, False, f"give {flag} {{}}")
    # The default is a folder that the job makes on its own disk.
    if "data_dir" in flags.glance(task.Settings, asked.argv, ["data_dir"]) or not has_default_data(settings):
        yield Place(f"--data-dir: {settings.data_dir}", settings.data_dir, True, "give --data-dir {}")
    if isinstance(files, Files) and not settings.train_files and not settings.dataset:
        for argument in ("train", "validation", "test"):
            if path := getattr(files, argument):
                owner = f"--problem: {path}, Files({argument}=…) of {settings.problem},"
                yield Place(owner, path, False, "write {} there")


def _upload(settings: Settings, path: str, is_folder: bool) -> tuple[str, str]:
    """Returns the command that copies what is here to the bucket, and where it is then, both as a shell reads them."""
    here = path.rstrip("/")
    folder, name = os.path.split(os.path.abspath(here))
    if is_folder:  # it is copied into what ends with a slash
        command = ["gcloud", "storage", "cp", "--recursive", here, f"{settings.bucket}/"]
        return shlex.join(command), shlex.quote(f"{settings.bucket}/{name}")
    there = f"{settings.bucket}/{os.path.basename(folder)}/"
    return shlex.join(["gcloud", "storage", "cp", here, there]), shlex.quote(f"{there}{name}")
