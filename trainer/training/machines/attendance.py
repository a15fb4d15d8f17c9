"""Which workers are there: a chief that can do without one tells when it goes and when it comes back."""

import threading
from collections.abc import Callable, Sequence

from trainer.cluster import Task
from trainer.training.machines.peers import EVERY_SECONDS, answers

GONE_AFTER = 2
"""Looks in vain, one after the other, until a worker counts as gone."""


class Attendance:
    """Tells of workers that go and come back, from a thread of its own, while its block runs.

    Args:
        workers: All are there when the block begins.
        tell: Is given a line.
        every_seconds: How often each is looked for.
    """

    def __init__(
        self,
        workers: Sequence[Task],
        tell: Callable[[str], object] = lambda line: print(line, flush=True),
        every_seconds: float = EVERY_SECONDS,
    ) -> None:
        self._in_vain = dict.fromkeys(workers, 0)
        self._tell, self._every_seconds = tell, every_seconds
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="attendance of workers", daemon=True)

    def __enter__(self) -> "Attendance":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()

    def _look(self) -> None:
        while not self._over.wait(self._every_seconds):
            for worker, before in self._in_vain.items():
                self._in_vain[worker] = 0 if answers(worker) else before + 1
                if self._over.is_set():
                    return
                if self._in_vain[worker] == GONE_AFTER:
                    self._tell(f"{worker.name} has gone; {self._others()}")
                elif before >= GONE_AFTER and not self._in_vain[worker]:
                    self._tell(f"{worker.name} is back")

    def _others(self) -> str:
        count = sum(in_vain < GONE_AFTER for in_vain in self._in_vain.values())
        if not count:
            return "no other is left: the training goes on when one is started again"
        return f"{count} {'goes' if count == 1 else 'go'} on without it, and it can be started again"
