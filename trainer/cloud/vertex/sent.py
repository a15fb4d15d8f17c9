"""A job that was sent: its names, and where one sees it."""

import shlex
import sys
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import quote

from trainer import paths
from trainer.cloud.replicas import Replicas
from trainer.cloud.vertex.service import Account, Jobs


@dataclass(frozen=True)
class Sent:
    """A job, and how it is reached.

    Args:
        jobs: Where it is asked for.
        who: Who asks.
        name: In full, as in "projects/1/locations/us-central1/customJobs/7".
        folder: Where the run is left; None where there are several.
        output: The base output folder.
        tensorboard: The instance that shows it.
        replicas: Its processes.
    """

    jobs: Jobs
    who: Account
    name: str
    folder: str | None
    output: str
    tensorboard: str | None
    replicas: Replicas

    @property
    def id(self) -> str:
        """The last part of its name."""
        return self.name.rpartition("/")[2]

    @property
    def region(self) -> str:
        """Where it runs."""
        return self.name.split("/")[3]

    @cached_property
    def page(self) -> str:
        """Its page in the console."""
        at = f"locations/{self.region}/training/{self.id}"
        return f"https://console.cloud.google.com/agent-platform/{at}?project={self.who.project}"

    @property
    def log_page(self) -> str:
        """The page of its log lines."""
        asked = f'resource.type="ml_job"\nresource.labels.job_id="{self.id}"'
        at = f"query;query={quote(asked, safe='')}"
        return f"https://console.cloud.google.com/logs/{at}?project={self.who.project}"

    @property
    def tensorboard_page(self) -> str | None:
        """Where the instance of TensorBoard shows it."""
        if self.tensorboard is None:
            return None
        place, experiment = self.tensorboard.split("/")[3], f"{self.tensorboard}/experiments/{self.id}"
        return f"https://{place}.tensorboard.googleusercontent.com/experiment/{experiment.replace('/', '+')}"

    @property
    def fetch(self) -> str | None:
        """The command that brings the run home, with the logs that lie beside it in a base output folder."""
        if self.folder is None:
            return None
        is_below = self.folder.startswith(f"{self.output.rstrip('/')}/")
        return fetching(self.output if is_below else self.folder, name_of(self.output))

    def say_where(self) -> None:
        """Says where one sees it, and what it leaves."""
        pages = {"job": self.page, "log": self.log_page, "TensorBoard": self.tensorboard_page}
        rows = {**pages, "output": self.output, "to fetch": self.fetch}
        print(f"submit: {self.name} is created", file=sys.stderr)
        for title, text in rows.items():
            if text:
                print(f"  {title}: {text}", file=sys.stderr)


def name_of(folder: str) -> str:
    """Returns the last part of a folder's path."""
    return folder.rstrip("/").rpartition("/")[2]


def fetching(folder: str, name: str) -> str:
    """Returns the command that brings a run home.

    Example:
        >>> fetching("gs://bucket/try 1", "try-1")
        "python -m trainer fetch 'gs://bucket/try 1' runs/try-1"
    """
    return shlex.join(["python", "-m", "trainer", "fetch", folder, paths.join("runs", name)])
