"""What is learned from what: data, columns and a head, as one value in a file."""

import dataclasses
import importlib
import math
import numbers
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trainer.errors import Refusal, nearest
from trainer.feature_column import DenseColumn, EmbeddingColumn, FeatureColumn, RawFeature
from trainer.feature_column.collection import embeddings_by_table, raw_features_of
from trainer.feature_column.sequence import is_sequence
from trainer.heads import BinaryHead, Head
from trainer.own_code import module_of


@dataclass(frozen=True)
class EveryNthBlock:
    """Validation is every n-th block of the training rows, where rows of one value of `key` in a row are a block.

    Where the data are in the order of time, `EveryNthBlock("day", 10)` holds out every tenth day.
    """

    key: str
    n: int


@dataclass(frozen=True)
class ByValue:
    """Validation is the training rows whose feature `key` has one of `values`."""

    key: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Share:
    """Validation is this share of the training rows, drawn by a hash of each row's place."""

    share: float = 0.1


@dataclass(frozen=True)
class Problem:
    """Data, columns, a model's shape and a head; the words of `DNNLinearCombinedClassifier`.

    Args:
        dataset: The name of a data set ("nyc_flights/JFK"), or a function of "train" or "test" that returns a
            `tf.data.Dataset` of `(features, label)`, as an Estimator's `input_fn` does.
        dnn_feature_columns: Dense columns, concatenated, into the hidden layers.
        linear_feature_columns: Columns of the wide part: one weight an id.
        dnn_hidden_units: Widths of the hidden layers.
        label: The feature that is the label; None where the data set yields `(features, label)`.
        head: What is asked for.
        dnn_optimizer: A name in `trainer.optimizers`, for tables and hidden layers.
        linear_optimizer: The same for the wide part; None is `dnn_optimizer`.
        learning_rate: Of `dnn_optimizer`; None is that optimizer's own.
        linear_learning_rate: Of `linear_optimizer`; None is that optimizer's own.
        table_optimizers: By a table's name, a name in `trainer.optimizers` or FILE.py:NAME in place of `dnn_optimizer`;
            or the pair of it and its learning rate, which is else the optimizer's own.
        dnn_activation_fn: A Keras activation's name, or a function of a tensor.
        dnn_dropout: The share of each hidden layer's outputs that is dropped in training.
        batch_norm: Whether each hidden layer is normalized over the batch.
        linear_sparse_combiner: "sum", "mean" or "sqrtn": how weights of several ids are combined.
        weight_column: The feature that weighs an example's loss; None weighs all alike.
        bags: Features with any number of values an example, beside those of weighted columns.
        tower: A function of the concatenated columns `(batch, width)` that takes the place of the hidden layers.
        model: A function that returns a Keras model of raw features (see `trainer.layers.inputs`) to logits; it takes
            the place of the whole model.
        callbacks: Keras callbacks that the job adds to its own; functions that return one, so that each run has its
            own.
        validation: Which training rows are held out for choosing and stopping.
        num_epochs: Passes over the training rows.
        train_batch_size: Examples a step.
        learning_rate_decay: None, "linear" or "cosine": `dnn_optimizer`'s rate goes down to zero at the last step.
        name: The problem's name; None is the file's.
        description: One sentence; None is the first of the file's.
    """

    dataset: str | Callable[[str], Any]
    dnn_feature_columns: Sequence[DenseColumn] = ()
    linear_feature_columns: Sequence[FeatureColumn] = ()
    dnn_hidden_units: Sequence[int] = ()
    label: str | None = None
    head: Head = field(default_factory=BinaryHead)
    dnn_optimizer: str = "LazyAdam"
    linear_optimizer: str | None = None
    learning_rate: float | None = None
    linear_learning_rate: float | None = None
    table_optimizers: Mapping[str, str | tuple[str, float]] = field(default_factory=dict, hash=False)
    dnn_activation_fn: str | Callable[[Any], Any] = "relu"
    dnn_dropout: float | None = None
    batch_norm: bool = False
    linear_sparse_combiner: str = "sum"
    weight_column: str | None = None
    bags: Sequence[str] = ()
    tower: Callable[[Any], Any] | None = None
    model: Callable[[], Any] | None = None
    callbacks: Sequence[Callable[[], Any]] = ()
    validation: EveryNthBlock | ByValue | Share = field(default_factory=Share)
    num_epochs: int = 5
    train_batch_size: int = 1024
    learning_rate_decay: str | None = None
    name: str | None = None
    description: str | None = None

    def __post_init__(self) -> None:
        for column in self.dnn_feature_columns:
            if isinstance(column, FeatureColumn) and is_sequence(column):
                raise Refusal(
                    f"Problem: column '{column.name}' is a sequence, which hidden layers do not take; make the model "
                    "yourself, with layers.SequenceFeatures, and give it as model=."
                )
            if not isinstance(column, DenseColumn):
                raise Refusal(
                    f"Problem: dnn_feature_columns takes dense columns, not {type(column).__name__} "
                    f"'{getattr(column, 'name', column)}'; wrap it in embedding_column or indicator_column."
                )
        if not self.columns and self.model is None:
            raise Refusal("Problem: give dnn_feature_columns, linear_feature_columns or a model; all three are absent.")
        if self.learning_rate_decay not in (None, "linear", "cosine"):
            raise Refusal(
                f"Problem: learning_rate_decay is None, 'linear' or 'cosine', not {self.learning_rate_decay!r}."
            )
        _check_table_optimizers(self.table_optimizers)
        self.embeddings  # noqa: B018  # refuses two tables under one name
        self.raw_features  # noqa: B018  # refuses one key of two kinds

    @property
    def columns(self) -> tuple[FeatureColumn, ...]:
        """All columns, deep then wide."""
        return (*self.dnn_feature_columns, *self.linear_feature_columns)

    @property
    def embeddings(self) -> dict[str, tuple[EmbeddingColumn, ...]]:
        """The embedding columns by the name of their table; several share one where they were declared so."""
        return embeddings_by_table(self.columns)

    @property
    def raw_features(self) -> dict[str, RawFeature]:
        """The raw features that the columns read, by key."""
        return raw_features_of(self.columns, self.bags)

    def with_columns(self, columns: Sequence[Any]) -> "Problem":
        """Returns the problem with other columns in the places of its own, deep then wide."""
        deep = len(self.dnn_feature_columns)
        return dataclasses.replace(
            self, dnn_feature_columns=tuple(columns[:deep]), linear_feature_columns=tuple(columns[deep:])
        )

    def replacing(self, change: Callable[[EmbeddingColumn], EmbeddingColumn]) -> "Problem":
        """Returns the problem with each embedding column replaced by what `change` makes of it."""
        columns = [change(c) if isinstance(c, EmbeddingColumn) else c for c in self.dnn_feature_columns]
        return dataclasses.replace(self, dnn_feature_columns=tuple(columns))


def _check_table_optimizers(given: Mapping[str, Any]) -> None:
    if not isinstance(given, Mapping):
        raise Refusal(f"Problem: table_optimizers is a dictionary by the tables' names, not {type(given).__name__}.")
    for table, value in given.items():
        name, rate = value if isinstance(value, tuple) and len(value) == 2 else (value, 1.0)
        is_rate = isinstance(rate, numbers.Real) and not isinstance(rate, bool) and 0 < float(rate) < math.inf
        if not isinstance(name, str) or not is_rate:
            raise Refusal(
                f"Problem: table_optimizers takes for '{table}' an optimizer's name, or a pair of that and a learning "
                f"rate above 0, not {value!r}."
            )


def names() -> list[str]:
    """Returns the names of the problems that come with the package, found in its `problems` folder."""
    return sorted(module.name for module in pkgutil.iter_modules([str(Path(__file__).parent / "problems")]))


def load(name: str) -> Problem:
    """Returns a problem by its name, or from a file of one's own that sets `PROBLEM`.

    Args:
        name: "flights", or the path of a Python file.

    Raises:
        Refusal: There is no such problem or file, or the file has no `PROBLEM`.
    """
    if name.endswith(".py"):
        module = module_of(name, "--problem", "a problem's name or the path of a Python file")
    elif name in names():
        module = importlib.import_module(f"trainer.problems.{name}")
    else:
        raise Refusal(f"--problem: there is no problem '{name}'{nearest(name, names()) or _known()}")
    problem = getattr(module, "PROBLEM", None)
    if not isinstance(problem, Problem):
        raise Refusal(f"--problem: {name} sets no PROBLEM; write PROBLEM = Problem(…) in it.")
    first_line = (module.__doc__ or "").strip().partition("\n")[0]
    return dataclasses.replace(
        problem, name=problem.name or Path(name).stem, description=problem.description or first_line
    )


def _known() -> str:
    return f"; there are {', '.join(names())}, or give the path of a .py file."
