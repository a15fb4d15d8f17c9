"""Skip-gram with negative sampling, in blocks of consecutive ids."""

from trainer.models.skip_gram.model import SkipGram, skip_gram

__all__ = ["SkipGram", "skip_gram"]
