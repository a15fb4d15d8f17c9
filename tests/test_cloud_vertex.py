import dataclasses
import json
import os
import resource
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import environments
from tests.submissions import AS_TYPED, VERTEX
from trainer.cloud import arguments, luggage, package, vertex
from trainer.cloud.vertex import by_hand, goods, request
from trainer.cloud.vertex.request import Container
from trainer.cloud.vertex.settings import Settings

ROOT = Path(__file__).parents[1]
PACKAGE = "packages/ab12/embedding_columns-0.1.0.tar.gz"
CONTAINER = Container(PACKAGE, None, ("--train-steps", "20"))


@pytest.fixture
def caller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that submit is started in, with a file of the person's own in it."""
    folder = tmp_path / "it's mine"
    (folder / "own").mkdir(parents=True)
    (folder / "own" / "adam.py").write_text("Adam = None\n")
    monkeypatch.chdir(folder)
    return folder


def worked() -> float:
    """The seconds that processors have worked for the processes of this one that have ended, whoever else works."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def changed(**changes: Any) -> Settings:
    return dataclasses.replace(VERTEX, **changes)


def pools(settings: Settings) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = request.custom_job(settings, "x", CONTAINER)["jobSpec"]["workerPoolSpecs"]
    return found


# The request


def test_the_request_of_a_job_that_is_asked_for_nothing_more_is_what_vertex_takes() -> None:
    install = "python -m pip install --quiet /gcs/bucket/staged/packages/ab12/embedding_columns-0.1.0.tar.gz"
    line = f'{install} && cd "$(mktemp -d)" && exec python -m trainer.task "$@"'
    assert request.custom_job(VERTEX, "try 1", CONTAINER) == {
        "displayName": "try 1",
        "jobSpec": {
            "workerPoolSpecs": [
                {
                    "machineSpec": {"machineType": "n1-standard-4"},
                    "replicaCount": 1,
                    "containerSpec": {
                        "imageUri": "python:3.12-slim",
                        "command": ["sh", "-c", line, "trainer"],
                        "args": ["--train-steps", "20"],
                    },
                }
            ],
            "baseOutputDirectory": {"outputUriPrefix": "gs://bucket/try-1"},
        },
    }


def test_all_that_can_be_asked_for_is_in_the_request() -> None:
    settings = changed(
        staging_bucket="gs://bucket/below/",
        base_output_dir="gs://other/runs",
        workers=2,
        parameter_servers=3,
        machine_type="n1-standard-16",
        accelerator_type="NVIDIA_TESLA_V100",
        server_machine_type="n1-highmem-8",
        boot_disk_type="pd-standard",
        boot_disk_gb=200,
        labels=("team=maps", "free="),
        service_account="me@my-project.iam.gserviceaccount.com",
        network="projects/123/global/networks/default",
        tensorboard="projects/my-project/locations/us-central1/tensorboards/5",
        spot=True,
        restarts=True,
        timeout="3h",
        image="us-docker.pkg.dev/p/r/image:1",
        requirement=("pandas>=2", "it's @ https://host/it.whl"),
    )
    below = "/gcs/bucket/below/staged"
    install = f"python -m pip install --quiet {below}/{PACKAGE} 'tensorflow[and-cuda]' 'pandas>=2' " + shlex.quote(
        "it's @ https://host/it.whl"
    )
    start = f"exec python -m trainer.cloud.start {below}/luggage-cd34.json"
    shared = {
        "containerSpec": {
            "imageUri": "us-docker.pkg.dev/p/r/image:1",
            "command": ["sh", "-c", f'{install} && cd "$(mktemp -d)" && {start} "$@"', "trainer"],
            "args": ["--problem", "own/adam.py"],
        },
        "diskSpec": {"bootDiskType": "pd-standard", "bootDiskSizeGb": 200},
    }
    fast = {
        "machineType": "n1-standard-16",
        "acceleratorType": "NVIDIA_TESLA_V100",
        "acceleratorCount": 2,
    }
    container = Container(PACKAGE, "luggage-cd34.json", ("--problem", "own/adam.py"))
    assert request.custom_job(settings, "try 1", container) == {
        "displayName": "try 1",
        "jobSpec": {
            "workerPoolSpecs": [
                {"machineSpec": fast, "replicaCount": 1, **shared},
                {"machineSpec": fast, "replicaCount": 2, **shared},
                {"machineSpec": {"machineType": "n1-highmem-8"}, "replicaCount": 3, **shared},
            ],
            "scheduling": {"timeout": "10800s", "restartJobOnWorkerRestart": True, "strategy": "SPOT"},
            "serviceAccount": "me@my-project.iam.gserviceaccount.com",
            "network": "projects/123/global/networks/default",
            "tensorboard": "projects/my-project/locations/us-central1/tensorboards/5",
            "baseOutputDirectory": {"outputUriPrefix": "gs://other/runs"},
        },
        "labels": {"team": "maps", "free": ""},
    }


@pytest.mark.parametrize(
    ("workers", "servers", "counts"),
    [(1, 0, [1]), (2, 0, [1, 1]), (4, 0, [1, 3]), (1, 1, [1, 1, 1]), (3, 2, [1, 3, 2])],
)
def test_replicas_are_in_the_pools_of_their_kind(workers: int, servers: int, counts: list[int]) -> None:
    assert [pool["replicaCount"] for pool in pools(changed(workers=workers, parameter_servers=servers))] == counts


@pytest.mark.parametrize(
    ("changes", "scheduling"),
    [
        ({"spot": True}, {"strategy": "SPOT"}),
        ({"restarts": False}, {"disableRetries": True}),
        ({"timeout": "90m"}, {"timeout": "5400s"}),
        ({"timeout": "1d1h"}, {"timeout": "90000s"}),
        ({"timeout": "45"}, {"timeout": "45s"}),
    ],
)
def test_scheduling_is_what_was_asked_for_and_no_more(changes: dict[str, Any], scheduling: dict[str, Any]) -> None:
    assert request.custom_job(changed(**changes), "x", CONTAINER)["jobSpec"]["scheduling"] == scheduling


@pytest.mark.parametrize(
    ("machine", "server", "chosen"),
    [
        ("n1-highmem-8", None, "n1-highmem-8"),
        ("g2-standard-4", None, "n1-standard-4"),
        ("g2-standard-4", "e2-standard-8", "e2-standard-8"),
        ("z9-standard-4", None, "z9-standard-4"),
    ],
)
def test_a_parameter_server_has_no_accelerator(machine: str, server: str | None, chosen: str) -> None:
    settings = changed(parameter_servers=1, machine_type=machine, server_machine_type=server)
    assert pools(settings)[2]["machineSpec"] == {"machineType": chosen}


def test_accelerators_that_a_machine_always_has_need_not_be_named() -> None:
    (pool,) = pools(changed(machine_type="g2-standard-24"))
    asked = {"machineType": "g2-standard-24", "acceleratorType": "NVIDIA_L4", "acceleratorCount": 2}
    assert pool["machineSpec"] == asked
    assert "'tensorflow[and-cuda]'" in pool["containerSpec"]["command"][2]


def test_a_container_s_arguments_arrive_as_typed(caller: Path) -> None:
    container = Container(PACKAGE, None, ("--dataset", AS_TYPED))
    made = yaml.safe_load(request.as_text(request.custom_job(VERTEX, "x", container)))
    specification = made["jobSpec"]["workerPoolSpecs"][0]["containerSpec"]
    stand_in = caller / "bin" / "python"
    stand_in.parent.mkdir()
    show = "import json, os, sys; print(json.dumps([sys.argv[1:], os.listdir()]))"
    stand_in.write_text(f'#!/bin/sh\ntest "$2" = pip || exec {shlex.quote(sys.executable)} -c \'{show}\' "$@"\n')
    stand_in.chmod(0o755)
    command = [*specification["command"], *specification["args"]]
    environ = {"PATH": f"{stand_in.parent}:{os.environ['PATH']}", "TMPDIR": str(caller)}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [["-m", "trainer.task", "--dataset", AS_TYPED], []]


@pytest.mark.parametrize("with_yaml", [True, False], ids=["yaml", "json"])
def test_a_request_is_read_as_it_was_written(with_yaml: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not with_yaml:
        monkeypatch.setitem(sys.modules, "yaml", None)
    made = request.custom_job(VERTEX, "try 1", Container(PACKAGE, None, ("--dataset", AS_TYPED)))
    text = request.as_text(made)
    assert text.startswith("displayName:" if with_yaml else "{")
    assert yaml.safe_load(text) == made


# What goes along


def test_what_goes_along_is_named_by_its_content(caller: Path) -> None:
    (caller / "words.txt").write_text("a\nb\n")
    asked = arguments.read(
        [
            "--optimizer",
            "own/adam.py:Adam",
            "--old-vocabulary",
            "day_hour=words.txt",
            "--warm-start",
            "day_hour=gs://b/x",
        ]
    )
    built = package.Package(Path("/tmp/it/embedding_columns-0.1.0.tar.gz"), (), "ab12")
    staged = goods.of(built, luggage.packed(asked))
    adam, words = (item.staged for item in luggage.packed(asked).items)
    assert staged.package == "packages/ab12/embedding_columns-0.1.0.tar.gz"
    assert staged.files == {
        staged.package: "/tmp/it/embedding_columns-0.1.0.tar.gz",
        adam: str(caller / "own" / "adam.py"),
        words: str(caller / "words.txt"),
    }
    assert staged.listing is not None
    assert json.loads(staged.listing) == {"own/adam.py": adam, "words.txt": words}
    (caller / "words.txt").write_text("a\nc\n")
    assert goods.of(built, luggage.packed(arguments.read(asked.argv))).listing_place != staged.listing_place
    alone = goods.of(built, luggage.packed(arguments.read([])))
    assert (alone.listing, alone.listing_place) == (None, None)


def test_all_is_staged_by_hand_too(caller: Path) -> None:
    typed = ["--optimizer", "own/adam.py:Adam"]
    packed = luggage.packed(arguments.read(typed))
    staged = goods.of(package.Package(Path("/tmp/it/embedding_columns-0.1.0.tar.gz"), (), "ab12"), packed)
    container = Container(staged.package, staged.listing_place, tuple(typed))
    made = request.custom_job(VERTEX, "try 1", container)
    lines = by_hand.commands(VERTEX, made, staged)
    (item,) = packed.items
    assert [shlex.split(line) for line in lines] == [
        ["python", "-m", "trainer.cloud.package", "dist"],
        ["gcloud", "storage", "cp", "dist/embedding_columns-0.1.0.tar.gz", f"gs://bucket/staged/{staged.package}"],
        ["gcloud", "storage", "cp", f"{caller}/own/adam.py", f"gs://bucket/staged/{item.staged}"],
        [
            *("gcloud", "storage", "cp", "-", f"gs://bucket/staged/{staged.listing_place}", "<<<"),
            f'{{  "own/adam.py": "{item.staged}" }}',
        ],
        [
            *("gcloud", "ai", "custom-jobs", "create", "--project=my-project", "--region=us-central1"),
            *("--display-name=try 1", "--config=/dev/stdin", "<<<", json.dumps(made["jobSpec"])),
        ],
    ]


# The dry run


def test_a_dry_run_says_what_it_has_checked_and_prints_the_request_alone(
    caller: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = changed(workers=2, parameter_servers=1, spot=True, machine_type="n1-standrd-4")
    assert vertex.submit(settings, ["--optimizer", "own/adam.py:Adam", "--seed=1"]) == 0
    out, err = capsys.readouterr()
    made = yaml.safe_load(out)
    listing = luggage.packed(arguments.read(["--optimizer", "own/adam.py:Adam"]))
    staged = goods.of(package.build(caller / "dist"), listing)
    container = Container(staged.package, staged.listing_place, ("--optimizer", "own/adam.py:Adam", "--seed=1"))
    assert made == request.custom_job(settings, "try 1", container)
    assert out.count("replicaCount:") == out.count("containerSpec:\n") == 3  # each is written out
    assert "id0" not in out
    lines = err.splitlines()
    assert lines[:9] == [
        "note: --machine-type: n1-standrd-4 is none that is known here, and is sent as it is; did you mean "
        "'n1-standard-4'?",
        "note: --spot: when a machine is taken away its replica starts anew, and finds a run that it may not replace; "
        "with --resume among the task's flags it goes on from the last checkpoint.",
        "note: --spot: replicas cannot go on without one that is taken away; "
        "with --restarts all of them start anew then.",
        "checked the task's flags: problem flights",
        "checked the forms of names: project my-project, region us-central1, gs://bucket",
        "checked the machines: 3 × n1-standrd-4, 1 × n1-standrd-4",
        "checked the arguments: no secrets, and no data that a cloud's machine cannot see",
        f"checked the package: {package.file_name()} is built and imports",
        "not checked: the account, its quota, and what is in the bucket",
    ]
    assert lines[9:] == ["the same by hand:", *by_hand.commands(settings, made, staged)]


WORDS = ["--backend=vertex", "--project=p", "--region=us-central1", "--staging-bucket=gs://b", "--dry-run"]


def test_a_dry_run_of_vertex_imports_nothing_heavy_and_takes_no_time(caller: Path) -> None:
    code = (
        "import sys; from trainer.commands import submit; code = submit.main(sys.argv[1:])\n"
        "heavy = [name for name in sys.modules if name in ('tensorflow', 'keras', 'numpy') or "
        "name.startswith('google.cloud.aiplatform')]\n"
        "sys.exit(f'imports {heavy}' if heavy else code)"
    )
    before = worked()
    done = subprocess.run(
        [sys.executable, "-c", code, *WORDS, "--", "--problem", "flights"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert worked() - before < 5
    assert yaml.safe_load(done.stdout)["displayName"].startswith("embedding-columns-flights-20")
    assert "note: --staging-bucket: no bucket is called 'b', since names have at least 3 letters." in done.stderr


@pytest.mark.slow
def test_a_dry_run_needs_no_extra(tmp_path: Path) -> None:
    python = environments.linked(tmp_path / "environment", "embedding-columns", "setuptools")
    absent = subprocess.run(
        [python, "-c", "import google.cloud.aiplatform"], capture_output=True, text=True, check=False
    )
    assert absent.stderr.splitlines()[-1].startswith("ModuleNotFoundError: ")
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [str(python), "-m", "trainer", "submit", *WORDS]
    before = worked()
    done = subprocess.run(
        [*command, "--", "--problem", "flights"], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert worked() - before < 5
    assert json.loads(done.stdout)["jobSpec"]["workerPoolSpecs"][0]["containerSpec"]["args"] == ["--problem", "flights"]

    sending = [*command[:-1], "--staging-bucket=gs://bucket"]
    sent = subprocess.run(sending, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    assert (sent.returncode, sent.stdout) == (2, "")
    assert sent.stderr.splitlines()[-1] == (
        "submit: --backend vertex sends jobs with google-cloud-aiplatform, which is not installed; "
        "pip install 'embedding-columns[cloud]', or add --dry-run."
    )


@pytest.mark.slow
def test_the_task_never_imports_the_libraries_of_the_cloud() -> None:
    code = (
        "import sys; import trainer.task, trainer.cloud.start, trainer.cloud.vertex\n"
        "from trainer.terminal import load_tensorflow; load_tensorflow()\n"
        "import trainer.job.steps, trainer.job.dry_run\n"
        "found = [name for name in sys.modules if name.startswith('google.cloud.')]\n"
        "sys.exit(str(found) if found else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stderr, done.returncode) == ("", 0)
