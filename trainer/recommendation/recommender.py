"""A trained retrieval that is asked what somebody may like besides what she likes already."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import tensorflow as tf

from trainer import tables
from trainer.errors import Refusal, refusing
from trainer.models.retrieval import Retrieval
from trainer.prediction import Scoring, Trained, load
from trainer.prediction.given import taken
from trainer.recommendation.titles import Titles
from trainer.tables import StoredTable

Array = np.ndarray[Any, Any]

WHO = "recommend"
_YEAR = "year"


@dataclass(frozen=True)
class Item:
    """What may be liked.

    Args:
        key: What stands for it in the data.
        title: What a person knows it by: the key where it has no title.
        details: What more is known of it, by name.
    """

    key: str
    title: str
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Liked:
    """What a text was taken for.

    Args:
        text: What a person wrote.
        item: What that is.
        others: What it could be too.
    """

    text: str
    item: Item
    others: tuple[Item, ...] = ()


@dataclass(frozen=True)
class Found:
    """What is recommended.

    Args:
        rank: From 1 on.
        item: What it is.
        score: How well it goes with what is liked; where popularity was asked, its share in all that people have.
    """

    rank: int
    item: Item
    score: float


@dataclass(frozen=True)
class Answer:
    """What somebody may like.

    Args:
        liked: What she likes already.
        found: The best first; nothing that she likes already.
        by_popularity: Whether nothing is known of what she likes, so that it is what most people have.
    """

    liked: tuple[Liked, ...]
    found: tuple[Found, ...]
    by_popularity: bool


@dataclass(frozen=True)
class Lists:
    """What each of some people may like.

    Args:
        rows: Of the table, `(people, topn)`, int64, the best first; -1 where there is no further one.
        scores: `(people, topn)`, float32.
        by_popularity: Whether nothing is known of what each has, `(people,)`.
    """

    rows: Array
    scores: Array
    by_popularity: Array


class Recommender:
    """What a run has learned of who likes what, to be asked.

    Args:
        run: The folder of a finished run whose head is a `RetrievalHead`, or what `trainer.prediction.load` returns.

    Raises:
        Refusal: There is no such run, or it answers another question.
    """

    def __init__(self, run: str | Trained) -> None:
        self.trained = load(run) if isinstance(run, str) else run
        model = self.trained.model
        if not isinstance(model, Retrieval):
            kind = type(self.trained.problem.head).__name__
            raise Refusal(
                f"{WHO}: {self.trained.run.path} answers with a {kind}, which ranks nothing; give a run whose problem "
                "has a RetrievalHead."
            )
        self.model = model
        self.feature = next(iter(model.column.categorical_column.raw_features))
        """The feature whose values are liked and recommended."""
        self._scorings: dict[tuple[int, int | None], Scoring] = {}

    @cached_property
    def table(self) -> StoredTable:
        """The table of what is recommended."""
        return tables.read(self.trained.run.tables, self.model.column.table, WHO)

    @cached_property
    def keys(self) -> list[str]:
        """What stands for each row in the data."""
        return self.table.field_texts[self.feature].tolist()

    @cached_property
    def titles(self) -> Titles:
        """What a person knows each row by."""
        names = self.table.title_texts.tolist()
        return Titles(self.keys, names, self.table.counts, self.table.details.get(_YEAR))

    def recommend(self, liked: Sequence[str] = (), topn: int = 10) -> Answer:
        """Returns what somebody may like.

        Args:
            liked: What she likes: titles however they are written, or keys; nothing asks what most people have.
            topn: How many are wanted.

        Raises:
            Refusal: A text is no title and no key, or fits several titles.
        """
        with refusing(WHO):
            meant = [self.titles.meant(text) for text in liked]
        known = [Liked(one.text, next(self.items([one.row])), tuple(self.items(one.others))) for one in meant]
        lists = self.for_people([list(dict.fromkeys(self.keys[one.row] for one in meant))], topn)
        rows = [row for row in lists.rows[0].tolist() if row >= 0]
        ranked = zip(self.items(rows), lists.scores[0].tolist(), strict=False)
        found = tuple(Found(rank, item, score) for rank, (item, score) in enumerate(ranked, start=1))
        return Answer(tuple(known), found, bool(lists.by_popularity[0]))

    def for_people(
        self, bags: Sequence[Sequence[Any]], topn: int = 10, others: Mapping[str, Any] | None = None
    ) -> Lists:
        """Returns what each of some people may like.

        Args:
            bags: What each has: values of the feature, as the data have them; unknown ones are passed over.
            topn: How many are wanted of each.
            others: What else the model reads, by key, as `Trained.predict` takes it; what is left out is missing.

        Raises:
            Refusal: A value cannot be used.
        """
        wanted = self.trained.wanted
        features = {key: [None] * len(bags) for key in wanted} | dict(others or {})
        features[self.feature] = [list(bag) for bag in bags]
        return self.lists(taken(features, wanted), topn)

    def lists(self, features: Mapping[str, Any], topn: int, batch_size: int | None = None) -> Lists:
        """Returns what each of some people may like, from a batch of raw features as tensors.

        Args:
            features: By key.
            topn: How many are wanted of each.
            batch_size: The most people that go through the model at once; None is that of the run's evaluation.
        """
        asked = topn, batch_size
        if asked not in self._scorings:
            self._scorings[asked] = self._scoring(*asked)
        return Lists(**self._scorings[asked](features))

    def items(self, rows: Sequence[int]) -> Iterator[Item]:
        """Yields what some rows of the table are."""
        details = {name: texts.of(rows) for name, texts in self.table.detail_texts.items() if name != self.table.title}
        for place, (row, title) in enumerate(zip(rows, self.table.titles_of(rows), strict=True)):
            yield Item(self.keys[row], title, {name: texts[place] for name, texts in details.items()})

    def _scoring(self, topn: int, batch_size: int | None) -> Scoring:
        def made(answers: Mapping[str, Any]) -> dict[str, Any]:
            rows, scores = self.model.top(answers, topn)
            return {"rows": rows, "scores": scores, "by_popularity": tf.reduce_all(answers["given"] < 0, axis=1)}

        return Scoring(self.model, made, batch_size or self.trained.settings.eval_batch_size)
