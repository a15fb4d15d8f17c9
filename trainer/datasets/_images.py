"""What the data sets of images here have in common."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow_datasets as tfds


def features_of(height: int, width: int) -> tfds.features.FeaturesDict:
    """Returns the features of grey images of digits."""
    image = tfds.features.Tensor(shape=(height, width), dtype=np.uint8, doc="0 is the paper, 255 the darkest ink")
    label = tfds.features.Scalar(np.int64, doc="the digit, 0 to 9")
    return tfds.features.FeaturesDict({"image": image, "label": label})


def examples_of(images: Any, labels: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yields the examples of images `(images, height, width)` and labels `(images,)`, numbered from 0."""
    for number, (image, label) in enumerate(zip(images, labels.tolist(), strict=True)):
        yield number, {"image": image, "label": label}
