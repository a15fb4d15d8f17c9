"""IDX files, in which MNIST comes."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from trainer.errors import Refusal
from trainer.formats import idx

ARRAYS = st.sampled_from(["u1", "i1", "i2", "i4", "f4", "f8"]).flatmap(
    lambda dtype: arrays.arrays(dtype, arrays.array_shapes(max_dims=4, max_side=4))
)


@given(array=ARRAYS, is_packed=st.booleans())
def test_any_array_comes_back_from_a_file(
    tmp_path_factory: pytest.TempPathFactory, array: np.ndarray, is_packed: bool
) -> None:
    path = str(tmp_path_factory.getbasetemp() / f"any-idx{'.gz' if is_packed else ''}")
    idx.write(path, array)
    found = idx.read(path)
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)
    assert (Path(path).read_bytes()[:2] == b"\x1f\x8b") == is_packed


@pytest.mark.skipif("TRAINER_TEST_DATA" not in os.environ, reason="TRAINER_TEST_DATA names no folder with mnist/")
def test_the_test_images_of_mnist_are_read_and_written_as_they_are(tmp_path: Path) -> None:
    folder = Path(os.environ["TRAINER_TEST_DATA"], "mnist")
    images = idx.read(str(folder / "t10k-images-idx3-ubyte.gz"))
    labels = idx.read(str(folder / "t10k-labels-idx1-ubyte.gz"))
    assert (images.shape, str(images.dtype), labels.shape) == ((10_000, 28, 28), "uint8", (10_000,))
    assert np.bincount(labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]  # LeCun and others
    idx.write(str(tmp_path / "labels"), labels)
    assert (tmp_path / "labels").read_bytes() == gzip.decompress((folder / "t10k-labels-idx1-ubyte.gz").read_bytes())


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "does not begin as an IDX file does; give one as the MNIST database has them."),
        (b"\0\0\x08", "does not begin as an IDX file does; give one as the MNIST database has them."),
        (b"PK\x08\x01\0\0\0\0", "does not begin as an IDX file does; give one as the MNIST database has them."),
        (b"\0\0\x07\x01\0\0\0\0", "does not begin as an IDX file does; give one as the MNIST database has them."),
        (b"\0\0\x08\x03\0\0\0\1", "does not begin as an IDX file does; give one as the MNIST database has them."),
        (b"\0\0\x0b\x02\0\0\0\2\0\0\0\3\0", "should have 12 bytes of 2 × 3 numbers, not 1; fetch it again."),
        (b"\0\0\x08\x01\0\0\0\1\0\0", "should have 1 bytes of 1 numbers, not 2; fetch it again."),
        (gzip.compress(b"\0\0\x08\x01\0\0\0\1\0", mtime=0)[:-4], "is no whole gzip file; fetch it again."),
    ],
)
def test_what_is_no_whole_file_is_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "images"
    path.write_bytes(content)
    with pytest.raises(Refusal) as refusal:
        idx.read(str(path))
    assert str(refusal.value) == f"idx: {path} {sentence}"


def test_numbers_that_the_format_has_not_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refusal:
        idx.write(str(tmp_path / "images"), np.zeros(3, np.int64))
    assert str(refusal.value) == "idx: an array of int64 has no place in an IDX file; give uint8 or float32."
