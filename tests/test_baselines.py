"""What the models to beat have in common."""

import numpy as np
import pytest

from trainer.baselines.results import Result, table
from trainer.baselines.strengths import strongest


@pytest.mark.parametrize("best", [0.4, 3.0, 178.0, 900.0, 20_000.0])
def test_a_strength_is_found_in_finer_and_finer_steps(best: float) -> None:
    found, tried = strongest(lambda strength: -abs(np.log10(strength / best)))
    assert abs(np.log10(found / best)) <= 0.126
    assert len(tried) == 9
    assert tried[found] == max(tried.values())


def test_the_table_has_a_row_a_model() -> None:
    metrics = {"recall@20": 0.25, "ndcg@100": 0.125}
    results = [Result("popularity", metrics, 0.0), Result("EASE, λ 178", {**metrics, "recall@20": 0.5}, 12.34)]
    assert table(results, "of 1,061 test people").splitlines() == [
        "of 1,061 test people",
        "             recall@20  ndcg@100  seconds",
        "popularity      0.2500    0.1250      0.0",
        "EASE, λ 178     0.5000    0.1250     12.3",
    ]


def test_what_is_large_has_fewer_decimals() -> None:
    results = [Result("mean", {"rmse": -0.5, "median_absolute_error": 12345.678}, 0.0)]
    assert table(results, "of 9 test rows").splitlines()[-1].split() == ["mean", "-0.5000", "12,345.68", "0.0"]
