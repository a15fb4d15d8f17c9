"""Columns of every function of `tf.feature_column`, and rows for them, for hypothesis to choose.

What differs deliberately, as test_differences.py shows, is never drawn; a comment stands where it is avoided.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
import tensorflow as tf
from hypothesis import strategies as st

from tests.parity.declared import Declared, Normalizer
from tests.parity.rows import BOTH, Rows

Draw = Callable[[st.SearchStrategy[Any]], Any]


@dataclass(frozen=True)
class Case:
    """A declaration and the rows of the features that it reads.

    Args:
        declared: The column, or the columns that share a table.
        rows: By key.
    """

    declared: Declared
    rows: dict[str, Rows]


VOCABULARY = ("a", "b", "Mon", "ü", "x y")
FILE_NUMBERS = (5, 0, -7, 123456789012)

texts = st.one_of(st.sampled_from([*VOCABULARY, "Montag"]), st.text(min_size=1, max_size=5))
# An explicit '' or -1 means missing; what is missing is None here, so that it is absent from sparse features.
integers = st.one_of(st.integers(0, 9), st.integers(-(2**63), 2**63 - 1)).filter(lambda value: value != -1)
short_integers = st.one_of(st.integers(0, 9), st.integers(-(2**31), 2**31 - 1)).filter(lambda value: value != -1)
floats = st.one_of(
    st.sampled_from([-10.0, 0.0, -0.0, 0.1, 1.0, 1000.0]),
    st.floats(-2000, 2000, width=32),
    st.sampled_from([float("nan"), float("inf"), -float("inf")]),
)
finite = st.integers(-800, 800).map(lambda eighths: eighths / 8)
sizes = st.integers(1, 12)


@st.composite
def bags(
    draw: Draw, batch: int, value: st.SearchStrategy[Any], dtype: Any, holes: bool = True, time: bool = False
) -> Rows:
    """Values of one feature, some of them missing, some examples without any; of some steps each where `time`."""
    cell = st.one_of(value, value, st.none()) if holes else value
    shape = [draw(st.integers(1, 3))] + [draw(st.integers(1, 2))] * (time and draw(st.booleans()))
    values = st.lists(cell, min_size=batch * prod(shape), max_size=batch * prod(shape))
    cells = np.array([*draw(values), None], dtype=object)[:-1].reshape([batch, *shape])
    return Rows(cells.tolist(), dtype, BOTH, draw(st.booleans()))


# Categorical columns: how each is called, without its key, and the values and dtype of its feature.

Kind = tuple[str, tuple[Any, ...], st.SearchStrategy[Any], Any]


@st.composite
def hash_bucket(draw: Draw, size: st.SearchStrategy[int] = sizes) -> Kind:
    # TensorFlow takes the largest number of an unsigned dtype for a missing one, since it casts -1 to it; we do not.
    dtype = draw(st.sampled_from([tf.string, tf.string, tf.int64, tf.int32]))
    value = {tf.string: texts, tf.int64: integers, tf.int32: short_integers}[dtype]
    return "categorical_column_with_hash_bucket", (draw(size), dtype), value, dtype


@st.composite
def identity(draw: Draw) -> Kind:
    size = draw(sizes)
    default = draw(st.one_of(st.none(), st.integers(0, size - 1)))
    # Without a default we refuse an id out of range, and TensorFlow lets it through.
    value = st.integers(0, size - 1) if default is None else st.one_of(st.integers(0, size - 1), short_integers)
    dtype = draw(st.sampled_from([tf.int64, tf.int32]))
    return "categorical_column_with_identity", (size, default), value, dtype


@st.composite
def vocabulary_list(draw: Draw) -> Kind:
    whole = draw(st.booleans())
    item = integers if whole else texts
    size = draw(st.integers(1, 6))
    words = tuple(draw(st.lists(item, min_size=size, max_size=size, unique=True)))
    default, oov = draw(_out_of_vocabulary(size, -1))
    dtype = draw(st.sampled_from([None, tf.int64 if whole else tf.string]))
    value = st.one_of(st.sampled_from(words), item)
    return "categorical_column_with_vocabulary_list", (words, dtype, default, oov), value, _dtype(whole)


def vocabulary_file(words: str, records: str, numbers: str) -> st.SearchStrategy[Kind]:
    """Of text, of compressed records, and of whole numbers."""

    @st.composite
    def strategy(draw: Draw) -> Kind:
        file = draw(st.sampled_from([words, records, numbers]))
        values = FILE_NUMBERS if file == numbers else VOCABULARY
        size = draw(st.one_of(st.none(), st.integers(1, len(values))))
        default, oov = draw(_out_of_vocabulary(size or len(values), None))
        file_format = "tfrecord_gzip" if file == records else draw(st.sampled_from([None, "text"]))
        value = st.one_of(st.sampled_from(values), integers if file == numbers else texts)
        arguments = (file, size, tf.int64 if file == numbers else tf.string, default, oov, file_format)
        return "categorical_column_with_vocabulary_file", arguments, value, arguments[2]

    return strategy()


@st.composite
def _out_of_vocabulary(draw: Draw, size: int, none: int | None) -> tuple[int | None, int]:
    oov = draw(st.integers(0, 3))
    return none if oov else draw(st.one_of(st.just(none), st.integers(0, size - 1))), oov


def _dtype(whole: bool) -> Any:
    return tf.int64 if whole else tf.string


@st.composite
def plain(draw: Draw, kind: st.SearchStrategy[Kind], batch: int, key: str, holes: bool = True) -> Case:
    """A column of one feature."""
    function, arguments, value, dtype = draw(kind)
    return Case(Declared(function, (key, *arguments)), {key: draw(bags(batch, value, dtype, holes))})


@st.composite
def numeric(draw: Draw, batch: int, key: str, ranges: bool = False) -> Case:
    shape = draw(st.sampled_from([(1,), (1,), (2,), (3,)] + [(2, 2), ()] * (not ranges)))
    # The data have the column's dtype, for a normalizer gets that of the data in TensorFlow and the column's here.
    dtype = draw(st.sampled_from([tf.float32, tf.float32, tf.float64, tf.int64, tf.int32]))
    value = short_integers.filter(lambda number: abs(number) < 2**24) if dtype.is_integer else floats
    default = draw(st.sampled_from([None, 0, 2]))
    normalizer = draw(st.sampled_from([None, Normalizer(-1), Normalizer(2)]))
    cells = np.array(draw(st.lists(value, min_size=batch * prod(shape), max_size=batch * prod(shape))), object)
    rows = Rows(cells.reshape([batch, *(shape or (1,))]).tolist(), dtype, frozenset(), draw(st.booleans()))
    return Case(Declared("numeric_column", (key, shape or (1,), default, dtype, normalizer)), {key: rows})


@st.composite
def bucketized(draw: Draw, batch: int, key: str) -> Case:
    source = draw(numeric(batch, key, ranges=True))
    edges = draw(st.lists(st.one_of(st.integers(-12, 12), finite), min_size=1, max_size=5, unique=True))
    return Case(Declared("bucketized_column", (source.declared, tuple(sorted(edges)))), source.rows)


@st.composite
def crossed(
    draw: Draw,
    one: st.SearchStrategy[Kind],
    batch: int,
    key: str,
    size: st.SearchStrategy[int] = sizes,
    holes: bool = True,
) -> Case:
    """Two keys to five: columns, ranges, raw strings and whole numbers, and crosses, whose keys are flattened."""
    raw_last, deep = draw(st.booleans()), draw(st.integers(0, 2))
    columns = [draw(one_key(one, batch, f"{key}{place}", holes)) for place in range(draw(st.integers(0, 3)))]
    # TensorFlow hashes dense raw keys last and sparse ones in their place, we hash both last: so they are sparse only
    # where they stand there. It crosses '' and -1 of a dense raw key for values, so they have holes only where sparse.
    forms = frozenset({"sparse"} if raw_last and holes else {"dense"})
    raws = [
        (f"{key}raw{place}", draw(raw_key(batch, forms, holes and raw_last)))
        for place in range(draw(st.integers(max(0, 2 - len(columns)), 2)))
    ]
    keys = [column.declared for column in columns]
    for name, _ in raws:
        keys.insert(len(keys) if raw_last else draw(st.integers(0, len(keys))), name)
    rows = {name: given for column in columns for name, given in column.rows.items()} | dict(raws)
    hash_key = draw(st.sampled_from([None, 0, 7, 0xDECAFCAFFE]))
    for _ in range(min(deep, len(keys) - 2)):
        start = draw(st.integers(0, len(keys) - 2))
        keys[start : start + 2] = [Declared("crossed_column", (tuple(keys[start : start + 2]), 10, 3))]
    return Case(Declared("crossed_column", (tuple(keys), draw(size), hash_key)), rows)


def one_key(one: st.SearchStrategy[Kind], batch: int, key: str, holes: bool) -> st.SearchStrategy[Case]:
    """A column that can be crossed: not a hashed one, which both sides refuse."""
    return st.one_of(plain(one, batch, key, holes), bucketized(batch, key))


@st.composite
def raw_key(draw: Draw, batch: int, forms: frozenset[str], holes: bool) -> Rows:
    whole = draw(st.booleans())  # floats are refused here
    rows = draw(bags(batch, integers if whole else texts, _dtype(whole), holes))
    return replace(rows, forms=forms)


@st.composite
def weighted(draw: Draw, inner: st.SearchStrategy[Case], key: str) -> Case:
    """Weights in the places of the values, none where there is none, as both sides want it."""
    column = draw(inner)
    shapes = [given.cells.shape for given in column.rows.values()]
    there = np.ones([shapes[0][0], prod(shape[1] for shape in shapes)], bool)
    if len(shapes) == 1:
        there = np.array([[value is not None for value in row] for row in next(iter(column.rows.values())).cells])
    # A dense weight of 0 moves those after it in TensorFlow, and weights of another dtype than the column's it refuses.
    dtype = draw(st.sampled_from([tf.float32, tf.int64]))
    zero = len(shapes) == 1 and draw(st.booleans())
    weight = st.integers(-3, 5) if dtype == tf.int64 else st.integers(-12, 20).map(lambda quarters: quarters / 4)
    weight = weight.filter(lambda number: zero or number != 0)
    drawn = iter(draw(st.lists(weight, min_size=there.size, max_size=there.size)))
    values = [[next(drawn) if place else None for place in row] for row in there]
    forms = frozenset({"sparse"}) if zero else BOTH
    rows = {name: replace(given, forms=given.forms & forms) for name, given in column.rows.items()}
    rows[f"{key}_weight"] = Rows(values, dtype, forms, all(given.flat for given in rows.values()), padding=0)
    return Case(Declared("weighted_categorical_column", (column.declared, f"{key}_weight", dtype)), rows)


@st.composite
def embedding(draw: Draw, inner: st.SearchStrategy[Case], key: str = "") -> Case:
    column = draw(inner)
    return Case(Declared("embedding_column", (column.declared, *draw(_table(column)))), column.rows)


@st.composite
def shared(
    draw: Draw, inner: Callable[[str], st.SearchStrategy[Case]], keys: tuple[str, ...] = ("ab", "ba", "bca")
) -> Case:
    columns = [draw(inner(key)) for key in draw(st.sampled_from(keys))]
    dimension, combiner, initializer, source, tensor, *rest = draw(_table(*columns))
    name = draw(st.sampled_from([None, "stations"]))
    arguments = (dimension, combiner, initializer, name, source, tensor, *rest)
    rows = {key: given for column in columns for key, given in column.rows.items()}
    return Case(Declared("shared_embeddings", (tuple(column.declared for column in columns), *arguments)), rows)


def shared_steps(case: Case) -> st.SearchStrategy[Case]:
    """Another sequence of as many steps beside one, as a layer of both wants it."""
    (rows,) = case.rows.values()
    cells, backwards = rows.cells, iter([value for value in rows.cells.ravel()[::-1] if value is not None])
    cells = np.array([None if value is None else next(backwards) for value in cells.ravel()] + [None], object)[:-1]
    other = Rows(cells.reshape(rows.cells.shape).tolist(), rows.dtype, rows.forms)
    function, arguments = case.declared.function, case.declared.arguments[1:]
    columns = {"a": case, "b": Case(Declared(function, ("b", *arguments)), {"b": other})}
    return shared(lambda key: st.just(columns[key]), ("ab", "ba"))


@st.composite
def _table(draw: Draw, *columns: Case) -> tuple[Any, ...]:
    """The arguments of an embedding after its column."""
    combiner, max_norm = draw(st.sampled_from(["mean", "sum", "sqrtn"])), draw(st.sampled_from([None, 0.3, 1, 100.0]))
    # An unsafe lookup fails for the id -1, may leave the last rows out where they are empty, and takes weights below 0.
    whole = {"bucketized_column", "numeric_column", "categorical_column_with_hash_bucket"}
    safe = {part.function for column in columns for part in column.declared.parts()} <= whole and all(
        given.is_gapless and None not in given.cells.ravel() for column in columns for given in column.rows.values()
    )
    unsafe = safe and draw(st.booleans())
    return draw(st.integers(1, 4)), combiner, None, None, None, max_norm, draw(st.booleans()), not unsafe


@st.composite
def indicator(draw: Draw, inner: st.SearchStrategy[Case], key: str = "") -> Case:
    column = draw(inner)
    return Case(Declared("indicator_column", (column.declared,)), column.rows)


@st.composite
def sequence(draw: Draw, kind: st.SearchStrategy[Kind], batch: int, key: str) -> Case:
    """A categorical column with values in steps; of a file, in the other order of arguments that it has there."""
    function, arguments, value, dtype = draw(kind)
    if function.endswith("_file"):
        file, size, kind_of_value, default, oov, _ = arguments  # the format is guessed from the file's name
        arguments = (file, size, oov, default, kind_of_value)
    declared = Declared(f"sequence_{function}", (key, *arguments))
    return Case(declared, {key: draw(bags(batch, value, dtype, time=True))})


@st.composite
def sequence_numeric(draw: Draw, batch: int, key: str, widest: int = 3) -> Case:
    width = draw(st.integers(1, widest))
    dtype = draw(st.sampled_from([tf.float32, tf.float32, tf.int64]))
    steps, deep = draw(st.integers(1, 3)), draw(st.booleans())
    # A NaN is padding here. Between whole numbers none is missing, for a ragged feature has no padding for them.
    number = finite if dtype == tf.float32 else st.integers(-50, 50)
    cell = st.one_of(number, number, st.none()) if dtype == tf.float32 else number
    flat = [draw(st.lists(cell, min_size=steps * width, max_size=steps * width)) for _ in range(batch)]
    if not deep:
        # As long in all as whole steps take, for a step that was begun fails in TensorFlow.
        lengths = [draw(st.integers(0, steps * width)) for _ in range(batch)]
        flat = [row[:length] + [None] * (len(row) - length) for row, length in zip(flat, lengths, strict=True)]
    values = np.array(flat, object).reshape([batch, steps, width] if deep else [batch, -1]).tolist()
    default = draw(st.sampled_from([0, 3])) if dtype == tf.int64 else draw(st.sampled_from([0.0, -7.5]))
    normalizer = draw(st.sampled_from([None, Normalizer(3, sparse=True)]))
    # Dense sequences of numbers TensorFlow does not take.
    padding = float("nan") if dtype == tf.float32 else None
    rows = Rows(values, dtype, frozenset({"sparse"}), padding=padding)
    return Case(Declared("sequence_numeric_column", (key, (width,), default, dtype, normalizer)), {key: rows})
