from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.vocabulary import counts


@given(st.lists(st.lists(st.integers(-1, 9), min_size=3, max_size=3), max_size=20), st.integers(10, 15))
@settings(derandomize=True, max_examples=50)
def test_each_id_is_counted_and_the_missing_are_not(ids: Any, num_buckets: int) -> None:
    found = counts(np.array(ids, np.int64).reshape(-1, 3), num_buckets)
    expected = Counter(id for bag in ids for id in bag)
    assert found.tolist() == [expected[id] for id in range(num_buckets)]
    assert found.dtype == np.int64


@pytest.mark.parametrize("shape", [(6,), (6, 1), (3, 2), (1, 2, 3)])
@pytest.mark.parametrize("dtype", [np.int32, np.int64])
def test_ids_may_have_any_shape_and_width(shape: tuple[int, ...], dtype: Any) -> None:
    assert counts(np.array([0, 2, 2, -1, 1, 2], dtype).reshape(shape), 5).tolist() == [1, 1, 3, 0, 0]


@given(st.lists(st.integers(-1, 4), min_size=1), st.lists(st.integers(-1, 4), min_size=1))
@settings(derandomize=True, max_examples=30)
def test_counts_of_two_batches_add_up(first: list[int], second: list[int]) -> None:
    total = counts(np.array(first), 5) + counts(np.array(second), 5)
    assert total.tolist() == counts(np.array(first + second), 5).tolist()
