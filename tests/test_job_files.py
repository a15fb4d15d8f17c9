"""A job on files of any format: the same tables from each, and a clear end where a file cannot be used."""

import dataclasses
import gc
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests import trips
from trainer import feature_column as fc
from trainer import task
from trainer.errors import Refusal
from trainer.inputs import blocks, files, json_lines, tfrecord
from trainer.run import Run

PROBLEM = str(Path(trips.__file__))
HEADER = "city,user,hour,fare,tags,late\n"
GOOD = "Oslo,1,2,3.5,fast,0\nBern,2,3,4.5,loud,1\n"
ASIDE = "; correct it, or set such rows aside with --max-bad-rows."


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, an empty one, in which jobs leave little."""
    trips.are_quick(monkeypatch)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def refusal(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """A function of the flags of a job that returns the one sentence that is told when it ends with 2."""

    def told(*words: str) -> str:
        before, _ = sorted(Path().rglob("*")), capsys.readouterr()
        assert task.main(["--problem", PROBLEM, "--job-dir", "run", *words]) == 2
        assert sorted(Path().rglob("*")) == before
        printed = capsys.readouterr()
        assert printed.out == ""
        assert printed.err.count("\n") == 1
        return printed.err.removesuffix("\n")

    return told


# The same from each format


@pytest.fixture(scope="module")
def by_csv(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Any]]:
    """The run of a CSV file that is read anew, and what its examples hold."""
    folder = tmp_path_factory.mktemp("csv")
    given: dict[str, Any] = {"train_files": trips.write(folder / "trips.csv")}
    with pytest.MonkeyPatch.context() as patch:
        trips.are_quick(patch)
        trips.trained(folder / "run", **given)
    return folder / "run", [*map(trips.arrays_of, trips.sets_of(trips.read_by(folder / "run", **given)))]


@pytest.mark.parametrize("name", [*trips.WRITERS])
def test_each_format_gives_the_same_examples_and_the_same_tables(name: str, place: Path, by_csv: Any) -> None:
    run, expected = by_csv
    found = trips.read_by(place / "first", train_files=trips.write(place / name))
    assert not found.is_kept
    assert [*map(trips.arrays_of, trips.sets_of(found))] == expected
    assert sum(map(len, trips.sets_of(found))) == 300
    if name != "trips.csv":
        trips.trained(place / "run", train_files=name)
        trips.assert_same_tables(place / "run", run)


def test_every_format_that_files_may_have_is_compared() -> None:
    assert {f".{name.split('.')[1]}" for name in trips.WRITERS} == {
        ".csv",
        ".parquet",
        ".feather",
        ".jsonl",
        ".tfrecord",
    }
    readers = {make.__code__.co_names[0] for make in files.KINDS.values()}
    assert {
        files.KINDS[f".{kind}"].__code__.co_names[0] for kind in ("parquet", "feather", "jsonl", "tfrecord")
    } == readers


# Files that cannot be used


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("a.csv", "a CSV file with a header row is wanted."),
        ("a.parquet", "a Parquet file is wanted."),
        ("a.feather", "an Arrow file is wanted."),
        ("a.jsonl", "JSON lines are wanted, one object a line."),
        ("a.tfrecord", "a TFRecord file of tf.train.Example is wanted."),
    ],
)
def test_an_empty_file_ends_the_job(refusal: Any, name: str, what: str) -> None:
    Path(name).touch()
    assert refusal("--train-files", name) == f"{name}: it is empty; {what}"


def test_a_header_alone_ends_the_job(refusal: Any) -> None:
    Path("a.csv").write_text(HEADER)
    assert refusal("--train-files", "a.csv") == "--train-files: there is no row in them; at least one is wanted."
    Path("b.csv").write_text(HEADER + GOOD * 20)
    sentence = "there is no row in them; at least one is wanted."
    assert refusal("--train-files", "b.csv", "--eval-files", "a.csv") == f"--eval-files: {sentence}"
    with pytest.raises(Refusal) as refused:
        trips.raw(train_files="b.csv", validation_files="a.csv")
    assert str(refused.value) == f"--validation-files: {sentence}"


def test_a_header_alone_among_other_files_is_no_mistake_nor_is_another_order_or_more_columns(place: Path) -> None:
    Path("a.csv").write_text(HEADER)
    Path("b.csv").write_text(HEADER + GOOD * 20)
    Path("c.csv").write_text("late;more;tags;fare;hour;user;city\n1;x;fast|loud;2,5;3;4;Bern\n".replace("2,5", "2.5"))
    found = trips.raw(train_files="?.csv")
    assert sum(len(examples) for examples in (found.train, found.validation, found.test())) == 41


def test_a_file_without_a_column_is_named(refusal: Any) -> None:
    Path("a.csv").write_text(HEADER + GOOD)
    Path("b.csv").write_text(HEADER.replace("fare", "fair") + GOOD)
    assert refusal("--train-files", "?.csv") == "b.csv: there is no column 'fare'; did you mean 'fair'?"
    Path("b.csv").write_bytes(b"PAR1\x00\x1b[2J" + b"\xc3\xa9")
    assert refusal("--train-files", "?.csv") == "b.csv: there is no column 'city'; it has PAR1\\x00\\x1b[2Jé."


def test_a_column_name_that_comes_twice_ends_the_job_whether_it_is_read_or_not(refusal: Any) -> None:
    for header in (f"fare,{HEADER}", f"x,x,{HEADER}"):
        Path("a.csv").write_text(header)
        name = header.partition(",")[0]
        assert refusal("--train-files", "a.csv") == f"a.csv: two columns are named '{name}'; give each its own name."


def shrink(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def grow(file: Path) -> None:
    with file.open("ab") as end:
        end.write(b"Oslo,1,2")


def write_anew(file: Path) -> None:
    file.write_bytes(file.read_bytes())


CHANGES: dict[Callable[[Path], None], tuple[str, int | None]] = {
    shrink: ("shrank", None),
    grow: ("grew", 8),
    write_anew: ("was written anew", 0),
}


@pytest.fixture
def half_way(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Callable[[], None]], None]]:
    """A function of what happens once the first of many small pieces of a file is read."""
    monkeypatch.setattr(blocks.Rows.__init__, "__defaults__", (300, 1))
    monkeypatch.setattr(json_lines, "BLOCK", 300)
    monkeypatch.setattr(tfrecord, "BATCH_ROWS", 20)
    finished, done = files.Rows._finished, [False]

    def happens(change: Callable[[], None]) -> None:
        def changing(rows: files.Rows, *work: Any) -> Iterator[Any]:
            yield from finished(rows, *work)
            if not done[0]:
                done[0] = True
                change()

        monkeypatch.setattr(files.Rows, "_finished", changing)

    yield happens
    gc.collect()  # TensorFlow may wait for threads of an iterator that has failed, the longer the older it is


@pytest.mark.parametrize("name", [*trips.WRITERS])
def test_a_file_that_vanishes_while_it_is_read_is_refused(name: str, place: Path, half_way: Any) -> None:
    trips.write(place / name)
    half_way((place / name).unlink)
    with pytest.raises(Refusal) as refused:
        trips.raw(train_files=name)
    assert str(refused.value) == f"{name}: it vanished while it was read; start again once it is there."


def changed(name: str, change: Callable[[Path], None], size: int) -> str:
    """What is told of a file that has changed."""
    verb, more = CHANGES[change]
    sizes = f"{size:,} bytes, then {size // 2 if more is None else size + more:,}"
    return f"{name}: it {verb} while it was read ({sizes}); start again once nothing writes to it."


@pytest.mark.parametrize("change", [*CHANGES])
@pytest.mark.parametrize("name", [*trips.WRITERS])
def test_a_file_that_changes_while_it_is_read_is_refused_for_that_whatever_it_ends_with(
    name: str, change: Callable[[Path], None], place: Path, half_way: Any
) -> None:
    size = Path(trips.write(place / name)).stat().st_size
    half_way(lambda: change(place / name))
    with pytest.raises(Refusal) as refused:
        trips.raw(train_files=name, max_bad_rows="9")
    assert str(refused.value) == changed(name, change, size)


def test_a_file_that_changes_while_it_is_read_ends_the_job(
    place: Path, half_way: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    size = Path(trips.write(place / "trips.csv")).stat().st_size
    half_way(lambda: grow(place / "trips.csv"))
    assert task.main(["--problem", PROBLEM, "--job-dir", "run", "--train-files", "trips.csv"]) == 2
    assert capsys.readouterr() == ("", f"{changed('trips.csv', grow, size)}\n")
    assert [path.name for path in place.iterdir()] == ["trips.csv"]


def test_letters_that_are_not_utf_8_end_the_job_in_a_column_that_is_read_alone(refusal: Any) -> None:
    Path("a.csv").write_bytes(f"{HEADER}{GOOD}".encode() + b"S\xe3o,1,2,3,fast,1\n")
    assert refusal("--train-files", "a.csv") == f"a.csv: line 4 has 'S\\xe3o' as 'city', and UTF-8 is wanted{ASIDE}"
    lines = (HEADER + GOOD * 20).encode().splitlines()
    Path("a.csv").write_bytes(
        b"".join((b"more" if place == 0 else b"S\xe3o") + b"," + line + b"\n" for place, line in enumerate(lines))
    )
    assert len(trips.raw(train_files="a.csv").train) > 20


def test_a_byte_order_mark_is_none_of_the_first_name(place: Path) -> None:
    Path("a.csv").write_text("\ufeff" + HEADER + GOOD * 20)
    assert set(trips.raw(train_files="a.csv").train.in_memory().features) == {"city", "user", "hour", "fare", "tags"}


def test_a_line_of_10_megabytes_is_kept_whole(place: Path) -> None:
    name = "x" * 10_000_000
    Path("a.csv").write_text(f"{HEADER}{GOOD}{name},1,2,3.5,fast,0\n{GOOD}")
    for other in ("b.csv", "c.csv"):
        Path(other).write_text(HEADER + GOOD)
    found = trips.read_by(place / "run", train_files="a.csv", validation_files="b.csv", eval_files="c.csv")
    (column, *_) = found.problem.dnn_feature_columns
    assert sorted(column.categorical_column.vocabulary_list, key=len) == ["Bern", "Oslo", name]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ('"Oslo,1,2,3.5,fast,0', "begins a quoted value that never ends, and a closing quote is wanted"),
        ("Oslo,1,2,3.5,fast", "has 5 values, and 6 are wanted"),
        ('Oslo,1,2,"1,5",fast,0', "has '1,5' as 'fare', and a number is wanted"),
        ("Oslo,1,2,1e400,fast,0", "has '1e400' as 'fare', and a number that 32 bits hold is wanted"),
        ("Oslo,0x10,2,3.5,fast,0", "has '0x10' as 'user', and a whole number is wanted"),
        ("Oslo,1,2,0x10,fast,0", "has '0x10' as 'fare', and a number is wanted"),
        ("Oslo,1_000,2,3.5,fast,0", "has '1_000' as 'user', and a whole number is wanted"),
        ("Oslo,1,2,1_000,fast,0", "has '1_000' as 'fare', and a number is wanted"),
        ("Oslo,1,2,3.5,fast,NaN", "has 'NaN' as 'late', and a whole number from 0 to 1 is wanted"),
        ("Oslo,1,2,3.5,fast,", "has '' as 'late', and a whole number from 0 to 1 is wanted"),
        ("Oslo,1,2,3.5,fast,2", "has '2' as 'late', and a whole number from 0 to 1 is wanted"),
        ("Oslo,1,24,3.5,fast,0", "has '24' as 'hour', and a whole number from 0 to 23 is wanted"),
        (
            f"Oslo,{2**63},2,3.5,fast,0",
            f"has '{2**63}' as 'user', and a whole number of at least -2**63 and below 2**63 is wanted",
        ),
    ],
)
def test_a_row_that_cannot_be_used_ends_the_job_with_its_line(refusal: Any, row: str, what: str) -> None:
    Path("a.csv").write_text(f"{HEADER}{GOOD}{row}\n{GOOD * 20}")
    assert refusal("--train-files", "a.csv") == f"a.csv: line 4 {what}{ASIDE}"


def test_whole_numbers_beyond_those_that_floats_tell_apart_are_exact(place: Path) -> None:
    numbers = [2**53 + 1, 2**53 + 3, 2**63 - 1, -(2**63)]
    trips.write(place / "trips.csv", [row | {"user": numbers[place % 4]} for place, row in enumerate(trips.rows(100))])
    found = trips.raw(train_files="trips.csv").train.in_memory().features["user"]
    assert {*found.reshape(-1).tolist()} == {*numbers}


def test_a_column_without_any_value_is_trained_on_where_it_may_be_missing(refusal: Any, place: Path) -> None:
    empty = [row | {"user": None, "fare": None, "tags": []} for row in trips.rows(100)]
    trips.write(place / "trips.csv", empty)
    metrics = trips.trained(place / "run", train_files="trips.csv")
    assert metrics["tables/user/rows_never_trained"] == 40
    fare = dataclasses.replace(trips.PROBLEM, dnn_feature_columns=[fc.numeric_column("fare")], bags={})
    with pytest.raises(Refusal) as told:
        trips.read_by(place / "other", fare, train_files="trips.csv")
    assert str(told.value) == f"trips.csv: line 2 has '' as 'fare', and a number is wanted{ASIDE}"
    trips.write(place / "other.csv", [row | {"city": None} for row in trips.rows(100)])
    assert refusal("--train-files", "other.csv", "--job-dir", "else") == (
        "categorical_column_with_vocabulary_list: key 'city' has no value in the data, and a vocabulary needs one; "
        "give other data."
    )


def test_a_pattern_without_any_file_is_told_with_the_nearest_names(refusal: Any) -> None:
    for name in ("trips-1.csv", "trips-2.csv", "zebra"):
        Path(name).touch()
    assert refusal("--train-files", "trip-*.csv") == (
        "--train-files: no file matches trip-*.csv; near it there are trips-1.csv, trips-2.csv."
    )
    assert refusal("--train-files", "none/*.csv") == (
        "--train-files: no file matches none/*.csv; near it there are trips-1.csv, trips-2.csv."
    )


def test_a_folder_is_no_file(refusal: Any) -> None:
    Path("data").mkdir()
    Path("data", "a.csv").write_text(HEADER + GOOD)
    assert refusal("--train-files", "data") == (
        "--train-files: data is a folder; give a pattern of the files in it, such as data/*.csv."
    )


@pytest.mark.parametrize(
    ("key", "values", "kinds"),
    [
        ("city", pa.array([1.5] * 50), "double, and the problem reads it as string"),
        ("user", pa.array([[1]] * 50), "list<element: int64>, and the problem reads it as int64"),
        ("fare", pa.array([1] * 50, pa.date32()), "date32[day], and the problem reads it as float32"),
        ("tags", pa.array([{"a": 1}] * 50), "struct<a: int64>, and the problem reads it as a bag of string"),
    ],
)
def test_a_type_that_is_none_of_its_column_ends_the_job(refusal: Any, key: str, values: Any, kinds: str) -> None:
    table = pa.Table.from_pylist(trips.rows(50))
    pq.write_table(table.set_column(table.schema.get_field_index(key), key, values), "a.parquet")
    assert refusal("--train-files", "a.parquet") == (
        f"a.parquet: column '{key}' holds {kinds}; declare it as what it is, or write the file with another type."
    )


@pytest.mark.parametrize(("name", "kind"), [("trips.csv.gz", "CSV"), ("trips.jsonl.gz", "JSON lines")])
def test_a_packed_file_that_was_cut_short_ends_the_job(refusal: Any, place: Path, name: str, kind: str) -> None:
    {"CSV": trips.write_csv, "JSON lines": trips.write_json}[kind](place / name, trips.rows())
    shrink(place / name)
    assert refusal("--train-files", name) == f"{name}: it cannot be read as {kind} (Truncated compressed stream)."


def test_a_file_that_may_not_be_read_ends_the_job(place: Path) -> None:
    Path("a.csv").write_text(HEADER + GOOD)
    Path("a.csv").chmod(0)
    privileges = "-dac_override,-dac_read_search"  # by which root may read anything
    as_anybody = ["setpriv", f"--inh-caps={privileges}", f"--bounding-set={privileges}"] if os.geteuid() == 0 else []
    told = refusal_of_a_process("--train-files", "a.csv", before=as_anybody)
    assert told == "a.csv: it may not be read; give a file that you have permission to read.\n"


def test_a_refusal_in_the_middle_of_a_file_is_all_that_a_process_says(place: Path) -> None:
    long = "x" * 4000
    Path("a.csv").write_text(HEADER + f"{long},1,2,3.5,fast,0\n" * 2500 + "Oslo,1,2,3.5,fast\n")  # in the second block
    told = refusal_of_a_process("--train-files", "a.csv")
    assert told == f"a.csv: line 2,502 has 5 values, and 6 are wanted{ASIDE}\n"


def refusal_of_a_process(*words: str, before: Sequence[str] = ()) -> str:
    """All that a job says that ends with 2 and leaves nothing, in a process that the words `before` start."""
    own = ("TF_", "ABSL_", "PYTHON")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    command = [*before, sys.executable, "-m", "trainer.task", "--problem", PROBLEM, *words]
    root = str(Path(PROBLEM).parents[1])
    done = subprocess.run(command, env={**environment, "PYTHONPATH": root}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, [path.name for path in Path().iterdir()]) == (2, "", ["a.csv"])
    return done.stderr


# Rows that are set aside


BAD = (
    ("Oslo,1,24,3.5,fast,0", "hour", "24", "a whole number from 0 to 23"),
    ("Oslo,1,2,many,fast,0", "fare", "many", "a number"),
    ("Oslo,1,2,3.5,fast", None, None, "has 5 values, and 6 are wanted"),
)


def with_bad(file: Path, count: int = 300, bad: Sequence[Any] = BAD) -> list[dict[str, Any]]:
    """Writes good rows and in the middle of them some bad ones, and returns what is to be told of these."""
    good = trips.rows(count - len(bad))
    before = trips.csv_text(good[: count // 2])
    after = trips.csv_text(good[count // 2 :]).partition("\r\n")[2]
    file.write_text(before + "".join(f"{line}\n" for line, *_ in bad) + after, newline="")
    first = len(re.findall("\r\n|\n", before)) + 1
    told = [{"column": column, "value": value, "wanted": wanted} for _, column, value, wanted in bad]
    return [{"file": str(file), "unit": "line", "number": first + place, **each} for place, each in enumerate(told)]


def bad_rows_of(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "bad_rows.jsonl").read_text().splitlines()]


def test_bad_rows_are_set_aside_told_and_counted_and_all_others_are_used(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = with_bad(Path("a.csv"))
    metrics = trips.trained(place / "run", train_files="a.csv", max_bad_rows="3")
    assert bad_rows_of(place / "run") == expected
    assert metrics["bad_rows"] == 3
    assert Run(str(place / "run")).read_json("metrics.json")["bad_rows"] == 3
    assert sum(metrics[name] for name in ("train_examples", "validation_examples", "examples")) == 297
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("bad rows")]
    assert line == (
        "bad rows: 3 of 300 were set aside into run/bad_rows.jsonl; the first: a.csv: line "
        f"{expected[0]['number']} has '24' as 'hour', and a whole number from 0 to 23 is wanted"
    )
    found = trips.read_by(place / "percent", train_files="a.csv", max_bad_rows="1%").bad_rows
    assert found is not None
    assert [dataclasses.asdict(row) for row in found.found] == expected


@pytest.mark.parametrize(("limit", "shown"), [("2", "2"), ("0.99%", "0.99 %")])
def test_one_bad_row_over_the_limit_ends_the_job(refusal: Any, limit: str, shown: str) -> None:
    last = with_bad(Path("a.csv"))[-1]
    assert refusal("--train-files", "a.csv", "--max-bad-rows", limit) == (
        f"--max-bad-rows: 3 of 300 rows cannot be used, and {shown} may be; the last: a.csv: line {last['number']} has "
        "5 values, and 6 are wanted."
    )


def test_without_bad_rows_none_are_written_and_none_are_counted(by_csv: Any) -> None:
    run, _ = by_csv
    assert Run(str(run)).read_json("metrics.json")["bad_rows"] == 0
    assert not (run / "bad_rows.jsonl").exists()


def test_a_limit_is_for_the_files_of_each_flag_and_so_it_is_for_rows_that_were_kept(place: Path) -> None:
    told = [*with_bad(Path("a.csv"), bad=BAD[:2]), *with_bad(Path("b.csv"), 100, BAD[1:])]
    given: dict[str, Any] = {"train_files": "a.csv", "eval_files": "b.csv", "max_bad_rows": "2"}
    for name in ("first", "second"):
        found = trips.read_by(place / name, **given)
        assert found.is_kept == (name == "second")
        assert found.bad_rows is not None
        assert [dataclasses.asdict(row) for row in found.bad_rows.found] == told
        assert found.bad_rows.rows == 400
    with pytest.raises(Refusal) as refused:
        trips.read_by(place / "third", **{**given, "max_bad_rows": "1"})
    assert str(refused.value) == (
        f"--max-bad-rows: 2 of 300 rows cannot be used, and 1 may be; the last: a.csv: line {told[1]['number']} has "
        "'many' as 'fare', and a number is wanted."
    )


def test_a_limit_in_percent_is_judged_at_the_end_of_few_rows_and_at_once_among_many(
    refusal: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("a.csv").write_text(HEADER + "Oslo,1,24,3.5,fast,0\n" * 2 + GOOD * 100)
    assert trips.raw(train_files="a.csv", max_bad_rows="1%").train
    monkeypatch.setattr(blocks.Rows.__init__, "__defaults__", (2000, 1))
    assert trips.raw(train_files="a.csv", max_bad_rows="1%").train
    Path("a.csv").write_text(HEADER + GOOD * 6000 + "Oslo,1,24,3.5,fast,0\n" * 400 + GOOD * 6000)
    told = refusal("--train-files", "a.csv", "--max-bad-rows", "1%")
    found = re.fullmatch(
        r"--max-bad-rows: ([\d,]+) of ([\d,]+) rows cannot be used, and 1 % may be; the last: a\.csv: line ([\d,]+) "
        r"has '24' as 'hour', and a whole number from 0 to 23 is wanted\.",
        told,
    )
    assert found is not None
    bad, rows, line = (int(number.replace(",", "")) for number in found.groups())
    assert 0.01 * rows < bad < 250
    assert 12_000 < rows < 12_250  # and not at the end
    assert rows <= line
