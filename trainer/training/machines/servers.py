"""The chief's side of parameter servers: it finds them, sees to it that they share a folder, and hands out work."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from trainer import paths
from trainer.cluster import CHIEF, SERVER, WORKER, Cluster, Task
from trainer.errors import Refusal, Terminated, TrainingFailure
from trainer.layers.placement import Placement, on_servers
from trainer.terminal import quiet
from trainer.training.machines import losing, meeting, peers
from trainer.training.machines.attendance import Attendance
from trainer.training.machines.peers import Watch

_LOST = (*losing.LOST, tf.errors.NotFoundError)
_PERHAPS = (tf.errors.InternalError, tf.errors.InvalidArgumentError, tf.errors.UnknownError)
"""What is raised where a server is lost, and where something else is wrong as well."""

_CODES = {Refusal: 2, KeyboardInterrupt: 130, Terminated: 143}
"""The exit codes of errors, as of any job; that of all others is 1."""


@dataclass(frozen=True)
class Servers:
    """Parameter servers and workers that wait for the chief.

    Args:
        cluster: All processes.
        coordinator: Hands out work to the workers.
    """

    cluster: Cluster
    coordinator: Any

    @property
    def devices(self) -> list[str]:
        """Where the parameter servers keep variables."""
        return [f"/job:{SERVER}/task:{task.index}/device:CPU:0" for task in self.tasks]

    @property
    def tasks(self) -> list[Task]:
        """The parameter servers."""
        return [task for task in self.cluster.tasks if task.kind == SERVER]


_servers: ContextVar[Servers | None] = ContextVar("servers", default=None)


def current() -> Servers | None:
    """Returns the servers that this process trains on; None where it trains by itself."""
    return _servers.get()


@contextmanager
def joined(cluster: Cluster, job_dir: str, start_seconds: float = 600.0, verbose: bool = False) -> Iterator[None]:
    """Makes the chief train on its parameter servers while the block runs; without any it trains by itself.

    Args:
        cluster: All processes.
        job_dir: The folder of the run, which the servers write to as well.
        start_seconds: How long the others have until they are there.
        verbose: Whether to let TensorFlow's messages through.

    Raises:
        Refusal: A server does not see the folder of the run.
        TrainingFailure: A process does not come up, or a server is lost.
    """
    if not cluster.has_servers:
        yield
        return
    place = meeting.Place(job_dir)
    place.open(uuid.uuid4().hex)
    with _told(place):
        peers.wait_for(cluster.others, start_seconds)
        tasks = [task for task in cluster.others if task.kind == SERVER]
        advice = f"the rows that it held are lost; {peers.ADVICE}"
        with Watch(tasks, advice) as watch, losing.named(watch, _LOST, _PERHAPS):
            if not verbose:
                tf.get_logger().setLevel("CRITICAL")  # it prints whole batches where a step fails
            with quiet(verbose):
                servers = Servers(cluster, _coordinator(cluster))
            _check_folder(servers, place)
            token = _servers.set(servers)
            workers = [task for task in cluster.tasks if task.kind == WORKER]
            try:
                with on_servers(Placement(servers.devices)), Attendance(workers):
                    yield
            finally:
                _servers.reset(token)


@contextmanager
def _told(place: meeting.Place) -> Iterator[None]:
    """Tells the others how this process ends, and sees to it that it does."""
    try:
        yield
    except BaseException as error:
        place.close(str(error) if isinstance(error, (Refusal, TrainingFailure)) else type(error).__name__)
        meeting.end_with(next((code for kind, code in _CODES.items() if isinstance(error, kind)), 1))
        raise
    place.close(meeting.DONE)
    meeting.end_with(0)


def _coordinator(cluster: Cluster) -> Any:
    spec = tf.train.ClusterSpec({kind: list(cluster.addresses[kind]) for kind in (CHIEF, WORKER, SERVER)})
    resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(spec, task_type=CHIEF, task_id=0, rpc_layer="grpc")
    return tf.distribute.coordinator.ClusterCoordinator(tf.distribute.ParameterServerStrategy(resolver))


def _check_folder(servers: Servers, place: meeting.Place) -> None:
    """Refuses servers that do not see the folder of the run, which they read and write themselves."""
    for task, device in zip(servers.tasks, servers.devices, strict=True):
        own = paths.join(place.folder, f"{task.kind}-{task.index}")
        try:
            with tf.device(device):
                seen = bytes(tf.io.read_file(place.file).numpy()).decode()
                tf.io.write_file(own, tf.constant(place.id))
            fits = place.id in seen and paths.exists(own) and paths.read_text(own) == place.id
        except tf.errors.OpError:
            fits = False
        if not fits:
            raise Refusal(
                f"--job-dir: {task.name} does not see {os.path.dirname(place.folder)} as the chief does; parameter "
                "servers write their rows there themselves: give a folder that all machines share, as gs://… or NFS."
            )
