"""What encoded examples are made of, as a digest: files, columns, functions; None where something cannot be told."""

import dataclasses
import datetime
import dis
import functools
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import sys
import types
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

import trainer
from trainer import paths, problems
from trainer.feature_column import EmbeddingColumn
from trainer.inputs.examples import Source
from trainer.inputs.files import State
from trainer.problem import Problem

VERSION = 2
"""Of how examples are encoded and kept; another one when either changes."""

_ENDS = 1 << 16
"""Bytes of the beginning and of the end of a file that are looked at, beside its size and its time."""

_OF_ANY_CLASS = {
    *("__annotate_func__", "__annotations__", "__annotations_cache__", "__dict__", "__doc__", "__firstlineno__"),
    *("__module__", "__static_attributes__", "__weakref__"),
}
_OF_ROWS = {"dimension", "unit_norm"}
"""What is said of the rows of a table, and nothing of what is encoded, which trials of other dimensions share."""

_FIELDS = (
    *("linear_feature_columns", "dnn_feature_columns", "label", "weight_column", "bags", "validation", "window"),
    *("grouped", "walks", "split_seed", "csv", "texts", "from_rows", "from_batch"),
)


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
            "version": [VERSION, trainer.__version__, sys.version, importlib.metadata.version("tensorflow")],
            "data": _data(source),
            "problem": {name: _told(getattr(problem, name)) for name in _FIELDS},
            "head": type(problem.head).__name__,
            "classes": [getattr(problem.head, "num_classes", None), _told(problem.head.label_vocabulary)],
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
    if isinstance(value, np.ndarray) and value.dtype.hasobject:  # whose bytes are places in memory
        return ["objects", value.shape, _told(value.reshape(-1).tolist(), above)]
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
    names = {field.name for field in dataclasses.fields(value)} - (
        _OF_ROWS if type(value) is EmbeddingColumn else set()
    )
    fields = {name: _told(getattr(value, name), above) for name in sorted(names)}
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
    if hasattr(value, "get_config") and not isinstance(value, type):  # of Keras, as an initializer
        return ["keras", type(value).__qualname__, json.loads(json.dumps(value.get_config(), default=repr))]
    if isinstance(value, types.FunctionType):
        return _python(value, above)
    if isinstance(value, types.MethodType):
        return ["method", _told(value.__func__, above), _told(value.__self__, above)]
    if isinstance(value, types.ModuleType) and _is_library(value.__name__):
        return ["module", value.__name__]
    if isinstance(value, (datetime.date, datetime.time, datetime.timedelta, np.dtype, tf.DType)):
        return ["value", repr(value)]
    module = str(getattr(value, "__module__", None) or type(value).__module__)
    if isinstance(value, types.BuiltinFunctionType) and not isinstance(value.__self__, (types.ModuleType, type(None))):
        return ["method", value.__name__, _told(value.__self__, above)]  # as the get of a dictionary
    if isinstance(value, (types.BuiltinFunctionType, np.ufunc)) or (isinstance(value, type) and _is_library(module)):
        return ["named", module, getattr(value, "__qualname__", value.__name__), _version(module)]
    if isinstance(value, type):
        return _class(value, above)
    raise _Untold  # an object, of which its class does not tell what it holds


def _class(value: type, above: tuple[int, ...]) -> Any:
    """Returns a class of one's own by its bases and all that it has: constants, functions, properties."""
    members = {name: each for name, each in vars(value).items() if name not in _OF_ANY_CLASS}
    unwrapped = {
        name: each.__func__ if isinstance(each, (staticmethod, classmethod)) else each
        for name, each in members.items()
        if not isinstance(each, (property, types.GetSetDescriptorType, types.MemberDescriptorType))
    }
    properties = {name: [each.fget, each.fset] for name, each in members.items() if isinstance(each, property)}
    return ["class", value.__qualname__, *(_told(part, above) for part in (value.__bases__, unwrapped, properties))]


def _python(function: types.FunctionType, above: tuple[int, ...]) -> Any:
    if _is_library(function.__module__):
        return ["library", function.__module__, function.__qualname__, _version(function.__module__)]
    try:
        closed = [cell.cell_contents for cell in function.__closure__ or ()]
    except ValueError:
        raise _Untold from None
    codes = _codes(function.__code__)
    names = sorted({name for code in codes for name in code.co_names})
    if not all(map(_is_library, _imports(codes))):
        raise _Untold
    named = {name: function.__globals__[name] for name in names if name in function.__globals__}
    parts = (closed, list(function.__defaults__ or ()), dict(function.__kwdefaults__ or {}))
    told = {name: _named(value, names, above) for name, value in named.items()}
    return ["function", _code(function.__code__), *(_told(part, above) for part in parts), told]


def _named(value: Any, names: Sequence[str], above: tuple[int, ...]) -> Any:
    """Returns what a name stands for; of a module of one's own, all in it that has one of the names."""
    if not isinstance(value, types.ModuleType):
        return _told(value, above)
    if _is_library(value.__name__) or id(value) in above:
        return ["module", value.__name__]
    inner = {name: getattr(value, name) for name in names if hasattr(value, name)}
    return ["module", value.__name__, {name: _named(each, names, (*above, id(value))) for name, each in inner.items()}]


def _codes(code: types.CodeType) -> list[types.CodeType]:
    inner = [const for const in code.co_consts if isinstance(const, types.CodeType)]
    return [code, *(each for const in inner for each in _codes(const))]


def _imports(codes: Sequence[types.CodeType]) -> list[str]:
    """Returns the modules that functions import when they are called."""
    return [step.argval for code in codes for step in dis.get_instructions(code) if step.opname == "IMPORT_NAME"]


def _code(code: types.CodeType) -> Any:
    return [hashlib.sha256(code.co_code).hexdigest(), [*map(_constant, code.co_consts)], list(code.co_names)]


def _constant(value: Any) -> Any:
    if isinstance(value, types.CodeType):
        return _code(value)
    # The order of a set of strings is another in each process.
    return sorted(map(repr, value)) if isinstance(value, frozenset) else repr(value)


@functools.cache
def _is_library(module: str) -> bool:
    """Tells whether a module is Python's own, installed or this package's, and so is told by its version."""
    if module.startswith(f"{problems.__name__}."):  # which people change
        return False
    top = module.partition(".")[0]
    try:
        found = None if top in ("", "__main__") else importlib.util.find_spec(top)
    except (ImportError, ValueError):
        found = None
    where = "" if found is None else str(found.origin or next(iter(found.submodule_search_locations or ()), ""))
    own = os.path.dirname(trainer.__file__)
    return (
        top in sys.stdlib_module_names or "site-packages" in where or "dist-packages" in where or where.startswith(own)
    )


@functools.cache
def _version(module: str) -> str:
    try:
        return importlib.metadata.version(module.partition(".")[0])
    except importlib.metadata.PackageNotFoundError:  # Python's own, or a package of another name
        return ""
