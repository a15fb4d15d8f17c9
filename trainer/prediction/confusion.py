"""Which classes a model takes for which."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainer.heads import BinaryHead, Head, MultiClassHead

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, eq=False)
class Confusion:
    """How many rows of each class were taken for which.

    Args:
        counts: `(classes, classes)` whole numbers: the class of a row runs down, what it was taken for across.
        names: Of the classes.
    """

    counts: Array
    names: Sequence[str]

    @property
    def right(self) -> int:
        """How many rows were taken for what they are."""
        return int(np.trace(self.counts))

    def to_dict(self) -> dict[str, Any]:
        """Returns it as JSON can hold it."""
        return {"classes": [*self.names], "counts": self.counts.tolist()}

    def most_mistaken(self, most: int) -> "Confusion":
        """Returns the confusion of at most so many classes, those with the most mistakes; the others are one of them.

        Example:
            >>> found = confusion(MultiClassHead(4), np.array([0, 1, 2, 3, 3]), np.array([0, 1, 3, 3, 2]))
            >>> found.most_mistaken(3).names, found.most_mistaken(3).counts.tolist()
            (['2', '3', '2 others'], [[0, 1, 0], [1, 1, 0], [0, 0, 2]])
        """
        count = len(self.names)
        if count <= most:
            return self
        mistakes = self.counts.sum(axis=0) + self.counts.sum(axis=1) - 2 * np.diag(self.counts)  # (classes,)
        shown = np.sort(np.argsort(-mistakes, kind="stable")[: most - 1])
        places = np.full(count, most - 1)
        places[shown] = np.arange(most - 1)
        counts = np.zeros((most, most), np.int64)
        np.add.at(counts, (places[:, np.newaxis], places[np.newaxis, :]), self.counts)
        return Confusion(counts, [*(self.names[place] for place in shown), f"{count - most + 1:,} others"])


def confusion(head: MultiClassHead, labels: Array, taken_for: Array) -> Confusion:
    """Returns which classes were taken for which.

    Args:
        head: Says how many classes there are, and their names.
        labels: The numbers of the classes of rows, `(rows,)`.
        taken_for: The numbers of those that they were taken for, `(rows,)`.

    Example:
        >>> confusion(MultiClassHead(2), np.array([0, 0, 1]), np.array([0, 1, 1])).counts.tolist()
        [[1, 1], [0, 1]]
    """
    count = head.num_classes
    pairs = labels.astype(np.int64) * count + taken_for.astype(np.int64)
    return Confusion(np.bincount(pairs, minlength=count**2).reshape(count, count), class_names(head))


def class_names(head: BinaryHead | MultiClassHead) -> list[str]:
    """Returns the names of the classes of a head, their numbers where they have none.

    Example:
        >>> class_names(BinaryHead()), class_names(MultiClassHead(2, label_vocabulary=["cat", "dog"]))
        (['0', '1'], ['cat', 'dog'])
    """
    count = head.num_classes if isinstance(head, MultiClassHead) else 2
    return list(head.label_vocabulary or map(str, range(count)))


def classes_of(head: Head, logits: Any) -> Any:
    """Returns the number of the class that a head takes each example for, `(batch,)`; None where it has no classes.

    Args:
        head: Of the model.
        logits: Its logits, `(batch, units)`.
    """
    import keras

    if isinstance(head, MultiClassHead):
        return keras.ops.argmax(logits, axis=-1)
    return keras.ops.cast(logits[:, 0] > 0, "int64") if isinstance(head, BinaryHead) else None
