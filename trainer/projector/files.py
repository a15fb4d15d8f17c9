"""The files of a folder that the projector reads: its config, the tensors, and what makes the folder a run."""

from collections.abc import Mapping, Sequence
from typing import Any

from trainer import paths
from trainer.errors import Refusal
from trainer.tables.table import Array

CONFIG = "projector_config.pbtxt"
METADATA, VIEWS, SPRITE = ".metadata.tsv", ".views.json", ".sprite.png"
_TENSORS = "tensors"
_STATE = "checkpoint"
_OWN = f'model_checkpoint_path: "{_TENSORS}"\nall_model_checkpoint_paths: "{_TENSORS}"\n'
_MARK = "# Written by trainer.projector, which replaces it.\n"


def make_folder(folder: str) -> None:
    """Makes a folder that tables can be written to, unless it is there.

    Raises:
        Refusal: It cannot be made, or as `check`.
    """
    try:
        paths.make_folder(folder)
    except OSError as error:
        reason = error.strerror or error
        raise Refusal(f"projector: {folder} cannot be made ({reason}); give another folder.") from None
    check(folder)


def check(folder: str) -> None:
    """Refuses a folder that holds a projector or checkpoints of something else, which would be lost.

    TensorBoard finds tensors by the one file of a folder that names checkpoints.
    """
    state, config = paths.join(folder, _STATE), paths.join(folder, CONFIG)
    if paths.exists(state) and paths.read_text(state) != _OWN:
        raise Refusal(f"projector: {folder} holds checkpoints of a model; give a folder of its own, as logs/projector.")
    # Our checkpoint is as good a sign as our mark, which a config had not always.
    if not paths.exists(state) and paths.exists(config) and not paths.read_text(config).startswith(_MARK):
        raise Refusal(f"projector: {folder} holds a projector of something else; give a folder of its own.")


def clear(folder: str) -> None:
    """Removes what an earlier call has left; first what would speak for files that are gone."""
    if not paths.exists(paths.join(folder, CONFIG)):
        return
    earlier = read_config(folder)
    described = [(part.metadata_path, part.bookmarks_path, part.sprite.image_path) for part in earlier]
    files = [file for files in described for file in files if _is_own(file)]
    write_config(folder, [])
    for file in (_STATE, *files):
        if paths.exists(paths.join(folder, file)):
            paths.remove_file(paths.join(folder, file))


def _is_own(file: str) -> bool:
    return file.endswith((METADATA, VIEWS, SPRITE)) and "/" not in file and "\\" not in file


def write_tensors(folder: str, tensors: Mapping[str, Array]) -> None:
    """Writes `(rows, dimension)` float32 values by name as a checkpoint.

    TensorBoard reads a tensor of it when that is opened, but files of bytes or text, of all runs, before it lists a
    run. It finds it once `name_tensors` was called.
    """
    import tensorflow as tf

    if not tensors:  # a checkpoint of nothing cannot be written
        return
    with tf.device("CPU"):  # the op has no other kernel
        tf.raw_ops.SaveV2(
            prefix=paths.join(folder, _TENSORS),
            tensor_names=list(tensors),
            shape_and_slices=[""] * len(tensors),
            tensors=list(tensors.values()),
        )


def name_tensors(folder: str) -> None:
    """Makes the tensors the newest checkpoint of the folder; their path in it is relative, so that a run can move."""
    paths.write_text(paths.join(folder, _STATE), _OWN)


def described(
    name: str, shape: Sequence[int], metadata: str, bookmarks: str, sprite: tuple[str, int, int] | None
) -> Any:
    """Returns one tensor's part of the config.

    Args:
        name: Of the tensor.
        shape: Rows and dimension.
        metadata: Its file of labels, in the same folder.
        bookmarks: Its file of views.
        sprite: Its file of pictures, and the width and height of one.
    """
    from tensorboard.plugins.projector.projector_config_pb2 import EmbeddingInfo

    found = EmbeddingInfo(tensor_name=name, tensor_shape=shape, metadata_path=metadata, bookmarks_path=bookmarks)
    if sprite is not None:
        found.sprite.image_path = sprite[0]
        found.sprite.single_image_dim.extend(sprite[1:])
    return found


def write_config(folder: str, embeddings: Sequence[Any]) -> None:
    """Writes the config, which speaks for the files of labels, views and pictures."""
    from google.protobuf import text_format

    config = _config()
    config.embeddings.extend(embeddings)
    paths.write_text(paths.join(folder, CONFIG), _MARK + text_format.MessageToString(config))


def read_config(folder: str) -> list[Any]:
    """Returns the parts of the config of a folder, one for each tensor; none where it cannot be read."""
    from google.protobuf import text_format

    config = _config()
    try:
        text_format.Parse(paths.read_text(paths.join(folder, CONFIG)), config)
    except text_format.ParseError:
        return []
    return list(config.embeddings)


def _config() -> Any:
    from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig

    return ProjectorConfig()


def make_run(folder: str) -> None:
    """Makes the folder a run to TensorBoard, which it is once it holds an event file; a second says nothing more."""
    if any(name.startswith("events.out.tfevents") for name in paths.names_in(folder)):
        return
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    EventFileWriter(folder).close()
