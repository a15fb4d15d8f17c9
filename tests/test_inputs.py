import math
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

from trainer import datasets
from trainer.errors import Refusal
from trainer.inputs.memory import Examples, collect
from trainer.inputs.tfds import read


class Kinds(tfds.core.GeneratorBasedBuilder):
    """One feature of each kind that the reader tells apart; `number` counts the examples."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self) -> tfds.core.DatasetInfo:
        features = {
            "number": np.int32,
            "flag": np.bool_,
            "small": np.uint8,
            "large": np.uint64,
            "exact": np.float64,
            "vector": tfds.features.Tensor(shape=(3,), dtype=np.float32),
            "words": tfds.features.Tensor(shape=(2,), dtype=np.str_),
            "label": tfds.features.ClassLabel(names=["no", "yes"]),
            "squeezed": tfds.features.Tensor(shape=(2,), dtype=np.int64, encoding="zlib"),
            "bag": tfds.features.Sequence(np.int64),
            "nested": {"inner": np.int64},
        }
        return tfds.core.DatasetInfo(
            builder=self, features=tfds.features.FeaturesDict(features), disable_shuffling=True
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Iterator[Any]]:
        return {"train": self._generate_examples(range(100)), "test": self._generate_examples(range(100, 110))}

    def _generate_examples(self, numbers: range) -> Iterator[tuple[int, dict[str, Any]]]:
        for number in numbers:
            yield (
                number,
                {
                    "number": number,
                    "flag": number % 3 == 0,
                    "small": number,
                    "large": 2**64 - 1 - number,
                    "exact": number / 2,
                    "vector": [number, number + 1, number + 2],
                    "words": [f"w{number}", ""],
                    "label": number % 2,
                    "squeezed": [number, -number],
                    "bag": [number] * (number % 3),
                    "nested": {"inner": number},
                },
            )


PLAIN = ["number", "flag", "small", "exact", "vector", "words", "label"]
DECODED = ["large", "squeezed", "bag", "nested"]


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The builder of a small data set in seven shards of train and of test."""
    builder = Kinds(data_dir=str(tmp_path_factory.mktemp("kinds")))
    builder.download_and_prepare(download_config=tfds.download.DownloadConfig(num_shards=7))
    return builder


@pytest.fixture(scope="module")
def jfk(nyc_flights_dir: str) -> Any:
    return datasets.builder("nyc_flights/JFK", nyc_flights_dir)


@pytest.fixture
def no_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails a test in which TFDS decodes example by example."""
    monkeypatch.setattr(tfds.core.DatasetBuilder, "as_dataset", None)


def numbers(dataset: tf.data.Dataset) -> list[int]:
    return [number for batch in dataset.as_numpy_iterator() for number in batch["number"].tolist()]


def test_batches_hold_what_tfds_reads_one_by_one(jfk: Any) -> None:
    ours = list(read(jfk, "test[:3000]", batch_size=1024).as_numpy_iterator())
    theirs = list(jfk.as_dataset(split="test[:3000]").batch(1024).as_numpy_iterator())
    assert [len(batch["day"]) for batch in ours] == [1024, 1024, 952]
    for our, their in zip(ours, theirs, strict=True):
        assert our.keys() == their.keys()
        for name, values in their.items():
            assert our[name].dtype == values.dtype
            np.testing.assert_array_equal(our[name], values)


def test_a_split_of_scalars_is_read_without_decoding_example_by_example(jfk: Any, no_decoding: None) -> None:
    flights = sum(len(batch["day"]) for batch in read(jfk, "train", features=["day"]).as_numpy_iterator())
    assert flights == jfk.info.splits["train"].num_examples


@pytest.mark.parametrize("name", PLAIN)
def test_a_feature_that_is_stored_as_it_is_keeps_its_values_and_dtype(kinds: Any, name: str, no_decoding: None) -> None:
    feature = kinds.info.features[name]
    dataset = read(kinds, "train", batch_size=100, features=[name])
    assert dataset.element_spec[name].dtype == feature.tf_dtype
    assert dataset.element_spec[name].shape[1:] == feature.shape
    (batch,) = dataset.as_numpy_iterator()
    examples = [example[name] for _, example in kinds._generate_examples(range(100))]
    expected = [[word.encode() for word in words] for words in examples] if name == "words" else examples
    assert batch[name].tolist() == expected


def test_a_feature_that_needs_decoding_is_decoded(kinds: Any) -> None:
    dataset = read(kinds, "train", batch_size=40, features=DECODED)
    assert [len(batch["large"]) for batch in dataset] == [40, 40, 20]
    batch = next(iter(dataset))
    assert set(batch) == set(DECODED)
    assert batch["large"][3].numpy() == 2**64 - 4
    assert batch["squeezed"].numpy()[:3].tolist() == [[0, 0], [1, -1], [2, -2]]
    assert batch["bag"][:4].to_list() == [[], [1], [2, 2], []]
    assert batch["nested"]["inner"].numpy()[:3].tolist() == [0, 1, 2]


def test_every_feature_of_the_battery_is_one_or_the_other(kinds: Any) -> None:
    assert sorted(kinds.info.features) == sorted(PLAIN + DECODED)
    assert set(read(kinds, "train").element_spec) == set(PLAIN + DECODED)


@pytest.mark.parametrize("features", [["number"], ["number", "bag"]], ids=["parsed", "decoded"])
@pytest.mark.parametrize(
    ("split", "expected"),
    [
        ("train", range(100)),
        ("train[:10%]", range(10)),
        ("train[13:58]", range(13, 58)),
        ("train[-5:]", range(95, 100)),
        ("train[90:]+test[:2]", [*range(90, 100), 100, 101]),
        ("test+train", [*range(100, 110), *range(100)]),
        ("all", range(110)),
    ],
)
def test_seven_shards_come_back_in_order_and_their_number_of_batches_is_known(
    kinds: Any, split: str, expected: Collection[int], features: list[str]
) -> None:
    assert kinds.info.splits["train"].num_shards == 7
    dataset = read(kinds, split, batch_size=8, features=features)
    assert dataset.cardinality().numpy() == math.ceil(len(expected) / 8)
    assert numbers(dataset) == list(expected)


def test_flights_in_several_shards_come_back_in_the_order_of_one_shard(tmp_path: Path, jfk: Any) -> None:
    several = datasets.builder("nyc_flights/JFK", str(tmp_path))
    config = tfds.download.DownloadConfig(num_shards=5, max_examples_per_split=2000)
    several.download_and_prepare(download_config=config)
    assert several.info.splits["train"].num_shards == 5
    first = next(read(jfk, "train", batch_size=2000).as_numpy_iterator())
    parts = list(read(several, "train", batch_size=300).as_numpy_iterator())
    for name, values in first.items():
        assert np.concatenate([part[name] for part in parts]).tolist() == values.tolist()


def test_another_file_format_is_read_through_tfds(tmp_path: Path) -> None:
    builder = Kinds(data_dir=str(tmp_path))
    builder.download_and_prepare(file_format="parquet")
    assert numbers(read(builder, "train", features=["number", "words"])) == list(range(100))


def test_a_file_format_that_tf_data_does_not_read_is_refused(tmp_path: Path) -> None:
    builder = Kinds(data_dir=str(tmp_path))
    builder.download_and_prepare(file_format="array_record")
    with pytest.raises(Refusal) as refusal:
        read(builder, "train")
    assert str(refusal.value) == "kinds: tf.data cannot read array_record files; prepare the data set as tfrecord."


@pytest.mark.parametrize(
    ("split", "sentence"),
    [
        ("trian", "nyc_flights/JFK: no split 'trian' among train, test; did you mean 'train'?"),
        ("tran[:10%]", "nyc_flights/JFK: no split 'tran' among train, test; did you mean 'train'?"),
        ("train+tests", "nyc_flights/JFK: no split 'tests' among train, test; did you mean 'test'?"),
        ("xyz", "nyc_flights/JFK: no split 'xyz' among train, test."),
        ("train[a:]", "nyc_flights/JFK: no split 'train[a:]'; write one as train, train[:10%] or train+test."),
        ("", "nyc_flights/JFK: no split ''; write one as train, train[:10%] or train+test."),
        ("train[:0]", "nyc_flights/JFK: the split 'train[:0]' has no examples."),
    ],
)
def test_a_split_that_does_not_exist_is_refused(jfk: Any, split: str, sentence: str) -> None:
    with pytest.raises(Refusal) as refusal:
        read(jfk, split)
    assert str(refusal.value) == sentence


def test_a_feature_that_does_not_exist_is_refused_with_the_nearest(kinds: Any) -> None:
    with pytest.raises(Refusal) as refusal:
        read(kinds, "train", features=["number", "labell"])
    assert str(refusal.value) == (
        "kinds: no feature 'labell' among number, flag, small, large, exact, vector, words, label, squeezed, bag, "
        "nested; did you mean 'label'?"
    )


def test_a_data_set_that_is_not_prepared_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refusal:
        read(datasets.builder("nyc_flights/JFK", str(tmp_path)), "train")
    assert str(refusal.value) == (f"nyc_flights/JFK: not prepared in {tmp_path}; call trainer.datasets.prepare first.")


# Examples in memory


def bags_of(lengths: list[int]) -> Examples:
    """Examples whose bag holds their number as often as said."""
    bags = tf.ragged.constant([[number] * length for number, length in enumerate(lengths)], tf.int64, ragged_rank=1)
    numbers = np.arange(len(lengths))
    return Examples({"number": numbers, "bag": bags}, numbers[:, np.newaxis], np.ones((len(lengths), 1)))


def test_bags_are_shuffled_with_their_examples() -> None:
    lengths = [0, 1, 2, 3, 0, 1, 2]
    seen = []
    for features, labels, _ in bags_of(lengths).shuffled(batch_size=3, seed=1, first_step=0, last_step=3):
        for number, bag, label in zip(features["number"].numpy(), features["bag"].to_list(), labels, strict=True):
            assert bag == [number] * lengths[number]
            assert label == number
            seen.append(int(number))
    assert sorted(seen) == list(range(7))
    assert seen != list(range(7))


def test_features_of_every_dtype_and_shape_are_read_with_their_examples() -> None:
    numbers = np.arange(11)
    features: dict[str, Any] = {
        "alone": numbers,
        "id": numbers[:, np.newaxis],
        "ids": np.stack([numbers, -numbers, numbers**2], axis=1),
        "short": numbers[:, np.newaxis].astype(np.int32),
        "size": numbers[:, np.newaxis].astype(np.float32),
        "sizes": np.stack([numbers, numbers / 2], axis=1).astype(np.float32),
        "nothing": np.zeros((11, 0), np.float32),
        "word": np.array([[f"{number}".encode()] for number in numbers], object),
        "words": np.array([[f"{number}".encode(), b"x"] for number in numbers], object),
        "steps": np.arange(66, dtype=np.float32).reshape(11, 3, 2),
    }
    examples = Examples(features, numbers[:, np.newaxis].astype(np.float32), np.ones((11, 1), np.float32))
    read = [examples.batches(4), examples.shuffled(4, seed=2, first_step=0, last_step=3)]
    for batches, in_order in zip(read, (True, False), strict=True):
        found, labels, weights = zip(*batches.as_numpy_iterator(), strict=True)
        order = np.concatenate(labels)[:, 0].astype(int)
        assert sorted(order) == numbers.tolist()
        assert (order == numbers).all() == in_order
        assert {batch["ids"].shape for batch in found} == {(4, 3), (3, 3)}
        assert (np.concatenate(weights) == 1).all()
        for key, values in features.items():
            together = np.concatenate([batch[key] for batch in found])
            assert together.dtype == values.dtype
            np.testing.assert_array_equal(together, values[order])


@pytest.mark.parametrize("places", [np.array([5, 0, 3]), np.array([True, False, False, True, False, True, False])])
def test_a_subset_keeps_the_bags_of_its_examples(places: Any) -> None:
    part = bags_of([0, 1, 2, 3, 0, 1, 2]).subset(places)
    numbers = part.features["number"].tolist()
    assert sorted(numbers) == [0, 3, 5]
    assert part.features["bag"].to_list() == [[number] * {0: 0, 3: 3, 5: 1}[number] for number in numbers]


def test_batches_of_different_widths_are_collected_with_what_is_missing_at_the_end() -> None:
    def batches() -> Iterator[Any]:
        for width in (2, 1, 3):
            features = {"ids": tf.ones([2, width], tf.int64), "words": tf.fill([2, width], "a")}
            yield features, tf.zeros([2, 1]), tf.ones([2, 1])

    specs = {"ids": tf.TensorSpec([None, None], tf.int64), "words": tf.TensorSpec([None, None], tf.string)}
    column = tf.TensorSpec([None, 1], tf.float32)
    found = collect(tf.data.Dataset.from_generator(batches, output_signature=(specs, column, column)), None)
    assert found.features["ids"].tolist()[1::2] == [[1, 1, -1], [1, -1, -1], [1, 1, 1]]
    assert found.features["words"].tolist()[1::2] == [[b"a", b"a", b""], [b"a", b"", b""], [b"a"] * 3]
