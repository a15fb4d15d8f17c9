"""What a job works on once its data are read and its model is built."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

import keras

from trainer import models
from trainer.catalogue import Catalogue
from trainer.inputs.bad_rows import BadRows
from trainer.inputs.cache import AnyExamples
from trainer.inputs.examples import Source
from trainer.inputs.split import Data
from trainer.job.plan import Plan
from trainer.job.survey import Met


@dataclass(frozen=True)
class Work:
    """A plan with its data and its compiled model, ready for the first step.

    Args:
        plan: The plan, its problem with what was learned from the data.
        source: The data.
        model: The compiled model.
        halves: The model's encoder, and the rest of it.
        data: The examples, encoded.
        last_step: The steps in all.
        catalogues: What is known of the values of raw features.
        met: What hashed columns have met in the training rows.
        out_of_vocabulary: By the name of a table, of "train", "validation" and at last "test", the share of examples
            that hold a value in no vocabulary of it.
        bad_rows: The rows of files that were set aside; None where the data are no files.
        test: The test examples, once the training has ended.
    """

    plan: Plan
    source: Source
    model: keras.Model
    halves: models.Halves
    data: Data
    last_step: int
    catalogues: Mapping[str, Catalogue] = field(default_factory=dict)
    met: Met = field(default_factory=Met)
    out_of_vocabulary: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    bad_rows: BadRows | None = None
    test: AnyExamples | None = None

    def counting(self, name: str, examples: AnyExamples) -> "Work":
        """Returns the work with the shares of one set of examples, out of vocabulary, among the others."""
        shares = {
            table: {**self.out_of_vocabulary.get(table, {}), name: share}
            for table, share in examples.shares_outside().items()
        }
        return dataclasses.replace(self, out_of_vocabulary=shares)
