"""Problem `graph` beside gensim, on the same walks: `python -m tests.benchmarks.graph TRAIN VALIDATION TEST`.

The files are triples without a header row, as those of WN18RR. Ours is a whole job, `python -m trainer.task --problem
graph`, and its time that of the training. gensim has the walks of the same job in memory, with the same dimensions,
window, negatives, subsampling and epochs, and 2 workers; its time is that of `Word2Vec.train`. Both pairs of tables are
asked for both ends of the same held-out triples by the same code.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.benchmarks.pairs import machine, parser, write
from tests.benchmarks.sides import peer
from trainer import problem as problems
from trainer.heads import SkipGramHead
from trainer.inputs.examples import Source
from trainer.inputs.memory import elements
from trainer.inputs.walking import Walking
from trainer.job.plan import with_settings
from trainer.settings import Settings
from trainer.vectors import LabelledVectors, Linking

DIMENSION, WORKERS = 100, 2
SHOWN = ("validation_mrr", "mrr", "hits@10", "links_coverage", "words/s", "seconds")


def ours(files: list[str], arguments: dict[str, Any], epochs: int, folder: Path) -> dict[str, float]:
    """Trains a job and returns what its vectors are worth, and its seconds."""
    command = [sys.executable, "-m", "trainer.task", "--problem", "graph", "--job-dir", str(folder)]
    for flag, value in zip(("train", "validation", "eval"), files, strict=True):
        command += [f"--{flag}-files", value]
    for name, value in arguments.items():
        command += [f"--{name}", str(value)]
    subprocess.run([*command, "--num-epochs", str(epochs)], check=True, stdout=subprocess.DEVNULL)
    metrics = json.loads(folder.joinpath("metrics.json").read_text())
    return {name: metrics[name] for name in SHOWN if name in metrics} | {"words/s": metrics["ids_per_second"]}


def gensims(files: list[str], arguments: dict[str, Any], epochs: int) -> dict[str, float]:
    """Trains gensim on the walks of the same job and returns the same."""
    settings = Settings("graph", train_files=files[0], validation_files=files[1], eval_files=files[2])
    problem = with_settings(problems.load("graph", arguments), settings)
    source, head = Source(problem, {"node": "string"}, "data"), problem.head
    walking: Any = source.groups
    if not isinstance(walking, Walking) or not isinstance(head, SkipGramHead):
        raise TypeError("problem graph learns from walks by a skip-gram")
    walks = walking.count("train") or len(walking.sides("train"))
    sentences = [
        [word.decode() for word in sentence]
        for features, _, _ in elements(source.batches("train"))
        for sentence in features["node"].decoded().to_list()
    ][:walks]
    model = peer("gensim.models").Word2Vec(
        vector_size=DIMENSION,
        window=head.window,
        negative=head.negatives,
        sample=head.subsample or 0,
        min_count=1,
        sg=1,
        workers=WORKERS,
        seed=1,
    )
    model.build_vocab(sentences)
    start = time.perf_counter()
    model.train(sentences, total_examples=len(sentences), epochs=epochs)
    seconds = time.perf_counter() - start
    tables = [LabelledVectors(list(model.wv.index_to_key), each) for each in (model.wv.vectors, model.syn1neg)]
    linking = Linking(tables[0], tables[1], walking.sets().names, walking.sets().edges)
    found, validation = linking.metrics("test"), linking.metrics("validation")
    words = sum(map(len, sentences)) * epochs
    return {**found, "validation_mrr": validation.get("mrr", 0.0), "words/s": words / seconds, "seconds": seconds}


def main() -> None:
    """Measures, prints, and writes JSON where asked to."""
    flags = parser(__doc__)
    flags.add_argument("files", nargs=3, metavar="FILE")
    flags.add_argument("--num-walks", type=int, default=10)
    flags.add_argument("--window", type=int, default=5)
    flags.add_argument("--epochs", type=int, default=5)
    flags.add_argument("--side", choices=["ours", "gensim"])
    given = flags.parse_args()
    arguments, about = {"num_walks": given.num_walks, "window": given.window}, machine()
    print(", ".join(f"{name} {value}" for name, value in about.items()), flush=True)
    found: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        if given.side != "gensim":
            found["ours"] = ours(given.files, arguments, given.epochs, Path(folder, "run"))
            _tell("ours", found)
    if given.side != "ours":
        found["gensim"] = gensims(given.files, arguments, given.epochs)
        _tell("gensim", found)
    write(given.json, {"machine": about, **arguments, "epochs": given.epochs, "found": found})


def _tell(side: str, found: dict[str, dict[str, float]]) -> None:
    print(
        f"{side:<7}" + "  ".join(f"{name} {found[side][name]:,.4g}" for name in SHOWN if name in found[side]),
        flush=True,
    )


if __name__ == "__main__":
    main()
