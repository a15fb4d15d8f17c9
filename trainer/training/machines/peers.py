"""A watch over the other machines of a job, which ends a process that waits for one in vain, with a sentence."""

import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from trainer.cluster import Task
from trainer.errors import TrainingFailure
from trainer.terminal import listed

ADVICE = "start all processes again with --resume, which goes on from the last checkpoint."
"""What to do when a process is lost."""

EVERY_SECONDS = 2.0
"""How often each of the others is looked for."""

ANSWER_SECONDS = 3.0
"""How long one has for an answer."""

GONE_AFTER = 4
"""Looks in vain, one after the other, until a process that was there counts as gone."""

_TOLD_AFTER, _TOLD_EVERY = 10.0, 60.0


def answers(task: Task, seconds: float = ANSWER_SECONDS) -> bool:
    """Tells whether something listens at the address of a process."""
    host, _, port = task.address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), seconds):
            return True
    except (OSError, ValueError):
        return False


def wait_for(
    others: Sequence[Task],
    seconds: float,
    tell: Callable[[str], None] = lambda line: print(line, flush=True),
) -> None:
    """Waits until all of some processes are there.

    TensorFlow's own ways to wait hold Python's lock, so that nothing else happens in a process meanwhile.

    Args:
        others: The processes.
        seconds: How long they have.
        tell: Is given a line now and then.

    Raises:
        TrainingFailure: They were not there in time.
    """
    start, told, missing = time.monotonic(), 0.0, others
    while missing := [task for task in missing if not answers(task)]:
        waited = time.monotonic() - start
        if waited > seconds:
            raise TrainingFailure(
                f"{_names(missing)} did not come up within {seconds:g} s; start all processes of TF_CONFIG, or give a "
                "larger --start-seconds."
            )
        if waited > told + (_TOLD_EVERY if told else _TOLD_AFTER):
            told = waited
            tell(f"waiting for {_names(missing)}, {waited:.0f} s so far")
        time.sleep(0.2)


@contextmanager
def listening(own: Task) -> Iterator[None]:
    """Listens at the address of this process while the block runs, so that others see that it is there.

    Raises:
        TrainingFailure: Another program has the address.
    """
    port = int(own.address.rpartition(":")[2])
    try:
        listener = socket.create_server(("", port), backlog=128)
    except OSError as error:
        raise TrainingFailure(
            f"{own.name}: this process cannot listen there ({error.strerror}); end what has the port, or give another."
        ) from None
    with listener:
        yield


class Watch:
    """Looks for the other processes of a job, in a thread of its own.

    A process that waits for another does so inside TensorFlow, where no signal and no exception reaches it, and for
    ever; so the thread says in a sentence who has gone and ends the process with code 1.

    Args:
        others: The processes that this one cannot do without; all are there when the block begins.
        advice: The end of the sentence when one has gone: what a person should do.
        end: Is given the sentence; it does not return.
        seconds: How long others may keep this process waiting in what is `limited`; None is for ever.
    """

    def __init__(
        self,
        others: Sequence[Task],
        advice: str,
        end: Callable[[str], None] | None = None,
        seconds: float | None = None,
    ) -> None:
        self._others, self._advice, self._end, self._seconds = list(others), advice, end or _end, seconds
        self._since: float | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="watch over peers", daemon=True)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Looks no more: from here on the others may go."""
        self._over.set()

    @contextmanager
    def limited(self) -> Iterator[None]:
        """Lets others keep this process waiting for so long, and no longer, while the block runs."""
        self._since = time.monotonic()
        try:
            yield
        finally:
            self._since = None

    def find(self, seconds: float = 30.0) -> None:
        """Waits until the thread ends the process, where something failed because another one may have gone.

        Returns after some seconds, if nobody has.
        """
        self._over.wait(seconds)

    def _look(self) -> None:
        in_vain = dict.fromkeys(self._others, 0)
        while not self._over.wait(EVERY_SECONDS):
            for task in self._others:
                in_vain[task] = 0 if answers(task) else in_vain[task] + 1
            since = self._since
            if self._seconds is not None and since is not None and time.monotonic() - since > self._seconds:
                silent = f"{_names(self._others)} kept this process waiting for over {self._seconds:g} s"
                self._end(f"{silent} (--peer-seconds); {self._advice}")
                return
            gone = [task for task, times in in_vain.items() if times >= GONE_AFTER]
            if gone and not self._over.is_set():
                self._end(f"{_names(gone)} {'has' if len(gone) == 1 else 'have'} gone; {self._advice}")
                return


def lost_touch(error: Exception) -> TrainingFailure:
    """Returns what is said of an error of TensorFlow's, where no process is found that has gone."""
    why = " ".join(str(error).split("\n")[0].split())
    return TrainingFailure(f"the processes of TF_CONFIG lost touch with one another ({why}); {ADVICE}")


def _names(tasks: Sequence[Task]) -> str:
    return listed([task.name for task in tasks])


def _end(sentence: str) -> None:
    sys.stdout.flush()
    print(sentence, file=sys.stderr, flush=True)
    os._exit(1)
