import base64
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests import environments, planted, trips
from trainer import export, layers, models
from trainer import feature_column as fc
from trainer.errors import Refusal
from trainer.export.examples import spec_of
from trainer.heads import BinaryHead, Head, MultiClassHead, PoissonRegressionHead, RegressionHead
from trainer.job import steps
from trainer.problem import Problem

PAGE = Path(export.__file__).with_name("README.md").read_text(encoding="utf-8")
JSON = re.findall(r"^```json\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def model() -> keras.Model:
    keras.utils.set_random_seed(0)
    return models.build(planted.PROBLEM)


@pytest.fixture(scope="module")
def folder(model: keras.Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export")
    export.write(str(folder), model, planted.PROBLEM.head)
    return folder


def features(count: int = 50) -> dict[str, tf.Tensor]:
    raw, _ = planted.rows("test", count)
    return {key: tf.constant(values) for key, values in raw.items()}


def test_the_exported_model_answers_as_the_model_does(model: keras.Model, folder: Path) -> None:
    served = tf.saved_model.load(str(folder)).signatures["serving_default"](**features())
    logits = model(features()).numpy()
    np.testing.assert_allclose(served["logits"], logits, atol=1e-6)
    np.testing.assert_allclose(served["probabilities"], 1 / (1 + np.exp(-logits)), atol=1e-6)


def test_the_exported_model_holds_each_weight_once_and_nothing_of_the_optimizer(tmp_path: Path) -> None:
    trained = models.build(planted.PROBLEM)
    trained.optimizer.build(trained.trainable_variables)
    export.write(str(tmp_path), trained, planted.PROBLEM.head)
    held = [
        shape for name, shape in tf.train.list_variables(str(tmp_path / "variables" / "variables")) if name[0] != "_"
    ]
    assert sorted(held) == sorted([*variable.shape] for variable in trained.variables)


def test_lookups_of_layers_of_keras_are_exported(tmp_path: Path) -> None:
    raw = keras.Input((), dtype="string", name="day")
    ids = keras.layers.StringLookup(vocabulary=["Mon", "Tue"])(raw)
    logits = keras.layers.Flatten()(keras.layers.Embedding(3, 1)(ids[:, None]))
    mine = keras.Model([raw], logits)
    export.write(str(tmp_path), mine, BinaryHead())
    days = tf.constant(["Tue", "Mon", "Sun"])
    served = tf.saved_model.load(str(tmp_path)).signatures["serving_default"](day=days)
    np.testing.assert_allclose(served["logits"], mine(days), atol=1e-6)


def test_a_missing_and_an_unknown_value_are_answered_too(folder: Path) -> None:
    raw = {
        "day": tf.constant(["", "Caturday"]),
        "hour": tf.constant([-1, 3], tf.int64),
        "distance": tf.constant([1.0, 2.0]),
    }
    served = tf.saved_model.load(str(folder)).signatures["serving_default"](**raw)
    assert np.isfinite(served["logits"]).all()


def test_names_that_a_signature_cannot_have_are_mapped_and_kept_beside_the_model(tmp_path: Path) -> None:
    column = fc.categorical_column_with_identity("native country", 4)
    problem = Problem(dataset=planted.dataset, linear_feature_columns=[column], head=MultiClassHead(3))
    export.write(str(tmp_path), models.build(problem), problem.head)
    assert json.loads((tmp_path / "features.json").read_text()) == {"native country": "native_country"}
    served = tf.saved_model.load(str(tmp_path)).signatures["serving_default"](native_country=tf.constant([2], tf.int64))
    assert served["classes"].shape == (1,)
    np.testing.assert_allclose(served["probabilities"], [[1 / 3] * 3], atol=1e-6)


def test_names_that_python_has_taken_are_given_another_end(tmp_path: Path) -> None:
    names = {"1st": "feature_1st", "class": "class_", "self": "self_", "_x": "feature__x", "größe": "gr__e", "x": "x"}
    columns = [fc.categorical_column_with_vocabulary_list(name, ["u", "v"]) for name in names]
    problem = Problem(dataset=planted.dataset, linear_feature_columns=columns)
    export.write(str(tmp_path), models.build(problem), problem.head)
    served = tf.saved_model.load(str(tmp_path)).signatures["serving_default"]
    assert sorted(served.structured_input_signature[1]) == sorted(names.values())
    found = served(**{name: tf.constant(["u", ""]) for name in names.values()})
    assert found["logits"].shape == (2, 1)
    assert json.loads((tmp_path / "features.json").read_text()) == names


def test_names_that_would_clash_are_refused() -> None:
    with pytest.raises(Refusal) as refusal:
        export.signature_names(["a b", "a-b"])
    assert str(refusal.value) == (
        "export: features 'a b' and 'a-b' would both be named 'a_b' in the exported model; rename one."
    )


def test_names_that_would_clash_are_refused_before_the_data_are_read(tmp_path: Path) -> None:
    def unread(split: str) -> tf.data.Dataset:
        raise AssertionError(split)

    columns = [fc.categorical_column_with_identity(key, 4) for key in ("a b", "a-b")]
    problem = Problem(dataset=unread, linear_feature_columns=columns)
    with pytest.raises(Refusal, match="would both be named 'a_b'"):
        steps.opened(trips.planned(tmp_path / "run", problem))


def test_a_model_of_counts_answers_the_mean_times_the_exponential_of_its_logits(
    model: keras.Model, tmp_path: Path
) -> None:
    export.write(str(tmp_path), model, PoissonRegressionHead(12.5))
    served = tf.saved_model.load(str(tmp_path)).signatures["serving_default"](**features())
    assert list(served) == ["predictions"]
    np.testing.assert_allclose(served["predictions"], 12.5 * np.exp(model(features())), rtol=1e-5)


# Serialized examples


def example(**values: Any) -> bytes:
    """A serialized Example of lists of texts, whole numbers or floats."""
    features = {}
    for key, given in values.items():
        listed = given if isinstance(given, list) else [given]
        if isinstance(listed[0], str):
            feature = tf.train.Feature(bytes_list=tf.train.BytesList(value=[text.encode() for text in listed]))
        elif isinstance(listed[0], float):
            feature = tf.train.Feature(float_list=tf.train.FloatList(value=listed))
        else:
            feature = tf.train.Feature(int64_list=tf.train.Int64List(value=listed))
        features[key] = feature
    found: bytes = tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()
    return found


def answered(folder: Path, *examples: bytes) -> dict[str, Any]:
    found: dict[str, Any] = tf.saved_model.load(str(folder)).signatures["parse_examples"](
        examples=tf.constant(examples)
    )
    return found


def test_serialized_examples_are_answered_as_their_features_are(model: keras.Model, folder: Path) -> None:
    raw, _ = planted.rows("test", 50)
    rows = zip(raw["day"], raw["hour"].tolist(), raw["distance"].tolist(), strict=True)
    found = answered(folder, *(example(day=day, hour=hour, distance=miles) for day, hour, miles in rows))
    np.testing.assert_allclose(found["logits"], model(features()), atol=1e-6)
    assert set(found) == {"logits", "probabilities"}


def test_a_feature_that_an_example_lacks_is_missing(model: keras.Model, folder: Path) -> None:
    found = answered(folder, example(distance=5.0), example(day="Caturday", hour=3, distance=5.0))
    raw = {"day": ["", "Caturday"], "hour": tf.constant([-1, 3], tf.int64), "distance": [5.0, 5.0]}
    expected = model({key: tf.constant(values) for key, values in raw.items()})
    np.testing.assert_allclose(found["logits"], expected, atol=1e-6)


def test_a_number_without_a_default_that_an_example_lacks_is_refused(folder: Path) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="distance"):
        answered(folder, example(day="Mon", hour=3))


def test_several_values_where_one_is_wanted_are_refused(folder: Path) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="an example has several values of"):
        answered(folder, example(day="Mon", hour=[3, 4], distance=5.0))


def test_examples_are_parsed_as_make_parse_example_spec_says(model: keras.Model) -> None:
    expected = fc.make_parse_example_spec(planted.PROBLEM.columns)
    assert spec_of(model.inputs, planted.PROBLEM.columns) == expected


def test_a_bag_with_weights_and_numbers_with_defaults_are_parsed_too(tmp_path: Path) -> None:
    words = fc.categorical_column_with_vocabulary_list("words", ["a", "b", "c"])
    columns = [
        fc.embedding_column(fc.weighted_categorical_column(words, "amounts"), 3, name="words"),
        fc.numeric_column("sizes", (2,), default_value=(1.0, 2.0)),
    ]
    problem = Problem(dataset=planted.dataset, dnn_feature_columns=columns, dnn_hidden_units=[4])
    keras.utils.set_random_seed(0)
    model = models.build(problem)
    export.write(str(tmp_path), model, problem.head)
    rows: list[dict[str, Any]] = [
        {"words": ["a", "z", "c"], "amounts": [0.5, 2.0, 1.0], "sizes": [3.0, 4.0]},
        {"words": ["b"], "amounts": [0.25]},
        {"sizes": [5.0, 6.0]},
    ]
    found = answered(tmp_path, *(example(**row) for row in rows))
    raw = {
        "words": tf.ragged.constant([row.get("words", []) for row in rows], dtype=tf.string),
        "amounts": tf.ragged.constant([row.get("amounts", []) for row in rows], dtype=tf.float32),
        "sizes": tf.constant([row.get("sizes", [1.0, 2.0]) for row in rows]),
    }
    np.testing.assert_allclose(found["logits"], model(raw), atol=1e-6)
    alone = answered(tmp_path, example(sizes=[5.0, 6.0]))  # no example of this batch has a word
    np.testing.assert_allclose(alone["logits"], found["logits"][2:], atol=1e-6)


def test_a_model_of_ones_own_is_parsed_by_its_inputs(tmp_path: Path) -> None:
    raw = {
        "name": keras.Input((), dtype="string", name="name"),
        "age": keras.Input((), dtype="float32", name="age"),
        "size": keras.Input((2,), dtype="float32", name="size"),
    }
    name = layers.DenseFeatures([fc.indicator_column(fc.categorical_column_with_vocabulary_list("name", ["a", "b"]))])
    age = keras.layers.Reshape((1,))(raw["age"])
    total = keras.layers.Concatenate()([name({"name": raw["name"]}), age, raw["size"]])
    model = keras.Model(raw, keras.layers.Dense(1)(total))
    export.write(str(tmp_path), model, RegressionHead())
    found = answered(tmp_path, example(name="b", age=2.0, size=[3.0, 4.0]), example(age=0.0, size=[0.0, 1.0]))
    given = {"name": tf.constant(["b", ""]), "age": tf.constant([2.0, 0.0]), "size": tf.constant([[3.0, 4], [0, 1]])}
    np.testing.assert_allclose(found["predictions"], model(given), atol=1e-6)


# Classes with names


@pytest.mark.parametrize(
    "head", [MultiClassHead(3, label_vocabulary=["a", "b", "c"]), BinaryHead(label_vocabulary=["no", "yes"])]
)
def test_classes_are_answered_by_name_where_they_have_names(head: Head, tmp_path: Path) -> None:
    problem = planted.problem(head=head)
    keras.utils.set_random_seed(0)
    model = models.build(problem)
    export.write(str(tmp_path), model, head)
    served = tf.saved_model.load(str(tmp_path)).signatures["serving_default"](**features())
    logits = model(features()).numpy()
    ids = logits.argmax(axis=1) if head.units > 1 else (logits[:, 0] > 0).astype(int)
    assert served["class_ids"].numpy().tolist() == ids.tolist()
    assert served["classes"].numpy().tolist() == [(head.label_vocabulary or [])[each].encode() for each in ids]


# What the page says


def test_the_json_that_the_page_shows_is_answered_as_it_shows(folder: Path) -> None:
    asked, answered_json, by_examples = (json.loads(text) for text in JSON)
    signatures = tf.saved_model.load(str(folder)).signatures
    names = list(asked["instances"][0])
    specs = signatures["serving_default"].structured_input_signature[1]
    tensors = {name: tf.constant([row[name] for row in asked["instances"]], specs[name].dtype) for name in names}
    found = signatures["serving_default"](**tensors)
    (shown,) = answered_json["predictions"]
    assert {name: found[name].shape[1:] for name in found} == {name: np.shape(shown[name]) for name in shown}
    (serialized,) = (base64.b64decode(row["examples"]["b64"]) for row in by_examples["instances"])
    assert by_examples["signature_name"] == "parse_examples"
    np.testing.assert_allclose(answered(folder, serialized)["logits"], found["logits"], atol=1e-6)


def test_an_environment_with_tensorflow_alone_loads_the_exported_model_and_answers(
    model: keras.Model, folder: Path, tmp_path: Path
) -> None:
    python = environments.linked(tmp_path / "venv", "tensorflow")
    raw = {"day": ["Mon", "", "Caturday"], "hour": [8, -1, 3], "distance": [500.0, 10.0, 20.0]}
    examples = [example(day="Mon", hour=8, distance=500.0).hex()]
    code = (
        "import importlib.util, json, sys, tensorflow as tf\n"
        "found = [name for name in ('trainer', 'pyarrow', 'tensorflow_datasets') if importlib.util.find_spec(name)]\n"
        "assert found == []\n"
        f"signatures = tf.saved_model.load({str(folder)!r}).signatures\n"
        f"raw, examples = {raw!r}, {examples!r}\n"
        "given = {key: tf.constant(values) for key, values in raw.items()}\n"
        "given['hour'] = tf.cast(given['hour'], tf.int64)\n"
        "first = signatures['serving_default'](**given)['logits'].numpy().tolist()\n"
        "second = signatures['parse_examples'](examples=tf.constant([bytes.fromhex(each) for each in examples]))\n"
        "print(json.dumps([first, second['logits'].numpy().tolist()]))\n"
    )
    done = subprocess.run([python, "-I", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    first, second = json.loads(done.stdout)
    given = {key: tf.constant(values) for key, values in raw.items()} | {"hour": tf.constant(raw["hour"], tf.int64)}
    np.testing.assert_allclose(first, model(given), atol=1e-6)
    np.testing.assert_allclose(second, first[:1], atol=1e-6)
