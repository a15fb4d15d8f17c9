"""Vectors that are held in memory: `gensim`'s KeyedVectors, or an array."""

from typing import Any

import numpy as np

from trainer.errors import Refusal
from trainer.warm_start.keys import listed
from trainer.warm_start.source import Source, Tensor


def opened(vectors: Any) -> Source:
    """Returns an object's vectors as the one tensor of a source.

    Args:
        vectors: An object with `index_to_key` and `vectors`, as gensim's KeyedVectors, or one with them as `wv`; or a
            matrix, whose rows nothing names.

    Raises:
        Refusal: It is neither.
    """
    vectors = getattr(vectors, "wv", vectors)
    kind = type(vectors).__name__
    if hasattr(vectors, "index_to_key") and hasattr(vectors, "vectors"):
        # gensim may keep room for more rows than it has keys.
        values = np.asarray(vectors.vectors)[: len(vectors.index_to_key)]
        return _source(kind, values, [str(key) for key in vectors.index_to_key])
    try:
        values = np.asarray(vectors)
    except (TypeError, ValueError, RuntimeError):  # lists of different lengths, a tensor on a GPU
        raise Refusal(f"a path, gensim's KeyedVectors or a matrix of floats is wanted as source, not {kind}") from None
    if values.ndim != 2 or values.dtype.kind not in "fV":
        raise Refusal(
            f"a path, gensim's KeyedVectors or a matrix of floats is wanted as source, not {kind} of shape "
            f"{values.shape}"
        )
    return _source(kind, values, None)


def _source(kind: str, values: Any, keys: list[str] | None) -> Source:
    tensor = Tensor(
        "vectors",
        tuple(values.shape),
        values.dtype.name,
        lambda: values,
        keys=lambda: None if keys is None else listed(keys),
    )
    return Source(f"the {kind}", (tensor,), "vectors in memory")
