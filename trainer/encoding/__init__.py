"""Strings to ids: lookup, hash, cross and ranges, as functions of raw features that run inside `tf.data` or a model."""

import importlib
import pkgutil

from trainer.encoding.coded import Coded
from trainer.encoding.encoding import Encoding, encoding
from trainer.encoding.outside import outside
from trainer.encoding.sequence import Lengths
from trainer.encoding.weighted import Weights

__all__ = ["Coded", "Encoding", "Lengths", "Weights", "encoding", "outside"]

# Each file of this folder registers the encoding of its kind of column.
for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
