"""Problem `words` beside gensim, on the same texts: `python -m tests.benchmarks.words TEXTS ANALOGIES SIMILARITIES`.

Both train by skip-gram with the same settings: 100 dimensions, windows of 5, 5 negatives, subsampling of 1e-3, words
that are there 5 times, 5 epochs. They take turns, each in a process of its own, a seed a turn. gensim has 2 workers and
its sentences, the same passages, in memory; its time is that of `Word2Vec.train`. Ours is a whole job, `python -m
trainer.task --problem words`; its time is that of the training, with the evaluation of its validation texts after each
epoch. Words are those in the vocabulary, before subsampling. Both tables answer the same files by the same code. Ours
learns from 98 % of the passages, as a job does that keeps some to judge by.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.benchmarks.pairs import machine, parser, write
from tests.benchmarks.ratios import report
from trainer.vectors import LabelledVectors

EPOCHS, SPEED, QUALITY = 5, 1.5, 0.97
PEER = "gensim"


def ours(texts: str, folder: Path, seed: int) -> dict[str, Any]:
    """Trains a job and returns its words a second, and where its table is."""
    command = [sys.executable, "-m", "trainer.task", "--problem", "words", "--train-files", texts]
    command += ["--num-epochs", str(EPOCHS), "--seed", str(seed), "--job-dir", str(folder)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    metrics = json.loads(folder.joinpath("metrics.json").read_text())
    return {"words/s": metrics["ids_per_second"], "seconds": metrics["total_seconds"], "table": folder}


def gensims(texts: str, folder: Path, seed: int) -> dict[str, Any]:
    """Trains gensim in a process of its own and returns the same."""
    command = [sys.executable, "-m", "tests.benchmarks.words.peer", texts, f"{folder}.bin", str(seed), str(EPOCHS)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return {**found, "table": f"{folder}.bin"}


def worth(table: Any, analogies: str, similarities: str) -> dict[str, float]:
    """Returns what a table is worth by the two files, and how much of them it knows."""
    vectors = LabelledVectors.load(str(table), "word" if isinstance(table, Path) else None)
    answered, judged = vectors.evaluate_word_analogies(analogies), vectors.evaluate_word_pairs(similarities)
    return {"analogies": answered.score or 0.0, "similarities": judged.score or 0.0}


def main() -> None:
    """Measures, prints, and writes JSON where asked to."""
    flags = parser(__doc__)
    for name in ("texts", "analogies", "similarities"):
        flags.add_argument(name)
    flags.add_argument("--seeds", type=int, default=3)
    given = flags.parse_args()
    about = machine()
    print(", ".join(f"{name} {value}" for name, value in about.items()), flush=True)
    sides: dict[str, Any] = {"ours": ours, PEER: gensims}
    found: dict[str, list[dict[str, Any]]] = {side: [] for side in sides}
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(given.seeds):
            for side in sorted(sides, key=lambda side: (side == PEER) != bool(seed % 2)):
                turn = sides[side](given.texts, Path(folder, f"{side}-{seed}"), seed)
                turn |= worth(turn.pop("table"), given.analogies, given.similarities)
                found[side].append(turn)
                print(f"seed {seed}  {side:<7}" + "  ".join(f"{name} {turn[name]:,.4g}" for name in turn), flush=True)
    rows = [_row("words/s", found, SPEED), *(_row(name, found, QUALITY) for name in ("similarities", "analogies"))]
    write(given.json, {"machine": about, "turns": found, "rows": rows})


def _row(name: str, found: dict[str, list[dict[str, Any]]], bar: float) -> dict[str, Any]:
    mean = {side: statistics.fmean(turn[name] for turn in turns) for side, turns in found.items()}
    if name == "words/s":
        ratios = [one[name] / other[name] for one, other in zip(found["ours"], found[PEER], strict=True)]
    else:
        ratios = [mean["ours"] / mean[PEER]]  # a seed moves both by more than they differ
    return report(name, {**mean, "ratios": ratios}, bar, is_most=False)


if __name__ == "__main__":
    main()
