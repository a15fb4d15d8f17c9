import dataclasses
import math
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import trainer
from tests import planted
from trainer import feature_column as fc
from trainer import layers, models, optimizers
from trainer.errors import Refusal
from trainer.feature_column.serialization import encoded_key
from trainer.heads import BinaryHead, MultiClassHead, RegressionHead

WIDE = dataclasses.replace(planted.PROBLEM, dnn_feature_columns=(), dnn_hidden_units=(), name="wide")
DEEP = dataclasses.replace(planted.PROBLEM, linear_feature_columns=(), name="deep")
BOTH = planted.PROBLEM
PROBLEMS = {"wide": WIDE, "deep": DEEP, "both": BOTH}


def rows(count: int = 64) -> tuple[dict[str, Any], Any]:
    features, labels = planted.rows("train", count)
    return {key: tf.constant(values) for key, values in features.items()}, tf.constant(labels[:, None])


def changed(model: keras.Model, steps: int = 2) -> set[str]:
    """Returns the layers whose weights a few steps have changed."""
    before = {variable.path: variable.numpy() for variable in model.trainable_variables}
    model.fit(tf.data.Dataset.from_tensors(rows()).repeat(steps), shuffle=False, verbose=0)
    return {
        variable.path.split("/")[0]
        for variable in model.trainable_variables
        if not np.array_equal(variable.numpy(), before[variable.path])
    }


def test_the_package_builds_what_models_builds() -> None:
    build: Any = trainer.build
    assert build is models.build


# Shape


def test_a_wide_model_is_a_linear_model_of_its_columns() -> None:
    model = models.build(WIDE)
    features, _ = rows()
    assert model.name == "wide"
    assert [type(layer).__name__ for layer in model.layers if layer.weights] == ["LinearModel"]
    linear = layers.LinearModel(WIDE.linear_feature_columns)
    linear(features)
    draw = np.random.default_rng(0)
    linear.set_weights([draw.normal(size=weights.shape) for weights in linear.get_weights()])
    model.get_layer("linear").set_weights(linear.get_weights())
    np.testing.assert_array_equal(model(features), linear(features))


def test_a_deep_model_is_hidden_layers_on_dense_features() -> None:
    problem = dataclasses.replace(
        DEEP, dnn_hidden_units=(8, 4), batch_norm=True, dnn_dropout=0.5, dnn_activation_fn="tanh"
    )
    model = models.build(problem)
    features, _ = rows()
    hidden = [f"{kind}_{place}" for place in (0, 1) for kind in ("hidden", "batch_norm", "activation", "dropout")]
    names = [layer.name for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]
    assert names == ["encoder", "dense_features", *hidden, "logits"]
    values = layers.Encoder(problem.columns)(features)
    for name in names[1:]:
        values = model.get_layer(name)(values)
        if name.startswith("activation"):
            assert np.abs(values).max() <= 1
    np.testing.assert_allclose(model(features), values, rtol=1e-5)


def test_a_hidden_layer_is_normalized_after_its_activation_and_dropout_where_that_is_asked_for() -> None:
    problem = dataclasses.replace(
        DEEP, dnn_hidden_units=(8,), batch_norm="after_activation", batch_norm_momentum=0.999, dnn_dropout=0.5
    )
    names = [layer.name for layer in models.build(problem).layers]
    assert names[-5:] == ["hidden_0", "activation_0", "dropout_0", "batch_norm_0", "logits"]
    assert models.build(problem).get_layer("batch_norm_0").momentum == 0.999


def test_a_place_of_normalization_that_does_not_exist_is_refused() -> None:
    with pytest.raises(Refusal) as refused:
        dataclasses.replace(DEEP, batch_norm="before")
    assert str(refused.value) == "Problem: batch_norm must be True, False or 'after_activation', not 'before'."


def test_the_sum_of_losses_has_as_large_a_gradient_as_a_batch_has_examples() -> None:
    features, labels = rows()
    steps = []
    for reduction, rate in (("mean", 0.064), ("sum", 0.001)):
        problem = dataclasses.replace(BOTH, loss_reduction=reduction, dnn_optimizer="SGD", learning_rate=rate)
        keras.utils.set_random_seed(1)
        model = models.build(problem)
        model.fit(features, labels, batch_size=64, verbose=0)
        steps.append(model(features).numpy())
    np.testing.assert_allclose(steps[0], steps[1], rtol=1e-4)


def test_a_loss_that_has_no_sum_is_refused() -> None:
    class Own(BinaryHead):
        def loss(self) -> Any:
            return keras.losses.binary_crossentropy

    with pytest.raises(Refusal) as refused:
        models.build(dataclasses.replace(BOTH, loss_reduction="sum", head=Own()))
    assert str(refused.value) == "Problem: the loss of Own has no sum; leave loss_reduction out."


def test_wide_and_deep_adds_the_logits_of_both() -> None:
    model = models.build(BOTH)
    features, _ = rows()
    outputs = [model.get_layer(name).output for name in ("logits", "linear")]
    model.get_layer("linear").set_weights([np.ones(w.shape) for w in model.get_layer("linear").get_weights()])
    deep, wide = keras.Model(list(model.inputs), outputs)(features)
    assert wide.numpy().tolist() == [[3.0]] * 64  # a weight of the day, one of the hour, and the bias
    np.testing.assert_allclose(model(features), deep + wide, rtol=1e-6)


def test_a_tower_of_ones_own_takes_the_place_of_the_hidden_layers() -> None:
    def tower(features: Any) -> Any:
        return keras.layers.Dense(3, name="mine")(features)

    model = models.build(dataclasses.replace(DEEP, tower=tower))
    assert [layer.name for layer in model.layers if layer.weights] == ["dense_features", "mine", "logits"]


def test_a_model_of_ones_own_takes_the_place_of_the_whole() -> None:
    def mine() -> keras.Model:
        raw = layers.inputs(BOTH.columns)
        features = layers.DenseFeatures(DEEP.dnn_feature_columns, name="features")(raw)
        return keras.Model(raw, keras.layers.Dense(1, name="mine")(features))

    model = models.build(dataclasses.replace(BOTH, model=mine))
    assert model.layers[-1].name == "mine"
    assert changed(model) == {"features", "mine"}


@pytest.mark.parametrize("head", [MultiClassHead(3), RegressionHead()])
@pytest.mark.parametrize("kind", PROBLEMS)
def test_a_model_has_as_many_logits_as_its_head_and_its_loss_and_metrics(kind: str, head: Any) -> None:
    model = models.build(dataclasses.replace(PROBLEMS[kind], head=head))
    features, labels = rows()
    assert model(features).shape == (64, head.units)
    results = model.evaluate(tf.data.Dataset.from_tensors((features, labels)), verbose=0, return_dict=True)
    assert set(results) == {"loss", *(metric.name for metric in head.metrics())}
    assert results["loss"] == pytest.approx(float(head.loss()(labels, model(features))), rel=1e-5)


def test_weights_of_examples_weigh_the_loss_and_the_metrics() -> None:
    model = models.build(BOTH)
    model.get_layer("linear").set_weights([np.full(w.shape, 0.5) for w in model.get_layer("linear").get_weights()])
    features, labels = rows()
    data = tf.data.Dataset.from_tensors((features, labels, tf.cast(labels, tf.float32)[:, 0]))
    results = model.evaluate(data, verbose=0, return_dict=True)
    right = np.mean(model(features).numpy()[labels.numpy() == 1] > 0)
    assert results["accuracy"] == pytest.approx(right, abs=1e-6)


@pytest.mark.parametrize("kind", PROBLEMS)
def test_features_that_no_column_reads_do_no_harm(kind: str) -> None:
    model, (features, _) = models.build(PROBLEMS[kind]), rows()
    more = {**features, "zebra": tf.zeros([64]), "aardvark": tf.fill([64], "a")}
    np.testing.assert_array_equal(model(more), model(features))
    np.testing.assert_allclose(model.predict_on_batch(more), model(features), rtol=1e-5, atol=1e-6)


# Tables


def test_tables_are_found_by_name_with_their_columns_and_without_the_wide_weights() -> None:
    found = models.tables_of(models.build(BOTH))
    assert list(found) == ["day_hour"]
    layer, columns = found["day_hour"]
    assert (layer.rows, layer.dimension) == (168, 4)
    assert columns == (BOTH.dnn_feature_columns[0],)
    assert models.tables_of(models.build(WIDE)) == {}


def test_tables_are_found_inside_other_models_and_without_columns() -> None:
    ids = keras.Input((), dtype="int64")
    tower = keras.Model(ids, layers.EmbeddingTable(10, 2, name="movies")(ids))
    raw = layers.inputs([*DEEP.columns, fc.categorical_column_with_identity("movie", 10)])
    features = layers.DenseFeatures(DEEP.dnn_feature_columns)({key: raw[key] for key in ("day", "hour", "distance")})
    model = keras.Model(raw, keras.layers.Concatenate()([tower(raw["movie"]), features]))
    found = models.tables_of(model)
    assert {name: columns for name, (_, columns) in found.items()} == {
        "movies": (),
        "day_hour": (DEEP.dnn_feature_columns[0],),
    }


# Halves


@pytest.mark.parametrize("kind", PROBLEMS)
def test_the_halves_of_a_model_give_its_logits(kind: str) -> None:
    model, (features, _) = models.build(PROBLEMS[kind]), rows()
    draw = np.random.default_rng(0)
    model.set_weights([draw.normal(size=weights.shape) for weights in model.get_weights()])
    halves = models.halves(model)
    assert halves.encode is model.get_layer("encoder").encodings
    encoded = halves.encode(features)
    assert set(encoded) == set(layers.Encoder(PROBLEMS[kind].columns)(features))
    np.testing.assert_array_equal(halves.logits(encoded, False), model(features))
    model.set_weights([np.zeros(weights.shape) for weights in model.get_weights()])
    assert not halves.logits(encoded, False).numpy().any()  # it shares the model's weights


def without_an_encoder() -> keras.Model:
    raw = layers.inputs(DEEP.columns)
    features = keras.layers.Dropout(0.5)(layers.DenseFeatures(DEEP.dnn_feature_columns)(raw))
    return keras.Model(raw, keras.layers.Dense(1)(features))


def with_an_encoder() -> keras.Model:
    return models.build(dataclasses.replace(DEEP, dnn_dropout=0.5))


@pytest.mark.parametrize("make", [with_an_encoder, without_an_encoder])
def test_what_gives_the_logits_knows_whether_it_trains(make: Any) -> None:
    model, (features, _) = make(), rows()
    halves = models.halves(model)
    assert (halves.encode is None) == (make is without_an_encoder)
    encoded = features if halves.encode is None else halves.encode(features)
    np.testing.assert_array_equal(halves.logits(encoded, False), halves.logits(encoded, False))
    assert not np.array_equal(halves.logits(encoded, True), halves.logits(encoded, True))


def with_two_encoders() -> keras.Model:
    raw = layers.inputs(BOTH.columns)
    deep, wide = layers.Encoder(DEEP.columns)(raw), layers.Encoder(WIDE.columns)(raw)
    dense = layers.DenseFeatures(DEEP.dnn_feature_columns, encoded=True)(deep)
    linear = layers.LinearModel(WIDE.linear_feature_columns, encoded=True)(wide)
    return keras.Model(raw, keras.layers.Dense(1)(keras.layers.Concatenate()([dense, linear])))


def with_raw_features_past_the_encoder() -> keras.Model:
    raw = layers.inputs(BOTH.columns)
    linear = layers.LinearModel(WIDE.linear_feature_columns, encoded=True)(layers.Encoder(WIDE.columns)(raw))
    return keras.Model(raw, keras.layers.Add()([linear, keras.ops.expand_dims(raw["distance"], 1)]))


class Subclassed(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = layers.Encoder(WIDE.columns)
        self.linear = layers.LinearModel(WIDE.linear_feature_columns, encoded=True)

    def call(self, features: Any) -> Any:
        return self.linear(self.encoder(features))


@pytest.mark.parametrize(
    "make", [without_an_encoder, with_two_encoders, with_raw_features_past_the_encoder, Subclassed]
)
def test_a_model_that_cannot_be_halved_is_left_whole(make: Any) -> None:
    model, (features, _) = make(), rows()
    halves = models.halves(model)
    assert halves.encode is None
    np.testing.assert_array_equal(halves.logits(features, False), model(features))


# Optimizers


def test_the_linear_optimizer_trains_the_wide_part_and_no_other() -> None:
    problem = dataclasses.replace(BOTH, dnn_optimizer="SGD", linear_optimizer="Ftrl")
    still = dataclasses.replace(problem, learning_rate=0.0, linear_learning_rate=0.5)
    assert changed(models.build(still)) == {"linear"}
    still = dataclasses.replace(BOTH, learning_rate=0.5, linear_optimizer="SGD", linear_learning_rate=0.0)
    assert changed(models.build(still)) == {"dense_features", "hidden_0", "logits"}


def test_one_optimizer_trains_all_where_no_other_is_given_for_the_wide_part() -> None:
    model = models.build(dataclasses.replace(BOTH, dnn_optimizer="SGD", learning_rate=0.5))
    assert type(model.optimizer) is optimizers.SGD
    assert changed(model) == {"dense_features", "hidden_0", "logits", "linear"}
    assert type(models.build(dataclasses.replace(DEEP, linear_optimizer="Ftrl")).optimizer) is optimizers.LazyAdam


@pytest.mark.parametrize(
    ("decay", "expected"),
    [
        ("cosine", lambda share: (1 + math.cos(math.pi * share)) / 2),
        ("linear", lambda share: 1 - share),
        (None, lambda share: 1.0),
    ],
)
@pytest.mark.parametrize("rate", [0.5, None])
def test_the_learning_rate_decays_to_zero_at_the_last_step(
    decay: str | None, expected: Any, rate: float | None
) -> None:
    problem = dataclasses.replace(
        BOTH, dnn_optimizer="SGD", learning_rate=rate, learning_rate_decay=decay, linear_optimizer="Ftrl"
    )
    model = models.build(problem, steps=8)
    deep, wide = model.optimizer.rest, model.optimizer.parts["linear"]
    start = 0.01 if rate is None else rate
    for step in range(9):
        deep.iterations.assign(step)
        assert float(deep.learning_rate) == pytest.approx(start * expected(step / 8), abs=1e-7)
    assert float(wide.learning_rate) == pytest.approx(0.001)
    assert float(models.build(problem).optimizer.learning_rate) == pytest.approx(start)


DAY = fc.embedding_column(planted.day, 3, name="day")
TABLES = dataclasses.replace(BOTH, dnn_feature_columns=(*BOTH.dnn_feature_columns, DAY), linear_optimizer="Ftrl")


def with_tables(**given: str | tuple[str, float]) -> keras.Model:
    return models.build(dataclasses.replace(TABLES, table_optimizers=given))


def test_a_table_has_the_optimizer_that_is_given_for_it_and_no_other_does() -> None:
    model = with_tables(day_hour=("RowWiseAdagrad", 0.25))
    assert len(changed(model)) == 4
    own, wide = model.optimizer.parts.values()
    assert list(model.optimizer.parts) == ["day_hour", "linear"]
    assert (type(own), type(wide)) == (optimizers.RowWiseAdagrad, optimizers.Ftrl)
    assert float(own.learning_rate) == 0.25
    assert float(model.optimizer.learning_rate) == pytest.approx(0.02)
    (sums,) = [v for v in own.variables if len(v.shape)]
    assert sums.shape == (168,)
    assert sums.numpy().max() > 0.1  # where they start
    assert type(model.optimizer.rest) is optimizers.LazyAdam
    assert [tuple(v.shape) for v in model.optimizer.rest.variables].count((7, 3)) == 2  # two moments of the other


def test_a_table_moves_as_its_own_optimizer_alone_would_move_it() -> None:
    moved = []
    for problem in (
        dataclasses.replace(BOTH, table_optimizers={"day_hour": ("SGD", 0.5)}, learning_rate=0.0),
        dataclasses.replace(BOTH, dnn_optimizer="SGD", learning_rate=0.5),
    ):
        keras.utils.set_random_seed(3)
        model = models.build(problem)
        kept = changed(model, steps=1)
        moved.append(models.tables_of(model)["day_hour"][0].table.numpy())
        assert (kept == {"dense_features"}) == (problem.learning_rate == 0.0)
    np.testing.assert_array_equal(*moved)


def test_an_optimizer_of_ones_own_and_its_own_rate_may_train_a_table() -> None:
    file = f"{Path(__file__).parent / 'examples' / 'own_optimizer.py'}:warm"
    model = with_tables(day=file, day_hour="SGD")
    assert list(model.optimizer.parts) == ["day", "day_hour", "linear"]
    assert type(model.optimizer.parts["day"]) is optimizers.Adagrad
    assert float(model.optimizer.parts["day_hour"].learning_rate) == pytest.approx(0.01)


def test_a_table_with_the_name_of_a_layer_shares_no_optimizer_with_it() -> None:
    column = fc.embedding_column(planted.day, 3, name="linear")
    problem = dataclasses.replace(TABLES, dnn_feature_columns=(column,), table_optimizers={"linear": "SGD"})
    model = models.build(problem)
    assert list(model.optimizer.parts) == ["linear/table", "linear"]
    own = {v.path for v in model.trainable_variables if model.optimizer.of(v) is model.optimizer.parts["linear/table"]}
    assert own == {"dense_features/linear/table"}


def test_the_part_of_a_frozen_table_waits_and_has_no_slots() -> None:
    frozen = dataclasses.replace(TABLES, linear_optimizer=None).replacing(
        lambda column: dataclasses.replace(column, trainable=column.table != "day_hour")
    )
    model = models.build(dataclasses.replace(frozen, table_optimizers={"day_hour": "Adagrad", "day": "SGD"}))
    assert list(model.optimizer.parts) == ["day_hour", "day"]
    assert changed(model) == {"dense_features", "hidden_0", "logits", "linear"}
    assert not [slot for slot in model.optimizer.parts["day_hour"].variables if len(slot.shape)]


def test_a_model_that_makes_its_variables_later_gives_its_tables_their_optimizers() -> None:
    class Later(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.embedded = layers.DenseFeatures(TABLES.dnn_feature_columns)
            self.last = keras.layers.Dense(1)

        def call(self, features: Any) -> Any:
            return self.last(self.embedded(features))

    mine = dataclasses.replace(TABLES, model=Later, linear_optimizer=None, table_optimizers={"day_hour": "SGD"})
    model = models.build(mine)
    model(rows()[0])
    model.optimizer.build(model.trainable_variables)
    (own,) = [v for v in model.trainable_variables if type(model.optimizer.of(v)) is optimizers.SGD]
    assert own is models.tables_of(model)["day_hour"][0].table


def test_optimizers_that_cannot_be_made_are_refused_without_a_model() -> None:
    models.check_optimizers(dataclasses.replace(TABLES, table_optimizers={"day": ("SGD", 0.1)}))
    with pytest.raises(Refusal) as refusal:
        models.check_optimizers(dataclasses.replace(TABLES, table_optimizers={"day": ("SDG", 0.1)}))
    assert str(refusal.value) == "table_optimizers of 'day': there is no optimizer 'SDG'; did you mean 'SGD'?"


def test_encoded_keys_of_a_model_are_those_of_its_columns() -> None:
    encoder = models.build(BOTH).get_layer("encoder")
    assert set(encoder.keys) == {encoded_key(layers.encodable(column)) for column in BOTH.columns}


# Refusals


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"model": lambda: "mine"}, "Problem: model must return a keras.Model, not str."),
        ({"dnn_optimizer": "Adam"}, "--optimizer: there is no optimizer 'Adam'; did you mean 'LazyAdam'?"),
        ({"linear_optimizer": "Ftlr"}, "--optimizer: there is no optimizer 'Ftlr'; did you mean 'Ftrl'?"),
        (
            {"table_optimizers": {"day_hour": "LazyAdm"}},
            "table_optimizers of 'day_hour': there is no optimizer 'LazyAdm'; did you mean 'LazyAdam'?",
        ),
        (
            {"table_optimizers": {"day_huor": "SGD"}},
            "table_optimizers: problem planted has no table 'day_huor'; did you mean 'day_hour'?",
        ),
        ({"table_optimizers": {"x": "SGD"}}, "table_optimizers: problem planted has no table 'x'; it has day_hour."),
        (
            {"table_optimizers": {"x": "SGD"}, "dnn_feature_columns": ()},
            "table_optimizers: problem planted has no table 'x'; it has none.",
        ),
        (
            {
                "dnn_feature_columns": (fc.embedding_column(planted.day, 2, name="linear"),),
                "linear_optimizer": "Ftrl",
            },
            "Problem: linear_optimizer would train the table 'linear' too, which has the name of the wide part; give "
            "its column another name=.",
        ),
        (
            {"learning_rate_decay": "cosin"},
            "Problem: learning_rate_decay is None, 'linear' or 'cosine', not 'cosin'.",
        ),
        (
            {"dnn_feature_columns": (planted.hour,)},
            "Problem: dnn_feature_columns takes dense columns, not IdentityColumn 'hour'; wrap it in embedding_column "
            "or indicator_column.",
        ),
        (
            {"dnn_feature_columns": (), "linear_feature_columns": BOTH.dnn_feature_columns},
            "LinearModel: embedding column 'day_X_hour_embedding' is added to sums of 1, and its dimension is 4; give "
            "it dimension=1, or give the categorical column itself.",
        ),
    ],
)
def test_a_model_that_cannot_be_made_is_refused_in_one_sentence(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Refusal) as refusal:
        models.build(dataclasses.replace(BOTH, **changes))
    assert str(refusal.value) == sentence
