import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.errors import Refusal, TrainingFailure, nearest


def test_a_refusal_is_a_value_error_and_a_failed_run_is_not() -> None:
    assert issubclass(Refusal, ValueError)
    assert issubclass(TrainingFailure, RuntimeError)
    assert not issubclass(TrainingFailure, ValueError)


@pytest.mark.parametrize("problem", [Refusal, TrainingFailure])
def test_what_is_told_is_the_sentence_alone(problem: type[Exception]) -> None:
    assert str(problem("--seed: a whole number is wanted.")) == "--seed: a whole number is wanted."


@pytest.mark.parametrize(
    ("word", "ending"),
    [
        ("moveis", "; did you mean 'movies'?"),
        ("movie", "; did you mean 'movies'?"),
        ("flights", "; did you mean 'flights'?"),
        ("zebra", ""),
        ("", ""),
    ],
)
def test_the_nearest_name_is_suggested_or_none(word: str, ending: str) -> None:
    assert nearest(word, ["flights", "movies", "words"]) == ending


def test_names_may_be_any_iterable() -> None:
    assert nearest("b1", (f"b{number}" for number in range(2))) == "; did you mean 'b1'?"


@given(st.text(), st.lists(st.text(min_size=1), max_size=5))
def test_a_suggestion_is_one_of_the_names(word: str, names: list[str]) -> None:
    ending = nearest(word, names)
    assert ending == "" or ending in {f"; did you mean '{name}'?" for name in names}
