"""Files that a problem's own function of the data opens itself."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from trainer.errors import Refusal, TrainingFailure


@contextmanager
def reading_files_of_its_own(who: str) -> Iterator[None]:
    """Refuses a file that cannot be read inside, with the folder in which it was looked for.

    In that folder a job on another machine has nothing but what went along with it.

    Args:
        who: What a refusal begins with.

    Raises:
        Refusal: A file is not there or cannot be read.
    """
    try:
        yield
    except (Refusal, TrainingFailure):  # of a remote path, which are errors of files as well
        raise
    except OSError as error:
        named = f"{error.filename} cannot be read ({error.strerror})"
        what = named if error.filename else " ".join(str(error).split()).rstrip(".")
        raise Refusal(f"{who}: {what}; the job runs in {os.getcwd()}, where relative paths begin.") from error
