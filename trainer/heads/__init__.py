"""What a model is asked for: a number, a count, yes or no, a class, some of many, what is near; no Keras at import."""

from trainer.heads.binary import BinaryHead
from trainer.heads.head import Head
from trainer.heads.hidden import Hidden
from trainer.heads.multi_class import MultiClassHead
from trainer.heads.poisson_regression import PoissonRegressionHead
from trainer.heads.regression import RegressionHead
from trainer.heads.retrieval import RetrievalHead
from trainer.heads.skip_gram import SkipGramHead

__all__ = [
    "BinaryHead",
    "Head",
    "Hidden",
    "MultiClassHead",
    "PoissonRegressionHead",
    "RegressionHead",
    "RetrievalHead",
    "SkipGramHead",
]
