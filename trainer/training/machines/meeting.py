"""A file in the folder of a run by which the chief tells its servers that it is there, and how it has ended."""

import atexit
import json
import os
import sys
from typing import Any

from trainer import paths
from trainer.run import SERVERS

DONE = "done"


def end_with(code: int) -> None:
    """Makes the process end with a code where Python would end it by itself.

    TensorFlow would wait there for its messages to others, and for ever where these are lost.
    """

    def end() -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)

    atexit.register(end)


class Place:
    """Where the chief says which one it is, and how it has ended.

    Args:
        job_dir: The folder of the run, which all machines see.
    """

    def __init__(self, job_dir: str) -> None:
        self.folder = paths.join(job_dir, SERVERS)
        self.file = paths.join(self.folder, "chief.json")
        self.id = ""

    def open(self, id: str) -> None:
        """Says that a chief is there; those before it are forgotten."""
        self.id = id
        self._write(None)

    def close(self, how: str) -> None:
        """Says how the chief has ended: `DONE`, or a sentence."""
        self._write(how)

    def read(self) -> tuple[str, str | None]:
        """Returns the chief's id, "" where there is none, and how it has ended, None where it has not."""
        try:
            told: Any = json.loads(paths.read_text(self.file))
            return str(told["id"]), told["ended"]
        except (OSError, ValueError, KeyError, TypeError):
            return "", None

    def _write(self, ended: str | None) -> None:
        paths.make_folder(self.folder)
        paths.write_text(self.file, json.dumps({"id": self.id, "ended": ended}) + "\n")
