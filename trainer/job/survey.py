"""What a job asks the training rows before it trains: what columns learn from them, and what hashed ones share."""

import dataclasses
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from trainer import vocabulary, warm_start
from trainer.feature_column import CrossedColumn, FeatureColumn, HashBucketColumn
from trainer.feature_column.nested import is_learned
from trainer.feature_column.serialization import encoded_key
from trainer.problem import Problem
from trainer.training.machines import replicas
from trainer.vocabulary import Collisions, KeyCounts, SharedId, texts_of_buckets

NOTICED_SHARE = 0.05
"""The share of rows in buckets of several keys from which on a job says so."""

MOST_KEYS = 1 << 18
"""The different keys of a hashed column up to which they are counted; beyond, its buckets have no labels."""

_NAMED = 3
"""Shared buckets that are named of each column."""


def needs_data(problem: Problem) -> bool:
    """Tells whether a column of the problem has its vocabulary or boundaries still in the data."""
    return not all(map(is_learned, problem.columns))


def found(
    problem: Problem, rows: Iterable[Mapping[str, Any]], tell: Callable[[str], None] = lambda line: None
) -> list[Any]:
    """Returns the vocabularies and boundaries of the training rows, for `fitted`.

    Args:
        problem: With columns that need data, or without.
        rows: The raw features of the training rows, in batches; read once. Of processes in step, those of each.
        tell: Is given a line for each feature whose different values are too many to be counted exactly.

    Raises:
        Refusal: The rows have no value that a column could learn.
    """
    if not needs_data(problem):
        return []
    others = replicas.current()
    return vocabulary.found(problem.columns, rows, tell, others.all_sent if others.count > 1 else None)


def fitted(problem: Problem, values: Sequence[Any]) -> Problem:
    """Returns the problem with the vocabularies and boundaries that `found` has found.

    Raises:
        Refusal: A table cannot start from what it names.
    """
    if not needs_data(problem):
        return problem
    made = problem.with_columns(vocabulary.applied(problem.columns, values))
    for column, *_ in made.embeddings.values():
        if column.ckpt_to_load_from is not None:
            warm_start.check(column)
    return made


@dataclass(frozen=True)
class Met:
    """What hashed columns have met in the training rows.

    Args:
        sharing: Those whose rows are in buckets of several keys to a share worth a notice.
        uncounted: The names of those that have met more keys than are counted.
        keys: By the name of a table on a hashed column or cross, the keys of each of its rows, as one text.
    """

    sharing: Sequence[Collisions] = ()
    uncounted: Sequence[str] = ()
    keys: Mapping[str, Sequence[str]] = field(default_factory=dict)


class Meeting:
    """Counts the keys of a problem's hashed columns; none where the problem makes its model itself.

    A model of one's own may make other features of the data first, and what then reaches its columns is not known.

    Args:
        problem: Whose columns have learned what they need.
    """

    def __init__(self, problem: Problem) -> None:
        parts = _hashed(problem.columns) if problem.model is None else {}
        self._counts = {key: KeyCounts(part, MOST_KEYS) for key, part in parts.items()}
        of_tables = {name: [*_hashed(columns)] for name, columns in problem.embeddings.items() if parts}
        self._tables = {name: [self._counts[key] for key in keys] for name, keys in of_tables.items() if keys}
        self.features = sorted({key for part in parts.values() for key in part.raw_features})

    def look(self, raw: Mapping[str, Any]) -> None:
        """Counts the keys of some training rows."""
        for counts in self._counts.values():
            counts.update(raw)

    def met(self) -> Met:
        """Returns what was met."""
        told = [counts for counts in self._counts.values() if counts.met_any and not counts.is_over]
        every = [counts.collisions(_NAMED) for counts in told]
        sharing = [collisions for collisions in every if collisions.shared_share > NOTICED_SHARE]
        return Met(sharing, [each.column.name for each in self._counts.values() if each.is_over], _Keys(self._tables))

    def save(self, file: Any, met: Met) -> dict[str, Any]:
        """Writes what was met, and returns what `restored` wants of it beside the files.

        Args:
            file: Returns the path of a file by its name.
            met: From `met`.
        """
        for place, counts in enumerate(self._counts.values()):
            if not counts.is_over:
                with pa.OSFile(file(f"keys-{place}.arrow"), "wb") as sink:
                    table = counts.saved()
                    with pa.ipc.new_file(sink, table.schema) as writer:
                        writer.write_table(table)
        over, sharing = [counts.is_over for counts in self._counts.values()], map(dataclasses.asdict, met.sharing)
        return {"sharing": list(sharing), "uncounted": list(met.uncounted), "over": over}

    def restored(self, folder: str, kept: Mapping[str, Any]) -> Met:
        """Returns what was met when the files of a folder were written; they are read when keys are asked for."""

        def fill() -> None:
            for place, counts in enumerate(self._counts.values()):
                path = os.path.join(folder, f"keys-{place}.arrow")
                if os.path.exists(path) and not counts.met_any:
                    with pa.OSFile(path, "rb") as source:
                        counts.restore(pa.ipc.open_file(source).read_all())

        for counts, is_over in zip(self._counts.values(), kept["over"], strict=True):
            counts.is_over = is_over
        return Met([_collisions(each) for each in kept["sharing"]], kept["uncounted"], _Keys(self._tables, fill))


class _Keys(Mapping[str, Sequence[str]]):
    """The keys of each bucket by table, worked out when they are asked for."""

    def __init__(self, counts: Mapping[str, Sequence[KeyCounts]], fill: Callable[[], None] | None = None) -> None:
        self._counts, self._fill = counts, fill

    def __getitem__(self, name: str) -> Sequence[str]:
        if self._fill is not None:
            self._fill()
            self._fill = None
        counts = self._counts[name]
        if any(each.is_over for each in counts):
            raise KeyError(name)
        return texts_of_buckets(counts)

    def __iter__(self) -> Iterator[str]:
        return iter(self._counts)

    def __len__(self) -> int:
        return len(self._counts)


def _collisions(kept: Mapping[str, Any]) -> Collisions:
    shared = [SharedId(each["id"], tuple((key, rows) for key, rows in each["keys"])) for each in kept["shared"]]
    return Collisions(**{**kept, "shared": tuple(shared)})


def _hashed(columns: Iterable[FeatureColumn]) -> dict[str, FeatureColumn]:
    """Returns each hashed column and hashed cross that makes the ids of columns once, by `encoded_key`."""
    found_columns: dict[str, FeatureColumn] = {}
    for column in columns:
        while isinstance(inner := getattr(column, "categorical_column", None), FeatureColumn):
            column = inner
        if isinstance(column, HashBucketColumn) or (isinstance(column, CrossedColumn) and not column.is_bounded):
            found_columns[encoded_key(column)] = column
    return found_columns
