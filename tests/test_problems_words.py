"""Words of texts: planted ones, files, and the novels."""

import contextlib
import io
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from trainer import problem as problems
from trainer.job.learning import learned
from trainer.job.plan import planned
from trainer.job.steps import opened
from trainer.problems import words
from trainer.settings import Settings
from trainer.task import main
from trainer.vectors import LabelledVectors

TOPICS = [topic.split() for topic in words.TOPICS]


def run(**settings: Any) -> tuple[LabelledVectors, dict[str, Any]]:
    with contextlib.redirect_stdout(io.StringIO()):
        work, metrics = learned(opened(planned(Settings("words", **settings))), {})
    table = work.model.centres
    column: Any = work.model.column.categorical_column
    return LabelledVectors(list(column.vocabulary), table.values), metrics


def test_flags_say_which_words_have_vectors_and_how_they_are_learned() -> None:
    given = {"top_k": 100, "min_count": 2, "window": 10, "negatives": 8, "subsample": 1e-4, "lines": True}
    problem = problems.load("words", {**given, "analogies": "a.txt", "similarities": "b.tsv"})
    column: Any = problem.columns[0]
    vocabulary = column.categorical_column.vocabulary_list
    assert (vocabulary.top_k, vocabulary.frequency_threshold) == (100, 2)
    head: Any = problem.head
    assert (head.table, head.window, head.negatives, head.subsample) == ("word", 10, 8, 1e-4)
    assert [measure.files for measure in problem.measures] == [("a.txt",), ("b.tsv",)]
    assert problem.texts is not None
    assert problem.texts.lines


def test_words_runs_by_its_name_alone_and_words_of_one_topic_are_nearest(tmp_path: Path) -> None:
    vectors, metrics = run(job_dir=str(tmp_path / "run"), num_epochs=3)
    assert metrics["data"] == "planted"
    for topic in TOPICS:
        for word in topic:
            nearest = [key for key, _ in vectors.most_similar(word, topn=len(topic) - 1)]
            assert {*nearest} == {*topic} - {word}
    assert metrics["ids_per_second"] > metrics["examples_per_second"] * words.PLANTED_WORDS * 0.99


STOPPED = '''"""Words, and somebody who stops once."""
import dataclasses
from pathlib import Path

import keras

from trainer.problems import words


class Stop(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if int(self.model.optimizer.iterations) >= 20 and not Path("stopped").exists():
            Path("stopped").touch()
            raise KeyboardInterrupt


PROBLEM = dataclasses.replace(words.problem(), num_epochs=2, callbacks=[Stop])
'''


def test_a_training_that_is_stopped_goes_on_as_if_nothing_had_happened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(STOPPED)
    with contextlib.redirect_stdout(io.StringIO()):
        assert main(["--problem", "mine.py", "--job-dir", "run"]) == 130
        assert main(["--problem", "mine.py", "--job-dir", "run", "--resume"]) == 0
    whole, _ = run(job_dir="whole", num_epochs=2)
    again = LabelledVectors.load("run", "word")
    assert list(again.index_to_key) == list(whole.index_to_key)
    np.testing.assert_array_equal(again.vectors, whole.vectors)


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Writes planted texts to a file, a blank line between two, and two files of questions of them."""
    folder = tmp_path_factory.mktemp("texts")
    folder.joinpath("texts.txt").write_text("\n\n".join(words.planted("train")["text"]))
    folder.joinpath("pairs.tsv").write_text(
        "# of topics\n"
        + "".join(
            f"{one}\t{other}\t{9 if topic == second else 1}\n"
            for (topic, one), (second, other) in itertools.combinations(
                [(number, word) for number, topic in enumerate(TOPICS) for word in topic[:4]], 2
            )
        )
        + "ship\tzeppelin\t5\n"
    )
    folder.joinpath("questions.txt").write_text(": topics\nship sail violin song\nship zeppelin violin song\n")
    return folder


def test_files_are_learned_from_and_the_run_tells_what_the_words_are_worth(texts: Path) -> None:
    out, run_dir = io.StringIO(), texts / "run"
    argv = ["--problem", "words", "--train-files", str(texts / "texts.txt"), "--job-dir", str(run_dir)]
    argv += ["--similarities", str(texts / "pairs.tsv"), "--analogies", str(texts / "questions.txt")]
    argv += ["--dimension.word", "20", "--train-batch-size", "4", "--eval-share", "0.1", "--num-epochs", "10"]
    argv += ["--validation-share", "0.1", "--baselines"]
    with contextlib.redirect_stdout(out):
        assert main([*argv]) == 0
    metrics = json.loads(run_dir.joinpath("metrics.json").read_text())
    assert metrics["similarities"] > 0.6
    assert metrics["similarities_coverage"] == 120 / 121
    assert metrics["analogies_coverage"] == 0.5
    assert "similarities" in out.getvalue()
    assert "1 more out of vocabulary" in out.getvalue()
    baselines = json.loads(run_dir.joinpath("baselines.json").read_text())
    assert {row["model"] for row in baselines["results"]} >= {"words"}


def test_the_model_that_is_served_answers_a_text_with_the_mean_of_its_words(texts: Path) -> None:
    model = tf.saved_model.load(str(texts / "run" / "export")).signatures["serving_default"]
    found = model(text=tf.constant(["ship, sail!", "zeppelin"]))
    vectors = LabelledVectors.load(str(texts / "run"), "word")
    expected = [(vectors["ship"] + vectors["sail"]) / 2, np.zeros(20)]
    np.testing.assert_allclose(found["vector"], expected, atol=1e-6)
