"""The losses of retrieval: a softmax over a whole catalogue or over a sample of it, and a reconstruction of the bag."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from trainer.segments import entries

_NEVER = -1e9
"""The score of what cannot be meant, since it went in."""


def mask(ids: Any, rows: int) -> Any:
    """Returns 1.0 at the ids of each example, 0.0 elsewhere, `(batch, rows)`.

    Args:
        ids: `(batch, None)`, ragged or filled up with -1.
        rows: Of the catalogue.
    """
    examples, present, batch = entries(ids)
    shape = tf.stack([batch, tf.constant(rows, tf.int64)])
    counts = tf.scatter_nd(tf.stack([examples, present], axis=1), tf.ones_like(present, tf.float32), shape)
    return tf.minimum(counts, 1.0)


def counted(ids: Any) -> Any:
    """Returns how many ids each example has, `(batch,)`, float32."""
    examples, present, batch = entries(ids)
    return tf.math.unsorted_segment_sum(tf.ones_like(present, tf.float32), examples, batch)


def softmax(scores: Any, given: Any, wanted: Any) -> Any:
    """Returns the log loss of what was wanted, the mean over it, among all of a catalogue but what went in.

    Args:
        scores: `(batch, rows)`.
        given: What went in: ids `(batch, None)`, ragged or filled up with -1.
        wanted: What was hidden, in the same form.

    Returns:
        `(batch,)`, 0 for an example that wanted nothing.
    """
    scores = scores + _NEVER * mask(given, scores.shape[1])
    examples, ids, batch = entries(wanted)
    own = tf.gather_nd(scores, tf.stack([examples, ids], axis=1))  # (wanted,)
    return _log_loss(tf.reduce_logsumexp(scores, axis=1), own, examples, batch)


@dataclass(frozen=True)
class Sample:
    """Rows of a catalogue that were drawn at random.

    Args:
        ids: Those that were drawn, each once, `(different,)`, in order.
        corrections: What is added to the score of each, `(different,)`: the logarithm of how often it was drawn, less
            that of how often it would be on the average.
    """

    ids: Any
    corrections: Any


def sampled(cumulative: Any, count: int, seed: Any) -> Sample:
    """Returns rows drawn with replacement.

    Args:
        cumulative: The chances of the rows added up, `(rows,)`, float64; the last is 1.
        count: How many draws.
        seed: Two whole numbers; the same give the same.
    """
    drawn = tf.random.stateless_uniform([count], seed, dtype=tf.float64)
    ids, _, often = tf.unique_with_counts(tf.sort(tf.searchsorted(cumulative, drawn, side="right", out_type=tf.int64)))
    ids = tf.minimum(ids, tf.size(cumulative, tf.int64) - 1)  # where the last sum is not quite 1
    before = tf.gather(cumulative, tf.maximum(ids - 1, 0))
    chances = tf.gather(cumulative, ids) - tf.where(ids > 0, before, tf.zeros_like(before))
    expected = float(count) * chances
    return Sample(ids, tf.cast(tf.math.log(tf.cast(often, tf.float64)) - tf.math.log(expected), tf.float32))


def sampled_softmax(
    scores: Callable[[Any], Any], own: Callable[[Any, Any], Any], sample: Sample, given: Any, wanted: Any
) -> Any:
    """Returns the softmax's loss with the sum over a catalogue estimated by a sample of it.

    What was wanted is in the sum as it is; all else, less what went in, by the sample: the sum is right on the average
    over samples, since each row counts as often as it was drawn, over how often it would be. What was wanted or went in
    and was drawn by chance is taken out of the sample.

    Args:
        scores: Returns the scores of some rows, `(batch, n)`, given their ids, `(n,)`.
        own: Returns the scores of pairs, `(n,)`, given the example and the id of each, `(n,)`.
        sample: From `sampled`.
        given: As in `softmax`.
        wanted: As in `softmax`.

    Returns:
        `(batch,)`.

    Source:
        Bengio and Senécal, "Adaptive importance sampling to accelerate training of a neural probabilistic language
        model", 2008.
    """
    examples, ids, batch = entries(wanted)
    others = scores(sample.ids) + sample.corrections  # (batch, different)
    others += _NEVER * _hit(sample.ids, [(examples, ids), entries(given)[:2]], batch)
    mine = own(examples, ids)  # (wanted,)
    most = tf.stop_gradient(
        tf.maximum(tf.reduce_max(others, axis=1), tf.math.unsorted_segment_max(mine, examples, batch))
    )  # (batch,)
    total = tf.reduce_sum(tf.exp(others - most[:, tf.newaxis]), axis=1)
    total += tf.math.unsorted_segment_sum(tf.exp(mine - tf.gather(most, examples)), examples, batch)
    return _log_loss(tf.math.log(total) + most, mine, examples, batch)


def reconstruction(scores: Any, given: Any, wanted: Any) -> Any:
    """Returns the squared distance of the hidden part of a bag from what is predicted of it, both of length 1.

    What went in is left out of both, and with it what a row says of itself: the diagonal of the product of the table
    with itself.

    Args:
        scores: `(batch, rows)`.
        given: As in `softmax`.
        wanted: As in `softmax`.

    Returns:
        `(batch,)`.

    Source:
        Vančura, Alves, Kasalický and Kordík, "Scalable linear shallow autoencoder for collaborative filtering", 2022.
    """
    rows = scores.shape[1]
    target = tf.math.l2_normalize(mask(wanted, rows), axis=1)
    found = tf.math.l2_normalize(scores * (1.0 - mask(given, rows)), axis=1)
    return tf.reduce_sum(tf.math.squared_difference(found, target), axis=1)


def _log_loss(total: Any, own: Any, examples: Any, batch: Any) -> Any:
    """Returns the mean over what was wanted of the log of the sum less its score, `(batch,)`."""
    count = tf.math.unsorted_segment_sum(tf.ones_like(own), examples, batch)
    mean = tf.math.divide_no_nan(tf.math.unsorted_segment_sum(own, examples, batch), count)
    return tf.where(count > 0, total - mean, 0.0)


def _hit(drawn: Any, pairs: Any, batch: Any) -> Any:
    """Returns 1.0 where an example has a drawn id, `(batch, different)`."""
    examples = tf.concat([each for each, _ in pairs], axis=0)
    ids = tf.concat([each for _, each in pairs], axis=0)
    places = tf.minimum(tf.searchsorted(drawn, ids, out_type=tf.int64), tf.size(drawn, tf.int64) - 1)
    met = tf.where(tf.gather(drawn, places) == ids)[:, 0]
    indices = tf.stack([tf.gather(examples, met), tf.gather(places, met)], axis=1)
    shape = tf.stack([batch, tf.size(drawn, tf.int64)])
    return tf.minimum(tf.scatter_nd(indices, tf.ones_like(met, tf.float32), shape), 1.0)
