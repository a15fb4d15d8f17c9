"""Which digit was written by hand, from the ink of its image: the bag of its dark pixels."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from trainer import feature_column as fc
from trainer import ink
from trainer.errors import Refusal
from trainer.heads import MultiClassHead
from trainer.problem import Problem, Range

SIDE = 8
"""Pixels on a side of the images that come with scikit-learn; those of MNIST have 28."""


def problem(*, side: int = SIDE) -> Problem:
    """Returns the problem.

    Args:
        side: pixels on a side of the images; 28 for --dataset mnist, or mnist_files.
    """
    size, is_small = (side, side), side <= SIDE
    pixel = fc.categorical_column_with_identity(ink.PIXEL, side * side)
    weighted = fc.weighted_categorical_column(pixel, ink.DARKNESS)
    return Problem(
        dataset="sklearn_digits",
        dnn_feature_columns=[fc.embedding_column(weighted, 128, "sqrtn", name="pixel")],
        dnn_hidden_units=(512, 128),
        dnn_dropout=0.4,
        batch_norm=True,
        label="label",
        head=MultiClassHead(10),
        learning_rate=0.003,
        learning_rate_decay="linear",
        # Of the small images there are few, and a pass over them is short.
        num_epochs=60 if is_small else 15,
        train_batch_size=64 if is_small else 128,
        from_batch=partial(from_batch, size=size),
        catalogues={ink.PIXEL: ink.plane(size)},
        projector_examples=1000,
        pictures=partial(ink.pictures, size=size),
        search={
            "learning_rate": Range(1e-3, 9e-3, scale="log"),
            "train_batch_size": (32, 64, 128),
            "hidden_units": ("256,128", "512,128", "512,256"),
            "dimension.pixel": (4, 8, 16, 32, 64, 128),
        },
    )


def from_batch(batch: Mapping[str, Any], size: tuple[int, int]) -> dict[str, Any]:
    """Returns the features of images: the dark pixels of each, and its label.

    Args:
        batch: Images `(batch, height, width)` or with a channel, and labels.
        size: The height and the width that the problem reads.

    Raises:
        Refusal: The images have others.
    """
    label, images = batch["label"], batch["image"]
    found = tuple(images.shape[1:3])
    if found != size:
        raise Refusal(
            f"digits: the images have {' × '.join(map(str, found))} pixels, and the problem reads {size[0]} × "
            f"{size[1]}; give --side {found[0]}, or another data set."
        )
    return {"label": label, **ink.bags(images, size)}
