"""What a problem declares to be searched, and what of it is refused."""

import dataclasses
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import planted
from trainer import declared, flags
from trainer import problem as problems
from trainer.errors import Refusal
from trainer.problem import Range
from trainer.search import SEARCHED, Searched, left
from trainer.settings import RUN_ONLY, Settings

OWN = '''"""A problem with arguments of its own."""
from tests import planted
from trainer.problem import Range


def problem(*, width: int = 4, share: float | None = None, kind: str = "wide", deep: bool = False):
    """Returns it.

    Args:
        width: of the table.
    """
    return planted.problem(search={search})
'''


def own(tmp_path: Path, search: str) -> str:
    """A problem file that declares a search."""
    file = tmp_path / "mine.py"
    file.write_text(OWN.replace("{search}", search))
    return str(file)


def refused(make: Any) -> str:
    with pytest.raises(Refusal) as refusal:
        make()
    return str(refusal.value)


# Ranges


def test_a_range_of_whole_ends_has_whole_numbers_and_any_other_has_floats() -> None:
    assert Range(2, 64).is_whole
    assert [Range(2, 64.0).is_whole, Range(0.5, 0.9).is_whole] == [False, False]


def test_the_middle_of_a_range_is_half_way_on_its_scale() -> None:
    assert [Range(0, 10).middle, Range(1, 100, "log").middle, Range(-1.0, 0.0).middle] == [5, 10, -0.5]
    assert isinstance(Range(2, 64, "log").middle, int)
    assert Range(3e-4, 3e-2, scale="log").middle == 0.003
    assert Range(1e-300, 1e-200, scale="log").middle == 1e-250


@given(st.floats(1e-30, 1e30), st.floats(1.001, 1e30), st.sampled_from(["linear", "log"]))
def test_the_middle_lies_in_its_range(low: float, factor: float, scale: str) -> None:
    made = Range(low, low * factor, scale)
    assert made.low <= made.middle <= made.high


@given(st.integers(1, 2**40), st.integers(1, 2**40), st.sampled_from(["linear", "log"]))
def test_the_middle_of_whole_numbers_is_one_of_them(low: int, more: int, scale: str) -> None:
    made = Range(low, low + more, scale)
    assert isinstance(made.middle, int)
    assert low <= made.middle <= low + more


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((3, 1), "Range: low is below high, and 3 is not below 1."),
        ((0.1, 0.1), "Range: low is below high, and 0.1 is not below 0.1."),
        ((0, 1, "log"), "Range: a log scale has numbers above 0 alone, and low is 0; give another low."),
        ((-1.0, 1, "log"), "Range: a log scale has numbers above 0 alone, and low is -1.0; give another low."),
        ((1, 2, "logs"), "Range: there is no scale 'logs'; did you mean 'log'?"),
        ((1, 2, None), "Range: there is no scale None; it is 'linear' or 'log'."),
        (("1", 2), "Range: low is a finite number, not '1'."),
        ((1, math.inf), "Range: high is a finite number, not inf."),
        ((False, 1), "Range: low is a finite number, not False."),
    ],
)
def test_what_is_no_range_is_refused(arguments: tuple[Any, ...], sentence: str) -> None:
    assert refused(lambda: Range(*arguments)) == sentence


# The declaration


@pytest.mark.parametrize(
    ("search", "sentence"),
    [
        ([Range(1, 2)], "Problem: search is a dictionary by the names of flags, not list."),
        (
            {"learning_rate": 0.1},
            "Problem: search takes for 'learning_rate' a Range, or a list of numbers or of words, not 0.1.",
        ),
        (
            {"optimizer": "Ftrl"},
            "Problem: search takes for 'optimizer' a Range, or a list of numbers or of words, not 'Ftrl'.",
        ),
        ({"optimizer": []}, "Problem: search has no value for 'optimizer'; give a Range, numbers or words."),
        (
            {"optimizer": ("Ftrl", 3)},
            "Problem: search has numbers and words for 'optimizer'; give the one or the other.",
        ),
        ({"num_epochs": (3, 3.0)}, "Problem: search has 3 twice for 'num_epochs'; give each value once."),
        (
            {"learning_rate": (0.1, math.nan)},
            "Problem: search has nan for 'learning_rate', which is neither a finite number nor a word.",
        ),
        ({"deep": (True, False)}, "Problem: search has True for 'deep', which is neither a finite number nor a word."),
        ({"kind": ("-deep",)}, "Problem: search has '-deep' for 'kind', which is neither a finite number nor a word."),
        ({"kind": (" ",)}, "Problem: search has ' ' for 'kind', which is neither a finite number nor a word."),
    ],
)
def test_what_is_no_search_is_refused(search: Any, sentence: str) -> None:
    assert refused(lambda: planted.problem(search=search)) == sentence


def test_a_problem_keeps_its_hash_whatever_is_searched() -> None:
    made = planted.problem(search={"learning_rate": Range(1e-4, 1e-1, scale="log"), "optimizer": ["Ftrl", "SGD"]})
    assert hash(made) == hash(planted.PROBLEM)
    assert made != planted.PROBLEM


def test_a_search_changes_nothing_of_what_a_run_keeps_to_go_on_with() -> None:
    made = planted.problem(search={"learning_rate": Range(1e-4, 1e-1)})
    assert declared.plain(made) == declared.plain(planted.PROBLEM)
    assert declared.described(made) == declared.described(planted.PROBLEM)


def test_the_flags_that_can_be_searched_are_numbers_and_words_that_change_what_is_learned() -> None:
    fields = {field.name: field for field in dataclasses.fields(Settings)}
    kinds = flags.values_of(Settings)
    for name in SEARCHED:
        assert kinds[name][0] in (int, float, str)
        assert name not in RUN_ONLY
        assert fields[name].metadata["group"] in ("training", "tables")


# The names, where a problem is loaded


@pytest.mark.parametrize("name", problems.names())
def test_every_problem_of_the_package_can_be_searched(name: str) -> None:
    assert "learning_rate" in problems.load(name).search


def test_the_rate_of_few_days_of_bikes_is_no_flag_and_is_not_searched() -> None:
    assert [*problems.load("bikes", {"first_days": 14}).search] == ["train_batch_size", "num_epochs"]


def test_flags_of_the_task_and_arguments_of_the_problem_can_be_searched(tmp_path: Path) -> None:
    search = "{'learning_rate': Range(1, 2), 'width': Range(2, 64), 'share': (0.1, 1), 'kind': ['wide', 'deep']}"
    assert [*problems.load(own(tmp_path, search)).search] == ["learning_rate", "width", "share", "kind"]


def test_a_default_may_lie_outside_of_its_range(tmp_path: Path) -> None:
    assert problems.load(own(tmp_path, "{'width': Range(8, 64)}"), {"width": 2}).search


def test_the_dimension_of_a_table_and_the_widths_of_hidden_layers_can_be_searched(tmp_path: Path) -> None:
    search = "{'dimension.day_hour': (2, 8), 'hidden_units': ['64', '64,32']}"
    assert [*problems.load(own(tmp_path, search)).search] == ["dimension.day_hour", "hidden_units"]


def test_what_a_command_line_says_of_a_search_is_left_out_of_it() -> None:
    search: dict[str, Searched] = {
        "learning_rate": (0.1, 0.2),
        "dimension.day": (2, 8),
        "dimension.hour": Range(1, 3),
        "hidden_units": ("8", "16"),
    }
    assert [*left(search, Settings, ["--seed", "3"])] == [*search]
    argv = ["--dimension", "day=4", "--num-epochs", "3", "--hidden_units=9"]
    assert [*left(search, Settings, argv)] == ["learning_rate", "dimension.hour"]
    assert [*left(search, Settings, ["--dimension.hour", "4"])] == ["learning_rate", "dimension.day", "hidden_units"]


ALL = (
    "learning_rate, optimizer, train_batch_size, num_epochs, train_steps, unfreeze_after, hidden_units, "
    "dimension.day_hour"
)


@pytest.mark.parametrize(
    ("search", "ending"),
    [
        ("{'widths': Range(2, 8)}", "'widths', which cannot be searched; did you mean 'width'?"),
        (
            "{'train-batch-size': (1, 2)}",
            "'train-batch-size', which cannot be searched; did you mean 'train_batch_size'?",
        ),
        (
            "{'seed': (1, 2)}",
            f"'seed', which cannot be searched; there are {ALL}, width, share, kind, deep.",
        ),
        ("{'deep': ('yes', 'no')}", "'deep', which is yes or no and takes no value; make it a number or a word."),
        ("{'width': ('2', '8')}", "'width' among words, and it is a number; give a Range or numbers."),
        ("{'kind': (2, 8)}", "'kind' among numbers, and it is a word; give a list of words."),
        ("{'optimizer': Range(2, 8)}", "'optimizer' among numbers, and it is a word; give a list of words."),
        (
            "{'width': Range(2.0, 8)}",
            "'width' among numbers that are not whole, and it is a whole number; write 8, not 8.0.",
        ),
        (
            "{'num_epochs': (2, 3.5)}",
            "'num_epochs' among numbers that are not whole, and it is a whole number; write 8, not 8.0.",
        ),
        (
            "{'dimension.hour': (2, 8)}",
            "'dimension.hour', which cannot be searched; did you mean 'dimension.day_hour'?",
        ),
        (
            "{'dimension.day_hour': Range(0, 8)}",
            "'dimension.day_hour' down to 0, and it is at least 1; give larger numbers.",
        ),
        (
            "{'hidden_units': ('64', '64/32')}",
            "'hidden_units': --hidden-units: widths of at least 1 are wanted, as 64,32, not '64/32'.",
        ),
        ("{'num_epochs': Range(0, 3)}", "'num_epochs' down to 0, and it is at least 1; give larger numbers."),
        ("{'learning_rate': Range(0.0, 1)}", "'learning_rate' down to 0.0, and it is above 0; give larger numbers."),
    ],
)
def test_what_no_flag_takes_is_refused_where_the_problem_is_loaded(tmp_path: Path, search: str, ending: str) -> None:
    file = own(tmp_path, search)
    assert refused(lambda: problems.load(file)) == f"--problem: {file} searches {ending}"
