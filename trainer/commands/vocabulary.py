"""Writes the vocabulary of each column of files, and tells what the columns hold and what is odd in them.

A column has a file of one value a line, the most frequent first, ties in the order of the values, as
`categorical_column_with_vocabulary_file` reads it; `summary.json` has what the terminal shows, and more. What stands
after `--` goes to Apache Beam with its runner: python -m pip install 'embedding-columns[beam]'.
"""

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from trainer import commands, flags
from trainer.errors import Refusal
from trainer.feature_column import Tokens
from trainer.flags import flag
from trainer.rows import CsvFormat, Limit, TextFormat
from trainer.terminal import load_tensorflow

PROG = f"{commands.PROG} vocabulary"
DESCRIPTION = f"""{__doc__}
  {PROG} --train-files "data/*.csv.gz" --out vocabulary
  {PROG} --train-files homes.csv.gz --words name --frequency-threshold 5 --out vocabulary
  {PROG} --train-files "novels/*.txt.gz" --texts text --top-k 10000 --out vocabulary
  {PROG} --train-files ratings.parquet --columns movieId --frequency-threshold 5 --out vocabulary
  {PROG} --train-files "gs://b/*.csv" --out gs://b/vocabulary --runner DataflowRunner -- --project p --region r"""


@dataclass(frozen=True)
class Settings:
    """What the pass over the files can be told."""

    train_files: str | None = flag(
        None, "CSV, Parquet, Feather, JSON lines, TFRecord or text files, local or gs://", "GLOB", group="data"
    )
    columns: str | None = flag(None, "look at these alone, as a,b,c", "NAMES", group="data")
    bags: tuple[str, ...] = flag(
        (), "what stands between the values of a row, as genres=|; repeatable", "COLUMN=TEXT", group="data"
    )
    words: tuple[str, ...] = flag(
        (),
        "a column of texts of which the words are counted, of letters and digits, or matches of a pattern, as "
        "name=[a-z]+; repeatable",
        "COLUMN[=PATTERN]",
        group="data",
    )
    texts: str | None = flag(
        None,
        "files of no other kind by their name are running text: a column of passages, whose words are counted",
        "COLUMN",
        group="data",
    )
    delimiter: str | None = flag(None, "between two values of CSV (default: found by the header)", "X", group="data")
    column_names: str | None = flag(None, "of CSV files without a header, as a,b,c", "NAMES", group="data")
    max_bad_rows: str = flag("0", "rows that may be left out, as 10 or 1%, because they cannot be read", "N|N%")
    out: str | None = flag(None, "the folder of the vocabularies", "DIR", group="vocabularies")
    overwrite: bool = flag(False, "replace the vocabularies that the folder holds", group="vocabularies")
    top_k: int | None = flag(None, "the most values of a vocabulary", "N", least=1, group="vocabularies")
    frequency_threshold: int = flag(0, "the fewest rows of a value", "N", least=0, group="vocabularies")
    quantiles: int = flag(10, "ranges into which the quantiles of numbers cut them", "N", least=1, group="vocabularies")
    exact_values: int = flag(
        1_000_000,
        "different values of a column up to which counts are exact; beyond, the summary says how far they are off",
        "N",
        least=1000,
        group="vocabularies",
    )
    runner: str | None = flag(
        None, "DirectRunner, DataflowRunner, FlinkRunner or SparkRunner of Apache Beam", "NAME", group="beam"
    )


def main(argv: Sequence[str]) -> int:
    """Analyses files, writes vocabularies, prints what was found, and returns the exit code.

    Args:
        argv: Flags, and after `--` those of Apache Beam.

    Raises:
        Refusal: A flag or a file cannot be used.
    """
    words = list(argv)
    end = words.index("--") if "--" in words else len(words)
    given = Settings(**flags.parse(Settings, words[:end], PROG, DESCRIPTION))
    _check(given, words[end + 1 :])
    load_tensorflow()
    from trainer import analysis
    from trainer.analysis import report, writing
    from trainer.inputs.files import State
    from trainer.inputs.readers import matching

    out = str(given.out)
    writing.check(out, given.overwrite)
    states = [State.of(path) for path in matching(str(given.train_files), "--train-files")]
    reading, limit = _reading(given, states), Limit.parsed(given.max_bad_rows)
    if given.runner is None:
        found = analysis.of_files(states, reading, limit, out=sys.stdout)
    else:
        from trainer.analysis import beam

        found = beam.of_files(states, reading, limit, [f"--runner={given.runner}", *words[end + 1 :]], out)
    how = writing.Vocabulary(given.top_k, given.frequency_threshold, given.quantiles)
    writing.write(out, found, how)
    places = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    print("\n".join([*report.lines(found, places), out]))
    return 0


def _check(given: Settings, of_beam: Sequence[str]) -> None:
    for name in ("train_files", "out"):
        if not getattr(given, name):
            raise Refusal(f"{PROG}: {flags.flag_name(name)} is wanted; see --help.")
    if of_beam and given.runner is None:
        raise Refusal(f"{PROG}: {of_beam[0]} after '--' is for Apache Beam; give --runner too, or leave it out.")


def _reading(given: Settings, states: Sequence[Any]) -> Any:
    from trainer.analysis import Reading, spaced

    bags: dict[str, str | Tokens] = {}
    for text in given.bags:
        name, separator = _bag(text)
        if name in bags:
            raise Refusal(f"--bags: '{name}' is given twice; give what stands between its values once.")
        bags[name] = separator
    for text in given.words:
        name, equals, pattern = text.partition("=")
        if name in bags:
            raise Refusal(f"--words: '{name}' is given twice, or to --bags too; say once how its rows become values.")
        bags[name] = Tokens(pattern) if equals else Tokens()
    texts = None if given.texts is None else TextFormat(given.texts)
    if texts is not None:
        bags.setdefault(texts.feature, Tokens())
    csv = spaced(states, CsvFormat(given.delimiter, _names(given.column_names)), texts)
    return Reading(_names(given.columns), bags, given.exact_values, csv, texts=texts)


def _names(text: str | None) -> list[str] | None:
    return None if text is None else [name.strip() for name in text.split(",")]


def _bag(text: str) -> tuple[str, str]:
    name, equals, separator = text.partition("=")
    if not (name and equals and separator):
        raise Refusal(f"--bags: COLUMN=TEXT is wanted, as in genres=|, not '{text}'.")
    return name, separator
