"""How well `flights` does: `python -m tests.benchmarks.flights`, seeds 0 to 4, trained as the job trains it.

`--choose` holds out two months of January to October at a time, September and October first, trains on the other
eight and evaluates on the two; it never reads the test months. The problem's columns and settings were chosen with it.
"""

import argparse
import dataclasses
import json
import statistics
import time
from pathlib import Path
from typing import Any

from trainer import problem as problems
from trainer.job.plan import Plan
from trainer.job.steps import opened
from trainer.problem import ByValue, Problem
from trainer.run import Run
from trainer.settings import Settings
from trainer.terminal import load_tensorflow
from trainer.training import evaluate, train

HELD_OUT = tuple(ByValue("month", (month, month + 1)) for month in (9, 7, 5, 3, 1))


def score(problem: Problem, seed: int, data_dir: str, choose: bool) -> dict[str, float]:
    """Returns the loss, AUC and training seconds of one seed, on validation or on test."""
    work = opened(Plan(Settings(seed=seed, data_dir=data_dir), problem, Run("")))
    start = time.perf_counter()
    train(work.model, work.halves, work.data.train, problem.train_batch_size, seed, work.last_step)
    seconds = time.perf_counter() - start
    examples = work.data.validation if choose else work.data.test()
    return {**evaluate(work.model, work.halves, examples), "seconds": seconds}


def main() -> None:
    """Prints the table, and writes it as JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--choose", action="store_true", help="evaluate on held-out training months, never on test")
    parser.add_argument("--problem", default="flights", help="a problem's name or file")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--data-dir", default="data")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    load_tensorflow()
    problem = problems.load(arguments.problem)
    rows: list[dict[str, Any]] = []
    print("evaluated on        seed      auc      loss   seconds")
    for held_out in HELD_OUT if arguments.choose else (problem.validation,):
        chosen = dataclasses.replace(problem, validation=held_out)
        name = f"months {held_out.values}" if isinstance(held_out, ByValue) else "test"
        for seed in range(arguments.seeds):
            row = score(chosen, seed, arguments.data_dir, arguments.choose)
            rows.append({"evaluated_on": name, "seed": seed, **row})
            print(f"{name:<19} {seed:<6} {row['auc']:.5f}   {row['loss']:.5f}   {row['seconds']:.1f}", flush=True)
    means = {name: statistics.fmean(row[name] for row in rows) for name in ("auc", "loss", "seconds")}
    print(f"{'mean':<26} {means['auc']:.5f}   {means['loss']:.5f}   {means['seconds']:.1f}")
    print(f"lowest AUC {min(row['auc'] for row in rows):.5f}")
    if arguments.json:
        arguments.json.write_text(json.dumps({"rows": rows, "mean": means}, indent=2))


if __name__ == "__main__":
    main()
