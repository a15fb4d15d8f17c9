import dataclasses
import itertools
import operator
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.parity import present, their_ids
from trainer import feature_column as fc
from trainer.encoding import Coded, encoding
from trainer.errors import Refusal
from trainer.vocabulary import (
    KeyCounts,
    Survey,
    collisions,
    counts,
    learned,
    quantiles,
    sharing,
    survey,
    tally,
    texts_of_buckets,
)
from trainer.vocabulary import found as found_values
from trainer.vocabulary.hashed import HashedCross

moderately = settings(derandomize=True, max_examples=25)

DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
DAY = fc.categorical_column_with_vocabulary_list("day", DAYS)
HOUR = fc.categorical_column_with_identity("hour", 24)
MILES = fc.numeric_column("miles")
WORD = fc.categorical_column_with_vocabulary_list("word", fc.from_data())
TAIL = fc.categorical_column_with_hash_bucket("tail", 6)
TAILS = {"tail": ["N14228", "N24211", "N619AA", "N14228"]}


@given(st.lists(st.lists(st.integers(-1, 9), min_size=3, max_size=3), max_size=20), st.integers(10, 15))
@settings(derandomize=True, max_examples=50)
def test_each_id_is_counted_and_the_missing_are_not(ids: Any, num_buckets: int) -> None:
    found = counts(np.array(ids, np.int64).reshape(-1, 3), num_buckets)
    expected = Counter(id for bag in ids for id in bag)
    assert found.tolist() == [expected[id] for id in range(num_buckets)]
    assert found.dtype == np.int64


@pytest.mark.parametrize("shape", [(6,), (6, 1), (3, 2), (1, 2, 3)])
@pytest.mark.parametrize("dtype", [np.int32, np.int64])
def test_ids_may_have_any_shape_and_width(shape: tuple[int, ...], dtype: Any) -> None:
    assert counts(np.array([0, 2, 2, -1, 1, 2], dtype).reshape(shape), 5).tolist() == [1, 1, 3, 0, 0]


@pytest.mark.parametrize("ids", [tf.constant([[0, -1], [2, 2]]), tf.ragged.constant([[0], [], [2, -1, 2]])])
def test_ids_may_be_a_tensor_or_a_ragged_one(ids: Any) -> None:
    assert counts(ids, 4).tolist() == [1, 0, 2, 0]


@given(st.lists(st.integers(-1, 4), min_size=1), st.lists(st.integers(-1, 4), min_size=1))
@settings(derandomize=True, max_examples=30)
def test_counts_of_two_batches_add_up(first: list[int], second: list[int]) -> None:
    total = counts(np.array(first), 5) + counts(np.array(second), 5)
    assert total.tolist() == counts(np.array(first + second), 5).tolist()


def vocabulary(values: Any, key: str = "word", dtype: str = "string", **limits: int) -> tuple[Any, ...]:
    """The vocabulary that one batch of one feature gives."""
    column = fc.categorical_column_with_vocabulary_list(key, fc.from_data(**limits), dtype)
    (found,) = learned([column], [{key: values}])
    return tuple(found.vocabulary_list)


words = st.one_of(st.sampled_from(["", "a", "b", "B", "é"]), st.text(max_size=2))


@given(st.lists(st.lists(words, min_size=1, max_size=8), min_size=1, max_size=5), st.integers(1, 4), st.integers(0, 2))
@moderately
def test_a_vocabulary_is_in_the_order_of_frequency_and_then_of_bytes(batches: Any, top_k: int, threshold: int) -> None:
    column = fc.categorical_column_with_vocabulary_list("word", fc.from_data(top_k, threshold))
    found = Counter(word for batch in batches for word in batch if word)
    ordered = sorted(found, key=lambda word: (-found[word], word.encode()))
    expected = [word for word in ordered if found[word] >= threshold][:top_k]
    if expected:
        (result,) = learned([column], ({"word": batch} for batch in batches))
        assert list(result.vocabulary_list) == expected
    else:
        with pytest.raises(Refusal):
            learned([column], ({"word": batch} for batch in batches))


def test_whole_numbers_that_are_as_frequent_are_in_the_order_of_numbers() -> None:
    assert vocabulary([[10, 9], [-1, 100], [-5, 100]], "n", "int64") == (100, -5, 9, 10)


@pytest.mark.parametrize(
    "values",
    [
        ["b", "a", "", "b"],
        [b"b", b"a", b"", b"b"],
        ["b", "a", None, "b"],
        [["b", "a"], ["", "b"]],
        [["b", "a", "b"], [], None],
        np.array(["b", "a", "", "b"]),
        np.array([b"b", b"a", b"", b"b"]),
        np.array([b"b", b"a", b"", b"b"], object),
        np.array([["b", "a"], ["", "b"]]),
        tf.constant(["b", "a", "", "b"]),
        tf.constant([["b", "a"], ["", "b"]]),
        tf.ragged.constant([["b", "a", "b"], [], [""]]),
        tf.ragged.constant([[["b"], ["a", "b"]], []]),
        tf.sparse.from_dense([["b", "a"], ["", "b"]]),
        Coded(tf.constant(["", "a", "b", "unused"]), tf.constant([2, 1, 0, 2])),
        Coded(tf.constant(["b", "a"]), tf.ragged.constant([[0, 1], [], [0]], dtype=tf.int32)),
    ],
    ids=repr,
)
def test_a_feature_may_come_in_any_form(values: Any) -> None:
    assert vocabulary(values) == ("b", "a")


@pytest.mark.parametrize("dtype", ["int32", "uint8", "int64"])
def test_a_feature_may_have_any_width_of_whole_numbers(dtype: str) -> None:
    assert vocabulary(np.array([7, 3, 7], dtype), "n", "int64") == (7, 3)


@pytest.mark.parametrize("values", [tf.constant([b"\xff", b"a"]), ["\udcff", "a"], np.array(["\udcff", "a"], object)])
def test_bytes_of_no_utf8_are_kept(values: Any) -> None:
    assert vocabulary(values) == ("a", "\udcff")


def test_two_columns_on_one_feature_take_what_each_wants_of_its_values() -> None:
    columns = [
        fc.categorical_column_with_vocabulary_list("word", fc.from_data(top_k=1), num_oov_buckets=2),
        fc.categorical_column_with_vocabulary_list("word", fc.from_data(frequency_threshold=2), default_value=0),
    ]
    found = learned(columns, [{"word": ["a", "b", "b", "c", "c", "c"]}])
    assert [(one.vocabulary_list, one.num_oov_buckets, one.default_value) for one in found] == [
        (("c",), 2, -1),
        (("c", "b"), 0, 0),
    ]


RANGES = fc.bucketized_column(MILES, fc.quantiles(2))
KINDS: dict[str, tuple[Any, Callable[[Any], Any]]] = {
    "vocabulary": (WORD, lambda column: column),
    "ranges": (RANGES, lambda column: column),
    "indicator": (fc.indicator_column(WORD), lambda column: column.categorical_column),
    "embedding": (fc.embedding_column(WORD, 3), lambda column: column.categorical_column),
    "weights": (
        fc.embedding_column(fc.weighted_categorical_column(WORD, "weight")),
        lambda column: column.categorical_column.categorical_column,
    ),
    "sequence": (
        fc.embedding_column(fc.sequence_categorical_column_with_vocabulary_list("word", fc.from_data())),
        lambda column: column.categorical_column.categorical_column,
    ),
    "exact cross": (
        fc.embedding_column(fc.crossed_column([DAY, WORD])),
        lambda column: column.categorical_column.keys[1],
    ),
    "hashed cross": (fc.crossed_column(["day", WORD], 10), lambda column: column.keys[1]),
    "cross of ranges": (fc.indicator_column(fc.crossed_column([RANGES, DAY])), lambda c: c.categorical_column.keys[0]),
    "cross in a cross": (
        fc.crossed_column([fc.crossed_column([HOUR, WORD]), "day"], 9),
        lambda column: column.keys[0].keys[1],
    ),
}
BATCH = {"word": ["a", "b", "b", "c"], "miles": [1.0, 2.0, 3.0, 4.0]}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_learned_stands_where_it_was_wanted(kind: str) -> None:
    column, inside = KINDS[kind]
    (found,) = learned([column], [BATCH])
    assert inside(found) == (
        fc.bucketized_column(MILES, [3.0])
        if isinstance(inside(column), fc.BucketizedColumn)
        else fc.categorical_column_with_vocabulary_list("word", ["b", "a", "c"])
    )
    assert found.name == column.name
    if isinstance(column, fc.EmbeddingColumn):
        inner = found.categorical_column
        assert found == dataclasses.replace(column, categorical_column=inner, dimension=found.dimension)
        assert found.dimension == (column.dimension or fc.embedding_column(inner).dimension)


def shared(first: fc.CategoricalColumn, second: fc.CategoricalColumn) -> list[Any]:
    return list(fc.shared_embeddings([first, second]))


def from_data(key: str, *limits: int, **others: Any) -> fc.VocabularyListColumn:
    return fc.categorical_column_with_vocabulary_list(key, fc.from_data(*limits), **others)


def test_columns_of_one_table_learn_one_vocabulary() -> None:
    columns = [*shared(from_data("start"), from_data("end")), fc.indicator_column(from_data("start")), WORD]
    batch = {"start": ["a", "b", ""], "end": ["c", "c", "b"], "word": ["a", "a", "a"]}
    start, end, indicator, word = learned(columns, [batch])
    values = ("b", "c", "a")
    assert [column.categorical_column.vocabulary_list for column in (start, end, indicator)] == [values] * 3
    assert word.vocabulary_list == ("a",)
    assert start.shared_by == end.shared_by == (start.categorical_column, end.categorical_column)
    assert start.dimension == end.dimension == 2
    assert start.owner == end.owner


def of_words(key: str, *limits: int, **arguments: Any) -> fc.VocabularyListColumn:
    return from_data(key, *limits, tokenize=fc.Tokens(**arguments))


@pytest.mark.parametrize(
    "texts",
    [
        ["Quiet room", "quiet, QUIET place", "", "Room!"],
        Coded(tf.constant(["room!", "Quiet quiet", "place", "unused"]), tf.constant([0, 1, 2, 0])),
        tf.ragged.constant([["quiet room", "Quiet"], [], ["quiet", "room", "place"]]),
    ],
)
def test_a_vocabulary_of_words_counts_words(texts: Any) -> None:
    columns = [of_words("name"), from_data("name", 1), of_words("name", 2), of_words("name", ngrams=2, lower=False)]
    words, _, two, runs = learned(columns, [{"name": texts}])
    counted = Counter(word for words in encoding(hashed_words())({"name": texts}).to_list() for word in words)
    assert len(words.vocabulary) == len(counted) == 3
    assert sorted(words.vocabulary) == ["place", "quiet", "room"]
    assert two.vocabulary == words.vocabulary[:2] == ("quiet", "room")[:2]
    assert (words.tokenize, runs.tokenize) == (fc.Tokens(), fc.Tokens(ngrams=2, lower=False))


def hashed_words() -> fc.HashBucketColumn:
    return fc.categorical_column_with_hash_bucket("name", 10_000, tokenize=fc.Tokens())


def test_the_words_that_share_a_bucket_are_told() -> None:
    few = fc.categorical_column_with_hash_bucket("name", 1, tokenize=fc.Tokens())
    found = collisions(
        few, [{"name": ["Quiet room", "room", ""]}, {"name": Coded(tf.constant(["Room"]), tf.zeros([2], tf.int32))}]
    )
    assert (found.rows, found.distinct_keys, str(found.shared[0])) == (5, 2, "bucket 0: room (4), quiet (1)")


def test_the_crosses_of_words_that_share_a_bucket_are_told() -> None:
    words = fc.categorical_column_with_vocabulary_list("name", ["quiet", "room"], tokenize=fc.Tokens())
    found = collisions(
        fc.crossed_column([words, "kind"], 1), [{"name": ["Quiet room", "odd"], "kind": ["flat", "flat"]}]
    )
    assert str(found.shared[0]) == "bucket 0: quiet flat (1), room flat (1)"


def test_texts_of_one_table_learn_one_vocabulary_of_words_if_their_words_are_made_alike() -> None:
    batch = {"title": ["Quiet room"], "text": ["a room"]}
    for column in learned(shared(of_words("title"), of_words("text")), [batch]):
        assert column.categorical_column.vocabulary == ("room", "a", "quiet")
    with pytest.raises(
        Refusal, match=r"^shared_embeddings: columns 'title' and 'text' share a table and cannot learn "
    ):
        learned(shared(of_words("title"), from_data("text")), [batch])


def test_columns_that_share_tables_in_a_row_learn_one_vocabulary() -> None:
    columns = [*shared(from_data("a"), from_data("b")), *shared(from_data("b"), from_data("c"))]
    found = learned(columns, [{"a": ["x"], "b": ["y"], "c": ["z"]}])
    assert {column.categorical_column.vocabulary_list for column in found} == {("x", "y", "z")}


def test_crosses_and_ranges_of_one_table_learn_together_key_by_key() -> None:
    def cross(key: str) -> fc.CrossedColumn:
        ranges = fc.bucketized_column(fc.numeric_column(f"{key}_miles"), fc.quantiles(2))
        return fc.crossed_column([from_data(key), ranges])

    batch = {"start": ["a", "b"], "end": ["b", "b"], "start_miles": [1.0, 2.0], "end_miles": [5.0, 6.0]}
    for column in learned(shared(cross("start"), cross("end")), [batch]):
        word, ranges = column.categorical_column.keys
        assert (word.vocabulary_list, ranges.edges) == (("b", "a"), (5.0,))


@pytest.mark.parametrize(
    ("other", "declared"),
    [
        (from_data("end", 5), "FromData(top_k=5, frequency_threshold=0) of string"),
        (from_data("end", dtype="int64"), "FromData(top_k=None, frequency_threshold=0) of int64"),
        (fc.categorical_column_with_vocabulary_list("end", ["a"]), "a given vocabulary of string"),
    ],
)
def test_columns_of_one_table_that_cannot_learn_the_same_are_refused(other: Any, declared: str) -> None:
    with pytest.raises(Refusal) as refusal:
        learned(shared(from_data("start"), other), [])
    assert str(refusal.value) == (
        "shared_embeddings: columns 'start' and 'end' share a table and cannot learn the same from data, for they "
        f"declare FromData(top_k=None, frequency_threshold=0) of string and {declared}; declare both alike."
    )


def test_ranges_of_one_table_that_cannot_learn_the_same_are_refused() -> None:
    given_ranges = fc.bucketized_column(fc.numeric_column("price"), [1, 2])
    with pytest.raises(Refusal) as refusal:
        learned(shared(RANGES, given_ranges), [])
    assert str(refusal.value) == (
        "shared_embeddings: columns 'miles_bucketized' and 'price_bucketized' share a table and cannot learn the same "
        "from data, for they declare Quantiles(count=2) and given boundaries; declare both alike."
    )


def test_columns_of_one_table_have_as_many_ids_once_they_are_learned() -> None:
    columns = shared(from_data("start"), from_data("end", num_oov_buckets=1))
    with pytest.raises(Refusal, match="'start' and 'end' have 1 and 2 ids; as many are wanted to share a table"):
        learned(columns, [{"start": ["a"], "end": ["a"]}])


def test_data_are_not_read_where_nothing_has_to_be_learned() -> None:
    def unread() -> Any:
        raise AssertionError("the data were read")
        yield

    columns = [fc.embedding_column(DAY), MILES, fc.sequence_numeric_column("heat")]
    assert learned(columns, unread()) == tuple(columns)


def test_data_may_be_one_batch_or_a_data_set_with_labels() -> None:
    assert learned([WORD], {"word": ["a"]})[0].vocabulary_list == ("a",)
    examples = tf.data.Dataset.from_tensor_slices(({"word": ["b", "a", "a"]}, [0.0, 1.0, 0.0]))
    assert learned([WORD], examples.batch(2))[0].vocabulary_list == ("a", "b")


def test_a_survey_tells_what_it_has_learned_so_far() -> None:
    survey = Survey([WORD, RANGES])
    survey.update({"word": ["a", "b"], "miles": [1, 2]})
    assert [column.num_buckets for column in survey.learned()] == [2, 2]
    survey.update({"word": ["c", "b"], "miles": [3, 4]})
    word, ranges = survey.learned()
    assert (word.vocabulary_list, ranges.edges) == (("b", "a", "c"), (3.0,))


numbers = st.one_of(st.integers(0, 3).map(float), st.floats(-100, 100, width=32))


@given(st.lists(numbers, min_size=2, max_size=40), st.integers(2, 6))
@moderately
def test_quantiles_cut_numbers_into_ranges_without_an_empty_one(values: list[float], count: int) -> None:
    column = fc.bucketized_column(MILES, fc.quantiles(count))
    data = np.array(values, np.float32)
    if len(set(data.tolist())) < 2:
        return
    (found,) = learned([column], [{"miles": part} for part in np.array_split(data, 3)])
    assert len(found.edges) < count
    assert {np.float32(edge) for edge in found.edges} <= set(data)
    rows = counts(encoding(found)({"miles": data}), found.num_buckets)
    assert rows.min() > 0
    if len(set(data.tolist())) == len(data) and len(data) >= count:
        assert rows.max() - rows.min() <= 1


@pytest.mark.parametrize(
    ("values", "count", "edges"),
    [
        (np.arange(100), 4, (25, 50, 75)),
        ([0, 0, 0, 1], 2, (1,)),  # the smallest number begins the first range anyway
        ([0, 0, 0, 0, 0, 1, 2], 4, (1,)),
        ([1, 2, 2, 2, 2, 2, 2, 3], 4, (2,)),
        ([np.nan, 1, np.nan, 2], 2, (2,)),
        ([-0.0, 0.0, 1.0], 3, (1,)),
        ([0.1, 0.7], 2, (0.7,)),  # as a person writes the float32
    ],
)
def test_boundaries_are_numbers_of_the_data(values: Any, count: int, edges: tuple[float, ...]) -> None:
    (found,) = learned([fc.bucketized_column(MILES, fc.quantiles(count))], [{"miles": np.array(values, np.float32)}])
    assert found.boundaries == edges


def test_quantiles_are_those_of_normalized_numbers() -> None:
    source = fc.numeric_column("miles", normalizer_fn=operator.neg)
    (found,) = learned([fc.bucketized_column(source, fc.quantiles(2))], [{"miles": [1.0, 2.0, 3.0, 4.0]}])
    assert found.boundaries == (-2.0,)


def test_quantiles_of_more_numbers_than_are_kept_are_near(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quantiles, "EXACT", 4000)
    monkeypatch.setattr(quantiles, "KEPT", 1000)
    monkeypatch.setattr(quantiles, "_PENDING", 3000)
    found = quantiles.Numbers()
    values = np.random.default_rng(0).permutation(np.arange(20_000, dtype=np.float32))
    for part in np.array_split(values, 10):
        found.add(part)
    assert len(found) < 8000
    np.testing.assert_allclose(found.boundaries(4), [5000, 10_000, 15_000], atol=60)


def test_a_tally_counts_in_parts_what_it_counts_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally, "PENDING", 3)
    assert vocabulary(["c", "b", "c"]) == ("c", "b")
    batches = [{"word": list(text)} for text in ("abc", "", "bcd", "c", "e", "ebc")]
    assert learned([WORD], batches)[0].vocabulary_list == ("c", "b", "e", "a", "d")


def test_a_vocabulary_of_too_many_values_to_count_says_how_far_it_may_be_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey, "MOST_VALUES", 3)
    monkeypatch.setattr(tally, "PENDING", 3)
    told: list[str] = []
    words = [*"aaaaaaabbbbbcdefgh", *"aabb"]
    found = found_values([WORD], [{"word": words[start : start + 4]} for start in range(0, 22, 4)], told.append)
    assert found[0][:2] == ["a", "b"]
    (line,) = told
    assert line.startswith("word: over 3 different values, so the rows of each are counted by a Misra-Gries sketch")


LEARNING_REFUSALS: list[tuple[Any, Any, str]] = [
    (WORD, [], "learned: the data have no batch, and columns learn from them; give at least one batch."),
    (
        WORD,
        7,
        "learned: batches of raw features are wanted, mappings from key to values, not 7.",
    ),
    (
        WORD,
        [["a"]],
        "learned: a batch of raw features is wanted, a mapping from key to values, not a list.",
    ),
    (
        WORD,
        [{"words": ["a"]}],
        "features: 'word' is wanted by a column and is not there; did you mean 'words'?",
    ),
    (WORD, [{"x": ["a"]}], "features: 'word' is wanted by a column and is not there."),
    (
        WORD,
        [{"word": [1, 2]}],
        "categorical_column_with_vocabulary_list: feature 'word' should be strings, not int64; declare the column's "
        "dtype.",
    ),
    (
        from_data("n", dtype="int32"),
        [{"n": [1.5]}],
        "categorical_column_with_vocabulary_list: feature 'n' should be whole numbers, not float64; declare the "
        "column's dtype.",
    ),
    (
        WORD,
        [{"word": ["a", 1]}],
        "categorical_column_with_vocabulary_list: feature 'word' holds values of several kinds, or of one that is "
        "neither strings nor numbers; give an array, a list or a tensor of one kind.",
    ),
    (
        WORD,
        [{"word": tf.constant("a")}],
        "categorical_column_with_vocabulary_list: feature 'word' has one value and no batch of them; call "
        ".batch(1000) on the data.",
    ),
    (
        WORD,
        [{"word": ["", ""]}, {"word": []}],
        "categorical_column_with_vocabulary_list: key 'word' has no value in the data, and a vocabulary needs one; "
        "give other data.",
    ),
    (
        from_data("word", 9, 3),
        [{"word": ["a", "a", "b"]}],
        "categorical_column_with_vocabulary_list: key 'word': none of the 2 values in the data has 3 rows; give a "
        "lower frequency_threshold.",
    ),
    (
        from_data("word", default_value=2),
        [{"word": ["a", "b"]}],
        "categorical_column_with_vocabulary_list: key 'word': default_value must be an id from -1 to 1, not 2.",
    ),
    (
        RANGES,
        [{"miles": [2.0, 2.0, np.nan]}],
        "bucketized_column: source 'miles' has one number alone in the data, and a boundary lies between two; give "
        "boundaries, or other data.",
    ),
    (
        RANGES,
        [{"miles": [np.nan]}],
        "bucketized_column: source 'miles' has no number in the data, and a boundary lies between two; give "
        "boundaries, or other data.",
    ),
    (RANGES, [{"mile": [1.0]}], "features: 'miles' is wanted by a column and is not there; did you mean 'mile'?"),
    (
        RANGES,
        [{"miles": ["far"]}],
        "numeric_column: feature 'miles' should be numbers, not strings; convert it first.",
    ),
]


@pytest.mark.parametrize(("column", "batches", "sentence"), LEARNING_REFUSALS)
def test_what_cannot_be_learned_is_refused_with_a_sentence(column: Any, batches: Any, sentence: str) -> None:
    with pytest.raises(Refusal) as refusal:
        learned([fc.indicator_column(column)], batches)
    assert str(refusal.value) == sentence


def test_a_learned_exact_cross_may_not_have_too_many_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainer.feature_column.crossed.EXACT_LIMIT", 20)
    with pytest.raises(Refusal, match="an exact cross of 'day_X_word' has 21 rows, over the limit of 20"):
        learned([fc.crossed_column([DAY, WORD])], [{"word": ["a", "b", "c"]}])


def grouped(features: Mapping[str, Any], ids: Any, label: Callable[..., str]) -> dict[int, dict[str, int]]:
    """The labels and rows of each id that several keys share, from the ids of examples with one value each."""
    found: dict[int, Counter[str]] = {}
    for *values, bag in zip(*features.values(), ids, strict=True):
        found.setdefault(bag[0], Counter())[label(*values)] += 1
    return {id: dict(keys) for id, keys in found.items() if len(keys) > 1}


def groups_of(found: Any) -> dict[int, dict[str, int]]:
    return {shared.id: dict(shared.keys) for shared in found.shared}


def test_the_cross_of_the_course_puts_168_hours_of_the_week_into_107_of_168_buckets() -> None:
    """Golden: 107 is what tf.feature_column of TensorFlow 2.21.0 makes of these, too."""
    cross = fc.crossed_column([DAY, HOUR], 24 * 7)
    found = collisions(cross)
    hours = list(itertools.product(DAYS, range(24)))
    features = {"day": [day for day, _ in hours], "hour": [hour for _, hour in hours]}
    theirs = their_ids(cross, {key: tf.constant(values) for key, values in features.items()})
    assert len({id for bag in theirs for id in bag}) == found.distinct_ids == 107
    assert groups_of(found) == grouped(features, theirs, lambda day, hour: f"{day} {hour:02d}")
    assert (found.distinct_keys, found.rows, found.size, found.counted) == (168, 168, 168, "keys")
    assert [shared.rows for shared in found.shared] == sorted((s.rows for s in found.shared), reverse=True)
    assert found.shared_share == sum(shared.rows for shared in found.shared) / 168
    assert str(found).splitlines()[:2] == [
        "day_X_hour: 168 keys share 107 of 168 buckets; 62 % of the keys share theirs with other keys.",
        f"hash_bucket_size={found.size_for_one_percent} would bring it under 1 %, an exact cross to 0.",
    ]


def test_without_data_and_with_each_combination_once_the_same_keys_share() -> None:
    cross = fc.crossed_column([DAY, HOUR], 24 * 7)
    data = {"day": np.repeat(DAYS, 24), "hour": np.tile(np.arange(24), 7)}
    found = collisions(cross, data)
    assert groups_of(found) == groups_of(collisions(cross))
    assert found.line == (
        "day_X_hour: 62 % of the rows share a bucket with other keys (168 keys in 107 of 168 buckets); "
        f"hash_bucket_size={found.size_for_one_percent} would bring it under 1 %, an exact cross to 0"
    )


MILE_RANGES = fc.bucketized_column(MILES, [0, 10])
SPREAD = fc.categorical_column_with_vocabulary_list("day", DAYS, num_oov_buckets=2)
LEAVES = ["word", "number", DAY, SPREAD, HOUR, MILE_RANGES]


def bags(values: st.SearchStrategy[Any], examples: int) -> st.SearchStrategy[Any]:
    return st.integers(1, 2).flatmap(
        lambda length: st.lists(st.tuples(*[values] * length), min_size=examples, max_size=examples)
    )


@st.composite
def crosses_with_features(draw: Any) -> Any:
    leaves = draw(st.lists(st.sampled_from(LEAVES), min_size=2, max_size=3, unique_by=str))
    cross = fc.crossed_column(leaves, draw(st.sampled_from([1, 3, 10, 1000])), draw(st.sampled_from([None, 5])))
    examples = draw(st.integers(1, 5))
    drawn = {
        "word": draw(bags(st.sampled_from(["", "a", "b", "c d"]), examples)),
        "number": np.array(draw(bags(st.integers(-3, 3), examples))),
        "day": draw(bags(st.sampled_from(["", "Mon", "Sun", "Montag", "Dienstag"]), examples)),
        "hour": np.array(draw(bags(st.sampled_from([-1, 0, 8, 23]), examples))),
        "miles": np.array(draw(st.lists(st.floats(-20, 20, width=32), min_size=examples, max_size=examples))),
    }
    return cross, drawn


@given(crosses_with_features())
@settings(moderately, max_examples=15)
def test_ids_and_rows_are_those_of_the_encoding(drawn: Any) -> None:
    cross, features = drawn
    given_features = {key: tf.constant(values) for key, values in features.items()}
    ids = [id for bag in present(encoding(cross)(given_features)) for id in bag]
    if not ids:
        with pytest.raises(Refusal):
            collisions(cross, features)
        return
    found = collisions(cross, features)
    rows = Counter(ids)
    assert (found.rows, found.distinct_ids) == (len(ids), len(rows))
    assert {shared.id: shared.rows for shared in found.shared}.items() <= rows.items()
    assert found.distinct_keys == found.distinct_ids + sum(len(shared.keys) - 1 for shared in found.shared)
    sparse = {
        key: tf.RaggedTensor.from_tensor(values) if values.shape.rank == 2 and key != "miles" else values
        for key, values in given_features.items()
    }
    assert collisions(cross, [sparse]) == found


@given(st.lists(st.tuples(st.text(min_size=1, max_size=2), st.integers(0, 3)), min_size=1, max_size=20))
@moderately
def test_batches_of_any_size_count_the_same(rows: list[Any]) -> None:
    cross = fc.crossed_column([HOUR, "word"], 7)
    whole = {"word": [word for word, _ in rows], "hour": [hour for _, hour in rows]}
    counted = KeyCounts(cross)
    for word, hour in rows:
        counted.update({"word": [word], "hour": [hour]})
    assert counted.collisions() == collisions(cross, whole)


def test_coded_keys_count_as_often_as_they_are_there_and_not_for_being_among_the_different_ones() -> None:
    words, codes = ["a", "", "b", "c", "nowhere"], [0, 0, 1, 2, 3, 2]
    for column in (fc.categorical_column_with_hash_bucket("word", 2), fc.crossed_column(["word", HOUR], 3)):
        hours = {"hour": [8] * len(codes)}
        coded = KeyCounts(column)
        coded.update({"word": Coded(tf.constant(words), tf.constant(codes)), **hours})
        assert coded.collisions() == collisions(column, {"word": [words[code] for code in codes], **hours})


def test_what_was_counted_is_kept_and_of_too_many_keys_nothing_is() -> None:
    column = fc.categorical_column_with_hash_bucket("word", 3)
    counted, again, few = KeyCounts(column), KeyCounts(column), KeyCounts(column, most=100)
    counted.update({"word": ["a", "b", "a"]})
    again.restore(counted.saved())
    again.update({"word": ["b"]})
    assert again.collisions() == collisions(column, {"word": ["a", "b", "a", "b"]})
    few.update({"word": [f"w{place}" for place in range(tally.PENDING + 1)]})
    assert (few.is_over, few.saved().num_rows) == (True, 0)
    few.update({"word": ["a"]})
    assert few.saved().num_rows == 0


def test_the_shared_ids_with_the_most_rows_are_named_where_few_are_asked_for() -> None:
    column = fc.categorical_column_with_hash_bucket("word", 5)
    counted = KeyCounts(column)
    counted.update({"word": [f"w{place}" for place in range(30) for _ in range(place)]})
    assert counted.collisions(2).shared == counted.collisions().shared[:2]


def test_keys_are_named_as_a_person_calls_them_and_the_most_frequent_come_first() -> None:
    cross = fc.crossed_column(["word", DAY, MILE_RANGES, HOUR], 1)
    features = {
        "word": ["a", "a", "b", b"\xff"],
        "day": ["Tue", "Tue", "Montag", "Sun"],
        "miles": [5.0, 6.0, -1.0, 10.0],
        "hour": [8, 8, 9, 10],
    }
    features["word"] = tf.constant(features["word"])
    (shared_id,) = collisions(cross, features).shared
    assert shared_id.keys == (
        ("a Tue [0, 10) 08", 2),
        ("b (unseen) (-inf, 0) 09", 1),
        ("\udcff Sun [10, inf) 10", 1),
    )


@given(st.lists(st.tuples(st.sampled_from("abcdefghij"), st.integers(0, 3)), max_size=60), st.sampled_from([1, 2, 7]))
@settings(moderately, max_examples=15)
def test_each_bucket_tells_its_keys_the_most_frequent_first_and_then_as_they_came(rows: list[Any], size: int) -> None:
    cross = fc.crossed_column(["word", HOUR], size)
    counted = KeyCounts(cross)
    for part in (rows[:20], rows[20:]):
        counted.update({"word": [word for word, _ in part], "hour": np.array([hour for _, hour in part], np.int64)})
    features = {"word": tf.constant([word for word, _ in rows], tf.string), "hour": [hour for _, hour in rows]}
    buckets: list[Counter[str]] = [Counter() for _ in range(size)]
    if rows:
        for (word, hour), (id,) in zip(rows, present(encoding(cross)(features)), strict=True):
            buckets[id][f"{word} {hour:02d}"] += 1
    expected = []
    for bucket in buckets:
        keys = [key for key, _ in bucket.most_common()]
        expected.append(", ".join([*keys[:5], *([f"… (+{len(keys) - 5})"] if len(keys) > 5 else [])]))
    assert texts_of_buckets([counted]) == expected


def test_a_bucket_tells_keys_of_no_utf8_and_with_commas() -> None:
    counted = KeyCounts(fc.categorical_column_with_hash_bucket("word", 1))
    counted.update({"word": tf.constant(["a, b", "a, b", b"\xff", "", "東京"])})
    assert texts_of_buckets([counted]) == ["a, b, \udcff, 東京"]


def counted_of(column: Any, features: Mapping[str, Any]) -> KeyCounts:
    found = KeyCounts(column)
    found.update(features)
    return found


def test_counts_of_features_that_share_buckets_add_up() -> None:
    flights = {"origin": ["JFK", "JFK", "LGA", b"\xff"], "dest": ["ATL", "LGA", "LGA", ""], "number": [7, 8, 7, 7]}
    flights["origin"] = tf.constant(flights["origin"])
    origin, dest, tail = (fc.categorical_column_with_hash_bucket(key, 1) for key in ("origin", "dest", "tail"))
    number = fc.categorical_column_with_hash_bucket("number", 1, "int64")
    of_origin, of_dest = counted_of(origin, flights), counted_of(dest, flights)
    assert texts_of_buckets([of_origin, of_dest]) == ["LGA, JFK, \udcff, ATL"]
    assert texts_of_buckets([KeyCounts(tail), of_origin, counted_of(number, flights)]) == ["7, JFK, LGA, \udcff, 8"]
    assert texts_of_buckets([of_origin]) == ["JFK, LGA, \udcff"]
    assert texts_of_buckets([KeyCounts(origin), KeyCounts(tail)]) == texts_of_buckets([KeyCounts(tail)]) == [""]


def test_columns_that_share_buckets_hash_each_in_its_own_way() -> None:
    features = {"r": ["1", "1", "2"], "q": ["5", "6", "7"], "s": ["1", "2", "2"], "day": ["Mon", "Tue", "Sun"]}
    other = fc.categorical_column_with_vocabulary_list("day", ["Sun", "Tue", "Mon"])
    crosses = [
        fc.crossed_column(["r", "q"], 8, hash_key=1),
        fc.crossed_column(["s", "q"], 8, hash_key=2),
        fc.crossed_column(["s", "r", "q"], 8),
        fc.crossed_column([DAY, "r"], 8),
        fc.crossed_column([other, "s"], 8),
    ]
    expected: list[set[str]] = [set() for _ in range(8)]
    for cross in crosses:
        ids = present(encoding(cross)({key: tf.constant(values) for key, values in features.items()}))
        for row, (id,) in enumerate(ids):
            leaves = [leaf if isinstance(leaf, str) else leaf.name for leaf in cross.leaves]
            expected[id].add(" ".join(features[leaf][row] for leaf in leaves))
    found = texts_of_buckets([counted_of(cross, features) for cross in crosses])
    assert [set(filter(None, text.split(", "))) for text in found] == expected


def test_keys_are_looked_up_and_hashed_once_for_collisions_and_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    own = HashedCross.ids

    def ids(self: HashedCross, keys: Any, size: int) -> Any:
        sizes.append(size)
        return own(self, keys, size)

    monkeypatch.setattr(HashedCross, "ids", ids)
    counted = counted_of(fc.crossed_column([DAY, HOUR], 97), {"day": ["Mon", "Tue"], "hour": [1, 1]})
    assert counted.collisions().distinct_ids == 2
    texts_of_buckets([counted])
    assert sizes == [97]
    counted.update({"day": ["Sun"], "hour": [1]})
    assert counted.collisions().distinct_keys == 3
    assert "Sun 01" in texts_of_buckets([counted])
    assert sizes == [97, 97]


def test_unknown_values_are_one_key_as_the_hash_sees_them() -> None:
    found = collisions(fc.crossed_column([DAY, HOUR], 1), {"day": ["Montag", "Dienstag", "Mon"], "hour": [1, 1, 1]})
    assert found.shared[0].keys == (("(unseen) 01", 2), ("Mon 01", 1))


def test_hashed_whole_numbers_are_counted_as_their_digits_are_hashed() -> None:
    column = fc.categorical_column_with_hash_bucket("n", 2, "int32")
    features = {"n": np.array([1, 2, 3, 3, -1, -7], np.int32)}
    ids = their_ids(column, {"n": tf.constant(features["n"])})
    shown = {"n": [n for n in features["n"].tolist() if n != -1]}
    assert groups_of(collisions(column, features)) == grouped(shown, [bag for bag in ids if bag], str)


@pytest.mark.parametrize(
    "column",
    [
        TAIL,
        fc.embedding_column(TAIL, 2),
        fc.indicator_column(TAIL),
        fc.weighted_categorical_column(TAIL, "weight"),
        fc.embedding_column(fc.weighted_categorical_column(TAIL, "weight")),
        fc.sequence_categorical_column_with_hash_bucket("tail", 6),
        fc.shared_embeddings([TAIL, fc.categorical_column_with_hash_bucket("other", 6)])[0],
    ],
)
def test_a_column_on_a_hashed_one_is_counted_as_that(column: Any) -> None:
    assert collisions(column, TAILS) == collisions(TAIL, TAILS)


@pytest.mark.parametrize(
    "data",
    [
        [{"tail": ["N14228"]}, {"tail": ["N24211", "N619AA", "N14228"]}],
        [(TAILS, [0, 1, 0, 1])],
        [{"tail": [["N14228", ""], ["N24211", "N619AA"], ["", "N14228"]]}],
        [{"tail": tf.ragged.constant([["N14228", "N24211"], [], ["N619AA", "N14228"]])}],
        tf.data.Dataset.from_tensor_slices(TAILS).batch(3),
        tf.data.Dataset.from_tensor_slices((TAILS, [0, 1, 0, 1])).batch(3),
    ],
)
def test_data_may_come_in_batches_and_with_labels(data: Any) -> None:
    assert collisions(TAIL, data) == collisions(TAIL, TAILS)


def share(column: Any, features: Mapping[str, Any], size: int) -> float:
    ids = their_ids(dataclasses.replace(column, hash_bucket_size=size), features)
    keys = list(zip(ids, *(values.numpy().tolist() for values in features.values()), strict=True))
    of_id = Counter(key[0][0] for key in {(tuple(key[0]), *key[1:]) for key in keys})
    return sum(of_id[key[0][0]] > 1 for key in keys) / len(keys)


def test_the_size_for_one_percent_is_one_with_which_under_one_percent_share() -> None:
    chance = np.random.default_rng(0)
    features = {
        "word": tf.constant([f"N{number}" for number in chance.zipf(1.5, 2000) % 500]),
        "hour": tf.constant(chance.integers(0, 24, 2000)),
    }
    cross = fc.crossed_column(["word", HOUR], 300)
    found = collisions(cross, features)
    assert found.shared_share == pytest.approx(share(cross, features, 300))
    assert found.size_for_one_percent is not None
    assert share(cross, features, found.size_for_one_percent) < 0.01


def test_a_size_that_is_large_enough_stays() -> None:
    found = collisions(fc.categorical_column_with_hash_bucket("tail", 1000), TAILS)
    assert (found.shared, found.shared_share, found.size_for_one_percent) == ((), 0.0, 1000)
    assert str(found) == "tail: 3 keys fill 3 of 1,000 buckets; 0 % of the rows share theirs with other keys."
    assert found.line == "tail: 0 % of the rows share a bucket with other keys (3 keys in 3 of 1,000 buckets)"


def test_no_size_is_named_where_none_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "EXACT_LIMIT", 2)
    found = collisions(fc.crossed_column(["tail", HOUR], 1), {**TAILS, "hour": [1, 1, 1, 1]})
    assert found.size_for_one_percent is None
    assert str(found).splitlines() == [
        "hour_X_tail: 3 keys share 1 of 1 buckets; 100 % of the rows share theirs with other keys.",
        "  bucket 0: N14228 01 (2), N24211 01 (1), N619AA 01 (1)",
    ]
    assert found.line == "hour_X_tail: 100 % of the rows share a bucket with other keys (3 keys in 1 of 1 buckets)"


def test_a_description_names_a_few_shared_buckets_and_says_how_many_more_there_are() -> None:
    lines = str(collisions(fc.crossed_column([DAY, HOUR], 20))).splitlines()
    assert len(lines) == 9
    assert lines[2].endswith(" more")
    assert lines[-1] == "  and 14 more shared buckets"
    alone = collisions(fc.categorical_column_with_hash_bucket("tail", 6), TAILS)
    assert alone.line.endswith("would bring it under 1 %, a vocabulary to 0")


EXACT = fc.crossed_column([DAY, HOUR])
WIDE = fc.categorical_column_with_identity("wide", 100_000)
COLLISION_REFUSALS: list[tuple[Any, Any, str]] = [
    (
        fc.embedding_column(EXACT),
        None,
        "collisions: 'day_X_hour' is an exact cross, in which no two keys share an id; give a hashed column.",
    ),
    (HOUR, None, "collisions: a hashed column or a hashed cross is wanted, and 'hour' hashes nothing."),
    (MILES, {}, "collisions: a hashed column or a hashed cross is wanted, and 'miles' hashes nothing."),
    (7, None, "collisions: a hashed column or a hashed cross is wanted, and 7 hashes nothing."),
    (
        fc.crossed_column([WORD, "day"], 5),
        {},
        "collisions: 'day_X_word' crosses values of data that were not read yet; call "
        "vocabulary.learned(columns, batches) first.",
    ),
    (
        TAIL,
        None,
        "collisions: the values of the hashed column 'tail' are in data alone; give data=, one batch of raw features "
        "or an iterable of them.",
    ),
    (
        fc.crossed_column([HOUR, "tail"], 5),
        None,
        "collisions: 'hour_X_tail' crosses the raw key 'tail', whose values are in data alone; give data=, one batch "
        "of raw features or an iterable of them.",
    ),
    (
        fc.crossed_column([WIDE, HOUR, DAY], 5),
        None,
        "collisions: 'day_X_hour_X_wide' has 16,800,000 combinations, over the 10,000,000 that are counted without "
        "data; give data=, one batch of raw features or an iterable of them.",
    ),
    (TAIL, {"tail": ["", ""]}, "collisions: the data have no value of 'tail'; give data that have some."),
    (TAIL, [], "collisions: the data have no value of 'tail'; give data that have some."),
    (TAIL, {"tails": ["a"]}, "features: 'tail' is wanted by a column and is not there; did you mean 'tails'?"),
    (
        TAIL,
        {"tail": [1]},
        "categorical_column_with_hash_bucket: feature 'tail' should be strings, not int64; declare the column's dtype.",
    ),
    (
        fc.crossed_column([HOUR, "tail"], 5),
        {"hour": ["8"], "tail": ["a"]},
        "categorical_column_with_identity: feature 'hour' should be whole numbers, not string; declare the column's "
        "dtype.",
    ),
    (
        fc.crossed_column([HOUR, "tail"], 5),
        {"hour": [8], "tail": [1.5]},
        "crossed_column: feature 'tail' should be strings or whole numbers, not float64; declare the column's dtype.",
    ),
    (
        fc.crossed_column([HOUR, "tail"], 5),
        [{"hour": [8], "tail": [1]}, {"hour": [8], "tail": ["a"]}],
        "crossed_column: feature 'tail' should be whole numbers, not string; declare the column's dtype.",
    ),
    (
        fc.crossed_column([HOUR, "tail"], 5),
        {"hour": [8], "tail": ["a", "b"]},
        "crossed_column: the features of 'hour_X_tail' have 1 and 2 examples; give as many of each in a batch.",
    ),
    (
        fc.crossed_column([HOUR, "tail"], 5),
        {"hour": [8, 24], "tail": ["a", "a"]},
        "categorical_column_with_identity: key 'hour' takes ids from 0 to 23, and the data have 24; give "
        "default_value, or a larger num_buckets.",
    ),
    (
        TAIL,
        "tail",
        "collisions: batches of raw features are wanted, mappings from key to values, not 'tail'.",
    ),
]


@pytest.mark.parametrize(("column", "data", "sentence"), COLLISION_REFUSALS)
def test_what_cannot_be_counted_is_refused_with_a_sentence(column: Any, data: Any, sentence: str) -> None:
    with pytest.raises(Refusal) as refusal:
        collisions(column, data)
    assert str(refusal.value) == sentence
