"""Functions of TensorFlow that a functional model of Keras 2 was made with, as those of Keras 3."""

from collections.abc import Callable, Mapping
from typing import Any

from keras import ops

from trainer.migration.keras2.old import Node

_OF_ONE: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("math.sigmoid", "sigmoid", "nn.sigmoid"), ops.sigmoid),
    **dict.fromkeys(("math.tanh", "tanh", "nn.tanh"), ops.tanh),
    **dict.fromkeys(("math.exp", "exp"), ops.exp),
    "nn.relu": ops.relu,
    "nn.softmax": ops.softmax,
}
_OF_TWO: dict[str, Callable[[Any, Any], Any]] = {
    **dict.fromkeys(("__operators__.add", "math.add", "add"), ops.add),
    **dict.fromkeys(("math.subtract", "subtract"), ops.subtract),
    **dict.fromkeys(("math.multiply", "multiply"), ops.multiply),
    **dict.fromkeys(("math.truediv", "math.divide", "divide"), ops.true_divide),
}


def operation(node: Node, arguments: Mapping[str, Any]) -> Callable[[Any], Any] | None:
    """Returns what does the same to a tensor as a function of TensorFlow; None where it is not known.

    Args:
        node: A layer, which Keras 2 makes of a function that is called on a symbolic tensor.
        arguments: What the function is given beside its first argument.
    """
    name, others = str(node.config.get("function")), set(arguments)
    if name in _OF_ONE and not others:
        return _OF_ONE[name]
    if name in _OF_TWO and others == {"y"}:
        return lambda given: _OF_TWO[name](given, arguments["y"])
    if name == "concat" and others == {"axis"}:
        return lambda given: ops.concatenate(given, axis=arguments["axis"])
    return None
