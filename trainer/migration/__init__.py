"""Away from `tf.feature_column`: its columns as ours, and both sides held against each other on one's own rows."""

from trainer.migration.columns import from_feature_columns
from trainer.migration.estimator import from_estimator
from trainer.migration.estimator.numbers import NumbersHead
from trainer.migration.estimator.warm_starts import warm_start_model
from trainer.migration.keras2 import from_keras2
from trainer.migration.parity import check_parity
from trainer.migration.report import Comparison, Parity
from trainer.migration.warm_started import warm_started
from trainer.migration.warm_starting import VocabInfo, WarmStartSettings

__all__ = [
    "Comparison",
    "NumbersHead",
    "Parity",
    "VocabInfo",
    "WarmStartSettings",
    "check_parity",
    "from_estimator",
    "from_feature_columns",
    "from_keras2",
    "warm_start_model",
    "warm_started",
]
