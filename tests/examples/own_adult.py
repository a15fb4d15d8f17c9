"""Incomes of the census of 1994, from `adult.data`, a file of UCI without a header: above 50,000 dollars or not."""

from trainer import feature_column as fc
from trainer.problem import CsvFormat, Files, Problem

NAMES = [
    *("age", "workclass", "fnlwgt", "education", "education_num", "marital_status", "occupation", "relationship"),
    *("race", "sex", "capital_gain", "capital_loss", "hours_per_week", "native_country", "income"),
]
words = ("workclass", "education", "marital_status", "occupation", "relationship", "native_country")
numbers = ("age", "education_num", "capital_gain", "capital_loss", "hours_per_week")
vocabularies = [fc.categorical_column_with_vocabulary_list(name, fc.from_data(), num_oov_buckets=1) for name in words]
ranges = [fc.bucketized_column(fc.numeric_column(name), fc.quantiles(20)) for name in numbers]
PROBLEM = Problem(
    dataset=Files("adult.data.gz"),
    dnn_feature_columns=[fc.embedding_column(column, 4) for column in (*vocabularies, *ranges)],
    linear_feature_columns=[*vocabularies, *ranges],
    dnn_hidden_units=[32],
    csv=CsvFormat(column_names=NAMES, skip_initial_space=True),
    from_rows=lambda rows: {**rows, "rich": ["1" if text.startswith(">") else "0" for text in rows["income"]]},
    label="rich",
    learning_rate=0.01,
)
