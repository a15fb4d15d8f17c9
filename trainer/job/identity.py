"""What encoded examples are made of, as a digest: files, columns, functions; None where something cannot be told."""

import dataclasses
import functools
import hashlib
import importlib.metadata
import json
import os
import sys
import types
from collections.abc import Mapping
from typing import Any

import numpy as np

from trainer import __version__, paths
from trainer.inputs.examples import Source
from trainer.inputs.files import State
from trainer.problem import Problem

VERSION = 1
"""Of how examples are encoded and kept; another one when either changes."""

_ENDS = 1 << 16
"""Bytes of the beginning and of the end of a file that are looked at, beside its size and its time."""

_FIELDS = ("linear_feature_columns", "dnn_feature_columns", "label", "weight_column", "bags", "validation", "window")


class _Untold(Exception):
    """Something is of a kind that nothing tells from others of it."""


def digest(problem: Problem, source: Source) -> str | None:
    """Returns 16 hexadecimal digits that differ where the encoded examples could, or None where nothing tells.

    Args:
        problem: As it is declared, before it has learned anything from the data.
        source: Its data.
    """
    if problem.model is not None:  # what such a model encodes is seen in no declaration
        return None
    try:
        told = {
            "version": [VERSION, __version__, sys.version, importlib.metadata.version("tensorflow")],
            "data": _data(source),
            "problem": {name: _told(getattr(problem, name)) for name in (*_FIELDS, "csv", "from_rows")},
            "head": type(problem.head).__name__,
            "classes": getattr(problem.head, "num_classes", None),
            "dealt": [source.test_share, source.split_by],
        }
    except _Untold:
        return None
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


def _data(source: Source) -> Any:
    if source.files is not None:
        return {split: [_file(state) for state in states] for split, states in source.files.states.items()}
    builder = source.builder
    if builder is None or not builder.is_prepared():
        raise _Untold
    folder = os.fspath(builder.data_dir)
    return [builder.info.full_name, [_file(State.of(paths.join(folder, name))) for name in paths.names_in(folder)]]


def _file(state: State) -> list[Any]:
    path = state.path if paths.is_remote(state.path) else os.path.realpath(state.path)
    try:
        with paths.opened(state.path) as file:
            ends = file.read(_ENDS)
            file.seek(max(0, state.size - _ENDS))
            ends += file.read(_ENDS)
    except (OSError, ValueError):
        raise _Untold from None
    return [path, state.size, state.modified, hashlib.sha256(ends).hexdigest()]


def _told(value: Any, above: tuple[int, ...] = ()) -> Any:
    """Returns a value as JSON can hold it, functions by their code and by what it refers to.

    Raises:
        _Untold: It is of no kind that is known.
    """
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, bytes):
        return value.hex()
    if id(value) in above:  # a function that refers to itself
        return "itself"
    above = (*above, id(value))
    if isinstance(value, (np.ndarray, np.generic)):
        return ["array", str(value.dtype), hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()]
    if isinstance(value, Mapping):
        return {str(name): _told(each, above) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_told(each, above) for each in value]
    if isinstance(value, (set, frozenset, range)):
        return sorted(map(repr, value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _dataclass(value, above)
    return _function(value, above)


def _dataclass(value: Any, above: tuple[int, ...]) -> Any:
    fields = {field.name: _told(getattr(value, field.name), above) for field in dataclasses.fields(value)}
    path = fields.get("path")  # of a vocabulary's file
    if isinstance(path, str):
        try:
            fields["file"] = _file(State.of(path))
        except OSError:
            raise _Untold from None
    return {"kind": type(value).__name__, **fields}


def _function(value: Any, above: tuple[int, ...]) -> Any:
    if isinstance(value, functools.partial):
        return ["partial", _told(value.func, above), _told(value.args, above), _told(value.keywords, above)]
    if isinstance(value, types.ModuleType):
        return ["module", value.__name__]
    if hasattr(value, "get_config") and not isinstance(value, type):  # of Keras, as an initializer
        return ["keras", type(value).__qualname__, json.loads(json.dumps(value.get_config(), default=repr))]
    if isinstance(value, types.FunctionType):
        return _python(value, above)
    if isinstance(value, types.MethodType):
        return ["method", _told(value.__func__, above), _told(value.__self__, above)]
    module = str(getattr(value, "__module__", None) or type(value).__module__)
    is_library = module.partition(".")[0] not in ("__main__", "") and "site-packages" in str(
        getattr(sys.modules.get(module), "__file__", "")
    )
    if isinstance(value, (types.BuiltinFunctionType, np.ufunc)) or module in ("builtins", "datetime") or is_library:
        return ["named", module, getattr(value, "__qualname__", repr(type(value)))]
    if isinstance(value, type):  # a class of one's own
        members = {name: each for name, each in vars(value).items() if isinstance(each, types.FunctionType)}
        return ["class", value.__qualname__, {name: _python(each, above) for name, each in members.items()}]
    raise _Untold


def _python(function: types.FunctionType, above: tuple[int, ...]) -> Any:
    if "site-packages" in function.__code__.co_filename:
        return ["library", function.__module__, function.__qualname__]
    try:
        closed = [cell.cell_contents for cell in function.__closure__ or ()]
    except ValueError:
        raise _Untold from None
    named = {name: function.__globals__[name] for name in _names(function.__code__) if name in function.__globals__}
    parts = (closed, list(function.__defaults__ or ()), dict(function.__kwdefaults__ or {}), named)
    return ["function", _code(function.__code__), *(_told(part, above) for part in parts)]


def _names(code: types.CodeType) -> list[str]:
    inner = [const for const in code.co_consts if isinstance(const, types.CodeType)]
    return sorted({*code.co_names, *(name for each in inner for name in _names(each))})


def _code(code: types.CodeType) -> Any:
    consts = [_code(const) if isinstance(const, types.CodeType) else repr(const) for const in code.co_consts]
    return [hashlib.sha256(code.co_code).hexdigest(), consts, list(code.co_names)]
