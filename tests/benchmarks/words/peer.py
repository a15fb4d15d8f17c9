"""gensim's side: trains on the passages of a text file and prints its words a second."""

import gzip
import json
import sys
import time
from collections.abc import Iterator
from typing import Any

from tests.benchmarks.sides import peer
from trainer.problems.words import problem

WORKERS, PASSAGE = 2, 1500
"""Words of a passage, which is about what problem `words` makes one of; gensim takes up to 10,000."""


def sentences(path: str) -> Iterator[list[str]]:
    """Yields the words of a file, passage by passage, as the problem has them."""
    column: Any = problem().columns[0]
    tokens, passage = column.categorical_column.tokenize, list[str]()
    with gzip.open(path, "rt") if path.endswith(".gz") else open(path, encoding="utf-8") as lines:
        for line in lines:
            passage += tokens.of(line)
            if len(passage) >= PASSAGE:
                yield passage
                passage = []
    yield passage


def main() -> None:
    """Trains and prints."""
    path, out, seed, epochs = sys.argv[1:]
    start, passages = time.perf_counter(), list(sentences(path))
    model = peer("gensim.models").Word2Vec(
        vector_size=100,
        window=5,
        negative=5,
        min_count=5,
        sample=1e-3,
        sg=1,
        workers=WORKERS,
        epochs=int(epochs),
        seed=int(seed) + 1,
    )
    model.build_vocab(passages)
    words = sum(model.wv.get_vecattr(word, "count") for word in model.wv.index_to_key)
    training = time.perf_counter()
    model.train(passages, total_examples=len(passages), epochs=int(epochs))
    end = time.perf_counter()
    model.wv.save_word2vec_format(out, binary=True)
    print(json.dumps({"words/s": words * int(epochs) / (end - training), "seconds": end - start}))


if __name__ == "__main__":
    main()
