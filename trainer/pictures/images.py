"""Pictures in TensorBoard's Images tab."""

import os
import struct
from collections.abc import Sequence

from trainer import paths
from trainer.errors import Refusal

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_DESCRIPTION = "Drawn from what the run left, and the same as its file `{file}`."


def to_tensorboard(log_dir: str, pictures: Sequence[str | os.PathLike[str]], step: int) -> None:
    """Writes PNG files as images into an event file of their own, byte for byte as they are.

    Args:
        log_dir: Where the event file goes; made if there is something to write.
        pictures: What `pictures.write` returns, or paths of PNG files; `pictures/day_hour.png` has the tag
            `pictures/day_hour`.
        step: The steps of the training that the pictures show.

    Raises:
        Refusal: A file is no PNG image; then nothing is written.
        OSError: A file cannot be read.
    """
    contents = {path: paths.read_bytes(path) for path in [os.fspath(picture) for picture in pictures]}
    for path, content in contents.items():
        if not content.startswith(_SIGNATURE) or len(content) < 24:
            raise Refusal(f"pictures: {path} is no PNG image; give the files that pictures.write returns.")
    if not contents:
        return
    import tensorflow as tf
    from tensorboard.plugins.image import metadata

    writer = tf.summary.create_file_writer(log_dir, filename_suffix=".pictures")
    with writer.as_default():
        for path, content in contents.items():
            file = os.path.basename(path)
            described = metadata.create_summary_metadata(display_name=None, description=_DESCRIPTION.format(file=file))
            width, height = struct.unpack(">II", content[16:24])
            # What the plugin reads: a picture's sizes as texts, and then its bytes.
            image = tf.constant([str(width).encode(), str(height).encode(), content])
            tf.summary.write(f"pictures/{file.removesuffix('.png')}", image, step=step, metadata=described)
    writer.close()
