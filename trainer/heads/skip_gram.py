"""Vectors of what stands near each other in sequences: words of a text, nodes on a walk."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trainer.errors import Refusal
from trainer.heads.head import Head


@dataclass(frozen=True)
class SkipGramHead(Head):
    """Which ids stand near an id in a sequence, told apart from ids that are drawn at random: skip-gram.

    Each example is a sequence of ids. Of each place, the centre, and each other place in its window, the context, the
    loss is `-log sigmoid(u·v)`, where `v` is the centre's row of a table and `u` the context's row of a second table,
    `TABLE_output`; and `-log sigmoid(-u·v)` for each of `negatives` ids that are drawn by their counts to a power. A
    window reaches 1 to `window` places to both sides, drawn anew for each centre; before that, frequent ids are left
    out at random, so that a window reaches over them. Negatives are drawn for a block of centres together, and weigh as
    much as if each pair had had its own.

    The loss is told as the mean of the pairs, and learned as their sum times `pair_weight`, so that a step moves a row
    by as much whatever else is in it. Adagrad is the optimizer to go with it: a row that is in thousands of pairs of a
    step is moved by their sum, by which plain SGD diverges. Its own sums begin at 0.1, so that the weight of a pair
    says how many pairs a row has to be in before its steps become smaller; until then they are those of SGD.

    Args:
        table: The embedding table of the ids.
        window: How far the widest window reaches to each side.
        negatives: How many ids are told apart from the context of a pair.
        subsample: An id whose share `f` of all ids is larger than this is kept with the chance
            `sqrt(subsample / f) + subsample / f`; None keeps all.
        negative_power: Negatives are drawn by the counts of ids to this power.
        pair_weight: What a pair weighs in what is learned.
        label_smoothing: What is learned is told apart as `1 - label_smoothing` and `label_smoothing`, not 1 and 0, so
            that the scores of pairs that are always there do not grow for ever; word2vec leaves those above 6 alone.
        block: For how many centres negatives are drawn together.
        block_negatives: How many are drawn for them.

    Raises:
        Refusal: An argument cannot be used.

    Source:
        Mikolov, Sutskever, Chen, Corrado and Dean, "Distributed representations of words and phrases and their
        compositionality", 2013; the chance to be kept is that of their program word2vec. Ji, Satish, Li and Dubey,
        "Parallelizing word2vec in shared and distributed memory", 2016, for negatives that are shared.

    Example:
        >>> SkipGramHead("word", window=10).is_labelled
        False
    """

    table: str
    window: int = field(default=5, kw_only=True)
    negatives: int = field(default=5, kw_only=True)
    subsample: float | None = field(default=1e-3, kw_only=True)
    negative_power: float = field(default=0.75, kw_only=True)
    pair_weight: float = field(default=1 / 32, kw_only=True)
    label_smoothing: float = field(default=0.01, kw_only=True)
    block: int = field(default=128, kw_only=True)
    block_negatives: int = field(default=64, kw_only=True)

    goals = {}  # of the class, as those of every head

    def __post_init__(self) -> None:
        for name in ("window", "negatives", "block", "block_negatives"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise Refusal(f"SkipGramHead: {name} is a whole number of at least 1, not {value!r}.")
        if self.subsample is not None and not 0 < self.subsample < 1:
            raise Refusal(f"SkipGramHead: subsample is above 0 and below 1, or None, not {self.subsample!r}.")
        if not self.pair_weight > 0:
            raise Refusal(f"SkipGramHead: pair_weight is a number above 0, not {self.pair_weight!r}.")
        if not 0 <= self.label_smoothing < 0.5:
            raise Refusal(f"SkipGramHead: label_smoothing is from 0 to below 0.5, not {self.label_smoothing!r}.")
        if not 0 <= self.negative_power <= 1:
            raise Refusal(f"SkipGramHead: negative_power is a number from 0 to 1, not {self.negative_power!r}.")

    @property
    def is_labelled(self) -> bool:
        """No: a sequence tells of itself."""
        return False

    @property
    def output_table(self) -> str:
        """The name of the table of contexts."""
        return f"{self.table}_output"

    @property
    def units(self) -> int:
        """Refused: the width of the vectors is the table's."""
        raise self._unbound

    def loss(self) -> Any:
        """Returns None: the model has its own."""
        return None

    def metrics(self) -> list[Any]:
        """Returns none."""
        return []

    def predictions(self, logits: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the vector of each example, its rows combined as their column says, `(batch, dimension)`.

        Args:
            logits: What the model returns.
        """
        return {"vector": logits["vector"]}

    def on(self, model: Any) -> Head:
        """Returns the head itself.

        Raises:
            Refusal: The model has no table of contexts.
        """
        if getattr(model, "contexts", None) is None:
            raise self._unbound
        return self

    @property
    def _unbound(self) -> Refusal:
        return Refusal(
            f"SkipGramHead: it learns from sequences of the ids of table '{self.table}', as only the model does that "
            "trainer.build makes of dnn_feature_columns; leave model= and linear_feature_columns out."
        )
