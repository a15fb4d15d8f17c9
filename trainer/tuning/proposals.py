"""What a tuning tries next: the dimensions of tables one by one, or what KerasTuner's oracle proposes."""

import importlib.util
import shutil
import tempfile
import warnings
import weakref
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, final

from trainer.errors import Refusal
from trainer.feature_column.embedding import by_rule
from trainer.flags.pairs import AUTO
from trainer.search import Range, Searched, of_dimension
from trainer.tuning.asked import PROG, Asked
from trainer.tuning.trials import Trial, Values

_DIGITS = 4
"""Of a number that is drawn from a range; more of them say nothing."""


class Proposals(ABC):
    """Proposes values, one after the other."""

    @abstractmethod
    def next(self, done: Sequence[Trial]) -> Values | None:
        """Returns what is tried next, or None at the end.

        Args:
            done: The trials that have ended, in the order in which they were proposed.
        """

    @property
    @abstractmethod
    def most(self) -> int:
        """How many there are at most."""


@final
class Dimensions(Proposals):
    """The dimensions of tables, numbers first, so that the rule of thumb can be told by the rows that were read."""

    def __init__(self, asked: Asked) -> None:
        self._tried = [(table, each) for table in asked.curves for each in _in_order(asked, table)]
        self._place = 0

    @property
    def most(self) -> int:
        """How many there are; the rule of thumb of rows that are not read yet may say one that is tried already."""
        return len(self._tried)

    def next(self, done: Sequence[Trial]) -> Values | None:
        """Returns the next dimension of a table."""
        while self._place < len(self._tried):
            table, dimension = self._tried[self._place]
            self._place += 1
            if dimension is not None:
                return {of_dimension(table): dimension}
            rows = next((each.tables[table][0] for trial in done for each in trial.ran if table in each.tables), None)
            if rows is None:
                return {of_dimension(table): AUTO}
            if (table, by_rule(rows)) not in self._tried:
                return {of_dimension(table): by_rule(rows)}
        return None


def _in_order(asked: Asked, table: str) -> list[int | None]:
    """Returns the dimensions of a table to try, the smallest first, and last what the data are read for."""
    rule = asked.problem.embeddings[table][0].with_dimension(None).dimension
    tried = {rule if each is None else each for each in asked.curves[table]}
    return [*sorted(each for each in tried if each is not None), *([None] if None in tried else [])]


def check_search() -> None:
    """Refuses a search where KerasTuner is not installed.

    Raises:
        Refusal: It is not.
    """
    if importlib.util.find_spec("keras_tuner") is None:
        raise Refusal(
            f"{PROG}: a search takes the package keras-tuner; pip install 'embedding-columns[tune]', or give "
            "--dimension TABLE=2,4,8."
        )


@final
class Search(Proposals):
    """What an oracle of KerasTuner proposes, by what it is told of the trials before.

    It keeps nothing: after an interruption it is asked for the same trials again and told what they have shown.
    """

    def __init__(self, asked: Asked) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of its own, and of what it imports
            import keras_tuner
        self._asked = asked
        folder = tempfile.mkdtemp(prefix="embedding-columns-")  # it keeps copies of what it is told
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self._oracle = _oracle(keras_tuner, asked)
        self._oracle.verbose = 0
        self._oracle._set_project_dir(folder, "oracle")
        self._open: Any = None

    @property
    def most(self) -> int:
        """How many are asked for; there may be fewer different ones."""
        return self._asked.tuning.trials

    def next(self, done: Sequence[Trial]) -> Values | None:
        """Returns what the oracle proposes, once it is told of the last trial."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it asks threads for their names as Python did before
            if self._open is not None:
                self._tell(done[-1])
            self._open = self._oracle.create_trial("tuner")
        if self._open.status != "RUNNING":
            return None
        values = self._open.hyperparameters.values
        return {name: _rounded(values[name], searched) for name, searched in self._asked.search.items()}

    def _tell(self, trial: Trial) -> None:
        # What it proposes may be another with another version of it; what was trained counts.
        self._open.hyperparameters.values = dict(trial.values)
        self._open.status = "FAILED" if trial.mean is None else "COMPLETED"
        if trial.mean is not None:
            self._oracle.update_trial(self._open.trial_id, {self._asked.metric: trial.mean})
        self._oracle.end_trial(self._open)


def _oracle(library: Any, asked: Asked) -> Any:
    names = {"random": "RandomSearchOracle", "bayesian": "BayesianOptimizationOracle", "grid": "GridSearchOracle"}
    space = library.HyperParameters()
    for name, searched in asked.search.items():
        _add(space, name, searched)
    return getattr(library.oracles, names[asked.tuning.oracle])(
        objective=library.Objective(asked.metric, "max" if asked.is_up else "min"),
        max_trials=asked.tuning.trials,
        hyperparameters=space,
        seed=asked.settings.seed + 1,  # for 0 it draws one
        allow_new_entries=False,
        tune_new_entries=False,
        max_consecutive_failed_trials=asked.tuning.trials + 1,
    )


def _add(space: Any, name: str, searched: Searched) -> None:
    if isinstance(searched, Range):
        add = space.Int if searched.is_whole else space.Float
        add(name, searched.low, searched.high, sampling=searched.scale)
    else:
        is_words = isinstance(searched[0], str)
        space.Choice(name, [*searched] if is_words else sorted(searched), ordered=not is_words)


def _rounded(value: Any, searched: Searched) -> Any:
    if not isinstance(searched, Range) or searched.is_whole:
        return value
    return min(max(float(f"{value:.{_DIGITS}g}"), float(searched.low)), float(searched.high))
