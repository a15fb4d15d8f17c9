"""The planted tastes of the benchmark of a million movies, and what can be found of them."""

import numpy as np
import pytest

from tests.benchmarks.million_movies.judging import Parted, by_oracle, by_popularity, judged
from tests.benchmarks.million_movies.planted import CLUSTER, Planted, zipf

SMALL = Planted(20_000)


def test_a_person_has_about_twenty_different_movies_four_of_five_of_them_of_three_clusters() -> None:
    people = SMALL.chunk(0)
    bags = people.bags()
    assert len(people) == len(bags) == 5000
    assert people.lengths.mean() == pytest.approx(20, abs=0.3)
    assert all(len({*bag.tolist()}) == len(bag) for bag in bags)
    assert all(len({*clusters.tolist()}) == 3 for clusters in people.clusters)
    own = [
        np.isin(SMALL.place[bag] // CLUSTER, clusters).mean()
        for bag, clusters in zip(bags, people.clusters, strict=True)
    ]
    # Draws from all come from these clusters too; what is popular in a few clusters is drawn twice more often.
    assert 0.74 < np.mean(own) < 0.84


def test_chunks_hang_on_their_number_alone_and_the_last_is_cut() -> None:
    parts = [*SMALL.chunks(3, 7000)]
    assert [len(part) for part in parts] == [5000, 2000]
    whole = SMALL.chunk(4)
    assert parts[1].movies.tolist() == whole.movies[: whole.lengths[:2000].sum()].tolist()
    assert parts[1].clusters.tolist() == whole.clusters[:2000].tolist()
    assert SMALL.chunk(3).movies.tolist() != whole.movies.tolist()


def test_popularity_falls_by_a_zipf_law_inside_of_clusters_and_among_all() -> None:
    assert zipf(4)[:2].tolist() == pytest.approx([12 / 25, 6 / 25])
    assert np.sort(SMALL.overall_chances)[::-1].tolist() == pytest.approx(zipf(20_000).tolist())
    mixed = Planted(20_000, "mixture")
    assert mixed.overall_chances[mixed.members].tolist() == pytest.approx(np.tile(zipf(CLUSTER) / 40, (40, 1)))
    first = np.concatenate([SMALL.chunk(number).movies for number in range(4)])
    places = np.bincount(SMALL.place[first] % CLUSTER, minlength=CLUSTER)
    assert places[0] > 1.3 * places[1] > 1.3 * places[3]


def test_the_data_set_gives_the_bags_as_they_are() -> None:
    (batch, last) = SMALL.dataset(2, 6000)
    people = SMALL.chunk(2)
    assert batch["user_id"].numpy().tolist() == [*range(10_000, 15_000)]
    assert last["user_id"].shape == (1000,)
    assert batch["movie_id"].flat_values.numpy().tolist() == people.movies.tolist()
    assert batch["movie_id"].row_lengths().numpy().tolist() == people.lengths.tolist()


def test_nobody_finds_more_than_who_knows_all_and_what_went_in_is_not_ranked() -> None:
    (people,) = SMALL.chunks(9, 300)
    parted = Parted.of(people)
    assert all(len(given) == round(0.8 * length) for given, length in zip(parted.given, people.lengths, strict=True))
    popular = by_popularity(np.bincount(SMALL.chunk(0).movies, minlength=SMALL.movies))
    for rank in (popular, by_oracle(SMALL)):
        assert not any(np.isin(best, given).any() for best, given in zip(rank(parted), parted.given, strict=True))
    assert judged(parted, by_oracle(SMALL)).recall > 2 * judged(parted, popular).recall > 0.2
    assert judged(parted, by_oracle(SMALL)).ndcg > 2 * judged(parted, popular).ndcg > 0.1
    best = judged(parted, lambda part: part.wanted)
    assert best.recall == 1
    assert best.ndcg == pytest.approx(1)
