"""IDX files of digits as those of MNIST: its test images, of which some are written as those to train on."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trainer.datasets.mnist_files import IMAGES, LABELS
from trainer.formats import idx


def mnist() -> tuple[Any, Any]:
    """The 10,000 test images of MNIST and their labels; skips where they are not here."""
    data = os.environ.get("TRAINER_TEST_DATA")
    if data is None:
        pytest.skip("TRAINER_TEST_DATA names no folder with mnist/t10k-images-idx3-ubyte.gz and t10k-labels-…")
    images, labels = (idx.read(str(Path(data, "mnist", f"t10k-{what}"))) for what in (IMAGES, LABELS))
    return images, labels


def write(data_dir: Path, train: int, test: int, packed: bool = True) -> None:
    """Writes the first images as those to train on, and those after them as those to test on, into `manual`."""
    images, labels = mnist()
    (data_dir / "manual").mkdir(parents=True, exist_ok=True)
    for start, rows in (("train", slice(0, train)), ("t10k", slice(train, train + test))):
        for what, array in ((IMAGES, images[rows]), (LABELS, labels[rows].astype(np.uint8))):
            name = f"{start}-{what}"
            idx.write(str(data_dir / "manual" / (name if packed else name.removesuffix(".gz"))), array)
