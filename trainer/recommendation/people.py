"""What everybody in files may like, as a file: read as the training data are, answered block by block."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from trainer.inputs.bad_rows import BadRow
from trainer.prediction.groups import Groups
from trainer.prediction.writing import Writer, writing
from trainer.recommendation.recommender import Array, Lists, Recommender


@dataclass(frozen=True)
class Written:
    """What was written.

    Args:
        people: How many were answered.
        unknown: Of how many nothing was known, so that popularity answered.
        bad: The rows of the files that were set aside.
    """

    people: int
    unknown: int
    bad: Sequence[BadRow] = ()


def write(
    recommender: Recommender,
    people: Groups,
    out: str,
    topn: int = 10,
    batch_size: int | None = None,
    tell: Callable[[int], None] = lambda people: None,
) -> Written:
    """Writes what each of some people may like to a file, whole or not at all.

    Args:
        recommender: Who is asked.
        people: The people, read.
        out: The file; the end of its name says how it is written.
        topn: How many are wanted of each.
        batch_size: The most people that go through the model at once; None is that of the run's evaluation.
        tell: Is given the number of people, block after block.

    Raises:
        Refusal: A value cannot be used, or `out` cannot be written.
    """
    count = unknown = 0
    with writing(out) as writer:
        for keys, features in people.batches():
            lists = recommender.lists(features, topn, batch_size)
            _write(writer, recommender, keys, lists)
            count, unknown = count + len(keys), unknown + int(lists.by_popularity.sum())
            tell(len(keys))
    return Written(count, unknown, people.bad)


def _write(writer: Writer, recommender: Recommender, keys: Array, lists: Lists) -> None:
    is_there = lists.rows >= 0
    people, places = np.nonzero(is_there)
    rows = lists.rows[is_there].tolist()
    answers = {
        "person": keys[people],
        "rank": places + 1,
        "key": np.array([recommender.keys[row] for row in rows], object),
        "title": np.array(recommender.table.titles_of(rows), object),
        "score": lists.scores[is_there],
        "by_popularity": lists.by_popularity[people],
    }
    writer.write({}, answers)
