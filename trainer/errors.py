"""What a person is told when something they gave cannot be used."""

import atexit
import difflib
import os
import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NoReturn


class Refusal(ValueError):
    """A person's mistake, told in one sentence, before training starts.

    The sentence says who refuses, what was wanted, what came and what to do. The commands print it alone on
    stderr and exit with 2.

    Example:
        >>> raise Refusal("--num-epochs: a whole number above 0 is wanted, not 0.")
        Traceback (most recent call last):
            ...
        trainer.errors.Refusal: --num-epochs: a whole number above 0 is wanted, not 0.
    """


class TrainingFailure(RuntimeError):
    """A run that started and cannot go on, told in one sentence; the commands exit with 1."""


class Terminated(BaseException):
    """A SIGTERM, as a cloud sends it before it takes a machine away; the commands exit with 143.

    It is no `Exception`, as `KeyboardInterrupt` is none, so that nothing goes on as if something had failed.
    """


@contextmanager
def raising_terminated() -> Iterator[None]:
    """Makes a `Terminated` of a SIGTERM, but where it is ignored or is someone else's."""

    def terminate(number: int, frame: object) -> None:
        raise Terminated

    is_ours = threading.current_thread() is threading.main_thread()
    if not is_ours or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def leave(code: int) -> NoReturn:
    """Ends the process with an exit code; after a SIGTERM without the seconds in which Python takes models apart."""
    if code == 143:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        atexit._run_exitfuncs()  # temporary folders go
        os._exit(code)
    sys.exit(code)


@contextmanager
def refusing(who: str) -> Iterator[None]:
    """Makes one sentence of what is refused inside, that begins with who refuses.

    Example:
        >>> with refusing("warm start of 'day'"):
        ...     raise Refusal("there is no london")
        Traceback (most recent call last):
            ...
        trainer.errors.Refusal: warm start of 'day': there is no london.
    """
    try:
        yield
    except Refusal as refusal:
        text = str(refusal)
        sentence = text if text.startswith(who) else f"{who}: {text}"
        raise Refusal(sentence if sentence.endswith((".", "?")) else f"{sentence}.") from None


def nearest(name: str, names: Iterable[str]) -> str:
    """Returns the end of a sentence that suggests the nearest of `names`, or the empty string.

    Args:
        name: What a person wrote.
        names: What they could have meant.

    Example:
        >>> nearest("flihgts", ["flights", "movies"])
        "; did you mean 'flights'?"
        >>> nearest("zebra", ["flights", "movies"])
        ''
    """
    found = difflib.get_close_matches(name, list(names), n=1)
    return f"; did you mean '{found[0]}'?" if found else ""
