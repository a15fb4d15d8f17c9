import random
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from trainer import feature_column as fc
from trainer.encoding import Coded, Lengths, encoding, outside
from trainer.encoding.tokens import Tokenizer

LETTERS = (
    "abcxyzABCXYZ019 -'.,_\n\r\t\v\f\0\x01\x7f\x80\x85\xa0\xff" + "éÉßİ\u212aſΣσςДджǅ中\u0301\u2028\ufffd😀🇩\U0010ffff"
)
PATTERNS = [
    "[a-z0-9]+",
    r"\w+",
    "[^ ,.]+",
    r"[^\W\d_]+(?:'[a-z]+)?",
    r"\b[a-z]{2,4}\b|\B[0-9]",
    "[a-zà-öø-ÿ]+",
    r".|\W\D",
    "(?:ab|a|b+?)c?",
    r"[^\x00-\x7f]+",
    r"^\w|\d+?",
    r"\x00+|[\x01\xff]",
    r"[\]\[^-]+|[]a]+|\-|\_",
]


def texts(count: int, seed: int) -> list[str]:
    """Texts of letters that are lowered, split or marked in some special way, and of any others."""
    draw = random.Random(seed)

    def letter() -> str:
        if draw.random() < 0.8:
            return draw.choice(LETTERS)
        return chr(draw.choice([draw.randrange(0x80), draw.randrange(0x80, 0xD800), draw.randrange(0xE000, 0x110000)]))

    return ["".join(letter() for _ in range(draw.randrange(30))) for _ in range(count)]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_graph_finds_the_words_that_python_finds(pattern: str) -> None:
    """10,080 texts in all."""
    stop_words = ("a", "x", "abc", "é")
    for number, (lower, ngrams) in enumerate([(True, 1), (False, 1), (True, 3), (False, 2)]):
        declared = fc.Tokens(pattern, lower, ngrams, stop_words[: 4 * (number % 3 == 0)])
        given = texts(210, seed=len(pattern) * 10 + number)
        found = tf.function(Tokenizer(declared), autograph=False)(tf.constant(given)).to_list()
        assert [[word.decode() for word in words] for words in found] == [declared.of(text) for text in given]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_counted_words_are_those_of_the_texts_as_often_as_the_texts_are_there(pattern: str) -> None:
    for number, (lower, ngrams) in enumerate([(True, 1), (False, 1), (True, 2)]):
        declared = fc.Tokens(pattern, lower, ngrams, ("a", "x")[: 2 * (number == 0)])
        given = texts(50, seed=number)
        rows = [place % 4 for place in range(len(given))]
        function = tf.function(Tokenizer(declared).counted, autograph=False)
        found: Counter[str] = Counter()
        for word, count in zip(*function(tf.constant(given), tf.constant(rows, tf.int64)), strict=True):
            found[word.numpy().decode()] += int(count)
        wanted: Counter[str] = Counter()
        for text, count in zip(given, rows, strict=True):
            for word in declared.of(text):
                wanted[word] += count
        assert found == wanted


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_text_that_is_no_utf8_changes_no_other_and_has_no_empty_word(pattern: str) -> None:
    broken = [b"\xff\xfeab c", b"a \xffb\xff", b"\xc3\x28 c", b"ab\xe2\x82", b"\xed\xa0\x80", b"\xff" * 3]
    found = Tokenizer(fc.Tokens(pattern))(tf.constant([b"ab c a", *broken, b"ab c a"])).to_list()
    assert len(found) == 8
    assert [word.decode() for word in found[0]] == fc.Tokens(pattern).of("ab c a")
    assert found[-1] == found[0]
    assert b"" not in {word for words in found for word in words}


def test_all_capitals_are_known_where_they_are_looked_up() -> None:
    codes = [code for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    found = Tokenizer(fc.Tokens(r"[^\x00]"))(tf.constant(["".join(map(chr, codes[1:]))]))
    assert b"".join(found.to_list()[0]).decode() == "".join(chr(code).lower()[0] for code in codes[1:])


WORDS = fc.categorical_column_with_vocabulary_list(
    "name", ["quiet", "room", "quiet room"], tokenize=fc.Tokens(ngrams=2)
)
IN_BUCKETS = fc.categorical_column_with_vocabulary_list("name", ["quiet"], num_oov_buckets=1, tokenize=fc.Tokens())
HASHED = fc.categorical_column_with_hash_bucket("name", 1000, tokenize=fc.Tokens())
NAMES = ["Quiet room!", "", "ROOM, small", "…"]


def encode(column: Any, features: Mapping[str, Any]) -> Any:
    found = tf.function(encoding(column), autograph=False)(features)
    return found.to_list() if isinstance(found, tf.RaggedTensor) else found.numpy().tolist()


@pytest.mark.parametrize(
    "names",
    [
        NAMES,
        tf.constant(NAMES),
        tf.constant(NAMES)[:, tf.newaxis],
        np.array(NAMES, object),
        Coded(tf.constant(["", "…", *NAMES]), tf.constant([2, 3, 4, 5])),
        Coded(tf.constant([*NAMES, "unused"]), tf.constant([[0], [1], [2], [3]])),
        tf.ragged.constant([["Quiet room!"], [], ["ROOM, small"], ["", "…"]]),
        tf.constant([["Quiet room!", ""], ["", ""], ["ROOM, small", ""], ["…", ""]]),
        Coded(tf.constant(NAMES), tf.ragged.constant([[0], [], [1, 2], [3]], dtype=tf.int32)),
        tf.SparseTensor([[0, 0], [2, 1]], ["Quiet room!", "ROOM, small"], [4, 2]),
    ],
    ids=["list", "tensor", "column", "array", "coded", "coded column", "ragged", "dense", "coded bags", "sparse"],
)
def test_a_text_in_any_layout_becomes_the_ids_of_its_words(names: Any) -> None:
    features = {"name": names}
    assert encode(WORDS, features) == [[0, 1, 2], [], [1, -1, -1], []]
    assert encode(IN_BUCKETS, features) == [[0, 1], [], [1, 1], []]
    ids = tf.strings.to_hash_bucket_fast(["quiet", "room", "small"], 1000).numpy().tolist()
    assert encode(HASHED, features) == [ids[:2], [], ids[1:], []]


def test_runs_of_words_do_not_go_from_one_text_of_a_bag_to_the_next() -> None:
    assert encode(WORDS, {"name": tf.ragged.constant([["quiet", "room"], ["quiet room"]])}) == [[0, 1], [0, 1, 2]]


def test_the_words_of_a_vocabulary_in_a_file_are_those_of_its_lines(tmp_path: Any) -> None:
    (tmp_path / "words.txt").write_text("room\nquiet\n")
    column = fc.categorical_column_with_vocabulary_file("name", tmp_path / "words.txt", tokenize=fc.Tokens())
    assert encode(column, {"name": NAMES}) == [[1, 0], [], [0, -1], []]


def test_a_cross_of_words_has_each_with_each_value_of_the_other_key() -> None:
    words = fc.categorical_column_with_vocabulary_list("name", ["quiet", "room"], tokenize=fc.Tokens())
    kind = fc.categorical_column_with_vocabulary_list("kind", ["flat", "house"])
    features = {"name": NAMES, "kind": ["house", "house", "flat", "flat"]}
    exact = fc.crossed_column([words, kind])
    ids = encode(exact, features)
    assert [[exact.label(id) for id in row if id >= 0] for row in ids] == [
        ["quiet house", "room house"],
        [],
        ["room flat"],
        [],
    ]
    hashed = encode(fc.crossed_column([words, kind], 1000), features)
    assert [len([id for id in row if id >= 0]) for row in hashed] == [2, 0, 1, 0]
    assert encode(fc.crossed_column([words, "kind"], 1000), features)[1] == []


@pytest.mark.parametrize("names", [tf.constant(NAMES), Coded(tf.constant(NAMES), tf.range(4))])
def test_words_in_an_order_are_steps_in_their_places(names: Any) -> None:
    column = fc.sequence_categorical_column_with_vocabulary_list("name", ["room", "small"], tokenize=fc.Tokens())
    assert encode(column, {"name": names}) == [[-1, 0], [-1, -1], [0, 1], [-1, -1]]
    assert Lengths(column)({"name": names}).numpy().tolist() == [2, 0, 2, 0]


@pytest.mark.parametrize("names", [tf.constant(NAMES), Coded(tf.constant(NAMES), tf.range(4))])
def test_examples_with_a_word_in_no_vocabulary_are_told(names: Any) -> None:
    assert outside({"word": [encoding(WORDS)]}, {"name": names})["word"].numpy().tolist() == [False, False, True, False]


def test_a_layer_made_inside_a_function_tokenizes_outside_it() -> None:
    made: list[Any] = []

    @tf.function
    def first(names: Any) -> Any:
        made.extend([] if made else [encoding(fc.categorical_column_with_hash_bucket("name", 9, tokenize=STOPPED))])
        return made[0]({"name": names}).row_lengths()

    assert first(tf.constant(NAMES)).numpy().tolist() == [1, 0, 1, 0]
    assert made[0]({"name": NAMES}).row_lengths().numpy().tolist() == [1, 0, 1, 0]


STOPPED = fc.Tokens(stop_words=("room",))
