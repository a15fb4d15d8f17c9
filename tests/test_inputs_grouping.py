"""Rows of one person as one example: what a group holds, and which groups are for training, validation and test."""

import dataclasses
import os
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import stars, trips
from tests.stars import PROBLEM, Row, groups_of, write
from trainer import feature_column as fc
from trainer.encoding.coded import Coded, decoded
from trainer.errors import Refusal
from trainer.inputs import split
from trainer.inputs.examples import Source
from trainer.inputs.files import Rows
from trainer.inputs.grouping import Grouping
from trainer.inputs.memory import elements
from trainer.inputs.shard import Shard
from trainer.inputs.sides import dealt
from trainer.inputs.split import Data, training_rows
from trainer.job import dry_run
from trainer.job.plan import with_settings
from trainer.job.reading import dtypes_of
from trainer.problem import ByDate, ByValue, Files, Grouped, Problem, Share
from trainer.rows import Limit
from trainer.settings import Settings


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, an empty one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def texts(values: Any) -> Any:
    plain = decoded(values)
    listed = plain.to_list() if isinstance(plain, tf.RaggedTensor) else np.asarray(plain).tolist()
    return [[each.decode() for each in one] if isinstance(one, list) else one.decode() for one in listed]


def sides(data: Data) -> list[dict[str, list[str]]]:
    """The films by person of each set."""
    found = []
    for examples in (data.train, data.validation, data.test()):
        features = examples.in_memory().features
        found.append(dict(zip(texts(features["who"]), texts(features["film"]), strict=True)))
        assert len(found[-1]) == len(examples)
    return found


# What a group holds


def grouping_of(rows: Sequence[Row], size: int, least: Mapping[str, float]) -> Grouping:
    columns = {key: [row[key] for row in rows] for key in ("who", "word", "number", "stars", "age")}

    def read(split: str) -> tf.data.Dataset:
        whole = tf.data.Dataset.from_tensor_slices(columns).batch(size)
        return whole.map(lambda row: (row, row["age"][:, tf.newaxis], tf.ones_like(row["age"])[:, tf.newaxis]))

    keys = ["who", "word", "number", "age"]
    return Grouping(Grouped("who", least=least), ["word", "number"], keys, read, lambda split: f"the {split} rows")


def plainly(rows: Sequence[Row], least: float) -> list[tuple[Any, ...]]:
    found: dict[Any, tuple[Any, ...]] = {}
    for row in rows:
        if row["stars"] >= least:
            _, words, numbers, _ = found.setdefault(row["who"], (row["who"], [], [], row["age"]))
            words += [row["word"]] * (row["word"] not in ["", *words])
            numbers += [row["number"]] * (row["number"] not in [-1, *numbers])
    return [*found.values()]


ROW = st.fixed_dictionaries(
    {
        "who": st.sampled_from("abcdefg"),
        "word": st.sampled_from(["", "x", "y", "é"]),
        "number": st.sampled_from([-1, 0, 2**40, -7]),
        "stars": st.floats(0, 5, width=32),
        "age": st.integers(0, 90),
    }
)


@settings(max_examples=25)
@given(st.lists(ROW, min_size=1, max_size=40), st.integers(1, 45), st.sampled_from([None, 2.5]))
def test_groups_are_those_of_a_plain_dictionary(rows: list[Row], size: int, least: float | None) -> None:
    wanted = plainly(rows, 0 if least is None else least)
    grouping = grouping_of(rows, size, {} if least is None else {"stars": least})
    if not wanted:
        with pytest.raises(Refusal, match=r"^the train rows: there is no row with stars of at least 2\.5 in them; "):
            grouping.gathered("train")
        return
    assert grouping.count("train") is None
    counted: list[int] = []
    assert len(grouping.gathered("train", counted.append)) == grouping.count("train") == len(wanted)
    assert sum(counted) == len(rows)
    (found,) = elements(grouping.batches("train"))
    features, labels, _ = found
    columns = texts(features["who"]), texts(features["word"]), features["number"].to_list(), features["age"].numpy()
    assert features.keys() == {"who", "word", "number", "age"}
    assert [*zip(*columns, strict=True)] == wanted
    assert labels.numpy().tolist() == [[age] for *_, age in wanted]


def test_a_number_of_32_bits_reaches_the_same_one_of_64() -> None:
    rows = [{"who": who, "word": "x", "number": 1, "stars": 0.7, "age": 1} for who in "ab"]
    assert len(grouping_of(rows, 1, {"stars": 0.7}).gathered("train")) == 2


def test_the_strings_of_many_groups_come_in_batches_and_as_codes_where_they_repeat() -> None:
    count = 20_000
    columns = {"who": [f"p{number}" for number in range(count)] * 2, "film": [*"a" * count, *"bcde" * (count // 4)]}

    def read(split: str) -> tf.data.Dataset:
        one = tf.ones([2 * count, 1])
        return tf.data.Dataset.from_tensor_slices((columns, one, one)).batch(3000)

    columns["other"] = [f"o{number}" for number in range(2 * count)]
    for key, kind in (("film", Coded), ("other", tf.RaggedTensor)):
        grouping = Grouping(Grouped("who"), [key], ["who", key], read, str)
        batches = [*elements(grouping.batches("train"))]
        assert all(isinstance(features[key], kind) for features, *_ in batches)
        assert [len(labels) for _, labels, _ in batches] == [8192, 8192, 3616]
        found = [each for features, *_ in batches for each in texts(features[key])]
        assert found == [[columns[key][number], columns[key][number + count]] for number in range(count)]
        assert [each for features, *_ in batches for each in texts(features["who"])] == columns["who"][:count]


def test_a_feature_of_several_numbers_or_strings_is_that_of_a_groups_first_row() -> None:
    columns = {
        "who": ["b", "a", "b"],
        "film": ["x", "y", "z"],
        "vector": [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]],
        "names": [["u", ""], ["v", "u"], ["w", "w"]],
    }

    def read(split: str) -> tf.data.Dataset:
        return tf.data.Dataset.from_tensor_slices((columns, tf.ones([3, 1]), [[1.0], [2.0], [3.0]])).batch(2)

    ((features, _, weights),) = elements(Grouping(Grouped("who"), ["film"], [*columns], read, str).batches("train"))
    assert texts(features["who"]) == ["b", "a"]
    assert features["vector"].numpy().tolist() == [[1, 2], [3, 4]]
    assert texts(features["names"]) == [["u", ""], ["v", "u"]]
    assert weights.numpy().tolist() == [[1], [2]]
    ragged = {**columns, "names": tf.ragged.constant([["u"], [], ["v", "w"]])}
    rows = tf.data.Dataset.from_tensor_slices((ragged, tf.ones([3, 1]), tf.ones([3, 1]))).ragged_batch(2)
    grouping = Grouping(Grouped("who"), ["film"], [*columns], lambda split: rows, str)
    with pytest.raises(Refusal) as refusal:
        grouping.gathered("train")
    assert str(refusal.value) == (
        "Grouped: a row has several values of 'names', and one is wanted of rows that are grouped by 'who'; leave it "
        "out, or give groups as the data."
    )


# Which groups are for what


@pytest.mark.parametrize(
    ("shares", "counts"), [({}, [40, 5, 5]), ({"eval_share": 0.3, "validation_share": 0.01}, [34, 1, 15])]
)
def test_each_set_has_exactly_its_share_of_the_groups(shares: dict[str, float], counts: list[int]) -> None:
    rows = stars.rows()
    found = sides(trips.raw(PROBLEM, train_files=write(Path("stars.csv"), rows), **shares))
    assert [*map(len, found)] == counts
    assert {**found[0], **found[1], **found[2]} == groups_of(rows)


def test_the_same_groups_are_in_the_same_set_in_any_order_format_and_number_of_files() -> None:
    rows = stars.rows()
    expected = [{*side} for side in sides(trips.raw(PROBLEM, train_files=write(Path("stars.csv"), rows)))]
    for number, name in enumerate(("stars.parquet", "stars.jsonl", "other.csv")):
        shuffled = random.Random(number).sample(rows, len(rows))
        found = sides(trips.raw(PROBLEM, train_files=write(Path(name), shuffled)))
        assert [{*side} for side in found] == expected
        assert {**found[0], **found[1], **found[2]} == groups_of(shuffled)
        write(Path(f"part-{number}{Path(name).suffix}"), shuffled[number::3])
    write(Path("part-0.parquet"), rows[:100])
    write(Path("part-1.jsonl"), rows[100:250])
    write(Path("part-2.csv"), rows[250:])
    parts = sides(trips.raw(PROBLEM, train_files="part-*"))
    assert [{*side} for side in parts] == expected
    assert {**parts[0], **parts[1], **parts[2]} == groups_of(rows)


def test_another_split_seed_deals_other_groups_to_the_sets_and_the_shares_stay_exact() -> None:
    file = write(Path("stars.csv"), stars.rows())
    found = [[{*side} for side in sides(trips.raw(PROBLEM, train_files=file, split_seed=seed))] for seed in (0, 1, 2)]
    for each in found:
        assert [*map(len, each)] == [40, 5, 5]
    assert found[0][1] != found[1][1] != found[2][1] != found[0][1]
    assert found[0][2] != found[1][2] != found[2][2] != found[0][2]


@given(st.integers(3, 200), st.floats(0.01, 0.4), st.floats(0.01, 0.4), st.integers(0, 3))
def test_groups_are_dealt_exactly(count: int, test: float, validation: float, seed: int) -> None:
    hashes = np.random.default_rng(count).integers(-(2**63), 2**63 - 1, count)
    wanted = [max(1, round(share * count)) for share in (test, validation)]
    found = dealt(hashes, (test, validation), seed, "", "")
    assert np.bincount(found, minlength=3).tolist() == [count - sum(wanted), wanted[1], wanted[0]]
    order = np.random.default_rng(0).permutation(count)
    assert dealt(hashes[order], (test, validation), seed, "", "").tolist() == found[order].tolist()


def test_files_for_validation_and_test_are_grouped_by_themselves() -> None:
    train, more, other = stars.rows(), stars.rows(20, seed=1), stars.rows(9, seed=2)
    given = {"train_files": write(Path("train.csv"), train), "validation_files": write(Path("more.csv"), more)}
    found = sides(trips.raw(PROBLEM, **given, eval_files=write(Path("other.csv"), other)))
    assert found == [groups_of(train), groups_of(more), groups_of(other)]
    tested = sides(trips.raw(PROBLEM, train_files="train.csv", eval_files="other.csv"))
    assert [*map(len, tested)] == [45, 5, 9]
    assert {**tested[0], **tested[1]} == groups_of(train)


def test_groups_may_be_held_out_by_the_value_of_a_feature() -> None:
    problem = dataclasses.replace(PROBLEM, validation=ByValue("age", ("3",)))
    found = sides(trips.raw(problem, train_files=write(Path("stars.csv"), stars.rows())))
    of_age = {f"p{number}" for number in range(50) if number % 7 == 3}
    assert len(found[2]) == 5
    assert {*found[1]} == of_age - {*found[2]}


@pytest.mark.skipif("TRAINER_TEST_DATA" not in os.environ, reason="TRAINER_TEST_DATA names no folder with movielens/")
def test_the_people_of_movielens_are_dealt_exactly() -> None:
    file = os.path.join(os.environ["TRAINER_TEST_DATA"], "movielens", "ratings.csv")
    movie = fc.categorical_column_with_vocabulary_list("movieId", fc.from_data())
    problem = dataclasses.replace(
        PROBLEM,
        dnn_feature_columns=[fc.embedding_column(movie, 2, name="film")],
        bags=["movieId"],
        grouped=Grouped("userId"),
    )
    data = trips.raw(problem, train_files=file)
    held = [examples.in_memory() for examples in (data.train, data.validation, data.test())]
    assert [*map(len, held)] == [488, 61, 61]
    assert sum(int(each.features["movieId"].row_lengths().numpy().sum()) for each in held) == 100_836
    assert len({*np.concatenate([each.features["userId"] for each in held]).tolist()}) == 610


# Where the rows come from


class Stars(tfds.core.GeneratorBasedBuilder):
    """Stars with and without rows to test on."""

    VERSION = tfds.core.Version("1.0.0")
    BUILDER_CONFIGS = [tfds.core.BuilderConfig(name=name) for name in ("whole", "tested")]

    def _info(self) -> tfds.core.DatasetInfo:
        features = {"who": np.str_, "film": np.str_, "stars": np.float32}
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager: Any) -> dict[str, Iterator[Any]]:
        rows = [{key: row[key] for key in ("who", "film", "stars")} for row in stars.rows()]
        if self.builder_config.name == "whole":
            return {"train": self._generate_examples(rows)}
        return {"train": self._generate_examples(rows[::2]), "test": self._generate_examples(rows[1::2])}

    def _generate_examples(self, rows: Sequence[Row]) -> Iterator[tuple[int, Row]]:
        yield from enumerate(rows)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = str(tmp_path_factory.mktemp("stars"))
    for name in ("whole", "tested"):
        Stars(config=name, data_dir=folder).download_and_prepare()
    return folder


def of_data_set(name: str, data_dir: str) -> tuple[Source, Data]:
    problem = dataclasses.replace(PROBLEM, dataset=f"stars/{name}")
    source = Source(problem, dtypes_of(problem), data_dir)
    source.prepare(download=False)
    return source, split.read(source, None)


def test_groups_to_test_on_are_dealt_where_a_data_set_has_none_and_taken_where_it_has(prepared: str) -> None:
    source, data = of_data_set("whole", prepared)
    assert (source.test_is_ready, source.rows("train")) == (True, 50)
    assert source.read_so_far(10) == (10, len(stars.rows()), True)
    found, from_file = sides(data), sides(trips.raw(PROBLEM, train_files=write(Path("stars.csv"), stars.rows())))
    assert [{*side} for side in found] == [{*side} for side in from_file]
    source, data = of_data_set("tested", prepared)
    assert not source.test_is_ready
    assert {*sides(data)[2]} == {*groups_of(stars.rows()[1::2])}
    assert {*sides(data)[0], *sides(data)[1]} == {*groups_of(stars.rows()[::2])}


def as_function(make: Callable[[Sequence[Row]], Any]) -> Problem:
    parts = {"train": stars.rows(), "test": stars.rows(9, seed=2)}

    def dataset(split: str) -> Any:
        return make(parts[split])

    return dataclasses.replace(PROBLEM, dataset=dataset)


def of_rows(rows: Sequence[Row]) -> Any:
    columns = {key: [row[key] for row in rows] for key in ("who", "film", "stars")}
    return tf.data.Dataset.from_tensor_slices(columns)


def of_ragged_bags(rows: Sequence[Row]) -> Any:
    found = groups_of(rows)
    bags = {"who": [*found], "film": tf.ragged.constant([*found.values()])}
    return tf.data.Dataset.from_tensor_slices(bags).ragged_batch(7)


def of_padded_bags(rows: Sequence[Row]) -> Any:
    found = groups_of(rows)
    bags = {"who": [*found], "film": tf.ragged.constant([*found.values()]).to_tensor("")}
    return tf.data.Dataset.from_tensor_slices(bags).batch(7)


@pytest.mark.parametrize("make", [of_rows, of_ragged_bags, of_padded_bags])
def test_a_function_gives_rows_or_groups(make: Callable[[Sequence[Row]], Any]) -> None:
    found = sides(trips.raw(as_function(make)))
    if make is of_padded_bags:
        found = [{who: [each for each in films if each] for who, films in side.items()} for side in found]
    assert [*map(len, found)] == [45, 5, 9]
    assert {**found[0], **found[1]} == groups_of(stars.rows())
    assert found[2] == groups_of(stars.rows(9, seed=2))
    expected = sides(trips.raw(as_function(of_rows)))
    assert found == expected


def test_rows_that_cannot_be_used_are_set_aside_before_they_are_grouped() -> None:
    rows: list[Row] = stars.rows()
    bad = [{**rows[0], "who": ""}, {**rows[0], "stars": "many"}, {**rows[0], "stars": ""}]
    file = write(Path("stars.csv"), [*rows, *bad])
    with pytest.raises(Refusal) as refusal:
        trips.raw(PROBLEM, train_files=file)
    assert str(refusal.value) == (
        f"{file}: line {len(rows) + 2} has '' as 'who', and a string is wanted; correct it, or set such rows aside "
        "with --max-bad-rows."
    )
    problem = with_settings(PROBLEM, Settings(train_files=file))
    source = Source(problem, dtypes_of(problem), "", Limit(3))
    source.prepare()
    found = sides(split.read(source, None))
    assert {**found[0], **found[1], **found[2]} == groups_of(rows)
    assert source.bad_rows is not None
    assert [row.number - len(rows) for row in source.bad_rows.found] == [2, 3, 4]


def test_workers_share_the_training_groups_and_columns_learn_from_these_alone() -> None:
    problem = with_settings(PROBLEM, Settings(train_files=write(Path("stars.csv"), stars.rows())))
    found = []
    for shard in (Shard(0, 2), Shard(1, 2), Shard()):
        source = Source(problem, dtypes_of(problem), "")
        found.append([who for batch in training_rows(source, shard) for who in texts(batch["who"])])
    assert sorted(found[0] + found[1]) == sorted(found[2])
    assert {*found[2]} == {*sides(trips.raw(PROBLEM, train_files="stars.csv"))[0]}
    alone = [*stars.rows(), {"who": "q", "film": "unknown", "stars": 5, "age": 0}]
    for seed in range(40):  # until the person with a film of her own is held out
        write(Path("alone.csv"), alone)
        held = sides(trips.raw(PROBLEM, train_files="alone.csv", split_seed=seed))
        if "q" not in held[0]:
            break
    read = trips.read_by(Path("run"), PROBLEM, train_files="alone.csv", split_seed=seed)
    (column,) = read.problem.embeddings["film"]
    learned: Any = column.categorical_column
    assert "unknown" not in learned.vocabulary
    assert {*learned.vocabulary} == {each for films in held[0].values() for each in films}


def test_encoded_groups_are_found_again_and_none_of_another_grouping(
    monkeypatch: pytest.MonkeyPatch, place: Path
) -> None:
    given = {"train_files": write(Path("stars.csv"), stars.rows())}
    first = trips.read_by(place / "run", PROBLEM, **given)
    assert not first.is_kept
    trips.write_text(place / "run" / "settings.json", "{}")
    with monkeypatch.context() as patch:
        patch.setattr(Rows, "__iter__", None)  # no more than the first rows of a file are read
        second = trips.read_by(place / "run", PROBLEM, **given)
    assert second.is_kept
    for one, other in zip(trips.sets_of(first), trips.sets_of(second), strict=True):
        assert trips.arrays_of(one) == trips.arrays_of(other)
        assert next(iter(one.batches(5)))[1].to_list() == next(iter(other.batches(5)))[1].to_list()
    for other_problem in (
        dataclasses.replace(PROBLEM, grouped=Grouped("who")),
        dataclasses.replace(PROBLEM, grouped=Grouped("age", least={"stars": 3})),
        dataclasses.replace(PROBLEM, split_seed=1),
    ):
        assert not trips.read_by(place / "other", other_problem, **given).is_kept


def test_a_dry_run_shows_groups_of_the_first_rows(capsys: pytest.CaptureFixture[str], place: Path) -> None:
    rows = [row | {"film": f"{row['film']}{row['who']}"} for row in stars.rows(400)]
    dry_run.show(trips.planned(place / "run", PROBLEM, train_files=write(Path("stars.csv"), rows), dry_run=True))
    lines = capsys.readouterr().out.splitlines()
    first = groups_of(rows[:1000])
    assert lines[0] == f"Vocabularies and boundaries are those of the first {len(first):,} groups of 'who'."
    films = next(iter(first.values()))
    assert lines[lines.index("three examples, encoded") + 1].endswith(f"  {', '.join(films)}")
    (steps,) = (line for line in lines if line.startswith("steps"))
    assert steps == (
        "steps      2 epochs of 8 groups of 'who' a step; how many groups of 'who' there are is known once they are "
        "read"
    )


# What is refused


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"bags": ()},
            "Problem: rows grouped by 'who' are collected in bags, and there is none; give bags=[…], the features that "
            "have several values a group.",
        ),
        (
            {"grouped": Grouped("film")},
            "Problem: rows are grouped by 'film', so a group has one value of it; leave it out of bags.",
        ),
        (
            {"bags": {"film": "|"}},
            "Problem: rows that are grouped have one value each of 'film', and bags splits it by '|'; give bags as a "
            "list of names.",
        ),
        (
            {"dnn_feature_columns": [fc.embedding_column(fc.weighted_categorical_column(stars.film, "stars"), 2)]},
            "Problem: 'stars' is read by a weighted column or a sequence, and grouped collects the features in bags "
            "alone; leave such a column out, or group the rows before.",
        ),
        (
            {"validation": Share(0.1, "day")},
            "Problem: the groups of 'who' are dealt to the sets, so 'day' cannot split them too; leave it out.",
        ),
        (
            {"dataset": Files("stars.csv", split_by="day")},
            "Problem: the groups of 'who' are dealt to the sets, so 'day' cannot split them too; leave it out.",
        ),
        (
            {"window": ByDate("day", 7)},
            "Problem: the groups of 'who' are dealt to the sets, and so are the days of window; give one of the two.",
        ),
    ],
)
def test_what_cannot_be_grouped_is_refused(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Refusal) as refusal:
        dataclasses.replace(PROBLEM, **changes)
    assert str(refusal.value) == sentence
    assert dataclasses.replace(PROBLEM, validation=Share(0.1, "who")).grouped == PROBLEM.grouped


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (
            lambda: trips.raw(PROBLEM, train_files=write(Path("few.csv"), stars.rows(2))),
            "--train-files: of 2 groups of 'who', 1 to test on and 1 for validation leave none to train on; give more "
            "rows, or smaller shares.",
        ),
        (
            lambda: trips.raw(
                dataclasses.replace(PROBLEM, grouped=Grouped("who", least={"stars": 6})),
                train_files=write(Path("stars.csv"), stars.rows()),
            ),
            "--train-files: there is no row with stars of at least 6 in them; at least one is wanted.",
        ),
        (
            lambda: trips.raw(
                dataclasses.replace(as_function(of_rows), grouped=Grouped("who", least={"film": 6})),
            ),
            "Grouped: least of 'film' is a number, and the data have texts as 'film'; leave it out.",
        ),
        (
            lambda: trips.raw(dataclasses.replace(as_function(of_rows), grouped=Grouped("person"))),
            "Problem: data set dataset has no feature 'person'; it has film, stars, who.",
        ),
    ],
)
def test_data_that_cannot_be_grouped_are_refused(make: Callable[[], Any], sentence: str) -> None:
    with pytest.raises(Refusal) as refusal:
        make()
    assert str(refusal.value) == sentence
