"""What a night in a home in New York costs, from where it is and the words of its name."""

from trainer import feature_column as fc
from trainer.heads import RegressionHead
from trainer.problem import Files, Problem

place = fc.categorical_column_with_vocabulary_list("neighbourhood", fc.from_data(), num_oov_buckets=1)
kind = fc.categorical_column_with_vocabulary_list("room_type", fc.from_data())
words = fc.categorical_column_with_vocabulary_list(
    "name", fc.from_data(frequency_threshold=5), num_oov_buckets=1, tokenize=fc.Tokens()
)

PROBLEM = Problem(
    dataset=Files("nyc_listings_min.csv.gz"),
    dnn_feature_columns=[fc.embedding_column(place, 8), fc.embedding_column(words, 8), fc.indicator_column(kind)],
    linear_feature_columns=[place, kind, fc.crossed_column([place, kind])],
    dnn_hidden_units=[32],
    label="price",
    head=RegressionHead(log=True),
    max_bad_rows="1%",  # a few cost nothing
    learning_rate=0.01,
)
