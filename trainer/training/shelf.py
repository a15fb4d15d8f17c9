"""The folder of the checkpoints: which are there, and how they come and go without one that is half there."""

import contextlib
import os
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from trainer import paths
from trainer.errors import Refusal
from trainer.run import BEST, CHECKPOINT, OTHER_BEST
from trainer.training import saving

_PARTIAL = ".partial"


class Shelf:
    """The checkpoints in a folder, `step-00000605` and so on.

    A local one is written under another name, which is then changed; one in a bucket, where no folder is renamed in one
    go, has no `state.json` until it is whole.

    Args:
        folder: Local or remote; it need not be there.
    """

    def __init__(self, folder: str) -> None:
        self.folder = paths.absolute(folder)
        self._is_in_bucket = paths.is_in_bucket(self.folder)

    def path(self, name: str) -> str:
        """Returns the path of a checkpoint."""
        return paths.join(self.folder, name)

    @property
    def names(self) -> list[str]:
        """The names of the checkpoints of steps, newest first."""
        found = [name for name in paths.names_in(self.folder) if _place(name) is not None]
        return sorted(found, key=lambda name: _place(name) or (), reverse=True)

    @property
    def best(self) -> str:
        """The path of the best weights; of two, which a kill may leave in a bucket, those after more steps."""
        return max((self.path(name) for name in (BEST, OTHER_BEST)), key=_steps)

    def newest(self, tell: Callable[[str], object]) -> tuple[str, dict[str, Any], list[str]]:
        """Returns the newest checkpoint that is whole, its state, and the names of newer ones that are not.

        Args:
            tell: Is given a line for each of these.

        Raises:
            Refusal: There is none.
        """
        why: dict[str, str] = {}
        for name in self.names:
            try:
                state = saving.check(self.path(name))
            except saving.Torn as torn:
                why[name] = str(torn)
                continue
            for other, reason in why.items():
                tell(f"checkpoint {self.path(other)} is left out: {reason}; {name} is taken")
            return name, state, [*why]
        reasons = "; ".join(f"{name}: {reason}" for name, reason in why.items())
        found = (
            f"no checkpoint in {self.folder} can be read: {reasons}" if why else f"{self.folder} holds no checkpoint"
        )
        raise Refusal(f"--resume: {found}; --overwrite starts the run anew.")

    def free_name(self, steps: int) -> str:
        """Returns a name for the checkpoint after some steps; there may be one already, of before an epoch's end."""
        name, number, there = f"{CHECKPOINT}{steps:08d}", 1, set(self.names)
        while name in there:
            number += 1
            name = f"{CHECKPOINT}{steps:08d}-{number}"
        return name

    def clean(self) -> None:
        """Removes what a kill has left that is half written, and takes back what was to be replaced."""
        if paths.exists(hidden := self.path(f".{BEST}.old{_PARTIAL}")) and not paths.exists(self.path(BEST)):
            os.rename(hidden, self.path(BEST))
        for name in paths.names_in(self.folder):
            if self._is_half(name):
                with contextlib.suppress(OSError):
                    (paths.remove_folder if paths.is_folder(self.path(name)) else paths.remove_file)(self.path(name))

    def _is_half(self, name: str) -> bool:
        if self._is_in_bucket and (_place(name) is not None or name in (BEST, OTHER_BEST)):
            return not paths.exists(paths.join(self.path(name), saving.STATE))
        return name.startswith(".") and name.endswith(_PARTIAL)

    def put(
        self,
        name: str,
        variables: Mapping[str, Any],
        state: Mapping[str, Any],
        check: Callable[[str, Any], object] = lambda name, values: None,
    ) -> None:
        """Writes a checkpoint, in place of one of the same name; in a bucket, where that is the best one, beside it.

        Args:
            name: Of the checkpoint.
            variables: As in `saving.write`.
            state: As in `saving.write`.
            check: As in `saving.write`.

        Raises:
            OSError: It cannot be written; nothing of it stays, and one of the same name does.
        """
        place = self._new(name)
        if paths.exists(place):
            paths.remove_folder(place)
        try:
            saving.write(place, variables, state, check)
            if not self._is_in_bucket:
                self.remove(name)
                os.rename(place, self.path(name))
                paths.sync(self.folder)
        except BaseException:
            with contextlib.suppress(OSError):
                paths.remove_folder(place)
            raise
        if name == BEST:
            self.remove(BEST if place == self.path(OTHER_BEST) else OTHER_BEST)

    def _new(self, name: str) -> str:
        """Returns where a checkpoint is written to, whose name may be another's until it is whole."""
        if not self._is_in_bucket:
            return self.path(f".{name}{_PARTIAL}")
        is_taken = name == BEST and self.best == self.path(BEST) and paths.exists(self.path(BEST))
        return self.path(OTHER_BEST if is_taken else name)

    def remove(self, name: str) -> None:
        """Removes a checkpoint, if it is there."""
        path, hidden = self.path(name), self.path(f".{name}.old{_PARTIAL}")
        if self._is_in_bucket:
            _remove_whole(path)
        elif paths.exists(path):
            os.rename(path, hidden)  # so that a kill leaves none that looks torn
            paths.remove_folder(hidden)

    def keep(self, count: int, bad: Collection[str] = ()) -> None:
        """Removes all checkpoints of steps but the newest, and those that could not be read."""
        good = [name for name in self.names if name not in bad]
        for name in (*bad, *good[count:]):
            with contextlib.suppress(OSError):
                self.remove(name)


def _remove_whole(path: str) -> None:
    """Removes a folder in a bucket, first what makes it a checkpoint, so that a kill leaves none that looks torn."""
    if paths.exists(path):
        if paths.exists(state := paths.join(path, saving.STATE)):
            paths.remove_file(state)
        paths.remove_folder(path)


def _steps(path: str) -> int:
    """Returns after how many steps the best weights were written, -1 where they are not whole."""
    try:
        return int(saving.read(path)["steps"])
    except (saving.Torn, KeyError):
        return -1


def _place(name: str) -> tuple[int, ...] | None:
    found = re.fullmatch(rf"{CHECKPOINT}(\d+)(?:-(\d+))?", name)
    return None if found is None else (int(found[1]), int(found[2] or 1))
