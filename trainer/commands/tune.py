"""Tries dimensions of a table, or what a problem declares to be searched, and tells what validation finds best."""

from collections.abc import Sequence

from trainer import tuning


def main(argv: Sequence[str]) -> int:
    """Trains a problem once for each value and seed and returns the exit code.

    Args:
        argv: The flags of tune and of the task.

    Raises:
        Refusal: A flag cannot be used, or the folder holds a tuning that was started with others.
        TrainingFailure: No trial could be trained to its end.
    """
    return tuning.run(argv)
