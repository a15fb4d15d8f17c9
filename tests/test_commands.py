import ast
import importlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from trainer import __main__ as program
from trainer import commands, task
from trainer.terminal import exit_code

ROOT = Path(__file__).parents[1]
VERBS = sorted(file.stem for file in (ROOT / "trainer" / "commands").glob("[!_]*.py"))


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "trainer", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_has_one_line_of_help_and_a_main(verb: str) -> None:
    module = importlib.import_module(f"trainer.commands.{verb}")
    first, *rest = (module.__doc__ or "").splitlines()
    assert first.endswith(".")
    assert not rest or rest[0] == ""
    assert commands.helps()[verb.replace("_", "-")] == first
    assert commands.command(verb.replace("_", "-")) is module.main


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"]])
def test_without_a_verb_all_verbs_are_listed_with_their_help(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert program.main(words) == 0
    shown = capsys.readouterr().out
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    assert shown.startswith("usage: python -m trainer VERB …\n")
    assert "task Trains a problem and leaves a run: metrics, tables, projector, export." in lines
    for verb, text in commands.helps().items():
        assert f"{verb} {text}" in lines


@pytest.mark.parametrize(
    ("verb", "sentence"),
    [
        ("sumbit", "python -m trainer: there is no verb 'sumbit'; did you mean 'submit'?"),
        ("tsak", "python -m trainer: there is no verb 'tsak'; did you mean 'task'?"),
        ("zzz", f"python -m trainer: there is no verb 'zzz'; there are {', '.join(['task', *commands.helps()])}."),
    ],
)
def test_an_unknown_verb_is_told_in_one_sentence_with_the_nearest(verb: str, sentence: str) -> None:
    done = run(verb)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"{sentence}\n")


def test_task_is_the_training_job() -> None:
    done = run("task", "--num-epoch", "3")
    sentence = "python -m trainer.task: there is no flag --num-epoch; did you mean '--num-epochs'?"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"{sentence}\n")
    assert task.main(["--num-epoch", "3"]) == 2


def test_a_refusal_inside_a_verb_is_the_only_line_and_the_exit_code_is_2() -> None:
    done = run("submit", "--backnd", "local")
    sentence = "python -m trainer submit: there is no flag --backnd; did you mean '--backend'?"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"{sentence}\n")


def test_an_error_in_the_code_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        exit_code(lambda: 1 // 0)


@pytest.mark.parametrize("words", [["--help"], ["submit", "--help"], ["task", "--help"]])
def test_help_imports_no_library_that_takes_long(words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "trainer", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert done.returncode == 0
    assert done.stdout.startswith("usage: ")
    assert imported & {"tensorflow", "keras", "tensorboard", "google", "pyarrow"} == set()


def test_the_verbs_are_listed_without_importing_any_of_them() -> None:
    code = "import sys; from trainer import commands; commands.helps(); print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert [name for name in ast.literal_eval(done.stdout) if name.startswith("trainer.commands.")] == []


def test_tables_lists_every_dtype_and_the_size_of_those_whose_size_is_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records = np.zeros(3, [("key", "i4"), ("value", "f4")])
    np.savez(tmp_path / "many.npz", words=np.array(["Mon", "Tue"]), records=records, table=np.zeros((8, 4), np.float32))
    assert program.main(["tables", f"{tmp_path}/many.npz", "--all"]) == 0
    assert capsys.readouterr().out == (
        f"{tmp_path}/many.npz: .npz, 3 tensors\n"
        "words    2      str96\n"
        "records  3      void64\n"
        "table    8 × 4  float32  128 B  looks like an embedding table\n"
    )
    quantized = [tf.bitcast(tf.constant([1, 2], tf.int8), tf.qint8), tf.constant([1, 2], tf.int8)]
    names = {"tensor_names": ["quantized", "whole"], "shape_and_slices": ["", ""]}
    tf.raw_ops.SaveV2(prefix=f"{tmp_path}/ckpt", tensors=quantized, **names)
    assert program.main(["tables", f"{tmp_path}/ckpt", "--all"]) == 0
    assert capsys.readouterr().out == (
        f"{tmp_path}/ckpt: TensorFlow checkpoint, 2 tensors\nquantized  2  qint8\nwhole      2  int8   2 B\n"
    )
