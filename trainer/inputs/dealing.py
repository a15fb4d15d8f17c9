"""Which rows are for training, which for validation and which for the test."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from trainer.encoding import Coded
from trainer.errors import Refusal
from trainer.inputs.examples import Source
from trainer.inputs.gathering import Gathering
from trainer.inputs.hashing import STEP, Repeats, draws, row_hash
from trainer.inputs.sides import TEST, TRAIN, VALIDATION
from trainer.problem import ByValue, EveryNthBlock, Share

Array = np.ndarray[Any, Any]
Raw = Mapping[str, Any]

_HASH = "/hash"
"""What a hash of rows is beside features, whose names it cannot have."""


class HoldOut:
    """Tells which training rows are validation, batch after batch in their order.

    Args:
        how: As the problem says it; None holds none out.
        seed: Of what is drawn by place.
    """

    def __init__(self, how: EveryNthBlock | ByValue | Share | None, seed: int = 0) -> None:
        self.how, self._seed = how, seed
        self.keys = [how.key] if isinstance(how, (EveryNthBlock, ByValue)) else []
        self._rows, self._blocks, self._last = 0, 0, None

    def __call__(self, raw: Raw, rows: int, drawn: Array | None = None, least: float = 0.0) -> Array:
        """Returns a mask of the next rows, `(rows,)`.

        Args:
            raw: The raw features named in `keys`.
            rows: How many rows come next.
            drawn: A number in `[0, 1)` for each row; None draws by a fixed hash of the row's place.
            least: Where the share begins among these numbers.
        """
        places = np.arange(self._rows, self._rows + rows, dtype=np.uint64)
        self._rows += rows
        if self.how is None:
            return np.zeros(rows, bool)
        if isinstance(self.how, Share):
            # The same rows whatever the seed of the run.
            drawn = draws(places * np.uint64(STEP), self._seed) if drawn is None else drawn
            found: Array = (drawn >= least) & (drawn < least + self.how.share)
            return found
        values = raw[self.how.key]
        values = np.asarray(values.decoded() if isinstance(values, Coded) else values)
        values = values if values.ndim == 1 else values.reshape(rows, -1)[:, 0]
        if isinstance(self.how, ByValue):
            wanted = [value.encode() if isinstance(value, str) else value for value in self.how.values]
            return np.isin(values, np.asarray(wanted, dtype=values.dtype))
        return self._blocks_of(values) % self.how.n == self.how.n - 1

    def _blocks_of(self, values: Array) -> Array:
        if not len(values):
            return np.zeros(0, np.int64)
        first = self._last is not None and values[0] != self._last
        blocks = self._blocks + np.cumsum(np.concatenate([[first], values[1:] != values[:-1]]))
        self._blocks, self._last = int(blocks[-1]), values[-1]
        return np.asarray(blocks)


class Dealer:
    """Tells which of the rows that are read as training data are validation and which are test, in their order.

    Args:
        source: The problem's data.
    """

    def __init__(self, source: Source) -> None:
        self._seed = source.problem.split_seed
        self.hold_out = HoldOut(None if source.has_validation else source.problem.validation, self._seed)
        self.by, self.test_share = source.split_by, source.test_share
        self._called, self._keys = source.called("train"), source.own_keys
        self._repeats = Repeats() if source.hashes_rows and self.by is None else None
        self.counts = [0, 0, 0]
        self._groups, self._dealt = source.groups, np.zeros(0, np.int64)

    @property
    def tells_row_by_row(self) -> bool:
        """Whether the side of a row does not depend on other rows."""
        how = self.hold_out.how
        if self._groups is not None:
            return False
        if self.by is not None:
            return not isinstance(how, EveryNthBlock)
        return not self.test_share and (how is None or isinstance(how, ByValue))

    def marks(self, features: Raw, labels: Any, weights: Any) -> dict[str, Any]:
        """Returns what is needed of raw features, labels and weights, as tensors."""
        found = {key: features[key] for key in self.hold_out.keys}
        if self.by is not None:
            found[_HASH] = row_hash({self.by: features[self.by]})
        elif self._repeats is not None:
            # What is read beside a problem's own features puts no row on another side.
            own = {key: values for key, values in features.items() if key in self._keys}
            found[_HASH] = row_hash({**own, "/label": labels, "/weight": weights})
        return found

    def __call__(self, marks: Raw, rows: int) -> Array:
        """Returns the set of each of the next rows, `(rows,)`: 0 train, 1 validation, 2 test."""
        sides = self._of_rows(marks, rows) if self._groups is None else self._of_groups(self._groups, marks, rows)
        self.counts = [count + int((sides == side).sum()) for side, count in enumerate(self.counts)]
        return sides

    def _of_rows(self, marks: Raw, rows: int) -> Array:
        drawn = None
        if _HASH in marks:
            hashes = marks[_HASH].numpy()
            drawn = draws(hashes if self._repeats is None else self._repeats(hashes), self._seed)
        sides = np.where(self.hold_out(marks, rows, drawn, self.test_share), VALIDATION, TRAIN)
        if self.test_share and drawn is not None:
            sides[drawn < self.test_share] = TEST
        return sides

    def _of_groups(self, groups: Gathering, marks: Raw, rows: int) -> Array:
        how, start = self.hold_out.how, sum(self.counts)
        if not start:
            self._dealt = groups.sides("train")
        sides = self._dealt[start : start + rows]
        if how is None or isinstance(how, Share):
            return sides
        return np.where((sides == TRAIN) & self.hold_out(marks, rows), VALIDATION, sides)

    def check(self) -> None:
        """Refuses sets without rows, once all are dealt.

        Raises:
            Refusal: No training, validation or test row is left.
        """
        train, validation, test = self.counts
        if not sum(self.counts):
            raise Refusal(f"{self._called}: there is no row in them; at least one is wanted.")
        if self.test_share and not test:
            raise Refusal(
                f"--eval-share: a share of {self.test_share:g} leaves none of {train + validation:,} rows to test on; "
                "give a larger one, or --eval-files with rows."
            )
        if not train + validation:
            raise Refusal(f"--eval-share: all {test:,} rows are test rows, and none is left to train on; give more.")
        if self.hold_out.how is not None and not (train and validation):
            raise Refusal(
                f"Problem: validation {self.hold_out.how} holds out {validation:,} of {train + validation:,} training "
                "rows; some must be left on both sides: give another --validation-share, or more rows."
            )
