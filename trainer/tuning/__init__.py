"""Trials of a problem with other values of its flags, each an ordinary run, and what validation says of them."""

from collections.abc import Sequence

from trainer.cluster import from_environment
from trainer.errors import Refusal
from trainer.terminal import load_tensorflow
from trainer.tuning import asked as asking
from trainer.tuning.asked import PROG


def run(argv: Sequence[str]) -> int:
    """Trains what a command line asks for, leaves a folder of runs, and prints what is best.

    Args:
        argv: The flags of the verb and of the task.

    Returns:
        The exit code 0.

    Raises:
        Refusal: The flags cannot be used; nothing has been written.
        TrainingFailure: No trial could be trained to its end, or the data have changed.
    """
    asked = asking.read(argv)
    if from_environment().is_several:
        raise Refusal(f"{PROG}: it trains on one machine, and TF_CONFIG tells of several; unset it.")
    load_tensorflow(asked.settings.verbose)
    from trainer.tuning import folder, progress, trying

    trials = folder.opened(asked)
    if asked.tuning.dry_run:
        progress.show_plan(asked, trials)
    else:
        trying.carry_out(asked, trials)
    return 0
