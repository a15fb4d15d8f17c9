"""Using a trained model: a run as it was trained, and what it answers to rows in memory and in files."""

from trainer.prediction.loading import load
from trainer.prediction.scoring import Scoring
from trainer.prediction.trained import Trained

__all__ = ["Scoring", "Trained", "load"]
