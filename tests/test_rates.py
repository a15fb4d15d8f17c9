"""What a problem cannot say of its optimizers."""

from typing import Any

import pytest

from trainer import rates
from trainer.errors import Refusal


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (("sine", None, {}), "Problem: learning_rate_decay is None, 'linear' or 'cosine', not 'sine'."),
        ((None, 1.0, {}), "Problem: average is a number above 0 and below 1, not 1.0."),
        ((None, None, ["Adagrad"]), "Problem: table_optimizers is a dictionary by the tables' names, not list."),
        (
            (None, None, {"word": ("Adagrad", True)}),
            "Problem: table_optimizers takes for 'word' an optimizer's name, or a pair of that and a learning rate "
            "above 0, not ('Adagrad', True).",
        ),
    ],
)
def test_what_is_no_rate_is_refused(given: tuple[Any, ...], sentence: str) -> None:
    with pytest.raises(Refusal) as refused:
        rates.check(*given)
    assert str(refused.value) == sentence


def test_a_reduction_of_losses_that_does_not_exist_is_refused() -> None:
    with pytest.raises(Refusal) as refused:
        rates.check_losses("none", False)
    assert str(refused.value) == "Problem: loss_reduction is 'mean' or 'sum', not 'none'."


def test_rates_of_every_form_are_taken() -> None:
    rates.check("cosine", 0.99, {"word": "Adagrad", "place": ("SGD", 0.5)})
