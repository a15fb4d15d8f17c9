"""A problem's data as raw feature batches with labels and weights, whatever they came from."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import tensorflow as tf

from trainer import datasets
from trainer.errors import Refusal
from trainer.inputs.bad_rows import BadRows
from trainer.inputs.gathering import Array, Gathering
from trainer.inputs.grouping import Grouping, are_groups
from trainer.inputs.memory import elements
from trainer.inputs.readers import FLAGS, PLANTED, FilesReader, Function, reader
from trainer.inputs.separating import Separator, check_keys, has_no, ids_of
from trainer.inputs.shard import Shard
from trainer.inputs.sides import dealt
from trainer.inputs.values import Wanted, as_it_is
from trainer.inputs.walking import Walking, walks_of
from trainer.inputs.wanted import wanted_of
from trainer.inputs.window import Window, window
from trainer.problem import ByDate, Files, Problem, Share
from trainer.rows import Limit


class Source:
    """A problem's data: "train", "test" and perhaps "validation" as batches of raw features, labels and weights.

    Args:
        problem: The problem.
        features: The features that its model reads, and the dtype of each: "string", "int64" or "float32".
        data_dir: Where data sets are prepared.
        limit: How many bad rows files may have; None is what the problem says.
        beside: Features that are given beside these, as the data have them.
        flag: That names the files, where it is none of those of a job.

    Raises:
        Refusal: The data set is unknown, or lacks a feature that the problem reads; or no file is there.
    """

    def __init__(
        self,
        problem: Problem,
        features: Mapping[str, str],
        data_dir: str,
        limit: Limit | None = None,
        beside: Collection[str] = (),
        flag: str | None = None,
    ) -> None:
        self.problem, self.features, self.data_dir, self._limit = problem, dict(features), data_dir, limit
        self._reader, self._is_sample = reader(problem, data_dir, limit), False
        self._walks = walks_of(problem, self._reader)
        self.own_keys = self._own_keys()
        self.keys = {*self.own_keys, *beside}
        self._flag = flag
        has_none = problem.dataset is None
        self.absent = f"problem {problem.name} has no data of its own; give --train-files." if has_none else None
        self._window: Window | None = None
        self._class_ids = ids_of(problem.head.label_vocabulary)
        self.groups = self._gathering()
        if self._reader.features is not None:
            check_keys(self.name, {*self.keys, *self._counting}, list(self._reader.features))

    def _own_keys(self) -> set[str]:
        """Returns the features of rows that the problem reads."""
        problem = self.problem
        if self._walks is not None:
            return {*self._walks.keys}
        others = [problem.label, problem.weight_column, getattr(problem.validation, "key", None), self.split_by]
        others += [] if problem.grouped is None else [problem.grouped.by]
        return {*self.features, *(key for key in others if key)}

    def _gathering(self) -> Gathering | None:
        problem = self.problem
        if self._walks is not None:
            return Walking(self._walks, self._edges, self._given, self.called, self._dealt)
        if problem.grouped is not None:
            return Grouping(problem.grouped, problem.bags, self.keys, self._rows, self.called, self._dealt)
        return None

    def prepare(self, download: bool = True) -> None:
        """Prepares the data set where it is not yet, which may take a while and shows its progress.

        Where it cannot be, a problem's planted data take its place, and `absent` says why.

        Args:
            download: Whether what is missing may be fetched from the network.

        Raises:
            Refusal: It is missing and may not be fetched, and the problem plants none; or a file cannot be used.
        """
        self._prepare(download)
        # The first rows of each file are read before the training, so that a mistake in them does not cost its time.
        if isinstance(self._reader, FilesReader):
            self._reader.check(self._wanted())

    def _prepare(self, download: bool, rows: int | None = None, manual: str | None = None) -> None:
        if self._reader.builder is None:
            return
        try:
            datasets.prepare(self._reader.builder, download, rows, manual)
        except datasets.Absent as absent:
            if self.problem.planted is None:
                raise
            self.absent = str(absent)
            self._reader = Function(self.problem.planted, PLANTED)

    def sample(self, rows: int, folder: str) -> "Source":
        """Returns this source, or one of its first rows in a folder where all of it is not prepared yet.

        Args:
            rows: How many examples of each split; a window of days needs all of them.
            folder: Where they may be prepared.
        """
        builder = self._reader.builder
        if builder is None or builder.is_prepared() or datasets.needs_network(builder):
            made = self
        else:
            made = Source(self.problem, self.features, folder, self._limit)
            made._prepare(False, None if self.problem.window else rows, datasets.manual_dir(self.data_dir))
            made._is_sample = True
        if made.groups is not None:
            made.groups.most = rows
        return made

    @property
    def name(self) -> str:
        """The data set's name with its configuration, the files' pattern, the function's name, or "planted"."""
        return self._reader.name

    def called(self, split: str) -> str:
        """Returns what a person calls the rows of a split: the flag of their files, or the data set and the split."""
        return self._flag or FLAGS[split] if self.files is not None else f"{self.name}, {split}"

    @property
    def has_validation(self) -> bool:
        """Whether validation rows are given, so that none is held out of the training rows."""
        return self._reader.has_validation

    @property
    def files(self) -> FilesReader | None:
        """What reads the files that the data come from; None where they come from elsewhere."""
        return self._reader if isinstance(self._reader, FilesReader) else None

    @property
    def bad_rows(self) -> BadRows | None:
        """The rows of files that the last pass has set aside; None where the data are no files."""
        if self.files is None:
            return None
        found = BadRows(self._limit)
        passes = self.files.passes.values()
        found.found = [row for each in passes for row in each.bad.found]
        found.rows = sum(each.bad.rows for each in passes)
        return found

    def read_so_far(self, rows: int) -> tuple[int, int, bool]:
        """Returns how much of the training data was read, how much there is, and whether that is rows, else bytes.

        Args:
            rows: That were read.
        """
        files = self.files
        if files is None:
            total = self.rows("train") if self.groups is None else self._reader.rows("train")
            return rows, total or 0, True
        reading = files.passes.get("train")
        if reading is None:
            return 0, sum(state.size for state in files.states["train"]), False
        return reading.read_so_far(rows)

    @property
    def builder(self) -> Any:
        """The TFDS builder that the data come from; None where they come from elsewhere."""
        return self._reader.builder

    @property
    def split_by(self) -> str | None:
        """The feature whose values tell in which set a row is; None where the row itself does, or its group."""
        if self.problem.grouped is not None or self.problem.walks is not None:
            return None
        dataset, how = self.problem.dataset, self.problem.validation
        return (isinstance(dataset, Files) and dataset.split_by) or (how.by if isinstance(how, Share) else None)

    @property
    def test_is_ready(self) -> bool:
        """Whether the test rows are read with the others, before the training, as those of files are."""
        return self.test_share > 0 or (self.files is not None and self.problem.window is None)

    @property
    def test_share(self) -> float:
        """The share of the training rows that is test; 0 where test rows are given, or are those of days."""
        if self.files is not None:
            return 0.0 if self.files.has_test or self.problem.window is not None else self.files.files.test_share
        lacks_test = self.builder is not None and "test" not in self.builder.info.splits
        return 0.0 if self.problem.grouped is None or not lacks_test else self.problem.grouped.test_share

    @property
    def hashes_rows(self) -> bool:
        """Whether a hash of a row tells in which set it is, and not its place."""
        return self.files is not None and self.problem.window is None and self.groups is None

    def rows(self, split: str) -> int | None:
        """Returns how many examples a split has, or None where the data do not tell."""
        if self.groups is not None:
            return self.groups.count(split)
        if self.problem.window is not None:
            return self._days(self.problem.window).rows[split]
        return None if self._is_sample else self._reader.rows(split)

    def batches(self, split: str, shard: Shard | None = None) -> tf.data.Dataset:
        """Returns the `(features, labels, weights)` of "train", "validation" or "test", in order.

        Args:
            split: Of files without test files, "train" has the test rows too.
            shard: The part of a worker; None is all.

        Returns:
            Features by key, each `(batch, …)`; labels `(batch, 1)`, or as the data set gives them; weights
            `(batch, 1)`, ones where the problem weighs nothing.
        """
        if self.groups is not None:
            return self.groups.batches(split, shard)
        return self._separated(self._raw(split, shard), self.keys)

    def gather(self, tell: Callable[[int], None]) -> bool:
        """Reads the training rows where examples are made of all of them together, and returns whether they are.

        Args:
            tell: Is given the number of rows, batch after batch.
        """
        if self.groups is not None:
            self.groups.gather("train", tell)
        return self.groups is not None

    def _separated(self, raw: tf.data.Dataset, keys: Collection[str]) -> tf.data.Dataset:
        return Separator(self.problem, self.features, self.name, keys, self._class_ids).batches(raw)

    def _rows(self, split: str) -> tf.data.Dataset:
        """Returns the batches of rows that are still to be grouped, or of groups."""
        raw = self._raw(split, None)
        spec = raw.element_spec
        is_grouped = are_groups(spec[0] if isinstance(spec, tuple) else spec, self.problem.bags)
        return self._separated(raw, self.keys if is_grouped else {*self.keys, *self._counting})

    def _edges(self, split: str) -> tf.data.Dataset:
        """Returns the batches of rows that are edges, features alone."""
        raw = self._raw(split, None)
        rows = raw.map(lambda features, *label: features) if isinstance(raw.element_spec, tuple) else raw
        check_keys(self.name, self.keys, list(rows.element_spec))
        return rows

    def _given(self) -> list[str]:
        """Returns the splits that have rows of their own."""
        is_given = {"validation": self.has_validation, "test": not self.test_share}
        return ["train", *(split for split, given in is_given.items() if given)]

    def _dealt(self, hashes: Array, what: str) -> Array:
        how = None if self.has_validation else self.problem.validation
        shares = (self.test_share, how.share if isinstance(how, Share) else 0.0)
        return dealt(hashes, shares, self.problem.split_seed, self.called("train"), what)

    @property
    def _counting(self) -> Collection[str]:
        """The features that tell which rows count."""
        return [] if self.problem.grouped is None else list(self.problem.grouped.least)

    def _raw(self, split: str, shard: Shard | None) -> tf.data.Dataset:
        wanted, how = self._wanted(), self.problem.window
        if how is None or split == "validation":
            return self._reader.read(split, wanted, shard)
        days = self._days(how).of(split, self._reader.everything({**wanted, how.key: Wanted("string")}))
        return days if shard is None else days.shard(shard.count, shard.index)

    def _wanted(self) -> dict[str, Wanted]:
        beside = self.keys - self.own_keys
        kinds = {} if self.files is None or not beside else self.files.kinds()
        return {
            **wanted_of(self.problem, self.features, {*self.own_keys, *self._counting}),
            **{key: as_it_is(kinds.get(key)) for key in sorted(beside)},
        }

    def _days(self, how: ByDate) -> Window:
        if self._window is None:
            everything = self._reader.everything({how.key: Wanted("string")})
            spec = everything.element_spec
            features = spec[0] if isinstance(spec, tuple) else spec
            if how.key not in features:
                raise has_no(self.name, how.key, list(features))
            if features[how.key].dtype != tf.string:
                raise Refusal(
                    f"Problem: data set {self.name} holds {features[how.key].dtype.name} as '{how.key}', and ByDate "
                    "reads strings as in 2015-01-04; give it a feature of such strings."
                )
            dates = everything.map(lambda *batch: batch[0][how.key])
            who = f"--problem {self.problem.name}"
            self._window = window(how, who, self.name, (values.numpy() for values in elements(dates)))
        return self._window
