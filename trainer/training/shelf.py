"""The folder of the checkpoints: which are there, and how they come and go without one that is half there."""

import contextlib
import os
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from trainer import paths
from trainer.errors import Refusal
from trainer.run import BEST, CHECKPOINT
from trainer.training import saving

_PARTIAL = ".partial"


class Shelf:
    """The checkpoints in a folder, `step-00000605` and so on.

    A local one is written under another name, which is then changed; a remote one has no `state.json` until it is
    whole.

    Args:
        folder: Local or remote; it need not be there.
    """

    def __init__(self, folder: str) -> None:
        self.folder = paths.absolute(folder)

    def path(self, name: str) -> str:
        """Returns the path of a checkpoint."""
        return paths.join(self.folder, name)

    @property
    def names(self) -> list[str]:
        """The names of the checkpoints of steps, newest first."""
        found = [name for name in paths.names_in(self.folder) if _place(name) is not None]
        return sorted(found, key=lambda name: _place(name) or (), reverse=True)

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
        if paths.is_remote(self.folder) and _place(name) is not None:
            return not paths.exists(paths.join(self.path(name), saving.STATE))
        return name.startswith(".") and name.endswith(_PARTIAL)

    def put(
        self,
        name: str,
        variables: Mapping[str, Any],
        state: Mapping[str, Any],
        check: Callable[[str, Any], object] = lambda name, values: None,
    ) -> None:
        """Writes a checkpoint, in place of one of the same name.

        Args:
            name: Of the checkpoint.
            variables: As in `saving.write`.
            state: As in `saving.write`.
            check: As in `saving.write`.

        Raises:
            OSError: It cannot be written; nothing of it stays, and one of the same name does.
        """
        is_remote = paths.is_remote(self.folder)
        place = self.path(name if is_remote else f".{name}{_PARTIAL}")
        if paths.exists(place):
            paths.remove_folder(place)
        try:
            saving.write(place, variables, state, check)
            if not is_remote:
                self.remove(name)
                os.rename(place, self.path(name))
                paths.sync(self.folder)
        except BaseException:
            with contextlib.suppress(OSError):
                paths.remove_folder(place)
            raise

    def remove(self, name: str) -> None:
        """Removes a checkpoint, if it is there."""
        path, hidden = self.path(name), self.path(f".{name}.old{_PARTIAL}")
        if not paths.exists(path):
            return
        if not paths.is_remote(path):  # so that a kill leaves none that looks torn
            os.rename(path, hidden)
            path = hidden
        paths.remove_folder(path)

    def keep(self, count: int, bad: Collection[str] = ()) -> None:
        """Removes all checkpoints of steps but the newest, and those that could not be read."""
        good = [name for name in self.names if name not in bad]
        for name in (*bad, *good[count:]):
            with contextlib.suppress(OSError):
                self.remove(name)


def _place(name: str) -> tuple[int, ...] | None:
    found = re.fullmatch(rf"{CHECKPOINT}(\d+)(?:-(\d+))?", name)
    return None if found is None else (int(found[1]), int(found[2] or 1))
