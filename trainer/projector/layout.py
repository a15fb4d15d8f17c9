"""Where the points of a table lie on the page: the axes of most variance, and neighbours beside each other."""

import numpy as np

from trainer.tables.table import Array

MOST_COMPONENTS = 10
"""The page offers so many principal components."""

_PERPLEXITY = 30.0
_FEWEST = 5
"""Below this number of rows there is no neighbourhood to keep."""

_SHOWN_WHOLE = 3
"""The dimensions of the page."""

_PARALLEL = 2_000
"""Below this number of rows threads wait for each other longer than they work, for minutes on a busy machine."""

_MOST_LAID_OUT = 10_000
"""The rows up to which neighbours are laid out: the time grows faster than their number, here to a minute."""


def components(points: Array) -> Array:
    """Returns points on the principal components that the page would find, `(rows, 10 at most)`."""
    _, axes = np.linalg.eigh(points.T.astype(np.float64) @ points)  # (dimension, dimension), the largest last
    return np.asarray(points @ axes[:, ::-1][:, :MOST_COMPONENTS])


def is_laid_out(points: Array) -> bool:
    """Tells whether points, `(rows, dimension)`, are neither too few nor too many, and more than the page can show."""
    return _FEWEST <= len(points) <= _MOST_LAID_OUT and points.shape[1] > _SHOWN_WHOLE


def neighbourhoods(points: Array) -> Array | None:
    """Returns a layout in two dimensions in which neighbours lie beside each other, `(rows, 2)`, by t-SNE.

    None where there are fewer than 5 rows or more than 10,000, or fewer than 2 different ones, or at most 3 dimensions,
    which the page shows as they are.

    Source: Laurens van der Maaten and Geoffrey Hinton, "Visualizing data using t-SNE", 2008.
    """
    rows = len(points)
    if not is_laid_out(points):
        return None
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    start = components(points)[:, :2]  # (rows, 2)
    spread = start[:, 0].std()
    if not spread > 0:
        return None
    tsne = TSNE(perplexity=min(_PERPLEXITY, (rows - 1) / 3), init=(start / spread * 1e-4).astype(np.float32))
    with threadpool_limits(1 if rows < _PARALLEL else None):
        laid_out: Array = tsne.fit_transform(points)
    return laid_out
