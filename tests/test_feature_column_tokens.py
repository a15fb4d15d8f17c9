import re
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from trainer import feature_column as fc
from trainer.errors import Refusal
from trainer.feature_column import tokens
from trainer.feature_column.patterns import delimiters
from trainer.feature_column.serialization import digest, from_dict, to_dict


@pytest.mark.parametrize(
    ("declared", "text", "words"),
    [
        (fc.Tokens(), "Clean & QUIET 2br, near the park!", ["clean", "quiet", "2br", "near", "the", "park"]),
        (fc.Tokens(lower=False), "Clean & QUIET", ["lean"]),
        (fc.Tokens(r"\w+(?:'\w+)?"), "Don't stay_out", ["don't", "stay_out"]),
        (fc.Tokens(stop_words=("the", "of")), "The Village of Harlem", ["village", "harlem"]),
        (fc.Tokens(ngrams=3), "a b c", ["a", "b", "c", "a b", "b c", "a b c"]),
        (fc.Tokens(ngrams=3), "a", ["a"]),
        (fc.Tokens(ngrams=2, stop_words=("b",)), "a b c", ["a", "c", "a c"]),
        (fc.Tokens(), "", []),
        (fc.Tokens(), " … ", []),
        (fc.Tokens("[a-zà-ÿ]+"), "Café À la", ["café", "à", "la"]),
    ],
)
def test_a_text_becomes_its_words(declared: fc.Tokens, text: str, words: list[str]) -> None:
    assert declared.of(text) == words


def test_each_capital_becomes_its_own_small_letter() -> None:
    assert tokens.lowered("ΟΔΟΣ İSTANBUL \u212a ẞ ǅ") == "οδοσ istanbul k ß ǆ"
    codes = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    assert len(tokens.lowered("".join(codes))) == len(codes)
    assert [code for code in codes if len(code.lower()) > 1] == ["İ"]


def hashed(**arguments: Any) -> fc.HashBucketColumn:
    return fc.categorical_column_with_hash_bucket("name", 9, tokenize=fc.Tokens(**arguments))


wrong: Any = "words"

OF_TOKENS: list[tuple[Any, str]] = [
    ({"pattern": ""}, "pattern must be a regular expression such as '[a-z0-9]+', not ''."),
    ({"pattern": 3}, "pattern must be a regular expression such as '[a-z0-9]+', not 3."),
    (
        {"pattern": r"[^\s]+"},
        r"pattern '[^\\s]+' has \s, which Python and TensorFlow do not read alike; write [ \t\n\r\f\v] for it.",
    ),
    (
        {"pattern": r"\S+"},
        r"pattern '\\S+' has \S, which Python and TensorFlow do not read alike; write [^ \t\n\r\f\v] for it.",
    ),
    (
        {"pattern": "a$"},
        r"pattern 'a$' has $, which Python and TensorFlow do not read alike; leave it out, or write \$ for the sign "
        "itself.",
    ),
    (
        {"pattern": r"a\Z"},
        r"pattern 'a\\Z' has \Z, which Python and TensorFlow do not read alike; leave it out, and take what is before "
        "it anywhere.",
    ),
    (
        {"pattern": "(a)"},
        "pattern '(a)' has (, which Python and TensorFlow do not read alike; write (?:…) for a group.",
    ),
    (
        {"pattern": "(?=a)a"},
        "pattern '(?=a)a' has (?=, which Python and TensorFlow do not read alike; write (?:…) for a group.",
    ),
    (
        {"pattern": "(?i)a"},
        "pattern '(?i)a' has (?i, which Python and TensorFlow do not read alike; write (?:…) for a group.",
    ),
    (
        {"pattern": "a{,3}"},
        "pattern 'a{,3}' has {,3}, which Python and TensorFlow do not read alike; write {0,3} for it.",
    ),
    ({"pattern": r"\0"}, r"pattern '\\0' has \0, which Python and TensorFlow do not read alike; write \x00 for it."),
    (
        {"pattern": r"a\1"},
        r"pattern 'a\\1' has \1, which Python and TensorFlow do not read alike; write the letters themselves, or \x "
        "and two digits.",
    ),
    (
        {"pattern": r"[\b]"},
        r"pattern '[\\b]' has \b, which Python and TensorFlow do not read alike; write the letters themselves, or \x "
        "and two digits.",
    ),
    (
        {"pattern": "[[:alpha:]]+"},
        "pattern '[[:alpha:]]+' has [:alpha:], which Python and TensorFlow do not read alike; write its letters.",
    ),
    (
        {"pattern": "a++"},
        "pattern 'a++' has a part (possessive_repeat) that TensorFlow cannot match; write it with sets, |, (?:…), *, + "
        "and ?.",
    ),
    ({"pattern": "a*"}, "pattern 'a*' can match nothing, and a word has one letter at least; write + for *."),
    ({"pattern": r"\b"}, r"pattern '\\b' can match nothing, and a word has one letter at least; write + for *."),
    (
        {"pattern": "b(?:a*)*"},
        "pattern 'b(?:a*)*' repeats what can match nothing; let what repeats have one letter at least.",
    ),
    (
        {"pattern": "(?:a{50}|b){50}"},
        "pattern '(?:a{50}|b){50}' repeats over 1,000 times, which TensorFlow cannot; write + for it.",
    ),
    (
        {"pattern": "[a"},
        "pattern '[a' cannot be read (unterminated character set at position 0); give a regular expression such as "
        "'[a-z0-9]+'.",
    ),
    ({"ngrams": 0}, "ngrams must be a whole number of at least 1, not 0."),
    ({"stop_words": "the"}, "stop_words must be words, as ('the', 'of'), not 'the'."),
    ({"stop_words": None}, "stop_words must be words, as ('the', 'of'), not None."),
    (
        {"stop_words": ("The",)},
        "the stop word 'The' has capitals, and no word of a text that is made lower has one; write 'the'.",
    ),
]


REFUSALS: list[tuple[Callable[[], Any], str]] = [
    *((partial(fc.Tokens, **arguments), f"Tokens: {sentence}") for arguments, sentence in OF_TOKENS),
    (
        lambda: fc.categorical_column_with_hash_bucket("name", 9, tokenize=wrong),
        "categorical_column_with_hash_bucket: key 'name': tokenize must be fc.Tokens(), or None, not 'words'.",
    ),
    (
        lambda: fc.categorical_column_with_vocabulary_list("name", [1, 2], tokenize=fc.Tokens()),
        "categorical_column_with_vocabulary_list: key 'name': texts become words, and dtype is int64; give "
        "dtype='string'.",
    ),
    (
        lambda: fc.weighted_categorical_column(hashed(), "share"),
        "weighted_categorical_column: column 'name' makes words of a text, beside which no weights can lie; give a "
        "column of the words themselves, as a bag.",
    ),
    (
        lambda: fc.crossed_column([hashed(), "day"], 10),
        "crossed_column: key 'name' is hashed already; give a vocabulary of its words instead.",
    ),
    (
        lambda: fc.sequence_categorical_column_with_hash_bucket("name", 9, tokenize=fc.Tokens(ngrams=2)),
        "sequence_categorical_column_with_hash_bucket: key 'name' has words in their order, and runs of words have "
        "no place in it; give Tokens(ngrams=1).",
    ),
]


@pytest.mark.parametrize(("make", "sentence"), REFUSALS, ids=[case[1][:60] for case in REFUSALS])
def test_what_makes_no_words_is_refused_with_a_sentence(make: Callable[[], Any], sentence: str) -> None:
    with pytest.raises(Refusal, match=f"^{re.escape(sentence)}$"):
        make()


def test_words_are_part_of_what_is_saved_of_a_column_and_of_what_tells_columns_apart() -> None:
    columns = [hashed(), hashed(lower=False), hashed(ngrams=2), hashed(stop_words=["the"]), hashed(pattern=r"\w+")]
    assert [from_dict(to_dict(column)) for column in columns] == columns
    assert len({digest(column) for column in [*columns, fc.categorical_column_with_hash_bucket("name", 9)]}) == 6


def test_words_are_told_as_a_person_reads_them() -> None:
    assert str(fc.Tokens()) == "[a-z0-9]+"
    every = fc.Tokens("[A-Z]+", lower=False, ngrams=2, stop_words=("THE", "OF"))
    assert str(every) == "[A-Z]+, capitals kept, runs of up to 2, 2 stop words"
    assert "tokenize [a-z0-9]+, runs of up to 2" in fc.embedding_column(hashed(ngrams=2), 3)._repr_html_()


def test_a_column_of_words_reads_one_text_an_example() -> None:
    column = fc.categorical_column_with_vocabulary_list("name", ["quiet"], tokenize=fc.Tokens())
    assert column.raw_features == {"name": fc.RawFeature("string")}


@pytest.mark.parametrize(
    ("pattern", "count"),
    [
        ("[a-z0-9]+", 220),
        (r"\w+", 193),
        (r"[\d.]+", 245),
        ("a+", 255),
        ("[^ ,]+", 2),
        ("[^ ]+", 1),
        (r"\W+", None),
        ("[a-zé]+", None),
        ("[^é]+", None),
        ("[a-z]+?", None),
        ("[a-z]{2,}", None),
        ("[a-z]", None),
        (".+", None),
        ("(?:a)+", 255),
        ("(?:ab)+", None),
        ("[a-z]+s", None),
    ],
)
def test_a_pattern_of_one_set_of_asciis_letters_has_delimiters(pattern: str, count: int | None) -> None:
    found = delimiters(pattern)
    assert (None if found is None else len(found)) == count
