"""What problem `movies` is worth on a ratings.csv of MovieLens: `python -m tests.benchmarks.movies RATINGS`.

Trains it for ten splits of the people, with popularity and EASE on the same people, and prints the means of the test
people's metrics; λ of EASE and the epoch of ours are chosen on the validation people. Then, for three seeds, how often
the ten nearest of a movie with twenty ratings or more share a genre with it, beside random movies and a table as it was
before the training.
"""

import argparse
import contextlib
import io
import json
import statistics
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from trainer import baselines
from trainer.job import steps
from trainer.job.learning import learned
from trainer.job.measuring import TrainedTables
from trainer.job.plan import planned
from trainer.job.tables import tables_of
from trainer.job.work import Work
from trainer.settings import Settings
from trainer.terminal import load_tensorflow

BARS = {"recall@20": 0.98, "ndcg@100": 0.96}
"""What ours is to be worth at least, of EASE's."""
OVER_POPULARITY, GENRES, NEAREST, LEAST_RATINGS = 1.5, 1.3, 10, 20

Array = np.ndarray[Any, Any]


def trained(ratings: str, folder: str, split: int) -> dict[str, Any]:
    """Trains one split and returns what each model is worth on its test people."""
    settings = Settings("movies", train_files=ratings, split_seed=split, seed=split, job_dir=folder, baselines=True)
    plan = planned(settings)
    work = steps.opened(plan)
    before = genre_shares(work)
    after, metrics = learned(work, {})
    baselines.compare(
        after.plan.problem, after.model, after.source, after.data, plan.run, metrics, partial(TrainedTables, after)
    )
    results = {row["model"]: row for row in json.loads(Path(folder, "baselines.json").read_text())["results"]}
    results["movies"] |= {"before": before, "genres": genre_shares(after), "steps": metrics["steps"]}
    return results


def genre_shares(work: Work) -> dict[str, float]:
    """Returns how often neighbours share a genre: the nearest, and any two movies.

    Args:
        work: With the table as it is now.
    """
    table = next(each for each in tables_of(work) if each.name == "movie")
    genres = [{*text.split("|")} - {""} for text in table.details.get("genres", [])]
    if not genres:
        return {}
    known = np.flatnonzero((np.asarray(table.counts) >= LEAST_RATINGS) & np.array([bool(each) for each in genres]))
    rows = np.asarray(table.values)[known]
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    alike = np.array([[bool(genres[one] & genres[other]) for other in known] for one in known])  # (known, known)
    near = rows @ rows.T
    np.fill_diagonal(near, -np.inf)
    nearest = np.argsort(-near, axis=1)[:, :NEAREST]
    off = ~np.eye(len(known), dtype=bool)
    return {
        "nearest": float(np.take_along_axis(alike, nearest, axis=1).mean()),
        "any": float(alike[off].mean()),
        "movies": len(known),
    }


def means(found: Sequence[dict[str, Any]], model: str, name: str) -> float:
    """Returns the mean of a metric over the splits."""
    return statistics.fmean(each[model][name] for each in found)


def show(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Prints the means, and returns them."""
    ours, popularity = "movies", "popularity"
    named = [{"EASE" if name.startswith("EASE") else name: row for name, row in each.items()} for each in found]
    rows: dict[str, Any] = {}
    for model in (popularity, "EASE", ours):
        rows[model] = {name: means(named, model, name) for name in (*BARS, "coverage@20", "seconds")}
        told = "  ".join(f"{name} {value:.4f}" for name, value in rows[model].items())
        print(f"{model:<12}{told}", flush=True)
    for name, bar in BARS.items():
        of_linear, of_popularity = (rows[ours][name] / rows[model][name] for model in ("EASE", popularity))
        print(
            f"{name}: {of_linear:.3f} of EASE's, wanted at least {bar}; {of_popularity:.2f} times popularity's, wanted "
            f"at least {OVER_POPULARITY}"
        )
    shares = [each[ours] for each in named[:3] if each[ours]["genres"]]
    if shares:
        nearest, untrained, any_two = (
            statistics.fmean(each[when][what] for each in shares)
            for when, what in (("genres", "nearest"), ("before", "nearest"), ("genres", "any"))
        )
        print(
            f"one of the genres shared: {nearest:.3f} of the {NEAREST} nearest, {untrained:.3f} before the training, "
            f"{any_two:.3f} of any two: {nearest / any_two:.2f} times, wanted at least {GENRES} ({len(shares)} seeds, "
            f"{shares[0]['genres']['movies']:,} movies)"
        )
        rows["genres"] = {"nearest": nearest, "untrained": untrained, "any": any_two}
    return rows


def main() -> None:
    """Prints the tables, and writes them as JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ratings", help="a ratings.csv of MovieLens, with movies.csv beside it")
    parser.add_argument("--splits", type=int, default=10)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    load_tensorflow(False)
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for split in range(arguments.splits):
            with contextlib.redirect_stdout(io.StringIO()):
                results = trained(arguments.ratings, str(Path(folder, str(split))), split)
            found.append(results)
            told = "  ".join(f"{name} {row['recall@20']:.4f} {row['ndcg@100']:.4f}" for name, row in results.items())
            ours = results["movies"]
            print(f"split {split}: {told}, {ours['steps']} steps in {ours['seconds']:.1f} s", flush=True)
    rows = show(found)
    if arguments.json:
        arguments.json.write_text(json.dumps({"rows": rows, "splits": found, "bars": BARS}, indent=2))


if __name__ == "__main__":
    main()
