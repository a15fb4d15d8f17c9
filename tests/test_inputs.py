import csv
import dataclasses
import gzip
import math
import os
import re
import shutil
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import planted
from trainer import datasets
from trainer import feature_column as fc
from trainer import problem as problems
from trainer.encoding.coded import decoded
from trainer.errors import Refusal
from trainer.heads import MultiClassHead, RegressionHead
from trainer.inputs.examples import Source
from trainer.inputs.features import Reading
from trainer.inputs.files import Rows, State
from trainer.inputs.memory import Examples, collect, elements, joined
from trainer.inputs.readers import matching
from trainer.inputs.shard import Shard
from trainer.inputs.split import read as read_all
from trainer.inputs.split import training_rows
from trainer.inputs.tensors import dataset
from trainer.inputs.tfds import read
from trainer.inputs.values import Wanted
from trainer.problem import ByDate, Files, Problem, Share
from trainer.problems import bikes
from trainer.vocabulary import learned


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
    for features, labels, _ in bags_of(lengths).shuffled(batch_size=3, seed=1, epoch=0, step=0, steps=3):
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
    read = [examples.batches(4), examples.shuffled(4, seed=2, epoch=0, step=0, steps=3)]
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


def test_ids_of_bags_that_32_bits_hold_lie_so_and_are_read_as_64() -> None:
    bags = tf.ragged.constant([[1, 2**31 - 1], [], [-1]], dtype=tf.int64)
    column, weights = np.zeros((3, 1), np.float32), np.ones((3, 1), np.float32)
    wide, narrow = (Examples({"bag": bags}, column, weights, narrow=keys) for keys in ([], ["bag"]))
    assert narrow.features["bag"].dtype == tf.int32
    assert wide.nbytes - narrow.nbytes == 3 * 4
    for examples in (wide, narrow):
        (features, _, _) = next(iter(examples.batches(3)))
        assert features["bag"].dtype == tf.int64
        assert features["bag"].to_list() == bags.to_list()


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


def test_parts_of_different_widths_are_joined_with_their_bags_read_as_64_bits() -> None:
    column, weights = np.zeros((2, 1), np.float32), np.ones((2, 1), np.float32)
    bags = tf.ragged.constant([[1, 2], [3]], dtype=tf.int64)
    parts = [
        Examples({"bag": bags, "ids": np.ones((2, width), np.int64)}, column, weights, narrow=["bag", "ids"])
        for width in (1, 3)
    ]
    (features, _, _) = next(iter(joined(parts).batches(4)))
    assert features["bag"].dtype == tf.int64
    assert features["bag"].to_list() == [[1, 2], [3]] * 2
    assert features["ids"].numpy().tolist() == [[1, -1, -1]] * 2 + [[1, 1, 1]] * 2


# CSV files

HEADER = "word,number,size\n"


def csv_file(folder: Path, name: str, text: str | bytes) -> str:
    data = text if isinstance(text, bytes) else text.encode()
    (folder / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return str(folder / name)


WORDS = {"word": "string", "number": "int64", "size": "float32"}


ASIDE = "; correct it, or set such rows aside with --max-bad-rows."
"""How a sentence about a bad row ends."""


def csv_dataset(*files: str, dtypes: dict[str, str] = WORDS, required: Collection[str] = (), **how: Any) -> Any:
    wanted = {key: Wanted(dtype, is_required=key in required) for key, dtype in dtypes.items()}
    return dataset(lambda: Rows([State.of(file) for file in files], Reading(wanted, **how)), wanted)


def csv_rows(*files: str, dtypes: dict[str, str] = WORDS, **how: Any) -> dict[str, list[Any]]:
    batches = list(elements(csv_dataset(*files, dtypes=dtypes, **how)))
    return {key: [value for batch in batches for value in decoded(batch[key]).numpy().tolist()] for key in dtypes}


def csv_refusal(*files: str, dtypes: dict[str, str] = WORDS, **how: Any) -> str:
    with pytest.raises(Refusal) as refusal:
        csv_rows(*files, dtypes=dtypes, **how)
    return str(refusal.value).removesuffix(ASIDE) + "." if str(refusal.value).endswith(ASIDE) else str(refusal.value)


def test_rows_of_csv_files_are_features_in_the_order_of_the_files(tmp_path: Path) -> None:
    first = csv_file(tmp_path, "b.csv", HEADER + 'a,1,0.5\n"b, ""c""\nd",-2,1e3\n')
    second = csv_file(tmp_path, "a.csv.gz", "\ufeffsize,other,number,word\r\n 7 ,x, 3 ,é\r\n")
    found = csv_rows(first, second)
    assert found == {
        "word": [b"a", b'b, "c"\nd', "é".encode()],
        "number": [1, -2, 3],
        "size": [0.5, 1000.0, 7.0],
    }
    spec = csv_dataset(first).element_spec
    shapes = {key: (spec[key].shape.as_list(), spec[key].dtype.name) for key in ("number", "size")}
    assert shapes == {"number": ([None], "int64"), "size": ([None], "float32")}


def test_a_missing_whole_number_is_minus_one_and_a_missing_string_is_empty(tmp_path: Path) -> None:
    file = csv_file(tmp_path, "a.csv", HEADER + ",,1\nNA,3.0,2\n")
    assert csv_rows(file) == {"word": [b"", b"NA"], "number": [-1, 3], "size": [1.0, 2.0]}


def test_whole_numbers_keep_all_their_digits(tmp_path: Path) -> None:
    file = csv_file(tmp_path, "a.csv", f"number\n{2**63 - 1}\n{-(2**63)}\n\n")
    assert csv_rows(file, dtypes={"number": "int64"}) == {"number": [2**63 - 1, -(2**63)]}


def test_a_decimal_rounds_no_whole_number_beside_it(tmp_path: Path) -> None:
    file = csv_file(tmp_path, "a.csv", f"number\n{2**53 + 1}\n1.0\n{2**63 - 1}.00\n-1e3\n")
    assert csv_rows(file, dtypes={"number": "int64"}) == {"number": [2**53 + 1, 1, 2**63 - 1, -1000]}


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        (np.array([2.0**53, 1e30]), "1e+30"),
        (np.array([1, 2**64 - 1], np.uint64), "18446744073709551615"),
        (np.array([1, -(2**63) - 1], object), "-9223372036854775809"),
    ],
)
def test_a_number_that_a_function_makes_too_large_is_refused(tmp_path: Path, values: Any, shown: str) -> None:
    file = csv_file(tmp_path, "a.csv", "number\n1\n2\n")
    assert csv_refusal(file, dtypes={"number": "int64"}, from_rows=lambda rows: {"number": values}) == (
        f"{file}: line 3 has '{shown}' as 'number', and a whole number of at least -2**63 and below 2**63 is wanted."
    )
    good = np.array([2.0**62, -3.0])
    assert csv_rows(file, dtypes={"number": "int64"}, from_rows=lambda rows: {"number": good}) == {
        "number": [2**62, -3]
    }


def test_a_function_makes_features_of_the_columns_of_a_part_of_a_file(tmp_path: Path) -> None:
    def from_rows(rows: Mapping[str, Any]) -> dict[str, Any]:
        lengths = np.array([len(word) for word in rows["word"]])
        return {
            "length": lengths,
            "half": lengths / 2,
            "number": rows["number"],
            "last": [w[-1:] for w in rows["word"]],
        }

    file = csv_file(tmp_path, "a.csv", HEADER + "abc,1,\nde,,\n")
    dtypes = {"length": "int64", "half": "float32", "number": "int64", "last": "string"}
    assert csv_rows(file, dtypes=dtypes, from_rows=from_rows) == {
        "length": [3, 2],
        "half": [1.5, 1.0],
        "number": [1, -1],
        "last": [b"c", b"e"],
    }


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (HEADER + "a,1,2\nb,x,2\n", "FILE: line 3 has 'x' as 'number', and a whole number is wanted."),
        (HEADER + "a,1.5,2\n", "FILE: line 2 has '1.5' as 'number', and a whole number is wanted."),
        (HEADER + "a,1,2\nb,2,\n", "FILE: line 3 has '' as 'size', and a number is wanted."),
        (HEADER + "a,1,nan\n", "FILE: line 2 has 'nan' as 'size', and a number is wanted."),
        ("word,numbr,size\na,1,2\n", "FILE: there is no column 'number'; did you mean 'numbr'?"),
        ("word,size\na,2\n", "FILE: there is no column 'number'; it has size, word."),
        ("", "FILE: it is empty; a CSV file with a header row is wanted."),
        ("word,word,number,size\na,b,1,2\n", "FILE: two columns are named 'word'; give each its own name."),
        (
            HEADER + "a,1\n",
            "FILE: line 2 has 2 values, and 3 are wanted.",
        ),
        (
            HEADER + "a,1,2\nb,18446744073709551615,2\n",
            "FILE: line 3 has '18446744073709551615' as 'number', and a whole number of at least -2**63 and below "
            "2**63 is wanted.",
        ),
        (
            HEADER + "a,1e30,2\n",
            "FILE: line 2 has '1e30' as 'number', and a whole number of at least -2**63 and below 2**63 is wanted.",
        ),
        (
            HEADER + "a,-9223372036854775809,2\nb,x,2\n",
            "FILE: line 2 has '-9223372036854775809' as 'number', and a whole number of at least -2**63 and below "
            "2**63 is wanted.",
        ),
        (HEADER + "a,1,2\nb,1,1e39\n", "FILE: line 3 has '1e39' as 'size', and a number that 32 bits hold is wanted."),
        (HEADER + "a,1,-inf\n", "FILE: line 2 has '-inf' as 'size', and a number is wanted."),
        (HEADER + "a,1,snan\n", "FILE: line 2 has 'snan' as 'size', and a number is wanted."),
        ("wörd,number,size\na,1,2\n".encode("latin-1"), "FILE: its header is not UTF-8; save the file as UTF-8."),
        ("word,number,size\na,1,2\n".encode("utf-16"), "FILE: its header is not UTF-8; save the file as UTF-8."),
        (
            HEADER.encode() + b"\xff,1,2\n",
            "FILE: line 2 has '\\xff' as 'word', and UTF-8 is wanted.",
        ),
    ],
)
def test_a_csv_file_that_cannot_be_used_is_refused(tmp_path: Path, text: str | bytes, sentence: str) -> None:
    file = csv_file(tmp_path, "a.csv", text)
    assert csv_refusal(file) == sentence.replace("FILE", file)


def test_the_row_of_a_refusal_is_counted_through_the_parts_of_a_large_file(tmp_path: Path) -> None:
    file = csv_file(tmp_path, "a.csv.gz", HEADER + f"{'a' * 50},1,2\n" * 60_000 + "b,c,2\n")
    assert csv_refusal(file) == f"{file}: line 60,002 has 'c' as 'number', and a whole number is wanted."


def test_a_label_that_is_missing_is_refused(tmp_path: Path) -> None:
    file = csv_file(tmp_path, "a.csv", HEADER + "a,,2\n")
    assert csv_refusal(file, required=["number"]) == f"{file}: line 2 has '' as 'number', and a whole number is wanted."


def test_a_packed_file_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv.gz").write_text(HEADER)
    assert csv_refusal(str(tmp_path / "a.csv.gz")).startswith(f"{tmp_path}/a.csv.gz: it cannot be read as CSV (")


def test_a_packed_file_that_is_cut_off_or_damaged_is_refused(tmp_path: Path) -> None:
    words = np.random.default_rng(1).integers(0, 2**60, 50_000)
    file = csv_file(tmp_path, "a.csv.gz", HEADER + "".join(f"{word},1,2\n" for word in words))
    data = Path(file).read_bytes()
    damaged = data[:200_000] + b"\xff" * 9 + data[200_009:]
    for content in (data[:30], data[:200_000], data[:-3], damaged):
        Path(file).write_bytes(content)
        assert re.fullmatch(rf"{file}: it cannot be read as CSV \([^\n]+[^.\n]\)\.", csv_refusal(file))


def hires_refusal(folder: Path, text: str) -> str:
    return csv_refusal(csv_file(folder, "a.csv", text), dtypes={"hour": "int64"}, from_rows=bikes.from_rows)


def test_what_the_function_of_a_problem_cannot_read_is_refused_with_its_row(tmp_path: Path) -> None:
    good = "2015-01-04 00:00:00,1\n"
    assert hires_refusal(tmp_path, "timestamp,cnt\n" + good * 3 + "yesterday,1\n" + good) == (
        f"{tmp_path}/a.csv: line 5 cannot be read by the problem: yesterday,1."
    )
    assert hires_refusal(tmp_path, "timestmp,cnt\n" + good) == (
        f"{tmp_path}/a.csv: there is no column 'timestamp'; did you mean 'timestmp'?"
    )
    file = csv_file(tmp_path, "a.csv", "timestamp,cnt\n" + good)
    assert csv_refusal(file, dtypes={"hour": "int64"}, from_rows=lambda rows: {"hour": [1, 2]}) == (
        "Problem: from_rows makes 'hour' of shape (2,) of 1 rows; one value a row is wanted."
    )


def test_files_match_a_pattern_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv", "c.txt"):
        (tmp_path / name).touch()
    (tmp_path / "folder.csv").mkdir()
    assert matching(f"{tmp_path}/*.csv", "--train-files") == [f"{tmp_path}/a.csv", f"{tmp_path}/b.csv"]
    with pytest.raises(Refusal) as refusal:
        matching(f"{tmp_path}/*.tsv", "--eval-files")
    assert str(refusal.value) == (
        f"--eval-files: no file matches {tmp_path}/*.tsv; near it there are {tmp_path}/a.csv, {tmp_path}/b.csv, "
        f"{tmp_path}/c.txt."
    )
    with pytest.raises(Refusal) as refusal:
        matching(f"{tmp_path}/folder.csv", "--train-files")
    assert str(refusal.value) == (
        f"--train-files: {tmp_path}/folder.csv is a folder; give a pattern of the files in it, such as "
        f"{tmp_path}/folder.csv/*.csv."
    )
    with pytest.raises(Refusal) as refusal:
        matching(f"{tmp_path}/folder.csv/no/*.csv", "--train-files")
    assert str(refusal.value) == (
        f"--train-files: no file matches {tmp_path}/folder.csv/no/*.csv; give the path of a file, or a pattern such as "
        "data/*.csv."
    )


def test_a_file_that_is_there_is_matched_by_its_name_whatever_brackets_are_in_it(tmp_path: Path) -> None:
    for name in ("a[1].csv", "a1.csv"):
        (tmp_path / name).touch()
    assert matching(f"{tmp_path}/a[1].csv", "--train-files") == [f"{tmp_path}/a[1].csv"]
    (tmp_path / "a[1].csv").unlink()
    assert matching(f"{tmp_path}/a[1].csv", "--train-files") == [f"{tmp_path}/a1.csv"]


def test_remote_files_are_matched_and_read_through_tensorflow(tmp_path: Path) -> None:
    name = f"ram://{tmp_path.name}/a.csv.gz"
    with tf.io.gfile.GFile(name, "wb") as file:
        file.write(gzip.compress(f"{HEADER}a,1,2\n".encode()))
    (found,) = matching(f"ram://{tmp_path.name}/*.gz", "--train-files")
    assert csv_rows(found) == {"word": [b"a"], "number": [1], "size": [2.0]}


def test_a_table_of_strings_and_numbers_comes_back_from_a_file(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("hypothesis")
    text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r")).filter(lambda word: word != "")
    rows = st.lists(
        st.tuples(
            text,
            st.integers(-(2**63), 2**63 - 1),
            st.floats(width=32, allow_nan=False, allow_infinity=False, allow_subnormal=False),
        ),
        min_size=1,
    )

    @settings(max_examples=50)
    @given(rows)
    def check(table: list[tuple[str, int, float]]) -> None:
        with (folder / "a.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([HEADER.strip().split(","), *table])
        found = csv_rows(str(folder / "a.csv"))
        assert found["word"] == [word.encode() for word, _, _ in table]
        assert found["number"] == [number for _, number, _ in table]
        assert found["size"] == [size for _, _, size in table]

    check()


# A problem's data: files, days, planted

FEATURES = {"day": "string", "hour": "int64"}


def hires(folder: Path, days: int = 100, first: str = "2015-01-04") -> str:
    """A file of one hire at hour 7 of the first day, two of the second and so on, and none at hour 8."""
    moments = [datetime.fromisoformat(first) + timedelta(number) for number in range(days)]
    lines = [
        f"{moment:%Y-%m-%d} {hour:02}:00:00,{count}"
        for count, moment in enumerate(moments, 1)
        for hour, count in ((7, count), (8, 0))
    ]
    return csv_file(folder, f"{first}.csv", "timestamp,cnt\n" + "\n".join(lines) + "\n")


def bike_source(folder: Path, files: Files | str, **arguments: Any) -> Source:
    problem = dataclasses.replace(problems.load("bikes", arguments), dataset=files)
    source = Source(problem, FEATURES, str(folder))
    source.prepare(download=False)
    return source


def counts(source: Source, split: str) -> list[float]:
    return [float(label) for _, labels, _ in elements(source.batches(split)) for label in labels.numpy()[:, 0]]


def test_a_problem_reads_files_in_place_of_its_data_set(tmp_path: Path) -> None:
    file = hires(tmp_path, 2)
    source = bike_source(tmp_path, Files(file, test=str(shutil.copy(file, tmp_path / "test.csv"))))
    ((features, labels, weights),) = source.batches("train")
    assert source.name == file
    assert (decoded(features["day"]).numpy().tolist(), features["hour"].numpy().tolist()) == (
        [b"Sun"] * 2 + [b"Mon"] * 2,
        [7, 8] * 2,
    )
    assert (labels.numpy().tolist(), labels.dtype) == ([[1.0], [0.0], [2.0], [0.0]], tf.float32)
    assert weights.numpy().tolist() == [[1.0]] * 4
    assert counts(source, "test") == counts(source, "train")
    assert source.rows("train") is None


def test_without_test_files_a_tenth_of_the_training_files_is_test(tmp_path: Path) -> None:
    data = read_all(bike_source(tmp_path, Files(hires(tmp_path))), None)
    sets = [examples.labels[:, 0].tolist() for examples in (data.train, data.validation, data.test())]
    assert sorted([*sets[0], *sets[1], *sets[2]]) == sorted([*range(1, 101), *[0.0] * 100])
    assert 5 < len(sets[2]) < 40


def test_rows_of_validation_files_are_validation_and_no_training_row_is_held_out(tmp_path: Path) -> None:
    train, validation, test = (
        hires(tmp_path, days, first) for days, first in ((30, "2015-01-01"), (5, "2016-01-01"), (3, "2017-01-01"))
    )
    source = bike_source(tmp_path, Files(train, validation, test))
    data = read_all(source, None)
    assert (len(data.train), len(data.validation), len(data.test())) == (60, 10, 6)
    assert sum(len(rows["hour"]) for rows in training_rows(source)) == 60
    other = read_all(bike_source(tmp_path, Files(train, hires(tmp_path, 5, "2018-01-01"), test)), None)
    assert data.digest != other.digest


def test_test_files_that_cannot_be_used_are_refused_before_the_training(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refusal:
        bike_source(tmp_path, Files(hires(tmp_path), test=csv_file(tmp_path, "a.csv", "timestamp,cnt\nnow,1\n")))
    assert str(refusal.value) == f"{tmp_path}/a.csv: line 2 cannot be read by the problem: now,1{ASIDE}"
    source = bike_source(tmp_path, Files(hires(tmp_path), test=csv_file(tmp_path, "a.csv", "timestamp,cnt\n")))
    with pytest.raises(Refusal) as refusal:
        read_all(source, None)
    assert str(refusal.value) == "--eval-files: there is no row in them; at least one is wanted."


def test_a_mistake_in_any_file_is_refused_before_the_training(tmp_path: Path) -> None:
    train, bad = hires(tmp_path), "timestamp,cnt\n2015-01-04 00:00:00,many\n"
    for name, text in (("t1", "timestamp,cnt\n2015-01-04 00:00:00,1\n"), ("t2", bad), ("v", bad)):
        csv_file(tmp_path, f"{name}.csv", text)
    wanted = f"line 2 has 'many' as 'cnt', and a number is wanted{ASIDE}"
    for arguments in ({}, {"first_days": 7}):
        for files, file in (
            (Files(train, test=f"{tmp_path}/t*.csv"), "t2"),
            (Files(train, validation=f"{tmp_path}/v.csv"), "v"),
        ):
            with pytest.raises(Refusal) as refusal:
                bike_source(tmp_path, files, **arguments)
            assert str(refusal.value) == f"{tmp_path}/{file}.csv: {wanted}"
    csv_file(tmp_path, "t2.csv", "timestmp,cnt\n2015-01-04 00:00:00,1\n")
    with pytest.raises(Refusal) as refusal:
        bike_source(tmp_path, Files(train, test=f"{tmp_path}/t*.csv"), first_days=7)
    assert str(refusal.value) == f"{tmp_path}/t2.csv: there is no column 'timestamp'; did you mean 'timestmp'?"


def test_files_for_validation_need_no_date_where_those_of_a_window_do(tmp_path: Path) -> None:
    train = csv_file(tmp_path, "t.csv", "date,cnt,hour,day\n2015-01-04,1,1,Sun\n2015-01-05,1,1,Mon\n")
    rest = csv_file(tmp_path, "v.csv", "cnt,hour,day\n1,1,Sun\n")
    problem = dataclasses.replace(problems.load("bikes"), window=ByDate("date", 1, test_days=1), from_rows=None)
    problem = dataclasses.replace(problem, validation=Share(0.1))
    source = Source(dataclasses.replace(problem, dataset=Files(train, rest)), FEATURES, "")
    source.prepare(download=False)
    assert (counts(source, "validation"), source.rows("test")) == ([1.0], 1)
    source = Source(dataclasses.replace(problem, dataset=Files(train, test=rest)), FEATURES, "")
    with pytest.raises(Refusal) as refusal:
        source.prepare(download=False)
    assert str(refusal.value) == f"{rest}: there is no column 'date'; it has cnt, day, hour."


def test_a_file_of_two_splits_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("tr.csv", "te.csv"):
        (tmp_path / name).write_text("timestamp,cnt\n2015-01-04 00:00:00,1\n")
    (tmp_path / "link.csv").symlink_to("te.csv")
    for files, sentence in (
        (Files("t*.csv", test="te.csv"), "--eval-files: te.csv is among --train-files too"),
        (Files("t*.csv", test=f"{tmp_path}/te.csv"), f"--eval-files: {tmp_path}/te.csv is among --train-files too"),
        (Files("t*.csv", "link.csv"), "--validation-files: link.csv is among --train-files too"),
        (Files("tr.csv", "te.csv", "*e.csv"), "--eval-files: te.csv is among --validation-files too"),
    ):
        with pytest.raises(Refusal) as refusal:
            bike_source(tmp_path, files)
        assert str(refusal.value) == f"{sentence}; give other files, or a pattern without it."
    assert bike_source(tmp_path, Files("tr.csv", test="te.csv")).name == "tr.csv"


@pytest.mark.parametrize("start", [None, "2015-01-10"])
def test_a_window_takes_its_days_from_all_files_and_the_days_after_them_for_test(
    tmp_path: Path, start: str | None
) -> None:
    hires(tmp_path, 40)
    hires(tmp_path, 60, "2015-02-13")
    source = bike_source(tmp_path, Files(f"{tmp_path}/*.csv"), first_days=35, start_date=start)
    day = 1 if start is None else 7
    numbers = [*range(1, 41), *range(1, 61)]
    train, test = numbers[day - 1 :][:35], numbers[day + 34 :][:56]
    assert [count for count in counts(source, "train") if count] == train
    assert [count for count in counts(source, "test") if count] == test
    assert (source.rows("train"), source.rows("test")) == (70, 112)
    data = read_all(source, None)
    assert len(data.train) + len(data.validation) == 70
    assert len(data.validation) == 6  # every tenth day


def test_a_window_of_one_day_keeps_hours_for_validation(tmp_path: Path) -> None:
    data = read_all(bike_source(tmp_path, Files(hires(tmp_path)), first_days=1), None)
    assert (len(data.train), len(data.validation), len(data.test())) == (1, 1, 112)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            {"start_date": "2015-02-30"},
            "--problem bikes: the start '2015-02-30' is no date as in 2015-01-04; FILE has 2015-01-04 to 2015-04-13.",
        ),
        (
            {"start_date": "2016-01-01"},
            "--problem bikes: the start 2016-01-01 is not among the days of the data; FILE has 2015-01-04 to "
            "2015-04-13.",
        ),
        (
            {"first_days": 45},
            "--problem bikes: 45 days from 2015-01-04 and 56 days after them to test on end on 2015-04-14, and FILE "
            "has 2015-01-04 to 2015-04-13; give fewer days or an earlier start.",
        ),
        (
            {"first_days": 3_000_000},
            "--problem bikes: 3,000,000 days from 2015-01-04 and 56 days after them to test on end after 9999-12-31, "
            "and FILE has 2015-01-04 to 2015-04-13; give fewer days or an earlier start.",
        ),
        (
            {"first_days": 10**12},
            "--problem bikes: 1,000,000,000,000 days from 2015-01-04 and 56 days after them to test on end after "
            "9999-12-31, and FILE has 2015-01-04 to 2015-04-13; give fewer days or an earlier start.",
        ),
        (
            {"first_days": 1, "start_date": "2015-04-13"},
            "--problem bikes: 1 day from 2015-04-13 and 56 days after them to test on end on 2015-06-08, and FILE has "
            "2015-01-04 to 2015-04-13; give fewer days or an earlier start.",
        ),
    ],
)
def test_a_window_that_is_not_in_the_data_is_refused_with_their_range(
    tmp_path: Path, arguments: dict[str, Any], sentence: str
) -> None:
    file = hires(tmp_path)
    source = bike_source(tmp_path, Files(file), **{"first_days": 7, **arguments})
    with pytest.raises(Refusal) as refusal:
        source.batches("train")
    assert str(refusal.value) == sentence.replace("FILE", file)


def test_a_window_over_no_dates_is_refused(tmp_path: Path) -> None:
    problem = planted.problem(window=ByDate("date", 7))
    with pytest.raises(Refusal) as refusal:
        Source(problem, {}, "").batches("train")
    assert str(refusal.value) == "Problem: data set dataset has no feature 'date'; it has day, distance, hour."
    with pytest.raises(Refusal) as refusal:
        Source(dataclasses.replace(problem, window=ByDate("day", 7)), {}, "").batches("train")
    assert re.fullmatch(
        r"--problem planted: dataset holds '\w{3}' as 'day', and a date as in 2015-01-04 is wanted\.",
        str(refusal.value),
    )


def test_a_window_over_a_feature_that_is_no_string_is_refused() -> None:
    with pytest.raises(Refusal) as refusal:
        Source(planted.problem(window=ByDate("hour", 7)), {}, "").batches("train")
    assert str(refusal.value) == (
        "Problem: data set dataset holds int64 as 'hour', and ByDate reads strings as in 2015-01-04; give it a feature "
        "of such strings."
    )


def test_a_window_may_end_with_the_last_day_that_there_is(tmp_path: Path) -> None:
    file = csv_file(tmp_path, "a.csv", "timestamp,cnt\n" + "".join(f"9999-12-{day} 00:00:00,1\n" for day in (30, 31)))
    problem = problems.load("bikes", {"first_days": 1})
    problem = dataclasses.replace(problem, dataset=Files(file), window=ByDate("date", 1, test_days=1))
    assert counts(Source(problem, FEATURES, ""), "test") == [1.0]


def test_a_window_of_a_data_set_reaches_over_its_splits(tmp_path: Path) -> None:
    (tmp_path / "manual").mkdir()
    Path(hires(tmp_path)).rename(tmp_path / "manual" / "dc_hourly_counts.csv")
    text = (tmp_path / "manual" / "dc_hourly_counts.csv").read_text()
    lines = [f"{line},0" if place else f"{line},is_holiday" for place, line in enumerate(text.splitlines())]
    (tmp_path / "manual" / "dc_hourly_counts.csv").write_text("\n".join(lines))
    source = bike_source(tmp_path, "bike_hires/dc", first_days=2, start_date="2015-02-01")  # test begins on March 25
    assert [count for count in counts(source, "train") if count] == [29, 30]
    assert [count for count in counts(source, "test") if count] == list(range(31, 87))
    assert source.rows("test") == 112
    sample = Source(source.problem, FEATURES, str(tmp_path)).sample(10, str(tmp_path / "sample"))
    assert counts(sample, "test") == counts(source, "test")


def test_planted_data_stand_in_for_a_file_that_is_not_there(tmp_path: Path) -> None:
    problem = problems.load("bikes")
    source = Source(problem, FEATURES, str(tmp_path))
    for each in (source, source.sample(10, str(tmp_path / "sample"))):
        each.prepare(download=True)
        assert each.name == "planted"
        assert str(each.absent).startswith("bike_hires/london: there is no london_hourly_counts.csv.gz in ")
        assert counts(each, "train") == bikes.planted("train")["cnt"].tolist()
    with pytest.raises(Refusal) as refusal:
        Source(dataclasses.replace(problem, planted=None), FEATURES, str(tmp_path)).prepare()
    assert str(refusal.value) == source.absent


def test_real_data_come_before_planted_ones_and_a_mistake_in_them_is_told(tmp_path: Path) -> None:
    (tmp_path / "manual").mkdir()
    file = tmp_path / "manual" / "london_hourly_counts.csv"
    file.write_text("timestamp,cnt,is_holiday\n2015-01-04 00:00:00,many,0\n")
    source = Source(problems.load("bikes"), FEATURES, str(tmp_path))
    with pytest.raises(Refusal, match=r"row 1 of .* should be like 2015-01-04 00:00:00,182,0, not"):
        source.prepare()
    file.write_text("timestamp,cnt,is_holiday\n2015-01-04 00:00:00,5,0\n2015-01-05 00:00:00,6,0\n")
    source.prepare()
    assert (source.name, source.absent, counts(source, "train")) == ("bike_hires/london", None, [5.0])


@pytest.mark.parametrize(("city", "start"), [("london", "2015-03-02"), ("dc", "2012-08-06")])
def test_the_first_days_of_real_hires_come_from_a_data_set_and_from_its_file_alike(
    tmp_path: Path, city: str, start: str
) -> None:
    data = os.environ.get("TRAINER_TEST_DATA")
    if data is None:
        pytest.skip("TRAINER_TEST_DATA names no folder with bikes/london_hourly_counts.csv.gz and bikes/dc_…")
    (tmp_path / "manual").mkdir()
    file = shutil.copy(Path(data, "bikes", f"{city}_hourly_counts.csv.gz"), tmp_path / "manual")
    sources = [
        bike_source(tmp_path, given, first_days=14, start_date=start)
        for given in (f"bike_hires/{city}", Files(str(file)))
    ]
    for split, days in (("train", 14), ("test", 56)):
        first, second = (counts(source, split) for source in sources)
        assert first == second
        assert 0.95 * 24 * days < len(first) == sources[0].rows(split) == sources[1].rows(split)


def test_what_columns_learn_of_files_is_of_the_training_rows_alone(tmp_path: Path) -> None:
    word = fc.categorical_column_with_vocabulary_list("word", fc.from_data())
    file = csv_file(tmp_path, "a.csv", "word,late\n" + "".join(f"w{place},{place % 2}\n" for place in range(400)))
    problem = planted.problem(
        dataset=Files(file),
        dnn_feature_columns=(fc.embedding_column(word, 2),),
        linear_feature_columns=(),
        label="late",
    )
    source = Source(problem, {"word": "string"}, "")
    (column,) = learned([word], training_rows(source))
    data = read_all(source, None)
    sets = [{text.decode() for text in each.in_memory().features["word"]} for each in (data.train, data.validation)]
    assert set(column.vocabulary_list) == sets[0]
    assert len(sets[0]) + len(sets[1]) < 400  # the others are test rows


@pytest.mark.parametrize("by", [None, "word"], ids=["rows", "words"])
def test_the_shares_of_several_workers_are_the_training_rows_and_each_has_its_own(
    by: str | None, tmp_path: Path
) -> None:
    files = [
        csv_file(tmp_path, f"{n}.csv", "word,late\n" + "".join(f"w{n}_{m},{m % 2}\n" for m in range(200)))
        for n in range(6)
    ]
    problem = planted.problem(
        dataset=Files(str(Path(files[0]).parent / "*.csv"), split_by=by),
        validation=Share(by=by),
        dnn_feature_columns=(fc.embedding_column(fc.categorical_column_with_vocabulary_list("word", ["a"]), 2),),
        linear_feature_columns=(),
        label="late",
    )

    def words(shard: Shard) -> list[str]:
        source = Source(problem, {"word": "string"}, "")
        found = [
            text.decode()
            for rows in training_rows(source, shard)
            for text in np.asarray(decoded(rows["word"])).tolist()
        ]
        read = sum(each.progress.rows_done for each in source.files.passes.values()) if source.files else 0
        # A row whose side is told by its own values is not read by the others.
        assert read < 1200 if shard.count > 1 and by is not None else read == 1200
        return found

    parts = [words(Shard(index, 2)) for index in range(2)]
    assert all(parts)
    assert sorted([*parts[0], *parts[1]]) == sorted(words(Shard()))


# Labels that are names of classes


def named_labels(labels: Any, files: str | None = None) -> tf.data.Dataset:
    """Batches of hours with labels of three names: of a function, or of a file."""

    def dataset(split: str) -> tf.data.Dataset:
        hours = tf.range(len(labels), dtype=tf.int64)
        return tf.data.Dataset.from_tensor_slices(({"hour": hours}, labels)).batch(4)

    problem = Problem(
        dataset=dataset if files is None else Files(files),
        linear_feature_columns=[fc.categorical_column_with_identity("hour", 24)],
        label=None if files is None else "kind",
        head=MultiClassHead(3, label_vocabulary=["red", "green", "blue"]),
    )
    return Source(problem, {"hour": "int64"}, "").batches("train")


def test_labels_that_are_texts_become_the_numbers_of_their_classes(tmp_path: Path) -> None:
    file = tmp_path / "kinds.csv"
    file.write_text("hour,kind\n1,blue\n2,red\n3,green\n")
    for batches in (named_labels(["blue", "red", "green"]), named_labels([], str(file)), named_labels([2, 0, 1])):
        (labels,) = (labels.numpy().tolist() for _, labels, _ in batches)
        assert labels == [[2], [0], [1]]


def test_a_label_that_is_none_of_the_names_is_a_bad_row_of_a_file_and_refused_elsewhere(tmp_path: Path) -> None:
    file = tmp_path / "kinds.csv"
    file.write_text("hour,kind\n1,blue\n2,purple\n")
    with pytest.raises(Refusal) as refusal:
        collect(named_labels([], str(file)), None)
    assert str(refusal.value) == (
        f"{file}: line 3 has 'purple' as 'kind', and one of red, green, blue is wanted; correct it, or set such rows "
        "aside with --max-bad-rows."
    )
    with pytest.raises(Refusal) as refusal:
        collect(named_labels(["blue", "purple"]), None)
    assert str(refusal.value) == (
        "Problem: the labels of dataset should be of label_vocabulary, 'red', 'green', 'blue', and one is purple, "
        "counted from row 0 of the data set."
    )


def prices(values: list[float], files: str | None = None) -> Any:
    """Returns the batches of a problem whose labels have a logarithm."""

    def dataset(split: str) -> tf.data.Dataset:
        del split
        return tf.data.Dataset.from_tensors(({"hour": list(range(len(values)))}, values))

    problem = Problem(
        dataset=dataset if files is None else Files(files),
        linear_feature_columns=[fc.categorical_column_with_identity("hour", 24)],
        label=None if files is None else "price",
        head=RegressionHead(log=True),
    )
    return Source(problem, {"hour": "int64"}, "").batches("train")


def test_a_label_without_a_logarithm_is_a_bad_row_of_a_file_and_refused_elsewhere(tmp_path: Path) -> None:
    file = tmp_path / "prices.csv"
    file.write_text("hour,price\n1,80\n2,0\n")
    with pytest.raises(Refusal) as refusal:
        collect(prices([], str(file)), None)
    assert str(refusal.value) == (
        f"{file}: line 3 has '0.0' as 'price', and a number above 0 is wanted; correct it, or set such rows aside with "
        "--max-bad-rows."
    )
    with pytest.raises(Refusal) as refusal:
        collect(prices([80.0, -2.5]), None)
    assert str(refusal.value) == (
        "Problem: the labels of dataset should be above 0, and one is -2.5, counted from row 0 of the data set."
    )
    assert collect(prices([80.0, 2.5]), None).labels.tolist() == [[80.0], [2.5]]


def test_labels_that_are_texts_want_a_head_with_names() -> None:
    rows = tf.data.Dataset.from_tensors(({"hour": [1]}, ["blue"]))
    problem = Problem(
        dataset=lambda split: rows, linear_feature_columns=[fc.categorical_column_with_identity("hour", 24)]
    )
    with pytest.raises(Refusal) as refusal:
        Source(problem, {"hour": "int64"}, "").batches("train")
    assert str(refusal.value) == (
        "Problem: <lambda> has texts as labels; give the head their names, as in "
        "BinaryHead(label_vocabulary=['no', 'yes'])."
    )


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            FileNotFoundError(2, "No such file or directory", "rows.csv"),
            "data('train'): rows.csv cannot be read (No such file or directory); the job runs in {}, where relative "
            "paths begin.",
        ),
        (
            ConnectionError("nobody\nlistens."),
            "data('train'): nobody listens; the job runs in {}, where relative paths begin.",
        ),
        (Refusal("there is no bucket."), "there is no bucket."),
    ],
    ids=["a file", "no file", "a refusal"],
)
def test_a_file_that_a_problem_s_function_cannot_read_is_refused_with_the_folder_that_it_is_looked_for_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, sentence: str
) -> None:
    def data(split: str) -> Any:
        raise error

    monkeypatch.chdir(tmp_path)
    hour = fc.categorical_column_with_identity("hour", 24)
    with pytest.raises(Refusal) as refusal:
        list(Source(Problem(dataset=data, linear_feature_columns=[hour]), {"hour": "int64"}, "data").batches("train"))
    assert str(refusal.value) == sentence.format(tmp_path)
