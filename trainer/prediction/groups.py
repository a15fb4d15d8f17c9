"""The groups of rows of files, such as those of a person, read as the training reads them."""

import dataclasses
from collections.abc import Callable, Collection, Iterator, Sequence
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
from trainer.prediction.trained import Trained
from trainer.problem import Files, Grouped, Problem, Share
from trainer.rows import Limit

Array = np.ndarray[Any, Any]
Tell = Callable[[int], None]


class Groups:
    """The groups of the rows of some files; where a row has lists already, and where nothing is grouped, the rows.

    Args:
        trained: The model that will be asked, and its problem.
        pattern: Of the files.
        flag: What names them.
        limit: How many bad rows they may have.

    Raises:
        Refusal: No file matches, or one cannot be used.
    """

    def __init__(self, trained: Trained, pattern: str, flag: str, limit: Limit | None = None) -> None:
        files, how = matching(pattern, flag), trained.problem.grouped
        own: dict[str, Any] = {"validation": Share(), "window": None, "planted": None, "weight_column": None}
        problem, beside = dataclasses.replace(trained.problem, dataset=Files(pattern), **own), []
        self.by = None if how is None else how.by
        """The feature that tells the group; None where rows are not grouped."""
        if how is not None:
            file = opened(files[0], Reading({}, csv=problem.csv, texts=problem.texts))
            problem = _as_a_file_is(problem, how, file, trained.wanted)
            beside = [how.by] if problem.grouped is None else []
        features = models.inputs_of(trained.model)
        self.source = Source(problem, features, trained.settings.data_dir, limit, beside, flag)

    @property
    def bad(self) -> Sequence[BadRow]:
        """The rows that were set aside."""
        found = self.source.bad_rows
        return [] if found is None else found.found

    def read_so_far(self, groups: int) -> tuple[int, int, bool]:
        """Returns how many groups were answered of how many; where that is not known, how many bytes of the files.

        Args:
            groups: That were answered.
        """
        known = self.source.rows("train")
        return self.source.read_so_far(groups) if known is None else (groups, known, True)

    def read(self, tell: Tell) -> None:
        """Reads the files where their rows are to be grouped, which takes all of them.

        Args:
            tell: Is given the number of rows, part after part.

        Raises:
            Refusal: A file or a value cannot be used.
        """
        self.source.prepare(download=False)
        self.source.gather(tell)

    def batches(self) -> Iterator[tuple[Array, dict[str, Any]]]:
        """Yields what tells each of some groups, or its number from 1 on, texts `(groups,)`; and their raw features.

        Raises:
            Refusal: A value cannot be used.
        """
        before = 0
        for features, _, weights in elements(self.source.batches("train")):
            if self.by is None:
                keys = [str(before + place) for place in range(1, len(weights) + 1)]
            else:
                keys = [key.decode("utf-8", "replace") for key in decoded(features[self.by]).numpy().tolist()]
            before += len(keys)
            yield np.array(keys, object), features


def _as_a_file_is(problem: Problem, how: Grouped, file: RowFile, features: Collection[str]) -> Problem:
    """Returns a problem that reads a file whose columns are the features, or whose rows have lists.

    All rows count where it does not tell which do.
    """
    if {how.by, *features} <= set(file.names):
        problem = dataclasses.replace(problem, from_rows=None)
    kinds = [kind for kind in map(file.types.get, problem.bags) if kind is not None]
    if problem.from_rows is None and any(map(is_list, kinds)):
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
