"""What labelled vectors are made of, checked."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from trainer.errors import Refusal
from trainer.tables.table import Array


def frozen_floats(matrix: Any, who: str) -> Array:
    """Returns a matrix as float32, `(rows, dimension)`: a view, where it is that already, that cannot be written into.

    Args:
        matrix: What a person gave.
        who: What a refusal begins with.

    Raises:
        Refusal: It is no matrix of numbers.

    Example:
        >>> frozen_floats([[1, 2]], "vectors").dtype
        dtype('float32')
    """
    found = np.asarray(matrix)
    if found.ndim != 2 or found.dtype.kind not in "fiuV":
        shape = f"{found.dtype.name} of shape {found.shape}"
        raise Refusal(f"{who}: a matrix of floats is wanted, a row a key, not {shape}.")
    floats = np.asarray(found, np.float32).view()
    floats.flags.writeable = False
    return floats


def check_rows(rows: int, keys: Sequence[str], counts: Any, fields: Mapping[str, Sequence[str]], who: str) -> None:
    """Refuses a matrix that has not one of each thing a row.

    Args:
        rows: Those of the matrix.
        keys: What they are called.
        counts: How often they occur, or None.
        fields: Texts, by name.
        who: What a refusal begins with.

    Raises:
        Refusal: There is another number of something.
    """
    texts = {f"text of '{key}'": given for key, given in fields.items()}
    for what, given in {"key": keys, "count": counts, **texts}.items():
        if given is not None and len(given) != rows:
            raise Refusal(f"{who}: one {what} a row is wanted, {rows:,}, not {len(given):,}.")
