"""A problem as an ordinary compiled `keras.Model`."""

from trainer.models.build import (
    WIDE,
    Halves,
    assembled,
    build,
    check_optimizers,
    compiled,
    halves,
    inputs_of,
    is_summed,
    tables_of,
    with_slots,
)
from trainer.models.counted import Counted
from trainer.models.last_hidden import last_hidden
from trainer.models.retrieval import Retrieval, retrieval
from trainer.models.skip_gram import SkipGram, skip_gram
from trainer.models.wide_and_deep import wide_and_deep

__all__ = [
    "WIDE",
    "Counted",
    "Halves",
    "Retrieval",
    "SkipGram",
    "assembled",
    "build",
    "check_optimizers",
    "compiled",
    "halves",
    "inputs_of",
    "is_summed",
    "last_hidden",
    "retrieval",
    "skip_gram",
    "tables_of",
    "wide_and_deep",
    "with_slots",
]
