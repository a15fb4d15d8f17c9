"""What a job measures of its tables once the training has ended; the table is given, so the answers are known."""

import contextlib
import dataclasses
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.test_measures import Rows
from trainer import feature_column as fc
from trainer import job
from trainer.errors import Refusal
from trainer.heads import BinaryHead
from trainer.job.measuring import leave_measures
from trainer.job.plan import Plan, planned
from trainer.job.steps import opened
from trainer.measures import Analogies, Measured, Similarities, Trained
from trainer.problem import Problem
from trainer.run import Run
from trainer.settings import Settings

# Greece lies from Athens as Norway from Oslo; the king is far from both.
PLACES = {
    "athens": (1.0, 0.0, 0.2),
    "greece": (1.0, 1.0, 0.2),
    "oslo": (0.2, 0.0, 1.0),
    "norway": (0.2, 1.1, 1.0),
    "king": (-1.0, 0.3, -0.5),
    "unseen": (-0.9, 0.3, -0.5),
}
QUESTIONS = ": capitals\nAthens Greece Oslo Norway\nathens greece oslo king\n: kings\nking unseen oslo norway\n"
PAIRS = "athens\tgreece\t9\nathens\tking\t1\noslo\tnorway\t10\noslo\tunseen\t7\nqueen\tking\t9\n"


@dataclass(frozen=True)
class OfTest(Rows):
    """A measure of one's own, of the test examples; it fails where it is to."""

    fails: bool = False

    def measured(self, trained: Trained) -> Measured:
        if self.fails:
            raise TypeError("no such edge")
        examples = len(trained.work.test)
        return Measured({self.name: examples}, f"{examples} examples", {"examples": examples})


def dataset(split: str) -> Any:
    """Each of the words but one, with a label."""
    import tensorflow as tf

    words = [word for word in PLACES if word != "unseen"] * 8
    return tf.data.Dataset.from_tensor_slices(({"word": words}, np.arange(len(words)) % 2)).batch(16)


def problem(*, analogies: str | None = None, similarities: str | None = None, vectors: str | None = None) -> Problem:
    """A table of words that is taken from a file and not trained."""
    word = fc.categorical_column_with_vocabulary_list("word", list(PLACES))
    return Problem(
        dataset=dataset,
        dnn_feature_columns=[
            fc.embedding_column(word, 3, name="word", ckpt_to_load_from=vectors, trainable=vectors is None)
        ],
        dnn_hidden_units=(2,),
        head=BinaryHead(),
        num_epochs=1,
        train_batch_size=16,
        measures=[
            *([] if analogies is None else [Analogies(analogies)]),
            *([] if similarities is None else [Similarities(similarities)]),
            OfTest("word", "edges"),
            OfTest("word", "failing", fails=True),
        ],
        name="given",
        description="Words as they are given.",
    )


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("measuring")
    (folder / "problem.py").write_text("from tests.test_job_measuring import problem\n")
    (folder / "q.txt").write_text(QUESTIONS)
    (folder / "p.tsv").write_text(PAIRS)
    lines = [f"{word} {' '.join(map(str, row))}" for word, row in PLACES.items()]
    (folder / "vectors.txt").write_text("\n".join([f"{len(lines)} 3", *lines, ""]))
    return folder


def given(files: Path) -> dict[str, Any]:
    names = {"analogies": "q.txt", "similarities": "p.tsv", "vectors": "vectors.txt"}
    return {name: str(files / file) for name, file in names.items()}


@pytest.fixture(scope="module")
def left(files: Path) -> tuple[Run, list[str], list[str]]:
    """A run of the problem, and what was printed on its way."""
    run, out, err = Run(str(files / "run")), io.StringIO(), io.StringIO()
    settings = Settings(problem=str(files / "problem.py"), problem_arguments=given(files), job_dir=run.path)
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        patch.setattr("trainer.projector.write", lambda *_, **__: None)  # takes long
        job.run(settings)
    return run, out.getvalue().splitlines(), err.getvalue().splitlines()


def test_a_run_tells_what_its_tables_are_worth(left: tuple[Run, list[str], list[str]]) -> None:
    run, told, _ = left
    metrics = run.read_json("metrics.json")
    found = {name: metrics[name] for name in ("analogies", "analogies_coverage", "similarities_coverage", "edges")}
    assert found == {"analogies": 0.5, "analogies_coverage": 2 / 3, "similarities_coverage": 0.6, "edges": 40}
    assert metrics["similarities"] == pytest.approx(0.5)
    assert "analogies   0.500 of 2 questions, 1 more out of vocabulary (coverage 0.67)" in told
    assert "similarities 0.500 Spearman of 3 pairs, 2 more out of vocabulary (coverage 0.60)" in told
    assert "edges       40 examples" in told


def test_all_that_was_found_is_left_in_a_file_and_in_the_report(
    left: tuple[Run, list[str], list[str]], files: Path
) -> None:
    run, *_ = left
    found = run.read_json("measures.json")
    capitals = {"accuracy": 0.5, "right": 1, "total": 2, "out_of_vocabulary": 0, "coverage": 1.0}
    kings = {"accuracy": None, "right": 0, "total": 0, "out_of_vocabulary": 1, "coverage": 0.0}
    assert found["analogies"] == {
        "file": str(files / "q.txt"),
        "table": "word",
        **capitals,
        "out_of_vocabulary": 1,
        "coverage": pytest.approx(2 / 3),
        "sections": [{"section": "capitals", **capitals}, {"section": "kings", **kings}],
    }
    assert found["similarities"]["total"] == 3
    assert found["edges"] == {"examples": 40}
    assert 'id="measures"' in (Path(run.path) / "report.html").read_text()


def test_a_measure_that_fails_costs_nothing_but_itself(left: tuple[Run, list[str], list[str]]) -> None:
    run, _, failed = left
    assert "failing: not written: TypeError: no such edge" in failed
    assert "failing" not in {**run.read_json("metrics.json"), **run.read_json("measures.json")}


def test_a_trial_reads_no_test_data_of_measures(files: Path, tmp_path: Path) -> None:
    run = Run(str(tmp_path / "run"))
    settings = Settings(problem=str(files / "problem.py"), problem_arguments=given(files), job_dir=run.path)
    job.run(settings, is_trial=True)
    assert not {"analogies", "similarities", "edges"} & run.read_json("metrics.json").keys()
    assert not (tmp_path / "run" / "measures.json").exists()


def test_a_run_that_no_longer_measures_keeps_no_file_of_it(tmp_path: Path) -> None:
    run = Run(str(tmp_path))
    run.write_json("measures.json", {"analogies": {}})
    work = opened(Plan(Settings(), dataclasses.replace(problem(), measures=()), run))
    assert leave_measures(work) == {}
    assert not (tmp_path / "measures.json").exists()


def test_files_are_checked_before_the_training_and_the_flag_that_named_one_is_told(files: Path) -> None:
    settings = Settings(problem=str(files / "problem.py"), problem_arguments={"analogies": "absent.txt"})
    with pytest.raises(Refusal) as refused:
        planned(settings)
    assert str(refused.value) == (
        "--analogies: absent.txt cannot be read (No such file or directory); give another path."
    )
    assert planned(settings, helps=True).problem.measures[0] == Analogies("absent.txt")  # which the chief reads


def test_a_file_that_a_problem_names_itself_is_checked_too(files: Path, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        "from tests.test_job_measuring import problem as given\nPROBLEM = given(similarities='absent.tsv')\n"
    )
    with pytest.raises(Refusal) as refused:
        planned(Settings(problem=str(tmp_path / "own.py")))
    assert str(refused.value) == (
        "Similarities: absent.tsv cannot be read (No such file or directory); give another path."
    )


def test_a_table_that_a_model_of_one_s_own_has_not_is_refused_before_the_training() -> None:
    import keras

    from trainer.layers import DenseFeatures, inputs

    columns = problem().dnn_feature_columns

    def model() -> keras.Model:
        features = inputs(columns)
        return keras.Model(features, keras.layers.Dense(1)(DenseFeatures(columns)(features)))

    own = dataclasses.replace(problem(), model=model, measures=[Rows("wrod")])
    with pytest.raises(Refusal) as refused:
        opened(Plan(Settings(), own, Run("")))
    assert str(refused.value) == "Rows: there is no table 'wrod'; did you mean 'word'?"
