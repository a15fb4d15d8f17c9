"""What two processes take to exchange numbers: `python -m tests.benchmarks.scale.collectives` prints it.

Each adds up vectors with the other, and gathers matrices, of several sizes, as the job's workers in step do: inside a
`tf.function`, hundreds in a row. A sum has two messages, one after the other, and a gather two as well, since
TensorFlow gathers the shapes first; what a worker sends is as many bytes as it has. From the seconds of all sizes come
those of a message, and the bytes a second.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from tests.benchmarks.scale.explaining import explaining
from tests.clusters import ROOT, addresses

FLOATS = (1, 30_000, 100_000, 300_000)
ROUNDS, REPEATS, HOPS = 3, 200, 2


def both(module: str, *words: str) -> Any:
    """Runs a module as two workers and returns what the first prints last, which is JSON.

    Raises:
        RuntimeError: One of them fails.
    """
    cluster = addresses({"worker": 2})
    made = []
    for index in range(2):
        config = json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}})
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CONFIG": config}
        command = [sys.executable, "-m", module, "--child", *words]
        made.append(
            subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        )
    try:
        printed = [process.communicate(timeout=300) for process in made]
    finally:
        for process in made:
            process.kill()
    if any(process.returncode for process in made):
        raise RuntimeError("\n".join(error for _, error in printed))
    return json.loads(printed[0][0].splitlines()[-1])


def seconds_of(exchange: Callable[[Any], Any], floats: int, repeats: int) -> float:
    """Returns the seconds of one exchange of some floats: the median of rounds of many in a row."""
    import tensorflow as tf

    given = tf.Variable(tf.zeros([floats]))

    @tf.function(autograph=False)
    def many(count: Any) -> Any:
        def body(done: Any, last: Any) -> Any:
            # What is sent next hangs on what came, as the next step does.
            return done + 1, last + exchange(given + last)[0]

        return tf.while_loop(lambda done, _: done < count, body, (tf.constant(0), tf.constant(0.0)))[1]

    many(tf.constant(5))
    found = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        many(tf.constant(repeats))
        found.append((time.perf_counter() - start) / repeats)
    return statistics.median(found)


def child(repeats: int) -> None:
    """Exchanges as one of two workers, and prints the seconds of each exchange by its floats."""
    from trainer.terminal import load_tensorflow

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import tensorflow as tf

    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    load_tensorflow()

    def total(vector: Any) -> Any:
        context = tf.distribute.get_replica_context()
        return context.all_reduce(tf.distribute.ReduceOp.SUM, tf.identity(vector))

    def gathered(vector: Any) -> Any:
        context = tf.distribute.get_replica_context()
        return tf.reshape(context.all_gather(tf.identity(vector)[tf.newaxis, :], 0), [-1])

    found = []
    for name, way in {"sum": total, "gather": gathered}.items():
        for floats in FLOATS:
            seconds = seconds_of(partial(_run, strategy, way), floats, repeats)
            found.append({"way": name, "floats": floats, "seconds": seconds})
    print(json.dumps(found))


def _run(strategy: Any, way: Callable[[Any], Any], given: Any) -> Any:
    return strategy.run(way, (given,))


def fitted(found: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Returns the seconds of a message and the bytes a second that explain the measured ones best."""
    parts = [{"hop": HOPS, "byte": 4 * each["floats"]} for each in found]
    seconds = explaining(parts, [each["seconds"] for each in found])
    return {"hop": seconds["hop"], "collective_rate": 1 / seconds["byte"]}


def measured(is_quick: bool) -> dict[str, Any]:
    """Returns the constants of collectives, and what they come from."""
    found = both("tests.benchmarks.scale.collectives", *(["--quick"] if is_quick else []))
    return {**fitted(found), "found": found}


if __name__ == "__main__":
    if "--child" in sys.argv:
        child(5 if "--quick" in sys.argv else REPEATS)
    else:
        print(json.dumps(measured("--quick" in sys.argv), indent=1))
