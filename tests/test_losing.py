"""What is said of an error of TensorFlow's that may mean that another machine is lost."""

import pytest
import tensorflow as tf

from trainer.errors import TrainingFailure
from trainer.training.machines import losing, servers
from trainer.training.machines.peers import Watch


def raised(error: Exception, lost: losing.Errors = losing.LOST, perhaps: losing.Errors = ()) -> BaseException:
    """What comes out of a block in which an error is raised, where no machine has gone."""
    watch = Watch([], "")
    watch.stop()  # it has looked for long enough
    with pytest.raises(Exception, match="why") as found, losing.named(watch, lost, perhaps):
        raise error
    return found.value


@pytest.mark.parametrize("kind", losing.LOST)
def test_machines_that_are_all_there_have_lost_touch(kind: type[tf.errors.OpError]) -> None:
    error = raised(kind(None, None, "why\nand where"))
    assert isinstance(error, TrainingFailure)
    assert str(error) == (
        "the processes of TF_CONFIG lost touch with one another (why); start all processes again with --resume, which "
        "goes on from the last checkpoint."
    )


def test_what_means_something_else_as_well_stays_what_it_is() -> None:
    for kind in servers._PERHAPS:
        error = kind(None, None, "why")
        assert raised(error, servers._LOST, servers._PERHAPS) is error
    missing = raised(tf.errors.NotFoundError(None, None, "why"), servers._LOST, servers._PERHAPS)
    assert isinstance(missing, TrainingFailure)


def test_another_error_is_none_of_its_business() -> None:
    error = ValueError("why")
    assert raised(error) is error
