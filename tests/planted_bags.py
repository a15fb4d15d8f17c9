"""A small problem of bags with a planted answer: a row is liked where the words in it weigh more than nothing."""

import dataclasses
from typing import Any

import numpy as np

from trainer import feature_column as fc
from trainer.problem import ByValue, Problem

WORTH = {"roomy": 1.5, "sunny": 1.0, "plain": 0.0, "noisy": -1.0, "damp": -1.5}
"""What each word is worth; the frequent come first."""
CHANCES = (0.3, 0.25, 0.2, 0.15, 0.1)

words = fc.categorical_column_with_vocabulary_list("words", fc.from_data(top_k=5), num_oov_buckets=1)
miles = fc.bucketized_column(fc.numeric_column("miles"), fc.quantiles(4))
text = fc.categorical_column_with_vocabulary_list("text", fc.from_data(top_k=5), tokenize=fc.Tokens())
street = fc.categorical_column_with_hash_bucket("street", 60)
HIDDEN = "hidden"
"""A word of the validation rows alone."""


def rows(split: str, count: int = 3000) -> tuple[dict[str, Any], Any]:
    """Returns features, bags as lists, and labels."""
    draw = np.random.default_rng({"train": 1, "test": 2}[split])
    bags = [list(draw.choice(list(WORTH), size, p=CHANCES)) for size in draw.integers(0, 5, count)]
    year = draw.integers(0, 10, count)
    liked = np.array([sum(WORTH[word] for word in bag) > 0 for bag in bags], np.int64)
    shown = [[*bag, *[HIDDEN] * 9] if held else bag for bag, held in zip(bags, year == 9, strict=True)]
    features = {
        "words": shown,
        "times": [[1.0] * len(bag) for bag in shown],
        "text": np.array([", ".join(bag).upper() for bag in shown], object),
        "miles": draw.exponential(10, count).astype(np.float32),
        "street": draw.choice([f"S{number}" for number in range(60)], count).astype(object),
        "year": year,
    }
    return features, liked


def dataset(split: str) -> Any:
    """The rows in batches, bags as ragged tensors."""
    import tensorflow as tf

    features, liked = rows(split)
    ragged = {
        "words": tf.ragged.constant(features.pop("words"), tf.string, ragged_rank=1),
        "times": tf.ragged.constant(features.pop("times"), tf.float32, ragged_rank=1),
    }
    return tf.data.Dataset.from_tensor_slices(({**features, **ragged}, liked)).ragged_batch(500)


PROBLEM = Problem(
    dataset=dataset,
    bags=("words",),
    dnn_feature_columns=(
        fc.embedding_column(words, combiner="sum", name="words"),
        fc.embedding_column(fc.weighted_categorical_column(words, "times"), 3, "sum", name="weighted"),
        fc.embedding_column(fc.crossed_column([words, miles]), 2, name="words_miles"),
        fc.indicator_column(words),
        fc.embedding_column(text, 2, "sum", name="text"),
    ),
    linear_feature_columns=(words, text, miles, street, fc.weighted_categorical_column(words, "times")),
    dnn_hidden_units=(8,),
    num_epochs=8,
    train_batch_size=100,
    learning_rate=0.05,
    validation=ByValue("year", (9,)),
    name="planted_bags",
    description="A planted answer in bags of words.",
)


def problem(**changes: Any) -> Problem:
    """The problem with some of its fields changed."""
    return dataclasses.replace(PROBLEM, **changes)
