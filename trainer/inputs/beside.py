"""What lies beside a problem's data: the files themselves, and features of rows that no column reads."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.catalogue import Beside
from trainer.inputs import tfds
from trainer.inputs.examples import Source

SEPARATOR = "|"
"""What stands between the values of a row, as the projector reads them."""


def beside(source: Source, data_dir: str) -> Beside:
    """Returns where the data of a job lie.

    Args:
        source: The data.
        data_dir: The folder in which data sets are prepared.
    """
    files = () if source.files is None else tuple(state.path for state in source.files.states["train"])

    def rows(features: Sequence[str]) -> Mapping[str, list[str]] | None:
        builder = source.builder
        if builder is None or not builder.is_prepared() or any(name not in builder.info.features for name in features):
            return None
        return _texts(builder, features)

    return Beside(data_dir, files, rows)


def _texts(builder: Any, features: Sequence[str]) -> dict[str, list[str]]:
    """Returns features of the training rows of a prepared data set as texts."""
    found: dict[str, list[str]] = {name: [] for name in features}
    for batch in tfds.read(builder, "train", features=features):
        for name, values in batch.items():
            found[name] += _told(values, _names_of(builder.info.features[name]))
    return found


def _names_of(feature: Any) -> Sequence[str] | None:
    """Returns the names of a feature's classes, or of those of its several values; None where it has none."""
    names: Sequence[str] | None = getattr(getattr(feature, "feature", feature), "names", None)
    return names


def _told(values: Any, names: Sequence[str] | None) -> list[str]:
    if isinstance(values, tf.RaggedTensor) or values.shape.rank > 1:
        return [SEPARATOR.join(_told(tf.reshape(row, [-1]), names)) for row in values]
    plain = np.asarray(values).tolist()
    if names is not None:
        return [names[number] if number >= 0 else "" for number in plain]
    return [value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value) for value in plain]
