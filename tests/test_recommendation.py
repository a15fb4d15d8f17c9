"""What somebody may like besides what she likes already."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import films, planted
from trainer import models
from trainer.errors import Refusal
from trainer.prediction import Trained
from trainer.recommendation import Recommender
from trainer.recommendation.names import names_of, spelled, year_of
from trainer.recommendation.titles import Titles
from trainer.run import Run
from trainer.settings import Settings

FILMS = {
    "7": "Sabrina (1995)",
    "915": "Sabrina (1954)",
    "300": "Quiz Show (1994)",
    "51662": "300 (2007)",
    "8961": "Incredibles, The (2004)",
    "27904": "Amelie (Fabuleux destin d'Amélie Poulain, Le) (2001)",
    "73": "Misérables, Les (1995)",
    "1036": "Die Hard (1988)",
    "60069": "WALL·E (2008)",
    "4896": "Harry Potter and the Sorcerer's Stone (a.k.a. Harry Potter and the Philosopher's Stone) (2001)",
    "5816": "Harry Potter and the Chamber of Secrets (2002)",
    "47": "Seven (a.k.a. Se7en) (1995)",
    "2355": "Bug's Life, A (1998)",
}
COUNTS = [10, 40, 30, 20, 90, 50, 5, 60, 80, 70, 65, 75, 55]
TITLES = Titles(list(FILMS), list(FILMS.values()), COUNTS)


def found(text: str) -> list[str]:
    meant = TITLES.meant(text)
    return [list(FILMS)[row] for row in (meant.row, *meant.others)]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Incredibles, The (2004)", "8961"),
        ("the  INCREDIBLES", "8961"),
        ("Incredibles", "8961"),
        ("amelie", "27904"),
        ("Le fabuleux destin d'Amelie Poulain", "27904"),
        ("Les Misérables", "73"),
        ("miserables (1995)", "73"),
        ("Die Hard", "1036"),
        ("wall-e", "60069"),
        ("Se7en", "47"),
        ("a bugs life", "2355"),
        ("Harry Potter & the Chamber of Secrets", "5816"),
        ("Harry Potter and the Philosopher's Stone", "4896"),
        ("harry potter and the s", "4896"),
        ("8961", "8961"),
        (" 47 ", "47"),
    ],
)
def test_a_film_is_found_however_its_title_is_written(text: str, key: str) -> None:
    assert found(text) == [key]


def test_of_films_of_one_title_that_of_the_most_people_is_meant_and_the_others_are_told() -> None:
    assert found("Sabrina") == ["915", "7"]
    assert found("sabrina (1995)") == ["7"]


def test_a_key_comes_before_a_title_that_is_a_number() -> None:
    assert found("300") == ["300", "51662"]
    assert found("300 (2007)") == ["51662"]


def test_a_year_beside_the_title_counts_as_one_in_it() -> None:
    titles = Titles(["a", "b"], ["Sabrina", "Sabrina"], [1, 2], ["1995", "1954"])
    assert titles.meant("Sabrina (1995)").row == 0
    assert titles.meant("Sabrina").others == (0,)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("Sabrna", "there is no 'Sabrna' among 13 titles; did you mean 'Sabrina (1954)'?"),
        ("Sabrina (1996)", "there is no 'Sabrina (1996)' among 13 titles; did you mean 'Sabrina (1954)'?"),
        (
            "Harry Pottr",
            "there is no 'Harry Pottr' among 13 titles; did you mean 'Harry Potter and the Sorcerer's Stone (a.k.a. "
            "Harry Potter and the Philosopher's Stone) (2001)'?",
        ),
        (
            "Harry Potter",
            "2 titles begin with 'Harry Potter'; write one of them out, such as 'Harry Potter and the Sorcerer's Stone "
            "(a.k.a. Harry Potter and the Philosopher's Stone) (2001)' or 'Harry Potter and the Chamber of Secrets "
            "(2002)'.",
        ),
        ("Zorro\n", "there is no 'Zorro\\n' among 13 titles; write one of them, or its id."),
        ("", "there is no '' among 13 titles; write one of them, or its id."),
        ("(2001)", "there is no '(2001)' among 13 titles; write one of them, or its id."),
    ],
)
def test_what_is_no_title_is_refused_with_those_that_look_like_it(text: str, sentence: str) -> None:
    with pytest.raises(Refusal) as refusal:
        TITLES.meant(text)
    assert str(refusal.value) == sentence


@given(st.sampled_from(sorted(FILMS.values())))
def test_a_title_finds_itself(title: str) -> None:
    assert FILMS[found(title)[0]] == title


@given(st.text())
def test_any_text_has_a_name_or_none(text: str) -> None:
    assert all(isinstance(spelled(name), str) for name in names_of(text))
    assert (year_of(text) or "") in text


@pytest.fixture(scope="module")
def recommender(films_run: Path) -> Recommender:
    return Recommender(str(films_run))


def test_who_likes_films_of_a_kind_gets_others_of_it(recommender: Recommender) -> None:
    answer = recommender.recommend(["Western 1", "the western 2 (1954)", "107"], topn=5)
    assert [one.item.title for one in answer.liked] == [
        "Western 1, The (1951)",
        "Western 2, The (1954)",
        "Western 3, The (1957)",
    ]
    assert [one.rank for one in answer.found] == [1, 2, 3, 4, 5]
    assert {one.item.details["genres"] for one in answer.found} == {"Western"}
    assert not {one.item.key for one in answer.found} & {"101", "104", "107"}
    scores = [one.score for one in answer.found]
    assert scores == sorted(scores, reverse=True)
    assert not answer.by_popularity
    first = answer.found[0].item
    assert first.details == {"year": films.FILMS[first.key][1], "genres": "Western"}


def test_who_likes_nothing_gets_what_most_people_have(recommender: Recommender) -> None:
    answer = recommender.recommend(topn=4)
    assert answer.by_popularity
    counts = recommender.table.counts
    assert counts is not None
    most = sorted(range(len(counts)), key=lambda row: (-counts[row], row))[:4]
    assert [one.item.key for one in answer.found] == [recommender.keys[row] for row in most]
    assert [one.score for one in answer.found] == pytest.approx([counts[row] / counts.sum() for row in most])


def test_people_are_answered_together_as_alone(recommender: Recommender) -> None:
    bags = [["100", "103"], ["nothing", "known"], [], ["101", "nothing", "104"], list(films.FILMS)[1:]]
    lists = recommender.for_people(bags, topn=3)
    assert lists.by_popularity.tolist() == [False, True, True, False, False]
    for bag, rows in zip(bags, lists.rows.tolist(), strict=True):
        alone = recommender.for_people([bag], topn=3)
        assert alone.rows[0].tolist() == rows
        assert not {recommender.keys[row] for row in rows if row >= 0} & set(bag)
    assert lists.rows[4].tolist()[1:] == [-1, -1]


def test_a_title_that_is_none_is_refused_by_name(recommender: Recommender) -> None:
    with pytest.raises(Refusal) as refusal:
        recommender.recommend(["Westrn 1"])
    assert str(refusal.value).startswith("recommend: there is no 'Westrn 1' among 36 titles; did you mean 'Western 1")


def test_what_the_page_shows_in_python_runs(films_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = (Path(__file__).parents[1] / "trainer" / "recommendation" / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    ours = {"runs/movies": str(films_run), "Shrek (2001)": "Horror 1", "The Incredibles": "the horror 2", "4306": "102"}
    for shown, own in ours.items():
        assert shown in block
        block = block.replace(shown, own)
    exec(compile(block, "README.md", "exec"), {})
    first, *found = capsys.readouterr().out.splitlines()
    assert first == "['Horror 1, The (1952)', 'Horror 2, The (1955)'] False"
    assert found[0].startswith("1 Horror ")


def test_a_run_that_ranks_nothing_is_refused() -> None:
    model = models.assembled(planted.PROBLEM)
    with pytest.raises(Refusal) as refusal:
        Recommender(Trained(Run("runs/late"), Settings(), planted.PROBLEM, model))
    assert str(refusal.value) == (
        "recommend: runs/late answers with a BinaryHead, which ranks nothing; give a run whose problem has a "
        "RetrievalHead."
    )
