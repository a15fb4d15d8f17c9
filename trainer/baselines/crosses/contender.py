"""One form of a problem as a model that is made once and trained anew many times."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from trainer import models
from trainer.errors import TrainingFailure
from trainer.inputs.memory import Examples
from trainer.layers import encoded_keys
from trainer.problem import Problem

HELD_OUT = 10
"""One row in so many of those given trains nothing and says when to stop."""
PASS_STEPS = 20
"""The least steps of one pass: rows too few for them are read in smaller batches."""
PATIENCE = 3
"""Passes without a lower loss on the held-out rows that end a training."""
MOST_PASSES = 50


class Contender:
    """A form of a problem, trained by Keras's own `fit`: it keeps its traced functions from one training to the next.

    To trace a model takes seconds, as long as to train it on a small share of the rows.

    Args:
        problem: One form of a problem.
        examples: Examples encoded for it, whose shapes and dtypes its inputs take.
        eval_batch_size: Examples a step of evaluation.
    """

    def __init__(self, problem: Problem, examples: Examples, eval_batch_size: int) -> None:
        # No decay: how many steps there will be is what the held-out rows have to say.
        self.problem = dataclasses.replace(problem, learning_rate_decay=None)
        self.eval_batch_size = eval_batch_size
        keys = sorted(encoded_keys(problem.columns))
        self._inputs = {
            key: keras.Input(tuple(values.shape[1:]), dtype=values.dtype.name, name=key)
            for key, values in ((key, examples.features[key]) for key in keys)
        }
        self._trained = self._made()
        self._evaluated = keras.Model(self._trained.inputs, self._trained.output)
        self._variables = list(self._trained.variables)
        # Metrics are kept out of training, where they take as long as the steps.
        optimizer = models.compiled(self._evaluated, self.problem).optimizer
        self._trained.compile(optimizer, problem.head.loss(), jit_compile=False)
        optimizer.build(self._trained.trainable_variables)
        self._optimizer_start = _values(optimizer.variables)

    def train(self, examples: Examples, seed: int) -> int:
        """Trains from new initial values until the loss of a held-out tenth of the examples stops falling.

        Args:
            examples: What may be learned from; every tenth says when to stop.
            seed: Of the initial values and of the order.

        Returns:
            The number of passes after which that loss was lowest; the model is as it was then.

        Raises:
            TrainingFailure: The loss is not finite.
        """
        keras.utils.set_random_seed(seed)
        _assign(self._variables, _values(self._made().variables))
        _assign(self._trained.optimizer.variables, self._optimizer_start)
        held_out = np.arange(len(examples)) % HELD_OUT == 0
        learned, judge = examples.subset(~held_out), examples.subset(held_out).batches(self.eval_batch_size)
        batch_size = max(1, min(self.problem.train_batch_size, len(learned) // PASS_STEPS))
        steps = -(-len(learned) // batch_size)
        lowest, best, kept = float("inf"), 0, _values(self._variables)
        for passes in range(1, MOST_PASSES + 1):
            self._trained.fit(learned.shuffled(batch_size, seed, passes, 0, steps), shuffle=False, verbose=0)
            loss = self._scores(judge)["loss"]
            if not loss < float("inf"):
                raise TrainingFailure(f"--baselines: the loss became {loss}; try a smaller --learning-rate.")
            if loss < lowest:
                lowest, best, kept = loss, passes, _values(self._variables)
            elif passes - best >= PATIENCE:
                break
        _assign(self._variables, kept)
        return best

    def evaluate(self, examples: Examples) -> dict[str, float]:
        """Returns the loss and the head's metrics of some examples."""
        return self._scores(examples.batches(self.eval_batch_size))

    def _scores(self, batches: Any) -> dict[str, float]:
        scores: dict[str, float] = self._evaluated.evaluate(batches, verbose=0, return_dict=True)
        return scores

    def _made(self) -> keras.Model:
        training: Any = None  # fit and evaluate say which it is
        logits = models.halves(models.assembled(self.problem)).logits(self._inputs, training)
        return keras.Model(list(self._inputs.values()), logits)


def _values(variables: Sequence[Any]) -> list[np.ndarray[Any, Any]]:
    return [variable.numpy() for variable in variables]


def _assign(variables: Sequence[Any], values: Sequence[np.ndarray[Any, Any]]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
