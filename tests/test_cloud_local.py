import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import environments
from trainer.cloud import Submission, environment, local, package
from trainer.cloud.package import Package
from trainer.commands import submit
from trainer.errors import Refusal

ROOT = Path(__file__).parents[1]
AS_TYPED = "a b  $HOME $(id) `id` 'x' \"y\" \\ * ü\n#;&"
OWN_PROBLEM = '''"""Mine."""
import dataclasses
from trainer.problems.flights import PROBLEM as FLIGHTS
week = FLIGHTS.dnn_feature_columns[:1]
PROBLEM = dataclasses.replace(
    FLIGHTS, name=None, num_epochs=1, dnn_feature_columns=week, linear_feature_columns=(), search={}
)
'''
SMALL_PROBLEM = '''"""Whether a word is long. What a job leaves to look at is left out where QUICK_JOBS is set."""
import json
import os
from pathlib import Path
from trainer import feature_column as fc
from trainer.problem import Problem

WORDS = Path("own/words.txt").read_text().split()

def leave_little():
    from trainer import tables
    from trainer.job import steps
    from trainer.job.leaving import Left
    from trainer.job.tables import leave_tables
    steps.leave = lambda work: Left(leave_tables(work), tables.read_manifest(work.plan.run.tables).tables, [])
    steps.leave_report = lambda run, left: None

def data(split):
    import tensorflow as tf
    if "QUICK_JOBS" in os.environ:
        leave_little()
    if split == "train":
        told = {name: os.environ.get(name) for name in ("TF_CONFIG", "AIP_MODEL_DIR")}
        print("told", json.dumps([told, sorted(str(path) for path in Path().rglob("*.*"))]))
    words = WORDS * 100
    return tf.data.Dataset.from_tensor_slices(({"word": words}, [int(len(word) > 3) for word in words]))

word = fc.categorical_column_with_vocabulary_list("word", WORDS)
PROBLEM = Problem(
    dataset=data, dnn_feature_columns=[fc.embedding_column(word, 2, name="word")], dnn_hidden_units=[4],
    num_epochs=2, train_batch_size=64,
)
'''


@pytest.fixture
def caller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that submit is started in, with problems of the person's own in it."""
    folder = tmp_path / "it's mine"
    (folder / "own").mkdir(parents=True)
    (folder / "own" / "mine.py").write_text(OWN_PROBLEM)
    (folder / "own" / "small.py").write_text(SMALL_PROBLEM)
    (folder / "own" / "words.txt").write_text("a an the each other every")
    monkeypatch.chdir(folder)
    for name in ("AIP_MODEL_DIR", "AIP_CHECKPOINT_DIR", "AIP_TENSORBOARD_LOG_DIR"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A cache in which the environment of the package is made; its requirements are linked, not installed anew."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        patch.setattr(
            environment, "_make_base", lambda base, made: environments.linked(base, *made.requirements, "pip")
        )
        with environment.ready(package.build(folder / "dist")):
            pass
        yield str(folder)


def run(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "trainer", *words]
    environ = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)


def lines_of(name: str, output: str) -> list[str]:
    """What a replica has printed."""
    label = f"{name:<8} | "
    return [line.removeprefix(label) for line in output.splitlines() if line.startswith(label)]


def test_what_a_problem_imports_besides_is_installed_with_the_requirements(
    caller: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted: list[Package] = []

    @contextmanager
    def ready(package: Package) -> Iterator[Path]:
        wanted.append(package)
        raise Refusal("no environment")
        yield

    monkeypatch.setattr(environment, "ready", ready)
    for more in ((), ("--requirement", "pandas>=2", "--requirement=polars")):
        with pytest.raises(Refusal, match="no environment"):
            submit.main([*more, "--", "--seed", "1"])
    assert wanted[1].requirements == (*wanted[0].requirements, "pandas>=2", "polars")


# What a replica gets


def test_words_other_than_places_arrive_as_typed_at_a_rehearsal(caller: Path) -> None:
    typed = ["--train_steps", "20", f"--dataset={AS_TYPED}", "--optimizer", "Adagrad", "--no-download"]
    assert local.rehearsal(Submission(), typed).packed_argv[: len(typed)] == tuple(typed)


def test_places_are_named_in_full_for_a_rehearsal(caller: Path) -> None:
    job = local.rehearsal(Submission(), ["--data_dir", "d", "--job-dir", "out/a b", "--seed=1"])
    assert job.argv == ("--seed=1", f"--data-dir={caller}/d", f"--job-dir={caller}/out/a b")
    assert job.luggage.items == ()


def test_a_rehearsal_without_places_uses_the_caller_s_defaults(caller: Path) -> None:
    assert local.rehearsal(Submission(), []).argv == (f"--data-dir={caller}/data", f"--job-dir={caller}/runs/flights")
    (caller / "runs" / "flights").mkdir(parents=True)
    assert local.rehearsal(Submission(), []).argv[1] == f"--job-dir={caller}/runs/flights-2"


def test_planted_rows_stand_in_for_missing_data_in_a_rehearsal_as_in_the_task(caller: Path) -> None:
    def words(*argv: str) -> tuple[str, ...]:
        return local.rehearsal(Submission(), ["--problem", "bikes", *argv]).argv[2:]

    places = (f"--data-dir={caller}/data", f"--job-dir={caller}/runs/bikes")
    assert words() == (*places, "--planted")
    assert words("--no-planted") == ("--no-planted", *places)
    assert words("--data-dir", "d") == (f"--data-dir={caller}/d", places[1])


def test_two_rehearsals_at_once_have_folders_of_their_own(caller: Path) -> None:
    first, second = (local._in_its_own_folder(Submission(), []) for _ in range(2))
    with first as one, second as other:
        assert [job.new_folder for job in (one, other)] == [f"{caller}/runs/flights", f"{caller}/runs/flights-2"]
        assert other.argv[1] == f"--job-dir={caller}/runs/flights-2"
        for others in (["--job-dir", "x"], ["--resume"]):
            assert local.rehearsal(Submission(), others).new_folder is None
        (caller / "runs" / "flights" / "left").touch()
    assert list((caller / "runs").iterdir()) == [caller / "runs" / "flights"]


def test_of_two_rehearsals_that_choose_the_same_folder_one_chooses_again(
    caller: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = local.rehearsal(Submission(), [])
    (caller / "runs" / "flights").mkdir(parents=True)
    choices = iter([chosen, local.rehearsal(Submission(), [])])
    monkeypatch.setattr(local, "rehearsal", lambda settings, argv: next(choices))
    with local._in_its_own_folder(Submission(), []) as job:
        assert job.new_folder == f"{caller}/runs/flights-2"


def test_a_rehearsal_with_a_base_output_dir_is_left_there_unless_it_names_a_job_dir(caller: Path) -> None:
    settings = Submission(base_output_dir="out")
    assert local.rehearsal(settings, []).argv == (f"--data-dir={caller}/data",)
    assert local.rehearsal(settings, ["--job-dir", "x"]).argv[1] == f"--job-dir={caller}/x"
    assert local.rehearsal(settings, []).variables == {
        "CLOUD_ML_JOB_ID": "rehearsal",
        "AIP_MODEL_DIR": f"{caller}/out/model/",
        "AIP_CHECKPOINT_DIR": f"{caller}/out/checkpoints/",
        "AIP_TENSORBOARD_LOG_DIR": f"{caller}/out/logs/",
    }


def test_one_replica_is_told_of_itself_and_of_no_other(caller: Path) -> None:
    ((chief, variables),) = local.told(local.rehearsal(Submission(), [])).items()
    assert chief.name == "workerpool0-0"
    assert set(variables) == {"CLOUD_ML_JOB_ID", "CLUSTER_SPEC"}
    spec = json.loads(variables["CLUSTER_SPEC"])
    assert spec["task"] == {"type": "workerpool0", "index": 0}
    assert [len(hosts) for hosts in spec["cluster"].values()] == [1]


def test_several_replicas_have_addresses_of_their_own_on_this_machine(caller: Path) -> None:
    told = local.told(local.rehearsal(Submission(workers=2, parameter_servers=2), []))
    configs = [json.loads(variables["TF_CONFIG"]) for variables in told.values()]
    assert [(config["task"]["type"], config["task"]["index"]) for config in configs] == [
        *(("chief", 0), ("worker", 0), ("worker", 1), ("ps", 0), ("ps", 1))
    ]
    assert all(config["cluster"] == configs[0]["cluster"] for config in configs)
    addresses = [address for given in configs[0]["cluster"].values() for address in given]
    assert len(set(addresses)) == 5
    assert {address.partition(":")[0] for address in addresses} == {"127.0.0.1"}


def test_a_file_from_elsewhere_has_another_name_in_the_job_s_folder(caller: Path) -> None:
    file = caller.rename(caller.parent / "other") / "own" / "mine.py"
    caller.mkdir()
    os.chdir(caller)
    job = local.rehearsal(Submission(), ["--problem", str(file)])
    assert job.argv[:2] == ("--problem", str(file))
    assert job.packed_argv[-1] == "--problem=elsewhere-1/mine.py"
    assert json.loads(job.listing) == {"elsewhere-1/mine.py": str(file)}


# What is printed and refused


def test_help_says_where_the_environments_are_and_how_to_remove_them(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/home/ada/my cache")
    with pytest.raises(SystemExit):
        submit.main(["--help"])
    told = capsys.readouterr().out
    assert "To remove it: rm -r '/home/ada/my cache/embedding-columns'\n" in told
    assert "The\n  last 3 sets of requirements, each with the last 5 states of the package, are kept in\n" in told


@pytest.mark.parametrize("several", [[], ["--workers", "1", "--parameter-servers", "1"]], ids=["one", "several"])
def test_a_dry_run_prints_a_command_for_each_replica_that_can_be_pasted(
    caller: Path, capsys: pytest.CaptureFixture[str], several: list[str]
) -> None:
    flags = ["--problem", "own/mine.py", "--dataset", AS_TYPED.replace("\n", "")]
    assert submit.main([*several, "--dry-run", "--", *flags]) == 0
    out, err = capsys.readouterr()
    assert err == "submit: each replica starts in a folder of its own, in which lie own/mine.py.\n"
    kinds = []
    for line in out.splitlines():
        words = shlex.split(line)
        start = words.index("python")
        assert words[start:] == ["python", "-m", "trainer.task", *local.rehearsal(Submission(), flags).argv]
        # A shell gives the program the variables that it is meant to have.
        show = [sys.executable, "-c", "import os; print(os.environ['CLUSTER_SPEC'])"]
        shown = subprocess.run(["sh", "-c", f"{shlex.join(words[:start])} {shlex.join(show)}"], capture_output=True)
        kinds.append(json.loads(shown.stdout)["task"]["type"])
    assert kinds == (["workerpool0", "workerpool1", "workerpool2"] if several else ["workerpool0"])
    assert sorted(caller.iterdir()) == [caller / "own"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("--workers 0", "--workers: a whole number of at least 1 is wanted, not '0'."),
        ("--parameter-servers -1", "--parameter-servers: a whole number of at least 0 is wanted, not '-1'."),
        (
            "--parameter-servers 2 -- --baselines",
            "--baselines: they are trained on one machine; leave it out beside parameter servers.",
        ),
    ],
)
def test_what_cannot_be_rehearsed_is_refused_before_anything_is_built(
    caller: Path, monkeypatch: pytest.MonkeyPatch, words: str, sentence: str
) -> None:
    monkeypatch.setattr(package, "build", None)
    with pytest.raises(Refusal) as refusal:
        submit.main(words.split())
    assert str(refusal.value) == sentence


# Rehearsals


@pytest.mark.slow
def test_a_rehearsal_trains_in_a_clean_environment_and_leaves_the_run_here(caller: Path, cache: str) -> None:
    name = "a b $HOME $(id) 'x' \"y\""  # TensorFlow takes * and \ in a checkpoint's path for a pattern
    done = run(caller, "submit", "--", "--problem", "own/small.py", "--job-dir", f"runs/{name}", XDG_CACHE_HOME=cache)
    assert (done.returncode, done.stderr) == (0, "")
    path = caller / "runs" / name
    assert done.stdout.splitlines()[-1] == str(path)
    assert json.loads((path / "metrics.json").read_text())["steps"] == 2 * 9
    assert (path / "report.html").exists()
    assert sorted(path.name for path in caller.iterdir()) == ["own", "runs"]


@pytest.mark.slow
def test_two_replicas_rehearse_in_step_each_with_the_luggage_in_a_folder_of_its_own(
    caller: Path, cache: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    words = ["--workers", "2", "--base-output-dir", "out", "--", "--problem", "own/small.py"]
    (caller / "data").mkdir()
    (caller / "data" / "forgotten.csv").touch()  # which is on no cloud either
    monkeypatch.setenv("XDG_CACHE_HOME", cache)
    monkeypatch.setenv("QUICK_JOBS", "1")
    assert submit.main(words) == 0  # in this process, which has TensorFlow already
    out, err = capfd.readouterr()
    assert err == ""
    chief, worker = (lines_of(name, out) for name in ("chief", "worker 0"))
    assert len(chief) + len(worker) == len(out.splitlines())
    assert chief[-1] == f"{caller}/out/model"
    assert json.loads((caller / "out" / "model" / "metrics.json").read_text())["steps"] == 2 * 9
    for lines, kind in ((chief, "chief"), (worker, "worker")):
        assert any("in step with 1 more" in line for line in lines)
        told, files = json.loads(next(line for line in lines if line.startswith("told ")).removeprefix("told "))
        assert files == ["own/small.py", "own/words.txt"]
        assert told["AIP_MODEL_DIR"] == f"{caller}/out/model/"
        assert json.loads(told["TF_CONFIG"])["task"] == {"type": kind, "index": 0}
    assert sorted(path.name for path in caller.iterdir()) == ["data", "out", "own"]


@pytest.mark.slow
def test_a_rehearsal_on_parameter_servers_ends_with_all_of_its_replicas(
    caller: Path, cache: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    words = ["--parameter-servers", "1", "--", "--problem", "own/small.py", "--job-dir", "runs/served"]
    monkeypatch.setenv("XDG_CACHE_HOME", cache)
    monkeypatch.setenv("QUICK_JOBS", "1")
    assert submit.main(words) == 0  # in this process, which has TensorFlow already
    out, err = capfd.readouterr()
    assert err == ""
    assert lines_of("chief", out)[-1] == f"{caller}/runs/served"
    for name in ("worker 0", "ps 0"):
        assert "is done" in lines_of(name, out)[-1]
    assert (caller / "runs" / "served" / "tables" / "manifest.json").exists()
