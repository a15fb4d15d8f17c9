"""MNIST's handwritten digits from its four IDX files, which are put into the folder `manual` by hand."""

import os
from collections.abc import Iterator
from typing import Any

import tensorflow_datasets as tfds

from trainer import paths
from trainer.datasets._images import examples_of, features_of
from trainer.errors import Refusal
from trainer.formats import idx

SIDE = 28
"""Pixels on a side."""

SPLITS = {"train": "train", "test": "t10k"}
"""What the names of the files of a split begin with."""

IMAGES, LABELS = "images-idx3-ubyte.gz", "labels-idx1-ubyte.gz"
"""What comes after that."""

DESCRIPTION = """
70,000 handwritten digits of 28 × 28 pixels, 10,000 of them to test on, as the MNIST database has them.
"""
INSTRUCTIONS = (
    "fetch train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz and "
    "t10k-labels-idx1-ubyte.gz of the MNIST database, as from storage.googleapis.com/cvdf-datasets/mnist, or give "
    "--dataset mnist, which is fetched by itself"
)
CITATION = (
    "LeCun, Yann and Cortes, Corinna and Burges, Christopher: The MNIST database of handwritten digits, 1998, "
    "http://yann.lecun.com/exdb/mnist"
)


class MnistFiles(tfds.core.GeneratorBasedBuilder):
    """Handwritten digits from IDX files, as they are or compressed; there may be fewer of them than in MNIST."""

    VERSION = tfds.core.Version("1.0.0")
    NEEDS_DOWNLOAD = False
    MANUAL_DOWNLOAD_INSTRUCTIONS = INSTRUCTIONS

    @property
    def manual_files(self) -> list[str]:
        """The names of the files that have to be in the folder `manual`, as they are or without `.gz`."""
        return [f"{start}-{what}" for start in SPLITS.values() for what in (IMAGES, LABELS)]

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description=DESCRIPTION,
            features=features_of(SIDE, SIDE),
            supervised_keys=None,
            disable_shuffling=True,
            homepage="http://yann.lecun.com/exdb/mnist",
            citation=CITATION,
            license="CC BY-SA 3.0",
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Iterator[tuple[int, dict[str, Any]]]]:
        folder = os.fspath(dl_manager.manual_dir)
        return {split: self._generate_examples(*read_split(folder, start)) for split, start in SPLITS.items()}

    def _generate_examples(self, images: Any, labels: Any) -> Iterator[tuple[int, dict[str, Any]]]:
        return examples_of(images, labels)


def read_split(folder: str, start: str) -> tuple[Any, Any]:
    """Returns the images `(images, 28, 28)` and the labels `(images,)` of a split, both of uint8.

    Args:
        folder: That of the files.
        start: What their names begin with.

    Raises:
        Refusal: A file is no whole IDX file, or holds something else.
    """
    (images_path, images), (labels_path, labels) = (
        _read(paths.join(folder, f"{start}-{what}")) for what in (IMAGES, LABELS)
    )
    if images.shape[1:] != (SIDE, SIDE) or images.dtype != "uint8":
        sizes = " × ".join(f"{side:,}" for side in images.shape)
        raise Refusal(
            f"mnist_files: {images_path} should hold images of {SIDE} × {SIDE} bytes, not {sizes} {images.dtype}."
        )
    if labels.shape != images.shape[:1] or labels.dtype != "uint8" or labels.max(initial=0) > 9:
        raise Refusal(
            f"mnist_files: {labels_path} should hold {len(images):,} digits from 0 to 9, one for each image; fetch "
            "both from one place."
        )
    return images, labels


def _read(path: str) -> tuple[str, Any]:
    path = path if paths.exists(path) else path.removesuffix(".gz")
    return path, idx.read(path)
