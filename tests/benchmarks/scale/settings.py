"""The jobs that are measured, and what the plan says of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.scale.jobs import IN_STEP, ONE, SERVED
from trainer import feature_column as fc
from trainer.problems import flights
from trainer.scale import Constants, Machine, Table, Way, Work, in_step, one_machine, parameter_servers

HERE = Path(__file__).parent
SIDES: Mapping[str, Mapping[str, int]] = {"one process": ONE, "2 in step": IN_STEP, "1 worker, 2 servers": SERVED}


@dataclass(frozen=True)
class Setting:
    """A job that runs in one way or several.

    Args:
        name: Of the job.
        flags: Of `python -m trainer.task`.
        work: The same for the plan, whose batch is the mean of the job's: the last of an epoch has fewer examples.
        sides: Of `SIDES`.
        bar: The least examples a second of 2 in step over one process; None where nothing is wanted.
    """

    name: str
    flags: tuple[str, ...]
    work: Work
    sides: tuple[str, ...]
    bar: float | None = None

    def planned(self, side: str, constants: Constants) -> Way:
        """Returns what the plan says of a side on this machine, whose two cores workers in step share."""
        local = Machine(network=float("inf"), cores=2)
        if side == "one process":
            return one_machine(self.work, local, constants)
        if side == "2 in step":
            return in_step(self.work, 2, Machine(network=float("inf"), cores=1), constants)
        return parameter_servers(self.work, 1, local, constants, 2)


def of_flights(batch: int) -> Work:
    """Returns the tables of the problem `flights`, those of the linear part with one number a row.

    Their frequencies are taken to be Zipf's.
    """
    deep = [each for each in flights.PROBLEM.dnn_feature_columns if isinstance(each, fc.EmbeddingColumn)]
    wide = [each for each in flights.PROBLEM.linear_feature_columns if isinstance(each, fc.CategoricalColumn)]
    sizes = [(each.categorical_column.num_buckets, each.dimension, "LazyAdam") for each in deep]
    sizes += [(each.num_buckets, 1, "Ftrl") for each in wide]
    tables = [Table(int(rows or 1), int(dimension or 1), 1, name, zipf=1.0) for rows, dimension, name in sizes]
    return Work(tuple(tables), (64, 32), batch, numbers=1)


def settings(is_quick: bool) -> list[Setting]:
    """Returns the jobs."""
    examples, batch, rows = (4096, 512, 1000) if is_quick else (2**20, 8192, 1_000_000)
    tables = ("--problem", f"{HERE}/timed_tables.py", "--examples", str(examples), "--optimizer", "Adagrad")
    both = ("one process", "2 in step")
    of_batch = ("--train-batch-size", str(batch))

    def of(count: int, rows: int, sides: tuple[str, ...], bar: float | None = None) -> Setting:
        name = f"{count} tables of {rows:,} × 16" if count > 1 else f"a table of {rows:,} × 16"
        flags = (*tables, *of_batch, "--tables", str(count), "--rows", str(rows))
        return Setting(name, flags, Work((Table(rows, 16),) * count, (64, 32), batch), sides, bar)

    found = [of(8, rows // 10, (*both, "1 worker, 2 servers"), 0.35), of(1, rows, both)]
    if is_quick:
        return found[1:]
    # An epoch of 247,499 rows is 31 steps.
    of_day = ("--problem", f"{HERE}/timed_flights.py", *of_batch)
    return [Setting("flights", of_day, of_flights(7984), both, 0.6), *found]
