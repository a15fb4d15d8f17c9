"""Embedding layers of any Keras model in TensorBoard's projector, while `model.fit` trains it and after."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import keras

from trainer import models, paths
from trainer.errors import Refusal, nearest
from trainer.layers import EmbeddingTable
from trainer.projector import files, folder
from trainer.projector.labels import Labels, given
from trainer.tables import Table

_WHO = "ProjectorCallback"


class ProjectorCallback(keras.callbacks.Callback):
    """Shows embedding layers in TensorBoard's projector: `keras.layers.Embedding`, and tables of our own.

    Tables that columns made bring their labels. How a table is shown is told at `trainer.projector.write`.

    Args:
        layers: Layers of the model, or their names; None is all of them.
        labels: What the rows of a layer stand for, by its name, or with one layer alone: a list, an array, a tensor or
            a pandas Series of one label a row; or columns by name, as a dict or a pandas DataFrame, the first the
            label, one called "count" how often training held a row: `{"word": […], "kind": […], "count": […]}`.
        every_epochs: Also writes after so many epochs, each time into a folder of its own, so that a running
            TensorBoard shows it once its page is reloaded; None writes when training ends.
        log_dir: The folder of the projector, to be found under `tensorboard --logdir`.

    Raises:
        Refusal: When training begins: a layer is not there or is no embedding, the labels are not one a row, or the
            folder cannot be used.

    Example:
        >>> callback = ProjectorCallback(labels=["Mon", "Tue", "Wed"], every_epochs=5)  # for model.fit(callbacks=…)
    """

    def __init__(
        self,
        layers: Any = None,
        labels: Any = None,
        every_epochs: int | None = None,
        log_dir: str | os.PathLike[str] = "logs/projector",
    ) -> None:
        super().__init__()
        if every_epochs is not None and (not isinstance(every_epochs, int) or every_epochs < 1):
            raise Refusal(f"{_WHO}: every_epochs is a whole number of at least 1, not {every_epochs!r}.")
        self.layers, self.labels, self.every_epochs = layers, labels, every_epochs
        self.log_dir = paths.absolute(os.fspath(log_dir))
        self._step = -1

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Refuses what cannot be shown, before any time is spent."""
        self._chosen = self._layers_chosen()
        self._labelled = self._labels_by_layer(self._chosen)
        files.make_folder(self.log_dir)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Writes the tables after every so many epochs."""
        if self.every_epochs is not None and (epoch + 1) % self.every_epochs == 0:
            steps = int(self.model.optimizer.iterations.numpy()) if self.model.optimizer else 0
            # A training step of one's own may count in another optimizer.
            self._step = steps if steps > self._step else self._step + 1
            folder.write(self.log_dir, self._tables(), self._step, layouts=False)

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Writes the tables as they are in the end."""
        folder.write(self.log_dir, self._tables())

    def _layers_chosen(self) -> list[keras.layers.Layer]:
        every = self._embeddings()
        if self.layers is None:
            if not every:
                raise Refusal(f"{_WHO}: the model has no layer of embeddings; keras.layers.Embedding is one.")
            return every
        wanted = [self.layers] if isinstance(self.layers, (str, keras.layers.Layer)) else list(self.layers)
        if not wanted:
            raise Refusal(f"{_WHO}: layers is empty; leave it out to show all.")
        found = [_layer(each, every) for each in wanted]
        return list({id(layer): layer for layer in found}.values())

    def _embeddings(self) -> list[keras.layers.Layer]:
        # One weight an id of a LinearModel is no vector, though a table holds it.
        tables = {id(table) for table, _ in models.tables_of(self.model).values()}
        layers = {id(layer): layer for layer in self.model._flatten_layers()}
        return [layer for layer in layers.values() if isinstance(layer, keras.layers.Embedding) or id(layer) in tables]

    def _labels_by_layer(self, layers: Sequence[keras.layers.Layer]) -> dict[int, Labels]:
        """Returns the labels given for layers, by their identity."""
        names = [str(layer.name) for layer in layers]
        if self.labels is None:
            return {}
        by_name: Mapping[str, Any] = {names[0]: self.labels}
        if isinstance(self.labels, Mapping) and (len(names) > 1 or self.labels.keys() == {names[0]}):
            by_name = self.labels
        elif len(names) > 1:
            raise Refusal(f"{_WHO}: give labels by the names of the layers: {', '.join(names)}.")
        for name in by_name:
            if names.count(name) != 1:
                ending = nearest(str(name), names) or f"; there are {', '.join(names)}."
                twice = ", which several layers are called; give one of them another name."
                raise Refusal(f"{_WHO}: labels are given for '{name}'{twice if name in names else ending}")
        pairs = [(layer, by_name[layer.name]) for layer in layers if layer.name in by_name]
        return {id(layer): given(labels, _rows(layer), f"{_WHO}: layer '{layer.name}'") for layer, labels in pairs}

    def _tables(self) -> list[Table]:
        columns = {id(table): columns for table, columns in models.tables_of(self.model).values()}
        return [_table(layer, self._labelled.get(id(layer)), columns.get(id(layer), ())) for layer in self._chosen]


def _layer(wanted: Any, every: Sequence[keras.layers.Layer]) -> keras.layers.Layer:
    names = [str(layer.name) for layer in every]
    found = [layer for layer in every if wanted in (layer, layer.name)]
    if len(found) == 1:
        return found[0]
    if found:
        raise Refusal(f"{_WHO}: {len(found)} layers are called '{wanted}'; give the layer itself, or another name.")
    if isinstance(wanted, str):
        there = f"; it has {', '.join(names) or 'none'}."
        raise Refusal(f"{_WHO}: the model has no embedding layer '{wanted}'{nearest(wanted, names) or there}")
    if isinstance(wanted, (keras.layers.Embedding, EmbeddingTable)):
        raise Refusal(f"{_WHO}: layer '{wanted.name}' is not in the model that is trained; give one that is.")
    raise Refusal(
        f"{_WHO}: keras.layers.Embedding or EmbeddingTable is wanted, not {type(wanted).__name__} "
        f"'{getattr(wanted, 'name', wanted)}'."
    )


def _rows(layer: keras.layers.Layer) -> int:
    return int(layer.rows if isinstance(layer, EmbeddingTable) else layer.input_dim)


def _table(layer: keras.layers.Layer, labels: Labels | None, columns: Sequence[Any]) -> Table:
    values = layer.values if isinstance(layer, EmbeddingTable) else layer.embeddings.numpy()
    if labels is None:
        return Table(layer.name, values, columns[0] if columns else None)
    return Table(layer.name, values, None, labels.counts, labels.details, labels.title)
