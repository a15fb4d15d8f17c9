"""Latent semantic analysis: what is counted in windows, what it tells, and what is factored of it."""

import contextlib
import io
import itertools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from trainer import baselines, job, tables
from trainer import feature_column as fc
from trainer.__main__ import main
from trainer.baselines.lsa.cooccurrences import cooccurrences, of_examples, sequences
from trainer.baselines.lsa.lsa import factored, positive_information
from trainer.catalogue import Catalogue
from trainer.errors import Refusal
from trainer.heads import SkipGramHead
from trainer.inputs.memory import Examples
from trainer.measures import Measure, Measured, Similarities, Trained
from trainer.problem import Problem
from trainer.run import Run
from trainer.settings import Settings
from trainer.vectors import LabelledVectors

IDS = 6
SEQUENCES = st.lists(st.lists(st.integers(-1, IDS - 1), max_size=9), min_size=1, max_size=6)


def counted_one_by_one(rows: list[list[int]], window: int) -> list[list[float]]:
    found = np.zeros((IDS, IDS))
    for row in rows:
        there = [each for each in row if each >= 0]
        for i, left in enumerate(there):
            for j, right in enumerate(there):
                if 0 < abs(i - j) <= window:
                    found[left, right] += window - abs(i - j) + 1
    return (found / window).tolist()


def ragged(rows: list[list[int]]) -> tf.RaggedTensor:
    return tf.ragged.constant(rows, tf.int64, ragged_rank=1)


@given(SEQUENCES, st.integers(1, 12))
def test_pairs_in_windows_count_by_how_far_they_are_apart(rows: list[list[int]], window: int) -> None:
    expected = counted_one_by_one(rows, window)
    for ids in (ragged(rows), tf.cast(ragged(rows), tf.int32), ragged(rows).to_tensor(-1).numpy()):
        assert cooccurrences([sequences(ids)], IDS, window).toarray().tolist() == expected


@given(SEQUENCES, st.integers(1, 4), st.integers(1, 20), st.lists(st.integers(0, 6), max_size=3))
def test_sequences_count_the_same_in_parts_of_any_size(
    rows: list[list[int]], window: int, pairs: int, cuts: list[int]
) -> None:
    bounds = [0, *sorted(min(cut, len(rows)) for cut in cuts), len(rows)]
    parts = [ragged(rows)[first:last] for first, last in itertools.pairwise(bounds)]
    found = cooccurrences(map(sequences, parts), IDS, window, pairs)
    assert found.toarray().tolist() == counted_one_by_one(rows, window)


def test_an_average_window_of_skip_gram_counts_the_same() -> None:
    draw, row, window = np.random.default_rng(2), [0, 1, 2, 3, 4, 5], 3
    found = np.zeros((IDS, IDS))
    for _ in range(4000):
        for place, reach in enumerate(draw.integers(1, window + 1, len(row)).tolist()):
            for other in range(max(0, place - reach), min(len(row), place + reach + 1)):
                found[place, other] += place != other
    counts = cooccurrences([sequences(np.array([row]))], IDS, window)
    np.testing.assert_allclose(counts.toarray(), found / 4000, atol=0.03)


def test_no_sequence_at_all_is_counted_as_nothing() -> None:
    found = cooccurrences([], IDS, 2)
    assert (found.shape, found.nnz) == ((IDS, IDS), 0)
    assert positive_information(found).nnz == 0


def test_examples_are_counted_where_they_lie() -> None:
    examples = Examples({"text": ragged([[0, 1, 2], [], [2, 1]])}, np.zeros((3, 1)), np.ones((3, 1)), narrow=["text"])
    found = of_examples(examples, "text", IDS, 1).toarray()
    assert (found.sum(), found[0, 1], found[1, 2], found[2, 1]) == (6, 1, 2, 2)


@given(SEQUENCES, st.sampled_from([0.75, 1.0]))
def test_information_is_what_its_definition_says(rows: list[list[int]], smoothing: float) -> None:
    counts = np.array(counted_one_by_one(rows, 2))
    found = positive_information(scipy.sparse.csr_array(counts), smoothing)
    own, contexts = counts.sum(axis=1), counts.sum(axis=0) ** smoothing
    expected = np.zeros((IDS, IDS))
    for one, other in zip(*counts.nonzero(), strict=True):
        joint, chance = counts[one, other] / counts.sum(), own[one] / counts.sum() * contexts[other] / contexts.sum()
        expected[one, other] = max(0, np.log(joint / chance))
    np.testing.assert_allclose(found.toarray(), expected, atol=1e-6)
    assert found.dtype == np.float32
    assert (found.data > 0).all()


def test_information_is_the_same_in_blocks_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = scipy.sparse.random_array((40, 40), density=0.2, rng=np.random.default_rng(1), format="csr")
    whole = positive_information(counts).toarray().tolist()
    monkeypatch.setattr("trainer.baselines.lsa.lsa._BLOCK", 7)
    assert positive_information(counts).toarray().tolist() == whole


def test_factors_are_the_nearest_of_their_dimension_and_the_same_every_time() -> None:
    draw = np.random.default_rng(4)
    matrix = scipy.sparse.csr_array(np.maximum(draw.normal(size=(30, 30)), 0).astype(np.float32))
    rows, contexts = factored(matrix, 5, seed=3)
    left, values, right = np.linalg.svd(matrix.toarray())
    np.testing.assert_allclose(rows @ contexts.T, left[:, :5] * values[:5] @ right[:5], atol=0.02)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=0), np.sqrt(values[:5]), rtol=1e-3)
    np.testing.assert_allclose(np.linalg.norm(contexts, axis=0), np.sqrt(values[:5]), rtol=1e-3)
    again = factored(matrix, 5, seed=3)
    assert [each.tolist() for each in again] == [rows.tolist(), contexts.tolist()]
    assert rows.dtype == contexts.dtype == np.float32


def test_factors_have_no_more_numbers_than_there_are_ids() -> None:
    rows, contexts = factored(scipy.sparse.csr_array((3, 3), dtype=np.float32), 8)
    assert rows.tolist() == contexts.tolist() == np.zeros((3, 3)).tolist()


def test_words_of_two_topics_lie_apart() -> None:
    draw = np.random.default_rng(6)
    # Words 0 to 9 are of one topic, 10 to 19 of the other, and 20 to 23 of both.
    rows = [draw.choice([*range(10 * (n % 2), 10 * (n % 2) + 10), *range(20, 24)], 12) for n in range(200)]
    counts = cooccurrences([sequences(np.array(rows))], 24, 4)
    found, _ = factored(positive_information(counts), 2)
    unit = found[:20] / np.linalg.norm(found[:20], axis=1, keepdims=True)
    alike = unit @ unit.T
    same = np.equal.outer(np.arange(20) // 10, np.arange(20) // 10)
    assert alike[same].min() > alike[~same].max() + 0.5


TOPICS = {topic: [f"{topic}{letter}" for letter in "abcdef"] for topic in ("sea", "war")}
BOTH = ["the", "of"]


@dataclass(frozen=True)
class Products(Measure):
    """A measure of one's own: how large the products of two tables are, over those of the test examples."""

    table: str = "word"
    name: str = "products"

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name, "examples_asked", "validation_products")

    def measured(self, trained: Trained) -> Measured:
        centres, contexts = (trained.vectors(name).matrix for name in (self.table, f"{self.table}_output"))
        asked = {"examples_asked": float(len(trained.work.test))}
        return Measured({self.name: float(np.abs(centres @ contexts.T).max()), **asked, "validation_products": 1.0}, "")


def texts(split: str) -> Any:
    draw = np.random.default_rng(len(split))
    found = [" ".join(draw.choice([*TOPICS[["sea", "war"][n % 2]], *BOTH], 9)) for n in range(240)]
    return tf.data.Dataset.from_tensor_slices({"text": found}).batch(64)


def problem(*, similarities: str | None = None) -> Problem:
    """Texts of two topics, and a catalogue that tells what some of their words are."""
    words = fc.categorical_column_with_vocabulary_list("text", fc.from_data(), tokenize=fc.Tokens())
    return Problem(
        dataset=texts,
        dnn_feature_columns=[fc.embedding_column(words, 3, name="word")],
        head=SkipGramHead("word", window=3, subsample=None),
        catalogues={"text": Catalogue(["seaa"], {"kind": ["noun"]})},
        measures=[] if similarities is None else [Similarities(similarities), Products()],
        dnn_optimizer="Adagrad",
        num_epochs=1,
        train_batch_size=32,
        name="topics",
        description="Texts of two topics.",
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("topics")
    (made / "problem.py").write_text("from tests.test_baselines_lsa import problem\n")
    of_topic = {word: topic for topic, words in TOPICS.items() for word in words}
    pairs = [*itertools.combinations(of_topic, 2), ("seaa", "unknown")]
    lines = [f"{one}\t{other}\t{9 * (of_topic[one] == of_topic.get(other))}" for one, other in pairs]
    (made / "pairs.tsv").write_text("\n".join(lines))
    return made


@pytest.fixture(scope="module")
def left(folder: Path) -> tuple[Run, list[str]]:
    """A run of the problem that was held against its baseline, and what was printed."""
    run, out = Run(str(folder / "run")), io.StringIO()
    given = {"similarities": str(folder / "pairs.tsv")}
    settings = Settings(str(folder / "problem.py"), given, job_dir=run.path, baselines=True)
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out):
        patch.setattr("trainer.projector.write", lambda *_, **__: None)  # takes long
        job.run(settings)
    return run, out.getvalue().splitlines()


def test_a_skip_gram_is_held_against_it_by_the_measures_of_the_problem(left: tuple[Run, list[str]]) -> None:
    run, told = left
    found = run.read_json("baselines.json")
    lsa, own = found.pop("results")
    metrics = run.read_json("metrics.json")
    trained = metrics["train_examples"]
    assert found == {"train_examples": trained, "ids": 14, "lsa_pairs": found["lsa_pairs"], "lsa_window": 3}
    names = ("similarities", "products", "examples_asked")
    assert (lsa["model"], own) == (
        "lsa",
        {"model": "topics", **{name: metrics[name] for name in names}} | {"seconds": metrics["seconds"]},
    )
    assert list(lsa) == ["model", *names, "seconds"]
    # Two topics of six words: no order of the pairs can agree with so many ties more than this.
    assert lsa["similarities"] == pytest.approx(0.86, abs=0.02)
    assert lsa["examples_asked"] == metrics["examples"]
    start = told.index(f"baselines: latent semantic analysis, of {trained} sequences of 14 ids")
    table = told.index("of tables of 3 numbers an id")
    assert start < table
    assert told[table + 1].split() == ["similarities", "products", "examples_asked", "seconds"]
    assert [line.split()[0] for line in told[table + 2 : table + 4]] == ["lsa", "topics"]


def test_its_tables_are_left_in_the_run_as_any_other(
    left: tuple[Run, list[str]], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = f"{left[0].path}/baselines/lsa"
    for name in ("word", "word_output"):
        own, trained = tables.read(place, name), tables.read(left[0].path, name)
        assert (own.labels, own.fields, own.details) == (trained.labels, trained.fields, trained.details)
        assert own.counts is not None
        assert own.counts.tolist() == np.asarray(trained.counts).tolist()
        assert own.values.shape == trained.values.shape
    assert own.details["kind"].count("noun") == 1
    assert main(["vectors", place, "word", "--near", "wara", "--topn", "5", "--json"]) == 0
    (query,) = json.loads(capsys.readouterr().out)["queries"]
    assert {each["key"] for each in query["neighbours"]} == {*TOPICS["war"]} - {"wara"}
    worth = LabelledVectors.load(place, "word").evaluate_word_pairs(str(folder / "pairs.tsv"))
    assert left[0].read_json("baselines.json")["results"][0]["similarities"] == worth.score


def test_a_skip_gram_of_which_nothing_is_measured_is_not_compared() -> None:
    with pytest.raises(Refusal) as refused:
        baselines.check(problem())
    assert str(refused.value) == (
        "--baselines: problem topics measures nothing of its tables, so nothing tells which are better; leave "
        "--baselines out, or give what measures ask, as --analogies or --similarities."
    )
    baselines.check(problem(similarities="pairs.tsv"))
