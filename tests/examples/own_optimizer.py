"""An optimizer of one's own: row-sparse Adagrad with a rate that warms up, for `--optimizer own_optimizer.py:warm`."""

import keras

from trainer import optimizers


def warm(learning_rate: float = 0.3) -> keras.optimizers.Optimizer:
    """Returns the optimizer; the job calls it with `--learning-rate` where that is given."""
    rate = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.01, decay_steps=2000, warmup_target=learning_rate, warmup_steps=20
    )
    return optimizers.Adagrad(rate)
