"""The loss of skip-gram and its gradient, as products of matrices over tiles and blocks of consecutive places."""

from typing import Any

import numpy as np
import tensorflow as tf

from trainer.models.skip_gram.places import Places, Shape

TOLD = 8
"""In training the loss is told of one tile and one block in so many; the gradient is that of all."""


def loss(
    places: Places,
    shape: Shape,
    negatives: float,
    centres: Any,
    contexts: Any,
    drawn: Any,
    weights: Any,
    told: int,
    smoothing: float = 0.0,
) -> tuple[Any, Any]:
    """Returns the sum of the losses of all pairs, and the mean of those that are told.

    The rows of a tile's places are multiplied with those of the places around it, as a matrix of which a band counts;
    and those of a block's places with its negatives. So each row is read once, and its gradient is written once.

    Args:
        places: Where the pairs are.
        shape: How the places are divided.
        negatives: How many negatives a pair has, on average: those of a block together weigh as much.
        centres: The rows of the places in the table of centres, `(places, dimension)`.
        contexts: Those in the table of contexts, `(places, dimension)`.
        drawn: The rows of the negatives, `(blocks, k, dimension)`.
        weights: Of each sequence, `(batch,)`.
        told: One in how many tiles and blocks the mean is of; 1 is all.
        smoothing: How far the labels, that are learned, are from 1 for a pair and from 0 for a negative.

    Returns:
        Two numbers. The first has a gradient and no value, which is not worth its time; the second has a value, of
        labels 1 and 0, which is not finite where any score is not, and no gradient.

    Source:
        Ji, Satish, Li and Dubey, "Parallelizing word2vec in shared and distributed memory", 2016.
    """
    band = _band(places, shape, weights)  # (tiles, tile, tile + 2 window)
    pairs = tf.reduce_sum(band, axis=2)  # (tiles, tile)
    share = tf.reshape(pairs, [-1, shape.block, 1]) * (negatives / tf.cast(tf.shape(drawn)[1], tf.float32))

    @tf.custom_gradient
    def summed(centres: Any, contexts: Any, drawn: Any) -> Any:
        near, around = _tiles(centres, shape), _framed(_tiles(contexts, shape), shape.window, 0.0)
        block = tf.reshape(centres, [-1, shape.block, centres.shape[1]])
        scores = tf.matmul(near, around, transpose_b=True)  # (tiles, tile, tile + 2 window)
        others = tf.matmul(block, drawn, transpose_b=True)  # (blocks, block, k)
        wrong = band * (tf.sigmoid(scores) - (1.0 - smoothing))
        wrong_others = share * (tf.sigmoid(others) - smoothing)
        mean = _mean(scores, band, others, share, told)

        def gradient(upstream: Any, unused: Any) -> tuple[Any, Any, Any]:
            del unused
            by_pairs, by_others = upstream * wrong, upstream * wrong_others
            of_centres = tf.reshape(tf.matmul(by_pairs, around), tf.shape(centres))
            of_centres += tf.reshape(tf.matmul(by_others, drawn), tf.shape(centres))
            of_contexts = _unframed(tf.matmul(by_pairs, near, transpose_a=True), shape)
            return of_centres, of_contexts, tf.matmul(by_others, block, transpose_a=True)

        return (tf.zeros([]), mean), gradient

    found: tuple[Any, Any] = summed(centres, contexts, drawn)
    return found


def _band(places: Places, shape: Shape, weights: Any) -> Any:
    """Returns the weight of each pair of a place and one around its tile, 0.0 of those that are none."""
    tile, window = shape.tile, shape.window
    apart = np.abs(np.arange(tile + 2 * window)[np.newaxis] - window - np.arange(tile)[:, np.newaxis])
    reach = tf.where(places.sequences >= 0, places.reach, 0)
    sequences = tf.reshape(places.sequences, [-1, tile])
    around = _framed(sequences, window, -1)
    are_pairs = (apart > 0) & (apart <= tf.reshape(reach, [-1, tile, 1]))
    are_pairs &= sequences[:, :, tf.newaxis] == around[:, tf.newaxis]
    each = tf.gather(tf.cast(weights, tf.float32), tf.maximum(sequences, 0))
    return tf.where(are_pairs, each[:, :, tf.newaxis], 0.0)


def _mean(scores: Any, band: Any, others: Any, share: Any, told: int) -> Any:
    """Returns the mean loss of the pairs of some tiles with their own negatives and with those of some blocks."""
    near = tf.reduce_sum(band[::told] * tf.math.softplus(-scores[::told]))
    far = tf.reduce_sum(share[::told] * tf.math.softplus(others[::told]))
    mean = tf.math.divide_no_nan(near, tf.reduce_sum(band[::told]))
    pairs = tf.reduce_sum(band, axis=[1, 2])  # (tiles,)
    of_blocks = tf.reduce_sum(tf.reshape(pairs, [tf.shape(others)[0], -1])[::told])
    every = tf.reduce_sum(scores) + tf.reduce_sum(others)  # of what is not told too
    return mean + tf.math.divide_no_nan(far, of_blocks) + 0.0 * every


def _tiles(rows: Any, shape: Shape) -> Any:
    return tf.reshape(rows, [-1, shape.tile, rows.shape[1]])  # (tiles, tile, dimension)


def _framed(tiles: Any, window: int, fill: Any) -> Any:
    """Returns each tile with what is before and after it, `(tiles, tile + 2 window, …)`."""
    ends = tf.fill(tf.concat([[1, window], tf.shape(tiles)[2:]], 0), tf.cast(fill, tiles.dtype))
    before = tf.concat([ends, tiles[:-1, -window:]], axis=0)
    after = tf.concat([tiles[1:, :window], ends], axis=0)
    return tf.concat([before, tiles, after], axis=1)


def _unframed(frames: Any, shape: Shape) -> Any:
    """Returns the sums over frames of what belongs to each place, `(places, dimension)`."""
    tile, window = shape.tile, shape.window
    none = tf.zeros_like(frames[:1, :window])
    first = tf.concat([none, frames[:-1, window + tile :]], axis=0)  # what the tile before says of a tile's first
    last = tf.concat([frames[1:, :window], none], axis=0)
    own = frames[:, window : window + tile]
    whole = tf.concat([own[:, :window] + first, own[:, window : tile - window], own[:, tile - window :] + last], axis=1)
    return tf.reshape(whole, [-1, frames.shape[2]])
