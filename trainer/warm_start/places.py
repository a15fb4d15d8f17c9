"""What a person names as a source, found: a path or a pattern, a file or a folder, of a kind told by its content."""

import fnmatch
import glob
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from trainer import paths
from trainer.errors import Refusal, nearest, refusing
from trainer.warm_start import checkpoint, files, held, run_folder
from trainer.warm_start.source import Source

TAKEN = (
    "a run's job dir, a TensorFlow checkpoint or the folder of one, a SavedModel, .keras, .h5, .npz, .npy, .parquet, "
    ".safetensors, .tsv, word2vec or GloVe"
)


def opened(place: Any, who: str) -> Source:
    """Returns what a source holds; its values are not read yet.

    Args:
        place: A path, a pattern, or an object that holds vectors in memory.
        who: What a refusal begins with.

    Raises:
        Refusal: There is nothing there, several sources fit a pattern, or it is of no kind that can be read.
    """
    with refusing(who), _read(place):
        vectors = getattr(place, "held", place)
        return _source(str(vectors), who) if isinstance(vectors, (str, os.PathLike)) else held.opened(vectors)


@contextmanager
def _read(place: Any) -> Iterator[None]:
    """Refuses a place that cannot be read."""
    try:
        yield
    except _unread(str(place)) as error:
        reason = getattr(error, "strerror", None) or str(error).partition("\n")[0]
        raise Refusal(f"{place} cannot be read ({reason}); check the path, and your access to it") from None


def _unread(place: str) -> tuple[type[Exception], ...]:
    """Returns what is raised where a place cannot be read."""
    if not paths.is_remote(place):
        return (OSError,)
    import tensorflow as tf

    return OSError, tf.errors.OpError


def _source(place: str, who: str) -> Source:
    path = found(place if paths.is_remote(place) else os.path.expanduser(place))
    if prefix := checkpoint.prefix_of(path):
        return checkpoint.opened(prefix)
    if paths.is_folder(path):
        return _folder(path, who)
    file, copy = local(path)
    if files.is_old_checkpoint(file):
        return checkpoint.opened(path)
    return files.opened(path, file, copy)


def found(place: str) -> str:
    """Returns the path that a person means: the place itself, or the only source that fits it as a pattern.

    Matches are reduced to the prefixes of checkpoints. A prefix that ends where the pattern without its last `*` ends
    comes before the others, so that `ckpt-1000*` does not mean `ckpt-10000`.

    Raises:
        Refusal: Nothing is there, or several sources fit.
    """
    if paths.exists(place) or checkpoint.prefix_of(place):
        return place
    if not re.search(r"[*?\[]", place):
        raise Refusal(_absence(place))
    sources = _reduced(_matches(place))
    if not sources:
        raise Refusal(f"nothing fits {place}; give {TAKEN}")
    ending = place[:-1] if place.endswith("*") else place
    exact = [source for source in sources if fnmatch.fnmatchcase(source, ending)]
    fitting = exact or sources
    if len(fitting) > 1:
        raise Refusal(f"{len(fitting)} sources fit {place}: {', '.join(fitting)}; name one of them")
    return fitting[0]


def files_of(path: str) -> list[str]:
    """Returns the local files that are read of a source: a run's tables, one checkpoint's, or the file itself.

    Args:
        path: What `found` returned.
    """
    if prefix := checkpoint.prefix_of(path):
        return sorted(glob.glob(f"{glob.escape(prefix)}.index") + glob.glob(f"{glob.escape(prefix)}.data-*"))
    if not os.path.isdir(path):
        return [path]
    names = os.listdir(path)
    if "tables" in names and "manifest.json" not in names:
        return _files_in(os.path.join(path, "tables"))
    if "manifest.json" in names:
        return _files_in(path)
    if "saved_model.pb" in names:
        return [os.path.join(path, "saved_model.pb"), *_files_in(os.path.join(path, "variables"))]
    state, latest = os.path.join(path, "checkpoint"), checkpoint.latest(path)
    return [*filter(os.path.exists, [state]), *(files_of(latest) if latest else [])]


def _files_in(folder: str) -> list[str]:
    return sorted(str(file) for file in Path(folder).rglob("*") if file.is_file())


def _matches(pattern: str) -> list[str]:
    if not paths.is_remote(pattern):
        return sorted(glob.glob(pattern))
    import tensorflow as tf

    return sorted(tf.io.gfile.glob(pattern))


def _reduced(matches: list[str]) -> list[str]:
    """Returns the sources among the matches of a pattern: prefixes of checkpoints, other files, folders."""
    names = {match: checkpoint.prefix_of(match) or match for match in matches}
    own = ("checkpoint", "graph.pbtxt")  # beside checkpoints, and none themselves
    other = re.compile(r"\.(meta|data-\d{5}-of-\d{5})$|(^|/)events\.out\.tfevents\.")
    return sorted({name for name in names.values() if os.path.basename(name) not in own and not other.search(name)})


def _folder(folder: str, who: str) -> Source:
    names = paths.names_in(folder)
    if (
        "manifest.json" in names
        or "settings.json" in names
        or paths.exists(paths.join(folder, "tables", "manifest.json"))
    ):
        return run_folder.opened(folder, who)
    inside = paths.join(folder, "variables") if "saved_model.pb" in names else folder
    if prefix := checkpoint.latest(inside):
        return checkpoint.opened(prefix)
    if paths.names_in(paths.join(folder, "tables")):
        return run_folder.opened(folder, who)
    raise Refusal(f"{folder} holds nothing that a table can start from; give {TAKEN}")


def local(path: str) -> tuple[str, Any]:
    """Returns a local path to a file, and what removes it when it is let go, where it is a copy of a remote one."""
    if not paths.is_remote(path):
        return path, None
    import tensorflow as tf

    folder = files.TemporaryFolder()
    copy = str(Path(folder.name, os.path.basename(path)))
    tf.io.gfile.copy(path, copy)
    return copy, folder


def _absence(place: str) -> str:
    folder, name = os.path.split(place.rstrip("/"))
    there = paths.names_in(folder or ".")
    prefixes = [re.sub(r"\.(index|meta|data-\d{5}-of-\d{5})$", "", other) for other in there]
    return f"there is no {place}{nearest(name, prefixes) or f'; give {TAKEN}'}"
