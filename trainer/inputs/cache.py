"""Encoded examples that are kept: in memory up to a limit, else in Arrow files, named by what they are made of."""

import contextlib
import json
import os
import shutil
import tempfile
import weakref
import zlib
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from trainer import paths
from trainer.inputs.hiding import Hiding
from trainer.inputs.memory import Examples, joined
from trainer.inputs.packing import Array
from trainer.inputs.stored import Damaged, Stored
from trainer.inputs.writing import Kept, Writer

AnyExamples = Examples | Stored | Hiding

_CONTENT = "cache.json"


def chosen(examples: AnyExamples, places: Array) -> Examples:
    """Returns the examples at some places, in memory, of which there is a part at a time.

    Args:
        examples: Wherever they lie.
        places: Whole numbers, ascending, at least one.
    """
    parts, start = [], 0
    for part in examples.parts():
        inside = places[(places >= start) & (places < start + len(part))] - start
        if len(inside):
            parts.append(part.subset(inside))
        start += len(part)
    return joined(parts)


def default_memory() -> int:
    """Returns a quarter of the machine's memory, in bytes."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 4


class Draft:
    """A folder of encoded examples that is being written; it gets its name when it is whole.

    Args:
        folder: Where it will lie, local; None is a temporary one, which goes with this object.
        memory: The bytes of examples that may be held in memory, of all sets together; None is a quarter of it.
    """

    def __init__(self, folder: str | None, memory: int | None = None) -> None:
        self.folder = None if folder is None else os.path.abspath(folder)
        self.memory = default_memory() if memory is None else memory
        self._sets: dict[str, Collector] = {}
        self._spilled: str | None = None
        self.path: str | None = None
        self._made: list[str] = []
        if self.folder is not None:
            folder = self.folder
            above = os.path.dirname(folder)
            while not os.path.isdir(above):
                self._made.append(above)
                above = os.path.dirname(above)
            paths.make_folder(os.path.dirname(folder))
            self.path = tempfile.mkdtemp(dir=os.path.dirname(folder), prefix=".", suffix=".partial")
            os.chmod(self.path, os.stat(os.path.dirname(folder)).st_mode & 0o777)  # mkdtemp made it private

    def collector(self, name: str) -> "Collector":
        """Returns what takes the examples of a set, such as "train"."""
        if name not in self._sets:
            self._sets[name] = Collector(self, name)
        return self._sets[name]

    def file(self, name: str) -> str:
        """Returns the path of one of its files."""
        if self.path is None and self._spilled is None:
            self._spilled = tempfile.mkdtemp(prefix="embedding-columns-")
            weakref.finalize(self, shutil.rmtree, self._spilled, ignore_errors=True)
        return os.path.join(self.path or str(self._spilled), name)

    def make_room(self) -> None:
        """Moves all sets out of the memory where they take more than they may."""
        if sum(collector.held for collector in self._sets.values()) > self.memory:
            for collector in self._sets.values():
                collector.spill()

    def finish(self, content: Mapping[str, Any]) -> None:
        """Gives the folder its name, with what is to be known of it; what was kept there before goes."""
        kept = {name: collector.kept for name, collector in self._sets.items()}
        if self.path is None or self.folder is None or any(each is None for each in kept.values()):
            self.abandon()
            return
        sets = {name: each.to_dict() for name, each in kept.items() if each is not None}
        files = {name: _fingerprint(self.path, name, sets) for name in os.listdir(self.path)}
        paths.write_text(os.path.join(self.path, _CONTENT), json.dumps({**content, "sets": sets, "files": files}))
        above = os.path.dirname(self.folder)
        for name in os.listdir(above):  # of other columns or files, and what jobs have left that were killed
            if os.path.join(above, name) != self.path:
                shutil.rmtree(os.path.join(above, name), ignore_errors=True)
        os.rename(self.path, self.folder)
        self.path = None
        for name, collector in self._sets.items():
            if isinstance(collector.found, Stored):
                collector.found.path = os.path.join(self.folder, f"{name}.arrow")

    def abandon(self) -> None:
        """Removes the folder, and those that were made for it; files that are open can still be read."""
        if self.path is not None:
            shutil.rmtree(self.path, ignore_errors=True)
            with contextlib.suppress(OSError):
                for folder in self._made:
                    os.rmdir(folder)
        self.path = None

    def __enter__(self) -> "Draft":
        return self

    def __exit__(self, *error: object) -> None:
        self.abandon()


class Collector:
    """Takes the examples of a set as they come, and has them in the end.

    Args:
        draft: The folder that they go to, where they are kept or are too many.
        name: Of the set.
    """

    def __init__(self, draft: Draft, name: str) -> None:
        self._draft, self._name = draft, name
        self._parts: list[Examples] | None = []
        self._writer: Writer | None = None if draft.path is None else self._new_writer()
        self.held = 0
        self.rows = 0
        self.kept: Kept | None = None
        self.found: AnyExamples | None = None

    def add(self, part: Examples) -> None:
        """Takes some examples."""
        if not len(part):
            return
        self.rows += len(part)
        if self._writer is not None and not self._writer.fits(part):
            self._give_up_file()
        if self._writer is not None:
            self._writer.add(part)
        if self._parts is not None:
            self._parts.append(part)
            self.held += part.nbytes
            self._draft.make_room()

    def spill(self) -> None:
        """Leaves the examples to the file alone."""
        if self._parts is None or not self._parts:
            return
        if self._writer is None:
            self._writer = self._new_writer()
            for part in self._parts:
                if not self._writer.fits(part):
                    self._writer = None  # parts of different widths are held in memory, whatever they take
                    return
                self._writer.add(part)
        self._parts, self.held = None, 0

    def finish(self) -> AnyExamples | None:
        """Returns the examples, or None where there was none."""
        if self._writer is not None:
            self.kept = self._writer.close()
        if self._parts:
            self.found = joined(self._parts)
        elif self.kept is not None and self.kept.rows:
            self.found = Stored(self._path, self.kept)
        self._parts = None
        return self.found

    @property
    def _path(self) -> str:
        return self._draft.file(f"{self._name}.arrow")

    def _new_writer(self) -> Writer:
        return Writer(self._path)

    def _give_up_file(self) -> None:
        """Takes back what the file has, as the next examples do not lie as its own do."""
        kept = self._writer.close() if self._writer is not None else None
        if self._parts is None and kept is not None:
            self._parts = [Stored(self._path, kept).in_memory()]
        self._writer = None


def find(folders: Iterable[str], digest: str) -> tuple[str, dict[str, Any]] | None:
    """Returns the first folder of a digest that is whole, and what is to be known of it.

    Args:
        folders: Folders that may have one of the digest's name in them.
        digest: Of all that the examples are made of.
    """
    for folder in folders:
        path = os.path.join(folder, digest)
        with contextlib.suppress(OSError, ValueError, KeyError):
            content = json.loads(paths.read_text(os.path.join(path, _CONTENT)))
            files, sets = content["files"], content["sets"]
            if all(_fingerprint(path, name, sets) == told for name, told in files.items()):
                return path, content
    return None


def _fingerprint(folder: str, name: str, sets: Collection[str]) -> list[int]:
    """Returns what tells whether a file is as it was written: its size and, where its blocks have none, a checksum."""
    path = os.path.join(folder, name)
    return [os.path.getsize(path), 0 if name.removesuffix(".arrow") in sets else zlib.crc32(paths.read_bytes(path))]


def sets_of(path: str, content: Mapping[str, Any], memory: int | None = None) -> dict[str, AnyExamples] | None:
    """Returns the examples of a folder by the name of their set; None where a file is not as it was written.

    Args:
        path: Of the folder.
        content: What `find` has told of it.
        memory: The bytes of examples that may be held in memory; None is a quarter of it.
    """
    memory = default_memory() if memory is None else memory
    try:
        kept = {name: Kept.from_dict(given) for name, given in content["sets"].items()}
        found: dict[str, AnyExamples] = {
            name: Stored(os.path.join(path, f"{name}.arrow"), each) for name, each in kept.items() if each.rows
        }
        if sum(each.nbytes for each in kept.values()) <= memory:
            return {name: examples.in_memory() for name, examples in found.items()}
    except (Damaged, KeyError, TypeError):
        shutil.rmtree(path, ignore_errors=True)
        return None
    return found
