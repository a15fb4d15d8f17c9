"""A problem's data as raw feature batches with labels and weights, whatever they came from."""

from collections.abc import Collection, Mapping
from typing import Any

import tensorflow as tf

from trainer import datasets
from trainer.errors import Refusal, nearest
from trainer.heads import BinaryHead, MultiClassHead
from trainer.inputs.memory import elements
from trainer.inputs.readers import PLANTED, FilesReader, Function, reader
from trainer.inputs.window import Window, window
from trainer.problem import ByDate, ByValue, Problem


class Source:
    """A problem's data: "train", "test" and perhaps "validation" as batches of raw features, labels and weights.

    Args:
        problem: The problem.
        features: The features that its model reads, and the dtype of each: "string", "int64" or "float32".
        data_dir: Where data sets are prepared.

    Raises:
        Refusal: The data set is unknown, or lacks a feature that the problem reads; or no file is there.
    """

    def __init__(self, problem: Problem, features: Mapping[str, str], data_dir: str) -> None:
        self.problem, self.features, self.data_dir = problem, dict(features), data_dir
        others = [problem.label, problem.weight_column, getattr(problem.validation, "key", None)]
        self.keys = {*features, *(key for key in others if key)}
        self.absent: str | None = None
        self._reader, self._is_sample = reader(problem, data_dir), False
        self._window: Window | None = None
        if self._reader.features is not None:
            self._check_keys(list(self._reader.features))

    def prepare(self, download: bool = True) -> None:
        """Prepares the data set where it is not yet, which may take a while and shows its progress.

        Where it cannot be, a problem's planted data take its place, and `absent` says why.

        Args:
            download: Whether what is missing may be fetched from the network.

        Raises:
            Refusal: It is missing and may not be fetched, and the problem plants none; a file cannot be used; or test
                files have no rows.
        """
        self._prepare(download)
        # The first rows of each file are read before the training, so that a mistake in them does not cost its time.
        if not isinstance(self._reader, FilesReader):
            return
        self._reader.check(self._dtypes(self.keys))
        if self.problem.window is not None:
            return
        if next(elements(self._raw("test").take(1)), None) is None:
            raise Refusal(f"--eval-files: {self.name} leaves no row to test on; give --eval-files with rows.")

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
            return self
        made = Source(self.problem, self.features, folder)
        made._prepare(False, None if self.problem.window else rows, datasets.manual_dir(self.data_dir))
        made._is_sample = True
        return made

    @property
    def name(self) -> str:
        """The data set's name with its configuration, the files' pattern, the function's name, or "planted"."""
        return self._reader.name

    @property
    def has_validation(self) -> bool:
        """Whether validation rows are given, so that none is held out of the training rows."""
        return self._reader.has_validation

    def rows(self, split: str) -> int | None:
        """Returns how many examples a split has, or None where the data do not tell."""
        if self.problem.window is not None:
            return self._days(self.problem.window).rows[split]
        return None if self._is_sample else self._reader.rows(split)

    def batches(self, split: str) -> tf.data.Dataset:
        """Returns the `(features, labels, weights)` of "train", "validation" or "test", in order.

        Returns:
            Features by key, each `(batch, …)`; labels `(batch, 1)`, or as the data set gives them; weights
            `(batch, 1)`, ones where the problem weighs nothing.
        """
        return self._raw(split).map(self._separated, num_parallel_calls=tf.data.AUTOTUNE)

    def _raw(self, split: str) -> tf.data.Dataset:
        dtypes, how = self._dtypes(self.keys), self.problem.window
        if how is None or split == "validation":
            return self._reader.read(split, dtypes)
        return self._days(how).of(split, self._reader.everything({**dtypes, how.key: "string"}))

    def _days(self, how: ByDate) -> Window:
        if self._window is None:
            everything = self._reader.everything({how.key: "string"})
            spec = everything.element_spec
            features = spec[0] if isinstance(spec, tuple) else spec
            if how.key not in features:
                raise Refusal(self._has_no(how.key, list(features)))
            if features[how.key].dtype != tf.string:
                raise Refusal(
                    f"Problem: data set {self.name} holds {features[how.key].dtype.name} as '{how.key}', and ByDate "
                    "reads strings as in 2015-01-04; give it a feature of such strings."
                )
            dates = everything.map(lambda *batch: batch[0][how.key])
            who = f"--problem {self.problem.name}"
            self._window = window(how, who, self.name, (values.numpy() for values in elements(dates)))
        return self._window

    def _dtypes(self, keys: Collection[str]) -> dict[str, str]:
        """Returns the dtype of each feature that is read: of strings, files do not tell what they are to be."""
        problem, own = self.problem, dict.fromkeys(sorted(keys), "string")
        if isinstance(problem.validation, ByValue) and not isinstance(problem.validation.values[0], str):
            own[problem.validation.key] = "int64"
        if problem.label is not None:
            own[problem.label] = "int64" if isinstance(problem.head, (BinaryHead, MultiClassHead)) else "float32"
        if problem.weight_column is not None:
            own[problem.weight_column] = "float32"
        return {**own, **self.features}

    @tf.autograph.experimental.do_not_convert  # which would wrap a refusal in an error of its own
    def _separated(self, features: Mapping[str, Any], *label: Any) -> tuple[dict[str, Any], Any, Any]:
        features = dict(features)
        if self.problem.label is None and not label:
            raise Refusal(
                f"Problem: {self.name} gives features alone; name the feature that is the label in Problem(label=…), "
                "or give (features, label)."
            )
        self._check_keys([*features, str(self.problem.label)] if label else list(features))
        features = {key: self._typed(key, value) for key, value in features.items() if key in self.keys}
        labels = label[0] if label else features.pop(str(self.problem.label))
        labels = labels if labels.dtype.is_floating else tf.cast(labels, tf.int64)
        labels = labels[:, tf.newaxis] if labels.shape.rank == 1 else labels  # (batch, 1)
        weight = self.problem.weight_column
        weights = tf.ones_like(labels[:, :1], tf.float32) if weight is None else features.pop(weight)
        weights = tf.reshape(tf.cast(weights, tf.float32), [-1, 1])  # (batch, 1)
        return features, labels, weights

    def _typed(self, key: str, values: Any) -> Any:
        wanted = tf.as_dtype(self.features.get(key, values.dtype))
        if (values.dtype == tf.string) != (wanted == tf.string) or (values.dtype.is_floating and wanted.is_integer):
            raise Refusal(
                f"Problem: data set {self.name} holds {values.dtype.name} as '{key}', and the columns read it as "
                f"{wanted.name}; declare the column with the data's dtype."
            )
        return values if values.dtype == wanted else tf.cast(values, wanted)

    def _check_keys(self, there: list[str]) -> None:
        for key in sorted(self.keys):
            if key not in there:
                raise Refusal(self._has_no(key, there))

    def _has_no(self, key: str, there: list[str]) -> str:
        ending = nearest(key, there) or f"; it has {', '.join(sorted(there))}."
        return f"Problem: data set {self.name} has no feature '{key}'{ending}"
