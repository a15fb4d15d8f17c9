"""Answers to all rows of some files, in their order and in bounded memory."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pyarrow as pa

from trainer.errors import Refusal
from trainer.inputs.bad_rows import BadRow
from trainer.inputs.files import Rows
from trainer.inputs.tensors import tensors_of
from trainer.inputs.unlabelled import unlabelled
from trainer.inputs.values import rows_of
from trainer.prediction.groups import Groups
from trainer.prediction.trained import Trained
from trainer.prediction.writing import writing
from trainer.rows import Limit


@dataclass(frozen=True)
class Written:
    """What was written of some files.

    Args:
        rows: Or groups of them, that were answered.
        bad: Those that were set aside.
    """

    rows: int
    bad: Sequence[BadRow]


def rows_to_answer(
    trained: Trained, files: Sequence[str], keep: Sequence[str] = (), limit: Limit | None = None
) -> Rows:
    """Returns the rows of files as the model reads them; labels and weights are not wanted.

    Args:
        trained: The model and its problem.
        files: Their paths.
        keep: Columns of the files that are kept beside the answers.
        limit: How many bad rows there may be.
    """
    return unlabelled(trained.problem, trained.wanted, files, keep, limit)


def write_groups(
    trained: Trained,
    groups: Groups,
    out: str,
    batch_size: int | None = None,
    tell: Callable[[int], None] = lambda groups: None,
) -> Written:
    """Writes the answers to groups of rows to a file, whole or not at all: first what tells the group.

    Args:
        trained: The model and its problem.
        groups: Of a problem that groups rows, read.
        out: As in `write`.
        batch_size: As in `write`.
        tell: Is given the number of groups, batch after batch.

    Raises:
        Refusal: As in `write`.
    """
    scoring, count = trained.scoring(batch_size), 0
    with writing(out) as writer:
        for keys, features in groups.batches():
            writer.write({str(groups.by): pa.array(keys)}, scoring(features))
            count += len(keys)
            tell(len(keys))
    return Written(count, groups.bad)


def write(
    trained: Trained,
    rows: Rows,
    out: str,
    batch_size: int | None = None,
    tell: Callable[[int], None] = lambda rows: None,
) -> Written:
    """Writes the answers to rows to a file, whole or not at all.

    Args:
        trained: The model and its problem.
        rows: From `rows_to_answer`.
        out: The file; the end of its name says how it is written.
        batch_size: The most rows that go through the model at once; None is that of the run's evaluation.
        tell: Is given the number of rows, batch after batch.

    Raises:
        Refusal: A file or a value cannot be used, or `out` cannot be written.
    """
    scoring, count = trained.scoring(batch_size), 0
    with writing(out) as writer:
        for good in rows.parts():
            answers = scoring(tensors_of(good.features, rows.reading.wanted))
            writer.write(good.beside, answers)
            count += rows_of(good.features)
            tell(rows_of(good.features))
        if not count:
            raise Refusal("--files: there is no row in them that can be used; at least one is wanted.")
    return Written(count, rows.bad.found)
