"""The steps of one training job, from settings to a finished run."""

import dataclasses
import os
from collections.abc import Sequence

from trainer import paths
from trainer.cluster import EVALUATOR, Cluster, from_environment
from trainer.errors import Refusal
from trainer.job.plan import check_servers, planned
from trainer.settings import Settings
from trainer.terminal import load_tensorflow


def run(settings: Settings, argv: Sequence[str] = (), is_trial: bool = False) -> int:
    """Trains as the settings say, and leaves a run.

    Args:
        settings: Of this job.
        argv: The command line that they came from, kept with the run.
        is_trial: Whether it is one of many that are compared, and leaves its metrics and tables alone.

    Returns:
        The exit code 0.

    Raises:
        Refusal: The settings cannot be used; nothing has been written.
        TrainingFailure: The training cannot go on.
    """
    cluster = from_environment()
    if cluster.serves or cluster.kind == EVALUATOR or (settings.dry_run and not cluster.is_chief):
        return _beside(cluster, settings)
    if settings.problem.endswith(".py") and paths.exists(settings.problem):
        load_tensorflow(settings.verbose)  # a file of one's own may import it, and would let its chatter through
    if cluster.has_servers and not settings.dry_run:
        _shared(settings)
        check_servers(settings)
    # What can be refused without TensorFlow is refused before its seconds are spent.
    plan = dataclasses.replace(planned(settings, argv, helps=not cluster.is_chief), is_trial=is_trial)
    load_tensorflow(settings.verbose)
    if settings.dry_run:
        from trainer.job import dry_run

        dry_run.show(plan)
        return 0
    from trainer.job import steps
    from trainer.training.machines import joining

    with joining.joined(cluster, plan.run.path, settings.start_seconds, settings.peer_seconds, settings.verbose):
        steps.carry_out(plan)
    return 0


def _beside(cluster: Cluster, settings: Settings) -> int:
    """Does what a process does that has no loop of its own: it serves the chief, or nothing."""
    if settings.dry_run or not cluster.serves:
        print(f"{cluster.task.name} has nothing to do: {cluster.chief.name} does it by itself", flush=True)
        return 0
    load_tensorflow(settings.verbose)
    from trainer.training.machines import serving

    serving.serve(cluster, _shared(settings), settings.start_seconds, settings.verbose)
    return 0


def _shared(settings: Settings) -> str:
    """Returns the folder that all machines of a job with parameter servers see."""
    named = settings.job_dir or os.environ.get("AIP_MODEL_DIR")
    if named is None:
        raise Refusal(
            "--job-dir: with parameter servers a folder is wanted that all machines share, as gs://… or NFS, since "
            "each server writes its rows there; give the same one to all processes."
        )
    return paths.absolute(named)
