"""Numbers as the range they fall into."""

import bisect
import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trainer.errors import Refusal
from trainer.feature_column.column import CategoricalColumn, DenseColumn, RawFeature
from trainer.feature_column.numeric import NumericColumn
from trainer.feature_column.vocabulary import Quantiles


@dataclass(frozen=True)
class BucketizedColumn(CategoricalColumn, DenseColumn):
    """Ranges of a numeric column, closed on the left: an id in a table, or a one-hot where it is used dense.

    Example:
        >>> from trainer.feature_column import numeric_column
        >>> distance = bucketized_column(numeric_column("distance"), [500, 1000])
        >>> [distance.label(id) for id in range(3)]
        ['(-inf, 500)', '[500, 1000)', '[1000, inf)']
    """

    source_column: NumericColumn
    boundaries: tuple[float, ...] | Quantiles

    @property
    def name(self) -> str:
        """The source's name and `_bucketized`."""
        return f"{self.source_column.name}_bucketized"

    @property
    def raw_features(self) -> Mapping[str, RawFeature]:
        """Those of the source."""
        return self.source_column.raw_features

    @property
    def num_buckets(self) -> int:
        """One id a range, for each of the source's values."""
        return (len(self.edges) + 1) * self.source_column.width

    @property
    def edges(self) -> tuple[float, ...]:
        """The boundaries.

        Raises:
            Refusal: They come from data that were not read yet.
        """
        if isinstance(self.boundaries, Quantiles):
            raise Refusal(
                f"bucketized_column: source '{self.source_column.key}': the boundaries come from data that were not "
                "read yet; call adapt(dataset) on the layer, or vocabulary.learned(columns, batches) first."
            )
        return self.boundaries

    @property
    def width(self) -> int:
        """One float a range, for each of the source's values."""
        return self.num_buckets

    def fields(self, id: int) -> dict[str, str]:
        """Returns the range that an id stands for; with several values a row, its place before it."""
        place, bucket = divmod(id, len(self.edges) + 1)
        edges = ["-inf", *(repr(edge).removesuffix(".0") for edge in self.edges), "inf"]
        text = f"{'[' if bucket else '('}{edges[bucket]}, {edges[bucket + 1]})"
        return {self.source_column.key: text if self.source_column.width == 1 else f"{place}: {text}"}

    def bucket(self, value: float) -> int:
        """Returns the id of a single value."""
        return bisect.bisect_right(self.edges, value)


def bucketized_column(source_column: NumericColumn, boundaries: Sequence[float] | Quantiles) -> BucketizedColumn:
    """Declares ranges of a numeric column, as `tf.feature_column.bucketized_column`.

    Args:
        source_column: A `numeric_column` of one dimension.
        boundaries: Increasing edges; `n` edges make `n + 1` ranges, each closed on the left. `fc.quantiles(n)` learns
            those of `n` ranges from the training data.

    Raises:
        Refusal: The source is no numeric column, or the boundaries are empty, not numbers or not increasing.
    """
    if not isinstance(source_column, NumericColumn):
        raise Refusal(f"bucketized_column: a numeric_column is wanted as source, not {source_column!r}.")
    function = f"bucketized_column: source '{source_column.key}'"
    if len(source_column.shape) != 1:
        raise Refusal(f"{function} has shape {source_column.shape}; one dimension is wanted.")
    if isinstance(boundaries, Quantiles):
        return BucketizedColumn(source_column, boundaries)
    if isinstance(boundaries, str) or not isinstance(boundaries, Iterable):
        raise Refusal(f"{function}: boundaries must be a list of numbers, or fc.quantiles(n), not {boundaries!r}.")
    edges = tuple(_number(function, edge) for edge in boundaries)
    if not edges or any(right <= left for left, right in itertools.pairwise(edges)):
        raise Refusal(f"{function}: boundaries must be increasing numbers, at least one, not {list(boundaries)}.")
    return BucketizedColumn(source_column, edges)


def _number(function: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if math.isnan(number):
        raise Refusal(f"{function}: boundaries must be numbers, not {value!r}.")
    return number
