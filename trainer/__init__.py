"""Embedding columns for Keras 3: declare categorical columns, train, reuse and look at their tables."""

import importlib
from typing import TYPE_CHECKING, Any

from trainer import registration

__version__ = "0.1.0"
__all__ = ["__version__", "build", "load"]

registration.register()

if TYPE_CHECKING:
    from trainer.models.build import build
    from trainer.prediction.loading import load

_PLACES = {"build": "trainer.models", "load": "trainer.prediction"}


def __getattr__(name: str) -> Any:
    # TensorFlow takes seconds to import; it waits until something asks for a model.
    if name in _PLACES:
        return getattr(importlib.import_module(_PLACES[name]), name)
    raise AttributeError(f"module 'trainer' has no attribute '{name}'")
