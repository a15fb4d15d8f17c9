"""What an evaluation has found, as JSON and as a picture."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from trainer import paths
from trainer.errors import Refusal
from trainer.evaluation.calibration import Calibration
from trainer.evaluation.judging import Judge, Slice
from trainer.pictures.reliability import reliability
from trainer.run import Run, finite

FOLDER, FILE, PICTURE = "evaluation", "evaluation.json", "calibration.png"


@dataclass(frozen=True)
class Results:
    """What an evaluation has found.

    Args:
        run: The folder of the run.
        data: What a person calls the rows.
        metrics: Of all rows, with how many they are, `examples`.
        by: The feature whose values are told apart; None tells none apart.
        slices: The rows of each of its values.
        calibration: Of the answers; None where they are not yes or no.
        bad_rows: How many rows of files were set aside.
    """

    run: str
    data: str
    metrics: dict[str, float]
    by: str | None = None
    slices: Sequence[Slice] = ()
    calibration: Calibration | None = None
    bad_rows: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Returns them as JSON can hold them; what is not finite is None."""
        found: dict[str, Any] = {"run": self.run, "data": self.data, **self.metrics, "bad_rows": self.bad_rows}
        if self.by is not None:
            told = [{"value": part.value, "values": part.values, **part.metrics} for part in self.slices]
            found |= {"by": self.by, "slices": told}
        if self.calibration is not None:
            found["calibration"] = self.calibration.to_dict()
        kept: dict[str, Any] = finite(found)
        return kept


def results_of(judge: Judge, run: Run, data: str, by: str | None, least_rows: int, bad_rows: int = 0) -> Results:
    """Returns all that a judge finds.

    Args:
        judge: Of some rows.
        run: The run whose model was judged.
        data: What a person calls the rows.
        by: The feature that the judge tells rows apart by.
        least_rows: Values with fewer rows are taken together.
        bad_rows: How many rows of files were set aside.
    """
    slices = judge.slices(least_rows)
    return Results(run.path, data, judge.metrics(), by, slices, judge.calibration(), bad_rows)


def write(results: Results, out: str | None = None, picture: str | None = None) -> list[str]:
    """Writes results as JSON, and their calibration, where there is one, as a picture; returns the paths.

    Args:
        results: What was found.
        out: The JSON file; None is `evaluation/evaluation.json` of the run.
        picture: The PNG file; None is `calibration.png` beside a run's own results, else `NAME.calibration.png` beside
            `out`.

    Raises:
        Refusal: They cannot be written.
    """
    run = Run(results.run)
    place = run.file(FOLDER, FILE) if out is None else paths.absolute(out)
    beside = run.file(FOLDER, PICTURE) if out is None else f"{os.path.splitext(place)[0]}.{PICTURE}"
    try:
        if out is None:
            paths.make_folder(run.file(FOLDER))
        paths.write_text(place, json.dumps(results.to_dict(), indent=2, allow_nan=False) + "\n")
        if results.calibration is None or not results.calibration.bins:
            return [place]
        drawing = paths.absolute(picture or beside)
        _draw(results.calibration, results, drawing)
    except OSError as error:
        text = " ".join(str(error.strerror or error).split()).removesuffix(".")
        raise Refusal(f"{place}: the results cannot be written there ({text}); give another place as --out.") from None
    return [place, drawing]


def _draw(calibration: Calibration, results: Results, path: str) -> None:
    parts = calibration.bins
    sentence = (
        f"{results.data}, {int(results.metrics['examples']):,} rows; predicted and observed are "
        f"{calibration.error:.4f} apart on average"
    )
    reliability(
        [each.predicted for each in parts],
        [each.observed for each in parts],
        [each.error for each in parts],
        [each.examples for each in parts],
        sentence,
        path,
    )
