"""What a tuning has found: tables of its trials, what it would take, and the test metrics of that, read at last."""

import shlex
import statistics
from collections.abc import Sequence

from trainer import paths
from trainer.feature_column.embedding import by_rule
from trainer.flags import flag_name
from trainer.run import Run
from trainer.settings import PROG
from trainer.side_by_side import PLANTED
from trainer.terminal import aligned, quantity
from trainer.tuning import curve
from trainer.tuning.asked import Asked
from trainer.tuning.progress import number, told
from trainer.tuning.trials import Trial, Trials, best

PICTURE = "dimension.png"


def leave(asked: Asked, trials: Trials, done: Sequence[Trial]) -> None:
    """Prints what was found, and draws it where dimensions were tried.

    Args:
        asked: Of the tuning.
        trials: Of its folder.
        done: The trials that have ended, of which one at least was trained.
    """
    ran = next(each for trial in done for each in trial.ran if each.value is not None)
    stored = Run(paths.join(trials.folder, ran.run)).read_json("settings.json")
    if stored["data"]["name"] == PLANTED:
        print(f"planted data, not real: what {ran.run} has printed tells why")
    if asked.search:
        taken = _tell_search(asked, done)
    else:
        curves = [curve.of(asked, table, done) for table in asked.curves]
        for each in curves:
            _tell_curve(asked, each)
        picture = paths.join(trials.folder, PICTURE)
        curve.draw([each for each in curves if each.points], asked, picture)
        print(f"drawn in {picture}")
        taken = [each.smallest for each in curves if each.smallest is not None]
    for trial in taken:
        _tell_taken(asked, trials, trial)


def _tell_search(asked: Asked, done: Sequence[Trial]) -> list[Trial]:
    sign = -1 if asked.is_up else 1
    ordered = sorted(done, key=lambda each: float("inf") if each.mean is None else sign * each.mean)
    names = [*asked.search]
    rows = [["trial", *names, asked.metric, "seconds"]]
    for trial in ordered:
        values = [str(trial.values.get(name, "")) for name in names]
        rows.append([str(trial.number), *values, _found(trial), f"{sum(each.seconds for each in trial.ran):.1f}"])
    print("\n".join(["", *aligned(rows, range(len(rows[0])))]))
    found = best(done, asked.is_up)
    return [] if found is None else [found]


def _tell_curve(asked: Asked, found: curve.Curve) -> None:
    table = found.table
    rows = [["dimension", "rows × dimension", "bytes", asked.metric, ""]]
    for point in found.trials:
        count, dimension, size = found.shape(point)
        marks = found.marks(point)
        rows.append([
            "auto" if dimension is None else str(dimension),
            "" if dimension is None else f"{count:,} × {dimension}",
            "" if dimension is None else quantity(count * dimension * size),
            _found(point),
            "; ".join(marks),
        ])  # fmt: skip
    seeds = len(asked.seeds)
    print(f"\ntable {table}: {asked.metric}, {f'mean ± spread of {seeds} seeds' if seeds > 1 else 'of one seed'}")
    print("\n".join(aligned(rows, range(4))))
    if found.rows is not None and not found.has_rule:
        rule = by_rule(found.rows)
        print(f"the fourth root of {found.rows:,} rows is {rule}, which was not tried; add auto")
    if found.best is not None and len(found.points) > 1 and found.best is found.points[-1]:
        print("the best is the largest that was tried; larger ones may be better")
    if found.noise is None:
        print("one seed does not tell what is noise; --seeds 3 does")
    else:
        print(f"noise of a difference: {number(found.noise)}, from how far other seeds lie apart")


def _tell_taken(asked: Asked, trials: Trials, trial: Trial) -> None:
    print(f"\ntaken: {told(trial.values)}, by {asked.metric} {_found(trial)}; validation alone has decided")
    metrics = [Run(paths.join(trials.folder, each.run)).read_json("metrics.json") for each in trial.ran]
    names = [name for name in metrics[0] if f"validation_{name}" in metrics[0] and name != "examples"]
    shown = "  ".join(f"{name} {number(statistics.fmean(each[name] for each in metrics))}" for name in sorted(names))
    print(f"test metrics of it, which decided nothing: {shown}")
    words = [word for name, value in trial.values.items() for word in flags_of(name, value)]
    print(f"{PROG} {shlex.join([*asked.argv, *words])}")


def flags_of(name: str, value: object) -> list[str]:
    """Returns the flag of a value as a person writes it.

    Example:
        >>> flags_of("dimension.day_hour", 8), flags_of("learning_rate", 0.003)
        (['--dimension', 'day_hour=8'], ['--learning-rate', '0.003'])
    """
    flag, dot, table = name.partition(".")
    return [flag_name(flag), f"{table}={value}" if dot else str(value)]


def _found(trial: Trial) -> str:
    if trial.mean is None:
        return "failed"
    return number(trial.mean) if trial.spread is None else f"{number(trial.mean)} ± {number(trial.spread)}"
