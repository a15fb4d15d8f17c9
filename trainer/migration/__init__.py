"""Away from `tf.feature_column`: its columns as ours, and both sides held against each other on one's own rows."""

from trainer.migration.columns import from_feature_columns
from trainer.migration.estimator import from_estimator
from trainer.migration.parity import check_parity
from trainer.migration.report import Comparison, Parity

__all__ = ["Comparison", "Parity", "check_parity", "from_estimator", "from_feature_columns"]
