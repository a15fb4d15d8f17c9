"""Judging a trained model on any rows: its metrics, of all and by the values of a feature, and its calibration."""

from trainer.evaluation.calibration import Calibration, calibration
from trainer.evaluation.groups import Groups
from trainer.evaluation.judging import Judge, Slice, source_of
from trainer.evaluation.results import Results, results_of, write

__all__ = ["Calibration", "Groups", "Judge", "Results", "Slice", "calibration", "results_of", "source_of", "write"]
