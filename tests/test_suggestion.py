"""Problems that are suggested for tables: planted traps are not fallen into, and what is written trains as it is."""

import ast
import csv
import gzip
import itertools
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import trainer
from tests import trips
from trainer import problem as problems
from trainer import suggestion, task
from trainer.__main__ import main
from trainer.datasets.nyc_flights import csv_path
from trainer.errors import Refusal
from trainer.problem import Problem
from trainer.suggestion import forms, information, python
from trainer.suggestion.information import Target
from trainer.suggestion.part import Names
from trainer.suggestion.sample import Sample, texts_of

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def write(path: Path, columns: dict[str, Any]) -> str:
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(columns)
        rows.writerows(zip(*columns.values(), strict=True))
    return str(path)


def visits(rows: int = 6000, seed: int = 0) -> dict[str, Any]:
    """Who bought, with a trap in most columns; what counts is the area, whether it is a weekend evening, and age."""
    draw = np.random.default_rng(seed)
    zips = draw.choice(np.arange(10_001, 99_999, 1799), rows)  # 51 areas, whose effects have nothing to do with size
    effects = dict(zip(np.unique(zips), draw.normal(0, 1.2, 51), strict=False))
    moments = np.datetime64("2025-03-03T00:00:00") + draw.integers(0, 60 * 86_400, rows).astype("timedelta64[s]")
    weekend = np.isin((moments.astype("datetime64[D]").astype(int) + 3) % 7, (5, 6))
    evening = (moments.astype("datetime64[h]").astype(int) % 24) >= 17
    age = draw.integers(18, 90, rows)
    logits = np.vectorize(effects.get)(zips) + 2.5 * (weekend & evening) - 1.5 * ((age > 40) & (age < 60)) - 0.7
    bought = draw.random(rows) < 1 / (1 + np.exp(-logits))
    dates = moments.astype("datetime64[D]").astype(str)
    mixed = [f"{date[8:]}/{date[5:7]}/{date[:4]}" if place % 3 else date for place, date in enumerate(dates)]
    return {
        "visit": np.arange(1, rows + 1),
        "session": [f"{number:016x}" for number in draw.integers(0, 2**62, rows)],
        "zip": zips,
        "age": age,
        "moment": np.char.replace(moments.astype(str), "T", " "),
        "registered": mixed,
        "version": ["1.4"] * rows,
        "amount_paid": np.where(bought, np.round(draw.uniform(5, 90, rows), 2), 0.0),
        "browser": draw.choice(["firefox", "chrome", "safari"], rows),
        "bought": np.where(bought, "yes", "no"),
    }


def homes(rows: int = 6000, seed: int = 1) -> dict[str, Any]:
    """Rents, from the kind and the quarter together, the size, and words; with traps."""
    draw = np.random.default_rng(seed)
    kinds, quarters = draw.choice(["flat", "house", "loft"], rows), draw.choice(["N", "S", "E", "W", "C"], rows)
    together = dict(zip(itertools.product(np.unique(kinds), np.unique(quarters)), draw.normal(0, 0.4, 15), strict=True))
    size = np.round(draw.uniform(20, 200, rows), 1)
    words = np.array(["bright", "quiet", "garden", "old", "new", "central", "parking", "cosy", "view", "large"])
    worth = dict(zip(words, draw.normal(0, 0.15, 10), strict=True))
    chosen = [draw.choice(words, 6, replace=False) for _ in range(rows)]
    logs = np.array([together[pair] for pair in zip(kinds, quarters, strict=True)]) + np.log(size)
    logs += np.array([sum(worth[word] for word in each) for each in chosen]) + draw.normal(0, 0.1, rows)
    rent = np.round(20 * np.exp(logs)).astype(int)
    return {
        "id": draw.permutation(np.arange(500_000, 500_000 + rows)),
        "kind": kinds,
        "quarter": quarters,
        "size": np.where(draw.random(rows) < 0.05, "", size.astype(str)),
        "text": [" ".join(each).capitalize() + "!" for each in chosen],
        "country": ["NL"] * rows,
        "seen": [f"{1 + place % 28}.{1 + place % 12}.2024" if place % 2 else f"2024/{1 + place % 12}/{1 + place % 28}"
                 for place in range(rows)],
        "deposit": rent * 3,
        "rent": rent,
    }  # fmt: skip


def suggested(path: str, label: str, folder: Path, **given: Any) -> tuple[str, Problem]:
    """The text of a suggestion, and the problem that it is."""
    text = suggestion.of_files(path, label, **given)
    ast.parse(text)
    assert max(len(line) for line in text.splitlines() if path not in line) <= 120
    file = folder / "suggested.py"
    file.write_text(text)
    return text, problems.load(str(file))


def left_out(text: str) -> dict[str, str]:
    """The columns that are left out, and why."""
    lines = text.partition("# Left out:\n")[2].partition("\n\n")[0].splitlines()
    found: dict[str, str] = {}
    for line in lines:
        if line.startswith("#   ") and line[4] != " ":
            name, _, reason = line[4:].partition(": ")
            found[name] = reason
        else:
            found[next(reversed(found))] += f" {line.lstrip('# ')}"
    return found


# Traps


def test_traps_of_a_table_of_visits_are_not_fallen_into_and_named(tmp_path: Path) -> None:
    text, problem = suggested(write(tmp_path / "visits.csv", visits()), "bought", tmp_path)
    reasons = left_out(text)
    assert set(reasons) == {"visit", "session", "registered", "version", "amount_paid"}
    assert reasons["visit"] == "it numbers the rows, from 1 to 6,000."
    assert reasons["session"].startswith("nearly each row has its own of 6,000 values")
    assert reasons["registered"] == "it holds dates in several forms, '%Y-%m-%d', '%d/%m/%Y'; write them in one."
    assert reasons["version"] == "it is always 1.4."
    assert reasons["amount_paid"].startswith("it tells ")
    assert "of what there is to know of the label by itself" in reasons["amount_paid"]
    assert (
        'zip_ = fc.categorical_column_with_vocabulary_list("zip", fc.from_data(), "int64", num_oov_buckets=1)' in text
    )
    assert "by its name a code" in text
    assert 'age = fc.bucketized_column(fc.numeric_column("age"), fc.quantiles(20))' in text
    assert "moment_day_hour = fc.crossed_column(" in text
    assert set(problem.raw_features) == {"zip", "age", "moment_day", "moment_hour", "browser"}
    assert problem.head.label_vocabulary == ["no", "yes"]


def test_codes_that_no_name_gives_away_are_told_by_what_they_tell(tmp_path: Path) -> None:
    columns = visits()
    columns["area"] = columns.pop("zip")
    text, _ = suggested(write(tmp_path / "visits.csv", columns), "bought", tmp_path)
    assert "area: 51 whole numbers, which tell more one by one than as ranges" in text


def test_traps_of_a_table_of_homes_are_not_fallen_into_and_named(tmp_path: Path) -> None:
    text, problem = suggested(write(tmp_path / "homes.csv", homes()), "rent", tmp_path)
    reasons = left_out(text)
    assert set(reasons) == {"id", "country", "seen", "deposit"}
    assert reasons["id"] == "it numbers the rows, from 500,000 to 505,999."
    assert reasons["country"] == "it is always NL."
    assert reasons["seen"].startswith("it holds dates in several forms")
    assert "of the variance of the label by itself" in reasons["deposit"]
    assert "a missing one is taken as the middle" in text
    assert "kind_quarter = fc.crossed_column([kind, quarter])" in text.splitlines()
    assert problem.label == "log_rent"
    assert problem.bags == {"text": " "}
    made = problem.from_rows({"text": np.array(["Bright, OLD"]), "rent": np.array(["100"])})  # type: ignore[misc]
    assert (made["text"].tolist(), made["log_rent"].tolist()) == (["bright old"], [np.log1p(100)])


@pytest.mark.parametrize(("table", "label", "metric"), [(visits, "bought", "auc"), (homes, "rent", "r2")])
@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_what_is_suggested_for_a_table_with_traps_finds_what_was_planted(
    table: Any, label: str, metric: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suggested(write(tmp_path / "rows.csv", table()), label, tmp_path)
    monkeypatch.chdir(tmp_path)
    assert task.main(["--problem", "suggested.py", "--job-dir", "run"]) == 0
    found = json.loads(Path("run/metrics.json").read_text())
    assert found[metric] > {"auc": 0.75, "r2": 0.9}[metric]


@pytest.mark.slow
@pytest.mark.parametrize(("table", "label", "answer"), [(visits, "bought", "classes"), (homes, "rent", "predictions")])
def test_what_is_suggested_is_trained_asked_and_judged(
    table: Any, label: str, answer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    write(Path("rows.csv"), table(2000))
    assert main(["suggest", "rows.csv", "--label", label, "--out", "mine.py"]) == 0
    assert task.main(["--problem", "mine.py", "--num-epochs", "2", "--job-dir", "run"]) == 0
    write(Path("new.csv"), {key: values for key, values in table(2000).items() if key != label})
    assert main(["predict", "run", "--files", "new.csv", "--out", "out.parquet"]) == 0
    assert pq.read_table("out.parquet").num_rows == 2000
    assert main(["evaluate", "run", "--by", "browser" if label == "bought" else "kind"]) == 0
    with open("rows.csv", newline="", encoding="utf-8") as file:
        first = next(csv.DictReader(file))
    run = trainer.load("run")
    made = run.problem.from_rows or dict
    rows = {key: np.array([value], object) for key, value in first.items() if key != label}  # which is not known
    found = run.predict(made(rows))[answer].reshape(-1)[0]
    expected = pq.read_table("out.parquet")[answer][0].as_py()
    assert found == (expected.encode() if label == "bought" else pytest.approx(expected, rel=1e-6))


@pytest.mark.slow
def test_of_flights_the_delay_that_is_the_label_is_left_out(tmp_path: Path) -> None:
    some = (
        pd.read_csv(csv_path())
        .sample(60_000, random_state=0)
        .assign(late=lambda rows: (rows.dep_delay > 15).astype(int))
    )
    some = some[some.dep_delay.notna()]
    some.to_csv(tmp_path / "flights.csv", index=False)
    text, _ = suggested(str(tmp_path / "flights.csv"), "late", tmp_path)
    reasons = left_out(text)
    assert reasons["dep_delay"].startswith("it tells 9")
    assert "as what is known only afterwards does" in reasons["dep_delay"]
    assert "suspect" in reasons["arr_delay"]
    assert reasons["year"] == "it is always 2013."


# Labels


@pytest.mark.parametrize(
    ("values", "head", "feature"),
    [
        ([0, 1, 1, 0], "BinaryHead()", "y"),
        (["no", "yes", "no", "no"], 'BinaryHead(label_vocabulary=["no", "yes"])', "y"),
        (["b", "a", "b", "b"], 'BinaryHead(label_vocabulary=["b", "a"])', "y"),  # what is rarer is yes
        ([1, 2, 2, 2], "BinaryHead()", "y"),
        ([-1, 1, 1, -1], "BinaryHead()", "y"),
        (
            ["red", "green", "blue", "red"],
            'MultiClassHead(num_classes=3, label_vocabulary=["blue", "green", "red"])',
            "y",
        ),
        ([0, 1, 2, 3], "MultiClassHead(num_classes=4)", "y"),
        ([3, 5, 4, 4], "RegressionHead(mean=4.0, scale=0.7071)", "y"),
        ([1.5, 2.5, 0.5, 1.5], "RegressionHead(mean=1.5, scale=0.7071)", "y"),
        ([1.0] * 98 + [1000.5, 2.0], "RegressionHead(mean=0.7594, scale=0.6194)", "log_y"),
    ],
)
def test_a_label_has_the_head_that_its_values_ask_for(values: Any, head: str, feature: str, tmp_path: Path) -> None:
    rows = len(values) * 25
    draw = np.random.default_rng(0)
    columns = {"x": draw.choice(["a", "b", "c"], rows), "y": [*values] * 25}
    text, problem = suggested(write(tmp_path / "rows.csv", columns), "y", tmp_path)
    assert f"    head={head}," in text.splitlines()
    assert problem.label == feature


@pytest.mark.parametrize(
    ("columns", "label", "sentence"),
    [
        (
            {"x": [1, 2], "y": [1, 1]},
            "y",
            "--label: 'y' is always 1, so there is nothing to learn; name another column.",
        ),
        ({"x": [1, 2], "y": [1, 2]}, "z", "--label: there is no column 'z'; there are x, y."),
        ({"xx": [1, 2], "yy": [1, 2]}, "yyy", "--label: there is no column 'yyy'; did you mean 'yy'?"),
        (
            {"x": ["k"] * 30, "y": [1, 2, 3] * 10},
            "y",
            "suggest: no column is left to tell 'y' by (x: it is always k); give files with other columns.",
        ),
        (
            {"x": [1, 2] * 100, "y": [f"t{place}" for place in range(200)]},
            "y",
            "--label: 'y' has 200 different texts, as t0, t1, t10; a label is a number, or one of at most 100 classes.",
        ),
        (
            {"39": [1, 2], "State-gov": [1, 2]},
            "income",
            "rows.csv: there is no column 'income', and its first row, 39, State-gov …, looks like values; give "
            "--column-names for a file without a header.",
        ),
    ],
)
def test_a_label_that_cannot_be_one_is_refused(
    columns: Any, label: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    write(Path("rows.csv"), columns)
    assert main(["suggest", "rows.csv", "--label", label]) == 2
    printed = capsys.readouterr()
    assert printed.err == f"{sentence}\n"
    assert printed.out == ""


def test_rows_without_a_label_are_told(tmp_path: Path) -> None:
    x = np.random.default_rng(0).choice(["a", "b"], 100)
    columns = {"x": x, "y": ["yes", "no", "", "no"] * 25}
    text, _ = suggested(write(tmp_path / "rows.csv", columns), "y", tmp_path)
    assert "25 of 100 rows have no label: --max-bad-rows 25 sets them aside." in text


# Columns


def test_a_column_of_any_name_is_a_column_of_the_problem(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    names = ["native country", "class", "2nd", "fc", 'x"y', "é"]
    columns = {name: draw.choice(["a", "b"], 200) for name in names} | {"label": draw.integers(0, 2, 200)}
    _, problem = suggested(write(tmp_path / "rows.csv", columns), "label", tmp_path)
    assert set(problem.raw_features) == set(names)


def test_names_are_different_and_none_of_python_or_of_the_file() -> None:
    names = Names([], ["fc"])
    given = ["a b", "a_b", "fc", "if", "", "object", "m²", "ﬁne", "fine", "9"]
    found = [names.variable(name) for name in given]
    assert found == ["a_b", "a_b_", "fc_", "if_", "column", "object_", "m2", "fine", "fine_", "column_9"]
    assert all(name.isidentifier() for name in found)


def test_texts_with_a_mark_between_them_are_a_bag(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    genres = [
        "|".join(sorted(draw.choice(["Crime", "Drama", "War", "Comedy", "Film-Noir"], 2, False))) for _ in range(400)
    ]
    columns = {"genres": genres, "stars": draw.integers(1, 6, 400)}
    text, problem = suggested(write(tmp_path / "rows.csv", columns), "stars", tmp_path)
    assert problem.bags == {"genres": "|"}
    assert "genres: several of 5 values a row, with '|' between them: a bag." in text


def test_numbers_with_a_sign_for_missing_ones_are_numbers(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    power = np.where(draw.random(500) < 0.02, "?", draw.integers(40, 250, 500).astype(str))
    columns = {"power": power, "label": draw.integers(0, 2, 500)}
    text, problem = suggested(write(tmp_path / "rows.csv", columns), "label", tmp_path)
    assert "power: numbers, and ? for a missing one" in text
    assert problem.from_rows({"power": np.array(["?", "7"])})["power"].tolist() == ["", "7"]  # type: ignore[misc]


def test_many_values_are_hashed_into_as_many_buckets_as_keep_most_rows_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trainer.suggestion import texts

    monkeypatch.setattr(texts, "MOST_VALUES", 1000)
    draw = np.random.default_rng(0)
    columns = {
        "user": [f"u{number}" for number in draw.integers(0, 3000, 20_000)],
        "label": draw.integers(0, 2, 20_000),
    }
    text, problem = suggested(write(tmp_path / "rows.csv", columns), "label", tmp_path)
    (column,) = problem.linear_feature_columns
    assert column.hash_bucket_size >= 8192  # type: ignore[attr-defined]
    assert "% of the rows share a bucket with others" in text


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        (["2015-01-04", "2015-12-31"], ("%Y-%m-%d",)),
        (["2015-01-04 08:00:00"], ("%Y-%m-%d %H:%M:%S",)),
        (["2015-01-04T08:00:00Z"], ("%Y-%m-%dT%H:%M:%S%z",)),
        (["31/12/2015", "01/02/2015"], ("%d/%m/%Y",)),
        (["12/31/2015", "01/02/2015"], ("%m/%d/%Y",)),
        (["Jan 4, 2015"], ("%b %d, %Y",)),
        (["31.12.2015", "2015-12-31"], ("%Y-%m-%d", "%d.%m.%Y")),
        (["12 Main Street", "7 Elm"], None),
        (["Mon", "Tue"], None),
        (["1.4", "2.5"], None),
        ([], None),
    ],
)
def test_dates_are_known_by_their_form(texts: list[str], found: Any) -> None:
    known = forms.of_texts(texts)
    assert (known and known.forms) == found


def test_a_form_with_day_and_month_exchanged_is_told_too() -> None:
    known = forms.of_texts(["01/02/2015", "03/04/2015"])
    assert known is not None
    assert (known.forms, known.other) == (("%m/%d/%Y",), "%d/%m/%Y")


# Odd tables


def parquet(path: Path, columns: dict[str, Any]) -> str:
    pq.write_table(pa.table(columns), path)
    return str(path)


LETTERS = np.random.default_rng(1).choice(["a", "b", "c"], 300)
LABELS = np.random.default_rng(2).integers(0, 2, 300)


@pytest.mark.parametrize(
    "labels",
    [LABELS, LABELS.astype(bool), LABELS.astype(float), 2 * LABELS - 1, LABELS + 1, np.where(LABELS == 1, "yes", "no")],
)
@pytest.mark.parametrize("format_name", ["parquet", "csv"])
def test_a_column_that_says_the_label_is_seen_whatever_the_label_is_written_as(
    labels: Any, format_name: str, tmp_path: Path
) -> None:
    columns = {"x": LETTERS, "leak": np.where(LABELS == 1, "L", "K"), "y": labels}
    make = parquet if format_name == "parquet" else write
    text, problem = suggested(make(tmp_path / f"rows.{format_name}", columns), "y", tmp_path)
    assert "leak" in left_out(text)
    assert problem.head.units == 1


def test_a_copy_of_the_label_in_a_small_table_and_in_lists_is_seen(tmp_path: Path) -> None:
    columns = {"x": ["a", "b", "a", "c"] * 3, "same": ["u", "v"] * 6, "y": [0, 1] * 6}
    text, _ = suggested(write(tmp_path / "rows.csv", columns), "y", tmp_path)
    assert left_out(text)["same"].startswith("each of its values comes with one of the label's")
    tags = [["won", "paid"] if label else ["lost"] for label in LABELS]
    text, _ = suggested(parquet(tmp_path / "rows.parquet", {"x": LETTERS, "tags": tags, "y": LABELS}), "y", tmp_path)
    assert "tags" in left_out(text)


def test_names_that_are_made_are_none_that_are_there(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    one, two = draw.choice(["p", "q"], (2, 2000))
    late = (draw.random(2000) < np.where(one == two, 0.8, 0.2)).astype(int)
    columns = {"a": one, "b": two, "a_b": draw.choice(["r", "s"], 2000), "date_day": draw.choice(["lo", "hi"], 2000)}
    columns["date"] = [f"2024-0{1 + place % 9}-{10 + place % 18}" for place in range(2000)]
    text, problem = suggested(write(tmp_path / "rows.csv", {**columns, "late": late}), "late", tmp_path)
    assert "a_b_ = fc.crossed_column([a, b])" in text.splitlines()
    assert set(problem.raw_features) == {"a", "b", "a_b", "date_day", "date_day_"}
    price = np.round(np.exp(draw.normal(3, 1.5, 2000)), 2)
    _, problem = suggested(
        write(tmp_path / "prices.csv", {"log_price": one, "b": two, "price": price}), "price", tmp_path
    )
    assert (problem.label, set(problem.raw_features)) == ("log_price_", {"log_price", "b"})


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        (pa.array([[0.5, 1.0]] * 300), "it holds lists of numbers, of which nothing is made."),
        (pa.array([-1] * 300), "it is always -1."),
        (pa.array([float("inf"), 2.0] * 150), None),
        (pa.array([float("inf")] * 300), "it has no finite number."),
        (pa.array([b"\xff", b"\xfe", b"a"] * 100), None),
        (pa.array([{"a": 1}] * 300), "it holds struct<a: int64>, of which nothing is made."),
        (pa.array([None] * 300), "it has no value in any row."),
        (pa.array([True, False, False] * 100), None),
        (pa.array(list(range(2**62, 2**62 + 900, 3))), "nearly each row has its own of 300 values"),
    ],
)
def test_an_odd_column_is_left_out_with_its_reason_or_used(column: Any, reason: str | None, tmp_path: Path) -> None:
    path = parquet(tmp_path / "rows.parquet", {"x": LETTERS, "odd": column, "y": LABELS})
    text, problem = suggested(path, "y", tmp_path)
    assert (left_out(text)["odd"].startswith(reason)) if reason is not None else ("odd" in problem.raw_features)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_times_of_parquet_are_times(unit: str, tmp_path: Path) -> None:
    moments = pa.array(np.arange(300) * 3600 * 1_000_000, pa.timestamp("us")).cast(pa.timestamp(unit))
    path = parquet(tmp_path / "rows.parquet", {"moment": moments, "x": LETTERS, "y": LABELS})
    text, problem = suggested(path, "y", tmp_path)
    assert "the hours of the week" in text
    texts = pq.read_table(path)["moment"].cast(pa.string()).to_pylist()
    assert problem.from_rows({"moment": np.array(texts)})["moment_hour"][:3].tolist() == [0, 1, 2]  # type: ignore[misc]


@pytest.mark.parametrize(("other", "is_read"), [("unknown", True), ("n/a", True), ("soon", False)])
def test_dates_beside_a_sign_for_a_missing_one_are_dates_and_beside_else_are_left_out(
    other: str, is_read: bool, tmp_path: Path
) -> None:
    dates = [other if place % 30 == 7 else f"2024-0{1 + place % 9}-{10 + place % 18}" for place in range(300)]
    path = write(tmp_path / "rows.csv", {"x": LETTERS, "date": dates, "y": LABELS})
    text, problem = suggested(path, "y", tmp_path)
    if not is_read:
        assert left_out(text)["date"].startswith("it holds dates as '%Y-%m-%d' and what is none")
        return
    assert f"{other} for a missing one" in text
    assert problem.from_rows({"date": np.array([other, "2024-01-07"])})["date_day"].tolist() == ["", "Sun"]  # type: ignore[misc]


def test_names_with_any_letters_are_written_as_python_reads_them(tmp_path: Path) -> None:
    names = ["C:\\users", 'a\\N"', 'a"""b', "m²", "ﬁne", "fine", "tab\there", "object", "BinaryHead", "{x}%"]
    draw = np.random.default_rng(0)
    columns = {name: draw.choice(["p", "q"], 300) for name in names}
    _, problem = suggested(write(tmp_path / "rows.csv", {**columns, 'y"""\\': LABELS}), 'y"""\\', tmp_path)
    assert set(problem.raw_features) == set(names)


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        (pa.array([[1], [2]] * 150), "--label: 'y' has several values a row; one is wanted."),
        (
            pa.array(["café".encode("latin-1"), "thé".encode("latin-1"), b"eau"] * 100),
            "--label: 'y' has values that are not UTF-8; write the files as UTF-8.",
        ),
        (pa.array([1.5, float("inf")] * 150), "--label: 'y' is nearly always the same, so there is little to learn"),
        (pa.array([None] * 300), "--label: 'y' has no two different values, so there is nothing to learn"),
    ],
)
def test_an_odd_label_is_refused_with_a_sentence(labels: Any, sentence: str, tmp_path: Path) -> None:
    path = parquet(tmp_path / "rows.parquet", {"x": LETTERS, "y": labels})
    with pytest.raises(Refusal) as refusal:
        suggestion.of_files(path, "y")
    assert str(refusal.value).startswith(sentence)


def test_a_mean_is_as_exact_as_the_scale_asks_for(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.csv", {"x": LETTERS, "y": [123_456 + place % 30 for place in range(300)]})
    assert "RegressionHead(mean=123470.5, scale=8.655)" in suggested(path, "y", tmp_path)[0]


# What columns tell


def test_what_a_column_tells_is_its_mutual_information_with_the_label() -> None:
    draw = np.random.default_rng(0)
    codes = draw.integers(0, 4, 200_000)
    chances = np.array([0.1, 0.4, 0.6, 0.9])
    truth = (draw.random(200_000) < chances[codes]).astype(int)

    def entropy(chance: Any) -> Any:
        return -(chance * np.log2(chance) + (1 - chance) * np.log2(1 - chance))

    target = Target.of_classes(truth, 2)
    assert information.told(target, codes).bits == pytest.approx(1 - entropy(chances).mean(), abs=0.01)
    assert abs(information.told(target, draw.integers(0, 50, 200_000)).bits) < 0.002


def test_what_a_column_tells_of_a_number_is_the_share_of_its_variance() -> None:
    draw = np.random.default_rng(0)
    codes = draw.integers(0, 4, 100_000)
    target = Target.of_numbers(codes + draw.normal(0, 1, 100_000))
    assert information.told(target, codes).share == pytest.approx(1.25 / 2.25, abs=0.01)


@pytest.mark.parametrize("is_class", [True, False])
def test_pairs_gain_where_they_matter_together_and_not_where_they_add_up(is_class: bool) -> None:
    draw = np.random.default_rng(0)
    one, two = draw.integers(0, 6, (2, 60_000))
    for logits, is_together in ((0.6 * one - 0.5 * two, False), (2.0 * ((one + two) % 2) - 1.0, True)):
        if is_class:
            target = Target.of_classes((draw.random(60_000) < 1 / (1 + np.exp(-logits))).astype(int), 2)
        else:
            target = Target.of_numbers(logits + draw.normal(0, 1, 60_000))
        bits, error = information.gain(target, one, two)
        assert error < 0.02
        assert (bits > 0.1) if is_together else (abs(bits) < 0.003)


# How it is written


@pytest.mark.parametrize("width", [10, 20, 40])
def test_a_statement_is_the_same_in_lines(width: int) -> None:
    line = 'days = f(["Mon, or later", "Tue", "Wed"], size=7, how={"a": "b, c"})'
    text = python.wrapped(line, width)
    assert ast.dump(ast.parse(text)) == ast.dump(ast.parse(line))
    assert len(text.splitlines()) > 1


def test_a_sample_is_of_rows_from_beginning_to_end() -> None:
    sample = Sample(most=100)
    for start in range(0, 5000, 250):
        sample.take(texts_of({"n": pa.array(range(start, start + 250))}, 250))
    found = [int(text) for text in sample.columns()["n"].to_pylist()]
    assert 100 <= len(found) <= 200
    assert len(set(np.diff(found))) == 1


def test_it_is_written_to_a_file_once(tmp_path: Path, capsys: Any) -> None:
    path = write(tmp_path / "rows.csv", {"x": ["a", "b", "a"] * 40, "y": [0, 1, 1, 1] * 30})
    words = ["suggest", path, "--label", "y", "--out", str(tmp_path / "mine.py")]
    assert main(words) == 0
    assert main(words) == 2
    assert "add --overwrite to replace it" in capsys.readouterr().err
    assert main([*words, "--overwrite"]) == 0


def test_any_format_has_the_same_suggestion(tmp_path: Path) -> None:
    found = []
    for name in ("trips.csv", "trips.parquet", "trips.jsonl"):
        _, problem = suggested(trips.write(tmp_path / name), "late", tmp_path)
        found.append((problem.raw_features, sorted(column.name for column in problem.columns), problem.bags))
    assert found[0] == found[1] == found[2]
    assert found[0][2] == {"tags": "|"}


# Real rows


@pytest.fixture
def real() -> Path:
    folder = os.environ.get("TRAINER_TEST_DATA")
    if folder is None:
        pytest.skip("TRAINER_TEST_DATA names no folder with adult/, movielens/ and homes/")
    return Path(folder)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs leave little that only shows what was learned."""
    trips.are_quick(monkeypatch)


def trained_as_suggested(words: list[str], folder: Path, *flags: str) -> tuple[str, dict[str, Any]]:
    """Runs suggest and the task, one after the other and nothing between; returns the text and the metrics."""
    mine, run = folder / "mine.py", folder / "run"
    assert main(["suggest", *words, "--out", str(mine)]) == 0
    assert task.main(["--problem", str(mine), "--job-dir", str(run), *flags]) == 0
    return mine.read_text(), json.loads((run / "metrics.json").read_text())


NAMES = (
    "age,workclass,fnlwgt,education,education_num,marital_status,occupation,relationship,race,sex,capital_gain,"
    "capital_loss,hours_per_week,native_country,income"
)


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_adult_is_learned_as_it_is_suggested(real: Path, tmp_path: Path) -> None:
    lines = gzip.decompress((real / "adult" / "adult.test.gz").read_bytes()).decode().splitlines()
    (tmp_path / "test.csv").write_text("".join(f"{line.rstrip('.')}\n" for line in lines[1:] if line))  # "<=50K."
    train = str(real / "adult" / "adult.data.gz")
    words, files = [train, "--label", "income", "--column-names", NAMES], ["--train-files", train]
    _, metrics = trained_as_suggested(words, tmp_path, *files, "--eval-files", str(tmp_path / "test.csv"))
    assert metrics["examples"] == 16_281
    assert metrics["accuracy"] >= 0.85


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_prices_of_homes_are_learned_as_it_is_suggested(real: Path, tmp_path: Path) -> None:
    words = [str(real / "homes" / "nyc_listings_min.csv.gz"), "--label", "price"]
    text, metrics = trained_as_suggested(words, tmp_path)
    assert 'label="log_price"' in text
    assert metrics["r2"] >= 0.60


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_of_ratings_it_is_said_what_would_recommend_better(real: Path, tmp_path: Path) -> None:
    words = [str(real / "movielens" / "ratings.csv"), "--label", "rating"]
    text, metrics = trained_as_suggested(words, tmp_path)
    assert "Each row is what one userId says of one movieId" in text
    assert "To recommend, something else is better" in " ".join(text.split())
    assert metrics["r2"] > 0.1
