"""The three forms of a problem, trained on shares of its data, in one table."""

import dataclasses
import itertools
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from trainer.baselines.crosses.contender import HELD_OUT, Contender
from trainer.baselines.crosses.forms import exchanged, left_out, variants
from trainer.inputs import split
from trainer.inputs.examples import Source
from trainer.inputs.split import Data
from trainer.layers import Encoder, encoded_keys
from trainer.problem import Problem

SHARES = (0.01, 0.05, 0.2, 1.0)
SEEDS = (0, 1, 2)


@dataclass(frozen=True)
class Result:
    """One form trained on one share of the training rows with one seed.

    Args:
        form: The form of the problem.
        share: Of the training rows.
        rows: How many they are.
        seed: Of the rows, the initial values and the order.
        passes: Over the share, until the loss of its held-out tenth was lowest.
        value: The metric on the validation rows.
        loss: The loss on them.
        seconds: Of training and evaluation.
    """

    form: str
    share: float
    rows: int
    seed: int
    passes: int
    value: float
    loss: float
    seconds: float


def compare(
    problem: Problem,
    source: Source,
    data: Data,
    eval_batch_size: int = 4096,
    shares: Sequence[float] = SHARES,
    seeds: Sequence[int] = SEEDS,
) -> dict[str, Any]:
    """Trains the three forms of a problem on shares of its training rows, and prints a table.

    A share's rows are drawn by the seed, the same for the three forms, and the smaller shares are parts of the larger.
    Each training ends by one rule: a tenth of the share is held out from it, and the model is that of the pass after
    which the loss of this tenth was lowest. The validation rows are read once by each finished model; the test rows
    are not read at all.

    Args:
        problem: What the job has trained.
        source: Its data set.
        data: Its examples, encoded for the job; they are read again where a form needs a key that they lack.
        eval_batch_size: Examples a step of evaluation.
        shares: Of the training rows.
        seeds: One training of each form on each share for each of them.

    Returns:
        What `baselines.json` is to say; its results are by share, form and seed.
    """
    start = time.perf_counter()
    crosses, dropped = list(dict.fromkeys(cross.name for cross in exchanged(problem))), left_out(problem)
    print(f"\nbaselines: {', '.join(crosses)} in three forms, in the deep part alone")
    if dropped:
        print(f"left out of all three: {', '.join(dropped)}", flush=True)
    metrics = problem.head.metrics()
    metric = metrics[0].name if metrics else "loss"
    forms = variants(problem)
    data = _encoded(forms, source, data)
    contenders = {form: Contender(each, data.train.in_memory(), eval_batch_size) for form, each in forms.items()}
    results = []
    for share, (form, contender) in itertools.product(shares, contenders.items()):
        own = [_result(form, contender, data, share, seed, metric) for seed in seeds]
        _show(own)
        results.extend(own)
    seconds = round(time.perf_counter() - start, 1)
    print(f"\n{table(results, metric, len(data.validation))}\n({seconds:.0f} s)", flush=True)
    found = {"metric": metric, "validation_examples": len(data.validation), "crosses": crosses, "left_out": dropped}
    return {**found, "seconds": seconds, "results": [asdict(result) for result in results]}


def drawn(count: int, share: float, seed: int) -> np.ndarray[Any, Any]:
    """Returns the places of a share of `count` rows: those of a smaller share are the first of those of a larger.

    Example:
        >>> drawn(2000, 0.05, seed=1)[:20].tolist() == drawn(2000, 0.01, seed=1).tolist()
        True
    """
    rows = min(count, max(HELD_OUT, round(share * count)))
    return np.random.default_rng(seed).permutation(count)[:rows]


def table(results: Sequence[Result], metric: str, validation: int) -> str:
    """Returns the results as text: a row a form, a column a share, the mean and the spread over the seeds.

    Args:
        results: Of the same seeds for each form and share.
        metric: The name of their value.
        validation: The number of validation rows.
    """
    forms = list(dict.fromkeys(result.form for result in results))
    rows = {result.share: result.rows for result in results}
    values: dict[tuple[str, float], list[float]] = {}
    for result in results:
        values.setdefault((result.form, result.share), []).append(result.value)
    lines = [
        ["", *(f"{100 * share:g} %" for share in rows)],
        ["training rows", *(f"{count:,}" for count in rows.values())],
        *([form, *(_cell(values[form, share]) for share in rows)] for form in forms),
    ]
    wide = max(len(line[0]) for line in lines)
    text = "\n".join(line[0].ljust(wide) + "".join(f"{cell:>18}" for cell in line[1:]) for line in lines)
    seeds = len({result.seed for result in results})
    return f"{metric} on {validation:,} validation rows, mean ± standard deviation of {seeds} seeds\n{text}"


def _cell(values: Sequence[float]) -> str:
    spread = f" ± {statistics.stdev(values):.4f}" if len(values) > 1 else ""
    return f"{statistics.fmean(values):.4f}{spread}"


def _encoded(forms: Mapping[str, Problem], source: Source, data: Data) -> Data:
    columns = [column for form in forms.values() for column in form.columns]
    if not all(data.train.layout.slot(key) for key in encoded_keys(columns)):
        data = split.read(source, Encoder(columns).encodings)
    # Read from files once, where they lie there.
    return dataclasses.replace(data, train=data.train.in_memory(), validation=data.validation.in_memory())


def _result(form: str, contender: Contender, data: Data, share: float, seed: int, metric: str) -> Result:
    start = time.perf_counter()
    places = drawn(len(data.train), share, seed)
    passes = contender.train(data.train.in_memory().subset(places), seed)
    found = contender.evaluate(data.validation.in_memory())
    seconds = round(time.perf_counter() - start, 1)
    return Result(form, share, len(places), seed, passes, found[metric], found["loss"], seconds)


def _show(results: Sequence[Result]) -> None:
    first = results[0]
    values = " ".join(f"{result.value:.4f}" for result in results)
    passes = ", ".join(str(result.passes) for result in results)
    seconds = sum(result.seconds for result in results)
    print(f"{100 * first.share:>4g} %  {first.form:<24}{values}  after {passes} passes  {seconds:.1f} s", flush=True)
