"""Starting a table from another: rows matched by what they stand for, and what must not be carried over."""

import contextlib
import gc
import inspect
import math
import re
import shutil
import subprocess
import sys
import weakref
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer import export, layers, models, tables, training, warm_start
from trainer import feature_column as fc
from trainer.errors import Refusal
from trainer.inputs.examples import Source
from trainer.inputs.memory import collect
from trainer.problem import Problem
from trainer.tables import Table
from trainer.warm_start import texts
from trainer.warm_start.keys import keys_of

Array = np.ndarray[Any, Any]

DAYS = ["Mon", "Tue", "Wed"]
HOUR = fc.categorical_column_with_identity("hour", 24)


def day(values: list[str] = DAYS, **arguments: Any) -> fc.CategoricalColumn:
    return fc.categorical_column_with_vocabulary_list("day", values, **arguments)


def day_hour(*keys: fc.CategoricalColumn, source: Any = None, dimension: int = 4, **arguments: Any) -> Any:
    cross = fc.crossed_column(keys or [day(), HOUR])
    return fc.embedding_column(cross, dimension, ckpt_to_load_from=source, name="day_hour", **arguments)


def words(values: Any, source: Any = None, dimension: int = 4, oov: int = 0, **arguments: Any) -> Any:
    vocabulary = fc.categorical_column_with_vocabulary_list("word", values, num_oov_buckets=oov)
    return fc.embedding_column(vocabulary, dimension, ckpt_to_load_from=source, name="words", **arguments)


def started(column: Any) -> layers.EmbeddingTable:
    """The column's table, built."""
    made = layers.DenseFeatures([column])
    made.build()
    return made.tables[column.table]


def report_of(column: Any) -> warm_start.Report:
    report = started(column).warm_started
    assert report is not None
    return report


def refusal(column: Any) -> str:
    with pytest.raises(Refusal) as load:
        warm_start.load(column)
    return str(load.value)


def refusal_before(column: Any) -> str:
    """What is refused when the table is loaded, and by a look at the manifest already."""
    with pytest.raises(Refusal) as check:
        warm_start.check(column)
    assert str(check.value) == refusal(column)
    return str(check.value)


def random(rows: int, dimension: int = 4) -> Array:
    return np.random.default_rng(rows).normal(size=(rows, dimension)).astype(np.float32)


def stored(folder: Path, column: Any, values: Array | None = None) -> str:
    """A job dir whose one table is that of a column."""
    values = random(column.categorical_column.num_buckets, column.width) if values is None else values
    tables.write(str(folder / "tables"), [Table(column.table, values, column)])
    return str(folder)


def by_label(column: Any, values: Array) -> dict[str, list[float]]:
    return {column.categorical_column.label(row): values[row].tolist() for row in range(len(values))}


VALUES = random(72)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A job dir whose tables are `day_hour` and `vectors`, the latter of unknown ids."""
    job_dir = tmp_path_factory.mktemp("run")
    tables.write(str(job_dir / "tables"), [Table("day_hour", VALUES, day_hour()), Table("vectors", VALUES)])
    return str(job_dir)


def test_a_table_starts_with_the_values_that_a_run_has_left(run: str) -> None:
    warm_start.check(day_hour(source=run))
    np.testing.assert_array_equal(started(day_hour(source=run)).values, VALUES)


def test_the_tables_folder_is_as_good_as_the_job_dir(run: str) -> None:
    np.testing.assert_array_equal(started(day_hour(source=f"{run}/tables")).values, VALUES)


def test_a_job_dir_may_have_the_signs_of_a_pattern_in_its_name(run: str, tmp_path: Path) -> None:
    odd = shutil.copytree(run, tmp_path / "runs[1]*")
    np.testing.assert_array_equal(started(day_hour(source=odd)).values, VALUES)


def test_a_table_may_have_another_name_in_the_source(run: str) -> None:
    column = fc.embedding_column(
        fc.crossed_column([day(), HOUR]), 4, ckpt_to_load_from=run, tensor_name_in_ckpt="day_hour", name="other"
    )
    np.testing.assert_array_equal(started(column).values, VALUES)


def test_keys_may_have_other_names_where_the_values_are_the_same(run: str) -> None:
    arrival = fc.categorical_column_with_identity("arr_hour", 24)
    np.testing.assert_array_equal(started(day_hour(day(), arrival, source=run)).values, VALUES)


@settings(max_examples=30)
@given(st.permutations([*DAYS, "Sun", "Sat"]), st.booleans(), st.integers(1, 30), st.integers(0, 2))
def test_every_row_of_a_cross_takes_the_row_of_its_own_label(
    run: str, days: list[str], hour_first: bool, hours: int, oov: int
) -> None:
    keys = [day(days[:4], num_oov_buckets=oov), fc.categorical_column_with_identity("hour", hours)]
    column = day_hour(*(reversed(keys) if hour_first else keys), source=run, initializer="zeros")
    ours, theirs = keys_of(column.categorical_column), by_label(day_hour(), VALUES)
    assert ours.rows == column.categorical_column.num_buckets
    if not set(days[:4]) & set(DAYS):
        assert "no key is on both sides" in refusal(column)
        return
    table = started(column)
    width = len(str(hours - 1))
    for row, values in enumerate(table.values.tolist()):
        fields = column.categorical_column.fields(row)
        label = f"{fields['day']} {fields['hour'][-width:].zfill(2)}"
        assert values == theirs.get(label, [0.0] * 4)


def test_the_same_words_in_another_order_with_new_and_missing_ones_keep_their_vectors(tmp_path: Path) -> None:
    old = [f"word {number}" for number in range(40)]
    new = [*old[39:2:-1], *(f"new {number}" for number in range(5))]
    source = stored(tmp_path, words(old))
    there = by_label(words(old), random(40))
    table = started(words(new, source, initializer="zeros"))
    for word, values in zip(new, table.values.tolist(), strict=True):
        assert values == there.get(word, [0.0] * 4)
    report = table.warm_started
    assert report is not None
    assert (report.rows, report.matched, report.new, report.dropped, report.by) == (42, 37, 5, 3, "key")
    assert report.line == (
        f"warm start of 'words' from 'words' in {tmp_path}: 37 of 42 rows matched by key, 5 new (5 from the "
        "initializer), 3 dropped"
    )


def test_new_rows_start_from_the_initializer_and_differ(tmp_path: Path) -> None:
    source = stored(tmp_path, words(["a", "b"]))
    values = started(words(["x", "b", "y", "z"], source, initializer=keras.initializers.RandomNormal(seed=1))).values
    assert len({tuple(row) for row in values.tolist()}) == 4
    np.testing.assert_array_equal(values[1], random(2)[1])


def test_an_initializer_that_draws_the_whole_gives_new_rows_their_place_in_it(tmp_path: Path) -> None:
    def numbered(shape: Any, dtype: Any = None) -> Any:
        return tf.cast(tf.reshape(tf.range(shape[0] * shape[1]), shape), dtype)

    source = stored(tmp_path, words(["a", "b"]))
    values = started(words(["x", "b", "y"], source, initializer=numbered)).values
    np.testing.assert_array_equal(values, [[0, 1, 2, 3], random(2)[1], [8, 9, 10, 11]])


def test_new_rows_can_start_from_the_mean_row(tmp_path: Path) -> None:
    source = stored(tmp_path, words(["a", "b", "c"]))
    values = started(words(["x", "b", "y"], source, on_missing_rows="mean")).values
    np.testing.assert_array_equal(values[1], random(3)[1])
    np.testing.assert_allclose(values[[0, 2]], np.tile(random(3).mean(axis=0), (2, 1)), rtol=1e-6)


def test_new_rows_can_start_from_the_unseen_row_that_their_word_had_there(tmp_path: Path) -> None:
    source = stored(tmp_path, words(["a", "b"], oov=3))
    new = [f"new {number}" for number in range(20)]
    table = started(words([*new, "b"], source, on_missing_rows="out_of_vocabulary"))
    there = layers.Encoder([fc.categorical_column_with_vocabulary_list("word", ["a", "b"], num_oov_buckets=3)])
    ids = next(iter(there({"word": np.array([*new, "b"])}).values()))[:, 0]
    np.testing.assert_array_equal(table.values, random(5)[np.asarray(ids)])
    assert len(set(np.asarray(ids).tolist())) == 4
    report = table.warm_started
    assert report is not None
    assert (report.matched, report.new, report.unseen) == (1, 20, 20)
    assert report.line.endswith("20 new (20 from the out-of-vocabulary row), 1 dropped")


def test_unseen_rows_are_refused_where_the_source_has_none(tmp_path: Path) -> None:
    source = stored(tmp_path, words(["a", "b"]))
    assert refusal(words(["a", "x"], source, on_missing_rows="out_of_vocabulary")) == (
        f"warm start of 'words': 'words' in {source} has no rows of values out of its vocabulary, so no row can start "
        "from one; give on_missing_rows='initializer' or 'mean'."
    )


@settings(max_examples=25)
@given(there=st.integers(0, 6), here=st.integers(0, 6))
def test_an_unseen_row_is_made_of_those_that_could_hold_its_words(
    tmp_path_factory: pytest.TempPathFactory, there: int, here: int
) -> None:
    source = stored(tmp_path_factory.mktemp("run"), words(["a", "b"], oov=there))
    old, new = words(["a", "b"], oov=there), words(["b"], source, oov=here, initializer="zeros")
    values = started(new).values
    unseen = {"word": np.array([f"unseen {number}" for number in range(2000)])}
    if not there:
        np.testing.assert_array_equal(values[1:], np.zeros((here, 4)))
    if not there or not here:
        return
    ids = [np.asarray(next(iter(layers.Encoder([c.categorical_column])(unseen).values())))[:, 0] for c in (old, new)]
    for row in range(here):
        could = sorted(set(ids[0][ids[1] == row + 1].tolist()))
        assert len(could) == there // math.gcd(there, here)
        np.testing.assert_allclose(values[row + 1], random(2 + there)[could].mean(axis=0), rtol=1e-6)


@pytest.mark.parametrize("size", [3, 5, 9])
def test_whole_numbers_keep_their_rows_whatever_the_size(size: int, tmp_path: Path) -> None:
    def hours(size: int, source: Any = None) -> Any:
        column = fc.categorical_column_with_identity("hour", size)
        return fc.embedding_column(column, 4, ckpt_to_load_from=source, initializer="zeros", name="hours")

    values = started(hours(size, stored(tmp_path, hours(5)))).values
    np.testing.assert_array_equal(values[:5], random(5)[:size])
    np.testing.assert_array_equal(values[5:], np.zeros((max(0, size - 5), 4)))


def test_a_vocabulary_of_numbers_takes_the_rows_of_whole_numbers(tmp_path: Path) -> None:
    identity = fc.embedding_column(fc.categorical_column_with_identity("word", 12), 4, name="words")
    source = stored(tmp_path, identity)
    np.testing.assert_array_equal(started(words([11, 0, 7], source)).values, random(12)[[11, 0, 7]])


def test_ranges_that_are_on_both_sides_keep_their_rows(tmp_path: Path) -> None:
    def miles(edges: list[float], source: Any = None, **arguments: Any) -> Any:
        column = fc.bucketized_column(fc.numeric_column("miles", **arguments), edges)
        return fc.embedding_column(column, 4, ckpt_to_load_from=source, initializer="zeros", name="miles")

    source = stored(tmp_path, miles([1, 2, 5]))
    values = started(miles([2, 5, 9], source)).values
    np.testing.assert_array_equal(values, [[0] * 4, random(4)[2], [0] * 4, [0] * 4])
    assert refusal(miles([1, 2, 5], source, normalizer_fn=math.sqrt)) == (
        f"warm start of 'miles': the rows of 'miles' in {source} stand for other values than the table's: another "
        "normalizer_fn or width before the boundaries there than here; declare the column as it was there, or leave "
        "the warm start out."
    )


def test_words_with_tabs_line_ends_and_half_characters_are_matched(tmp_path: Path) -> None:
    old = ["a\tb", "c\nd", "\\n", "", "é", "\udc80", "日本"]
    source = stored(tmp_path, words(old))
    np.testing.assert_array_equal(started(words(old[::-1], source)).values, random(7)[::-1])


def hashed(size: int = 10, source: Any = None, key: str = "tail") -> Any:
    column = fc.categorical_column_with_hash_bucket(key, size)
    return fc.embedding_column(column, 4, ckpt_to_load_from=source, name="tails")


def hashed_cross(*keys: str, size: int = 10, hash_key: int | None = None, source: Any = None) -> Any:
    cross = fc.crossed_column(list(keys), size, hash_key)
    return fc.embedding_column(cross, 4, ckpt_to_load_from=source, name="tails")


def test_hashed_rows_are_carried_over_where_the_hash_is_the_same(tmp_path: Path) -> None:
    np.testing.assert_array_equal(started(hashed(source=stored(tmp_path / "a", hashed()))).values, random(10))
    cross = stored(tmp_path / "b", hashed_cross("a", "b"))
    np.testing.assert_array_equal(started(hashed_cross("a", "b", source=cross)).values, random(10))


@pytest.mark.parametrize(
    ("there", "here", "difference"),
    [
        (hashed(), lambda source: hashed(12, source), "10 hash buckets there, 12 here"),
        (
            hashed_cross("a", "b"),
            lambda source: hashed_cross("b", "a", source=source),
            "the keys are a, b in this order there, b, a here",
        ),
        (
            hashed_cross("a", "b"),
            lambda source: hashed_cross("a", "b", hash_key=7, source=source),
            "the hash key 0xdecafcaffe there, 0x7 here",
        ),
        (hashed(), lambda source: hashed_cross("a", "b", source=source), "hashed values there, a hashed cross here"),
        (
            hashed(),
            lambda source: words(["a"], source, tensor_name_in_ckpt="tails"),
            "hashed values there, a vocabulary here",
        ),
    ],
)
def test_what_would_permute_rows_is_refused_in_words(there: Any, here: Any, difference: str, tmp_path: Path) -> None:
    source = stored(tmp_path, there)
    column = here(source)
    assert refusal_before(column) == (
        f"warm start of '{column.table}': the rows of 'tails' in {source} stand for other values than the table's: "
        f"{difference}; declare the column as it was there, or leave the warm start out."
    )


def test_two_tables_without_a_common_key_are_refused(tmp_path: Path) -> None:
    source = stored(tmp_path, words(["a", "b"]))
    assert refusal(words(["x", "y"], source)) == (
        f"warm start of 'words': the rows of 'words' in {source} stand for other values than the table's: no key is on "
        "both sides: 'a' there, 'x' here; declare the column as it was there, or leave the warm start out."
    )


def test_a_cross_of_another_number_of_keys_is_refused(run: str) -> None:
    month = fc.categorical_column_with_identity("month", 2)
    assert refusal(day_hour(day(), HOUR, month, source=run)) == (
        f"warm start of 'day_hour': the rows of 'day_hour' in {run} stand for other values than the table's: the keys "
        "are day, hour there, day, hour, month here; declare the column as it was there, or leave the warm start out."
    )


@pytest.mark.parametrize(("there", "here"), [(("month", 12), ("hr", 24)), (("a", 3), ("c", 3))])
def test_keys_of_other_names_are_not_taken_for_each_other(
    there: tuple[str, int], here: tuple[str, int], tmp_path: Path
) -> None:
    def crossed(*keys: tuple[str, int], source: Any = None) -> Any:
        cross = fc.crossed_column([fc.categorical_column_with_identity(*key) for key in keys])
        return fc.embedding_column(cross, 4, ckpt_to_load_from=source, name="pairs")

    other = ("b", 3) if there[0] == "a" else ("hour", 24)
    last = ("b", 3) if there[0] == "a" else ("mon", 12)
    pair = (last, here) if there[0] == "a" else (here, last)
    source = stored(tmp_path, crossed(there, other))
    assert refusal(crossed(*pair, source=source)) == (
        f"warm start of 'pairs': the rows of 'pairs' in {source} stand for other values than the table's: the keys are "
        f"{there[0]}, {other[0]} there, {pair[0][0]}, {pair[1][0]} here; declare the column as it was there, or leave "
        "the warm start out."
    )


def test_a_cross_of_two_columns_of_one_feature_starts_from_its_own_table(tmp_path: Path) -> None:
    def hours(edges: list[float], source: Any = None) -> Any:
        columns = [fc.bucketized_column(fc.numeric_column("hour"), some) for some in (edges, [3, 9, 15])]
        return fc.embedding_column(fc.crossed_column(columns), 4, ckpt_to_load_from=source, name="hours")

    source = stored(tmp_path, hours([6, 12]))
    np.testing.assert_array_equal(started(hours([6, 12], source)).values, random(12))
    assert "has the boundaries 6, 12 there, 6, 13 here" in refusal(hours([6, 13], source))


def test_unseen_rows_of_a_cross_are_the_means_of_what_could_hold_its_words(tmp_path: Path) -> None:
    def pairs(oov: int, source: Any = None) -> Any:
        return day_hour(day(num_oov_buckets=oov), fc.categorical_column_with_identity("hour", 2), source=source)

    source = stored(tmp_path, pairs(4))
    values = started(pairs(2, source)).values.reshape(5, 2, 4)
    there = random(14).reshape(7, 2, 4)
    np.testing.assert_array_equal(values[:3], there[:3])
    np.testing.assert_allclose(values[3:], [there[[3, 5]].mean(axis=0), there[[4, 6]].mean(axis=0)], rtol=1e-6)
    assert report_of(pairs(2, source)).dropped == 0


def test_a_cross_whose_key_shares_nothing_is_refused(run: str) -> None:
    assert refusal(day_hour(day(["Sat", "Sun"]), HOUR, source=run)) == (
        f"warm start of 'day_hour': the rows of 'day_hour' in {run} stand for other values than the table's: no key is "
        "on both sides: 'Mon 00' there, 'Sat 00' here; declare the column as it was there, or leave the warm start out."
    )


def test_another_dimension_is_refused_with_both_shapes(run: str) -> None:
    assert refusal_before(day_hour(source=run, dimension=8, tensor_name_in_ckpt="day_hour")) == (
        f"warm start of 'day_hour': 'day_hour' in {run} is 72 by 4, and the table is 72 by 8; "
        "give the table a dimension of 4, or leave the warm start out."
    )


def test_rows_of_unknown_ids_are_taken_by_position_where_there_are_as_many(run: str) -> None:
    column = day_hour(source=run, tensor_name_in_ckpt="vectors")
    np.testing.assert_array_equal(started(column).values, VALUES)
    report = report_of(column)
    assert (report.by, report.share(np.ones(72))) == ("position", None)


def test_rows_of_unknown_ids_are_refused_where_there_are_more_or_fewer(run: str) -> None:
    assert refusal_before(day_hour(day(), day(["a"]), source=run, tensor_name_in_ckpt="vectors")) == (
        f"warm start of 'day_hour': 'vectors' in {run} is 72 by 4, the table is 3 by 4, and nothing says what the rows "
        "there stand for; give old_vocabulary=, a list or file, or leave the warm start out."
    )


def test_an_unknown_tensor_is_refused_with_the_nearest_and_what_there_is(run: str) -> None:
    assert refusal_before(day_hour(source=run, tensor_name_in_ckpt="day_huor")) == (
        f"warm start of 'day_hour': {run} has no tensor 'day_huor'; did you mean 'day_hour'; it holds 'day_hour' "
        "(72 by 4), 'vectors' (72 by 4)."
    )


@pytest.mark.parametrize("as_file", [False, True])
def test_an_old_vocabulary_says_what_rows_stand_for(as_file: bool, tmp_path: Path) -> None:
    np.save(tmp_path / "vectors.npy", random(5))
    old: Any = ["c", "b", "a"]
    if as_file:
        (tmp_path / "old.txt").write_text("c\nb\na\n", encoding="utf-8")
        old = tmp_path / "old.txt"
    column = words(["a", "b", "d"], tmp_path / "vectors.npy", oov=2, old_vocabulary=old, initializer="zeros")
    values = started(column).values
    np.testing.assert_array_equal(values, [random(5)[2], random(5)[1], [0] * 4, random(5)[3], random(5)[4]])


def test_an_old_vocabulary_may_be_the_labels_of_a_cross(tmp_path: Path) -> None:
    np.save(tmp_path / "vectors.npy", random(2))
    column = day_hour(source=tmp_path / "vectors.npy", old_vocabulary=["Tue 08", "Mon 23"], initializer="zeros")
    values = started(column).values
    np.testing.assert_array_equal(values[[24 + 8, 23]], random(2))
    assert np.count_nonzero(values.any(axis=1)) == 2


@pytest.mark.parametrize("label", ["8", "08"])
def test_an_old_vocabulary_may_write_numbers_with_zeros_before_them(label: str, tmp_path: Path) -> None:
    np.save(tmp_path / "vectors.npy", random(2))
    column = fc.embedding_column(
        HOUR, 4, ckpt_to_load_from=tmp_path / "vectors.npy", old_vocabulary=[label, "21"], initializer="zeros"
    )
    np.testing.assert_array_equal(started(column).values[[8, 21]], random(2))


def test_an_old_vocabulary_tells_which_of_several_matrices_is_meant(tmp_path: Path) -> None:
    np.savez(tmp_path / "some.npz", first=random(7), second=random(3), third=random(9))
    column = words(["c", "a"], tmp_path / "some.npz", old_vocabulary=["a", "b", "c"])
    np.testing.assert_array_equal(started(column).values, random(3)[[2, 0]])
    column = words(["c", "a"], tmp_path / "some.npz", old_vocabulary=[*"abcdefgh"])
    np.testing.assert_array_equal(started(column).values, random(9)[[2, 0]])


def test_an_old_vocabulary_that_is_too_long_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "vectors.npy", random(2))
    assert refusal_before(words(["a"], tmp_path / "vectors.npy", old_vocabulary=["a", "b", "c"])) == (
        "warm start of 'words': old_vocabulary has 3 values, and 'vectors' has 2 rows; give the vocabulary that it was "
        "trained with."
    )


def test_an_old_vocabulary_that_is_not_there_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "vectors.npy", random(2))
    assert refusal_before(words(["a"], tmp_path / "vectors.npy", old_vocabulary=f"{tmp_path}/old.txt")) == (
        f"warm start of 'words': old_vocabulary: there is no file {tmp_path}/old.txt; give one with a value a line."
    )


def test_a_matrix_of_whole_numbers_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "some.npz", ids=np.ones((2, 4), np.int64), vectors=random(2))
    assert refusal_before(words(["a", "b"], tmp_path / "some.npz", tensor_name_in_ckpt="ids")) == (
        f"warm start of 'words': 'ids' in {tmp_path}/some.npz holds int64, and floats are wanted; give another."
    )


def test_an_old_vocabulary_of_a_source_that_knows_its_keys_is_refused(run: str) -> None:
    assert refusal_before(day_hour(source=run, old_vocabulary=["a"])) == (
        "warm start of 'day_hour': 'day_hour' says itself what its rows stand for; leave old_vocabulary out."
    )


def test_a_source_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert refusal_before(day_hour(source=f"{tmp_path}/jfk")) == (
        f"warm start of 'day_hour': there is no {tmp_path}/jfk; give a run's job dir, a TensorFlow checkpoint or the "
        "folder of one, a SavedModel, .keras, .h5, .npz, .npy, .parquet, .safetensors, .tsv, word2vec or GloVe."
    )


def test_a_source_without_tables_is_refused(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text("{}")
    assert refusal_before(day_hour(source=str(tmp_path))) == (
        f"warm start of 'day_hour': the run in {tmp_path} has left no tables yet; wait for its end, or go on with it: "
        "--resume."
    )


def test_a_source_that_was_not_written_to_the_end_is_refused(run: str, tmp_path: Path) -> None:
    torn = shutil.copytree(run, tmp_path / "torn")
    (torn / "tables" / "manifest.json").unlink()
    (torn / "settings.json").write_text("{}")
    assert refusal_before(day_hour(source=torn)) == (
        f"warm start of 'day_hour': the tables in {torn} were not written to the end; "
        "give a run that has ended, or run it again."
    )


def test_damaged_values_are_refused_when_they_are_read(run: str, tmp_path: Path) -> None:
    torn = str(shutil.copytree(run, tmp_path / "torn"))
    Path(torn, "tables", "tables.data-00000-of-00001").write_bytes(b"")
    warm_start.check(day_hour(source=torn))
    assert refusal(day_hour(source=torn)) == (
        f"warm start of 'day_hour': the checkpoint in {torn}/tables is damaged: "
        "it does not hold the 72 by 4 values of 'day_hour'; copy the whole folder."
    )


def test_a_check_of_a_run_does_without_tensorflow(run: str) -> None:
    program = f"""
import sys
from trainer import feature_column as fc, warm_start
day = fc.categorical_column_with_vocabulary_list("day", {DAYS})
cross = fc.crossed_column([day, fc.categorical_column_with_identity("hour", 24)])
warm_start.check(fc.embedding_column(cross, 4, ckpt_to_load_from={run!r}, name="day_hour"))
print("tensorflow" in sys.modules)
"""
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["False"]


# Once, when the model is built.


def test_a_table_is_read_once_and_what_was_built_does_without_the_source(tmp_path: Path) -> None:
    source = stored(tmp_path / "run", words(["a", "b"]))
    made = layers.DenseFeatures([words(["b", "a"], source)])
    model = keras.Sequential([made, keras.layers.Dense(1)])
    model({"word": tf.constant(["a"])})
    shutil.rmtree(source)
    model.compile("adam", "mse")
    rows = tf.data.Dataset.from_tensors(({"word": tf.constant(["a", "b"])}, tf.constant([0.0, 1.0])))
    model.fit(rows.repeat(3), epochs=2, verbose=0, shuffle=False)
    assert not np.array_equal(made.tables["words"].values, random(2)[::-1])
    layers.DenseFeatures.from_config(made.get_config()).build()


def test_a_short_table_takes_its_rows_rounded_to_its_own_dtype(tmp_path: Path) -> None:
    source = stored(tmp_path, words(["a", "b"]))
    table = started(words(["b", "a", "x"], source, storage_dtype="bfloat16", on_missing_rows="mean"))
    wanted = np.array([*random(2)[::-1], random(2).mean(axis=0)])
    np.testing.assert_array_equal(table.values, tf.cast(tf.cast(wanted, tf.bfloat16), tf.float32))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_values_of_any_float_dtype_are_taken(dtype: Any, tmp_path: Path) -> None:
    np.save(tmp_path / "vectors.npy", random(3).astype(dtype))
    column = words(["a", "b", "c"], tmp_path / "vectors.npy", on_missing_rows="mean", old_vocabulary=["c", "b", "q"])
    values = random(3).astype(dtype)
    wanted = [values.mean(axis=0, dtype=np.float64), values[1], values[0]]
    np.testing.assert_allclose(started(column).values, wanted, rtol=1e-6)


LONDON = """
import tensorflow as tf

with tf.Graph().as_default(), tf.compat.v1.Session() as session:
    week = tf.compat.v1.get_variable("dayhr_embed", (168, 2))
    tf.compat.v1.get_variable("decoy", (168, 2))
    session.run(tf.compat.v1.global_variables_initializer())
    saver = tf.compat.v1.train.Saver()
    saver.save(session, "london/model.ckpt", 1000)
    session.run(week.assign(-week))
    saver.save(session, "london/model.ckpt", 10000)
"""
WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


def hires(split: str) -> tf.data.Dataset:
    """Made-up rows, as many as take 100 steps of 16."""
    draw = np.random.default_rng(0)
    days, hours = draw.integers(7, size=1600), draw.integers(24, size=1600)
    return tf.data.Dataset.from_tensor_slices(({"day": np.array(WEEKDAYS)[days], "hour": hours}, (hours > 7) * 1.0))


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")  # of Keras
def test_the_snippet_of_the_course_runs_word_for_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "london").mkdir()
    subprocess.run([sys.executable, "-c", LONDON], check=True, capture_output=True)
    assert len(list((tmp_path / "london").glob("*ckpt-1000*"))) == 6
    table = tf.train.load_checkpoint("london/model.ckpt-1000").get_tensor("dayhr_embed")

    day = fc.categorical_column_with_vocabulary_list("day", WEEKDAYS)
    day_hr = fc.crossed_column([day, HOUR], 24 * 7)
    embedding = fc.embedding_column(
        day_hr, 2, ckpt_to_load_from="london/*ckpt-1000*", tensor_name_in_ckpt="dayhr_embed", trainable=False
    )

    problem = Problem(hires, [embedding], dnn_hidden_units=[8], dnn_optimizer="Adagrad", num_epochs=1)
    model = models.build(problem)
    encode = models.halves(model).encode
    examples = collect(Source(problem, models.inputs_of(model), str(tmp_path)).batches("train"), encode)
    assert training.train(model, models.halves(model), examples, 16, 0, 100).steps == 100
    trained, _ = models.tables_of(model)[embedding.table]
    np.testing.assert_array_equal(trained.values, table)
    assert not any(variable.shape[:1] == (168,) for variable in model.optimizer.variables)
    export.write("export", model, problem.head)
    model.save("model.keras")
    wanted = model({"day": tf.constant(["Tue"]), "hour": tf.constant([8], tf.int64)})
    shutil.rmtree("london")
    served = tf.saved_model.load("export").signatures["serving_default"]
    answer = served(day=tf.constant(["Tue"]), hour=tf.constant([8], tf.int64))
    np.testing.assert_allclose(answer["logits"], wanted, rtol=1e-6)
    again = keras.models.load_model("model.keras", compile=False)
    np.testing.assert_allclose(
        again({"day": tf.constant(["Tue"]), "hour": tf.constant([8], tf.int64)}), wanted, rtol=1e-6
    )


@pytest.mark.parametrize("kind", ["sequential", "subclass", "function", "strategy"])
@pytest.mark.parametrize("new", [["b", "a"], ["b", "x"]])
def test_a_table_may_be_built_where_its_variable_does_not_exist_at_once(kind: str, new: Any, tmp_path: Path) -> None:
    source = stored(tmp_path, words(["a", "b"]))
    made = layers.DenseFeatures([words(new, source, initializer="zeros")])
    rows = tf.data.Dataset.from_tensors(({"word": tf.constant(["a", "b"])}, tf.constant([0.0, 1.0]))).repeat(2)

    class Own(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.features, self.answer = made, keras.layers.Dense(1)

        def call(self, features: Any) -> Any:
            return self.answer(self.features(features))

    if kind == "function":
        tf.function(lambda word: made({"word": word}))(tf.constant(["a"]))
    with tf.distribute.MirroredStrategy(["/cpu:0"]).scope() if kind == "strategy" else contextlib.nullcontext():
        model = Own() if kind == "subclass" else keras.Sequential([made, keras.layers.Dense(1)])
        model.compile(keras.optimizers.SGD(0.0), "mse")
        model.fit(rows, verbose=0, shuffle=False)
    there = by_label(words(["a", "b"]), random(2))
    assert made.tables["words"].values.tolist() == [there.get(word, [0.0] * 4) for word in new]


# The library form.


def test_a_layer_of_keras_takes_rows_by_key(tmp_path: Path) -> None:
    source = stored(tmp_path, words(["a", "b"]))
    lookup = keras.layers.StringLookup(vocabulary=["b", "x"])
    embedding = keras.layers.Embedding(3, 4, embeddings_initializer="ones")
    report = warm_start.assign(embedding, source, vocabulary=lookup.get_vocabulary())
    np.testing.assert_array_equal(embedding.embeddings, [[1] * 4, random(2)[1], [1] * 4])
    assert (report.matched, report.new, report.dropped) == (1, 2, 1)
    assert report.of_row.tolist() == [False, True, False]


def test_a_layer_of_keras_takes_rows_by_a_column(tmp_path: Path) -> None:
    source = stored(tmp_path, words(["a", "b"]))
    embedding = keras.layers.Embedding(2, 4)
    warm_start.assign(embedding, source, column=words(["b", "a"]))
    np.testing.assert_array_equal(embedding.embeddings, random(2)[::-1])
    warm_start.assign(embedding, random(2), column=words(["b", "a"]).categorical_column)
    np.testing.assert_array_equal(embedding.embeddings, random(2))


def test_a_layer_of_columns_knows_what_its_rows_stand_for(tmp_path: Path) -> None:
    source = stored(tmp_path, words(["a", "b"]))
    made = layers.DenseFeatures([words(["b", "a"]), day_hour()])
    made({"word": np.array(["a"]), "day": np.array(["Mon"]), "hour": np.array([3])})
    warm_start.assign(made, source, table="words")
    np.testing.assert_array_equal(made.tables["words"].values, random(2)[::-1])


def test_a_layer_of_one_table_needs_no_name(tmp_path: Path) -> None:
    made = layers.DenseFeatures([words(["b", "a"])])
    warm_start.assign(made, stored(tmp_path, words(["a", "b"])))
    np.testing.assert_array_equal(made.tables["words"].values, random(2)[::-1])


def test_a_table_of_ours_takes_new_rows_from_its_own_initializer(tmp_path: Path) -> None:
    table = layers.EmbeddingTable(2, 4, initializer="ones", name="words")
    warm_start.assign(table, stored(tmp_path, words(["a", "b"])), vocabulary=["b"])
    np.testing.assert_array_equal(table.values, [random(2)[1], [1] * 4])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"table": "other"}, "warm_start.assign: layer 'words' is one table; leave table='other' out."),
        (
            {"vocabulary": ["a"], "column": words(["a", "b"])},
            "warm_start.assign: the column of 'words' says what its rows stand for; leave vocabulary out.",
        ),
        (
            {"vocabulary": ["a", "b", "c"]},
            "warm_start.assign: vocabulary has 3 keys, and 'words' has 2 rows; give one a row.",
        ),
        ({"column": words(["a"])}, "warm_start.assign: column 'word' has 1 ids, and 'words' has 2 rows."),
        (
            {"on_missing_rows": "zeros"},
            "warm_start.assign: on_missing_rows must be one of initializer, mean, out_of_vocabulary, not 'zeros'.",
        ),
    ],
)
def test_an_assignment_that_cannot_be_is_refused_and_changes_nothing(
    arguments: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    table = layers.EmbeddingTable(2, 4, initializer="ones", name="words")
    with pytest.raises(Refusal) as refused:
        warm_start.assign(table, stored(tmp_path, words(["a", "b"])), **arguments)
    assert str(refused.value) == sentence
    if table.built:
        np.testing.assert_array_equal(table.values, np.ones((2, 4)))


def test_a_table_whose_rows_nothing_names_takes_as_many_by_position_and_no_others(tmp_path: Path) -> None:
    table = layers.EmbeddingTable(2, 4, name="words")
    warm_start.assign(table, stored(tmp_path / "two", words(["a", "b"])))
    np.testing.assert_array_equal(table.values, random(2))
    source = stored(tmp_path / "three", words(["a", "b", "c"]))
    with pytest.raises(Refusal) as refused:
        warm_start.assign(table, source)
    assert str(refused.value) == (
        f"warm start of 'words': 'words' in {source} is 3 by 4, the table is 2 by 4, and nothing says what the rows "
        "here stand for; give vocabulary=, or leave the warm start out."
    )


def test_a_layer_without_a_table_is_refused() -> None:
    with pytest.raises(Refusal) as refused:
        warm_start.assign(keras.layers.Dense(3, name="hidden"), random(2))
    assert re.fullmatch(
        "warm_start.assign: a layer of columns, an EmbeddingTable or an Embedding is wanted, not <Dense .*>.",
        str(refused.value),
    )
    with pytest.raises(Refusal) as refused:
        warm_start.assign(layers.DenseFeatures([words(["a"]), day_hour()], name="features"), random(2))
    assert str(refused.value) == (
        "warm_start.assign: table= names one table of layer 'features', not None; it has day_hour, words."
    )


def test_the_example_of_the_page_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    stored(Path("runs/flights"), fc.embedding_column(day(["Tue", "Mon"]), 16, name="day"))
    page = Path(str(warm_start.__file__)).with_name("README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    exec(compile(block, "README.md", "exec"), {})
    assert "2 of 4 rows matched by key, 2 new (2 from the initializer), 0 dropped" in capsys.readouterr().out


# Texts among texts.


@settings(max_examples=200)
@given(st.lists(st.text(max_size=20)), st.data())
def test_each_text_is_found_at_its_first_place(there: list[str], data: st.DataObject) -> None:
    known = st.sampled_from(there) if there else st.nothing()
    here = data.draw(st.lists(known | st.text(max_size=20)))
    first: dict[str, int] = {}
    for place, text in enumerate(there):
        first.setdefault(text, place)
    arrays = (pa.array([text.encode() for text in some], pa.large_binary()) for some in (there, here))
    found = texts.positions(*map(texts.hashes, arrays))
    assert found.tolist() == [first.get(text, -1) for text in here]


def test_many_texts_are_found_over_several_blocks_and_rounds() -> None:
    there = [f"{number:0{number % 40}}" for number in range(100_000)]
    here = there[::-7]
    found = texts.positions(*(texts.hashes(pa.array(some, pa.large_binary())) for some in (there, here)))
    assert [there[place] for place in found] == here


def test_texts_that_are_slices_of_others_are_found() -> None:
    whole = pa.array([b"a", b"bb", b"ccc", b"dddddddddd", b"e"], pa.large_binary())
    assert texts.positions(texts.hashes(whole[1:4]), texts.hashes(whole[2:])).tolist() == [1, 2, -1]


def test_hashes_are_alike_for_equal_texts_alone() -> None:
    some = [bytes([letter] * length) for letter in range(3) for length in range(40)]
    hashes = texts.hashes(pa.array(some, pa.large_binary()))
    assert len(set(hashes[0].tolist())) == len(set(hashes[1].tolist())) == len(set(some))


# What a person gives, in its many forms.


class Vectors:
    """Vectors in memory, as gensim's KeyedVectors have them."""

    def __init__(self, keys: list[str]) -> None:
        self.index_to_key, self.vectors = keys, random(len(keys))


def test_vectors_in_memory_are_named_and_no_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = Vectors(["a", "b"])
    assert report_of(words(["b"], vectors)).source == "the Vectors"
    embedding = keras.layers.Embedding(2, 4)
    assert warm_start.assign(embedding, vectors, vocabulary=["b", "a"]).source == "the Vectors"
    assert warm_start.assign(embedding, random(2)).source == "the ndarray"
    monkeypatch.chdir(tmp_path)
    np.save("vectors.npy", random(2))
    for path in ("vectors.npy", Path("vectors.npy")):
        assert warm_start.assign(embedding, path).source == f"{tmp_path}/vectors.npy"


def test_columns_from_one_object_share_a_table_and_those_from_two_do_not() -> None:
    class Named(Vectors):
        """Of a type that no other test has an object of."""

    one, other = Named(["a", "b"]), Named(["b", "a"])
    first, again, second = words(["a"], one), words(["a"], one), words(["a"], other)
    assert [column.ckpt_to_load_from for column in (first, again, second)] == [
        "Named in memory",
        "Named in memory",
        "Named in memory, number 2",
    ]
    assert first == again != second
    assert list(layers.DenseFeatures([first, again]).tables) == ["words"]
    with pytest.raises(Refusal) as refused:
        layers.DenseFeatures([first, second])
    assert str(refused.value) == (
        "embedding_column: two different tables are named 'words'; give one of them another name=."
    )
    keys = [fc.categorical_column_with_vocabulary_list(key, ["b", "a"]) for key in ("origin", "dest")]
    shared = layers.DenseFeatures(fc.shared_embeddings(keys, 4, ckpt_to_load_from=one))
    shared.build()
    ((_, table),) = shared.tables.items()
    np.testing.assert_array_equal(table.values, random(2)[::-1])


def test_an_object_that_nobody_needs_any_more_is_not_kept() -> None:
    vectors = Vectors(["a"])
    column, kept = words(["a"], vectors), weakref.ref(vectors)
    del vectors
    assert kept() is not None
    del column
    gc.collect()
    assert kept() is None


@pytest.mark.parametrize(
    ("content", "values"),
    [
        (b"\xef\xbb\xbfa\nb\n", ["a", "b"]),
        (b"a\r\nb\r\n", ["a", "b"]),
        (b"a\r\nb", ["a", "b"]),
        (b"a\r\nb\n", ["a\r", "b"]),
        (b"a\nb", ["a", "b"]),
        (b"a\nb\n\n", ["a", "b", ""]),
    ],
)
def test_a_file_of_an_old_vocabulary_may_have_any_ends_of_lines(
    content: bytes, values: list[str], tmp_path: Path
) -> None:
    (tmp_path / "old.txt").write_bytes(content)
    here = ["b", "a", "a\r", "x"]
    embedding = keras.layers.Embedding(4, 4, embeddings_initializer="zeros")
    warm_start.assign(embedding, random(3), vocabulary=here, old_vocabulary=tmp_path / "old.txt")
    there = dict(zip(values, random(3).tolist(), strict=False))
    assert np.asarray(embedding.embeddings).tolist() == [there.get(key, [0.0] * 4) for key in here]


def test_a_file_of_an_old_vocabulary_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    old, source = tmp_path / "old", random(2)
    old.mkdir()
    assert refusal_before(words(["a"], source, old_vocabulary=old)) == (
        f"warm start of 'words': old_vocabulary: {old} is a folder; give a file with a value a line."
    )
    file = tmp_path / "old.txt"
    file.write_bytes("Zürich\nBern\n".encode("latin-1"))
    assert refusal_before(words(["a"], source, old_vocabulary=file)) == (
        f"warm start of 'words': old_vocabulary: {file} is no UTF-8; save it as that, with a value a line."
    )


@pytest.mark.parametrize(
    "given",
    [
        ["b", "a"],
        [b"b", b"a"],
        np.array(["b", "a"]),
        np.array([b"b", b"a"]),
        tf.constant(["b", "a"]),
        [tf.constant("b"), tf.constant("a")],
        keras.layers.StringLookup(vocabulary=["b", "a"], num_oov_indices=0).get_vocabulary(),
    ],
    ids=["str", "bytes", "array", "array of bytes", "tensor", "tensors", "lookup"],
)
def test_keys_may_be_text_in_any_form(given: Any) -> None:
    embedding = keras.layers.Embedding(2, 4)
    assert warm_start.assign(embedding, random(2), vocabulary=given, old_vocabulary=["a", "b"]).matched == 2
    np.testing.assert_array_equal(embedding.embeddings, random(2)[::-1])
    assert warm_start.assign(embedding, random(2), vocabulary=["a", "b"], old_vocabulary=given).matched == 2
    np.testing.assert_array_equal(embedding.embeddings, random(2)[::-1])
    np.testing.assert_array_equal(started(words(["a", "b"], random(2), old_vocabulary=given)).values, random(2)[::-1])


def test_keys_may_come_from_a_generator_as_numbers() -> None:
    embedding = keras.layers.Embedding(2, 4)
    warm_start.assign(embedding, random(2), vocabulary=(8 - key for key in (1, 2)), old_vocabulary=iter("67"))
    np.testing.assert_array_equal(embedding.embeddings, random(2)[::-1])


@pytest.mark.parametrize("vocabulary", ["keys.txt", b"keys.txt", Path("keys.txt")])
def test_a_vocabulary_that_is_no_list_is_refused(vocabulary: Any) -> None:
    with pytest.raises(Refusal) as refused:
        warm_start.assign(keras.layers.Embedding(8, 4, name="words"), random(8), vocabulary=vocabulary)
    assert str(refused.value) == (
        "warm_start.assign: a list of keys is wanted as vocabulary, not 'keys.txt'; give one key a row."
    )


def test_a_column_or_a_layer_that_is_none_is_refused() -> None:
    with pytest.raises(Refusal) as refused:
        warm_start.assign(keras.layers.Embedding(2, 4), random(2), column="word")  # type: ignore[arg-type]
    assert str(refused.value) == (
        "warm_start.assign: a categorical or an embedding column is wanted as column, not 'word'."
    )
    for mistake in ("words", layers.EmbeddingTable):
        with pytest.raises(Refusal) as refused:
            warm_start.assign(mistake, random(2), table="words")
        assert str(refused.value) == (
            f"warm_start.assign: a layer of columns, an EmbeddingTable or an Embedding is wanted, not {mistake!r}."
        )


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")  # of Keras
@pytest.mark.parametrize("mode", ["int8", "int4"])
def test_a_layer_that_was_quantized_is_refused_and_stays_as_it_is(mode: str) -> None:
    embedding = keras.layers.Embedding(2, 4, name="words")
    embedding.build(None)
    embedding.quantize(mode)
    before = np.array(embedding(np.arange(2)))
    with pytest.raises(Refusal) as refused:
        warm_start.assign(embedding, random(2))
    assert str(refused.value) == (
        "warm_start.assign: 'words' holds int8, and floats are wanted; assign before quantize()."
    )
    np.testing.assert_array_equal(embedding(np.arange(2)), before)


def test_a_layer_with_lora_is_refused_and_one_that_gets_it_later_starts_with_the_rows() -> None:
    embedding = keras.layers.Embedding(2, 4, name="words")
    warm_start.assign(embedding, random(2))
    embedding.enable_lora(1)
    np.testing.assert_array_equal(embedding(np.arange(2)), random(2))
    with pytest.raises(Refusal) as refused:
        warm_start.assign(embedding, random(2)[::-1])
    assert str(refused.value) == (
        "warm_start.assign: 'words' has LoRA enabled, which adds to the rows that are set; assign before enable_lora()."
    )
    np.testing.assert_array_equal(embedding(np.arange(2)), random(2))


def test_the_first_row_of_a_string_lookup_takes_the_row_of_other_values(tmp_path: Path) -> None:
    source = stored(tmp_path, words(["a", "b"], oov=1))
    lookup = keras.layers.StringLookup(vocabulary=["b", "x"])
    embedding = keras.layers.Embedding(3, 4)
    warm_start.assign(embedding, source, vocabulary=lookup.get_vocabulary(), on_missing_rows="out_of_vocabulary")
    there = random(3)
    np.testing.assert_array_equal(embedding(lookup(["never seen", "b", "x"])), there[[2, 1, 2]])


@pytest.mark.parametrize(
    "layer",
    [
        keras.layers.Rescaling(0.5, name="half"),
        keras.layers.Normalization(axis=-1, mean=[3.0], variance=[4.0], name="standard"),
    ],
)
def test_a_layer_of_keras_before_the_boundaries_is_the_same_as_one_of_its_config(layer: Any, tmp_path: Path) -> None:
    def ranges(normalizer: Any, source: Any = None) -> Any:
        number = fc.numeric_column("miles", normalizer_fn=normalizer)
        return fc.embedding_column(fc.bucketized_column(number, [1.0, 2.0]), 4, ckpt_to_load_from=source, name="miles")

    source = stored(tmp_path, ranges(layer))
    np.testing.assert_array_equal(started(ranges(layer, source)).values, random(3))
    config = {name: value for name, value in layer.get_config().items() if name != "name"}
    again = type(layer)(**config)
    assert again.name != layer.name
    np.testing.assert_array_equal(started(ranges(again, source)).values, random(3))
    assert refusal(ranges(keras.layers.Rescaling(0.25), source)) == (
        f"warm start of 'miles': the rows of 'miles' in {source} stand for other values than the table's: another "
        "normalizer_fn or width before the boundaries there than here; declare the column as it was there, or leave "
        "the warm start out."
    )


def test_every_refusal_of_the_matching_is_among_those_tested() -> None:
    tested = inspect.getsource(sys.modules[__name__])
    tested = re.sub(r'"\s*f?"', "", tested)
    for module in ("assignment", "carrying", "matching"):
        code = inspect.getsource(sys.modules[f"trainer.warm_start.{module}"])
        for sentence in re.findall(r'Refusal\(\s*f?"((?:[^"]|"\s*f?")*)"', code):
            fixed = re.split(r"\{[^}]*\}", re.sub(r'"\s*f?"', "", sentence))
            longest = max(fixed, key=len)
            assert longest in tested, sentence
