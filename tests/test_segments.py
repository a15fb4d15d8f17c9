from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from trainer.segments import segment_sums


def given(rows: int, dimension: int, count: int, seed: int = 0) -> tuple[Any, Any, Any]:
    draw = np.random.default_rng(seed)
    values = draw.normal(size=(rows, dimension)).astype(np.float32)
    return tf.constant(values), draw.integers(0, count, rows), tf.constant(draw.random(rows), tf.float32)


@pytest.fixture(params=["CPU", "GPU"])
def device(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second stands for a machine with a GPU, which is not there: only which ops are chosen is tried."""
    if request.param == "GPU":
        monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: [f"/{kind}:0"])


@pytest.mark.usefixtures("device")
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", ["int32", "int64"])
@pytest.mark.parametrize("dimension", [1, 16, 64])
def test_sums_and_their_gradients_are_those_of_the_definition(dimension: int, dtype: str, weighted: bool) -> None:
    values, segments, weights = given(500, dimension, 40)
    shares = weights if weighted else None
    with tf.GradientTape() as tape:
        tape.watch([values, weights])
        sums = segment_sums(values, tf.constant(segments, dtype), tf.constant(41, dtype), shares)
        loss = tf.reduce_sum(sums**2)
    factors = weights.numpy() if weighted else np.ones(500, np.float32)
    expected = np.zeros((41, dimension))
    np.add.at(expected, segments, values.numpy().astype(np.float64) * factors[:, None])
    np.testing.assert_allclose(sums, expected, rtol=1e-4, atol=1e-5)
    to_values, to_weights = tape.gradient(loss, [values, weights])
    slopes = 2 * expected[segments]
    np.testing.assert_allclose(to_values, slopes * factors[:, None], rtol=1e-4, atol=1e-4)
    if weighted:
        np.testing.assert_allclose(to_weights, (slopes * values.numpy()).sum(axis=1), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("dimension", [16, 64])
def test_the_same_values_give_the_same_bits(dimension: int) -> None:
    values, segments, weights = given(5000, dimension, 30)
    runs = [segment_sums(values, tf.constant(segments), 30, weights).numpy() for _ in range(5)]
    assert all(np.array_equal(runs[0], other) for other in runs)


@pytest.mark.usefixtures("device")
@pytest.mark.parametrize("count", [0, 3])
def test_no_values_are_sums_of_zero(count: int) -> None:
    sums = segment_sums(tf.zeros((0, 4)), tf.zeros((0,), tf.int32), count)
    assert sums.numpy().tolist() == [[0.0] * 4] * count


def test_xla_compiles_sums() -> None:
    compiled = tf.function(lambda values, segments: segment_sums(values, segments, 3), jit_compile=True)
    sums = compiled(tf.constant([[1.0], [2.0], [4.0]]), tf.constant([2, 0, 2]))
    assert sums.numpy().tolist() == [[2.0], [0.0], [5.0]]
