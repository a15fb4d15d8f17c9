"""How well problem `digits` tells handwritten digits: `python -m tests.benchmarks.digits`.

Three times a fifth of the digits of scikit-learn is drawn to test on, the first time as the data set `sklearn_digits`
has it, and the problem is trained as the job trains it, with a tenth of the rest held out for validation; beside it
stands a logistic regression on the pixels of all of the rest. The settings were chosen on validation rows alone.

`--mnist FOLDER` then trains on IDX files of MNIST: on its 60,000 images where they are there, and where only the 10,000
test images are, on 2,000, 4,000 and 8,000 of these, to be tested on the other 2,000; how long 60,000 images take is
then measured with as many of those that are there, over and over.
"""

import argparse
import dataclasses
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from trainer import problem as problems
from trainer.datasets.mnist_files import IMAGES, read_split
from trainer.datasets.sklearn_digits import SIDE, TEST_SHARE, grey
from trainer.job.plan import Plan
from trainer.job.steps import opened
from trainer.problem import Problem
from trainer.run import Run
from trainer.settings import Settings
from trainer.terminal import load_tensorflow
from trainer.training import evaluate, train

Array = np.ndarray[Any, Any]
Parts = dict[str, tuple[Array, ...]]
BARS = {"accuracy": 0.98, "mnist": 0.98, "mnist_seconds": 180.0}
MNIST_IMAGES, LEFT_TO_TEST = 60_000, 2_000


def dataset_of(parts: Parts, problem: Problem) -> Callable[[str], Any]:
    """Returns the data set of a problem over images and labels by split."""
    import tensorflow as tf

    made: Any = problem.from_batch

    def dataset(split: str) -> Any:
        images, labels = parts[split]
        batches = tf.data.Dataset.from_tensor_slices({"image": images, "label": labels.astype(np.int64)}).batch(8192)
        return batches.map(made)

    return dataset


def score(parts: Parts, problem: Problem, seed: int) -> dict[str, float]:
    """Returns the metrics of the test rows after a training, its steps and its seconds."""
    problem = dataclasses.replace(problem, dataset=dataset_of(parts, problem))
    work = opened(Plan(Settings(seed=seed), problem, Run("")))
    start = time.perf_counter()
    train(work.model, work.halves, work.data.train, problem.train_batch_size, seed, work.last_step)
    seconds = time.perf_counter() - start
    found = evaluate(work.model, work.halves, work.data.test())
    return {**found, "steps": work.last_step, "seconds": seconds, "steps_per_second": work.last_step / seconds}


def drawn(seed: int) -> Parts:
    """Returns the digits of scikit-learn, a fifth of them drawn to test on."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    images, labels = load_digits(return_X_y=True)
    places = train_test_split(np.arange(len(labels)), test_size=TEST_SHARE, random_state=seed, stratify=labels)
    train_rows, test_rows = (np.sort(rows) for rows in places)
    return {
        "train": (grey(images)[train_rows], labels[train_rows]),
        "test": (grey(images)[test_rows], labels[test_rows]),
    }


def of_regression(parts: Parts) -> float:
    """Returns the accuracy of a logistic regression on the pixels."""
    from sklearn.linear_model import LogisticRegression

    pixels = {split: images.reshape(len(images), -1) / 255 for split, (images, _) in parts.items()}
    fitted = LogisticRegression(max_iter=2000).fit(pixels["train"], parts["train"][1])
    return float(fitted.score(pixels["test"], parts["test"][1]))


def of_small(seeds: int, epochs: int | None) -> dict[str, Any]:
    """Prints and returns what the digits of scikit-learn say."""
    problem = problems.load("digits")
    problem = problem if epochs is None else dataclasses.replace(problem, num_epochs=epochs)
    print(f"digits of scikit-learn, {SIDE} × {SIDE} pixels, {TEST_SHARE:.0%} held out")
    print("seed   accuracy   loss     seconds   regression")
    rows = []
    for seed in range(seeds):
        parts = drawn(seed)
        row = {**score(parts, problem, seed), "regression": of_regression(parts)}
        print(
            f"{seed:<6} {row['accuracy']:.4f}     {row['loss']:.4f}   {row['seconds']:<7.1f}   {row['regression']:.4f}",
            flush=True,
        )
        rows.append(row)
    means = {name: statistics.fmean(row[name] for row in rows) for name in ("accuracy", "regression")}
    print(
        f"mean   {means['accuracy']:.4f}, wanted at least {BARS['accuracy']}; logistic regression "
        f"{means['regression']:.4f}"
    )
    return {"rows": rows, "mean": means}


def of_mnist(folder: str, images: int, epochs: int | None) -> dict[str, Any]:
    """Prints and returns what MNIST says, or as much of it as is there."""
    problem = problems.load("digits", {"side": 28})
    problem = problem if epochs is None else dataclasses.replace(problem, num_epochs=epochs)
    parts = _parts(folder)
    there = len(parts["train"][0])
    if there == MNIST_IMAGES:
        return {"whole": _shown(parts, problem, there)}
    print("MNIST's 60,000 training images are not there, so its bar is not measured, and this is what can be:")
    # The more images, the fewer mistakes: how much fewer is drawn out to 60,000 on a scale of logarithms.
    found = {count: _shown(parts, problem, count) for count in (there // 4, there // 2, there)}
    wrong = [1 - row["accuracy"] for row in found.values()]
    slope, start = np.polyfit(np.log([*found]), np.log(wrong), 1)
    expected = 1 - float(np.exp(start + slope * np.log(MNIST_IMAGES)))
    print(f"drawn out to {MNIST_IMAGES:,} images: accuracy {expected:.4f}, wanted at least {BARS['mnist']}")
    again = np.resize(np.arange(there), images)
    row = score({"train": tuple(values[again] for values in parts["train"]), "test": parts["test"]}, problem, 0)
    print(
        f"{images:,} images, those that are there over and over: {row['steps']:,} steps in {row['seconds']:.1f} s, "
        f"wanted under {BARS['mnist_seconds']:.0f}"
    )
    return {"parts": found, "expected": expected, "as_many": row}


def _shown(parts: Parts, problem: Problem, count: int) -> dict[str, float]:
    """Prints and returns what the first images say."""
    some = {"train": tuple(values[:count] for values in parts["train"]), "test": parts["test"]}
    row = score(some, problem, 0)
    print(
        f"{count:,} images to train on, {len(parts['test'][0]):,} to test on: accuracy {row['accuracy']:.4f}, loss "
        f"{row['loss']:.4f}, {row['steps']:,} steps in {row['seconds']:.1f} s, {row['steps_per_second']:.0f} a second",
        flush=True,
    )
    return row


def _parts(folder: str) -> Parts:
    if Path(folder, f"train-{IMAGES}").exists():
        return {"train": read_split(folder, "train"), "test": read_split(folder, "t10k")}
    images, labels = read_split(folder, "t10k")
    return {
        "train": (images[:-LEFT_TO_TEST], labels[:-LEFT_TO_TEST]),
        "test": (images[-LEFT_TO_TEST:], labels[-LEFT_TO_TEST:]),
    }


def main() -> None:
    """Prints the tables, and writes them as JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--mnist", metavar="FOLDER", help="a folder of MNIST's IDX files")
    parser.add_argument("--only-mnist", action="store_true")
    parser.add_argument("--quick", action="store_true", help="few epochs of few images, to see that it runs")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    load_tensorflow()
    found: dict[str, Any] = {"bars": BARS}
    epochs = 1 if arguments.quick else None
    if not arguments.only_mnist:
        found["sklearn"] = of_small(1 if arguments.quick else arguments.seeds, epochs)
    if arguments.mnist:
        found["mnist"] = of_mnist(arguments.mnist, 2000 if arguments.quick else MNIST_IMAGES, epochs)
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
