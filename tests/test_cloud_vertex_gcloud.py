import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from google.cloud import aiplatform_v1

from tests import buckets, vertex_service
from tests.bucket_objects import Cloud
from tests.submissions import AS_TYPED, as_sent
from tests.vertex_service import Vertex
from trainer.commands import submit

ROOT = Path(__file__).parents[1]
WORDS = [
    *("--backend=vertex", "--project=my-project", "--region=us-central1", "--staging-bucket=gs://bucket", "--dry-run"),
    *("--display-name", "it's $HOME", "--workers=2", "--parameter-servers=1", "--accelerator-type=NVIDIA_TESLA_T4"),
    *("--boot-disk-gb=150", "--labels=team=maps", "--labels=free=", "--timeout=3h", "--spot", "--no-restarts"),
    *("--service-account=me@my-project.iam.gserviceaccount.com", "--network=projects/123/global/networks/default"),
    "--tensorboard=projects/my-project/locations/us-central1/tensorboards/5",
]


def shell(lines: str, folder: Path, service: Vertex, cloud: Cloud) -> None:
    """Lets bash run lines of gcloud's that speak to stand-ins."""
    (folder / "token").write_text("token")
    overrides = "CLOUDSDK_API_ENDPOINT_OVERRIDES"
    environ = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "CLOUDSDK_CONFIG": str(folder / "configuration"),
        "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE": str(folder / "token"),
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
        f"{overrides}_AIPLATFORM": f"{service.url}/",
        f"{overrides}_STORAGE": f"{cloud.environment.get('STORAGE_EMULATOR_HOST')}/storage/v1/",
    }
    done = subprocess.run(["bash", "-e", "-c", lines], env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("gcloud") is None, reason="gcloud is not installed")
def test_the_lines_for_gcloud_stage_what_is_needed_and_send_the_dry_run_s_request_field_by_field(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    caller = tmp_path / "it's mine"
    (caller / "own $HOME").mkdir(parents=True)
    (caller / "own $HOME" / "adam.py").write_text("Adam = None\n")
    monkeypatch.chdir(caller)
    assert submit.main([*WORDS, "--", "--dataset", AS_TYPED, "--optimizer", "own $HOME/adam.py:Adam", "--resume"]) == 0
    out, err = capsys.readouterr()
    with vertex_service.serving() as service, buckets.served() as cloud:
        shell(err[err.index("python -m trainer.cloud.package") :], tmp_path, service, cloud)
        (received,) = service.created
        objects = dict(cloud.buckets["bucket"])
    made = yaml.safe_load(out)
    assert received == as_sent(made)
    (listing,) = [name for name in objects if name.endswith(".json")]
    command = made["jobSpec"]["workerPoolSpecs"][0]["containerSpec"]["command"][2]
    assert f"trainer.cloud.start /gcs/bucket/{listing} " in command
    found = json.loads(objects[listing])
    assert objects[f"staged/{found['own $HOME/adam.py']}"] == b"Adam = None\n"
    (package,) = set(objects) - {listing, f"staged/{found['own $HOME/adam.py']}"}
    assert f"/gcs/bucket/{package} " in command


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("gcloud") is None, reason="gcloud is not installed")
def test_the_line_for_gcloud_sends_the_dry_run_s_tuning_job_field_by_field(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert submit.main([*WORDS, "--tune", "--trials=6", "--parallel-trials=3", "--", "--dataset", AS_TYPED]) == 0
    out, err = capsys.readouterr()
    with vertex_service.serving() as service:
        shell(err[err.index("gcloud ai hp-tuning-jobs create") :], tmp_path, service, Cloud())
        (received,) = service.created
    assert received == as_sent(yaml.safe_load(out), aiplatform_v1.HyperparameterTuningJob)
