"""The model of a retrieval head: what it scores, what it answers, and what it refuses."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import trainer
from trainer import feature_column as fc
from trainer import layers, models
from trainer.errors import Refusal
from trainer.heads import RetrievalHead
from trainer.layers import candidates, placement
from trainer.problem import Problem

ROWS, TASTES = 100, 4
Array = np.ndarray[Any, Any]

movie = fc.categorical_column_with_identity("movie_id", ROWS)


def problem(column: Any = movie, **head: Any) -> Problem:
    return Problem(
        dataset=lambda split: None,
        dnn_feature_columns=[fc.embedding_column(column, 8, "sqrtn", name="movie", unit_norm=True)],
        bags=["movie_id"],
        head=RetrievalHead("movie", **head),
        learning_rate=0.05,
        name="movies",
    )


def people(count: int = 320, seed: int = 0) -> tuple[Array, Array]:
    """Returns what people of four tastes have, and what else they want, four movies of their taste each."""
    draws = np.random.default_rng(seed)
    of_a_taste = ROWS // TASTES
    bags = [draws.permutation(of_a_taste)[:8] + of_a_taste * draws.integers(TASTES) for _ in range(count)]
    return np.stack(bags)[:, :4], np.stack(bags)[:, 4:]


def fitted(made: Problem, epochs: int = 12) -> Any:
    model = trainer.build(made)
    given, wanted = people()
    batches = tf.data.Dataset.from_tensor_slices(({"movie_id": tf.RaggedTensor.from_tensor(given)}, wanted)).batch(32)
    model.fit(batches, epochs=epochs, verbose=0, shuffle=False)
    return model


def answers(model: Any, bags: list[list[Any]], dtype: Any = tf.int64) -> Any:
    return model({"movie_id": tf.ragged.constant(bags, dtype, ragged_rank=1)}, training=False)


@pytest.mark.parametrize(
    "head",
    [
        {},
        {"objective": "reconstruction"},
        {"softmax_sample": 40},
        {"shared": False, "learns_popularity": True},
        {"softmax_sample": 40, "shared": False, "learns_popularity": True, "unit_vector": False, "scale": 1.0},
    ],
    ids=str,
)
def test_what_people_of_a_taste_want_is_found_in_all_forms(head: dict[str, Any]) -> None:
    model = fitted(problem(**head))
    given, wanted = people(seed=1)
    ranked, _ = model.top(model({"movie_id": tf.constant(given)}, training=False), 21)
    shares = [np.isin(row, own).mean() for own, row in zip(ranked.numpy(), wanted, strict=True)]
    assert np.mean(shares) > 0.9  # of 100 movies 21 are answered, and 25 are of a person's taste, 4 of which went in
    assert model.is_sampled == ("softmax_sample" in head)
    assert set(models.tables_of(model)) == ({"movie"} if head.get("shared", True) else {"movie", "movie_output"})


@pytest.mark.parametrize("scores", [1 << 24, 3 * 1024], ids=["at once", "in blocks"])
def test_the_best_are_those_of_all_rows_without_what_went_in(scores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candidates, "SCORES", scores)
    rows, draws = 5_000, np.random.default_rng(2)
    table = layers.EmbeddingTable(rows, 6, name="movie")
    found = layers.Candidates(table, unit_vector=True)
    found.build()
    vector = draws.normal(size=(3, 6)).astype(np.float32)
    own = [[4, 2, 4999], [], [7]]
    ids, best = found.top(vector, tf.ragged.constant(own, tf.int64, ragged_rank=1), 50)
    expected = vector / np.linalg.norm(vector, axis=1, keepdims=True) @ table.values.T
    for place, given in enumerate(own):
        if given:
            expected[place, given] = -np.inf
            order = np.argsort(-expected[place], kind="stable")[:50]
            assert ids[place].numpy().tolist() == order.tolist()
            np.testing.assert_allclose(best[place], expected[place][order], rtol=1e-5)


def test_without_a_known_row_the_most_popular_come_and_the_scores_are_their_shares() -> None:
    model = trainer.build(problem())
    counts = np.random.default_rng(0).permutation(ROWS) + 1
    model.count(counts)
    found = problem().head.on(model).predictions(answers(model, [[], [3]]))
    assert found["by_popularity"].numpy().tolist() == [True, False]
    assert found["movie_id"][0].numpy().tolist() == np.argsort(-counts)[:20].tolist()
    np.testing.assert_allclose(found["scores"][0], np.sort(counts)[::-1][:20] / counts.sum(), rtol=1e-5)


def test_where_fewer_rows_are_left_than_are_asked_for_the_rest_is_none() -> None:
    few = fc.categorical_column_with_vocabulary_list("movie_id", ["a", "b", "c"])
    model = trainer.build(problem(few, topn=3))
    found = model.column, problem(few, topn=3).head.on(model).predictions(answers(model, [["a", "c"]], tf.string))
    assert found[1]["movie_id"].numpy().tolist() == [[b"b", b"", b""]]
    assert found[1]["scores"][0, 1] == -np.inf


def test_hidden_layers_make_the_vector_and_end_in_the_width_of_the_rows() -> None:
    made = dataclasses.replace(problem(), dnn_hidden_units=(16,))
    model = fitted(made)
    assert answers(model, [[1, 2]])["vector"].shape == (1, 8)
    given, wanted = people(seed=1)
    ranked, _ = model.top(model({"movie_id": tf.constant(given)}, training=False), 21)
    assert np.mean([np.isin(row, own).mean() for own, row in zip(ranked.numpy(), wanted, strict=True)]) > 0.9


def test_a_loss_counts_a_bag_by_its_size_to_a_power_and_by_its_weight() -> None:
    flat, steep = (trainer.build(problem(bag_power=power)) for power in (0.0, 1.0))
    steep.set_weights(flat.get_weights())
    found = answers(flat, [[1], [2]])
    wanted = tf.ragged.constant([[5, 6, 7, 8], [9]], tf.int64, ragged_rank=1)
    each = [
        [float(model.compute_loss(y=wanted, y_pred=found, sample_weight=weights)) for model in (flat, steep)]
        for weights in (tf.constant([[1.0], [0.0]]), tf.constant([[0.0], [1.0]]))
    ]
    assert each[0][1] == pytest.approx(4 * each[0][0], rel=1e-5)
    assert each[1][1] == pytest.approx(each[1][0], rel=1e-5)


def test_the_sample_of_a_step_depends_on_the_step_alone() -> None:
    model = trainer.build(problem(softmax_sample=10))
    found, wanted = answers(model, [[1], [2]]), tf.constant([[5], [9]])
    first, again = (float(model.compute_loss(y=wanted, y_pred=found)) for _ in range(2))
    model.optimizer.iterations.assign_add(1)
    assert first == again != float(model.compute_loss(y=wanted, y_pred=found))


def test_beside_parameter_servers_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placement, "current", lambda: placement.Placement(["/job:ps/task:0/device:CPU:0"]))
    with pytest.raises(Refusal) as refusal:
        models.retrieval(problem())
    assert str(refusal.value) == (
        "RetrievalHead: problem movies scores all rows of table 'movie' in a step, and they would lie on parameter "
        "servers; train on one machine, or on several in step."
    )


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (
            lambda: trainer.build(dataclasses.replace(problem(), head=RetrievalHead("movies"))),
            "RetrievalHead: problem movies has no table 'movies'; did you mean 'movie'?",
        ),
        (
            lambda: trainer.build(
                problem(fc.categorical_column_with_vocabulary_list("movie_id", ["heat"], tokenize=fc.Tokens()))
            ),
            "RetrievalHead: problem movies retrieves values of a bag, and table 'movie' is of the words of a text; "
            "give a table on a feature in bags.",
        ),
        (
            lambda: trainer.build(dataclasses.replace(problem(), linear_feature_columns=[movie])),
            "RetrievalHead: problem movies has linear_feature_columns, which say nothing of a vector; give "
            "dnn_feature_columns alone.",
        ),
        (
            lambda: RetrievalHead("movie").on(None),
            "RetrievalHead: it scores the rows of table 'movie', which only the model has that trainer.build makes of "
            "dnn_feature_columns; leave model= and linear_feature_columns out.",
        ),
        (
            lambda: RetrievalHead("movie", objective="sofmax"),
            "RetrievalHead: objective is 'reconstruction' or 'softmax', not 'sofmax'.",
        ),
        (lambda: RetrievalHead("movie", scale=0.0), "RetrievalHead: scale is a number above 0, not 0.0."),
        (lambda: RetrievalHead("movie", bag_power=2), "RetrievalHead: bag_power is a number from 0 to 1, not 2."),
        (
            lambda: RetrievalHead("movie", topn=0),
            "RetrievalHead: topn is a whole number of at least 1, not 0.",
        ),
        (lambda: RetrievalHead("movie", input_share=1.5), "Hidden: input_share is above 0 and below 1, not 1.5."),
    ],
)
def test_what_cannot_be_is_refused(make: Callable[[], Any], sentence: str) -> None:
    with pytest.raises(Refusal) as refusal:
        make()
    assert str(refusal.value) == sentence
