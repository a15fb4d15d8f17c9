"""The loop over a Keras model, its callbacks and its checkpoints."""

from trainer.training.loop import Position, evaluate, train

__all__ = ["Position", "evaluate", "train"]
