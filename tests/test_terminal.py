import os
import subprocess
import sys

import pytest

from trainer.errors import Refusal, TrainingFailure
from trainer.terminal import exit_code, quantity, quiet


def failing(error: BaseException) -> int:
    def run() -> int:
        raise error

    return exit_code(run)


def chatter_and_raise(error: Exception) -> None:
    os.write(2, b"chatter")
    raise error


def test_a_refusal_is_printed_alone_and_exits_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert failing(Refusal("the sentence.")) == 2
    assert capsys.readouterr().err == "the sentence.\n"


def test_a_failed_training_is_printed_alone_and_exits_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert failing(TrainingFailure("the loss became nan.")) == 1
    assert capsys.readouterr().err == "the loss became nan.\n"


def test_an_interrupted_command_exits_with_130() -> None:
    assert failing(KeyboardInterrupt()) == 130


def test_what_a_library_writes_to_stderr_is_held_back(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet():
        os.write(2, b"chatter")
    os.write(2, b"after")
    assert capfd.readouterr().err == "after"


def test_what_was_held_back_is_shown_when_the_block_fails(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(OSError, match="disk"), quiet():
        chatter_and_raise(OSError("disk"))
    assert capfd.readouterr().err == "chatter"


def test_a_refusal_shows_nothing_of_what_was_held_back(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Refusal), quiet():
        chatter_and_raise(Refusal("no."))
    assert capfd.readouterr().err == ""


def test_verbose_holds_nothing_back(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet(verbose=True):
        os.write(2, b"chatter")
    assert capfd.readouterr().err == "chatter"


def test_loading_tensorflow_leaves_stderr_empty() -> None:
    code = "from trainer.terminal import load_tensorflow; load_tensorflow(); import tensorflow"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_bytes_are_written_as_a_person_reads_them() -> None:
    assert [quantity(count) for count in (0, 999, 1000, 2_500_000, 64_000_000_000, 3e12)] == [
        "0 B",
        "999 B",
        "1.0 kB",
        "2.5 MB",
        "64.0 GB",
        "3.0 TB",
    ]
