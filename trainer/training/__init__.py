"""The loop over a Keras model, its callbacks and its checkpoints."""

from trainer.training.evaluating import Evaluation
from trainer.training.loop import Position, evaluate, train

__all__ = ["Evaluation", "Position", "evaluate", "train"]
