"""The metrics of ranked lists, against plain NumPy."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.heads.ranking import NDCG, Coverage, Recall

ROWS = 30

bags = st.lists(st.lists(st.integers(0, ROWS - 1), unique=True, max_size=8), min_size=1, max_size=6)


def recall(wanted: Sequence[int], ranked: Sequence[int], k: int) -> float:
    return len({*wanted} & {*ranked[:k]}) / min(k, len(wanted))


def ndcg(wanted: Sequence[int], ranked: Sequence[int], k: int) -> float:
    gains = [1 / np.log2(place + 2) for place, id in enumerate(ranked[:k]) if id in wanted]
    return float(sum(gains) / sum(1 / np.log2(place + 2) for place in range(min(k, len(wanted)))))


def ranked_lists(examples: int, length: int, seed: int) -> Any:
    draws = np.random.default_rng(seed)
    return np.stack([draws.permutation(ROWS)[:length] for _ in range(examples)])


@settings(max_examples=25)
@given(bags, st.integers(1, 12), st.integers(0, 99))
def test_recall_and_ndcg_are_those_of_plain_numpy(wanted: list[list[int]], k: int, seed: int) -> None:
    ranked = ranked_lists(len(wanted), 10, seed)
    ragged = tf.ragged.constant(wanted, tf.int64, ragged_rank=1)
    counted = [place for place, bag in enumerate(wanted) if bag]
    for metric, reference in ((Recall(k, "recall"), recall), (NDCG(k, "ndcg"), ndcg)):
        expected = [reference(wanted[place], ranked[place].tolist(), k) for place in counted]
        found = float(metric(ragged, tf.constant(ranked)))
        assert found == pytest.approx(np.mean(expected) if expected else 0.0, abs=1e-6)
        padded = metric.__class__(k, "padded")(ragged.to_tensor(-1), tf.constant(ranked))
        assert float(padded) == found


def test_an_example_of_weight_0_does_not_count() -> None:
    wanted, ranked = tf.constant([[3], [5]]), tf.constant([[3, 1], [2, 4]])
    weights = tf.constant([[1.0], [0.0]])
    assert float(Recall(2, "recall")(wanted, ranked, sample_weight=weights)) == 1.0
    assert float(Coverage(10, 2, "coverage")(wanted, ranked, sample_weight=weights)) == pytest.approx(0.2)


def test_an_answer_that_is_none_finds_nothing() -> None:
    metric = Recall(3, "recall")
    assert float(metric(tf.constant([[0, -1, -1]]), tf.constant([[-1, -1, -1]]))) == 0.0


def test_coverage_counts_each_row_once_over_all_batches() -> None:
    metric = Coverage(8, 2, "coverage")
    for ranked in ([[0, 1, 7]], [[1, 2, 7]], [[-1, -1, -1]]):
        metric.update_state(tf.constant([[5]]), tf.constant(ranked))
    assert float(metric.result()) == 3 / 8
