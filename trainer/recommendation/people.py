"""What everybody in files may like, as a file: read as the training data are, answered block by block."""

import dataclasses
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainer import models
from trainer.encoding.coded import decoded
from trainer.inputs.bad_rows import BadRow
from trainer.inputs.examples import Source
from trainer.inputs.features import Reading
from trainer.inputs.files import opened
from trainer.inputs.memory import elements
from trainer.inputs.part import RowFile
from trainer.inputs.readers import matching
from trainer.inputs.values import is_list
from trainer.prediction.writing import Writer, writing
from trainer.problem import Files, Grouped, Problem, Share
from trainer.recommendation.recommender import Array, Lists, Recommender
from trainer.rows import Limit

Tell = Callable[[int], None]


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


class People:
    """The people of some files: rows of a person's key and what she has, or a row a person with a list of that.

    Args:
        recommender: Who is asked.
        pattern: Of the files.
        limit: How many bad rows they may have.

    Raises:
        Refusal: No file matches, or one cannot be used.
    """

    def __init__(self, recommender: Recommender, pattern: str, limit: Limit | None = None) -> None:
        trained = recommender.trained
        self.recommender, self.files = recommender, matching(pattern, "--people")
        own: dict[str, Any] = {"validation": Share(), "window": None, "planted": None, "weight_column": None}
        problem = dataclasses.replace(trained.problem, dataset=Files(pattern), **own)
        self.by = None if problem.grouped is None else problem.grouped.by
        if problem.grouped is not None:
            file = opened(self.files[0], Reading({}, csv=problem.csv))
            problem = _as_a_file_is(problem, problem.grouped, file, recommender.feature)
        beside = [self.by] if self.by is not None and problem.grouped is None else []
        self.source = Source(problem, models.inputs_of(trained.model), trained.settings.data_dir, limit, beside)

    def read_so_far(self, people: int) -> tuple[int, int, bool]:
        """Returns how much of the people was answered, and how much there is; else how many bytes of the files.

        Args:
            people: That were answered.
        """
        known = self.source.rows("train")
        return self.source.read_so_far(people) if known is None else (people, known, True)

    def read(self, tell: Tell) -> None:
        """Reads the files where their rows are to be grouped, which takes all of them.

        Args:
            tell: Is given the number of rows, part after part.

        Raises:
            Refusal: A file or a value cannot be used.
        """
        self.source.prepare(download=False)
        self.source.gather(tell)

    def write(self, out: str, topn: int, batch_size: int | None, tell: Tell) -> Written:
        """Writes what each may like to a file, whole or not at all.

        Args:
            out: The file; the end of its name says how it is written.
            topn: How many are wanted of each.
            batch_size: The most people that go through the model at once; None is that of the run's evaluation.
            tell: Is given the number of people, block after block.

        Raises:
            Refusal: A value cannot be used, or `out` cannot be written.
        """
        people = unknown = 0
        with writing(out) as writer:
            for keys, lists in self._answers(topn, batch_size):
                self._write(writer, keys, lists)
                people, unknown = people + len(keys), unknown + int(lists.by_popularity.sum())
                tell(len(keys))
        return Written(people, unknown, [] if self.source.bad_rows is None else self.source.bad_rows.found)

    def _answers(self, topn: int, batch_size: int | None) -> Iterator[tuple[Array, Lists]]:
        before = 0
        for features, *_ in elements(self.source.batches("train")):
            lists = self.recommender.lists(features, topn, batch_size)
            numbers = np.arange(before, before + len(lists.rows)) + 1
            yield (numbers.astype(str) if self.by is None else _texts(features[self.by])).astype(object), lists
            before += len(lists.rows)

    def _write(self, writer: Writer, keys: Array, lists: Lists) -> None:
        is_there = lists.rows >= 0
        people, places = np.nonzero(is_there)
        rows = lists.rows[is_there].tolist()
        writer.write(
            {},
            {
                "person": keys[people],
                "rank": places + 1,
                "key": np.array([self.recommender.keys[row] for row in rows], object),
                "title": np.array(self.recommender.table.titles_of(rows), object),
                "score": lists.scores[is_there],
                "by_popularity": lists.by_popularity[people],
            },
        )


def _as_a_file_is(problem: Problem, how: Grouped, file: RowFile, feature: str) -> Problem:
    """Returns a problem that reads a file whose columns are the features, or whose rows have lists.

    All rows count where it does not tell which do.
    """
    if {how.by, feature} <= set(file.names):
        problem = dataclasses.replace(problem, from_rows=None)
    kind = file.types.get(feature)
    if problem.from_rows is None and kind is not None and is_list(kind):
        return dataclasses.replace(problem, grouped=None)
    made = _features_of(problem, file.names)
    least = {key: number for key, number in how.least.items() if key in made}
    return dataclasses.replace(problem, grouped=dataclasses.replace(how, least=least))


def _features_of(problem: Problem, names: Sequence[str]) -> Collection[str]:
    """Returns the features that a problem makes of columns; where it can make none, the reading will say why."""
    if problem.from_rows is None:
        return names
    try:
        return problem.from_rows({name: np.array([], object) for name in names})
    except (LookupError, ValueError):
        return []


def _texts(values: Any) -> Array:
    return np.array([value.decode("utf-8", "replace") for value in decoded(values).numpy().reshape(-1).tolist()])
