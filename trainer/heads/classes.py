"""Names of classes, which labels may have in the data and answers have after the training."""

from collections.abc import Sequence
from typing import Any

from trainer.errors import Refusal


def check(who: str, names: Sequence[str] | None, count: int) -> None:
    """Refuses names that are not one for each class.

    Raises:
        Refusal: There are more or fewer, one is no text or empty, or one is there twice.

    Example:
        >>> check("MultiClassHead", ["setosa", "virginica"], 3)
        Traceback (most recent call last):
            ...
        trainer.errors.Refusal: MultiClassHead: label_vocabulary has 2 names, and there are 3 classes; give one each.
    """
    if names is None:
        return
    if isinstance(names, str) or not all(isinstance(name, str) and name for name in names):
        raise Refusal(f"{who}: label_vocabulary is a list of texts, one for each class, not {names!r}.")
    if len(names) != count:
        raise Refusal(f"{who}: label_vocabulary has {len(names)} names, and there are {count} classes; give one each.")
    for name in names:
        if list(names).count(name) > 1:
            raise Refusal(f"{who}: label_vocabulary has '{name}' twice; give each class its own name.")


def named(ids: Any, names: Sequence[str]) -> Any:
    """Returns the names of classes, a tensor of strings of the shape of the ids.

    Example:
        >>> named([1, 0], ["no", "yes"]).numpy().tolist()
        [b'yes', b'no']
    """
    import tensorflow as tf

    return tf.gather(tf.constant(list(names)), ids)
