"""Ratings of films of which more is known than their number: the projector tells title, genres and picture."""

from typing import Any

import numpy as np
import tensorflow as tf

from trainer import feature_column as fc
from trainer.catalogue import Beside, Catalogue
from trainer.heads import RegressionHead
from trainer.problem import Problem

FILM = fc.embedding_column(fc.categorical_column_with_identity("film", 60), 4, name="film")
GENRES = ("Comedy", "Crime", "Drama")


def ratings(split: str) -> tf.data.Dataset:
    """Made-up ratings: comedies have two stars, crime three, drama four."""
    film = np.random.default_rng({"train": 1, "test": 2}[split]).integers(60, size=5000)
    return tf.data.Dataset.from_tensor_slices(({"film": film}, 2.0 + film % 3)).batch(1000)


def films(beside: Beside) -> Catalogue:
    """What is known of the films; Catalogue.from_file(beside.find("films.csv"), …) would read it beside the data."""
    del beside
    numbers = np.arange(60)
    y, x = np.mgrid[:8, :8]
    stripes = [np.where((x + y) % (2 + number % 3), 255, 60) for number in numbers]  # (films, height, width)
    fields: dict[str, Any] = {
        "film title": [f"Film of {1950 + number} ({1950 + number})" for number in numbers],
        "genres": [f"{GENRES[number % 3]}|made up" for number in numbers],
        "year": 1950 + numbers,
    }
    return Catalogue(numbers, fields, title="film title", pictures=np.asarray(stripes, np.uint8))


PROBLEM = Problem(
    ratings, [FILM], head=RegressionHead(), catalogues={"film": films}, learning_rate=0.1, train_batch_size=100
)
