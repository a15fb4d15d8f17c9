"""What `TF_CONFIG` says of a process, as clouds write it."""

import json

import pytest

from trainer import cluster
from trainer.cluster import Cluster, Task
from trainer.errors import Refusal


def of(addresses: dict[str, list[str]], kind: str = "worker", index: int | str = 0) -> Cluster:
    config = {"cluster": addresses, "task": {"type": kind, "index": index}}
    return cluster.from_environment({"TF_CONFIG": json.dumps(config)})


def test_without_the_variable_a_process_is_alone() -> None:
    assert cluster.from_environment({}) == Cluster()
    assert Cluster().is_chief
    assert not Cluster().is_several


def test_a_cluster_of_one_is_alone_though_it_has_an_address() -> None:
    found = of({"worker": ["a:1"]})
    assert found.is_chief
    assert not found.is_several


def test_the_first_worker_writes_the_run_where_there_is_no_chief() -> None:
    found = [of({"worker": ["a:1", "b:1"]}, index=index) for index in range(2)]
    assert [each.is_chief for each in found] == [True, False]
    assert [each.rank for each in found] == [0, 1]
    assert found[1].chief == Task("worker", 0, "a:1")


def test_a_chief_trains_in_step_with_the_workers_and_comes_before_them() -> None:
    addresses = {"worker": ["b:1", "c:1"], "chief": ["a:1"]}
    found = of(addresses, "worker", 1)
    assert found.rank == 2
    assert [task.name for task in found.others] == ["chief (a:1)", "worker 0 (b:1)"]
    assert of(addresses, "master").is_chief  # its name in TensorFlow 1, which a cloud may still give


def test_beside_parameter_servers_the_chief_alone_has_the_loop() -> None:
    addresses = {"chief": ["a:1"], "worker": ["b:1", "c:1"], "ps": ["d:1"]}
    assert of(addresses, "chief").replicas == [Task("chief", 0, "a:1")]
    assert [of(addresses, kind).serves for kind in ("chief", "worker", "ps")] == [False, True, True]


def test_an_evaluator_stands_beside_the_cluster() -> None:
    found = of({"worker": ["a:1", "b:1"]}, "evaluator")
    assert (found.kind, found.is_chief, found.serves) == ("evaluator", False, False)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "TF_CONFIG: it is no JSON ("),
        ("[]", "TF_CONFIG: {"),
        ('{"cluster": {"boss": ["a:1"]}}', "has 'boss'; chief, worker, ps, evaluator are known."),
        ('{"cluster": {"worker": "a:1"}}', "a list of \"host:port\" is wanted of 'worker', not 'a:1'."),
        ('{"cluster": {"worker": ["a"]}}', "a list of \"host:port\" is wanted of 'worker', not ['a']."),
        ('{"cluster": {"worker": ["a:1", "a:1"]}}', "a:1 is the address of two processes; give each its own."),
        ('{"cluster": {"worker": ["a:1"]}}', "the task is of type None; one of worker is wanted."),
        (
            '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}',
            "the task is worker 1, and the cluster has 1 of them.",
        ),
        (
            '{"cluster": {"chief": ["a:1", "b:1"]}, "task": {"type": "chief", "index": 0}}',
            "the cluster has 2 chiefs; one is wanted, the others are workers.",
        ),
        (
            '{"cluster": {"chief": ["a:1"], "ps": ["b:1"]}, "task": {"type": "ps", "index": 0}}',
            "which take them; the cluster has 1 and 0.",
        ),
    ],
)
def test_what_cannot_be_run_is_refused_in_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(Refusal) as refused:
        cluster.from_environment({"TF_CONFIG": text})
    assert sentence in str(refused.value)


def test_an_index_may_be_a_text_as_some_operators_write_it() -> None:
    assert of({"worker": ["a:1", "b:1"]}, index="1").index == 1
