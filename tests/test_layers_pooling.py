"""Poolings against NumPy: of bags in every layout, of sequences, and of their segments."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer import feature_column as fc
from trainer import layers, optimizers
from trainer.errors import Refusal
from trainer.feature_column.embedding import COMBINERS

POOLED: dict[str, Callable[[Any], Any]] = {
    "mean": lambda rows: rows.mean(axis=0),
    "sum": lambda rows: rows.sum(axis=0),
    "sqrtn": lambda rows: rows.sum(axis=0) / np.sqrt(len(rows)),
    "max": lambda rows: rows.max(axis=0),
    "first": lambda rows: rows[0],
}
BAGS = [[3, 1, 3], [], [0], [2, 4, 1, 0], []]
VALUES = np.random.default_rng(5).normal(size=(5, 3)).astype(np.float32)

hows = pytest.mark.parametrize("how", POOLED)


def test_the_battery_has_every_pooling() -> None:
    assert tuple(POOLED) == COMBINERS


def pooled(how: str, rows: Any) -> Any:
    return POOLED[how](rows) if len(rows) else np.zeros(3)


def table(how: str) -> layers.EmbeddingTable:
    made = layers.EmbeddingTable(5, 3, how)
    made.build()
    made.table.assign(VALUES)
    return made


RAGGED = tf.ragged.constant(BAGS, tf.int64)
LAYOUTS = {
    "dense": RAGGED.to_tensor(-1),
    "dense, with holes": tf.constant([[-1, 3, 1, -1, 3], [-1] * 5, [-1, 0, *[-1] * 3], [2, 4, -1, 1, 0], [-1] * 5]),
    "ragged": RAGGED,
    "ragged, with holes": tf.ragged.constant([[-1, 3, 1, 3], [-1], [0, -1], [2, -1, 4, 1, 0], []], tf.int64),
    "sparse": RAGGED.to_sparse(),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@hows
def test_a_bag_is_pooled_as_numpy_does_it(how: str, layout: str) -> None:
    found = tf.function(table(how), autograph=False)(LAYOUTS[layout])
    np.testing.assert_allclose(found, [pooled(how, VALUES[bag]) for bag in BAGS], rtol=1e-6, atol=1e-7)


@hows
def test_the_gradient_of_a_bag_reaches_the_rows_that_its_pooling_reads(how: str) -> None:
    """By finite differences of NumPy's pooling; a row that is there twice has the sum of both."""
    made, upstream = table(how), np.arange(1, 16, dtype=np.float32).reshape(5, 3)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(made(RAGGED) * upstream)
    gradient = tape.gradient(loss, made.table.value)
    assert isinstance(gradient, tf.IndexedSlices)
    if how == "first":
        assert sorted(gradient.indices.numpy().tolist()) == [0, 2, 3]

    def value(values: Any) -> float:
        return float(sum((pooled(how, values[bag]) * row).sum() for bag, row in zip(BAGS, upstream, strict=True)))

    expected, step = np.zeros((5, 3)), 1e-4
    for place in np.ndindex(5, 3):
        moved = VALUES.astype(np.float64)
        moved[place] += step
        expected[place] = (value(moved) - value(VALUES.astype(np.float64))) / step
    np.testing.assert_allclose(tf.convert_to_tensor(gradient), expected, atol=1e-3)


@pytest.mark.parametrize("how", ["max", "first"])
def test_bags_of_no_id_at_all_change_nothing(how: str) -> None:
    made = table(how)
    for ids in (tf.constant([[-1, -1]]), tf.ragged.constant([[], []], tf.int64), tf.zeros([0, 2], tf.int64)):
        with tf.GradientTape() as tape:
            combined = made(ids)
        assert not combined.numpy().any()
        assert not tf.convert_to_tensor(tape.gradient(combined, made.table.value)).numpy().any()


@pytest.mark.parametrize("how", ["max", "first"])
def test_a_step_of_training_writes_the_rows_that_the_pooling_read_and_no_other(how: str) -> None:
    column = fc.embedding_column(fc.categorical_column_with_identity("id", 50), 3, how)
    layer = layers.DenseFeatures([column])
    features = {"id": tf.ragged.constant([[7, 9, 7], [], [11, 7]], tf.int64)}
    layer(features)
    (made,) = layer.tables.values()
    before = made.table.numpy()
    optimizer = optimizers.Adagrad(0.1)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(features))
    optimizer.apply(tape.gradient(loss, layer.trainable_variables), layer.trainable_variables)
    changed = np.flatnonzero((made.table.numpy() != before).any(axis=1)).tolist()
    assert changed == ([7, 11] if how == "first" else np.unique([*before_largest(before)]).tolist())


def before_largest(values: Any) -> list[int]:
    """The rows that have the largest of some number in one of the two bags."""
    return [bag[place] for bag in ([7, 9], [11, 7]) for place in values[bag].argmax(axis=0)]


# Sequences

LENGTHS = [3, 0, 4, 1]
STEPS = np.random.default_rng(6).normal(size=(4, 5, 3)).astype(np.float32)
SEGMENTS = np.array([[1, 0, 1, 0, 0], [0] * 5, [2, -1, 2, 7, 0], [1, 0, 0, 0, 0]])
MASK = np.array([[True, False, True, True, True], [True] * 5, [False, True, True, True, True], [True] * 5])
MASKS: dict[str, Any] = {"no mask": None, "a mask": MASK}


def chosen(example: int, mask: Any) -> list[int]:
    """The steps of an example that are there."""
    return [step for step in range(LENGTHS[example]) if mask is None or mask[example, step]]


@pytest.mark.parametrize("mask", MASKS)
@hows
def test_a_sequence_is_pooled_as_numpy_does_it(how: str, mask: str) -> None:
    given = MASKS[mask]
    found = layers.Pooling(how)(STEPS, LENGTHS, mask=given)
    expected = [pooled(how, STEPS[example, chosen(example, given)]) for example in range(4)]
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("mask", MASKS)
@hows
def test_the_segments_of_a_sequence_are_pooled_as_numpy_does_it(how: str, mask: str) -> None:
    given = MASKS[mask]
    found = tf.function(layers.Pooling(how, segments=3), autograph=False)(STEPS, LENGTHS, SEGMENTS, mask=given)
    expected = [
        [
            pooled(how, STEPS[example, [step for step in chosen(example, given) if SEGMENTS[example, step] == segment]])
            for segment in range(3)
        ]
        for example in range(4)
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7)


def words(tokens: fc.Tokens) -> fc.EmbeddingColumn:
    vocabulary = ["quiet", "room", "small"]
    return fc.embedding_column(
        fc.sequence_categorical_column_with_vocabulary_list("name", vocabulary, tokenize=tokens), 3, "sum"
    )


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")  # Keras's own
@hows
def test_a_model_of_the_words_of_a_text_in_their_order_is_saved_with_its_pooling(how: str, tmp_path: Path) -> None:
    column = words(fc.Tokens(stop_words=("the",)))
    raw = layers.inputs([column])
    features = layers.SequenceFeatures([column])
    values, lengths = features(raw)
    model = keras.Model(raw, [layers.Pooling(how)(values), layers.Pooling(how)(values, lengths)])
    names = {"name": tf.constant(["The small, QUIET room", "", "room odd"])}
    (made,) = features.tables.values()
    rows = made.table.numpy()
    steps = [rows[[2, 0, 1]], rows[[]], np.stack([rows[1], np.zeros(3)])]
    for found in model(names):  # by the mask that the values carry, and by the lengths
        np.testing.assert_allclose(found, [pooled(how, some) for some in steps], rtol=1e-6, atol=1e-7)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again(names)[0], model(names)[0])
    if how == "max":
        model.export(str(tmp_path / "served"), verbose=False)
        served = tf.saved_model.load(str(tmp_path / "served"))
        np.testing.assert_allclose(served.serve(names)[1], model(names)[1])


def test_the_gradient_of_a_pooled_sequence_reaches_the_steps_that_are_there() -> None:
    values = tf.constant(STEPS)
    with tf.GradientTape() as tape:
        tape.watch(values)
        loss = tf.reduce_sum(layers.Pooling("first")(values, LENGTHS))
    reached = np.argwhere(tape.gradient(loss, values).numpy().any(axis=2)).tolist()
    assert reached == [[0, 0], [2, 0], [3, 0]]


def test_the_shapes_of_pooled_sequences_are_known_before_they_are_there() -> None:
    values, ids = keras.Input((None, 3)), keras.Input((None,), dtype="int32")
    assert layers.Pooling()(values).shape == (None, 3)
    assert layers.Pooling(segments=4)(values, segment_ids=ids).shape == (None, 4, 3)
    again = layers.Pooling.from_config(layers.Pooling("max", 4, name="words").get_config())
    assert (again.how, again.segments, again.name) == ("max", 4, "words")


def test_a_number_of_segments_is_one_at_least() -> None:
    with pytest.raises(Refusal, match=r"^Pooling: segments must be a whole number of at least 1, not 0\.$"):
        layers.Pooling(segments=0)
