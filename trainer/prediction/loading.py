"""A run as it was trained: its problem, with what was learned from the data, and its model, with its weights."""

from typing import Any

import keras
import tensorflow as tf

from trainer import declared, models, paths, tables
from trainer import problem as problems
from trainer import run as runs
from trainer import settings as flags
from trainer.errors import Refusal, refusing
from trainer.export import TRAINED
from trainer.feature_column.starting import without_sources
from trainer.prediction.trained import Trained
from trainer.run import Run

_START = f"{TRAINED}/"


def load(path: str) -> Trained:
    """Returns the model of a finished run, ready to answer.

    The problem is made anew from the file or the name that the run was started with, filled in with what the run has
    learned from the data, and held against what the run says of it.

    Args:
        path: The run's folder.

    Raises:
        Refusal: There is no finished run, or its problem is not there any more or is another one now.
    """
    run = runs.opened(path)
    if not paths.exists(paths.join(run.export, "saved_model.pb")):
        raise Refusal(
            f"{path}: the run has not finished, so it has no model yet; python -m trainer.task --resume --job-dir "
            f"{path} goes on with it."
        )
    stored, content = run.read_json("settings.json"), run.read_json("problem.json")
    settings = flags.from_dict(stored["settings"])
    with refusing(path):
        problem = problems.load(settings.problem, settings.problem_arguments).resized(settings)
        problem = declared.restored(problem, content, stored["trained_with"])
        with without_sources():  # whatever its tables have started from, they are read from the run
            model = models.assembled(problem)
        _restore(model, run)
        if isinstance(model, models.Retrieval):
            model.titles = tables.given_titles(tables.read(run.tables, model.column.table))
    return Trained(run, settings, problem, model)


def _restore(model: keras.Model, run: Run) -> None:
    """Sets all variables of a model as a run's exported model has them."""
    prefix = paths.join(run.export, "variables", "variables")
    variables: dict[str, Any] = {f"{place:04d}": variable.value for place, variable in enumerate(model.variables)}
    try:
        reader = tf.train.load_checkpoint(prefix)
        tensors = {name.split("/")[1]: name for name in reader.get_variable_to_shape_map() if name.startswith(_START)}
        held = {name.partition("_")[0] for name in tensors}
        if held == variables.keys():
            for name, tensor in tensors.items():
                place, _, first = name.partition("_")
                _set(variables[place], reader.get_tensor(tensor), int(first or 0), not first)
    except (ValueError, tf.errors.OpError):
        held = set()
    if held != variables.keys():
        raise Refusal(
            "the exported model has other variables than the problem makes now; give back the problem's file as it "
            "was, or train anew."
        )


def _set(variable: Any, values: Any, first: int, whole: bool) -> None:
    if whole:
        variable.assign(values)
        return
    # A table that lay on several parameter servers is in its parts.
    variable.scatter_update(tf.IndexedSlices(values, tf.range(first, first + len(values))))
