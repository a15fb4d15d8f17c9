"""What a person calls the tensors of a source, and the rows of one."""

from collections.abc import Sequence

from trainer.errors import Refusal, nearest
from trainer.warm_start.keys import Combinations, Keys, Values
from trainer.warm_start.source import Source, Tensor


def name_of(tensor: Tensor) -> str:
    """Returns what a person knows a tensor by: its layer's name where there is one, whose only variable it is."""
    # Keras calls the table of an Embedding layer `embeddings`, or in .weights.h5 and .keras by its number.
    known = tensor.others[0] if tensor.others else ""
    return known.removesuffix("/0").removesuffix("/embeddings") if known else tensor.name


def tensor_of(source: Source, name: str, who: str, advice: str) -> Tensor:
    """Returns the matrix that a person means.

    Args:
        source: What holds it.
        name: One of its names.
        who: What a refusal begins with.
        advice: What to do where the tensor of that name is no matrix.

    Raises:
        Refusal: There is no such matrix.
    """
    for tensor in source.tensors:
        if name in (name_of(tensor), *tensor.names):
            if len(tensor.shape) != 2:
                raise Refusal(f"{who}: a matrix is wanted, and {tensor.described} is none; {advice}.")
            return tensor
    names = [name_of(tensor) for tensor in source.tensors if tensor.is_matrix]
    raise Refusal(f"{who}: {source.place} has no '{name}'{nearest(name, names) or f'; it has {_listed(names)}.'}")


def labels_of(keys: Keys) -> list[str] | None:
    """Returns the text of each row; None where the rows stand for no known values."""
    if isinstance(keys, Values):
        return _texts(keys)
    return [str(label) for label in keys.labels()] if isinstance(keys, Combinations) else None


def fields_of(keys: Keys) -> dict[str, list[str]]:
    """Returns what each row stands for, by raw feature key; nothing where no feature is known."""
    if isinstance(keys, Values):
        return {} if keys.kind == "labels" else {keys.name: _texts(keys)}
    fields: dict[str, list[str]] = {}
    if isinstance(keys, Combinations):
        after = keys.rows
        for part in keys.parts:
            after //= part.rows
            once = [text for text in _texts(part) for _ in range(after)]
            fields[part.name] = once * (keys.rows // len(once))
    return fields


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:10]) + (" and more" if len(names) > 10 else "") if names else "no matrix"


def _texts(keys: Values) -> list[str]:
    found = [text.decode("utf-8", "surrogatepass") for text in keys.texts.to_pylist()]
    return [*found, *(f"(unseen {number})" for number in range(1, keys.unseen + 1))]
