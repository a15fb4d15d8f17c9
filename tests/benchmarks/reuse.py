"""What vectors of words are worth to problem `homes`: `python -m tests.benchmarks.reuse HOMES.csv.gz SOURCE[#TABLE]`.

SOURCE is a run of problem `words` or any file of vectors, such as word2vec's. Homes are trained on 300, 1,000, 5,000
and all rows but a fifth, which is drawn once and is what all are tested on; each seed draws other rows to train on, and
a part of these is for validation. The score is r2 of the logarithm of the price. What is compared:

- `3 from scratch`: the problem as it is; its one table holds words and pairs of words that five training rows have;
- `D from scratch`: the same with as many numbers as the source has;
- `D carried, frozen` and `D carried, trained on`: what `--dimension word=D --warm-start word=SOURCE` does, with and
  without `--freeze word`: words take the source's rows by key. A source of words has no pairs, so these keep what they
  were drawn as, frozen too; and what fewer than five training rows have is out of the vocabulary all the same;
- `D beside, frozen`: the problem as it is, and in a second table every word of the source that any home has, whether
  the training rows have it or not; `8 beside, frozen` is the same in the first 8 principal components. That is what
  vectors of words are carried for: a word of few homes says something by its neighbours.

The bag of a description is `sqrtn` in the problem's own table, so that a long one is not a short one times a factor, as
with `sum`, and still says more than a short one, as with `mean`. Beside it the mean of rows of length 1 is taken:
lengths are of the source, not of homes, and a hundred numbers of that size drown the three that are learned. All choose
among some learning rates of the table of words and, below 10,000 rows, whether half of the hidden layer is dropped: for
each number of rows the setting is taken whose r2 on validation rows is best in the mean of the seeds. With few rows
the others are the same for all too: more epochs, more patience, smaller batches.
"""

import argparse
import contextlib
import csv
import dataclasses
import gzip
import io
import itertools
import json
import re
import statistics
import tempfile
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trainer import feature_column as fc
from trainer import models
from trainer.feature_column.starting import source_of
from trainer.job import steps
from trainer.job.learning import learned
from trainer.job.plan import Plan, with_settings
from trainer.job.tables import trained_rows
from trainer.problem import Problem
from trainer.problems import homes
from trainer.run import Run
from trainer.settings import Settings
from trainer.terminal import load_tensorflow
from trainer.vectors import LabelledVectors

ROWS = (300, 1_000, 5_000, 0)
"""How many are known; 0 is all."""
TEST_SHARE, TEST_SEED = 0.2, 2026
LEAST_VALIDATION = 100
FEW = 10_000
"""Rows below which settings are those for few."""
COMPONENTS = 8
WORD = "word"


@dataclass(frozen=True)
class Variant:
    """A way to make the problem.

    Args:
        name: What is printed.
        rates: The learning rates that are tried of the problem's own table of words; of no use where it is frozen.
        dimension: Whether that table has the source's dimension.
        carried: Whether it starts from the source.
        frozen: Whether it then stays so.
        beside: Of how many numbers the second table is that starts from the source; 0 is none, -1 is all it has.
    """

    name: str
    rates: Sequence[float]
    dimension: bool = False
    carried: bool = False
    frozen: bool = False
    beside: int = 0


VARIANTS = (
    Variant("3 from scratch", (2.0, 0.5)),
    Variant("D from scratch", (0.5, 0.1), dimension=True),
    Variant("D carried, frozen", (0.0,), dimension=True, carried=True, frozen=True),
    Variant("D carried, trained on", (0.1, 0.02), dimension=True, carried=True),
    Variant("D beside, frozen", (2.0, 0.5), beside=-1),
    Variant(f"{COMPONENTS} beside, frozen", (2.0, 0.5), beside=COMPONENTS),
)


def opened(given: str, words: Collection[str]) -> LabelledVectors:
    """Returns the vectors of a source, SOURCE[#TABLE], of those words that it has."""
    place, _, table = given.partition("#")
    vectors = LabelledVectors.load(place, table or None)
    known = [word for word in vectors.keys if word in words]
    return LabelledVectors(known, vectors[known], WORD)


def reduced(source: LabelledVectors, dimension: int) -> LabelledVectors:
    """Returns rows of length 1, in their first principal components where fewer numbers are wanted than they have."""
    rows = source.matrix / np.linalg.norm(source.matrix, axis=1, keepdims=True)
    units = LabelledVectors(source.keys, rows)
    return units if dimension < 0 else LabelledVectors(source.keys, units.pca(dimension).scores)


def problem(variant: Variant, source: LabelledVectors, rate: float, dropout: float | None, rows: int) -> Problem:
    """Returns the problem as a variant makes it, for so many rows."""
    made = homes.problem()
    columns: list[Any] = list(made.dnn_feature_columns)
    if variant.dimension:
        columns[0] = dataclasses.replace(columns[0], dimension=source.dimension)
    if variant.carried:
        columns[0] = dataclasses.replace(columns[0], ckpt_to_load_from=source_of(source), trainable=not variant.frozen)
    if variant.beside:
        start = reduced(source, variant.beside)
        words = fc.categorical_column_with_vocabulary_list("name", list(source.keys), tokenize=fc.Tokens(homes._WORD))
        table = fc.embedding_column(words, start.dimension, "mean", ckpt_to_load_from=start, name="carried")
        columns.append(dataclasses.replace(table, trainable=False))
    few = rows < FEW
    return dataclasses.replace(
        made,
        dnn_feature_columns=columns,
        dnn_dropout=dropout,
        table_optimizers={} if variant.frozen else {WORD: ("Adagrad", rate)},
        # An epoch of few rows has few steps.
        num_epochs=100 if few else made.num_epochs,
        patience=10 if few else made.patience,
        train_batch_size=32 if rows <= 1_000 else 128 if few else made.train_batch_size,
        name="homes",
    )


def trained(made: Problem, train: Path, test: Path, share: float, seed: int) -> dict[str, Any]:
    """Trains it and returns r2 on the validation and on the test rows, and what met of the words."""
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        settings = Settings(
            "homes",
            train_files=str(train),
            eval_files=str(test),
            validation_share=share,
            seed=seed,
            split_seed=seed,
            checkpoint_seconds=3600.0,
        )
        start = time.perf_counter()
        work = steps.opened(Plan(settings, with_settings(made, settings), Run(str(Path(folder, "run")))))
        _, metrics = learned(work, {})
    layer, columns = models.tables_of(work.model)[WORD]
    met = layer.warm_started
    known = {} if met is None else {"matched": met.share(trained_rows(layer, columns, work.data.train))}
    found = {"validation": metrics["validation_r2"], "test": metrics["r2"], "seconds": time.perf_counter() - start}
    return {**found, "epoch": metrics.get("best_epoch"), **known}


def split(file: str) -> tuple[list[str], list[list[str]], list[list[str]]]:
    """Returns the header, the rows to train on, and those to test on."""
    with gzip.open(file, "rt", encoding="utf-8", newline="") as text:
        header, *rows = csv.reader(text)
    order = np.random.default_rng(TEST_SEED).permutation(len(rows))
    tested = int(TEST_SHARE * len(rows))
    return header, [rows[place] for place in order[tested:]], [rows[place] for place in order[:tested]]


def written(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> Path:
    """Writes rows as CSV, and returns where."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def drawn(rows: Sequence[Sequence[str]], count: int, seed: int) -> list[Sequence[str]]:
    """Returns so many rows, those of a smaller number among those of a larger one; 0 is all."""
    places = np.random.default_rng(seed).permutation(len(rows))
    return [rows[place] for place in (places[:count] if count else places)]


def said(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Returns the words of descriptions, each as often as it is there."""
    column = list(header).index("name")
    return [word for row in rows for word in re.findall(homes._WORD, row[column].lower())]


def compared(
    variant: Variant, source: LabelledVectors, files: Mapping[int, Path], test: Path, count: int, rows: int
) -> dict[str, Any]:
    """Trains a variant on the files of each seed, and returns what the settings that are best on validation are worth.

    Args:
        variant: What is trained.
        source: The vectors.
        files: To train on, by seed.
        test: To test on.
        count: How many rows a file of `files` has.
        rows: The same as it was asked for; 0 is all.
    """
    share = max(0.1, min(1 / 3, LEAST_VALIDATION / count))
    every = {
        (rate, dropout): [
            trained(problem(variant, source, rate, dropout, count), file, test, share, seed)
            for seed, file in files.items()
        ]
        for rate, dropout in itertools.product(variant.rates, (None, 0.5) if count < FEW else (None,))
    }
    best = max(every, key=lambda setting: statistics.fmean(found["validation"] for found in every[setting]))
    tested = [found["test"] for found in every[best]]
    spread = statistics.stdev(tested) if len(tested) > 1 else 0.0
    seconds = statistics.fmean(found["seconds"] for found in every[best])
    matched = every[best][0].get("matched")
    told = "" if matched is None else f", {matched:.0%} of its words and pairs matched"
    print(
        f"{rows or count:>6,} rows  {variant.name:<21} r2 {statistics.fmean(tested):.4f} ± {spread:.4f}  "
        f"(rate {best[0]:g}, dropout {best[1]}, {seconds:.0f} s{told})",
        flush=True,
    )
    tried = [{"rate": rate, "dropout": dropout, "seeds": found} for (rate, dropout), found in every.items()]
    return {"variant": variant.name, "rows": count, "best": best, "r2": statistics.fmean(tested), "tried": tried}


def main() -> None:
    """Prints a line for each number of rows and each variant, and writes all as JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("homes", help="the nyc_listings_min.csv.gz")
    parser.add_argument("source", help="a run of words, or a file of vectors; and #TABLE where it has several")
    parser.add_argument("--rows", type=int, nargs="+", default=ROWS, help="how many to train on; 0 is all")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", default="", help="variants whose name holds this")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    load_tensorflow(False)
    header, train, test = split(arguments.homes)
    source, tested = opened(arguments.source, {*said(header, train), *said(header, test)}), said(header, test)
    print(
        f"{len(train):,} rows to train on, {len(test):,} to test on; the source has {len(source):,} of their words, of "
        f"{source.dimension} numbers: {sum(word in source for word in tested) / len(tested):.1%} of what is said",
        flush=True,
    )
    found = []
    with tempfile.TemporaryDirectory() as folder:
        test_file = written(Path(folder, "test.csv"), header, test)
        for rows in arguments.rows:
            files = {
                seed: written(Path(folder, f"{rows}-{seed}.csv"), header, drawn(train, rows, seed))
                for seed in range(arguments.seeds)
            }
            chosen = [variant for variant in VARIANTS if arguments.only in variant.name]
            count = rows or len(train)
            found += [compared(variant, source, files, test_file, count, rows) for variant in chosen]
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
