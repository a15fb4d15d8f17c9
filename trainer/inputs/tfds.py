"""Data sets of TFDS as batches of raw features, parsed a batch at a time."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import tensorflow as tf
import tensorflow_datasets as tfds

from trainer.datasets import title
from trainer.errors import Refusal, nearest
from trainer.inputs.separating import has_no

# What an Example stores each dtype as. TFDS bit-casts uint64, which a cast would not undo.
STORED = {
    **dict.fromkeys((tf.int8, tf.int16, tf.int32, tf.int64, tf.uint8, tf.uint16, tf.uint32, tf.bool), tf.int64),
    **dict.fromkeys((tf.float16, tf.float32, tf.float64), tf.float32),
    tf.string: tf.string,
}

Made = Callable[[Mapping[str, Any]], Mapping[str, Any]]


def read(builder: Any, split: str, batch_size: int = 8192, features: Collection[str] | None = None) -> tf.data.Dataset:
    """Returns a split of a prepared data set as batches, in the order of its files.

    TFDS's own `as_dataset` decodes example by example, which takes more than 15 times as long. It is used here
    only for what needs decoding, such as images, sequences, or files that are not TFRecords.

    Args:
        builder: A TFDS builder whose data set is prepared.
        split: `train`, `train[:10%]`, `train+test` or the like.
        batch_size: Examples in a batch; the last may have fewer.
        features: The names to read; all by default.

    Returns:
        A data set of known length. An element maps a name to a tensor of the feature's dtype: (batch,) for a
        scalar, (batch, n) for a fixed vector, a RaggedTensor for what varies in length.

    Raises:
        Refusal: There is no split or feature of that name, the split has no examples, or `tf.data` cannot read the
            format of the files.
    """
    files = _files(builder, split)
    wanted = _wanted(builder, features)
    if _is_plain(builder, wanted):
        batches = _parsed(_records(files).batch(batch_size), wanted)
    else:
        batches = _decoded(builder, split, wanted).ragged_batch(batch_size)
    examples = sum(file.take for file in files)
    return batches.apply(tf.data.experimental.assert_cardinality(-(-examples // batch_size)))


def made(batches: tf.data.Dataset, function: Made, name: str) -> tf.data.Dataset:
    """Returns batches of the features that a function makes of those of a data set.

    Args:
        batches: Of the features by name.
        function: Of the features of a batch, tensors by name.
        name: What a person calls the data set.

    Raises:
        Refusal: The function wants a feature that is not there, or refuses something itself.
    """

    @tf.autograph.experimental.do_not_convert
    def features(batch: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return dict(function(batch))
        except KeyError as error:
            raise has_no(name, str(error.args[0]), list(batch)) from None

    return batches.map(features, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)


def _files(builder: Any, split: str) -> Sequence[Any]:
    splits = builder.info.splits
    if not splits:
        raise Refusal(
            f"{title(builder)}: not prepared in {builder.data_dir_root}; call trainer.datasets.prepare first."
        )
    unknown = [name for name in re.findall(r"(?:^|\+)\s*(\w+)", split) if name not in [*splits, "all"]]
    if unknown:
        known = ", ".join(splits)
        raise Refusal(f"{title(builder)}: no split '{unknown[0]}' among {known}{nearest(unknown[0], splits) or '.'}")
    try:
        files = splits[split].file_instructions
    except (ValueError, AssertionError) as error:  # TFDS asserts that a slice has a good form
        raise Refusal(
            f"{title(builder)}: no split '{split}'; write one as train, train[:10%] or train+test."
        ) from error
    if not files:
        raise Refusal(f"{title(builder)}: the split '{split}' has no examples.")
    return files


def _wanted(builder: Any, features: Collection[str] | None) -> dict[str, Any]:
    known = dict(builder.info.features.items())
    for name in known if features is None else features:
        if name not in known:
            among = ", ".join(known)
            raise Refusal(f"{title(builder)}: no feature '{name}' among {among}{nearest(name, known) or '.'}")
    return {name: known[name] for name in (known if features is None else features)}


def _is_plain(builder: Any, wanted: dict[str, Any]) -> bool:
    return builder.info.file_format == tfds.core.FileFormat.TFRECORD and all(map(_is_stored_as_it_is, wanted.values()))


def _is_stored_as_it_is(feature: Any) -> bool:
    if not isinstance(feature, tfds.features.Tensor):
        return False
    value, stored = feature.get_tensor_info(), feature.get_serialized_info()
    return (
        type(feature).decode_example is tfds.features.Tensor.decode_example
        and value == stored  # neither compressed nor of an unknown shape
        and None not in value.shape
        and not value.optional
        and feature.get_tensor_spec().dtype in STORED
    )


def _records(files: Sequence[Any]) -> tf.data.Dataset:
    paths = tf.constant([str(file.filename) for file in files])
    if all(file.skip == 0 and file.takes_all for file in files):
        return tf.data.TFRecordDataset(paths)
    skip, take = (tf.constant([getattr(file, part) for file in files], tf.int64) for part in ("skip", "take"))
    parts = tf.data.Dataset.from_tensor_slices((paths, skip, take))
    return parts.flat_map(lambda path, skip, take: tf.data.TFRecordDataset(path).skip(skip).take(take))


def _parsed(batches: tf.data.Dataset, wanted: dict[str, Any]) -> tf.data.Dataset:
    specs = {name: feature.get_tensor_spec() for name, feature in wanted.items()}
    stored = {name: tf.io.FixedLenFeature(spec.shape, STORED[spec.dtype]) for name, spec in specs.items()}

    def parse(records: tf.Tensor) -> dict[str, tf.Tensor]:
        parsed = tf.io.parse_example(records, stored)  # (batch,) or (batch, n)
        return {name: tf.cast(parsed[name], spec.dtype) for name, spec in specs.items()}

    return batches.map(parse, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)


def _decoded(builder: Any, split: str, wanted: dict[str, Any]) -> tf.data.Dataset:
    try:
        return builder.as_dataset(
            split=split,
            decoders=tfds.decode.PartialDecoding(dict.fromkeys(wanted, True)),
            # One file after the other, and nothing kept in memory.
            read_config=tfds.ReadConfig(interleave_cycle_length=1, try_autocache=False),
        )
    except NotImplementedError as error:
        given = builder.info.file_format.value
        raise Refusal(
            f"{title(builder)}: tf.data cannot read {given} files; prepare the data set as tfrecord."
        ) from error
