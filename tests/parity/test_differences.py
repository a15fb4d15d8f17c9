"""Every deliberate difference from `tf.feature_column`, as trainer/migration/README.md lists them: both sides run."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from tensorflow.python.feature_column import feature_column_v2

from trainer import feature_column as fc
from trainer import tables
from trainer.encoding import encoding
from trainer.errors import Refusal
from trainer.layers import DenseFeatures, SequenceFeatures
from trainer.migration import from_feature_columns
from trainer.tables import Table

TF = tf.feature_column
HOUR = TF.categorical_column_with_identity("hour", 24)
DAY = TF.categorical_column_with_vocabulary_list("day", ["Mon", "Tue"])
WEIGHTED = TF.weighted_categorical_column(DAY, "weight")
WATCHED = TF.sequence_categorical_column_with_identity("watched", 5)


def less_one(numbers: Any) -> Any:
    return numbers - 1.0


def sparse(values: Any) -> tf.SparseTensor:
    """Everything that is given, '' and -1 too."""
    rows = [(row, place) for row, found in enumerate(values) for place in range(len(found))]
    flat = [value for found in values for value in found]
    return tf.SparseTensor(rows, flat, [len(values), max(len(found) for found in values)])


def their_ids(column: Any, features: Mapping[str, Any]) -> Any:
    found = column.get_sparse_tensors(feature_column_v2.FeatureTransformationCache(dict(features)), None).id_tensor
    return tf.sparse.to_dense(found, -1).numpy().tolist()


def our_ids(column: Any, features: Mapping[str, Any]) -> Any:
    found = encoding(from_feature_columns(column))(features)
    return (found.to_tensor(-1) if isinstance(found, tf.RaggedTensor) else found).numpy().tolist()


def their_numbers(column: Any, features: Mapping[str, Any]) -> Any:
    return tf_keras.layers.DenseFeatures([column])(dict(features)).numpy().tolist()


def our_numbers(column: Any, features: Mapping[str, Any]) -> Any:
    return DenseFeatures([from_feature_columns(column)])(features).numpy().tolist()


def their_steps(column: Any, features: Mapping[str, Any]) -> Any:
    values, lengths = tf_keras.experimental.SequenceFeatures([column])(dict(features))
    return values.numpy().tolist(), lengths.numpy().tolist()


def our_steps(column: Any, features: Mapping[str, Any]) -> Any:
    values, lengths = SequenceFeatures([from_feature_columns(column)])(features)
    return values.numpy().tolist(), lengths.numpy().tolist()


# Tables


@pytest.fixture
def warm(tmp_path: Path) -> Any:
    """TensorFlow's column that starts from a run's table of ones, and the features of one row."""
    column = fc.embedding_column(fc.categorical_column_with_identity("hour", 24), 2)
    tables.write(str(tmp_path / "tables"), [Table("hour", np.ones((24, 2), np.float32), column)])
    return TF.embedding_column(
        HOUR, 2, ckpt_to_load_from=str(tmp_path / "tables" / "tables"), tensor_name_in_ckpt="hour"
    )


def test_a_warm_start_is_restored_once_when_the_model_is_built(warm: Any, tmp_path: Path) -> None:
    features = {"hour": tf.constant([8])}
    theirs = tf_keras.layers.DenseFeatures([warm])
    ours = DenseFeatures([from_feature_columns(warm._replace(ckpt_to_load_from=str(tmp_path)))])
    for layer in (theirs, ours):
        assert layer(features).numpy().tolist() == [[1.0, 1.0]]
        layer.weights[0].assign(np.full((24, 2), 5, np.float32))  # as training does
    assert theirs(features).numpy().tolist() == [[1.0, 1.0]]
    assert ours(features).numpy().tolist() == [[5.0, 5.0]]


def test_a_warm_start_needs_no_name_of_a_tensor(warm: Any, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Must specify both `ckpt_to_load_from` and `tensor_name_in_ckpt`"):
        TF.embedding_column(HOUR, 2, ckpt_to_load_from=str(tmp_path))
    ours = fc.embedding_column(from_feature_columns(HOUR), 2, ckpt_to_load_from=str(tmp_path))
    assert DenseFeatures([ours])({"hour": tf.constant([8])}).numpy().tolist() == [[1.0, 1.0]]


def test_shared_embeddings_are_declared_and_run_eagerly() -> None:
    columns = [TF.categorical_column_with_identity(key, 24) for key in ("hour", "next")]
    with pytest.raises(RuntimeError, match="not supported when eager execution is enabled"):
        TF.shared_embeddings(columns, 2)
    hour, following = fc.shared_embeddings(from_feature_columns(columns), 2)
    layer = DenseFeatures([hour, following])
    values = layer({"hour": tf.constant([8]), "next": tf.constant([8])}).numpy()
    assert len(layer.weights) == 1
    assert values[0, :2].tolist() == values[0, 2:].tolist()


def test_shared_columns_of_two_vocabularies_are_refused() -> None:
    columns = [DAY, TF.categorical_column_with_vocabulary_list("next", ["Tue", "Mon"])]
    with tf.Graph().as_default():
        theirs = TF.shared_embeddings(columns, 2)
    with pytest.raises(Refusal) as refusal:
        from_feature_columns(theirs)
    assert str(refusal.value) == (
        "shared_embeddings: columns 'day' and 'next' do not mean the same by an id: 0 is 'Mon' and 'Tue'; "
        "give both one vocabulary."
    )


def test_two_crosses_in_another_order_stand_in_one_layer_under_two_names() -> None:
    theirs = [TF.embedding_column(TF.crossed_column(keys, 100), 2) for keys in ([DAY, HOUR], [HOUR, DAY])]
    with pytest.raises(ValueError, match="Duplicate feature column name"):
        tf_keras.layers.DenseFeatures(theirs)
    with pytest.raises(Refusal) as refusal:
        DenseFeatures(from_feature_columns(theirs))
    assert str(refusal.value) == (
        "embedding_column: two different tables are named 'day_X_hour'; give one of them another name=."
    )
    day, hour = from_feature_columns([DAY, HOUR])
    one = fc.embedding_column(fc.crossed_column([day, hour], 100), 2)
    two = fc.embedding_column(fc.crossed_column([hour, day], 100), 2, name="hour_day")
    assert DenseFeatures([one, two])({"day": tf.constant(["Mon"]), "hour": tf.constant([8])}).shape == (1, 4)


# What is refused when it is declared


def test_a_combiner_that_does_not_exist_is_refused_when_declared() -> None:
    theirs = TF.embedding_column(DAY, 2, combiner="product")
    with pytest.raises(ValueError, match="combiner"):
        their_numbers(theirs, {"day": tf.constant(["Mon"])})
    with pytest.raises(Refusal) as refusal:
        from_feature_columns(theirs)
    wanted = "combiner must be one of mean, sum, sqrtn, max, first"
    assert str(refusal.value) == f"embedding_column: column 'day': {wanted}, not 'product'."


def test_a_cross_of_weights_or_of_a_sequence_is_refused_when_declared() -> None:
    weights, steps = TF.crossed_column([WEIGHTED, HOUR], 9), TF.crossed_column([WATCHED, HOUR], 9)
    with pytest.raises(ValueError, match="crossed_column does not support weight_tensor"):
        their_ids(weights, {"day": tf.constant(["Mon"]), "weight": tf.constant([1.0]), "hour": tf.constant([8])})
    with pytest.raises(tf.errors.InvalidArgumentError):
        their_ids(steps, {"watched": tf.constant([[1, 2]]), "hour": tf.constant([8])})
    for theirs, key, what in ((weights, "day_weighted_by_weight", "has weights"), (steps, "watched", "is a sequence")):
        with pytest.raises(Refusal) as refusal:
            from_feature_columns(theirs)
        assert str(refusal.value) == (
            f"crossed_column: key '{key}' {what}, which a cross cannot keep; give the column inside it."
        )


def test_a_sequence_with_weights_is_refused_when_declared() -> None:
    theirs = TF.weighted_categorical_column(WATCHED, "weight")
    features = {"watched": tf.constant([[1, 2]]), "weight": tf.constant([[1.0, 3.0]])}
    assert their_numbers(TF.indicator_column(theirs), features) == [[0.0, 1.0, 3.0, 0.0, 0.0]]
    with pytest.raises(Refusal) as refusal:
        from_feature_columns(theirs)
    assert str(refusal.value) == (
        "weighted_categorical_column: column 'watched' is a sequence, which takes no weights; give the column of a bag."
    )


def test_a_vocabulary_file_is_read_when_declared(tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    missing = TF.categorical_column_with_vocabulary_file("word", str(file), 3)
    with pytest.raises(Refusal) as refusal:
        from_feature_columns(missing)
    who = "categorical_column_with_vocabulary_file: key 'word'"
    assert str(refusal.value) == (
        f"{who}: the file {file} cannot be read (there is no such file); give the path of a vocabulary."
    )
    file.write_text("a\nb\na\n", encoding="utf-8")
    repeated = TF.categorical_column_with_vocabulary_file("word", str(file))
    with pytest.raises(tf.errors.FailedPreconditionError, match="different value for same key"):
        their_ids(repeated, {"word": tf.constant(["a"])})
    with pytest.raises(Refusal) as refusal:
        from_feature_columns(repeated)
    assert str(refusal.value) == f"{who}: {file} has 'a' in line 3 and before; each value needs one id."


def test_an_embedding_needs_no_dimension() -> None:
    with pytest.raises(ValueError, match="Invalid dimension None"):
        TF.embedding_column(HOUR, None)
    assert fc.embedding_column(from_feature_columns(HOUR)).dimension == 3


# Ids


def test_an_id_out_of_range_is_refused_with_its_row() -> None:
    features = {"hour": tf.constant([3, 30])}
    assert their_ids(HOUR, features) == [[3], [30]]
    with pytest.raises(tf.errors.InvalidArgumentError) as failure:
        their_numbers(TF.embedding_column(HOUR, 2), features)
    assert "indices[1] = 30 is not in [0, 24)" in str(failure.value)
    with pytest.raises(Refusal) as refusal:
        our_ids(HOUR, features)
    assert str(refusal.value) == (
        "categorical_column_with_identity: key 'hour' takes ids from 0 to 23; give default_value, or a larger "
        "num_buckets; the data have 30 in row 1."
    )


def test_an_indicator_refuses_an_id_out_of_range() -> None:
    theirs, features = TF.indicator_column(HOUR), {"hour": tf.constant([30])}
    assert their_numbers(theirs, features) == [[0.0] * 24]
    with pytest.raises(Refusal, match="takes ids from 0 to 23"):
        our_numbers(theirs, features)


def test_a_weight_of_zero_keeps_its_place() -> None:
    theirs = TF.indicator_column(WEIGHTED)
    days = tf.constant([["Mon", "Tue"], ["Tue", "Mon"]])
    with pytest.raises(ValueError, match="4 and 3"):
        their_numbers(theirs, {"day": days, "weight": tf.constant([[0.0, 2.0], [3.0, 4.0]])})
    assert our_numbers(theirs, {"day": days, "weight": tf.constant([[0.0, 2.0], [3.0, 4.0]])}) == [[0, 2], [4, 3]]
    # With as many missing days as zeros nothing fails, and the weights belong to other days.
    mixed = {"day": tf.constant([["", "Tue"], ["Tue", "Mon"]]), "weight": tf.constant([[5.0, 2.0], [0.0, 4.0]])}
    assert their_numbers(theirs, mixed) == [[0, 5], [4, 2]]
    assert our_numbers(theirs, mixed) == [[0, 2], [4, 0]]


def test_the_weight_of_a_missing_value_is_left_out_with_it() -> None:
    theirs = TF.indicator_column(WEIGHTED)
    features = {"day": tf.constant([["", "Tue"]]), "weight": tf.constant([[5.0, 2.0]])}
    with pytest.raises(ValueError, match="1 and 2"):
        their_numbers(theirs, features)
    assert our_numbers(theirs, features) == [[0, 2]]


def test_weights_of_another_dtype_are_cast() -> None:
    theirs = TF.indicator_column(WEIGHTED)
    features = {"day": tf.constant([["Mon", "Tue"]]), "weight": tf.constant([[1, 2]])}
    with pytest.raises(ValueError, match="Bad dtype, expected <dtype: 'float32'>, but got <dtype: 'int32'>"):
        their_numbers(theirs, features)
    assert our_numbers(theirs, features) == [[1, 2]]


def test_weights_leave_the_ids_of_ranges_as_they_are() -> None:
    ranges = TF.bucketized_column(TF.numeric_column("n", 2), [0.0])
    weighted = TF.weighted_categorical_column(ranges, "weight")
    features = {"n": tf.constant([[1.0, -1.0], [1.0, 1.0]]), "weight": tf.ones([2, 2])}
    assert their_ids(ranges, features) == our_ids(ranges, features) == our_ids(weighted, features) == [[1, 2], [1, 3]]
    found = weighted.get_sparse_tensors(feature_column_v2.FeatureTransformationCache(dict(features)), None).id_tensor
    assert found.values.numpy().tolist() == [1, 0, 1, 1]


def test_the_highest_unsigned_number_is_a_value() -> None:
    column = TF.categorical_column_with_identity("level", 256)
    features = {"level": tf.constant([[255, 7]], tf.uint8)}
    assert their_ids(column, features) == [[-1, 7]]
    assert our_ids(column, features) == [[255, 7]]


@pytest.mark.parametrize("kind", [sparse, tf.ragged.constant])
def test_missing_values_are_left_out_of_sparse_features_too(kind: Any) -> None:
    words = TF.categorical_column_with_vocabulary_list("word", ["a", "b"], num_oov_buckets=1)
    hours = TF.categorical_column_with_identity("hour", 24, default_value=0)
    dense = {"word": tf.constant([["a", ""]]), "hour": tf.constant([[8, -1]])}
    assert their_ids(words, dense) == our_ids(words, dense) == [[0, -1]]
    assert their_ids(hours, dense) == our_ids(hours, dense) == [[8, -1]]
    other = {"word": kind([["a", ""]]), "hour": kind([[8, -1]])}
    theirs = {key: v.to_sparse() if isinstance(v, tf.RaggedTensor) else v for key, v in other.items()}
    assert (their_ids(words, theirs), their_ids(hours, theirs)) == ([[0, 2]], [[8, 0]])
    assert (our_ids(words, other), our_ids(hours, other)) == ([[0, -1]], [[8, -1]])


def test_a_missing_raw_key_leaves_a_cross_out() -> None:
    cross = TF.crossed_column(["word", "number"], 100)
    features = {"word": tf.constant(["a", "", "a"]), "number": tf.constant([1, 1, -1])}
    theirs = their_ids(cross, features)
    assert [id for (id,) in theirs if id < 0] == []
    assert our_ids(cross, features) == [theirs[0], [-1], [-1]]


def test_sparse_raw_keys_are_hashed_after_columns() -> None:
    first, last = TF.crossed_column(["word", DAY], 100), TF.crossed_column([DAY, "word"], 100)
    dense = {"word": tf.constant(["a", "b"]), "day": tf.constant(["Mon", "Tue"])}
    given = {"word": sparse([["a"], ["b"]]), "day": sparse([["Mon"], ["Tue"]])}
    wanted = their_ids(last, dense)
    assert their_ids(first, dense) == their_ids(last, given) == wanted
    assert their_ids(first, given) != wanted
    for cross in (first, last):
        assert our_ids(cross, dense) == our_ids(cross, given) == wanted


def test_a_raw_key_of_floats_is_refused() -> None:
    cross = TF.crossed_column(["number", "word"], 2**40)
    features = {"number": tf.constant([1.0, 1.75]), "word": tf.constant(["a", "a"])}
    one, two = their_ids(cross, features)
    assert one == two
    with pytest.raises(Refusal, match="crossed_column: feature 'number' should be whole numbers, not float32"):
        our_ids(cross, features)


def test_ragged_features_are_taken() -> None:
    features = {"hour": tf.ragged.constant([[8], [9, 10]])}
    with pytest.raises((TypeError, ValueError), match="RaggedTensor"):
        their_ids(HOUR, features)
    assert our_ids(HOUR, features) == [[8, -1], [9, 10]]


# Sequences and numbers


def test_dense_sequences_of_numbers_are_taken() -> None:
    theirs = TF.sequence_numeric_column("degrees", default_value=-7.0)
    features = {"degrees": tf.constant([[1.0, 2.0], [3.0, np.nan]])}
    with pytest.raises(TypeError, match="Input must be a SparseTensor"):
        their_steps(theirs, features)
    assert our_steps(theirs, features) == ([[[1.0], [2.0]], [[3.0], [-7.0]]], [2, 1])


def test_a_normalizer_of_a_sequence_gets_a_dense_tensor() -> None:
    features = {"degrees": sparse([[1.0, 2.0], [3.0]])}
    sparsely = TF.sequence_numeric_column("degrees", normalizer_fn=partial(tf.sparse.map_values, less_one))
    densely = TF.sequence_numeric_column("degrees", normalizer_fn=less_one)
    assert their_steps(sparsely, features)[0] == our_steps(densely, features)[0] == [[[0.0], [1.0]], [[2.0], [0.0]]]
    with pytest.raises(TypeError, match="SparseTensor"):
        their_steps(densely, features)
    with pytest.raises(ValueError, match="No SparseTensor in argument list of map_values"):
        our_steps(sparsely, features)


def test_a_step_that_was_begun_is_filled_up() -> None:
    theirs = TF.sequence_numeric_column("place", shape=2)
    features = {"place": sparse([[1.0, 2.0, 3.0]])}
    with pytest.raises(tf.errors.InvalidArgumentError, match="Input to reshape is a tensor with 3 values"):
        their_steps(theirs, features)
    assert our_steps(theirs, features) == ([[[1.0, 2.0], [3.0, 0.0]]], [2])


def test_a_normalizer_gets_the_dtype_of_the_column() -> None:
    seen: list[str] = []

    def noted(numbers: Any) -> Any:
        seen.append(numbers.dtype.name)
        return numbers

    theirs = TF.numeric_column("miles", normalizer_fn=noted)
    features = {"miles": tf.constant([1, 2])}
    assert their_numbers(theirs, features) == our_numbers(theirs, features) == [[1.0], [2.0]]
    assert seen == ["int32", "float32"]


def test_a_weight_below_zero_is_left_out_of_a_mean_by_an_unsafe_lookup_too() -> None:
    hours = TF.weighted_categorical_column(HOUR, "weight")
    rows = partial(np.arange, 24)
    features = {"hour": tf.constant([[1, 2, 3]]), "weight": tf.constant([[1.0, -2.0, 4.0]])}

    def numbers(shape: Any, dtype: Any = tf.float32, partition_info: Any = None) -> Any:
        return tf.reshape(tf.cast(rows(), dtype), shape)

    def embedding(safe: bool) -> Any:
        return TF.embedding_column(hours, 1, initializer=numbers, use_safe_embedding_lookup=safe)

    assert their_numbers(embedding(safe=False), features) == [[(1 - 4 + 12) / 3]]
    assert their_numbers(embedding(safe=True), features) == our_numbers(embedding(safe=False), features)
    assert our_numbers(embedding(safe=False), features) == [[pytest.approx((1 + 12) / 5)]]


def test_a_row_without_values_gets_zeros_by_an_unsafe_lookup_too() -> None:
    theirs = TF.embedding_column(HOUR, 2, use_safe_embedding_lookup=False)
    features = {"hour": tf.constant([1, -1, 2, -1])}
    assert np.shape(their_numbers(theirs, features)) == (3, 2)
    ours = our_numbers(theirs, features)
    assert np.shape(ours) == (4, 2)
    assert ours[1] == ours[3] == [0.0, 0.0]
