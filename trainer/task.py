"""`python -m trainer.task`: trains a problem and leaves a run."""

import sys
from collections.abc import Sequence

from trainer import problem, settings
from trainer.errors import leave
from trainer.terminal import exit_code


def main(argv: Sequence[str] | None = None) -> int:
    """Trains as the flags say and returns the exit code: 0, 1 failed, 2 a mistake, 130 interrupted.

    Args:
        argv: The flags; None takes those of this process.
    """
    words = list(sys.argv[1:] if argv is None else argv)

    def run() -> int:
        chosen = settings.from_argv(words, problem.flags_of, problem.names())
        from trainer import job  # --help has been answered without it

        return job.run(chosen, words)

    return exit_code(run)


if __name__ == "__main__":
    leave(main())
