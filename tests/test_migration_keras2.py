"""Models of Keras 2 as models of Keras 3, with their weights: saved here by tf_keras, and by Keras 2.15 long ago."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped]  # it comes without types
import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from tests import estimators
from tests.keras2_models import models
from trainer import feature_column as fc
from trainer.errors import Refusal
from trainer.layers import DenseFeatures, inputs
from trainer.migration import from_keras2

TF = tf.feature_column
ARCHIVE = Path(models.__file__).with_name("models.tar.xz")
SEED_OF_ARCHIVE = 2015
HOUR = TF.categorical_column_with_identity("hour", 24)
HOURS = {"hour": np.array([8, 17, 23])}
ACTIVATIONS = sorted({*dir(tf_keras.activations)} & {*dir(keras.activations)} - {"get", "serialize", "deserialize"})
ACTIVATIONS = [name for name in ACTIVATIONS if not name.startswith("_")]


@pytest.fixture(scope="session")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of what Keras 2.15 wrote."""
    return estimators.unpack(tmp_path_factory.mktemp("old"), ARCHIVE)


@pytest.fixture(scope="session")
def trained() -> Any:
    """A functional model of tf_keras on columns of every kind."""
    return models.functional(tf_keras, 1)


@pytest.fixture(scope="session")
def saved(trained: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of what tf_keras writes of it."""
    folder = tmp_path_factory.mktemp("saved")
    trained.save(folder / "model", save_traces=False)
    with pytest.warns(UserWarning, match="HDF5"):
        trained.save(folder / "model.h5")
    trained.save(folder / "model.keras")
    trained.save_weights(folder / "model.weights.h5")
    trained.save_weights(folder / "legacy.h5")
    trained.save_weights(folder / "weights" / "w")
    tf.train.Checkpoint(model=trained, optimizer=trained.optimizer).save(folder / "checkpoint" / "ckpt")
    return folder


def said(model: Any, rows: dict[str, Any]) -> Any:
    """What a model says of rows; of its features, the ones that it reads."""
    read = model.input if isinstance(model, keras.Model) else rows
    return np.asarray(model({key: values for key, values in rows.items() if key in read}, training=False))


def rows_of(seed: int) -> dict[str, Any]:
    return models.features(models.rows(seed))


def anew(model: Any) -> Any:
    """A model of the same architecture and other weights."""
    return keras.Model.from_config(model.get_config())


def one_layer(column: Any, **arguments: Any) -> Any:
    """A model of tf_keras on one column."""
    inner = {key: tf_keras.Input((), name=key, dtype="int64") for key in ("hour",)}
    features = tf_keras.layers.DenseFeatures([column], name="features")(inner)
    return tf_keras.Model(inner, tf_keras.layers.Dense(1, name="out", **arguments)(features), name="small")


def small() -> Any:
    return one_layer(TF.embedding_column(HOUR, 3))


def refusal(*arguments: Any, **keywords: Any) -> str:
    with pytest.raises(Refusal) as caught:
        from_keras2(*arguments, **keywords)
    return str(caught.value)


# What Keras 2.15 wrote


FILES = ["functional", "functional.h5", "functional.keras", "sequential", "premade.keras"]


def check(folder: Path, file: str, seed: int) -> None:
    name = file.partition(".")[0]
    model = from_keras2(folder / file, bags=[] if name == "functional" else ["tags"])
    expected = np.load(folder / "expected.npz")[name]
    np.testing.assert_allclose(said(model, rows_of(seed)), expected, atol=1e-5)


@pytest.mark.parametrize("file", FILES)
def test_what_keras_2_15_saved_gives_the_outputs_that_it_gave(old: Path, file: str) -> None:
    check(old, file, SEED_OF_ARCHIVE)


@pytest.mark.parametrize("file", ["functional.weights.h5", "functional_checkpoint", "functional_checkpoint/weights"])
def test_weights_that_keras_2_15_saved_alone_go_into_a_model(old: Path, file: str) -> None:
    model = anew(from_keras2(old / "functional.h5"))
    rows, expected = rows_of(SEED_OF_ARCHIVE), np.load(old / "expected.npz")["functional"]
    assert np.abs(said(model, rows) - expected).max() > 1e-3
    assert from_keras2(old / file, into=model) is model
    np.testing.assert_allclose(said(model, rows), expected, atol=1e-5)


def test_a_checkpoint_of_a_forward_pass_of_ones_own_goes_into_a_model_with_its_layers_in_order(old: Path) -> None:
    from trainer.migration import from_feature_columns

    columns = from_feature_columns(models.deep_columns(SEED_OF_ARCHIVE))
    given = inputs(columns, ["tags"])
    hidden = keras.layers.Dense(3, "tanh")(DenseFeatures(columns)(given))
    model = keras.Model(given, keras.layers.Dense(1)(hidden))
    from_keras2(old / "subclassed_checkpoint", into=model)
    expected = np.load(old / "expected.npz")["subclassed"]
    np.testing.assert_allclose(said(model, rows_of(SEED_OF_ARCHIVE)), expected, atol=1e-5)


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")  # Keras's own
def test_a_model_that_came_over_trains_on_is_saved_and_loads(old: Path, tmp_path: Path) -> None:
    model = from_keras2(old / "functional.keras")
    rows = rows_of(3)
    before = said(model, rows)
    model.compile(keras.optimizers.Adagrad(0.1), "binary_crossentropy")
    model.fit(tf.data.Dataset.from_tensors((rows, np.ones((24, 1)))).repeat(2), shuffle=False, verbose=0)
    after = said(model, rows)
    assert after.mean() > before.mean() + 1e-3
    model.save(tmp_path / "model.keras")
    np.testing.assert_allclose(said(keras.models.load_model(tmp_path / "model.keras"), rows), after, atol=1e-6)


# What tf_keras writes here


@pytest.mark.parametrize("file", ["", "model", "model.h5", "model.keras"])
def test_a_model_and_what_it_is_saved_as_give_the_same_outputs(trained: Any, saved: Path, file: str) -> None:
    rows = rows_of(5)
    model = from_keras2(saved / file if file else trained)
    np.testing.assert_allclose(said(model, rows), said(trained, rows), atol=1e-5)
    assert model.name == "wide_deep_time"


@pytest.mark.parametrize("file", ["model.weights.h5", "legacy.h5", "weights/w", "checkpoint", "model", "model.h5"])
def test_weights_go_into_a_model_from_every_format(trained: Any, saved: Path, file: str) -> None:
    model = anew(from_keras2(saved / "model.keras"))
    from_keras2(saved / file, into=model)
    rows = rows_of(5)
    np.testing.assert_allclose(said(model, rows), said(trained, rows), atol=1e-5)


@pytest.mark.parametrize("seed", [2, 3])
@pytest.mark.parametrize("kind", ["sequential", "premade"])
def test_models_on_random_columns_give_the_same_outputs(kind: str, seed: int, tmp_path: Path) -> None:
    model, rows = getattr(models, kind)(tf_keras, seed), rows_of(seed)
    model.save(tmp_path / "model", save_traces=False)
    for source in (model, tmp_path / "model"):
        np.testing.assert_allclose(said(from_keras2(source, bags=["tags"]), rows), said(model, rows), atol=1e-5)


def test_a_model_of_ones_own_goes_into_one_with_its_layers(tmp_path: Path) -> None:
    model, rows = models.subclassed(tf_keras, 4), rows_of(4)
    model.save(tmp_path / "model", save_traces=False)
    model.save_weights(tmp_path / "weights.h5")
    columns = models.deep_columns(4)
    features = tf_keras.layers.DenseFeatures(columns)
    like = from_keras2(
        models.trained(tf_keras.Sequential([features, tf_keras.layers.Dense(3, "tanh"), tf_keras.layers.Dense(1)]), 4),
        bags=["tags"],
    )
    for source in (model, tmp_path / "model", tmp_path / "weights.h5"):
        again = anew(like)
        from_keras2(source, into=again)
        np.testing.assert_allclose(said(again, rows), said(model, rows), atol=1e-5)


def test_a_frozen_table_and_a_frozen_layer_stay_frozen() -> None:
    model = one_layer(TF.embedding_column(HOUR, 3, trainable=False))
    model.get_layer("out").trainable = False
    assert from_keras2(model).trainable_weights == []


# Columns


def test_columns_may_be_given_as_they_were_declared_or_as_ours_under_a_name_of_their_own() -> None:
    old = small()
    mine = fc.embedding_column(fc.categorical_column_with_identity("hour", 24), 3, name="hours")
    for columns in ([TF.embedding_column(HOUR, 3)], mine, [mine], {"features": [mine]}):
        np.testing.assert_allclose(said(from_keras2(old, columns), HOURS), said(old, HOURS), atol=1e-6)
    assert list(from_keras2(old, mine).get_layer("features").tables) == ["hours"]


def test_a_model_in_memory_has_its_functions_and_a_file_takes_columns_that_have_them(tmp_path: Path) -> None:
    def column(module: Any) -> Any:
        return module.numeric_column("miles", (2,), normalizer_fn=lambda miles: miles / 2)

    features = tf_keras.layers.DenseFeatures([column(TF)])({"miles": tf_keras.Input((2,), name="miles")})
    old = tf_keras.Model(features._keras_history.layer.input, tf_keras.layers.Dense(1)(features))
    old.save(tmp_path / "old.keras")
    rows = {"miles": models.rows(0)["miles"]}
    for model in (from_keras2(old), from_keras2(tmp_path / "old.keras", column(fc))):
        np.testing.assert_allclose(said(model, rows), said(old, rows), atol=1e-6)


def test_a_table_that_came_from_a_checkpoint_does_not_ask_for_it_again() -> None:
    gone = TF.embedding_column(HOUR, 3, ckpt_to_load_from="/gone", tensor_name_in_ckpt="hour")
    assert said(from_keras2(small(), [gone]), HOURS).shape == (3, 1)


# Layers and graphs


def test_a_graph_with_models_inside_shared_layers_and_outputs_by_name_is_walked_over_again(tmp_path: Path) -> None:
    given = [tf_keras.Input((1,), name="hour", dtype="int64"), tf_keras.Input((2,), name="miles")]
    columns = [TF.embedding_column(HOUR, 3), TF.numeric_column("miles", (2,))]
    features = tf_keras.layers.DenseFeatures(columns)({"hour": given[0], "miles": given[1]})
    inner = tf_keras.Input((5,))
    within = tf_keras.Model(inner, tf_keras.layers.LayerNormalization()(tf_keras.layers.Dense(5)(inner)), name="within")
    tower = tf_keras.Sequential([within, tf_keras.layers.Dense(5, "gelu")], name="tower")
    twice = tf_keras.layers.PReLU()
    hidden = tf_keras.layers.Add()([twice(tower(features)), twice(tower(features, training=False)), twice(features)])
    outputs = {"one": tf_keras.layers.Dense(1)(hidden), "two": tf_keras.layers.Dense(2)(hidden)}
    old = tf_keras.Model(given, outputs, name="nested")
    old.save(tmp_path / "old.keras")
    with pytest.warns(UserWarning, match="HDF5"):
        old.save(tmp_path / "old.h5")
    old.save(tmp_path / "old", save_traces=False)
    rows = [models.rows(0)["hour"].reshape(-1, 1), models.rows(0)["miles"]]
    expected = old(rows)
    for source in (old, *(tmp_path / name for name in ("old.keras", "old.h5", "old"))):
        found = from_keras2(source)(rows)
        for key, values in expected.items():
            np.testing.assert_allclose(found[key], values, atol=1e-5)


def test_layers_of_many_kinds_become_those_of_keras_3(tmp_path: Path) -> None:
    layers = tf_keras.layers
    columns = [TF.embedding_column(TF.sequence_categorical_column_with_identity("watched", 9), 4)]
    watched = tf_keras.Input((None,), name="watched", dtype="int64", sparse=True)
    steps, _ = tf_keras.experimental.SequenceFeatures(columns)({"watched": watched})
    steps = layers.MultiHeadAttention(2, 2)(steps, steps)
    steps = layers.Conv1D(4, 2, padding="same", activation="swish")(layers.SpatialDropout1D(0.1)(steps))
    steps = layers.TimeDistributed(layers.Dense(4, bias_initializer=tf_keras.initializers.Constant(0.1)))(steps)
    steps = layers.RNN([layers.LSTMCell(3), layers.GRUCell(3)], return_sequences=True)(steps)
    steps = layers.GRU(3, return_sequences=True, reset_after=False, go_backwards=True)(steps)
    steps, state = layers.SimpleRNN(3, return_sequences=True, return_state=True)(steps)
    flat = layers.Concatenate()([layers.GlobalAveragePooling1D()(steps), layers.GlobalMaxPooling1D()(steps), state])
    flat = layers.BatchNormalization(axis=1, center=False)(flat, training=False)
    flat = layers.Dense(3, kernel_regularizer="l1_l2", kernel_constraint="non_neg")(layers.ELU(0.5)(flat))
    old = tf_keras.Model({"watched": watched}, layers.Softmax()(layers.LeakyReLU(alpha=0.2)(flat)))
    for number, weight in enumerate(old.weights):
        weight.assign(np.random.default_rng(number).uniform(0.1, 0.9, weight.shape))
    old.save(tmp_path / "old.keras")
    with pytest.warns(UserWarning, match="HDF5"):
        old.save(tmp_path / "old.h5")
    old.save_weights(tmp_path / "weights" / "w")
    rows = {"watched": rows_of(0)["watched"]}
    expected = said(old, rows)
    again = anew(from_keras2(old))
    for model in (
        from_keras2(old),
        from_keras2(tmp_path / "old.keras"),
        from_keras2(tmp_path / "old.h5"),
        from_keras2(tmp_path / "weights", into=again),
    ):
        np.testing.assert_allclose(said(model, rows), expected, atol=1e-5)


def test_a_policy_of_dtypes_comes_over(tmp_path: Path) -> None:
    given = {"hour": tf_keras.Input((), name="hour", dtype="int64")}
    features = tf_keras.layers.DenseFeatures([TF.embedding_column(HOUR, 3)])(given)
    half = tf_keras.layers.Dense(2, dtype=tf_keras.mixed_precision.Policy("mixed_bfloat16"), name="half")(features)
    old = tf_keras.Model(given, tf_keras.layers.Dense(1, dtype="float32")(half))
    old.save(tmp_path / "old.keras")
    for source in (old, tmp_path / "old.keras"):
        model = from_keras2(source)
        assert model.get_layer("half").dtype_policy.name == "mixed_bfloat16"
        np.testing.assert_allclose(said(model, HOURS), said(old, HOURS), atol=1e-5)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation_of_one_name_is_one_function_or_is_refused(name: str) -> None:
    numbers = tf.constant(np.linspace(-5, 5, 41, dtype=np.float32)[np.newaxis])
    one, two = (np.asarray(module.activations.get(name)(numbers)) for module in (tf_keras, keras))
    assert np.allclose(one, two, atol=1e-6) or name == "hard_sigmoid"


def test_a_layer_of_code_is_replaced_by_one_that_is_given() -> None:
    given = {"hour": tf_keras.Input((), name="hour", dtype="int64")}
    features = tf_keras.layers.DenseFeatures([TF.embedding_column(HOUR, 3)])(given)
    old = tf_keras.Model(given, tf_keras.layers.Lambda(lambda x: x * 2, name="twice")(features))
    model = from_keras2(old, layers={"twice": keras.layers.Rescaling(2.0)})
    np.testing.assert_allclose(said(model, HOURS), said(old, HOURS), atol=1e-6)


def test_functions_of_tensorflow_that_keras_3_has_too_become_its_own(tmp_path: Path) -> None:
    given = {"hour": tf_keras.Input((), name="hour", dtype="int64")}
    features = tf_keras.layers.DenseFeatures([TF.embedding_column(HOUR, 3)])(given)
    both = tf.concat([tf.nn.relu(features), 2.0 * features - 0.5], axis=1)
    old = tf_keras.Model(given, tf.sigmoid(both) / (both + tf.exp(both)) * tf.tanh(1 - both))
    old.save(tmp_path / "old.keras")
    for source in (old, tmp_path / "old.keras"):
        np.testing.assert_allclose(said(from_keras2(source), HOURS), said(old, HOURS), atol=1e-6)


def test_a_model_without_columns_comes_over_too() -> None:
    old = tf_keras.Sequential([tf_keras.layers.Dense(2), tf_keras.layers.Dense(1)])
    rows = np.ones((2, 3), np.float32)
    expected = old(rows)
    np.testing.assert_allclose(from_keras2(old)(rows), expected, atol=1e-6)


def test_a_functional_model_of_a_class_of_ones_own_is_walked_over_again(tmp_path: Path) -> None:
    class Own(tf_keras.Model):
        def __init__(self) -> None:
            given = {"hour": tf_keras.Input((), name="hour", dtype="int64")}
            features = tf_keras.layers.DenseFeatures([TF.embedding_column(HOUR, 3)])
            super().__init__(given, tf_keras.layers.Dense(1)(features(given)))

    old = Own()
    old.save(tmp_path / "old", save_traces=False)
    for source in (old, tmp_path / "old"):
        np.testing.assert_allclose(said(from_keras2(source), HOURS), said(old, HOURS), atol=1e-6)


def test_a_layer_of_columns_is_called_on_other_features_again_and_statistics_and_words_come_over(
    tmp_path: Path,
) -> None:
    layers = tf_keras.layers
    given = [tf_keras.Input((1,), name=name, dtype="int64") for name in ("from", "to")]
    word = tf_keras.Input((1,), name="word", dtype="string")
    features = layers.DenseFeatures([TF.embedding_column(HOUR, 3)])
    normal = layers.Normalization()
    normal.adapt(np.random.default_rng(0).normal(3, 2, (9, 3)))
    both = [normal(features({"hour": each})) for each in given]
    known = layers.Flatten()(layers.Embedding(4, 3)(layers.StringLookup(vocabulary=["a", "b"])(word)))
    old = tf_keras.Model([*given, word], layers.Dot(1)([layers.Add()([both[0], known]), both[1]]))
    old.save(tmp_path / "old", save_traces=False)
    old.save(tmp_path / "old.keras")
    rows = [tf.constant([[1], [2]]), tf.constant([[3], [4]]), tf.constant([["b"], ["z"]])]
    for source in (old, tmp_path / "old", tmp_path / "old.keras"):
        np.testing.assert_allclose(from_keras2(source)(rows), old(rows), atol=1e-5)


def test_a_checkpoint_of_ones_own_model_may_hold_models_and_lists_of_layers(tmp_path: Path) -> None:
    class Own(tf_keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.features = tf_keras.layers.DenseFeatures([TF.embedding_column(HOUR, 3)])
            self.tower = tf_keras.Sequential([tf_keras.layers.Dense(3), tf_keras.layers.BatchNormalization()])
            self.blocks = [tf_keras.layers.Dense(3), tf_keras.layers.Dense(3)]

        def call(self, features: Any) -> Any:
            values = self.tower(self.features(features))
            return self.blocks[1](self.blocks[0](values))

    old = Own()
    expected = said(old, HOURS)
    old.save_weights(tmp_path / "weights" / "w")
    columns = [fc.embedding_column(fc.categorical_column_with_identity("hour", 24), 3)]
    given = inputs(columns)
    values = keras.layers.BatchNormalization()(keras.layers.Dense(3)(DenseFeatures(columns)(given)))
    model = keras.Model(given, keras.layers.Dense(3)(keras.layers.Dense(3)(values)))
    for source in (old, tmp_path / "weights"):
        again = anew(model)
        np.testing.assert_allclose(said(from_keras2(source, into=again), HOURS), expected, atol=1e-6)


def test_a_checkpoint_may_call_the_model_anything(tmp_path: Path) -> None:
    old = small()
    tf.train.Checkpoint(net=old, optimizer=tf_keras.optimizers.Adam()).save(tmp_path / "ckpt")
    model = anew(from_keras2(old))
    np.testing.assert_allclose(said(from_keras2(tmp_path, into=model), HOURS), said(old, HOURS), atol=1e-6)


PEAK = """
import resource, sys
import keras, tensorflow as tf
from trainer.migration import from_keras2
tf.zeros(1)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
from_keras2(sys.argv[1])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.slow
def test_a_large_table_is_in_memory_once(tmp_path: Path) -> None:
    table = TF.embedding_column(TF.categorical_column_with_identity("hour", 500_000), 64, initializer=tf.zeros)
    one_layer(table).save(tmp_path / "old.keras")
    command = [sys.executable, "-c", PEAK, str(tmp_path / "old.keras")]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[1])
    assert int(done.stdout) * 1024 < 1.75 * 500_000 * 64 * 4


# Refusals


def test_what_is_no_model_of_keras_2_is_refused(tmp_path: Path) -> None:
    kinds = "the folder of a SavedModel, an .h5, .keras or .weights.h5 file, or a TensorFlow checkpoint."
    assert refusal(3) == (
        "from_keras2: a model of Keras 2 is wanted, an object of tf_keras or the path of one, not int of builtins."
    )
    new = from_keras2(small())
    assert refusal(new) == (
        "from_keras2: a model of Keras 2 is wanted, an object of tf_keras or the path of one, not Functional of keras."
    )
    assert refusal(tmp_path / "x") == f"from_keras2: there is no {tmp_path}/x; give {kinds}"
    assert refusal(tmp_path) == f"from_keras2: in {tmp_path} is no model of Keras 2; give {kinds}"
    (tmp_path / "rows.csv").write_text("hour\n8\n")
    assert refusal(tmp_path / "rows.csv") == f"from_keras2: {tmp_path}/rows.csv is no model of Keras 2; give {kinds}"
    assert refusal(tmp_path / "row.csv") == f"from_keras2: there is no {tmp_path}/row.csv; did you mean 'rows.csv'?"


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")  # Keras's own
@pytest.mark.parametrize("name", ["new.keras", "new.h5"])
def test_a_file_of_keras_3_is_refused(tmp_path: Path, name: str) -> None:
    keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)]).save(tmp_path / name)
    expected = f"from_keras2: {tmp_path}/{name} is of Keras 3 already; keras.models.load_model reads it."
    assert refusal(tmp_path / name) == expected


@pytest.mark.parametrize("name", ["functional.h5", "functional.keras", "functional_checkpoint/weights.index"])
def test_half_a_file_is_refused(old: Path, tmp_path: Path, name: str) -> None:
    half = tmp_path / Path(name).name
    content = (old / name).read_bytes()
    half.write_bytes(content[: len(content) // 2])
    assert refusal(half) == f"from_keras2: {half} is damaged: it cannot be read; copy it, or save it, again."


def test_a_checkpoint_by_name_is_refused(tmp_path: Path) -> None:
    tf.raw_ops.SaveV2(prefix=f"{tmp_path}/m", tensor_names=["w"], shape_and_slices=[""], tensors=[tf.zeros(1)])
    assert refusal(tmp_path / "m") == (
        f"from_keras2: {tmp_path}/m was written by name, not by a model of Keras 2; from_estimator reads an "
        "Estimator's."
    )


def test_weights_without_an_architecture_ask_for_a_model(saved: Path) -> None:
    end = "holds weights and not how its layers are called; make the model anew on trainer.layers and give it as into=."
    for file in ("weights/w", "legacy.h5", "model.weights.h5"):
        assert refusal(saved / file) == f"from_keras2: {saved / file} {end}"
    assert refusal(models.subclassed(tf_keras, 4)) == f"from_keras2: model 'own' {end}"


def test_a_model_that_cannot_be_filled_is_refused(saved: Path) -> None:
    path = saved / "weights" / "w"
    assert refusal(path, into=small()) == "from_keras2: into: a model of Keras 3 is wanted, not Functional of tf_keras."
    unbuilt = keras.Sequential([keras.layers.Dense(1)])
    assert refusal(path, into=unbuilt) == "from_keras2: into: the model has no weights yet; call it once, on a row."
    for name, given in (("columns", []), ("bags", ["day"]), ("layers", {})):
        assert refusal(path, into=from_keras2(small()), **{name: given}) == (
            f"from_keras2: into= is a model with layers and columns of its own; leave {name} out."
        )


def test_a_layer_that_is_code_or_of_ones_own_is_refused_with_what_to_do() -> None:
    class Own(tf_keras.layers.Layer):
        pass

    given = {"hour": tf_keras.Input((), name="hour", dtype="int64")}
    features = tf_keras.layers.DenseFeatures([TF.embedding_column(HOUR, 3)])(given)
    code = [
        (tf_keras.layers.Lambda(lambda x: x, name="twice")(features), "twice", "Lambda"),
        (tf.cumsum(features, name="sums"), "tf.math.cumsum", "TFOpLambda"),
        (features[:, 0], "tf.__operators__.getitem", "SlicingOpLambda"),
    ]
    for output, name, kind in code:
        assert re.sub(r"_\d+'", "'", refusal(tf_keras.Model(given, output))) == (
            f"from_keras2: layer '{name}' ({kind}) is code, not a layer, and cannot be translated; give layers="
            f"{{'{name}': a Keras 3 layer that does the same}}."
        )
    assert refusal(tf_keras.Model(given, Own(name="mine")(features))) == (
        "from_keras2: layer 'mine' (Own) is no layer of Keras, and cannot be translated; give layers={'mine': a Keras "
        "3 layer that does the same}."
    )


def test_a_layer_of_ones_own_under_a_name_of_keras_is_not_taken_for_it(tmp_path: Path) -> None:
    class Dropout(tf_keras.layers.Layer):
        def call(self, values: Any) -> Any:
            return values + 1.0

    given = {"hour": tf_keras.Input((), name="hour", dtype="int64")}
    features = tf_keras.layers.DenseFeatures([TF.embedding_column(HOUR, 3)])(given)
    old = tf_keras.Model(given, Dropout(name="mine")(features))
    old.save(tmp_path / "old.keras")
    for source in (old, tmp_path / "old.keras"):
        assert refusal(source) == (
            "from_keras2: layer 'mine' (Dropout) is no layer of Keras, and cannot be translated; give layers="
            "{'mine': a Keras 3 layer that does the same}."
        )


def test_a_vocabulary_that_was_learned_is_asked_for() -> None:
    words = tf_keras.layers.StringLookup(name="words")
    words.adapt(["a", "b"])
    given = {"word": tf_keras.Input((1,), name="word", dtype="string")}
    assert refusal(tf_keras.Model(given, words(given["word"]))) == (
        "from_keras2: layer 'words' (StringLookup) learned its vocabulary from data, and comes over without it; give "
        "layers={'words': a Keras 3 layer that has it}."
    )


def test_a_linear_model_of_several_tensors_is_refused() -> None:
    given = {"one": tf_keras.Input((2,), name="one"), "two": tf_keras.Input((2,), name="two")}
    old = tf_keras.Model(given, tf_keras.experimental.LinearModel(name="linear")(given))
    assert refusal(old) == (
        "from_keras2: layer 'linear' (LinearModel) is called on several tensors; give them to one Dense each."
    )


def test_what_keras_3_has_not_is_refused_with_what_to_do() -> None:
    class Sevens(tf_keras.initializers.Initializer):
        def __call__(self, shape: Any, dtype: Any = None, **arguments: Any) -> Any:
            return tf.fill(shape, 7.0)

    given = {"hour": tf_keras.Input((), name="hour", dtype="int64")}
    features = tf_keras.layers.DenseFeatures([TF.embedding_column(HOUR, 3)])(given)
    layers = tf_keras.layers
    end = "a Keras 3 layer that does the same}."
    turned = layers.GRU(1, time_major=True, name="turned")(layers.Reshape((1, 3))(features))
    assert refusal(tf_keras.Model(given, turned)) == (
        f"from_keras2: layer 'turned' (GRU) has time_major=True, which Keras 3 has not; give layers={{'turned': {end}"
    )
    slow = layers.Dense(1, activation="hard_sigmoid", name="slow")(features)
    assert refusal(tf_keras.Model(given, slow)) == (
        "from_keras2: layer 'slow' (Dense) has activation='hard_sigmoid', which is another function in Keras 3; give "
        f"layers={{'slow': {end}"
    )
    assert refusal(tf_keras.Model(given, layers.Dense(1, bias_initializer=Sevens(), name="sevens")(features))) == (
        f"from_keras2: layer 'sevens' is made with Sevens, which Keras 3 has not; give layers={{'sevens': {end}"
    )
    assert refusal(tf_keras.Model(given, layers.Dense(1, activation=tf.math.cos, name="wave")(features))) == (
        "from_keras2: layer 'wave' (Dense) cannot be made in Keras 3 (Could not interpret activation function "
        f"identifier: cos); give layers={{'wave': {end}"
    )


def test_layers_that_replace_none_of_the_model_or_are_no_layers_are_refused() -> None:
    assert refusal(small(), layers={"outt": keras.layers.Dense(1)}) == (
        "from_keras2: layers: there is no layer 'outt'; did you mean 'out'?"
    )
    assert refusal(small(), layers={"x": keras.layers.Dense(1)}) == (
        "from_keras2: layers: there is no layer 'x'; the model has features, out."
    )
    assert refusal(small(), layers={"out": tf_keras.layers.Dense(1)}) == (
        "from_keras2: layers: a layer of Keras 3 is wanted for 'out', not Dense of tf_keras."
    )


def test_columns_that_are_not_the_models_are_refused(trained: Any) -> None:
    mine = fc.embedding_column(fc.categorical_column_with_identity("hours", 24), 3)
    assert refusal(small(), mine) == (
        "from_keras2: columns: layer 'features' was made of the columns hour_embedding, and those given for it are "
        "hours_embedding; give the same declarations."
    )
    assert refusal(small(), {"feature": mine}) == (
        "from_keras2: columns: there is no layer of columns 'feature'; did you mean 'features'?"
    )
    assert refusal(small(), {"x": mine}) == (
        "from_keras2: columns: there is no layer of columns 'x'; the model's layers of columns are features."
    )
    assert refusal(trained, mine) == (
        "from_keras2: columns: the model has 3 layers of columns, in_time, deep, wide; give a dictionary from the "
        "layer's name to its columns."
    )
    bare = tf_keras.Sequential([tf_keras.Input((3,)), tf_keras.layers.Dense(1)])
    assert refusal(bare, mine) == "from_keras2: columns: the model has no layer of columns; leave them out."


def test_a_file_without_its_functions_or_its_vocabulary_asks_for_columns(tmp_path: Path) -> None:
    given = {"miles": tf_keras.Input((), name="miles"), "day": tf_keras.Input((), name="day", dtype="string")}
    miles = TF.numeric_column("miles", normalizer_fn=lambda miles: miles / 2)
    features = tf_keras.layers.DenseFeatures([miles], name="features")(given)
    tf_keras.Model(given, features).save(tmp_path / "old.keras")
    assert refusal(tmp_path / "old.keras") == (
        "from_keras2: columns: a column of layer 'features' has normalizer_fn <lambda>, and a file holds no functions; "
        "give columns=, as they were declared."
    )
    words = tmp_path / "words.txt"
    words.write_text("\n".join(models.WORDS))
    day = TF.indicator_column(TF.categorical_column_with_vocabulary_file("day", str(words)))
    features = tf_keras.layers.DenseFeatures([day], name="features")(given)
    tf_keras.Model(given, features).save(tmp_path / "old.keras")
    words.unlink()
    assert refusal(tmp_path / "old.keras") == (
        "from_keras2: columns: those of layer 'features' are not whole in the file (categorical_column_with_vocabulary_"
        f"file: key 'day': the file {words} cannot be read (there is no such file); give the path of a vocabulary); "
        "give columns=."
    )


def test_tensors_left_over_and_weights_left_without_one_are_listed_side_by_side() -> None:
    wider = fc.embedding_column(fc.categorical_column_with_identity("hour", 25), 3)
    assert refusal(small(), wider) == (
        "from_keras2: model 'small' and the new model have not the same weights: left over there "
        "features/hour_embedding/embedding_weights (24 by 3), without a tensor here features/hour (25 by 3); give the "
        "columns and layers that the model was made of."
    )
    other = from_keras2(one_layer(TF.embedding_column(HOUR, 3), use_bias=False))
    assert refusal(small(), into=other) == (
        "from_keras2: model 'small' and the new model have not the same weights: left over there out/bias (1), without "
        "a tensor here none; give the columns and layers that the model was made of."
    )


def test_a_refused_model_has_the_weights_that_it_had() -> None:
    other = from_keras2(one_layer(TF.embedding_column(HOUR, 3), use_bias=False))
    before = other.get_weights()
    refusal(small(), into=other)
    for one, two in zip(before, other.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)


def test_a_graph_that_holds_no_order_is_refused(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="HDF5"):
        small().save(tmp_path / "old.h5")
    with h5py.File(tmp_path / "old.h5", "r+") as file:
        file.attrs["model_config"] = file.attrs["model_config"].replace('["features", 0, 0', '["gone", 0, 0')
    assert refusal(tmp_path / "old.h5") == (
        "from_keras2: layer 'out' is called on what no layer of the model makes; save the model again."
    )


def test_a_saved_model_says_what_reads_it_where_keras_2_is_not_installed(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tf_keras", None)
    assert refusal(old / "functional") == (
        "from_keras2: tf_keras is wanted, the Keras 2 that wrote this; pip install tf-keras."
    )
    assert from_keras2(old / "functional.h5").name == "wide_deep_time"


def test_a_model_that_was_never_called_is_refused() -> None:
    assert refusal(tf_keras.Sequential([tf_keras.layers.Dense(1)], name="bare")) == (
        "from_keras2: model 'bare' was never called, and has no weights; call it once, on a row."
    )
