"""Views of a table that the page opens with one click: what it calls bookmarks."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from trainer.projector.layout import components
from trainer.projector.metadata import is_colourable
from trainer.tables.table import Array

MOST_VIEWS = 8
"""The columns that have views of their own; more would hide each other in the page's list."""

_UNCOLOURED = "No color map"


def bookmarks(columns: Mapping[str, Sequence[str]], points: Array, layout: Array | None) -> str:
    """Returns the views of a table as the page reads them: its axes, and a layout, in the colours of each column.

    Args:
        columns: Its metadata by name, the label first.
        points: `(rows, dimension)`, as the page shows them.
        layout: Where they lie in two dimensions, `(rows, 2)`, or None where nobody laid them out.
    """
    label = next(iter(columns))
    # Labels that several rows share, as classes, are worth a colour; those that name each row are not.
    shared = [label] if len(set(columns[label])) < len(points) else []
    others = list(columns)[1:]
    colours = [name for name in [*shared, *others] if is_colourable(columns[name]) and len(set(columns[name])) > 1]
    places = None if layout is None else _places(points, layout)
    states = []
    for colour in colours[:MOST_VIEWS] or [_UNCOLOURED]:
        ending = "" if colour == _UNCOLOURED else f" by {colour}"
        state = _state(points.shape, label, colour)
        if places is not None:
            states.append(_text({**state, "label": f"t-SNE{ending}", "selectedProjection": "custom"}, places))
        states.append(_text({**state, "label": f"PCA{ending}", "selectedProjection": "pca"}, "[]"))
    return f"[{','.join(states)}]\n"


def _state(shape: tuple[int, ...], label: str, colour: str) -> dict[str, Any]:
    """Returns what all views of a table have in common; the page needs every key."""
    rows, dimension = shape
    return {
        "isSelected": False,
        "dataSetDimensions": [rows, dimension],
        "selectedColorOptionName": colour,
        "forceCategoricalColoring": False,
        "selectedLabelOption": label,
        "selectedPoints": [],
        "pcaComponentDimensions": [0, 1, 2],
        "tSNEIteration": 0,
        "tSNEPerplexity": max(5, min(30, (rows - 1) // 3)),
        "tSNELearningRate": 1,  # the page takes ten to the power of it
        "tSNEis3d": True,
        # The page's UMAP ends with an error unless it has more points than these, and takes no fewer than 5.
        "umapNeighbors": max(5, min(15, rows - 1)),
        "umapMinDist": 0.1,
        "umapIs3d": True,
        "customSelectedSearchByMetadataOption": label,
        **{f"custom{side}Text": "" for side in ("XLeft", "XRight", "YUp", "YDown")},
    }


def _text(state: Mapping[str, Any], places: str) -> str:
    return f'{json.dumps(state, ensure_ascii=False)[:-1]}, "projections": {places}}}'


def _places(points: Array, layout: Array) -> str:
    """Returns the coordinates of each point; the page forgets those that a view does not repeat."""
    axes = components(points)  # (rows, components)
    names = ["linear-x", "linear-y", *(f"pca-{number}" for number in range(axes.shape[1]))]
    line = "{" + ",".join(f'"{name}":%.4g' for name in names) + "}"
    values = [[*place, *axis] for place, axis in zip(layout.tolist(), axes.tolist(), strict=True)]
    return "[" + ",".join(line % tuple(row) for row in values) + "]"
