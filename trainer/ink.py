"""Images as their ink: each the bag of its dark pixels, with how dark each is; and back."""

from collections.abc import Mapping
from typing import Any

from trainer.catalogue import Catalogue
from trainer.errors import Refusal

PIXEL, DARKNESS = "pixel", "darkness"
"""The features that an image becomes."""

_WHITEST, _DARKEST = 0, 255


def bags(images: Any, size: tuple[int, int]) -> dict[str, Any]:
    """Returns the dark pixels of images, in the order of reading.

    An image without ink is an empty bag.

    Args:
        images: `(batch, height, width)`, or with one channel after that: a tensor or an array of uint8, 0 the paper
            and 255 the darkest ink.
        size: The height and the width that are wanted, in pixels.

    Returns:
        By name, ragged `(batch, None)`: `pixel`, `width · row + column`, int64, rows and columns counted from 0; and
        `darkness`, above 0 and up to 1, float32.

    Raises:
        Refusal: The images are of another size or kind.

    Example:
        >>> found = bags([[[0, 255], [51, 0]]], (2, 2))
        >>> found["pixel"].to_list(), found["darkness"].to_list()
        ([[1, 2]], [[1.0, 0.20000000298023224]])
    """
    import tensorflow as tf

    images = tf.cast(images, tf.uint8) if isinstance(images, (list, tuple)) else tf.convert_to_tensor(images)
    height, width = size
    shape = tuple(images.shape[1:])
    if shape not in ((height, width), (height, width, 1)) or images.dtype != tf.uint8:
        found = f"{' × '.join(map(str, shape)) or 'no pixels'}, {images.dtype.name}"
        raise Refusal(f"ink: images of {height} × {width} grey pixels, uint8, are wanted, and these are of {found}.")
    flat = tf.reshape(images, [-1, height * width])  # (batch, pixels)
    places = tf.where(flat > _WHITEST)  # (dark pixels, 2): the image, the pixel
    darkness = tf.cast(tf.gather_nd(flat, places), tf.float32) / _DARKEST
    rows, count = places[:, 0], tf.shape(flat, out_type=tf.int64)[0]

    def bag(values: Any) -> Any:
        return tf.RaggedTensor.from_value_rowids(values, rows, count, validate=False)

    return {PIXEL: bag(places[:, 1]), DARKNESS: bag(darkness)}


def pictures(features: Mapping[str, Any], size: tuple[int, int]) -> Any:
    """Returns the images that bags were made of, as arrays `(batch, height, width)`, uint8, dark on white as 255.

    Args:
        features: As `bags` returns them.
        size: Their height and width in pixels.

    Example:
        >>> pictures(bags([[[0, 255], [51, 0]]], (2, 2)), (2, 2)).tolist()
        [[[0, 255], [51, 0]]]
    """
    import numpy as np

    pixels, darkness = features[PIXEL], features[DARKNESS]
    height, width = size
    found = np.zeros((int(pixels.nrows()), height * width), np.uint8)
    found[pixels.value_rowids().numpy(), pixels.flat_values.numpy()] = np.rint(_DARKEST * darkness.flat_values.numpy())
    return found.reshape(-1, height, width)


def plane(size: tuple[int, int]) -> Catalogue:
    """Returns what is known of the pixels of images: the row and the column of each, counted from 0.

    Args:
        size: The images' height and width in pixels.

    Example:
        >>> plane((8, 8)).texts("place")[29]
        'row 3, column 5'
    """
    height, width = size
    places = [divmod(pixel, width) for pixel in range(height * width)]
    fields: dict[str, list[Any]] = {
        "place": [f"row {row}, column {column}" for row, column in places],
        "row": [row for row, _ in places],
        "column": [column for _, column in places],
    }
    return Catalogue(range(height * width), fields, title="place")
