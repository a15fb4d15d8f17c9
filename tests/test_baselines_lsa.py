"""Latent semantic analysis: what is counted in windows, what it tells, and what is factored of it."""

import itertools

import numpy as np
import pytest
import scipy.sparse
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from trainer.baselines.lsa.cooccurrences import cooccurrences, of_examples, sequences
from trainer.baselines.lsa.lsa import factored, positive_information
from trainer.inputs.memory import Examples

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
