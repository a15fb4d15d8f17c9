"""Vectors that answer questions: what lies near a key, which keys belong together, how two tables differ."""

from trainer.vectors.analogies import AnsweredAnalogies, AnsweredSection
from trainer.vectors.clusters import Cluster, Clusters
from trainer.vectors.labelled import LabelledVectors
from trainer.vectors.linking import Linking
from trainer.vectors.reduction import Alignment, Components
from trainer.vectors.similarities import Correlation, JudgedPairs

__all__ = [
    "Alignment",
    "AnsweredAnalogies",
    "AnsweredSection",
    "Cluster",
    "Clusters",
    "Components",
    "Correlation",
    "JudgedPairs",
    "LabelledVectors",
    "Linking",
]
