"""What the parts of a step take on some cores: `python -m tests.benchmarks.scale.computing CORES` prints them.

Models of one table or eight, narrow or wide, with many different ids or few, are trained by the job's loop in a process
that may use so many cores and no more. The seconds of the parts are those that explain all of them best. The tables
have 1,000,000 rows, so that no cache holds them.
"""

import dataclasses
import json
import os
import statistics
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tests.benchmarks.scale.explaining import explained, explaining
from trainer.scale import sizes

ROWS, EXAMPLES = 1_000_000, 2**17
ROUNDS, ROUND_SECONDS = 3, 0.4


@dataclass(frozen=True)
class Case:
    """A model that is trained.

    Args:
        tables: How many.
        dimension: Numbers of a row.
        batch: Examples a step.
        different: Ids that come; None is as many as the table has rows.
        hidden: Widths of the dense layers.
        optimizer: Of all.
        exchanges: Whether it is one of two in step, whose other one has found the same, and nothing travels.
    """

    tables: int
    dimension: int
    batch: int
    different: int | None = None
    hidden: tuple[int, ...] = (16,)
    optimizer: str = "Adagrad"
    exchanges: bool = False

    def parts(self, rows: int) -> dict[str, float]:
        """Returns how many steps, tables, examples, ids and so on a step has."""
        widths = (self.tables * self.dimension, *self.hidden, 1)
        ids = float(self.tables * self.batch)
        used = self.tables * sizes.different(self.different or rows, self.batch)
        found = 2 * used if self.exchanges else 0.0
        ids += found
        return {
            **({"exchange": 1, "pack": self.tables, "pack_number": found * (1 + self.dimension)} if found else {}),
            "step": 1,
            "table": self.tables,
            "example": self.batch,
            "id": ids,
            "id_number": ids * self.dimension,
            "flop": 6 * self.batch * sum(before * after for before, after in pairwise(widths)),
            "row": used,
            "row_number": used * self.dimension,
        }


CASES = (
    Case(1, 4, 64),
    Case(8, 4, 64),
    Case(1, 4, 8192, 64),
    Case(8, 4, 8192, 64),
    Case(1, 64, 8192, 64),
    Case(1, 4, 8192),
    Case(1, 64, 8192),
    Case(4, 16, 2048),
    Case(1, 16, 4096, 64, (512, 256)),
)
OTHERS = ("Ftrl", "LazyAdam", "RowWiseAdagrad", "SGD")
OF_ROWS, OF_EXCHANGES = ("row", "row_number"), ("exchange", "pack", "pack_number")
EXCHANGES = (Case(1, 4, 64), Case(8, 4, 64), Case(1, 64, 4096), Case(4, 16, 2048))


def side(case: Case, rows: int, examples: int) -> Any:
    """Returns what trains a case in the job's loop."""
    import keras
    import numpy as np

    from tests.benchmarks.pairs import labels_of, scattered
    from tests.benchmarks.sides import Data, OurLoop
    from trainer import optimizers
    from trainer.inputs.memory import Examples
    from trainer.layers import EmbeddingTable

    draw, names = np.random.default_rng(0), [f"id{n}" for n in range(case.tables)]

    def some(count: int) -> Examples:
        ids = {name: scattered(draw.integers(0, case.different or rows, (count, 1)), rows) for name in names}
        labels = labels_of(draw, np.zeros(count))
        return Examples(ids, labels, np.ones_like(labels))

    class Loop(OurLoop):
        def compiled(self) -> keras.Model:
            inputs = {name: keras.Input((1,), dtype="int64", name=name) for name in names}
            tables = [EmbeddingTable(rows, case.dimension)(each) for each in inputs.values()]
            found = keras.layers.Concatenate()(tables) if len(tables) > 1 else tables[0]
            for width in case.hidden:
                found = keras.layers.Dense(width, "relu")(found)
            model = keras.Model(inputs, keras.layers.Dense(1)(found))
            loss = keras.losses.BinaryCrossentropy(from_logits=True)
            model.compile(optimizers.get(case.optimizer, 0.01), loss, jit_compile=False)
            return model

    return Loop(Data(some(examples), some(1), case.batch * (1 + case.exchanges)))


def as_of_two(tables: int) -> Any:
    """Returns what makes a process one of two in step of which the other finds the same."""
    import tensorflow as tf

    from trainer.training.machines import exchange, replicas

    class Twin(replicas.Replicas):
        rank, count = 0, 2

        def exchanged(self, gradients: list[Any], means: list[Any], examples: Any, small: int) -> Any:
            links = exchange.Links(2, 0, self._total, lambda rows: tf.concat([rows, rows], 0))
            return exchange.exchanged(gradients, means, examples, small, links)

        def _total(self, vector: Any) -> Any:
            numbers, counts = vector[: -2 * (tables + 1)], tf.reshape(vector[-2 * (tables + 1) :], [2, tables + 1])
            return tf.concat([2 * numbers, tf.reshape(counts + tf.reverse(counts, [0]), [-1])], 0)

    return replicas.among(Twin())


def seconds_of(case: Case, rows: int, examples: int, seconds: float) -> float:
    """Returns the seconds of a step of a case: the median of rounds."""
    made = side(case, rows, examples)
    made.prepare()
    with as_of_two(case.tables) if case.exchanges else nullcontext():
        made.train(40)  # is traced, and tells how long a step takes
        steps = max(40, int(seconds / made.train(40)))
        return statistics.median(made.train(steps) for _ in range(ROUNDS))


def fitted(found: Mapping[Case, float], rows: int) -> dict[str, Any]:
    """Returns the seconds of the parts that explain those of the cases best, as `Seconds` takes them.

    All parts come from the cases of Adagrad; those of rows of another optimizer, and those of an exchange, come from
    what is left.
    """
    cases: dict[str, list[Case]] = {}
    for case in (each for each in found if not each.exchanges):
        cases.setdefault(case.optimizer, []).append(case)
    first = cases.pop("Adagrad")
    parts = explaining([case.parts(rows) for case in first], [found[case] for case in first])
    by_optimizer = {name: {"Adagrad": parts.pop(name)} for name in OF_ROWS}
    for optimizer, of_it in cases.items():
        left = []
        for case in of_it:
            others = {name: count for name, count in case.parts(rows).items() if name not in OF_ROWS}
            left.append(max(found[case] - explained(others, parts), 1e-9))
        of_rows = [{name: case.parts(rows)[name] for name in OF_ROWS} for case in of_it]
        for name, seconds in explaining(of_rows, left).items():
            by_optimizer[name][optimizer] = seconds
    made = {**parts, **by_optimizer}
    exchanges = [case for case in found if case.exchanges]
    left = [
        max(found[case] - seconds_by(case, {**made, **dict.fromkeys(OF_EXCHANGES, 0)}, rows), 1e-9)
        for case in exchanges
    ]
    of_them = [{name: case.parts(rows)[name] for name in OF_EXCHANGES} for case in exchanges]
    return {**made, **explaining(of_them, left)}


def seconds_by(case: Case, seconds: Mapping[str, Any], rows: int) -> float:
    """Returns the seconds of a case by those of its parts."""
    return explained(
        case.parts(rows),
        {name: each[case.optimizer] if name in OF_ROWS else each for name, each in seconds.items()},
    )


def main(cores: int, is_quick: bool) -> None:
    """Prints the seconds of the parts as JSON, and how far each case is from what they explain."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])  # TensorFlow has as many threads
    from trainer.terminal import load_tensorflow

    load_tensorflow()
    rows, examples, seconds = (20_000, 2**14, 0.01) if is_quick else (ROWS, EXAMPLES, ROUND_SECONDS)
    others = [dataclasses.replace(case, optimizer=name) for name in OTHERS for case in CASES[5:7]]
    exchanges = [dataclasses.replace(case, exchanges=True) for case in EXCHANGES]
    cases = (*CASES[:2], exchanges[0]) if is_quick else (*CASES, *others, *exchanges)
    found = {case: seconds_of(case, rows, examples, seconds) for case in cases}
    made = fitted(found, rows)
    ratios = [seconds_by(case, made, rows) / each for case, each in found.items()]
    print(json.dumps({"seconds": made, "ratios": ratios, "measured": [*found.values()]}))


if __name__ == "__main__":
    main(int(sys.argv[1]), "--quick" in sys.argv)
