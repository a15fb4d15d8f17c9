"""The small handwritten digits that come with scikit-learn, a fifth of them to test on."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from trainer.datasets._images import examples_of, features_of

TEST_SHARE, SPLIT_SEED = 0.2, 0
SIDE, INK = 8, 16
"""Pixels on a side, and the number that stands for the darkest ink."""

DESCRIPTION = """
1,797 handwritten digits of 8 × 8 pixels, by 13 people: the test part of UCI 80, as scikit-learn brings it. A fifth of
them, drawn once, is test.
"""
CITATION = (
    "Alpaydin, E. and Kaynak, C.: Optical Recognition of Handwritten Digits. UCI Machine Learning Repository, 1998; "
    "UCI 80"
)


class SklearnDigits(tfds.core.GeneratorBasedBuilder):
    """Handwritten digits from the file that the package scikit-learn has."""

    VERSION = tfds.core.Version("1.0.0")
    NEEDS_DOWNLOAD = False

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description=DESCRIPTION,
            features=features_of(SIDE, SIDE),
            supervised_keys=None,
            disable_shuffling=True,
            homepage="https://archive.ics.uci.edu/dataset/80",
            citation=CITATION,
            license="CC BY 4.0",
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Iterator[tuple[int, dict[str, Any]]]]:
        del dl_manager
        from sklearn.datasets import load_digits
        from sklearn.model_selection import train_test_split

        images, labels = load_digits(return_X_y=True)
        train, test = train_test_split(
            np.arange(len(labels)), test_size=TEST_SHARE, random_state=SPLIT_SEED, stratify=labels
        )
        places = {"train": np.sort(train), "test": np.sort(test)}
        return {name: self._generate_examples(grey(images[rows]), labels[rows]) for name, rows in places.items()}

    def _generate_examples(self, images: Any, labels: Any) -> Iterator[tuple[int, dict[str, Any]]]:
        return examples_of(images, labels)


def grey(images: Any) -> Any:
    """Returns images `(images, 64)` of numbers up to 16 as `(images, 8, 8)` of numbers up to 255, uint8."""
    return np.rint(images.reshape(-1, SIDE, SIDE) * 255 / INK).astype(np.uint8)
