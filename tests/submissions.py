"""A place from which jobs are sent to stand-ins of Google's services, with the real libraries and credentials."""

import dataclasses
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from google.cloud import aiplatform_v1
from google.protobuf import json_format

from tests import buckets, vertex_service
from tests.bucket_objects import Cloud
from tests.vertex_service import Vertex
from trainer.cloud import package, vertex
from trainer.cloud.vertex import following, service
from trainer.cloud.vertex.settings import Settings
from trainer.errors import Refusal, TrainingFailure

AS_TYPED = "a b  $HOME $(id) `id` 'x' \"y\" \\ * ü\n#;& \x85 \x7f 🛫"
VERTEX = Settings(
    backend="vertex",
    dry_run=True,
    project="my-project",
    region="us-central1",
    staging_bucket="gs://bucket",
    display_name="try 1",
)
SENDING = dataclasses.replace(VERTEX, dry_run=False)
JOB = "projects/123456/locations/us-central1/customJobs/7001"
QUICK = 0.05


@dataclass
class Place:
    """A folder from which one submits, and the services that it reaches."""

    folder: Path
    vertex: Vertex
    cloud: Cloud

    @property
    def staged(self) -> list[str]:
        """The names of the objects of the bucket."""
        return list(self.cloud.buckets["bucket"])


@contextmanager
def reached(folder: Path, monkeypatch: pytest.MonkeyPatch, built: package.Package) -> Iterator[Place]:
    """Serves the stand-ins, and lets this process find them and a package that is built already."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(package, "build", lambda _: built)
    monkeypatch.setattr(following, "POLL_SECONDS", QUICK)
    monkeypatch.setattr(service, "FIRST_PAUSE_SECONDS", QUICK)
    with vertex_service.serving() as jobs, buckets.served("bucket") as cloud:
        environment = {
            "GOOGLE_APPLICATION_CREDENTIALS": str(jobs.key(folder / "key.json")),
            "CLOUDSDK_API_ENDPOINT_OVERRIDES_AIPLATFORM": f"{jobs.url}/",
            "CLOUDSDK_API_ENDPOINT_OVERRIDES_LOGGING": f"{jobs.url}/",
            "STORAGE_EMULATOR_HOST": cloud.environment["STORAGE_EMULATOR_HOST"],
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        yield Place(folder, jobs, cloud)


def as_sent(made: dict[str, Any], kind: Any = aiplatform_v1.CustomJob) -> dict[str, Any]:
    """A request as the API's types have it: numbers of 64 bits are texts there."""
    parsed = json_format.Parse(json.dumps(made), kind.pb()())
    found: dict[str, Any] = json_format.MessageToDict(parsed)
    return found


def failure(argv: Sequence[str] = (), **changes: Any) -> str:
    """Returns how a submission that should not succeed ends, and with what sentence."""
    with pytest.raises((Refusal, TrainingFailure)) as raised:
        vertex.submit(dataclasses.replace(SENDING, **changes), argv)
    return f"{'refused' if isinstance(raised.value, Refusal) else 'failed'}: {raised.value}"
