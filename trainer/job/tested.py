"""What the test examples of a job show of its model: its confusions, and what its last hidden layer makes of them."""

from typing import Any

import numpy as np
import tensorflow as tf

from trainer import models
from trainer.errors import Refusal
from trainer.heads import BinaryHead, Head, MultiClassHead
from trainer.inputs import split
from trainer.inputs.cache import chosen
from trainer.inputs.examples import Source
from trainer.job.work import Work
from trainer.prediction.confusion import Confusion, class_names, classes_of, confusion
from trainer.problem import Problem
from trainer.tables import Table
from trainer.tables.table import Array
from trainer.training.evaluating import answers

EXAMPLES = "examples"
"""The name under which the projector shows test examples."""

CONFUSION = "confusion.json"
"""The run's file of which classes are taken for which."""

RIGHT, WRONG = "right", "wrong"
_SEED = 0
"""Of which examples are shown, where there are more."""


def confusion_of(work: Work) -> Confusion | None:
    """Returns which classes a job's model takes for which, of the test rows; None where there are no classes.

    Args:
        work: After the training, with its test examples.
    """
    head, test = work.plan.problem.head, work.test
    if test is None or not isinstance(head, MultiClassHead):
        return None
    found = answers(
        test, work.halves.logits, lambda logits: {"class": classes_of(head, logits)}, work.plan.settings.eval_batch_size
    )
    return confusion(head, test.labels[:, 0], found["class"])


def examples_of(work: Work) -> Table | None:
    """Returns test examples as rows of what the last hidden layer makes of them; None where none are to be shown.

    Each has its label, and where the head answers with a class or a number, that; and its picture, where the problem
    makes some. Of more examples than are shown, those are drawn that a seed draws.

    Args:
        work: After the training, with its test examples.

    Raises:
        Refusal: The problem's function of pictures makes something else.
    """
    problem, test = work.plan.problem, work.test
    hidden = None if test is None or not problem.projector_examples else models.last_hidden(work.model)
    if test is None or hidden is None:
        return None
    places = _drawn(len(test), problem.projector_examples)
    shown, size = chosen(test, places), work.plan.settings.eval_batch_size
    rows = answers(shown, models.halves(hidden).logits, lambda values: {"values": values}, size)["values"]
    logits = answers(shown, work.halves.logits, lambda values: {"logits": values}, size)["logits"]
    details = _told(problem.head, shown.labels.reshape(len(shown), -1)[:, 0], logits)
    pictures = None if problem.pictures is None else _pictures(problem, work.source, places)
    return Table(EXAMPLES, rows.astype(np.float32), details=details, title="label", pictures=pictures)


def _drawn(count: int, most: int) -> Array:
    places = np.arange(count)
    return places if count <= most else np.sort(np.random.default_rng(_SEED).choice(places, most, replace=False))


def _told(head: Head, labels: Array, logits: Array) -> dict[str, list[str]]:
    """Returns what is said of examples, by name, their label first."""
    if isinstance(head, (BinaryHead, MultiClassHead)):
        names, ids = class_names(head), np.asarray(classes_of(head, logits))
        are_right = (labels.astype(np.int64) == ids).tolist()
        return {
            "label": [names[int(label)] for label in labels],
            "predicted": [names[id] for id in ids.tolist()],
            "right": [RIGHT if is_right else WRONG for is_right in are_right],
        }
    predicted = head.predictions(tf.constant(logits)).get("predictions")
    told = {"label": [f"{label:g}" for label in labels]}
    return told if predicted is None else {**told, "predicted": [f"{value:g}" for value in np.ravel(predicted)]}


def _pictures(problem: Problem, source: Source, places: Array) -> Array:
    """Returns the pictures of the test rows at some places."""
    function: Any = problem.pictures
    parts, start = [], 0
    for raw, labels, _ in split.rows_to_judge(source):
        inside = places[(places >= start) & (places < start + len(labels))] - start
        start += len(labels)
        if len(inside):
            parts.append(np.asarray(function(split.rows_of(raw, _mask(inside, len(labels))))))
        if start > places[-1]:
            break
    found = np.concatenate(parts)
    if found.shape[:1] != places.shape or found.ndim not in (3, 4) or found.dtype != np.uint8:
        raise Refusal(
            f"Problem: pictures makes {found.shape}, {found.dtype}, of {len(places):,} examples; a picture each is "
            "wanted, (examples, height, width) or with 3 colours after that, uint8."
        )
    return found


def _mask(places: Array, count: int) -> Array:
    mask = np.zeros(count, bool)
    mask[places] = True
    return mask
