"""Labelled vectors, each answer against one that NumPy gives in the plainest way."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import keras
import ml_dtypes
import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer import feature_column as fc
from trainer import formats, layers, tables, warm_start
from trainer.errors import Refusal
from trainer.tables import Table
from trainer.tables.texts import Texts
from trainer.vectors import LabelledVectors, keys, metrics, ranges, search

Array = np.ndarray[Any, Any]
ROOT = Path(__file__).parents[1]
DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
DAY = fc.categorical_column_with_vocabulary_list("day", DAYS)
WEEK = fc.crossed_column([DAY, fc.categorical_column_with_identity("hour", 24)])
KEYS = [f"w{number}é" for number in range(40)]
METRICS = ("cosine", "dot", "euclidean")


def drawn(rows: int, dimension: int = 5, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=(rows, dimension)).astype(np.float32)


def turn(dimension: int, seed: int = 0) -> Array:
    """A rotation or reflection."""
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(dimension, dimension)))[0]


def rounded(pairs: Any) -> list[tuple[str, float]]:
    return [(key, round(number, 5)) for key, number in pairs]


@pytest.fixture(scope="module")
def vectors() -> LabelledVectors:
    return LabelledVectors(KEYS, drawn(40) + 0.2, "words")


def likeness(matrix: Array, query: Array, metric: str) -> Array:
    """What is to be large, in double precision."""
    matrix, query = matrix.astype(np.float64), query.astype(np.float64)
    if metric == "euclidean":
        return -np.sqrt(((matrix - query) ** 2).sum(axis=1))
    dots = (matrix * query).sum(axis=1)
    if metric == "dot":
        return dots
    lengths = np.sqrt((matrix**2).sum(axis=1)) * np.sqrt((query**2).sum())
    return np.divide(dots, lengths, out=np.zeros_like(dots), where=lengths > 0)


def by_hand(matrix: Array, query: Array, topn: int, metric: str) -> tuple[list[int], Array]:
    found = likeness(matrix, query, metric).astype(np.float32)
    rows = np.argsort(-found, kind="stable")[:topn]
    return rows.tolist(), np.abs(found[rows]) if metric == "euclidean" else found[rows]


def unit(row: Array) -> Array:
    return row.astype(np.float64) / np.linalg.norm(row.astype(np.float64))


# what lies near a key


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("rows", [1, 40, 3 * metrics.BLOCK + 5])
def test_the_nearest_rows_of_many_blocks_are_those_of_a_full_product(rows: int, metric: str) -> None:
    matrix, queries = drawn(rows, 6), drawn(300, 6, 1).astype(np.float64)  # two blocks of queries
    found, scores = search.nearest(metrics.METRICS[metric], metrics.Rows(matrix), queries, 7)
    for query in (0, 1, 255, 256, 299):
        wanted, numbers = by_hand(matrix, queries[query], 7, metric)
        assert found[query].tolist() == wanted
        np.testing.assert_allclose(scores[query], numbers, rtol=1e-6)


@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(1, 60),
    topn=st.integers(0, 70),
    metric=st.sampled_from(METRICS),
    block=st.integers(1, 64),
    kinds=st.integers(1, 4),
    few=st.sampled_from([0, 4]),
)
@settings(max_examples=300)
def test_of_equally_near_rows_the_first_comes_first_whatever_the_blocks(
    seed: int, rows: int, topn: int, metric: str, block: int, kinds: int, few: int
) -> None:
    draw = np.random.default_rng(seed)
    # Few different whole numbers, so that most rows have an equal one; parallel rows are twice another, which is exact.
    matrix = (
        draw.integers(-1, 2, (kinds, 3))[draw.integers(0, kinds, rows)] * draw.choice([1, 2, 4], (rows, 1))
    ).astype(np.float32)
    queries = draw.integers(-2, 3, (4, 3)).astype(np.float64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(metrics, "BLOCK", block)
        patch.setattr(search, "BLOCK", block)
        patch.setattr(search, "_FEW", few)
        patch.setattr(search, "_LONGER", 2)
        patch.setattr(search, "_QUERIES", 3)
        found, _ = search.nearest(metrics.METRICS[metric], metrics.Rows(matrix), queries, topn)
    for own, query in zip(found, queries, strict=True):
        assert own.tolist() == by_hand(matrix, query, topn, metric)[0]


@pytest.mark.parametrize("metric", METRICS)
def test_equal_rows_far_apart_and_rows_in_a_bad_order_are_found_in_order(metric: str) -> None:
    rows = 16 * metrics.BLOCK + 17
    matrix = drawn(rows, 4)
    query = np.array([1.0, 2.0, -1.0, 0.5])
    matrix = matrix[np.argsort(likeness(matrix, query, metric))]  # each block is nearer than the one before
    matrix[[5, metrics.BLOCK + 3, rows - 2]] = matrix[-1]
    found, _ = search.nearest(metrics.METRICS[metric], metrics.Rows(matrix), query[np.newaxis], 6)
    assert found[0, :4].tolist() == [5, metrics.BLOCK + 3, rows - 2, rows - 1]
    assert found[0].tolist() == by_hand(matrix, query, 6, metric)[0]


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("value", [0, 1])
def test_a_table_of_equal_rows_gives_the_first_ones(metric: str, value: int) -> None:
    found, _ = search.nearest(
        metrics.METRICS[metric], metrics.Rows(np.full((metrics.BLOCK + 9, 3), value, np.float32)), np.ones((2, 3)), 3
    )
    assert found.tolist() == [[0, 1, 2]] * 2


@pytest.mark.parametrize("metric", METRICS)
def test_neighbours_that_float32_products_cannot_tell_apart_are_told_apart(metric: str) -> None:
    far = 1000 + 1e-3 * drawn(500, 3)
    query = far[7].astype(np.float64)
    found, _ = search.nearest(metrics.METRICS[metric], metrics.Rows(far), query[np.newaxis], 5)
    assert found[0].tolist() == by_hand(far, query, 5, metric)[0]


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("size", [1e-29, 1e-3, 1, 1e28])
@pytest.mark.parametrize("away", [0, 0.5])
def test_quick_products_err_by_no_more_than_they_say(metric: str, size: float, away: float) -> None:
    matrix = (drawn(3000, 40) * np.geomspace(1, 9, 3000)[:, np.newaxis] + away).astype(np.float32) * np.float32(size)
    matrix[7] = 0
    queries = (drawn(5, 40, 1) * np.array([[1e-6], [1], [1], [1], [1e6]])).astype(np.float64) * size
    queries[1] = matrix[11]
    measured = metrics.METRICS[metric](metrics.Rows(matrix), queries)
    assert measured.is_quick
    for part in metrics.blocks(len(matrix), 1024):
        products, wrong = measured.quick(part)
        row, query = np.divmod(np.arange(products.size), len(queries))
        error = np.abs(products.reshape(-1) - measured.exact(query, row + part.start)[1]).reshape(products.shape)
        assert (error.max(axis=0) <= wrong).all()
        assert (wrong < 1e-3).all()


def test_rows_far_from_zero_and_of_sizes_that_float32_hardly_holds_are_not_compared_as_they_are() -> None:
    query = drawn(1).astype(np.float64)
    told = {
        name: [metrics.METRICS[name](metrics.Rows(rows), query).is_quick for rows in (drawn(9) + 99, drawn(9) * 1e36)]
        for name in METRICS
    }
    assert told == {"cosine": [True, False], "dot": [True, False], "euclidean": [False, False]}


@pytest.mark.parametrize("size", [1e-36, 1e36])
def test_very_long_and_very_short_rows_have_their_angles(size: float) -> None:
    matrix = drawn(30) * np.float32(size)
    matrix[3] = drawn(1, seed=9)[0]
    wanted = by_hand(matrix, matrix[4], 5, "cosine")[0]
    found, _ = search.nearest(metrics.Cosine, metrics.Rows(matrix), matrix[4:5], 5)
    assert found[0].tolist() == wanted


@pytest.mark.parametrize("metric", METRICS)
def test_a_row_that_is_not_finite_is_never_found(metric: str) -> None:
    matrix = drawn(8)
    matrix[2, 1], matrix[5, 0] = np.nan, np.inf
    found = LabelledVectors(list("abcdefgh"), matrix)
    assert {key for key, _ in found.most_similar("a", topn=10, metric=metric)} == set("bdegh")
    assert found.rank("a", "b", metric) in range(1, 6)
    for ask in (lambda: found.most_similar("c"), lambda: found.rank("a", "c", metric)):
        with pytest.raises(Refusal) as refusal:
            ask()
        assert str(refusal.value) == (
            "vectors 'vectors': the vector of 'c' is not finite, so nothing is near it; ask another key."
        )


@pytest.mark.parametrize("rows", [0, 3])
@pytest.mark.parametrize("metric", METRICS)
def test_nothing_is_near_where_no_row_is_finite(metric: str, rows: int) -> None:
    found = LabelledVectors(list("abc"[:rows]), np.full((rows, 3), np.nan))
    assert found.nearest(np.ones((2, 3)), metric=metric) == [[], []]
    assert found.most_similar(np.ones(3), metric=metric) == []


def test_a_row_of_zeros_is_at_a_right_angle_to_all() -> None:
    found = LabelledVectors(["a", "b", "none"], np.array([[1.0, 0], [-1, 0], [0, 0]]))
    assert found.most_similar("a") == [("none", 0.0), ("b", -1.0)]
    assert found.similarity("a", "none") == 0


def test_the_neighbours_of_a_key_leave_it_out(vectors: LabelledVectors) -> None:
    matrix = vectors.matrix
    rows, numbers = by_hand(matrix, matrix[3], 6, "cosine")
    assert rows[0] == 3
    found = vectors.most_similar(KEYS[3], topn=5)
    assert [key for key, _ in found] == [KEYS[row] for row in rows[1:]]
    np.testing.assert_allclose([number for _, number in found], numbers[1:], rtol=1e-6)
    assert vectors.nearest([KEYS[3], KEYS[9]], 5) == [found, vectors.most_similar(KEYS[9], topn=5)]
    assert vectors.nearest(KEYS[3], 5) == [found]
    assert vectors.nearest(np.array([KEYS[3]]), 5) == [found]


def test_the_neighbours_of_vectors_leave_nothing_out(vectors: LabelledVectors) -> None:
    found = vectors.nearest(vectors.matrix[[3, 9]], 1)
    assert rounded(found[0] + found[1]) == [(KEYS[3], 1.0), (KEYS[9], 1.0)]
    assert vectors.nearest([KEYS[9], vectors.matrix[3]], 2) == [
        vectors.most_similar(KEYS[9], topn=2),
        vectors.most_similar(vectors.matrix[3], topn=2),
    ]
    assert vectors.nearest([]) == []


def test_keys_are_added_and_subtracted_at_length_one_and_vectors_as_they_are(vectors: LabelledVectors) -> None:
    matrix, given = vectors.matrix, np.array([1.0, 2, 3, 4, 5])
    query = unit(matrix[1]) + 0.5 * unit(matrix[2]) - unit(matrix[3]) + given
    rows, _ = by_hand(matrix, query, 9, "cosine")
    wanted = [KEYS[row] for row in rows if row not in (1, 2, 3)][:5]
    found = vectors.most_similar([KEYS[1], (KEYS[2], 0.5), given], [KEYS[3]], topn=5)
    assert [key for key, _ in found] == wanted
    assert found == vectors.most_similar([KEYS[1], (KEYS[2], 0.5), given, (KEYS[3], -1.0)], topn=5)
    assert found == vectors.most_similar([KEYS[1], (KEYS[2], 0.5), given], [(KEYS[3], -1.0)], topn=5)


@pytest.mark.parametrize("metric", ["dot", "euclidean"])
def test_other_metrics_take_the_mean_of_the_vectors_themselves(vectors: LabelledVectors, metric: str) -> None:
    matrix = vectors.matrix.astype(np.float64)
    rows, numbers = by_hand(matrix, (2 * matrix[1] + matrix[2]) / 3, 7, metric)
    places = [place for place, row in enumerate(rows) if row not in (1, 2)][:4]
    found = vectors.most_similar([(KEYS[1], 2), KEYS[2]], topn=4, metric=metric)
    assert [key for key, _ in found] == [KEYS[rows[place]] for place in places]
    np.testing.assert_allclose([number for _, number in found], numbers[places], rtol=1e-5)


def test_products_of_similarities_are_levys_and_goldbergs(vectors: LabelledVectors) -> None:
    near = [(1 + likeness(vectors.matrix, vectors.matrix[row], "cosine")) / 2 for row in (1, 2, 3)]
    wanted = near[0] * near[1] / (near[2] + 1e-6)
    rows = [row for row in np.argsort(-wanted) if row not in (1, 2, 3)][:6]
    found = vectors.most_similar_cosmul([KEYS[1], KEYS[2]], KEYS[3], topn=6)
    assert [key for key, _ in found] == [KEYS[row] for row in rows]
    np.testing.assert_allclose([number for _, number in found], wanted[rows], rtol=1e-5)


def test_pairs_have_a_similarity_a_distance_and_a_rank(vectors: LabelledVectors) -> None:
    left, right = vectors.matrix[1].astype(np.float64), vectors.matrix[2].astype(np.float64)
    cosine = left @ right / np.linalg.norm(left) / np.linalg.norm(right)
    assert vectors.similarity(KEYS[1], KEYS[2]) == pytest.approx(cosine)
    assert vectors.similarity(KEYS[1], right, metric="dot") == pytest.approx(left @ right)
    assert vectors.distance(KEYS[1], KEYS[2]) == pytest.approx(1 - cosine)
    assert vectors.distance(KEYS[1], KEYS[2], metric="euclidean") == pytest.approx(np.linalg.norm(left - right))
    for metric in METRICS:
        near = [key for key, _ in vectors.most_similar(KEYS[1], topn=99, metric=metric)]
        assert [vectors.rank(KEYS[1], key, metric) for key in near] == list(range(1, 40))


def test_the_odd_one_is_farthest_from_the_mean_direction() -> None:
    found = LabelledVectors(list("abcd"), np.array([[9.0, 1], [1, 0], [1, 0.1], [0, 1]]))
    assert found.doesnt_match(["a", "b", "d", "c"]) == "d"


def test_keys_are_found_by_their_text_whatever_it_is() -> None:
    keys = ["", " ", "a\tb", "a\nb", "北京", "\ud83d", "0", "00", "a" * 5000]
    found = LabelledVectors(keys, drawn(9))
    assert list(found) == keys == found.index_to_key[:]
    assert all(key in found for key in keys)
    assert "b" not in found
    assert 0 not in found
    assert len(found) == 9
    for row, key in enumerate(keys):
        np.testing.assert_array_equal(found[key], found.matrix[row])
    np.testing.assert_array_equal(found[["0", ""]], found.matrix[[6, 0]])


def test_a_float32_matrix_is_not_copied_and_cannot_be_written_through_it() -> None:
    matrix = drawn(3)
    found = LabelledVectors(pa.array(["a", "b", "c"]), matrix)
    assert np.shares_memory(found.matrix, matrix)
    with pytest.raises(ValueError, match="read-only"):
        found["a"][0] = 1
    assert matrix.flags.writeable
    assert found.vectors is found.matrix
    assert (found.vector_size, found.dimension) == (5, 5)


def test_half_precision_becomes_float32() -> None:
    matrix = drawn(3).astype(ml_dtypes.bfloat16)
    np.testing.assert_array_equal(LabelledVectors(list("abc"), matrix).matrix, matrix.astype(np.float32))


def test_a_table_is_drawn_as_one_in_a_notebook() -> None:
    found = LabelledVectors(["<b>", *map(str, range(11))], np.full((12, 7), 0.25), "a & b", counts=range(12))
    text = found._repr_html_()
    assert text.startswith(
        "<table><caption>a &amp; b: 12 rows × 7</caption><tr><th></th><th>count</th><th>0</th><th>1</th>"
    )
    assert "<tr><td>&lt;b&gt;</td><td>0</td><td>0.250</td>" in text
    assert text.endswith('<tr><td colspan="9">… 2 more</td></tr></table>')
    assert repr(found) == "<LabelledVectors 'a & b': 12 rows × 7>"


# what is refused


def made(**changes: Any) -> LabelledVectors:
    return LabelledVectors(**{"keys": ["Mon", "Tue", "Wed"], "matrix": np.eye(3), "name": "day", **changes})


REFUSED: list[tuple[Any, str]] = [
    (
        lambda: made(keys=["Mon", "Tue", "Mon"]),
        "vectors 'day': 'Mon' is the key of row 0 and of row 2; give every row a key of its own.",
    ),
    (lambda: made(keys=["Mon", 2, "Tue"]), "vectors 'day': a key is a text, not 2; give str(key) for each."),
    (
        lambda: made(keys=["Mon"]),
        "vectors 'day': one key a row is wanted, 3, not 1.",
    ),
    (
        lambda: made(fields={"day": ["Mon"]}),
        "vectors 'day': one text of 'day' a row is wanted, 3, not 1.",
    ),
    (
        lambda: made(fields={"day": [0, 1, 2]}),
        "vectors 'day': field 'day' holds texts, not 0; give str(value) for each.",
    ),
    (
        lambda: made(counts=[1, 2]),
        "vectors 'day': one count a row is wanted, 3, not 2.",
    ),
    (
        lambda: made(matrix=np.zeros(3)),
        "vectors 'day': a matrix of floats is wanted, a row a key, not float64 of shape (3,).",
    ),
    (
        lambda: made(matrix=[["a"]]),
        "vectors 'day': a matrix of floats is wanted, a row a key, not str32 of shape (1, 1).",
    ),
    (lambda: made()["Mno"], "vectors 'day': there is no key 'Mno'; did you mean 'Mon'?"),
    (lambda: made()["Fri 17"], "vectors 'day': there is no key 'Fri 17'; the first is 'Mon', the last 'Wed'."),
    (lambda: made()[cast(Any, 0)], "vectors 'day': a key is a text, not 0."),
    (lambda: made(keys=[], matrix=np.zeros((0, 3)))["a"], "vectors 'day': there is no key 'a'; there is none."),
    (
        lambda: made().most_similar(),
        "vectors 'day': a key or a vector is wanted in positive or negative, and both are empty.",
    ),
    (
        lambda: made().most_similar_cosmul(negative="Mon"),
        "vectors 'day': most_similar_cosmul wants a key or a vector in positive.",
    ),
    (lambda: made().most_similar("Mon", topn=-1), "vectors 'day': topn is a whole number of keys, not -1."),
    (
        lambda: made().most_similar("Mon", topn=cast(Any, None)),
        "vectors 'day': topn is a whole number of keys, not None.",
    ),
    (
        lambda: made().most_similar(np.zeros(4)),
        "vectors 'day': a key or a vector of 3 floats is wanted, not float64 of shape (4,).",
    ),
    (
        lambda: made().most_similar(np.full(3, np.nan)),
        "vectors 'day': a vector of finite floats is wanted, and one of those given is not finite.",
    ),
    (
        lambda: made().nearest(np.full((2, 3), np.inf)),
        "vectors 'day': a vector of finite floats is wanted, and one of those given is not finite.",
    ),
    (
        lambda: made().most_similar("Mon", metric="cosin"),
        "vectors 'day': metric is one of cosine, dot, euclidean, not 'cosin'; did you mean 'cosine'?",
    ),
    (
        lambda: made().similarity("Mon", "Tue", metric="euclidean"),
        "vectors 'day': 'euclidean' is a distance; ask distance(a, b, metric='euclidean').",
    ),
    (
        lambda: made().distance("Mon", "Tue", metric="dot"),
        "vectors 'day': 'dot' has no distance; ask similarity(a, b, metric='dot').",
    ),
    (lambda: made().doesnt_match([]), "vectors 'day': doesnt_match wants keys to choose from, and got none."),
    (lambda: made().pca(4), "vectors 'day': pca wants from 1 to 3 components, not 4."),
    (
        lambda: made(counts=[1, 0, 0]).pca(1),
        "vectors 'day': pca wants two trained rows at least, not 1.",
    ),
    (
        lambda: made().procrustes(LabelledVectors(["Sun", "Mon"], np.eye(2))),
        "vectors 'day': procrustes wants two keys that are trained in both tables at least, and there is one.",
    ),
    (
        lambda: made().procrustes(made(matrix=np.ones((3, 2)), name="old")),
        "vectors 'day': procrustes wants rows that differ, and the common ones of 'old' are alike.",
    ),
    (
        lambda: made().cluster(4),
        "vectors 'day': cluster wants k from 1 to 3, the directions of trained rows, not 4.",
    ),
    (
        lambda: made(matrix=np.ones((3, 2))).cluster(),
        "vectors 'day': cluster wants trained rows in two directions at least, and there is one; give k=1.",
    ),
]


@pytest.mark.parametrize(("ask", "sentence"), REFUSED)
def test_what_cannot_be_answered_is_told_in_one_sentence(ask: Any, sentence: str) -> None:
    with pytest.raises(Refusal) as refusal:
        ask()
    assert str(refusal.value) == sentence


def test_among_many_keys_the_nearest_spelling_is_looked_for_where_it_can_be() -> None:
    keys = [f"user_{number}" for number in range(30_000)]
    with pytest.raises(Refusal, match=r"there is no key 'user_2999x'; did you mean 'user_2999'\?"):
        LabelledVectors(keys, np.zeros((30_000, 1)))["user_2999x"]


# fewer dimensions, and two tables


def test_components_are_those_of_a_singular_value_decomposition() -> None:
    matrix = drawn(50, 6) * np.array([5, 4, 3, 2, 1, 0.5], np.float32) + 7
    found = LabelledVectors([str(row) for row in range(50)], matrix).pca(3)
    centred = matrix.astype(np.float64) - matrix.mean(axis=0, dtype=np.float64)
    left, singular, right = np.linalg.svd(centred, full_matrices=False)
    np.testing.assert_allclose(found.shares, (singular**2 / (singular**2).sum())[:3])
    np.testing.assert_allclose(np.abs(found.scores), np.abs((left * singular)[:, :3]), atol=1e-4)
    np.testing.assert_allclose(np.abs(found.directions), np.abs(right[:3]), atol=1e-6)
    far_out = np.abs(found.scores).argmax(axis=0)
    assert (found.scores[far_out, range(3)] > 0).all()
    np.testing.assert_allclose(found.scores, (matrix - found.middle) @ found.directions.T, atol=1e-4)


def planted_rank(rows: int = 200) -> LabelledVectors:
    """A table of dimension 8 whose rows lie on a plane, in all its directions alike."""
    plane = np.linalg.qr(np.random.default_rng(3).normal(size=(rows, 2)))[0]
    plane -= plane.mean(axis=0)
    plane = np.linalg.qr(plane)[0]
    return LabelledVectors([str(row) for row in range(rows)], plane @ turn(8)[:2])


def test_a_table_of_rank_two_uses_two_of_its_eight_dimensions() -> None:
    found = planted_rank()
    assert found.effective_rank() == pytest.approx(2.0, abs=1e-4)
    shares = found.pca(8).shares
    np.testing.assert_allclose(shares[:2], 0.5, atol=1e-5)
    assert shares[2:].tolist() == [0.0] * 6
    assert found.pca(2)._repr_html_() == (
        "<table><caption>2 principal components</caption><tr><th>component</th><th>share of the variance</th></tr>"
        "<tr><td>1</td><td>50.0%</td></tr><tr><td>2</td><td>50.0%</td></tr></table>"
    )


def test_rows_that_were_never_trained_tell_nothing() -> None:
    matrix = np.vstack([planted_rank().matrix, 100 * drawn(40, 8)])
    counts = np.repeat([5, 0], [200, 40])
    found = LabelledVectors([str(row) for row in range(240)], matrix, counts=counts)
    assert found.effective_rank() == pytest.approx(2.0, abs=1e-4)
    assert found.pca(8).shares[2:].sum() == 0
    assert (found.cluster(2).numbers[200:] == -1).all()
    assert (found.cluster(2).numbers[:200] >= 0).all()
    turned = LabelledVectors([str(row) for row in range(240)], np.vstack([matrix[:200] @ turn(8, 5), drawn(40, 8)]))
    assert found.procrustes(turned).agreement == pytest.approx(1.0, abs=1e-6)
    assert len(found.procrustes(turned).keys) == 200


def test_a_rotated_shifted_and_scaled_copy_agrees_entirely_and_its_rotation_is_found() -> None:
    here = LabelledVectors(KEYS, drawn(40), "here")
    rotation = turn(5, 4)
    order = np.random.default_rng(1).permutation(40)
    matrix = (here.matrix @ rotation.T * 3 + 2)[order]  # so that it is turned back by `rotation` and a third
    other = LabelledVectors([*(KEYS[row] for row in order), "another"], np.vstack([matrix, np.ones(5)]), "there")
    found = here.procrustes(other)
    assert found.keys == KEYS
    assert found.agreement == pytest.approx(1.0, abs=1e-9)
    np.testing.assert_allclose(found.rotation, rotation, atol=1e-5)
    assert found.scale == pytest.approx(1 / 3, rel=1e-5)
    assert found.gaps.max() < 1e-5
    np.testing.assert_allclose(found.turned(matrix), here.matrix[order], atol=1e-5)


def test_the_agreement_of_two_tables_is_the_best_that_any_turn_reaches() -> None:
    here, there = LabelledVectors(KEYS, drawn(40, 3)), LabelledVectors(KEYS, drawn(40, 3, 1) + drawn(40, 3))
    found = here.procrustes(there)
    left, right = (table.matrix - table.matrix.mean(axis=0) for table in (here, there))
    cosine = (left * (right @ found.rotation)).sum() / np.linalg.norm(left) / np.linalg.norm(right)
    assert found.agreement == pytest.approx(cosine, rel=1e-5)
    for seed in range(50):
        assert (left * (right @ turn(3, seed))).sum() <= (left * (right @ found.rotation)).sum()
    residual = np.linalg.norm(left - found.scale * right @ found.rotation) ** 2 / np.linalg.norm(left) ** 2
    assert 1 - found.agreement**2 == pytest.approx(residual, rel=1e-4)


def test_a_key_that_moved_has_the_widest_gap() -> None:
    matrix = drawn(40)
    moved = matrix.copy()
    moved[7] = -moved[7]
    found = LabelledVectors(KEYS, matrix).procrustes(LabelledVectors(KEYS, moved @ turn(5)))
    assert found.farthest(1)[0][0] == KEYS[7]
    assert 0.8 < found.agreement < 1
    assert "on 40 common keys; those farthest apart" in found._repr_html_()


def test_tables_of_different_dimensions_are_aligned() -> None:
    matrix = drawn(40, 3)
    wide = LabelledVectors(KEYS, np.pad(matrix, ((0, 0), (0, 3))) @ turn(6))
    narrow = LabelledVectors(KEYS, matrix)
    for here, there in ((wide, narrow), (narrow, wide)):
        assert here.procrustes(there).agreement == pytest.approx(1.0, abs=1e-6)


def test_tables_that_have_nothing_in_common_agree_as_little_as_the_docstring_says() -> None:
    keys = [str(row) for row in range(2000)]
    found = LabelledVectors(keys, drawn(2000, 20)).procrustes(LabelledVectors(keys, drawn(2000, 20, 1)))
    assert found.agreement == pytest.approx(0.85 * np.sqrt(20 / 2000), rel=0.1)


# groups


def planted_week() -> tuple[LabelledVectors, Array]:
    """A week in which working mornings, weekend nights and the rest point in directions of their own."""
    day, hour = np.divmod(np.arange(168), 24)
    kind = np.where((day < 5) & (hour >= 6) & (hour <= 8), 0, np.where((day >= 5) & (hour >= 22), 1, 2))
    draw = np.random.default_rng(0)
    centres = np.eye(4)[:3] * 3
    matrix = (centres[kind] + 0.1 * draw.normal(size=(168, 4))) * draw.uniform(0.5, 4, (168, 1))
    return LabelledVectors(WEEK.labels_of(range(168)), matrix, "day_hour", WEEK.fields_of(range(168))), kind


def test_three_planted_clusters_are_found_and_described_by_what_they_cover() -> None:
    vectors, kind = planted_week()
    found = vectors.cluster()
    assert [cluster.size for cluster in found] == [149, 15, 4]
    np.testing.assert_array_equal(found.numbers, np.array([1, 2, 0])[kind])
    assert [cluster.description for cluster in found] == [
        "Mon–Fri 00–05, 09–23; Sat–Sun 00–21",
        "Mon–Fri 06–08",
        "Sat–Sun 22–23",
    ]
    assert found.silhouette is not None
    assert found.silhouette > 0.8
    assert set(found[2].keys) == {"Sat 22", "Sat 23", "Sun 22", "Sun 23"}
    assert vectors.cluster().numbers.tolist() == found.numbers.tolist()
    assert "<caption>3 clusters, silhouette 0.9" in found._repr_html_()
    assert "<td>Mon–Fri 06–08</td>" in found._repr_html_()


def test_the_middle_of_a_cluster_is_what_lies_nearest_to_its_centre() -> None:
    vectors, _ = planted_week()
    for cluster in vectors.cluster(3):
        units = vectors.matrix / np.linalg.norm(vectors.matrix, axis=1, keepdims=True)
        rows = np.argsort(((units - cluster.centre) ** 2).sum(axis=1))[:3]
        assert [vectors.keys[row] for row in rows] == list(cluster.keys[:3])


def test_clusters_of_what_is_no_cross_are_described_by_their_middle() -> None:
    found = LabelledVectors(
        KEYS, np.vstack([np.eye(5)[0] + 0.01 * drawn(30), np.eye(5)[1] + 0.01 * drawn(10)])
    ).cluster(2)
    assert [cluster.size for cluster in found] == [30, 10]
    assert found[0].description == ", ".join(found[0].keys) + ", …"
    assert set(found[1].keys) <= set(KEYS[30:])


def test_one_cluster_holds_all() -> None:
    found = LabelledVectors(KEYS, drawn(40)).cluster(1)
    assert (len(found), found[0].size, found.silhouette) == (1, 40, None)


def test_many_rows_are_all_put_into_the_clusters_of_some() -> None:
    kind = np.random.default_rng(0).integers(0, 3, 25_000)
    matrix = np.eye(3)[kind] + 0.05 * drawn(25_000, 3)
    found = LabelledVectors([str(row) for row in range(25_000)], matrix).cluster()
    assert len(found) == 3
    for cluster in range(3):
        assert len(set(kind[found.numbers == cluster])) == 1


GRID = ranges.grid_of(WEEK.fields_of(range(168)))


def covered(text: str, trained: Array | None = None) -> str | None:
    """What is said of a set of hours, given as day:hours pairs."""
    inside = np.zeros((7, 24), bool)
    for part in text.split():
        days, hours = ([int(end) for end in ends.split("-")] for ends in part.split(":"))
        inside[days[0] : days[-1] + 1, hours[0] : hours[-1] + 1] = True
    assert GRID is not None
    known = np.ones(168, bool) if trained is None else trained
    return ranges.described(GRID, inside.reshape(-1) & known, known)


@pytest.mark.parametrize(
    ("hours", "sentence"),
    [
        ("0-4:6-8", "Mon–Fri 06–08"),
        ("5:17", "Sat 17"),
        ("0-6:0-5", "any day 00–05"),
        ("6:0-23", "Sun any hour"),
        ("0-6:22-23 0-6:0-4", "any day 00–04, 22–23"),
        ("0-4:6-8 5-6:10-12", "Mon–Fri 06–08; Sat–Sun 10–12"),
        ("0-4:0-5 0-4:9-23 5-6:0-21", "Mon–Fri 00–05, 09–23; Sat–Sun 00–21"),
        ("0-4:6-8 5:6", "Mon–Fri 06–08; Sat 06"),
        ("0-1:6-8 2-4:7-8 5:6 6:22", "Mon–Tue, Sat 06; Mon–Fri 07–08; Sun 22"),
        ("0:0-9 1:1-9 2:2-9 3:3-9 4:4-9", "Mon–Fri 02–09 (92% of its rows; 7% of these lie elsewhere)"),
        ("0:0 1:1 2:2 3:3 4:4 5:5 6:6", None),
    ],
)
def test_the_hours_of_a_week_are_told_as_ranges(hours: str, sentence: str | None) -> None:
    assert covered(hours) == sentence


def test_hours_that_were_never_trained_do_not_break_a_range() -> None:
    trained = np.ones((7, 24), bool)
    trained[2, 7] = trained[:, 5] = False
    assert covered("0-4:6-8", trained.reshape(-1)) in ("Mon–Fri 06–08", "Mon–Fri 05–08")


@given(seed=st.integers(0, 2**32 - 1), cross=st.sampled_from([(2, 3), (7, 24), (2, 3, 4)]))
@settings(max_examples=60)
def test_a_box_of_any_cross_is_told_exactly(seed: int, cross: tuple[int, ...]) -> None:
    draw = np.random.default_rng(seed)
    columns = [fc.categorical_column_with_identity(f"key{n}", size) for n, size in enumerate(cross)]
    column = fc.crossed_column(columns)
    grid = ranges.grid_of(column.fields_of(range(column.num_buckets)))
    assert grid is not None
    inside = np.ones(cross, bool)
    for axis, size in enumerate(cross):
        chosen = draw.random(size) < 0.5
        chosen[draw.integers(size)] = True
        inside &= chosen.reshape([-1 if n == axis else 1 for n in range(len(cross))])
    text = ranges.described(grid, inside.reshape(-1), np.ones(inside.size, bool))
    assert text is not None
    assert "%" not in text
    assert ";" not in text


def test_what_is_no_exact_cross_has_no_grid() -> None:
    assert ranges.grid_of({"day": DAYS}) is None
    assert ranges.grid_of({"day": ["Mon", "Tue"], "hour": ["1", "2"]}) is None


# where vectors come from


def week_table() -> Table:
    return Table("day_hour", drawn(168, 4), fc.embedding_column(WEEK, 4, name="day_hour"), counts=np.arange(168) % 7)


@pytest.fixture
def run(tmp_path: Path) -> str:
    films = Table("film", drawn(4), details={"title": ["Heat", "Alien", "", "Heat"]}, title="title")
    tables.write(str(tmp_path / "run" / "tables"), [week_table(), films])
    return str(tmp_path / "run")


def test_a_table_of_a_run_is_loaded_by_its_name(run: str) -> None:
    found = LabelledVectors.load(run, "day_hour")
    np.testing.assert_array_equal(found["Fri 17"], week_table().values[4 * 24 + 17])
    assert found.name == "day_hour"
    assert found.counts is not None
    assert found.counts.tolist() == week_table().counts.tolist()  # type: ignore[union-attr]  # they were given
    assert found.fields["hour"][17] == "17"
    assert list(LabelledVectors.load(f"{run}/tables", "day_hour")) == WEEK.labels_of(range(168))


def test_fields_are_one_kind_of_sequence_wherever_they_come_from(run: str, tmp_path: Path) -> None:
    of_run = LabelledVectors.load(run, "day_hour")
    formats.save(str(tmp_path / "rows.parquet"), of_run.keys, of_run.matrix, of_run.fields)
    wanted = WEEK.fields_of(range(168))
    of_file = LabelledVectors(of_run.keys, of_run.matrix, fields=formats.load(str(tmp_path / "rows.parquet")).fields)
    for found in (of_run, of_file, LabelledVectors(of_run.keys, of_run.matrix, fields=wanted)):
        assert found.fields == wanted
        assert wanted == found.fields
        assert {type(texts) for texts in found.fields.values()} == {Texts}
        assert repr(found.fields["hour"]) == "<168 texts: '00', '01', '02', …>"
        assert json.loads(json.dumps({key: texts.tolist() for key, texts in found.fields.items()})) == wanted


def test_rows_of_one_title_are_told_apart_by_their_number(run: str) -> None:
    found = LabelledVectors.load(run, "film")
    assert list(found) == ["Heat", "Alien", "2", "Heat [row 3]"]
    assert found.fields == {}


def test_a_table_of_a_run_is_loaded_without_a_string_a_row(run: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(Texts, "__getitem__", lambda found, place: asked.append(place))
    found = LabelledVectors.load(run, "day_hour")
    assert asked == []
    assert found.keys[41] == "Tue 17"


@given(st.lists(st.sampled_from(["a", "b", "a [row 1]", "a [row 2]", "b [row 1]"])))
def test_texts_that_are_made_to_differ_do_so_whether_or_not_arrow_holds_them(strings: list[str]) -> None:
    found = keys.distinct(Texts(pa.array(map(str.encode, strings), pa.large_binary())))
    assert list(found) == keys.distinct(strings)
    assert len(set(found)) == len(strings)
    assert all(text.startswith(string) for text, string in zip(found, strings, strict=True))


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")  # of Keras
@pytest.mark.parametrize("file", ["model.keras", "model.weights.h5", "model.h5"])
def test_a_table_of_a_file_of_keras_has_its_layer_s_name(file: str, tmp_path: Path) -> None:
    layer = keras.layers.Embedding(168, 4, name="dayhr_embed")
    model = keras.Sequential([keras.Input((1,)), layer, keras.layers.Flatten(), keras.layers.Dense(4)])
    (model.save_weights if "weights" in file else model.save)(tmp_path / file)
    path = str(tmp_path / file)
    found = LabelledVectors.load(path)
    assert found.name == "dayhr_embed"
    np.testing.assert_array_equal(found.matrix, np.asarray(layer.embeddings))
    (tensor,) = (tensor for tensor in warm_start.opened(path, "").tensors if tensor.shape == (168, 4))
    for name in ("dayhr_embed", *tensor.names):
        assert LabelledVectors.load(path, name).dimension == 4


def test_tables_that_are_not_there_are_refused(run: str, tmp_path: Path) -> None:
    for arguments, sentence in (
        ((run, "day_huor"), f"vectors: {run}/tables has no table 'day_huor'; did you mean 'day_hour'?"),
        ((run,), f"vectors: the name of a table is wanted, since {run} has day_hour, film."),
    ):
        with pytest.raises(Refusal) as refusal:
            LabelledVectors.load(*arguments)
        assert str(refusal.value) == sentence
    with pytest.raises(Refusal, match=r"^vectors: there is no .*/rnu; did you mean 'run'\?$"):
        LabelledVectors.load(tmp_path / "rnu")


def test_a_tensor_of_a_checkpoint_has_its_rows_numbers_for_keys(tmp_path: Path) -> None:
    arrays = {"emb/day": drawn(4), "dense/kernel": drawn(4), "dense/bias": drawn(1)[0]}
    prefix = str(tmp_path / "model.ckpt-1000")
    tf.raw_ops.SaveV2(
        prefix=prefix, tensor_names=list(arrays), shape_and_slices=[""] * 3, tensors=list(arrays.values())
    )
    for arguments in ((prefix,), (prefix, "emb/day"), (f"{prefix}*",)):
        found = LabelledVectors.load(*arguments)
        np.testing.assert_array_equal(found.matrix, arrays["emb/day"])
        assert list(found) == ["0", "1", "2", "3"]
    for name, sentence in (
        ("emb/dya", f"vectors: {prefix} has no 'emb/dya'; did you mean 'emb/day'?"),
        ("dense/bias", "vectors: a matrix is wanted, and 'dense/bias' (5) is none; choose another."),
    ):
        with pytest.raises(Refusal) as refusal:
            LabelledVectors.load(prefix, name)
        assert str(refusal.value) == sentence


def test_a_file_of_vectors_has_its_own_keys(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("3 2\nMon 1 0\nTue 0 1\nMon 1 1\n")
    found = LabelledVectors.load(tmp_path / "words.txt")
    assert list(found) == ["Mon", "Tue", "Mon [row 2]"]
    assert found["Tue"].tolist() == [0, 1]


def test_labelled_vectors_are_a_source_of_a_warm_start() -> None:
    given = LabelledVectors(["Tue", "Mon"], drawn(2))
    layer = keras.layers.Embedding(2, 5)
    layer.build()
    warm_start.assign(layer, given, vocabulary=["Mon", "Tue"])
    np.testing.assert_array_equal(np.asarray(layer.embeddings), given[["Mon", "Tue"]])
    assert list(LabelledVectors.load(given)) == ["Tue", "Mon"]


def test_layers_of_all_kinds_give_their_tables() -> None:
    stock = keras.layers.Embedding(7, 3, name="days")
    stock.build()
    found = LabelledVectors.of(stock, DAYS)
    np.testing.assert_array_equal(found["Fri"], np.asarray(stock.embeddings)[4])
    assert (found.name, list(LabelledVectors.of(stock))) == ("days", [str(row) for row in range(7)])
    assert LabelledVectors.of(stock, DAY).fields == {"day": DAYS}
    own = layers.EmbeddingTable(7, 3, name="days")
    own.build()
    np.testing.assert_array_equal(LabelledVectors.of(own, DAY).matrix, own.values)
    dense = layers.DenseFeatures([fc.embedding_column(WEEK, 4, name="day_hour"), fc.embedding_column(DAY, 2)])
    dense.build()
    found = LabelledVectors.of(dense, table="day_hour")
    np.testing.assert_array_equal(found["Fri 17"], dense.tables["day_hour"].values[113])
    assert list(found.fields) == ["day", "hour"]


def test_layers_without_such_a_table_are_refused() -> None:
    dense = layers.DenseFeatures([fc.embedding_column(WEEK, 4, name="day_hour"), fc.embedding_column(DAY, 2)], name="d")
    stock = keras.layers.Embedding(7, 3, name="days")
    kernel = keras.layers.Dense(2, name="top")
    kernel.build((None, 3))
    for arguments, sentence in (
        ({"layer": dense}, "vectors: the name of a table is wanted, since the layer 'd' has day_hour, day."),
        ({"layer": dense, "table": "dya"}, "vectors of 'd': there is no table 'dya'; did you mean 'day'?"),
        ({"layer": dense, "table": "day"}, "vectors of 'd': the layer is not built; call it once, or its build()."),
        ({"layer": stock}, "vectors of 'days': the layer is not built; call it once, or its build()."),
        (
            {"layer": kernel},
            "vectors of 'top': an Embedding, EmbeddingTable or layer of columns is wanted, not Dense.",
        ),
    ):
        with pytest.raises(Refusal) as refusal:
            LabelledVectors.of(**arguments)
        assert str(refusal.value) == sentence
    stock.build()
    with pytest.raises(Refusal) as refusal:
        LabelledVectors.of(stock, WEEK)
    assert str(refusal.value) == ("vectors of 'days': the layer has 7 rows, but its column 168 ids; give its own.")


COMPARED = """
import numpy as np
from gensim.models import KeyedVectors
from trainer.vectors import LabelledVectors
draw = np.random.default_rng(0)  # another seed can bring two keys that float32 cannot tell apart
keys = [f"w{n}" for n in range(3000)]
matrix = draw.normal(size=(3000, 20)).astype(np.float32) + 0.3
theirs = KeyedVectors(20)
theirs.add_vectors(keys, matrix)
ours = LabelledVectors(keys, matrix)

def same(left, right):
    assert [key for key, _ in left] == [key for key, _ in right], (left, right)
    np.testing.assert_allclose([x for _, x in left], [x for _, x in right], rtol=2e-5, atol=2e-6)

for turn in range(30):
    a, b, c, d = (str(key) for key in draw.choice(keys, 4, replace=False))
    vector = draw.normal(size=20).astype(np.float32)
    for arguments in ((a,), (vector,), ([a, b], [c]), ([(a, 2.5), b, vector], [(c, -0.5)]), ([a], [(c, 0.5)]), ([], d)):
        same(ours.most_similar(*arguments, topn=12), theirs.most_similar(*arguments, topn=12))
    for arguments in ((a,), ([a, b], [c, d])):
        same(ours.most_similar_cosmul(*arguments), theirs.most_similar_cosmul(*arguments))
    np.testing.assert_allclose(ours.similarity(a, b), theirs.similarity(a, b), atol=1e-6)
    np.testing.assert_allclose(ours.distance(a, b), theirs.distance(a, b), atol=1e-6)
    assert ours.doesnt_match([a, b, c, d]) == theirs.doesnt_match([a, b, c, d])
    assert ours.rank(a, b) == theirs.rank(a, b)
    np.testing.assert_array_equal(ours[[a, b]], theirs[[a, b]])
some = [str(key) for key in draw.choice(keys, 300)]
for own, key in zip(ours.nearest(some, 7), some):
    same(own, theirs.most_similar(key, topn=7))
assert ours.most_similar("w0", topn=0) == theirs.most_similar("w0", topn=0) == []
"""


@pytest.mark.slow
def test_answers_are_those_of_gensim(gensim: Path, tmp_path: Path) -> None:
    outer = [str(ROOT), *(path for path in sys.path if path.endswith("site-packages"))]
    program = f"import sys\nsys.path += {outer!r}\n{COMPARED}"
    clean = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": ""}
    done = subprocess.run([gensim, "-c", program], cwd=tmp_path, env=clean, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
