"""What is known of a feature's values besides themselves."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from trainer import catalogue
from trainer.catalogue import Beside, Catalogue
from trainer.errors import Refusal


def sentence(function: Any, *arguments: Any, **named: Any) -> str:
    with pytest.raises(Refusal) as refusal:
        function(*arguments, **named)
    return str(refusal.value)


@pytest.mark.parametrize("keys", [[7, 3], ["7", "3"], np.array([7, 3]), np.array(["7", "3"], object)])
def test_a_key_is_known_by_its_text(keys: Any) -> None:
    films = Catalogue(keys, {"film": ["Toy Story", "Heat"]})
    assert films.places(["3", "07", "7", "3", ""]) == [1, -1, 0, 1, -1]


def test_fields_are_texts_and_what_is_absent_is_nothing() -> None:
    values = [1995.0, 4.25, float("nan"), None, "", "1.0", 7, b"caf\xc3\xa9", np.float32(3), "a\tb\n"]
    known = Catalogue(range(10), {"any": values, "array": np.array(values, object)})
    expected = ["1995", "4.25", "", "", "", "1.0", "7", "café", "3", "a\tb\n"]
    assert known.texts("any") == known.texts("array") == expected


def test_columns_of_data_frames_and_tensors_are_read_by_their_values() -> None:
    frame = pd.DataFrame({"name": ["Heat", None], "year": pd.array([1995, None], "Int64")}, index=[70, 30])
    films = Catalogue(frame.index, frame, "name", tf.zeros((2, 4, 3), tf.uint8))
    assert films.places(["30", "70"]) == [1, 0]
    assert (films.texts("name"), films.texts("year")) == (["Heat", ""], ["1995", ""])
    assert isinstance(films.pictures, np.ndarray)
    made = [pd.NaT, pd.Timestamp("1995-12-15")]
    words = pd.array(["a", pd.NA], "string")
    masked = np.ma.array([1.5, 2.5], mask=[True, False])
    known = Catalogue(
        tf.constant([1, 2]), {"made": made, "words": words, "tensor": tf.constant(["a", "é"]), "m": masked}
    )
    assert known.texts("made") == ["", "1995-12-15 00:00:00"]
    assert known.texts("words") == ["a", ""]
    assert known.texts("tensor") == ["a", "é"]
    assert known.texts("m") == ["", "2.5"]
    assert known.places(["2"]) == [1]


def test_keys_and_values_of_a_dictionary_are_in_its_order() -> None:
    names = {7: "Sabrina", 3: "Heat"}
    films = Catalogue(names.keys(), {"name": names.values()})
    assert (films.places(["3"]), films.texts("name")) == ([1], ["Sabrina", "Heat"])


def test_what_is_read_does_not_change_with_what_it_was_read_from() -> None:
    keys, names = [7, 3], ["Sabrina", "Heat"]
    films = Catalogue(keys, {"name": names})
    keys.append(9)
    names[0] = "Seven"
    assert (films.places(["9"]), films.texts("name")) == ([-1], ["Sabrina", "Heat"])


SEVERAL: tuple[Any, ...] = (["a", "b"], {}, np.zeros(2), np.array(7))
WANTED = "Catalogue: a picture a key is wanted, an array (2, height, width) or with 3 colours after that, uint8"
GREY, COLOURED = np.zeros((2, 4, 3), np.uint8), np.zeros((2, 4, 3, 3), np.uint8)


@pytest.mark.parametrize("pictures", [GREY, COLOURED])
def test_pictures_may_be_grey_or_have_colours(pictures: Any) -> None:
    assert Catalogue([0, 1], {}, pictures=pictures).pictures is pictures


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"keys": [1.0, 2.0]}, "Catalogue: a key is a string or a whole number, not 1.0."),
        ({"keys": [b"a", b"b"]}, "Catalogue: a key is a string or a whole number, not b'a'."),
        ({"keys": [True, False]}, "Catalogue: a key is a string or a whole number, not True."),
        ({"keys": [7, "7"]}, "Catalogue: key '7' is there more than once; give each key once."),
        (
            {"fields": {"film": ["Heat"]}},
            "Catalogue: field 'film' has 1 values for 2 keys; give one a key.",
        ),
        ({"title": "flim"}, "Catalogue: there is no field 'flim'; did you mean 'film'?"),
        ({"title": "name"}, "Catalogue: there is no field 'name'; the fields are film."),
        ({"fields": {}, "title": "name"}, "Catalogue: there is no field 'name'; the fields are none."),
        (
            {"pictures": GREY[:1]},
            f"{WANTED}, not (1, 4, 3), uint8.",
        ),
        (
            {"pictures": GREY / 2},
            f"{WANTED}, not (2, 4, 3), float64.",
        ),
        (
            {"pictures": COLOURED[..., :2]},
            f"{WANTED}, not (2, 4, 3, 2), uint8.",
        ),
        (
            {"pictures": [[0]]},
            f"{WANTED}, not (1, 1), int64.",
        ),
        ({"pictures": [GREY[0], GREY[0, :2]]}, f"{WANTED}, not list."),
        ({"pictures": {"1": GREY[0]}}, f"{WANTED}, not dict."),
        ({"title": 0}, "Catalogue: there is no field '0'; the fields are film."),
        ({"fields": {0: ["Heat", "Seven"]}}, "Catalogue: the name of a field is a string, not 0."),
        (
            {"fields": None},
            "Catalogue: fields is a dictionary of lists by name, not NoneType; give {} where there is none.",
        ),
        (
            {"fields": ["Heat", "Seven"]},
            "Catalogue: fields is a dictionary of lists by name, not list; give {} where there is none.",
        ),
        (
            {"keys": (key for key in (1, 2))},
            "Catalogue: keys are a list or an array of one dimension, not generator.",
        ),
        ({"keys": {1, 2}}, "Catalogue: keys are a list or an array of one dimension, not set."),
        (
            {"keys": np.array([[1], [2]])},
            "Catalogue: keys are a list or an array of one dimension, not an array of shape (2, 1).",
        ),
        (
            {"fields": {"film": np.zeros((2, 3))}},
            "Catalogue: field 'film' is a list or an array of one dimension, not an array of shape (2, 3).",
        ),
        *(
            (
                {"fields": {"film": values}},
                f"Catalogue: field 'film' is a list or an array of one dimension, not {type(values).__name__}.",
            )
            for values in ("ab", b"ab", {1: "a", 2: "b"}, frozenset("ab"), iter("ab"), None)
        ),
        *(
            (
                {"fields": {"film": ["Heat", value]}},
                f"Catalogue: field 'film' has a text or a number a key, not {value!r}; join what is several in one "
                "text.",
            )
            for value in SEVERAL
        ),
    ],
)
def test_what_is_no_catalogue_is_refused(arguments: dict[str, Any], expected: str) -> None:
    assert sentence(Catalogue, **{"keys": [1, 2], "fields": {"film": ["Heat", "Seven"]}, **arguments}) == expected


def test_a_function_makes_a_catalogue_of_what_lies_beside_the_data_or_none() -> None:
    films = Catalogue([7], {"film": ["Heat"]})
    places: list[Beside] = []

    def movies(beside: Beside) -> Catalogue:
        places.append(beside)
        return films

    made: catalogue.Catalogues = {"movie": movies, "user": lambda beside: None, "genre": films}
    assert catalogue.opened(made, Beside("data")) == {"movie": films, "genre": films}
    assert places == [Beside("data")]
    assert sentence(catalogue.opened, {"movie": lambda beside: {"film": []}}, Beside("data")) == (
        "Problem: the function of catalogues for 'movie' returns dict; return a Catalogue, or None where there is none."
    )


def test_a_file_is_found_beside_the_files_to_train_on_and_then_in_the_data_folder(tmp_path: Path) -> None:
    for folder in ("data", "first", "second"):
        (tmp_path / folder).mkdir()
    beside = Beside(str(tmp_path / "data"), (str(tmp_path / "first" / "a.csv"), str(tmp_path / "second" / "b.csv")))
    assert beside.find("movies.csv") is None
    for folder in ("data", "second", "first"):
        (tmp_path / folder / "movies.csv").touch()
        assert beside.find("movies.csv") == str(tmp_path / folder / "movies.csv")


def test_a_file_is_found_beside_files_of_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("movies.csv").touch()
    assert Beside("data", ("ratings.csv",)).find("movies.csv") == "movies.csv"


MOVIES = '''\ufeffmovieId,title,genres\r
1,Toy Story (1995),Animation|Comedy\r
11,"American President, The (1995)",Comedy\r
40697,"Babylon\r
""5""",\r
'''


def test_a_catalogue_is_read_from_a_file_as_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "movies.csv").write_text(MOVIES, newline="")
    films = Catalogue.from_file(str(tmp_path / "movies.csv"), "movieId", {"film": "title", "kinds": "genres"}, "film")
    assert films.places(["11", "1", "40697", "2"]) == [1, 0, 2, -1]
    assert films.fields == {
        "film": ("Toy Story (1995)", "American President, The (1995)", 'Babylon\r\n"5"'),
        "kinds": ("Animation|Comedy", "Comedy", ""),
    }
    assert films.title == "film"
    pd.DataFrame({"id": [7, 8], "year": [1995.0, None]}).to_parquet(tmp_path / "films.parquet")
    years = Catalogue.from_file(str(tmp_path / "films.parquet"), "id", ["year"])
    assert (years.keys, years.fields, years.title) == (("7", "8"), {"year": ("1995", "")}, None)


def test_a_file_of_a_header_alone_has_no_key(tmp_path: Path) -> None:
    (tmp_path / "movies.csv").write_text("movieId,title\n")
    assert Catalogue.from_file(str(tmp_path / "movies.csv"), "movieId", ["title"]).keys == ()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "{path} cannot be read (No such file or directory); give a CSV or a Parquet file."),
        ("", "{path} has no column 'movieId'; it has none."),
        ("movieid,title\n", "{path} has no column 'movieId'; did you mean 'movieid'?"),
        ("movieId,titel\n", "{path} has no column 'title'; did you mean 'titel'?"),
        ("movieId,title\n1\n", "a row of {path} has fewer values than its header; give each row all."),
        (b"movieId,title\n1,\xff\n", "{path} cannot be read ('utf-8' codec can't decode byte 0xff in position 16: "
         "invalid start byte); give a CSV or a Parquet file."),
    ],
)  # fmt: skip
def test_a_file_that_is_no_catalogue_is_refused(tmp_path: Path, content: str | bytes | None, expected: str) -> None:
    path = tmp_path / "movies.csv"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert sentence(Catalogue.from_file, str(path), "movieId", ["title"]) == f"Catalogue: {expected.format(path=path)}"


def test_of_rows_the_first_of_each_key_is_told() -> None:
    rows = {"movie": ["7", "3", "7", "3", "9"], "title": ["Heat", "Seven", "heat", "", "Big"]}
    beside = Beside("data", rows=lambda features: {name: rows[name] for name in features})
    assert beside.values("movie", "title") == {"movie": ["7", "3", "9"], "title": ["Heat", "Seven", "Big"]}
    assert Beside("data").values("movie") is None
