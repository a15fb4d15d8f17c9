"""The Estimator's words for a warm start: `WarmStartSettings` and `VocabInfo`."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike, fspath
from typing import Any

from trainer.errors import Refusal, nearest
from trainer.migration.initializers import keras_initializer
from trainer.warm_start.carrying import vocabulary_texts

Vocabulary = str | PathLike[str] | Sequence[str]


@dataclass(frozen=True)
class VocabInfo:
    """What the rows of a variable stood for, and what they stand for now, as `tf.estimator.VocabInfo`.

    Args:
        new_vocab: The file of the new model's vocabulary, a value a line; here a list too.
        new_vocab_size: How many of its values are used.
        num_oov_buckets: The rows after them, of values out of the vocabulary; these always start anew.
        old_vocab: The vocabulary that the checkpoint was trained with.
        old_vocab_size: How many of its values are looked for; -1 is all of them.
        backup_initializer: What rows start from whose value is not among those; None is zeros. An initializer of any
            TensorFlow or Keras, a Keras initializer's name, or a function of shape and dtype. It draws for the whole
            variable, so what depends on a shape, as Glorot's spread, depends on the variable's.
        axis: 0 where rows stand for values, 1 where columns do, as in the last layer's kernel.

    Raises:
        Refusal: `axis` is neither.

    Example:
        >>> VocabInfo(["Tue", "Wed"], 2, 0, ["Mon", "Tue"]).places()
        [1, -1]
    """

    new_vocab: Vocabulary
    new_vocab_size: int
    num_oov_buckets: int
    old_vocab: Vocabulary
    old_vocab_size: int = -1
    backup_initializer: Any = None
    axis: int = 0

    def __post_init__(self) -> None:
        if self.axis not in (0, 1):
            raise Refusal(f"VocabInfo: axis is 0, for rows, or 1, for columns, not {self.axis!r}.")

    @property
    def size(self) -> int:
        """The rows, or columns, of the new variable."""
        return self.new_vocab_size + self.num_oov_buckets

    def new_values(self) -> Sequence[str]:
        """Returns the values of the new vocabulary, in the order of the rows."""
        return _values("new_vocab", self.new_vocab, self.new_vocab_size)

    def old_values(self) -> Sequence[str]:
        """Returns the values of the old vocabulary that are looked for, in the order of the rows."""
        return _values("old_vocab", self.old_vocab, self.old_vocab_size)

    def places(self) -> list[int]:
        """Returns the old row of each new one, -1 where it starts anew."""
        old = {value: place for place, value in reversed(list(enumerate(self.old_values())))}
        return [*(old.get(value, -1) for value in self.new_values()), *[-1] * self.num_oov_buckets]

    def initializer(self, dimension: int) -> Any:
        """Returns what new rows start from, as an embedding column takes it."""
        return "zeros" if self.backup_initializer is None else keras_initializer(self.backup_initializer, dimension)


@dataclass(frozen=True)
class WarmStartSettings:
    """Which variables start from a checkpoint, and how, as `tf.estimator.WarmStartSettings`.

    Args:
        ckpt_to_initialize_from: A checkpoint, the folder of one, or a SavedModel.
        vars_to_warm_start: A pattern of the names of trainable variables; a list of patterns, of any variables, moving
            statistics too; or None for the trainable ones that `var_name_to_vocab_info` names. A pattern is held
            against the beginning of a name such as "dnn/logits/bias:0".
        var_name_to_vocab_info: By a variable's name, what its rows or columns stood for and stand for now.
        var_name_to_prev_var_name: By a variable's name, its name in the checkpoint where that was another.

    Raises:
        Refusal: There is no checkpoint, or a pattern is none.

    Example:
        >>> settings = WarmStartSettings("runs/old", "dnn.*embedding_weights")
        >>> settings.selects("dnn/logits/kernel"), settings.selects("dnn/x/embedding_weights")
        (False, True)
    """

    ckpt_to_initialize_from: str | PathLike[str]
    vars_to_warm_start: str | Sequence[str] | None = ".*"
    var_name_to_vocab_info: Mapping[str, Any] | None = None
    var_name_to_prev_var_name: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        if not self.ckpt_to_initialize_from:
            raise Refusal("WarmStartSettings: ckpt_to_initialize_from names a checkpoint; it is empty.")
        for pattern in self._patterns():
            if not isinstance(pattern, str):
                raise Refusal(
                    f"WarmStartSettings: vars_to_warm_start takes patterns of names, not {pattern!r}; give the "
                    "variable's name."
                )
            try:
                re.compile(pattern)
            except re.error as error:
                raise Refusal(f"WarmStartSettings: vars_to_warm_start '{pattern}' is no pattern: {error}.") from None

    def _patterns(self) -> Sequence[Any]:
        given = self.vars_to_warm_start
        return [given or ".*"] if given is None or isinstance(given, str) else list(given)

    def selects(self, name: str, trainable: bool = True) -> bool:
        """Tells whether a variable starts from the checkpoint.

        Args:
            name: The variable's name in an Estimator.
            trainable: Whether it is trained.
        """
        any_variable = not isinstance(self.vars_to_warm_start, str | None)
        if not trainable and not any_variable:
            return False
        if not self.vars_to_warm_start and not any_variable:
            return name in self.vocabularies
        # As TensorFlow names it, and as it names the first part of one that is partitioned.
        full = (f"{name}:0", f"{name}/part_0:0")
        return any(re.match(pattern, one) for pattern in self._patterns() for one in full)

    @property
    def vocabularies(self) -> Mapping[str, Any]:
        """What `var_name_to_vocab_info` says, empty where it says nothing."""
        return self.var_name_to_vocab_info or {}

    @property
    def previous_names(self) -> Mapping[str, str]:
        """What `var_name_to_prev_var_name` says, empty where it says nothing."""
        return self.var_name_to_prev_var_name or {}

    def previous(self, name: str) -> str:
        """Returns the name that a variable had in the checkpoint."""
        return self.previous_names.get(name, name)

    def vocabulary(self, name: str) -> VocabInfo | None:
        """Returns what a variable's rows or columns stand for where that changes."""
        info = self.vocabularies.get(name)
        # TensorFlow's own VocabInfo is a tuple of the same fields.
        return info if info is None or isinstance(info, VocabInfo) else VocabInfo(*info)

    def check_used(self, names: Iterable[str]) -> None:
        """Refuses a variable that the settings name and that does not start from the checkpoint.

        Args:
            names: Of those that do.

        Raises:
            Refusal: As TensorFlow does, since a name that is misspelled would change nothing.
        """
        names = list(names)
        for argument in ("var_name_to_vocab_info", "var_name_to_prev_var_name"):
            for name in getattr(self, argument) or ():
                if name not in names:
                    there = ", ".join(names) or "none"
                    raise Refusal(
                        f"{argument} names '{name}', which does not start from the checkpoint"
                        f"{nearest(name, names) or f'; what does: {there}'}"
                    )


def settings_of(settings: Any) -> WarmStartSettings:
    """Returns settings as `warm_start_from=` takes them: a path alone is everything that is trained.

    Raises:
        Refusal: They are none.
    """
    if isinstance(settings, WarmStartSettings):
        return settings
    if isinstance(settings, (str, PathLike)):
        return WarmStartSettings(fspath(settings))
    raise Refusal(f"warm_start_from: a path or WarmStartSettings is wanted, not {settings!r}.")


def _values(argument: str, vocabulary: Vocabulary, size: int) -> Sequence[str]:
    """Returns the first values of a vocabulary, all of them where the size is -1."""
    given = fspath(vocabulary) if isinstance(vocabulary, PathLike) else vocabulary
    values = vocabulary_texts(given, argument)
    if size > len(values):
        raise Refusal(f"{argument} has {len(values):,} values, and {argument}_size is {size:,}; give at most as many")
    return values if size == -1 else values[:size]
