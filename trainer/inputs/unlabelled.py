"""The rows of files that a model is to answer: features alone, without labels and weights."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from trainer.errors import Refusal
from trainer.inputs.bad_rows import BadRows
from trainer.inputs.features import Reading
from trainer.inputs.files import Rows, State
from trainer.inputs.readers import matching
from trainer.inputs.tensors import tensors_of
from trainer.inputs.values import Wanted
from trainer.inputs.wanted import features_wanted
from trainer.problem import Problem
from trainer.rows import Limit


def unlabelled(
    problem: Problem,
    wanted: Mapping[str, Wanted],
    files: Sequence[str],
    keep: Sequence[str] = (),
    limit: Limit | None = None,
) -> Rows:
    """Returns the rows of files as a problem's model reads them.

    Args:
        problem: Says how rows become features.
        wanted: What is wanted of those that the model reads, as `features_wanted` tells it.
        files: Their paths.
        keep: Columns of the files that are given beside the features.
        limit: How many bad rows there may be.
    """
    reading = Reading(wanted, problem.from_rows, problem.csv, tuple(dict.fromkeys(keep)), problem.texts)
    return Rows([State.of(path) for path in files], reading, BadRows(limit))


def batches(
    problem: Problem, dtypes: Mapping[str, str], pattern: str, flag: str, limit: Limit | None = None
) -> Iterator[dict[str, Any]]:
    """Yields the raw features of the rows of files, some thousand rows after the other.

    Of a problem that groups rows, a row of the files is a group, with what is in its bags as lists.

    Args:
        problem: Says how rows become features.
        dtypes: Of the features that its model reads, as `models.inputs_of` tells them.
        pattern: Of the files: CSV, Parquet, Feather, JSON lines or TFRecord.
        flag: That gave it.
        limit: How many bad rows there may be; None is none.

    Yields:
        Tensors by key: strings coded, bags ragged.

    Raises:
        Refusal: No file matches, a file or a value cannot be used, or there are no rows.
    """
    wanted = features_wanted(problem, dtypes)
    rows, is_empty = unlabelled(problem, wanted, matching(pattern, flag), limit=limit), True
    for features in rows:
        is_empty = False
        yield tensors_of(features, wanted)
    if is_empty:
        raise Refusal(f"{flag}: there is no row in them that can be used; at least one is wanted.")
