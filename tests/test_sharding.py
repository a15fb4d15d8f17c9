"""Tables in parts, on devices of this process: they start, are looked up, learn and are saved as whole ones."""

import dataclasses
import itertools
import queue
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer import feature_column as fc
from trainer import optimizers, tables, warm_start
from trainer.cluster import Task
from trainer.errors import Refusal
from trainer.layers import EmbeddingTable, placement
from trainer.layers.placement import Placement
from trainer.models.variables import Divided, by_place
from trainer.optimizers import remote
from trainer.tables import Table, pieces, write
from trainer.tables.health import health_of
from trainer.tables.sharded import Part, ShardedValues, all_rows
from trainer.training import saving
from trainer.training.machines import meeting
from trainer.training.machines.attendance import Attendance
from trainer.warm_start import Start, carrying
from trainer.warm_start.report import Report

HERE = "/job:localhost/replica:0/task:0/device:CPU:0"
ROWS = 70_001  # more than are drawn at a time, and the parts of three have different sizes


@contextmanager
def servers(count: int) -> Iterator[None]:
    with placement.on_servers(Placement([HERE] * count) if count else None), placement.dealt_out():
        yield


def table(count: int, rows: int = ROWS, **arguments: Any) -> EmbeddingTable:
    """A table in as many parts; in one whole where the count is 0."""
    keras.utils.set_random_seed(5)
    with servers(count):
        layer = EmbeddingTable(rows, 3, name="table", **arguments)
        layer.build()
    return layer


def values(layer: EmbeddingTable) -> Any:
    return np.asarray(layer.values)


def test_a_large_table_is_shared_out_alike_and_a_small_one_lies_on_one_server() -> None:
    found = Placement(["a", "b", "c"])
    assert [(shard.first, shard.rows, shard.device) for shard in found.shards(5000)] == [
        (0, 1667, "a"),
        (1667, 1667, "b"),
        (3334, 1666, "c"),
    ]
    assert [found.shards(10)[0].device for _ in range(4)] == ["a", "b", "c", "a"]


@pytest.mark.parametrize("initializer", [None, "uniform", "glorot_uniform", keras.initializers.RandomNormal(seed=3)])
@pytest.mark.parametrize("count", [1, 3])
def test_the_same_seed_gives_the_same_rows_however_many_servers_there_are(initializer: Any, count: int) -> None:
    np.testing.assert_array_equal(
        values(table(count, initializer=initializer)), values(table(0, initializer=initializer))
    )


@pytest.mark.parametrize(
    ("dtype", "combiner"), [("float32", "mean"), ("bfloat16", "mean"), ("float32", "max"), ("float32", "first")]
)
def test_rows_of_all_parts_are_looked_up_as_of_a_whole_table(dtype: str, combiner: str) -> None:
    ids = np.array([[0, 70_000, 0], [23_334, 23_333, -1], [-1, -1, -1], [46_668, 5, 46_667]])
    whole, parts = (table(count, storage_dtype=dtype, combiner=combiner) for count in (0, 3))
    np.testing.assert_allclose(parts(ids), whole(ids), rtol=1e-6)
    np.testing.assert_allclose(parts(ids[:, 1]), whole(ids[:, 1]), rtol=1e-6)
    assert parts(np.full((2, 1), -1)).numpy().tolist() == [[0.0] * 3] * 2


@pytest.mark.parametrize("name", optimizers.names())
def test_a_table_in_parts_learns_what_a_whole_one_learns(name: str) -> None:
    whole, parts = (trained(count, name) for count in (0, 3))
    np.testing.assert_allclose(parts, whole, rtol=1e-5, atol=1e-7)
    assert (whole != values(table(0))).any()


@pytest.mark.parametrize("name", ["Adagrad", "LazyAdam"])
def test_updates_that_are_made_on_servers_one_at_a_time_are_those_of_a_whole_table(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = trained(0, name)
    monkeypatch.setattr(remote, "_JOB", "/job:localhost")  # this process stands in for the servers
    np.testing.assert_allclose(trained(3, name), whole, rtol=1e-5, atol=1e-7)


def test_an_update_of_a_variable_on_a_server_takes_its_lock_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with tf.device(HERE):
        variable, of_keras = tf.Variable(tf.zeros([4, 2])), keras.Variable(np.zeros((4, 2)))
    assert [remote.server_of(each) for each in (variable, of_keras)] == ["", ""]
    monkeypatch.setattr(remote, "_JOB", "/job:localhost")
    assert [remote.server_of(each) for each in (variable, of_keras)] == [HERE, HERE]

    @tf.function
    def update() -> None:
        remote.update_alone(variable, variable.assign_add, [tf.ones([4, 2])])

    operations = update.get_concrete_function().graph.get_operations()
    locks = [each for each in operations if each.type in ("MutexLock", "ConsumeMutexLock")]
    assert [(each.type, each.device) for each in locks] == [("MutexLock", HERE), ("ConsumeMutexLock", HERE)]
    update()
    assert variable.numpy().tolist() == [[1.0, 1.0]] * 4


def trained(count: int, name: str) -> Any:
    layer, draw = table(count), np.random.default_rng(0)
    optimizer = optimizers.get(name, 0.1)
    optimizer.global_clipnorm = 0.5
    optimizer.build(layer.trainable_variables)

    @tf.function
    def step(ids: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.square(layer(ids) - 1.0))
        gradients = tape.gradient(loss, layer.trainable_variables)
        assert all(isinstance(gradient, tf.IndexedSlices) for gradient in gradients)
        optimizer.apply(gradients, layer.trainable_variables)

    for _ in range(3):
        step(tf.constant(draw.integers(-1, ROWS, (50, 4))))
    return values(layer)


def test_a_table_in_parts_starts_from_another_by_key() -> None:
    def start() -> Start:
        first = tf.reshape(tf.range(3.0 * ROWS), (ROWS, 3))
        changed = np.array([1, 69_999])
        return Start(first, ((changed, np.full((2, 3), -7.0, np.float32)),), np.array([4, 50_000]), REPORT)

    layer = table(3, warm_start=start, initializer="ones")
    found = values(layer)
    assert found[[0, 1, 4, 50_000, 69_999]].tolist() == [[0, 1, 2], [-7] * 3, [1] * 3, [1] * 3, [-7] * 3]
    np.testing.assert_array_equal(found[23_330:23_340].reshape(-1), np.arange(3 * 23_330, 3 * 23_340))
    assert layer.warm_started is REPORT


@pytest.mark.parametrize("count", [0, 3])
def test_a_table_that_servers_have_left_is_read_some_rows_at_a_time(
    count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (pieces, carrying):
        monkeypatch.setattr(module, "SERVER_BYTES", 100_000)
    column = fc.embedding_column(fc.categorical_column_with_identity("thing", ROWS), 3, name="table")
    before = table(3, initializer="uniform")
    write(str(tmp_path), [Table("table", before.values, column)])
    read: list[slice] = []
    folder_rows = tables.read_rows

    def counted(folder: str, name: str, rows: slice, who: str) -> Any:
        read.append(rows)
        return folder_rows(folder, name, rows, who)

    monkeypatch.setattr(tables, "read_rows", counted)
    started = dataclasses.replace(column, ckpt_to_load_from=str(tmp_path), tensor_name_in_ckpt="table")
    found = table(count, warm_start=lambda: warm_start.load(started))
    np.testing.assert_array_equal(values(found), values(before))
    assert found.warm_started is not None
    assert found.warm_started.matched == ROWS
    assert [part.stop - part.start for part in read] == ([65_536, ROWS - 65_536] if count else [ROWS])


def test_a_table_of_which_rows_are_new_is_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "SERVER_BYTES", 100_000)
    column = fc.embedding_column(fc.categorical_column_with_identity("thing", ROWS), 3, name="table")
    before = table(3, initializer="uniform")
    write(str(tmp_path), [Table("table", before.values, column)])
    less = fc.embedding_column(fc.categorical_column_with_identity("thing", 5000), 3, name="table")
    started = dataclasses.replace(less, ckpt_to_load_from=str(tmp_path), tensor_name_in_ckpt="table")
    found = table(3, 5000, warm_start=lambda: warm_start.load(started))
    np.testing.assert_array_equal(values(found), values(before)[:5000])


REPORT = Report.__new__(Report)


def sharded(count: int, rows: int = 10, dimension: int = 2) -> tuple[Any, Any]:
    array = np.random.default_rng(1).normal(size=(rows, dimension)).astype(np.float32)
    limits = [rows * place // count for place in range(count + 1)]
    return ShardedValues([Part(a, tf.Variable(array[a:b])) for a, b in itertools.pairwise(limits)]), array


@pytest.mark.parametrize(
    "rows", [3, -1, slice(2, 9, 3), slice(None), [5, 0, 9, 5], np.arange(10) % 3 == 0, np.array([], int)]
)
def test_values_in_parts_are_asked_for_as_those_of_an_array(rows: Any) -> None:
    found, array = sharded(3)
    np.testing.assert_array_equal(found[rows], array[rows])
    assert (found.shape, found.nbytes, len(found)) == (array.shape, array.nbytes, 10)
    np.testing.assert_array_equal(np.asarray(found, np.float64), array.astype(np.float64))


def test_all_rows_of_all_parts_are_tested() -> None:
    found, _ = sharded(3)
    assert all_rows(found.parts, tf.math.is_finite)
    found.parts[2].variable.scatter_update(tf.IndexedSlices([[1.0, np.inf]], [1]))
    assert not all_rows(found.parts, tf.math.is_finite)


def test_the_health_of_a_table_in_parts_is_that_of_a_whole_one() -> None:
    found, array = sharded(4, 1000, 5)
    counts = np.arange(1000) % 7
    assert health_of(Table("a", found, counts=counts)) == health_of(Table("a", array, counts=counts))


def test_tables_in_parts_and_whole_ones_are_in_one_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "SERVER_BYTES", 16)
    found, array = sharded(3)
    write(str(tmp_path), [Table("parts", found), Table("whole", array[:4])])
    reader = tf.train.load_checkpoint(str(tmp_path))
    np.testing.assert_array_equal(reader.get_tensor("parts"), array)
    np.testing.assert_array_equal(reader.get_tensor("whole"), array[:4])
    assert not list(tmp_path.glob("*-part-*"))


@pytest.mark.parametrize("later", [0, 1, 2, 5])
@pytest.mark.parametrize("before", [0, 1, 3])
def test_a_checkpoint_of_some_servers_is_restored_by_any_number(
    before: int, later: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pieces, "SERVER_BYTES", 100_000)
    monkeypatch.setattr(pieces, "PIECE_BYTES", 300_000)
    first, second = saved_variables(before), saved_variables(later)
    assert first.keys() == second.keys()
    saving.write(str(tmp_path / "a"), {name: each.value for name, each in first.items()}, {})
    state = saving.check(str(tmp_path / "a"))
    for name, each in second.items():
        if not isinstance(each, Divided):
            each.value.assign(tf.zeros_like(each.value))
        saving.restore(str(tmp_path / "a"), name, state, each.value)
    for name, each in first.items():
        np.testing.assert_array_equal(whole(second[name]), whole(each), err_msg=name)


def saved_variables(count: int) -> dict[str, Any]:
    layer = table(count)
    optimizer = optimizers.get("LazyAdam")
    optimizer.build(layer.trainable_variables)
    for place, variable in enumerate(optimizer.variables[2:]):
        variable.assign(tf.fill(variable.shape, float(place + 1)) if count < 2 else variable)
    return by_place([*layer.variables, *optimizer.variables])


def whole(variable: Any) -> Any:
    if isinstance(variable, Divided):
        return np.concatenate([part.variable.numpy() for part in variable.parts])
    return variable.numpy()


def test_slots_lie_in_as_many_parts_as_their_table() -> None:
    found = saved_variables(3)
    names = [(each.path.rpartition("/")[2], [*each.shape]) for each in found.values()]
    assert names == [
        ("table", [ROWS, 3]),
        ("iteration", []),
        ("learning_rate", []),
        ("table_table_momentum", [ROWS, 3]),
        ("table_table_velocity", [ROWS, 3]),
    ]


def test_a_chief_says_that_it_is_there_and_how_it_has_ended(tmp_path: Path) -> None:
    place, other = meeting.Place(str(tmp_path)), meeting.Place(str(tmp_path))
    assert other.read() == ("", None)
    place.open("one")
    assert other.read() == ("one", None)
    place.close(meeting.DONE)
    assert other.read() == ("one", "done")


def test_an_optimizer_that_makes_tables_dense_is_refused_where_they_lie_in_parts() -> None:
    from trainer.training.machines.parameter_servers import check

    with servers(2):
        ids = keras.Input((1,), dtype="int64")
        model = keras.Model(ids, EmbeddingTable(ROWS, 3, name="things")(ids))
    model.compile(keras.optimizers.Adam(), "mse")
    with pytest.raises(Refusal, match="Adam: it reads and writes every row of 'things' at every step"):
        check(model)
    model.compile(optimizers.get("LazyAdam"), "mse")
    check(model)


def test_a_worker_that_goes_and_comes_back_is_told_of() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    worker, told = Task("worker", 0, f"127.0.0.1:{port}"), queue.Queue[str]()
    with Attendance([worker], told.put, every_seconds=0.02):
        listener.close()
        assert told.get(timeout=10) == (
            f"worker 0 (127.0.0.1:{port}) has gone; no other is left: the training goes on when one is started again"
        )
        with socket.create_server(("127.0.0.1", port)):
            assert told.get(timeout=10) == f"worker 0 (127.0.0.1:{port}) is back"
    assert told.empty()
