"""Which of many somebody wants, by the bag of those she has."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trainer.errors import Refusal
from trainer.heads.head import Head
from trainer.heads.hidden import Hidden

OBJECTIVES = ("reconstruction", "softmax")


@dataclass(frozen=True)
class RetrievalHead(Head):
    """Which rows of a table somebody wants, by the bag of those she has.

    In training a part of each bag goes in, anew in each epoch, and the rest is to be found. The model makes a vector
    of what goes in and scores the rows of a table by it, each by its product with the vector. Metrics are over held-out
    bags, with what went in left out: `recall@20`, `ndcg@100` and `coverage@20`.

    Args:
        table: The embedding table on the bag; the rows of its categorical column are the catalogue.
        input_share: The share of a bag that goes in while the model learns; a pair draws it anew for each bag, between
            the two.
        held_out_input_share: The share that goes in of a bag of the validation and test examples.
        objective: "softmax": the log loss of what is hidden among the catalogue. "reconstruction": the squared
            distance of it from what is predicted of it, both of length 1.
        bag_power: A bag counts in the loss as the number of its hidden ids to this power: with 0 all bags count alike,
            with 1 all ids.
        softmax_sample: A catalogue of more rows than this has its softmax estimated by a sample, anew in each step.
        softmax_draws: How many rows are drawn for it, at most `softmax_sample`.
        sample_power: The chance of a row to be drawn is its count in the training bags to this power.
        shared: Whether the rows that are scored are those that make the vector; else they are another table,
            `TABLE_output`.
        unit_vector: Whether the vector, of three numbers or more, is scaled to length 1, so that its product with a row
            of length 1 is a cosine.
        scale: What the softmax multiplies products with at first; it is learned.
        learns_popularity: Whether the softmax adds to each score a multiple, which is learned, of the logarithm of the
            row's count in the training bags.
        recall_at: How many answers count for the recall and for the coverage.
        ndcg_at: How many count for the normalized discounted cumulative gain.
        topn: How many the exported model answers with.

    Raises:
        Refusal: An argument cannot be used.

    Source:
        Vančura, Alves, Kasalický and Kordík, "Scalable linear shallow autoencoder for collaborative filtering", 2022,
        for the table that stands on both sides; Liang, Krishnan, Hoffman and Jebara, "Variational autoencoders for
        collaborative filtering", 2018, for the softmax over all that a person has.

    Example:
        >>> RetrievalHead("movie").goals
        {'recall@20': 'max', 'ndcg@100': 'max', 'coverage@20': 'max'}
    """

    table: str
    input_share: float | tuple[float, float] = field(default=0.3, kw_only=True)
    held_out_input_share: float = field(default=0.8, kw_only=True)
    objective: str = field(default="softmax", kw_only=True)
    bag_power: float = field(default=0.5, kw_only=True)
    softmax_sample: int = field(default=65_536, kw_only=True)
    softmax_draws: int = field(default=8_192, kw_only=True)
    sample_power: float = field(default=0.75, kw_only=True)
    shared: bool = field(default=True, kw_only=True)
    unit_vector: bool = field(default=True, kw_only=True)
    scale: float = field(default=10.0, kw_only=True)
    learns_popularity: bool = field(default=False, kw_only=True)
    recall_at: int = field(default=20, kw_only=True)
    ndcg_at: int = field(default=100, kw_only=True)
    topn: int = field(default=20, kw_only=True)

    def __post_init__(self) -> None:
        _ = self.hidden  # refuses shares that are none
        if self.objective not in OBJECTIVES:
            raise Refusal(f"RetrievalHead: objective is {' or '.join(map(repr, OBJECTIVES))}, not {self.objective!r}.")
        if not self.scale > 0:
            raise Refusal(f"RetrievalHead: scale is a number above 0, not {self.scale!r}.")
        for name in ("bag_power", "sample_power"):
            if not 0 <= getattr(self, name) <= 1:
                raise Refusal(f"RetrievalHead: {name} is a number from 0 to 1, not {getattr(self, name)!r}.")
        for name in ("softmax_sample", "softmax_draws", "recall_at", "ndcg_at", "topn"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise Refusal(f"RetrievalHead: {name} is a whole number of at least 1, not {value!r}.")

    @property
    def goals(self) -> Mapping[str, str]:  # type: ignore[override]  # the names hold numbers that are given
        """The metrics by their names: more of each is better."""
        return {f"recall@{self.recall_at}": "max", f"ndcg@{self.ndcg_at}": "max", f"coverage@{self.recall_at}": "max"}

    @property
    def hidden(self) -> Hidden:  # type: ignore[override]  # it follows from the arguments
        """What is hidden of the bags."""
        return Hidden(self.table, self.input_share, self.held_out_input_share)

    @property
    def units(self) -> int:
        """Refused: a catalogue is known by a model alone."""
        raise self._unbound

    def loss(self) -> Any:
        """Refused: the model has the rows that are scored."""
        raise self._unbound

    def metrics(self, rows: int | None = None) -> list[Any]:
        """Returns the metrics of ranked answers.

        Args:
            rows: Of the catalogue, without which there is no coverage.
        """
        from trainer.heads.ranking import NDCG, Coverage, Recall

        recall, ndcg, coverage = self.goals
        found: list[Any] = [Recall(self.recall_at, recall), NDCG(self.ndcg_at, ndcg)]
        return found if rows is None else [*found, Coverage(rows, self.recall_at, coverage)]

    def predictions(self, logits: Any) -> dict[str, Any]:
        """Refused: the model has the rows that are scored."""
        raise self._unbound

    def on(self, model: Any) -> Head:
        """Returns the head of a model that has the catalogue.

        Raises:
            Refusal: The model is another.
        """
        bound = getattr(model, "bound", None)
        if bound is None:
            raise self._unbound
        found: Head = bound(self)
        return found

    @property
    def _unbound(self) -> Refusal:
        return Refusal(
            f"RetrievalHead: it scores the rows of table '{self.table}', which only the model has that trainer.build "
            "makes of dnn_feature_columns; leave model= and linear_feature_columns out."
        )
