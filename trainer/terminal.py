"""What a person meets at a terminal: exit codes, one sentence for a mistake, no chatter of libraries, aligned text."""

import gc
import os
import re
import select
import sys
import tempfile
import unicodedata
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TextIO

from trainer.cluster import from_environment
from trainer.errors import Refusal, Terminated, TrainingFailure, raising_terminated


def exit_code(run: Callable[[], int]) -> int:
    """Returns the exit code of a command: what `run` returns, or 2 for a mistake, 1 for a failed run, 130 for Ctrl-C.

    It is 141, as of other programs, where who reads the output ends early, as `head` does; nothing is said then.

    After a SIGTERM it is 143.

    Args:
        run: The command; a `Refusal` or a `TrainingFailure` that it raises is printed alone on stderr.

    Example:
        >>> exit_code(lambda: 0)
        0
    """
    try:
        try:
            with raising_terminated():
                code = _exit_code(run)
        except SystemExit:  # as after --help
            print(end="", flush=True)
            raise
        print(end="", flush=True)  # what is left in the buffer would be written after the last chance to catch it
        return code
    except BrokenPipeError:
        unread = [stream for stream in (sys.stdout, sys.stderr) if stream is not None and _is_unread(stream)]
        if not unread:
            raise  # it is another pipe, as to a process of one's own
        for stream in unread:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())  # what is left goes there as Python ends
        return 141


def _exit_code(run: Callable[[], int]) -> int:
    try:
        return run()
    except (Refusal, TrainingFailure) as problem:
        print(problem, file=sys.stderr)
        return 2 if isinstance(problem, Refusal) else 1
    except KeyboardInterrupt:
        return 130
    except Terminated:
        return 143


def _is_unread(stream: TextIO) -> bool:
    """Tells whether a stream is a pipe whose reader has ended."""
    events = select.poll()
    try:
        events.register(stream.fileno(), 0)  # errors and ends are told without being asked for
    except (OSError, ValueError):  # it is held in memory, or closed
        return False
    return bool(events.poll(0))


@contextmanager
def quiet(verbose: bool = False) -> Iterator[None]:
    """Keeps what is written to stderr while the block runs, and shows it only if the block fails.

    TensorFlow's libraries write to file descriptor 2 themselves, so it is the descriptor that is held, not
    `sys.stderr`. A refusal is no failure: its sentence stands alone.

    Args:
        verbose: Whether to hold nothing.
    """
    if verbose:
        yield
        return
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except (Refusal, KeyboardInterrupt, Terminated):
            raise
        except BaseException:
            held.seek(0)
            os.write(kept, held.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)


@contextmanager
def _keeping_all() -> Iterator[None]:
    """Looks for no cycles while TensorFlow is imported for the first time, nor later among the objects that it makes.

    They stay to the end, and are so many that looking takes a fifth of the import, and much of what comes after it.
    """
    if "tensorflow" in sys.modules or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        gc.enable()


def load_tensorflow(verbose: bool = False) -> None:
    """Imports TensorFlow and runs its first op with its chatter held back.

    Args:
        verbose: Whether to let the chatter through.
    """
    several = from_environment().is_several
    if not verbose:
        for name in ("TF_CPP_MIN_LOG_LEVEL", "ABSL_MIN_LOG_LEVEL"):
            os.environ.setdefault(name, "3" if several else "2")  # of a lost process its peers tell in a sentence
    with quiet(verbose), _keeping_all():
        import keras
        import tensorflow as tf

        tf.get_logger().setLevel("INFO" if verbose else "ERROR")
        if not several:  # a process joins others before its first op
            tf.zeros(1) + keras.ops.zeros(1)


def quantity(count: float) -> str:
    """Returns a number of bytes as a person reads it.

    Example:
        >>> quantity(2_691), quantity(3_500_000)
        ('2.7 kB', '3.5 MB')
    """
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def byte_count(who: str, text: str) -> int:
    """Returns a number of bytes that a person wrote.

    Raises:
        Refusal: It is none.

    Example:
        >>> byte_count("--cache-memory", "1.5GB"), byte_count("--cache-memory", "0")
        (1500000000, 0)
    """
    found = re.fullmatch(r"\s*(\d+\.?\d*|\.\d+)\s*([kMGT]?)i?B?\s*", text, re.ASCII | re.IGNORECASE)
    if found is None:
        raise Refusal(f"{who}: a size such as 512MB or 8GB is wanted, not '{text}'.")
    return int(float(found[1]) * 1000 ** ["", "k", "m", "g", "t"].index(found[2].lower()))


def aligned(rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> list[str]:
    """Returns rows of texts as lines whose columns stand under one another.

    Args:
        rows: Texts, as many in each row.
        right: The places of the columns that stand to the right.

    Example:
        >>> aligned([["key", "rows"], ["day", "7"]], right=[1])
        ['key  rows', 'day     7']
    """
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        blanks = [" " * (wide - width(text)) for text, wide in zip(row, widths, strict=True)]
        cells = [f"{blanks[n]}{text}" if n in right else f"{text}{blanks[n]}" for n, text in enumerate(row)]
        lines.append("  ".join(cells).rstrip())
    return lines


def fitted(rows: Sequence[Sequence[str]], right: Collection[int] = (), places: int | None = None) -> list[str]:
    """Returns a table as lines: as it is, or, where these are wider than the terminal, its columns as lines.

    A table that has no fewer rows than columns is not turned, and one that is too wide either way comes in blocks,
    each with the first column.

    Args:
        rows: Texts, as many in each row; the first are the headings.
        right: The places of the columns that stand to the right.
        places: How many letters fit a line of the terminal; None is no limit.

    Example:
        >>> fitted([["run", "steps", "auc"], ["flights", "605", "0.67"]], places=16)
        ['run    flights', 'steps      605', 'auc       0.67']
    """
    lines = aligned(rows, right)
    if places is None or max(map(width, lines)) <= places:
        return lines
    columns = [[shortened(text, max(16, places // 2 - 2)) for text in column] for column in zip(*rows, strict=True)]
    if len(rows) - 1 < len(columns):
        columns, right = [list(row) for row in zip(*columns, strict=True)], range(1, len(rows))
    lines = []
    for block in _blocks([max(map(width, column)) for column in columns], places):
        block_rows = list(zip(*(columns[place] for place in block), strict=True))
        lines += ["", *aligned(block_rows, {n for n, place in enumerate(block) if place in right})]
    return lines[1:]


def _blocks(widths: Sequence[int], places: int) -> list[list[int]]:
    """Returns the columns that stand beside one another, the first of them in each block."""
    blocks, used = [[0]], widths[0]
    for place in range(1, len(widths)):
        if used + 2 + widths[place] > places and len(blocks[-1]) > 1:
            blocks.append([0])
            used = widths[0]
        blocks[-1].append(place)
        used += 2 + widths[place]
    return blocks


def shortened(text: str, places: int) -> str:
    """Returns a text that takes no more than some places, without its middle.

    Example:
        >>> shortened("gs://bucket/runs/flights", 13)
        'gs://b…lights'
    """
    if width(text) <= places:
        return text
    start, end = text, text
    while width(start) > places // 2:
        start = start[:-1]
    while width(end) > (places - 1) // 2:
        end = end[1:]
    return f"{start}…{end}"


def width(text: str) -> int:
    """Returns how many places of a terminal a text takes.

    Example:
        >>> width("Tokyo"), width("東京")
        (5, 4)
    """
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return len(text) + wide - sum(unicodedata.combining(letter) > 0 for letter in text)


def shown(text: str) -> str:
    r"""Returns a text without what would move a terminal's cursor or could not be printed.

    Example:
        >>> shown("day\nhour")
        'day\\nhour'
    """
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def natural(text: str) -> list[Any]:
    """Returns what sorts texts as a person does, numbers by their size.

    Example:
        >>> sorted(["flights-10", "flights", "flights-2"], key=natural)
        ['flights', 'flights-2', 'flights-10']
    """
    return [int(part) if place % 2 else part for place, part in enumerate(re.split(r"([0-9]+)", text))]


def listed(names: Sequence[str], most: int = 5) -> str:
    """Returns names as part of a sentence.

    Example:
        >>> listed(["a", "b", "c"], most=2)
        'a, b and 1 more'
    """
    more = len(names) - most
    return ", ".join(map(shown, names[:most])) + (f" and {more:,} more" if more > 0 else "")
