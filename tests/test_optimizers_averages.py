"""The moving averages of a model's weights: as of Keras, or of the first steps their means; judged with, taken back."""

import dataclasses
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import trainer
from trainer import feature_column as fc
from trainer import optimizers
from trainer.errors import Refusal
from trainer.heads import RegressionHead
from trainer.optimizers.averages import _pairs, averaged, settle
from trainer.problem import Problem

STEPS, MOMENTUM = 12, 0.8


def walked(optimizer: Any) -> tuple[Any, list[float]]:
    """Returns a weight after some steps of an optimizer, and what it was after each."""
    weight = keras.Variable([1.0])
    seen: list[float] = []
    for step in range(STEPS):
        optimizer.apply([keras.ops.full((1,), float(step % 5) - 1.5)], [weight])
        seen.append(float(weight.numpy()[0]))
    return weight, seen


def test_the_average_of_the_first_steps_is_their_mean_and_then_a_share_is_left_of_it() -> None:
    optimizer = optimizers.SGD(0.1, use_ema=True, ema_momentum=MOMENTUM)
    optimizer.averages_evenly = True
    weight, seen = walked(optimizer)
    expected = np.mean(seen[:4])
    for value in seen[4:]:  # 1 / 5 of the fifth is what a mean would take, too
        expected = MOMENTUM * expected + (1 - MOMENTUM) * value
    settle(optimizer)
    np.testing.assert_allclose(weight.numpy(), [expected], rtol=1e-5)


@pytest.mark.parametrize("kind", [optimizers.SGD, optimizers.Adagrad, optimizers.LazyAdam])
def test_what_is_not_asked_to_average_evenly_averages_as_keras_does(kind: Any) -> None:
    stock: Any = {"LazyAdam": keras.optimizers.Adam}.get(kind.__name__, getattr(keras.optimizers, kind.__name__, None))
    found = []
    for optimizer in (kind(0.1, use_ema=True, ema_momentum=MOMENTUM), stock(0.1, use_ema=True, ema_momentum=MOMENTUM)):
        weight, _ = walked(optimizer)
        settle(optimizer)
        found.append(weight.numpy())
    np.testing.assert_allclose(found[0], found[1], rtol=1e-5)


def test_weights_are_their_averages_inside_and_themselves_again_outside() -> None:
    optimizer = optimizers.SGD(0.1, use_ema=True, ema_momentum=MOMENTUM)
    weight, seen = walked(optimizer)
    with averaged(optimizer):
        assert float(weight.numpy()[0]) != pytest.approx(seen[-1])
    assert float(weight.numpy()[0]) == seen[-1]


def test_before_the_first_step_and_without_averages_nothing_changes() -> None:
    for optimizer in (optimizers.SGD(0.1, use_ema=True), optimizers.SGD(0.1)):
        weight = keras.Variable([3.0])
        optimizer.build([weight])
        settle(optimizer)
        assert weight.numpy().tolist() == [3.0]


def of_one_number(**arguments: Any) -> Problem:
    hour = fc.categorical_column_with_identity("hour", 24)
    return Problem(
        dataset=lambda split: None,
        linear_feature_columns=[hour],
        dnn_feature_columns=[fc.numeric_column("x")],
        dnn_hidden_units=[2],
        head=RegressionHead(),
        **arguments,
    )


def test_each_part_of_a_problem_s_optimizer_averages_its_own_weights() -> None:
    model = trainer.build(of_one_number(average=0.9, dnn_optimizer="SGD", linear_optimizer="SGD"))
    model.optimizer.build(model.trainable_variables)
    every = {id(one): one for one in optimizers.whole(model.optimizer)}.values()
    parts = [one for one in every if not isinstance(one, optimizers.Parts)]
    assert len(parts) == 2
    assert all(one.use_ema and one.ema_momentum == 0.9 for one in parts)
    assert not model.optimizer.use_ema
    gradients = [tf.ones_like(variable.value) for variable in model.trainable_variables]
    before = [variable.numpy() for variable in model.trainable_variables]
    for _ in range(2):
        model.optimizer.apply(gradients, model.trainable_variables)
    settle(model.optimizer)
    for variable, first in zip(model.trainable_variables, before, strict=True):
        rate = 0.01
        np.testing.assert_allclose(variable.numpy(), first - 1.5 * rate, rtol=1e-4, atol=1e-6)  # of 1 and 2 steps


def test_rows_that_a_step_does_not_use_are_averaged_too() -> None:
    table = keras.Variable(np.zeros((3, 2), np.float32))
    optimizer = optimizers.SGD(1.0, use_ema=True, ema_momentum=0.9)
    optimizer.averages_evenly = True
    optimizer.build([table])
    rows = [0, 0, 2, 0]
    seen = []
    for row in rows:
        optimizer.apply([tf.IndexedSlices(-tf.ones((1, 2)), tf.constant([row]), tf.constant([3, 2]))], [table])
        seen.append(table.numpy())
    settle(optimizer)
    np.testing.assert_allclose(table.numpy(), np.mean(seen, axis=0), rtol=1e-6)  # of few steps it is the mean
    assert table.numpy()[:, 0].tolist() == pytest.approx([2.0, 0.0, 0.5])


def test_a_problem_with_tables_learns_their_averages() -> None:
    hour = fc.categorical_column_with_identity("hour", 24)
    problem = dataclasses.replace(
        of_one_number(average=0.9), dnn_feature_columns=[fc.embedding_column(hour, 2, name="hour")]
    )
    model = trainer.build(problem)
    hours = np.arange(48) % 24
    model.fit({"hour": hours[:, np.newaxis]}, hours.astype(np.float32), batch_size=16, epochs=2, verbose=0)
    # Keras's own fit ends with the averages.
    averages = {id(variable): average.numpy() for variable, average in _pairs(model.optimizer)}
    assert len(averages) == len(model.trainable_variables)
    for variable in model.trainable_variables:
        np.testing.assert_allclose(variable.numpy(), averages[id(variable)])


def test_an_average_that_is_none_is_refused() -> None:
    with pytest.raises(Refusal) as refusal:
        of_one_number(average=1.0)
    assert str(refusal.value) == "Problem: average is a number above 0 and below 1, not 1.0."
