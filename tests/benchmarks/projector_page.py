"""From the click to points on the screen: `python -m tests.benchmarks.projector_page` (5 minutes on 2 cores).

A table of 100,000 rows of 64, with three columns of metadata, in the three forms that TensorBoard's projector reads: a
checkpoint, as `trainer.projector` leaves it, raw bytes, and tab-separated text. The forms take turns; each time a
TensorBoard of its own is started, and has found its run before the clock starts, so that TensorFlow is loaded; the
projector has been asked nothing, since it reads raw bytes and text, of all tables, when it is first asked for runs. The
clock stops when the page says 100,000 points, has drawn them on their principal components, and has no message over
them. `first answer` is the part until the projector has listed its runs, measured apart.

Writing, beside that: `projector.write` with labels, counts and views, against `numpy.savetxt` of the values alone.
"""

import shutil
import statistics
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tests import servers
from tests.benchmarks.pairs import opened, parser, write
from tests.browser.page import chromium, fresh_page
from trainer import feature_column as fc
from trainer import projector
from trainer.tables import Table

if TYPE_CHECKING:
    from playwright.sync_api import Browser

DIMENSION, COLOURS = 64, 8
FORMS = ("checkpoint", "bytes", "text")
CONFIG = "projector_config.pbtxt"


def table(rows: int) -> Table:
    """Returns a table of a key of two parts, counted: so it has labels and three columns."""
    part = fc.categorical_column_with_vocabulary_list("part", [f"part {number}" for number in range(COLOURS)])
    word = fc.categorical_column_with_identity("word", -(-rows // COLOURS))
    pair = fc.crossed_column([part, word])
    draw = np.random.default_rng(0)
    values = draw.normal(size=(pair.num_buckets, DIMENSION)).astype(np.float32)
    counts = draw.permutation(pair.num_buckets)
    return Table("words", values, fc.embedding_column(pair, DIMENSION, name="words"), counts)


def leave(folder: Path, made: Table) -> None:
    """Writes the run once by our writer, and twice more with the values in another form."""
    projector.write(str(folder / FORMS[0]), [made])
    values = projector.points.variants_of(made, projector.points.rows_of(made))[""]  # (rows, dimension)
    for form, file in zip(FORMS[1:], ("words.bytes", "words.tsv"), strict=True):
        shutil.copytree(folder / FORMS[0], folder / form, ignore=shutil.ignore_patterns("checkpoint", "tensors.*"))
        if form == "bytes":
            values.tofile(folder / form / file)
        else:
            np.savetxt(folder / form / file, values, "%.9g", "\t")
        config = folder / form / CONFIG
        config.write_text(
            config.read_text().replace('tensor_name: "words"', f'tensor_name: "words" tensor_path: "{file}"')
        )


@contextmanager
def fresh_tensorboard(folder: Path) -> Iterator[str]:
    """Runs a TensorBoard that has found its run; yields its address."""
    with servers.tensorboard(folder) as address:
        while answer(f"{address}data/runs") == b"[]":
            time.sleep(0.2)
        yield address


def answer(address: str) -> bytes:
    """Returns what is at an address."""
    with urllib.request.urlopen(address) as response:
        found: bytes = response.read()
        return found


def seconds_to_first_answer(folder: Path) -> float:
    """Returns the seconds in which a fresh projector lists its runs."""
    with fresh_tensorboard(folder) as address:
        start = time.perf_counter()
        answer(f"{address}data/plugin/projector/runs")
        return time.perf_counter() - start


def seconds_to_points(browser: "Browser", folder: Path, rows: int) -> float:
    """Returns the seconds from opening the page of a fresh TensorBoard until it has drawn its points."""
    with fresh_tensorboard(folder) as address, fresh_page(browser, address) as page:
        start = time.perf_counter()
        page.open()
        found = time.perf_counter() - start
        if (page.points(), page.errors()) != (rows, []):
            raise SystemExit(f"The page shows {page.points():,} points: {page.errors()}")
        return found


def seconds_to_write(made: Table, values: Any) -> dict[str, float]:
    """Returns the seconds of our writer and of NumPy's for the values alone, each into an empty folder."""
    sides: Mapping[str, Callable[[str], Any]] = {
        "projector.write": lambda folder: projector.write(folder, [made]),
        "numpy.savetxt": lambda folder: np.savetxt(f"{folder}/words.tsv", values, delimiter="\t"),
    }
    found = {}
    for name, writes in sides.items():
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            writes(folder)
            found[name] = time.perf_counter() - start
    return found


def show(title: str, rounds: Sequence[Mapping[str, float]]) -> None:
    """Prints the median of each side, all its rounds, and how many times that of the first side it is."""
    print(f"\n{title}\n  {'':<18}{'median s':>10}{'ratio':>8}  rounds")
    first = next(iter(rounds[0]))
    for name in rounds[0]:
        each = [found[name] for found in rounds]
        ratio = statistics.median(found[name] / found[first] for found in rounds)
        print(f"  {name:<18}{statistics.median(each):>10.2f}{ratio:>8.2f}  {' '.join(f'{one:.2f}' for one in each)}")


def main() -> None:
    """Measures, prints two tables, and writes them as JSON where asked to."""
    flags = parser(__doc__, rows=100_000, pages=3).parse_args()
    if flags.quick:
        flags.rows, flags.rounds, flags.pages = 1_000, 1, 1
    about = opened(flags, ())
    made = table(flags.rows)
    rows = min(made.rows, projector.points.MOST_ROWS)
    small = table(1_000)
    seconds_to_write(small, small.values)  # loads what is needed
    written = [seconds_to_write(made, made.values) for _ in range(flags.rounds)]
    show(f"to write {made.rows:,} x {DIMENSION}", written)
    answered: list[dict[str, float]] = []
    shown: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as place, chromium() as browser:
        leave(Path(place), made)
        for turn in range(flags.pages):
            order = (*FORMS[turn % 3 :], *FORMS[: turn % 3])
            found = {form: seconds_to_first_answer(Path(place, form)) for form in order}
            answered.append({form: found[form] for form in FORMS})
            found = {form: seconds_to_points(browser, Path(place, form), rows) for form in order}
            shown.append({form: found[form] for form in FORMS})
    show("to the first answer", answered)
    show(f"from opening the page to {rows:,} points", shown)
    write(flags.json, {"machine": about, "rows": made.rows, "writing": written, "answer": answered, "showing": shown})


if __name__ == "__main__":
    main()
