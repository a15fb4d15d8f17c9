"""Which part of a bag goes in and which is hidden: exact, fresh in each epoch, and the same wherever examples lie."""

import dataclasses
import itertools
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import stars, trips
from tests.test_inputs_order import assert_same_batches, stored
from trainer import tables
from trainer.errors import Refusal
from trainer.heads import Hidden, RegressionHead
from trainer.inputs import order
from trainer.inputs.hiding import Hiding
from trainer.inputs.memory import Examples
from trainer.inputs.shard import Shard

Bags = list[list[int]]


def hiding(bags: Bags, share: Any = 0.5, held_out: float = 0.8, seed: int = 0) -> Hiding:
    return Hiding(examples(bags), "bag", Hidden("film", share, held_out), seed)


def examples(bags: Bags) -> Examples:
    count = len(bags)
    features = {
        "bag": tf.RaggedTensor.from_row_lengths(np.array([*itertools.chain(*bags)], np.int64), [*map(len, bags)]),
        "number": np.arange(count)[:, np.newaxis],
    }
    return Examples(features, np.zeros((count, 1), np.int64), np.full((count, 1), 2, np.float32))


def some_bags(count: int, most: int = 12) -> Bags:
    draw = np.random.default_rng(0)
    return [draw.integers(-1, 100, draw.integers(0, most)).tolist() for _ in range(count)]


def rows(batches: Iterable[Any]) -> list[tuple[int, list[int], list[int], float]]:
    """The number, what goes in, what is hidden and the weight of each example."""
    found: list[Any] = []
    for features, labels, weights, *_ in batches:
        assert (features["bag"].dtype, labels.dtype, weights.shape[1:]) == (tf.int64, tf.int64, (1,))
        columns = features["number"].numpy()[:, 0], features["bag"].to_list(), labels.to_list(), weights.numpy()[:, 0]
        found += zip(*(column if isinstance(column, list) else column.tolist() for column in columns), strict=True)
    return found


def assert_hidden(bag: list[int], into: list[int], hidden: list[int], weight: float, counts: range) -> None:
    ids = [id for id in bag if id >= 0]
    places = iter(ids)
    assert all(id in places for id in into)  # in their order
    places = iter(ids)
    assert all(id in places for id in hidden)
    assert sorted(into + hidden) == sorted(ids)
    assert weight == (2 if len(ids) > 1 else 0)
    if len(ids) < 2:
        assert not hidden
    else:
        assert len(into) in counts
        assert hidden


def counts_of(bag: list[int], least: float, greatest: float) -> range:
    """How many ids of a bag may go in."""
    size = sum(id >= 0 for id in bag)
    first, last = (min(max(round(share * size), 1), size - 1) for share in (least, greatest))
    return range(first, last + 1)


SHARES = st.floats(0.01, 0.99)


@settings(max_examples=8)
@given(
    st.lists(st.lists(st.integers(-1, 5), max_size=9), min_size=1, max_size=40),
    st.tuples(SHARES, SHARES).map(sorted),
    SHARES,
    st.integers(1, 41),
    st.integers(0, 2**40),
)
def test_what_goes_in_and_what_is_hidden_are_the_bag_and_as_many_as_asked_for(
    bags: Bags, shares: list[float], held_out: float, size: int, seed: int
) -> None:
    made, steps = hiding(bags, tuple(shares), held_out, seed), -(-len(bags) // size)
    fixed = rows(made.batches(size))
    for number, into, hidden, weight in fixed:
        assert_hidden(bags[number], into, hidden, weight, counts_of(bags[number], held_out, held_out))
    found = rows(made.shuffled(size, seed, 0, 0, 2 * steps))
    assert sorted(number for number, *_ in found) == sorted([*range(len(bags))] * 2)
    for number, into, hidden, weight in found:
        assert_hidden(bags[number], into, hidden, weight, counts_of(bags[number], *shares))
    assert made.weights[:, 0].tolist() == [weight for *_, weight in fixed]


def test_the_part_of_held_out_examples_is_fixed_whatever_the_batches_and_another_for_another_seed() -> None:
    bags = some_bags(101)
    first = rows(hiding(bags).batches(10))
    assert [number for number, *_ in first] == [*range(101)]
    for size in (1, 7, 101, 500):
        assert rows(hiding(bags, 0.2).batches(size)) == first
    every = rows(hiding(bags).batches(10, Shard(0, 2))) + rows(hiding(bags).batches(10, Shard(1, 2)))
    assert sorted(every) == first
    assert sum(one != other for one, other in zip(first, rows(hiding(bags, seed=1).batches(10)), strict=True)) > 70


def test_each_epoch_and_each_seed_hides_another_part_and_again_the_same() -> None:
    bags = some_bags(101)
    epochs = [sorted(rows(hiding(bags).shuffled(10, seed, epoch, 0, 11))) for seed in (0, 1) for epoch in (0, 1, 2)]
    for one, other in itertools.combinations(epochs, 2):
        assert sum(ours != theirs for ours, theirs in zip(one, other, strict=True)) > 60
    assert sorted(rows(hiding(bags, seed=5).shuffled(10, 1, 2, 0, 11))) == epochs[-1]
    everything = rows(hiding(bags).shuffled(10, 0, 0, 0, 33))
    assert [sorted(everything[101 * epoch : 101 * epoch + 101]) for epoch in range(3)] == epochs[:3]


@pytest.mark.parametrize("is_stored", [False, True])
def test_a_training_goes_on_at_any_step_in_memory_and_in_files_and_divided_among_workers(
    is_stored: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(order, "BLOCK", 16)
    monkeypatch.setattr(order, "BUFFER_BYTES", 16 * 150)
    held = hiding(some_bags(83), (0.1, 0.9))
    expected = [*held.shuffled(10, 3, 0, 0, 20)]
    made = held if not is_stored else Hiding(stored(held.in_memory(), tmp_path / "a.arrow"), "bag", held.hidden, 0)
    assert (len(made), made.order, made.nbytes) == (83, held.order, held.nbytes)
    assert made.order.buffers > 1
    assert_same_batches(made.batches(7), held.batches(7))
    np.testing.assert_array_equal(made.weights, held.weights)
    for step in (1, 9, 13):
        assert_same_batches(made.shuffled(10, 3, step // 9, step % 9, 20 - step), expected[step:])
    shares = [[*made.shuffled(10, 3, 0, 0, 20, Shard(index, 3))] for index in range(3)]
    for whole, *parts in zip(expected, *shares, strict=True):
        together = [row for part in parts for row in rows([part])[: int(part[3])]]
        assert together == rows([whole])


def test_each_id_is_hidden_equally_often_and_each_pair_of_them_together() -> None:
    size, epochs = 5, 4
    made = hiding([[*range(size)]] * 5000, 0.4)
    goes_in = np.array(
        [np.isin(np.arange(size), into) for _, into, _, _ in rows(made.shuffled(5000, 0, 0, 0, epochs))], float
    )
    drawn = len(goes_in)
    assert drawn == 20_000
    for share, found in ((0.4, goes_in.mean(axis=0)), (0.1, (goes_in.T @ goes_in / drawn)[np.triu_indices(size, 1)])):
        assert np.abs(found - share).max() < 4 * np.sqrt(share * (1 - share) / drawn)
    by_epoch = goes_in.reshape(epochs, -1, size)
    for lagged, other in (
        (goes_in[1:], goes_in[:-1]),
        (by_epoch[1:], by_epoch[:-1]),
    ):  # of the next, and of the next epoch
        both = lagged * other
        assert abs(both.mean() - 0.16) < 4 * np.sqrt(0.16 * 0.84 / both.size)


def test_a_share_is_drawn_evenly_between_two() -> None:
    made = hiding([[*range(1000)]] * 1000, (0.2, 0.6))
    batches = made.shuffled(1000, 0, 0, 0, 2)
    sizes = np.sort(np.concatenate([features["bag"].row_lengths() for features, *_ in batches]))
    assert 200 <= sizes[0] < 205
    assert 595 < sizes[-1] <= 600
    # Of Kolmogorov and Smirnov; a distance beyond it would come once in a thousand times.
    assert np.abs((sizes - 200) / 400 - (np.arange(2000) + 0.5) / 2000).max() < 1.95 / np.sqrt(2000) + 1 / 400


def test_what_is_not_read_in_batches_is_whole() -> None:
    bags = some_bags(20)
    made = hiding(bags)
    (part,) = made.parts()
    assert part.features["bag"].to_list() == made.in_memory().features["bag"].to_list() == bags
    assert made.layout.slot("bag") is not None
    assert made.labels.shape == (20, 1)
    assert made.shares_outside() == {}


@pytest.mark.parametrize(("key", "what"), [("number", "one value an example"), ("other", "not read as ids")])
def test_what_is_no_bag_is_refused(key: str, what: str) -> None:
    with pytest.raises(Refusal) as refusal:
        Hiding(examples([[1]]), key, Hidden("film", 0.5), 0)
    assert str(refusal.value) == (
        f"Hidden: part of the bags of table 'film' is to be hidden, and its feature is {what}; name it in "
        "Problem(bags=…)."
    )


@pytest.mark.slow
def test_a_job_that_is_gone_on_with_or_keeps_its_examples_in_files_ends_as_one_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trips.are_quick(monkeypatch)
    given = {"train_files": stars.write(tmp_path / "stars.csv", stars.rows()), "num_epochs": 3}
    metrics = trips.trained(tmp_path / "alone", stars.PROBLEM, **given)
    assert (metrics["train_examples"], metrics["examples"], metrics["steps"]) == (40, 5, 15)
    trips.trained(tmp_path / "run", stars.PROBLEM, **given, train_steps=7)
    trips.trained(tmp_path / "run", stars.PROBLEM, **given, resume=True, allow_changed=True)
    trips.trained(tmp_path / "stored", stars.PROBLEM, **given, cache_memory="0")
    for name in ("run", "stored"):
        trips.assert_same_tables(tmp_path / "alone", tmp_path / name)
    with pytest.raises(Refusal) as refusal:
        trips.trained(tmp_path / "run", stars.PROBLEM, **given, split_seed=1, resume=True)
    assert str(refusal.value) == (
        "--resume: the run was started with split_seed 0, not 1, and other columns or training data; give the same, go "
        "on with --allow-changed, or start anew with --overwrite."
    )


def test_the_rows_of_a_table_are_counted_in_whole_bags(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trips.are_quick(monkeypatch)
    rows, given = stars.rows(), {"train_files": str(tmp_path / "stars.csv")}
    stars.write(tmp_path / "stars.csv", rows)
    trips.trained(tmp_path / "run", stars.PROBLEM, **given, num_epochs=1)
    people = trips.raw(stars.PROBLEM, **given).train.in_memory().features["who"].astype(str)
    expected = Counter(film for who, films in stars.groups_of(rows).items() if who in people for film in films)
    table = tables.read(str(tmp_path / "run" / "tables"), "film")
    assert table.counts is not None
    assert dict(zip(table.labels, table.counts.tolist(), strict=True)) == expected


class Finds(RegressionHead):
    """A head of one's own that hides what no table has."""

    hidden = Hidden("films", 0.5)


def test_a_table_that_the_model_has_not_is_refused(tmp_path: Path) -> None:
    problem = dataclasses.replace(stars.PROBLEM, head=Finds())
    file = stars.write(tmp_path / "stars.csv", stars.rows())
    with pytest.raises(Refusal) as refusal:
        trips.read_by(tmp_path / "run", problem, train_files=file)
    assert str(refusal.value) == "Hidden: the model of problem stars has no table 'films'; did you mean 'film'?"
