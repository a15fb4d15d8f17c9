"""Judges a run's model on its test data or on files: metrics, also by the values of a feature, and a picture."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from trainer import commands, flags, paths
from trainer.errors import Refusal
from trainer.flags import flag
from trainer.rows import Limit
from trainer.terminal import aligned, load_tensorflow

PROG = f"{commands.PROG} evaluate"
DESCRIPTION = f"""{__doc__}

  {PROG} runs/flights
  {PROG} runs/flights --by origin
  {PROG} runs/flights --files 'january/*.parquet' --by tailnum --least-rows 50 --out january.json

Without --files these are the run's own test rows, and the metrics those of its metrics.json. All is left as JSON in
evaluation/evaluation.json of the run, or as --out says; where the answer is yes or no, a picture of the calibration
stands beside it, and where it is one of several classes, one of which is taken for which."""

_SHOWN = 20
"""Values that are shown on a terminal; the file has all of them."""


@dataclass(frozen=True)
class Settings:
    """What the judging can be told."""

    run: tuple[str, ...] = commands.RUN
    files: str | None = flag(None, "rows with labels (default: the run's test rows)", "GLOB", group="data")
    max_bad_rows: str | None = flag(
        None, "rows of files that may be set aside, as 10 or 1%; they are counted (default: the run's)", "N|N%",
        group="data",
    )  # fmt: skip
    by: str | None = flag(
        None, "also tell the metrics of each value of a feature, the worst first; the model need not read it", "KEY",
        group="metrics",
    )  # fmt: skip
    least_rows: int = flag(100, "values with fewer rows are told together", "N", least=1, group="metrics")
    out: str | None = flag(
        None, "where the results go (default: evaluation/evaluation.json of the run)", "FILE.json", group="output"
    )
    picture: str | None = flag(
        None,
        "where the picture of the calibration or the confusion goes (default: beside the results)",
        "FILE.png",
        group="output",
    )
    verbose: bool = flag(False, "show TensorFlow's own messages", group="output")


def main(argv: Sequence[str]) -> int:
    """Prints the metrics of a run, writes them, and returns the exit code.

    Args:
        argv: The run and flags.

    Raises:
        Refusal: The run, its data, a file or the output cannot be used.
    """
    given = Settings(**flags.parse(Settings, argv, PROG, DESCRIPTION))
    path = commands.only(given.run, PROG, "run is wanted")
    limit = None if given.max_bad_rows is None else Limit.parsed(given.max_bad_rows)
    _check_out("--out", given.out, ".json")
    _check_out("--picture", given.picture, ".png")
    load_tensorflow(given.verbose)
    from trainer import evaluation
    from trainer.inputs.progress import ReadingProgress
    from trainer.job import summary
    from trainer.prediction import load

    trained = load(path)
    source = evaluation.source_of(trained, given.files, given.by, limit)
    with ReadingProgress("evaluating", source) as progress:
        judge = evaluation.Judge(trained, source, given.files is not None, given.by, progress.add)
    bad_rows = len(source.bad_rows or ())
    results = evaluation.results_of(
        judge, trained.run, given.files or source.name, given.by, given.least_rows, bad_rows
    )
    summary.show_planted(source.absent)
    _show(results, source.bad_rows)
    print("\n".join(evaluation.write(results, given.out, given.picture)))
    return 0


def _check_out(name: str, out: str | None, ending: str) -> None:
    if out is None:
        return
    if not out.lower().endswith(ending):
        raise Refusal(f"{name}: {out} should end in {ending}; give it a name that does.")
    folder = os.path.dirname(paths.absolute(out))
    if not paths.is_remote(out) and not paths.is_folder(folder):
        raise Refusal(f"{name}: there is no folder {folder}; make it, or give another place.")


def _show(results: Any, bad_rows: Any) -> None:
    names = [name for name in results.metrics if name != "examples"]
    metrics = "  ".join(f"{name} {results.metrics[name]:.4f}" for name in names)
    print(f"{results.data}  {results.metrics['examples']:,} rows  {metrics}")
    if bad_rows:
        print(f"rows that cannot be used and were left out: {len(bad_rows):,}; the first: {bad_rows.found[0]}")
    if results.by is not None:
        _show_slices(results, names)
    if results.calibration is not None:
        _show_calibration(results.calibration)


def _show_slices(results: Any, names: Sequence[str]) -> None:
    alone = [part for part in results.slices if part.values == 1]
    shown = [*alone[:_SHOWN], *(part for part in results.slices if part.values > 1)]
    rows = [[results.by, "rows", *names]]
    for part in shown:
        rows.append([part.value, f"{part.metrics['examples']:,}", *(f"{part.metrics[name]:.4f}" for name in names)])
    print("", *aligned(rows, right=range(1, len(rows[0]))), sep="\n")
    if len(alone) > _SHOWN:
        print(f"{len(alone) - _SHOWN:,} more, with smaller losses, are in the file")


def _show_calibration(calibration: Any) -> None:
    rows = [["predicted", "observed", "±", "rows"]]
    for each in calibration.bins:
        rows.append([f"{each.predicted:.4f}", f"{each.observed:.4f}", f"{each.error:.4f}", f"{each.examples:,}"])
    print("", *aligned(rows, right=range(4)), sep="\n")
    print(f"expected calibration error {calibration.error:.4f}\n")
