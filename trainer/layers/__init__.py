"""Columns as Keras layers, for any Keras model."""

from trainer import optimizers  # noqa: F401  # registered too, so that a compiled model loads after this import alone
from trainer.layers.candidates import Candidates, GivenIds
from trainer.layers.columns import encodable, encoded_keys
from trainer.layers.contexts import Contexts
from trainer.layers.dense_features import DenseFeatures, table_of
from trainer.layers.embedding_table import EmbeddingTable
from trainer.layers.encoder import Encoder
from trainer.layers.inputs import BagInput, inputs
from trainer.layers.linear_model import LinearModel
from trainer.layers.pooling import Pooling
from trainer.layers.sequence_features import SequenceFeatures

__all__ = [
    "BagInput",
    "Candidates",
    "Contexts",
    "DenseFeatures",
    "EmbeddingTable",
    "Encoder",
    "GivenIds",
    "LinearModel",
    "Pooling",
    "SequenceFeatures",
    "encodable",
    "encoded_keys",
    "inputs",
    "table_of",
]
