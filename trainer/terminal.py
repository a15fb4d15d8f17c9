"""What a person meets at a terminal: a command's exit code and its one sentence, and no chatter from libraries."""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from trainer.errors import Refusal, TrainingFailure


def exit_code(run: Callable[[], int]) -> int:
    """Returns the exit code of a command: what `run` returns, or 2 for a mistake, 1 for a failed run, 130 for Ctrl-C.

    Args:
        run: The command; a `Refusal` or a `TrainingFailure` that it raises is printed alone on stderr.

    Example:
        >>> exit_code(lambda: 0)
        0
    """
    try:
        return run()
    except (Refusal, TrainingFailure) as problem:
        print(problem, file=sys.stderr)
        return 2 if isinstance(problem, Refusal) else 1
    except KeyboardInterrupt:
        return 130


@contextmanager
def quiet(verbose: bool = False) -> Iterator[None]:
    """Keeps what is written to stderr while the block runs, and shows it only if the block fails.

    TensorFlow's libraries write to file descriptor 2 themselves, so it is the descriptor that is held, not
    `sys.stderr`. A refusal is no failure: its sentence stands alone.

    Args:
        verbose: Whether to hold nothing.
    """
    if verbose:
        yield
        return
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except (Refusal, KeyboardInterrupt):
            raise
        except BaseException:
            held.seek(0)
            os.write(kept, held.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)


def load_tensorflow(verbose: bool = False) -> None:
    """Imports TensorFlow and runs its first op with its chatter held back.

    Args:
        verbose: Whether to let the chatter through.
    """
    if not verbose:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        os.environ.setdefault("ABSL_MIN_LOG_LEVEL", "2")
    with quiet(verbose):
        import keras
        import tensorflow as tf

        tf.get_logger().setLevel("INFO" if verbose else "ERROR")
        tf.zeros(1) + keras.ops.zeros(1)


def quantity(count: float) -> str:
    """Returns a number of bytes as a person reads it.

    Example:
        >>> quantity(2_691), quantity(3_500_000)
        ('2.7 kB', '3.5 MB')
    """
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
