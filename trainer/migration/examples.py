"""Raw features as serialized `tf.train.Example`s, written as the graph that parses them reads each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

_OPS = {"ParseExample": "Nsparse", "ParseExampleV2": "num_sparse"}
"""The operations that parse examples, each with the attribute that counts its features of any length."""

_LISTS = {
    "string": lambda values: tf.train.Feature(bytes_list=tf.train.BytesList(value=values)),
    "int64": lambda values: tf.train.Feature(int64_list=tf.train.Int64List(value=values)),
    "float32": lambda values: tf.train.Feature(float_list=tf.train.FloatList(value=values)),
}


@dataclass(frozen=True)
class Parsed:
    """How a graph parses a feature of an example.

    Args:
        dtype: "string", "int64" or "float32".
        is_fixed: Whether each example has as many values.
        is_required: Whether an example without it is an error.
    """

    dtype: str
    is_fixed: bool = False
    is_required: bool = False


def parsed_by(graph: Any) -> dict[str, Parsed] | None:
    """Returns how a graph parses each feature of examples that it makes something of.

    Args:
        graph: Of a signature.

    Returns:
        By key; None where the graph parses no examples, or its keys are not constants.
    """
    definition = graph.as_graph_def()
    bodies = [definition.node, *(function.node_def for function in definition.library.function)]
    nodes = [(node, body) for body in bodies for node in body if node.op in _OPS]
    try:
        found = [item for node, body in nodes for item in _features(node, body, body is definition.node)]
    except KeyError:
        return None
    return dict(found) if nodes else None


def _features(node: Any, body: Any, is_outer: bool) -> Iterator[tuple[str, Parsed]]:
    constants = {each.name: tf.make_ndarray(each.attr["value"].tensor) for each in body if each.op == "Const"}
    inputs = [constants.get(each.partition(":")[0]) for each in node.input if not each.startswith("^")]
    sparse, dense = node.attr[_OPS[node.op]].i, len(node.attr["Tdense"].list.type)
    keys = _keys(node.op, inputs, sparse, dense)
    types = [node.attr[name].list.type for name in ("sparse_types", "Tdense", "ragged_value_types")]
    defaults = inputs[len(inputs) - dense :]
    # Of the outputs, a feature of any length has its places, its values and its shape.
    outputs = [*range(sparse, 2 * sparse), *range(3 * sparse, 2 * sparse + len(keys))]
    used = {each for other in body for each in other.input}
    for place, (key, kind) in enumerate(zip(keys, (each for kinds in types for each in kinds), strict=True)):
        output = f"{node.name}:{outputs[place]}" if outputs[place] else node.name
        if output in used or not is_outer:
            default = defaults[place - sparse] if sparse <= place < sparse + dense else None
            is_fixed = sparse <= place < sparse + dense
            yield key, Parsed(tf.as_dtype(kind).name, is_fixed, default is not None and default.size == 0)


def _keys(operation: str, inputs: Sequence[Any], sparse: int, dense: int) -> list[str]:
    """Returns the keys of features of any length, then of fixed length, then of ragged ones.

    Raises:
        KeyError: One of them is no constant.
    """
    given = inputs[2 : 2 + sparse + dense] if operation == "ParseExample" else inputs[2:5]
    if any(each is None for each in given):
        raise KeyError(operation)
    return [key.decode() for each in given for key in np.ravel(each)]


def serialized(
    features: Mapping[str, Any], parsed: Mapping[str, Parsed], weights: Mapping[str, str] | None = None
) -> Any:
    """Returns features as serialized examples, `(rows,)`; what is missing, '' and -1, is not in them.

    Args:
        features: Dense and ragged tensors by key.
        parsed: How each is parsed; what is not told of is written as it comes.
        weights: By the key of a weight, that of the values that it weighs; the weight of one that is missing goes.

    Example:
        >>> rows = serialized({"day": tf.constant(["Mon", ""]), "hour": tf.constant([8, -1])}, {})
        >>> [len(tf.train.Example.FromString(row).features.feature) for row in rows.numpy()]
        [2, 0]
    """
    weighed = weights or {}
    columns = []
    for key, values in features.items():
        how = parsed.get(key) or _as_it_comes(values, key in weighed)
        beside = weighed[key] if weighed.get(key) in features else key
        rows = zip(_rows(values), _rows(features[beside]), strict=True)
        columns.append((key, _LISTS[how.dtype], [_written(own, other, how) for own, other in rows]))
    return tf.constant([_example(columns, row) for row in range(len(columns[0][2]))], tf.string)


def _as_it_comes(values: Any, are_weights: bool) -> Parsed:
    kind = values.dtype
    name = "string" if kind == tf.string else "int64" if kind.is_integer or kind.is_bool else "float32"
    is_bag = are_weights or isinstance(values, tf.RaggedTensor)
    return Parsed(name, is_fixed=name == "float32" and not is_bag)


def _rows(values: Any) -> list[list[Any]]:
    if isinstance(values, tf.RaggedTensor):
        return list(values.to_list())
    found = values.numpy()
    return list(found.reshape(len(found), -1).tolist())


def _written(own: list[Any], other: list[Any], how: Parsed) -> list[Any]:
    """Returns the values of a feature that are written of one row."""
    if how.is_required:
        return own
    there = [not _is_missing(value) for value in other]
    if how.is_fixed:
        return own if any(there) else []
    if len(there) != len(own):
        return own
    return [value for value, is_there in zip(own, there, strict=True) if is_there]


def _is_missing(value: Any) -> bool:
    return value in (b"", -1) if not isinstance(value, float) else value != value


def _example(columns: Sequence[tuple[str, Any, list[list[Any]]]], row: int) -> bytes:
    made = {key: made_of(rows[row]) for key, made_of, rows in columns if rows[row]}
    found: bytes = tf.train.Example(features=tf.train.Features(feature=made)).SerializeToString()
    return found
