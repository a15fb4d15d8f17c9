"""Rows a second from texts to the ids of their words: `python -m tests.benchmarks.text`.

The texts are the names of the homes in `homes/nyc_listings_min.csv.gz` of the folder that TRAINER_TEST_DATA names; with
`--quick`, or where it names none, names made up. Its peer splits at spaces, `tf.strings.split`, and looks the pieces up
in the same vocabulary; with runs of words, it makes the same runs of its pieces. It lowers nothing, and a word with a
comma is another word to it. Both compile to one `tf.function`, are called with the same batches, made before, of as
many rows as a job encodes at a time, and take turns in one process, batch by batch; a ratio is that of the rows a
second of one round.

    words            the default, [a-z0-9]+: one set of ASCII's letters, so what is not split yet is split at all others
    a pattern        [^\\W\\d_]+(?:'[^\\W\\d_]+)?: words with an apostrophe in them; RE2 marks its matches in each
                     different piece between the bytes that it never matches
    runs of words    the default with ngrams=2
    without small    the default with lower=False
"""

import csv
import gzip
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tests.benchmarks.pairs import machine, parser, write
from tests.benchmarks.ratios import report
from trainer import feature_column as fc
from trainer.encoding import encoding
from trainer.inputs.readers import READ_BATCH
from trainer.vocabulary import learned

BATCH_SIZE, BAR = READ_BATCH, 0.5
PASSES = 5
FILE = "homes/nyc_listings_min.csv.gz"
ROWS = {
    "words": fc.Tokens(),
    "a pattern": fc.Tokens(r"[^\W\d_]+(?:'[^\W\d_]+)?"),
    "runs of words": fc.Tokens(ngrams=2),
    "without small": fc.Tokens(lower=False),
}

Encode = Callable[[Any], Any]


def names(quick: bool) -> list[str]:
    """Returns the names of homes, and says whether they are made up."""
    path = Path(os.environ.get("TRAINER_TEST_DATA", ""), FILE)
    is_real = not quick and path.is_file()
    print(f"texts of {FILE}" if is_real else "made-up texts, a letter beyond ASCII in every other one", flush=True)
    if is_real:
        with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
            return [row["name"] for row in csv.DictReader(lines)]
    draw = np.random.default_rng(0)
    words = ["Cozy", "quiet,", "ROOM", "near", "the", "park!", "2br", "Café", "it's", "&"]
    return [" ".join(draw.choice(words, size)) for size in draw.integers(0, 10, BATCH_SIZE)]


def sides(tokens: fc.Tokens, texts: Sequence[str]) -> tuple[Encode, Encode]:
    """Returns our encoding of texts, and the peer's: ids of one vocabulary, ragged `(batch, None)`."""
    column = fc.categorical_column_with_vocabulary_list("name", fc.from_data(frequency_threshold=5), tokenize=tokens)
    (column,) = learned([column], {"name": np.array(texts, object)})
    ours: Any = encoding(column)
    lookup = ours.lookup

    def split(given: Any) -> Any:
        pieces = tf.strings.split(given)
        if tokens.ngrams > 1:
            pieces = tf.strings.ngrams(pieces, tuple(range(1, tokens.ngrams + 1)))
        return pieces.with_flat_values(lookup.lookup(pieces.flat_values))

    return tf.function(lambda given: ours({"name": given}), autograph=False), tf.function(split, autograph=False)


def speeds(both: Sequence[Encode], batches: Sequence[Any]) -> list[float]:
    """Returns the rows a second of each side; they take turns batch by batch, and who is first changes."""
    seconds = [0.0] * len(both)
    for number, batch in enumerate(batches):
        for place in sorted(range(len(both)), key=lambda place: (place + number) % len(both)):
            start = time.perf_counter()
            both[place](batch)
            seconds[place] += time.perf_counter() - start
    return [len(batches) * BATCH_SIZE / each for each in seconds]


def main() -> None:
    """Measures, prints, and writes JSON where asked to."""
    flags = parser(__doc__).parse_args()
    about = machine()
    print(", ".join(f"{name} {value}" for name, value in about.items()), flush=True)
    texts, found = names(flags.quick), []
    starts = range(0, len(texts) - BATCH_SIZE + 1, BATCH_SIZE)
    batches = [tf.constant(texts[start : start + BATCH_SIZE]) for start in starts]
    for name, tokens in ROWS.items():
        if flags.only.lower() not in name:
            continue
        both = sides(tokens, texts)
        speeds(both, batches[:2])  # warms them up
        turns = [speeds(both, PASSES * batches) for _ in range(1 if flags.quick else flags.rounds)]
        ours, peer = np.median(turns, axis=0).tolist()
        measured = {"ours": ours, "split at spaces": peer, "ratios": [ours / peer for ours, peer in turns]}
        found.append(report(name, measured, BAR, is_most=False))
    write(flags.json, {"machine": about, "rows": found})


if __name__ == "__main__":
    main()
