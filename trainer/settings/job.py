"""The settings of a training job."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trainer.flags import flag, pairs
from trainer.rows import Limit
from trainer.terminal import byte_count

RUN_ONLY = {
    *("job_dir", "overwrite", "resume", "allow_changed", "settings", "dry_run", "baselines", "verbose"),
    *(
        "projector_every_epochs",
        "projector_examples",
        "cache_memory",
        "checkpoint_seconds",
        "checkpoint_steps",
        "checkpoints_kept",
    ),
    *("start_seconds", "peer_seconds"),
}
"""Settings that change where a run goes or what is shown, not what is learned."""

ARGUMENTS = {"optimizer": "dnn_optimizer", "hidden_units": "dnn_hidden_units"}
"""The argument of a problem that a setting takes the place of, where it has another name."""

NEVER = "none"
"""What takes the place of a metric where a problem's own early stopping is not wanted."""


@dataclass(frozen=True)
class Settings:
    """The settings of one training job; None leaves the choice to the problem."""

    problem: str = flag(
        "flights", "a problem's name, or the path of a Python file with PROBLEM or problem()", "NAME|FILE"
    )
    problem_arguments: Mapping[str, Any] = flag({}, "what the flags of the problem itself say, by name", group=None)
    dataset: str | None = flag(None, "a TFDS data set in place of the problem's", "NAME[/CONFIG]", group="data")
    train_files: str | None = flag(
        None, "CSV, Parquet, Feather, JSON lines or TFRecord files in place of a data set", "GLOB", group="data"
    )
    validation_files: str | None = flag(
        None, "files to judge by while training (default: rows held out of the training files)", "GLOB", group="data"
    )
    eval_files: str | None = flag(
        None, "test files (default: a share of the rows of the training files)", "GLOB", group="data"
    )
    validation_share: float | None = flag(
        None,
        "share of the training rows to judge by while training (default: the problem's, else 0.1)",
        "X",
        group="data",
    )
    eval_share: float | None = flag(
        None,
        "share of the rows of the training files to test on (default: the problem's, else 0.1)",
        "X",
        group="data",
    )
    split_by: str | None = flag(
        None, "a feature whose values, as a person's or a day's rows, are never on two sides", "KEY", group="data"
    )
    split_seed: int | None = flag(None, "of the rows or groups that are held out", "N", least=0, group="data")
    max_bad_rows: str | None = flag(
        None, "rows of the files of a flag that may be set aside, as 10 or 1% (default: none)", "N|N%", group="data"
    )
    cache_memory: str | None = flag(
        None,
        "memory for encoded rows, as 512MB or 8GB, beyond which they lie in files (default: a quarter)",
        "SIZE",
        group="data",
    )
    data_dir: str = flag("data", "where data sets are prepared and found", "DIR", group="data")
    download: bool = flag(True, "fetch what a data set needs from the network", group="data")
    planted: bool | None = flag(
        None, "train on planted rows where a problem's own data are missing (default: without --data-dir)", group="data"
    )
    job_dir: str | None = flag(
        None, "where the run is left (default runs/PROBLEM, then runs/PROBLEM-2 and so on)", "DIR", group="run"
    )
    overwrite: bool = flag(False, "replace the run that the job dir holds", group="run")
    resume: bool = flag(False, "go on with the run that the job dir holds, from its last checkpoint", group="run")
    allow_changed: bool = flag(False, "with --resume, go on with settings or data that have changed", group="run")
    checkpoint_seconds: float = flag(60.0, "seconds between two checkpoints to resume from", "X", least=0, group="run")
    checkpoint_steps: int | None = flag(None, "also write a checkpoint every so many steps", "N", least=1, group="run")
    checkpoints_kept: int = flag(2, "how many checkpoints stay", "N", least=1, group="run")
    settings: str | None = flag(
        None, "a run's settings.json to repeat; flags beside it come before it", "FILE", group="run"
    )
    dry_run: bool = flag(False, "read 1,000 rows, print what would be trained and write nothing", group="run")
    baselines: bool = flag(
        False,
        "also train the models to beat: a ridge regression, EASE, LSA or the crosses as one-hots, by the head",
        group="run",
    )
    start_seconds: float = flag(600.0, "how long machines of TF_CONFIG have to start", "SECONDS", least=0, group="run")
    peer_seconds: float = flag(
        1800.0, "how long another machine may keep this one waiting in a step", "SECONDS", least=0, group="run"
    )
    verbose: bool = flag(False, "show TensorFlow's own messages", group="run")
    num_epochs: int | None = flag(None, "passes over the training rows", "N", least=1, group="training")
    train_steps: int | None = flag(None, "stop after this many steps", "N", least=1, group="training")
    train_batch_size: int | None = flag(None, "examples a step", "N", least=1, group="training")
    eval_batch_size: int = flag(4096, "examples a step of evaluation", "N", least=1, group="training")
    learning_rate: float | None = flag(None, "of tables and hidden layers", "X", least=0, group="training")
    hidden_units: str | None = flag(None, "widths of the hidden layers, as 64,32", "N,N", group="training")
    optimizer: str | None = flag(
        None, "of tables and hidden layers: a name in trainer.optimizers, or FILE.py:NAME", "NAME", group="training"
    )
    early_stopping: str | None = flag(
        None,
        "end when a validation metric, as loss or auc, gets no better, and take the best model; METRIC:max or :min; or "
        "none",
        "METRIC",
        group="training",
    )
    patience: int | None = flag(
        None, "epochs without a better metric that end the training (default 3)", "N", least=1, group="training"
    )
    seed: int = flag(0, "of the initial tables and the order of the data", "N", least=0, group="training")
    dimension: tuple[str, ...] = flag(
        (),
        "how many numbers a row of a table has; auto is the fourth root of its rows; repeatable",
        "TABLE=N",
        group="tables",
        is_pair=True,
    )
    warm_start: tuple[str, ...] = flag(
        (),
        "start a table from a run's, a checkpoint's or a file's; repeatable",
        "TABLE=SOURCE[#TENSOR]",
        group="tables",
    )
    old_vocabulary: tuple[str, ...] = flag(
        (),
        "what the rows of a table's source stand for, a value a line, where it does not say so; repeatable",
        "TABLE=FILE",
        group="tables",
    )
    on_missing_rows: tuple[str, ...] = flag(
        (),
        "what rows start from whose key the source has not: initializer, mean or out_of_vocabulary; repeatable",
        "TABLE=HOW",
        group="tables",
    )
    freeze: tuple[str, ...] = flag((), "leave a table as it starts; repeatable", "TABLE", group="tables")
    unfreeze_after: int | None = flag(
        None, "train the tables that are frozen too, after so many epochs", "EPOCHS", least=1, group="tables"
    )
    projector_every_epochs: int | None = flag(
        None,
        "also write the tables for the projector after so many epochs, each time in a folder of its own",
        "N",
        least=1,
        group="tables",
    )

    projector_examples: int | None = flag(
        None,
        "show so many test examples in the projector, by what the last hidden layer makes of them (default: what the "
        "problem says, mostly none)",
        "N",
        least=0,
        group="tables",
    )

    @property
    def bad_rows(self) -> Limit | None:
        """How many rows of files may be set aside, where it is not the problem that says it."""
        return None if self.max_bad_rows is None else Limit.parsed(self.max_bad_rows)

    @property
    def cache_bytes(self) -> int | None:
        """The bytes of encoded rows that are held in memory; None is a quarter of the machine's."""
        return None if self.cache_memory is None else byte_count("--cache-memory", self.cache_memory)

    @property
    def dimensions(self) -> dict[str, int | None]:
        """The dimension of a table by its name, where it is not that of the problem; None is the rule of thumb."""
        return dict(pairs.dimension("--dimension", text) for text in self.dimension)

    @property
    def widths(self) -> tuple[int, ...] | None:
        """The widths of the hidden layers, where they are not those of the problem."""
        return None if self.hidden_units is None else pairs.widths("--hidden-units", self.hidden_units)

    @property
    def warm_starts(self) -> dict[str, tuple[str, str | None]]:
        """The source and the tensor's name there, by the table that starts from it."""
        return dict(pairs.source(text) for text in self.warm_start)

    @property
    def old_vocabularies(self) -> dict[str, str]:
        """The file that says what a source's rows stand for, by the table that starts from it."""
        return dict(pairs.pair("--old-vocabulary", "FILE", text) for text in self.old_vocabulary)

    @property
    def missing_rows(self) -> dict[str, str]:
        """What rows start from that a source has not, by table."""
        return dict(pairs.pair("--on-missing-rows", "HOW", text) for text in self.on_missing_rows)
