"""What is known of a feature's values besides themselves."""

from typing import Any

import numpy as np
import pytest

from trainer import catalogue
from trainer.catalogue import Catalogue
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
            f"{WANTED}, not list.",
        ),
    ],
)
def test_what_is_no_catalogue_is_refused(arguments: dict[str, Any], expected: str) -> None:
    assert sentence(Catalogue, **{"keys": [1, 2], "fields": {"film": ["Heat", "Seven"]}, **arguments}) == expected


def test_a_function_makes_a_catalogue_of_the_data_folder_or_none() -> None:
    films = Catalogue([7], {"film": ["Heat"]})
    folders: list[str] = []

    def movies(folder: str) -> Catalogue:
        folders.append(folder)
        return films

    made: catalogue.Catalogues = {"movie": movies, "user": lambda folder: None, "genre": films}
    assert catalogue.opened(made, "data") == {"movie": films, "genre": films}
    assert folders == ["data"]
    assert sentence(catalogue.opened, {"movie": lambda folder: {"film": []}}, "data") == (
        "Problem: the function of catalogues for 'movie' returns dict; return a Catalogue, or None where there is none."
    )
