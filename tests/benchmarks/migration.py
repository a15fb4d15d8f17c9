"""Memory and seconds of bringing a large Estimator over: `python -m tests.benchmarks.migration`.

A deep classifier with one table of 5,000,000 rows of 32 in ten partitions, written by TensorFlow 1's own variables,
optimizer and saver. Three turns, each in a process of its own that has brought a small one over before, and so has
loaded all that is needed: `weights` is `from_estimator` of a checkpoint without what an optimizer has noted, as an
export has it; `adagrad` is that of one with Adagrad's sums, which are as large as the table; `run` is the whole of
`python -m trainer migrate`, with these sums. Memory is the peak of the process (`ru_maxrss`) less what was resident
just before, in tables. The peer is `tf.train.load_checkpoint(…).get_tensor(…)`, which gives the numbers and no model.
"""

import argparse
import json
import resource
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import tensorflow as tf

from tests.benchmarks import processes
from tests.benchmarks.big_table import resident
from tests.benchmarks.pairs import opened, parser, write
from trainer.commands import migrate
from trainer.migration import from_estimator
from trainer.problem import load

BAR = 2.0
DIMENSION, PARTITIONS, SMALL = 32, 10, 1000
SIDES = ("peer", "weights", "adagrad", "run")
TABLE = "dnn/input_from_feature_columns/input_layer/user_embedding/embedding_weights"
PROBLEM = '''"""Users."""
from trainer import feature_column as fc
from trainer.problem import Problem

user = fc.embedding_column(fc.categorical_column_with_identity("user", {rows}), {dimension})
PROBLEM = Problem(
    dataset=None, dnn_feature_columns=[user], dnn_hidden_units=(8,), label="late", dnn_optimizer="{optimizer}"
)
'''


def leave(folder: str, rows: int, has_sums: bool) -> None:
    """Writes the checkpoint as a canned Estimator of TensorFlow 1 does."""
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        step = v1.train.get_or_create_global_step()
        with v1.variable_scope(TABLE.rpartition("/")[0], partitioner=v1.fixed_size_partitioner(PARTITIONS)):
            table = v1.get_variable("embedding_weights", (rows, DIMENSION), initializer=v1.random_uniform_initializer())
        found = v1.nn.embedding_lookup(table, [1, rows - 1], partition_strategy="div")
        for name, width in (("hiddenlayer_0", 8), ("logits", 1)):
            with v1.variable_scope(f"dnn/{name}"):
                kernel = v1.get_variable("kernel", (found.shape[1], width))
                found = tf.matmul(found, kernel) + v1.get_variable("bias", (width,))
        optimizer = v1.train.AdagradOptimizer(0.05) if has_sums else v1.train.GradientDescentOptimizer(0.05)
        train = optimizer.minimize(tf.reduce_sum(found), step)
        session.run(v1.global_variables_initializer())
        session.run(train)
        v1.train.Saver().save(session, f"{folder}/model.ckpt", step, write_meta_graph=False)


def declared(folder: str, rows: int, optimizer: str) -> str:
    """Writes the problem's file and returns its path."""
    file = Path(folder, f"{optimizer}.py")
    file.write_text(PROBLEM.format(rows=rows, dimension=DIMENSION, optimizer=optimizer))
    return str(file)


def brought(side: str, folder: str, rows: int) -> Any:
    """Does what one side does."""
    if side == "peer":
        return tf.train.load_checkpoint(folder).get_tensor(TABLE)
    problem = declared(folder, rows, "SGD" if side == "weights" else "Adagrad")
    if side == "run":
        return migrate.main([folder, "--problem", problem, "--job-dir", f"{folder}/run", "--overwrite"])
    given = load(problem)
    return from_estimator(
        folder,
        dnn_feature_columns=given.dnn_feature_columns,
        dnn_hidden_units=given.dnn_hidden_units,
        dnn_optimizer=given.dnn_optimizer,
    )


def measured(side: str, folder: str, rows: int) -> dict[str, float]:
    """Returns the seconds of one side, and the peak of its memory in times the bytes of the table."""
    with tempfile.TemporaryDirectory() as small:
        leave(small, SMALL, side != "weights")
        brought(side, small, SMALL)
    before, start = resident(), time.perf_counter()
    made = brought(side, folder, rows)
    seconds = time.perf_counter() - start
    peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    del made
    return {"seconds": seconds, "memory": (peak - before) / (4 * rows * DIMENSION)}


def apart(side: str, folder: str, rows: int) -> dict[str, float]:
    """Returns what a process of its own finds."""
    words = ["-m", "tests.benchmarks.migration", "--child", side, folder, "--rows", str(rows)]
    _, printed, _ = processes.measured(*words)
    found: dict[str, float] = json.loads(printed.splitlines()[-1])
    return found


def main() -> None:
    """Measures, prints, and writes as JSON where asked to."""
    made = parser(__doc__, rows=5_000_000)
    made.add_argument("--child", nargs=2, metavar=("SIDE", "FOLDER"), help=argparse.SUPPRESS)
    flags = made.parse_args()
    if flags.child:
        side, place = flags.child
        if side == "leave":
            leave(place, flags.rows, not place.endswith("weights"))
        print(json.dumps({} if side == "leave" else measured(side, place, flags.rows)))
        return
    if flags.quick:
        with tempfile.TemporaryDirectory() as folder:
            leave(folder, SMALL, has_sums=True)
            write(flags.json, {"rounds": [{"run": measured("run", folder, SMALL)}]})
        return
    about, rounds = opened(flags, ()), []
    sides = [side for side in SIDES if flags.only in side]
    with tempfile.TemporaryDirectory() as folder:
        places = {side: str(Path(folder, "weights" if side == "weights" else "adagrad")) for side in sides}
        for place in sorted({*places.values()}):
            Path(place).mkdir()
            apart("leave", place, flags.rows)
        for _ in range(flags.rounds):
            rounds.append({side: apart(side, places[side], flags.rows) for side in sides})
    show(rounds, flags.rows)
    write(flags.json, {"machine": about, "rounds": rounds})


def show(rounds: list[dict[str, dict[str, float]]], rows: int) -> None:
    """Prints the medians beside the bar."""
    print(f"{rows:,} rows of {DIMENSION} in {PARTITIONS} partitions, {4 * rows * DIMENSION / 1e6:,.0f} MB")
    for side in rounds[0]:
        seconds = statistics.median(turn[side]["seconds"] for turn in rounds)
        memory = statistics.median(turn[side]["memory"] for turn in rounds)
        bar = "" if side == "peer" else f" (at most {BAR:g})"
        print(f"{side:<8} {memory:.2f} tables{bar}, {seconds:.1f} s")


if __name__ == "__main__":
    main()
