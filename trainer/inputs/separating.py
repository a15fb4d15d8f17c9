"""What a data set gives, taken apart: the features that a problem reads, labels and weights."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from trainer.encoding.coded import decoded
from trainer.encoding.encoding import assured, mapped
from trainer.errors import Refusal, nearest
from trainer.problem import Problem


@dataclass(frozen=True)
class Separator:
    """Takes the batches of a data set apart.

    Args:
        problem: Whose label and weights are meant.
        features: The features that its model reads, and the dtype of each.
        name: What a person calls the data.
        keys: The features that are kept, label and weight among them.
        class_ids: From `ids_of`, of the head's names of classes.
    """

    problem: Problem
    features: Mapping[str, str]
    name: str
    keys: Collection[str]
    class_ids: Any

    def batches(self, raw: tf.data.Dataset) -> tf.data.Dataset:
        """Returns `(features, labels, weights)` of batches of features, or of features and labels.

        Returns:
            Features by key, each `(batch, …)`; labels `(batch, 1)`, or as the data set gives them, zeros where the head
            wants none; weights `(batch, 1)`, ones where the problem weighs nothing.
        """
        return raw.map(self._separated, num_parallel_calls=tf.data.AUTOTUNE)

    @tf.autograph.experimental.do_not_convert  # which would wrap a refusal in an error of its own
    def _separated(self, features: Mapping[str, Any], *label: Any) -> tuple[dict[str, Any], Any, Any]:
        features, has_labels = dict(features), self.problem.head.is_labelled
        if self.problem.label is None and not label and has_labels:
            raise Refusal(
                f"Problem: {self.name} gives features alone; name the feature that is the label in Problem(label=…), "
                "or give (features, label)."
            )
        check_keys(self.name, self.keys, [*features, str(self.problem.label)] if label else list(features))
        features = {key: self._typed(key, value) for key, value in features.items() if key in self.keys}
        labels = self._labels(features, label) if has_labels else _unlabelled(features)
        labels = self._numbered(labels) if labels.dtype == tf.string else self._above(labels)
        labels = labels if labels.dtype.is_floating else tf.cast(labels, tf.int64)
        labels = labels[:, tf.newaxis] if labels.shape.rank == 1 else labels  # (batch, 1)
        weight = self.problem.weight_column
        weights = tf.ones_like(labels[:, :1], tf.float32) if weight is None else features.pop(weight)
        weights = tf.reshape(tf.cast(weights, tf.float32), [-1, 1])  # (batch, 1)
        return features, labels, weights

    def _labels(self, features: dict[str, Any], label: Sequence[Any]) -> Any:
        return label[0] if label else features.pop(str(self.problem.label))

    def _numbered(self, labels: Any) -> Any:
        """Returns the numbers of the classes whose names labels are."""
        if self.class_ids is None:
            raise Refusal(
                f"Problem: {self.name} has texts as labels; give the head their names, as in "
                "BinaryHead(label_vocabulary=['no', 'yes'])."
            )
        ids = mapped(self.class_ids.lookup, labels)
        known, names = ids >= 0, ", ".join(map(repr, self.problem.head.label_vocabulary or ()))
        strange = tf.boolean_mask(decoded(labels), ~known)
        sentence = f"Problem: the labels of {self.name} should be of label_vocabulary, {names}, and one is"
        with tf.control_dependencies(assured(tf.reduce_all(known), sentence, strange[:1])):
            return tf.identity(ids)

    def _above(self, labels: Any) -> Any:
        """Returns labels that are what the head takes."""
        bound = self.problem.head.label_above
        if bound is None:
            return labels
        good = tf.cast(labels, tf.float64) > bound
        sentence = f"Problem: the labels of {self.name} should be above {bound:g}, and one is"
        with tf.control_dependencies(assured(tf.reduce_all(good), sentence, tf.boolean_mask(labels, ~good)[:1])):
            return tf.identity(labels)

    def _typed(self, key: str, values: Any) -> Any:
        wanted = tf.as_dtype(self.features.get(key, values.dtype))
        if (values.dtype == tf.string) != (wanted == tf.string) or (values.dtype.is_floating and wanted.is_integer):
            raise Refusal(
                f"Problem: data set {self.name} holds {values.dtype.name} as '{key}', and the columns read it as "
                f"{wanted.name}; declare the column with the data's dtype."
            )
        return values if values.dtype == wanted else tf.cast(values, wanted)


def check_keys(name: str, keys: Collection[str], there: Collection[str]) -> None:
    """Refuses data without a feature that is wanted.

    Raises:
        Refusal: One of the keys is not there.
    """
    for key in sorted(keys):
        if key not in there:
            raise has_no(name, key, there)


def has_no(name: str, key: str, there: Collection[str]) -> Refusal:
    """Returns the refusal of data without a feature."""
    ending = nearest(key, there) or f"; it has {', '.join(sorted(there))}."
    return Refusal(f"Problem: data set {name} has no feature '{key}'{ending}")


def ids_of(names: Sequence[str] | None) -> Any:
    """Returns a table from the names of classes to their numbers, -1 for what is none; None where they have none."""
    if names is None:
        return None
    numbers = tf.range(len(names), dtype=tf.int64)
    return tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(tf.constant(list(names)), numbers), -1)


def _unlabelled(features: Mapping[str, Any]) -> Any:
    """Returns labels `(batch,)` that say nothing."""
    first = next(iter(features.values()))
    first = first.codes if hasattr(first, "codes") else first
    rows = first.nrows() if isinstance(first, tf.RaggedTensor) else tf.shape(first, out_type=tf.int64)[0]
    return tf.zeros(tf.reshape(rows, [1]), tf.int64)
