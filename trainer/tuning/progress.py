"""What a tuning tells while it goes on: a line a training, and before it what would be tried."""

import statistics

from trainer.declared import value_text
from trainer.flags.pairs import AUTO
from trainer.search import Range, Searched, of_dimension
from trainer.tuning.asked import Asked
from trainer.tuning.trials import Trial, Trials, Values


def number(value: float) -> str:
    """Returns a metric as it is shown.

    Example:
        >>> number(0.98123), number(12345.678)
        ('0.9812', '12,345.7')
    """
    return f"{value:,.1f}" if abs(value) >= 10_000 else f"{value:.4f}"


def told(values: Values) -> str:
    """Returns values as they are read.

    Example:
        >>> told({"dimension.pixel": 8, "learning_rate": 0.003})
        'dimension.pixel 8, learning_rate 0.003'
    """
    return ", ".join(f"{name} {value}" for name, value in values.items())


class Progress:
    """A line for each training of a trial: which of how many, the metric, its seconds, and how long the others take.

    Args:
        asked: Of the tuning.
        most: The trainings in all.
    """

    def __init__(self, asked: Asked, most: int) -> None:
        self._asked, self._most, self._place = asked, most, 0
        self._seconds: list[float] = []

    def tell(self, trial: Trial, seed: int, is_new: bool) -> None:
        """Prints the line of a training.

        Args:
            trial: With what it has shown.
            seed: Of the training.
            is_new: Whether it was trained now, and not before an interruption.
        """
        self._place += 1
        ran = trial.of_seed(seed)
        if ran is None:
            return
        if is_new:
            self._seconds.append(ran.seconds)
        shown = f"failed: {ran.reason}" if ran.value is None else f"{self._asked.metric} {number(ran.value)}"
        seeds = f", seed {seed}" if len(self._asked.seeds) > 1 else ""
        rest = self._most - self._place
        left = f", about {statistics.fmean(self._seconds) * rest:,.0f} s left" if self._seconds and rest else ""
        time = f"{ran.seconds:.1f} s{left}" if is_new else "as before"
        print(f"{self._place} of {self._most}  {told(trial.values)}{seeds}  {shown}  {time}", flush=True)


def show_plan(asked: Asked, trials: Trials) -> None:
    """Prints what would be tried, and where it would be left."""
    before = sum(len(trial.ran) for trial in trials.all)
    print(f"problem {asked.problem.name}: {asked.problem.description}")
    if asked.search:
        print(f"{asked.tuning.trials:,} trials, proposed by KerasTuner's {asked.tuning.oracle} oracle, of")
        for name, searched in asked.search.items():
            print(f"  {name}  {_choices(searched)}")
    for table, dimensions in asked.curves.items():
        tried = ", ".join(AUTO if each is None else str(each) for each in dimensions)
        now = asked.problem.embeddings[table][0].dimension
        print(f"  {of_dimension(table)}  {tried} (declared: {AUTO if now is None else now})")
    seeds = ", ".join(map(str, asked.seeds))
    print(f"each with {'seed' if len(asked.seeds) == 1 else 'seeds'} {seeds}")
    print(f"{asked.metric} decides, {'the highest' if asked.is_up else 'the lowest'}; the test data do not")
    print(f"{before:,} trainings are there already" if before else "no training is there yet")
    print(trials.folder, flush=True)


def _choices(searched: Searched) -> str:
    if isinstance(searched, Range):
        return f"from {searched.low} to {searched.high}{', on a log scale' if searched.scale == 'log' else ''}"
    return ", ".join(value_text([each]) if "," not in str(each) else f"'{each}'" for each in searched)
