"""Which rows are for training, validation and test: as many as asked for, and the same whatever they come in."""

import dataclasses
import itertools
import math
import random
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import trips
from trainer.encoding import Coded
from trainer.errors import Refusal
from trainer.inputs import hashing
from trainer.inputs.dealing import HoldOut
from trainer.inputs.hashing import Repeats, draws, row_hash
from trainer.inputs.split import Data
from trainer.job.plan import with_settings
from trainer.problem import ByValue, Files, Share
from trainer.settings import Settings

Side = Counter[tuple[Any, ...]]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, an empty one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def sides(data: Data) -> list[Side]:
    """The rows of each set, and how often each is there."""
    found = []
    for examples in (data.train, data.validation, data.test()):
        held = examples.in_memory()
        features = [held.features[key] for key in sorted(held.features)]
        columns = [each.to_list() if isinstance(each, tf.RaggedTensor) else each.tolist() for each in features]
        rows = zip(*columns, held.labels.reshape(-1).tolist(), strict=True)
        found.append(Counter(tuple(map(str, row)) for row in rows))
    return found


def assert_shares(counts: list[int], validation: float, test: float, least: int = 0) -> None:
    """Judges how many of some things are on each side by three standard deviations."""
    total = sum(counts)
    assert total > least
    for count, share in zip(counts, (1 - validation - test, validation, test), strict=True):
        assert abs(count - share * total) <= 3 * math.sqrt(total * share * (1 - share))


@pytest.mark.parametrize(("validation", "test"), [(None, None), (0.3, 0.2), (0.02, 0.6)])
def test_each_side_has_the_share_of_the_rows_that_was_asked_for(validation: float | None, test: float | None) -> None:
    trips.write(Path("trips.csv"), trips.rows(4000))
    data = trips.raw(train_files="trips.csv", validation_share=validation, eval_share=test)
    counts = [len(data.train), len(data.validation), len(data.test())]
    assert_shares(counts, validation or 0.1, test or 0.1, 3999)


def test_a_problem_says_what_share_is_to_test_on_where_the_settings_do_not() -> None:
    problem = dataclasses.replace(trips.PROBLEM, test_share=0.3)
    given = [(0.02, 0.02), (None, 0.3)]
    for share, wanted in given:
        made = with_settings(problem, Settings(train_files="trips.csv", eval_share=share))
        assert isinstance(made.dataset, Files)
        assert made.dataset.test_share == wanted
    with pytest.raises(Refusal) as refusal:
        dataclasses.replace(trips.PROBLEM, test_share=0)
    assert str(refusal.value) == "Problem: test_share is above 0 and below 1, not 0."


@pytest.mark.parametrize("key", ["user", "city", "driver"])
def test_rows_of_one_value_are_on_one_side_and_each_has_its_share_of_the_values(key: str) -> None:
    rows = trips.rows(3000)
    for number, row in enumerate(rows):  # the last is none that the columns read
        row |= {"user": number % 1000, "city": f"c{number % 1000}", "driver": f"d{number % 1000}", "hour": number % 24}
    trips.write(Path("trips.csv"), rows)
    data = trips.raw(train_files="trips.csv", split_by=key, validation_share=0.2, eval_share=0.3)
    users = [
        {*examples.in_memory().features["user"].tolist()} for examples in (data.train, data.validation, data.test())
    ]
    assert [len(data.train), len(data.validation), len(data.test())] == [3 * len(each) for each in users]
    assert_shares([*map(len, users)], 0.2, 0.3, 999)


def test_the_sides_of_the_values_of_a_feature_stay_what_they_are_when_the_columns_change() -> None:
    trips.write(Path("trips.csv"), trips.rows(400))
    fewer = dataclasses.replace(trips.PROBLEM, dnn_feature_columns=trips.PROBLEM.dnn_feature_columns[1:2], bags={})
    found = [trips.raw(problem, train_files="trips.csv", split_by="user") for problem in (trips.PROBLEM, fewer)]
    for name in ("train", "validation"):
        first, second = (getattr(each, name).in_memory().features["user"].tolist() for each in found)
        assert first == second
    other = [trips.raw(problem, train_files="trips.csv") for problem in (trips.PROBLEM, fewer)]
    assert other[0].validation.in_memory().labels.tolist() != other[1].validation.in_memory().labels.tolist()


@pytest.fixture(scope="module")
def table() -> list[trips.Row]:
    """Trips of which some are there several times."""
    rows = trips.rows(200)
    return [*rows, *rows[:50], *rows[:20], *[rows[7]] * 30]


@pytest.fixture(scope="module")
def expected(table: list[trips.Row], tmp_path_factory: pytest.TempPathFactory) -> dict[str | None, list[Side]]:
    """The sides of these trips in one CSV file, by what they are split by."""
    file = trips.write(tmp_path_factory.mktemp("table") / "trips.csv", table)
    return {key: sides(trips.raw(train_files=file, split_by=key, eval_share=0.2)) for key in (None, "user")}


@pytest.mark.parametrize("key", [None, "user"])
@pytest.mark.parametrize("name", [*trips.WRITERS])
def test_the_same_rows_are_on_the_same_side_in_any_format(
    name: str, key: str | None, table: Any, expected: dict[str | None, list[Side]]
) -> None:
    trips.write(Path(name), table)
    assert sides(trips.raw(train_files=name, split_by=key, eval_share=0.2)) == expected[key]


@pytest.mark.parametrize("key", [None, "user"])
def test_the_same_rows_are_on_the_same_side_in_any_order_and_any_number_of_files(
    key: str | None, table: Any, expected: dict[str | None, list[Side]]
) -> None:
    for seed in (1, 2):
        shuffled = random.Random(seed).sample(table, len(table))
        trips.write(Path("shuffled.csv"), shuffled)
        for place, name in enumerate(trips.WRITERS):
            part = shuffled[place :: len(trips.WRITERS)]
            trips.write(Path(f"part-{place}.{name.partition('.')[2]}"), part)
        for pattern in ("shuffled.csv", "part-*"):
            assert sides(trips.raw(train_files=pattern, split_by=key, eval_share=0.2)) == expected[key]


def test_rows_that_are_all_alike_are_dealt_to_each_side_in_its_share() -> None:
    row = trips.rows(1)[0]
    trips.write(Path("trips.csv"), [row] * 3000)
    data = trips.raw(train_files="trips.csv", validation_share=0.2)
    counts = [len(data.train), len(data.validation), len(data.test())]
    assert_shares(counts, 0.2, 0.1, 2999)
    for number, name in enumerate(("a.csv", "b.parquet", "c.jsonl")):
        trips.write(Path(name), [row] * (500 + 500 * number))
    others = trips.raw(train_files="?.*", validation_share=0.2)
    assert [len(others.train), len(others.validation), len(others.test())] == counts


def test_files_for_one_side_leave_the_other_shares_what_they_are() -> None:
    trips.write(Path("train.csv"), trips.rows(1000))
    trips.write(Path("more.csv"), trips.rows(70, seed=9))
    both = sides(trips.raw(train_files="train.csv"))
    validated = sides(trips.raw(train_files="train.csv", validation_files="more.csv"))
    tested = sides(trips.raw(train_files="train.csv", eval_files="more.csv"))
    assert validated[2] == both[2]
    assert validated[0] == both[0] + both[1]
    assert validated[1] == tested[2] != both[1]
    assert sum(validated[1].values()) == 70
    assert sum(tested[0].values()) + sum(tested[1].values()) == 1000


def test_a_test_row_is_no_validation_row_whatever_says_so() -> None:
    trips.write(Path("trips.csv"), trips.rows(600))
    problem = dataclasses.replace(
        trips.PROBLEM, validation=ByValue("city", ("Bern",)), dataset=Files("trips.csv", test_share=0.3)
    )
    data = trips.raw(problem)
    cities = [[*examples.in_memory().features["city"]] for examples in (data.train, data.validation, data.test())]
    assert b"Bern" not in cities[0]
    assert {*cities[1]} == {b"Bern"}
    assert b"Bern" in cities[2]
    assert len(cities[2]) > 100
    assert sum(map(len, cities)) == 600


@pytest.mark.parametrize(
    ("count", "shares", "sentence"),
    [
        (
            1,
            {"eval_share": 0.01},
            "--eval-share: a share of 0.01 leaves none of 1 rows to test on; give a larger one, or --eval-files with "
            "rows.",
        ),
        (
            1,
            {"eval_share": 0.99},
            "--eval-share: all 1 rows are test rows, and none is left to train on; give more.",
        ),
        (
            40,
            {"eval_share": 0.9, "validation_share": 0.5},
            "Problem: validation Share(share=0.5, by=None) holds out 5 of 5 training rows; some must be left on both "
            "sides: give another --validation-share, or more rows.",
        ),
    ],
)
def test_shares_that_leave_a_side_empty_are_refused(count: int, shares: dict[str, Any], sentence: str) -> None:
    trips.write(Path("trips.csv"), trips.rows(count))
    with pytest.raises(Refusal) as refusal:
        trips.raw(train_files="trips.csv", **shares)
    assert str(refusal.value) == sentence


# The hash of a row


def hashes(**features: Any) -> list[int]:
    found: list[int] = (
        row_hash({key: tf.convert_to_tensor(values) for key, values in features.items()}).numpy().tolist()
    )
    return found


def test_the_hash_of_a_row_stays_what_it_was() -> None:
    # Of this function in version 0.1.0; with others, rows would change their sides.
    golden = [2437824913158539155, 4426414950511478927, 5815883427874749739]
    assert hashes(word=["a", "", "é"], number=[1, -1, 2**62], size=[0.5, -0.0, 1e30]) == golden


def test_the_hash_of_a_row_is_that_of_its_values_however_they_lie() -> None:
    words, numbers = ["a", "b", "a", ""], [3, 3, -1, 2**62]
    plain = hashes(word=words, number=numbers)
    coded = Coded(tf.constant(["", "b", "a"]), tf.constant([2, 1, 2, 0]))
    assert row_hash({"number": tf.constant(numbers, tf.int64), "word": coded}).numpy().tolist() == plain
    column = {"word": tf.constant(words)[:, tf.newaxis], "number": tf.constant(numbers, tf.int64)[:, tf.newaxis]}
    assert row_hash(column).numpy().tolist() == plain
    assert hashes(word=words[2:], number=numbers[2:]) == plain[2:]
    assert len({*plain}) == 4
    assert hashes(number=numbers, other=words) != plain
    assert hashes(size=[0.0]) == hashes(size=[-0.0])


def test_the_hash_of_a_bag_tells_its_values_their_order_and_their_number() -> None:
    bags = tf.ragged.constant([["a", "b"], ["b", "a"], ["a"], [], ["a", "a"], [""], ["a", "b"]])
    found = row_hash({"bag": bags}).numpy().tolist()
    assert found[0] == found[-1]
    assert len({*found}) == 6
    words = Coded(tf.constant(["a", "b", ""]), bags.with_flat_values(tf.constant([0, 1, 1, 0, 0, 0, 0, 2, 0, 1])))
    assert row_hash({"bag": words}).numpy().tolist() == found
    dense = row_hash({"point": tf.constant([[1.0, 2.0], [2.0, 1.0], [1.0, 2.0]])}).numpy().tolist()
    assert dense[0] == dense[2] != dense[1]


def test_hashes_of_rows_that_differ_little_are_drawn_evenly() -> None:
    drawn = np.sort(draws(np.array(hashes(number=np.arange(20_000)))))
    assert drawn.min() >= 0
    assert drawn.max() < 1
    # Of Kolmogorov and Smirnov; a distance beyond it would come once in a thousand times.
    assert np.abs(drawn - (np.arange(20_000) + 0.5) / 20_000).max() < 1.95 / math.sqrt(20_000)


@settings(max_examples=100)
@given(st.lists(st.integers(-3, 3), max_size=40), st.integers(1, 7), st.randoms(use_true_random=False))
def test_rows_that_are_alike_have_the_same_hashes_in_any_order_and_batches(
    rows: list[int], size: int, draw: random.Random
) -> None:
    def found(values: list[int], step: int) -> list[int]:
        repeats = Repeats()
        batches = [repeats(np.array(values[start : start + step], np.int64)) for start in range(0, len(values), step)]
        return sorted(int(each) for batch in batches for each in batch)

    first = found(rows, 100)
    assert len({*first}) == len(rows)
    assert found(draw.sample(rows, len(rows)), size) == first


def test_beyond_the_rows_that_are_counted_others_are_still_told_apart_within_a_batch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hashing, "COUNTED", 5)
    repeats = Repeats()
    first = [*repeats(np.arange(10)), *repeats(np.arange(5))]
    assert len({*first}) == 15
    assert len({*repeats(np.array([9, 9, 9]))}) == 3


# Other draws


@pytest.mark.parametrize("key", [None, "user"])
def test_another_split_seed_holds_other_rows_out_and_as_many(key: str | None) -> None:
    trips.write(Path("trips.csv"), trips.rows(3000))
    found = [sides(trips.raw(train_files="trips.csv", split_by=key, split_seed=seed)) for seed in (None, 0, 1, 2)]
    assert found[0] == found[1]
    assert found[1][0] + found[1][1] + found[1][2] == found[2][0] + found[2][1] + found[2][2]
    for one, other in ((1, 2), (1, 3), (2, 3)):
        for side in (1, 2):
            both = sum((found[one][side] & found[other][side]).values())
            assert both < (0.8 if key else 0.3) * sum(found[one][side].values())
    if key is None:
        assert_shares([sum(side.values()) for side in found[2]], 0.1, 0.1, 2999)


def test_another_split_seed_draws_other_places() -> None:
    # Of version 0.1.0; with others, rows would change their sides.
    golden = [0, 5, 13, 26, 34, 47]
    first = HoldOut(Share(0.1))({}, 60)
    assert np.flatnonzero(first).tolist() == golden
    held_out = [HoldOut(Share(0.1), seed)({}, 20_000) for seed in range(4)]
    for one, other in itertools.combinations(held_out, 2):
        assert_shares([int((~one).sum()), int(one.sum()), 0], 0.1, 0.0)
        assert_shares([int((one & ~other).sum()), int((one & other).sum()), 0], 0.1, 0.0)
        assert_shares([int((one[1:] & ~other[:-1]).sum()), int((one[1:] & other[:-1]).sum()), 0], 0.1, 0.0)
