"""What a model has made of an example just before it answers."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests import planted, stars
from trainer import feature_column as fc
from trainer import layers, models
from trainer.models import last_hidden
from trainer.problem import Problem

WIDE = dataclasses.replace(planted.PROBLEM, dnn_feature_columns=(), dnn_hidden_units=())
DEEP = dataclasses.replace(planted.PROBLEM, linear_feature_columns=())
BARE = dataclasses.replace(DEEP, dnn_hidden_units=())


def features() -> dict[str, tf.Tensor]:
    return {key: tf.constant(values) for key, values in planted.rows("train", 9)[0].items()}


@pytest.mark.parametrize("problem", [planted.PROBLEM, DEEP, BARE], ids=["both", "deep", "no hidden layer"])
def test_the_deep_part_is_the_last_dense_layer_of_what_comes_before_it(problem: Problem) -> None:
    model = models.build(problem)
    hidden = last_hidden(model)
    assert hidden is not None
    made = hidden(features())
    assert made.shape == (9, 16 if problem.dnn_hidden_units else 5)
    deep = model.get_layer("logits")(made)
    wide = 0 if problem is not planted.PROBLEM else model.get_layer("linear")(model.get_layer("encoder")(features()))
    np.testing.assert_allclose(deep + wide, model(features()), atol=1e-6)


def test_it_can_be_taken_apart_where_features_are_encoded_as_the_model_can() -> None:
    model = models.build(planted.PROBLEM)
    encode, hidden = models.halves(model).encode, last_hidden(model)
    assert hidden is not None
    assert encode is not None
    made = models.halves(hidden).logits(encode(features()), False)
    np.testing.assert_array_equal(made, hidden(features()))


def test_a_model_of_ones_own_may_have_one() -> None:
    def own() -> keras.Model:
        raw = layers.inputs(DEEP.columns)
        dense = keras.layers.Dense(3, activation="relu")(layers.DenseFeatures(DEEP.dnn_feature_columns)(raw))
        return keras.Model(list(raw.values()), keras.layers.Dense(1)(dense))

    hidden = last_hidden(models.build(planted.problem(dnn_feature_columns=(), linear_feature_columns=(), model=own)))
    assert hidden is not None
    assert hidden(features()).shape == (9, 3)


class Own(keras.Model):
    """A class of one's own, which does not say what it is made of."""


def test_what_has_no_dense_layer_at_its_end_has_none() -> None:
    bag = fc.embedding_column(fc.categorical_column_with_identity("hour", 24), 4)
    raw = layers.inputs([bag])
    pooled = keras.Model(list(raw.values()), layers.DenseFeatures([bag])(raw))
    assert [last_hidden(model) for model in (models.build(WIDE), pooled, Own())] == [None] * 3


def test_a_model_that_retrieves_rows_has_none() -> None:
    film = fc.categorical_column_with_vocabulary_list("film", ["a", "b", "c"])
    columns = [fc.embedding_column(film, 2, name="film", combiner="sum")]
    assert last_hidden(models.assembled(dataclasses.replace(stars.PROBLEM, dnn_feature_columns=columns))) is None
