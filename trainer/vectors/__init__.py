"""Vectors that answer questions: what lies near a key, which keys belong together, how two tables differ."""

from trainer.vectors.clusters import Cluster, Clusters
from trainer.vectors.labelled import LabelledVectors
from trainer.vectors.reduction import Alignment, Components

__all__ = ["Alignment", "Cluster", "Clusters", "Components", "LabelledVectors"]
