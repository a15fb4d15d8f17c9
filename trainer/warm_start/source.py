"""What a source holds: tensors by name, each with the keys of its rows where the source knows them."""

import re
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass, replace
from typing import Any

from trainer.warm_start.keys import Keys

FLOATS = ("float16", "bfloat16", "float32", "float64", "float8_e4m3fn", "float8_e5m2")
_ATTRIBUTE = "/.ATTRIBUTES/VARIABLE_VALUE"
_CLASS = re.compile(r"[A-Z][A-Za-z]*(_\d+)?")
_KEPT = re.compile(
    r"momentum|velocity|velocity_hat|accumulator|gradient_accumulator|accumulated_\w+|linear|average|average_gradient|"
    r"norm|vhat|[mnuvrc]"
)


@dataclass(frozen=True, eq=False)
class Tensor:
    """One tensor of a source; its values are read when they are asked for.

    Args:
        name: Its name there, as `plain` writes it.
        shape: Of its values.
        dtype: Of its values, as NumPy and ml_dtypes name it.
        read: Returns the values, a NumPy array or a TensorFlow tensor.
        others: Other names that a person may know it by, such as its layer's.
        is_slot: Whether an optimizer keeps it beside another tensor.
        keys: Returns what its rows stand for, or None where nothing tells.
        rows: Returns those of a slice; None where its values are only read together.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    read: Callable[[], Any]
    others: tuple[str, ...] = ()
    is_slot: bool = False
    keys: Callable[[], Keys | None] = lambda: None
    rows: Callable[[slice], Any] | None = None

    @property
    def is_matrix(self) -> bool:
        """Tells whether it could be a table: two dimensions of floats that no optimizer keeps."""
        return len(self.shape) == 2 and self.dtype in FLOATS and not self.is_slot

    @property
    def names(self) -> tuple[str, ...]:
        """All its names."""
        return (self.name, *self.others)

    @property
    def described(self) -> str:
        """Its name and shape, as an error lists it."""
        return f"'{self.others[0] if self.others else self.name}' ({' by '.join(f'{size:,}' for size in self.shape)})"


@dataclass(frozen=True, eq=False)
class Source:
    """A place that tables can start from.

    Args:
        place: What an error calls it: the path that was found, or the object.
        tensors: What it holds.
        kind: What it is, in words.
    """

    place: str
    tensors: tuple[Tensor, ...]
    kind: str

    def looks_like_table(self, tensor: Tensor) -> bool:
        """Tells whether a tensor is a table of embeddings: its rows have keys, or nothing says that it is a kernel."""
        return tensor.is_matrix and (tensor.keys() is not None or not self._is_kernel(tensor))

    def _is_kernel(self, tensor: Tensor) -> bool:
        """Tells whether a matrix is that of a dense layer: called so, or beside a bias as long as its rows."""
        above, _, name = _known_as(tensor).rpartition("/")
        beside = [other for other in self.tensors if _known_as(other).rpartition("/")[0] == above and above]
        biased = any(other.shape == tensor.shape[1:] and not other.is_slot for other in beside)
        return biased or any(word in name for word in ("kernel", "dense"))


def _known_as(tensor: Tensor) -> str:
    """Returns the name that tells a tensor's layer; a SavedModel numbers those of all layers in one folder."""
    return next(filter(None, tensor.others), tensor.name)


def plain(name: str) -> str:
    """Returns a tensor's name without what TensorFlow adds to it.

    Example:
        >>> plain("emb:0"), plain("model/emb/.ATTRIBUTES/VARIABLE_VALUE")
        ('emb', 'model/emb')
    """
    return re.sub(r":\d+$", "", name.removesuffix(_ATTRIBUTE))


def with_slots(tensors: Iterable[Tensor]) -> tuple[Tensor, ...]:
    """Returns tensors with those marked that optimizers keep, told by name and shape.

    TensorFlow 1 calls a slot of `day/emb` `day/emb/Adam_1` or `day/emb/t_0/Adagrad`, Keras 2 `Adam/m/day/emb` or
    `m/day/emb`, Keras 3 `adam/day_emb_velocity`.
    """
    tensors = tuple(tensors)
    of_shape: dict[tuple[int, ...], set[str]] = {}
    for tensor in tensors:
        of_shape.setdefault(tensor.shape, set()).update(tensor.names)
    flat = {shape: {name.replace("/", "_") for name in names} for shape, names in of_shape.items()}
    return tuple(
        replace(
            tensor,
            is_slot=tensor.is_slot
            or any(_is_slot(name, of_shape[tensor.shape], flat[tensor.shape]) for name in tensor.names),
        )
        for tensor in tensors
    )


def _is_slot(name: str, names: Container[str], flat: Container[str]) -> bool:
    """Tells whether a name is made of another one, of those of its shape, and a word for what optimizers keep."""
    parts = name.split("/")
    if _CLASS.fullmatch(parts[-1]) and any("/".join(parts[:end]) in names for end in range(1, len(parts))):
        return True
    if any(_KEPT.fullmatch(word) and "/".join(parts[end:]) in names for end, word in enumerate(parts[:-1], 1)):
        return True
    words = parts[-1].split("_")
    return len(parts) > 1 and any(
        _KEPT.fullmatch("_".join(words[end:])) and "_".join(words[:end]) in flat for end in range(1, len(words))
    )
