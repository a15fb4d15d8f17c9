"""The checkpoint of an Estimator: what it holds, and its tensors."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import tensorflow as tf

from trainer import paths, tables
from trainer.errors import Refusal
from trainer.tables.pieces import slice_of
from trainer.warm_start import checkpoint as prefixes

_OF_OPTIMIZER_2 = re.compile(r"training/[^/]+/(.+)/[^/]+")


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint whose variables are called by name, as Estimators write them.

    Args:
        prefix: Where it lies.
        shapes: Of its tensors, by name; the parts of a partitioned variable are one tensor.
        dtypes: Of its tensors, by name.
    """

    prefix: str
    shapes: Mapping[str, tuple[int, ...]]
    dtypes: Mapping[str, Any] = field(repr=False)

    def read(self, name: str) -> Any:
        """Returns a tensor.

        Raises:
            Refusal: It is damaged.
        """
        return prefixes.values(self.prefix, name, self.dtypes[name])

    def read_rows(self, name: str, first: int, count: int) -> Any:
        """Returns some rows of a tensor.

        Args:
            name: Of the tensor.
            first: The first row.
            count: How many rows.

        Raises:
            Refusal: They are damaged, or not there.
        """
        found = tables.restored(self.prefix, name, self.dtypes[name], slice_of(self.shapes[name], first, count))
        if found is None:
            raise Refusal(f"the checkpoint {self.prefix}: '{name}' is damaged, or in parts that are not of even size")
        return found

    def extent(self, name: str, part: int, count: int) -> tuple[int, int]:
        """Returns the first row of a part of a tensor, and the row after its last.

        What an optimizer of TensorFlow 1 keeps for a part of a variable is told with the shape of the whole, and holds
        that part alone. The rows are dealt out evenly, and what is left over one by one from the first part on.

        Args:
            name: Of the tensor.
            part: Its number.
            count: Of how many.

        Example:
            >>> found = Checkpoint("", {"bias/part_0/Adagrad": (8, 2)}, {})
            >>> [found.extent("bias/part_0/Adagrad", part, 3) for part in range(3)]
            [(0, 3), (3, 6), (6, 8)]
        """
        each, over = divmod(self.shapes[name][0], count)
        first = part * each + min(part, over)
        return first, first + each + (part < over)

    @property
    def step(self) -> int:
        """After how many steps it was written; 0 where it does not say."""
        return int(self.read("global_step")) if "global_step" in self.shapes else 0

    @cached_property
    def kept_for(self) -> Mapping[str, Sequence[str]]:
        """The tensors that optimizers keep, by the variable that they are kept for.

        Example:
            >>> names = ["dnn/bias", "dnn/bias/Adagrad", "training/Adagrad/dnn/bias/accumulator"]
            >>> Checkpoint("", dict.fromkeys(names, (3,)), {}).kept_for
            {'dnn/bias': ['dnn/bias/Adagrad', 'training/Adagrad/dnn/bias/accumulator']}
        """
        found: dict[str, list[str]] = {}
        for name in self.shapes:
            variable = self._variable_of(name)
            if variable is not None:
                found.setdefault(variable, []).append(name)
        return found

    def _variable_of(self, name: str) -> str | None:
        of_keras = _OF_OPTIMIZER_2.fullmatch(name)
        if of_keras and of_keras[1] in self.shapes:
            return of_keras[1]
        above = name.rpartition("/")[0]
        while above and above not in self.shapes:
            above = above.rpartition("/")[0]
        return above or None

    @property
    def is_of_version_1(self) -> bool:
        """Whether an optimizer of TensorFlow 1 has kept something in it, beside a variable and under its name."""
        return any(not name.startswith("training/") for names in self.kept_for.values() for name in names)

    @property
    def weights(self) -> list[str]:
        """The names of the tensors that are weights of a model; what is no array counts steps or sets an optimizer."""
        kept = {name for names in self.kept_for.values() for name in names}
        return [name for name, shape in sorted(self.shapes.items()) if shape and name not in kept]


def opened(model_dir: str, who: str) -> Checkpoint:
    """Returns the latest checkpoint of a model dir, or the one that a prefix names.

    Args:
        model_dir: A folder with a `checkpoint` file, the prefix of a checkpoint, or an exported SavedModel.
        who: What a refusal begins with.

    Raises:
        Refusal: There is none, or it is damaged or not by name.
    """
    place = paths.absolute(model_dir)
    folder = paths.join(place, "variables") if paths.exists(paths.join(place, "saved_model.pb")) else place
    prefix = prefixes.prefix_of(place) or (prefixes.latest(folder) if paths.is_folder(folder) else None)
    if prefix is None:
        raise Refusal(
            f"{who}: {model_dir} holds no checkpoint; give the model_dir that the Estimator was trained in, or the "
            "prefix of one of its checkpoints."
        )
    try:
        with tables.readable(prefix) as path:
            reader = tf.compat.v1.train.NewCheckpointReader(path)
            shapes = {name: tuple(shape) for name, shape in reader.get_variable_to_shape_map().items()}
            dtypes = reader.get_variable_to_dtype_map()
    # What TensorFlow raises for half a file depends on where the file ends.
    except (tf.errors.OpError, IndexError, ValueError, RuntimeError):
        raise Refusal(f"{who}: the checkpoint {prefix} is damaged: it cannot be opened; copy all its files.") from None
    if any(name.endswith(".ATTRIBUTES/VARIABLE_VALUE") for name in shapes):
        raise Refusal(
            f"{who}: the checkpoint {prefix} is one of Keras, and an Estimator's has its variables by name; give it to "
            "from_keras2."
        )
    return Checkpoint(prefix, shapes, dtypes)
