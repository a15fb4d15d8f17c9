"""What the training data say of the columns: vocabularies, boundaries, how often each id occurs, and shared ids."""

from trainer.vocabulary.counts import counts
from trainer.vocabulary.keys import KeyCounts, collisions, texts_of_buckets
from trainer.vocabulary.shared_ids import Collisions, SharedId
from trainer.vocabulary.survey import Survey, applied, found, learned

__all__ = [
    "Collisions",
    "KeyCounts",
    "SharedId",
    "Survey",
    "applied",
    "collisions",
    "counts",
    "found",
    "learned",
    "texts_of_buckets",
]
