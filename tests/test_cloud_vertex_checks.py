import dataclasses
import json
import re
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.submissions import VERTEX
from trainer.cloud import arguments, package, vertex
from trainer.cloud.package import Package
from trainer.cloud.vertex import checks, forms, machines, places, secrets
from trainer.errors import Refusal, TrainingFailure

UNSEEN = "is on this machine, where a cloud job cannot see it"
BUCKET_RULES = (
    "a name has 3 to 63 lowercase letters, digits, '-', '_' and '.', begins and ends with a letter or digit, and is no "
    "address of a network."
)
LABEL_RULES = (
    "--labels: KEY=VALUE is wanted, each of at most 63 lowercase letters, digits, '-' and '_' and the key beginning "
    "with a letter, not"
)
READ = "which everyone who may see the job would read"


@pytest.fixture
def caller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that submit is started in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"project": None}, "submit: --backend vertex wants --project; --help tells what it is."),
        ({"region": None}, "submit: --backend vertex wants --region; --help tells what it is."),
        ({"staging_bucket": None}, "submit: --backend vertex wants --staging-bucket; --help tells what it is."),
        ({"project": "My Project"}, "--project: a project's id, as in my-project, not 'My Project'."),
        ({"region": "us-central1-a"}, "--region: us-central1-a is a zone; give its region, us-central1."),
        ({"region": "US"}, "--region: a region is wanted, as in us-central1, not 'US'."),
        ({"staging_bucket": "bucket"}, "--staging-bucket: a bucket is wanted, as in gs://bucket, not 'bucket'."),
        ({"staging_bucket": "gs://"}, "--staging-bucket: a bucket is wanted, as in gs://bucket, not 'gs://'."),
        ({"staging_bucket": "gs://a b"}, "--staging-bucket: a bucket is wanted, as in gs://bucket, not 'gs://a b'."),
        ({"staging_bucket": "gs://Mine"}, f"--staging-bucket: no bucket is called 'Mine'; {BUCKET_RULES}"),
        ({"staging_bucket": "gs://mine-"}, f"--staging-bucket: no bucket is called 'mine-'; {BUCKET_RULES}"),
        ({"staging_bucket": "gs://a..b"}, f"--staging-bucket: no bucket is called 'a..b'; {BUCKET_RULES}"),
        ({"staging_bucket": "gs://10.0.0.1/x"}, f"--staging-bucket: no bucket is called '10.0.0.1'; {BUCKET_RULES}"),
        ({"staging_bucket": f"gs://{'a' * 64}"}, f"--staging-bucket: no bucket is called '{'a' * 64}'; {BUCKET_RULES}"),
        (
            {"staging_bucket": "gs://my-google-data"},
            "--staging-bucket: no bucket may be called 'my-google-data': names with goog or google are Google's own.",
        ),
        (
            {"staging_bucket": "gs://ab", "dry_run": False},
            "--staging-bucket: no bucket is called 'ab', since names have at least 3 letters.",
        ),
        (
            {"base_output_dir": "runs"},
            "--base-output-dir: a folder of a bucket is wanted, as in gs://bucket/run, not 'runs'.",
        ),
        (
            {"network": "projects/my-project/global/networks/default"},
            "--network: a network's full name with the project's number is wanted, as in "
            "projects/12345/global/networks/default, not 'projects/my-project/global/networks/default'.",
        ),
        (
            {"service_account": "trainer"},
            "--service-account: an e-mail address is wanted, as in trainer@my-project.iam.gserviceaccount.com, not "
            "'trainer'.",
        ),
        (
            {"tensorboard": "12345"},
            "--tensorboard: an instance's full name is wanted, as in "
            "projects/my-project/locations/us-central1/tensorboards/12345, not '12345'.",
        ),
        (
            {"tensorboard": "projects/p/locations/europe-west4/tensorboards/1", "service_account": "a@b.c"},
            "--tensorboard: the instance is in europe-west4, the job in us-central1; give an instance of its region.",
        ),
        (
            {"tensorboard": "projects/p/locations/us-central1/tensorboards/1"},
            "--tensorboard: the job writes to the instance as a service account; give --service-account, one that may "
            "write to the bucket and to Vertex AI.",
        ),
        ({"labels": ("team",)}, f"{LABEL_RULES} 'team'."),
        ({"labels": ("Team=maps",)}, f"{LABEL_RULES} 'Team=maps'."),
        ({"labels": ("team=a b",)}, f"{LABEL_RULES} 'team=a b'."),
        ({"labels": ("1=a",)}, f"{LABEL_RULES} '1=a'."),
        ({"labels": (f"a={'b' * 64}",)}, f"{LABEL_RULES} 'a={'b' * 64}'."),
        ({"labels": ("a=b", "a=c")}, "--labels: a is given twice; give it once."),
        ({"labels": tuple(f"a{n}=" for n in range(65))}, "--labels: a job has at most 64 of them, not 65."),
        ({"display_name": "x" * 129}, "--display-name: 1 to 128 letters are wanted, not 129."),
        ({"display_name": ""}, "--display-name: 1 to 128 letters are wanted, not 0."),
        ({"image": "a b"}, "--image: a container's image is wanted, as in python:3.12-slim, not 'a b'."),
        ({"boot_disk_gb": 64_001}, "--boot-disk-gb: a whole number from 100 to 64000 is wanted, not 64001."),
        ({"timeout": "soon"}, "--timeout: a time such as 3h, 90m or 5400 seconds is wanted, not 'soon'."),
        ({"timeout": "0h"}, "--timeout: a time such as 3h, 90m or 5400 seconds is wanted, not '0h'."),
        (
            {"accelerator_count": 2},
            "--accelerator-count: give --accelerator-type as well, as in NVIDIA_TESLA_T4.",
        ),
        (
            {"accelerator_type": "NVIDIA_TESLA_T4", "accelerator_count": 3},
            "--accelerator-count: n1-standard-4 takes 1, 2 or 4 of NVIDIA_TESLA_T4, not 3.",
        ),
        (
            {"accelerator_type": "NVIDIA_TESLA_T5"},
            "--accelerator-type: there is no 'NVIDIA_TESLA_T5' for n1-standard-4; did you mean 'NVIDIA_TESLA_T4'?",
        ),
        (
            {"accelerator_type": "NVIDIA_A100_80GB"},
            "--accelerator-type: n1-standard-4 takes NVIDIA_TESLA_P4, NVIDIA_TESLA_P100, NVIDIA_TESLA_T4 or "
            "NVIDIA_TESLA_V100, not NVIDIA_A100_80GB; that goes with a2-ultragpu-1g, a2-ultragpu-2g, a2-ultragpu-4g, "
            "a2-ultragpu-8g.",
        ),
        (
            {"accelerator_type": "NVIDIA_L4", "machine_type": "e2-standard-4"},
            "--accelerator-type: e2-standard-4 takes no accelerators, so no NVIDIA_L4; that goes with g2-standard-4, "
            "g2-standard-8, g2-standard-12, g2-standard-16, g2-standard-32, g2-standard-24, g2-standard-48, "
            "g2-standard-96.",
        ),
        (
            {"server_machine_type": "g2-standard-4", "parameter_servers": 1},
            "--server-machine-type: g2-standard-4 comes with NVIDIA_L4, for which a parameter server has no use; give "
            "one without, as n1-standard-4.",
        ),
    ],
)
def test_what_vertex_could_not_take_is_refused(caller: Path, changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Refusal) as refusal:
        vertex.submit(dataclasses.replace(VERTEX, **changes), [])
    assert str(refusal.value) == sentence


@pytest.mark.parametrize(
    "changes",
    [
        {"staging_bucket": "gs://data.example.com/a b/../ü".replace(" ", "_")},
        {"project": "example.com:my-project"},
        {"project": "123456"},
        {"region": "northamerica-northeast2"},
        {"labels": ("größe=klein", "a-b_1=")},
        {"accelerator_type": "NVIDIA_TESLA_T4", "accelerator_count": 4},
    ],
)
def test_what_vertex_takes_is_let_through_without_a_word(changes: dict[str, Any]) -> None:
    assert forms.check(dataclasses.replace(VERTEX, **changes)) == []


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        (
            {"region": "us-cental1"},
            "--region: us-cental1 is none of the regions that are known here; did you mean 'us-central1'?",
        ),
        (
            {"machine_type": "c99-standard-4"},
            "--machine-type: c99-standard-4 is none that is known here, and is sent as it is; did you mean "
            "'c2-standard-4'?",
        ),
        (
            {"server_machine_type": "zebra"},
            "--server-machine-type: zebra is none that is known here, and is sent as it is.",
        ),
        (
            {"staging_bucket": "gs://b"},
            "--staging-bucket: no bucket is called 'b', since names have at least 3 letters.",
        ),
    ],
)
def test_what_is_new_to_the_tables_is_let_through_with_a_note(changes: dict[str, Any], note: str) -> None:
    assert forms.check(dataclasses.replace(VERTEX, **changes)) == [note]


def test_a_name_that_is_made_of_a_long_one_is_refused_too(caller: Path) -> None:
    (caller / f"{'x' * 100}.py").write_text("from trainer.problems.flights import PROBLEM\n")
    with pytest.raises(Refusal) as refusal:
        vertex.submit(dataclasses.replace(VERTEX, display_name=None), ["--problem", f"{'x' * 100}.py"])
    start, made, end = re.split("(embedding-columns-x+…x+-[0-9-]+)", str(refusal.value))
    assert start == "--display-name: 1 to 128 letters are wanted, not 138, as "
    assert end == " has; give one."
    assert len(made) == 60


def test_jobs_of_one_second_have_names_of_their_own() -> None:
    asked = arguments.read([])
    first = vertex._name(asked)
    time.sleep(0.002)
    assert re.fullmatch(r"embedding-columns-flights-\d{8}-\d{6}-\d{3}", first)
    assert vertex._name(asked) != first


def test_a_task_that_would_train_nothing_or_perhaps_on_planted_rows_is_let_through_with_a_note() -> None:
    def notes(*argv: str) -> tuple[str, ...]:
        return checks.flags(VERTEX, "x", arguments.read(argv)).notes

    stand_in = (
        "--problem: where the data of bikes cannot be had on the job's machine, it trains on planted rows; with "
        "--no-planted among the task's flags it ends instead."
    )
    assert notes("--problem", "bikes") == (stand_in,)
    assert notes("--problem", "bikes", "--no-planted") == notes("--problem", "bikes", "--data-dir", "gs://b/d") == ()
    assert notes("--dry-run") == ("--dry-run is among the task's flags too: the job would train nothing.",)


def test_the_settings_of_a_rehearsed_run_are_taken(caller: Path) -> None:
    settings = {"problem": "bikes", "data_dir": f"{caller}/data", "job_dir": f"{caller}/runs/bikes", "planted": True}
    (caller / "settings.json").write_text(json.dumps({"settings": settings}))
    asked = arguments.read(["--settings", "settings.json"])
    assert [note.partition(":")[0] for note in checks.flags(VERTEX, "x", asked).notes] == ["--problem"]
    (caller / "settings.json").write_text(json.dumps({"settings": {**settings, "data_dir": "/d"}}))
    with pytest.raises(Refusal, match="--data-dir: /d is on this machine"):
        checks.flags(VERTEX, "x", arguments.read(["--settings", "settings.json"]))


# Machines and their accelerators, as the documentation had them in November 2026


@pytest.mark.parametrize(
    ("machine", "added", "v100"),
    [
        ("n1-standard-4", (1, 2, 4), (1, 2, 4, 8)),
        ("n1-highmem-2", (1, 2, 4), (1, 2, 4, 8)),
        ("n1-standard-8", (1, 2, 4), (1, 2, 4, 8)),
        ("n1-highcpu-16", (1, 2, 4), (2, 4, 8)),
        ("n1-standard-32", (2, 4), (4, 8)),
        ("n1-highmem-64", (4,), (8,)),
        ("n1-standard-96", (4,), (8,)),
    ],
)
def test_how_many_accelerators_a_machine_is_given(machine: str, added: tuple[int], v100: tuple[int]) -> None:
    taken = {"NVIDIA_TESLA_P4": added, "NVIDIA_TESLA_P100": added, "NVIDIA_TESLA_T4": added, "NVIDIA_TESLA_V100": v100}
    if machine in ("n1-highmem-64", "n1-standard-96"):
        del taken["NVIDIA_TESLA_P100"]
    assert machines.counts(machine) == taken


def test_a_hundred_and_nine_machines_are_known_and_those_with_accelerators_built_in_have_so_many() -> None:
    assert len(machines.KNOWN) == len(set(machines.KNOWN)) == 109
    assert machines.counts("n1-highcpu-64")["NVIDIA_TESLA_P100"] == (4,)
    built_in = {name: count for name, (_, count) in machines.BUILT_IN.items()}
    for family, counts in {
        "a2-highgpu-{}g": {"1": 1, "2": 2, "4": 4, "8": 8},
        "a2-megagpu-{}g": {"16": 16},
        "a2-ultragpu-{}g": {"1": 1, "2": 2, "4": 4, "8": 8},
        "a3-highgpu-{}g": {"1": 1, "2": 2, "4": 4, "8": 8},
        "a3-megagpu-{}g": {"8": 8},
        "a3-ultragpu-{}g": {"8": 8},
        "a4-highgpu-{}g": {"8": 8},
        "a4x-highgpu-{}g": {"4": 4},
        "g2-standard-{}": {"4": 1, "8": 1, "12": 1, "16": 1, "24": 2, "32": 1, "48": 4, "96": 8},
        "g4-standard-{}": {"48": 1, "96": 2, "192": 4, "384": 8},
    }.items():
        assert {size: built_in.pop(family.format(size)) for size in counts} == counts
    assert built_in == {}


def test_a_machine_that_is_not_known_takes_what_is_asked_for() -> None:
    made = machines.chosen("z9-highgpu-2g", "NVIDIA_NEW", 2)
    assert (str(made), made.is_known) == ("z9-highgpu-2g with 2 NVIDIA_NEW", False)
    assert machines.chosen("z9-highgpu-2g", "NVIDIA_NEW", None).count == 1


# Places


PROBLEM = '''"""Mine."""
import dataclasses
from trainer.problem import Files
from trainer.problems.flights import PROBLEM as FLIGHTS
PROBLEM = dataclasses.replace(FLIGHTS, name=None, dataset=Files({files}))
'''


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (
            ["--train-files", "data/it's/*.csv"],
            f"--train-files: data/it's/*.csv {UNSEEN}; run gcloud storage cp 'data/it'\"'\"'s/*.csv' "
            "'gs://bucket/it'\"'\"'s/' and give --train-files 'gs://bucket/it'\"'\"'s/*.csv'.",
        ),
        (
            ["--train-files", "gs://bucket/x.csv", "--eval-files", "/rows/eval.parquet"],
            f"--eval-files: /rows/eval.parquet {UNSEEN}; run gcloud storage cp /rows/eval.parquet gs://bucket/rows/ "
            "and give --eval-files gs://bucket/rows/eval.parquet.",
        ),
        (
            ["--data-dir", "data"],
            f"--data-dir: data {UNSEEN}; run gcloud storage cp --recursive data gs://bucket/ and give --data-dir "
            "gs://bucket/data.",
        ),
        (
            ["--job-dir", "/home/ada/run"],
            f"--job-dir: /home/ada/run {UNSEEN}; leave it out, and the run is left in gs://bucket/try-1, or give a "
            "folder of a bucket.",
        ),
        (
            ["--resume", "--job-dir", "runs/old run"],
            f"--job-dir: runs/old run {UNSEEN}; leave it out, or run gcloud storage cp --recursive 'runs/old run' "
            "gs://bucket/ and give --job-dir 'gs://bucket/old run'.",
        ),
    ],
)
def test_places_that_a_cloud_s_machine_cannot_see_are_refused_with_the_command_that_copies_them(
    caller: Path, argv: list[str], sentence: str
) -> None:
    (caller / "runs" / "old run").mkdir(parents=True)
    with pytest.raises(Refusal) as refusal:
        vertex.submit(VERTEX, argv)
    assert str(refusal.value) == sentence


@pytest.mark.slow
def test_rows_that_a_problem_names_itself_are_refused_too(caller: Path) -> None:
    (caller / "mine.py").write_text(PROBLEM.format(files='"gs://bucket/x.csv", test="rows/test.csv"'))
    asked = arguments.read(["--problem", "mine.py"])
    with pytest.raises(Refusal) as refusal:
        places.check(VERTEX, "try 1", asked)
    assert str(refusal.value) == (
        f"--problem: rows/test.csv, Files(test=…) of mine.py, {UNSEEN}; run gcloud storage cp rows/test.csv "
        "gs://bucket/rows/ and write gs://bucket/rows/test.csv there."
    )
    for others in (["--dataset", "nyc_flights"], ["--train-files", "/gcs/bucket/x.csv"]):
        places.check(VERTEX, "try 1", arguments.read([*asked.argv, *others]))


def test_places_in_a_bucket_and_the_job_s_own_folder_of_data_are_taken(caller: Path) -> None:
    for argv in (["--data-dir", "/gcs/bucket/data", "--job-dir=gs://bucket/run"], []):
        places.check(VERTEX, "try 1", arguments.read(argv))


# Secrets

WITH_SECRETS = '''"""Mine."""
from trainer.problem import Problem
from trainer.problems.flights import PROBLEM as FLIGHTS
def problem(*, api_key: str = "", max_tokens: str = "", secret_count: int = 0) -> Problem:
    return FLIGHTS
'''


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (
            ["--dataset", f"-----BEGIN RSA {'PRIVATE'} KEY-----\nMII"],
            f"--dataset: this looks like a private key, {READ}",
        ),
        ([f"--dataset=AKIA{'A' * 16}"], f"--dataset: this looks like an AWS access key, {READ}"),
        (["--dataset", f"x ghp_{'a' * 36}"], f"--dataset: this looks like a GitHub token, {READ}"),
        (["--eval_files", f"gs://b/AIza{'a' * 35}"], f"--eval-files: this looks like a Google API key, {READ}"),
        (["--dataset", f"ya29.{'a' * 40}"], f"--dataset: this looks like a Google access token, {READ}"),
        (["--dataset", f"hf_{'a' * 34}"], f"--dataset: this looks like a Hugging Face token, {READ}"),
        (["--dataset", "sql://me:pass@host/x"], f"--dataset: this looks like a password in an address, {READ}"),
    ],
)
def test_what_looks_like_a_secret_is_refused_and_not_shown(argv: list[str], sentence: str) -> None:
    with pytest.raises(Refusal) as refusal:
        secrets.check(argv)
    assert str(refusal.value) == f"{sentence}; {secrets.INSTEAD}."


def test_labels_hold_no_secrets_either() -> None:
    with pytest.raises(Refusal) as refusal:
        secrets.check([], ["api-key=abc"])
    assert str(refusal.value) == f"--labels: api-key looks like a secret, {READ}; {secrets.INSTEAD}."
    secrets.check([], ["token=", "tokens=5", "key=a"])


@pytest.mark.slow
def test_a_problem_s_own_setting_for_a_secret_is_refused_when_it_is_given(caller: Path) -> None:
    (caller / "mine.py").write_text(WITH_SECRETS)
    for argv in (["--api-key", "abc"], ["--api_key=abc"]):
        with pytest.raises(Refusal) as refusal:
            checks.flags(VERTEX, "x", arguments.read(["--problem", "mine.py", *argv]))
        assert str(refusal.value) == f"--api-key: a setting of this name holds a secret, {READ}; {secrets.INSTEAD}."
    checks.flags(VERTEX, "x", arguments.read(["--problem", "mine.py", "--max-tokens=5", "--secret-count=2"]))


# The package


def test_a_package_that_does_not_import_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    built = package.build(tmp_path / "dist")
    assert checks.package(built) == f"the package: {package.file_name()} is built and imports"
    broken = tmp_path / "broken.whl"
    with zipfile.ZipFile(broken, "w") as wheel:
        wheel.writestr("trainer/__init__.py", "")
        wheel.writestr("trainer/task.py", "import absent_module")
    with pytest.raises(TrainingFailure) as failure:
        checks.package(Package(broken, (), "ab12"))
    assert str(failure.value) == "submit: could not import the package that was built; its own words are above."
    assert "absent_module" in capfd.readouterr().err
