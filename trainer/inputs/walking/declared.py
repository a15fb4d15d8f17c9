"""The walks of a problem on the data that it has, which may have no relations."""

from collections.abc import Collection

from trainer.inputs.features import Reading
from trainer.inputs.files import opened
from trainer.inputs.readers import FilesReader, Function, Reader
from trainer.inputs.values import Wanted
from trainer.problem import Problem
from trainer.walks import Walks


def walks_of(problem: Problem, reader: Reader) -> Walks | None:
    """Returns how a problem's data are walked on: as it says, but without a relation where that may be, and is so.

    Args:
        problem: The problem.
        reader: Of its data.
    """
    how = problem.walks
    if how is None or not how.is_relation_optional:
        return how
    return how.of(_features(problem, how, reader))


def _features(problem: Problem, how: Walks, reader: Reader) -> Collection[str] | None:
    if isinstance(reader, FilesReader):
        ends = {key: Wanted("string") for key in (how.source, how.target)}
        path = reader.states["train"][0].path
        return None if problem.from_rows is not None else opened(path, Reading(ends, csv=problem.csv)).names
    if isinstance(reader, Function):
        spec = reader.read("train", {}).element_spec
        return list(spec[0] if isinstance(spec, tuple) else spec)
    return reader.features
