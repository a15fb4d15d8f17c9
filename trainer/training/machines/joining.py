"""How the processes that `TF_CONFIG` names find one another, and what is said where they lose one another."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf

from trainer.cluster import CHIEF, WORKER, Cluster
from trainer.errors import Refusal
from trainer.terminal import quiet
from trainer.training.machines import losing, peers, servers
from trainer.training.machines.devices import on_devices
from trainer.training.machines.peers import Watch
from trainer.training.machines.replicas import Workers, among


@contextmanager
def joined(
    cluster: Cluster,
    job_dir: str,
    start_seconds: float = 600.0,
    peer_seconds: float = 1800.0,
    verbose: bool = False,
) -> Iterator[None]:
    """Makes this process one of those of a job while the block runs; alone, it waits for none.

    Args:
        cluster: The processes, and which of them this is.
        job_dir: The folder of the run, which parameter servers write to as well.
        start_seconds: How long the others have until they are there.
        peer_seconds: How long another one may keep this one waiting in a message.
        verbose: Whether to let TensorFlow's messages through.

    Raises:
        Refusal: TensorFlow was used before, so that this process can join no others.
        TrainingFailure: Another one has gone, or did not answer in time.
    """
    if cluster.has_servers:
        with servers.joined(cluster, job_dir, start_seconds, verbose):
            yield
    elif cluster.is_several:
        with _in_step(cluster, start_seconds, peer_seconds, verbose):
            yield
    elif len(tf.config.list_logical_devices("GPU")) > 1:
        with on_devices(tf.distribute.MirroredStrategy()):
            yield
    else:
        yield


@contextmanager
def _in_step(cluster: Cluster, start_seconds: float, peer_seconds: float, verbose: bool) -> Iterator[None]:
    others = [task for task in cluster.replicas if task != cluster.task]
    print(f"{cluster.task.name}, in step with {len(others)} more", flush=True)
    with peers.listening(cluster.task):
        peers.wait_for(others, start_seconds)
    with quiet(verbose), _own_signals():
        strategy = _strategy(cluster)
    advice = f"the others cannot go on without it; {peers.ADVICE}"
    with (
        Watch(others, advice, seconds=peer_seconds) as watch,
        losing.named(watch),
        among(Workers(cluster, _device(strategy), watch)),
    ):
        yield


@contextmanager
def _own_signals() -> Iterator[None]:
    """Undoes that TensorFlow takes SIGTERM for itself, and does nothing with it."""
    yield
    if threading.current_thread() is threading.main_thread():
        handler = signal.getsignal(signal.SIGTERM)
        signal.signal(signal.SIGTERM, signal.SIG_DFL if handler is None else handler)


def _device(strategy: Any) -> str:
    return str(strategy.extended.worker_devices[0])


def _strategy(cluster: Cluster) -> Any:
    kinds = [kind for kind in (CHIEF, WORKER) if cluster.addresses.get(kind)]
    spec = tf.train.ClusterSpec({kind: list(cluster.addresses[kind]) for kind in kinds})
    resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
        spec, task_type=cluster.kind, task_id=cluster.index, rpc_layer="grpc"
    )
    try:
        return tf.distribute.MultiWorkerMirroredStrategy(resolver)
    except RuntimeError as error:
        if "program startup" not in str(error):
            raise
        raise Refusal(
            "TF_CONFIG: a tensor was made before this process joined the others, which TensorFlow does not allow; in a "
            "file of your own, make tensors inside functions."
        ) from None
