"""Tensors of a checkpoint or a file of vectors, as tables that the projector can show."""

from collections.abc import Mapping, Sequence

import numpy as np

from trainer import paths
from trainer.errors import Refusal, nearest
from trainer.formats import tsv
from trainer.tables import Table
from trainer.warm_start.keys import Combinations, Keys, Values
from trainer.warm_start.source import Source, Tensor

_LABEL = "label"


def name_of(tensor: Tensor) -> str:
    """Returns what a person knows a tensor by: its layer's name where there is one, whose only variable it is."""
    return tensor.others[0].removesuffix("/0") if tensor.others and tensor.others[0] else tensor.name


def table_of(source: Source, name: str, labels: str | None, who: str) -> Table:
    """Returns a tensor as a table, with what its rows stand for.

    Args:
        source: What holds it.
        name: Its name there.
        labels: The path of a file that says what the rows stand for; None asks the source.
        who: What a refusal begins with.

    Raises:
        Refusal: There is no such matrix, or the file has another number of labels.
    """
    tensor = _tensor(source, name, who)
    values = np.asarray(tensor.read(), np.float32)
    if labels is None:
        keys = tensor.keys()
        details = {} if keys is None else _details(keys)
    else:
        details = read_labels(labels, who)
        rows = len(next(iter(details.values())))
        if rows != len(values):
            raise Refusal(
                f"{who}: {labels} has {rows:,} labels, and '{name}' has {len(values):,} rows; give one a row."
            )
    return Table(name, values, details=details, title=next(iter(details), None))


def read_labels(path: str, who: str) -> dict[str, list[str]]:
    """Returns the columns of a file of labels: of a .tsv file by its header, of others the lines, as "label".

    Raises:
        Refusal: The file cannot be read, or has no labels.
    """
    try:
        if path.endswith(".tsv"):
            header, rows = tsv.read(path)
            return dict(zip(header, map(list, zip(*rows, strict=True)), strict=True))
        found = paths.read_text(path).splitlines()
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise Refusal(f"{who}: {path} cannot be read ({error}); give a text file of a label a line.") from None
    return {_LABEL: found}


def _tensor(source: Source, name: str, who: str) -> Tensor:
    for tensor in source.tensors:
        if name in (name_of(tensor), *tensor.names):
            if len(tensor.shape) != 2:
                raise Refusal(f"{who}: a matrix is wanted, and {tensor.described} is none; choose another of --tables.")
            return tensor
    names = [name_of(tensor) for tensor in source.tensors if tensor.is_matrix]
    raise Refusal(f"{who}: {source.place} has no '{name}'{nearest(name, names) or f'; it has {_listed(names)}.'}")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:10]) + (" and more" if len(names) > 10 else "") if names else "no matrix"


def _details(keys: Keys) -> Mapping[str, list[str]]:
    if isinstance(keys, Values):
        texts = _texts(keys)
        return {_LABEL: texts, **({} if keys.kind == "labels" else {keys.name: texts})}
    if isinstance(keys, Combinations):
        details: dict[str, list[str]] = {_LABEL: [str(label) for label in keys.labels()]}
        after = keys.rows
        for part in keys.parts:
            after //= part.rows
            once = [text for text in _texts(part) for _ in range(after)]
            details[part.name] = once * (keys.rows // len(once))
        return details
    return {}


def _texts(keys: Values) -> list[str]:
    found = [text.decode("utf-8", "surrogatepass") for text in keys.texts.to_pylist()]
    return [*found, *(f"(unseen {number})" for number in range(1, keys.unseen + 1))]
