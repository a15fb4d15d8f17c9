"""The data of a job: read and encoded once, with what is learned of them; or as an earlier job has left them."""

import dataclasses
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import keras

from trainer import models, paths
from trainer.errors import Refusal, nearest
from trainer.feature_column.serialization import encoded_key
from trainer.feature_column.starting import without_sources
from trainer.inputs import cache, split
from trainer.inputs.bad_rows import BadRow, BadRows
from trainer.inputs.cache import AnyExamples, Draft
from trainer.inputs.examples import Source
from trainer.inputs.hiding import Hiding
from trainer.inputs.progress import ReadingProgress
from trainer.inputs.sides import SETS
from trainer.inputs.split import Data
from trainer.job import identity, summary, survey
from trainer.job.plan import Plan
from trainer.job.survey import Meeting, Met
from trainer.layers import encodable
from trainer.problem import Problem
from trainer.rows import Limit
from trainer.run import CACHE, Run
from trainer.training.machines import replicas

SMALL = 2**31
Some = TypeVar("Some", bound=AnyExamples)


@dataclass(frozen=True)
class Read:
    """What a job trains on.

    Args:
        problem: With what it has learned from the data.
        source: The data.
        model: Its compiled model.
        halves: The model's encoder, and the rest of it.
        data: The examples, encoded.
        met: What hashed columns have met in the training rows.
        bad_rows: The rows that were set aside, and how many there were with them; None where data are not files.
        is_kept: Whether an earlier job has left the encoded examples.
    """

    problem: Problem
    source: Source
    model: keras.Model
    halves: models.Halves
    data: Data
    met: Met
    bad_rows: BadRows | None
    is_kept: bool = False


def read(plan: Plan, check: Callable[[keras.Model, Source], None]) -> Read:
    """Returns the data of a plan, encoded by its model.

    Args:
        plan: Of the job.
        check: Refuses what can be refused of a model and its data before these are read.

    Raises:
        Refusal: The data, the model or a file cannot be used.
    """
    problem, model = plan.problem, None
    if survey.needs_data(problem):
        models.check_optimizers(problem)
    else:
        model = _model(plan, problem)  # compiled at once: an unknown optimizer is refused before data are read
    source = _source(plan, dtypes_of(problem) if model is None else models.inputs_of(model))
    digest = identity.digest(problem, source)
    found = None if digest is None else cache.find(_folders(plan.run), digest)
    sets = None if found is None else cache.sets_of(*found, plan.settings.cache_bytes)
    # The chief says what columns have learned, where an earlier job has found it out.
    learned = replicas.current().told(found[1]["learned"] if found is not None and sets is not None else None)
    if learned is None and model is None:
        with ReadingProgress("reading for what columns learn", source) as progress:
            learned = survey.found(
                problem, split.training_rows(source, replicas.current().shard, progress.add), summary.tell
            )
    problem = survey.fitted(problem, learned or [])
    model = model or _model(plan, problem)
    if plan.problem.model is not None and survey.needs_data(plan.problem):
        source = _source(plan, models.inputs_of(model))
    check(model, source)
    if found is not None and sets is not None:
        made = _again(plan, problem, source, model, found, sets)
    else:
        made = _anew(plan, problem, source, model, digest, learned or [])
    train, validation = (hiding(each, problem, model) for each in (made.data.train, made.data.validation))
    data = dataclasses.replace(
        made.data, train=train, validation=validation, test=lambda: hiding(made.data.test(), problem, model)
    )
    return dataclasses.replace(made, data=data)


def hiding(examples: Some, problem: Problem, model: keras.Model) -> Some | Hiding:
    """Returns examples with part of each bag hidden where the problem's head hides it, else as they are.

    Args:
        examples: As the model encodes them.
        problem: Whose head and `split_seed` are meant.
        model: Has the table whose ids are hidden.

    Raises:
        Refusal: The model has no such table, or its feature is no bag.
    """
    hidden = problem.head.hidden
    if hidden is None:
        return examples
    tables = {name: columns for name, (_, columns) in models.tables_of(model).items() if columns}
    if hidden.table not in tables:
        ending = nearest(hidden.table, tables) or f"; it has {', '.join(sorted(tables)) or 'none'}."
        raise Refusal(f"Hidden: the model of problem {problem.name} has no table '{hidden.table}'{ending}")
    return Hiding(examples, encoded_key(encodable(tables[hidden.table][0])), hidden, problem.split_seed)


def dtypes_of(problem: Problem) -> dict[str, str]:
    """Returns the dtype of each raw feature that a problem's columns read."""
    return {key: str(feature.dtype) for key, feature in problem.raw_features.items()}


def _source(plan: Plan, features: dict[str, str]) -> Source:
    source = Source(plan.problem, features, plan.settings.data_dir, plan.settings.bad_rows)
    source.prepare(plan.settings.download)
    return source


def _model(plan: Plan, problem: Problem) -> keras.Model:
    with without_sources(plan.is_filled):  # a checkpoint has the tables by now, and the source may be gone
        return models.build(problem)


def _folders(run: Run) -> Iterator[str]:
    """Yields where encoded examples may lie: in the run's own folder, and in those of the runs beside it."""
    if not run.path or paths.is_in_bucket(run.path):
        return
    yield run.file(CACHE)
    above = os.path.dirname(run.path)
    for name in paths.names_in(above):
        yield os.path.join(above, name, CACHE)


def _anew(
    plan: Plan, problem: Problem, source: Source, model: keras.Model, digest: str | None, learned: list[Any]
) -> Read:
    halves, meeting = models.halves(model), Meeting(problem)
    is_kept = digest is not None and bool(plan.run.path) and not paths.is_in_bucket(plan.run.path)
    folder = plan.run.file(CACHE, str(digest)) if is_kept else None
    with _refusing_a_full_disk(folder), Draft(folder, plan.settings.cache_bytes) as draft:
        with ReadingProgress("reading", source) as progress:
            data = split.read(
                source, halves.encode, halves.outside, _narrow(problem), draft, meeting.look, meeting.features,
                progress.add,
            )  # fmt: skip
        met = meeting.met()
        bad = source.bad_rows
        if is_kept:
            content = {
                "digest": data.digest,
                "learned": learned,
                "met": meeting.save(draft.file, met),
                "bad": _told(source),
            }
            draft.finish(content)
    return Read(problem, source, model, halves, data, met, bad)


@contextmanager
def _refusing_a_full_disk(folder: str | None) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        place, why = folder or tempfile.gettempdir(), " ".join(str(error).split()).removesuffix(".")
        raise Refusal(
            f"{place}: the encoded rows cannot be kept there ({why}); make room for them, or give another --job-dir."
        ) from None


def _again(
    plan: Plan,
    problem: Problem,
    source: Source,
    model: keras.Model,
    found: tuple[str, Mapping[str, Any]],
    sets: Mapping[str, AnyExamples],
) -> Read:
    folder, content = found
    halves = models.halves(model)
    train, validation = (sets[name] for name in SETS[:2])

    def test() -> AnyExamples:
        if "test" in sets:
            return sets["test"]
        return split.collected(source, "test", halves.encode, halves.outside, _narrow(problem))

    met = Meeting(problem).restored(folder, content["met"])
    bad = _bad_rows(content["bad"], plan.settings.bad_rows or plan.problem.bad_rows)
    return Read(problem, source, model, halves, Data(train, validation, test, content["digest"]), met, bad, True)


def _told(source: Source) -> Any:
    if source.files is None:
        return None
    passes = [each.bad for each in source.files.passes.values()]
    return [{"rows": bad.rows, "found": [dataclasses.asdict(row) for row in bad.found]} for bad in passes]


def _bad_rows(told: Any, limit: Limit) -> BadRows | None:
    """Returns the bad rows that `_told` told of, those of each flag's files judged as when they are read."""
    if told is None:
        return None
    together = BadRows(limit)
    for part in told:
        of_flag = BadRows(limit)
        of_flag.add([BadRow(**row) for row in part["found"]], part["rows"])
        of_flag.end()
        together.found += of_flag.found
        together.rows += of_flag.rows
    return together


def _narrow(problem: Problem) -> list[str]:
    """Returns the encoded features whose ids 32 bits hold."""
    parts = [encodable(column) for column in problem.columns]
    return [encoded_key(part) for part in parts if 0 < getattr(part, "num_buckets", 0) <= SMALL]
