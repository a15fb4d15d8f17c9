"""What problem `homes` is worth on homes of New York: `python -m tests.benchmarks.homes nyc_listings_min.csv.gz`.

Trains it with a fifth of the rows to test on, for three seeds that also draw these rows: with words alone, in three
numbers each, and with the place and the kind of room. Each stands beside the mean and a ridge regression of the same
columns on the same rows; settings and λ are chosen on validation rows. Then how many of the ten nearest of a word have
its sense, among words whose senses were written down before, beside random words and the table as it was before the
training; and the words nearest to two of them.
"""

import argparse
import contextlib
import io
import json
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tests.senses import SENSES
from trainer import baselines
from trainer.job import steps
from trainer.job.learning import learned
from trainer.job.measuring import TrainedTables
from trainer.job.plan import planned
from trainer.job.tables import tables_of
from trainer.job.work import Work
from trainer.settings import Settings
from trainer.terminal import load_tensorflow
from trainer.vectors import LabelledVectors

BARS = {"words": 0.455, "homes": 0.627}
"""What r2 of the logarithm of the price is to be at least, with words alone and with all columns."""
NEAREST, TIMES, SHOWN = 10, 2.0, ("spacious", "luxury")

Array = np.ndarray[Any, Any]


def trained(homes: str, folder: str, seed: int, words_only: bool, **given: Any) -> dict[str, Any]:
    """Trains one split and returns what each model is worth on its test rows, and the senses of near words."""
    own = {"words_only": words_only}
    settings = Settings(
        "homes", own, train_files=homes, eval_share=0.2, split_seed=seed, seed=seed, job_dir=folder, **given
    )
    plan = planned(settings)
    work = steps.opened(plan)
    before = senses(words_of(work))
    after, metrics = learned(work, {})
    baselines.compare(
        after.plan.problem, after.model, after.source, after.data, plan.run, metrics, partial(TrainedTables, after)
    )
    rows = json.loads(Path(folder, "baselines.json").read_text())["results"]
    found: dict[str, Any] = {row["model"].partition(",")[0]: row for row in rows}
    vectors = words_of(after)
    nearest = {word: [near for near, _ in vectors.most_similar(word, topn=NEAREST)] for word in SHOWN}
    return {**found, "senses": {**senses(vectors), "untrained": before["nearest"]}, "nearest": nearest}


def words_of(work: Work) -> LabelledVectors:
    """Returns the words of the senses that the table of words has, with their rows as they are now."""
    table = next(each for each in tables_of(work) if each.name == "word")
    places = {label: place for place, label in enumerate(table.labels)}
    known = [word for words in SENSES.values() for word in words if word in places]
    return LabelledVectors(known, np.asarray(table.values)[[places[word] for word in known]], "word")


def senses(vectors: LabelledVectors) -> dict[str, float]:
    """Returns how many of the nearest have the sense of a word: of its ten nearest by cosine, and of all the others."""
    of_word = {word: sense for sense, words in SENSES.items() for word in words}
    kinds = np.array([of_word[word] for word in vectors.index_to_key])
    alike = kinds[:, np.newaxis] == kinds  # (words, words)
    rows = vectors.matrix / np.linalg.norm(vectors.matrix, axis=1, keepdims=True)
    near = rows @ rows.T
    np.fill_diagonal(near, -np.inf)
    nearest = np.argsort(-near, axis=1)[:, :NEAREST]
    others = ~np.eye(len(kinds), dtype=bool)
    return {
        "nearest": float(np.take_along_axis(alike, nearest, axis=1).mean()),
        "any": float(alike[others].mean()),
        "words": len(kinds),
    }


def means(found: Sequence[Mapping[str, Any]], model: str, name: str) -> float:
    """Returns the mean of a metric over the seeds."""
    return statistics.fmean(each[model][name] for each in found)


def show(what: str, found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Prints the means of the seeds, and returns them."""
    rows: dict[str, Any] = {}
    for model in ("mean", "ridge", "homes"):
        rows[model] = {name: means(found, model, name) for name in ("rmse", "r2", "median_absolute_error", "seconds")}
        told = "  ".join(f"{name} {value:.4f}" for name, value in rows[model].items())
        print(f"{what}, {model:<7}{told}")
    rows["senses"] = {name: means(found, "senses", name) for name in ("nearest", "untrained", "any", "words")}
    told = rows["senses"]
    print(
        f"{what}: of one sense are {told['nearest']:.3f} of the {NEAREST} nearest, {told['untrained']:.3f} before the "
        f"training, {told['any']:.3f} of any two: {told['nearest'] / told['any']:.2f} times, wanted at least {TIMES}"
    )
    for word in SHOWN:
        print(f"{what}: nearest to '{word}': " + "; ".join(", ".join(each["nearest"][word]) for each in found))
    print(f"{what}: r2 {rows['homes']['r2']:.4f}, wanted at least {BARS[what]}", flush=True)
    return rows


def main() -> None:
    """Prints the tables, and writes them as JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("homes", help="the nyc_listings_min.csv.gz")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    load_tensorflow(False)
    rows: dict[str, Any] = {}
    every: dict[str, Any] = {}
    for what in BARS:
        every[what] = []
        for seed in range(arguments.seeds):
            with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
                every[what].append(trained(arguments.homes, str(Path(folder, "run")), seed, what == "words"))
        rows[what] = show(what, every[what])
    if arguments.json:
        arguments.json.write_text(json.dumps({"rows": rows, "seeds": every, "bars": BARS}, indent=2))


if __name__ == "__main__":
    main()
