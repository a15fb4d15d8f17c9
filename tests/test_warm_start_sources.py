"""Every kind of source that a table can start from, each written by its real writer in another process."""

import json
import os
import pickle
import re
import secrets
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped]  # it comes without types
import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy
import tensorflow as tf

from tests.writers import KINDS, Written
from trainer import feature_column as fc
from trainer import layers, warm_start
from trainer.commands import tables as command
from trainer.errors import Refusal
from trainer.paths import remote as remote_paths

ROOT = Path(__file__).parents[1]
EVERY = [kind for kinds in KINDS.values() for kind in kinds]
OF_ONE = ("npy", "word2vec", "GloVe", "Parquet", "saved ")  # kinds that hold one matrix without a name


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sources")


@pytest.fixture(scope="module")
def everything(folder: Path) -> dict[str, list[Written]]:
    """What every writer wrote, by kind; the seed is shown where a test fails."""
    seed = secrets.randbits(32)
    print(f"python -m tests.writers FOLDER {seed} {' '.join(KINDS)}")
    writers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.writers", str(folder), str(seed), *groups],
            cwd=ROOT,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
            stderr=subprocess.PIPE,
        )
        for groups in (("tensorflow", "tf_keras"), ("keras", "files"))
    ]
    assert [said for writer in writers if (said := failure(writer))] == []
    found: dict[str, list[Written]] = {kind: [] for kind in EVERY}
    for group in KINDS:
        for fields in json.loads((folder / f"{group}.json").read_text()):
            found[fields["kind"]].append(Written(**fields))
    return found


def failure(writer: "subprocess.Popen[bytes]") -> str:
    """Waits for a process to end, and returns the last of what it said where it failed."""
    _, said = writer.communicate(timeout=300)
    return said.decode()[-3000:] if writer.returncode else ""


@pytest.fixture(params=EVERY)
def kind(request: pytest.FixtureRequest, everything: dict[str, list[Written]]) -> list[Written]:
    """All that was written of one kind; there is one at least."""
    found = everything[request.param]
    assert found
    return found


def column(written: Written, place: Any = None, name: str | None = None, table: str = "zzz", **options: Any) -> Any:
    """A column of as many rows as the wanted tensor, which starts from a place."""
    if written.keys is None:
        ids: Any = fc.categorical_column_with_identity("zzz", written.rows)
    else:  # in another order than there, so that only keys can tell
        ids = fc.categorical_column_with_vocabulary_list("zzz", sorted(written.keys))
    place = written.places[0] if place is None else place
    return fc.embedding_column(
        ids, written.dimension, ckpt_to_load_from=place, tensor_name_in_ckpt=name, name=table, **options
    )


def expected(written: Written) -> Any:
    """The values of the wanted tensor, in the order of the column."""
    values = np.load(written.values)
    return values if written.keys is None else values[np.argsort(written.keys)]


def started(declared: fc.EmbeddingColumn) -> Any:
    start = warm_start.load(declared)
    assert start.report.new == 0
    return np.asarray(start.released()).astype(np.float32)


def refusal(declared: fc.EmbeddingColumn) -> str:
    """The sentence by which a warm start is refused, before training and in it."""
    with pytest.raises(Refusal) as check:
        warm_start.check(declared)
    with pytest.raises(Refusal) as load:
        warm_start.load(declared)
    assert str(check.value) == str(load.value)
    return str(check.value)


def test_a_layer_of_columns_starts_with_the_values_of_any_source(kind: list[Written]) -> None:
    for written in kind:
        declared = column(written)
        layer = layers.DenseFeatures([declared])
        inner = declared.categorical_column
        features = sorted(written.keys) if written.keys else np.arange(inner.num_buckets)
        found = np.asarray(layer({"zzz": tf.constant(features)}))  # (rows, dimension)
        np.testing.assert_array_equal(found, expected(written))


def test_a_tensor_is_found_by_each_of_its_names_at_each_place_of_a_source(kind: list[Written]) -> None:
    for written in kind:
        for name in written.names:
            np.testing.assert_array_equal(started(column(written, name=name)), expected(written), name)
        for place in written.places:
            found = started(column(written, place, written.names[0] if written.names else None))
            np.testing.assert_array_equal(found, expected(written), place)


def test_a_tensor_needs_no_name_where_it_alone_fits(kind: list[Written]) -> None:
    for written in kind:
        np.testing.assert_array_equal(started(column(written)), expected(written))


def test_the_table_s_own_name_tells_two_tensors_of_one_shape_apart(kind: list[Written]) -> None:
    for written in kind:
        if written.twin and written.names:
            table = expected_name(written)
            np.testing.assert_array_equal(started(column(written, written.twin, table=table)), expected(written))


def expected_name(written: Written) -> str:
    """The random word in the wanted tensor's name, which tells it from its twin."""
    return Path(written.values).name.split(".")[0]


def test_several_tensors_that_fit_are_refused_with_their_names_and_shapes(kind: list[Written]) -> None:
    for written in kind:
        if not written.twin:
            assert written.kind.startswith(OF_ONE)
            continue
        shape = f"{written.rows} by {written.dimension}"
        sentence = refusal(column(written, written.twin))
        place = warm_start.opened(written.twin, "").place
        assert sentence.startswith(f"warm start of 'zzz': 2 tensors in {place} fit a table of {shape}: '")
        assert sentence.endswith("; name one by tensor_name_in_ckpt, or SOURCE#TENSOR.")
        listed = re.findall(r"'([^']+)' \((\d+ by \d+)\)", sentence)
        assert [found for _, found in listed] == [shape] * 2
        if written.names:
            wanted = {expected_name(written), str(written.of_twin)}
            assert {word for word in wanted for name, _ in listed if word in name} == wanted


def test_a_wrong_name_is_refused_with_the_nearest_and_all_that_are_there(kind: list[Written]) -> None:
    for written in kind:
        right = (written.names or ["vectors"])[0]
        wrong = right[:-1] + ("y" if right[-1] != "y" else "x")
        sentence = refusal(column(written, name=wrong))
        place = warm_start.opened(written.places[0], "").place
        assert sentence.startswith(f"warm start of 'zzz': {place} has no tensor '{wrong}'; ")
        assert f"({written.rows} by {written.dimension})" in sentence
        if written.names:
            assert f"; did you mean '{right}'; it holds '" in sentence
        for name, (rows, dimension) in written.beside:
            assert f"({rows} by {dimension})" in sentence
            assert name in sentence or not written.names


def test_nothing_that_fits_is_refused_with_all_that_is_there(kind: list[Written]) -> None:
    for written in kind:
        if written.keys is None:
            other = fc.embedding_column(
                fc.categorical_column_with_identity("zzz", 999),
                written.dimension,
                ckpt_to_load_from=written.places[0],
                name="zzz",
            )
            sentence = refusal(other)
            place = warm_start.opened(written.places[0], "").place
            assert place in sentence
            assert f"{written.rows} by {written.dimension}" in sentence
            if written.beside:
                assert sentence.startswith(
                    f"warm start of 'zzz': nothing in {place} fits a table of 999 by {written.dimension}; it holds '"
                )


def test_a_source_is_read_as_well_from_a_remote_folder(kind: list[Written], folder: Path) -> None:
    for written in kind:
        for place in written.places:
            np.testing.assert_array_equal(started(column(written, remote(place, folder))), expected(written), place)


def remote(place: str, folder: Path) -> str:
    """Copies what lies beside a place to the file system that TensorFlow keeps in memory, as gs:// stands for one."""
    above = Path(place) if Path(place).is_dir() else Path(place).parent
    for file in [path for path in sorted(above.rglob("*")) if path.is_file()]:
        copy = f"ram://{file.relative_to(folder)}"
        if not tf.io.gfile.exists(copy):  # a second time it would be added to the first
            tf.io.gfile.makedirs(os.path.dirname(copy))
            tf.io.gfile.copy(str(file), copy)
    return f"ram://{os.path.relpath(place, folder)}"


def test_all_floats_keep_their_dtype_until_the_table_has_them(everything: dict[str, list[Written]]) -> None:
    for written in (each for kind in everything.values() for each in kind):
        found = {tensor.dtype for tensor in warm_start.opened(written.places[0], "").tensors if tensor.is_matrix}
        assert written.dtype in found


def test_what_an_error_lists_can_be_given_back_as_a_name(kind: list[Written]) -> None:
    for written in kind:
        place = written.twin or written.places[0]
        tensors = warm_start.opened(place, "").tensors
        wanted = [each for each in tensors if each.is_matrix and each.shape == (written.rows, written.dimension)]
        for tensor in wanted:
            found = started(column(written, place, tensor.described.split("'")[1]))
            if written.keys is None:
                np.testing.assert_array_equal(found, np.asarray(tensor.read()).astype(np.float32))


def test_a_source_that_is_cut_off_is_refused_or_read_rightly(kind: list[Written], tmp_path: Path) -> None:
    """A file that matters is refused in a sentence; without one that does not, values are what they were."""
    written = kind[0]
    if written.kind == "GloVe":  # which says nowhere how many rows it has
        return
    place = Path(written.places[0])
    above = place if place.is_dir() else place.parent
    for file in sorted(each for each in above.rglob(f"{'' if above == place else place.name}*") if each.is_file()):
        for share in (0.0, 0.5, 0.98):
            torn = tmp_path / f"{file.name} {share}"
            shutil.copytree(above, torn)
            content = file.read_bytes()
            (torn / file.relative_to(above)).write_bytes(content[: int(share * len(content))])
            declared = column(written, str(torn / place.relative_to(above)))
            try:
                found = started(declared)
            except Refusal:
                with pytest.raises(Refusal, match=r"^warm start of 'zzz': .*[.?]$"):
                    warm_start.load(declared)
            else:
                np.testing.assert_array_equal(found, expected(written))
            shutil.rmtree(torn)


LISTED = [
    "Saver",
    "Keras checkpoint",
    "tf_keras .keras",
    "npz",
    "word2vec text",
    "Parquet",
    "saved parquet",
    "saved tsv",
]


@pytest.mark.parametrize("kind", LISTED, indirect=True)
def test_the_tables_command_lists_a_source(kind: list[Written], capsys: pytest.CaptureFixture[str]) -> None:
    written = kind[0]
    assert command.main([written.places[0]]) == 0
    first, *lines = capsys.readouterr().out.splitlines()
    source = warm_start.opened(written.places[0], "")
    assert first.startswith(f"{source.place}: {source.kind}, {len(source.tensors)} tensor")
    wanted = [line for line in lines if f"{written.rows} × {written.dimension} " in line]
    assert len(wanted) == 1
    assert written.keys or expected_name(written) in wanted[0]
    assert written.dtype in wanted[0]
    assert "embedding table" in wanted[0]
    hidden = len(source.tensors) - sum(tensor.is_matrix for tensor in source.tensors)
    assert [line for line in lines if "--all" in line] == (
        [f"{hidden} more that are no tables: --all lists them"] if hidden else []
    )


def test_the_tables_command_shows_what_optimizers_keep_when_it_is_asked(
    everything: dict[str, list[Written]], capsys: pytest.CaptureFixture[str]
) -> None:
    for kind in ("Estimator", "Keras checkpoint", "Keras .keras", "tf_keras checkpoint", "tf_keras .h5"):
        written = everything[kind][0]
        command.main([written.places[0], "--all"])
        shape = f"{written.rows} × {written.dimension} "
        lines = [line for line in capsys.readouterr().out.splitlines() if shape in line]
        slots = [line for line in lines if line.endswith("kept by an optimizer")]
        assert len(lines) - len(slots) == 1, lines
        assert len(slots) == (1 if kind == "Estimator" else 2)


def test_the_tables_command_refuses_a_pickle_in_its_own_name(tmp_path: Path) -> None:
    (tmp_path / "table.pkl").write_bytes(pickle.dumps(VALUES))
    with pytest.raises(Refusal) as refused:
        command.main([str(tmp_path / "table.pkl")])
    assert str(refused.value) == (
        f"python -m trainer tables: {tmp_path}/table.pkl is a pickle, which could run code when it is read; "
        "save the matrix with numpy.save, save_word2vec_format or safetensors."
    )


def test_the_tables_command_says_nothing_but_the_listing(everything: dict[str, list[Written]]) -> None:
    written = everything["Checkpoint"][0]
    source = warm_start.opened(written.places[0], "")
    words = [sys.executable, "-m", "trainer", "tables", written.places[0]]
    clean = {name: value for name, value in os.environ.items() if "LOG_LEVEL" not in name}
    done = subprocess.run(words, cwd=ROOT, env=clean, capture_output=True, text=True, check=False)
    assert (done.stderr, done.returncode) == ("", 0)
    assert done.stdout.startswith(f"{source.place}: TensorFlow checkpoint, 5 tensors\n")


VALUES = np.arange(6, dtype=np.float32).reshape(3, 2)


def three_by_two(place: Any, name: str | None = None) -> fc.EmbeddingColumn:
    return fc.embedding_column(
        fc.categorical_column_with_identity("zzz", 3), 2, ckpt_to_load_from=place, tensor_name_in_ckpt=name, name="zzz"
    )


class Malicious:
    """What makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def torch_like(path: Path, content: bytes) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", content)
        archive.writestr("archive/data/0", VALUES.tobytes())


PICKLES: dict[str, Any] = {
    "table.pkl": lambda path, harm: path.write_bytes(pickle.dumps([VALUES, harm])),
    "table": lambda path, harm: path.write_bytes(pickle.dumps([VALUES, harm])),
    "old": lambda path, harm: path.write_bytes(pickle.dumps([VALUES, harm], 2)),
    "older.pkl": lambda path, harm: path.write_bytes(pickle.dumps([VALUES, harm], 0)),
    "objects.npy": lambda path, harm: np.save(path, np.array([[harm, harm]], dtype=object), allow_pickle=True),
    "model.pt": lambda path, harm: torch_like(path, pickle.dumps(harm)),
}


@pytest.mark.parametrize("name", PICKLES)
def test_a_pickle_is_refused_and_never_run(name: str, tmp_path: Path) -> None:
    path, harmed = tmp_path / name, tmp_path / "harmed"
    PICKLES[name](path, Malicious(harmed))
    for tensor in (None, "table"):
        assert refusal(three_by_two(str(path), tensor)) == (
            f"warm start of 'zzz': {path} is a pickle, which could run code when it is read; "
            "save the matrix with numpy.save, save_word2vec_format or safetensors."
        )
    assert not harmed.exists()


def test_the_malice_of_these_tests_is_real(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Malicious(tmp_path / "harmed")))
    assert (tmp_path / "harmed").exists()


@pytest.mark.parametrize("protocol", [0, 1])
def test_a_pickle_of_an_old_protocol_is_no_source(protocol: int, tmp_path: Path) -> None:
    path, harmed = tmp_path / "table", tmp_path / "harmed"
    path.write_bytes(pickle.dumps([VALUES, Malicious(harmed)], protocol))
    assert refusal(three_by_two(path)) == (
        f"warm start of 'zzz': {path} is of no kind that can be read: a TensorFlow checkpoint, SavedModel, .keras, "
        ".h5, .npz, .npy, .parquet, .safetensors, .tsv, word2vec or GloVe file is wanted."
    )
    assert not harmed.exists()


def test_python_objects_among_the_arrays_of_a_file_are_never_unpickled(tmp_path: Path) -> None:
    path, harmed = tmp_path / "objects.npz", tmp_path / "harmed"
    np.savez(path, table=np.array([[Malicious(harmed)] * 2] * 3, dtype=object), other=VALUES)
    assert refusal(three_by_two(path, "table")) == (
        f"warm start of 'zzz': 'table' in {path} holds object, and floats are wanted; give another."
    )
    np.testing.assert_array_equal(started(three_by_two(path)), VALUES)
    assert not harmed.exists()


def test_a_header_of_safetensors_that_begins_as_a_pickle_does_is_none(tmp_path: Path) -> None:
    for length in range(80):
        path = tmp_path / f"{length}.safetensors"
        safetensors.numpy.save_file({"table": VALUES}, path, {"note": "x" * 8 * length})
        np.testing.assert_array_equal(started(three_by_two(path)), VALUES)
    beginnings = {path.read_bytes()[:2] for path in tmp_path.iterdir()}
    assert {b"\x80\x00", b"\x80\x01", b"\x80\x02"} <= beginnings


def test_two_opaque_bytes_of_hdf5_are_a_bfloat16(tmp_path: Path) -> None:
    """So h5py 3.14 writes them, and `.h5` of Keras 3.15 and tf_keras 2.21 says nothing more of them."""
    values = VALUES.astype(ml_dtypes.bfloat16)
    with h5py.File(tmp_path / "model.h5", "w") as file:
        file["table"] = values
        assert file["table"].dtype == np.dtype("V2")
    np.testing.assert_array_equal(started(three_by_two(tmp_path / "model.h5")), VALUES)


@pytest.fixture
def london(everything: dict[str, list[Written]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Written:
    """The folder london with a checkpoint of step 1000, from where the test runs; what is in it is a Saver's."""
    written = everything["Saver"][0]
    monkeypatch.chdir(tmp_path)
    copied(written, "london/model.ckpt-1000")
    return written


def copied(written: Written, prefix: str) -> None:
    Path(prefix).parent.mkdir(exist_ok=True)
    for ending in (".index", ".meta", ".data-00000-of-00001"):
        shutil.copy(f"{written.places[0]}{ending}", f"{prefix}{ending}")


def test_three_files_of_one_checkpoint_are_one_source(london: Written) -> None:
    assert len(list(Path("london").glob("*ckpt-1000*"))) == 3
    np.testing.assert_array_equal(started(column(london, "london/*ckpt-1000*")), expected(london))


def test_a_pattern_means_the_checkpoint_that_ends_as_it_does(london: Written) -> None:
    copied(london, "london/model.ckpt-10000")
    Path("london/model.ckpt-10000.index").write_bytes(b"")  # it would be refused
    assert len(list(Path("london").glob("*ckpt-1000*"))) == 6
    np.testing.assert_array_equal(started(column(london, "london/*ckpt-1000*")), expected(london))


def test_several_sources_that_fit_a_pattern_are_all_listed(london: Written) -> None:
    copied(london, "london/other.ckpt-1000")
    assert refusal(column(london, "london/*ckpt-1000*")) == (
        "warm start of 'zzz': 2 sources fit london/*ckpt-1000*: london/model.ckpt-1000, london/other.ckpt-1000; "
        "name one of them."
    )


def test_what_lies_beside_checkpoints_is_no_source(london: Written) -> None:
    for name in ("checkpoint", "graph.pbtxt", "events.out.tfevents.1.host"):
        Path("london", name).write_text("")
    np.testing.assert_array_equal(started(column(london, "london/*")), expected(london))


def test_a_folder_of_the_name_of_a_checkpoint_does_not_hide_it(london: Written) -> None:
    Path("london/model.ckpt-1000").mkdir()
    np.testing.assert_array_equal(started(column(london, "london/model.ckpt-1000")), expected(london))


def test_a_folder_whose_latest_checkpoint_is_unknown_is_refused_with_all_of_them(london: Written) -> None:
    np.testing.assert_array_equal(started(column(london, "london")), expected(london))
    copied(london, "london/model.ckpt-2000")
    assert refusal(column(london, "london")) == (
        "warm start of 'zzz': london has several checkpoints and none is said to be the latest: "
        "model.ckpt-1000, model.ckpt-2000; name one."
    )


def test_a_place_that_is_not_there_is_refused_with_the_nearest(london: Written) -> None:
    assert refusal(column(london, "london/model.ckpt-1001")) == (
        "warm start of 'zzz': there is no london/model.ckpt-1001; did you mean 'model.ckpt-1000'?"
    )
    assert refusal(column(london, "london/*ckpt-3*")) == (
        "warm start of 'zzz': nothing fits london/*ckpt-3*; give a run's job dir, a TensorFlow checkpoint or the "
        "folder of one, a SavedModel, .keras, .h5, .npz, .npy, .parquet, .safetensors, .tsv, word2vec or GloVe."
    )


def test_a_path_may_begin_with_a_tilde(london: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", os.getcwd())
    for place in ("~/london", "~/london/model.ckpt-1000", "~/london/*"):
        np.testing.assert_array_equal(started(column(london, place)), expected(london))


@pytest.mark.parametrize("name", ['a "b" c', "é"])
def test_a_folder_s_latest_checkpoint_may_have_any_name(name: str, tmp_path: Path) -> None:
    kept = tf.train.Checkpoint(table=tf.Variable(-VALUES))
    manager = tf.train.CheckpointManager(kept, str(tmp_path), max_to_keep=2, checkpoint_name=name)
    manager.save()
    kept.table.assign(VALUES)
    manager.save()
    np.testing.assert_array_equal(started(three_by_two(tmp_path)), VALUES)


@pytest.mark.parametrize("kind", ["Estimator", "Saver V1"], indirect=True)
def test_a_folder_that_was_moved_has_the_same_latest_checkpoint(kind: list[Written], tmp_path: Path) -> None:
    there = next(place for place in map(Path, kind[0].places) if place.is_dir())
    here = shutil.copytree(there, tmp_path / "here")
    state = (here / "checkpoint").read_text()
    (here / "checkpoint").write_text(state.replace('"model', f'"{there}/gone/model'))
    np.testing.assert_array_equal(started(column(kind[0], here)), expected(kind[0]))


def test_an_array_in_memory_is_taken_as_it_is() -> None:
    np.testing.assert_array_equal(started(three_by_two(VALUES.astype(np.float16))), VALUES)
    assert refusal(three_by_two(VALUES.astype(np.int32))) == (
        "warm start of 'zzz': a path, gensim's KeyedVectors or a matrix of floats is wanted as source, not ndarray of "
        "shape (3, 2)."
    )
    assert refusal(three_by_two([[1.0, 2.0], [3.0]])) == (
        "warm start of 'zzz': a path, gensim's KeyedVectors or a matrix of floats is wanted as source, not list."
    )


def test_a_damaged_copy_of_a_remote_file_is_refused_by_the_name_that_was_given() -> None:
    for name in ("table.npz", "model.keras", "model.h5", "table.safetensors"):
        beginning = {"table.npz": b"PK\3\4", "model.keras": b"PK\3\4", "model.h5": b"\x89HDF"}
        content = beginning.get(name, b"\x08" + b"\0" * 7 + b"{")
        tf.io.gfile.makedirs("ram://damaged")
        with tf.io.gfile.GFile(f"ram://damaged/{name}", "wb") as file:
            file.write(content + b"\0" * 99)
        sentence = refusal(three_by_two(f"ram://damaged/{name}"))
        assert f"ram://damaged/{name} is damaged" in sentence
        assert sentence.count("/") == 3


def test_a_bucket_that_cannot_be_reached_is_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str) -> bool:
        raise tf.errors.PermissionDeniedError(None, None, "no access\nmore")

    monkeypatch.setattr(tf.io.gfile, "stat", refuse)
    monkeypatch.setattr(remote_paths, "_answers", lambda address: True)  # whatever the network is
    assert refusal(three_by_two("gs://bucket/table.npz")) == (
        "warm start of 'zzz': gs://bucket/table.npz cannot be read (no access more); check the path, and your access "
        "to it."
    )


ROWS, DIMENSION = 31, 5
TRAINED = """
import numpy as np
from gensim.models import Word2Vec
words = [f"w{number}é" for number in range(ROWS)]
random = np.random.default_rng(SEED)
sentences = [list(map(str, random.choice(words, 12))) for _ in range(50)] + [words]
model = Word2Vec(sentences, vector_size=DIMENSION, min_count=1, workers=1)
vectors = model.wv
"""


def trained(python: Path, folder: Path, after: str) -> str:
    """Trains word2vec in an environment with gensim, and returns what the program prints that follows."""
    seed = secrets.randbits(32)
    program = f"ROWS, DIMENSION, SEED = {ROWS}, {DIMENSION}, {seed}\n{TRAINED}{after}"
    clean = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": ""}
    done = subprocess.run([python, "-c", program], cwd=folder, env=clean, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


SAVED = """
vectors.save_word2vec_format("text")
vectors.save_word2vec_format("text.gz")
vectors.save_word2vec_format("glove", write_header=False)
vectors.save_word2vec_format("binary", binary=True)
vectors.save("pickled vectors")
model.save("pickled model")
np.save("expected.npy", vectors.vectors[[vectors.key_to_index[word] for word in words]])
"""


@pytest.mark.slow
def test_vectors_that_gensim_saved_are_read_by_key_and_its_pickles_refused(gensim: Path, tmp_path: Path) -> None:
    trained(gensim, tmp_path, SAVED)
    words = fc.categorical_column_with_vocabulary_list("word", [f"w{number}é" for number in range(ROWS)])
    for name in ("text", "text.gz", "glove", "binary"):
        declared = fc.embedding_column(words, DIMENSION, ckpt_to_load_from=tmp_path / name, name="zzz")
        np.testing.assert_array_equal(started(declared), np.load(tmp_path / "expected.npy"))
    for name in ("pickled vectors", "pickled model"):
        declared = fc.embedding_column(words, DIMENSION, ckpt_to_load_from=tmp_path / name, name="zzz")
        assert refusal(declared) == (
            f"warm start of 'zzz': {tmp_path / name} is a pickle, which could run code when it is read; "
            "save the matrix with numpy.save, save_word2vec_format or safetensors."
        )


ASSIGNED = """
import keras
from trainer import warm_start
for source in (model, vectors):
    layer = keras.layers.Embedding(ROWS + 1, DIMENSION, name="words")
    report = warm_start.assign(layer, source, vocabulary=["[UNK]", *reversed(words)])
    wanted = vectors.vectors[[vectors.key_to_index[word] for word in reversed(words)]]
    assert np.array_equal(np.asarray(layer.embeddings)[1:], wanted)
    print(report.line)
"""


@pytest.mark.slow
def test_vectors_of_gensim_are_taken_from_memory(gensim: Path, tmp_path: Path) -> None:
    outer = [str(ROOT), *(path for path in sys.path if path.endswith("site-packages"))]
    line = (
        f"warm start of 'words' from 'vectors' in the KeyedVectors: {ROWS} of {ROWS + 1} rows matched by key, "
        "1 new (1 from the initializer), 0 dropped"
    )
    program = f"import sys\nsys.path += {outer!r}\n{ASSIGNED}"
    assert trained(gensim, tmp_path, program).splitlines() == [line, line]
