"""The models to beat."""

import json
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import planted
from trainer import feature_column as fc
from trainer import models
from trainer.baselines.crosses import comparison
from trainer.baselines.crosses.comparison import Result, drawn, table
from trainer.baselines.crosses.contender import Contender
from trainer.baselines.crosses.forms import EMBEDDING, KEYS, ONE_HOT, exchanged, left_out, variants
from trainer.catalogue import Catalogue
from trainer.errors import Refusal, TrainingFailure
from trainer.feature_column.serialization import digest
from trainer.inputs.examples import Source
from trainer.inputs.memory import Examples
from trainer.inputs.split import Data, read
from trainer.problem import Problem, load
from trainer.settings import Settings

NUMBER = fc.numeric_column("number")
GRADES = fc.bucketized_column(NUMBER, (1, 2))
SIZE = fc.categorical_column_with_identity("size", 3000)


def embedded(*keys: Any, name: str | None = None, hash_bucket_size: int | None = None) -> fc.EmbeddingColumn:
    return fc.embedding_column(fc.crossed_column(keys, hash_bucket_size), 4, name=name)


def of(*columns: Any, **changes: Any) -> Problem:
    return planted.problem(dnn_feature_columns=columns, linear_feature_columns=(), **changes)


def deep(problem: Problem) -> dict[str, list[str]]:
    return {form: [column.name for column in each.dnn_feature_columns] for form, each in variants(problem).items()}


def opened(problem: Problem) -> tuple[Source, Data]:
    model = models.assembled(problem)
    source = Source(problem, models.inputs_of(model), "")
    return source, read(source, models.halves(model).encode)


def test_the_three_forms_are_what_they_say() -> None:
    assert deep(planted.PROBLEM) == {
        EMBEDDING: ["day_X_hour_embedding", "distance"],
        ONE_HOT: ["day_X_hour_indicator", "distance"],
        KEYS: ["day_indicator", "hour_indicator", "distance"],
    }
    columns = {"dnn_feature_columns", "linear_feature_columns"}
    for form in variants(planted.PROBLEM).values():
        assert form.linear_feature_columns == ()
        changed = {name for name, value in vars(form).items() if value != getattr(planted.PROBLEM, name)}
        assert changed <= columns


def test_a_form_without_a_table_has_no_optimizer_for_it() -> None:
    columns = (embedded(planted.day, planted.hour, name="day_hour"), fc.embedding_column(planted.hour, 2, name="hour"))
    own = {"day_hour": "SGD", "hour": ("Adagrad", 0.1), "of_the_tower": "SGD"}
    forms = variants(of(*columns, table_optimizers=own))
    assert forms[EMBEDDING].table_optimizers == own
    rest = {"hour": ("Adagrad", 0.1), "of_the_tower": "SGD"}
    assert forms[ONE_HOT].table_optimizers == forms[KEYS].table_optimizers == rest


def test_a_catalogue_of_what_the_wide_part_alone_reads_stops_no_comparison() -> None:
    known = {"size": Catalogue(range(3), {"name": ["S", "M", "L"]}), "hour": Catalogue([0], {"name": ["midnight"]})}
    problem = planted.problem(linear_feature_columns=(SIZE,), catalogues=known)
    assert [form.catalogues for form in variants(problem).values()] == [{}, {}, {}]


def test_a_key_that_is_there_already_is_not_there_twice() -> None:
    problem = of(
        embedded(planted.day, planted.hour, name="day_hour"),
        embedded(GRADES, planted.hour, name="grades_hour"),
        fc.indicator_column(planted.day),
        fc.embedding_column(planted.hour, 2),
        GRADES,
    )
    names = deep(problem)
    rest = ["day_indicator", "hour_embedding", "number_bucketized"]
    assert names[ONE_HOT] == ["day_X_hour_indicator", "hour_X_number_bucketized_indicator", *rest]
    assert sorted(names[KEYS]) == ["day_indicator", "hour_embedding", "hour_indicator", "number_bucketized_indicator"]


def test_what_repeats_a_cross_is_in_none_of_the_forms() -> None:
    problem = planted.problem(
        dnn_feature_columns=(
            embedded(planted.day, planted.hour, name="day_hour"),
            embedded(planted.hour, "day", name="hashed", hash_bucket_size=50),
            embedded(planted.hour, "day", "tailnum", name="larger", hash_bucket_size=50),
            embedded("day", "tailnum", name="other", hash_bucket_size=50),
            fc.indicator_column(fc.crossed_column([planted.hour, planted.day])),
        ),
        dataset="nyc_flights",
    )
    assert {form: names[1:] for form, names in deep(problem).items()} == {
        EMBEDDING: ["day_X_tailnum_embedding"],
        ONE_HOT: ["day_X_tailnum_embedding"],
        KEYS: ["hour_indicator", "day_X_tailnum_embedding"],
    }
    assert left_out(problem) == [
        "day_X_hour_embedding",
        "day_X_hour_X_tailnum_embedding",
        "day_X_hour_indicator",
        "day",
        "hour",
    ]


def test_a_cross_too_wide_for_a_one_hot_stays_an_embedding() -> None:
    problem = of(embedded(planted.day, planted.hour), embedded(planted.day, SIZE))
    assert {form: names[-1] for form, names in deep(problem).items()} == dict.fromkeys(
        (EMBEDDING, ONE_HOT, KEYS), "day_X_size_embedding"
    )
    assert exchanged(problem) == [planted.day_hour]


@pytest.mark.parametrize(
    ("problem", "sentence"),
    [
        (
            of(fc.embedding_column(planted.hour, 2), embedded("day", planted.hour, hash_bucket_size=9)),
            "--baselines: problem planted has no embedding of an exact cross to compare with; leave --baselines out, "
            "or add embedding_column(crossed_column([…])) to dnn_feature_columns.",
        ),
        (
            of(embedded(planted.day, SIZE), embedded(planted.hour, SIZE)),
            "--baselines: a one-hot of 'day_X_size' would be 21,000 wide, over the limit of 20,000; leave --baselines "
            "out, or cross coarser keys.",
        ),
        (
            planted.problem(model=lambda: None),
            "--baselines: problem planted makes its model itself, so its columns cannot be exchanged; leave "
            "--baselines out, or give dnn_feature_columns with hidden units or a tower.",
        ),
    ],
)
def test_a_problem_without_a_cross_to_exchange_is_refused(problem: Problem, sentence: str) -> None:
    with pytest.raises(Refusal) as refusal:
        variants(problem)
    assert str(refusal.value) == sentence


def test_the_plan_refuses_before_tensorflow_is_loaded(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "from trainer import feature_column as fc\nfrom trainer.problem import Problem\n"
        "PROBLEM = Problem(dataset='nyc_flights', label='late', dnn_feature_columns=[fc.numeric_column('distance')])\n"
    )
    code = (
        "import sys; from trainer.errors import Refusal; from trainer.job.plan import planned\n"
        "from trainer.settings import Settings\n"
        f"try: planned(Settings(problem={str(file)!r}, baselines=True))\n"
        "except Refusal as refusal: print(refusal, 'tensorflow' in sys.modules)\n"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.startswith("--baselines: problem mine has no embedding of an exact cross")
    assert found.stdout.endswith("to dnn_feature_columns. False\n")


@given(count=st.integers(10, 5000), seed=st.integers(0, 9), share=st.floats(0.01, 1), larger=st.floats(0.01, 1))
def test_smaller_shares_are_parts_of_larger_ones(count: int, seed: int, share: float, larger: float) -> None:
    small, large = sorted((drawn(count, share, seed), drawn(count, larger, seed)), key=len)
    np.testing.assert_array_equal(small, large[: len(small)])
    assert len(set(large.tolist())) == len(large)
    assert len(drawn(count, share, seed)) == max(10, round(share * count))


def test_another_seed_draws_other_rows() -> None:
    assert set(drawn(1000, 0.1, seed=0)) != set(drawn(1000, 0.1, seed=1))


def test_a_training_leaves_no_trace_in_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainer.baselines.crosses.contender.MOST_PASSES", 2)
    problem = planted.problem(dnn_dropout=0.2, batch_norm=True, learning_rate_decay="linear")
    _, data = opened(problem)
    train, validation = data.train.in_memory(), data.validation.in_memory()
    contender = Contender(variants(problem)[EMBEDDING], train, 4096)
    scores = []
    for seed, rows in ((0, 500), (1, 800), (0, 500)):
        passes = contender.train(train.subset(np.arange(rows)), seed)
        scores.append((passes, contender.evaluate(validation)))
    assert scores[0] == scores[2] != scores[1]
    assert contender.evaluate(validation) == scores[2][1]


def test_a_loss_that_is_not_finite_ends_with_a_sentence() -> None:
    problem = planted.problem(learning_rate=1e38, dnn_optimizer="SGD")
    train = opened(problem)[1].train.in_memory()
    contender = Contender(variants(problem)[EMBEDDING], train, 4096)
    sentence = r"^--baselines: the loss became (nan|inf); try a smaller --learning-rate\.$"
    with pytest.raises(TrainingFailure, match=sentence):
        contender.train(train.subset(np.arange(500)), 0)


def test_the_comparison_finds_the_planted_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, int, Any]] = []
    splits: list[str] = []
    train = Contender.train

    def spied(self: Contender, examples: Examples, seed: int) -> int:
        seen.append((len(examples), seed, examples.features[f"day_X_hour.{digest(planted.day_hour)}"]))
        return train(self, examples, seed)

    def dataset(split: str) -> Any:
        splits.append(split)
        return planted.dataset(split)

    monkeypatch.setattr(Contender, "train", spied)
    # Without a hidden layer the keys are a sum, and no sum of a day and an hour says what was planted.
    problem = planted.problem(linear_feature_columns=(), dnn_hidden_units=(), dataset=dataset)
    source, data = opened(problem)
    written = comparison.compare(problem, source, data, shares=(0.03, 0.5), seeds=(3,))
    results = [Result(**result) for result in written.pop("results")]
    count = len(data.train)
    # Read again for the keys, which the job had no need of; the test rows are left alone.
    assert splits == ["train", "train"]
    few, many = round(0.03 * count), round(0.5 * count)
    assert [(rows, seed) for rows, seed, _ in seen] == [(few, 3)] * 3 + [(many, 3)] * 3
    for place, (_, _, ids) in enumerate(seen):
        np.testing.assert_array_equal(ids, seen[place // 3 * 3][2])
    np.testing.assert_array_equal(seen[0][2], seen[-1][2][:few])
    values = {(result.form, result.rows): result.value for result in results}
    assert values[EMBEDDING, many] > values[KEYS, many] + 0.1
    assert values[ONE_HOT, many] > values[KEYS, many] + 0.1
    assert values[ONE_HOT, many] > values[ONE_HOT, few] + 0.05
    out = capsys.readouterr().out
    assert "baselines: day_X_hour in three forms, in the deep part alone\n" in out
    assert f"\n{table(results, 'auc', len(data.validation))}\n(" in out
    assert written.pop("seconds") > 0
    assert written == {
        "metric": "auc",
        "validation_examples": len(data.validation),
        "crosses": ["day_X_hour"],
        "left_out": [],
    }


def test_the_table_has_a_row_a_form_and_a_column_a_share() -> None:
    values = {
        ("a form", 0.01): (0.6, 0.7, 0.8),
        ("a form", 1.0): (0.8,) * 3,
        ("b", 0.01): (0.5,) * 3,
        ("b", 1.0): (1,) * 3,
    }
    results = [
        Result(form, share, round(share * 247_499), seed, 3, value, 0.5, 1.0)
        for (form, share), of_seeds in values.items()
        for seed, value in enumerate(of_seeds)
    ]
    assert table(results, "auc", 26_877).splitlines() == [
        "auc on 26,877 validation rows, mean ± standard deviation of 3 seeds",
        "                            1 %             100 %",
        "training rows             2,475           247,499",
        "a form          0.7000 ± 0.1000   0.8000 ± 0.0000",
        "b               0.5000 ± 0.0000   1.0000 ± 0.0000",
    ]
    assert table(results[:1], "auc", 9).splitlines()[-1] == "a form                   0.6000"


@pytest.mark.slow
def test_a_job_with_baselines_leaves_them_in_its_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from trainer import job

    small = partial(comparison.compare, shares=(0.05,), seeds=(0,))
    monkeypatch.setattr(comparison, "compare", small)
    settings = Settings(problem=planted.__file__, job_dir=str(tmp_path / "run"), train_steps=20, baselines=True)
    assert job.run(settings) == 0
    written = json.loads((tmp_path / "run" / "baselines.json").read_text())
    assert [result["form"] for result in written["results"]] == [EMBEDDING, ONE_HOT, KEYS]
    assert written["left_out"] == ["day", "hour"]
    out = capsys.readouterr().out
    assert out.index("left out of all three: day, hour\n") < out.index("training rows") < out.index("\ntest ")


def test_flights_can_be_compared() -> None:
    assert {cross.name for cross in exchanged(load("flights"))} >= {"day_X_hour"}
