"""What a worker and a parameter server do: what the chief asks of them, until it has ended."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf

from trainer.cluster import CHIEF, SERVER, WORKER, Cluster
from trainer.errors import TrainingFailure
from trainer.terminal import quiet
from trainer.training.machines import meeting
from trainer.training.machines.peers import answers, wait_for

EVERY_SECONDS = 1.0
"""How often the chief is looked for."""

GONE_AFTER = 8
"""Looks in vain, one after the other, until it counts as gone."""


def serve(cluster: Cluster, job_dir: str, start_seconds: float = 600.0, verbose: bool = False) -> None:
    """Serves until the chief is done.

    Args:
        cluster: All processes, and which of them this is.
        job_dir: The folder of the run, in which the chief says how it has ended.
        start_seconds: How long the chief has until it is there.
        verbose: Whether to let TensorFlow's messages through.

    Raises:
        TrainingFailure: The address is taken, the chief does not come up, or it has ended before it was done.
    """
    place = meeting.Place(job_dir)
    with _ending_at_once():
        with quiet(verbose):
            server = _server(cluster)
        meeting.end_with(1)
        print(f"{cluster.task.name} serves {cluster.chief.name}", flush=True)
        wait_for([cluster.chief], start_seconds)
        _follow(cluster, place)
        print(f"{cluster.task.name}: {cluster.chief.name} is done", flush=True)
        del server
        meeting.end_with(0)  # it is asked before the other one


def _server(cluster: Cluster) -> Any:
    spec = tf.train.ClusterSpec({kind: list(cluster.addresses[kind]) for kind in (CHIEF, WORKER, SERVER)})
    try:
        return tf.distribute.Server(spec, job_name=cluster.kind, task_index=cluster.index, protocol="grpc", start=True)
    except tf.errors.OpError as error:
        why = " ".join(str(error).split())
        raise TrainingFailure(f"{cluster.task.name} cannot serve at its address ({why}); give it a free one.") from None


@contextmanager
def _ending_at_once() -> Iterator[None]:
    """Ends with 143 at a SIGTERM: a worker has nothing to lose, and what servers hold the chief saves."""

    def end(number: int, frame: Any) -> None:
        sys.stdout.flush()
        os._exit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _follow(cluster: Cluster, place: meeting.Place) -> None:
    """Returns when the chief says that it is done."""
    own, in_vain = "", 0
    while True:
        time.sleep(EVERY_SECONDS)
        id, ended = place.read()
        own = own or id
        if id == own and ended == meeting.DONE:
            return
        in_vain = 0 if answers(cluster.chief) else in_vain + 1
        if in_vain >= GONE_AFTER or (id and id != own) or ended is not None:
            why = "has been started again" if id != own else f"has ended ({ended})" if ended else "has gone"
            raise TrainingFailure(
                f"{cluster.chief.name} {why}, and {cluster.task.name} cannot go on without it; start all processes "
                "again with --resume, which goes on from the last checkpoint."
            )
