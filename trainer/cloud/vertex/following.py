"""Shows a job until it ends: its states and its log lines; and what happens when one stops looking."""

import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from trainer.cloud.vertex import by_hand, service
from trainer.cloud.vertex.lines import Lines
from trainer.cloud.vertex.sent import Sent
from trainer.errors import Terminated, TrainingFailure

POLL_SECONDS = 5.0
LAST_POLLS = 6
"""How often log lines are asked for at most once the job has ended: the last ones come late."""

ENDS = {
    "SUCCEEDED": "has succeeded",
    "FAILED": "has failed",
    "CANCELLED": "was cancelled",
    "EXPIRED": "has run longer than it may",
    "PARTIALLY_SUCCEEDED": "has succeeded in part",
}
"""How a job may have ended, by its state."""


@dataclass(frozen=True)
class View:
    """What is shown of a job besides its states.

    Args:
        new: Returns the lines that are new, of the job as it is now.
        left: Returns what is said of a job that has succeeded, and the folder of its run.
        is_late: Whether lines may come when the job has ended.
    """

    new: Callable[[Any], list[str]]
    left: Callable[[Any], tuple[str, str | None]]
    is_late: bool


def of_lines(sent: Sent) -> View:
    """Returns the view of a job that is one training: its log lines."""
    lines = Lines(service.log_client(sent.who), sent.id, sent.replicas)
    words = f"its run lies in {sent.folder}; bring it home with {sent.fetch}"
    return View(lines.new, lambda job: (words, sent.folder), is_late=True)


def follow(sent: Sent, view: View) -> int:
    """Shows a job until it ends, and returns its exit code.

    Args:
        sent: The job.
        view: What is shown of it.

    Raises:
        TrainingFailure: It can no longer be asked for; it goes on.
    """
    with _attended(sent):
        state = ""
        while True:
            job = _asked(sent)
            before, state = state, str(job.state.name).removeprefix("JOB_STATE_")
            if state not in (before, *ENDS):
                print(f"submit: job {sent.id} is {state.lower()}", file=sys.stderr)
            _print(view.new(job))
            if state in ENDS:
                break
            time.sleep(POLL_SECONDS)
        if view.is_late:
            _print_the_rest(view, job)
    return _end(sent, view, state, job)


def _print(new: Sequence[str]) -> int:
    for line in new:
        print(line, flush=True)
    return len(new)


def _print_the_rest(view: View, job: Any) -> None:
    empty = 0
    for _ in range(LAST_POLLS):
        time.sleep(POLL_SECONDS)
        empty = 0 if _print(view.new(job)) else empty + 1
        if empty == 2:
            return


def _asked(sent: Sent) -> Any:
    is_said = False

    def say(error: Exception) -> None:
        nonlocal is_said
        if not is_said:
            print(f"submit: Vertex AI does not answer ({service.told(error)}); it is asked again", file=sys.stderr)
        is_said = True

    try:
        return sent.jobs.get(sent.name, say)
    except Exception as error:  # whatever the network and the library raise, it is the same for a person
        minutes = f"{service.PATIENCE_SECONDS / 60:.0f} minutes"
        lost = f"Vertex AI has not answered for {minutes}" if is_said else "Vertex AI does not tell of it"
        raise TrainingFailure(
            f"submit: job {sent.name} goes on, but {lost}: {service.told(error)}; see {sent.page}, or show its log "
            f"lines with {by_hand.later('stream-logs', sent.name)}."
        ) from None


def _end(sent: Sent, view: View, state: str, job: Any) -> int:
    """Says how a job ended and returns its exit code."""
    if state == "SUCCEEDED":
        words, folder = view.left(job)
        print(f"submit: job {sent.id} {ENDS[state]}; {words}", file=sys.stderr)
        if folder is not None:
            print(folder, flush=True)
        return 0
    message = " ".join(job.error.message.split()) if job.error else ""
    why = f": {message.rstrip('.')}" if message else ""
    print(f"submit: job {sent.id} {ENDS[state]}{why}; what it has left is in {sent.output}.", file=sys.stderr)
    found = re.search(r"non-zero status of (\d+)", message)
    return int(found[1]) if found else 1


@contextmanager
def _attended(sent: Sent) -> Iterator[None]:
    """Asks after Ctrl-C whether to cancel the job; after a SIGTERM, or when nobody reads on, says that it goes on."""
    try:
        yield
    except KeyboardInterrupt:
        try:
            is_cancelled = _wants_to_cancel() and _cancel(sent)
        except KeyboardInterrupt:
            is_cancelled = False
        _say_what_goes_on(sent, is_cancelled)
        raise
    except (Terminated, BrokenPipeError):  # the latter where who reads the lines, as head does, has ended
        _say_what_goes_on(sent, is_cancelled=False)
        raise


def _wants_to_cancel() -> bool:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    print("\nsubmit: cancel the job? (y/N) ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _cancel(sent: Sent) -> bool:
    try:
        sent.jobs.cancel(sent.name)
    except Exception as error:  # as above
        print(f"submit: it could not be cancelled: {service.told(error)}.", file=sys.stderr)
        return False
    return True


def _say_what_goes_on(sent: Sent, is_cancelled: bool) -> None:
    if is_cancelled:
        print(f"submit: job {sent.id} is being cancelled; what it has left is in {sent.output}.", file=sys.stderr)
        return
    print(
        f"\nsubmit: job {sent.id} goes on.\n"
        f"  its log lines: {by_hand.later('stream-logs', sent.name)}\n"
        f"  to cancel it:  {by_hand.later('cancel', sent.name)}",
        file=sys.stderr,
    )
