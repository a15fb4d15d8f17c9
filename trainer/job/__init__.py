"""The steps of one training job, from settings to a finished run."""

from collections.abc import Sequence

from trainer import paths
from trainer.job.plan import planned
from trainer.settings import Settings
from trainer.terminal import load_tensorflow


def run(settings: Settings, argv: Sequence[str] = ()) -> int:
    """Trains as the settings say, and leaves a run.

    Args:
        settings: Of this job.
        argv: The command line that they came from, kept with the run.

    Returns:
        The exit code 0.

    Raises:
        Refusal: The settings cannot be used; nothing has been written.
        TrainingFailure: The training cannot go on.
    """
    if settings.problem.endswith(".py") and paths.exists(settings.problem):
        load_tensorflow(settings.verbose)  # a file of one's own may import it, and would let its chatter through
    # What can be refused without TensorFlow is refused before its seconds are spent.
    plan = planned(settings, argv)
    load_tensorflow(settings.verbose)
    if settings.dry_run:
        from trainer.job import dry_run

        dry_run.show(plan)
    else:
        from trainer.job import steps

        steps.carry_out(plan)
    return 0
