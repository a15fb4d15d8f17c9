"""Which tensor of a source a table starts from."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from trainer.errors import Refusal, nearest
from trainer.warm_start.source import Source, Tensor, plain

Fit = Callable[[Tensor], bool]

LISTED = 10
"""The most tensors that an error lists."""


def chosen(source: Source, name: str | None, table: str, fits: Sequence[Fit], wanted: str) -> Tensor:
    """Returns the tensor of a source that a table starts from.

    Args:
        source: What there is.
        name: The tensor's name, or its layer's; None takes the one that has the table's name, or the only one that
            fits.
        table: The table's name.
        fits: Each tells whether the table can start from a tensor, as far as its shape says it; the first that any does
            decides.
        wanted: What fits, for an error: "a table of 168 by 2".

    Raises:
        Refusal: Nothing or several fit, or there is no such name; the sentence is without who refuses.
    """
    if name is not None:
        return _named(source, name)
    there = [tensor for tensor in source.tensors if tensor.is_matrix]
    if len(there) == 1:  # what is wrong with the only one is said of it
        return there[0]
    tried = ([tensor for tensor in there if fit(tensor)] for fit in fits)
    fitting = next(filter(None, tried), [])
    # An Estimator's is called after the column, as `…/input_layer/day_embedding/embedding_weights`.
    own = one_of(
        tensor
        for tensor in fitting
        if any(_holds(other, name) for other in tensor.names for name in (table, f"{table}_embedding"))
    )
    if len(own) == 1:
        return own[0]
    fitting = one_of(fitting)
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        raise Refusal(
            f"nothing in {source.place} fits {wanted}; {_listing(there)}; name one by tensor_name_in_ckpt, or "
            "SOURCE#TENSOR"
        )
    raise Refusal(
        f"{len(fitting)} tensors in {source.place} fit {wanted}: {_list(fitting)}; name one by tensor_name_in_ckpt, "
        "or SOURCE#TENSOR"
    )


def _named(source: Source, name: str) -> Tensor:
    wanted = plain(name)
    found = [tensor for tensor in source.tensors if wanted in map(plain, tensor.names)]
    if not found:  # a layer's name, or the end of a path
        tensors = [tensor for tensor in source.tensors if tensor.is_matrix]
        found = [tensor for tensor in tensors if any(_holds(other, wanted) for other in tensor.names)]
    matrices = one_of(tensor for tensor in found if len(tensor.shape) == 2)
    if len(matrices) == 1:
        return matrices[0]
    if len(matrices) > 1:
        raise Refusal(
            f"{len(matrices)} tensors in {source.place} are called '{name}': {_list(matrices)}; give one's whole name"
        )
    if found:
        raise Refusal(
            f"'{name}' in {source.place} has shape {found[0].shape}, and a table has two dimensions; give another"
        )
    there = [tensor for tensor in source.tensors if tensor.is_matrix]
    names = [other for tensor in there for other in tensor.names]
    parts = [part for other in names for part in other.split("/")]
    suggestion = nearest(wanted, [*names, *parts]).removesuffix("?")
    raise Refusal(f"{source.place} has no tensor '{name}'{suggestion}; {_listing(there)}")


def one_of(tensors: Iterable[Tensor]) -> list[Tensor]:
    """Returns tensors without those that are another under a second path: of one name, shape and values."""
    kept: list[Tensor] = []
    for tensor in tensors:
        if not any(_same(tensor, other) for other in kept):
            kept.append(tensor)
    return kept


def _same(one: Tensor, other: Tensor) -> bool:
    alike = (one.shape, one.dtype) == (other.shape, other.dtype) and set(one.others) & set(other.others)
    return bool(alike) and np.array_equal(np.asarray(one.read()), np.asarray(other.read()))


def _holds(path: str, name: str) -> bool:
    """Tells whether the parts of a name follow each other among the parts of a path, which PyTorch joins by dots."""
    return any(f"/{name}/" in f"/{each}/" for each in (plain(path), plain(path).replace(".", "/")))


def _listing(tensors: Sequence[Tensor]) -> str:
    return f"it holds {_list(tensors)}" if tensors else "it holds no matrix of floats"


def _list(tensors: Sequence[Tensor]) -> str:
    texts = [tensor.described for tensor in tensors]
    return ", ".join(texts if len(texts) <= LISTED else [*texts[:LISTED], f"and {len(texts) - LISTED:,} more"])
