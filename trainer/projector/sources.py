"""Tensors of a checkpoint or a file of vectors, as tables that the projector can show."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from trainer.errors import Refusal, nearest
from trainer.projector.labels import Labels, read
from trainer.tables import Table
from trainer.warm_start.naming import fields_of, labels_of, name_of, tensor_of
from trainer.warm_start.source import Source, Tensor

_LABEL = "label"


def tables_of(source: Source, names: Sequence[str], labels: Mapping[str, str], who: str) -> Iterator[Table]:
    """Yields tensors as tables, with what their rows stand for.

    Args:
        source: What holds them.
        names: Of tensors there; none is all that look like tables.
        labels: By a table's name, the path of a file that says what its rows stand for; the source is asked for others.
        who: What a refusal begins with.

    Raises:
        Refusal: There is no such matrix, or a file has another number of labels.
    """
    chosen = _named(source, names, who)
    for name in labels:
        if name not in chosen:
            raise Refusal(f"{who}: --labels {name}: there is no such table{nearest(name, chosen) or '.'}")
    shown: dict[str, Table] = {}
    for name, tensor in chosen.items():
        made = _table(name, tensor, labels.get(name), who)
        # A SavedModel holds each of its layers' variables in two places.
        if not any(
            _alike(tensor, chosen[other]) and np.array_equal(made.values, shown[other].values) for other in shown
        ):
            shown[name] = made
            yield made


def _named(source: Source, names: Sequence[str], who: str) -> dict[str, Tensor]:
    if names:
        return {name: tensor_of(source, name, who, "choose another of --tables") for name in names}
    tensors = [tensor for tensor in source.tensors if source.looks_like_table(tensor)]
    known = [name_of(tensor) for tensor in tensors]
    return {
        name if known.count(name) == 1 else tensor.name: tensor for name, tensor in zip(known, tensors, strict=True)
    }


def _alike(one: Tensor, two: Tensor) -> bool:
    return name_of(one) == name_of(two) and one.shape == two.shape


def _table(name: str, tensor: Tensor, file: str | None, who: str) -> Table:
    with np.errstate(over="ignore"):  # what float32 cannot hold is told when it is shown
        values = np.asarray(tensor.read(), np.float32)
    if file is not None:
        labels = read(file, len(values), who)
    else:
        keys = tensor.keys()
        texts = None if keys is None else labels_of(keys)
        labels = Labels({} if keys is None or texts is None else {_LABEL: texts, **fields_of(keys)})
    return Table(name, values, None, labels.counts, labels.details, labels.title)
