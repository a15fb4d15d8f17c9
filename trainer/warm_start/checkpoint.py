"""Checkpoints that TensorFlow writes: by name, partitioned or not, by object, and those inside a SavedModel."""

import os
import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from trainer import paths, tables
from trainer.errors import Refusal
from trainer.terminal import load_tensorflow
from trainer.warm_start.source import Source, Tensor, plain, with_slots

_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
_PART = re.compile(r"(.+)/part_(\d+)")


def prefix_of(path: str) -> str | None:
    """Returns the checkpoint's prefix that a path names, itself or one of its files; None where there is none."""
    prefix = re.sub(r"\.(index|meta|data-\d{5}-of-\d{5})$", "", path)
    return prefix if paths.exists(f"{prefix}.index") else None


def latest(folder: str) -> str | None:
    """Returns the prefix of a folder's latest checkpoint, as its `checkpoint` file says; None where there is none.

    Raises:
        Refusal: There are several, and none is said to be the latest.
    """
    state = paths.join(folder, "checkpoint")
    if paths.exists(state):
        named = re.search(r'^model_checkpoint_path: "(.*)"', _text(state), re.MULTILINE)
        # A folder that was moved says where it was.
        for path in (
            (paths.join(folder, named[1]), named[1], paths.join(folder, os.path.basename(named[1]))) if named else ()
        ):
            # A checkpoint of TensorFlow's first version is one file.
            if found := prefix_of(path) or (path if paths.exists(path) else None):
                return found
    prefixes = [name.removesuffix(".index") for name in paths.names_in(folder) if name.endswith(".index")]
    if len(prefixes) > 1:
        raise Refusal(
            f"{folder} has several checkpoints and none is said to be the latest: {', '.join(prefixes)}; name one"
        )
    return paths.join(folder, prefixes[0]) if prefixes else None


def _text(state: str) -> str:
    """Returns a `checkpoint` file as text; what it escapes, as the quotes in a name, is not escaped any more."""
    text = paths.read_bytes(state).decode("utf-8", "replace")
    return re.sub(r"\\([\"'\\])", r"\1", text)


def opened(prefix: str) -> Source:
    """Returns what a checkpoint holds.

    Raises:
        Refusal: It is damaged.
    """
    load_tensorflow()
    import tensorflow as tf

    try:
        with tables.readable(prefix) as path:
            # `tf.train.load_checkpoint` would take a folder of the prefix's name for it.
            reader = tf.compat.v1.train.NewCheckpointReader(path)
            shapes, dtypes = reader.get_variable_to_shape_map(), reader.get_variable_to_dtype_map()
            names = _full_names(reader.get_tensor(_GRAPH)) if _GRAPH in shapes else {}
    # What TensorFlow raises for half a file depends on where the file ends.
    except (tf.errors.OpError, IndexError, ValueError, RuntimeError):
        raise Refusal(f"the checkpoint {prefix} is damaged: it cannot be opened; copy all its files") from None
    tensors = [
        Tensor(
            plain(key),
            tuple(shapes[key]),
            dtypes[key].name,
            partial(values, prefix, key, dtypes[key]),
            names.get(key, ((), False))[0],
            names.get(key, ((), False))[1] or ".OPTIMIZER_SLOT" in key,
        )
        for key in sorted(shapes)
        if key != _GRAPH
    ]
    return Source(prefix, _joined(with_slots(tensors)), "TensorFlow checkpoint")


def values(prefix: str, key: str, dtype: Any) -> Any:
    """Returns a tensor of a checkpoint as TensorFlow reads it, without the copy that NumPy would make.

    Raises:
        Refusal: It is damaged.
    """
    found = tables.restored(prefix, key, dtype)
    if found is None:
        raise Refusal(f"the checkpoint {prefix} is damaged: '{plain(key)}' cannot be read; copy all its files")
    return found


def _full_names(serialized: bytes) -> Mapping[str, tuple[tuple[str, ...], bool]]:
    """Returns the names that variables had, and whether an optimizer keeps them, by the keys of a checkpoint."""
    from tensorflow.core.protobuf import trackable_object_graph_pb2

    graph = trackable_object_graph_pb2.TrackableObjectGraph()
    graph.ParseFromString(serialized)
    slots = {slot.slot_variable_node_id for node in graph.nodes for slot in node.slot_variables}
    return {
        attribute.checkpoint_key: ((plain(attribute.full_name),) if attribute.full_name else (), place in slots)
        for place, node in enumerate(graph.nodes)
        for attribute in node.attributes
    }


def _joined(tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Returns tensors with one in place of those that were saved as its parts, `emb/part_0`, `emb/part_1` and so on."""
    parts: dict[str, dict[int, Tensor]] = {}
    for tensor in tensors:
        if (found := _PART.fullmatch(tensor.name)) and len(tensor.shape) == 2:
            parts.setdefault(found[1], {})[int(found[2])] = tensor
    whole = {
        name: [group[number] for number in range(len(group))]
        for name, group in parts.items()
        if sorted(group) == list(range(len(group))) and len({part.shape[1] for part in group.values()}) == 1
    }
    joined = [
        Tensor(name, (sum(part.shape[0] for part in of), of[0].shape[1]), of[0].dtype, partial(_stacked, of))
        for name, of in whole.items()
    ]
    used = {part.name for of in whole.values() for part in of}
    return (*(tensor for tensor in tensors if tensor.name not in used), *joined)


def _stacked(parts: Sequence[Tensor]) -> Any:
    return np.concatenate([np.asarray(part.read()) for part in parts])
