import os
import subprocess
import sys
from pathlib import Path

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


def piped(code: str, *flags: str) -> tuple[int, str]:
    """The exit code of a command whose reader takes one line and ends, and what it has said on stderr."""
    program = f"import sys\nfrom trainer.terminal import exit_code\n{code}\nsys.exit(exit_code(run))"
    environment = {**os.environ, "PYTHONWARNINGS": "error"}
    written, errors = subprocess.PIPE, subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, *flags, "-c", program], stdout=written, stderr=errors, env=environment
    ) as it:
        assert it.stdout is not None
        assert it.stderr is not None
        assert it.stdout.readline() == b"0\n"
        it.stdout.close()
        said = it.stderr.read().decode()
    return it.returncode, said


LINES = "def run():\n    for n in range(100_000):\n        print(n)\n    return 0"
LATE = "import time\ndef run():\n    print(0, flush=True)\n    time.sleep(0.3)\n    print(1)\n    "


@pytest.mark.parametrize("flags", [[], ["-u"]])
def test_a_reader_that_ends_early_ends_a_command_without_a_word(flags: list[str]) -> None:
    assert piped(LINES, *flags) == (141, "")


@pytest.mark.parametrize("ending", ["return 0", "raise SystemExit(0)"])
def test_a_reader_that_is_gone_before_the_last_lines_are_written_is_no_error(ending: str) -> None:
    assert piped(LATE + ending) == (141, "")


def test_a_pipe_that_breaks_elsewhere_is_an_error() -> None:
    with pytest.raises(BrokenPipeError, match="of a peer"):
        failing(BrokenPipeError("of a peer"))


def test_a_verb_whose_reader_ends_early_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("20000 2\n" + "".join(f"word{n} {n} 1\n" for n in range(20_000)))
    words = [
        sys.executable,
        "-m",
        "trainer",
        "vectors",
        str(tmp_path / "words.txt"),
        "--near",
        "word3",
        "--topn",
        "15000",
    ]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as verb:
        assert verb.stdout is not None
        assert verb.stderr is not None
        verb.stdout.readline()
        verb.stdout.close()
        assert verb.stderr.read() == b""
    assert verb.returncode == 141


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


@pytest.fixture(scope="module")
def loaded() -> subprocess.CompletedProcess[str]:
    """A process that loads TensorFlow twice, and prints how many objects the search for cycles leaves out then."""
    code = (
        "import gc; from trainer.terminal import load_tensorflow; load_tensorflow(); before = gc.get_freeze_count();"
        "made = [[] for _ in range(1000)]; load_tensorflow(); print(gc.isenabled(), before, gc.get_freeze_count())"
    )
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)


def test_loading_tensorflow_leaves_stderr_empty(loaded: subprocess.CompletedProcess[str]) -> None:
    assert loaded.stderr == ""


def test_what_tensorflow_has_made_is_left_out_of_the_search_for_cycles(
    loaded: subprocess.CompletedProcess[str],
) -> None:
    is_enabled, before, after = loaded.stdout.split()
    assert is_enabled == "True"
    assert int(before) == int(after) > 100_000


def test_bytes_are_written_as_a_person_reads_them() -> None:
    assert [quantity(count) for count in (0, 999, 1000, 2_500_000, 64_000_000_000, 3e12)] == [
        "0 B",
        "999 B",
        "1.0 kB",
        "2.5 MB",
        "64.0 GB",
        "3.0 TB",
    ]
