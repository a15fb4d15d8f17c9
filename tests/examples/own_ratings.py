"""Stars that people give to films, from `ratings.csv` of MovieLens; `--split-by userId` asks for those of others."""

from trainer import feature_column as fc
from trainer.heads import RegressionHead
from trainer.problem import Files, Problem

# What is rare is learned as one, which then stands for all that is not known.
often = {"userId": fc.from_data(frequency_threshold=50), "movieId": fc.from_data(frequency_threshold=3)}
columns = [
    fc.categorical_column_with_vocabulary_list(key, values, "int64", num_oov_buckets=1) for key, values in often.items()
]

PROBLEM = Problem(
    dataset=Files("ratings.csv"),
    linear_feature_columns=columns,
    dnn_feature_columns=[fc.embedding_column(column, 8) for column in columns],
    dnn_hidden_units=[32],
    label="rating",
    head=RegressionHead(),
    learning_rate=0.01,
)
