"""What every format of rows gives: parts of a file as Arrow columns, cut in order and read in any."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from trainer import paths
from trainer.errors import Refusal
from trainer.inputs.bad_rows import BadRow
from trainer.inputs.values import Wanted
from trainer.rows import CsvFormat, TextFormat

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Part:
    """Some rows of a file, one after the other.

    Args:
        columns: Arrow arrays by name, of whatever type the file has.
        rows: How many there are.
        numbers: Returns the number of each row in its file, `(rows,)`; worked out where one is bad.
        bad: The rows beside them that could not be told apart.
    """

    columns: Mapping[str, Any]
    rows: int
    numbers: Callable[[], Array]
    bad: Sequence[BadRow] = ()


class RowFile(ABC):
    """A file of rows; `pieces` is cheap and goes in order, `part` is work and may be done by several threads.

    Args:
        path: Local, or `gs://`.
    """

    unit = "row"
    """What the number of a row counts."""

    rows: int | None = None
    """How many rows the file says it has."""

    def __init__(self, path: str) -> None:
        self.path = path

    @property
    @abstractmethod
    def names(self) -> list[str]:
        """The names of its columns, each once."""

    @property
    def told(self) -> Collection[str]:
        """The names that the file is known to have; where only the first rows tell them, others may come later."""
        return self.names

    @property
    def types(self) -> Mapping[str, Any]:
        """The Arrow types of the columns that have one before they are read."""
        return {}

    @abstractmethod
    def pieces(self, columns: Collection[str]) -> Iterator[Any]:
        """Yields the pieces of the file in order.

        Args:
            columns: The columns that will be read.
        """

    @abstractmethod
    def part(self, piece: Any, columns: Collection[str]) -> Part:
        """Returns the rows of a piece."""

    def position(self) -> int:
        """Returns how many bytes of the file were read."""
        return 0


class AnyReading(Protocol):
    """What is made of the rows of files: `features.Reading`, or another of one's own."""

    @property
    def csv(self) -> CsvFormat:
        """How CSV files are written."""
        ...

    @property
    def texts(self) -> TextFormat | None:
        """How files that are of no other kind become rows; None takes them as CSV."""
        ...

    @property
    def wanted(self) -> Mapping[str, Wanted]:
        """What is wanted of each feature, by its name."""
        ...

    @property
    def asked(self) -> Mapping[str, Wanted]:
        """What is wanted of columns, by their name, where that is known."""
        ...

    @property
    def beside(self) -> Collection[str]:
        """The columns that are also given as the file has them."""
        ...

    @property
    def keeps_lists(self) -> bool:
        """Whether lists of which nothing is wanted stay lists, where a format could give them as texts."""
        ...

    def columns(self, file: RowFile) -> list[str]:
        """Returns the columns of a file that are read.

        Raises:
            Refusal: The file cannot be used.
        """
        ...

    def read(self, part: Part, file: RowFile) -> tuple[Any, int, list[BadRow]]:
        """Returns what is made of a part, of how many rows it is, and the bad rows; several threads do it."""
        ...


def source(path: str) -> Any:
    """Returns a file as something that Arrow reads at any place.

    Raises:
        OSError: It cannot be read.
    """
    if not paths.is_remote(path):
        return pa.OSFile(path, "rb")
    return pa.PythonFile(paths.opened(path), "r")


def refused(path: str, what: str, error: BaseException) -> Refusal:
    """Returns the refusal of a file that cannot be read as what it should be."""
    text = " ".join(str(error).split()).removesuffix(".")
    if isinstance(error, PermissionError) or "Errno 13" in text:
        return Refusal(f"{path}: it may not be read; give a file that you have permission to read.")
    if isinstance(error, FileNotFoundError) or "Errno 2" in text:
        return Refusal(f"{path}: it is not there any more; start again once all files are in place.")
    return Refusal(f"{path}: it cannot be read as {what} ({text}).")


def check_names(names: Sequence[str], path: str) -> None:
    """Refuses a file that has a name twice.

    Raises:
        Refusal: It has.
    """
    for name, count in Counter(names).items():
        if count > 1:
            raise Refusal(f"{path}: two columns are named '{name}'; give each its own name.")
