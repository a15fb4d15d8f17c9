"""What `from_estimator` takes of the arguments of Estimators, of their optimizers and of small checkpoints."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests import estimators
from tests.estimators import migrated, serving
from trainer import feature_column as fc
from trainer import models, optimizers
from trainer.errors import Refusal
from trainer.heads import BinaryHead, MultiClassHead, RegressionHead
from trainer.migration import from_estimator
from trainer.migration.estimator import checkpoint, fill, filling
from trainer.migration.estimator.arguments import ESTIMATORS, taken
from trainer.migration.estimator.old_optimizers import optimizer_of
from trainer.migration.estimator.rms_prop import RMSprop

v1 = tf.compat.v1

HOUR = fc.categorical_column_with_identity("hour", 5)
DEEP = [fc.embedding_column(HOUR, 2)]
HOURS = np.arange(20) % 5
"""Of each batch: all rows of the table are updated in each step, so that lazy updates are as those of TensorFlow 1."""
LABELS = (np.arange(20) % 3 == 0).astype(np.float32)


def refused(call: Callable[..., object], *given: Any, **more: Any) -> str:
    with pytest.raises(Refusal) as found:
        call(*given, **more)
    return str(found.value)


# Arguments


@pytest.mark.parametrize("name", ESTIMATORS)
def test_each_class_has_its_own_words_for_its_arguments(name: str) -> None:
    dnn: dict[str, Any] = {"feature_columns": DEEP, "hidden_units": [3], "activation_fn": "tanh", "dropout": 0.5}
    linear: dict[str, Any] = {"feature_columns": [HOUR], "optimizer": "SGD", "sparse_combiner": "mean"}
    both = {**{f"linear_{key}": value for key, value in linear.items()}, **{f"dnn_{key}": dnn[key] for key in dnn}}
    kind = name.removesuffix("Classifier").removesuffix("Regressor")
    own = {"Linear": linear, "DNN": dnn, "DNNLinearCombined": both}[kind]
    found = taken(name, {**own, "config": ..., "input_layer_partitioner": ..., "warm_start_from": ...})
    wanted = {key: value for key, value in both.items() if kind not in ("Linear", "DNN") or kind.lower() in key[:6]}
    assert {key: getattr(found, key) for key in wanted} == wanted
    assert found == taken(name, wanted)  # the words of DNNLinearCombined… are taken by each
    assert found.is_classifier == name.endswith("Classifier")


def test_the_class_follows_from_the_arguments_where_it_is_not_given() -> None:
    assert taken(None, {"linear_feature_columns": [HOUR]}).estimator == "DNNLinearCombinedClassifier"
    regressor = taken(None, {"linear_feature_columns": [HOUR], "dnn_feature_columns": None, "label_dimension": 1})
    assert (regressor.estimator, regressor.dnn_feature_columns) == ("DNNLinearCombinedRegressor", ())


def test_a_problem_has_the_head_the_loss_and_the_layers_of_the_estimator() -> None:
    def problem(name: str, is_of_version_1: bool = True, **more: Any) -> Any:
        return taken(name, {"dnn_feature_columns": DEEP, "dnn_hidden_units": [3], **more}).problem(is_of_version_1)

    assert problem("DNNClassifier", label_vocabulary=["no", "yes"]).head == BinaryHead(label_vocabulary=["no", "yes"])
    assert problem("DNNClassifier", n_classes=4).head == MultiClassHead(4)
    assert problem("DNNRegressor", label_dimension=1).head == RegressionHead()
    reductions = [(True, None), (False, None), (True, "sum_over_batch_size"), (False, "SUM")]
    found = [problem("DNNRegressor", first, loss_reduction=given).loss_reduction for first, given in reductions]
    assert found == ["sum", "mean", "mean", "sum"]
    normalized = problem("DNNClassifier", batch_norm=True)
    assert (normalized.batch_norm, normalized.batch_norm_momentum) == ("after_activation", 0.999)
    weight = tf.feature_column.numeric_column("seats")
    assert problem("DNNClassifier", weight_column=weight).weight_column == "seats"
    assert problem("DNNClassifier", weight_column="seats").weight_column == "seats"


@pytest.mark.parametrize(
    ("activation", "wanted"),
    [(tf.nn.elu, "elu"), (keras.activations.tanh, "tanh"), (tf.nn.leaky_relu, "leaky_relu"), ("selu", "selu")],
)
def test_an_activation_that_keras_knows_is_one_by_name(activation: Any, wanted: str) -> None:
    arguments = {"feature_columns": DEEP, "hidden_units": [3], "activation_fn": activation}
    assert taken("DNNClassifier", arguments).problem(True).dnn_activation_fn == wanted


# Optimizers


@pytest.mark.parametrize(
    ("name", "is_of_version_1", "rates"),
    [
        ("LinearClassifier", True, [0.2]),
        ("LinearRegressor", False, [0.2]),
        ("DNNClassifier", True, [0.05]),
        ("DNNRegressor", False, [0.001]),
        ("DNNLinearCombinedClassifier", True, [0.001, 0.005]),
        ("DNNLinearCombinedRegressor", False, [0.001, 0.005]),
    ],
)
def test_optimizers_by_name_have_the_learning_rates_of_the_class(
    name: str, is_of_version_1: bool, rates: list[float]
) -> None:
    columns = {"linear_feature_columns": [HOUR], "dnn_feature_columns": DEEP, "dnn_hidden_units": [3]}
    given = {key: value for key, value in columns.items() if key.split("_")[0] in name.lower()}
    found = taken(name, given).optimizer(keras.Sequential([keras.layers.Dense(1)]), is_of_version_1)
    parts = optimizers.whole(found)
    assert [float(part.learning_rate) for part in parts][-len(rates) :] == pytest.approx(rates)


def test_many_columns_have_a_smaller_learning_rate_in_the_wide_part() -> None:
    many = [fc.categorical_column_with_identity(f"hour{number}", 5) for number in range(90_000)]
    assert taken(None, {"linear_feature_columns": many})._rates(True)["linear_optimizer"] == 1 / 300


OLD: dict[str, Any] = {
    "AdagradOptimizer": (
        lambda: v1.train.AdagradOptimizer(0.05, initial_accumulator_value=0.5),
        *(optimizers.Adagrad, {"learning_rate": 0.05, "initial_accumulator_value": 0.5}),
    ),
    "AdamOptimizer": (
        lambda: v1.train.AdamOptimizer(0.01, 0.8, 0.99, 1e-6),
        *(optimizers.LazyAdam, {"learning_rate": 0.01, "beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-6}),
    ),
    "FtrlOptimizer": (
        lambda: v1.train.FtrlOptimizer(0.2, -0.6, 0.3, 0.01, 0.02, l2_shrinkage_regularization_strength=0.03),
        optimizers.Ftrl,
        {
            "learning_rate": 0.2,
            "learning_rate_power": -0.6,
            "initial_accumulator_value": 0.3,
            "l1_regularization_strength": 0.01,
            "l2_regularization_strength": 0.02,
            "l2_shrinkage_regularization_strength": 0.03,
        },
    ),
    "RMSPropOptimizer": (
        lambda: v1.train.RMSPropOptimizer(0.02, 0.8, 0.1, 1e-5, centered=True),
        RMSprop,
        {"learning_rate": 0.02, "rho": 0.8, "momentum": 0.1, "epsilon": 1e-5, "centered": True},
    ),
    "GradientDescentOptimizer": (
        lambda: v1.train.GradientDescentOptimizer(0.3),
        *(optimizers.SGD, {"learning_rate": 0.3, "momentum": 0.0}),
    ),
    "RMSPropOptimizer, plain": (
        lambda: v1.train.RMSPropOptimizer(0.02, 0.8, 0.1, 1e-5),
        *(RMSprop, {"learning_rate": 0.02, "rho": 0.8, "momentum": 0.1, "epsilon": 1e-5, "centered": False}),
    ),
    "MomentumOptimizer": (
        lambda: v1.train.MomentumOptimizer(0.3, 0.7, use_nesterov=True),
        *(optimizers.SGD, {"learning_rate": 0.3, "momentum": 0.7, "nesterov": True}),
    ),
}
"""An optimizer of TensorFlow 1, what it becomes, and with which numbers."""


@pytest.mark.parametrize("name", OLD)
def test_an_optimizer_of_tensorflow_1_keeps_its_numbers(name: str) -> None:
    make, kind, numbers = OLD[name]
    for given in (make(), make):  # what returns one is taken too
        found = optimizer_of(given, None, "dnn_optimizer")
        assert type(found) is kind
        config = found.get_config()
        assert {key: config[key] for key in numbers} == pytest.approx(numbers)


@pytest.mark.parametrize("is_legacy", [True, False])
def test_an_optimizer_of_keras_2_keeps_its_numbers(is_legacy: bool) -> None:
    import tf_keras

    old = tf_keras.optimizers.legacy if is_legacy else tf_keras.optimizers
    pairs = [
        (old.Adagrad(0.05, 0.5, 1e-5), optimizers.Adagrad(0.05, 0.5, 1e-5)),
        (old.Adam(0.01, 0.8, 0.99, 1e-6), optimizers.LazyAdam(0.01, 0.8, 0.99, 1e-6)),
        (old.Ftrl(0.2, -0.6, 0.3, 0.01, 0.02), optimizers.Ftrl(0.2, -0.6, 0.3, 0.01, 0.02)),
        (old.RMSprop(0.02, 0.8, 0.1, 1e-5, True), RMSprop(0.02, 0.8, 0.1, 1e-5, True)),
        (old.SGD(0.3, 0.7, True, clipnorm=2.0), optimizers.SGD(0.3, 0.7, True, clipnorm=2.0)),
    ]
    for given, wanted in pairs:
        found = optimizer_of(given, None, "dnn_optimizer")
        assert type(found) is type(wanted)
        left_out = {"name": "", "ema_overwrite_frequency": None}  # of averages that are not kept
        assert found.get_config() | left_out == wanted.get_config() | left_out


def test_one_optimizer_for_both_parts_is_one_for_each(old_estimators: Path) -> None:
    name = "v1/DNNLinearCombinedClassifier"
    both = optimizers.Adagrad(0.1)
    words = migrated.arguments(old_estimators, name) | {"dnn_optimizer": both, "linear_optimizer": both}
    model = from_estimator(str(old_estimators / name), **words)
    of_each = {id(optimizers.of(model.optimizer, variable)) for variable in model.trainable_variables}
    assert len(of_each) == 2
    sums = [slot for slot in model.optimizer.variables if slot.path.endswith("_accumulator")]
    assert len(sums) == len(model.trainable_variables)
    assert refused(from_estimator, str(old_estimators / name), **words) == (
        "from_estimator: dnn_optimizer: Adagrad keeps what it has noted of another model; give a new one."
    )


def test_what_is_no_optimizer_or_changes_its_rate_is_refused() -> None:
    import tf_keras

    who = "from_estimator: dnn_optimizer"
    assert (
        refused(optimizer_of, "Adagrd", None, who) == f"{who}: there is no optimizer 'Adagrd'; did you mean 'Adagrad'?"
    )
    assert refused(optimizer_of, "Lion", None, who) == (
        f"{who}: there is no optimizer 'Lion'; there are Adagrad, Adam, Ftrl, RMSProp, SGD."
    )
    assert refused(optimizer_of, 3, None, who) == (
        f"{who}: an optimizer's name, or one of TensorFlow 1, Keras 2 or Keras 3 is wanted, not 3; give one of "
        "trainer.optimizers."
    )
    decaying = [
        v1.train.AdagradOptimizer(lambda: 0.5),
        tf_keras.optimizers.Adagrad(tf_keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)),
        tf_keras.optimizers.legacy.SGD(0.1, decay=0.1),
    ]
    for given in decaying:
        assert refused(optimizer_of, given, None, who) == (
            f"{who}: the learning rate of {type(given).__name__} changes with the steps; give an optimizer of "
            "trainer.optimizers, with a number or the schedule of Keras 3 that goes on from here."
        )


# Checkpoints


class Old:
    """The graph of a `DNNClassifier` with one hidden layer, as TensorFlow 1 makes it, to be trained and saved."""

    def __init__(self, optimizer: Callable[[], Any]) -> None:
        self.graph = tf.Graph()
        with self.graph.as_default():
            v1.set_random_seed(1)
            step = v1.train.get_or_create_global_step()
            table = self._drawn("input_from_feature_columns/input_layer/hour_embedding/embedding_weights", 5, 2)
            hidden = tf.nn.relu(
                tf.gather(table, HOURS) @ self._drawn("hiddenlayer_0/kernel", 2, 3)
                + self._drawn("hiddenlayer_0/bias", 3)
            )
            self.logits = hidden @ self._drawn("logits/kernel", 3, 1) + self._drawn("logits/bias", 1)
            loss = tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(LABELS[:, None], self.logits))
            self.step = optimizer().minimize(loss, step)
            self.saver = v1.train.Saver()
            self.session = v1.Session(graph=self.graph)
            self.session.run(v1.global_variables_initializer())

    @staticmethod
    def _drawn(name: str, *shape: int) -> Any:
        return v1.get_variable(f"dnn/{name}", shape, initializer=v1.random_normal_initializer())

    def train(self, steps: int) -> Any:
        """Takes steps and returns the logits."""
        for _ in range(steps):
            self.session.run(self.step)
        return self.session.run(self.logits)

    def save(self, folder: Path) -> str:
        """Writes a checkpoint as an Estimator does."""
        folder.mkdir()
        with self.graph.as_default():
            step = v1.train.get_global_step()
            return self.saver.save(self.session, str(folder / "model.ckpt"), step, write_meta_graph=False)


@pytest.mark.parametrize(
    "name", [name for name in OLD if name not in ("GradientDescentOptimizer", "MomentumOptimizer")]
)
def test_training_goes_on_from_what_an_optimizer_of_tensorflow_1_had_noted(name: str, tmp_path: Path) -> None:
    make = OLD[name][0]
    old = Old(make)
    logits = old.train(7)
    old.save(tmp_path / "old")
    model = from_estimator(
        str(tmp_path / "old"), "DNNClassifier", feature_columns=DEEP, hidden_units=[3], optimizer=make
    )
    np.testing.assert_allclose(model({"hour": HOURS}), logits, rtol=0, atol=1e-6)
    rows = tf.data.Dataset.from_tensors(({"hour": HOURS}, LABELS)).repeat(25)
    model.fit(rows, shuffle=False, verbose=0)
    later = old.train(25)
    np.testing.assert_allclose(model({"hour": HOURS}), later, rtol=0, atol=1e-4)
    assert np.abs(later - logits).max() > 0.1


@pytest.fixture
def old(tmp_path: Path) -> str:
    """The prefix of a checkpoint that Adam has left after 7 steps."""
    trained = Old(OLD["AdamOptimizer"][0])
    trained.train(7)
    return trained.save(tmp_path / "old")


def test_the_steps_of_adam_are_counted_on_and_its_moments_are_taken(old: str) -> None:
    words = {"feature_columns": DEEP, "hidden_units": [3]}
    adam = from_estimator(old, "DNNClassifier", **words, optimizer="Adam").optimizer
    kept = tf.train.load_checkpoint(old)
    assert int(adam.iterations) == 7
    for slots, word in ((adam._momentums, "Adam"), (adam._velocities, "Adam_1")):
        found = {slot.shape: np.asarray(slot) for slot in slots}
        for name in ("hiddenlayer_0/kernel", "input_from_feature_columns/input_layer/hour_embedding/embedding_weights"):
            wanted = kept.get_tensor(f"dnn/{name}/{word}")
            np.testing.assert_array_equal(found[wanted.shape], wanted)


def test_what_another_optimizer_had_noted_is_left_and_told(old: str) -> None:
    declared = taken("DNNClassifier", {"feature_columns": DEEP, "hidden_units": [3], "optimizer": "Adagrad"})
    found, problem = checkpoint.opened(old, "me"), declared.problem(True)
    model = models.assembled(problem)
    models.compiled(model, problem, optimizer=declared.optimizer(model, True))
    filled = fill(model, problem, found, "me")
    assert (len(filled.weights), filled.slots, len(filled.left), filled.step) == (5, (), 10, 7)
    assert filled.line == (
        f"{old}, step 7: 5 tensors taken, and none of its optimizers; 10 of other optimizers left, as "
        "'dnn/hiddenlayer_0/bias/Adam'"
    )
    assert int(model.optimizer.iterations) == 0
    assert all((np.asarray(sums) == np.float32(0.1)).all() for sums in model.optimizer._accumulators)


@pytest.mark.parametrize("name", ["v1/DNNClassifier", "v1/LinearRegressor"])
def test_large_slots_are_read_in_pieces_across_the_parts_of_a_variable(
    name: str, old_estimators: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = {**migrated.arguments(old_estimators, name), "dnn_optimizer": "Adagrad", "linear_optimizer": "Adagrad"}
    declared = taken(migrated.known(old_estimators, name)["class"], words)
    found, problem = checkpoint.opened(str(old_estimators / name), "me"), declared.problem(True)
    held, left = models.assembled(problem), models.assembled(problem)
    for model in (held, left):
        models.compiled(model, problem, optimizer=declared.optimizer(model, True))
    fill(held, problem, found, "me")
    monkeypatch.setattr(filling, "LARGE", 60)
    stored = fill(left, problem, found, "me", leaves_large_slots=True).stored
    pairs = [
        (mine, stored[id(each)])
        for mine, each in zip(held.optimizer.variables, left.optimizer.variables, strict=True)
        if id(each) in stored
    ]
    assert max(len(there.names) for _, there in pairs) > 1
    for mine, there in pairs:
        values, rows = np.asarray(mine), mine.shape[0]
        np.testing.assert_array_equal(there.read_value(), values)
        for first in range(0, rows, 3):
            ids = np.arange(first, min(first + 7, rows))
            np.testing.assert_array_equal(there.sparse_read(ids), values[ids])


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SavedModel that an Estimator has exported, beside the rows that it has answered."""
    return estimators.unpack(tmp_path_factory.mktemp("served"), serving.ARCHIVE) / "padded"


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")  # Keras's own
def test_an_export_gives_a_model_that_is_saved_and_loaded_as_any_of_keras(exported: Path, tmp_path: Path) -> None:
    wide, deep = serving.declared(fc)
    words: dict[str, Any] = {"linear_feature_columns": wide, "dnn_feature_columns": deep, "dnn_hidden_units": [4]}
    model = from_estimator(str(exported), **words, dnn_activation_fn=tf.nn.relu)
    rows = dict(np.load(exported.parent / "rows.npz"))
    logits = rows.pop("logits")
    np.testing.assert_allclose(model(rows), logits, rtol=0, atol=1e-5)
    assert int(model.optimizer.iterations) == 0  # an export has no optimizer
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(rows), model(rows))


# What is refused


@pytest.mark.parametrize(
    ("estimator", "arguments", "sentence"),
    [
        (
            "DNNClasifier",
            {"feature_columns": DEEP},
            "there is no Estimator 'DNNClasifier'; did you mean 'DNNClassifier'?",
        ),
        (
            "BoostedTrees",
            {"feature_columns": DEEP},
            "there is no Estimator 'BoostedTrees'; there are LinearClassifier, LinearRegressor, DNNClassifier, "
            "DNNRegressor, DNNLinearCombinedClassifier, DNNLinearCombinedRegressor.",
        ),
        (
            "DNNClassifier",
            {"feature_columns": DEEP, "hidden_unit": [3]},
            "DNNClassifier has no argument 'hidden_unit'; did you mean 'hidden_units'?",
        ),
        (
            "LinearRegressor",
            {"feature_columns": [HOUR], "zebra": 3},
            "LinearRegressor has no argument 'zebra'; it has bags, batch_norm, feature_columns, label_dimension, "
            "loss_reduction, optimizer, sparse_combiner, weight_column.",
        ),
        (
            "DNNRegressor",
            {"feature_columns": DEEP, "n_classes": 3},
            "DNNRegressor has no argument 'n_classes'; it has activation_fn, bags, batch_norm, dropout, "
            "feature_columns, hidden_units, label_dimension, loss_reduction, optimizer, weight_column.",
        ),
        (
            None,
            {"linear_feature_columns": None, "dnn_hidden_units": [3]},
            "give linear_feature_columns, dnn_feature_columns or both, as the Estimator had.",
        ),
    ],
)
def test_words_that_no_estimator_takes_are_refused(estimator: str, arguments: dict[str, Any], sentence: str) -> None:
    assert refused(from_estimator, "nowhere", estimator, **arguments) == f"from_estimator: {sentence}"


def test_weights_that_are_normalized_are_refused(old: str) -> None:
    words = {"feature_columns": DEEP, "hidden_units": [3]}
    weight = tf.feature_column.numeric_column("seats", normalizer_fn=lambda seats: seats / 2)
    assert refused(from_estimator, old, "DNNClassifier", **words, weight_column=weight) == (
        "from_estimator: weight_column 'seats' has a normalizer_fn; give the feature of the weights as they are to be "
        "used, by its name."
    )


def test_layers_that_the_checkpoint_has_not_are_refused_with_both_sides(old: str) -> None:
    assert refused(from_estimator, old, "DNNClassifier", feature_columns=DEEP, hidden_units=[3, 2]) == (
        f"from_estimator: the model and the checkpoint {old} do not fit: in the model alone are kernel of hidden_1 (3 "
        "by 2), wanted as 'dnn/hiddenlayer_1/kernel', bias of hidden_1 (2), wanted as 'dnn/hiddenlayer_1/bias'; of "
        "other shapes are kernel of logits is 2 by 1 and 'dnn/logits/kernel' 3 by 1; declare the columns and layers as "
        "the Estimator had them."
    )


def test_rows_of_a_damaged_tensor_are_refused(old: str) -> None:
    data = Path(f"{old}.data-00000-of-00001")
    data.write_bytes(bytes(data.stat().st_size))
    found = checkpoint.opened(old, "me")
    assert refused(found.read_rows, "dnn/hiddenlayer_0/kernel", 0, 1) == (
        f"the checkpoint {old}: 'dnn/hiddenlayer_0/kernel' is damaged, or in parts that are not of even size"
    )
    table = "dnn/input_from_feature_columns/input_layer/hour_embedding/embedding_weights"
    assert refused(from_estimator, old, "DNNClassifier", feature_columns=DEEP, hidden_units=[3]) == (
        f"from_estimator: the checkpoint {old} is damaged: '{table}' cannot be read; copy all its files."
    )
