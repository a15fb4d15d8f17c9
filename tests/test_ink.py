"""Images as bags of their dark pixels, and back."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from trainer import ink
from trainer.errors import Refusal

SIZES = st.tuples(st.integers(1, 6), st.integers(1, 6))
IMAGES = SIZES.flatmap(
    lambda size: arrays.arrays(
        np.uint8, st.integers(0, 4).map(lambda count: (count, *size)), elements=st.integers(0, 255)
    )
)


@given(IMAGES)
def test_any_images_come_back_from_their_ink(images: Any) -> None:
    size = images.shape[1:]
    found = ink.bags(images, size)
    assert ink.pictures(found, size).tolist() == images.tolist()
    assert [len(bag) for bag in found["pixel"].to_list()] == [int((image > 0).sum()) for image in images]


def test_ink_is_read_line_by_line_and_counted_from_nothing_to_all() -> None:
    image = np.zeros((1, 8, 8), np.uint8)
    image[0, 3, 5], image[0, 3, 6], image[0, 7, 0] = 255, 51, 102
    found = ink.bags(image, (8, 8))
    assert found["pixel"].to_list() == [[29, 30, 56]]
    np.testing.assert_allclose(found["darkness"].to_list(), [[1.0, 0.2, 0.4]])
    assert (found["pixel"].dtype, found["darkness"].dtype) == (tf.int64, tf.float32)


def test_images_with_a_channel_are_read_in_a_graph_of_unknown_batches() -> None:
    batches = tf.data.Dataset.from_tensor_slices(np.full((5, 2, 3, 1), 255, np.uint8)).batch(2)
    made = batches.map(lambda images: ink.bags(images, (2, 3)))
    assert [batch["pixel"].nrows().numpy() for batch in made] == [2, 2, 1]
    assert next(iter(made))["pixel"].to_list() == [[0, 1, 2, 3, 4, 5]] * 2


@pytest.mark.parametrize(
    ("images", "found"),
    [
        (np.zeros((2, 28, 28), np.uint8), "28 × 28, uint8"),
        (np.zeros((2, 8, 8, 3), np.uint8), "8 × 8 × 3, uint8"),
        (np.zeros((2, 8, 8), np.float32), "8 × 8, float32"),
        (np.zeros(2, np.uint8), "no pixels, uint8"),
    ],
)
def test_images_of_another_size_or_kind_are_refused(images: Any, found: str) -> None:
    with pytest.raises(Refusal) as refusal:
        ink.bags(images, (8, 8))
    assert str(refusal.value) == f"ink: images of 8 × 8 grey pixels, uint8, are wanted, and these are of {found}."


def test_a_pixel_is_known_by_its_row_and_its_column() -> None:
    known = ink.plane((2, 3))
    assert known.keys == ("0", "1", "2", "3", "4", "5")
    assert known.title == "place"
    assert known.texts("place")[3:] == ["row 1, column 0", "row 1, column 1", "row 1, column 2"]
    assert known.texts("row") == ["0", "0", "0", "1", "1", "1"]
    assert known.texts("column") == ["0", "1", "2"] * 2
