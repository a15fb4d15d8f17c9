"""Labelled vectors as a notebook draws them."""

from typing import TYPE_CHECKING

from trainer.html import html_table

if TYPE_CHECKING:
    from trainer.vectors.labelled import LabelledVectors

_SHOWN_ROWS, _SHOWN_VALUES = 10, 6


def drawn(vectors: "LabelledVectors") -> str:
    """Returns the first rows of a table, and the first values of each, as HTML."""
    counts, matrix = vectors.counts, vectors.matrix
    counted = [] if counts is None else ["count"]
    places = range(min(_SHOWN_VALUES, vectors.dimension))
    header = ["", *counted, *map(str, places), *(["…"] if vectors.dimension > len(places) else [])]
    rows = [
        [key, *([str(counts[row])] if counts is not None else []), *(f"{matrix[row, n]:.3f}" for n in places)]
        for row, key in enumerate(vectors.keys[:_SHOWN_ROWS])
    ]
    return html_table(f"{vectors.name}: {len(vectors):,} rows × {vectors.dimension}", header, rows, len(vectors))
