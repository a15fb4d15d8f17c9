"""Models that TensorFlow 2.15's Estimators trained: `python -m tests.estimators FOLDER` unpacks them.

In the folder are `rows.csv` and `planes.txt`, the rows and a vocabulary, and a folder for each model, such as
`v1/DNNClassifier` (v1 is `tf.compat.v1.estimator`, v2 is `tf.estimator`):

- `model.ckpt-30.index`, `.data-…` and `checkpoint`: what `model_dir` has after 30 steps,
- `export/1700000000`: the SavedModel of `export_saved_model`, which takes serialized `tf.train.Example`s,
- `expected.npz`: the Estimator's own `logits` of the rows, and the `later` ones, after 100 more steps on 10 rows each,
- `arguments.json`: what it was declared with.

`make.py` trains them anew.
"""

import io
import lzma
import tarfile
from pathlib import Path

ARCHIVE = Path(__file__).parent / "models.tar.xz"


def unpack(folder: Path, archive: Path = ARCHIVE) -> Path:
    """Unpacks the models into a folder, which is made if need be; returns it."""
    from trainer.cloud import package  # which the Pythons that make the models have not

    folder.mkdir(parents=True, exist_ok=True)
    package.unpack(archive, folder)
    return folder


def pack(folder: Path, archive: Path = ARCHIVE) -> Path:
    """Packs models into an archive, the same files always into the same bytes; returns it."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.USTAR_FORMAT) as members:
        # By their names first: what is alike in two models lies close together.
        for file in sorted(folder.rglob("*"), key=lambda file: (file.suffix, file.name, file)):
            if file.is_file():
                member = tarfile.TarInfo(file.relative_to(folder).as_posix())
                member.size, member.mode = file.stat().st_size, 0o644
                members.addfile(member, io.BytesIO(file.read_bytes()))
    archive.write_bytes(lzma.compress(raw.getvalue(), preset=9 | lzma.PRESET_EXTREME))
    return archive
