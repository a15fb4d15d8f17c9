"""Starting a table from one that a run has left."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer import feature_column as fc
from trainer import tables, warm_start
from trainer.errors import Refusal
from trainer.tables import Table

DAYS = ["Mon", "Tue", "Wed"]
HOUR = fc.categorical_column_with_identity("hour", 24)


def day(values: list[str] = DAYS) -> fc.CategoricalColumn:
    return fc.categorical_column_with_vocabulary_list("day", values)


def day_hour(*keys: fc.CategoricalColumn, source: str | None = None, dimension: int = 4, **arguments: Any) -> Any:
    cross = fc.crossed_column(keys or [day(), HOUR])
    return fc.embedding_column(cross, dimension, ckpt_to_load_from=source, name="day_hour", **arguments)


def refusal(column: fc.EmbeddingColumn) -> str:
    with pytest.raises(Refusal) as check:
        warm_start.check(column)
    with pytest.raises(Refusal) as load:
        warm_start.load(column)
    assert str(check.value) == str(load.value)
    return str(check.value)


VALUES = np.random.default_rng(0).normal(size=(72, 4)).astype(np.float32)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A job dir whose tables are `day_hour` and `vectors`, the latter of unknown ids."""
    job_dir = tmp_path_factory.mktemp("run")
    tables.write(str(job_dir / "tables"), [Table("day_hour", VALUES, day_hour()), Table("vectors", VALUES)])
    return str(job_dir)


def test_a_table_starts_with_the_values_that_a_run_has_left(run: str) -> None:
    column = day_hour(source=run)
    warm_start.check(column)
    np.testing.assert_array_equal(warm_start.load(column), VALUES)


def test_the_tables_folder_is_as_good_as_the_job_dir(run: str) -> None:
    np.testing.assert_array_equal(warm_start.load(day_hour(source=f"{run}/tables")), VALUES)


def test_a_table_may_have_another_name_in_the_source(run: str) -> None:
    column = fc.embedding_column(
        fc.crossed_column([day(), HOUR]), 4, ckpt_to_load_from=run, tensor_name_in_ckpt="day_hour", name="other"
    )
    np.testing.assert_array_equal(warm_start.load(column), VALUES)


def test_keys_may_have_other_names_where_the_values_are_the_same(run: str) -> None:
    arrival = fc.categorical_column_with_identity("arr_hour", 24)
    np.testing.assert_array_equal(warm_start.load(day_hour(day(), arrival, source=run)), VALUES)


@settings(deadline=None)
@given(st.permutations(DAYS), st.booleans())
def test_rows_are_carried_over_only_where_each_keeps_its_label(run: str, days: list[str], hour_first: bool) -> None:
    keys = [HOUR, day(days)] if hour_first else [day(days), HOUR]
    column = day_hour(*keys, source=run)
    here = [column.categorical_column.label(row) for row in range(72)]
    there = tables.read(run, "day_hour").labels
    if here == there:
        np.testing.assert_array_equal(warm_start.load(column), VALUES)
    else:
        assert "stand for other values" in refusal(column)


def test_keys_in_another_order_are_refused(run: str) -> None:
    assert refusal(day_hour(HOUR, day(), source=run)) == (
        f"warm start of 'day_hour': the rows of 'day_hour' in {run} stand for other values than the table's: "
        "the keys are day, hour in this order there, hour, day here; "
        "declare the column as it was there, or leave the warm start out."
    )


def test_another_vocabulary_of_the_same_size_is_refused(run: str) -> None:
    assert refusal(day_hour(day(["Mon", "Tue", "Sun"]), HOUR, source=run)) == (
        f"warm start of 'day_hour': the rows of 'day_hour' in {run} stand for other values than the table's: "
        "key 'day' has 3 values in both, but not the same ones; "
        "declare the column as it was there, or leave the warm start out."
    )


def test_another_number_of_rows_is_refused_with_both_shapes_and_the_reason(run: str) -> None:
    assert refusal(day_hour(day([*DAYS, "Thu"]), HOUR, source=run)) == (
        f"warm start of 'day_hour': 'day_hour' in {run} is 72 by 4, and the table is 96 by 4 "
        "(key 'day' has 3 values there, 4 here); declare the column as it was there, or leave the warm start out."
    )


def test_another_dimension_is_refused_with_both_shapes(run: str) -> None:
    assert refusal(day_hour(source=run, dimension=8)) == (
        f"warm start of 'day_hour': 'day_hour' in {run} is 72 by 4, and the table is 72 by 8; "
        "give the column dimension=4, or leave the warm start out."
    )


def test_a_table_of_unknown_ids_is_refused(run: str) -> None:
    assert refusal(day_hour(source=run, tensor_name_in_ckpt="vectors")) == (
        f"warm start of 'day_hour': how the ids of 'vectors' in {run} were made is not recorded, "
        "so its rows may stand for other values; give a table that a model of ours was trained with."
    )


def test_an_unknown_tensor_is_refused_with_the_nearest(run: str) -> None:
    assert refusal(day_hour(source=run, tensor_name_in_ckpt="day_huor")) == (
        f"warm start of 'day_hour': {run}/tables has no table 'day_huor'; did you mean 'day_hour'?"
    )


def test_a_source_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert refusal(day_hour(source=f"{tmp_path}/jfk")) == (
        f"warm start of 'day_hour': there is no folder {tmp_path}/jfk; give a run's job dir, or its tables folder."
    )


def test_a_source_without_tables_is_refused(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text("{}")
    assert refusal(day_hour(source=str(tmp_path))) == (
        f"warm start of 'day_hour': {tmp_path} holds no tables; give a run's job dir, or its tables folder."
    )


def test_a_source_that_was_not_written_to_the_end_is_refused(run: str, tmp_path: Path) -> None:
    torn = str(shutil.copytree(run, tmp_path / "torn"))
    Path(torn, "tables", "manifest.json").unlink()
    assert refusal(day_hour(source=torn)) == (
        f"warm start of 'day_hour': the tables in {torn} were not written to the end; "
        "give a run that has ended, or run it again."
    )


def test_damaged_values_are_refused_when_they_are_read(run: str, tmp_path: Path) -> None:
    torn = str(shutil.copytree(run, tmp_path / "torn"))
    Path(torn, "tables", "tables.data-00000-of-00001").write_bytes(b"")
    warm_start.check(day_hour(source=torn))
    with pytest.raises(Refusal) as refused:
        warm_start.load(day_hour(source=torn))
    assert str(refused.value) == (
        f"warm start of 'day_hour': the checkpoint in {torn}/tables is damaged: "
        "it does not hold the 72 by 4 values of 'day_hour'; copy the whole folder."
    )


def test_a_column_without_a_source_is_refused() -> None:
    assert refusal(day_hour()) == (
        "warm start of 'day_hour': no source is given; set ckpt_to_load_from, or --warm-start day_hour=SOURCE."
    )


def test_a_check_does_without_tensorflow(run: str) -> None:
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
