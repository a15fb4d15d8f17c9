"""What is learned from what: data, columns and a head, as one value in a file."""

import dataclasses
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from trainer import catalogue, flags, rates
from trainer import measures as measuring
from trainer import search as searches
from trainer.errors import Refusal, nearest
from trainer.feature_column import DenseColumn, EmbeddingColumn, FeatureColumn, RawFeature
from trainer.feature_column.collection import check_apart, embeddings_by_table, raw_features_of
from trainer.feature_column.sequence import is_sequence
from trainer.heads import BinaryHead, Head
from trainer.problems import module_of
from trainer.problems import names as names
from trainer.rates import AFTER_ACTIVATION as AFTER_ACTIVATION
from trainer.rows import ByDate as ByDate
from trainer.rows import ByValue as ByValue
from trainer.rows import CsvFormat as CsvFormat
from trainer.rows import EveryNthBlock as EveryNthBlock
from trainer.rows import Files as Files
from trainer.rows import Grouped as Grouped
from trainer.rows import Limit, check_grouped
from trainer.rows import Share as Share
from trainer.rows import TextFormat as TextFormat
from trainer.search import Range as Range
from trainer.search import Searched as Searched
from trainer.settings import Settings
from trainer.walks import Walks as Walks
from trainer.walks import check_walks


@dataclass(frozen=True)
class Problem:
    """Data, columns, a model's shape and a head; the words of `DNNLinearCombinedClassifier`.

    Args:
        dataset: The name of a data set ("nyc_flights/JFK"), `Files`, or a function of "train" or "test" that returns a
            `tf.data.Dataset` of `(features, label)`, as an Estimator's `input_fn` does; None where it has no data of
            its own, and stands on the files of `--train-files`, or without them on what is `planted`.
        dnn_feature_columns: Dense columns, concatenated, into the hidden layers.
        linear_feature_columns: Columns of the wide part: one weight an id; an embedding column of as many floats as
            the head has logits is added as it is, and so is weights in a table of its own.
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
        batch_norm: Whether each hidden layer is normalized over the batch: True is before its activation;
            "after_activation" comes after that and the dropout, as in TensorFlow's canned Estimators.
        batch_norm_momentum: What a step leaves of the mean and variance that a trained layer goes by; those of Keras,
            0.99, and of Estimators, 0.999, are half wrong after 70 and 700 steps.
        loss_reduction: "mean", or "sum": whether a step's loss is the mean of its examples' or their sum, as in
            Estimators of TensorFlow 1, whose learning rates go with the batch size. The loss that is told is the mean.
        linear_sparse_combiner: "sum", "mean" or "sqrtn": how weights of several ids are combined.
        weight_column: The feature that weighs an example's loss; None weighs all alike.
        bags: Features with any number of values an example, beside those of weighted columns; as a dictionary, with
            what stands between the values in a text, as in `{"genres": "|"}`, or between the numbers of a numeric one.
        tower: A function of the concatenated columns `(batch, width)` that takes the place of the hidden layers.
        model: A function that returns a Keras model of raw features (see `trainer.layers.inputs`) to logits; it takes
            the place of the whole model.
        callbacks: Keras callbacks that the job adds to its own; functions that return one, so that each run has its
            own.
        walks: The rows are edges, and the examples random walks on them; None takes each row as one.
        grouped: Which rows are one example, as those of a person are; None takes each row as one.
        validation: Which training rows are held out for choosing and stopping.
        split_seed: Another one draws other rows, or groups, for validation and test.
        window: The days to train and to test on; None takes the splits as the data have them.
        csv: How CSV files are written, where their header does not tell.
        texts: How files that are of no other kind by their name, as .txt, become rows; None takes them as CSV.
        test_share: The share of the rows of `--train-files` that is to test on, where `--eval-share` does not say it.
        max_bad_rows: How many rows of the files of a flag may be set aside where `--max-bad-rows` does not say: a
            number, or a share, as "1%".
        from_rows: A function of a part of a file, its columns by name as arrays of strings, whatever the format, to the
            features; numbers may stay strings. None takes the columns as the features.
        from_batch: The same of a data set of TFDS: a function of a batch, its features by name as tensors.
        planted: A function of "train" or "test" that returns features by name, as arrays, or what `dataset` may: the
            data where those of `dataset` are not here and cannot be fetched.
        num_epochs: Passes over the training rows.
        train_batch_size: Examples a step.
        learning_rate_decay: None, "linear" or "cosine": `dnn_optimizer`'s rate goes down to zero at the last step.
        average: None, or how much of the moving average of the weights is left after a step, such as 0.98: the model
            that is judged and left is that of the averages, which of the first steps are their means. A step then
            writes all rows of a table, so a softmax that is sampled has none.
        early_stopping: The validation metric by which the training ends, as `--early-stopping` takes it; None ends it
            after the last epoch.
        patience: After how many epochs without a better one.
        catalogues: By raw feature, what is known of its values, for the projector and the files of tables: a
            `Catalogue`, or a function of a `catalogue.Beside` that returns one, or None where there is none. It is
            called before the training, and for planted data too.
        projector_examples: How many test examples the projector shows by what the last hidden layer makes of them.
        pictures: A function of the raw features of some examples, by name as tensors, to pictures of these,
            `(examples, height, width)` or with 3 colours after that, uint8: what the projector shows them as.
        measures: What is asked of the tables after the last step, once, as `measures.Analogies("questions-words.txt")`:
            its numbers go into metrics.json, and all that was found into measures.json.
        search: What `python -m trainer tune` and a tuning service try, by the names of flags with underscores: a
            `Range`, several numbers or several words, as in `{"learning_rate": Range(1e-4, 1e-1, scale="log"),
            "dimension.day_hour": (4, 8, 16), "hidden_units": ("64", "64,32")}`. The flags are those of the task that
            say what is learned, with `dimension.TABLE` for the dimension of a table, or arguments of the function
            `problem` that makes this: `def problem(*, share: float = 0.5)`, and `{"share": Range(0.1, 0.9)}`. What a
            flag is without a search need not be in its range.
        name: The problem's name; None is the file's.
        description: One sentence; None is the first of the file's.
    """

    dataset: str | Files | Callable[[str], Any] | None
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
    batch_norm: bool | str = False
    batch_norm_momentum: float = 0.95
    loss_reduction: str = "mean"
    linear_sparse_combiner: str = "sum"
    weight_column: str | None = None
    bags: Sequence[str] | Mapping[str, str] = ()
    tower: Callable[[Any], Any] | None = None
    model: Callable[[], Any] | None = None
    callbacks: Sequence[Callable[[], Any]] = ()
    walks: Walks | None = None
    grouped: Grouped | None = None
    validation: EveryNthBlock | ByValue | Share = field(default_factory=Share)
    split_seed: int = 0
    window: ByDate | None = None
    csv: CsvFormat = field(default_factory=CsvFormat)
    texts: TextFormat | None = None
    test_share: float = Files.test_share
    max_bad_rows: str = "0"
    from_rows: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None
    from_batch: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None
    planted: Callable[[str], Any] | None = None
    num_epochs: int = 5
    train_batch_size: int = 1024
    learning_rate_decay: str | None = None
    average: float | None = None
    early_stopping: str | None = None
    patience: int = 3
    catalogues: catalogue.Catalogues = field(default_factory=dict, hash=False)
    projector_examples: int = 0
    pictures: Callable[[Mapping[str, Any]], Any] | None = None
    measures: Sequence[measuring.Measure] = ()
    search: Mapping[str, Searched] = field(default_factory=dict, hash=False)
    name: str | None = None
    description: str | None = None

    def __post_init__(self) -> None:
        self._check_deep()
        if not self.columns and self.model is None:
            raise Refusal("Problem: give dnn_feature_columns, linear_feature_columns or a model; all three are absent.")
        rates.check(self.learning_rate_decay, self.average, self.table_optimizers)
        rates.check_losses(self.loss_reduction, self.batch_norm)
        if not 0 < self.test_share < 1:
            raise Refusal(f"Problem: test_share is above 0 and below 1, not {self.test_share!r}.")
        self.bad_rows  # noqa: B018  # refuses what is no limit
        searches.check(self.search)
        check_apart(self.dnn_feature_columns, self.linear_feature_columns)
        tables = list(self.embeddings)  # refuses two tables under one name
        measuring.check(self.measures, tables if self.model is None else None)
        features = self.raw_features  # refuses one key of two kinds
        if self.model is None:  # what a model of one's own reads is seen once it is made
            catalogue.check(self.catalogues, features)
        if self.walks is not None:
            names_of_rows = ("grouped", "label", "weight_column", "window", "texts")
            others_of = {name: getattr(self, name) for name in names_of_rows}
            split_by = getattr(self.dataset, "split_by", None)
            check_walks(self.walks, features, self.bags, others_of, self.validation, split_by)
            if self.head.is_labelled:
                raise Refusal(
                    f"Problem: a walk has no label, and {type(self.head).__name__} takes one; take a head that does "
                    "without, as SkipGramHead."
                )
        if self.grouped is not None:
            others = {key for key, feature in features.items() if None in feature.shape and key not in self.bags}
            splits = [getattr(self.dataset, "split_by", None), getattr(self.validation, "by", None)]
            check_grouped(self.grouped, self.bags, others, splits, self.window)

    def _check_deep(self) -> None:
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

    @property
    def columns(self) -> tuple[FeatureColumn, ...]:
        """All columns, deep then wide."""
        return (*self.dnn_feature_columns, *self.linear_feature_columns)

    @property
    def embeddings(self) -> dict[str, tuple[EmbeddingColumn, ...]]:
        """The embedding columns by the name of their table; several share one where they were declared so."""
        return embeddings_by_table(self.columns)

    @property
    def bad_rows(self) -> Limit:
        """How many rows of files may be set aside."""
        return Limit.parsed(self.max_bad_rows)

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
        return self.with_columns([change(c) if isinstance(c, EmbeddingColumn) else c for c in self.columns])

    def resized(self, settings: Settings) -> "Problem":
        """Returns the problem with the dimensions of tables and the hidden layers that settings say."""
        dimensions, widths = settings.dimensions, settings.widths
        sized = self.replacing(lambda c: c.with_dimension(dimensions[c.table]) if c.table in dimensions else c)
        return sized if widths is None else dataclasses.replace(sized, dnn_hidden_units=widths)


def load(name: str, arguments: Mapping[str, Any] | None = None) -> Problem:
    """Returns a problem by its name, or from a file of one's own that sets `PROBLEM` or has a function `problem`.

    Args:
        name: "flights", or the path of a Python file.
        arguments: For the function `problem`; what is left out has its default.

    Raises:
        Refusal: There is no such problem or file, the file has neither, an argument cannot be used, or what is searched
            is no flag.
    """
    module, given = module_of(name), dict(arguments or {})
    function = _function(module)
    known = inspect.signature(function).parameters if function else {}
    for argument in given:
        if argument not in known:
            ending = nearest(argument, known) or f"; it has {', '.join(known) or 'none'}."
            raise Refusal(f"--problem: {name} has no argument '{argument}'{ending}")
    if function is not None:
        try:
            inspect.signature(function).bind(**given)
        except TypeError:
            flags_of(name)  # refuses an argument that is wanted and has no default
    problem = function(**given) if function else getattr(module, "PROBLEM", None)
    if not isinstance(problem, Problem):
        made = "problem() returns no Problem; return" if function else "sets no PROBLEM; write PROBLEM ="
        raise Refusal(f"--problem: {name} {made} Problem(…) in it.")
    if problem.search:  # it names flags, and those of the problem's own are known here alone
        searches.check_names(problem.search, name, flags_of(name), problem.embeddings)
    first_line = (module.__doc__ or "").strip().partition("\n")[0]
    return dataclasses.replace(
        problem, name=problem.name or Path(name).stem, description=problem.description or first_line
    )


def flags_of(name: str) -> type[Any] | None:
    """Returns the flags of a problem's own: a dataclass of the arguments of its function `problem`, or None.

    Raises:
        Refusal: There is no such problem or file, or an argument cannot be a flag.

    Example:
        >>> flags_of("flights") is None
        True
    """
    function = _function(module_of(name))
    return flags.of_function(function, f"--problem: {name}", f"problem {Path(name).stem}") if function else None


def _function(module: ModuleType) -> Callable[..., Any] | None:
    function = getattr(module, "problem", None)
    # A file that has both may have imported the function to make its PROBLEM.
    return function if inspect.isfunction(function) and not hasattr(module, "PROBLEM") else None
