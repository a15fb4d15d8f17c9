"""Labels as they are written: how long, how large, and what is said of those that find no room."""

from typing import Any

import numpy as np

from trainer.pictures.figures import LABEL_SIZE
from trainer.tables.table import Array

LONGEST_LABEL = 28


def sizes_of(axes: Any, texts: list[str]) -> Array:
    """Returns the width and height of labels in pixels, `(labels, 2)`, measured as they will be drawn."""
    ruler = axes.text(0, 0, "", fontsize=LABEL_SIZE, parse_math=False)
    renderer = axes.figure.canvas.get_renderer()
    found = []
    for text in texts:
        ruler.set_text(text)
        found.append(ruler.get_window_extent(renderer).size)
    ruler.remove()
    return np.array(found).reshape(-1, 2)


def labels_told(labelled: int, rows: int, counted: bool) -> str:
    """Returns how many rows have a label, and which.

    Example:
        >>> labels_told(40, 900, True), labels_told(3, 3, True)
        ('labels: 40 of 900 rows, the most often trained first', 'labels: 3 of 3 rows')
    """
    first = "" if labelled == rows else f", the {'most often trained' if counted else 'farthest out'} first"
    return f"labels: {labelled:,} of {rows:,} rows{first}"
