"""What a problem's data come from: a data set of TFDS, files, or a function; each reads its splits as batches."""

import difflib
import glob
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from typing import Any

import tensorflow as tf

from trainer import datasets, paths
from trainer.encoding.coded import decoded
from trainer.errors import Refusal
from trainer.inputs import tfds
from trainer.inputs.bad_rows import BadRows
from trainer.inputs.features import Reading
from trainer.inputs.files import Rows, State, opened
from trainer.inputs.own_files import reading_files_of_its_own
from trainer.inputs.shard import Shard
from trainer.inputs.tensors import dataset
from trainer.inputs.values import Wanted
from trainer.problem import Files, Problem
from trainer.rows import Limit

READ_BATCH = 8192
PLANTED = "planted"
NEAREST = 3
"""Names that are told where a pattern matches none."""

FLAGS = {"train": "--train-files", "validation": "--validation-files", "test": "--eval-files"}


class Reader(ABC):
    """Reads the splits of a problem's data as batches of features, or of features and labels, in order."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What a person calls the data."""

    def read(self, split: str, wanted: Mapping[str, Wanted], shard: Shard | None = None) -> tf.data.Dataset:
        """Returns the batches of "train", "validation" or "test".

        Args:
            split: The name of the split.
            wanted: The features that are wanted, and what of each where the data do not tell it.
            shard: The part of them; None is all.
        """
        whole = self._read(split, wanted)
        return whole if shard is None else whole.shard(shard.count, shard.index)

    @abstractmethod
    def _read(self, split: str, wanted: Mapping[str, Wanted]) -> tf.data.Dataset: ...

    def everything(self, wanted: Mapping[str, Wanted]) -> tf.data.Dataset:
        """Returns the batches of all rows but those given for validation, in the order of the splits."""
        return self.read("train", wanted).concatenate(self.read("test", wanted))

    @property
    def has_validation(self) -> bool:
        """Whether rows for validation are given."""
        return False

    @property
    def features(self) -> Collection[str] | None:
        """The names of the features, or None where they show when the data are read."""
        return None

    @property
    def builder(self) -> Any:
        """The TFDS builder, or None."""
        return None

    def rows(self, split: str) -> int | None:
        """Returns how many rows a split has, or None where the data do not tell."""
        return None


class DataSet(Reader):
    """A data set of TFDS.

    Args:
        name: `NAME` or `NAME/CONFIG`.
        data_dir: Where data sets are prepared.
        made: Makes other features of those of a batch; None takes them as they are.
    """

    def __init__(self, name: str, data_dir: str, made: tfds.Made | None = None) -> None:
        self._name, self._builder, self._made = name, datasets.builder(name, data_dir), made

    @property
    def name(self) -> str:
        """As it was given."""
        return self._name

    @property
    def features(self) -> Collection[str] | None:
        """The names of its features; None where others are made of them."""
        return list(self._builder.info.features) if self._made is None else None

    @property
    def builder(self) -> Any:
        """Its builder."""
        return self._builder

    def _read(self, split: str, wanted: Mapping[str, Wanted]) -> tf.data.Dataset:
        if self._made is None:
            return tfds.read(self._builder, split, READ_BATCH, wanted)
        return tfds.made(tfds.read(self._builder, split, READ_BATCH), self._made, self.name)

    def rows(self, split: str) -> int:
        """Returns how many rows a split has."""
        return int(self._builder.info.splits[split].num_examples)


class FilesReader(Reader):
    """Files of rows, of any format.

    Args:
        files: The patterns of their names.
        problem: Says how their rows become features.
        limit: How many bad rows the files of one pattern may have; None is what the problem says.

    Raises:
        Refusal: No file matches a pattern, or one file is among those of two splits.
    """

    def __init__(self, files: Files, problem: Problem, limit: Limit | None = None) -> None:
        self.files, self.problem, self.limit = files, problem, limit or problem.bad_rows
        self._paths = {
            split: matching(pattern, flag) for split, flag in FLAGS.items() if (pattern := getattr(files, split))
        }
        _check_apart(self._paths)
        self.states = {split: [State.of(path) for path in found] for split, found in self._paths.items()}
        self.passes: dict[str, Rows] = {}

    @property
    def name(self) -> str:
        """The pattern of the files to train on."""
        return self.files.train

    @property
    def has_validation(self) -> bool:
        """Whether files for validation are given."""
        return "validation" in self._paths

    @property
    def has_test(self) -> bool:
        """Whether files to test on are given."""
        return "test" in self._paths

    def read(self, split: str, wanted: Mapping[str, Wanted], shard: Shard | None = None) -> tf.data.Dataset:
        """Returns the batches of a split's files; of a part of them, those of the others are not decoded."""

        def rows() -> Rows:
            made = self._rows(split, wanted, shard or Shard())
            self.passes[split] = made
            return made

        return dataset(rows, wanted)

    def everything(self, wanted: Mapping[str, Wanted]) -> tf.data.Dataset:
        """Returns the batches of all files but those for validation."""
        parts = [self.read(split, wanted).map(_decoded) for split in ("train", "test") if split in self._paths]
        return parts[0] if len(parts) == 1 else parts[0].concatenate(parts[1])

    def kinds(self) -> Mapping[str, Any]:
        """Returns the Arrow types of the columns of the first file to train on, as far as they are known."""
        if self.problem.from_rows is not None:
            return {}
        return opened(self.states["train"][0].path, Reading({}, csv=self.problem.csv, texts=self.problem.texts)).types

    def check(self, wanted: Mapping[str, Wanted]) -> None:
        """Reads the header and the first rows of each file.

        Raises:
            Refusal: One of them cannot be used.
        """
        how = self.problem.window
        for split in self._paths:
            dates = {} if how is None or split == "validation" else {how.key: Wanted("string")}
            self._rows(split, {**wanted, **dates}, Shard()).check()

    def _read(self, split: str, wanted: Mapping[str, Wanted]) -> tf.data.Dataset:
        return self.read(split, wanted)

    def _rows(self, split: str, wanted: Mapping[str, Wanted], shard: Shard) -> Rows:
        reading = Reading(wanted, self.problem.from_rows, self.problem.csv, texts=self.problem.texts)
        return Rows(self.states[split], reading, BadRows(self.limit), shard=shard)


class Function(Reader):
    """A function of "train" or "test", as an Estimator's `input_fn`.

    Args:
        function: Returns a `tf.data.Dataset`, or features by name as arrays.
        name: What a person calls the data; None is the function's name.
    """

    def __init__(self, function: Callable[[str], Any], name: str | None = None) -> None:
        self._function = function
        self._name = name or str(getattr(function, "__name__", function))

    @property
    def name(self) -> str:
        """As it was given, or the function's."""
        return self._name

    def _read(self, split: str, wanted: Mapping[str, Wanted]) -> tf.data.Dataset:
        with reading_files_of_its_own(f"{self._name}('{split}')"):
            made = self._function(split)
        if self._name == PLANTED and isinstance(made, Mapping):
            made = tf.data.Dataset.from_tensor_slices(dict(made))
        return _batched(made)


@tf.autograph.experimental.do_not_convert
def _decoded(features: Mapping[str, Any]) -> dict[str, Any]:
    return {key: decoded(values) for key, values in features.items()}


def reader(problem: Problem, data_dir: str, limit: Limit | None = None) -> Reader:
    """Returns what reads a problem's data.

    Args:
        problem: The problem.
        data_dir: Where data sets are prepared.
        limit: How many bad rows files may have; None is what the problem says.

    Raises:
        Refusal: The data set is unknown, or no file matches, or the problem has no data.
    """
    if problem.dataset is None:
        if problem.planted is None:
            raise Refusal(f"--train-files: problem {problem.name} has no data of its own; give files.")
        return Function(problem.planted, PLANTED)
    if isinstance(problem.dataset, Files):
        return FilesReader(problem.dataset, problem, limit)
    if isinstance(problem.dataset, str):
        return DataSet(problem.dataset, data_dir, problem.from_batch)
    return Function(problem.dataset)


def matching(pattern: str, flag: str) -> list[str]:
    """Returns the sorted paths of the files that match a pattern, local or `gs://`.

    Args:
        pattern: As in `data/*.csv.gz`; the path of a file that is there is that file, whatever brackets are in it.
        flag: The flag that gave it, for the refusal.

    Raises:
        Refusal: No file matches.
    """
    if paths.is_remote(pattern):
        with paths.asking(pattern) as remote:
            found = [pattern] if remote.exists(pattern) else list(remote.glob(pattern))
    else:
        pattern = os.path.expanduser(pattern)
        found = [pattern] if os.path.exists(pattern) else glob.glob(pattern, recursive=True)
    files = [path for path in found if not paths.is_folder(path)]
    if found == [pattern] and not files:
        raise Refusal(f"{flag}: {pattern} is a folder; give a pattern of the files in it, such as {pattern}/*.csv.")
    if not files:
        raise Refusal(f"{flag}: no file matches {pattern}; {_there(pattern)}.")
    return sorted(files)


def _there(pattern: str) -> str:
    """Returns which files have names near a pattern, as the end of a sentence."""
    folder = os.path.dirname(pattern)
    while folder and not paths.is_folder(folder):
        folder = os.path.dirname(folder)
    names = [name for name in paths.names_in(folder or ".") if not name.startswith(".")]
    wanted = os.path.basename(pattern).replace("*", "")
    near = difflib.get_close_matches(wanted, names, n=NEAREST, cutoff=0.3) or names[:NEAREST]
    listed = ", ".join(paths.join(folder, name) if folder else name for name in sorted(near))
    return f"near it there are {listed}" if near else "give the path of a file, or a pattern such as data/*.csv"


def _check_apart(found: Mapping[str, list[str]]) -> None:
    """Refuses a file of two splits, whose rows would be learned from and judged by."""
    before: dict[str, str] = {}
    for split, names in found.items():
        resolved = {name if paths.is_remote(name) else os.path.realpath(name): name for name in names}
        for path, name in resolved.items():
            if path in before:
                raise Refusal(
                    f"{FLAGS[split]}: {name} is among {before[path]} too; give other files, or a pattern without it."
                )
        before.update(dict.fromkeys(resolved, FLAGS[split]))


def _batched(dataset: Any) -> tf.data.Dataset:
    if not isinstance(dataset, tf.data.Dataset):
        raise Refusal(f"Problem: the function given as dataset must return a tf.data.Dataset, not {dataset!r}.")
    shapes = [spec.shape for spec in tf.nest.flatten(dataset.element_spec)]
    # One example at a time has at least one feature or label without any dimension.
    return dataset.batch(READ_BATCH) if any(shape.rank == 0 for shape in shapes) else dataset
