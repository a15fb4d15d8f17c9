"""A problem's three sets, encoded once: train, validation, test."""

import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.encoding import Coded
from trainer.errors import Refusal
from trainer.inputs.cache import AnyExamples, Draft
from trainer.inputs.dealing import Dealer
from trainer.inputs.examples import Source
from trainer.inputs.memory import Encode, elements, encoded
from trainer.inputs.packing import Values
from trainer.inputs.shard import ALL, Shard
from trainer.inputs.sides import SETS, TEST, TRAIN

Array = np.ndarray[Any, Any]
Raw = Mapping[str, Any]


@dataclass(frozen=True)
class Data:
    """What training may see, and how to read what it may not.

    Args:
        train: What the model learns from.
        validation: The only data that choices are made on.
        test: Returns the test examples; called after the last step alone.
        digest: 16 hexadecimal digits that differ when the training data differ.
    """

    train: AnyExamples
    validation: AnyExamples
    test: Callable[[], AnyExamples]
    digest: str


def read(
    source: Source,
    encode: Encode | None,
    outside: Encode | None = None,
    narrow: Collection[str] = (),
    draft: Draft | None = None,
    look: Callable[[Raw], None] | None = None,
    looked_at: Collection[str] = (),
    tell: Callable[[int], None] = lambda rows: None,
) -> Data:
    """Returns a problem's data, with validation and test split off as the problem says where they are not given.

    Args:
        source: The problem's data set.
        encode: Raw features to encoded ones; None keeps them raw.
        outside: Raw features to which examples hold a value in no vocabulary of a table, by its name.
        narrow: The encoded features whose ids 32 bits hold.
        draft: Takes the examples as they come; None holds up to a quarter of the memory.
        look: Is given the raw features of the training rows, batch after batch.
        looked_at: Those that it wants.
        tell: Is given the number of rows, batch after batch.

    Raises:
        Refusal: No training, validation or test example is left.
    """
    draft = draft or Draft(None)
    dealer = Dealer(source)
    sets = [draft.collector(name) for name in (SETS if source.test_is_ready else SETS[:2])]

    def also(features: Raw, labels: Any, weights: Any) -> Any:
        return dealer.marks(features, labels, weights), {key: features[key] for key in looked_at}

    is_told = source.gather(tell)
    for part, (marks, raw) in encoded(source.batches("train"), encode, outside, also, narrow):
        sides = dealer(marks, len(part))
        if not is_told:
            tell(len(part))
        if look is not None and looked_at:
            look(rows_of(raw, sides == TRAIN))
        for side, collector in enumerate(sets):
            if (mask := sides == side).any():
                collector.add(part if mask.all() else part.subset(mask))
    dealer.check()

    train, validation = (collected(source, name, encode, outside, narrow, draft) for name in SETS[:2])
    test = collected(source, "test", encode, outside, narrow, draft) if source.test_is_ready else None
    later = Draft(None, draft.memory)
    digest = digest_of(train, validation)
    return Data(train, validation, lambda: test or collected(source, "test", encode, outside, narrow, later), digest)


def collected(
    source: Source,
    name: str,
    encode: Encode | None,
    outside: Encode | None = None,
    narrow: Collection[str] = (),
    draft: Draft | None = None,
) -> AnyExamples:
    """Returns the examples of a set: those that a draft has already, else those that the source has of that name.

    Args:
        source: The problem's data set.
        name: "train", "validation" or "test".
        encode: Raw features to encoded ones; None keeps them raw.
        outside: As in `read`.
        narrow: As in `read`.
        draft: As in `read`.

    Raises:
        Refusal: There is none.
    """
    draft = draft or Draft(None)
    collector = draft.collector(name)
    if not collector.rows:
        for part, _ in encoded(source.batches(name), encode, outside, narrow=narrow):
            collector.add(part)
    found = collector.finish()
    if found is None:
        raise Refusal(f"{source.called(name)}: there is no row in them; at least one is wanted.")
    return found


def training_rows(
    source: Source, shard: Shard = ALL, tell: Callable[[int], None] = lambda rows: None
) -> Iterator[dict[str, Any]]:
    """Yields the raw features of the training rows in batches, without those held out for validation and test.

    Args:
        source: The problem's data.
        shard: The part of the batches that is yielded. The others are not even read where a row tells by itself on
            which side it is.
        tell: Is given the number of rows, batch after batch.

    Raises:
        Refusal: No training, validation or test row is left.
    """
    dealer, is_told = Dealer(source), source.gather(tell)

    def features(raw: Raw, labels: Any, weights: Any) -> Any:
        return dict(raw), dealer.marks(raw, labels, weights)

    is_read_alone = shard.count > 1 and dealer.tells_row_by_row
    batches = source.batches("train", shard if is_read_alone else None)
    for number, (raw, marks) in enumerate(elements(batches.map(tf.autograph.experimental.do_not_convert(features)))):
        first = next(iter(raw.values()))
        rows = int(first.shape[0] if first.shape[0] is not None else first.nrows())
        sides = dealer(marks, rows)
        if not is_told:
            tell(rows)
        if is_read_alone or number % shard.count == shard.index:
            yield rows_of(raw, sides == TRAIN)
    if not is_read_alone:
        dealer.check()


def rows_to_judge(source: Source, everything: bool = False) -> Iterator[tuple[dict[str, Any], Array, Array]]:
    """Yields the raw features of rows in batches, with their labels and weights.

    Args:
        source: The problem's data.
        everything: Whether all training rows are meant; else the test rows are, wherever they come from.

    Raises:
        Refusal: There is none.
    """
    dealer, count = Dealer(source) if source.test_share and not everything else None, 0

    def marked(raw: Raw, labels: Any, weights: Any) -> Any:
        return dict(raw), labels, weights, {} if dealer is None else dealer.marks(raw, labels, weights)

    batches = source.batches("train" if everything or dealer is not None else "test")
    for raw, labels, weights, marks in elements(batches.map(tf.autograph.experimental.do_not_convert(marked))):
        mask = np.ones(len(weights), bool) if dealer is None else dealer(marks, len(weights)) == TEST
        count += int(mask.sum())
        if mask.any():
            yield rows_of(raw, mask), labels.numpy()[mask], weights.numpy()[mask]
    if not count:
        raise Refusal(f"{source.name}: there is no row to judge by in them; at least one is wanted.")


def rows_of(raw: Raw, mask: Array) -> dict[str, Any]:
    """Returns the rows of raw features where a mask is true."""
    return dict(raw) if mask.all() else {key: _kept(values, mask) for key, values in raw.items()}


def _kept(values: Any, mask: Array) -> Any:
    if isinstance(values, Coded):
        return values.with_codes(_kept(values.codes, mask))
    if isinstance(values, tf.SparseTensor):
        values = tf.RaggedTensor.from_sparse(values)
    return tf.gather(values, np.flatnonzero(mask))


def digest_of(*sets: AnyExamples) -> str:
    """Returns 16 hexadecimal digits that differ where the examples differ, wherever they lie."""
    total = hashlib.sha256()
    for examples in sets:
        hashes: dict[tuple[int, str], Any] = {}
        for part in examples.parts():
            for place, values in enumerate(part.arrays):
                for name, array in _arrays(values):
                    hashes.setdefault((place, name), hashlib.sha256()).update(_bytes(array))
        total.update(json.dumps(examples.layout.to_dict()).encode())
        total.update(b"".join(hashes[place].digest() for place in sorted(hashes)))
    return total.hexdigest()[:16]


def _arrays(values: Values) -> list[tuple[str, Array]]:
    if isinstance(values, tf.RaggedTensor):
        return [("lengths", np.asarray(values.row_lengths())), ("values", np.asarray(values.flat_values))]
    return [("values", values)]


def _bytes(array: Array) -> Any:
    flat = array.reshape(-1)
    return b"".join(text + b"\0" for text in flat) if array.dtype == object else np.ascontiguousarray(flat).data
