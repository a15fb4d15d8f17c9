"""Where each of many texts stands among many others, by hashes of 128 bits: faster than to join two tables."""

from typing import Any

import numpy as np
import pyarrow as pa

Array = np.ndarray[Any, np.dtype[Any]]

NONE = -1
_WORD = 8
_SEEDS = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F)
_FACTORS = (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53)
_BLOCK = 32_768
"""Texts hashed at a time, so that what is made on the way stays in the processor's cache."""


def positions(there: Array, here: Array) -> Array:
    """Returns the first place there of each text here, `(here,)`; -1 where it is not there.

    Two different texts are taken for one where both their hashes are equal, which of a billion texts happens once in
    10 ** 20 times.

    Args:
        there: The hashes of texts, `(2, there)`.
        here: The hashes of texts, `(2, here)`.

    Example:
        >>> texts = [pa.array(words, pa.large_binary()) for words in (["a", "b", "a"], ["b", "c", "a"])]
        >>> positions(*map(hashes, texts)).tolist()
        [1, -1, 0]
    """
    found = _met(there[0], here[0])
    # A hash is told from another of 64 equal bits by the other 64.
    if there.shape[1]:
        found[there[1].take(found, mode="clip") != here[1]] = NONE
    return found


def _met(there: Array, here: Array) -> Array:
    """Returns the first place there of each number here, `(here,)`, by a table of places that numbers point into.

    A number that another one has taken the slot of looks for one in the next round's smaller table.
    """
    found = np.full(len(here), NONE, np.int32)
    rows, left = np.arange(len(there), dtype=np.int32), there
    wanted, right = np.arange(len(here), dtype=np.int32), here
    turn = 0
    while len(rows) and len(wanted):
        bits = max(4, (2 * len(rows)).bit_length())
        table, own = np.full(1 << bits, NONE, np.int32), _slots(left, turn, bits)
        table[own[::-1]] = rows[::-1]  # of several the first stays
        met = table.take(_slots(right, turn, bits))
        same = (there.take(met, mode="clip") == right) & (met >= 0)
        found[wanted] = np.where(same, met, NONE)
        wanted, right = wanted[~same], right[~same]
        winner = table.take(own)
        lost = np.flatnonzero(winner != rows)
        lost = lost[there.take(winner[lost]) != left[lost]]  # a repeated number is done
        rows, left = rows[lost], left[lost]
        turn += 11
    return found


def _slots(numbers: Array, turn: int, bits: int) -> Array:
    right, left = np.uint64(turn % 64), np.uint64(-turn % 64)  # equal where there is nothing to turn
    turned = (numbers >> right) | (numbers << left)
    return (turned & np.uint64((1 << bits) - 1)).view(np.int64)


def hashes(texts: pa.Array) -> Array:
    """Returns two hashes of 64 bits of each text, `(2, texts)`, taken over its bytes in words of eight."""
    offsets, data = _buffers(texts)
    found = np.empty((2, len(texts)), np.uint64)
    for start in range(0, len(texts), _BLOCK):
        part = offsets[start : start + _BLOCK + 1]
        found[:, start : start + _BLOCK] = _hashed(part[:-1], np.diff(part), data)
    return found


def _buffers(texts: pa.Array) -> tuple[Array, Array]:
    texts = texts.cast(pa.large_binary())
    _, offsets, data = texts.buffers()
    places = np.frombuffer(offsets, np.int64)[texts.offset : texts.offset + len(texts) + 1]
    content = np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)
    return places, content


def _hashed(starts: Array, lengths: Array, data: Array) -> Array:
    """Returns the hashes of texts that lie in `data`; a last word that is not full is read from before its end."""
    hashed = np.stack([lengths.astype(np.uint64) * np.uint64(seed) for seed in _SEEDS])
    data = np.concatenate([data[starts[0] : starts[-1] + lengths[-1]], np.zeros(_WORD, np.uint8)])
    starts = starts - starts[0]
    words = np.lib.stride_tricks.as_strided(data, (len(data) - _WORD + 1, _WORD), (1, 1))
    longest = int(lengths.max(initial=0))
    rows: Any = slice(None)
    for place in range(0, longest, _WORD):
        if place:  # only those that go on
            rows = np.flatnonzero(lengths > place)
        word = words[starts[rows] + place].view("<u8")[:, 0]  # (rows,)
        missing = np.maximum(place + _WORD - lengths[rows], 0).astype(np.uint64) * np.uint64(8)
        word = (word << missing) >> missing
        for hash, factor in zip(hashed, _FACTORS, strict=True):
            mixed = (hash[rows] ^ word) * np.uint64(factor)
            hash[rows] = mixed ^ (mixed >> np.uint64(32))
    return hashed
