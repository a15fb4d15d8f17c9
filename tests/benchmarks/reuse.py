"""What vectors of words are worth to problem `homes`: `python -m tests.benchmarks.reuse HOMES.csv.gz SOURCE[#TABLE]`.

SOURCE is a run of problem `words` or any file of vectors, such as word2vec's. Homes are trained on 300, 1,000, 5,000
and all rows but a fifth, which is drawn once and is what all are tested on; each seed draws other rows to train on, and
a part of these is for validation. The score is r2 of the logarithm of the price. What is compared:

- `3 from scratch`: the problem as it is; its one table holds words and pairs of words that five training rows have;
- `D from scratch`: the same with as many numbers as the source has;
- `D carried, frozen` and `D carried, trained on`: what `--dimension word=D --warm-start word=SOURCE` does, with and
  without `--freeze word`: words take the source's rows by key. A source of words has no pairs, so these keep what they
  were drawn as, frozen too; and what fewer than five training rows have is out of the vocabulary all the same;
- `beside, frozen` and `beside, trained on`: the problem as it is, and in a second table every word of the source,
  whether the training rows have it or not. That is what vectors of words are carried for: a word that few homes have,
  or none, says something by its neighbours.

The bag of a description is `sqrtn` in all of them, so that long ones are not short ones times a factor, as with `sum`,
and still say more than short ones, as with `mean`. Each has two or three settings, of the learning rate that matters
most to it; for each number of rows the one is taken whose r2 on validation rows is best in the mean of the seeds.
"""

import argparse
import contextlib
import csv
import dataclasses
import gzip
import io
import json
import re
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trainer import feature_column as fc
from trainer import models
from trainer.feature_column import EmbeddingColumn
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
MOST_WORDS = 50_000
"""Words of a source that are carried beside the problem's own, the first and so the most frequent."""

WORD, BESIDE = "word", "carried"


@dataclass(frozen=True)
class Source:
    """Vectors of words.

    Args:
        place: The run or the file.
        table: The name of the table there; None is the only one.
        words: What it has, the most frequent first.
        dimension: The numbers of each.
    """

    place: str
    table: str | None
    words: tuple[str, ...]
    dimension: int


@dataclass(frozen=True)
class Variant:
    """A way to make the problem.

    Args:
        name: What is printed.
        rates: The learning rates that are tried: of the table that is trained by Adagrad; where it is frozen, of all
            the rest.
        dimension: Whether the problem's table has the source's dimension.
        carried: Whether it starts from the source.
        beside: Whether there is a second table that does.
        frozen: Whether what starts from the source stays so.
    """

    name: str
    rates: Sequence[float]
    dimension: bool = False
    carried: bool = False
    beside: bool = False
    frozen: bool = False


VARIANTS = (
    Variant("3 from scratch", (2.0, 0.5)),
    Variant("D from scratch", (2.0, 0.5, 0.1), dimension=True),
    Variant("D carried, frozen", (0.01, 0.003), dimension=True, carried=True, frozen=True),
    Variant("D carried, trained on", (0.5, 0.1, 0.02), dimension=True, carried=True),
    Variant("beside, frozen", (0.01, 0.003), beside=True, frozen=True),
    Variant("beside, trained on", (0.1, 0.02, 0.005), beside=True),
)


def opened(given: str) -> Source:
    """Returns what vectors there are."""
    place, _, table = given.partition("#")
    vectors = LabelledVectors.load(place, table or None)
    words = tuple(key for key in vectors.keys[:MOST_WORDS] if re.fullmatch(homes._WORD, key))
    return Source(place, table or None, words, vectors.dimension)


def problem(variant: Variant, source: Source, rate: float, rows: int) -> Problem:
    """Returns the problem as a variant makes it, for so many rows."""
    made = homes.problem()
    columns: list[Any] = list(made.dnn_feature_columns)
    if variant.dimension:
        columns[0] = dataclasses.replace(columns[0], dimension=source.dimension)
    if variant.carried:
        columns[0] = started(columns[0], source, variant.frozen)
    if variant.beside:
        words = fc.categorical_column_with_vocabulary_list("name", source.words, tokenize=fc.Tokens(homes._WORD))
        table = fc.embedding_column(words, source.dimension, "mean", name=BESIDE, unit_norm=True)
        columns.append(started(table, source, variant.frozen))
    optimizers = dict(made.table_optimizers)
    if not variant.frozen:
        optimizers[BESIDE if variant.beside else WORD] = ("Adagrad", rate)
    used = {column.table for column in columns if isinstance(column, EmbeddingColumn) and column.trainable}
    few = rows < 10_000
    return dataclasses.replace(
        made,
        dnn_feature_columns=columns,
        table_optimizers={name: value for name, value in optimizers.items() if name in used},
        learning_rate=rate if variant.frozen else made.learning_rate,
        # An epoch of few rows has few steps.
        num_epochs=100 if few else made.num_epochs,
        patience=10 if few else made.patience,
        train_batch_size=32 if rows <= 1_000 else 128 if few else made.train_batch_size,
        name="homes",
    )


def started(column: EmbeddingColumn, source: Source, frozen: bool) -> EmbeddingColumn:
    """Returns a column whose table starts from the source."""
    return dataclasses.replace(
        column, ckpt_to_load_from=source.place, tensor_name_in_ckpt=source.table, trainable=not frozen
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
    known = {}
    for layer, columns in models.tables_of(work.model).values():
        if layer.warm_started is not None:
            share_of_words = layer.warm_started.share(trained_rows(layer, columns, work.data.train))
            known = {"matched_rows": layer.warm_started.matched / layer.rows, "matched_words": share_of_words}
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


def known_words(source: Source, header: Sequence[str], rows: Sequence[Sequence[str]]) -> float:
    """Returns the share of the words of descriptions, each as often as it is there, that a source has."""
    words, column = set(source.words), list(header).index("name")
    said = [word for row in rows for word in re.findall(homes._WORD, row[column].lower())]
    return sum(word in words for word in said) / len(said)


def compared(
    variant: Variant, source: Source, files: Mapping[int, Path], test: Path, count: int, rows: int
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
        rate: [trained(problem(variant, source, rate, count), file, test, share, seed) for seed, file in files.items()]
        for rate in variant.rates
    }
    best = max(every, key=lambda rate: statistics.fmean(found["validation"] for found in every[rate]))
    tested = [found["test"] for found in every[best]]
    spread = statistics.stdev(tested) if len(tested) > 1 else 0.0
    matched = every[best][0].get("matched_words")
    told = "" if matched is None else f", {matched:.0%} of what training rows have in the table is the source's"
    print(
        f"{rows or count:>6,} rows  {variant.name:<22} r2 {statistics.fmean(tested):.4f} ± {spread:.4f}  "
        f"(rate {best:g}, {sum(found['seconds'] for found in every[best]) / len(tested):.0f} s{told})",
        flush=True,
    )
    return {"variant": variant.name, "rows": count, "rate": best, "r2": statistics.fmean(tested), "every": every}


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
    source = opened(arguments.source)
    header, train, test = split(arguments.homes)
    print(
        f"{len(train):,} rows to train on, {len(test):,} to test on; the source has {len(source.words):,} words of "
        f"{source.dimension}, which are {known_words(source, header, test):.1%} of those in the test rows",
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
