"""A model of Keras 2 on columns as one of Keras 3 on ours, with its weights."""

from trainer.migration.keras2.conversion import from_keras2

__all__ = ["from_keras2"]
