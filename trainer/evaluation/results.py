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
from trainer.pictures import matrix
from trainer.pictures.reliability import reliability
from trainer.prediction.confusion import Confusion
from trainer.run import Run, finite

FOLDER, FILE = "evaluation", "evaluation.json"
CALIBRATION, CONFUSION = "calibration.png", "confusion.png"


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
        confusion: Of the classes; None where the answers are none of several.
        bad_rows: How many rows of files were set aside.
    """

    run: str
    data: str
    metrics: dict[str, float]
    by: str | None = None
    slices: Sequence[Slice] = ()
    calibration: Calibration | None = None
    bad_rows: int = 0
    confusion: Confusion | None = None

    def to_dict(self) -> dict[str, Any]:
        """Returns them as JSON can hold them; what is not finite is None."""
        found: dict[str, Any] = {"run": self.run, "data": self.data, **self.metrics, "bad_rows": self.bad_rows}
        if self.by is not None:
            told = [{"value": part.value, "values": part.values, **part.metrics} for part in self.slices]
            found |= {"by": self.by, "slices": told}
        if self.calibration is not None:
            found["calibration"] = self.calibration.to_dict()
        if self.confusion is not None:
            found["confusion"] = self.confusion.to_dict()
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
    return Results(run.path, data, judge.metrics(), by, slices, judge.calibration(), bad_rows, judge.confusion())


def write(results: Results, out: str | None = None, picture: str | None = None) -> list[str]:
    """Writes results as JSON, and their calibration or confusion as a picture, where there is one; returns the paths.

    Args:
        results: What was found.
        out: The JSON file; None is `evaluation/evaluation.json` of the run.
        picture: The PNG file; None is `calibration.png` or `confusion.png` beside a run's own results, else
            `NAME.calibration.png` or `NAME.confusion.png` beside `out`.

    Raises:
        Refusal: They cannot be written.
    """
    run = Run(results.run)
    place = run.file(FOLDER, FILE) if out is None else paths.absolute(out)
    name = CALIBRATION if results.confusion is None else CONFUSION
    beside = run.file(FOLDER, name) if out is None else f"{os.path.splitext(place)[0]}.{name}"
    try:
        if out is None:
            paths.make_folder(run.file(FOLDER))
        paths.write_text(place, json.dumps(results.to_dict(), indent=2, allow_nan=False) + "\n")
        drawing = paths.absolute(picture or beside)
        if results.calibration is not None and results.calibration.bins:
            _draw(results.calibration, results, drawing)
        elif results.confusion is not None:
            matrix(results.confusion, drawing, f"rows of {results.data}")
        else:
            return [place]
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
