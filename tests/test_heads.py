from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import r2_score, roc_auc_score

from tests import planted
from trainer import heads, models
from trainer.errors import Refusal
from trainer.heads import BinaryHead, Head, Hidden, MultiClassHead, PoissonRegressionHead, RegressionHead

MEAN = 3.5
HEADS: list[Head] = [BinaryHead(), MultiClassHead(3), PoissonRegressionHead(MEAN), RegressionHead()]
IDS = [type(head).__name__ for head in HEADS]


def sigmoid(logits: Any) -> Any:
    return 1 / (1 + np.exp(-logits))


def softmax(logits: Any) -> Any:
    return np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)


def logits_of(head: Head, examples: int = 400) -> Any:
    return np.random.default_rng(1).normal(size=(examples, head.units)).astype(np.float32)


def labels_of(head: Head, examples: int = 400) -> Any:
    draw = np.random.default_rng(2)
    if isinstance(head, RegressionHead):
        return draw.normal(size=(examples, 1)).astype(np.float32)
    if isinstance(head, PoissonRegressionHead):
        return draw.poisson(MEAN, (examples, 1))
    return draw.integers(0, max(head.units, 2), (examples, 1))


def cross_entropy(labels: Any, logits: Any) -> Any:
    return -np.log(np.take_along_axis(softmax(logits), labels, axis=1)[:, 0])


def log_loss(labels: Any, logits: Any) -> Any:
    return -np.log(np.where(labels == 1, sigmoid(logits), 1 - sigmoid(logits)))[:, 0]


def rmse(labels: Any, predictions: Any, weights: Any = None) -> float:
    return float(np.sqrt(np.average((labels - predictions) ** 2, weights=weights)))


def rmsle(labels: Any, predictions: Any, weights: Any = None) -> float:
    return rmse(np.log(1 + labels), np.log(1 + predictions), weights)


LOSSES: dict[str, Callable[[Any, Any], Any]] = {
    "BinaryHead": log_loss,
    "MultiClassHead": cross_entropy,
    "PoissonRegressionHead": lambda labels, logits: (np.exp(logits) - labels / MEAN * logits)[:, 0],
    "RegressionHead": lambda labels, logits: ((labels - logits) ** 2)[:, 0],
}

METRICS: dict[str, dict[str, Callable[[Any, Any], float]]] = {
    "BinaryHead": {
        "auc": lambda labels, logits: roc_auc_score(labels[:, 0], logits[:, 0]),
        "accuracy": lambda labels, logits: np.mean((logits > 0) == labels),
    },
    "MultiClassHead": {"accuracy": lambda labels, logits: np.mean(logits.argmax(axis=1) == labels[:, 0])},
    "PoissonRegressionHead": {
        "rmse": lambda labels, logits: rmse(labels, MEAN * np.exp(logits)),
        "rmse_over_mean": lambda labels, logits: rmse(labels, MEAN * np.exp(logits)) / np.mean(labels),
        "rmsle": lambda labels, logits: rmsle(labels, MEAN * np.exp(logits)),
    },
    "RegressionHead": {
        "rmse": rmse,
        "r2": lambda labels, logits: r2_score(labels[:, 0], logits[:, 0]),
        "median_absolute_error": lambda labels, logits: float(np.median(np.abs(labels - logits))),
    },
}


def test_the_battery_has_every_head() -> None:
    kinds = {name for name, kind in vars(heads).items() if isinstance(kind, type) and issubclass(kind, Head)}
    # These two have neither logits nor labels of one number: their models have tests of their own.
    assert kinds - {"Head", "RetrievalHead", "SkipGramHead"} == set(IDS) == set(LOSSES) == set(METRICS)


@pytest.mark.parametrize("head", HEADS, ids=IDS)
def test_the_loss_is_the_mean_over_examples(head: Head) -> None:
    labels, logits = labels_of(head), logits_of(head)
    expected = LOSSES[type(head).__name__](labels, logits)
    assert float(head.loss()(labels, logits)) == pytest.approx(expected.mean(), rel=1e-5)
    weights = np.arange(400.0) % 3
    weighted = float(head.loss()(labels, logits, sample_weight=weights))
    assert weighted == pytest.approx((weights * expected).mean(), rel=1e-5)


@pytest.mark.parametrize("head", HEADS, ids=IDS)
def test_metrics_are_what_their_names_say(head: Head) -> None:
    labels, logits = labels_of(head), logits_of(head)
    metrics = {metric.name: metric for metric in head.metrics()}
    assert list(metrics) == list(METRICS[type(head).__name__])
    for name, expected in METRICS[type(head).__name__].items():
        for part in range(0, 400, 100):
            metrics[name].update_state(labels[part : part + 100], logits[part : part + 100])
        assert float(metrics[name].result()) == pytest.approx(expected(labels, logits), abs=1e-3)
    assert all(new is not old for new, old in zip(head.metrics(), metrics.values(), strict=True))


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (BinaryHead(), {"logits": [[-1.0], [2.0]], "probabilities": sigmoid(np.array([[-1.0], [2.0]]))}),
        (
            MultiClassHead(3),
            {
                "logits": [[0.0, 1.0, -1.0], [3.0, 0.0, 0.0]],
                "probabilities": softmax(np.array([[0.0, 1.0, -1.0], [3.0, 0.0, 0.0]])),
                "classes": [1, 0],
            },
        ),
        (PoissonRegressionHead(MEAN), {"predictions": MEAN * np.exp([[-1.0], [2.0]])}),
        (RegressionHead(), {"predictions": [[-1.0], [2.0]]}),
    ],
    ids=IDS,
)
def test_predictions_are_made_from_logits(head: Head, expected: dict[str, Any]) -> None:
    logits = keras.ops.convert_to_tensor(expected.get("logits", [[-1.0], [2.0]]))
    predictions = head.predictions(logits)
    assert list(predictions) == list(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(predictions[name], values, rtol=1e-6)


@pytest.mark.parametrize("num_classes", [1, 0, -3])
def test_fewer_than_two_classes_are_refused(num_classes: int) -> None:
    with pytest.raises(Refusal) as refusal:
        MultiClassHead(num_classes)
    assert str(refusal.value) == f"MultiClassHead: num_classes must be at least 2, not {num_classes}."


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["a", "b"], "label_vocabulary has 2 names, and there are 3 classes; give one each."),
        (["a", "b", "a"], "label_vocabulary has 'a' twice; give each class its own name."),
        (["a", "b", ""], "label_vocabulary is a list of texts, one for each class, not ['a', 'b', '']."),
        ([0, 1, 2], "label_vocabulary is a list of texts, one for each class, not [0, 1, 2]."),
        ("abc", "label_vocabulary is a list of texts, one for each class, not 'abc'."),
    ],
)
def test_names_that_are_not_one_for_each_class_are_refused(names: Any, sentence: str) -> None:
    with pytest.raises(Refusal) as refusal:
        MultiClassHead(3, label_vocabulary=names)
    assert str(refusal.value) == f"MultiClassHead: {sentence}"
    with pytest.raises(Refusal, match="BinaryHead: label_vocabulary"):
        BinaryHead(label_vocabulary=["maybe"])


def test_classes_with_names_are_answered_by_number_and_by_name() -> None:
    logits = keras.ops.convert_to_tensor([[0.0, 1.0, -1.0], [3.0, 0.0, 0.0]])
    found = MultiClassHead(3, label_vocabulary=["a", "b", "c"]).predictions(logits)
    assert list(found) == ["logits", "probabilities", "class_ids", "classes"]
    assert found["class_ids"].numpy().tolist() == [1, 0]
    assert found["classes"].numpy().tolist() == [b"b", b"a"]
    binary = BinaryHead(label_vocabulary=["no", "yes"]).predictions(keras.ops.convert_to_tensor([[-1.0], [2.0]]))
    assert list(binary) == ["logits", "probabilities", "class_ids", "classes"]
    assert binary["classes"].numpy().tolist() == [b"no", b"yes"]


def test_a_head_of_ones_own_must_say_all_four_things() -> None:
    class Half(Head):
        @property
        def units(self) -> int:
            return 1

        def loss(self) -> Any:
            return None

    with pytest.raises(TypeError, match=r"metrics.*predictions"):
        Half()  # type: ignore[abstract]  # the mistake under test


def test_heads_of_one_declaration_are_equal() -> None:
    assert BinaryHead() == BinaryHead()
    assert RegressionHead() == RegressionHead()
    assert MultiClassHead(3) == MultiClassHead(3) != MultiClassHead(4)
    assert PoissonRegressionHead() == PoissonRegressionHead() != PoissonRegressionHead(3)


@pytest.mark.parametrize("head", [BinaryHead(), MultiClassHead(3), RegressionHead()])
def test_a_head_that_learns_nothing_from_the_labels_is_fitted_as_it_is(head: Head) -> None:
    assert head.fitted(labels_of(head), np.ones((400, 1))) is head


# Counts


def fitted(labels: list[Any], weights: list[float] | None = None, mean: float | None = None) -> PoissonRegressionHead:
    each = np.array(weights or [1] * len(labels), np.float32)
    return PoissonRegressionHead(mean).fitted(np.array(labels)[:, np.newaxis], each[:, np.newaxis])


def refused(labels: list[Any], weights: list[float] | None = None, mean: float | None = None) -> str:
    with pytest.raises(Refusal) as refusal:
        fitted(labels, weights, mean)
    return str(refusal.value)


def test_a_head_for_counts_learns_the_weighted_mean_of_the_labels() -> None:
    assert fitted([0, 3, 6]) == PoissonRegressionHead(3.0)
    assert fitted([0, 3, 6], [1, 1, 2]) == PoissonRegressionHead(3.75)
    assert fitted([0.0, 0.5]) == PoissonRegressionHead(0.25)
    assert fitted([40_000] * 100_000).mean == 40_000  # the sum is more than float32 counts to


def test_a_head_for_counts_keeps_the_mean_that_it_was_given_as_json_can_write_it() -> None:
    mean = fitted([1, 2, 3], mean=np.float32(7.0)).mean  # type: ignore[arg-type]  # a float to everyone else
    assert (mean, type(mean)) == (7.0, float)
    assert fitted([0, 0], mean=5) == PoissonRegressionHead(5)


def test_a_label_that_is_no_count_is_refused_with_the_smallest() -> None:
    assert refused([3, -1, 4, -2]) == (
        "PoissonRegressionHead: a label is a count or a rate of at least 0; of 4 training labels 2 are below 0 and 0 "
        "not finite, the smallest is -2; leave such rows out, or give RegressionHead()."
    )
    assert refused([3.5, np.nan, np.inf, 0.25], mean=2.0) == (
        "PoissonRegressionHead: a label is a count or a rate of at least 0; of 4 training labels 0 are below 0 and 2 "
        "not finite, the smallest is 0.25; leave such rows out, or give RegressionHead()."
    )
    assert "1 not finite, the smallest is nan;" in refused([np.nan])
    assert "1 not finite, the smallest is -inf;" in refused([2.0, -np.inf])


@pytest.mark.parametrize(
    ("labels", "weights"), [([0, 0, 0], [1, 2, 3]), ([0, 0, 5], [1, 1, 0]), ([1, 2, 3], [0, 0, 0])]
)
def test_labels_that_weigh_nothing_have_no_mean_to_start_from(labels: list[int], weights: list[float]) -> None:
    assert refused(labels, weights) == (
        "PoissonRegressionHead: the weighted mean of the 3 training labels is 0, and one above 0 is wanted; look for "
        "rows with a count and a weight above 0 in the data."
    )


@pytest.mark.parametrize("mean", [0, -1.5, np.inf, np.nan, "3", True])
def test_a_mean_that_is_not_above_0_is_refused(mean: Any) -> None:
    with pytest.raises(Refusal) as refusal:
        PoissonRegressionHead(mean)
    assert str(refusal.value) == (
        f"PoissonRegressionHead: mean is a finite number above 0, in the label's unit, not {mean!r}; None learns it "
        "from the training labels."
    )


def test_the_metrics_of_counts_are_weighted() -> None:
    head = PoissonRegressionHead(MEAN)
    labels, logits, weights = labels_of(head), logits_of(head), np.random.default_rng(3).uniform(0, 4, (400, 1))
    predictions = MEAN * np.exp(logits)
    expected = {
        "rmse": rmse(labels, predictions, weights),
        "rmse_over_mean": rmse(labels, predictions, weights) / np.average(labels, weights=weights),
        "rmsle": rmsle(labels, predictions, weights),
    }
    for metric in head.metrics():
        for part in range(0, 400, 100):
            of = slice(part, part + 100)
            metric.update_state(labels[of], logits[of], weights[of])
        assert float(metric.result()) == pytest.approx(expected[metric.name], rel=1e-5)
        metric.reset_state()
        assert all(float(variable) == 0 for variable in metric.variables)
        metric.update_state(labels[:, 0], logits, weights[:, 0])  # as they come where fit is given them so
        assert float(metric.result()) == pytest.approx(expected[metric.name], rel=1e-5)


def test_the_gradient_of_the_loss_of_counts_does_not_depend_on_their_unit() -> None:
    def gradients(unit: float) -> Any:
        labels = labels_of(PoissonRegressionHead()) * unit
        head = PoissonRegressionHead().fitted(labels, np.ones((400, 1)))
        logits = tf.constant(logits_of(head))
        with tf.GradientTape() as tape:
            tape.watch(logits)
            loss = head.loss()(labels, logits)
        return tape.gradient(loss, logits)

    np.testing.assert_allclose(gradients(1000.0), gradients(1.0), rtol=1e-4, atol=1e-8)


def test_a_logit_of_0_is_best_where_the_mean_is_all_that_is_known() -> None:
    labels = labels_of(PoissonRegressionHead())
    loss = PoissonRegressionHead().fitted(labels, np.ones((400, 1))).loss()
    losses = [float(loss(labels, np.full((400, 1), logit))) for logit in (-0.1, 0.0, 0.1)]
    assert losses[1] == pytest.approx(1.0)
    assert min(losses) == losses[1]


def test_the_loss_of_counts_takes_labels_without_an_axis_of_their_own() -> None:
    head = PoissonRegressionHead(MEAN)
    labels, logits = labels_of(head), logits_of(head)
    assert float(head.loss()(labels[:, 0], logits)) == pytest.approx(float(head.loss()(labels, logits)))


def test_a_logit_of_half_precision_answers_more_than_half_precision_holds() -> None:
    (counts,) = PoissonRegressionHead(1000.0).predictions(tf.constant([[12.0]], tf.float16)).values()
    np.testing.assert_allclose(counts, [[1000 * np.exp(12.0)]], rtol=1e-6)


def test_a_head_for_counts_that_has_seen_no_data_has_the_mean_1() -> None:
    problem = planted.problem(head=PoissonRegressionHead())
    assert models.build(problem).loss.mean == 1.0
    np.testing.assert_allclose(problem.head.predictions(np.zeros((2, 1), np.float32))["predictions"], [[1.0], [1.0]])


# Numbers with a mean and a scale


@pytest.mark.parametrize("weights", [None, np.arange(400.0) % 3])
def test_a_scaled_head_is_judged_in_the_unit_of_the_label(weights: Any) -> None:
    head = RegressionHead(mean=1000.0, scale=50.0)
    logits = logits_of(head)
    labels = 1000 + 50 * (logits + 0.3 * labels_of(head))
    predictions = head.predictions(keras.ops.convert_to_tensor(logits))["predictions"]
    np.testing.assert_allclose(predictions, 1000 + 50 * logits, rtol=1e-6)
    metrics = {metric.name: metric for metric in head.metrics()}
    for metric in metrics.values():
        metric.update_state(labels, logits, weights)
    guess = 1000 + 50 * logits[:, 0]
    assert float(metrics["rmse"].result()) == pytest.approx(rmse(labels[:, 0], guess, weights), rel=1e-4)
    assert float(metrics["r2"].result()) == pytest.approx(
        r2_score(labels[:, 0], guess, sample_weight=weights), rel=1e-4
    )
    loss = float(head.loss()(labels, logits, sample_weight=weights))
    each = ((labels - 1000) / 50 - logits)[:, 0] ** 2
    assert loss == pytest.approx((each * (1 if weights is None else weights)).mean(), rel=1e-4)


def test_labels_of_one_value_have_no_share_of_their_variance() -> None:
    metric = RegressionHead().metrics()[1]
    metric.update_state([[2.0], [2.0]], [[1.0], [3.0]])
    assert np.isnan(float(metric.result()))
    metric.reset_state()
    metric.update_state([[1.0], [3.0]], [[1.0], [3.0]])
    assert float(metric.result()) == 1.0


@pytest.mark.parametrize("log", [False, True])
def test_a_scaled_loss_and_its_metrics_are_saved_with_a_model(log: bool) -> None:
    head = RegressionHead(mean=7.0, scale=2.0, log=log, huber=1.5)
    assert head.loss().get_config()["huber"] == 1.5
    for each in (head.loss(), *head.metrics()):
        copy = type(each).from_config(each.get_config())
        assert copy.get_config() == each.get_config()
        assert (copy.mean, copy.scale, copy.log) == (7.0, 2.0, log)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"scale": 0.0}, "scale is a finite number above 0, in the label's unit, not 0.0."),
        ({"scale": -1}, "scale is a finite number above 0, in the label's unit, not -1."),
        ({"mean": float("nan")}, "mean is a finite number, in the label's unit, not nan."),
        ({"mean": "7"}, "mean is a finite number, in the label's unit, not '7'."),
        ({"huber": 0.0}, "huber is a finite number above 0, of times the scale, not 0.0."),
        ({"scale": 0, "log": True}, "scale is a finite number above 0, of the label's logarithm, not 0."),
    ],
)
def test_a_mean_or_a_scale_that_is_none_is_refused(given: Any, sentence: str) -> None:
    with pytest.raises(Refusal) as refusal:
        RegressionHead(**given)
    assert str(refusal.value) == f"RegressionHead: {sentence}"


# Numbers as logarithms


def logarithmic(labels: list[float], weights: list[float] | None = None, **given: Any) -> RegressionHead:
    each = np.array(weights or [1] * len(labels), np.float32)
    return RegressionHead(log=True, **given).fitted(np.array(labels, float)[:, np.newaxis], each[:, np.newaxis])


def test_a_head_of_logarithms_learns_their_weighted_mean_and_deviation() -> None:
    labels, weights = [1.0, np.e**2, np.e**5], [1.0, 1.0, 2.0]
    head = logarithmic(labels, weights)
    assert head.mean == pytest.approx(3.0)
    assert head.scale == pytest.approx(np.sqrt((9 + 1 + 2 * 4) / 4))
    assert logarithmic(labels, weights, mean=2.0).mean == 2.0
    assert logarithmic(labels, weights, scale=0.5) == RegressionHead(head.mean, 0.5, log=True)
    assert logarithmic([5.0, 5.0]).scale == 1.0  # labels of one value have no deviation
    assert logarithmic([5.0, 6.0], [0.0, 0.0]) == RegressionHead(0.0, 1.0, log=True)


@pytest.mark.parametrize("weights", [None, np.arange(400.0) % 3])
def test_a_head_of_logarithms_is_judged_by_them_and_by_the_median_in_the_unit_of_the_label(weights: Any) -> None:
    head = RegressionHead(mean=4.7, scale=0.7, log=True)
    logits = logits_of(head)
    logs = 4.7 + 0.7 * (logits + 0.3 * labels_of(head))
    labels, guess = np.exp(logs), np.exp(4.7 + 0.7 * logits)
    predictions = head.predictions(keras.ops.convert_to_tensor(logits))["predictions"]
    np.testing.assert_allclose(predictions, guess, rtol=1e-5)
    np.testing.assert_allclose(head.logits_of(guess), logits, atol=1e-5)
    metrics = {metric.name: metric for metric in head.metrics()}
    for metric in metrics.values():
        metric.update_state(labels, logits, weights)
    assert float(metrics["rmse"].result()) == pytest.approx(rmse(logs[:, 0], np.log(guess[:, 0]), weights), rel=1e-4)
    share = r2_score(logs[:, 0], np.log(guess[:, 0]), sample_weight=weights)
    assert float(metrics["r2"].result()) == pytest.approx(share, rel=1e-4)
    often = np.ones(400, int) if weights is None else weights.astype(int)
    median = np.median(np.repeat(np.abs(labels - guess)[:, 0], often))
    assert float(metrics["median_absolute_error"].result()) == pytest.approx(median, rel=1e-3)
    each = ((logs - 4.7) / 0.7 - logits)[:, 0] ** 2
    expected = (each * (1 if weights is None else weights)).mean()
    assert float(head.loss()(labels, logits, sample_weight=weights)) == pytest.approx(expected, rel=1e-4)


@given(
    st.lists(st.floats(0, 2.0**40, width=32), min_size=1, max_size=30),
    st.sampled_from([1e-9, 1.0, 1e6]),
    st.integers(1, 7),
)
def test_the_median_of_errors_of_any_size_is_found_over_any_batches(
    errors: list[float], unit: float, batch: int
) -> None:
    metric = RegressionHead().metrics()[2]
    each = np.array(errors, np.float32) * np.float32(unit)
    for start in range(0, len(each), batch):
        part = each[start : start + batch, np.newaxis]
        metric.update_state(np.zeros_like(part), part)
    assert float(metric.result()) == pytest.approx(float(np.median(each)), rel=1e-3, abs=1e-18)


def test_the_median_of_no_error_is_none() -> None:
    metric = RegressionHead().metrics()[2]
    assert float(metric.result()) == 0.0
    metric.update_state([[3.0], [4.0]], [[3.0], [4.0]])
    assert float(metric.result()) == 0.0
    metric.reset_state()
    metric.update_state([[3.0], [4.0]], [[5.0], [4.0]], [[1.0], [0.0]])
    assert float(metric.result()) == pytest.approx(2.0, rel=1e-3)


def test_a_logit_of_half_precision_is_a_price_of_more_than_half_precision_holds() -> None:
    head = RegressionHead(mean=10.0, scale=1.0, log=True)
    (found,) = head.predictions(tf.constant([[4.0]], tf.float16)).values()
    np.testing.assert_allclose(found, [[np.exp(14.0)]], rtol=1e-6)
    assert float(head.loss()(found, tf.constant([[3.0]], tf.float16))) == pytest.approx(1.0, rel=1e-3)


def test_an_error_of_many_scales_costs_linearly_and_is_judged_as_it_is() -> None:
    labels, logits = tf.constant([[10.0], [10.0], [10.0]]), tf.constant([[0.5], [1.5], [-4.0]])
    head = RegressionHead(10.0, 2.0, huber=1.5)
    assert float(head.loss()(labels, logits)) * 3 == pytest.approx(0.5**2 + 1.5**2 + 1.5 * (8 - 1.5))
    assert float(head.metrics()[0](labels, logits)) == pytest.approx(2 * np.sqrt((0.5**2 + 1.5**2 + 4**2) / 3))
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = RegressionHead(10.0, 2.0, huber=1.5).loss()(labels, logits)
    slopes = tape.gradient(loss, logits) * 3
    np.testing.assert_allclose(slopes, [[1.0], [3.0], [-3.0]], rtol=1e-6)  # continuous at 1.5
    wide = RegressionHead(huber=100.0).loss()(labels, logits)
    assert float(wide) == pytest.approx(float(RegressionHead().loss()(labels, logits)))


def test_a_label_without_a_logarithm_is_refused_with_the_smallest() -> None:
    with pytest.raises(Refusal) as refusal:
        logarithmic([3.0, 0.0, -2.0, np.nan])
    assert str(refusal.value) == (
        "RegressionHead: with log=True a label is above 0; of 4 training labels 2 are not and 1 are not finite, the "
        "smallest is -2; leave such rows out, or leave log=True out."
    )


def test_what_is_hidden_has_shares_between_none_and_all() -> None:
    given: list[Any] = [0.3, (0.1, 0.9), [0.5, 0.5]]
    assert [Hidden("movie", share).shares for share in given] == [(0.3, 0.3), (0.1, 0.9), (0.5, 0.5)]
    assert [head.hidden for head in HEADS] == [None] * len(HEADS)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Hidden("movie", 0), "Hidden: input_share is above 0 and below 1, not 0."),
        (lambda: Hidden("movie", (0.5, 1.0)), "Hidden: input_share is above 0 and below 1, not 1.0."),
        (lambda: Hidden("movie", 0.5, 1), "Hidden: held_out_input_share is above 0 and below 1, not 1."),
        (
            lambda: Hidden("movie", (0.9, 0.1)),
            "Hidden: input_share is a share, or a pair of the least and the greatest of them, not (0.9, 0.1).",
        ),
    ],
)
def test_what_hides_none_or_all_is_refused(make: Callable[[], Any], sentence: str) -> None:
    with pytest.raises(Refusal) as refusal:
        make()
    assert str(refusal.value) == sentence
