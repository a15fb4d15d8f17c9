"""Which keys of a hashed column share an id, told so that a person can do something about it."""

from dataclasses import dataclass

EXAMPLES = 3
"""Shared ids that a description names."""


@dataclass(frozen=True)
class SharedId:
    """An id and the keys that share it.

    Args:
        id: The bucket.
        keys: Their labels and rows, the most frequent first.
    """

    id: int
    keys: tuple[tuple[str, int], ...]

    @property
    def rows(self) -> int:
        """Of all its keys."""
        return sum(rows for _, rows in self.keys)

    def __str__(self) -> str:
        """The first keys, `Tue 08 (12), Sat 23 (7)`, and how many more there are."""
        named = ", ".join(f"{label} ({rows:,})" for label, rows in self.keys[:EXAMPLES])
        more = len(self.keys) - EXAMPLES
        return f"bucket {self.id}: {named}{f' and {more:,} more' if more > 0 else ''}"


@dataclass(frozen=True)
class Collisions:
    """The keys that a hash puts together, and what would part them.

    Args:
        column: The column's name.
        size: Its hash_bucket_size.
        counted: What the rows are: "rows" of data, or "keys" where each possible key counts as one.
        rows: How many rows were counted.
        distinct_keys: How many different keys they have.
        distinct_ids: How many ids those get.
        shared: The ids that several keys share, that with the most rows first.
        shared_share: The part of the rows whose key shares its id with another key, from 0 to 1.
        size_for_one_percent: A hash_bucket_size with which that part is under 1 %, as hashing these keys shows; None
            where none was found.
        without_sharing: What would part all keys, in words; empty where nothing would.
    """

    column: str
    size: int
    counted: str
    rows: int
    distinct_keys: int
    distinct_ids: int
    shared: tuple[SharedId, ...]
    shared_share: float
    size_for_one_percent: int | None
    without_sharing: str

    @property
    def line(self) -> str:
        """One line for a log."""
        found = (
            f"{self.column}: {percent(self.shared_share)} of the {self.counted} share a bucket with other keys "
            f"({self.distinct_keys:,} keys in {self.distinct_ids:,} of {self.size:,} buckets)"
        )
        return f"{found}; {self._remedy}" if self._remedy else found

    def __str__(self) -> str:
        """A summary in one sentence, what would help, and the shared buckets with the most rows."""
        verb = "share" if self.shared else "fill"
        summary = (
            f"{self.column}: {self.distinct_keys:,} keys {verb} {self.distinct_ids:,} of {self.size:,} buckets; "
            f"{percent(self.shared_share)} of the {self.counted} share theirs with other keys."
        )
        lines = [summary, *([f"{self._remedy}."] if self._remedy else [])]
        lines += [f"  {shared}" for shared in self.shared[: 2 * EXAMPLES]]
        more = len(self.shared) - 2 * EXAMPLES
        return "\n".join([*lines, *([f"  and {more:,} more shared buckets"] if more > 0 else [])])

    @property
    def _remedy(self) -> str:
        remedies = []
        if self.size_for_one_percent not in (None, self.size):
            remedies.append(f"hash_bucket_size={self.size_for_one_percent} would bring it under 1 %")
        if self.without_sharing and self.shared:
            remedies.append(f"{self.without_sharing} {'' if remedies else 'would bring it '}to 0")
        return ", ".join(remedies)


def percent(share: float) -> str:
    """Returns a share from 0 to 1 as a person writes it.

    Example:
        >>> [percent(share) for share in (0, 0.004, 0.011, 0.611)]
        ['0 %', '0.4 %', '1.1 %', '61 %']
    """
    return f"{100 * share:.{1 if 0 < share < 0.1 else 0}f} %"
