"""The SavedModel that an Estimator has exported, and the logits that it gives to raw features."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf

from trainer import paths
from trainer.errors import Refusal, nearest
from trainer.feature_column import FeatureColumn, WeightedCategoricalColumn
from trainer.feature_column.nested import nested
from trainer.migration.feeds import Feed, feed_of
from trainer.migration.parity import first_line
from trainer.migration.rows import as_tensors, batch_of
from trainer.terminal import listed, quiet

Array = np.ndarray[Any, Any]

BATCH = 1024
"""The most rows that go through an export at once."""

_SIGNATURES = ("predict", "parse_examples", "serving_default", "classification", "regression")
_OUTPUTS = ("logits", "scores", "probabilities", "predictions", "outputs")
"""What logits can be had from, the best first; the last two are those of a regressor."""


@dataclass(frozen=True, eq=False)
class OldExport:
    """A SavedModel that gives logits, or what these can be had from.

    Args:
        path: Its folder.
        signature: The name of the signature that is asked.
        output: Of that signature.
        feed: What makes its inputs of raw features.
        step: The global step that it was trained to; None where it does not tell.
        model: What was loaded.
    """

    path: str
    signature: str
    output: str
    feed: Feed
    step: int | None
    model: Any = field(repr=False)

    @property
    def compared(self) -> str:
        """What `logits` gives, in words."""
        if self.output in ("logits", "predictions"):
            return self.output
        if self.output == "outputs":
            return "predictions"
        return "log-odds of the probabilities" if self._classes <= 2 else "log-probabilities less their mean"

    def logits(self, features: Mapping[str, Any]) -> Array:
        """Returns its logits `(rows, units)`, or what `compared` says.

        Args:
            features: Raw features by key of a row or more, as files are read: `(rows,)`, or bags, ragged or padded with
                '' and -1. Those that it does not read are passed over.

        Raises:
            Refusal: It reads a feature that is not there or is of another kind, or fails on the rows.
        """
        given = as_tensors(features)
        self._check(given)
        rows = batch_of(next(iter(given.values())))
        starts = range(0, rows, BATCH)
        parts = [self._asked({key: values[start : start + BATCH] for key, values in given.items()}) for start in starts]
        return np.concatenate(parts)

    def as_compared(self, logits: Any) -> Array:
        """Returns logits of another model as `logits` gives those of this one.

        Args:
            logits: `(rows, units)`.
        """
        found = np.asarray(logits, np.float32)
        centred = self.output in ("scores", "probabilities") and self._classes > 2
        return found - found.mean(axis=1, keepdims=True) if centred else found

    def line(self, step: int) -> str:
        """Returns one line of what is held against a model, for a person.

        Args:
            step: The one that the model was trained to.
        """
        told = "" if self.step is None else f", step {self.step:,}"
        other = self.step not in (None, step)
        warning = f"; the model is of step {step:,}, and what it learned between differs too" if other else ""
        return f"held against {self.path}{told}{warning}"

    @property
    def _asks(self) -> Any:
        return self.model.signatures[self.signature]

    @property
    def _classes(self) -> int:
        return int(self._asks.structured_outputs[self.output].shape[-1] or 0)

    def _check(self, features: Mapping[str, Any]) -> None:
        for key, wanted in self.feed.kinds.items():
            if key not in features:
                told = nearest(key, features) or f"; they have {listed(sorted(features))}."
                raise Refusal(f"{self.path}: the old export reads feature '{key}', and the rows have none{told}")
            there = features[key].dtype
            if (wanted == "string") != (there == tf.string) or (wanted.startswith("int") and there.is_floating):
                raise Refusal(
                    f"{self.path}: the old export reads feature '{key}' as {wanted}, and the rows have it as "
                    f"{there.name}; declare its column with the dtype that the old model had."
                )

    def _asked(self, features: Mapping[str, Any]) -> Array:
        try:
            found = self._asks(**self.feed.inputs(features))[self.output].numpy().astype(np.float32)
        except (tf.errors.OpError, TypeError, ValueError) as error:
            raise Refusal(
                f"{self.path}: the old export does not take these rows ({_said(error)}); "
                "leave out what it was not made for."
            ) from None
        return self._as_logits(found if found.ndim == 2 else found[:, np.newaxis])  # (batch, units)

    def _as_logits(self, values: Array) -> Array:
        """Returns logits of an output, `(rows, units)`, up to a number that all classes of a row share."""
        if self.output not in ("scores", "probabilities"):
            return values
        with np.errstate(divide="ignore", invalid="ignore"):
            if values.shape[1] == 1:
                return np.log(values) - np.log1p(-values)
            logs = np.log(values)
            return logs[:, 1:] - logs[:, :1] if values.shape[1] == 2 else logs - logs.mean(axis=1, keepdims=True)


def find(model_dir: str) -> str | None:
    """Returns the newest SavedModel in the folder of an Estimator, by the time that is its name, or None.

    Args:
        model_dir: The folder, local or `gs://`: exports are in `export/TIME/`, or in `export/NAME/TIME/` where an
            exporter wrote them. A SavedModel itself is what is found.
    """
    if _is_export(model_dir):
        return model_dir
    export = paths.join(model_dir, "export")
    places = [model_dir, export, *(paths.join(export, name) for name in paths.names_in(export))]
    found = [
        (int(name), paths.join(place, name)) for place in places for name in paths.names_in(place) if _is_time(name)
    ]
    return next((path for _, path in sorted(found, reverse=True) if _is_export(path)), None)


def opened(path: str, columns: Sequence[FeatureColumn] = ()) -> OldExport:
    """Returns an old export, ready to be asked.

    Args:
        path: The folder of a SavedModel, by any version of TensorFlow.
        columns: Ours that read the same features: they tell which of these are the weights of others.

    Raises:
        Refusal: It cannot be loaded, or has no signature that gives logits.
    """
    with quiet():
        try:
            model = tf.saved_model.load(path, tags=["serve"])
        except Exception as error:  # an unreadable SavedModel raises whatever it stumbles over
            raise Refusal(
                f"{path}: the old export cannot be loaded ({_said(error)}); export the old model again with "
                "export_saved_model."
            ) from None
    signature, output = _giving_logits(path, model.signatures)
    feed = feed_of(model.signatures[signature], _weights(columns))
    return OldExport(path, signature, output, feed, _step(path), model)


def _giving_logits(path: str, signatures: Mapping[str, Any]) -> tuple[str, str]:
    names = [name for name in _SIGNATURES if name in signatures]
    names += sorted({*signatures} - {*names})
    for output in _OUTPUTS:
        for name in names:
            if output in signatures[name].structured_outputs:
                return name, output
    there = "; ".join(f"{name} gives {listed(sorted(signatures[name].structured_outputs))}" for name in names)
    raise Refusal(
        f"{path}: a signature of the old export that gives logits, scores or predictions is wanted, and there is none "
        f"({there or 'it has no signatures'}); export the old model again with export_saved_model."
    )


def _weights(columns: Sequence[FeatureColumn]) -> dict[str, str]:
    parts = [part for column in columns for part in nested(column) if isinstance(part, WeightedCategoricalColumn)]
    return {part.weight_feature_key: next(iter(part.categorical_column.raw_features)) for part in parts}


def _step(path: str) -> int | None:
    try:
        reader = tf.train.load_checkpoint(paths.join(path, "variables", "variables"))
        return int(reader.get_tensor("global_step")) if reader.has_tensor("global_step") else None
    except (ValueError, tf.errors.OpError):  # a model without variables has no checkpoint
        return None


def _said(error: Exception) -> str:
    """Returns what an error says, without where in the graph it was and its full stop."""
    message = str(error)
    if message.startswith("Graph execution error"):
        message = message.rpartition("\n\n")[2]
    return first_line(message).removesuffix(".")


def _is_time(name: str) -> bool:
    return name.isascii() and name.isdigit()


def _is_export(path: str) -> bool:
    return any(paths.exists(paths.join(path, name)) for name in ("saved_model.pb", "saved_model.pbtxt"))
