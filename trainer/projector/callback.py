"""Embedding layers of any Keras model in TensorBoard's projector, while `model.fit` trains it and after."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from trainer import models, projector
from trainer.errors import Refusal, nearest
from trainer.layers import EmbeddingTable
from trainer.tables import Table
from trainer.tables.table import Array

Labels = Sequence[Any] | Mapping[str, Sequence[Any]]
"""One label a row; or columns by name, the first the label; one called "count" is how often training held a row."""

_WHO = "ProjectorCallback"


class ProjectorCallback(keras.callbacks.Callback):
    """Shows embedding layers in TensorBoard's projector: `keras.layers.Embedding`, and tables of our own.

    Tables that columns made bring their labels. What a table may look like is told at `trainer.projector.write`.

    Args:
        layers: The layers or their names; None is all of the model.
        labels: What the rows of a layer stand for, by its name: one label a row, or columns by name, the first the
            label, as `{"word": […], "kind": […], "count": […]}`; with one layer, the labels alone.
        every_epochs: Also writes after so many epochs, each time into a folder of its own, so that a running
            TensorBoard shows it once its page is reloaded; None writes when training ends.
        log_dir: The folder of the projector, to be found under `tensorboard --logdir`.

    Raises:
        Refusal: When training begins: a layer is not there or is no embedding, or the labels are not one a row.

    Example:
        >>> callback = ProjectorCallback(labels=["Mon", "Tue", "Wed"], every_epochs=5)  # for model.fit(callbacks=…)
    """

    def __init__(
        self,
        layers: Any = None,
        labels: Labels | Mapping[str, Labels] | None = None,
        every_epochs: int | None = None,
        log_dir: str = "logs/projector",
    ) -> None:
        super().__init__()
        if every_epochs is not None and every_epochs < 1:
            raise Refusal(f"{_WHO}: every_epochs is a whole number of at least 1, not {every_epochs}.")
        self.layers, self.labels, self.every_epochs, self.log_dir = layers, labels, every_epochs, log_dir

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Refuses what cannot be shown, before any time is spent; what is not built yet is seen later."""
        layers = self._chosen()
        if all(layer.built for layer in layers):
            self._tables(layers)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Writes the tables after every so many epochs."""
        if self.every_epochs is not None and (epoch + 1) % self.every_epochs == 0:
            step = int(self.model.optimizer.iterations.numpy())
            projector.write(self.log_dir, self._tables(self._chosen()), step, layouts=False)

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Writes the tables as they are in the end."""
        projector.write(self.log_dir, self._tables(self._chosen()))

    def _chosen(self) -> list[keras.layers.Layer]:
        every = {layer.name: layer for layer in self.model._flatten_layers() if _is_embedding(layer)}
        if self.layers is None:
            chosen = list(every.values())
        else:
            given = [self.layers] if isinstance(self.layers, (str, keras.layers.Layer)) else list(self.layers)
            chosen = [self._layer(layer, every) for layer in given]
        if not chosen:
            raise Refusal(f"{_WHO}: the model has no layer of embeddings; give layers=.")
        return chosen

    def _layer(self, given: Any, every: Mapping[str, keras.layers.Layer]) -> keras.layers.Layer:
        if isinstance(given, str):
            if given not in every:
                there = ", ".join(every) or "none"
                raise Refusal(
                    f"{_WHO}: the model has no embedding layer '{given}'{nearest(given, every) or f'; it has {there}.'}"
                )
            return every[given]
        if not _is_embedding(given):
            raise Refusal(
                f"{_WHO}: keras.layers.Embedding or EmbeddingTable is wanted, not {type(given).__name__} "
                f"'{getattr(given, 'name', given)}'."
            )
        return given

    def _tables(self, layers: Sequence[keras.layers.Layer]) -> list[Table]:
        labels = self._labels_by_name(layers)
        columns = {name: columns for name, (_, columns) in models.tables_of(self.model).items()}
        return [_table(layer, labels.get(layer.name), columns.get(layer.name, ())) for layer in layers]

    def _labels_by_name(self, layers: Sequence[keras.layers.Layer]) -> Mapping[str, Any]:
        names = [str(layer.name) for layer in layers]
        if self.labels is None:
            return {}
        if isinstance(self.labels, Mapping) and (self.labels.keys() & set(names) or len(names) > 1):
            for name in self.labels:
                if name not in names:
                    ending = nearest(name, names) or f"; there are {', '.join(names)}."
                    raise Refusal(f"{_WHO}: labels are given for '{name}', which is not shown{ending}")
            return self.labels
        if len(names) > 1:
            raise Refusal(f"{_WHO}: give labels by the names of the layers: {', '.join(names)}.")
        return {names[0]: self.labels}


def _is_embedding(layer: Any) -> bool:
    return isinstance(layer, (keras.layers.Embedding, EmbeddingTable))


def _table(layer: keras.layers.Layer, labels: Labels | None, columns: Sequence[Any]) -> Table:
    values = layer.values if isinstance(layer, EmbeddingTable) else layer.embeddings.numpy()
    if labels is None:
        return Table(layer.name, values, columns[0] if columns else None)
    named = labels if isinstance(labels, Mapping) else {"label": labels}
    for name, texts in named.items():
        if isinstance(texts, str) or len(texts) != len(values):
            came = "a text" if isinstance(texts, str) else f"{len(texts):,}"
            raise Refusal(f"{_WHO}: layer '{layer.name}' has {len(values):,} rows, so {name} is as many, not {came}.")
    details = {name: _texts(texts) for name, texts in named.items() if name != "count"}
    counts = _counts(layer.name, named["count"]) if "count" in named else None
    return Table(layer.name, values, None, counts, details, next(iter(details), None))


def _texts(texts: Iterable[Any]) -> list[str]:
    return [text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text) for text in texts]


def _counts(name: str, given: Sequence[Any]) -> Array:
    counts = np.asarray(given)
    if counts.dtype.kind not in "iu":
        raise Refusal(f"{_WHO}: the count of layer '{name}' is whole numbers, not {counts.dtype}.")
    return counts
