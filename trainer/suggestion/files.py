"""From the names of files to the text of a problem."""

from collections.abc import Sequence
from typing import TextIO

from trainer import analysis
from trainer.errors import Refusal
from trainer.inputs.files import State
from trainer.inputs.readers import matching
from trainer.rows import CsvFormat, Limit
from trainer.suggestion.sample import Sample, texts_of
from trainer.suggestion.suggestion import suggested
from trainer.suggestion.writing import source


def of_files(
    pattern: str, label: str, csv: CsvFormat | None = None, limit: Limit | None = None, out: TextIO | None = None
) -> str:
    """Returns the text of a file with a problem that learns to predict one column of files by the others.

    Args:
        pattern: Of the names of the files.
        label: The column.
        csv: How CSV files are written.
        limit: How many rows there may be that cannot be read.
        out: Where it is told how far it came; None tells nothing.

    Raises:
        Refusal: A file or the label cannot be used, or no other column tells anything.
    """
    csv = csv or CsvFormat()
    states = [State.of(path) for path in matching(pattern, "suggest")]
    csv = analysis.spaced(states, csv)
    sample = Sample()
    reading = analysis.Reading(csv=csv, also=texts_of)
    found = analysis.of_files(states, reading, limit, sample.take, out)
    names = [column.name for column in found.columns]
    if label not in names and csv.column_names is None and _are_values(names):
        raise Refusal(
            f"{states[0].path}: there is no column '{label}', and its first row, {', '.join(names[:3])} …, looks like "
            "values; give --column-names for a file without a header."
        )
    made = suggested(found, sample.columns(), label)
    return source(made, pattern, None if csv == CsvFormat() else csv)


def _are_values(names: Sequence[str]) -> bool:
    """Tells whether what should be a header has numbers in it."""
    return any(name.strip().replace(".", "", 1).lstrip("-").isdigit() for name in names)
