"""How well `flights` does: `python -m tests.benchmarks.flights`, seeds 0 to 4, with scikit-learn's trees beside it.

`--choose` trains on January to August and evaluates on September and October, and never reads the test months; the
problem's columns and settings were chosen with it. Without it the training is that of `python -m trainer.task`.
"""

import argparse
import dataclasses
import json
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np

from trainer import problem as problems
from trainer.job.plan import Plan
from trainer.job.steps import opened
from trainer.problem import ByValue
from trainer.run import Run
from trainer.settings import Settings
from trainer.terminal import load_tensorflow
from trainer.training import evaluate, train

AUTUMN = ByValue("month", (9, 10))


def score(seed: int, choose: bool, data_dir: str, problem: str) -> dict[str, float]:
    """Returns the loss, AUC and training seconds of one seed."""
    settings = Settings(problem=problem, seed=seed, data_dir=data_dir)
    chosen = problems.load(problem)
    if choose:
        chosen = dataclasses.replace(chosen, validation=AUTUMN)
    work = opened(Plan(settings, chosen, Run("")))
    start = time.perf_counter()
    train(work.model, work.halves, work.data.train, chosen.train_batch_size, seed, work.last_step)
    seconds = time.perf_counter() - start
    examples = work.data.validation if choose else work.data.test()
    return {**evaluate(work.model, work.halves, examples), "seconds": seconds}


def main() -> None:
    """Prints the table, and writes it as JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--choose", action="store_true", help="evaluate on September and October instead of the test")
    parser.add_argument("--problem", default="flights", help="a problem's name or file")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--data-dir", default="data")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    load_tensorflow()
    rows: list[dict[str, Any]] = []
    print("seed       auc      loss   seconds")
    for seed in range(arguments.seeds):
        row = score(seed, arguments.choose, arguments.data_dir, arguments.problem)
        rows.append({"seed": seed, **row})
        print(f"{seed:<6} {row['auc']:.5f}   {row['loss']:.5f}   {row['seconds']:.1f}", flush=True)
    means = {name: statistics.fmean(row[name] for row in rows) for name in ("auc", "loss", "seconds")}
    print(f"mean   {means['auc']:.5f}   {means['loss']:.5f}   {means['seconds']:.1f}")
    print(f"lowest AUC {min(row['auc'] for row in rows):.5f}, spread {np.std([row['auc'] for row in rows]):.5f}")
    if arguments.json:
        arguments.json.write_text(json.dumps({"rows": rows, "mean": means}, indent=2))


if __name__ == "__main__":
    main()
