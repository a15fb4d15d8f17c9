"""The Estimator's words for a warm start, held against what tensorflow 2.15 itself made of them."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from shutil import copy
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from tests.estimators import migrated, warm_starts
from tests.estimators.warm_starts import CASES, CLASSES, DAYS, OTHER_CLASSES, RENAMED, SHARED, TABLE
from trainer import feature_column as fc
from trainer import models
from trainer.errors import Refusal
from trainer.heads import MultiClassHead
from trainer.layers import DenseFeatures
from trainer.migration import VocabInfo, WarmStartSettings, warm_start_model, warm_started
from trainer.migration.estimator.arguments import taken
from trainer.migration.estimator.checkpoint import opened
from trainer.migration.estimator.places import places
from trainer.migration.estimator.slots import slots
from trainer.models import build
from trainer.problem import Problem

FOLDER = Path(warm_starts.__file__).parent / "warm_started"
STARTED = json.loads((FOLDER / "started.json").read_text(encoding="utf-8"))
CHECKPOINT = opened(str(FOLDER), "test")


def columns(days: Any = DAYS, oov: int = 2, key: str = "day", classes: Any = None) -> list[Any]:
    """The embedding columns of a case's model."""
    del classes
    day = fc.categorical_column_with_vocabulary_list(key, days, num_oov_buckets=oov)
    hours = [fc.categorical_column_with_identity(name, 6) for name in ("leaves", "lands")]
    return [fc.embedding_column(day, 3), *fc.shared_embeddings(hours, 2, shared_embedding_collection_name=SHARED)]


def settings(arguments: Mapping[str, Any] | None) -> Any:
    """What a case gives as `warm_start_from=`."""
    if arguments is None:
        return str(FOLDER)
    infos = arguments.get("var_name_to_vocab_info")
    changed = {"var_name_to_vocab_info": {name: info(**given) for name, given in infos.items()}} if infos else {}
    return WarmStartSettings(FOLDER, **{**arguments, **changed})


def info(backup_initializer: float | None = None, **given: Any) -> VocabInfo:
    files = {name: FOLDER / f"{given[name]}.txt" for name in ("new_vocab", "old_vocab")}
    backup = None if backup_initializer is None else tf.compat.v1.constant_initializer(backup_initializer)
    return VocabInfo(**{**given, **files}, backup_initializer=backup)


def tables(made: Any) -> dict[str, Any]:
    """What the tables of columns start from."""
    layer = DenseFeatures(made)
    layer.build()
    return {name: np.asarray(table.table) for name, table in layer.tables.items()}


TABLES = [
    case
    for case, (_, arguments) in CASES.items()
    if {name for given in (arguments or {}).values() if isinstance(given, dict) for name in given} <= {TABLE, RENAMED}
]


@pytest.mark.parametrize("case", TABLES)
def test_tables_start_as_those_of_the_estimator(case: str) -> None:
    model, arguments = CASES[case]
    given, there = columns(**model), STARTED[case]
    made = warm_started(given, settings(arguments))
    here = tables(made)
    for name, old in ((RENAMED if model.get("key") else TABLE, "day_embedding"), (SHARED, "lands_shared_embedding")):
        table = next(column.table for column in given if column.name.endswith(old))
        if next(column for column in made if column.table == table).ckpt_to_load_from:
            np.testing.assert_array_equal(here[table], np.float32(there[name]))
        else:
            assert started_anew(there, name)
    assert sum(bool(column.ckpt_to_load_from) for column in made) == {"names": 2, "everything": 3}.get(case, 1)


def started_anew(there: Mapping[str, Any], name: str) -> bool:
    """Tells whether the Estimator drew a variable anew."""
    old = np.asarray(STARTED["everything"][name])
    return np.shape(there[name]) != old.shape or not np.isclose(there[name], old).any()


def test_the_tables_of_the_cases_are_some_of_them_and_all_cases_select_something() -> None:
    assert len(TABLES) == len(CASES) - 2  # the others name layers too, which columns have not
    assert STARTED.keys() == CASES.keys()


def test_a_column_says_what_it_starts_from() -> None:
    model, arguments = CASES["some words of old"]
    day, *hours = warm_started(columns(**model), settings(arguments))
    assert day.ckpt_to_load_from == str(FOLDER)
    assert day.tensor_name_in_ckpt == TABLE
    assert day.old_vocabulary == ("Mon", *["\n"] * 8)  # of four old words one is among the new
    assert day.on_missing_rows == "initializer"
    assert day.initializer.get_config()["value"] == -0.5
    assert hours == columns(**model)[1:]


def test_other_columns_stay_in_their_places() -> None:
    miles, (day, *_) = fc.numeric_column("miles"), columns()
    first, second = warm_started([miles, day], str(FOLDER))
    assert first is miles
    assert second.tensor_name_in_ckpt == TABLE


def test_a_table_that_is_not_trained_starts_by_a_list_alone() -> None:
    frozen = replace(columns()[0], trainable=False)
    (made,) = warm_started([frozen], WarmStartSettings(FOLDER, [".*"]))
    assert made.tensor_name_in_ckpt == TABLE
    assert not WarmStartSettings(FOLDER).selects(TABLE, trainable=False)


def test_a_saved_model_is_taken_as_the_estimator_takes_it(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").touch()
    (tmp_path / "variables").mkdir()
    for file in FOLDER.glob("model.ckpt-10.*"):
        copy(file, tmp_path / "variables" / f"variables{file.suffix}")
    made = warm_started(columns(), tmp_path)
    np.testing.assert_array_equal(tables(made)["day"], np.float32(STARTED["everything"][TABLE]))


def test_ids_that_are_numbers_already_start_by_the_words_they_stood_for() -> None:
    given = [fc.embedding_column(fc.categorical_column_with_identity("day", 6), 3)]
    made = warm_started(given, settings(CASES["some words of old"][1]))
    np.testing.assert_array_equal(tables(made)["day"], np.float32(STARTED["some words of old"][TABLE]))


def test_vocabularies_may_be_lists_and_tensorflows_own_vocab_info_is_taken() -> None:
    theirs = tf.compat.v1.train.VocabInfo(warm_starts.OTHER_DAYS, 5, 1, DAYS)
    (made,) = warm_started(columns(warm_starts.OTHER_DAYS, 1)[:1], WarmStartSettings(FOLDER, None, {TABLE: theirs}))
    np.testing.assert_array_equal(tables([made])["day"], np.float32(STARTED["vocabularies alone"][TABLE]))
    assert VocabInfo(*theirs) == VocabInfo(warm_starts.OTHER_DAYS, 5, 1, DAYS)


@given(st.permutations("abcdef"), st.permutations("cdefgh"), st.integers(-1, 6), st.integers(0, 2))
def test_each_new_value_has_the_place_of_the_same_old_one(old: Any, new: Any, size: int, oov: int) -> None:
    places = VocabInfo(new, 5, oov, old, size).places()
    kept = old if size == -1 else old[:size]
    assert len(places) == 5 + oov
    assert [kept[place] if place >= 0 else None for place in places] == [
        *(value if value in kept else None for value in new[:5]),
        *[None] * oov,
    ]


SELECTED: list[tuple[Any, str, bool]] = [
    (".*", "dnn/logits/bias", True),
    ("", "dnn/logits/bias", False),  # as None
    (None, "dnn/logits/bias", False),
    ("logits", "dnn/logits/bias", False),  # from the beginning of the name
    (".*bias:0", "dnn/logits/bias", True),
    (".*bias$", "dnn/logits/bias", False),  # what ends there is ":0"
    (".*/part_0", "dnn/logits/bias", True),
    ([], "dnn/logits/bias", False),
    (["linear", "dnn/log"], "dnn/logits/bias", True),
]


@pytest.mark.parametrize(("patterns", "name", "wanted"), SELECTED)
def test_a_pattern_selects_the_names_that_begin_as_it_says(patterns: Any, name: str, wanted: bool) -> None:
    assert WarmStartSettings("old", patterns).selects(name) == wanted


def problem(days: Any = DAYS, oov: int = 2, key: str = "day", classes: Any = CLASSES, **more: Any) -> Problem:
    """A case's model, in our words."""
    day = fc.categorical_column_with_vocabulary_list(key, days, num_oov_buckets=oov)
    return Problem(
        dataset=None,
        linear_feature_columns=[day, fc.numeric_column("miles")],
        dnn_feature_columns=columns(days, oov, key),
        dnn_hidden_units=[4],
        head=MultiClassHead(len(classes)),
        batch_norm=True,
        dnn_optimizer="Adagrad",
        linear_optimizer="Ftrl",
        **more,
    )


def values(found: Iterable[Any]) -> list[Any]:
    return [np.asarray(place.variable)[place.first : place.first + place.shape[0]] for place in found]


@pytest.mark.parametrize("case", CASES)
def test_a_model_starts_as_that_of_the_estimator_and_keeps_the_rest(case: str) -> None:
    model, arguments = CASES[case]
    declared, there = problem(**model), STARTED[case]
    built = build(declared)
    found = places(built, declared)
    before = values(found)
    started = warm_start_model(built, declared, settings(arguments))
    names = [next(name for name in place.names if name in there) for place in found]
    assert sorted(names) == sorted(there)
    for name, old, new in zip(names, before, values(found), strict=True):
        if name in started:
            np.testing.assert_array_equal(new, np.float32(there[name]))
        else:
            np.testing.assert_array_equal(new, old)
    same = {name for name in names if np.array_equal(there[name], STARTED["everything"].get(name))}
    trained = {name for name in same if len(set(np.ravel(there[name]))) > 1}  # and not as all variables start
    assert trained <= set(started)


def test_a_list_of_patterns_starts_what_optimizers_keep() -> None:
    declared = problem()
    built = build(declared)
    assert warm_start_model(built, declared, WarmStartSettings(FOLDER, ["training/Adagrad/dnn/logits"])) == []
    kept = [each for place in places(built, declared) for each in slots(built, place, place.names[0], CHECKPOINT)]
    first = [np.asarray(slot.variable) for slot in kept if "Adagrad/dnn/logits" in slot.names[0]]
    assert len(first) == 2
    for slot in kept:
        old, new = CHECKPOINT.read(slot.names[0]), np.asarray(slot.variable)
        assert np.array_equal(new, old) == ("Adagrad/dnn/logits" in slot.names[0])


@pytest.mark.parametrize("name", ["v1/DNNLinearCombinedClassifier", "v1/DNNRegressor", "v2/LinearClassifier"])
def test_all_of_an_estimator_is_what_comes_over_with_it(old_estimators: Path, name: str) -> None:
    whole = migrated.model(old_estimators, name)
    arguments = taken(migrated.known(old_estimators, name)["class"], migrated.arguments(old_estimators, name))
    declared = arguments.problem(is_of_version_1=False)
    built = models.assembled(declared)
    models.compiled(built, declared, optimizer=arguments.optimizer(built, is_of_version_1=False))
    warm_start_model(built, declared, WarmStartSettings(old_estimators / name, [".*"]))
    here, there = ({each.path: np.asarray(each) for each in model.variables} for model in (built, whole))
    assert here.keys() == there.keys()
    for path, values in there.items():
        np.testing.assert_array_equal(here[path], values, err_msg=path)
    kept = [[np.asarray(each) for each in model.optimizer.variables if each.ndim] for model in (built, whole)]
    for one, other in zip(*kept, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_bias_of_other_classes_starts_too_which_tensorflow_cannot_do() -> None:
    declared = problem(classes=OTHER_CLASSES)
    built = build(declared)
    bias = VocabInfo(OTHER_CLASSES, 4, 0, CLASSES)
    assert warm_start_model(built, declared, WarmStartSettings(FOLDER, None, {"dnn/logits/bias": bias}))
    late, _, punctual = STARTED["everything"]["dnn/logits/bias"]
    assert np.asarray(built.get_layer("logits").bias).tolist() == [punctual, 0, late, 0]


def test_a_backup_initializer_draws_as_its_table_would_be_drawn() -> None:
    declared = problem(days=[f"day {number}" for number in range(1000)], oov=0)
    built = build(declared)
    drawn = {TABLE: VocabInfo(["Mon", *range(1, 1000)], 1000, 0, DAYS, -1, tf.compat.v1.truncated_normal_initializer())}
    warm_start_model(built, declared, WarmStartSettings(FOLDER, None, drawn))
    table = np.asarray(built.get_layer("dense_features").tables["day"].table)
    np.testing.assert_array_equal(table[0], np.float32(STARTED["everything"][TABLE][0]))
    assert np.std(table[1:]) == pytest.approx(0.88, abs=0.03)  # of a normal that is cut off at two


def warm(given: Any = None, *arguments: Any, **named: Any) -> Any:
    return warm_started(columns() if given is None else given, WarmStartSettings(FOLDER, *arguments, **named))


def days(*changed: Any) -> dict[str, VocabInfo]:
    return {TABLE: VocabInfo(*changed)}


def warm_model(*arguments: Any, **named: Any) -> Any:
    declared = problem()
    return warm_start_model(build(declared), declared, WarmStartSettings(FOLDER, *arguments, **named))


HASHED = [fc.embedding_column(fc.categorical_column_with_hash_bucket("day", 9), 3)]
REFUSED: list[tuple[Callable[[], Any], str]] = [
    (
        lambda: VocabInfo([], 0, 0, [], axis=2),
        "VocabInfo: axis is 0, for rows, or 1, for columns, not 2.",
    ),
    (
        lambda: WarmStartSettings(""),
        "WarmStartSettings: ckpt_to_initialize_from names a checkpoint; it is empty.",
    ),
    (
        lambda: WarmStartSettings("old", [tf.Variable(1)]),
        "WarmStartSettings: vars_to_warm_start takes patterns of names, not <tf.Variable 'Variable:0' shape=() "
        "dtype=int32, numpy=1>; give the variable's name.",
    ),
    (
        lambda: WarmStartSettings("old", "dnn("),
        "WarmStartSettings: vars_to_warm_start 'dnn(' is no pattern: missing ), unterminated subpattern at position 3.",
    ),
    (
        lambda: warm_started(columns(), 5),
        "warm_started: warm_start_from: a path or WarmStartSettings is wanted, not 5.",
    ),
    (
        lambda: warm(None, "day"),
        f"warm_started: vars_to_warm_start 'day' selects none of the tables {TABLE}, hours; give a pattern of one.",
    ),
    (
        lambda: warm([fc.numeric_column("miles")]),
        "warm_started: vars_to_warm_start '.*' selects none of the tables none; give a pattern of one.",
    ),
    (
        lambda: warm(columns(key="weekday")),
        f"warm_started: '{RENAMED}' is selected, and {FOLDER}/model.ckpt-10 has no '{RENAMED}'; did you mean "
        f"'{TABLE}'?",
    ),
    (
        lambda: warm(None, ".*", {"x": VocabInfo([], 0, 0, [])}),
        "warm_started: var_name_to_vocab_info names 'x', which does not start from the checkpoint; what does: "
        f"{TABLE}, hours, hours.",
    ),
    (
        lambda: warm(None, "hours", var_name_to_prev_var_name={"hour": "x"}),
        "warm_started: var_name_to_prev_var_name names 'hour', which does not start from the checkpoint; did you mean "
        "'hours'?",
    ),
    (
        lambda: warm(None, None, days(DAYS, 7, 2, DAYS, -1, None, 1)),
        f"warm_started: VocabInfo of '{TABLE}': the rows of a table stand for values, so axis is 0, not 1.",
    ),
    (
        lambda: warm(HASHED, None, days(DAYS, 7, 2, DAYS)),
        f"warm_started: VocabInfo of '{TABLE}': the rows of 'day' stand for hashed values, so it has no vocabulary; "
        "leave it out.",
    ),
    (
        lambda: warm(None, None, days(DAYS, 7, 1, DAYS)),
        f"warm_started: VocabInfo of '{TABLE}': new_vocab_size 7 and num_oov_buckets 1 are 8 rows, and 'day' has 9.",
    ),
    (
        lambda: warm(None, None, days(DAYS[:6], 7, 2, DAYS)),
        "warm_started: new_vocab has 6 values, and new_vocab_size is 7; give at most as many.",
    ),
    (
        lambda: warm(None, None, days(DAYS, 7, 2, DAYS, 8)),
        "warm_started: old_vocab has 7 values, and old_vocab_size is 8; give at most as many.",
    ),
    (
        lambda: warm(None, None, days(DAYS, 7, 2, "nowhere.txt")),
        "warm_started: old_vocab: there is no file nowhere.txt; give one with a value a line.",
    ),
]
OTHERS = "hours, dnn/hiddenlayer_0/kernel, dnn/hiddenlayer_0/bias, dnn/hiddenlayer_0/batchnorm_0/gamma, "
OTHERS += "dnn/hiddenlayer_0/batchnorm_0/beta, dnn/hiddenlayer_0/batchnorm_0/moving_mean, "
OTHERS += "dnn/hiddenlayer_0/batchnorm_0/moving_variance, dnn/logits/kernel, dnn/logits/bias, "
OTHERS += "linear/linear_model/day/weights, linear/linear_model/miles/weights, linear/linear_model/bias_weights"
MODELS: list[tuple[Callable[[], Any], str]] = [
    (
        lambda: warm_model("x"),
        f"warm_start_model: vars_to_warm_start 'x' selects none of {TABLE}; give a pattern of one.",
    ),
    (
        lambda: warm_model(".*", {"dnn/logits/kernal": VocabInfo([], 0, 0, [])}),
        "warm_start_model: var_name_to_vocab_info names 'dnn/logits/kernal', which does not start from the checkpoint; "
        "did you mean 'dnn/logits/kernel'?",
    ),
    (
        lambda: warm_start_model(build(problem(key="weekday")), problem(key="weekday"), FOLDER),
        f"warm_start_model: '{RENAMED}' is selected, and {FOLDER}/model.ckpt-10 has no '{RENAMED}'; did you mean "
        f"'{TABLE}'?",
    ),
    (
        lambda: warm_start_model(build(problem(oov=1)), problem(oov=1), FOLDER),
        f"warm_start_model: '{TABLE}' is 8 by 3 in the model, and '{TABLE}' 9 by 3 in {FOLDER}/model.ckpt-10; give it "
        "a VocabInfo, or leave it out of vars_to_warm_start.",
    ),
    (
        lambda: warm_model(None, {"dnn/logits/bias": VocabInfo(CLASSES, 3, 0, CLASSES, axis=1)}),
        "warm_start_model: VocabInfo of 'dnn/logits/bias': it has no columns, so axis is 0, not 1.",
    ),
    (
        lambda: warm_model(None, {"dnn/logits/bias": VocabInfo(CLASSES, 3, 1, CLASSES)}),
        "warm_start_model: VocabInfo of 'dnn/logits/bias': new_vocab_size 3 and num_oov_buckets 1 are 4, and the model "
        "has 3.",
    ),
    (
        lambda: warm_start_model(None, replace(problem(), tower=lambda features: features), FOLDER),
        "warm_start_model: a model of hidden layers is wanted, as Estimators have; the problem has one of its own.",
    ),
]


@pytest.mark.parametrize(("refused", "sentence"), [*REFUSED, *MODELS])
def test_what_cannot_start_is_refused(refused: Callable[[], Any], sentence: str) -> None:
    with pytest.raises(Refusal) as refusal:
        refused()
    told = str(refusal.value)
    assert told.replace(f", {OTHERS}", "") == sentence
