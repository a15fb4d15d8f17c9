"""Memory of problem `words` on texts of 10 times `--cache-memory`: `python -m tests.benchmarks.words.memory`.

Texts of made-up words, as frequent as those of a language, in one gzipped file, learned from by a whole job, `python -m
trainer.task --problem words`, of some hundred steps, in a process of its own: first texts whose ids take 10 times the
memory that is given, then twice as many with as much. The most memory is what the job says in metrics.json; the last
line is how much more the job on twice the texts took, over the bytes of the ids that these have more. `--quick` takes a
tenth of the texts.
"""

import gzip
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.pairs import machine, parser, write, zipf

WORDS, BLOCK, DIFFERENT = 10_000_000, 100_000, 30_000
"""Words of the texts that take 10 times the memory, 4 bytes each, words made at a time, and different ones."""

STEPS, BAR = 200, 0.25


def texts(path: Path, words: int) -> Path:
    """Writes texts of so many words, ten a line."""
    draw, names = np.random.default_rng(0), np.array([f"w{_letters(number)}" for number in range(DIFFERENT)])
    with gzip.open(path, "wt", compresslevel=1) as file:
        for start in range(0, words, BLOCK):
            found = names[zipf(draw, DIFFERENT, min(BLOCK, words - start))]
            file.writelines(" ".join(found[place : place + 10]) + "\n" for place in range(0, len(found), 10))
    return path


def _letters(number: int) -> str:
    return "".join(chr(ord("a") + int(digit)) for digit in str(number))


def measured(file: Path, memory: int) -> dict[str, Any]:
    """Returns what a job on texts has told of itself.

    Args:
        file: The texts.
        memory: The bytes of ids that may lie in memory.
    """
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder, "run")
        command = [sys.executable, "-m", "trainer.task", "--problem", "words", "--train-files", str(file)]
        command += ["--train-steps", str(STEPS), "--cache-memory", str(memory), "--job-dir", str(run)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        found: dict[str, Any] = json.loads((run / "metrics.json").read_text())
        cached = sum(path.stat().st_size for path in run.glob("cache/*/*.arrow"))
    return {"peak": found["peak_memory_bytes"], "seconds": found["total_seconds"], "cached": cached}


def main() -> None:
    """Measures, prints, and writes JSON where asked to."""
    given = parser(__doc__).parse_args()
    about, words = machine(), WORDS // 10 if given.quick else WORDS
    print(", ".join(f"{name} {value}" for name, value in about.items()), flush=True)
    turns = []
    with tempfile.TemporaryDirectory() as folder:
        for count in (words, 2 * words):
            file = texts(Path(folder, f"{count}.txt.gz"), count)
            turn = {"words": count, **measured(file, words * 4 // 10)}
            turns.append(turn)
            print(
                f"{count:>12,} words, ids in files {turn['cached'] / 1e6:,.1f} MB, memory for them "
                f"{words * 4 / 1e7:,.1f} MB: at most {turn['peak'] / 1e6:,.0f} MB in {turn['seconds']:.0f} s",
                flush=True,
            )
    half, whole = turns
    grown = (whole["peak"] - half["peak"]) / (whole["cached"] - half["cached"])
    print(f"grown by {grown:.2f} of the bytes that the ids have more, at most {BAR} wanted")
    write(given.json, {"machine": about, "turns": turns, "grown": grown, "bar": BAR})


if __name__ == "__main__":
    main()
