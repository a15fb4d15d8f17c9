"""Variables of which each device of this process has a copy, as under a `tf.distribute.MirroredStrategy`."""

from typing import Any

import tensorflow as tf


def here(variable: Any) -> Any:
    """Returns the copy of a TensorFlow variable that lies on the device which is being worked for.

    `tf.gather` of a variable that has copies reads all of it, since such a variable has no way to read some rows.
    """
    return variable._get() if isinstance(variable, tf.distribute.DistributedValues) else variable


def is_copied(variable: Any) -> bool:
    """Tells whether each of several devices has a copy of a variable of TensorFlow's."""
    return isinstance(variable, tf.distribute.DistributedValues)
