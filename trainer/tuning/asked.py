"""What `python -m trainer tune` can be told, and what it is asked for."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from trainer import flags
from trainer import problem as problems
from trainer import search as searches
from trainer import settings as task
from trainer.errors import Refusal
from trainer.flags import flag, pairs
from trainer.heads import goals
from trainer.problem import Problem
from trainer.search import Searched
from trainer.settings import Settings
from trainer.terminal import load_tensorflow

PROG = "python -m trainer tune"
DESCRIPTION = f"""Trains a problem once for each value and seed on the same split, and tells what validation finds best.

  {PROG} --problem flights --dimension day_hour=2,4,8,16,auto
  {PROG} --problem flights --trials 30

Several dimensions of a table are tried one by one, all else as it is declared or given; of several tables one table
after the other, not each with each. Without them it searches what the problem declares as search=, but for what a
flag says. Called again, the same command goes on where it was interrupted. Only validation decides."""

ORACLES = ("random", "bayesian", "grid")
SEEDS_OF_DIMENSIONS = 3
_NOT_OURS = (
    *("job_dir", "resume", "allow_changed", "settings", "baselines", "projector_every_epochs", "projector_examples"),
    *("start_seconds", "peer_seconds"),
)
"""Flags of the task that say something of one run, of what trials do not leave, or of several machines."""


@dataclass(frozen=True)
class Tuning:
    """The flags of the verb beside those of the task."""

    dimension: tuple[str, ...] = flag(
        (),
        "the dimensions of a table to try, auto for the fourth root of its rows; a single one is given to all "
        "trials; repeatable",
        "TABLE=N,N,…",
        group="tuning",
        is_pair=True,
    )
    seeds: int | None = flag(
        None, "trainings of each value, with other seeds (default 3 for dimensions, 1 for a search)", "N", 1,
        group="tuning",
    )  # fmt: skip
    metric: str | None = flag(
        None,
        "the validation metric that decides, METRIC:max or :min where it does not say which (default: the first of "
        "the problem's head)",
        "METRIC",
        group="tuning",
    )
    trials: int = flag(10, "how many values a search tries", "N", least=1, group="tuning")
    oracle: str = flag(
        "bayesian", f"how a search goes on: {', '.join(ORACLES)}", "NAME", choices=ORACLES, group="tuning"
    )
    tune_dir: str | None = flag(
        None, "where the trials' runs and what is found are left (default runs/PROBLEM-tune)", "DIR", group="tuning"
    )
    dry_run: bool = flag(False, "tell what would be tried and write nothing", group="tuning")
    overwrite: bool = flag(False, "begin anew where the folder holds a tuning", group="tuning")


_OWN = {each.name for each in dataclasses.fields(Tuning)} - {each.name for each in dataclasses.fields(Settings)}


@dataclass(frozen=True)
class Asked:
    """What a tuning is asked for.

    Args:
        tuning: Its flags.
        argv: The flags of the task that all trials have.
        settings: What these say.
        problem: As they change it.
        curves: By table, the dimensions to try; None is that of the rule of thumb.
        search: What a search tries; empty where dimensions are tried.
        metric: The validation metric that decides, as "validation_auc".
        is_up: Whether more of it is better.
    """

    tuning: Tuning
    argv: tuple[str, ...]
    settings: Settings
    problem: Problem
    curves: Mapping[str, Sequence[int | None]] = field(hash=False)
    search: Mapping[str, Searched] = field(hash=False)
    metric: str
    is_up: bool

    @property
    def seeds(self) -> range:
        """The seeds of the trainings of each value."""
        count = self.tuning.seeds or (SEEDS_OF_DIMENSIONS if self.curves else 1)
        return range(self.settings.seed, self.settings.seed + count)

    @property
    def folder(self) -> str:
        """Where it is left."""
        return self.tuning.tune_dir or f"runs/{self.problem.name}-tune"


def read(argv: Sequence[str]) -> Asked:
    """Returns what a command line asks for; `--help` prints and exits with 0.

    Raises:
        Refusal: A flag cannot be used, a table is not there, or there is nothing to try.
    """
    from trainer.job.plan import with_settings  # --help is answered without it

    first = flags.glance(Settings, argv, ["problem", "verbose"])
    name = first.get("problem", Settings.problem)
    if name.endswith(".py"):
        load_tensorflow(first.get("verbose", False))  # a file of one's own may import it
    own = problems.flags_of(name)
    for argument in {each.name for each in dataclasses.fields(own or Settings)} & _OWN:
        raise Refusal(f"--problem: {name} has an argument '{argument}', which is a flag of tune; rename the argument.")
    of_task: list[type[Any]] = [Settings] if own is None else [Settings, own]
    given = flags.parse(flags.together("Tuning", [Tuning, *of_task, Tuning], _NOT_OURS), argv, PROG, DESCRIPTION)
    tuning = Tuning(**{each.name: given[each.name] for each in dataclasses.fields(Tuning) if each.name in given})
    fixed, curves = _dimensions(tuning.dimension)
    words = [*_of_task(argv), *(f"--dimension={text}" for text in fixed)]
    settings = task.from_argv(words, problems.flags_of, problems.names())
    declared = problems.load(settings.problem, settings.problem_arguments)
    with_settings(declared, dataclasses.replace(settings, dimension=(*fixed, *(f"{table}=1" for table in curves))))
    problem = with_settings(declared, settings)
    _check_kind(curves, given)
    search = {} if curves else _search(problem, flags.together("Settings", of_task), words)
    metric, is_up = goals.goal("--metric", tuning.metric, problem.head)
    return Asked(tuning, tuple(words), settings, problem, curves, search, f"validation_{metric}", is_up)


def _of_task(argv: Sequence[str]) -> list[str]:
    """Returns the words of the task alone, as they were typed."""
    bare = [each.name for each in dataclasses.fields(Tuning) if each.default is False]
    valued = [each.name for each in dataclasses.fields(Tuning) if each.default is not False]
    dropped = {flags.flag_name(name) for name in bare}
    return [word for word in flags.without(argv, valued) if word.replace("_", "-") not in dropped]


def _dimensions(texts: Sequence[str]) -> tuple[list[str], dict[str, list[int | None]]]:
    """Returns what all trials are given, as it was, and the dimensions to try by table."""
    fixed, curves = [], {}
    for text in texts:
        table, given = pairs.pair("--dimension", "N,N,…", text)
        tried = [pairs.dimension("--dimension", f"{table}={part.strip() or part}")[1] for part in given.split(",")]
        if len(set(tried)) < len(tried) or table in curves:
            raise Refusal(f"--dimension: table '{table}' or one of its dimensions is given twice; give each once.")
        if len(tried) == 1:
            fixed.append(text)
        else:
            curves[table] = tried
    return fixed, curves


def _check_kind(curves: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    for name in ("trials", "oracle"):
        if curves and name in given:
            raise Refusal(
                f"--{name}: it is of a search, and --dimension says all that is tried; leave one of them out."
            )


def _search(problem: Problem, everything: type[Any], words: Sequence[str]) -> dict[str, Searched]:
    if not problem.search:
        raise Refusal(
            f"{PROG}: problem {problem.name} searches nothing; give --dimension TABLE=2,4,8, or write what to search "
            'in its Problem(…), as in search={"learning_rate": Range(1e-4, 1e-1, scale="log")}, with Range from '
            "trainer.problem."
        )
    search = searches.left(problem.search, everything, words)
    if not search:
        raise Refusal(
            f"{PROG}: the flags say all that problem {problem.name} searches ({', '.join(problem.search)}); leave one "
            "of them out."
        )
    return search
