import ast
from collections.abc import Callable
from contextlib import ExitStack
from functools import cache, partial
from itertools import cycle
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework.kernels import get_registered_kernels_for_op

from trainer import feature_column as fc
from trainer import optimizers
from trainer.errors import Refusal
from trainer.layers import DenseFeatures, EmbeddingTable, Encoder, LinearModel

Array = np.ndarray[Any, np.dtype[np.float64]]
Slots = dict[str, Array]

ROWS, DIMENSION = 12, 3

# References: one step of the definition in NumPy float64, on the rows that it is given.


def sgd(w: Array, g: Array, slots: Slots, rate: float, t: int, momentum: float = 0.0, nesterov: bool = False) -> Array:
    velocity = slots["velocity"] = momentum * slots.get("velocity", np.zeros_like(w)) - rate * g
    return w + (momentum * velocity - rate * g if nesterov else velocity)


def adagrad(
    w: Array, g: Array, slots: Slots, rate: float, t: int, initial_accumulator_value: float = 0.1, epsilon: float = 1e-7
) -> Array:
    sums = slots["sums"] = slots.get("sums", np.full_like(w, initial_accumulator_value)) + g**2
    return w - rate * g / np.sqrt(sums + epsilon)


def row_wise_adagrad(
    w: Array, g: Array, slots: Slots, rate: float, t: int, initial_accumulator_value: float = 0.1, epsilon: float = 1e-7
) -> Array:
    sums = slots["sums"] = slots.get("sums", np.full(1, initial_accumulator_value)) + np.mean(g**2)
    return w - rate * g / (np.sqrt(sums) + epsilon)


def lazy_adam(
    w: Array,
    g: Array,
    slots: Slots,
    rate: float,
    t: int,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-7,
) -> Array:
    first = slots["first"] = beta_1 * slots.get("first", np.zeros_like(w)) + (1 - beta_1) * g
    second = slots["second"] = beta_2 * slots.get("second", np.zeros_like(w)) + (1 - beta_2) * g**2
    return w - rate * np.sqrt(1 - beta_2**t) / (1 - beta_1**t) * first / (np.sqrt(second) + epsilon)


def ftrl(
    w: Array,
    g: Array,
    slots: Slots,
    rate: float,
    t: int,
    learning_rate_power: float = -0.5,
    initial_accumulator_value: float = 0.1,
    l1_regularization_strength: float = 0.0,
    l2_regularization_strength: float = 0.0,
    l2_shrinkage_regularization_strength: float = 0.0,
    beta: float = 0.0,
) -> Array:
    sums = slots.get("sums", np.full_like(w, initial_accumulator_value))
    new = slots["sums"] = sums + g**2
    sigma = (new**-learning_rate_power - sums**-learning_rate_power) / rate
    shrunk = g + 2 * l2_shrinkage_regularization_strength * w
    z = slots["z"] = slots.get("z", np.zeros_like(w)) + shrunk - sigma * w
    l1, l2 = l1_regularization_strength, l2_regularization_strength + beta / (2 * rate)
    weights: Array = np.where(np.abs(z) <= l1, 0.0, (np.sign(z) * l1 - z) / (new**-learning_rate_power / rate + 2 * l2))
    return weights


Reference = Callable[..., Array]

CASES: dict[str, tuple[type[Any], type[Any], Reference, dict[str, Any]]] = {
    "SGD": (optimizers.SGD, keras.optimizers.SGD, sgd, {}),
    "SGD with momentum": (optimizers.SGD, keras.optimizers.SGD, sgd, {"momentum": 0.9}),
    "SGD with Nesterov's momentum": (optimizers.SGD, keras.optimizers.SGD, sgd, {"momentum": 0.8, "nesterov": True}),
    "Adagrad": (optimizers.Adagrad, keras.optimizers.Adagrad, adagrad, {}),
    "Adagrad from another sum": (
        optimizers.Adagrad,
        keras.optimizers.Adagrad,
        adagrad,
        {"initial_accumulator_value": 0.5, "epsilon": 1e-2},
    ),
    "RowWiseAdagrad": (optimizers.RowWiseAdagrad, keras.optimizers.Adagrad, row_wise_adagrad, {}),
    "RowWiseAdagrad from another sum": (
        optimizers.RowWiseAdagrad,
        keras.optimizers.Adagrad,
        row_wise_adagrad,
        {"initial_accumulator_value": 0.0, "epsilon": 1e-2},
    ),
    "LazyAdam": (optimizers.LazyAdam, keras.optimizers.Adam, lazy_adam, {}),
    "LazyAdam with other betas": (
        optimizers.LazyAdam,
        keras.optimizers.Adam,
        lazy_adam,
        {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3},
    ),
    "Ftrl": (optimizers.Ftrl, keras.optimizers.Ftrl, ftrl, {}),
    "Ftrl with all its terms": (
        optimizers.Ftrl,
        keras.optimizers.Ftrl,
        ftrl,
        {
            "learning_rate_power": -0.6,
            "initial_accumulator_value": 0.2,
            "l1_regularization_strength": 0.3,
            "l2_regularization_strength": 0.2,
            "l2_shrinkage_regularization_strength": 0.1,
            "beta": 0.05,
        },
    ),
}


class Table:
    """A NumPy table, its reference optimizer and the slots of each row; weights decay before the update."""

    def __init__(self, values: Array, reference: Reference, arguments: dict[str, Any], decay: float = 0.0) -> None:
        self.values, self.reference, self.arguments = values.astype(np.float64), reference, arguments
        self.slots: list[Slots] = [{} for _ in values]
        self.decay = decay

    def step(self, summed: Array, rows: set[int], rate: float, t: int) -> None:
        """Takes a step with a gradient of the whole table on some of its rows."""
        for row in rows:
            weights = self.values[row] * (1 - rate * self.decay)
            self.values[row] = self.reference(weights, summed[row], self.slots[row], rate, t, **self.arguments)


def start(seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=(ROWS, DIMENSION)).astype(np.float32).astype(np.float64)


def sparse_gradients(steps: int, seed: int = 1, rows: int = ROWS) -> list[tf.IndexedSlices]:
    """Gradients that name some rows several times."""
    draw = np.random.default_rng(seed)
    return [
        tf.IndexedSlices(
            tf.constant(draw.normal(size=(8, DIMENSION)), tf.float32),
            tf.constant(draw.integers(0, rows, 8)),
            tf.constant([ROWS, DIMENSION]),
        )
        for _ in range(steps)
    ]


def dense(gradient: tf.IndexedSlices) -> Array:
    """The gradient of the whole table: duplicates summed, zeros elsewhere."""
    found = np.zeros((ROWS, DIMENSION))
    np.add.at(found, gradient.indices.numpy(), gradient.values.numpy().astype(np.float64))
    return found


def tensor(gradient: tf.IndexedSlices) -> Any:
    return tf.constant(dense(gradient), tf.float32)


def named(gradient: tf.IndexedSlices) -> set[int]:
    return set(gradient.indices.numpy().tolist())


def made(seed: int = 0, name: str = "table", is_table: bool = True) -> Any:
    variable = keras.Variable(start(seed).astype(np.float32), name=name)
    variable.is_table = is_table
    return variable


def train(optimizer: Any, gradients: list[Any], is_table: bool = True) -> Any:
    variable = made(is_table=is_table)
    optimizer.build([variable])
    for gradient in gradients:
        optimizer.apply([gradient], [variable])
    return variable.numpy()


# The battery


def test_the_battery_has_every_optimizer() -> None:
    assert sorted({ours.__name__ for ours, *_ in CASES.values()}) == optimizers.names()


@pytest.mark.parametrize("case", CASES)
def test_a_sparse_gradient_steps_as_defined_on_the_sums_of_its_rows(case: str) -> None:
    ours, _, reference, arguments = CASES[case]
    gradients, table = sparse_gradients(12), Table(start(), reference, arguments)
    for step, gradient in enumerate(gradients):
        table.step(dense(gradient), named(gradient), 0.1, step + 1)
    np.testing.assert_allclose(train(ours(0.1, **arguments), gradients), table.values, rtol=2e-5, atol=1e-5)


@pytest.mark.parametrize("case", CASES)
def test_a_dense_gradient_steps_as_defined_on_every_row(case: str) -> None:
    ours, _, reference, arguments = CASES[case]
    gradients, table = [dense(gradient) for gradient in sparse_gradients(12)], Table(start(), reference, arguments)
    for step, gradient in enumerate(gradients):
        table.step(gradient, set(range(ROWS)), 0.1, step + 1)
    tensors = [tf.constant(gradient, tf.float32) for gradient in gradients]
    np.testing.assert_allclose(train(ours(0.1, **arguments), tensors), table.values, rtol=2e-5, atol=1e-5)


@pytest.mark.parametrize("decay", [None, 0.05])
@pytest.mark.parametrize("case", CASES)
def test_a_dense_gradient_gets_the_update_of_keras_bit_for_bit(case: str, decay: float | None) -> None:
    ours, stock, _, arguments = CASES[case]
    arguments = {**arguments, "weight_decay": decay}
    gradients = [tf.constant(dense(gradient), tf.float32) for gradient in sparse_gradients(8)]
    found = train(ours(0.1, **arguments), gradients, is_table=False)
    assert np.array_equal(found, train(stock(0.1, **arguments), gradients))


@pytest.mark.parametrize(
    ("case", "decay"), [*((case, None) for case in CASES), *((n, 0.1) for n in optimizers.names())]
)
def test_rows_that_no_step_uses_stay_bit_for_bit_after_100_steps(case: str, decay: float | None) -> None:
    ours, _, _, arguments = CASES[case]
    optimizer, variable = ours(0.1, weight_decay=decay, **arguments), made()
    optimizer.build([variable])
    before = [one.numpy() for one in optimizer.variables]

    @tf.function
    def run(values: Any, indices: Any) -> None:
        for step in tf.range(100):
            gradient = tf.IndexedSlices(values[step], indices[step], tf.constant([ROWS, DIMENSION]))
            optimizer.apply([gradient], [variable])

    gradients = sparse_gradients(100, rows=ROWS - 4)
    run(tf.stack([g.values for g in gradients]), tf.stack([g.indices for g in gradients]))
    assert optimizer.iterations.numpy() == 100
    first = start().astype(np.float32)
    assert np.array_equal(variable.numpy()[ROWS - 4 :], first[ROWS - 4 :])
    assert not np.isclose(variable.numpy()[: ROWS - 4], first[: ROWS - 4]).all(axis=1).any()
    for old, new in zip(before, optimizer.variables, strict=True):
        if old.shape[:1] == (ROWS,):
            assert np.array_equal(new.numpy()[ROWS - 4 :], old[ROWS - 4 :])


@pytest.mark.parametrize("case", CASES)
def test_weights_of_the_rows_that_a_step_uses_decay_before_their_update(case: str) -> None:
    ours, _, reference, arguments = CASES[case]
    gradients, table = sparse_gradients(8), Table(start(), reference, arguments, decay=0.3)
    for step, gradient in enumerate(gradients):
        table.step(dense(gradient), named(gradient), 0.1 * 0.5**step, step + 1)
    rate = keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5)
    found = train(ours(rate, weight_decay=0.3, **arguments), gradients)
    np.testing.assert_allclose(found, table.values, rtol=2e-5, atol=1e-5)


@pytest.mark.parametrize("case", CASES)
def test_the_order_of_a_gradients_rows_changes_no_bit_from_run_to_run(case: str) -> None:
    ours, _, _, arguments = CASES[case]
    gradients = sparse_gradients(5)
    assert np.array_equal(train(ours(0.1, **arguments), gradients), train(ours(0.1, **arguments), gradients))


@pytest.mark.parametrize("case", CASES)
def test_a_schedule_sets_the_rate_of_each_step(case: str) -> None:
    ours, _, reference, arguments = CASES[case]
    gradients, table = sparse_gradients(6), Table(start(), reference, arguments)
    for step, gradient in enumerate(gradients):
        table.step(dense(gradient), named(gradient), 0.1 * 0.5**step, step + 1)
    optimizer = ours(keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5), **arguments)
    np.testing.assert_allclose(train(optimizer, gradients), table.values, rtol=2e-5, atol=1e-5)


@pytest.mark.parametrize("case", CASES)
def test_an_optimizer_comes_back_from_its_config(case: str) -> None:
    ours, _, _, arguments = CASES[case]
    again = keras.optimizers.deserialize(keras.optimizers.serialize(ours(0.1, clipnorm=1.5, **arguments)))
    assert type(again) is ours
    gradients = sparse_gradients(3)
    assert np.array_equal(train(again, gradients), train(ours(0.1, clipnorm=1.5, **arguments), gradients))


# Clipping


def clipped(gradient: Array, norm: float) -> Array:
    return gradient * min(1.0, norm / float(np.sqrt((gradient**2).sum())))


@pytest.mark.parametrize("name", optimizers.names())
def test_clipnorm_is_the_norm_of_the_summed_rows(name: str) -> None:
    ours, _, reference, arguments = CASES[name]
    gradients, table = sparse_gradients(6), Table(start(), reference, arguments)
    for step, gradient in enumerate(gradients):
        table.step(clipped(dense(gradient), 0.7), named(gradient), 0.1, step + 1)
    np.testing.assert_allclose(train(ours(0.1, clipnorm=0.7), gradients), table.values, rtol=2e-5, atol=1e-5)


@pytest.mark.parametrize("name", optimizers.names())
def test_clipvalue_bounds_the_summed_rows(name: str) -> None:
    ours, _, reference, arguments = CASES[name]
    gradients, table = sparse_gradients(6), Table(start(), reference, arguments)
    for step, gradient in enumerate(gradients):
        table.step(np.clip(dense(gradient), -0.4, 0.4), named(gradient), 0.1, step + 1)
    np.testing.assert_allclose(train(ours(0.1, clipvalue=0.4), gradients), table.values, rtol=2e-5, atol=1e-5)


@pytest.mark.parametrize("name", optimizers.names())
def test_global_clipnorm_is_the_norm_of_the_summed_rows_and_the_dense_gradients(name: str) -> None:
    ours, _, reference, arguments = CASES[name]
    optimizer = ours(0.1, global_clipnorm=0.7)
    variables = [made(seed) for seed in (0, 1)]
    tables = [Table(start(seed), reference, arguments) for seed in (0, 1)]
    optimizer.build(variables)
    for step, (rows, whole) in enumerate(zip(sparse_gradients(6), sparse_gradients(6, seed=9), strict=True)):
        both = clipped(np.stack([dense(rows), dense(whole)]), 0.7)
        optimizer.apply([rows, tf.constant(dense(whole), tf.float32)], variables)
        tables[0].step(both[0], named(rows), 0.1, step + 1)
        tables[1].step(both[1], set(range(ROWS)), 0.1, step + 1)
    for variable, table in zip(variables, tables, strict=True):
        np.testing.assert_allclose(variable.numpy(), table.values, rtol=2e-5, atol=1e-5)


@pytest.mark.parametrize("name", optimizers.names())
def test_a_gradient_below_the_limit_is_not_clipped(name: str) -> None:
    ours, gradients = CASES[name][0], sparse_gradients(3)
    for argument in ("clipnorm", "clipvalue", "global_clipnorm"):
        np.testing.assert_allclose(
            train(ours(0.1, **{argument: 1000.0}), gradients), train(ours(0.1), gradients), rtol=1e-6
        )


def test_a_gradient_names_each_row_once_after_its_duplicates_are_summed() -> None:
    gradient = tf.IndexedSlices(tf.constant([[1.0], [2.0], [4.0]]), tf.constant([7, 3, 7]), tf.constant([9, 1]))
    rows = optimizers.rows.summed(gradient)
    assert rows.indices.numpy().tolist() == [7, 3]
    assert rows.values.numpy().tolist() == [[5.0], [2.0]]


@pytest.mark.parametrize("case", CASES)
def test_rows_that_several_replicas_name_are_summed_before_they_are_updated(case: str) -> None:
    # After a reduction over replicas a gradient reaches update_step with duplicates.
    ours, _, reference, arguments = CASES[case]
    (gradient,), table = sparse_gradients(1), Table(start(), reference, arguments)
    optimizer, variable = ours(0.1, **arguments), made()
    optimizer.build([variable])
    optimizer.update_step(gradient, variable, optimizer.learning_rate)
    table.step(dense(gradient), named(gradient), 0.1, 1)
    np.testing.assert_allclose(variable.numpy(), table.values, rtol=2e-5, atol=1e-5)


# Weight decay


def test_lazy_adam_decays_dense_variables_as_adam_w_and_leaves_those_excluded() -> None:
    gradients = [tf.constant(dense(gradient), tf.float32) for gradient in sparse_gradients(5)]
    ended = []
    for kind in (optimizers.LazyAdam, keras.optimizers.AdamW):
        optimizer = kind(keras.optimizers.schedules.CosineDecay(0.1, 8), weight_decay=0.2)
        variables = [made(seed, name, is_table=False) for seed, name in enumerate(["kernel", "bias", "gamma"])]
        optimizer.exclude_from_weight_decay([variables[2]], ["bias"])
        for gradient in gradients:
            optimizer.apply([gradient] * 3, variables)
        ended.append([variable.numpy() for variable in variables])
    plain = train(optimizers.LazyAdam(keras.optimizers.schedules.CosineDecay(0.1, 8)), gradients)
    assert np.array_equal(ended[0], ended[1])
    assert not np.array_equal(ended[0][0], plain)


def test_a_table_that_is_excluded_from_weight_decay_does_not_decay() -> None:
    gradients = sparse_gradients(4)
    optimizer = optimizers.LazyAdam(0.1, weight_decay=0.2)
    optimizer.exclude_from_weight_decay(var_names=["table"])
    assert np.array_equal(train(optimizer, gradients), train(optimizers.LazyAdam(0.1), gradients))


# Tables in bfloat16


def short_table(values: Any) -> Any:
    variable = keras.Variable(values, dtype="bfloat16", name="table")
    variable.is_table = True
    return variable


@pytest.mark.parametrize("way", ["sparse", "dense"])
@pytest.mark.parametrize("case", CASES)
def test_a_table_in_bfloat16_steps_in_float32_and_is_rounded_when_it_is_written(case: str, way: str) -> None:
    ours, _, reference, arguments = CASES[case]
    (gradient,), optimizer, variable = sparse_gradients(1), ours(0.1, **arguments), short_table(start())
    first = np.asarray(variable.numpy(), np.float64)
    optimizer.build([variable])
    table = Table(first, reference, arguments)
    table.step(dense(gradient), named(gradient) if way == "sparse" else set(range(ROWS)), 0.1, 1)
    optimizer.apply([gradient if way == "sparse" else tf.constant(dense(gradient), tf.float32)], [variable])
    assert {slot.dtype for slot in optimizer.variables if slot.shape[:1] == (ROWS,)} <= {"float32"}
    np.testing.assert_allclose(np.asarray(variable.numpy(), np.float64), table.values, rtol=2**-7, atol=1e-6)


def test_steps_too_small_for_bfloat16_are_right_on_average() -> None:
    values = np.repeat([[1.0], [-3.0], [2.0**-10]], 3000, axis=1)
    variable, gradient = short_table(values), np.array([[1.0], [-2.0], [2.0**-11]]) * np.ones_like(values)
    optimizer = optimizers.SGD(2.0**-12)
    optimizer.build([variable])
    for _ in range(64):
        optimizer.apply(
            [tf.IndexedSlices(tf.constant(gradient, tf.float32), tf.range(3), tf.shape(values))], [variable]
        )
    ended = np.asarray(variable.numpy(), np.float64).mean(axis=1)
    # Every step is far below half of a unit in the last place, where rounding to the nearest would undo it.
    np.testing.assert_allclose(ended - values[:, 0], -gradient[:, 0] * 64 / 4096, rtol=0.05)


def test_rounding_at_random_keeps_what_bfloat16_can_hold() -> None:
    values = tf.constant([0.0, -0.0, 1.0, -1.5, 2.0**-130, np.inf, -np.inf])
    for seed in range(5):
        assert np.array_equal(optimizers.rows.rounded(values, [seed, 0]), tf.cast(values, tf.bfloat16))
    assert np.isnan(np.asarray(optimizers.rows.rounded(tf.constant([np.nan]), [0, 0]), np.float32)).all()
    third = tf.fill([1000], 1 / 3)
    first, again, other = (optimizers.rows.rounded(third, [0, place]).numpy() for place in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert np.asarray(first, np.float64).mean() == pytest.approx(1 / 3, abs=2e-4)


# Sums of rows


def test_the_sums_of_a_table_are_one_number_a_row_and_those_of_other_variables_one_a_weight() -> None:
    optimizer = optimizers.RowWiseAdagrad(initial_accumulator_value=0.25)
    optimizer.build([made(), made(is_table=False)])
    sums = [one.numpy() for one in optimizer.variables if one.path.endswith("accumulator")]
    assert [one.shape for one in sums] == [(ROWS,), (ROWS, DIMENSION)]
    assert all((one == 0.25).all() for one in sums)


def test_a_sparse_gradient_of_a_variable_that_is_no_table_gets_sums_of_weights() -> None:
    gradients = sparse_gradients(6)
    found = train(optimizers.RowWiseAdagrad(0.1), gradients, is_table=False)
    assert np.array_equal(found, train(optimizers.Adagrad(0.1), gradients))


# In a model


def test_a_table_in_a_model_is_updated_only_where_the_batch_reads_it() -> None:
    model = keras.Sequential([keras.layers.Embedding(50, 4), keras.layers.Flatten(), keras.layers.Dense(1)])
    model.compile(optimizers.LazyAdam(0.1), "mse", jit_compile=False)
    ids = np.array([[1, 2], [2, 40]])
    model.build(ids.shape)
    before = model.layers[0].embeddings.numpy()
    model.fit(ids, np.ones((2, 1)), epochs=3, verbose=0)
    changed = (model.layers[0].embeddings.numpy() != before).any(axis=1)
    assert np.flatnonzero(changed).tolist() == [1, 2, 40]


SCALED = [keras.optimizers.LossScaleOptimizer, optimizers.LossScaleOptimizer]


@pytest.mark.parametrize("wrapper", SCALED, ids=["stock", "ours"])
@pytest.mark.parametrize("case", CASES)
def test_a_loss_that_is_scaled_for_half_precision_gives_the_same_rows(case: str, wrapper: Any) -> None:
    ours, _, _, arguments = CASES[case]
    gradients = sparse_gradients(3)
    scaled = wrapper(ours(0.1, **arguments), initial_scale=4.0)
    fourfold = [tf.IndexedSlices(g.values * 4, g.indices, g.dense_shape) for g in gradients]
    np.testing.assert_allclose(train(scaled, fourfold), train(ours(0.1, **arguments), gradients), rtol=1e-6)


@pytest.mark.parametrize("wrapper", SCALED, ids=["stock", "ours"])
def test_a_step_whose_scaled_loss_overflows_changes_no_row(wrapper: Any) -> None:
    scaled = wrapper(optimizers.LazyAdam(0.1, weight_decay=0.1), initial_scale=4.0)
    gradient = sparse_gradients(1)[0]
    found = train(scaled, [tf.IndexedSlices(gradient.values * np.inf, gradient.indices, gradient.dense_shape)])
    assert np.array_equal(found, start().astype(np.float32))


@pytest.mark.parametrize("name", optimizers.names())
def test_a_frozen_table_has_no_slots_and_no_update(name: str) -> None:
    frozen, free = EmbeddingTable(9, 4, name="frozen"), EmbeddingTable(9, 4, name="free")
    ids = keras.Input((1,), dtype="int64")
    model = keras.Model(ids, keras.layers.Dense(1)(keras.layers.Add()([frozen(ids), free(ids)])))
    frozen.trainable = False
    model.compile(optimizers.get(name, 0.1), "mse", run_eagerly=True)
    before = [frozen.table.numpy(), free.table.numpy()]
    model.fit(np.array([[1], [5]]), np.ones((2, 1)), verbose=0)
    assert np.array_equal(frozen.table.numpy(), before[0])
    assert np.flatnonzero((free.table.numpy() != before[1]).any(axis=1)).tolist() == [1, 5]
    slots = [one.path for one in model.optimizer.variables]
    assert not any("frozen" in slot for slot in slots)
    assert any("free" in slot for slot in slots) or name == "SGD"


# Variables that are trained later

KERAS: dict[str, Callable[..., Any]] = {
    **{name: getattr(keras.optimizers, name) for name in ("Adadelta", "Adafactor", "Adagrad", "Adam", "Adamax")},
    **{name: getattr(keras.optimizers, name) for name in ("AdamW", "Ftrl", "Lamb", "Lion", "Muon", "Nadam")},
    "RMSprop": partial(keras.optimizers.RMSprop, momentum=0.9, centered=True),
    "SGD": partial(keras.optimizers.SGD, momentum=0.9),
    "ScheduleFreeAdamW": keras.optimizers.ScheduleFreeAdamW,
}


def decaying(case: str) -> Callable[[Any], Any]:
    ours, _, _, arguments = CASES[case]
    return lambda rate: ours(rate, weight_decay=0.01, **arguments)


LATER: dict[str, Callable[..., Any]] = {
    **{case: decaying(case) for case in CASES},
    **{f"keras.{name}": make for name, make in KERAS.items()},
    "keras.Adam over three steps": partial(keras.optimizers.Adam, gradient_accumulation_steps=3),
    "LazyAdam, scaled": lambda rate: optimizers.LossScaleOptimizer(optimizers.LazyAdam(rate), initial_scale=1.0),
    "keras.Adam, scaled": lambda rate: keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(rate), 1.0),
    "parts": lambda rate: optimizers.Parts(
        optimizers.Ftrl(rate), {"early": optimizers.Adagrad(rate), "late": optimizers.LazyAdam(rate)}, waiting=["late"]
    ),
}


def stepped(optimizer: Any, variables: list[Any], gradients: list[tf.IndexedSlices]) -> Any:
    """The optimizer, after it has given each gradient to every variable."""
    for gradient in gradients:
        one = tensor(gradient) if optimizers.makes_dense(optimizer) else gradient
        optimizer.apply([one] * len(variables), variables)
    return optimizer


def with_steps(optimizer: Any, variable: Any, like: Any) -> Any:
    """A new optimizer that counts another's steps; the part of a variable that was not trained counts none."""
    if isinstance(optimizer, optimizers.Parts):
        return optimizer.parts["late"]
    optimizer.build([variable])
    one, other = (getattr(both, "inner_optimizer", both) for both in (optimizer, like))
    for name in {"_iterations", "_u_product"} & set(vars(one)):  # the second is Nadam's
        getattr(one, name).assign(getattr(other, name))
    return optimizer


def kind_of(slot: Any) -> tuple[Any, str]:
    return slot.shape, "" if slot.name.startswith("variable_") else slot.name  # which Keras numbers


def test_those_that_are_extended_are_all_of_keras_that_train_alone() -> None:
    kinds = {name: kind for name, kind in vars(keras.optimizers).items() if isinstance(kind, type)}
    found = {name for name, kind in kinds.items() if issubclass(kind, keras.optimizers.Optimizer)}
    assert found - {"Optimizer", "LossScaleOptimizer", "MultiOptimizer"} <= set(KERAS)


@pytest.mark.parametrize("case", LATER)
def test_an_extended_optimizer_goes_on_with_what_it_trained_and_begins_with_what_is_new(case: str) -> None:
    rate = keras.optimizers.schedules.ExponentialDecay(0.1, 4, 0.5)
    gradients = sparse_gradients(10)
    early, late = made(0, "early"), made(1, "late")
    optimizer = stepped(LATER[case](rate), [early], gradients[:5])
    before = [slot.numpy().tolist() for slot in optimizer.variables if not slot.name.startswith("late")]
    assert len(before) == len(optimizer.variables)
    optimizers.extend(optimizer, [late, early])
    assert before == [slot.numpy().tolist() for slot in optimizer.variables if not slot.name.startswith("late")]
    # As it is saved and loaded: in the order of one that knew both from the start.
    new = LATER[case](rate)
    new.build([late, early])
    assert [kind_of(slot) for slot in optimizer.variables] == [kind_of(slot) for slot in new.variables]
    alone, other = made(0, "early"), made(1, "late")
    stepped(with_steps(LATER[case](rate), other, like=optimizer), [other], gradients[5:])
    stepped(optimizer, [late, early], gradients[5:])
    stepped(LATER[case](rate), [alone], gradients)
    np.testing.assert_array_equal(early, alone)
    np.testing.assert_array_equal(late, other)


def test_an_average_of_a_variable_that_is_new_begins_with_its_value() -> None:
    early, late = made(0, "early"), made(1, "late")
    optimizer = keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5)
    stepped(optimizer, [early], sparse_gradients(3))
    before = optimizer._model_variables_moving_average[0].numpy()
    optimizers.extend(optimizer, [late, early])
    now = [average.numpy() for average in optimizer._model_variables_moving_average]
    np.testing.assert_array_equal(now, [late.numpy(), before])


def test_optimizers_of_parts_as_keras_has_them_are_extended_too() -> None:
    early, late = made(0, "early"), made(1, "late")
    inner = keras.optimizers.SGD(0.1, momentum=0.9), keras.optimizers.Adam(0.1)
    by_name = keras.optimizers.OptimizerMap(default_optimizer=inner[0], optimizer_map={"late": inner[1]})
    optimizer = keras.optimizers.MultiOptimizer(by_name)
    gradients = sparse_gradients(6)
    stepped(optimizer, [early], gradients[:3])
    optimizers.extend(optimizer, [early, late])
    stepped(optimizer, [early, late], gradients[3:])
    np.testing.assert_array_equal(early, train(keras.optimizers.SGD(0.1, momentum=0.9), [*map(tensor, gradients)]))
    assert [int(one.iterations) for one in inner] == [6, 3]


def test_an_optimizer_that_is_not_built_is_left_as_it_is() -> None:
    optimizer = optimizers.LazyAdam()
    optimizers.extend(optimizer, [made()])
    assert not optimizer.built


# The graph of a step


def nodes_of(graph: Any) -> list[Any]:
    """All nodes of a graph and of the functions that it calls."""
    definition = graph.as_graph_def()
    return [*definition.node, *(node for function in definition.library.function for node in function.node_def)]


LARGE = 4999

LIMITS: list[dict[str, Any]] = [{}, {"clipnorm": 1.0}, {"clipvalue": 1.0}, {"global_clipnorm": 1.0}]


@pytest.mark.parametrize("scaled", [False, True], ids=["", "scaled"])
@pytest.mark.parametrize("limit", LIMITS, ids=[str(limit) for limit in LIMITS])
@pytest.mark.parametrize("name", optimizers.names())
def test_no_tensor_of_a_step_is_as_large_as_the_table(name: str, limit: dict[str, float], scaled: bool) -> None:
    variables = [keras.Variable(np.zeros((LARGE, 4), np.float32)), keras.Variable(np.zeros(3, np.float32))]
    optimizer = getattr(optimizers, name)(0.1, weight_decay=0.1, **limit)
    optimizer = optimizers.LossScaleOptimizer(optimizer) if scaled else optimizer
    optimizer.build(variables)

    @tf.function
    def step(values: Any, ids: Any) -> None:
        sparse = tf.IndexedSlices(values, ids, tf.constant([LARGE, 4]))
        optimizer.apply([sparse, tf.ones(3)], variables)

    graph = step.get_concrete_function(tf.TensorSpec((8, 4)), tf.TensorSpec((8,), "int64")).graph
    assert {node.op for node in nodes_of(graph)} >= {"Unique", "ResourceGather"}
    graphs = [graph, *(found.graph for found in graph._functions.values())]
    outputs = [tensor for one in graphs for operation in one.get_operations() for tensor in operation.outputs]
    assert not [tensor for tensor in outputs if tensor.shape.rank and tensor.shape[0] == LARGE]


@cache
def kernels_of(op: str) -> list[Any]:
    """The kernels of an op for a GPU, or for every device."""
    found = get_registered_kernels_for_op(op).kernel
    return [kernel for kernel in found if kernel.device_type in ("GPU", "DEFAULT")]


def with_gpu_kernel(node: Any) -> bool:
    """Whether one of these kernels takes the types of a node."""

    def takes(constraint: Any) -> bool:
        given, allowed = node.attr[constraint.name], set(constraint.allowed_values.list.type)
        return not allowed or (set(given.list.type) or {given.type}) <= allowed

    return any(all(map(takes, kernel.constraint)) for kernel in kernels_of(node.op))


ON_THE_CPU = {("Const", "string")}
"""What no GPU has and none needs: the sentence of an assertion."""


def training_step(applied: list[Any]) -> Any:
    """The graph of a step of a model with every way to look up ids; each optimizer applies the gradients."""
    hour = fc.categorical_column_with_identity("hour", 24)
    tags = fc.categorical_column_with_identity("tags", 9)
    words = fc.weighted_categorical_column(fc.categorical_column_with_identity("words", 7), "counts")
    numbers = fc.numeric_column("size")
    columns = [fc.embedding_column(hour, 4), fc.embedding_column(tags, 3), fc.embedding_column(words, 2), numbers]
    features = Encoder([*columns, hour, tags])(
        {
            "hour": tf.constant([[1], [2]]),
            "tags": tf.ragged.constant([[1, 2], [3]]),
            "words": tf.ragged.constant([[1, 2], [3]]),
            "counts": tf.ragged.constant([[1.0, 2.0], [3.0]]),
            "size": tf.constant([[1.0], [2.0]]),
        }
    )
    ids = [tf.constant([[1], [3]], "int64"), tf.constant([[1, 2], [3, -1]], "int64")]
    ids += [tf.ragged.constant([[1, 2], [3]], dtype="int64")]
    deep, wide = DenseFeatures(columns, encoded=True), LinearModel([hour, tags, words, numbers], encoded=True)
    table, logits = EmbeddingTable(50, 4), keras.layers.Dense(1)
    short = EmbeddingTable(50, 4, max_norm=1.0, storage_dtype="bfloat16")
    loss = keras.losses.BinaryCrossentropy(from_logits=True)

    def called(features: Any, ids: Any) -> Any:
        return logits(tf.concat([deep(features), *map(table, ids), *map(short, ids)], axis=1)) + wide(features)

    called(features, ids)
    variables = [v for layer in (deep, wide, table, short, logits) for v in layer.trainable_variables]
    for optimizer in applied:
        optimizer.build(variables)

    @tf.function
    def step(features: Any, ids: Any, labels: Any) -> None:
        with tf.GradientTape() as tape:
            value = loss(labels, called(features, ids))
        gradients = tape.gradient(value, variables)
        for optimizer in applied:
            optimizer.apply(gradients, variables)

    return step.get_concrete_function(features, ids, tf.constant([[1.0], [0.0]])).graph


def test_every_op_of_a_training_step_has_a_kernel_for_a_gpu() -> None:
    if not kernels_of("MatMul"):
        pytest.skip("this TensorFlow was built without kernels for a GPU")
    pairs = zip([*optimizers.names(), "SGD with Nesterov's momentum"], cycle(LIMITS))
    every = [CASES[case][0](0.1, weight_decay=0.1, **CASES[case][3], **limit) for case, limit in pairs]
    nodes = nodes_of(training_step(every))
    assert {node.op for node in nodes} >= {"Unique", "ResourceGather", "ResourceScatterUpdate", "Where", "MatMul"}
    missing = [node for node in nodes if not with_gpu_kernel(node)]
    assert {(node.op, tf.as_dtype(node.attr["dtype"].type).name) for node in missing} <= ON_THE_CPU


# Refusals

WHOLE = (
    " reads and writes every row of a table at every step, which is what a row-sparse optimizer avoids; leave it out, "
    "or use a stock Keras optimizer."
)


def applied(make: Callable[[], Any], gradient: Any = None) -> Any:
    optimizer, variable = make(), made()
    optimizer.apply([sparse_gradients(1)[0] if gradient is None else gradient], [variable])
    return optimizer


def compiled_by_xla(optimizer: Any, gradient: Any = None) -> None:
    variable = made()
    optimizer.build([variable])

    @tf.function(jit_compile=True, autograph=False)
    def step() -> None:
        optimizer.apply([sparse_gradients(1)[0] if gradient is None else gradient], [variable])

    step()


WHOLE_TABLE: dict[str, Callable[[], Any]] = {
    "Adagrad: use_ema": lambda: optimizers.Adagrad(use_ema=True),
    "LazyAdam: gradient_accumulation_steps": lambda: optimizers.LazyAdam(gradient_accumulation_steps=2),
    "SGD: loss_scale_factor": lambda: optimizers.SGD(loss_scale_factor=8.0),
    "RowWiseAdagrad: use_ema": lambda: optimizers.RowWiseAdagrad(use_ema=True),
    "Ftrl: use_ema": lambda: optimizers.Ftrl(use_ema=True),
}

THERE_ARE = "; there are Adagrad, Ftrl, LazyAdam, RowWiseAdagrad, SGD, or give FILE.py:NAME."

REFUSALS: list[tuple[Callable[[], Any], str]] = [
    *((partial(applied, make), who + WHOLE) for who, make in WHOLE_TABLE.items()),
    (
        lambda: applied(lambda: optimizers.LazyAdam(amsgrad=True)),
        "LazyAdam: amsgrad has no row-sparse form here; leave it out, or use keras.optimizers.Adam.",
    ),
    (
        lambda: compiled_by_xla(optimizers.LazyAdam()),
        "LazyAdam: a row-sparse update compiled by XLA is wrong where a batch repeats an id; give model.compile "
        "jit_compile=False, or leave jit_compile=True out of the tf.function.",
    ),
    (lambda: optimizers.get("adagrad"), "--optimizer: there is no optimizer 'adagrad'; did you mean 'Adagrad'?"),
    (
        lambda: optimizers.get("Newton"),
        "--optimizer: there is no optimizer 'Newton'" + THERE_ARE,
    ),
    (
        lambda: optimizers.get("Parts"),
        "--optimizer: there is no optimizer 'Parts'" + THERE_ARE,
    ),
    (
        lambda: optimizers.get("nowhere/mine.py:Mine"),
        "--optimizer: there is no file nowhere/mine.py; give FILE.py:NAME.",
    ),
    (
        lambda: optimizers.get("Newton", who="mine"),
        "mine: there is no optimizer 'Newton'" + THERE_ARE,
    ),
    (
        lambda: with_parts("day_huor"),
        "Parts: no variable to train has 'day_huor' in its path; did you mean 'day_hour'?",
    ),
    (
        lambda: with_parts("dense_features/hours/"),
        "Parts: no variable to train has 'dense_features/hours/' in its path; did you mean 'dense_features/hour'?",
    ),
    (
        lambda: with_parts("zebra"),
        "Parts: no variable to train has 'zebra' in its path; the paths begin with dense_features, linear.",
    ),
    (
        lambda: with_parts("linear", "linear/bias"),
        "Parts: earlier parts have all variables of 'linear/bias'; name it before them, or leave it out.",
    ),
    (
        lambda: optimizers.extend(stepped(Hidden(0.1, name="hidden"), [made()], sparse_gradients(1)), [made()]),
        "Hidden: 'hidden/mean' is neither an attribute nor in a list of one slot a variable, so a table cannot be "
        "trained later; keep slots in such lists, or use another optimizer.",
    ),
]


class Hidden(keras.optimizers.SGD):
    """Keeps what it knows of a variable in a dictionary."""

    def build(self, variables: list[Any]) -> None:
        super().build(variables)
        self.means = {self._var_key(one): self.add_variable((), name="mean") for one in variables}


def with_parts(*names: str) -> None:
    optimizers.Parts(optimizers.SGD(), {name: optimizers.SGD() for name in names}).build(variables(*HELD))


MINE = '''
import keras

class Mine(keras.optimizers.SGD):
    """Stochastic gradient descent of one's own."""

def halved(learning_rate=1.0):
    return Mine(learning_rate / 2)

def nothing():
    return None

RATE = 0.5
'''

IN_A_FILE = {
    "Mime": "--optimizer: {path} has no class or function Mime; did you mean 'Mine'?",
    "zzz": "--optimizer: {path} has no class or function zzz.",
    "RATE": "--optimizer: {path} has no class or function RATE.",
    "nothing": "--optimizer: {path}:nothing makes no Keras optimizer, but None.",
}


def refused(make: Callable[[], Any]) -> Any:
    with pytest.raises(Refusal) as refusal:
        make()
    return refusal


@pytest.mark.parametrize(("make", "sentence"), REFUSALS, ids=[sentence[:40] for _, sentence in REFUSALS])
def test_a_mistake_is_refused_in_one_sentence(make: Callable[[], Any], sentence: str) -> None:
    assert str(refused(make).value) == sentence


@pytest.mark.parametrize("who", WHOLE_TABLE)
def test_what_needs_the_whole_table_is_left_alone_where_no_gradient_is_sparse(who: str) -> None:
    assert applied(WHOLE_TABLE[who], tf.ones((ROWS, DIMENSION))).built


@pytest.mark.parametrize("name", optimizers.names())
def test_xla_may_compile_the_update_of_a_dense_gradient_only(name: str) -> None:
    compiled_by_xla(optimizers.get(name), tf.ones((ROWS, DIMENSION)))
    assert "a row-sparse update compiled by XLA" in str(refused(lambda: compiled_by_xla(optimizers.get(name))).value)
    scaled = keras.optimizers.LossScaleOptimizer(optimizers.get(name))
    assert f"{name}: a row-sparse update compiled by XLA" in str(refused(lambda: compiled_by_xla(scaled)).value)


def test_a_model_with_a_stock_embedding_that_is_compiled_by_xla_is_refused() -> None:
    model = keras.Sequential([keras.layers.Embedding(5, 2), keras.layers.Flatten(), keras.layers.Dense(1)])
    model.compile(optimizers.Adagrad(), "mse", jit_compile=True)
    refusal = refused(lambda: model.fit(np.array([[1, 2], [2, 4]]), np.ones((2, 1)), verbose=0))
    assert "give model.compile jit_compile=False" in str(refusal.value)


def test_a_constraint_on_a_table_is_refused() -> None:
    table = keras.layers.Embedding(ROWS, DIMENSION, embeddings_constraint="non_neg")
    table.build()
    refusal = refused(lambda: optimizers.SGD().apply([sparse_gradients(1)[0]], [table.embeddings]))
    assert str(refusal.value) == "SGD: a constraint" + WHOLE


@pytest.mark.parametrize("name", IN_A_FILE)
def test_what_a_file_does_not_have_is_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(MINE)
    assert str(refused(lambda: optimizers.get(f"{path}:{name}")).value) == IN_A_FILE[name].format(path=path)


def test_a_file_that_is_no_python_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.py:old"
    path.write_text(MINE)
    refusal = refused(lambda: optimizers.get(f"{path}:Mine"))
    assert str(refusal.value) == f"--optimizer: {path} cannot be read as a Python file; its name should end in .py."


def test_every_refusal_of_the_room_is_among_those_tested(tmp_path: Path) -> None:
    folder = Path(optimizers.__file__).parent
    sites = {
        (path.name, node.lineno)
        for path in folder.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Raise) and "Refusal" in ast.unparse(node)
    }
    (tmp_path / "mine.py").write_text(MINE)
    names = [f"{tmp_path}/mine.py:Mime", f"{tmp_path}/mine.py:nothing"]
    told = set()
    makes: list[Callable[[], Any]] = [make for make, _ in REFUSALS]
    makes += [partial(optimizers.get, name) for name in names]
    for make in makes:
        last = refused(make).traceback[-1]
        told.add((Path(last.path).name, last.lineno + 1))
    assert sites <= told


# Getting one


@pytest.mark.parametrize("name", optimizers.names())
def test_an_optimizer_is_got_by_its_name_with_its_own_rate_or_another(name: str) -> None:
    own = getattr(optimizers, name)()
    assert type(optimizers.get(name)) is type(own)
    assert optimizers.get(name).learning_rate.numpy() == own.learning_rate.numpy()
    assert optimizers.get(name, 0.25).learning_rate.numpy() == 0.25
    assert optimizers.get(name) is not optimizers.get(name)


def test_an_optimizer_of_ones_own_is_got_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(MINE)
    mine = optimizers.get(f"{path}:Mine")
    assert type(mine).__name__ == "Mine"
    assert mine.learning_rate.numpy() == pytest.approx(0.01)
    assert optimizers.get(f"{path}:Mine", 0.5).learning_rate.numpy() == 0.5
    assert optimizers.get(f"{path}:halved", 0.5).learning_rate.numpy() == 0.25


# Parts


def wide_and_deep() -> keras.Model:
    ids = keras.Input((2,), dtype="int64")
    deep = keras.layers.Dense(2, name="hidden")(EmbeddingTable(20, 3, name="deep_table")(ids))
    wide = EmbeddingTable(20, 1, "sum", "zeros", name="linear")(ids)
    return keras.Model(ids, keras.layers.Add()([keras.layers.Dense(1, name="logits")(deep), wide]))


def parts() -> optimizers.Parts:
    return optimizers.Parts(
        optimizers.LazyAdam(0.05),
        {
            "linear": optimizers.Ftrl(0.5),
            "logits/bias": optimizers.Adagrad(0.2),
            "logits/": optimizers.SGD(0.1, momentum=0.9),  # as parts were named in models saved before
            "deep_table": optimizers.RowWiseAdagrad(0.3),
        },
    )


def batches(steps: int, seed: int = 0) -> tf.data.Dataset:
    draw = np.random.default_rng(seed)
    ids = draw.integers(0, 20, (steps * 8, 2))
    labels = (ids.sum(axis=1, keepdims=True) > 20).astype(np.float32)
    return tf.data.Dataset.from_tensor_slices((ids, labels)).batch(8)


def compiled(optimizer: Any) -> keras.Model:
    keras.utils.set_random_seed(4)
    model = wide_and_deep()
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(optimizer, loss, run_eagerly=True, jit_compile=False)  # to save the time of tracing
    return model


def values(model: keras.Model) -> list[Any]:
    return [variable.numpy() for variable in [*model.variables, *model.optimizer.variables]]


def test_each_part_gets_its_own_optimizer() -> None:
    model = compiled(parts())
    draw = np.random.default_rng(2)
    gradients = [tf.constant(draw.normal(size=variable.shape), tf.float32) for variable in model.trainable_variables]
    alone = {
        "hidden/": optimizers.LazyAdam(0.05),
        "deep_table/": optimizers.RowWiseAdagrad(0.3),
        "linear/": optimizers.Ftrl(0.5),
        "logits/bias": optimizers.Adagrad(0.2),
        "logits/kernel": optimizers.SGD(0.1, momentum=0.9),
    }
    assert sorted(type(optimizer).__name__ for optimizer in alone.values()) == optimizers.names()
    copies = [keras.Variable(variable.numpy()) for variable in model.trainable_variables]
    for variable, copy in zip(model.trainable_variables, copies, strict=True):
        copy.is_table = getattr(variable, "is_table", False)
    for _ in range(3):
        model.optimizer.apply(gradients, model.trainable_variables)
    for beginning, optimizer in alone.items():
        own = [n for n, v in enumerate(model.trainable_variables) if v.path.startswith(beginning)]
        assert own
        for _ in range(3):
            optimizer.apply([gradients[n] for n in own], [copies[n] for n in own])
    for variable, copy in zip(model.trainable_variables, copies, strict=True):
        assert np.array_equal(variable.numpy(), copy.numpy()), variable.path
    assert model.optimizer.iterations.numpy() == 3
    assert [part.iterations.numpy() for part in model.optimizer.parts.values()] == [3, 3, 3, 3]


def variables(*paths: str) -> list[Any]:
    """Variables with these paths, each `(ROWS, DIMENSION)`."""
    found = []
    for path in paths:
        *layers, name = path.split("/")
        with ExitStack() as scopes:
            for layer in layers:
                scopes.enter_context(keras.name_scope(layer, caller=object()))
            found.append(keras.Variable(np.zeros((ROWS, DIMENSION), np.float32), name=name))
    assert [variable.path for variable in found] == list(paths)
    return found


HELD = ("dense_features/day_hour/table", "dense_features/hour/table", "linear/hour_weights/table", "linear/bias")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("day_hour", [0]),
        ("hour", [1]),  # and neither "day_hour" nor "hour_weights"
        ("linear", [2, 3]),
        ("linear/", [2, 3]),
        ("table", [0, 1, 2]),
        ("dense_features/hour", [1]),
        ("hour/table", [1]),
        ("linear/bias", [3]),
    ],
)
def test_a_part_is_found_by_whole_names_anywhere_in_a_path(name: str, expected: list[int]) -> None:
    both, held = optimizers.Parts(optimizers.LazyAdam(), {name: optimizers.RowWiseAdagrad()}), variables(*HELD)
    both.build(held)
    assert [place for place, variable in enumerate(held) if both.of(variable) is both.parts[name]] == expected
    assert len(both.parts[name].variables) == 2 + len(expected)  # a sum a row, beside its steps and its rate
    assert len(both.rest.variables) == 2 + 2 * (len(HELD) - len(expected))


def test_the_first_part_that_fits_a_variable_has_it() -> None:
    (bias,) = variables("linear/bias")
    for names in (["linear", "bias"], ["bias", "linear"]):
        both = optimizers.Parts(optimizers.SGD(), {name: optimizers.Adagrad() for name in names})
        assert both.of(bias) is both.parts[names[0]]


def test_the_optimizer_of_a_variable_is_found_under_a_loss_scale() -> None:
    both, (bias, other) = parts(), variables("logits/bias", "hidden/bias")
    scaled = keras.optimizers.LossScaleOptimizer(both)
    assert optimizers.of(scaled, bias) is both.parts["logits/bias"]
    assert optimizers.of(scaled, other) is both.rest
    assert optimizers.of(both.rest, bias) is both.rest


def test_the_rate_of_parts_is_that_of_the_rest() -> None:
    both = parts()
    assert both.learning_rate.numpy() == pytest.approx(0.05)
    both.learning_rate = 0.25
    assert both.rest.learning_rate.numpy() == 0.25
    assert both.parts["linear"].learning_rate.numpy() == 0.5


# Keras asks a variable for an array as NumPy 2 no longer wants to be asked.
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
@pytest.mark.parametrize("kind", ["parts", *optimizers.names()])
def test_a_training_that_is_saved_and_loaded_halfway_ends_as_one_that_is_not(kind: str, tmp_path: Path) -> None:
    def fitted(model: keras.Model, seed: int) -> keras.Model:
        model.fit(batches(3, seed), shuffle=False, verbose=0)
        return model

    def new() -> keras.Model:
        return compiled(parts() if kind == "parts" else CASES[kind][0](0.1, weight_decay=0.01))

    whole = fitted(fitted(new(), 1), 2)
    half = fitted(new(), 1)
    half.save(tmp_path / "half.keras")
    loaded = keras.models.load_model(tmp_path / "half.keras")
    assert len(values(loaded)) == len(values(half))
    for left, right in zip(values(loaded), values(half), strict=True):
        np.testing.assert_array_equal(left, right)
    fitted(loaded, 2)
    assert loaded.optimizer.iterations.numpy() == 6
    for left, right in zip(values(loaded), values(whole), strict=True):
        np.testing.assert_array_equal(left, right)
