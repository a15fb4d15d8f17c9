"""How a text becomes a bag of words, as a column declares it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from trainer.errors import Refusal
from trainer.feature_column.column import FeatureColumn, checked_count
from trainer.feature_column.nested import nested
from trainer.feature_column.patterns import check_pattern


@dataclass(frozen=True)
class Tokens:
    """How a text becomes words: in `tf.data`, in a saved model and where vocabularies are learned alike.

    Args:
        pattern: A word is a match of it, as `re.findall(pattern, text, re.ASCII)` has them.
        lower: Whether capitals become small letters before, each by itself, as `lowered` says.
        ngrams: 1 is words alone; 2 adds each two words that follow each other, joined by a space, 3 each three too.
        stop_words: Words that are left out, before runs of words are made.

    Raises:
        Refusal: The pattern cannot be used or Python and TensorFlow read it differently, `ngrams` is no whole number of
            at least 1, or a stop word can be none of the words.

    Example:
        >>> Tokens(ngrams=2, stop_words=("the",)).of("The Village of Harlem!")
        ['village', 'of', 'harlem', 'village of', 'of harlem']
    """

    pattern: str = r"[a-z0-9]+"
    lower: bool = True
    ngrams: int = 1
    stop_words: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_pattern("Tokens", self.pattern)
        checked_count("Tokens", "ngrams", self.ngrams)
        words = self.stop_words
        listed = isinstance(words, Iterable) and not isinstance(words, str)
        if not listed or not all(isinstance(word, str) and word for word in words):
            raise Refusal(f"Tokens: stop_words must be words, as ('the', 'of'), not {self.stop_words!r}.")
        object.__setattr__(self, "stop_words", tuple(self.stop_words))
        for word in self.stop_words:
            if self.lower and lowered(word) != word:
                raise Refusal(
                    f"Tokens: the stop word {word!r} has capitals, and no word of a text that is made lower has one; "
                    f"write {lowered(word)!r}."
                )

    def __str__(self) -> str:
        """As a person reads it: what differs from the default after the pattern."""
        told = [self.pattern, *([] if self.lower else ["capitals kept"])]
        told += [f"runs of up to {self.ngrams}"] if self.ngrams > 1 else []
        return ", ".join([*told, *([f"{len(self.stop_words):,} stop words"] if self.stop_words else [])])

    def of(self, text: str) -> list[str]:
        """Returns the words of a text in their order, then the runs of two, of three and so on."""
        found = re.findall(self.pattern, lowered(text) if self.lower else text, re.ASCII)
        words = [word for word in found if word not in self.stop_words]
        runs = range(1, self.ngrams + 1)
        return [" ".join(words[place : place + size]) for size in runs for place in range(len(words) - size + 1)]


def lowered(text: str) -> str:
    """Returns a text with each capital as its own small letter, whatever is beside it and whatever the language.

    Python's `str.lower` does the same but for 'İ', of which it makes two characters, and a Greek sigma at the end of a
    word.

    Example:
        >>> lowered("ΟΔΟΣ İstanbul")
        'οδοσ istanbul'
    """
    return "".join(character.lower()[0] for character in text)


def checked_tokens(function: str, tokenize: Any, dtype: str) -> Tokens | None:
    """Returns how a column's texts become words, or refuses what does not say it.

    Raises:
        Refusal: It is no `Tokens`, or the column has no strings.
    """
    if tokenize is None:
        return None
    if not isinstance(tokenize, Tokens):
        raise Refusal(f"{function}: tokenize must be fc.Tokens(), or None, not {tokenize!r}.")
    if dtype != "string":
        raise Refusal(f"{function}: texts become words, and dtype is {dtype}; give dtype='string'.")
    return tokenize


def tokens_of(column: FeatureColumn) -> Tokens | None:
    """Returns how a column, or the first inside it that does, makes words of a text; None where none does."""
    found = (getattr(part, "tokenize", None) for part in nested(column))
    return next((tokens for tokens in found if tokens is not None), None)


def makes_words(column: FeatureColumn) -> bool:
    """Tells whether a column, or one inside it, makes words of a text, so that an example has any number of ids."""
    return tokens_of(column) is not None
