"""What a column is: frozen declarations under the names of `tf.feature_column`. No TensorFlow is imported here."""

from trainer.feature_column.bucketized import BucketizedColumn, bucketized_column
from trainer.feature_column.column import CategoricalColumn, DenseColumn, FeatureColumn, RawFeature
from trainer.feature_column.crossed import CrossedColumn, crossed_column
from trainer.feature_column.embedding import EmbeddingColumn, embedding_column
from trainer.feature_column.hash_bucket import HashBucketColumn, categorical_column_with_hash_bucket
from trainer.feature_column.identity import IdentityColumn, categorical_column_with_identity
from trainer.feature_column.indicator import IndicatorColumn, indicator_column
from trainer.feature_column.numeric import NumericColumn, numeric_column
from trainer.feature_column.vocabulary_list import VocabularyListColumn, categorical_column_with_vocabulary_list

__all__ = [
    "BucketizedColumn",
    "CategoricalColumn",
    "CrossedColumn",
    "DenseColumn",
    "EmbeddingColumn",
    "FeatureColumn",
    "HashBucketColumn",
    "IdentityColumn",
    "IndicatorColumn",
    "NumericColumn",
    "RawFeature",
    "VocabularyListColumn",
    "bucketized_column",
    "categorical_column_with_hash_bucket",
    "categorical_column_with_identity",
    "categorical_column_with_vocabulary_list",
    "crossed_column",
    "embedding_column",
    "indicator_column",
    "numeric_column",
]
