"""Tables as TensorBoard's projector opens them: points, labels, colours, pictures and views, in one folder."""

from trainer.projector.callback import ProjectorCallback
from trainer.projector.files import check
from trainer.projector.folder import look, shown, write

__all__ = ["ProjectorCallback", "check", "look", "shown", "write"]
