"""Which of our columns each layer of columns of a model of Keras 2 gets."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from trainer import feature_column as fc
from trainer.errors import Refusal, nearest
from trainer.feature_column.starting import without_source
from trainer.migration.columns import from_feature_columns, is_column
from trainer.migration.keras2.old import Node, OldModel


def columns_of_layers(given: Any, old: OldModel, layers: list[Node]) -> dict[str, list[Any]]:
    """Returns our columns by the name of their layer.

    Args:
        given: Columns of TensorFlow's or ours, a list or a mapping of layer name to list; None takes the model's own.
        old: The model.
        layers: Its layers of columns.

    Raises:
        Refusal: The columns are not those of the layers, or the model does not hold its own whole.
    """
    given, found = _given(given, layers), {}
    for layer in layers:
        columns = given.get(layer.name, old.columns.get(layer.name))
        ours = _stored(layer) if columns is None else _ours(columns)
        _check_names(layer, ours)
        found[layer.name] = [without_source(column) for column in ours]  # the model has the values of its tables
    return found


def _given(given: Any, layers: list[Node]) -> Mapping[str, Any]:
    if given is None:
        return {}
    names = [layer.name for layer in layers]
    if not names:
        raise Refusal("columns: the model has no layer of columns; leave them out.")
    if isinstance(given, Mapping):
        for name in given:
            if name not in names:
                there = f"; the model's layers of columns are {', '.join(names)}."
                raise Refusal(f"columns: there is no layer of columns '{name}'{nearest(name, names) or there}")
        return given
    if len(names) > 1:
        raise Refusal(
            f"columns: the model has {len(names)} layers of columns, {', '.join(names)}; give a dictionary from the "
            "layer's name to its columns."
        )
    return dict.fromkeys(names, given)


def _ours(columns: Any) -> list[Any]:
    columns = [columns] if is_column(columns) or isinstance(columns, fc.FeatureColumn) else list(columns)
    if all(isinstance(column, fc.FeatureColumn) for column in columns):
        return columns
    return list(from_feature_columns(columns))


def _stored(layer: Node) -> list[Any]:
    """Returns our columns for those that a layer's configuration holds."""
    for column in layer.config["feature_columns"]:
        if functions := sorted(set(_functions(column))):
            raise Refusal(
                f"columns: a column of layer '{layer.name}' has normalizer_fn {', '.join(functions)}, and a file holds "
                "no functions; give columns=, as they were declared."
            )
    try:
        return _ours(_made(_blank(layer.config["feature_columns"], _is_function_of_initializing)))
    except (ValueError, TypeError, KeyError, OSError) as error:  # a Refusal too
        why = str(error).partition("\n")[0].removesuffix(".")
        raise Refusal(
            f"columns: those of layer '{layer.name}' are not whole in the file ({why}); give columns=."
        ) from None


def _made(configs: Iterable[Any]) -> list[Any]:
    from tensorflow.python.feature_column import serialization

    return list(serialization.deserialize_feature_columns(configs))


def _functions(config: Any) -> Iterable[str]:
    if isinstance(config, Mapping):
        if config.get("normalizer_fn") is not None:
            yield config["normalizer_fn"] if isinstance(config["normalizer_fn"], str) else "<lambda>"
        for value in config.values():
            yield from _functions(value)
    elif isinstance(config, (list, tuple)):
        for value in config:
            yield from _functions(value)


def _blank(config: Any, is_left_out: Callable[[str, Any], bool]) -> Any:
    """Returns the configuration of a column with None for some of its arguments."""
    if isinstance(config, Mapping):
        found = {key: _blank(value, is_left_out) for key, value in config.items()}
        return {key: None if is_left_out(key, config[key]) else value for key, value in found.items()}
    return [_blank(value, is_left_out) for value in config] if isinstance(config, (list, tuple)) else config


def _is_function_of_initializing(key: str, value: Any) -> bool:
    """Tells whether an argument is a function that started a table, whose name alone is in a file; its rows are too."""
    return key == "initializer" and isinstance(value, str)


def _is_function(key: str, value: Any) -> bool:
    del value
    return key in ("normalizer_fn", "initializer")


def _check_names(layer: Node, ours: list[Any]) -> None:
    """Refuses columns of other names than the layer's: names order what the layer makes of them."""
    try:
        theirs = sorted(column.name for column in _made(_blank(layer.config["feature_columns"], _is_function)))
    except (ValueError, TypeError, KeyError, OSError):
        return  # a vocabulary's file may be gone; the sizes of the weights are compared still
    names = sorted(column.name for column in ours)
    if names != theirs:
        raise Refusal(
            f"columns: layer '{layer.name}' was made of the columns {', '.join(theirs)}, and those given for it are "
            f"{', '.join(names)}; give the same declarations."
        )
