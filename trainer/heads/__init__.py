"""What a model is asked for: a number, a count, yes or no, or one of several classes; Keras is imported on use."""

from trainer.heads.binary import BinaryHead
from trainer.heads.head import Head
from trainer.heads.multi_class import MultiClassHead
from trainer.heads.poisson_regression import PoissonRegressionHead
from trainer.heads.regression import RegressionHead

__all__ = ["BinaryHead", "Head", "MultiClassHead", "PoissonRegressionHead", "RegressionHead"]
