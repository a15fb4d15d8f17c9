"""Analogies and pairs of words asked of a table, against gensim's answers and those of NumPy in the plainest way."""

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trainer.errors import Refusal
from trainer.vectors import LabelledVectors, analogies

Array = np.ndarray[Any, Any]

# Three spellings of one word in eight, the others in lower case.
WORDS = [
    *(f"w{number}" for number in range(24)),
    *(f"W{number}" for number in range(0, 24, 8)),
    "w8B",
    "W8b",
    "straße",
]
QUESTIONS = """: doubles
w0 w1 w2 w3
W4 w5 w6 w7
w8 w9 w10 w11

w16 w17 w18 w19
w20 w21 w22 w23
: others
w0 w8 w16 w1
w1 absent w2 w3
w16 w3 W8B w1
STRASSE w3 w5 w1
"""
PAIRS = """# word, word, human
one\ttwo\tmean
w0\tw1\t7.5
W0\tw2\t1.5
w3\tw4\t6.25

absent\tw4\t5
w8\tW8b\t10
w5\tw6\t2
"""


def matrix() -> Array:
    """Rows in which every fourth differs from the third as the second does from the first, but for some noise."""
    drawn = np.random.default_rng(0).normal(size=(len(WORDS), 6))
    drawn[WORDS.index("W16")] = drawn[18] + drawn[17] - drawn[16]  # nearest to an answer, and a word of the question
    drawn[3:24:4] = drawn[2:24:4] + drawn[1:24:4] - drawn[0:24:4] + 0.4 * drawn[3:24:4]
    return drawn.astype(np.float32)


@pytest.fixture(scope="module")
def vectors() -> LabelledVectors:
    return LabelledVectors(WORDS, matrix(), "word")


@pytest.fixture
def questions(tmp_path: Path) -> str:
    return written(tmp_path, "questions.txt", QUESTIONS)


@pytest.fixture
def pairs(tmp_path: Path) -> str:
    return written(tmp_path, "pairs.tsv", PAIRS)


def written(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text, encoding="utf-8")
    return str(folder / name)


# What gensim 4.4.0 answers: KeyedVectors.add_vectors(WORDS, matrix()), then evaluate_word_analogies and
# evaluate_word_pairs: the score; right and wrong answers a section; Pearson, Spearman and the ratio out of vocabulary.
GENSIM: dict[str, tuple[dict[str, Any], float, list[tuple[int, int]], float, float, float]] = {
    "as it is": ({}, 0.625, [(5, 0), (0, 3)], -0.1854289, 0.1, 16.666666666666664),
    "12 words": ({"restrict_vocab": 12}, 1.0, [(3, 0), (0, 0)], 0.1503670, 0.4, 33.33333333333333),
    "all count": (
        {"dummy4unknown": True},
        0.5555555555555556,
        [(5, 0), (0, 4)],
        -0.1808935,
        0.0285714,
        16.666666666666664,
    ),
    "own case": ({"case_insensitive": False}, 0.6, [(3, 1), (0, 1)], 0.1824022, 0.4, 16.666666666666664),
}


@pytest.mark.parametrize("name", GENSIM)
def test_analogies_and_pairs_are_worth_what_gensim_says(
    name: str, vectors: LabelledVectors, questions: str, pairs: str
) -> None:
    given, score, sections, pearson, spearman, ratio = GENSIM[name]
    found, parts = vectors.evaluate_word_analogies(questions, **given)
    assert found == score
    assert [(len(part["correct"]), len(part["incorrect"])) for part in parts[:-1]] == sections
    assert [part["section"] for part in parts] == ["doubles", "others", "Total accuracy"]
    by_table = vectors.evaluate_word_pairs(pairs, **given)
    assert (by_table.pearson[0], by_table.spearman[0]) == pytest.approx((pearson, spearman), abs=1e-6)
    assert [*by_table] == [by_table.pearson, by_table.spearman, ratio]


def test_what_is_out_of_vocabulary_is_counted_apart(vectors: LabelledVectors, questions: str, pairs: str) -> None:
    total = vectors.evaluate_word_analogies(questions, case_insensitive=False).total
    assert (total.questions, total.out_of_vocabulary, total.total) == (9, 4, 5)
    assert total.coverage == pytest.approx(5 / 9)
    assert total.incorrect == (("w16", "w17", "w18", "w19"), ("w0", "w8", "w16", "w1"))
    found = vectors.evaluate_word_pairs(pairs, case_insensitive=False)
    assert (found.pairs, found.out_of_vocabulary, found.total) == (6, 1, 5)
    assert found.coverage == pytest.approx(5 / 6)


def test_without_a_word_of_a_file_nothing_is_measured(questions: str, pairs: str) -> None:
    other = LabelledVectors(["a", "b"], np.eye(2))
    found = other.evaluate_word_analogies(questions)
    assert (found.score, found.coverage, found.total.questions) == (None, 0.0, 9)
    judged = other.evaluate_word_pairs(pairs)
    assert np.isnan([*judged.pearson, *judged.spearman]).all()
    assert (judged.coverage, judged.total) == (0.0, 0)


@pytest.mark.parametrize("products", [1, 200, 1 << 20])
def test_answers_found_in_blocks_are_those_of_one_question_after_another(
    products: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(analogies, "_PRODUCTS", products)
    monkeypatch.setattr(analogies, "_SCORES", 300)
    draw = np.random.default_rng(1)
    rows = draw.normal(size=(90, 4)).astype(np.float32)
    asked = [draw.choice(90, 4, replace=False) for _ in range(50)]
    lengths = np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True)
    answers = []
    for a, b, c, _ in asked:
        likeness = (rows / lengths) @ (rows[b] / lengths[b] + rows[c] / lengths[c] - rows[a] / lengths[a])
        likeness[[a, b, c]] = -np.inf
        answers.append(int(likeness.argmax()))
    pairs = list(zip(asked, answers, strict=True))
    lines = [f"k{a} k{b} k{c} k{found if n % 2 else d}" for n, ((a, b, c, d), found) in enumerate(pairs)]
    file = written(tmp_path, "questions.txt", "\n".join([": all", *lines]))
    vectors = LabelledVectors([f"k{row}" for row in range(90)], rows)
    (found,) = vectors.evaluate_word_analogies(file).sections
    right = {" ".join(question).lower() for question in found.correct}
    assert right == {line for n, line in enumerate(lines) if n % 2 or asked[n][3] == answers[n]}
    assert len(right) >= 25


def test_the_most_frequent_rows_are_those_of_the_largest_counts(tmp_path: Path) -> None:
    # "Day" is seen more often than "day", which stands above it and lies elsewhere.
    keys, counts = ["day", "Day", "night", "dusk", "never"], [2, 9, 5, 4, 0]
    rows = np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 0.1], [1.0, 2.0], [1.0, 0.2]])
    file = written(tmp_path, "pairs.tsv", "day\tnight\t3\nday\tdusk\t2\nnight\tdusk\t1\nday\tnever\t4\n")
    counted = LabelledVectors(keys, rows, counts=counts).evaluate_word_pairs(file)
    assert counted.spearman.coefficient == pytest.approx(0.5)
    assert counted.out_of_vocabulary == 1
    assert LabelledVectors(keys, rows).evaluate_word_pairs(file).spearman.coefficient == pytest.approx(-0.6)
    restricted = LabelledVectors(keys, rows, counts=counts).evaluate_word_pairs(file, restrict_vocab=2)
    assert restricted.out_of_vocabulary == 3


def test_a_row_that_is_not_finite_is_out_of_vocabulary_and_no_answer(tmp_path: Path) -> None:
    rows = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [-1.0, 2.0], [np.nan, 1.0]])
    file = written(tmp_path, "questions.txt", ": all\na b c d\na b c e\n")
    total = LabelledVectors(list("abcde"), rows).evaluate_word_analogies(file).total
    assert (total.correct, total.out_of_vocabulary) == ((("A", "B", "C", "D"),), 1)


def test_files_may_be_packed_and_pairs_parted_otherwise(vectors: LabelledVectors, tmp_path: Path, pairs: str) -> None:
    packed = tmp_path / "pairs.csv.gz"
    packed.write_bytes(gzip.compress(PAIRS.replace("\t", ",").encode("utf-16")))
    found = vectors.evaluate_word_pairs(str(packed), delimiter=",", encoding="utf-16")
    assert found == vectors.evaluate_word_pairs(pairs)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            ": a\nw0 w1 w2 w3\nw0 w1 w2\n",
            "{file}, line 3: four words are wanted, not 3 ('w0 w1 w2'); write `a b c d`, or `: name` for a section.",
        ),
        ("\nw0 w1 w2 w3\n", "{file}, line 2: no section is above it; begin the file with `: name`."),
        (": a\n", "{file} holds no question; write `: name` and then four words a line."),
        (None, "{file} cannot be read (No such file or directory); give another path."),
    ],
)
def test_a_file_of_analogies_that_cannot_be_used_is_refused(
    text: str | None, sentence: str, vectors: LabelledVectors, tmp_path: Path
) -> None:
    file = str(tmp_path / "absent.txt") if text is None else written(tmp_path, "q.txt", text)
    with pytest.raises(Refusal) as refused:
        vectors.evaluate_word_analogies(file)
    assert str(refused.value) == f"analogies: {sentence.format(file=file)}"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (
            b"a\tb\t1\nc d 2\n",
            "{file}, line 2: two words and a number are wanted, with '\\t' between them, not 'c d 2'; correct it or "
            "take it out.",
        ),
        (
            b"a\tb\t1\nc\td\tnan\n",
            "{file}, line 2: two words and a number are wanted, with '\\t' between them, not 'c\td\tnan'; correct it "
            "or take it out.",
        ),
        (b"# none\n", "{file} holds no pair; write two words and a number a line."),
        (b"a\tb\xff\t1\n", "{file} is no text in utf8 (byte 3); give one that is."),
        (
            b"\x1f\x8b\x08",
            "{file} cannot be read (Compressed file ended before the end-of-stream marker was reached); "
            "give another path.",
        ),
    ],
)
def test_a_file_of_pairs_that_cannot_be_used_is_refused(
    content: bytes, sentence: str, vectors: LabelledVectors, tmp_path: Path
) -> None:
    file = tmp_path / "pairs.tsv"
    file.write_bytes(content)
    with pytest.raises(Refusal) as refused:
        vectors.evaluate_word_pairs(str(file))
    assert str(refused.value) == f"similarities: {sentence.format(file=file)}"


def test_an_encoding_that_python_does_not_know_is_refused(vectors: LabelledVectors, pairs: str) -> None:
    with pytest.raises(Refusal) as refused:
        vectors.evaluate_word_pairs(pairs, encoding="utf7x")
    assert str(refused.value) == "similarities: there is no encoding 'utf7x'; give one that Python knows, as utf8."
