"""The order of examples, the same from memory and from files, and the parts that several workers read."""

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import trips
from trainer.encoding.coded import decoded
from trainer.inputs import arrow, blocks, files, json_lines, order, parquet, tfrecord
from trainer.inputs.examples import Source
from trainer.inputs.features import Reading
from trainer.inputs.files import Rows, State
from trainer.inputs.memory import Examples, elements
from trainer.inputs.order import Order
from trainer.inputs.shard import Shard
from trainer.inputs.stored import Damaged, Stored
from trainer.inputs.values import Wanted
from trainer.inputs.writing import Kept, Writer
from trainer.job.plan import with_settings
from trainer.job.reading import dtypes_of
from trainer.settings import Settings

SIZES = st.tuples(st.integers(1, 200), st.integers(1, 17), st.integers(1, 5))


def places(how: Order, first: int, end: int, seed: int = 0, epoch: int = 0) -> list[int]:
    found: list[int] = (
        how.places(tf.range(first, end, dtype=tf.int64), seed, tf.constant(epoch, tf.int64)).numpy().tolist()
    )
    return found


@settings(max_examples=60)
@given(SIZES, st.data())
def test_an_order_is_a_permutation_and_the_same_in_parts(sizes: tuple[int, int, int], data: Any) -> None:
    count, block, in_buffer = sizes
    how = Order(count, block, block * in_buffer)
    whole = places(how, 0, count, seed=3, epoch=2)
    assert sorted(whole) == list(range(count))
    first = data.draw(st.integers(0, count - 1))
    end = data.draw(st.integers(first + 1, count))
    assert places(how, first, end, seed=3, epoch=2) == whole[first:end]


@pytest.mark.parametrize("how", [Order(100, 100, 100), Order(100, 8, 24)])
def test_each_epoch_and_each_seed_has_an_order_of_its_own(how: Order) -> None:
    found = [places(how, 0, 100, seed, epoch) for seed in (0, 1, 77) for epoch in (0, 1, 1000)]
    assert len({*map(tuple, found)}) == 9
    assert places(how, 0, 100, 1, 1) == found[4]
    assert not any(each == list(range(100)) for each in found)


def test_a_buffer_takes_some_blocks_and_mixes_them() -> None:
    how = Order(1000, 10, 50)
    found = places(how, 0, 1000)
    for start in range(0, 1000, 50):
        buffer = found[start : start + 50]
        assert len({place // 10 for place in buffer}) == 5
        changes = sum(first // 10 != second // 10 for first, second in itertools.pairwise(buffer))
        assert changes > 30  # of 49
    assert [place // 10 for place in found[:50]] != sorted(place // 10 for place in found[:50])
    first, second = ({place // 10 for place in places(how, 0, 50, epoch=epoch)} for epoch in (0, 1))
    assert first != second


def test_a_buffer_has_as_many_blocks_as_its_bytes_allow() -> None:
    assert Order.of(5_000_000, 4, 16_384) == Order(5_000_000, 16_384, 64 * 16_384)
    assert Order.of(5_000_000, 1000, 16_384) == Order(5_000_000, 16_384, 12 * 16_384)
    assert Order.of(5_000_000, 6000, 64) == Order(5_000_000, 64, 43 * 64)
    assert Order.of(5_000_000, 10**8, 1) == Order(5_000_000, 1, 1)
    assert Order.of(10, 0, 16_384).buffers == 1


def test_blocks_of_long_rows_have_fewer_of_them() -> None:
    assert order.block_of(np.full(16_384, 1024)) == order.block_of(np.full(100, 10**5)) == 16_384
    assert [order.block_of(np.full(16_384, size)) for size in (1025, 6000, 10**5, 10**7)] == [256, 64, 4, 1]
    long = np.repeat([2, 6000], [10_000, 20_000])
    assert order.block_of(long) == order.block_of(long[:16_384]) == 256


# From files as from memory


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order, "BLOCK", 16)
    monkeypatch.setattr(order, "BUFFER_BYTES", 16 * 500 * 2)


def examples_of_every_kind(count: int) -> Examples:
    draw = np.random.default_rng(0)
    lengths = draw.integers(0, 4, count)
    features = {
        "id": draw.integers(0, 9, (count, 1)),
        "ids": draw.integers(-1, 9, (count, 2)),
        "size": draw.random((count, 1)).astype(np.float32),
        "word": np.array([[f"w{number}".encode()] for number in range(count)], object),
        "alone": np.arange(count),
        "picture": draw.random((count, 2, 3)).astype(np.float32),
        "nothing": np.zeros((count, 0), np.float32),
        "bag": tf.RaggedTensor.from_row_lengths(np.arange(lengths.sum()) % 7, lengths),
        "words": tf.RaggedTensor.from_row_lengths([b"x"] * count, np.ones(count, np.int64)),
    }
    labels, weights = draw.integers(0, 2, (count, 1)), np.ones((count, 1), np.float32)
    return Examples(features, labels, weights, {"table": np.arange(count) % 3 == 0}, ["id", "ids"])


def stored(examples: Examples, path: Path) -> Stored:
    """The examples in a file that is written in parts of any size."""
    writer, draw, start = Writer(str(path)), np.random.default_rng(1), 0
    while start < len(examples):
        end = min(len(examples), start + int(draw.integers(1, 40)))
        part = examples.subset(np.arange(start, end))
        assert writer.fits(part)
        writer.add(part)
        start = end
    return Stored(str(path), Kept.from_dict(json.loads(json.dumps(writer.close().to_dict()))))


def assert_same_batches(first: tf.data.Dataset, second: tf.data.Dataset) -> None:
    for one, other in zip([*first], [*second], strict=True):
        assert one[0].keys() == other[0].keys()
        pairs = [(one[0][key], other[0][key]) for key in one[0]] + [*zip(one[1:], other[1:], strict=True)]
        for ours, theirs in pairs:
            assert ours.dtype == theirs.dtype
            if isinstance(ours, tf.RaggedTensor):
                assert ours.to_list() == theirs.to_list()
            else:
                np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("count", [3, 40, 333])
def test_long_rows_in_a_file_are_read_in_the_batches_of_those_in_memory(
    count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(order, "LONG_BYTES", 10_000)
    monkeypatch.setattr(order, "LONG_BLOCKS", 8)
    held = examples_of_every_kind(count)
    kept = stored(held, tmp_path / "examples.arrow")
    assert kept.order == held.order
    assert [len(part) for part in kept.parts()] == {3: [3], 40: [40], 333: [8] * 41 + [5]}[count]
    assert_same_batches(kept.shuffled(7, 3, 0, 0, 60), held.shuffled(7, 3, 0, 0, 60))
    assert_same_batches(kept.batches(7), held.batches(7))


@pytest.mark.parametrize(("count", "batch_size"), [(10, 7), (64, 16), (333, 1), (333, 50), (333, 1000)])
def test_examples_in_a_file_are_read_in_the_batches_of_those_in_memory(
    count: int, batch_size: int, tmp_path: Path, small_blocks: None
) -> None:
    held = examples_of_every_kind(count)
    kept = stored(held, tmp_path / "examples.arrow")
    assert (len(kept), kept.nbytes, kept.order) == (count, held.nbytes, held.order)
    assert (held.order.buffers > 2) == (count == 333)
    assert kept.shares_outside() == held.shares_outside()
    np.testing.assert_array_equal(kept.labels, held.labels)
    np.testing.assert_array_equal(kept.weights, held.weights)
    if batch_size > 1:
        assert_same_batches(kept.batches(batch_size), held.batches(batch_size))
    steps = -(-count // batch_size)  # from the middle of the first epoch into the third, or at most 400 steps
    some = (batch_size, 3, 0, steps // 2, min(2 * steps + 1 - steps // 2, 400))
    assert_same_batches(kept.shuffled(*some), held.shuffled(*some))


def test_a_byte_of_a_file_of_examples_that_is_another_is_noticed_or_says_nothing(
    tmp_path: Path, small_blocks: None
) -> None:
    held, path = examples_of_every_kind(40), tmp_path / "examples.arrow"
    kept = stored(held, path).kept
    whole, expected, noticed = path.read_bytes(), trips.arrays_of(held), 0
    for place in range(0, len(whole), 17):
        data = bytearray(whole)
        data[place] ^= 0x80 if place % 2 else 1
        path.write_bytes(data)
        try:
            found = trips.arrays_of(Stored(str(path), kept).in_memory())
        except Damaged:
            assert not path.exists()
            noticed += 1
        else:
            assert found == expected
    assert noticed > 0.5 * len(whole) / 17


# Parts of several workers


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks.Rows.__init__, "__defaults__", (700, 1))
    monkeypatch.setattr(json_lines, "BLOCK", 700)
    monkeypatch.setattr(tfrecord, "BATCH_ROWS", 20)
    for module in (arrow, parquet):
        monkeypatch.setattr(module, "SLICE", 20)


@pytest.mark.parametrize("workers", [1, 3, 12])
@pytest.mark.parametrize("name", [*trips.WRITERS])
def test_the_parts_of_workers_have_each_row_once(name: str, workers: int, tmp_path: Path, small_pieces: None) -> None:
    table = [row | {"hour": number} for number, row in enumerate(trips.rows())]
    paths = [tmp_path / f"{part}.{name.partition('.')[2]}" for part in "ab"]
    for path, part in zip(paths, (table[:200], table[200:]), strict=True):
        trips.write(path, part)
    reading, states = Reading({"hour": Wanted("int64")}), [State.of(str(path)) for path in paths]
    found = []
    for worker in range(workers):
        rows = Rows(states, reading, shard=Shard(worker, workers))
        numbers = [number for features in rows for number in features["hour"].values.tolist()]
        assert numbers == sorted(numbers)
        found.append(numbers)
    assert sorted(number for numbers in found for number in numbers) == list(range(300))
    assert sum(map(bool, found)) == min(workers, pieces_of(states, reading))


def pieces_of(states: list[State], reading: Reading) -> int:
    found = [files.opened(state.path, reading) for state in states]
    return sum(1 for file in found for _ in file.pieces(["hour"]))


def test_a_source_is_read_in_the_parts_of_workers(tmp_path: Path, small_pieces: None) -> None:
    table = [row | {"user": number} for number, row in enumerate(trips.rows())]
    problem = with_settings(trips.PROBLEM, Settings(train_files=trips.write(tmp_path / "trips.csv", table)))
    source = Source(problem, dtypes_of(problem), "")
    found = []
    for worker in range(3):
        batches = elements(source.batches("train", Shard(worker, 3)))
        found.append([number for features, _, _ in batches for number in decoded(features["user"]).numpy().tolist()])
    assert all(len(numbers) > 50 for numbers in found)
    assert sorted(number for numbers in found for number in numbers) == list(range(300))
