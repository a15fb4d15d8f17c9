import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer import flags
from trainer.errors import Refusal
from trainer.flags import flag


@dataclass(frozen=True)
class Dish:
    name: str = flag("soup", "what it is called, 100% sure", "NAME")
    guests: int | None = flag(None, "how many eat it", "N", least=1)
    spoons: int = flag(2, "how many spoons", "N", least=0)
    salt: float | None = flag(None, "in grams", "X", least=0)
    colour: str = flag("red", "of the plate", choices=("red", "green"), group="looks")
    warm: bool = flag(True, "heat it")
    dry_run: bool = flag(False, "cook nothing")
    side_dish: tuple[str, ...] = flag((), "what goes with it; repeatable", "NAME")
    herbs: tuple[str, ...] = flag((), "in it; repeatable", "HERB", takes_several=True)
    grams: tuple[str, ...] = flag((), "of an ingredient; repeatable", "WHAT=N", is_pair=True)


def parse(*argv: str) -> dict[str, Any]:
    return flags.parse(Dish, argv, "cook", "Cooks.")


def test_only_what_is_given_is_returned() -> None:
    assert parse() == {}
    assert parse("--name", "stew") == {"name": "stew"}


def test_a_pair_may_be_written_as_a_flag_of_its_own_as_a_tuning_service_writes_it() -> None:
    words = ["--grams.sea_salt", "3", "--grams.oil=5", "--grams", "rice=90", "--grams=a.b=1"]
    assert parse(*words) == {"grams": ("sea_salt=3", "oil=5", "rice=90", "a.b=1")}
    assert flags.without([*words, "--name", "x"], ["grams"]) == ["--name", "x"]
    with pytest.raises(Refusal) as refusal:
        parse("--name.first", "x")
    assert str(refusal.value) == "cook: there is no flag --name.first; did you mean '--name'?"


def test_values_have_the_type_of_their_field() -> None:
    assert parse("--guests", "3", "--salt=0.5", "--colour", "green") == {"guests": 3, "salt": 0.5, "colour": "green"}


@pytest.mark.parametrize("text", ["512", "512.0", "512.", "5.12e2", "+512"])
def test_a_whole_number_may_be_written_as_a_tuning_service_writes_it(text: str) -> None:
    found = parse("--spoons", text)["spoons"]
    assert (found, type(found)) == (512, int)


@pytest.mark.parametrize("text", ["2.5", "nan", "inf", "1e999", "two", ""])
def test_what_is_no_whole_number_is_refused(text: str) -> None:
    with pytest.raises(Refusal) as refusal:
        parse("--spoons", text)
    assert str(refusal.value) == f"--spoons: a whole number of at least 0 is wanted, not '{text}'."


@pytest.mark.parametrize("text", ["-3", "-0.5", "-1e-05", "-2.5E+3", "-.5e1"])
def test_a_number_below_zero_is_a_value_and_no_flag(text: str) -> None:
    made = flags.of_function(_shifted, "a", "b")
    assert flags.parse(made, ["--shift", text], "cook", "Cooks.") == {"shift": float(text)}
    assert flags.glance(made, ["--shift", text, "--more"], ["shift"]) == {"shift": float(text)}


def _shifted(*, shift: float = 0.0) -> None: ...


def test_values_of_flags_have_their_kind_and_their_least() -> None:
    assert flags.values_of(Dish) == {
        "name": (str, None),
        "guests": (int, 1),
        "spoons": (int, 0),
        "salt": (float, 0),
        "colour": (str, None),
        "warm": (bool, None),
        "dry_run": (bool, None),
    }


def test_a_repeated_flag_of_a_tuple_keeps_the_order() -> None:
    assert parse("--side-dish", "rice", "--side-dish=bread") == {"side_dish": ("rice", "bread")}


def test_a_flag_of_several_words_takes_those_up_to_the_next_flag_and_is_repeatable() -> None:
    found = parse("--herbs", "thyme", "bay leaf", "--warm", "--herbs=sage", "--herbs", "mint")
    assert found == {"herbs": ("thyme", "bay leaf", "sage", "mint"), "warm": True}
    with pytest.raises(Refusal, match=r"^--herbs: expected at least one argument\.$"):
        parse("--herbs", "--warm")


def test_a_switch_that_is_on_can_be_put_off_and_the_other_way_round() -> None:
    assert parse("--no-warm", "--dry-run") == {"warm": False, "dry_run": True}
    assert parse("--warm") == {"warm": True}


def test_dashes_and_underscores_are_the_same_in_a_flag_and_stay_in_a_value() -> None:
    assert parse("--side_dish", "a_b", "--side_dish=--c_d", "--dry_run") == parse(
        "--side-dish", "a_b", "--side-dish=--c_d", "--dry-run"
    )


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["--gests", "3"], "cook: there is no flag --gests; did you mean '--guests'?"),
        (["--gests=3"], "cook: there is no flag --gests; did you mean '--guests'?"),
        (["--no-warn"], "cook: there is no flag --no-warn; did you mean '--no-warm'?"),
        (["--zzzzzz"], "cook: there is no flag --zzzzzz; --help lists the flags."),
        (["--nam", "stew"], "cook: there is no flag --nam; did you mean '--name'?"),
        (["stew"], "cook: 'stew' belongs to no flag; flags start with '--', as in --name soup."),
        (["--warm", "false"], "cook: 'false' belongs to no flag; flags start with '--', as in --name soup."),
        (["--name"], "--name: expected one argument."),
        (["--name", "--dry-run"], "--name: expected one argument."),
        (["--guests", "0"], "--guests: a whole number of at least 1 is wanted, not '0'."),
        (["--guests", "1.5"], "--guests: a whole number of at least 1 is wanted, not '1.5'."),
        (["--spoons", "-1"], "--spoons: a whole number of at least 0 is wanted, not '-1'."),
        (["--salt", "0"], "--salt: a number above 0 is wanted, not '0'."),
        (["--salt", "nan"], "--salt: a number above 0 is wanted, not 'nan'."),
        (["--salt", "inf"], "--salt: a number above 0 is wanted, not 'inf'."),
        (["--salt", "much"], "--salt: a number above 0 is wanted, not 'much'."),
        (["--colour", "gren"], "--colour: there is no 'gren'; did you mean 'green'?"),
        (["--colour", "blue"], "--colour: there is no 'blue'; it is one of red, green."),
    ],
)
def test_what_cannot_be_used_is_refused(argv: list[str], sentence: str) -> None:
    with pytest.raises(Refusal) as refusal:
        parse(*argv)
    assert str(refusal.value) == sentence


def test_help_names_each_flag_and_its_default_under_its_heading(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        flags.parse(Dish, ["--help"], "cook", "Cooks.", "Enjoy.")
    shown = capsys.readouterr().out
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    assert end.value.code == 0
    assert "Cooks." in lines
    assert lines[-1] == "Enjoy."
    assert "--name NAME what it is called, 100% sure (default soup)" in lines
    assert "--guests N how many eat it" in lines
    assert "--warm, --no-warm heat it (default true)" in lines
    assert lines[lines.index("looks:") + 1] == "--colour STR of the plate (default red)"


def test_two_dataclasses_make_one_command_line_and_stay_as_they_are() -> None:
    @dataclass(frozen=True)
    class Table:
        name: str = flag("oak", "of the wood")
        legs: int = flag(4, "it stands on", least=3)

    both = flags.together("Meal", [Dish, Table])
    given = flags.parse(both, ["--legs", "3", "--guests", "2", "--name", "elm"], "eat", "Eats.")
    assert given == {"legs": 3, "guests": 2, "name": "elm"}
    assert both(**given).spoons == 2
    assert both.__name__ == "Meal"
    assert [field.name for field in dataclasses.fields(Table)] == ["name", "legs"]


VALUES = {
    "name": st.text(),
    "guests": st.integers(1),
    "salt": st.floats(0, exclude_min=True, allow_infinity=False),
    "side_dish": st.lists(st.text(), min_size=1, max_size=3).map(tuple),
}


@given(st.fixed_dictionaries({}, optional=VALUES))
def test_any_value_arrives_as_typed(values: dict[str, Any]) -> None:
    assert parse(*command_line(values)) == values


@given(st.fixed_dictionaries({}, optional=VALUES), st.sets(st.sampled_from(sorted(VALUES))))
def test_a_command_line_without_some_flags_gives_the_others(values: dict[str, Any], dropped: set[str]) -> None:
    kept = flags.without(command_line(values), dropped)
    assert parse(*kept) == {name: value for name, value in values.items() if name not in dropped}


def test_a_dropped_flag_takes_its_next_word_along_and_no_other() -> None:
    argv = ["--side_dish", "rice", "--dry-run", "--name=a b", "--side-dish", "bread", "--guests", "3"]
    assert flags.without(argv, ["side_dish"]) == ["--dry-run", "--name=a b", "--guests", "3"]


def command_line(values: dict[str, Any]) -> list[str]:
    listed = {name: value if isinstance(value, tuple) else (value,) for name, value in values.items()}
    return [f"{flags.flag_name(name)}={value}" for name, several in listed.items() for value in several]


def cooked(
    *, minutes: int = 10, salt: float = 0.5, warm: bool = True, sharp: bool = False, by: str | None = None
) -> str:
    """Cooks.

    It takes a while.

    Args:
        minutes: How long it
            takes: on a small fire.
        warm: Whether it is
            eaten warm.

    Returns:
        by: no argument.
    """
    return f"{minutes} {salt} {warm} {sharp} {by}"


COOKED = flags.of_function(cooked, "kitchen", "problem soup")


def test_keyword_arguments_of_a_function_are_flags_of_their_type() -> None:
    given = flags.parse(COOKED, ["--minutes", "3", "--salt=1", "--no-warm", "--sharp", "--by", "me"], "cook", "")
    assert given == {"minutes": 3, "salt": 1.0, "warm": False, "sharp": True, "by": "me"}
    assert cooked(**given) == "3 1.0 False True me"
    assert cooked(**dataclasses.asdict(COOKED())) == cooked()


def test_the_help_of_an_argument_is_what_the_docstring_says_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        flags.parse(COOKED, ["--help"], "cook", "Cooks.")
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines[lines.index("problem soup:") + 1 :] == [
        "--minutes N How long it takes: on a small fire (default 10)",
        "--salt X (default 0.5)",
        "--warm, --no-warm Whether it is eaten warm (default true)",
        "--sharp",
        "--by TEXT",
    ]


def positional(minutes: int = 3) -> None: ...


def without_default(*, minutes: int) -> None: ...


def without_type(*, minutes=3) -> None: ...  # type: ignore[no-untyped-def]  # the mistake that is tested


def of_another_type(*, minutes: tuple[int, ...] = ()) -> None: ...


def of_two_types(*, minutes: int | str = 3) -> None: ...


def of_a_list(*, minutes: list[int] = (1, 2)) -> None: ...  # type: ignore[assignment]  # the mistake that is tested


def of_any_number(**minutes: int) -> None: ...


@pytest.mark.parametrize(
    "function", [positional, without_default, without_type, of_another_type, of_two_types, of_a_list, of_any_number]
)
def test_an_argument_that_cannot_be_a_flag_is_refused(function: Callable[..., None]) -> None:
    with pytest.raises(Refusal) as refusal:
        flags.of_function(function, "--problem: mine.py", "problem mine")
    assert str(refusal.value) == (
        f"--problem: mine.py: argument 'minutes' of {function.__name__}() cannot be a flag; write it after * with a "
        "type and a default, as in (*, minutes: int = 3), where the type is int, float, str or bool, or one of them "
        "| None."
    )


def with_a_list(*, minutes: int = []) -> None: ...  # type: ignore[assignment]  # the mistake


def with_a_fraction(*, minutes: int | None = 0.5) -> None: ...  # type: ignore[assignment]  # the mistake


def of_no_type_that_is_known(*, minutes: "Minutes" = 3) -> None: ...  # type: ignore[name-defined]  # noqa: F821


def twice_off(*, salt_it: bool = True, no_salt_it: bool = False) -> None: ...


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (
            with_a_list,
            "argument 'minutes' of with_a_list() has the default [], which is no int; give it one that is.",
        ),
        (
            with_a_fraction,
            "argument 'minutes' of with_a_fraction() has the default 0.5, which is no int; give it one that is.",
        ),
        (
            of_no_type_that_is_known,
            "a type of of_no_type_that_is_known() cannot be read (name 'Minutes' is not defined); name types that its "
            "file knows.",
        ),
        (twice_off, "'salt_it' and 'no_salt_it' of twice_off() are both the flag --no-salt-it; rename one of them."),
    ],
)
def test_arguments_that_would_make_no_or_one_flag_are_refused(function: Callable[..., None], sentence: str) -> None:
    with pytest.raises(Refusal) as refusal:
        flags.of_function(function, "--problem: mine.py", "problem mine")
    assert str(refusal.value) == f"--problem: mine.py: {sentence}"


def mixed(*, salt: float = 1, by: Optional[str] = None, no_salt: bool = True) -> None: ...  # noqa: UP045  # older


def test_a_whole_number_is_the_default_of_a_float_and_none_of_an_optional_type() -> None:
    made = flags.of_function(mixed, "kitchen", "problem soup")
    assert flags.parse(made, ["--salt", "2", "--no-no-salt"], "cook", "") == {"salt": 2.0, "no_salt": False}
    assert dataclasses.asdict(made()) == {"salt": 1, "by": None, "no_salt": True}


def of_another_flag(*, no_warm: int = 3) -> None: ...


def test_an_argument_that_is_another_flag_of_the_command_is_refused() -> None:
    both = flags.together("Both", [Dish, flags.of_function(of_another_flag, "kitchen", "problem soup")])
    with pytest.raises(Refusal) as refusal:
        flags.parse(both, [], "cook", "")
    assert str(refusal.value) == "--no-warm: another setting has this flag; rename the argument."


def test_a_glance_sees_some_flags_whatever_else_is_there() -> None:
    argv = ["--foo", "3", "--help", "-h", "--guests", "none", "--side_dish=rice", "bar", "--name", "stew"]
    assert flags.glance(Dish, argv, ["name", "side_dish"]) == {"name": "stew", "side_dish": ("rice",)}
    assert flags.glance(Dish, [], ["name"]) == {}
    with pytest.raises(Refusal) as refusal:
        flags.glance(Dish, ["--name"], ["name"])
    assert str(refusal.value) == "--name: expected one argument."


def test_a_field_without_a_group_is_no_flag_and_its_dictionary_is_its_own() -> None:
    @dataclass(frozen=True)
    class Shelf:
        width: int = flag(3, "in feet")
        books: Mapping[str, int] = flag({"a": 1}, "what stands on it", group=None)

    with pytest.raises(Refusal) as refusal:
        flags.parse(Shelf, ["--books", "3"], "shelve", "")
    assert str(refusal.value) == "shelve: there is no flag --books; --help lists the flags."
    assert Shelf() == Shelf()
    assert Shelf().books is not Shelf().books
    assert hash(Shelf()) == hash(Shelf(books={}))


def test_a_flag_that_is_known_elsewhere_is_refused_with_what_is_said_there() -> None:
    def elsewhere(word: str) -> str | None:
        return f"{word} is the waiter's." if word == "--tip" else None

    for argv, sentence in (
        (["--tip=3"], "cook: --tip is the waiter's."),
        (["--gests", "3"], "cook: there is no flag --gests; did you mean '--guests'?"),
    ):
        with pytest.raises(Refusal) as refusal:
            flags.parse(Dish, argv, "cook", "", elsewhere=elsewhere)
        assert str(refusal.value) == sentence
