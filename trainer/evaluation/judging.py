"""A run's metrics on its own test data or on files, of all rows and of those of each value of a feature."""

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainer import models
from trainer.errors import Refusal
from trainer.evaluation.calibration import Calibration, calibration
from trainer.evaluation.groups import Groups
from trainer.heads import BinaryHead, MultiClassHead
from trainer.inputs import split
from trainer.inputs.examples import Source
from trainer.inputs.memory import Examples, held, joined
from trainer.inputs.readers import matching
from trainer.job.plan import with_settings
from trainer.job.reading import hiding
from trainer.models import Halves
from trainer.prediction import Scoring, Trained
from trainer.prediction.confusion import Confusion, confusion
from trainer.problem import Files, Share
from trainer.rows import Limit
from trainer.training.evaluating import Evaluation

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Slice:
    """The rows of one value, or of several that have few rows each.

    Args:
        value: As a person reads it.
        metrics: Of these rows, with how many they are, `examples`.
        values: How many values are taken together.
    """

    value: str
    metrics: dict[str, float]
    values: int = 1


def source_of(trained: Trained, files: str | None = None, by: str | None = None, limit: Limit | None = None) -> Source:
    """Returns the data that a trained model is judged on.

    Args:
        trained: The model and its problem.
        files: A pattern; None takes the test data of the run.
        by: A feature that is read beside those of the problem.
        limit: How many bad rows files may have; None is what the run was told.

    Raises:
        Refusal: They are not there, or lack a feature.
    """
    settings = trained.settings
    problem = with_settings(trained.problem, settings, is_filled=True)
    if files is not None:
        matching(files, "--files")
        problem = dataclasses.replace(problem, dataset=Files(files), validation=Share(), window=None, planted=None)
    beside = [] if by is None or by in (problem.label, problem.weight_column) else [by]
    source = Source(problem, models.inputs_of(trained.model), settings.data_dir, limit or settings.bad_rows, beside)
    source.prepare(settings.download)
    trained_on = trained.run.read_json("settings.json").get("data", {}).get("name")
    if files is None and source.name != trained_on:
        raise Refusal(
            f"{trained.run.path}: it was trained on {trained_on}, which is not here, and {source.name} data are "
            "another thing; give --files."
        )
    return source


class Judge:
    """A trained model's logits of some rows, with their labels, held against each other as after a training.

    Args:
        trained: The model and its problem.
        source: The rows.
        everything: Whether all rows of the source are meant, and not those of the test alone.
        by: A feature to tell rows apart by.
        tell: Is given the number of rows, batch after batch.

    Raises:
        Refusal: There is no row, or a value cannot be used.
    """

    def __init__(
        self,
        trained: Trained,
        source: Source,
        everything: bool = False,
        by: str | None = None,
        tell: Callable[[int], None] = lambda rows: None,
    ) -> None:
        self.batch_size, self.groups = trained.settings.eval_batch_size, None if by is None else Groups()
        self._head = trained.problem.head
        problem, parts, of_model = source.problem, [], _scored if self._head.is_labelled else _encoded
        features, halves = of_model(trained)
        for raw, labels, weights in split.rows_to_judge(source, everything):
            parts.append(Examples(features(raw), labels, weights))
            if self.groups is not None:
                named = {str(problem.label): labels, str(problem.weight_column): weights, **raw}
                self.groups.add(named[str(by)])
            tell(len(labels))
        self.examples = hiding(joined(parts), source.problem, trained.model)
        self._evaluate = _evaluator(trained, halves)

    def metrics(self) -> dict[str, float]:
        """Returns the loss and the metrics of all rows, and how many they are."""
        return self._evaluate(self.examples, self.batch_size)

    def slices(self, least_rows: int) -> list[Slice]:
        """Returns the metrics of the rows of each value of the feature, the largest loss first.

        Args:
            least_rows: Values with fewer rows are taken together, as the last.
        """
        rows = {} if self.groups is None else self.groups.rows()
        few = [places for places in rows.values() if len(places) < least_rows]
        found = [self._slice(value, places) for value, places in rows.items() if len(places) >= least_rows]
        found.sort(key=lambda part: -math.inf if math.isnan(part.metrics["loss"]) else -part.metrics["loss"])
        if few:
            name = f"{len(few):,} other{'s' * (len(few) != 1)}, under {least_rows:,} rows each"
            found.append(self._slice(name, np.unique(np.concatenate(few)), len(few)))
        return found

    def calibration(self) -> Calibration | None:
        """Returns how probabilities and labels agree, where the head answers yes or no; else None."""
        if not isinstance(self._head, BinaryHead):
            return None
        logits = self.examples.in_memory().features["logits"][:, 0].astype(np.float64)
        probabilities = 0.5 + 0.5 * np.tanh(logits / 2)  # the sigmoid, whatever the size of a logit
        return calibration(probabilities, self.examples.labels[:, 0], self.examples.weights[:, 0])

    def confusion(self) -> Confusion | None:
        """Returns which classes are taken for which, where the head answers with one of several; else None."""
        if not isinstance(self._head, MultiClassHead):
            return None
        logits = self.examples.in_memory().features["logits"]
        return confusion(self._head, self.examples.labels[:, 0], np.argmax(logits, axis=1))

    def _slice(self, value: str, places: Array, values: int = 1) -> Slice:
        return Slice(value, self._evaluate(self.examples.subset(places), self.batch_size), values)


def _scored(trained: Trained) -> tuple[Callable[[Any], dict[str, Any]], Halves]:
    """Returns what makes logits of raw features, and a model that takes these."""
    scoring = Scoring(trained.model, lambda logits: {"logits": logits}, trained.settings.eval_batch_size)
    return scoring, Halves(None, lambda features, training: features["logits"])


def _encoded(trained: Trained) -> tuple[Callable[[Any], dict[str, Any]], Halves]:
    """Returns what encodes raw features, and the model that takes what is left of them once a part is hidden."""
    encoding = Scoring(trained.model, dict, trained.settings.eval_batch_size)

    def encoded(features: Any) -> dict[str, Any]:
        return {key: held(values) for key, values in encoding.encoded(features).items()}

    return encoded, models.halves(trained.model)


def _evaluator(trained: Trained, halves: Halves) -> Any:
    """Returns the metric loop of the training."""
    model, head = trained.model, trained.problem.head.on(trained.model)
    model.compile(loss=head.loss(), weighted_metrics=head.metrics(), jit_compile=False)
    return Evaluation(model, halves)
