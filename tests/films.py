"""A small problem with a planted answer: people like films of one kind, and of each kind some more than others."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from trainer import feature_column as fc
from trainer.catalogue import Catalogue
from trainer.heads import RetrievalHead
from trainer.problem import Files, Grouped, Problem, Share

KINDS = ("Comedy", "Western", "Horror")
OF_A_KIND = 12
FILMS = {
    str(100 + number): (f"{kind} {number // len(KINDS) + 1}, The ({1950 + number})", str(1950 + number), kind)
    for number, kind in enumerate(KINDS * OF_A_KIND)
}
"""By id, the title, the year and the kind; those of a kind are each less watched than the one before."""

titles, years, genres = zip(*FILMS.values(), strict=True)
CATALOGUE = Catalogue(list(FILMS), {"title": titles, "year": years, "genres": genres}, title="title")

movie = fc.categorical_column_with_vocabulary_list("movie_id", fc.from_data())
PROBLEM = Problem(
    dataset=Files("ratings.csv"),
    grouped=Grouped("user_id", least={"user_rating": 4.0}),
    bags=("movie_id",),
    dnn_feature_columns=[fc.embedding_column(movie, 8, name="movie")],
    head=RetrievalHead("movie", input_share=(0.2, 0.8), recall_at=5, ndcg_at=10),
    validation=Share(0.2),
    catalogues={"movie_id": CATALOGUE},
    learning_rate=0.05,
    num_epochs=8,
    train_batch_size=64,
    name="films",
    description="Which films somebody likes.",
)

TEXT = '''"""Which films somebody likes."""
from tests import films

PROBLEM = films.PROBLEM
'''
"""A problem's file."""


def ratings(people: int = 400, seed: int = 0) -> list[tuple[str, str, float]]:
    """Who rated what, in no order: six films of one kind with 4 or 5, two others with 1."""
    draw = np.random.default_rng(seed)
    ids = np.array(list(FILMS)).reshape(OF_A_KIND, len(KINDS)).T  # (kinds, films)
    chances = 1 / np.arange(1, OF_A_KIND + 1)
    rows: list[tuple[str, str, float]] = []
    for person in range(people):
        kind = person % len(KINDS)
        for film in draw.choice(ids[kind], 6, replace=False, p=chances / chances.sum()):
            rows.append((f"p{person}", str(film), float(draw.integers(4, 6))))
        for film in draw.choice(ids[kind - 1], 2, replace=False):
            rows.append((f"p{person}", str(film), 1.0))
    return [rows[place] for place in draw.permutation(len(rows))]


def write(path: Path, rows: list[tuple[Any, ...]] | None = None, header: str = "user_id,movie_id,user_rating") -> str:
    """Writes ratings as CSV and returns the path."""
    lines = (",".join(map(str, row)) for row in (ratings() if rows is None else rows))
    path.write_text("\n".join([header, *lines]) + "\n")
    return str(path)


def from_rows(rows: Mapping[str, Any]) -> dict[str, Any]:
    """The features of columns of other names; ratings may be left out."""
    rated = {"user_rating": rows["Rating"]} if "Rating" in rows else {}
    return {"user_id": rows["Who"], "movie_id": rows["What"], **rated}


def kind_of(key: str) -> str:
    """The kind of a film."""
    return FILMS[key][2]
