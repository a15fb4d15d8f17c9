"""The page about moving: each old call stands beside its new one, and both find the same."""

import csv
import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import estimators
from tests.estimators import page
from tests.estimators.page import COMPARED
from trainer import migration, task
from trainer.commands import migrate

PAGE = Path(migration.__file__).parent / "README.md"
README = PAGE.read_text(encoding="utf-8")
BEFORE = Path(page.__file__).parent / "before"
OLD = json.loads((BEFORE / "answers.json").read_text(encoding="utf-8"))
ALONE = ("Bring a trained Estimator over", "`model_to_estimator`")
"""What had no call, or has none."""


def sides(title: str) -> set[str]:
    """What words the blocks under a title have."""
    return {word for above, _, word, _ in page.blocks(README) if above == title}


def test_each_old_call_stands_beside_its_new_one() -> None:
    _, _, after = README.partition("\n## Every old call, and the new one\n")
    titles = re.findall(r"^### (.+)$", after.partition("\n## ")[0], re.MULTILINE)
    assert titles == list(COMPARED)
    for title in titles:
        found = sides(title)
        assert "both" in found or {"before", "now"} <= found or {"contrib", "now"} <= found or title in ALONE


LABELS = {"before": "before", "now": "now", "both": "before and now", "contrib": "before, TensorFlow 1"}


def test_each_block_of_a_pair_says_which_side_it_is() -> None:
    for title, _, word, code in page.blocks(README):
        assert not word or code.startswith(f"# {LABELS[word]}\n"), (title, code)


def test_the_page_has_the_calls_that_people_look_for() -> None:
    old = "".join(code for _, _, word, code in page.blocks(README) if word in ("before", "contrib", "both"))
    for call in (
        *("sparse_column_with_keys", "input_fn", "make_parse_example_spec", "DenseFeatures", "input_layer"),
        *("linear_model", "LinearClassifier", "DNNLinearCombinedClassifier", "train(", "evaluate(", "predict("),
        *("train_and_evaluate", "TrainSpec", "EvalSpec", "BestExporter", "RunConfig", "export_saved_model"),
        *("WarmStartSettings", "VocabInfo", "add_metrics", "weight_column", "label_vocabulary"),
        "stop_if_no_decrease_hook",
    ):
        assert call in old, call


def check(found: Any, old: Any, place: str) -> None:
    """Compares what a side has found with what the old one had."""
    for title, names in old.items():
        for name, value in names.items():
            try:
                np.testing.assert_allclose(flat(found[title][name]), flat(value), rtol=0, atol=1e-5)
            except (TypeError, ValueError):  # texts
                assert flat(found[title][name]) == flat(value), f"{place}: {name} of {title}"


def flat(value: Any) -> Any:
    """Returns numbers in one list: an Estimator's answer for an example has its own shape."""
    if isinstance(value, dict):
        return [flat(value[key]) for key in sorted(value)]
    return np.ravel(value).tolist() if isinstance(value, list) else value


def bring_estimator(folder: Path) -> None:
    """Lays the Estimator that the old side trained where the page has it."""
    shutil.copytree(BEFORE / "late", folder / "models" / "late")
    estimators.unpack(folder / "models" / "late" / "export", BEFORE / "export.tar.xz")


def test_the_new_side_finds_what_the_old_one_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bring_estimator(tmp_path)
    monkeypatch.chdir(tmp_path)
    found = page.ran(README, "now")
    assert {title: list(names) for title, names in found.items() if names} == {
        title: names for title, names in COMPARED.items() if names
    }
    check(found, OLD["found"], "now")


def command(title: str) -> list[str]:
    """Returns the words of the command under a title, without Python."""
    (found,) = [code for above, language, _, code in page.blocks(README) if (above, language) == (title, "sh")]
    label, line = found.splitlines()
    assert (label, line.split()[:2]) == ("# now", ["python", "-m"])
    return shlex.split(line)[2:]


def write_problem() -> None:
    """Writes `late.py`, the pieces of the page that it names."""
    parts = ("`input_fn`", "Columns", "`LinearClassifier`", "`DNNLinearCombinedClassifier`")
    code = [
        code
        for title, language, word, code in page.blocks(README)
        if title in parts and language == "python" and word in ("now", "both")
    ]
    text = "\n".join(['"""Flights that are late."""', *code, "PROBLEM = problem", ""])
    Path("late.py").write_text(re.sub(r"^\w+ = trainer\.build.*\n", "", text, flags=re.MULTILINE), encoding="utf-8")


@pytest.mark.slow
def test_the_command_of_the_page_trains_and_exports_the_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_problem()
    module, *words = command("`train_and_evaluate`")
    assert module == "trainer.task"
    assert task.main(words) == 0
    assert "step 100" in capsys.readouterr().out
    assert Path("runs/late/export/saved_model.pb").exists()


def test_the_command_of_the_page_brings_the_estimator_over_with_equal_logits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bring_estimator(tmp_path)
    monkeypatch.chdir(tmp_path)
    write_problem()
    names: dict[str, Any] = {}
    exec(next(code for title, _, _, code in page.blocks(README) if title == "`input_fn`"), names)
    with open("rows.csv", "w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(["day", "hour", "miles"])
        lines.writerows(zip(*(names["rows"][key] for key in ("day", "hour", "miles")), strict=True))
    module, verb, *words = command("Bring a trained Estimator over")
    assert (module, verb) == ("trainer", "migrate")
    assert migrate.main(words) == 0
    (report,) = [code for _, language, _, code in page.blocks(README) if language == "text"]
    printed = capsys.readouterr().out
    assert without_numbers(report) <= without_numbers(printed)
    for text in (report, printed):
        (far,) = re.findall(r"^128 rows: logits equal to (\S+)\.$", text, re.MULTILINE)
        assert float(far) < 1e-6
    assert Path("runs/moved/tables/manifest.json").exists()


def without_numbers(text: str) -> set[str]:
    """Returns the lines of a text, in which numbers may be others, and so columns wider."""
    return {" ".join(re.sub(r"\b\d[\d.e-]*", "N", line).split()) for line in text.splitlines()}


def test_the_words_beside_the_flags_are_those_of_tensorflow_and_of_the_command(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, _, after = README.partition("\n| Estimator | here |\n")
    rows = [line.strip("| ").split(" | ") for line in after.partition("\n\n")[0].splitlines()[1:]]
    words = [found for old, _ in rows for found in re.findall(r"`(?:tf\.estimator\.)?(\w+)\((\w+)", old)]
    assert {kind for kind, _ in words} == {*OLD["words"], "stop_if_no_decrease_hook"}
    for kind, word in words:
        assert word in OLD["words"].get(kind, ["estimator"]), (kind, word)
    with pytest.raises(SystemExit):
        task.main(["--help"])
    flags = set(re.findall(r"--[a-z-]+", capsys.readouterr().out))
    assert {flag for _, new in rows for flag in re.findall(r"--[a-z-]+", new)} <= flags


@pytest.mark.slow
def test_tensorflow_finds_now_what_it_had_found_and_starts_from_a_checkpoint_as_it_did(
    tmp_path: Path, old_tensorflow: Path
) -> None:
    cases = ("everything", "vocabularies alone", "other classes")  # as many as time allows
    page_and_starts = "from tests.estimators import page, warm_starts\n"
    page_and_starts += f"page.main({str(PAGE)!r}, {str(tmp_path)!r})\n"
    page_and_starts += f"warm_starts.main({str(tmp_path / 'starts')!r}, *{cases!r})"
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    words = [str(old_tensorflow), "-c", page_and_starts]
    subprocess.run(words, check=True, cwd=Path(__file__).parents[1], env=environment)
    again = json.loads((tmp_path / "answers.json").read_text(encoding="utf-8"))
    check(again["found"], OLD["found"], "before")
    assert again["words"] == OLD["words"]
    started, had = (
        json.loads((folder / "started.json").read_text(encoding="utf-8"))
        for folder in (tmp_path / "starts", BEFORE.parent / "warm_started")
    )
    check(started, {case: had[case] for case in cases}, "starts")
