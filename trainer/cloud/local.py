"""The rehearsal: the package, built and installed in a clean environment of this machine, trains there as on a cloud.

What a cloud does to a job is done to it here: nothing of the checkout or of the caller's environment is there, each
replica starts in an empty folder, in which the job's luggage is laid out, and the variables that Vertex AI sets for it
are set.
"""

import dataclasses
import os
import shlex
import socket
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from trainer import paths, terminal
from trainer import settings as task
from trainer.cloud import Submission, arguments, environment, luggage, package, study, together
from trainer.cloud.arguments import Asked
from trainer.cloud.luggage import Luggage
from trainer.cloud.package import Package
from trainer.cloud.process import Program
from trainer.cloud.replicas import Replica, Replicas
from trainer.cloud.study import Study
from trainer.cluster import SERVER, WORKER

Settings = Submission
ID = "rehearsal"
REPORTS = "hypertune/output.metrics"
"""The file of a trial's metrics, in the folder of a replica."""


@dataclass(frozen=True)
class Job:
    """What the replicas have in common.

    Args:
        replicas: The processes.
        argv: The flags of the task, with every place named in full but for those of files that go along.
        variables: What is set for each besides the caller's environment.
        luggage: The files that go along.
        study: What the job is the first trial of, if it is one.
        new_folder: Where the run is left, if nobody has named that folder and it is not there yet.
    """

    replicas: Replicas
    argv: tuple[str, ...]
    variables: dict[str, str]
    luggage: Luggage
    study: Study | None = None
    new_folder: str | None = None

    @property
    def packed_argv(self) -> tuple[str, ...]:
        """The flags of the task, with the files that go along as they are called in the job's folder."""
        return tuple(arguments.with_places(self.argv, self.luggage.renamed))

    @property
    def listing(self) -> str:
        """What `trainer.cloud.start` is to lay out in the job's folder."""
        return luggage.listing({item.place: item.path for item in self.luggage.items})


def notes() -> str:
    """Returns what `submit --help` says of this backend."""
    kept = environment.KEPT_REQUIREMENTS, environment.KEPT_PACKAGES
    return f"""\
local: all replicas run here, each in an empty folder, its lines with its name in front. The first that fails ends all;
  Ctrl-C is passed on, a second one kills. The package's requirements, more than a gigabyte, are installed once. The
  last {kept[0]} sets of requirements, each with the last {kept[1]} states of the package, are kept in
  {environment.home()}
  To remove it: rm -r {shlex.quote(str(environment.home()))}"""


def submit(settings: Submission, argv: Sequence[str]) -> int:
    """Trains in a clean environment and returns the job's exit code; its output is streamed.

    Args:
        settings: The flags of submit.
        argv: The flags of the task.
    """
    if settings.dry_run:
        _show(rehearsal(settings, argv))
        return 0
    with (
        _in_its_own_folder(settings, argv) as job,
        tempfile.TemporaryDirectory(prefix="embedding-columns-") as folder,
        environment.ready(_needing(settings.requirement, package.build(Path(folder) / "package"))) as python,
    ):
        code = together.run(_programs(job, python, Path(folder)))
        if job.study is not None and code == 0:
            _judge(job.study, Path(folder) / next(iter(job.replicas)).name / REPORTS)
        return code


def _needing(more: Sequence[str], built: Package) -> Package:
    return dataclasses.replace(built, requirements=(*built.requirements, *more))


def rehearsal(settings: Submission, argv: Sequence[str]) -> Job:
    """Returns the job of a command line.

    Raises:
        Refusal: A flag of the task cannot be used, or nothing can be tuned.
    """
    from trainer.job.plan import check_servers, planned  # NumPy comes with it, and --help does without

    asked = arguments.read(argv)
    tried = study.of(asked, settings.metric) if settings.tune else None
    if tried is not None:
        argv = [*argv, *tried.first_trial]
        asked = arguments.read(argv)
    if settings.parameter_servers:
        check_servers(asked.settings)
    plan = planned(asked.settings, argv)
    places = {"data_dir": paths.absolute(asked.settings.data_dir)}
    files_of_rows = {name: getattr(asked.settings, name) for name in ("train_files", "validation_files", "eval_files")}
    places |= {name: paths.absolute(pattern) for name, pattern in files_of_rows.items() if pattern}
    base = paths.absolute(settings.base_output_dir) if settings.base_output_dir else None
    if asked.settings.job_dir or not base:
        places["job_dir"] = plan.run.path
    found = luggage.packed(asked, with_rows=True)
    variables = _always(base) if tried is None else _of_trial(base)
    is_new = "job_dir" in places and not asked.settings.job_dir and not paths.exists(plan.run.path)
    all_words = (*arguments.with_places(argv, places), *_planted(asked))
    return Job(settings.replicas, all_words, variables, found, tried, plan.run.path if is_new else None)


def _planted(asked: Asked) -> list[str]:
    """Returns the flag with which planted rows stand in as they would without the place that is named for the data."""
    settings = asked.settings
    is_unsaid = settings.planted is None and settings.data_dir == task.Settings.data_dir
    return ["--planted"] if is_unsaid and asked.problem.planted is not None else []


@contextmanager
def _in_its_own_folder(settings: Submission, argv: Sequence[str]) -> Iterator[Job]:
    """Yields the job of a command line; of two that are started at once, the later one takes another folder."""
    job = rehearsal(settings, argv)
    while job.new_folder:
        try:
            os.makedirs(job.new_folder)
            break
        except FileExistsError:
            job = rehearsal(settings, argv)
    try:
        yield job
    finally:
        if job.new_folder:
            with suppress(OSError):  # there is something in it
                os.rmdir(job.new_folder)


def told(job: Job) -> dict[Replica, dict[str, str]]:
    """Returns the variables that Vertex AI would set for each replica, with addresses of this machine.

    `CLOUD_ML_PROJECT_ID` is none of them: here is no project, and google-cloud-aiplatform asks the cloud for its name.
    """
    addresses = _addresses(job.replicas)
    trial = None if job.study is None else study.TRIAL
    return {each: {**job.variables, **job.replicas.variables(each, addresses, ID, trial)} for each in job.replicas}


def _always(base_output_dir: str | None) -> dict[str, str]:
    """Returns what is set for every replica; the three folders with a base output folder alone, as on Vertex AI."""
    folders = {"AIP_MODEL_DIR": "model/", "AIP_CHECKPOINT_DIR": "checkpoints/", "AIP_TENSORBOARD_LOG_DIR": "logs/"}
    given = {name: paths.join(base_output_dir, folder) for name, folder in folders.items()} if base_output_dir else {}
    return {"CLOUD_ML_JOB_ID": ID, **given}


def _of_trial(base_output_dir: str | None) -> dict[str, str]:
    """Returns what is set for every replica of a trial, whose folders lie in one of its own, as on Vertex AI."""
    base = paths.join(base_output_dir, study.TRIAL) if base_output_dir else None
    return {**_always(base), "CLOUD_ML_TRIAL_ID": study.TRIAL, "CLOUD_ML_HP_METRIC_FILE": REPORTS}


def _judge(tried: Study, reports: Path) -> None:
    """Says what a trial that has ended well has reported.

    Raises:
        TrainingFailure: A tuning service could not judge it by that.
    """
    text = reports.read_text(encoding="utf-8") if reports.exists() else ""
    print(f"submit: {tried.verdict(text)}", file=sys.stderr, flush=True)


def _addresses(replicas: Replicas) -> dict[Replica, str]:
    """Returns an address on a free port of this machine for each replica."""
    with ExitStack() as held:  # all at once, so that no port is given twice
        sockets = {replica: held.enter_context(socket.socket()) for replica in replicas}
        for each in sockets.values():
            each.bind(("127.0.0.1", 0))
        return {replica: f"127.0.0.1:{each.getsockname()[1]}" for replica, each in sockets.items()}


def _show(job: Job) -> None:
    """Prints the command of each replica, as it can be given in a shell in the current folder."""
    for variables in told(job).values():
        words = [f"{name}={value}" for name, value in variables.items()]
        print(shlex.join(["env", *words, "python", "-m", "trainer.task", *job.argv]))
    if job.luggage.items:
        names = terminal.listed([item.place for item in job.luggage.items])
        print(f"submit: each replica starts in a folder of its own, in which lie {names}.", file=sys.stderr)


def _programs(job: Job, python: Path, folder: Path) -> list[Program]:
    """Returns the program of each replica, and makes the folder that it starts in."""
    module = ["trainer.task"]
    if job.luggage.items:
        listing = folder / "luggage.json"
        listing.write_text(job.listing, encoding="utf-8")
        module = ["trainer.cloud.start", str(listing)]
    command = (str(python), "-m", *module, *job.packed_argv)
    # A program that the job starts by its name is one of the clean environment.
    first = {"PATH": os.pathsep.join([str(python.parent), os.environ.get("PATH", os.defpath)])}
    serve = (SERVER, WORKER) if job.replicas.parameter_servers else ()
    for replica in job.replicas:
        (folder / replica.name).mkdir()
    return [
        Program(replica.title, command, folder / replica.name, {**first, **variables}, replica.kind in serve)
        for replica, variables in told(job).items()
    ]
