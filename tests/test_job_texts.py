"""A job on running text: words are learned from its passages, and other texts are answered."""

import gzip
import json
import re
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests import served
from trainer import task
from trainer.__main__ import main
from trainer.run import Run

PROBLEM = '''"""Which passages are of the sea."""
import numpy as np

from trainer import feature_column as fc
from trainer.heads import BinaryHead
from trainer.problem import Problem, Share, TextFormat


def marked(rows):
    return {"text": rows["text"], "of_sea": np.array(["sea" in text for text in rows["text"]], int)}


word = fc.categorical_column_with_vocabulary_list("text", fc.from_data(frequency_threshold=2), tokenize=fc.Tokens())
PROBLEM = Problem(
    dataset=None,
    dnn_feature_columns=[fc.embedding_column(word, 4, name="word")],
    dnn_hidden_units=[4],
    label="of_sea",
    head=BinaryHead(),
    texts=TextFormat(characters=300),
    from_rows=marked,
    validation=Share(0.2),
    test_share=0.3,
    learning_rate=0.05,
    num_epochs=2,
    train_batch_size=16,
)
'''
SEA = ["ship", "sail", "storm", "sea", "wave", "whale", "harbour"]
LAND = ["tree", "field", "horse", "road", "hill", "house", "garden"]


def text(passages: int, seed: int = 0) -> str:
    """Paragraphs of some words of the sea or of the land; a passage has one or two of them."""
    draw = np.random.default_rng(seed)
    found = [" ".join(draw.choice([SEA, LAND][number % 2], 40)) for number in range(passages)]
    return "\r\n\r\n".join(f"The {each}.\r\nThey were {draw.integers(10**9)}" for each in found)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sea")
    (folder / "novel.txt.gz").write_bytes(gzip.compress(b"\xef\xbb\xbf" + text(200).encode()))
    return served.trained(folder, PROBLEM, str(folder / "novel.txt.gz"))


def test_words_are_learned_and_the_sets_have_the_shares_of_the_problem(run: Path) -> None:
    manifest = json.loads((run / "tables" / "manifest.json").read_text())
    assert manifest["tables"]["word"]["rows"] == len(SEA) + len(LAND) + 3  # the, they, were
    metrics = Run(str(run)).read_json("metrics.json")
    train, validation = metrics["train_examples"], metrics["validation_examples"]
    assert 25 <= validation <= 55
    assert 40 <= 200 - train - validation <= 80


def test_another_text_is_answered_passage_by_passage(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "new.txt").write_text(text(20, seed=1), encoding="utf-8", newline="")
    out = tmp_path / "out.parquet"
    assert main(["predict", str(run), "--files", str(tmp_path / "new.txt"), "--keep", "text", "--out", str(out)]) == 0
    assert capsys.readouterr().out.startswith("20 rows in ")
    table = pq.read_table(out)
    assert table.column_names == ["text", "logits", "probabilities"]
    kept = table["text"].to_pylist()
    assert "\r\n\r\n".join(kept) == text(20, seed=1)


def test_a_dry_run_shows_the_first_words_of_a_passage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(PROBLEM.replace("characters=300", "characters=3000"), encoding="utf-8")
    Path("novel.txt").write_text(text(200), encoding="utf-8", newline="")
    assert task.main(["--problem", "mine.py", "--train-files", "novel.txt", "--dry-run"]) == 0
    printed = capsys.readouterr().out
    assert "table word" in printed
    examples = [line for line in printed.splitlines() if line.startswith("  text")]
    assert len(examples) == 3
    for line in examples:
        ids, labels = re.fullmatch(r"  text +\[([^]]+)\] and \d+ more  (.+) and \d+ more", line).groups()  # type: ignore[union-attr]
        assert len(ids.split(", ")) == len(labels.split(", ")) == 100
        assert "sea" in labels or "house" in labels


def test_the_words_of_files_are_a_vocabulary(tmp_path: Path) -> None:
    for name, content in (("a.txt", "The sea, the sea!\n"), ("b.txt", "A house\nby the sea.\n")):
        (tmp_path / name).write_text(content, encoding="utf-8")
    out = tmp_path / "vocabulary"
    words = ["vocabulary", "--train-files", str(tmp_path / "*.txt"), "--texts", "text", "--out", str(out)]
    assert main(words) == 0
    assert (out / "text.txt").read_text().split() == ["sea", "the", "a", "by", "house"]
    assert json.loads((out / "summary.json").read_text())["rows"] == 2
