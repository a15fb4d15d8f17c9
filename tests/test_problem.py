import dataclasses
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import planted
from trainer import feature_column as fc
from trainer import problem as problems
from trainer.catalogue import Catalogue
from trainer.errors import Refusal
from trainer.inputs.dealing import HoldOut
from trainer.problem import ByDate, ByValue, EveryNthBlock, Problem, Share
from trainer.problems import bikes

hour = fc.categorical_column_with_identity("hour", 24)


def refused(**arguments: object) -> str:
    with pytest.raises(Refusal) as refusal:
        Problem(dataset="nyc_flights", **arguments)  # type: ignore[arg-type]  # mistakes are what is tested
    return str(refusal.value)


def test_every_problem_of_the_package_loads_under_its_name() -> None:
    assert "flights" in problems.names()
    for name in problems.names():
        problem = problems.load(name)
        assert problem.name == name
        assert problem.description


def test_a_problem_comes_from_a_file_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text('"""Mine. And more."""\nfrom tests.planted import PROBLEM\n')
    problem = problems.load(str(file))
    assert (problem.name, problem.description) == ("planted", "A planted answer.")
    file.write_text(
        '"""Mine.\n\nMore."""\nimport dataclasses\nfrom tests import planted\n'
        "PROBLEM = dataclasses.replace(planted.PROBLEM, name=None, description=None)\n"
    )
    problem = problems.load(str(file))
    assert (problem.name, problem.description) == ("mine", "Mine.")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("flihgts", "--problem: there is no problem 'flihgts'; did you mean 'flights'?"),
        (
            "zebra",
            "--problem: there is no problem 'zebra'; there are bikes, digits, flights, graph, homes, movies, "
            "words, or give the path of a .py file.",
        ),
        ("no.py", "--problem: there is no file no.py; give a problem's name or the path of a Python file."),
    ],
)
def test_a_problem_that_is_not_there_is_refused(name: str, sentence: str) -> None:
    with pytest.raises(Refusal) as refusal:
        problems.load(name)
    assert str(refusal.value) == sentence


def test_a_file_without_a_problem_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("PROBLEM = 3\n")
    with pytest.raises(Refusal) as refusal:
        problems.load(str(file))
    assert str(refusal.value) == f"--problem: {file} sets no PROBLEM; write PROBLEM = Problem(…) in it."


def test_a_categorical_column_is_no_deep_column() -> None:
    assert refused(dnn_feature_columns=[hour]) == (
        "Problem: dnn_feature_columns takes dense columns, not IdentityColumn 'hour'; wrap it in embedding_column or "
        "indicator_column."
    )


def test_a_problem_without_columns_is_refused() -> None:
    assert refused() == "Problem: give dnn_feature_columns, linear_feature_columns or a model; all three are absent."


def test_two_tables_under_one_name_are_refused() -> None:
    columns = [fc.embedding_column(hour, 2, name="when"), fc.embedding_column(hour, 3, name="when")]
    assert refused(dnn_feature_columns=columns) == (
        "embedding_column: two different tables are named 'when'; give one of them another name=."
    )


def test_one_table_for_hidden_layers_and_the_wide_part_is_refused() -> None:
    columns = [fc.embedding_column(hour, 1, name="when")]
    assert refused(dnn_feature_columns=columns, linear_feature_columns=columns) == (
        "Problem: table 'when' is in dnn_feature_columns and in linear_feature_columns; give one of the two embedding "
        "columns another name=."
    )


def test_one_feature_read_as_two_kinds_is_refused() -> None:
    columns = [hour, fc.categorical_column_with_hash_bucket("hour", 10)]
    assert refused(linear_feature_columns=columns) == (
        "columns: feature 'hour' is read as int64 () and, by 'hour', as string (); give both columns one dtype and "
        "shape."
    )


def test_an_unknown_decay_is_refused() -> None:
    assert refused(linear_feature_columns=[hour], learning_rate_decay="steps") == (
        "Problem: learning_rate_decay is None, 'linear' or 'cosine', not 'steps'."
    )


def test_catalogues_are_of_features_that_the_columns_read() -> None:
    hours = Catalogue(range(24), {"name": ["night"] * 24})
    given = Problem(dataset="nyc_flights", linear_feature_columns=[hour], catalogues={"hour": hours})
    assert given.catalogues == {"hour": hours}
    assert planted.problem(catalogues={"hour": lambda beside: hours}) != planted.PROBLEM
    assert hash(planted.problem(catalogues={"hour": hours})) == hash(planted.PROBLEM)
    assert refused(linear_feature_columns=[hour], catalogues={"huor": hours}) == (
        "Problem: catalogues has 'huor', which no column reads; did you mean 'hour'?"
    )
    assert refused(linear_feature_columns=[hour], catalogues={"movie": hours}) == (
        "Problem: catalogues has 'movie', which no column reads; they read hour."
    )
    assert refused(linear_feature_columns=[hour], catalogues={"hour": {"name": []}}) == (
        "Problem: catalogues takes for 'hour' a Catalogue, or a function of a catalogue.Beside that returns one, not "
        "dict."
    )
    assert refused(linear_feature_columns=[hour], catalogues=[hours]) == (
        "Problem: catalogues is a dictionary by raw feature, not list."
    )


@pytest.mark.parametrize("given", [{}, {"day_hour": "SGD"}, {"a": ("RowWiseAdagrad", 0.1), "b": ("mine.py:Mine", 1)}])
def test_tables_take_optimizers_of_their_own_and_the_problem_keeps_its_hash(given: dict[str, Any]) -> None:
    changed = planted.problem(table_optimizers=given)
    assert changed.table_optimizers == given
    assert hash(changed) == hash(planted.PROBLEM)
    assert (changed == planted.PROBLEM) == (given == {})


@pytest.mark.parametrize(
    "value", [None, 0.1, (0.1, "SGD"), ("SGD",), ("SGD", 0.0), ("SGD", -1), ("SGD", math.inf), ("SGD", True)]
)
def test_what_is_no_optimizer_of_a_table_is_refused(value: object) -> None:
    assert refused(linear_feature_columns=[hour], table_optimizers={"hour": value}) == (
        "Problem: table_optimizers takes for 'hour' an optimizer's name, or a pair of that and a learning rate above "
        f"0, not {value!r}."
    )


def test_optimizers_of_no_table_are_refused() -> None:
    assert refused(linear_feature_columns=[hour], table_optimizers=["SGD"]) == (
        "Problem: table_optimizers is a dictionary by the tables' names, not list."
    )


def test_a_sequence_is_refused_where_hidden_layers_would_take_it() -> None:
    watched = fc.embedding_column(fc.sequence_categorical_column_with_identity("watched", 10), 2)
    assert refused(dnn_feature_columns=[watched]) == (
        "Problem: column 'watched_embedding' is a sequence, which hidden layers do not take; make the model yourself, "
        "with layers.SequenceFeatures, and give it as model=."
    )


def test_a_bag_that_no_column_reads_is_refused() -> None:
    assert refused(linear_feature_columns=[hour], bags=["hours"]) == (
        "bags: no column reads a feature 'hours'; did you mean 'hour'?"
    )


def test_columns_take_the_places_of_others_deep_then_wide() -> None:
    problem = Problem("x", [fc.indicator_column(hour)], [hour])
    other = fc.categorical_column_with_identity("other", 5)
    changed = problem.with_columns([fc.indicator_column(other), other])
    assert (changed.dnn_feature_columns, changed.linear_feature_columns) == ((fc.indicator_column(other),), (other,))


def test_replacing_changes_only_embedding_columns() -> None:
    changed = planted.PROBLEM.replacing(lambda column: dataclasses.replace(column, trainable=False))
    assert not changed.embeddings["day_hour"][0].trainable
    assert changed.dnn_feature_columns[1] == planted.PROBLEM.dnn_feature_columns[1]


def held_out(how: EveryNthBlock | ByValue | Share, batches: int = 1, **features: object) -> list[bool]:
    """Which rows are held out, when they come in so many batches."""
    hold_out = HoldOut(how)
    arrays = {key: np.array_split(np.asarray(values), batches) for key, values in features.items()}
    parts = [{key: values[place] for key, values in arrays.items()} for place in range(batches)]
    masks = [hold_out(part, len(next(iter(part.values())))) for part in parts]
    return [bool(out) for mask in masks for out in mask]


@pytest.mark.parametrize("batches", [1, 2, 7, 9])
def test_every_nth_block_holds_out_whole_runs_of_a_value(batches: int) -> None:
    days = ["Mon", "Mon", "Tue", "Wed", "Wed", "Mon", "Tue"]
    mask = held_out(EveryNthBlock("day", 3), batches, day=days)
    assert mask == [False, False, False, True, True, False, False]


def test_held_out_values_are_found_in_strings_and_numbers() -> None:
    assert held_out(ByValue("month", (9, 10)), month=[1, 9, 10, 2]) == [False, True, True, False]
    assert held_out(ByValue("day", ("Tue",)), day=np.array([b"Mon", b"Tue"], object)) == [False, True]


def test_a_share_is_near_what_was_asked_for_and_always_the_same() -> None:
    mask = np.array(held_out(Share(0.1), x=np.arange(10_000)))
    assert 900 < mask.sum() < 1100
    assert mask.tolist() == held_out(Share(0.1), 13, x=np.arange(10_000))
    # Neither the first rows nor a regular grid: any hundred rows in a row hold out some and keep most.
    assert all(1 <= part.sum() <= 25 for part in mask.reshape(100, 100))


# A problem with arguments

FUNCTION = '''"""Mine. And more."""
from tests import planted

def problem(*, width: int = 16, title: str | None = None):
    """Makes it.

    Args:
        width: Of the hidden layer.
    """
    return planted.problem(dnn_hidden_units=(width,), name=title, description=None)
'''


@pytest.fixture
def with_arguments(tmp_path: Path) -> str:
    file = tmp_path / "mine.py"
    file.write_text(FUNCTION)
    return str(file)


def test_a_problem_is_made_with_its_arguments(with_arguments: str) -> None:
    problem = problems.load(with_arguments)
    assert (problem.name, problem.description, problem.dnn_hidden_units) == ("mine", "Mine. And more.", (16,))
    problem = problems.load(with_arguments, {"width": 3, "title": "narrow"})
    assert (problem.name, problem.dnn_hidden_units) == ("narrow", (3,))


def test_the_arguments_of_a_problem_are_its_flags(with_arguments: str) -> None:
    own = problems.flags_of(with_arguments)
    assert own is not None
    assert dataclasses.asdict(own()) == {"width": 16, "title": None}
    assert [field.metadata["help"] for field in dataclasses.fields(own)] == ["Of the hidden layer", ""]
    assert {field.metadata["group"] for field in dataclasses.fields(own)} == {"problem mine"}
    assert problems.flags_of("flights") is None


def test_a_file_that_sets_a_problem_has_no_flags_whatever_functions_it_has(with_arguments: str) -> None:
    Path(with_arguments).write_text(FUNCTION + "\n\nPROBLEM = problem(width=5)\n")
    assert problems.flags_of(with_arguments) is None
    assert problems.load(with_arguments).dnn_hidden_units == (5,)


def test_a_file_runs_once_for_its_flags_and_its_problem_and_again_when_it_has_changed(
    with_arguments: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(with_arguments).write_text(FUNCTION + "print('run')\n")
    problems.flags_of(with_arguments)
    problems.load(with_arguments)
    assert capsys.readouterr().out == "run\n"
    Path(with_arguments).write_text(FUNCTION.replace("16", "17"))
    os.utime(with_arguments, (1, 1))
    assert problems.load(with_arguments).dnn_hidden_units == (17,)


@pytest.mark.parametrize(
    ("text", "arguments", "sentence"),
    [
        (FUNCTION, {"widht": 3}, "--problem: FILE has no argument 'widht'; did you mean 'width'?"),
        (FUNCTION, {"x": 3}, "--problem: FILE has no argument 'x'; it has width, title."),
        ("from tests.planted import PROBLEM", {"x": 3}, "--problem: FILE has no argument 'x'; it has none."),
        (
            "def problem(*, x: int = 3): ...",
            {},
            "--problem: FILE problem() returns no Problem; return Problem(…) in it.",
        ),
        (
            "def problem(*, y: int = 3, x: int): ...",
            {"y": 2},
            "--problem: FILE: argument 'x' of problem() cannot be a flag; write it after * with a type and a default, "
            "as in (*, x: int = 3), where the type is int, float, str or bool, or one of them | None.",
        ),
    ],
)
def test_arguments_that_do_not_make_a_problem_are_refused(
    tmp_path: Path, text: str, arguments: dict[str, Any], sentence: str
) -> None:
    file = tmp_path / "own.py"
    file.write_text(text)
    with pytest.raises(Refusal) as refusal:
        problems.load(str(file), arguments)
    assert str(refusal.value) == sentence.replace("FILE", str(file))


def test_an_argument_without_a_default_may_be_given_in_python(with_arguments: str) -> None:
    Path(with_arguments).write_text(FUNCTION.replace("width: int = 16", "width: int"))
    assert problems.load(with_arguments, {"width": 3}).dnn_hidden_units == (3,)


@pytest.mark.parametrize("days", [{"train_days": 0}, {"train_days": 3, "test_days": -1}])
def test_a_window_without_days_is_refused(days: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as refusal:
        ByDate("date", **days)
    name, value = list(days.items())[-1]
    assert str(refusal.value) == f"ByDate: {name} is a whole number of at least 1, not {value}."


# Bikes


def test_few_days_hold_out_hours_and_many_hold_out_days() -> None:
    window = ByDate("date", 7, "2012-03-01")
    problem = problems.load("bikes", {"first_days": 7, "start_date": "2012-03-01"})
    assert (problem.window, problem.validation) == (window, Share(0.1))
    assert problems.load("bikes", {"first_days": 20}).validation == EveryNthBlock("date", 10)
    problem = problems.load("bikes")
    assert (problem.window, problem.validation) == (None, EveryNthBlock("date", 10))
    assert problem.embeddings["day_hour"][0].categorical_column.num_buckets == 168


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"start_date": "2012-03-01"}, "--start-date: it says where --first-days begin; give --first-days too."),
        ({"first_days": 0}, "--first-days: a whole number of at least 1 is wanted, not '0'."),
    ],
)
def test_days_of_bikes_that_say_nothing_are_refused(arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Refusal) as refusal:
        problems.load("bikes", arguments)
    assert str(refusal.value) == sentence


def test_rows_of_a_file_of_hires_become_features_with_or_without_holidays() -> None:
    rows = {
        "timestamp": np.array(["2015-01-04 13:00:00", "2015-02-28T00:00"], object),
        "cnt": np.array(["5", ""], object),
    }
    features = bikes.from_rows(rows)
    assert {key: list(values) for key, values in features.items()} == {
        "date": ["2015-01-04", "2015-02-28"],
        "day": ["Sun", "Sat"],
        "hour": [13, 0],
        "month": [1, 2],
        "is_holiday": ["0", "0"],
        "cnt": ["5", ""],
    }
    assert list(bikes.from_rows({**rows, "is_holiday": ["1", "0"]})["is_holiday"]) == ["1", "0"]


def test_the_planted_hires_are_those_of_one_week_of_120_days() -> None:
    train, test = bikes.planted("train"), bikes.planted("test")
    assert {len(values) for values in train.values()} == {96 * 24}
    assert {len(values) for values in test.values()} == {24 * 24}
    assert (train["date"][0], train["day"][0], test["date"][-1]) == ("2001-01-01", "Mon", "2001-04-30")
    assert set(train["date"]).isdisjoint(test["date"])
    at = (train["day"] == "Tue") & (train["hour"] == 8)
    assert abs(train["cnt"][at].mean() - bikes.planted_mean(1, 8)) < 30
    assert bikes.planted("train")["cnt"].tolist() == train["cnt"].tolist()
