"""What to recommend, from the bag of the movies that a person has watched."""

import re
from collections.abc import Mapping
from typing import Any

from trainer import feature_column as fc
from trainer.catalogue import Beside, Catalogue
from trainer.heads import RetrievalHead
from trainer.problem import Grouped, Problem, Range

PLANTED_PEOPLE = {"train": 800, "test": 100}
PLANTED_TASTES, PLANTED_OF_A_TASTE, PLANTED_WATCHED = 10, 30, 20

# "Heat (1995)", "Death Note (2006-2007)": the year that a title ends in, or the first of several.
_YEAR = re.compile(r"\((\d{4})(?:[-\u2013]\d{0,4})?\)\s*$")

movie = fc.categorical_column_with_vocabulary_list("movie_id", fc.from_data())


def problem(
    *, input_share: float | None = None, min_rating: float | None = None, objective: str = "softmax"
) -> Problem:
    """Returns the problem.

    Args:
        input_share: the share of a person's movies that goes in while the model learns, and the others are to be found
            (default: drawn anew for each person and epoch, from 0.3 to 0.9).
        min_rating: the least rating of a movie that counts as watched (default: any).
        objective: softmax, or reconstruction.
    """
    return Problem(
        dataset="movielens/latest-small-ratings",
        # Rows of length 1 stand on both sides: what a movie says of another is their cosine.
        dnn_feature_columns=[fc.embedding_column(movie, 256, "sqrtn", name="movie", unit_norm=True)],
        bags=["movie_id"],
        grouped=Grouped("user_id", least={} if min_rating is None else {"user_rating": min_rating}),
        head=RetrievalHead(
            "movie", input_share=(0.3, 0.9) if input_share is None else input_share, objective=objective
        ),
        learning_rate=0.05,
        average=0.99,
        early_stopping="ndcg@100",
        patience=5,
        num_epochs=50,
        train_batch_size=64,
        from_rows=from_rows,
        planted=planted,
        catalogues={"movie_id": titles},
        search={
            "learning_rate": Range(0.01, 0.2, scale="log"),
            "train_batch_size": (64, 128, 256, 512),
            "dimension.movie": (64, 128, 256, 512),
        },
    )


def from_rows(rows: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the features of ratings, as TFDS calls them, from the columns of MovieLens's ratings.csv.

    What was watched may stand there without a rating, where none is asked for.
    """
    rated = {"user_rating": rows["rating"]} if "rating" in rows else {}
    return {"user_id": rows["userId"], "movie_id": rows["movieId"], **rated}


def titles(beside: Beside) -> Catalogue | None:
    """Returns titles, years and genres: of the data set's own rows, or of the movies.csv beside the ratings."""
    told = beside.values("movie_id", "movie_title", "movie_genres")
    if told is not None:
        found = Catalogue(told["movie_id"], {"title": told["movie_title"], "genres": told["movie_genres"]})
    elif (path := beside.find("movies.csv")) is not None:
        found = Catalogue.from_file(path, "movieId", ["title", "genres"])
    else:
        return None
    years = [match[1] if (match := _YEAR.search(title)) else "" for title in found.fields["title"]]
    genres = [text.replace("(no genres listed)", "") for text in found.fields["genres"]]
    names = [title.strip() for title in found.fields["title"]]
    return Catalogue(found.keys, {"title": names, "year": years, "genres": genres}, title="title")


def planted(split: str) -> dict[str, Any]:
    """Returns the ratings of people who watch movies of two tastes out of ten, the first of a taste most."""
    import numpy as np  # loaded with the data alone

    draws = np.random.default_rng(2001 if split == "train" else 2002)
    chances = 1 / np.arange(1, PLANTED_OF_A_TASTE + 1)
    people, watched = [], []
    for person in range(PLANTED_PEOPLE[split]):
        tastes = draws.choice(PLANTED_TASTES, 2, replace=False)
        for taste in tastes:
            of_it = draws.choice(PLANTED_OF_A_TASTE, PLANTED_WATCHED // 2, replace=False, p=chances / chances.sum())
            people += [f"{split} {person}"] * len(of_it)
            watched += [f"taste {taste} movie {place}" for place in of_it]
    return {
        "user_id": np.array(people),
        "movie_id": np.array(watched),
        "user_rating": np.full(len(people), 4.0, np.float32),
    }
