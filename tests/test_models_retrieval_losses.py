"""The losses of retrieval, against plain NumPy, and the sampled one against the whole."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from trainer.models import retrieval_losses as losses

Array = np.ndarray[Any, Any]

GIVEN = [[0, 3], [], [7], [1]]
WANTED = [[5, 2, 1], [4], [0, 9], []]
ROWS = 12


def scores_of(rows: int = ROWS, examples: int = 4, seed: int = 3) -> Array:
    return np.random.default_rng(seed).normal(size=(examples, rows)).astype(np.float32)


def ragged(bags: list[list[int]]) -> Any:
    return tf.ragged.constant(bags, tf.int64, ragged_rank=1)


def log_loss(scores: Array, given: list[int], wanted: list[int]) -> float:
    if not wanted:
        return 0.0
    left = np.delete(np.arange(len(scores)), given)
    return float(np.log(np.exp(scores[left]).sum()) - scores[wanted].mean())


def test_the_softmax_is_over_all_but_what_went_in() -> None:
    scores = scores_of()
    found = losses.softmax(tf.constant(scores), ragged(GIVEN), ragged(WANTED))
    np.testing.assert_allclose(found, [log_loss(*each) for each in zip(scores, GIVEN, WANTED, strict=True)], rtol=1e-5)
    padded = losses.softmax(tf.constant(scores), ragged(GIVEN).to_tensor(-1), ragged(WANTED).to_tensor(-1))
    np.testing.assert_array_equal(found, padded)


def test_the_reconstruction_compares_directions_without_what_went_in() -> None:
    scores = scores_of()
    expected = []
    for row, given, wanted in zip(scores, GIVEN, WANTED, strict=True):
        target, left = np.zeros(ROWS), row.astype(np.float64)
        target[wanted], left[given] = 1.0, 0.0
        unit = target / (np.linalg.norm(target) or 1.0)
        expected.append(np.square(left / np.linalg.norm(left) - unit).sum())
    found = losses.reconstruction(tf.constant(scores), ragged(GIVEN), ragged(WANTED))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_a_sample_counts_each_row_as_often_as_it_was_drawn_over_how_often_it_would_be() -> None:
    chances = np.arange(1.0, 21.0) / np.arange(1.0, 21.0).sum()
    drawn = losses.sampled(tf.constant(np.cumsum(chances)), 5000, [1, 2])
    assert np.all(np.diff(drawn.ids) > 0)
    often = np.exp(drawn.corrections) * 5000 * chances[drawn.ids.numpy()]
    assert often.sum() == pytest.approx(5000, rel=1e-4)
    np.testing.assert_allclose(often, 5000 * chances[drawn.ids.numpy()], atol=5 * np.sqrt(5000 * 0.1))


def test_a_sample_of_every_row_is_the_whole_softmax() -> None:
    scores = scores_of()
    every = losses.Sample(tf.range(ROWS, dtype=tf.int64), tf.zeros(ROWS))
    found = losses.sampled_softmax(
        lambda ids: tf.gather(scores, ids, axis=1),
        lambda examples, ids: tf.gather_nd(scores, tf.stack([examples, ids], axis=1)),
        every,
        ragged(GIVEN),
        ragged(WANTED),
    )
    expected = losses.softmax(tf.constant(scores), ragged(GIVEN), ragged(WANTED))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_the_gradient_of_the_sampled_softmax_is_that_of_the_whole_but_for_the_error_of_the_sample() -> None:
    rows, dimension, draws, repeats = 20_000, 8, 4096, 200
    draw = np.random.default_rng(5)
    table = tf.constant(draw.normal(size=(rows, dimension)).astype(np.float32))
    vector = tf.constant(draw.normal(scale=0.35, size=(4, dimension)).astype(np.float32))  # scores are about 1 apart
    weights = (np.arange(rows) + 1.0) ** -0.75  # as popularity falls
    chances = tf.constant(np.cumsum(weights) / weights.sum())
    given, wanted = ragged([[1, 5], [0], [9], [2]]), ragged([[7, 100], [3, 12_000], [4], [19_999]])

    @tf.function
    def gradient(seed: Any) -> tuple[Any, Any]:
        with tf.GradientTape() as tape:
            tape.watch([vector, table])
            value = losses.sampled_softmax(
                lambda ids: tf.matmul(vector, tf.gather(table, ids), transpose_b=True),
                lambda examples, ids: tf.reduce_sum(tf.gather(vector, examples) * tf.gather(table, ids), axis=1),
                losses.sampled(chances, draws, tf.stack([seed, 0])),
                given,
                wanted,
            )
        of_vector, of_table = tape.gradient(value, [vector, table])
        return of_vector, tf.matmul(tf.convert_to_tensor(of_table), table, transpose_a=True)

    with tf.GradientTape() as tape:
        tape.watch([vector, table])
        value = losses.softmax(tf.matmul(vector, table, transpose_b=True), given, wanted)
    exact = tape.gradient(value, [vector, table])
    exact = [exact[0], tf.matmul(exact[1], table, transpose_a=True)]  # of the table, a mean over its rows
    samples = [gradient(tf.constant(seed, tf.int64)) for seed in range(repeats)]
    for place, expected in enumerate(exact):
        found = np.stack([each[place] for each in samples])
        error = found.std(axis=0) / np.sqrt(repeats)
        assert np.all(np.abs(found.mean(axis=0) - expected) < 4 * error)
        assert np.all(4 * error < 0.02 * np.abs(expected).max())  # so that this says something
