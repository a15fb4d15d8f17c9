"""Writes files of tables as other programs leave them, each with its real writer, in a process of its own.

`python -m tests.writers FOLDER SEED GROUP…` writes all kinds of some groups and, beside them, a `GROUP.json` with what
was written of each. Names, shapes, dtypes and values are drawn from the seed. Beside the wanted tensor lie two of other
shapes, and in a second file a twin, of its own shape.
"""

import dataclasses
import gzip
import importlib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
DTYPES = ("float16", "bfloat16", "float32", "float64")
TWIN = "twin"

SAVED = ("npz", "parquet", "safetensors", "tsv")
"""The formats that `trainer.formats` saves with keys and no other program writes so."""

KINDS = {
    "tensorflow": (
        "Saver",
        "Saver V1",
        "partitioned",
        "parts",
        "Estimator",
        "Checkpoint",
        "tf.Module",
    ),
    "keras": (
        "Keras optimizers",
        "Keras checkpoint",
        "Keras export",
        "Keras .keras",
        "Keras .weights.h5",
        "Keras .h5",
    ),
    "tf_keras": (
        "tf_keras optimizers",
        "tf_keras checkpoint",
        "tf_keras legacy checkpoint",
        "tf_keras SavedModel",
        "tf_keras .keras",
        "tf_keras .weights.h5",
        "tf_keras .h5",
        "tf_keras TensorFlow weights",
    ),
    "files": (
        "npy",
        "npz",
        "npz compressed",
        "safetensors",
        "word2vec text",
        "word2vec binary",
        "word2vec binary of Google",
        "GloVe",
        "GloVe gzip",
        "Parquet",
        *(f"saved {name}" for name in SAVED),
    ),
}


@dataclass(frozen=True)
class Written:
    """What was written, and what is to be found in it.

    Args:
        kind: One of `KINDS`.
        places: Every path that names it.
        names: Every name that the wanted tensor may be called by.
        rows: Of the wanted tensor.
        dimension: Of the wanted tensor.
        dtype: Of the wanted tensor.
        values: Where its values are, as float32 in a .npy file.
        beside: Names of the tensors beside it, as a person knows them, each with its shape.
        keys: What its rows stand for, where the file says it.
        twin: A place of the same kind with a second tensor of the wanted shape, where there can be one.
        of_twin: The second tensor's name.
    """

    kind: str
    places: list[str]
    names: list[str]
    rows: int
    dimension: int
    dtype: str
    values: str
    beside: list[tuple[str, tuple[int, int]]]
    keys: list[str] | None = None
    twin: str | None = None
    of_twin: str | None = None


@dataclass(frozen=True)
class Drawn:
    """Matrices by name: the wanted one, two of other shapes, and where it is asked for a twin.

    Args:
        matrices: The values by name, in that order.
    """

    matrices: dict[str, Array]

    @property
    def wanted(self) -> str:
        """The name of the matrix that a test looks for."""
        return next(iter(self.matrices))

    @property
    def shuffled(self) -> list[tuple[str, Array]]:
        """Names and values in the order in which they are written, which is that of the names."""
        return sorted(self.matrices.items())


Write = Callable[[Path, Drawn], tuple[list[str], list[str]]]
"""Writes matrices to a folder and returns the places that name what was written, and the names of the wanted one."""


class Draws:
    """Draws names and matrices, and keeps what was written of them.

    Args:
        folder: Where all files go.
        seed: What is drawn.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.random = folder, np.random.default_rng(seed)

    def name(self) -> str:
        """Returns a name that no code can know."""
        return "abcdefgh"[self.random.integers(8)] + self.random.bytes(4).hex()

    def dtype(self, dtypes: Sequence[str] = DTYPES) -> str:
        """Returns one of the dtypes."""
        return str(self.random.choice(list(dtypes)))

    def matrices(self, dtype: str) -> Drawn:
        """Returns a wanted matrix, two of other shapes, and a twin."""
        rows, dimension = int(self.random.integers(20, 60)), int(self.random.integers(2, 9))
        shapes = [(rows, dimension), (rows + 7, dimension), (rows, dimension + 1), (rows, dimension)]
        return Drawn({self.name(): self.values(shape, dtype) for shape in shapes})

    def values(self, shape: tuple[int, ...], dtype: str) -> Array:
        """Returns values of a normal distribution, as the dtype can hold them."""
        return self.random.normal(size=shape).astype(ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype)

    def written(self, kind: str, write: Write, dtypes: Sequence[str] = DTYPES) -> Written:
        """Writes one kind, with and without a twin, and returns what was written."""
        drawn = self.matrices(self.dtype(dtypes))
        three = Drawn(dict(list(drawn.matrices.items())[:3]))
        places, names = write(self.new_folder(kind), three)
        twins, _ = write(self.new_folder(f"{kind} {TWIN}"), drawn)
        return self.kept(kind, drawn, places, names, twins[0])

    def kept(self, kind: str, drawn: Drawn, places: Sequence[Any], names: list[str], twin: Any) -> Written:
        """Returns the record of what was written, whose values are kept beside it."""
        (wanted, values), *beside = drawn.matrices.items()
        path = self.folder / f"{wanted}.expected.npy"
        np.save(path, values.astype(np.float32))
        rows, dimension = values.shape
        return Written(
            kind,
            list(map(str, places)),
            names,
            rows,
            dimension,
            values.dtype.name,
            str(path),
            [(name, (other.shape[0], other.shape[1])) for name, other in beside[:2]],
            twin=str(twin),
            of_twin=beside[2][0],
        )

    def new_folder(self, kind: str) -> Path:
        """Makes a folder whose name tells nothing of the kind."""
        folder = self.folder / self.name()
        folder.mkdir()
        (folder.parent / f"{folder.name}.kind").write_text(kind)
        return folder


def files_of(prefix: Path) -> list[str]:
    """Returns a checkpoint's prefix, and its index file and first data file, by which people name it too."""
    return [str(prefix), f"{prefix}.index", f"{prefix}.data-00000-of-00001"]


def endings(name: str, *more: str) -> list[str]:
    """Returns a name as it may be given: plain, with `:0`, and with what a checkpoint of objects adds."""
    return [name, f"{name}:0", f"{name}/.ATTRIBUTES/VARIABLE_VALUE", *more]


def tensorflow(draws: Draws) -> Iterator[Written]:
    """Writes what TensorFlow itself writes."""
    yield draws.written("Saver", saver)
    yield draws.written("Saver V1", saver_v1, ("float32", "float64"))  # its op takes no others
    yield draws.written("partitioned", partitioned, ("float32", "float64"))
    yield draws.written("parts", parts, ("float32", "float64"))
    yield draws.written("Estimator", estimator, ("float32", "float64"))
    yield draws.written("Checkpoint", checkpoint)
    yield draws.written("tf.Module", module)


def in_session(build: Callable[[Any], Any]) -> None:
    """Builds a graph of TensorFlow 1, and runs what `build` returns in a session of it, once it is initialised."""
    import tensorflow as tf

    v1 = tf.compat.v1
    with tf.Graph().as_default():
        run = build(v1)
        with v1.Session() as session:
            session.run(v1.global_variables_initializer())
            run(session)


def saver(folder: Path, drawn: Drawn) -> tuple[list[str], list[str]]:
    """A name-based checkpoint of the second version."""

    def build(v1: Any) -> Any:
        for name, values in drawn.shuffled:
            v1.get_variable(f"{folder.name}/{name}", initializer=values)
        return lambda session: v1.train.Saver().save(session, str(folder / "model.ckpt"), global_step=1000)

    in_session(build)
    prefix = folder / "model.ckpt-1000"
    places = [*files_of(prefix), str(folder), f"{folder}/*ckpt-1000*", f"{folder}/*", f"{prefix}.meta"]
    return places, endings(f"{folder.name}/{drawn.wanted}", drawn.wanted)


def saver_v1(folder: Path, drawn: Drawn) -> tuple[list[str], list[str]]:
    """A checkpoint of the first version, which is one file and no index."""

    def build(v1: Any) -> Any:
        for name, values in drawn.shuffled:
            v1.get_variable(name, initializer=values)
        keep = v1.train.Saver(write_version=v1.train.SaverDef.V1)
        return lambda session: keep.save(session, str(folder / "model.ckpt"), global_step=7)

    in_session(build)
    return [f"{folder}/model.ckpt-7", f"{folder}/model.ckpt-7*", str(folder)], endings(drawn.wanted)


def partitioned(folder: Path, drawn: Drawn) -> tuple[list[str], list[str]]:
    """A partitioned variable, which a checkpoint keeps as slices of one tensor, and its slots."""

    def build(v1: Any) -> Any:
        made = [
            v1.get_variable(
                name, values.shape, values.dtype, values_of(values), partitioner=v1.fixed_size_partitioner(3)
            )
            for name, values in drawn.shuffled
        ]
        step = v1.train.AdamOptimizer(0.0).minimize(sum(v1.reduce_sum(part) for table in made for part in table))

        def run(session: Any) -> None:
            session.run(step)
            v1.train.Saver().save(session, str(folder / "model.ckpt"))

        return run

    in_session(build)
    return [*files_of(folder / "model.ckpt"), str(folder)], endings(drawn.wanted)


def values_of(values: Array) -> Callable[..., Any]:
    """Returns an initializer that gives a partitioned variable the slice of its values."""

    def initial(shape: Any, dtype: Any = None, partition_info: Any = None) -> Any:
        import tensorflow as tf

        offset = partition_info.var_offset
        part = tuple(slice(first, first + size) for first, size in zip(offset, shape, strict=True))
        return tf.constant(values[part], dtype)

    return initial


def parts(folder: Path, drawn: Drawn) -> tuple[list[str], list[str]]:
    """Variables of their own called part_0, part_1 and so on; there are eleven, so that part_10 is after part_9."""

    def build(v1: Any) -> Any:
        made = [
            v1.get_variable(f"{name}/part_{number}", initializer=part)
            for name, values in drawn.shuffled
            for number, part in enumerate(np.array_split(values, 11))
        ]
        step = v1.train.AdagradOptimizer(0.0).minimize(sum(v1.reduce_sum(v1.cast(part, "float32")) for part in made))

        def run(session: Any) -> None:
            session.run(step)
            v1.train.Saver().save(session, str(folder / "model.ckpt"))

        return run

    in_session(build)
    return [*files_of(folder / "model.ckpt"), str(folder)], endings(drawn.wanted)


def estimator(folder: Path, drawn: Drawn) -> tuple[list[str], list[str]]:
    """A model dir of an Estimator: its names, its optimizer's slots, two checkpoints of which the last one counts."""
    scope = "dnn/input_from_feature_columns/input_layer"

    def build(v1: Any) -> Any:
        made = [
            v1.get_variable(f"{scope}/{name}_embedding/embedding_weights", initializer=values)
            for name, values in drawn.shuffled
        ]
        made += [v1.get_variable("dnn/hiddenlayer_0/kernel", (sum(table.shape[1] for table in made), 4))]
        step = v1.train.get_or_create_global_step()
        spoiled = [table.assign(table + 1) for table in made]
        # Slots lie in such a scope where an Estimator made them.
        optimizer = v1.train.AdagradOptimizer(0.0, name="t_0/Adagrad")
        train = optimizer.minimize(sum(v1.reduce_sum(v1.cast(table, "float32")) for table in made), step)

        def run(session: Any) -> None:
            keep = v1.train.Saver()
            before = session.run(made)
            session.run(train)
            session.run(spoiled)
            keep.save(session, str(folder / "model.ckpt"), global_step=10)
            for table, values in zip(made, before, strict=True):
                table.load(values, session)
            keep.save(session, str(folder / "model.ckpt"), global_step=100)

        return run

    in_session(build)
    (folder / "eval").mkdir()
    places = [str(folder), *files_of(folder / "model.ckpt-100"), f"{folder}/*ckpt-100*"]
    name = f"{scope}/{drawn.wanted}_embedding/embedding_weights"
    return places, endings(name, f"{drawn.wanted}_embedding")


def checkpoint(folder: Path, drawn: Drawn) -> tuple[list[str], list[str]]:
    """A checkpoint of objects in lists and dictionaries; of two, the manager names the last one."""
    import tensorflow as tf

    variables = {name: tf.Variable(values, name=f"v_{name}") for name, values in drawn.shuffled}
    root = tf.train.Checkpoint(nested=tf.Module(), step=tf.Variable(3))
    root.nested.kept = {"tables": [variables]}
    manager = tf.train.CheckpointManager(root, str(folder), max_to_keep=3)
    values = drawn.matrices[drawn.wanted]
    variables[drawn.wanted].assign(-values)
    manager.save()
    variables[drawn.wanted].assign(values)
    manager.save()
    places = [str(folder), *files_of(folder / "ckpt-2"), f"{folder}/ckpt-2*"]
    return places, endings(f"nested/kept/tables/0/{drawn.wanted}", f"v_{drawn.wanted}", f"v_{drawn.wanted}:0")


def module(folder: Path, drawn: Drawn) -> tuple[list[str], list[str]]:
    """A SavedModel of a module that holds its tables as attributes."""
    import tensorflow as tf

    root = tf.Module()
    for name, values in drawn.shuffled:
        setattr(root, name, tf.Variable(values, name=f"v_{name}"))
    tf.saved_model.save(root, str(folder))
    places = [str(folder), f"{folder}/variables", f"{folder}/variables/variables"]
    return places, endings(drawn.wanted, f"v_{drawn.wanted}")


def model_of(keras: Any, drawn: Drawn, seed: int) -> Any:
    """Returns a trained model of embeddings, each called by its matrix's name, that holds the matrices.

    Args:
        keras: Keras 3 or tf_keras, in which the model is made.
        drawn: What its tables hold in the end.
        seed: Of the data.
    """
    inputs, vectors, layers = [], [], {}
    for number, (name, values) in enumerate(drawn.shuffled):
        ids = keras.Input((1,), dtype="int32", name=f"in_{name}")
        layers[name] = keras.layers.Embedding(*values.shape, name=name, dtype=values.dtype.name)
        # Some lie in a model of their own inside.
        inner = keras.Sequential([keras.Input((1,), dtype="int32"), layers[name]]) if number % 2 else layers[name]
        inputs.append(ids)
        vectors.append(keras.layers.Flatten()(inner(ids)))
    joined = keras.layers.Concatenate()([keras.layers.Activation("linear", dtype="float32")(each) for each in vectors])
    hidden = keras.layers.Dense(11, activation="relu")(joined)  # no table has as many columns
    model = keras.Model(inputs, keras.layers.Dense(1)(hidden))
    model.compile(keras.optimizers.Adam(), "mse", run_eagerly=True)
    random = np.random.default_rng(seed)
    batch = [random.integers(0, 20, (8, 1)).astype(np.int32) for _ in inputs]
    model.fit(batch, np.ones((8, 1), np.float32), verbose=0)
    for name, values in drawn.matrices.items():
        layers[name].embeddings.assign(values)
    return model


OPTIMIZERS = ("Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lion", "Nadam", "RMSprop", "SGD")


def optimizers(draws: Draws, kind: str, library: Any) -> Iterator[Written]:
    """Writes a checkpoint of tables beside each optimizer, with all slots that it can have."""
    of = library.optimizers
    made = [getattr(of, name) for name in OPTIMIZERS]
    made += [lambda: of.Adam(amsgrad=True), lambda: of.Adam(use_ema=True), lambda: of.SGD(momentum=0.9)]
    made += [
        lambda: of.RMSprop(centered=True, momentum=0.9),
        lambda: library.mixed_precision.LossScaleOptimizer(of.Adam()),
    ]
    drawn = draws.matrices(draws.dtype())
    three = Drawn(dict(list(drawn.matrices.items())[:3]))
    for optimizer in made:
        place, twin = (slots(library, draws.new_folder(kind), each, optimizer()) for each in (three, drawn))
        names = endings(drawn.wanted, f"{drawn.wanted}/embeddings")
        yield draws.kept(kind, drawn, [place], names, twin)


def slots(library: Any, folder: Path, drawn: Drawn, optimizer: Any) -> Path:
    """Writes tables and an optimizer that has slots for them."""
    import tensorflow as tf

    tables = []
    for name, values in drawn.shuffled:
        layer = library.layers.Embedding(*values.shape, name=name, dtype=values.dtype.name)
        layer(np.zeros((1, 1), np.int32))
        layer.embeddings.assign(values)
        tables.append(layer)
    optimizer.build([layer.embeddings for layer in tables])
    tf.train.Checkpoint(optimizer=optimizer, tables=tables).write(str(folder / "model"))
    return folder / "model"


def keras(draws: Draws) -> Iterator[Written]:
    """Writes what Keras 3 writes."""
    import keras as library
    import tensorflow as tf

    yield from optimizers(draws, "Keras optimizers", library)

    def write(folder: Path, drawn: Drawn) -> dict[str, tuple[list[str], list[str]]]:
        model = model_of(library, drawn, 1)
        own = endings(drawn.wanted)
        # The step that a Checkpoint holds is no part of the model.
        tracked = tf.train.Checkpoint(model=model, optimizer=model.optimizer)
        manager = tf.train.CheckpointManager(tracked, str(folder / "checkpoints"), max_to_keep=1)
        manager.save()
        model.export(str(folder / "export"), verbose=False)
        names = [f"{drawn.wanted}.keras", f"{drawn.wanted}.weights.h5", f"{drawn.wanted}.h5"]
        model.save(folder / names[0])
        model.save_weights(folder / names[1])
        model.save(folder / names[2])
        latest = [str(folder / "checkpoints"), *files_of(folder / "checkpoints" / "ckpt-1")]
        return {
            "Keras checkpoint": (latest, own),
            "Keras export": ([str(folder / "export")], own),
            **{
                f"Keras .{name.partition('.')[2]}": ([str(folder / name), f"{folder}/*{name[4:]}"], own)
                for name in names
            },
        }

    yield from of_model(draws, write)


def tf_keras(draws: Draws) -> Iterator[Written]:
    """Writes what Keras 2 writes."""
    import tensorflow as tf
    import tf_keras as library

    yield from optimizers(draws, "tf_keras optimizers", library)

    def write(folder: Path, drawn: Drawn) -> dict[str, tuple[list[str], list[str]]]:
        model = model_of(library, drawn, 2)
        own = endings(drawn.wanted, f"{drawn.wanted}/embeddings", f"{drawn.wanted}/embeddings:0")
        tracked = tf.train.Checkpoint(model=model, optimizer=model.optimizer)
        tf.train.CheckpointManager(tracked, str(folder / "checkpoints"), max_to_keep=1).save()
        model.save(folder / "saved", save_format="tf")
        names = [f"{drawn.wanted}.keras", f"{drawn.wanted}.weights.h5", f"{drawn.wanted}.h5"]
        model.save(folder / names[0])
        model.save_weights(folder / names[1])
        model.save(folder / names[2])
        model.save_weights(folder / "weights", save_format="tf")
        old = model_of_old_optimizer(library, model)
        tf.train.Checkpoint(model=model, optimizer=old).write(str(folder / "old"))
        return {
            "tf_keras checkpoint": ([str(folder / "checkpoints"), *files_of(folder / "checkpoints" / "ckpt-1")], own),
            "tf_keras legacy checkpoint": (files_of(folder / "old"), own),
            "tf_keras SavedModel": ([str(folder / "saved")], own),
            "tf_keras .keras": ([str(folder / names[0])], own[:3]),
            "tf_keras .weights.h5": ([str(folder / names[1])], []),  # it has no names of layers
            "tf_keras .h5": ([str(folder / names[2])], own),
            "tf_keras TensorFlow weights": (files_of(folder / "weights"), own),
        }

    yield from of_model(draws, write)


def model_of_old_optimizer(library: Any, model: Any) -> Any:
    """Returns an optimizer of Keras before 2.11, with slots for all variables of a model, which stay as they are."""
    import tensorflow as tf

    optimizer = library.optimizers.legacy.Adam(0.0)
    optimizer.apply_gradients([(tf.zeros_like(variable), variable) for variable in model.trainable_variables])
    return optimizer


def of_model(draws: Draws, write: Callable[[Path, Drawn], dict[str, tuple[list[str], list[str]]]]) -> Iterator[Written]:
    """Writes a model in every way of its library, with a twin and without."""
    drawn = draws.matrices(draws.dtype())
    three = Drawn(dict(list(drawn.matrices.items())[:3]))
    written = write(draws.new_folder("model"), three)
    twins = write(draws.new_folder(f"model {TWIN}"), drawn)
    for kind, (places, names) in written.items():
        yield draws.kept(kind, drawn, places, names, twins[kind][0][0])


def files(draws: Draws) -> Iterator[Written]:
    """Writes what NumPy, safetensors, pyarrow and we write, and the forms of word2vec byte for byte."""
    for dtype in ("float16", "float32", "float64"):
        found = draws.matrices(dtype)
        path = draws.new_folder("npy") / "x.npy"
        np.save(path, found.matrices[found.wanted])
        yield dataclasses.replace(
            draws.kept("npy", found, [path, f"{path}*"], [], ""), twin=None, of_twin=None, beside=[]
        )
    yield draws.written("npz", npz(np.savez))
    yield draws.written("npz compressed", npz(np.savez_compressed))
    for dtype in DTYPES:
        yield draws.written("safetensors", safetensors, (dtype,))
    for kind, write in VECTORS.items():
        found = draws.matrices("float32")
        values = found.matrices[found.wanted]
        keys = [f"{draws.name()} é" if kind == "word2vec text" else f"{draws.name()}é" for _ in values]
        path = draws.new_folder(kind) / draws.name()
        path.write_bytes(write(keys, values))
        kept = draws.kept(kind, found, [path, f"{path}*"], [], "")
        yield dataclasses.replace(kept, twin=None, of_twin=None, beside=[], keys=keys)
    yield from keyed(draws, "Parquet", parquet)
    for name in SAVED:
        yield from keyed(draws, f"saved {name}", importlib.import_module(f"trainer.formats.{name}").save)


def keyed(draws: Draws, kind: str, write: Callable[[str, Sequence[str], Array], None]) -> Iterator[Written]:
    """Writes one matrix with keys, and no other beside it."""
    found = draws.matrices("float32")
    values = found.matrices[found.wanted]
    keys = [f"{draws.name()} é\t" for _ in values]
    path = draws.new_folder(kind) / draws.name()
    write(str(path), keys, values)
    kept = draws.kept(kind, found, [path, f"{path}*"], [], "")
    yield dataclasses.replace(kept, twin=None, of_twin=None, beside=[], keys=keys)


def parquet(path: str, keys: Sequence[str], values: Array) -> None:
    """Writes what pyarrow makes of a list of arrays: lists that could be null, or of other lengths."""
    import pyarrow
    import pyarrow.parquet

    columns = {"score": [0.5] * len(keys), "word": list(keys), "text": ["x"] * len(keys), "embedding": list(values)}
    pyarrow.parquet.write_table(pyarrow.table(columns), path)


def npz(save: Callable[..., None]) -> Write:
    """Returns what writes matrices with one of NumPy's functions; the file's name says nothing of its kind."""

    def write(folder: Path, drawn: Drawn) -> tuple[list[str], list[str]]:
        path = folder / drawn.wanted
        with open(path, "wb") as file:
            save(file, **dict(drawn.shuffled), step=np.int64(3))
        return [str(path), f"{folder}/*"], [drawn.wanted, f"{drawn.wanted}:0"]

    return write


def safetensors(folder: Path, drawn: Drawn) -> tuple[list[str], list[str]]:
    """A file of the library safetensors."""
    import safetensors.numpy

    path = folder / drawn.wanted
    named = {f"{folder.name}.{name}.weight": values for name, values in drawn.shuffled}
    safetensors.numpy.save_file(named, path, {"format": "np"})
    name = f"{folder.name}.{drawn.wanted}.weight"
    return [str(path), f"{folder}/*"], [name, f"{name}:0"]


def lines(keys: Sequence[str], values: Array) -> bytes:
    """Returns a line a row: the key and its numbers."""
    return "".join(
        f"{key} {' '.join(f'{number:.9g}' for number in row)}\n" for key, row in zip(keys, values, strict=True)
    ).encode()


def binary(keys: Sequence[str], values: Array, end: bytes) -> bytes:
    """Returns rows of word2vec binary, each with an end."""
    rows = (key.encode() + b" " + row.astype("<f4").tobytes() + end for key, row in zip(keys, values, strict=True))
    return header(values) + b"".join(rows)


def header(values: Array) -> bytes:
    """Returns the first line of word2vec."""
    return f"{values.shape[0]} {values.shape[1]}\n".encode()


VECTORS: dict[str, Callable[[Sequence[str], Array], bytes]] = {
    "word2vec text": lambda keys, values: header(values) + lines(keys, values),
    "word2vec binary": lambda keys, values: binary(keys, values, b""),
    "word2vec binary of Google": lambda keys, values: binary(keys, values, b"\n"),
    "GloVe": lines,
    "GloVe gzip": lambda keys, values: gzip.compress(lines(keys, values)),
}


def main(folder: str, seed: str, *groups: str) -> None:
    """Writes all kinds of some groups."""
    writers = {"tensorflow": tensorflow, "keras": keras, "tf_keras": tf_keras, "files": files}
    for group in groups:
        place = Path(folder, group)
        place.mkdir()
        found = [dataclasses.asdict(written) for written in writers[group](Draws(place, int(seed)))]
        Path(folder, f"{group}.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
