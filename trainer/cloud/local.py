"""The rehearsal: the package, built and installed in a clean environment of this machine, trains there as on a cloud.

What a cloud does to a job is done to it here: nothing of the checkout or of the caller's environment is there, the job
starts in an empty folder, and the variables that Vertex AI sets for one replica are set.
"""

import shlex
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from trainer import paths
from trainer.cloud import Submission, arguments, environment, luggage, package, process
from trainer.cloud.luggage import Item
from trainer.cloud.replicas import Replicas

Settings = Submission


@dataclass(frozen=True)
class Job:
    """One process: its flags, the variables that a cloud adds, and the files that lie in its folder.

    Args:
        argv: The flags of the task.
        variables: What is set besides the caller's environment.
        items: The files that go along.
    """

    argv: tuple[str, ...]
    variables: dict[str, str]
    items: tuple[Item, ...] = ()

    @property
    def listing(self) -> str:
        """What `trainer.cloud.start` is to lay out in the job's folder."""
        return luggage.listing({item.place: item.path for item in self.items})


def notes() -> str:
    """Returns what `submit --help` says of this backend."""
    return f"""\
local: the environment of the package's requirements, more than a gigabyte, is made once and kept in
  {environment.home()}
  To remove it: rm -r {shlex.quote(str(environment.home()))}"""


def submit(settings: Submission, argv: Sequence[str]) -> int:
    """Trains in a clean environment and returns the job's exit code; its output is streamed.

    Args:
        settings: The flags of submit.
        argv: The flags of the task.
    """
    job = rehearsal(settings, argv)
    if settings.dry_run:
        variables = [f"{name}={value}" for name, value in job.variables.items()]
        print(shlex.join(["env", *variables, "python", "-m", "trainer.task", *job.argv]))
        return 0
    with tempfile.TemporaryDirectory(prefix="embedding-columns-") as folder:
        python = environment.python(package.build(Path(folder) / "package"))
        return _run(job, python, Path(folder) / "job")


def rehearsal(settings: Submission, argv: Sequence[str]) -> Job:
    """Returns the job of a command line, with every place of the caller's named in full.

    Raises:
        Refusal: A flag of the task cannot be used.
    """
    from trainer.job.plan import planned  # NumPy comes with it, and --help does without

    asked = arguments.read(argv)
    plan = planned(asked.settings, argv)
    packed = luggage.packed(asked, with_rows=True)
    places = {**packed.renamed, "data_dir": paths.absolute(asked.settings.data_dir)}
    files_of_rows = {name: getattr(asked.settings, name) for name in ("train_files", "validation_files", "eval_files")}
    places |= {name: paths.absolute(pattern) for name, pattern in files_of_rows.items() if pattern}
    base = paths.absolute(settings.base_output_dir) if settings.base_output_dir else None
    if asked.settings.job_dir or not base:
        places["job_dir"] = plan.run.path
    return Job(tuple(arguments.with_places(argv, places)), variables(base), packed.items)


def variables(base_output_dir: str | None = None) -> dict[str, str]:
    """Returns what Vertex AI sets for a job of one replica.

    Args:
        base_output_dir: Without it the three AIP_ folders are not set, as on Vertex AI.
    """
    (chief,) = Replicas()
    told = Replicas().variables(chief, {chief: f"cmle-training-{chief.name}-rehearsal-0:2222"}, "rehearsal")
    always = {"CLOUD_ML_JOB_ID": "rehearsal", **told}
    folders = {"AIP_MODEL_DIR": "model/", "AIP_CHECKPOINT_DIR": "checkpoints/", "AIP_TENSORBOARD_LOG_DIR": "logs/"}
    if not base_output_dir:
        return always
    return {**always, **{name: paths.join(base_output_dir, folder) for name, folder in folders.items()}}


def _run(job: Job, python: Path, folder: Path) -> int:
    folder.mkdir()
    module = ["trainer.task"]
    if job.items:
        listing = folder.with_name("luggage.json")
        listing.write_text(job.listing, encoding="utf-8")
        module = ["trainer.cloud.start", str(listing)]
    return process.streamed([str(python), "-m", *module, *job.argv], folder, job.variables)
