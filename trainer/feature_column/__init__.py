"""What a column is: frozen declarations under the names of `tf.feature_column`. No TensorFlow is imported here."""

from trainer.feature_column import drawing
from trainer.feature_column.bucketized import BucketizedColumn, bucketized_column
from trainer.feature_column.column import CategoricalColumn, DenseColumn, FeatureColumn, RawFeature
from trainer.feature_column.crossed import CrossedColumn, crossed_column
from trainer.feature_column.embedding import EmbeddingColumn, embedding_column
from trainer.feature_column.example_spec import make_parse_example_spec
from trainer.feature_column.hash_bucket import HashBucketColumn, categorical_column_with_hash_bucket
from trainer.feature_column.identity import IdentityColumn, categorical_column_with_identity
from trainer.feature_column.indicator import IndicatorColumn, indicator_column
from trainer.feature_column.numeric import NumericColumn, numeric_column
from trainer.feature_column.sequence import (
    SequenceCategoricalColumn,
    SequenceNumericColumn,
    sequence_categorical_column_with_hash_bucket,
    sequence_categorical_column_with_identity,
    sequence_categorical_column_with_vocabulary_file,
    sequence_categorical_column_with_vocabulary_list,
    sequence_numeric_column,
)
from trainer.feature_column.shared import shared_embeddings
from trainer.feature_column.tokens import Tokens
from trainer.feature_column.vocabulary import (
    FromData,
    Quantiles,
    SavedVocabulary,
    VocabularyFile,
    from_data,
    quantiles,
)
from trainer.feature_column.vocabulary_list import (
    VocabularyListColumn,
    categorical_column_with_vocabulary_file,
    categorical_column_with_vocabulary_list,
)
from trainer.feature_column.weighted import WeightedCategoricalColumn, weighted_categorical_column

__all__ = [
    "BucketizedColumn",
    "CategoricalColumn",
    "CrossedColumn",
    "DenseColumn",
    "EmbeddingColumn",
    "FeatureColumn",
    "FromData",
    "HashBucketColumn",
    "IdentityColumn",
    "IndicatorColumn",
    "NumericColumn",
    "Quantiles",
    "RawFeature",
    "SavedVocabulary",
    "SequenceCategoricalColumn",
    "SequenceNumericColumn",
    "Tokens",
    "VocabularyFile",
    "VocabularyListColumn",
    "WeightedCategoricalColumn",
    "bucketized_column",
    "categorical_column_with_hash_bucket",
    "categorical_column_with_identity",
    "categorical_column_with_vocabulary_file",
    "categorical_column_with_vocabulary_list",
    "crossed_column",
    "embedding_column",
    "from_data",
    "indicator_column",
    "make_parse_example_spec",
    "numeric_column",
    "quantiles",
    "sequence_categorical_column_with_hash_bucket",
    "sequence_categorical_column_with_identity",
    "sequence_categorical_column_with_vocabulary_file",
    "sequence_categorical_column_with_vocabulary_list",
    "sequence_numeric_column",
    "shared_embeddings",
    "weighted_categorical_column",
]

drawing.register()
