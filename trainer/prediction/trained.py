"""A trained model beside its problem."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import keras

from trainer import models
from trainer.inputs.values import Wanted
from trainer.inputs.wanted import features_wanted
from trainer.prediction import given
from trainer.prediction.scoring import Array, Scoring
from trainer.problem import Problem
from trainer.run import Run
from trainer.settings import Settings


class Trained:
    """A trained model beside its problem, as a run has left them.

    Args:
        run: The run.
        settings: Those that it was trained with.
        problem: With what its columns and its head have learned.
        model: Raw features to logits, trained.
    """

    def __init__(self, run: Run, settings: Settings, problem: Problem, model: keras.Model) -> None:
        self.run, self.settings, self.problem, self.model = run, settings, problem, model

    @cached_property
    def wanted(self) -> dict[str, Wanted]:
        """What is wanted of the features that the model reads."""
        return features_wanted(self.problem, models.inputs_of(self.model))

    def predict(self, features: Mapping[str, Any]) -> dict[str, Array]:
        """Returns what the head answers to a batch, by name, as the exported model does.

        Args:
            features: Raw features by key, each one value an example, or a list of them where it is a bag: lists,
                arrays, tensors, or a data frame. None and NaN are missing, as '' and -1 are; what the model does not
                read is passed over.

        Returns:
            Arrays of a row an example: `probabilities` of a `BinaryHead` are `(batch, 1)`.

        Raises:
            Refusal: A feature is not there, or has a value that cannot be used.
        """
        return self._scoring(given.taken(features, self.wanted))

    def scoring(self, batch_size: int | None = None) -> Scoring:
        """Returns what answers to batch after batch of raw features.

        Args:
            batch_size: The most rows that go through the model at once; None is that of the run's evaluation.
        """
        head = self.problem.head.on(self.model)
        return Scoring(self.model, head.predictions, batch_size or self.settings.eval_batch_size)

    @cached_property
    def _scoring(self) -> Scoring:
        return self.scoring()
