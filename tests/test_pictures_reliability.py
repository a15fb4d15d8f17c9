"""The picture of a calibration."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from trainer.pictures.reliability import drawn, reliability

PREDICTED, OBSERVED, ERRORS, COUNTS = [0.1, 0.4, 0.8], [0.15, 0.35, 0.9], [0.01, 0.02, 0.03], [100, 100, 120]


def test_bins_lie_at_what_was_predicted_and_observed_with_bars_of_95_percent() -> None:
    (axes,) = drawn(PREDICTED, OBSERVED, ERRORS, COUNTS, "so it is").axes
    container: Any
    (container,) = axes.containers
    line, _, (bars,) = container.lines
    np.testing.assert_allclose(line.get_xydata(), np.transpose([PREDICTED, OBSERVED]))
    heights = [segment[:, 1] for segment in bars.get_segments()]
    np.testing.assert_allclose([np.ptp(each) for each in heights], 2 * 1.96 * np.array(ERRORS))
    assert axes.get_xlim() == axes.get_ylim()
    assert container.get_label() == "observed, 100 to 120 rows a bin, with 95 % bars"


def test_the_picture_is_a_png_of_the_width_of_the_others(tmp_path: Path) -> None:
    reliability(PREDICTED, OBSERVED, ERRORS, [100, 100, 100], "so it is", str(tmp_path / "a.png"))
    with Image.open(tmp_path / "a.png") as image:
        assert image.width == 1600
