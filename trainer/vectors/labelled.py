"""Vectors under their keys, asked with the words of gensim's KeyedVectors."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, final

import numpy as np
import pyarrow as pa

from trainer.tables.table import Array
from trainer.tables.texts import Texts
from trainer.vectors import clusters, loading, reduction
from trainer.vectors.analogies import AnsweredAnalogies, answered
from trainer.vectors.keys import Keys
from trainer.vectors.metrics import Rows
from trainer.vectors.neighbours import Neighbours
from trainer.vectors.parts import check_rows, frozen_floats
from trainer.vectors.queries import Similar
from trainer.vectors.shown import drawn
from trainer.vectors.similarities import JudgedPairs, judged
from trainer.vectors.spellings import Most


@final
class LabelledVectors:
    """A matrix with a key for each row.

    It can be given where a warm start takes gensim's KeyedVectors.

    Args:
        keys: A text a row, all different; a list or an Arrow array.
        matrix: `(rows, dimension)` floats, kept as float32 and not copied where they are that already; from then on
            nothing should be written into it.
        name: What a refusal and a picture call it.
        fields: What the rows stand for, by raw feature key: `(rows,)` texts; those of a cross have several. They are
            kept as a Sequence[str] that equals a list of them; `tolist()` makes one, as JSON wants it.
        counts: `(rows,)` whole numbers: the training examples that held each key; None where nobody counted.

    Raises:
        Refusal: Two rows have one key, or the parts have different numbers of rows.

    Example:
        >>> vectors = LabelledVectors(["Mon", "Tue", "Sun"], np.array([[4.0, 3.0], [3.0, 4.0], [-4.0, 3.0]]), "day")
        >>> [(key, round(similarity, 2)) for key, similarity in vectors.most_similar("Mon")]
        [('Tue', 0.96), ('Sun', -0.28)]
        >>> vectors["Tue"].tolist(), vectors.doesnt_match(["Mon", "Tue", "Sun"])
        ([3.0, 4.0], 'Sun')
    """

    def __init__(
        self,
        keys: Sequence[str] | pa.Array,
        matrix: Any,
        name: str = "vectors",
        fields: Mapping[str, Sequence[str]] | None = None,
        counts: Any = None,
    ) -> None:
        self.name = name
        self.fields = {key: Texts.made(given, f"{self._who}: field '{key}'") for key, given in (fields or {}).items()}
        self.matrix = frozen_floats(matrix, self._who)
        self.counts = None if counts is None else np.asarray(counts)
        check_rows(len(self.matrix), keys, self.counts, self.fields, self._who)
        self.keys = Keys(keys, self._who)

    @classmethod
    def load(cls, source: Any, table: str | None = None) -> "LabelledVectors":
        """Returns a table of a run, a checkpoint or a file; of rows with one label the later's key is "Heat [row 12]".

        Args:
            source: A job dir or its tables folder, a path or pattern that a warm start takes, or gensim's KeyedVectors.
            table: The name of the table or tensor; None is the only one there.

        Raises:
            Refusal: There is no such source or table, or several tables and no name.
        """
        return cls(**loading.loaded(source, table))

    @classmethod
    def of(cls, layer: Any, keys: Any = None, table: str | None = None) -> "LabelledVectors":
        """Returns the table of a Keras layer as it is now.

        Args:
            layer: An Embedding, an EmbeddingTable, or a layer of columns such as DenseFeatures.
            keys: What the rows stand for: a text each, or a categorical or embedding column; None is what a layer of
                columns knows itself, and else the row's number.
            table: Which one, of a layer with several tables.

        Raises:
            Refusal: The layer has no such table, is not built, or has another number of rows.
        """
        return cls(**loading.of_layer(layer, keys, table))

    @property
    def _who(self) -> str:
        return f"vectors '{self.name}'"

    @property
    def dimension(self) -> int:
        """The floats of a row."""
        return int(self.matrix.shape[1])

    @property
    def trained(self) -> Array:
        """Tells for each row whether training held its key; `(rows,)`, all true where nobody counted."""
        return np.ones(len(self), bool) if self.counts is None else self.counts > 0

    @property
    def index_to_key(self) -> Keys:
        """The keys, as gensim calls them."""
        return self.keys

    @property
    def vectors(self) -> Array:
        """The matrix, as gensim calls it."""
        return self.matrix

    @property
    def vector_size(self) -> int:
        """The dimension, as gensim calls it."""
        return self.dimension

    def __len__(self) -> int:
        return len(self.matrix)

    def __contains__(self, key: object) -> bool:
        return key in self.keys

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys)

    def __getitem__(self, key: str | Sequence[str]) -> Array:
        """Returns the vector of a key, `(dimension,)`, or of a list of keys, `(keys, dimension)`.

        Raises:
            Refusal: There is no such key; the nearest is suggested.
        """
        if isinstance(key, (list, tuple)):
            return self.matrix[[self.keys.row(each) for each in key]]
        return self.matrix[self.keys.row(key)]

    def __repr__(self) -> str:
        return f"<LabelledVectors '{self.name}': {len(self):,} rows × {self.dimension}>"

    def _repr_html_(self) -> str:
        return drawn(self)

    @cached_property
    def _neighbours(self) -> Neighbours:
        return Neighbours(self.keys, Rows(self.matrix), self._who)

    def similarity(self, a: Any, b: Any, metric: str = "cosine") -> float:
        """Returns how alike two keys, or vectors, are: the cosine of their angle, or with "dot" their product.

        Raises:
            Refusal: A key is unknown, or the metric has no similarity.
        """
        return self._neighbours.similarity(a, b, metric)

    def distance(self, a: Any, b: Any, metric: str = "cosine") -> float:
        """Returns how far two keys, or vectors, are apart: 1 less their cosine, or with "euclidean" their distance.

        Raises:
            Refusal: A key is unknown, or the metric has no distance.
        """
        return self._neighbours.distance(a, b, metric)

    def most_similar(
        self, positive: Any = (), negative: Any = (), topn: int = 10, metric: str = "cosine"
    ) -> list[Similar]:
        """Returns the keys nearest to the mean of some and away from others, which are not among them.

        Args:
            positive: A key, a vector, or a list of them, each alone or as a pair with its weight. With "cosine" a key's
                vector is taken at length 1, and a given vector as it is.
            negative: What is subtracted, in the same forms; as in gensim the weight in a pair is taken as it is, and is
                -1 without one.
            topn: How many keys are wanted.
            metric: "cosine", "dot" or "euclidean".

        Returns:
            Pairs of key and similarity, the nearest first, equally near ones in the order of the table; with
            "euclidean" of key and distance.

        Raises:
            Refusal: A key is unknown, or nothing is given.
        """
        return self._neighbours.of_mean(positive, negative, topn, metric)

    def nearest(self, queries: Any, topn: int = 10, metric: str = "cosine") -> list[list[Similar]]:
        """Returns the nearest keys to each of many queries, as `most_similar` does to one, in a fraction of the time.

        Args:
            queries: Keys, which are not among their own neighbours; or vectors, `(queries, dimension)`.
            topn: How many keys are wanted of each.
            metric: "cosine", "dot" or "euclidean".

        Raises:
            Refusal: A key is unknown, or the vectors have another dimension.
        """
        return self._neighbours.of_each(queries, topn, metric)

    def most_similar_cosmul(self, positive: Any = (), negative: Any = (), topn: int = 10) -> list[Similar]:
        """Returns the keys for which the product of similarities to some, over that to others, is the largest.

        Args:
            positive: A key, a vector, or a list of them.
            negative: In the same forms; what is given as a pair counts without its weight.
            topn: How many keys are wanted.

        Raises:
            Refusal: A key is unknown, or nothing is given as positive.

        Source:
            Omer Levy and Yoav Goldberg, "Linguistic regularities in sparse and explicit word representations", 2014.
        """
        return self._neighbours.of_product(positive, negative, topn)

    def doesnt_match(self, keys: Sequence[str]) -> str:
        """Returns the key that is farthest, by its angle, from the mean of all given.

        Raises:
            Refusal: A key is unknown, or there is none.
        """
        return self._neighbours.odd_one(keys)

    def rank(self, a: Any, b: Any, metric: str = "cosine") -> int:
        """Returns the place of `b` among the neighbours of `a`: 1 where none is nearer.

        Raises:
            Refusal: A key is unknown.
        """
        return self._neighbours.rank(a, b, metric)

    def evaluate_word_analogies(
        self,
        analogies: str,
        restrict_vocab: int | None = 300000,
        case_insensitive: bool = True,
        dummy4unknown: bool = False,
    ) -> AnsweredAnalogies:
        """Returns how many questions of a file such as questions-words.txt are answered, as `analogies.answered`.

        Raises:
            Refusal: The file cannot be read as analogies.
        """
        return answered(self, self._known, analogies, restrict_vocab, case_insensitive, dummy4unknown)

    def evaluate_word_pairs(
        self,
        pairs: str,
        delimiter: str = "\t",
        encoding: str = "utf8",
        restrict_vocab: Most = 300000,
        case_insensitive: bool = True,
        dummy4unknown: bool = False,
    ) -> JudgedPairs:
        """Returns how far people agree about the pairs of a file such as WordSim-353, as `similarities.judged`.

        Raises:
            Refusal: The file cannot be read as pairs.
        """
        return judged(self, self._known, pairs, delimiter, encoding, restrict_vocab, case_insensitive, dummy4unknown)

    def only_trained(self) -> "LabelledVectors":
        """Returns the rows whose key training held, since the others lie where they started; all if nobody counted."""
        rows = np.flatnonzero(self.trained)
        return self if len(rows) == len(self) else LabelledVectors(**loading.chosen(self, rows))

    def pca(self, n: int = 2) -> reduction.Components:
        """Returns the rows along the `n` directions in which trained rows differ most, and the share of each.

        Raises:
            Refusal: `n` is not from 1 to the dimension, or fewer than two rows were trained.
        """
        return reduction.pca(self.matrix, self._known, n, self._who)

    def effective_rank(self) -> float | None:
        """Returns how many dimensions trained rows use, as `tables.effective_rank` says; None where all are zero."""
        return reduction.effective_rank(self.matrix, self._known)

    def procrustes(self, other: "LabelledVectors") -> reduction.Alignment:
        """Returns how another table is turned to lie on this one, and how far they agree, as `reduction.procrustes`.

        Raises:
            Refusal: Fewer than two keys are trained in both, or their rows are all alike in one of them.
        """
        return reduction.procrustes(self, other, self._known, other._known)

    def cluster(self, k: int | None = None, seed: int = 0) -> clusters.Clusters:
        """Returns `k` groups of trained rows that point in one direction, as `clusters.cluster` finds them.

        Raises:
            Refusal: Trained rows have fewer directions than that; or fewer than two, where `k` is left out.
        """
        return clusters.cluster(self, self._known, k, seed)

    @property
    def _known(self) -> Array:
        return self.trained & self._neighbours.rows.finite
