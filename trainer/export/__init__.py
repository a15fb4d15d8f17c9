"""The model to serve: a SavedModel that takes raw features and loads with TensorFlow alone."""

from trainer.export.serving import TRAINED, check, signature_names, write

__all__ = ["TRAINED", "check", "signature_names", "write"]
