"""A skip-gram learns what its definition says, pair by pair."""

import math
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import trainer
from trainer import feature_column as fc
from trainer import models
from trainer.errors import Refusal
from trainer.heads import SkipGramHead
from trainer.layers import Contexts
from trainer.models.skip_gram import banded
from trainer.models.skip_gram.places import Places, Shape, placed
from trainer.problem import Problem

ROWS, DIMENSION, WINDOW, NEGATIVES = 7, 3, 2, 5.0


def sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def plain(
    sequences: list[list[int]], reach: list[int], weights: list[float], v: Any, u: Any, chances: Any, smoothing: float
) -> Any:
    """The definition: each pair by itself, its negatives as they are expected; loss, and gradients by v and by u."""
    loss, of_v, of_u, pairs = 0.0, np.zeros_like(v), np.zeros_like(u), 0.0
    reaches = iter(reach)
    for sequence, weight in zip(sequences, weights, strict=True):
        for place, centre in enumerate(sequence):
            far = next(reaches)
            for other in range(max(0, place - far), min(len(sequence), place + far + 1)):
                if other == place:
                    continue
                told = [(sequence[other], 1.0, 1.0)]
                told += [(id, 0.0, NEGATIVES * chance) for id, chance in enumerate(chances)]
                for id, label, share in told:
                    score = float(v[centre] @ u[id])
                    loss -= weight * share * math.log(sigmoid(score if label else -score))
                    wanted = 1 - smoothing if label else smoothing
                    of_v[centre] += weight * share * (sigmoid(score) - wanted) * u[id]
                    of_u[id] += weight * share * (sigmoid(score) - wanted) * v[centre]
                pairs += weight
    return loss / pairs, of_v, of_u


def blocked(places: Places, shape: Shape, weights: list[float], v: Any, u: Any, chances: Any, smoothing: float) -> Any:
    """The same by the products of matrices; that negatives are drawn is taken as each with its chance."""
    mean, of_v, of_u = 0.0, np.zeros_like(v), np.zeros_like(u)
    blocks = int(places.ids.shape[0]) // shape.block
    for id, chance in enumerate(chances):
        # The gradient is a sum over the negatives of a block, so that its expectation is that over one of them.
        centres, contexts = tf.constant(v), tf.constant(u)
        with tf.GradientTape() as tape:
            tape.watch([centres, contexts])
            drawn = tf.gather(contexts, np.full((blocks, 1), id))
            total, told = banded.loss(
                places,
                shape,
                NEGATIVES,
                tf.gather(centres, places.ids),
                tf.gather(contexts, places.ids),
                drawn,
                tf.constant(weights, tf.float32),
                1,
                smoothing,
            )
        gradients = tape.gradient(total, [centres, contexts])
        mean += chance * float(told)
        of_v += chance * tf.convert_to_tensor(gradients[0]).numpy()
        of_u += chance * tf.convert_to_tensor(gradients[1]).numpy()
    return mean, of_v, of_u


@pytest.mark.parametrize(
    ("lengths", "smoothing"), [((40,), 0.0), ((1, 0, 33, 2, 17), 0.0), ((16, 16), 0.1), ((3,), 0.0)]
)
def test_the_expected_gradient_is_that_of_each_pair_with_negatives_of_its_own(
    lengths: tuple[int, ...], smoothing: float
) -> None:
    draws = np.random.default_rng(len(lengths))
    sequences = [draws.integers(0, ROWS, length).tolist() for length in lengths]
    v, u = (draws.normal(size=(ROWS, DIMENSION)).astype(np.float32) for _ in range(2))
    chances, weights = draws.dirichlet(np.ones(ROWS)), draws.uniform(0.5, 2, len(lengths)).tolist()
    shape = Shape.of(WINDOW, 32)
    given = tf.RaggedTensor.from_row_lengths(np.concatenate([*map(np.asarray, sequences)]).astype(np.int64), lengths)
    places = placed(given.to_tensor(-1), tf.ones([ROWS]), shape, 3)
    reach = places.reach.numpy()[: sum(lengths)].tolist()
    assert set(reach) <= {1, 2}
    expected = plain(sequences, reach, weights, v, u, chances, smoothing)
    found = blocked(places, shape, weights, v, u, chances, smoothing)
    for some, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(some, other, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("window", [1, 8, 9, 40, 300])
def test_pairs_of_wide_windows_are_those_within_reach(window: int) -> None:
    shape, length = Shape.of(window, 128), 700
    places = Places(*(tf.constant(each, tf.int32) for each in _padded(length, window, shape.block)))
    band = banded._band(places, shape, tf.ones([1])).numpy()
    pairs = sum(min(length - 1, place + window) - max(0, place - window) for place in range(length))
    assert band.sum() == pairs


def _padded(length: int, window: int, block: int) -> tuple[Any, Any, Any]:
    filled = -length % block
    return (
        np.zeros(length + filled),
        np.pad(np.zeros(length), (0, filled), constant_values=-1),
        np.pad(np.full(length, window), (0, filled)),
    )


def test_frequent_ids_are_left_out_as_often_as_word2vec_does_and_windows_reach_over_them() -> None:
    kept = tf.constant([0.25, 1.0])
    ids = tf.constant(np.tile([0, 0, 0, 1], (50, 100)).reshape(50, -1))
    places = placed(ids, kept, Shape.of(2, 128), 5)
    found, sequences = places.ids.numpy(), places.sequences.numpy()
    counts = np.bincount(found[sequences >= 0])
    assert counts[1] == 5000
    assert abs(counts[0] - 0.25 * 15_000) < 200
    assert (np.diff(sequences[sequences >= 0]) >= 0).all()


def test_counts_tell_how_often_ids_are_kept_and_drawn() -> None:
    column = fc.embedding_column(fc.categorical_column_with_identity("id", 3), 2, name="context")
    contexts = Contexts(column, 0.01, 0.75)
    contexts.build()
    contexts.count([9000, 900, 100])
    shares = 0.01 / np.array([0.9, 0.09, 0.01])
    np.testing.assert_allclose(contexts.kept.numpy(), np.minimum(1, np.sqrt(shares) + shares), rtol=1e-6)
    drawn = np.bincount(contexts.drawn([40_000], [1, 2]).numpy(), minlength=3) / 40_000
    powers = np.array([9000, 900, 100]) ** 0.75
    np.testing.assert_allclose(drawn, powers / powers.sum(), atol=0.01)


def test_an_id_that_was_never_met_may_be_drawn_and_is_kept() -> None:
    column = fc.embedding_column(fc.categorical_column_with_identity("id", 2), 2, name="context")
    contexts = Contexts(column, 0.5, 0.75)
    contexts.build()
    contexts.count([5, 0])
    assert np.isfinite(contexts.chances.numpy()).all()
    assert contexts.kept.numpy()[1] == 1


def made(**arguments: Any) -> Problem:
    nodes = fc.categorical_column_with_identity("node", 6)
    return Problem(
        dataset=None,
        **{
            "dnn_feature_columns": [fc.embedding_column(nodes, 4, name="node")],
            "bags": ["node"],
            "head": SkipGramHead("node", window=2, subsample=None),
            "planted": lambda split: {"node": np.zeros((2, 3), np.int64)},
            "name": "walks",
            **arguments,
        },
    )


def test_a_step_is_the_same_each_time_and_another_one_draws_anew() -> None:
    walks = {"node": tf.constant([[0, 1, 2, 3, 4, 5], [5, 3, 1, 0, -1, -1]], tf.int64)}

    def losses(step: int) -> float:
        model = trainer.build(made())
        model.contexts.table.table.assign(tf.reshape(tf.range(24.0), (6, 4)) / 24)
        model.centres.table.assign(tf.reshape(tf.range(24.0), (6, 4)) / 24)
        model.optimizer.iterations.assign(step)
        return float(model.compute_loss(y_pred=model(walks)))

    assert losses(3) == losses(3) != losses(4)


def test_sequences_without_any_pair_have_no_loss_and_no_gradient() -> None:
    model = trainer.build(made())
    for ids in ([[-1, -1]], [[2, -1]], [[-1], [3]]):
        with tf.GradientTape() as tape:
            loss = model.compute_loss(y_pred=model({"node": tf.constant(ids, tf.int64)}))
        gradients = tape.gradient(loss, model.trainable_variables)
        assert float(loss) == 0
        assert all(not tf.convert_to_tensor(each).numpy().any() for each in gradients)


def test_scores_that_are_not_finite_show_in_the_loss_wherever_they_are() -> None:
    model = trainer.build(made())
    values = np.zeros((6, 4), np.float32)
    values[5] = np.nan
    model.centres.table.assign(values)
    ids = np.zeros((1, 5000), np.int64)
    ids[0, 4000] = 5
    assert math.isnan(float(model.compute_loss(y_pred=model({"node": tf.constant(ids)}))))


def test_a_model_has_a_vector_for_a_sequence_and_two_tables() -> None:
    model = trainer.build(made())
    vector = model({"node": tf.constant([[0, 1], [2, -1]], tf.int64)})["vector"].numpy()
    table = model.centres.values
    np.testing.assert_allclose(vector, [table[:2].mean(0), table[2]], rtol=1e-6)
    assert list(models.tables_of(model)) == ["node", "node_output"]
    assert not model.contexts.table.values.any()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            {"head": SkipGramHead("nodes")},
            "SkipGramHead: problem walks has no table 'nodes'; did you mean 'node'?",
        ),
        (
            {"dnn_hidden_units": [4]},
            "SkipGramHead: problem walks has more than the column of table 'node', and sequences have places for its "
            "ids alone; give that column as the one of dnn_feature_columns, without hidden units.",
        ),
    ],
)
def test_a_problem_that_has_no_place_for_a_skip_gram_is_refused(arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Refusal) as refused:
        trainer.build(made(**arguments))
    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"window": 0}, "SkipGramHead: window is a whole number of at least 1, not 0."),
        ({"negatives": 1.5}, "SkipGramHead: negatives is a whole number of at least 1, not 1.5."),
        ({"subsample": 1.0}, "SkipGramHead: subsample is above 0 and below 1, or None, not 1.0."),
        ({"label_smoothing": 0.5}, "SkipGramHead: label_smoothing is from 0 to below 0.5, not 0.5."),
        ({"pair_weight": 0}, "SkipGramHead: pair_weight is a number above 0, not 0."),
        ({"negative_power": -1}, "SkipGramHead: negative_power is a number from 0 to 1, not -1."),
    ],
)
def test_arguments_that_cannot_be_used_are_refused(arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Refusal) as refused:
        SkipGramHead("word", **arguments)
    assert str(refused.value) == sentence


def test_a_model_of_another_kind_has_no_skip_gram() -> None:
    with pytest.raises(Refusal) as refused:
        SkipGramHead("word").on(keras.Sequential())
    assert str(refused.value) == (
        "SkipGramHead: it learns from sequences of the ids of table 'word', as only the model does that trainer.build "
        "makes of dnn_feature_columns; leave model= and linear_feature_columns out."
    )


def test_a_pair_weighs_in_the_gradient_what_the_head_says() -> None:
    ids = {"node": tf.constant([[0, 1, 2, 3]], tf.int64)}

    def gradient(weight: float) -> Any:
        model = trainer.build(made(head=SkipGramHead("node", window=2, subsample=None, pair_weight=weight)))
        model.centres.table.assign(tf.reshape(tf.range(24.0), (6, 4)) / 24)
        with tf.GradientTape() as tape:
            loss = model.compute_loss(y_pred=model(ids))
        return float(loss), tf.convert_to_tensor(tape.gradient(loss, model.contexts.table.table.value)).numpy()

    (one, whole), (other, half) = gradient(1.0), gradient(0.5)
    assert one == other
    assert whole.any()
    np.testing.assert_allclose(half, whole / 2, rtol=1e-6)
