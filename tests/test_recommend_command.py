"""`python -m trainer recommend` as a person meets it."""

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests import films, served
from trainer.__main__ import main
from trainer.encoding.coded import decoded
from trainer.prediction import Trained, load
from trainer.prediction.groups import Groups
from trainer.recommendation import Recommender, write

PROG = "python -m trainer recommend"


def answered(path: Path) -> dict[str, list[dict[str, Any]]]:
    """The rows of a file by person."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in pq.read_table(path).to_pylist():
        found.setdefault(row["person"], []).append(row)
    return found


def test_what_is_liked_is_told_and_then_what_may_be(films_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["recommend", str(films_run), "--liked", "The Horror 1", "horror 2", "--topn", "3", "--liked", "108"]
    assert main(words) == 0
    told, blank, header, *rows = capsys.readouterr().out.splitlines()
    assert told == "liked: Horror 1, The (1952); Horror 2, The (1955); Horror 3, The (1958)"
    assert (blank, header.split()) == ("", ["title", "year", "genres", "score"])
    assert [row.split()[0] for row in rows] == ["1", "2", "3"]
    assert all("Horror" in row for row in rows)


def test_the_same_as_json(films_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recommend", str(films_run), "--liked", "Horror 1", "--topn", "2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["liked"][0]["item"]["key"] == "102"
    assert [row["rank"] for row in found["found"]] == [1, 2]
    assert set(found["found"][0]) == {"rank", "key", "title", "details", "score"}
    assert found["by_popularity"] is False


def test_who_likes_nothing_is_told_so(films_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recommend", str(films_run), "--topn", "1"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == (
        "nothing is known of what is liked, so this is what most people have"
    )


def test_people_of_rows_are_answered_and_said_where(
    films_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [("b", "100", 5), ("a", "101", 4), ("b", "103", 4), ("a", "104", 5), ("b", "102", 1), ("c", "999", 5)]
    out = tmp_path / "out.parquet"
    words = ["recommend", str(films_run), "--people", films.write(tmp_path / "new.csv", rows), "--out", str(out)]
    assert main([*words, "--topn", "4"]) == 0
    unknown, told, place = capsys.readouterr().out.splitlines()
    assert unknown == "1 of them have nothing that is known, and get what most people have"
    assert told.startswith("3 people in ")
    assert place == str(out)
    assert pq.read_table(out).column_names == ["person", "rank", "key", "title", "score", "by_popularity"]
    found = answered(out)
    assert list(found) == ["b", "a", "c"]
    assert [[row["rank"] for row in rows] for rows in found.values()] == [[1, 2, 3, 4]] * 3
    assert {films.kind_of(row["key"]) for row in found["b"]} == {"Comedy"}
    assert {films.kind_of(row["key"]) for row in found["a"]} == {"Western"}
    assert [row["title"] for row in found["a"]] == [films.FILMS[row["key"]][0] for row in found["a"]]
    assert [rows[0]["by_popularity"] for rows in found.values()] == [False, False, True]
    assert main(words) == 2
    assert capsys.readouterr().err == f"--out: {out} is there already; add --overwrite to replace it.\n"


def test_rows_count_alike_where_a_file_has_no_ratings_and_people_come_in_blocks_of_any_size(
    films_run: Path, tmp_path: Path
) -> None:
    rows = [(f"p{number % 9}", str(100 + number * 7 % 36)) for number in range(40)]
    files = ["--people", films.write(tmp_path / "new.csv", rows, "user_id,movie_id")]
    for size in ("1", "4", "100"):
        out = str(tmp_path / f"{size}.parquet")
        assert main(["recommend", str(films_run), *files, "--out", out, "--batch-size", size]) == 0
    found = [pq.read_table(tmp_path / f"{size}.parquet") for size in ("1", "4", "100")]
    for other in found[1:]:
        assert other.drop(["score"]).equals(found[0].drop(["score"]))
        assert other["score"].to_pylist() == pytest.approx(found[0]["score"].to_pylist(), abs=1e-5)
    has: dict[str, set[str]] = {}
    for person, key in rows:
        has.setdefault(person, set()).add(key)
    assert all(not has[row["person"]] & {row["key"]} for row in found[0].to_pylist())


def test_people_with_lists_are_answered_as_those_of_rows(films_run: Path, tmp_path: Path) -> None:
    rows = [("b", "100"), ("a", "101"), ("b", "103"), ("a", "104")]
    films.write(tmp_path / "rows.csv", rows, "user_id,movie_id")
    bags = pa.table({"movie_id": [["100", "103"], ["101", "104"]], "user_id": ["b", "a"]})
    pq.write_table(bags, tmp_path / "bags.parquet")
    for name in ("rows.csv", "bags.parquet"):
        words = ["--people", str(tmp_path / name), "--out", str(tmp_path / f"{name}.parquet")]
        assert main(["recommend", str(films_run), *words]) == 0
    assert answered(tmp_path / "rows.csv.parquet") == answered(tmp_path / "bags.parquet.parquet")


def test_columns_may_have_the_names_of_those_of_the_training_or_of_the_features(
    films_run: Path, tmp_path: Path
) -> None:
    trained = load(str(films_run))
    problem = dataclasses.replace(trained.problem, from_rows=films.from_rows)
    recommender = Recommender(Trained(trained.run, trained.settings, problem, trained.model))
    rows: list[tuple[Any, ...]] = [("a", "101", 5), ("a", "104", 4), ("b", "100", 4), ("b", "102", 1)]
    headers = {"Who,What,Rating": 1, "user_id,movie_id,user_rating": 1, "Who,What": 2, "user_id,movie_id": 2}
    found = []
    for header, counted in headers.items():
        path = films.write(tmp_path / "new.csv", [row[: len(header.split(","))] for row in rows], header)
        people = Groups(recommender.trained, path, "--people")
        people.read(lambda rows: None)
        ((_, features),) = people.batches()
        assert decoded(features["movie_id"]).row_lengths().numpy().tolist() == [
            2,
            counted,
        ]
        write(recommender, people, str(tmp_path / "out.parquet"), topn=3)
        found.append(answered(tmp_path / "out.parquet"))
    assert found[0] == found[1]
    assert found[2] == found[3]
    assert found[0]["a"] == found[2]["a"]


def test_other_files_are_written_by_the_end_of_their_name(films_run: Path, tmp_path: Path) -> None:
    people = films.write(tmp_path / "new.csv", [("a", "101", 5)])
    for ending in ("csv", "jsonl"):
        out = tmp_path / f"out.{ending}"
        assert main(["recommend", str(films_run), "--people", people, "--out", str(out), "--topn", "2"]) == 0
        lines = out.read_text().splitlines()
        assert len(lines) == 2 + (ending == "csv")
    assert json.loads(lines[0])["person"] == "a"


def test_what_cannot_be_written_whole_is_not_written(
    films_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    people = films.write(tmp_path / "new.csv", [("a", "101", 5), ("b", "102", "good")])
    words = ["recommend", str(films_run), "--people", people, "--out", str(tmp_path / "out.parquet")]
    assert main(words) == 2
    assert "line 3 has 'good' as 'user_rating', and a number is wanted" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["new.csv"]
    assert main([*words, "--max-bad-rows", "1"]) == 0
    assert (tmp_path / "out.bad_rows.jsonl").exists()
    assert "1 row cannot be used and is left out" in capsys.readouterr().out


MOVIES = '''"""What to recommend."""
from trainer.problems import movies

PROBLEM = movies.problem()
'''


@pytest.mark.slow
def test_movies_are_recommended_to_people_who_rated_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = os.environ.get("TRAINER_TEST_DATA")
    if data is None:
        pytest.skip("TRAINER_TEST_DATA names no folder with movielens/ratings.csv and movielens/movies.csv")
    ratings, out = str(Path(data, "movielens", "ratings.csv")), tmp_path / "out.parquet"
    run = str(served.trained(tmp_path, MOVIES, ratings, num_epochs=3, baselines=True))
    popularity, ease, _ = json.loads((tmp_path / "run" / "baselines.json").read_text())["results"]
    assert ease["recall@20"] > 1.5 * popularity["recall@20"]
    capsys.readouterr()
    assert main(["recommend", run, "--liked", "shrek", "the incredibles", "--topn", "5"]) == 0
    told, _, header, *rows = capsys.readouterr().out.splitlines()
    assert told == "liked: Shrek (2001); Incredibles, The (2004)"
    assert (header.split(), len(rows)) == (["title", "year", "genres", "score"], 5)
    assert main(["recommend", run, "--people", ratings, "--out", str(out), "--topn", "5"]) == 0
    has: dict[str, set[str]] = {}
    for line in Path(ratings).read_text().splitlines()[1:]:
        person, film, _ = line.split(",", 2)
        has.setdefault(person, set()).add(film)
    found = answered(out)
    assert list(found) == list(has)
    assert all(len(rows) == 5 and not has[person] & {row["key"] for row in rows} for person, rows in found.items())


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], f"{PROG}: one run is wanted, not 0; see --help."),
        (["a", "--people", "x.csv"], f"{PROG}: --out is wanted, and it is not given; see --help."),
        (
            ["a", "--people", "x.csv", "--out", "y.csv", "--liked", "Heat"],
            f"{PROG}: --liked is of no use beside --people; leave one of the two out.",
        ),
        (["a", "--out", "y.csv"], f"{PROG}: --out goes with --people; add it."),
        (["a", "--topn", "0"], "--topn: a whole number of at least 1 is wanted, not '0'."),
        (["a", "--likd", "Heat"], f"{PROG}: there is no flag --likd; did you mean '--liked'?"),
    ],
)
def test_a_mistake_is_told_in_one_sentence(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recommend", *words]) == 2
    assert capsys.readouterr().err == f"{sentence}\n"
