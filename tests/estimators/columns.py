"""Random columns of every kind, in words that `tf.feature_column` and `trainer.feature_column` have in common."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.estimators import rows

PLANES_FILE = "planes.txt"
COMBINERS = ["sum", "mean", "sqrtn"]


@dataclass(frozen=True)
class Columns:
    """What an Estimator is given as `linear_feature_columns` and `dnn_feature_columns`."""

    linear: list[Any]
    dnn: list[Any]


def draw(fc: Any, seed: int, folder: Path, shared: str | None = None, trainable: bool = True) -> Columns:
    """Draws columns on the raw features of `rows`.

    Args:
        fc: The module that declares them: `tf.feature_column` (inside of a graph, where columns share a table) or
            `trainer.feature_column`.
        seed: Of the draw; the same one gives the same columns by either module.
        folder: Where the vocabulary's file is, which `write_vocabulary` wrote.
        shared: The name of a table that two columns of the deep part share, or None: there are none.
        trainable: Whether that table is trained.
    """
    random = np.random.default_rng(seed)
    ids = _categorical(fc, random, folder)
    numbers = _numbers(fc, random)
    return Columns(
        linear=[*ids.values(), *numbers, fc.indicator_column(ids["hour"])],
        dnn=[*_embedded(fc, random, ids), *numbers, *(_shared(fc, random, shared, trainable) if shared else [])],
    )


def write_vocabulary(folder: Path) -> None:
    """Writes the file of the column that has its vocabulary in one."""
    (folder / PLANES_FILE).write_text("".join(f"{plane}\n" for plane in rows.PLANES), encoding="utf-8")


def scaled(distance: Any) -> Any:
    """Normalizes a number."""
    return (distance - 1000.0) / 500.0


def _categorical(fc: Any, random: np.random.Generator, folder: Path) -> dict[str, Any]:
    buckets = random.integers(1, 4, 2).tolist()
    city = fc.categorical_column_with_vocabulary_list("city", _part(random, rows.CITIES), num_oov_buckets=buckets[0])
    hour = fc.categorical_column_with_identity("hour", int(random.integers(20, 24)), default_value=0)
    words = fc.categorical_column_with_vocabulary_list("words", _part(random, rows.WORDS))
    known, size = _part(random, rows.CARRIERS), int(random.integers(15, len(rows.PLANES)))
    found = {
        "city": city,
        "hour": hour,
        "carrier": fc.categorical_column_with_vocabulary_list("carrier", known, default_value=len(known) - 1),
        "plane": fc.categorical_column_with_vocabulary_file(
            "plane", str(folder / PLANES_FILE), size, num_oov_buckets=buckets[1]
        ),
        "stars": fc.categorical_column_with_vocabulary_list("stars", [5, 4, 3, 1]),
        "tail": fc.categorical_column_with_hash_bucket("tail", int(random.integers(20, 60))),
        # Raw keys come last: TensorFlow hashes those that are sparse in their place, those that are dense at the end.
        "cross": fc.crossed_column([city, hour, "day"], int(random.integers(30, 90)), hash_key=_hash_key(random)),
        "genres": fc.categorical_column_with_hash_bucket("genres", int(random.integers(5, 12))),
        "words": fc.weighted_categorical_column(words, "word_weight"),
    }
    edges = sorted(random.choice(np.arange(200, 2400, 100), 4, replace=False).tolist())
    return found | {"ranges": fc.bucketized_column(fc.numeric_column("distance"), edges)}


def _numbers(fc: Any, random: np.random.Generator) -> list[Any]:
    normalizer = scaled if random.random() < 0.5 else _thousands
    return [fc.numeric_column("distance", normalizer_fn=normalizer), fc.numeric_column("wind", shape=(3,))]


def _embedded(fc: Any, random: np.random.Generator, ids: dict[str, Any]) -> list[Any]:
    """Dense columns: an indicator of the hour and of one column besides, ranges, and embeddings of all others."""
    shown = ["hour", str(random.choice(["stars", "genres", "carrier"]))]
    bounded = str(random.choice(["city", "tail", "cross"]))
    found = [fc.indicator_column(ids[key]) for key in shown]
    for number, (key, column) in enumerate(ids.items()):
        if key not in (*shown, "ranges"):
            norm = {"max_norm": float(random.integers(2, 9)) / 10} if key == bounded else {}
            found.append(fc.embedding_column(column, int(random.integers(2, 5)), COMBINERS[number % 3], **norm))
    return [*found, ids["ranges"]]


def _shared(fc: Any, random: np.random.Generator, name: str, trainable: bool) -> list[Any]:
    known = _part(random, rows.AIRPORTS)
    ids = [fc.categorical_column_with_vocabulary_list(key, known, num_oov_buckets=1) for key in ("origin", "dest")]
    more = {"combiner": "mean", "shared_embedding_collection_name": name, "trainable": trainable}
    return list(fc.shared_embeddings(ids, int(random.integers(2, 5)), **more))


def _part(random: np.random.Generator, values: list[str]) -> list[str]:
    """A part of the values in an order of its own: the others are out of the vocabulary."""
    return random.permutation(values)[: len(values) - int(random.integers(2, 4))].tolist()


def _hash_key(random: np.random.Generator) -> int | None:
    return int(random.integers(1, 1000)) if random.random() < 0.5 else None


def _thousands(distance: Any) -> Any:
    return distance / 1000.0
