"""What the backend `vertex` can be told."""

import re
from dataclasses import dataclass

from trainer.cloud import Submission, image
from trainer.cloud.vertex.machines import PLAIN_DEFAULT
from trainer.errors import Refusal
from trainer.flags import flag


@dataclass(frozen=True)
class Settings(Submission):
    """What a Vertex AI custom job can be told."""

    project: str | None = flag(
        None, "the Google Cloud project (default: that of the credentials; --dry-run needs it)", "NAME", group="vertex"
    )
    region: str | None = flag(None, "where the job runs, as in us-central1", "NAME", group="vertex")
    staging_bucket: str | None = flag(
        None, "where the package lies and the run is left, as in gs://bucket", "gs://NAME", group="vertex"
    )
    display_name: str | None = flag(
        None, "the job's name (default embedding-columns-PROBLEM-TIME)", "NAME", group="vertex"
    )
    labels: tuple[str, ...] = flag(
        (), "a label of the job, for bills and searches; repeatable", "KEY=VALUE", group="vertex"
    )
    wait: bool = flag(True, "show the job's states and log lines until it ends", group="vertex")
    machine_type: str = flag(PLAIN_DEFAULT, "the machine of each replica", "NAME", group="vertex: machines")
    accelerator_type: str | None = flag(None, "as in NVIDIA_TESLA_T4", "NAME", group="vertex: machines")
    accelerator_count: int | None = flag(
        None,
        "accelerators a machine (default: the fewest that the machine type takes)",
        "N",
        least=1,
        group="vertex: machines",
    )
    server_machine_type: str | None = flag(
        None,
        "the machine of a parameter server, without accelerators (default: --machine-type, or n1-standard-4 where that "
        "type is never without)",
        "NAME",
        group="vertex: machines",
    )
    boot_disk_type: str | None = flag(
        None,
        "of each machine (default: Vertex AI's, pd-ssd)",
        "NAME",
        choices=("pd-ssd", "pd-standard", "hyperdisk-balanced"),
        group="vertex: machines",
    )
    boot_disk_gb: int | None = flag(
        None, "of each machine (default: Vertex AI's, 100)", "N", least=100, group="vertex: machines"
    )
    image: str = flag(image.BASE, "the container's image; it has sh, Python and pip", "URI", group="vertex: machines")
    spot: bool = flag(
        False,
        "cheaper machines, which can be taken away; a task with --resume then goes on",
        group="vertex: running",
    )
    restarts: bool | None = flag(
        None,
        "when a replica starts anew, as after it has lost its machine: start all of them, or, with --no-restarts, none "
        "and fail (default: that one alone)",
        group="vertex: running",
    )
    timeout: str | None = flag(
        None, "the longest that the job may run, as 3h, 90m or 5400 (default: 7 days)", "TIME", group="vertex: running"
    )
    service_account: str | None = flag(None, "whom the job acts as", "EMAIL", group="vertex: running")
    network: str | None = flag(
        None, "what the machines join, as projects/NUMBER/global/networks/NAME", "NAME", group="vertex: running"
    )
    tensorboard: str | None = flag(
        None,
        "the instance that shows the job's logs, as projects/P/locations/R/tensorboards/ID; it needs --service-account",
        "NAME",
        group="vertex: running",
    )
    trials: int | None = flag(None, "with --tune, trainings in all (default 20)", "N", least=1, group="vertex: tuning")
    parallel_trials: int | None = flag(
        None,
        "with --tune, trainings at a time (default 2); each learns from those that ended before",
        "N",
        least=1,
        group="vertex: tuning",
    )

    @property
    def bucket(self) -> str:
        """The staging bucket, or the folder in it, without a slash at its end."""
        return (self.staging_bucket or "").rstrip("/")

    @property
    def label_values(self) -> dict[str, str]:
        """The labels by their keys."""
        pairs = (text.partition("=") for text in self.labels)
        return {key: value for key, _, value in pairs}

    @property
    def timeout_seconds(self) -> int | None:
        """How long the job may run."""
        return None if self.timeout is None else seconds("--timeout", self.timeout)


def seconds(who: str, text: str) -> int:
    """Returns the whole seconds of a time that a person wrote.

    Raises:
        Refusal: It is none.

    Example:
        >>> seconds("--timeout", "3h"), seconds("--timeout", "1h30m"), seconds("--timeout", "5400")
        (10800, 5400, 5400)
    """
    found = re.fullmatch(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?", text.strip(), re.ASCII)
    days, hours, minutes, rest = (int(part or 0) for part in found.groups()) if found else (0, 0, 0, 0)
    total = ((days * 24 + hours) * 60 + minutes) * 60 + rest
    if not total:
        raise Refusal(f"{who}: a time such as 3h, 90m or 5400 seconds is wanted, not '{text}'.")
    return total
