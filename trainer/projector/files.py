"""The files of a folder that the projector reads: its config, the tensors, and what makes the folder a run."""

from collections.abc import Mapping, Sequence
from typing import Any

from trainer import paths
from trainer.errors import Refusal
from trainer.tables.table import Array

CONFIG = "projector_config.pbtxt"
_TENSORS = "tensors"
_STATE = "checkpoint"
_OWN = f'model_checkpoint_path: "{_TENSORS}"\nall_model_checkpoint_paths: "{_TENSORS}"\n'


def check_folder(folder: str) -> None:
    """Refuses a folder whose checkpoints are another's: TensorBoard finds tensors by the one file that names them."""
    state = paths.join(folder, _STATE)
    if paths.exists(state) and paths.read_text(state) != _OWN:
        raise Refusal(f"projector: {folder} holds checkpoints of a model; give a folder of its own, as logs/projector.")


def clear(folder: str) -> None:
    """Removes what an earlier call has left; the config first, which would speak for files that are gone."""
    config = paths.join(folder, CONFIG)
    if not paths.exists(config):
        return
    from google.protobuf import text_format

    described = _config()
    text_format.Parse(paths.read_text(config), described)
    paths.write_text(config, "")
    for embedding in described.embeddings:
        for file in (embedding.metadata_path, embedding.bookmarks_path, embedding.sprite.image_path):
            if file and paths.exists(paths.join(folder, file)):
                paths.remove_file(paths.join(folder, file))


def write_tensors(folder: str, tensors: Mapping[str, Array]) -> None:
    """Writes `(rows, dimension)` float32 values by name as a checkpoint, which the page shows soonest.

    TensorBoard looks for the newest checkpoint of a folder, and the path in it is relative, so that a run can be moved.
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
    """Writes the config, which says that the other files are whole."""
    from google.protobuf import text_format

    config = _config()
    config.embeddings.extend(embeddings)
    paths.write_text(paths.join(folder, CONFIG), text_format.MessageToString(config))


def _config() -> Any:
    from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig

    return ProjectorConfig()


def make_run(folder: str) -> None:
    """Makes the folder a run to TensorBoard, which it is once it holds an event file; a second says nothing more."""
    if any(name.startswith("events.out.tfevents") for name in paths.names_in(folder)):
        return
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    EventFileWriter(folder).close()
