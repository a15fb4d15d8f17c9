"""From a submission to a run at home: what is sent is started as Vertex AI would start it, on what was staged."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests import environments, submissions
from tests.submissions import AS_TYPED, SENDING, Place
from trainer import run as runs
from trainer import tables
from trainer.cloud import package, vertex

ROOT = Path(__file__).parents[1]
MINE = '''"""Whether a word is long."""
from pathlib import Path
from own.helping import leave_little
from trainer import feature_column as fc
from trainer.problem import Problem

WORDS = Path("own/words.txt").read_text().split()

def data(split):
    import tensorflow as tf
    leave_little()
    words = WORDS * 100
    return tf.data.Dataset.from_tensor_slices(({"word": words}, [int(len(word) > 3) for word in words]))

def problem(*, note: str = "none"):
    word = fc.categorical_column_with_vocabulary_list("word", WORDS)
    columns = [fc.embedding_column(word, 2, name="word")]
    return Problem(dataset=data, dnn_feature_columns=columns, dnn_hidden_units=[4], num_epochs=1, train_batch_size=64)
'''
HELPING = '''
def leave_little():
    """Leaves out what a job leaves to look at, which takes longer than its training."""
    from trainer import tables
    from trainer.job import steps
    from trainer.job.leaving import Left
    from trainer.job.tables import leave_tables
    steps.leave = lambda work: Left(leave_tables(work), tables.read_manifest(work.plan.run.tables).tables, [])
    steps.leave_report = lambda run, left: None
'''


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> package.Package:
    return package.build(tmp_path_factory.mktemp("dist"))


def machine(place: Place, built: package.Package) -> tuple[Path, Path]:
    """Makes what a container has: Python with the requirements, as of a prepared image, and the bucket, mounted."""
    python = environments.linked(place.folder / "container", *built.requirements, "pip")
    mounted = place.folder / "gcs"
    for name, content in place.cloud.buckets["bucket"].items():
        path = mounted / "bucket" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return python, mounted


def started(place: Place, built: package.Package, container: dict[str, list[str]]) -> None:
    """Runs a container's command to its end, with what Vertex AI sets."""
    python, mounted = machine(place, built)
    output = "gs://bucket/try-1"
    folders = {"AIP_MODEL_DIR": "model/", "AIP_CHECKPOINT_DIR": "checkpoints/", "AIP_TENSORBOARD_LOG_DIR": "logs/"}
    environ = {
        "PATH": f"{python.parent}:{os.environ['PATH']}",
        "HOME": str(place.folder),
        # The container of the test has no network to fetch setuptools from, and has it already.
        "PIP_NO_BUILD_ISOLATION": "false",
        **place.cloud.environment,
        **{name: f"{output}/{folder}" for name, folder in folders.items()},
    }
    command = [word.replace("/gcs/", f"{shlex.quote(str(mounted))}/") for word in container["command"]]
    (place.folder / "start").mkdir()
    done = subprocess.run(
        [*command, *container["args"]],
        cwd=place.folder / "start",
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == f"{output}/model"
    assert list((place.folder / "start").iterdir()) == []


@pytest.mark.slow
def test_what_is_sent_trains_in_the_container_and_comes_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, built: package.Package
) -> None:
    (tmp_path / "own").mkdir()
    for name, text in (("mine.py", MINE), ("helping.py", HELPING), ("words.txt", "a an the each other every")):
        (tmp_path / "own" / name).write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))  # as `python -m` does it
    with submissions.reached(tmp_path, monkeypatch, built) as place:
        assert vertex.submit(SENDING, ["--problem", "own/mine.py", "--note", AS_TYPED]) == 0
        monkeypatch.delitem(sys.modules, "own.helping")
        (received,) = place.vertex.created
        started(place, built, received["jobSpec"]["workerPoolSpecs"][0]["containerSpec"])
        fetch = [sys.executable, "-m", "trainer", "fetch", "gs://bucket/try-1", "runs/home"]
        environ = {**os.environ, "PYTHONPATH": str(ROOT), **place.cloud.environment}
        subprocess.run(fetch, cwd=tmp_path, env=environ, check=True, capture_output=True)
    home = runs.opened(str(tmp_path / "runs" / "home"))
    assert home.read_json("metrics.json")["steps"] == 9
    told = home.read_json("settings.json")
    assert told["settings"]["problem"] == "own/mine.py"
    assert told["settings"]["problem_arguments"] == {"note": AS_TYPED}
    assert tables.read(home.tables, "word").labels[:3] == ["a", "an", "the"]
    assert Path(home.path, "logs", "train").is_dir()
    assert json.loads(Path(home.path, "history.jsonl").read_text().splitlines()[0])
