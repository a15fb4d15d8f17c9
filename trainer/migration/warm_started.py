"""Columns whose tables start as an Estimator's settings say."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from trainer.errors import Refusal, nearest, refusing
from trainer.feature_column import EmbeddingColumn, FeatureColumn
from trainer.feature_column.starting import ON_MISSING_ROWS
from trainer.migration.estimator.places import table_names
from trainer.migration.warm_starting import VocabInfo, WarmStartSettings, settings_of
from trainer.warm_start import opened
from trainer.warm_start.keys import Opaque, keys_of, label_values
from trainer.warm_start.source import Source, Tensor

WHO = "warm_started"
NOWHERE = "\n"
"""What a row of the old table stands for that none here starts from: no line of a vocabulary's file can be this."""


def warm_started(columns: Iterable[FeatureColumn], settings: Any) -> list[Any]:
    """Returns columns whose tables start as an Estimator's did with `warm_start_from=`.

    Args:
        columns: Ours; those that are no embedding columns stay as they are. The name of a table there is that of the
            deep part, `dnn/input_from_feature_columns/input_layer/COLUMN/embedding_weights`; of a shared one it is the
            collection's, as the checkpoint has it.
        settings: `WarmStartSettings`, or the path of a checkpoint or a SavedModel, for all tables.

    Returns:
        The columns in the order given, those selected with `ckpt_to_load_from` and `tensor_name_in_ckpt`; and, where
        there is a `VocabInfo`, with `old_vocabulary`, and its `backup_initializer` as the `initializer`.

    Raises:
        Refusal: No table is selected, the checkpoint has no such tensor, or a VocabInfo does not fit its column.

    Example:
        >>> import numpy as np, tempfile
        >>> from trainer import feature_column as fc
        >>> name = "dnn/input_from_feature_columns/input_layer/day_embedding/embedding_weights"
        >>> old = f"{tempfile.mkdtemp()}/old.npz"
        >>> np.savez(old, **{name: np.eye(3)})
        >>> day = fc.embedding_column(fc.categorical_column_with_vocabulary_list("day", ["Tue", "Eve"]), 3)
        >>> info = VocabInfo(["Tue", "Eve"], 2, 0, ["Mon", "Tue", "Wed"])
        >>> [day] = warm_started([day], WarmStartSettings(old, ".*", {name: info}))
        >>> from trainer.layers import DenseFeatures
        >>> np.asarray(DenseFeatures([day])({"day": ["Tue", "Eve"]})).tolist()
        [[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]
    """
    with refusing(WHO):
        columns, settings = list(columns), settings_of(settings)
        source = opened(settings.ckpt_to_initialize_from, WHO)
        found = [_name(column, settings, source) for column in columns]
        if not any(found):
            known = dict.fromkeys(name for column in columns for name in _known(column, settings, source)[:1])
            pattern, names = settings.vars_to_warm_start, ", ".join(known) or "none"
            raise Refusal(f"vars_to_warm_start {pattern!r} selects none of the tables {names}; give a pattern of one")
        settings.check_used(filter(None, found))
        return [
            _started(column, name, settings, source) if name else column
            for column, name in zip(columns, found, strict=True)
        ]


def _known(column: FeatureColumn, settings: WarmStartSettings, source: Source) -> Sequence[str]:
    """Returns the names of a column's table by which the source has something for it, or all that it may have."""
    names, there = table_names(column), {tensor.name for tensor in source.tensors}
    return [name for name in names if settings.previous(name) in there] or names


def _name(column: FeatureColumn, settings: WarmStartSettings, source: Source) -> str | None:
    """Returns the name by which a column's table is selected; None where it is not."""
    trainable = getattr(column, "trainable", True)
    return next((name for name in _known(column, settings, source) if settings.selects(name, trainable)), None)


def _started(column: Any, name: str, settings: WarmStartSettings, source: Source) -> EmbeddingColumn:
    tensor, info = tensor_of(name, settings, source), settings.vocabulary(name)
    start: dict[str, Any] = {
        "ckpt_to_load_from": str(settings.ckpt_to_initialize_from),
        "tensor_name_in_ckpt": tensor.name,
        "old_vocabulary": None,
        "on_missing_rows": ON_MISSING_ROWS[0],
    }
    if info is not None:
        start["old_vocabulary"] = _old_vocabulary(name, column, info, tensor)
        start["initializer"] = info.initializer(column.width)
    made: EmbeddingColumn = replace(column, **start)
    return made


def tensor_of(name: str, settings: WarmStartSettings, source: Source) -> Tensor:
    """Returns the tensor of a checkpoint that a variable starts from.

    Raises:
        Refusal: It has none of that name.
    """
    tensors = {tensor.name: tensor for tensor in source.tensors}
    wanted = settings.previous(name)
    if wanted not in tensors:
        raise Refusal(
            f"'{name}' is selected, and {source.place} has no '{wanted}'"
            f"{nearest(wanted, tensors) or '; leave it out of vars_to_warm_start'}"
        )
    return tensors[wanted]


def _old_vocabulary(name: str, column: EmbeddingColumn, info: VocabInfo, tensor: Tensor) -> tuple[str, ...]:
    """Returns what each old row stands for in the words of the column's own rows.

    Every old row has a value, so that none is out of the vocabulary: those rows start anew in an Estimator.
    """
    inner = column.owner.categorical_column
    keys = keys_of(inner)
    if info.axis:
        raise Refusal(f"VocabInfo of '{name}': the rows of a table stand for values, so axis is 0, not 1")
    if isinstance(keys, Opaque):
        raise Refusal(
            f"VocabInfo of '{name}': the rows of '{inner.name}' stand for {keys.described}, so it has no vocabulary; "
            "leave it out"
        )
    if info.size != inner.num_buckets:
        raise Refusal(
            f"VocabInfo of '{name}': new_vocab_size {info.new_vocab_size:,} and num_oov_buckets "
            f"{info.num_oov_buckets:,} are {info.size:,} rows, and '{inner.name}' has {inner.num_buckets:,}"
        )
    own = (text.decode("utf-8", "surrogatepass") for text in label_values(keys).texts.to_pylist())
    named = dict(zip(info.new_values(), own, strict=False))
    old = info.old_values()[: tensor.shape[0]]
    return (*(named.get(value, NOWHERE) for value in old), *[NOWHERE] * (tensor.shape[0] - len(old)))
