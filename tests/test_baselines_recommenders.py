"""What is watched most and EASE, as models to beat."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from tests import films, served
from trainer.baselines.recommenders import ease, memory
from trainer.baselines.recommenders.ranking import judged, matrix, people_of, ranked
from trainer.errors import Refusal
from trainer.heads.ranking import NDCG, Coverage, Recall
from trainer.inputs.memory import Examples

Array = np.ndarray[Any, Any]


def watched(people: int, items: int, seed: int = 0, share: float = 0.2) -> Array:
    """What people have watched, ones and zeros; the last item nobody has."""
    draw = np.random.default_rng(seed)
    found = (draw.random((people, items)) < share * draw.random(items) * 2).astype(float)
    found[:, -1] = 0
    return found


def by_definition(watched: Array, strength: float) -> Array:
    """The weights of each item as a ridge regression on all others, solved item by item; none on itself."""
    items = watched.shape[1]
    weights = np.zeros((items, items))
    for item in range(items):
        others = np.arange(items) != item
        rest = watched[:, others]
        gram = rest.T @ rest + strength * np.eye(items - 1)
        weights[others, item] = np.linalg.solve(gram, rest.T @ watched[:, item])
    return weights


@pytest.mark.parametrize("strength", [0.5, 20.0, 3000.0])
@pytest.mark.parametrize(("people", "items"), [(60, 25), (25, 60)])
def test_ease_is_a_ridge_regression_of_each_item_on_all_others(people: int, items: int, strength: float) -> None:
    dense, asked = watched(people, items), watched(7, items, seed=1)
    expected = asked @ by_definition(dense, strength)
    for fitted in (ease.fitted, ease.by_items, ease.by_people):
        scores = fitted(scipy.sparse.csr_array(dense), strength)(scipy.sparse.csr_array(asked))
        np.testing.assert_allclose(scores, expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("block", [1, 16, 1024])
def test_ease_in_blocks_is_the_same_by_people_and_by_items(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ease, "BLOCK", block)
    found, asked = (scipy.sparse.csr_array(watched(count, 60)) for count in (70, 5))
    np.testing.assert_allclose(ease.by_people(found, 30.0)(asked), ease.by_items(found, 30.0)(asked), atol=1e-9)


def test_an_inverse_is_symmetric_and_lies_where_the_matrix_lay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ease, "BLOCK", 16)
    dense = watched(50, 40)
    found = ease.inverse_of(scipy.sparse.csr_array(dense), 2.0)
    np.testing.assert_allclose(found @ (dense @ dense.T + 2.0 * np.eye(50)), np.eye(50), atol=1e-9)
    np.testing.assert_array_equal(found, found.T)
    assert found.flags.c_contiguous  # so that nothing is copied where a sparse matrix is multiplied with it


def test_ease_is_fitted_to_the_smaller_of_people_and_items(monkeypatch: pytest.MonkeyPatch) -> None:
    sides: list[tuple[int, ...]] = []
    inverse_of = ease.inverse_of

    def spied(rows: Any, strength: float) -> Array:
        sides.append(rows.shape)
        return inverse_of(rows, strength)

    monkeypatch.setattr(ease, "inverse_of", spied)
    for people, items in ((9, 4), (4, 9)):
        ease.fitted(scipy.sparse.csr_array(watched(people, items)), 1.0)
    assert sides == [(4, 9), (4, 9)]


@given(st.lists(st.lists(st.integers(-1, 5), max_size=6), min_size=1, max_size=4))
def test_a_bag_is_a_row_of_ones_whatever_comes_twice_or_is_missing(bags: list[list[int]]) -> None:
    found = matrix(tf.ragged.constant(bags, tf.int64, ragged_rank=1), 6).toarray()
    expected = [[float(item in bag) for item in range(6)] for bag in bags]
    assert found.tolist() == expected


@given(st.integers(0, 99), st.integers(1, 9))
def test_the_best_are_those_of_the_highest_scores_but_what_somebody_has(seed: int, k: int) -> None:
    draw = np.random.default_rng(seed)
    scores, has = draw.integers(0, 4, (3, 6)).astype(float), draw.random((3, 6)) < 0.4
    found = ranked(scores.copy(), scipy.sparse.csr_array(has.astype(float)), k)
    for best, own, given_ids in zip(found.tolist(), scores, has, strict=True):
        order = sorted(np.flatnonzero(~given_ids).tolist(), key=lambda item: (-own[item], item))[:k]
        assert best == order + [-1] * (k - len(order))


def test_people_are_judged_by_what_was_hidden_of_them_in_batches_of_any_size() -> None:
    given_ids = tf.ragged.constant([[0, 1], [2], [4], [0]], tf.int64)
    hidden = np.array([[2, -1], [3, 0], [-1, -1], [1, -1]])
    weights = np.array([[1.0], [1.0], [1.0], [0.0]], np.float32)
    examples = Examples({"bag": given_ids}, hidden, weights)
    scores = np.array([5.0, 4.0, 3.0, 2.0, 1.0])
    for most in (1, 3, 100):
        metrics = [Recall(1, "recall@1"), NDCG(2, "ndcg@2"), Coverage(5, 1, "coverage@1")]
        people = people_of(examples, "bag", 5, most)
        found = judged(lambda has: np.tile(scores, (has.shape[0], 1)), people, metrics)
        assert found["recall@1"] == 1.0  # 2 of {2}, 0 of {3, 0}; who wanted nothing and who weighs nothing do not count
        assert found["ndcg@2"] == pytest.approx((1 + 1 / (1 + 1 / np.log2(3))) / 2)
        assert found["coverage@1"] == pytest.approx(2 / 5)


def test_a_catalogue_past_the_memory_is_refused() -> None:
    memory.check(people=1000, items=2000, free=8_000_000)
    memory.check(people=5_000_000, items=1000, free=8_000_000)
    with pytest.raises(Refusal) as refusal:
        memory.check(people=200_000, items=60_000, free=16_000_000_000)
    assert str(refusal.value) == (
        "--baselines: EASE inverts a matrix of 60,000 by 60,000, which takes 28.8 GB of memory, and 16.0 GB are free; "
        "leave --baselines out, or take a machine with more memory."
    )


def test_the_free_memory_is_that_of_the_machine_or_of_the_container(tmp_path: Path) -> None:
    meminfo, missing = tmp_path / "meminfo", str(tmp_path / "missing")
    meminfo.write_text("MemTotal:  4000 kB\nMemAvailable:    3000 kB\n")
    assert memory.available(str(meminfo), missing) == 3_072_000
    for limit, free in (("2000000", 1_500_000), ("max", 3_072_000), ("90000000", 3_072_000), ("1", 0)):
        (tmp_path / "memory.max").write_text(f"{limit}\n")
        (tmp_path / "memory.current").write_text("500000\n")
        assert memory.available(str(meminfo), str(tmp_path)) == free
    assert memory.available(missing, missing) >= memory.available()


def test_a_job_holds_its_model_against_popularity_and_ease(films_run: Path) -> None:
    found, metrics = (json.loads((films_run / name).read_text()) for name in ("baselines.json", "metrics.json"))
    popularity, ease_found, own = found.pop("results")
    assert [each["model"] for each in (popularity, own)] == ["popularity", "films"]
    strength, tried = found.pop("ease_strength"), found.pop("ease_tried")
    assert ease_found["model"] == f"EASE, λ {strength:.3g}"
    assert tried[f"{strength:.6g}"] == max(tried.values())
    assert found == {
        "train_examples": metrics["train_examples"],
        "items": len(films.FILMS),
        "test_examples": metrics["examples"],
        "chosen_by": "ndcg@10",
    }
    names = ["recall@5", "ndcg@10", "coverage@5"]
    assert [{name: each[name] for name in names} for each in (own,)] == [{name: metrics[name] for name in names}]
    # That somebody likes one kind is what popularity does not know.
    assert min(ease_found["recall@5"], own["recall@5"]) > popularity["recall@5"] + 0.2
    assert set(popularity) == set(ease_found) == set(own) == {"model", *names, "seconds"}


def test_a_job_whose_catalogue_is_past_the_memory_is_refused_before_it_trains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "available", lambda: 1000)
    with pytest.raises(Refusal) as refusal:
        served.trained(tmp_path, films.TEXT, films.write(tmp_path / "ratings.csv"), baselines=True)
    assert str(refusal.value) == (
        "--baselines: EASE inverts a matrix of 36 by 36, which takes 10.4 kB of memory, and 1.0 kB are free; leave "
        "--baselines out, or take a machine with more memory."
    )
    assert not (tmp_path / "run" / "settings.json").exists()
