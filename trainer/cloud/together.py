"""Several programs that do one thing together: they run until the first has done it, or until any has failed.

As on Vertex AI, the job has succeeded when its first program has, and has failed when any has.
"""

import math
import selectors
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from trainer.cloud import lines
from trainer.cloud.guard import GRACE_SECONDS, Guard
from trainer.cloud.process import Process, Program

AFTER_FIRST_SECONDS = 15.0
"""How long the others have to end when the first program has succeeded."""

_TOGETHER_SECONDS = 0.5
"""Of those that fail within so short a time the first program is the cause: the others are told of its end at once."""

_TURN_SECONDS = 0.05


def run(programs: Sequence[Program], grace: float = GRACE_SECONDS, after_first: float = AFTER_FIRST_SECONDS) -> int:
    """Runs programs together and returns their exit code: that of the first that fails, else of the first program.

    The lines of several are passed on one by one with the program's name in front; one by itself has the streams of
    this process. Ctrl-C and requests to end are passed on, and then the programs are waited for, as they may have a
    checkpoint to write; a second Ctrl-C kills them. When this process is killed, they are ended.

    Args:
        programs: What is started; the first one decides when the job is done.
        grace: How many seconds they have after a SIGTERM, until they are killed.
        after_first: How many seconds the others have to end by themselves when the first has succeeded.

    Raises:
        KeyboardInterrupt: A second Ctrl-C came.
    """
    with selectors.DefaultSelector() as selector, Guard() as guard, _asked() as asked:
        job = _Job(selector, guard, asked, grace)
        try:
            job.start(programs)
            return job.finish(after_first)
        finally:
            job.clear()


@contextmanager
def _asked() -> Iterator[list[int]]:
    """Yields a list that the signals come into, of which a second Ctrl-C raises."""
    asked: list[int] = []

    def ask(number: int, _: FrameType | None) -> None:
        if number == signal.SIGINT and number in asked:
            signal.signal(number, signal.SIG_IGN)  # what is done now is done to its end
            raise KeyboardInterrupt
        asked.append(number)

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    # What is ignored stays so: nohup has a job outlive its terminal, a shell one in its background pass Ctrl-C over.
    heard = [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, ask) for number in heard}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Job:
    """Programs that run together.

    Args:
        selector: Is told of their streams.
        guard: Is told of their process groups.
        asked: The signals that have come, as they come.
        grace: How many seconds a program has after a SIGTERM.
    """

    def __init__(self, selector: selectors.BaseSelector, guard: Guard, asked: list[int], grace: float) -> None:
        self._selector, self._guard, self._asked, self._grace = selector, guard, asked, grace
        self._all: list[Process] = []
        self._running: list[Process] = []
        self._failed: list[Process] = []
        self._passed_on = 0

    def start(self, programs: Sequence[Program]) -> None:
        """Starts the programs."""
        width = max(len(program.name) for program in programs)
        coloured = [lines.is_coloured(stream.buffer) for stream in (sys.stdout, sys.stderr)]
        for place, program in enumerate(programs):
            of_output, of_errors = (lines.label(program.name, width, place, each) for each in coloured)
            process = Process(program, self._selector, (of_output, of_errors) if len(programs) > 1 else None)
            self._all.append(process)
            self._running.append(process)
            self._guard.has_started(process.group)

    def finish(self, after_first: float) -> int:
        """Returns the exit code of the job when all have ended."""
        first = self._all[0]
        self._turn_until(lambda: bool(self._failed or self._asked) or first.code is not None)
        if self._asked:
            # Those that serve are needed for what the others still write.
            self._turn_until(self._only_serve)
            self._end()
        elif first.code == 0:
            self._turn_until(_never, after_first)
            late = list(self._running)
            self._end()
            self._tell_after(late, after_first)
        else:
            self._turn_until(_never, _TOGETHER_SECONDS)
            cause = min(self._failed, key=self._all.index)
            self._end()
            if len(self._all) > 1:
                _tell_cause(cause)
            return cause.code or 0
        return first.code or 0

    def clear(self) -> None:
        """Kills what still runs, after an error."""
        for process in self._running:
            process.kill()
        for process in self._running:
            process.wait()
            process.drop()
            self._guard.has_ended(process.group)

    def _turn_until(self, is_reached: Callable[[], bool], seconds: float = math.inf) -> None:
        """Passes lines and signals on until something is reached, all programs have ended, or the time is over."""
        end = time.monotonic() + seconds
        while self._running and not is_reached() and time.monotonic() < end:
            for key, _ in self._selector.select(_TURN_SECONDS):
                key.data.read(key.fd)
            self._pass_on()
            over = [process for process in self._running if process.is_over]
            self._failed += [each for each in self._running if each.code and each not in self._failed]
            for process in over:
                self._running.remove(process)
                self._guard.has_ended(process.group)

    def _pass_on(self) -> None:
        for number in self._asked[self._passed_on :]:
            self._passed_on += 1
            waited_for = [process for process in self._running if not process.program.serves]
            if len(self._all) > 1:
                names = ", ".join(process.program.name for process in waited_for)
                _say(f"{signal.Signals(number).name} is passed on to {names}; Ctrl-C, once more, kills all at once.")
            for process in waited_for:
                process.send(number)

    def _end(self) -> None:
        """Ends what still runs, those that serve after the others, and kills what does not end in time."""
        end = time.monotonic() + self._grace
        for serves, is_reached in ((False, self._only_serve), (True, _never)):
            for process in self._running:
                if process.program.serves == serves:
                    process.send(signal.SIGTERM)
            self._turn_until(is_reached, end - time.monotonic())
        for process in self._running:
            process.kill()
        self._turn_until(_never)

    def _only_serve(self) -> bool:
        return all(process.program.serves for process in self._running)

    def _tell_after(self, late: Sequence[Process], seconds: float) -> None:
        first = self._all[0].program.name
        for process in late:
            _say(f"{process.program.name} had not ended {seconds:g} s after {first}, and was ended.")
        for process in self._failed:
            if process not in late:
                _say(f"{_ending(process)} after {first} had succeeded, which does not count.")


def _never() -> bool:
    return False


def _ending(process: Process) -> str:
    how = f"was ended by {process.signal}" if process.signal else f"failed with exit code {process.code}"
    return f"{process.program.name} {how}"


def _tell_cause(process: Process) -> None:
    """Says which program has failed, and what it said last."""
    why = ", as the system does when memory is short" if process.signal == "SIGKILL" else ""
    told = "its last lines:" if process.last else "it has printed nothing."
    _say(f"{_ending(process)}{why}, and that has ended the job; {told}")
    for line in process.last:
        sys.stderr.buffer.write(process.label + line + b"\n")
    sys.stderr.flush()


def _say(sentence: str) -> None:
    print(f"submit: {sentence}", file=sys.stderr, flush=True)
