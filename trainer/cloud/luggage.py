"""What a job carries with it: a problem's file and what that reads, other files of one's own, sources of tables."""

import glob
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from trainer import flags, paths
from trainer.cloud import reading
from trainer.cloud.arguments import Asked, Places, is_here
from trainer.errors import Refusal, refusing
from trainer.feature_column import EmbeddingColumn
from trainer.feature_column.nested import nested
from trainer.feature_column.starting import Held
from trainer.feature_column.vocabulary import VocabularyFile
from trainer.problem import Files, Problem

_BLOCK = 1 << 20


@dataclass(frozen=True)
class Item:
    """A file that goes along.

    Args:
        place: Where it lies in the job's folder, as in "own/mine.py".
        path: The file here, absolute.
    """

    place: str
    path: str

    @cached_property
    def digest(self) -> str:
        """Of its content, 16 letters."""
        found = hashlib.sha256()
        with open(self.path, "rb") as file:
            while block := file.read(_BLOCK):
                found.update(block)
        return found.hexdigest()[:16]

    @property
    def staged(self) -> str:
        """Where it lies in a folder that many jobs share: the same content has the same place.

        Example:
            >>> Item("own/empty.txt", os.devnull).staged
            'files/e3b0c44298fc1c14/empty.txt'
        """
        return f"files/{self.digest}/{os.path.basename(self.place)}"


@dataclass(frozen=True)
class Luggage:
    """What goes along with a job, and what its settings are called there.

    Args:
        items: The files, by their places.
        renamed: The settings whose files are not where one named them, by name.
    """

    items: tuple[Item, ...] = ()
    renamed: Places = field(default_factory=dict, hash=False)


def listing(found: Mapping[str, str]) -> str:
    """Returns the file that `trainer.cloud.start` reads: where each place's content lies, beside that file or in full.

    Example:
        >>> listing({"own/mine.py": "files/ab12/mine.py"})
        '{\\n "own/mine.py": "files/ab12/mine.py"\\n}\\n'
    """
    return json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def packed(asked: Asked, with_rows: bool = False) -> Luggage:
    """Returns what goes along with a job that is started from the current folder.

    A file in this folder has the same place in the job's, so that flags and problem find it by the words one typed.
    What flags name elsewhere gets a place of its own.

    Args:
        asked: The job.
        with_rows: Whether files of rows go along that the problem itself names; what `--train-files` names never does.

    Raises:
        Refusal: The problem reads a file outside of the current folder, or a flag names one that is not there, or a
            file's name is no text.
    """
    packing = _Packing(os.getcwd())
    renamed = {name: value for name, value in _renamed(asked, packing) if value != getattr(asked.settings, name)}
    for path in _read_by_the_problem(asked, with_rows):
        packing.add_inside(path, asked.settings.problem)
    for place in packing.found:
        _check_name(place)
    items = tuple(Item(place, path) for place, path in sorted(packing.found.items()))
    return Luggage(items, renamed)


def _check_name(place: str) -> None:
    """Refuses what neither the list of the luggage nor a bucket can be told of."""
    if "\n" in place or "\r" in place or place != place.encode(errors="replace").decode():
        raise Refusal(f"submit: a file is called {place!a}, which no bucket takes; give it another name.")


class _Packing:
    """Collects files.

    Args:
        folder: The one that the job is started from.
    """

    def __init__(self, folder: str) -> None:
        self.folder, self.found = folder, dict[str, str]()
        self._others = 0

    def file(self, given: str, flag: str) -> str:
        """Adds a file and returns what to call it in the job's folder."""
        if not os.path.isfile(paths.absolute(given)):
            raise Refusal(f"{flag}: there is no file {given}; give the path of one from here.")
        return self._files(given, paths.absolute(given), [paths.absolute(given)])

    def source(self, given: str) -> str:
        """Adds what a table starts from, and returns what to call it in the job's folder."""
        found, files = _source(given)
        return self._files(given, paths.absolute(found), [paths.absolute(file) for file in files])

    def add_inside(self, path: str, problem: str) -> None:
        """Adds a file that the problem's own code asks for by its path."""
        path = self._at(path)
        if not self._is_inside(path):
            raise Refusal(
                f"--problem: {problem} reads {path}, which lies outside of {self.folder} and so cannot go along; put "
                "it into this folder and name it from there, or give a gs:// path."
            )
        self.found[os.path.relpath(path, self.folder)] = path

    def _files(self, given: str, named: str, files: Iterable[str]) -> str:
        named, files = self._at(named), [*map(self._at, files)]
        is_inside = self._is_inside(named)
        if not is_inside:
            self._others += 1
        above = self.folder if is_inside else os.path.dirname(named)
        beside = "" if is_inside else f"elsewhere-{self._others}"
        for file in files:
            self.found[os.path.join(beside, os.path.relpath(file, above))] = file
        return given if is_inside and _is_plain(given) else os.path.join(beside, os.path.relpath(named, above))

    def _at(self, path: str) -> str:
        """Returns a path as it begins with the folder, where it leads into this by links, as a shell's $PWD may."""
        straight = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
        return straight if self._is_inside(straight) and not self._is_inside(path) else path

    def _is_inside(self, path: str) -> bool:
        return path.startswith(f"{self.folder.rstrip(os.sep)}{os.sep}")


def _is_plain(given: str) -> bool:
    """Tells whether a path means the same file in another folder of the same content."""
    return not os.path.isabs(given) and not given.startswith("~") and ".." not in given.split(os.sep)


def _renamed(asked: Asked, packing: _Packing) -> Iterator[tuple[str, str | tuple[str, ...]]]:
    """Packs what the settings name, and yields each of these with what names it in the job's folder."""
    settings = asked.settings
    if asked.has_own_problem:
        yield "problem", packing.file(settings.problem, "--problem")
    if settings.settings and is_here(settings.settings):
        yield "settings", packing.file(settings.settings, "--settings")
    if own := _optimizer_file(settings.optimizer):
        yield "optimizer", f"{packing.file(own, '--optimizer')}:{(settings.optimizer or '').rpartition(':')[2]}"
    starts = [_renamed_start(packing, *start) for start in settings.warm_starts.items()]
    yield "warm_start", tuple(starts)
    old = settings.old_vocabularies.items()
    flag = flags.flag_name("old_vocabulary")
    yield "old_vocabulary", tuple(f"{t}={packing.file(file, flag) if is_here(file) else file}" for t, file in old)


def _renamed_start(packing: _Packing, table: str, source: tuple[str, str | None]) -> str:
    place, tensor = source
    with refusing(f"warm start of '{table}'"):
        found = packing.source(place) if is_here(place) else place
    return f"{table}={found}{f'#{tensor}' if tensor else ''}"


def _optimizer_file(optimizer: str | None) -> str | None:
    """Returns the file of an optimizer's name, FILE.py:NAME, where it is one of this machine."""
    file, colon, _ = (optimizer or "").rpartition(":")
    return file if colon and is_here(file) else None


def _read_by_the_problem(asked: Asked, with_rows: bool) -> Iterator[str]:
    """Yields the absolute paths of this machine's files that the problem asks for itself."""
    problem = asked.problem
    if asked.has_own_problem:
        yield from (file for file in asked.files if file != paths.absolute(asked.settings.problem))
        yield from reading.own_modules(os.getcwd())
    tables = [entry[0] if isinstance(entry, tuple) else entry for entry in problem.table_optimizers.values()]
    named = [*map(_optimizer_file, (problem.dnn_optimizer, problem.linear_optimizer, *tables)), *_of_columns(problem)]
    named += [file for measure in problem.measures for file in measure.files if is_here(file)]
    rows = problem.dataset if asked.settings.train_files is None and asked.settings.dataset is None else None
    if with_rows and isinstance(rows, Files):
        patterns = filter(None, (rows.train, rows.validation, rows.test))
        named += [file for pattern in patterns if is_here(pattern) for file in _matching(pattern)]
    yield from (paths.absolute(file) for file in named if file)


def _of_columns(problem: Problem) -> Iterator[str]:
    for column in (inner for outer in problem.columns for inner in nested(outer)):
        files = getattr(column, "vocabulary_list", None), getattr(column, "old_vocabulary", None)
        for file in (files[0].path if isinstance(files[0], VocabularyFile) else None, files[1]):
            if isinstance(file, str) and is_here(file):
                yield file
        if isinstance(column, EmbeddingColumn) and column.ckpt_to_load_from:
            source = column.ckpt_to_load_from
            if not isinstance(source, Held) and is_here(source):
                with refusing(f"warm start of '{column.table}'"):
                    files_of_source = _source(source)[1]
                yield from files_of_source


def _source(given: str) -> tuple[str, list[str]]:
    """Returns the path of what a table starts from, and the files that are read of it."""
    from trainer.warm_start import places  # NumPy comes with it, and most jobs do without

    found = places.found(os.path.expanduser(given))
    return found, places.files_of(found)


def _matching(pattern: str) -> list[str]:
    pattern = os.path.expanduser(pattern)
    if os.path.isabs(pattern):  # which a rehearsal reads where it is
        return []
    return [pattern] if os.path.isfile(pattern) else sorted(filter(os.path.isfile, glob.glob(pattern, recursive=True)))
