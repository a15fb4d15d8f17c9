"""Texts to words, in a graph: what `Tokens.of` says, for many texts at once."""

import functools
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from trainer.encoding.coded import Coded
from trainer.feature_column.patterns import delimiters, gaps
from trainer.feature_column.tokens import Tokens, lowered

_MARK = b"\xff"
"""A byte that stands in no UTF-8; one before each match and one after it make every second piece a match."""

_LAST = 0x20000
"""The code points before which all capitals are."""


class Tokenizer(tf.Module):
    """The words of texts, as a graph makes them.

    Example:
        >>> Tokenizer(Tokens())(tf.constant(["Clean & quiet", ""])).to_list()
        [[b'clean', b'quiet'], []]
    """

    def __init__(self, tokens: Tokens) -> None:
        super().__init__()
        self.tokens = tokens
        self._delimiters, self._gaps = delimiters(tokens.pattern), gaps(tokens.pattern, tokens.lower)
        self._stopped = None
        if tokens.stop_words:
            with tf.init_scope():  # a table made inside the function that first calls it would live only there
                words = tf.constant(list(tokens.stop_words))
                initializer = tf.lookup.KeyValueTensorInitializer(words, tf.ones_like(words, tf.int64))
                self._stopped = tf.lookup.StaticHashTable(initializer, default_value=0)

    def __call__(self, texts: Any) -> Any:
        """Returns the words of each text, ragged `(n, None)`.

        Args:
            texts: Strings, `(n,)`; '' has no words.
        """
        return self.each(texts, tf.identity)

    def each(self, texts: Any, function: Callable[[Any], Any]) -> Any:
        """Returns a function of each word of each text, ragged `(n, None)`.

        Args:
            texts: Strings, `(n,)`.
            function: Of words, `(words,)`; it may be given each different one once.
        """
        if self.tokens.ngrams == 1:
            return self._words(texts, function)
        runs = tf.strings.ngrams(self._words(texts, tf.identity), tuple(range(1, self.tokens.ngrams + 1)))
        return runs.with_flat_values(function(runs.flat_values))  # (n, None)

    def counted(self, texts: Any, rows: Any) -> tuple[Any, Any]:
        """Returns words of texts, `(n,)`, and how often each is there, `(n,)`; some may be there several times.

        Args:
            texts: Strings, `(n,)`.
            rows: How often each is there, `(n,)`, int64.

        Example:
            >>> words, rows = Tokenizer(Tokens()).counted(tf.constant(["a b a", "b"]), tf.constant([1, 3], tf.int64))
            >>> words.numpy().tolist(), rows.numpy().tolist()
            ([b'a', b'b'], [2, 4])
        """
        if self.tokens.ngrams == 1 and self._splits_first:
            examples, pieces = _split(texts, self._gaps)
            different, rows = _each_once(pieces, tf.gather(rows, examples))
            places, words = self._unstopped(self._matches(self._lowered(different)))
            return words, tf.gather(rows, places)
        found = self(texts)
        return _each_once(found.flat_values, tf.gather(rows, found.value_rowids()))

    @property
    def _splits_first(self) -> bool:
        """Whether texts are split at what matches never, before words are found in what is left."""
        return bool(self._gaps) and (self._delimiters is None or self.tokens.lower)

    def _words(self, texts: Any, function: Callable[[Any], Any]) -> Any:
        if not self._splits_first:
            return self._rows(self._matches(self._lowered(texts)), texts, function)
        # To lower and to match cost more than to split at what matches never, and most pieces are there several times.
        examples, pieces = _split(texts, self._gaps)
        different, places = tf.unique(pieces)
        words = self._rows(self._matches(self._lowered(different)), different, function)
        rows = tf.RaggedTensor.from_value_rowids(
            tf.gather(words, places), examples, tf.size(texts, tf.int64), validate=False
        )
        return rows.merge_dims(1, 2)  # (n, None)

    def _lowered(self, texts: Any) -> Any:
        return lowered_texts(texts) if self.tokens.lower else texts

    def _matches(self, texts: Any) -> tuple[Any, Any]:
        """Returns the example of each match, and the match."""
        if self._delimiters is not None:
            return _split(texts, self._delimiters)
        marked = tf.strings.regex_replace(texts, self.tokens.pattern, _MARK + rb"\0" + _MARK)
        pieces = tf.raw_ops.StringSplit(input=marked, delimiter=_MARK, skip_empty=False)
        # A text that is no UTF-8 may hold the mark itself, and so have words of no letter.
        words = tf.where((pieces.indices[:, 1] % 2 == 1) & (tf.strings.length(pieces.values) > 0))[:, 0]
        return tf.gather(pieces.indices[:, 0], words), tf.gather(pieces.values, words)

    def _rows(self, found: tuple[Any, Any], texts: Any, function: Callable[[Any], Any]) -> Any:
        """Returns a function of each word but the stop words, by example, ragged `(n, None)`."""
        examples, words = self._unstopped(found)
        return tf.RaggedTensor.from_value_rowids(function(words), examples, tf.size(texts, tf.int64), validate=False)

    def _unstopped(self, found: tuple[Any, Any]) -> tuple[Any, Any]:
        """Returns the example of each word but the stop words, and the word."""
        examples, words = found
        if self._stopped is None:
            return examples, words
        kept = tf.where(tf.equal(self._stopped.lookup(words), 0))[:, 0]
        return tf.gather(examples, kept), tf.gather(words, kept)

    def bags(self, values: Any, function: Callable[[Any], Any]) -> Any:
        """Returns a function of each word of each example, ragged `(batch, None)`.

        Args:
            values: Texts, `(batch, k)` or ragged `(batch, None)`, which may be coded: then each different one is made
                words of once.
            function: Of words, `(n,)`.
        """
        if isinstance(values, Coded):
            found, values = self.each(values.values, function), values.codes
            flat = tf.gather(found, _flat(values))
        else:
            flat = self.each(_flat(values), function)  # (texts, None)
        if not isinstance(values, tf.RaggedTensor):
            if values.shape[1] == 1:
                return flat
            values = tf.RaggedTensor.from_tensor(values)
        return values.with_flat_values(flat).merge_dims(1, 2)  # (batch, None)


def _split(texts: Any, delimiters: bytes) -> tuple[Any, Any]:
    """Returns the example of each piece between some bytes, and the piece; none is empty."""
    pieces = tf.raw_ops.StringSplit(input=texts, delimiter=delimiters, skip_empty=True)
    return pieces.indices[:, 0], pieces.values


def _each_once(texts: Any, rows: Any) -> tuple[Any, Any]:
    """Returns the different ones of texts, and the sum of the rows of each."""
    different, places = tf.unique(texts)
    return different, tf.math.unsorted_segment_sum(rows, places, tf.size(different))


def _flat(values: Any) -> Any:
    return values.flat_values if isinstance(values, tf.RaggedTensor) else tf.reshape(values, [-1])


def lowered_texts(texts: Any) -> Any:
    """Returns texts with small letters for capitals, one by one, `(n,)`; what is no UTF-8 stays or is replaced."""
    # TensorFlow's own lowering of UTF-8 ends at a NUL, and depends on the language of the machine that serves.
    small = tf.strings.lower(texts)
    longer = tf.where(tf.strings.length(small) > tf.strings.length(small, unit="UTF8_CHAR"))  # than ASCII's letters
    codes = tf.strings.unicode_decode(tf.gather_nd(small, longer), "UTF-8")  # (longer, None)
    codes = codes.with_flat_values(_small(codes.flat_values))
    return tf.tensor_scatter_nd_update(small, longer, tf.strings.unicode_encode(codes, "UTF-8"))


def _small(codes: Any) -> Any:
    """Returns the small letter of each code point, or itself."""
    capitals, letters = _capitals()
    places = tf.minimum(tf.searchsorted(tf.constant(capitals), codes), len(capitals) - 1)
    return tf.where(tf.equal(tf.gather(tf.constant(capitals), places), codes), tf.gather(letters, places), codes)


@functools.cache
def _capitals() -> tuple[list[int], list[int]]:
    """Returns the code points that have a small letter of their own, in order, and those letters."""
    codes = [code for code in range(_LAST) if lowered(chr(code)) != chr(code)]
    return codes, [ord(lowered(chr(code))) for code in codes]
