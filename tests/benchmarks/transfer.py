"""What a carried table is worth in a new city: `python -m tests.benchmarks.transfer` (20 minutes on 2 cores).

Bikes: the tables `day_hour` and `month` of the problem `bikes` are trained on all of London and carried to Washington,
where the first 1 to 56 days after a start date are known; the score is the root mean squared error over the mean count
of the 56 days after those, the mean over start dates. Flights: `day_hour` of JFK, January to June, is carried to LGA,
where dates start in July; the score is the log loss of a departure more than 15 minutes late, in nats.

Beside the carried tables, frozen or trained on, stand the same model from scratch, and two tables of means: of the 7 by
24 cells of a week, and of the 2 by 24 of a working day and a weekend. A cell without a row takes its hour's mean, an
hour without one that of all; for flights one row of the coarser mean is added to each, since the log loss of a cell
without a late flight has no bound.

The settings, those of the peers too, were chosen on other start dates, which `--choosing` shows: 40 of them, none
within 3 days of the 20 that are reported. They are other windows of the same two years, so most days that are judged
on here are in one of those windows too.
"""

import argparse
import dataclasses
import json
import os
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from trainer import feature_column as fc
from trainer import models, tables
from trainer.encoding.coded import decoded
from trainer.heads import BinaryHead, PoissonRegressionHead, RegressionHead
from trainer.inputs.examples import Source
from trainer.problem import Files, Problem
from trainer.problems import bikes
from trainer.tables import Table

Array = np.ndarray[Any, np.dtype[Any]]

DAYS_KNOWN = (1, 3, 7, 14, 28, 56)
DAYS_AFTER = 56
REPORTED, CHOOSING = (2026, 20), (1, 40)
"""Seed and number of start dates."""
APART = 3
HALF_YEAR = 181


@dataclass(frozen=True)
class Rows:
    """The hours, or the flights, of a city.

    Args:
        features: By key, each `(rows,)`.
        labels: `(rows,)`.
        dates: `(rows,)`: days after the first.
    """

    features: Mapping[str, Array]
    labels: Array
    dates: Array

    def between(self, first: int, last: int) -> "Rows":
        """Returns the rows from one day up to, and without, another."""
        kept = (self.dates >= first) & (self.dates < last)
        return Rows({key: values[kept] for key, values in self.features.items()}, self.labels[kept], self.dates[kept])

    def cells(self, days_of_week: int) -> Array:
        """Returns the hour of the week, of 7 days or of a working day and a weekend, `(rows,)`."""
        days = np.array([bikes.DAYS.index(day) for day in self.features["day"]])
        days = days if days_of_week == 7 else (days > 4).astype(np.int64)
        return np.asarray(24 * days + self.features["hour"])


@dataclass(frozen=True)
class Variant:
    """A way to learn from few days.

    Args:
        problem: Its columns and optimizers.
        batch_size: Rows a step.
        epochs: Passes over the rows known.
        target: Of the labels and their mean, what the model learns.
        predict: Of logits and that mean, what it predicts.
    """

    problem: Problem
    batch_size: int
    epochs: int
    target: Callable[[Array, float], Array]
    predict: Callable[[Array, float], Array]


@dataclass(frozen=True)
class Study:
    """A table that is carried from one place to another."""

    name: str
    source: Rows
    target: Rows
    learned: Variant
    variants: Callable[[str], Mapping[str, Variant]]
    score: Callable[[Array, Array], float]
    prior: float
    first_start: int = 0


def counts(problem: Problem, batch_size: int, epochs: int) -> Variant:
    """Returns a variant that learns a logarithm of the count over its mean."""
    of_mean = dataclasses.replace(problem, head=PoissonRegressionHead(mean=1.0))
    return Variant(of_mean, batch_size, epochs, lambda y, m: y / m, lambda z, m: m * np.exp(z))


def squares(problem: Problem, batch_size: int, epochs: int) -> Variant:
    """Returns a variant that learns the count over its mean, less one, by its squared error."""
    linear = dataclasses.replace(problem, head=RegressionHead())
    return Variant(linear, batch_size, epochs, lambda y, m: y / m - 1, lambda z, m: m * np.maximum(z + 1, 0))


def chances(problem: Problem, batch_size: int, epochs: int) -> Variant:
    """Returns a variant that learns a chance; a logit of 0 is the mean chance."""

    def predict(logits: Array, mean: float) -> Array:
        return np.asarray(1 / (1 + np.exp(-logits)))

    return Variant(problem, batch_size, epochs, lambda y, m: y, predict)


def trained(variant: Variant, model: keras.Model, rows: Rows) -> None:
    """Trains a compiled model on the rows that are known."""
    labels = variant.target(rows.labels, float(rows.labels.mean())).astype(np.float32)
    data = tf.data.Dataset.from_tensor_slices((dict(rows.features), labels))
    data = data.shuffle(len(labels), seed=1).batch(variant.batch_size).repeat(variant.epochs)
    model.fit(data, verbose=0, shuffle=False)


def predicted(variant: Variant, model: keras.Model, rows: Rows, mean: float) -> Array:
    """Returns what a model predicts of rows, `(rows,)`."""
    features = {tensor.name: tf.constant(rows.features[tensor.name]) for tensor in model.inputs}
    return variant.predict(np.asarray(model(features))[:, 0].astype(np.float64), mean)


def left(study: Study, folder: str) -> None:
    """Trains the source's model, and leaves its tables as a run does."""
    keras.utils.set_random_seed(0)
    steps = study.learned.epochs * -(-len(study.source.labels) // study.learned.batch_size)
    model = models.build(study.learned.problem, steps)
    trained(study.learned, model, study.source)
    found = models.tables_of(model).items()
    tables.write(folder, [Table(name, layer.values, columns[0]) for name, (layer, columns) in found])


def plain(known: Rows, after: Rows, days_of_week: int, prior: float) -> Array:
    """Returns the means of the known rows for the cells of others: of a cell, else of its hour, else of all.

    Args:
        known: The rows to take means of.
        after: The rows to predict.
        days_of_week: 7, or 2 for a working day and a weekend.
        prior: How many rows of its hour's mean are added to a cell, and of all rows' mean to an hour; with 0 a cell of
            no row takes its hour's mean.
    """
    cells = known.cells(days_of_week)
    of_hour = _means(cells % 24, known.labels, prior, np.full(24, known.labels.mean()))
    of_cell = _means(cells, known.labels, prior, np.tile(of_hour, days_of_week))
    return np.asarray(of_cell[after.cells(days_of_week)])


def _means(keys: Array, values: Array, prior: float, otherwise: Array) -> Array:
    counts = np.bincount(keys, minlength=len(otherwise)) + prior
    sums = np.bincount(keys, values, len(otherwise)) + prior * otherwise
    return np.asarray(np.where(counts > 0, sums / np.maximum(counts, 1e-9), otherwise))


def starts(days: tuple[int, int], seed: int, number: int, without: Sequence[int] = ()) -> list[int]:
    """Returns start dates between two days, with room for all that follows before the last."""
    room = np.arange(days[0], days[1] + 1 - max(DAYS_KNOWN) - DAYS_AFTER + 1)
    room = room[[all(abs(day - other) > APART for other in without) for day in room]]
    return [
        int(day) for day in np.sort(np.random.default_rng(seed).choice(room, min(number, len(room)), replace=False))
    ]


def scores(study: Study, folder: str, first_days: Sequence[int], known: Sequence[int]) -> dict[str, Array]:
    """Returns the score of each variant, `(known, starts)`."""
    windows = [
        [(study.target.between(s, s + n), study.target.between(s + n, s + n + DAYS_AFTER)) for s in first_days]
        for n in known
    ]
    found = {}
    for days, name in ((7, "table of 7 by 24 means"), (2, "table of 2 by 24 means")):
        means = [[study.score(plain(*pair, days, study.prior), pair[1].labels) for pair in row] for row in windows]
        found[name] = np.array(means)
    for name, variant in study.variants(folder).items():
        start = time.perf_counter()
        keras.utils.set_random_seed(0)
        model = models.build(variant.problem)
        model.optimizer.build(model.trainable_variables)
        variables = [*model.variables, *model.optimizer.variables]
        fresh = [variable.numpy() for variable in variables]
        found[name] = np.zeros((len(known), len(first_days)))
        for place in np.ndindex(*found[name].shape):
            for variable, value in zip(variables, fresh, strict=True):
                variable.assign(value)
            few, after = windows[place[0]][place[1]]
            trained(variant, model, few)
            expected = predicted(variant, model, after, float(few.labels.mean()))
            found[name][place] = study.score(expected, after.labels)
        line = "".join(f"{value:9.4f}" for value in found[name].mean(axis=1))
        print(f"  {name:<34}{line}   {time.perf_counter() - start:5.0f} s", flush=True)
    return found


def bike_rows(file: str) -> Rows:
    """Returns all hours of a city's file."""
    problem = dataclasses.replace(bikes.problem(), dataset=Files(file))
    keys = {"date": "string", "day": "string", "hour": "int64", "month": "int64"}
    return _rows(Source(problem, keys, "data"))


def flight_rows(airport: str, data_dir: str) -> Rows:
    """Returns all flights of 2013 from an airport; in the order of dates, a new weekday is a new date."""
    problem = Problem(f"nyc_flights/{airport}", linear_feature_columns=[bikes.hour], label="late")
    source = Source(problem, {"day": "string", "hour": "int64"}, data_dir)
    source.prepare()
    found = _rows(source)
    days = np.asarray(found.features["day"])
    return dataclasses.replace(found, dates=np.cumsum(np.concatenate([[0], days[1:] != days[:-1]])))


def _rows(source: Source) -> Rows:
    splits = ("train", "test") if source.files is None else ("train",)  # which has all rows of files
    batches = [batch for split in splits for batch in source.batches(split)]
    read = [{key: decoded(batch[0][key]).numpy().reshape(-1) for key in source.features} for batch in batches]
    features = {key: np.concatenate([each[key] for each in read]) for key in source.features}
    features = {key: values.astype(str) if values.dtype == object else values for key, values in features.items()}
    dates = features.pop("date", np.zeros(0))
    days = np.array([date.fromisoformat(text).toordinal() for text in dates])
    labels = np.concatenate([batch[1].numpy() for batch in batches])[:, 0].astype(np.float64)
    return Rows(features, labels, days - days.min() if len(days) else days)


def over_mean(expected: Array, labels: Array) -> float:
    """Returns the root mean squared error over the mean."""
    return float(np.sqrt(np.mean((expected - labels) ** 2)) / labels.mean())


def log_loss(expected: Array, labels: Array) -> float:
    """Returns the log loss in nats; a chance is kept from 0 and 1 by a millionth."""
    expected = np.clip(expected, 1e-6, 1 - 1e-6)
    return float(-np.mean(labels * np.log(expected) + (1 - labels) * np.log(1 - expected)))


def carried(problem: Problem, folder: str, frozen: Sequence[str] = ()) -> Problem:
    """Returns a problem whose tables start from those of a run."""
    return problem.replacing(
        lambda column: dataclasses.replace(
            column, ckpt_to_load_from=folder, trainable=column.trainable and column.table not in frozen
        )
    )


def bike_variants(folder: str) -> dict[str, Variant]:
    """Returns the ways to learn a city's hours from few days; the peers have settings of their own."""
    few = bikes.problem(first_days=7)
    alone = few.replacing(
        lambda column: dataclasses.replace(column, ckpt_to_load_from=folder if column.table == "day_hour" else None)
    )

    def scratch(table: float, wide: float) -> Problem:
        return dataclasses.replace(few, table_optimizers={"day_hour": ("SGD", table)}, linear_learning_rate=wide)

    size = (few.train_batch_size, few.num_epochs)
    return {
        "warm-started and trained on": counts(carried(few, folder), *size),
        "frozen": counts(carried(few, folder, ["day_hour"]), *size),
        "warm-started, day_hour alone": counts(alone, *size),
        "from scratch, squared error": squares(scratch(0.25, 0.5), 16, 25),
        "from scratch, Poisson": counts(scratch(0.3, 0.8), 48, 75),
    }


def flight_problem(table: str, rate: float, wide: float | None) -> Problem:
    """Returns the chance of a late flight from the hour of the week, as weights."""
    weights = fc.embedding_column(fc.crossed_column([bikes.day, bikes.hour]), 1, initializer="zeros", name="day_hour")
    columns = (weights,) if wide is None else (bikes.hour, weights)
    return Problem(
        dataset=lambda split: None,
        linear_feature_columns=columns,
        head=BinaryHead(),
        linear_optimizer="Adagrad",
        linear_learning_rate=wide or 0.1,
        table_optimizers={"day_hour": (table, rate)},
    )


def flight_variants(folder: str) -> dict[str, Variant]:
    """Returns the ways to learn an airport's week from few days."""
    warm = flight_problem("Adagrad", 0.03, 0.12)
    return {
        "warm-started and trained on": chances(carried(warm, folder), 256, 20),
        "frozen": chances(carried(warm, folder, ["day_hour"]), 256, 20),
        "from scratch": chances(flight_problem("Adagrad", 0.03, 0.12), 256, 20),
    }


def studies(flags: argparse.Namespace) -> list[Study]:
    """Returns the studies that are asked for."""
    found = []
    if flags.only in "bikes":
        london, washington = (
            bike_rows(str(Path(flags.bikes, f"{city}_hourly_counts.csv.gz"))) for city in ("london", "dc")
        )
        source = bikes.problem()
        learned = counts(source, source.train_batch_size, source.num_epochs)
        found.append(Study("bikes", london, washington, learned, bike_variants, over_mean, 0.0))
    if flags.only in "flights":
        jfk, lga = (flight_rows(airport, flags.data_dir) for airport in ("JFK", "LGA"))
        learned = chances(flight_problem("Adagrad", 0.1, None), 256, 5)
        half = jfk.between(0, HALF_YEAR)
        found.append(Study("flights", half, lga, learned, flight_variants, log_loss, 1.0, HALF_YEAR))
    return found


def show(found: Mapping[str, Array], known: Sequence[int]) -> None:
    """Prints the means, and how much better the warm start is than each peer."""
    print("\n  " + " " * 34 + "".join(f"{days:>9}" for days in known) + "   days known")
    for name, values in found.items():
        print(f"  {name:<34}" + "".join(f"{value:9.3f}" for value in values.mean(axis=1)))
    warm = found["warm-started and trained on"]
    for name, values in found.items():
        if values is not warm:
            gains = 100 * (1 - warm.mean(axis=1) / values.mean(axis=1))
            print(f"  better than {name:<22}" + "".join(f"{gain:8.1f}%" for gain in gains))
            wins = (warm < values).sum(axis=1)
            print(f"  {'starts won':<34}" + "".join(f"{won:6}/{warm.shape[1]}" for won in wins), flush=True)


def main() -> None:
    """Runs the studies, prints their tables, and writes them as JSON where asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    folder = os.environ.get("TRAINER_TEST_DATA")
    parser.add_argument("--only", default="", choices=["", "bikes", "flights"])
    parser.add_argument("--bikes", default=f"{folder}/bikes" if folder else "data/manual", help="the cities' files")
    parser.add_argument("--data-dir", default="data", help="where nyc_flights is prepared")
    parser.add_argument("--choosing", action="store_true", help="the start dates that settings were chosen on")
    parser.add_argument("--quick", action="store_true", help="two starts of 1 and 7 days: shows that it runs")
    parser.add_argument("--json", type=Path)
    flags = parser.parse_args()
    known = (1, 7) if flags.quick else DAYS_KNOWN
    results = {}
    for study in studies(flags):
        days = study.first_start, int(study.target.dates.max())
        first_days = starts(days, *REPORTED)
        if flags.choosing:
            first_days = starts(days, *CHOOSING, without=first_days)
        first_days = first_days[:2] if flags.quick else first_days
        print(
            f"\n{study.name}: {len(first_days)} start dates, {len(study.source.labels):,} rows to carry from",
            flush=True,
        )
        with tempfile.TemporaryDirectory() as folder:
            left(study, folder)
            found = scores(study, folder, first_days, known)
        show(found, known)
        results[study.name] = {name: values.tolist() for name, values in found.items()}
    if flags.json:
        flags.json.write_text(json.dumps({"days": known, **results}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
