"""What to recommend, from the bag of the movies that a person watched."""

from collections.abc import Mapping
from typing import Any

from trainer import feature_column as fc
from trainer.catalogue import Beside, Catalogue
from trainer.heads import RetrievalHead
from trainer.problem import Grouped, Problem, Range, Share

PLANTED_PEOPLE, PLANTED_MOVIES, PLANTED_TASTES, PLANTED_BAG = 600, 200, 10, 15


def problem(
    *, input_share: float | None = None, min_rating: float | None = None, objective: str = "softmax"
) -> Problem:
    """Returns the problem.

    Args:
        input_share: the share of a person's movies that goes in while the model learns; the others are to be found
            (default: drawn anew each time between 0.3 and 0.9).
        min_rating: the least rating that counts as watched (default: any).
        objective: softmax, or reconstruction.
    """
    movie = fc.categorical_column_with_vocabulary_list("movie_id", fc.from_data())
    return Problem(
        dataset="movielens/latest-small-ratings",
        dnn_feature_columns=(
            fc.embedding_column(movie, 128, combiner="sqrtn", name="movie", unit_norm=True),
        ),
        bags=("movie_id",),
        grouped=Grouped("user_id", least={} if min_rating is None else {"user_rating": min_rating}),
        head=RetrievalHead("movie", input_share=input_share or (0.3, 0.9), objective=objective),
        learning_rate=0.05,
        average=0.98,
        num_epochs=30,
        train_batch_size=64,
        from_rows=from_rows,
        planted=planted,
        catalogues={"movie_id": titles},
    )


def from_rows(rows: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the features of ratings, from the columns of a `ratings.csv` of MovieLens."""
    return {"user_id": rows["userId"], "movie_id": rows["movieId"], "user_rating": rows["rating"]}


def titles(beside: Beside) -> Catalogue | None:
    return None


def planted(split: str) -> dict[str, Any]:
    """Returns people who watched movies of two tastes out of ten."""
    import numpy as np
    return {}
