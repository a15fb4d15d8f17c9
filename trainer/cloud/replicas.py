"""The processes of a job: in which pools Vertex AI starts them, and what each finds in its environment."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from trainer.cluster import CHIEF, SERVER, VARIABLE, WORKER

SPECIFICATION = "CLUSTER_SPEC"
"""The variable in which Vertex AI names all replicas by their pools."""

KINDS = (CHIEF, WORKER, SERVER)
"""What the replicas of each pool do, in Vertex AI's order of pools."""


@dataclass(frozen=True)
class Replica:
    """One process of a job.

    Args:
        pool: The place of its pool among `KINDS`.
        index: Its place in the pool.
    """

    pool: int
    index: int

    @property
    def kind(self) -> str:
        """What it does: "chief", "worker" or "ps"."""
        return KINDS[self.pool]

    @property
    def name(self) -> str:
        """How Vertex AI calls it.

        Example:
            >>> Replica(1, 0).name
            'workerpool1-0'
        """
        return f"workerpool{self.pool}-{self.index}"

    @property
    def title(self) -> str:
        """How a person is told of it.

        Example:
            >>> Replica(0, 0).title, Replica(2, 1).title
            ('chief', 'ps 1')
        """
        return self.kind if self.kind == CHIEF else f"{self.kind} {self.index}"


@dataclass(frozen=True)
class Replicas:
    """How many processes train a model.

    Args:
        workers: Those that take steps. Without parameter servers the chief is one of them.
        parameter_servers: Those that hold the tables.

    Example:
        >>> Replicas(3).counts, Replicas(3, 2).counts
        ((1, 2, 0), (1, 3, 2))
    """

    workers: int = 1
    parameter_servers: int = 0

    @property
    def counts(self) -> tuple[int, int, int]:
        """The replicas in the pools of the chief, of the other workers, and of the parameter servers."""
        return (1, self.workers - (0 if self.parameter_servers else 1), self.parameter_servers)

    @property
    def is_one(self) -> bool:
        """Whether there is the chief alone."""
        return sum(self.counts) == 1

    def __iter__(self) -> Iterator[Replica]:
        """Yields the replicas, the chief first."""
        return (Replica(pool, index) for pool, count in enumerate(self.counts) for index in range(count))

    def variables(
        self, replica: Replica, addresses: Mapping[Replica, str], job: str, trial: str | None = None
    ) -> dict[str, str]:
        """Returns what Vertex AI tells a replica of the others: `CLUSTER_SPEC`, and `TF_CONFIG` where there are any.

        Args:
            replica: The one that is told.
            addresses: "host:port" of each.
            job: The job's id.
            trial: The number of the trial, where the job is one of a hyperparameter tuning job.
        """
        of_trial = {} if trial is None else {"trial": trial}
        pools = {f"workerpool{pool}": _of(pool, addresses) for pool, count in enumerate(self.counts) if count}
        told = {"environment": "cloud", "job": job}
        task = {"type": f"workerpool{replica.pool}", "index": replica.index, **of_trial}
        given = {SPECIFICATION: json.dumps({"cluster": pools, "task": task, **told})}
        if not self.is_one:
            cluster = {KINDS[pool]: _of(pool, addresses) for pool, count in enumerate(self.counts) if count}
            task = {"type": replica.kind, "index": replica.index, **of_trial}
            given[VARIABLE] = json.dumps({"cluster": cluster, "task": task, **told})
        return given


def _of(pool: int, addresses: Mapping[Replica, str]) -> Sequence[str]:
    return [address for replica, address in addresses.items() if replica.pool == pool]
