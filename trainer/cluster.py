"""Which of several processes this one is, as `TF_CONFIG` says it; no TensorFlow at import."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from trainer.errors import Refusal

VARIABLE = "TF_CONFIG"
CHIEF, WORKER, SERVER, EVALUATOR = "chief", "worker", "ps", "evaluator"
KINDS = (CHIEF, WORKER, SERVER, EVALUATOR)
_OLD = {"master": CHIEF}
"""What TensorFlow 1 called a kind."""

_FORM = (
    '{"cluster": {"chief": ["host:port"], "worker": ["host:port", …]}, "task": {"type": "worker", "index": 0}}, with '
    '"ps" where there are parameter servers,'
)


@dataclass(frozen=True)
class Task:
    """One process of a cluster.

    Args:
        kind: "chief", "worker", "ps" or "evaluator".
        index: Its place among those of its kind.
        address: "host:port".
    """

    kind: str
    index: int
    address: str

    @property
    def name(self) -> str:
        """How a person calls it.

        Example:
            >>> Task("worker", 1, "10.0.0.2:2222").name, Task("ps", 0, "10.0.0.3:2222").name
            ('worker 1 (10.0.0.2:2222)', 'parameter server 0 (10.0.0.3:2222)')
        """
        kind = "parameter server" if self.kind == SERVER else self.kind
        return f"{kind}{'' if self.kind == CHIEF else f' {self.index}'} ({self.address})"


@dataclass(frozen=True)
class Cluster:
    """The processes of a job, and which of them this is.

    Without parameter servers all of chief and workers train, in step; with them the chief hands out the steps, the
    workers take them, and the parameter servers hold the tables.

    Args:
        addresses: "host:port" of each process, by kind.
        kind: Of this process.
        index: Its place among those of its kind.
    """

    addresses: Mapping[str, Sequence[str]] = field(default_factory=dict)
    kind: str = CHIEF
    index: int = 0

    @property
    def task(self) -> Task:
        """This process."""
        addresses = self.addresses.get(self.kind, ())
        return Task(self.kind, self.index, addresses[self.index] if self.index < len(addresses) else "")

    @property
    def tasks(self) -> list[Task]:
        """All processes but evaluators: the chief, the workers, the parameter servers."""
        kinds = (CHIEF, WORKER, SERVER)
        return [Task(kind, n, address) for kind in kinds for n, address in enumerate(self.addresses.get(kind, ()))]

    @property
    def has_servers(self) -> bool:
        """Whether there are parameter servers, so that the workers are not in step."""
        return bool(self.addresses.get(SERVER))

    @property
    def replicas(self) -> list[Task]:
        """Those that train in step: the chief and the workers; with parameter servers the chief alone has the loop."""
        return [task for task in self.tasks if task.kind in ((CHIEF,) if self.has_servers else (CHIEF, WORKER))]

    @property
    def is_several(self) -> bool:
        """Whether there is any other process to train with."""
        return len(self.tasks) > 1

    @property
    def is_chief(self) -> bool:
        """Whether this process is the one that writes the run: the chief or, where none is named, worker 0."""
        chief = CHIEF if self.addresses.get(CHIEF) or not self.addresses else WORKER
        return (self.kind, self.index) == (chief, 0)

    @property
    def chief(self) -> Task:
        """The process that writes the run."""
        return self.replicas[0] if self.replicas else self.task

    @property
    def serves(self) -> bool:
        """Whether this process only does what the chief asks of it: a parameter server, or a worker beside them."""
        return self.kind == SERVER or (self.has_servers and self.kind == WORKER)

    @property
    def rank(self) -> int:
        """The place of this process among those that train in step."""
        return self.replicas.index(self.task) if self.task in self.replicas else 0

    @property
    def others(self) -> list[Task]:
        """All processes but this one."""
        return [task for task in self.tasks if task != self.task]


def from_environment(environment: Mapping[str, str] | None = None) -> Cluster:
    """Returns the cluster that `TF_CONFIG` describes; without it, this process alone.

    Args:
        environment: Where it is looked up; None is that of this process.

    Raises:
        Refusal: It cannot be read, or says nothing that can be run.

    Example:
        >>> text = '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 1}}'
        >>> found = from_environment({"TF_CONFIG": text})
        >>> found.is_several, found.is_chief, found.rank, found.chief.name
        (True, False, 1, 'worker 0 (a:1)')
    """
    text = (os.environ if environment is None else environment).get(VARIABLE, "").strip()
    if not text:
        return Cluster()
    try:
        told = json.loads(text)
    except ValueError as error:
        raise Refusal(f"{VARIABLE}: it is no JSON ({error}); {_FORM} is wanted.") from None
    if not isinstance(told, dict) or not isinstance(told.get("cluster", {}), dict):
        raise Refusal(f"{VARIABLE}: {_FORM} is wanted, not {text}.")
    addresses = _addresses(told.get("cluster", {}))
    if not addresses:  # of one machine, a cloud may say the task alone
        return Cluster()
    kind, index = _task(told.get("task"), addresses)
    made = Cluster(addresses, kind, index)
    _check(made)
    return made


def _addresses(told: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for name, given in told.items():
        kind = _OLD.get(name, name)
        if kind not in KINDS:
            raise Refusal(f"{VARIABLE}: the cluster has '{name}'; {', '.join(KINDS)} are known.")
        if not isinstance(given, list) or not all(isinstance(each, str) and ":" in each for each in given):
            raise Refusal(f"{VARIABLE}: a list of \"host:port\" is wanted of '{name}', not {given!r}.")
        if given:
            found[kind] = (*found.get(kind, ()), *given)
    every = [address for given in found.values() for address in given]
    twice = next((address for address in every if every.count(address) > 1), None)
    if twice is not None:
        raise Refusal(f"{VARIABLE}: {twice} is the address of two processes; give each its own.")
    return found


def _task(told: Any, addresses: Mapping[str, Sequence[str]]) -> tuple[str, int]:
    told = told if isinstance(told, dict) else {}
    kind, index = _OLD.get(told.get("type", ""), told.get("type")), told.get("index", 0)
    if kind not in KINDS:
        raise Refusal(f"{VARIABLE}: the task is of type {kind!r}; one of {', '.join(addresses)} is wanted.")
    index = int(index) if isinstance(index, str) and index.isdecimal() else index
    count = len(addresses.get(kind, ()))
    if kind == EVALUATOR and not count:  # an evaluator stands beside the cluster
        return kind, 0
    if not isinstance(index, int) or not 0 <= index < count:
        raise Refusal(f"{VARIABLE}: the task is {kind} {index!r}, and the cluster has {count} of them.")
    return kind, index


def _check(made: Cluster) -> None:
    chiefs = len(made.addresses.get(CHIEF, ()))
    if chiefs > 1:
        raise Refusal(f"{VARIABLE}: the cluster has {chiefs} chiefs; one is wanted, the others are workers.")
    if made.has_servers and not (chiefs and made.addresses.get(WORKER)):
        raise Refusal(
            f"{VARIABLE}: parameter servers want one chief, which hands out the steps, and workers, which take them; "
            f"the cluster has {chiefs} and {len(made.addresses.get(WORKER, ()))}."
        )
