"""Writes what a run's model answers to every row of files."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from trainer import commands, flags, paths
from trainer.errors import Refusal
from trainer.flags import flag
from trainer.rows import Limit
from trainer.terminal import load_tensorflow

PROG = f"{commands.PROG} predict"
DESCRIPTION = f"""{__doc__}

  {PROG} runs/flights --files new.csv --out predictions.parquet
  {PROG} runs/flights --files 'new/*.jsonl.gz' --out predictions.csv --keep flight,tailnum

The rows come in the order of the files and of their rows. --keep puts columns of the files first, as they are there;
then come the answers: logits and probabilities, and classes where there are several. An answer of several numbers is a
list; in CSV it has a column for each, probabilities_0 and so on. Where the problem groups rows, as those of a person,
there is one answer a group, and what tells the group comes first. Rows that --max-bad-rows sets aside are left out, and
stand beside the file with their line and the reason, in predictions.bad_rows.jsonl."""


@dataclass(frozen=True)
class Settings:
    """What the predicting can be told."""

    run: tuple[str, ...] = commands.RUN
    files: str | None = flag(
        None, "the rows: CSV, Parquet, Feather, JSON lines or TFRecord, without labels", "GLOB", group="data"
    )
    max_bad_rows: str = flag("0", "rows of the files that may be set aside, as 10 or 1%", "N|N%", group="data")
    batch_size: int | None = flag(
        None,
        "rows the model takes at once (default: the run's --eval-batch-size)",
        "N",
        least=1,
        group="data",
    )
    out: str | None = flag(None, "the file to write, .parquet, .feather, .csv or .jsonl", "FILE", group="output")
    keep: tuple[str, ...] = flag(
        (), "columns of the files to put beside the answers; repeatable", "NAME,NAME", group="output"
    )
    overwrite: bool = flag(False, "replace a file that is there", group="output")
    verbose: bool = flag(False, "show TensorFlow's own messages", group="output")


def main(argv: Sequence[str]) -> int:
    """Writes predictions and returns the exit code.

    Args:
        argv: The run and flags.

    Raises:
        Refusal: The run, a file, a row or the output cannot be used.
    """
    given = Settings(**flags.parse(Settings, argv, PROG, DESCRIPTION))
    run = commands.only(given.run, PROG, "run is wanted")
    files, out = commands.wanted(given.files, PROG, "files"), commands.wanted(given.out, PROG, "out")
    limit = Limit.parsed(given.max_bad_rows)
    load_tensorflow(given.verbose)
    from trainer.inputs.readers import matching
    from trainer.prediction import files as predicting
    from trainer.prediction import loading, writing

    found = matching(files, "--files")
    out = paths.absolute(out)
    writing.check(out, given.overwrite, found)
    trained = loading.load(run)
    start, unit = time.perf_counter(), "rows" if trained.problem.grouped is None else "groups"
    if trained.problem.grouped is None:
        rows = predicting.rows_to_answer(trained, found, _names(given.keep), limit)
        with _progress("predicting", rows, unit) as progress:
            written = predicting.write(trained, rows, out, given.batch_size, progress.add)
    else:
        written = _written_groups(trained, given, out, limit)
    commands.tell_bad_rows(out, written.bad)
    seconds = time.perf_counter() - start
    print(f"{written.rows:,} {unit} in {seconds:.1f} s, {written.rows / max(seconds, 1e-9):,.0f} {unit}/s\n{out}")
    return 0


def _written_groups(trained: Any, given: Settings, out: str, limit: Limit) -> Any:
    from trainer.prediction import files as predicting
    from trainer.prediction.groups import Groups

    groups = Groups(trained, str(given.files), "--files", limit)
    if given.keep:
        raise Refusal(
            f"--keep: the rows of one '{groups.by}' are answered together, and it stands beside the answers; leave "
            "--keep out."
        )
    with _progress("reading", groups.source, "rows") as progress:
        groups.read(progress.add)
    with _progress("predicting", groups, "groups") as progress:
        return predicting.write_groups(trained, groups, out, given.batch_size, progress.add)


def _names(given: Sequence[str]) -> list[str]:
    return [name for text in given for name in text.split(",") if name]


def _progress(what: str, source: Any, unit: str) -> Any:
    from trainer.inputs.progress import ReadingProgress

    return ReadingProgress(what, source, unit=unit)
