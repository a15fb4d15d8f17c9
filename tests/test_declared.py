"""What a run says of its problem, and the problem that comes back by it."""

import json
from typing import Any

import pytest

from trainer import declared, vocabulary
from trainer import feature_column as fc
from trainer.errors import Refusal
from trainer.problem import Problem


def problem(**changes: Any) -> Problem:
    """A problem whose column has its values, and so its table's width, from the data."""
    word = fc.categorical_column_with_vocabulary_list("word", fc.from_data(), num_oov_buckets=1)
    given: dict[str, Any] = {"dnn_hidden_units": (4,), "label": "y", "name": "words", **changes}
    return Problem(dataset="some", dnn_feature_columns=[fc.embedding_column(word)], **given)


def told(trained: Problem) -> tuple[Any, Any]:
    """What a run keeps of a problem, as it is read again."""
    return json.loads(json.dumps([declared.described(trained), declared.plain(trained)]))


def trained() -> Problem:
    rows = {"word": [f"w{place % 30}" for place in range(90)]}
    return problem().with_columns(vocabulary.learned(problem().columns, [rows]))


def test_values_and_widths_that_were_learned_come_back() -> None:
    made = trained()
    assert declared.restored(problem(), *told(made)).columns == made.columns
    assert made.dnn_feature_columns[0].dimension == 3  # type: ignore[attr-defined]


def test_a_problem_that_is_another_one_now_is_refused() -> None:
    with pytest.raises(Refusal, match="dnn_hidden_units"):
        declared.restored(problem(dnn_hidden_units=(8,)), *told(trained()))
