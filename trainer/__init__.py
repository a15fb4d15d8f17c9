"""Embedding columns for Keras 3: declare categorical columns, train, reuse and look at their tables."""

from typing import TYPE_CHECKING, Any

from trainer import registration

__version__ = "0.1.0"
__all__ = ["__version__", "build"]

registration.register()

if TYPE_CHECKING:
    from trainer.models import build


def __getattr__(name: str) -> Any:
    # TensorFlow takes seconds to import; it waits until something asks for a model.
    if name == "build":
        from trainer.models import build

        return build
    raise AttributeError(f"module 'trainer' has no attribute '{name}'")
