"""Pictures of one size as one PNG image, a sprite: in rows, as many in a row as are nearest to a square.

A browser takes textures of 8,192 pixels a side, so the projector's page shows no larger sprite.
"""

import math
from pathlib import Path
from typing import Any

import numpy as np

from trainer import paths
from trainer.errors import Refusal

MOST_PIXELS = 8192
"""The most pixels that a sprite may be wide, or high."""

_BLOCK = 1 << 25
"""Values of pictures that are shrunk at a time, because that takes numbers four times as large; 128 MiB of them."""

_Array = np.ndarray[Any, np.dtype[Any]]


def grid(pictures: int) -> tuple[int, int]:
    """Returns in how many rows a sprite has its pictures, and how many are in a row; the last row may have fewer.

    Example:
        >>> grid(7)
        (3, 3)
    """
    across = math.isqrt(max(pictures, 1) - 1) + 1
    return max(1, -(-pictures // across)), across


def fitted(pictures: _Array, cells: int | None = None) -> _Array:
    """Returns pictures as small as a sprite of them has to have them, by the averages of areas.

    Args:
        pictures: `(pictures, height, width)` grey, or with 3 colours after that, uint8.
        cells: How many pictures the sprite will have, where these are only some of them; None is these alone.

    Raises:
        Refusal: There are more of them than a sprite has pixels.
    """
    count, height, width = pictures.shape[:3]
    cells = count if cells is None else cells
    down, across = grid(cells)
    if across > MOST_PIXELS:
        raise Refusal(
            f"sprites: {cells:,} pictures are more than the {MOST_PIXELS**2:,} pixels of a sprite; leave some out."
        )
    scale = min(1.0, MOST_PIXELS // down / height, MOST_PIXELS // across / width)
    if scale == 1.0:
        return pictures
    over, along = _averages(height, max(1, int(height * scale))), _averages(width, max(1, int(width * scale)))
    found = np.empty((count, len(over), len(along), *pictures.shape[3:]), np.uint8)
    block = max(1, _BLOCK // max(1, math.prod(pictures.shape[1:])))
    for start in range(0, count, block):
        found[start : start + block] = _shrunk(pictures[start : start + block], over, along)
    return found


def _shrunk(pictures: _Array, over: _Array, along: _Array) -> _Array:
    count, height, width, *colours = pictures.shape
    # One side after the other, each as products of matrices: all at once takes many times as long, or as much memory.
    lower = over @ pictures.reshape(count, height, -1).astype(np.float32)  # (pictures, smaller height, width · colours)
    rows = lower.reshape(count, len(over), width, -1).swapaxes(2, 3)  # (pictures, smaller height, colours, width)
    shrunk = np.rint(rows.reshape(-1, width) @ along.T)
    return shrunk.reshape(*rows.shape[:3], -1).swapaxes(2, 3).reshape(count, len(over), len(along), *colours)


def _averages(size: int, smaller: int) -> _Array:
    """Returns the share that each pixel has in each of fewer ones, `(smaller, size)`; a row adds up to 1."""
    edges = np.linspace(0, size, smaller + 1)  # of the fewer pixels
    pixels = np.arange(size)
    covered = np.minimum(edges[1:, np.newaxis], pixels + 1) - np.maximum(edges[:-1, np.newaxis], pixels)
    return (np.maximum(covered, 0) * smaller / size).astype(np.float32)


def write(path: str, pictures: _Array) -> None:
    """Writes a sprite whole or not at all.

    Args:
        path: Where to, local or remote.
        pictures: `(pictures, height, width)` grey, or with 3 colours after that, uint8; as `fitted` returns them.

    Raises:
        Refusal: The sprite would be too large.
    """
    import tensorflow as tf

    count, height, width = pictures.shape[:3]
    down, across = grid(count)
    if max(down * height, across * width) > MOST_PIXELS:
        raise Refusal(
            f"sprites: {count:,} pictures of {height} × {width} make a sprite of {down * height:,} × "
            f"{across * width:,} pixels, over {MOST_PIXELS:,}; give sprites.fitted(pictures)."
        )
    colours = pictures.shape[3:] or (1,)
    cells = np.zeros((down * across, height, width, *colours), np.uint8)
    cells[:count] = pictures.reshape(count, height, width, *colours)
    image = cells.reshape(down, across, height, width, *colours).swapaxes(1, 2)
    image = image.reshape(down * height, across * width, *colours)  # (height, width, colours)
    with paths.written_whole(path) as whole:
        Path(whole).write_bytes(tf.io.encode_png(image).numpy())


def read(path: str, rows: int, height: int, width: int) -> _Array:
    """Returns the pictures of a sprite, `(rows, height, width)` where it is grey, else `(rows, height, width, 3)`.

    Raises:
        Refusal: The file is damaged, or holds other pictures.
        OSError: The file is not there.
    """
    import tensorflow as tf

    content = paths.read_bytes(path)
    down, across = grid(rows)
    try:
        image = tf.io.decode_png(content).numpy()
    except tf.errors.OpError:
        image = np.zeros((0, 0, 0), np.uint8)
    colours = image.shape[2]
    if image.shape[:2] != (down * height, across * width) or colours not in (1, 3):
        raise Refusal(
            f"sprites: {path} is no PNG image of {rows:,} pictures of {height} × {width} pixels; copy the whole folder."
        )
    cells = image.reshape(down, height, across, width, colours).swapaxes(1, 2)
    found = cells.reshape(down * across, height, width, colours)[:rows]
    return np.asarray(found[..., 0] if colours == 1 else found)
