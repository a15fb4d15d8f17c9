"""The loop over a Keras model, its callbacks and its checkpoints."""

from trainer.training.evaluating import Evaluation
from trainer.training.loop import Position, evaluate, train
from trainer.training.machines.parameter_servers import evaluation_for

__all__ = ["Evaluation", "Position", "evaluate", "evaluation_for", "train"]
