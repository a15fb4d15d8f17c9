"""A problem's data as raw feature batches with labels and weights, whatever they came from."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from trainer import datasets
from trainer.errors import Refusal, nearest
from trainer.inputs import tfds
from trainer.problem import Problem

READ_BATCH = 8192


class Source:
    """A problem's data set: "train" and "test" as batches of raw features, labels and weights.

    Args:
        problem: The problem.
        features: The features that its model reads, and the dtype of each: "string", "int64" or "float32".
        data_dir: Where data sets are prepared.

    Raises:
        Refusal: The data set is unknown, or lacks a feature that the problem reads.
    """

    def __init__(self, problem: Problem, features: Mapping[str, str], data_dir: str) -> None:
        self.problem, self.features = problem, dict(features)
        others = [problem.label, problem.weight_column, getattr(problem.validation, "key", None)]
        self.keys = {*features, *(key for key in others if key)}
        self._builder, self._is_sample = None, False
        if not callable(problem.dataset):
            self._builder = datasets.builder(problem.dataset, data_dir)
            self._check_keys(list(self._builder.info.features))

    def prepare(self, download: bool = True) -> None:
        """Prepares the data set where it is not yet, which may take a while and shows its progress.

        Args:
            download: Whether what is missing may be fetched from the network.

        Raises:
            Refusal: It is missing and may not be fetched.
        """
        if self._builder is not None:
            datasets.prepare(self._builder, download)

    def sample(self, rows: int, folder: str) -> "Source":
        """Returns this source, or one of its first rows in a folder where all of it is not prepared yet.

        Args:
            rows: How many examples of each split.
            folder: Where they may be prepared.
        """
        if self._builder is None or self._builder.is_prepared() or datasets.needs_network(self._builder):
            return self
        made = Source(self.problem, self.features, folder)
        datasets.prepare(made._builder, download=False, rows=rows)
        made._is_sample = True
        return made

    @property
    def name(self) -> str:
        """The data set's name, with its configuration."""
        dataset = self.problem.dataset
        return str(getattr(dataset, "__name__", dataset))

    def rows(self, split: str) -> int | None:
        """Returns how many examples a split has, or None where the data set does not tell."""
        if self._builder is not None and not self._is_sample:
            return int(self._builder.info.splits[split].num_examples)
        return None

    def batches(self, split: str) -> tf.data.Dataset:
        """Returns the `(features, labels, weights)` of "train" or "test", in order.

        Returns:
            Features by key, each `(batch, …)`; labels `(batch, 1)`, or as the data set gives them; weights
            `(batch, 1)`, ones where the problem weighs nothing.
        """
        if self._builder is not None:
            raw = tfds.read(self._builder, split, READ_BATCH, self.keys)
        else:
            raw = _batched(self.problem.dataset(split))  # type: ignore[operator]  # a function, as __init__ found
        return raw.map(self._separated, num_parallel_calls=tf.data.AUTOTUNE)

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
                ending = nearest(key, there) or f"; it has {', '.join(sorted(there))}."
                raise Refusal(f"Problem: data set {self.name} has no feature '{key}'{ending}")


def _batched(dataset: Any) -> tf.data.Dataset:
    if not isinstance(dataset, tf.data.Dataset):
        raise Refusal(f"Problem: the function given as dataset must return a tf.data.Dataset, not {dataset!r}.")
    shapes = [spec.shape for spec in tf.nest.flatten(dataset.element_spec)]
    # One example at a time has at least one feature or label without any dimension.
    return dataset.batch(READ_BATCH) if any(shape.rank == 0 for shape in shapes) else dataset
