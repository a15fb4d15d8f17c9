"""What a room or a home costs, from the words that describe it and where it is."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from trainer import feature_column as fc
from trainer.heads import RegressionHead
from trainer.problem import Problem, Range

PLANTED_HOMES, PLANTED_WORDS, PLANTED_PLACES = {"train": 4000, "test": 1000}, (2, 6), 5
_WORD = "[a-z]+|[0-9]+"
"""A word, or a number; so '2br' is both, as '2 BR' is."""

_WORTH = """
penthouse 0.8, luxury 0.6, duplex 0.5, elegant 0.4, spacious 0.4, large 0.3, modern 0.2, garden 0.1, quiet 0, sunny 0,
near 0, simple -0.2, cozy -0.2, small -0.3, room -0.4, tiny -0.5, shared -0.6, bunk -0.8
"""
WORTH = {word: float(worth) for word, worth in map(str.split, _WORTH.split(","))}
"""What each word of a planted home adds to the logarithm of its price."""


def problem(
    *,
    text: str = "name",
    label: str = "price",
    categories: str = "neighbourhood_group,neighbourhood,room_type",
    words_only: bool = False,
) -> Problem:
    """Returns the problem.

    Args:
        text: the column of the files that describes a home.
        label: the column with its price; rows without one above 0 are set aside.
        categories: the columns that say where and what it is, with commas between.
        words_only: learn from the text alone.
    """
    words = fc.categorical_column_with_vocabulary_list(
        text, fc.from_data(frequency_threshold=5), tokenize=fc.Tokens(_WORD, ngrams=2)
    )
    keys = [key.strip() for key in categories.split(",") if key.strip()]
    places = [fc.categorical_column_with_vocabulary_list(key, fc.from_data(), num_oov_buckets=1) for key in keys]
    embedded = partial(fc.embedding_column, initializer="uniform")
    return Problem(
        dataset=None,
        dnn_feature_columns=[
            embedded(words, 3, "sqrtn", name="word"),
            *([] if words_only else map(embedded, places)),
        ],
        dnn_hidden_units=(64,),
        label=label,
        head=RegressionHead(log=True, huber=1.5),
        # Words are rare: an optimizer that moves each row by what it has seen of it learns them by heart less.
        table_optimizers={"word": ("Adagrad", 2.0)},
        learning_rate=0.01,
        average=0.99,
        early_stopping="r2",
        num_epochs=30,
        train_batch_size=512,
        max_bad_rows="1%",
        planted=partial(planted, text=text, label=label, categories=keys),
        search={
            "learning_rate": Range(3e-3, 3e-2, scale="log"),
            "train_batch_size": (128, 256, 512, 1024),
            "dimension.word": (2, 3, 4, 8, 16),
            "hidden_units": ("16", "32", "64", "64,32"),
        },
    )


def planted(split: str, text: str, label: str, categories: Sequence[str]) -> dict[str, Any]:
    """Returns homes whose price is the product of what its words and its places are worth, and of noise."""
    import numpy as np  # loaded with the data alone

    draws, count = np.random.default_rng(2001 if split == "train" else 2002), PLANTED_HOMES[split]
    words = [draws.choice([*WORTH], draws.integers(*PLANTED_WORDS), replace=False) for _ in range(count)]
    logs = 4.5 + np.array([sum(WORTH[word] for word in each) for each in words]) + draws.normal(0, 0.2, count)
    found: dict[str, Any] = {text: np.array([" ".join(each).capitalize() for each in words])}
    for key in categories:
        place = draws.integers(PLANTED_PLACES, size=count)
        logs += 0.1 * place
        found[key] = np.array([f"{key} {each}" for each in place])
    return {**found, label: np.exp(logs).round().astype(np.float32)}
