"""The trials in TensorBoard's HParams tab: what was tried, and what each training has shown."""

import tensorflow as tf
from tensorboard.plugins.hparams import api

from trainer import paths
from trainer.search import Range, Searched, of_dimension
from trainer.tuning.asked import Asked
from trainer.tuning.trials import Ran, Trial

FOLDER = "hparams"
"""Under the logs of a run, and of the tuning."""


def write_experiment(asked: Asked, folder: str) -> None:
    """Writes what is tried and which metric decides, for the folder of a tuning."""
    kinds = {name: _domain(searched) for name, searched in asked.search.items()}
    with tf.summary.create_file_writer(paths.join(folder, "logs", FOLDER)).as_default():
        api.hparams_config(
            hparams=[
                *(api.HParam(name, domain) for name, domain in kinds.items()),
                *(api.HParam(of_dimension(table)) for table in asked.curves),
            ],
            metrics=[api.Metric(asked.metric)],
        )


def write_session(asked: Asked, folder: str, trial: Trial, ran: Ran) -> None:
    """Writes a training as a session of its trial, which the tab groups by, with the metric that it has shown."""
    logs = paths.join(folder, ran.run, "logs", FOLDER)
    if paths.is_folder(logs):
        paths.remove_folder(logs)
    with tf.summary.create_file_writer(logs).as_default():
        api.hparams({**trial.values}, trial_id=f"trial {trial.number}")
        if ran.value is not None:
            tf.summary.scalar(asked.metric, ran.value, step=0)


def _domain(searched: Searched) -> api.Domain:
    if not isinstance(searched, Range):
        return api.Discrete([*searched])
    if searched.is_whole:
        return api.IntInterval(int(searched.low), int(searched.high))
    return api.RealInterval(float(searched.low), float(searched.high))
