"""Stars that people give to films, a row each, and a problem whose examples are people: what else does each like?"""

import csv
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from trainer import feature_column as fc
from trainer.heads import RetrievalHead
from trainer.problem import Files, Grouped, Problem

Row = dict[str, Any]

film = fc.categorical_column_with_vocabulary_list("film", fc.from_data())
PROBLEM = Problem(
    dataset=Files("stars.csv"),
    dnn_feature_columns=[fc.embedding_column(film, 2, name="film", combiner="sum")],
    bags=["film"],
    grouped=Grouped("who", least={"stars": 3}),
    head=RetrievalHead("film", recall_at=3, ndcg_at=3, topn=3),
    train_batch_size=8,
    num_epochs=2,
    name="stars",
    description="Which films people like.",
)


def rows(people: int = 50, seed: int = 0) -> list[Row]:
    """Stars that people give to films, in a random order, some films twice; each has one that she likes."""
    draw = np.random.default_rng(seed)
    found = [
        {"who": f"p{person}", "film": f"f{draw.integers(30)}", "stars": int(draw.integers(1, 6)), "age": person % 7}
        for person in range(people)
        for _ in range(draw.integers(3, 12))
    ]
    liked = [
        {"who": f"p{person}", "film": f"f{person % 30}", "stars": 5, "age": person % 7} for person in range(people)
    ]
    return random.Random(seed).sample([*found, *liked], len(found) + len(liked))


def write(path: Path, rows: Sequence[Row]) -> str:
    """Writes rows as the name of the file says, and returns its path."""
    if path.suffix == ".csv":
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    elif path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(list(rows)), path, row_group_size=40)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def groups_of(rows: Sequence[Row], least: float = 3) -> dict[str, list[str]]:
    """The different films that each person likes, in their order, by a plain dictionary."""
    found: dict[str, list[str]] = {}
    for row in rows:
        if row["stars"] >= least:
            films = found.setdefault(row["who"], [])
            if row["film"] not in films:
                films.append(row["film"])
    return found
