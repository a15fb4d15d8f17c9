"""Which metrics heads have, and which way is better."""

import subprocess
import sys
from typing import Any

import keras
import pytest

from tests.test_heads import HEADS, IDS
from trainer.errors import Refusal
from trainer.heads import BinaryHead, Head, MultiClassHead, PoissonRegressionHead, RegressionHead, goals

WAYS = {
    "auc": (BinaryHead(), True),
    "accuracy": (MultiClassHead(3), True),
    "rmse": (RegressionHead(), False),
    "r2": (RegressionHead(), True),
    "median_absolute_error": (RegressionHead(), False),
    "rmse_over_mean": (PoissonRegressionHead(2.0), False),
    "rmsle": (PoissonRegressionHead(2.0), False),
    "loss": (BinaryHead(), False),
}


class MarginHead(BinaryHead):
    """Another metric than that of the head it is made from, which does not say which way is better."""

    def metrics(self) -> list[Any]:
        return [keras.metrics.Mean(name="margin")]


class DeclaredHead(MarginHead):
    """The same, and it says so."""

    goals = {"margin": "min"}


@pytest.mark.parametrize("head", HEADS, ids=IDS)
def test_what_heads_declare_of_their_metrics_is_what_the_metrics_say(head: Head) -> None:
    said = {metric.name: {"up": "max", "down": "min"}[metric._direction] for metric in head.metrics()}
    assert isinstance(head.goals, dict)
    assert [*head.goals.items()] == [*said.items()]


@pytest.mark.parametrize("name", WAYS)
def test_a_metric_of_a_head_says_which_way_is_better(name: str) -> None:
    head, is_up = WAYS[name]
    assert goals.goal("--metric", name, head) == (name, is_up)


def test_the_first_metric_of_a_head_is_meant_where_none_is_named() -> None:
    found = [goals.goal("--metric", None, head) for head in HEADS]
    assert found == [("auc", True), ("accuracy", True), ("rmse", False), ("rmse", False)]


def test_a_head_of_ones_own_is_asked_for_its_metrics_or_declares_them() -> None:
    assert goals.known(MarginHead()) == {"loss": False, "margin": None}
    assert goals.goal("--metric", "margin:max", MarginHead()) == ("margin", True)
    assert goals.goal("--metric", None, DeclaredHead()) == ("margin", False)


def test_a_head_without_metrics_has_its_loss() -> None:
    class Bare(MarginHead):
        def metrics(self) -> list[Any]:
            return []

    assert goals.goal("--metric", None, Bare()) == ("loss", False)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("margn", "--metric: there is no validation metric 'margn'; did you mean 'margin'?"),
        ("seconds", "--metric: there is no validation metric 'seconds'; there are loss, margin."),
        (
            "margin",
            "--metric: metric 'margin' does not say whether more of it is better; give margin:max or margin:min.",
        ),
        (
            None,
            "--metric: metric 'margin' does not say whether more of it is better; give margin:max or margin:min.",
        ),
        ("margin:up", "--metric: margin:max or margin:min is wanted, not 'margin:up'."),
    ],
)
def test_what_cannot_be_gone_by_is_refused(text: str | None, sentence: str) -> None:
    with pytest.raises(Refusal) as refusal:
        goals.goal("--metric", text, MarginHead())
    assert str(refusal.value) == sentence


def test_the_goals_of_heads_do_without_keras() -> None:
    script = (
        "import sys\n"
        "from trainer import problem\n"
        "from trainer.heads import goals\n"
        "print([goals.goal('--metric', None, problem.load(name).head) for name in problem.names()])\n"
        "print(sorted({'keras', 'tensorflow', 'numpy'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    goals_of_all = (
        "[('rmse', False), ('accuracy', True), ('auc', True), ('loss', False), ('rmse', False), ('recall@20', True), "
        "('loss', False)]"
    )
    assert done.stdout == f"{goals_of_all}\n[]\n"
