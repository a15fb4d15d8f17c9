"""Programs that run together: small ones of a line or two, in real processes, with real signals."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from pathlib import Path

import pytest

from trainer.cloud.lines import Lines

ROOT = Path(__file__).parents[1]
AS_TYPED = "a b  $HOME $(id) `id` 'x' \"y\" \\ * ü\n#;&"
SUBMIT = """
import json, sys
from pathlib import Path
from trainer.cloud import together
from trainer.cloud.process import Program
from trainer.terminal import exit_code

def program(name, code, *words, serves=False, **variables):
    return Program(name, (sys.executable, "-c", code, *words), Path(sys.argv[2]), variables, serves)

programs = [
    program(name, *([code] if isinstance(code, str) else code), serves=name.startswith("ps"), GIVEN="new")
    for name, code in json.loads(sys.argv[1]).items()
]
sys.exit(exit_code(lambda: together.run(programs, grace=1.0, after_first=2.0)))
"""
WAIT = "import time\nprint('ready', flush=True)\ntime.sleep(60)"
WAIT_FOR_A_SIGNAL = """
import os, signal, sys, time
got = []
for number in (2, 15):
    signal.signal(number, lambda number, frame: got.append(number))
print('ready', flush=True)
while not got: time.sleep(0.01)
time.sleep(0.2)
print('saved', flush=True)
sys.exit(128 + sum(got))
"""
AFTER_CHIEF = """
import glob, os, time
while not (found := glob.glob('*.chief')): time.sleep(0.01)
try:
    while True:
        os.kill(int(found[0].removesuffix('.chief')), 0)
        time.sleep(0.01)
except ProcessLookupError: pass
"""
IGNORE_SIGNALS = f"import signal\nfor number in (2, 15): signal.signal(number, signal.SIG_IGN)\n{WAIT}"

Programs = Mapping[str, str | list[str]]
Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts submit with some programs; what still runs after the test is killed."""
    begun = []

    def started(programs: Programs, **streams: int) -> "subprocess.Popen[bytes]":
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
        command = [sys.executable, "-c", SUBMIT, json.dumps(programs), str(tmp_path)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CONFIG": "old", "GIVEN": "old", "KEPT": "yes"}
        begun.append(subprocess.Popen(command, env=environment, start_new_session=True, **pipes))  # type: ignore[call-overload]  # one dict for all
        return begun[-1]

    yield started
    for each in begun:
        if each.poll() is None:
            each.kill()
        each.communicate()


@pytest.fixture
def run(start: Start) -> Callable[[Programs], tuple[int, str, str]]:
    """Runs programs to their end and returns the exit code and both outputs of submit."""

    def done(programs: Programs) -> tuple[int, str, str]:
        job = start(programs)
        out, err = job.communicate(timeout=30)
        return job.returncode, out.decode(), err.decode()

    return done


Run = Callable[[Programs], tuple[int, str, str]]


def read_until(job: "subprocess.Popen[bytes]", text: str, times: int = 1) -> str:
    """Returns what a job prints until it has printed a text so often."""
    read = ""
    assert job.stdout is not None
    while read.count(text) < times:
        line = job.stdout.readline().decode()
        assert line, read
        read += line
    return read


def is_running(process: int) -> bool:
    """Whether a process has not ended; one that nobody has waited for has."""
    found = subprocess.run(["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True, check=False)
    return bool(found.stdout.strip()) and not found.stdout.startswith("Z")


def have_ended(processes: list[int], seconds: float = 10.0) -> bool:
    """Whether processes end within some time."""
    end = time.monotonic() + seconds
    while any(map(is_running, processes)) and time.monotonic() < end:
        time.sleep(0.05)
    return not any(map(is_running, processes))


# Lines


def test_the_lines_of_several_programs_are_whole_and_have_their_names_in_front(run: Run) -> None:
    code = "for n in range(200):\n print('%s', n, end=' ', flush=True)\n print('x' * n * 20)"
    programs = {"chief": code % "c", "worker 0": code % "w", "ps 0": "import sys\nprint('hm', file=sys.stderr)"}
    code_of_all, out, err = run(programs)
    assert (code_of_all, err) == (0, "ps 0     | hm\n")
    for label, letter in (("chief    | ", "c"), ("worker 0 | ", "w")):
        lines = [line.removeprefix(label) for line in out.splitlines() if line.startswith(label)]
        assert lines == [f"{letter} {n} {'x' * n * 20}" for n in range(200)]
    assert len(out.splitlines()) == 400


def test_long_lines_last_lines_without_an_end_and_bytes_of_no_encoding_arrive(start: Start) -> None:
    raw = "import sys\nsys.stdout.buffer.write({})"
    long = raw.format("b'x' * 3_000_000 + b'\\n\\n' + b'y' * 100_000")
    job = start({"chief": long, "worker 0": raw.format("b'\\xff\\x00\\xc3\\n\\xe2\\x82'")})
    out, _ = job.communicate(timeout=30)
    assert sorted(out.split(b"\n")) == sorted(
        [
            *(b"chief    | " + line for line in (b"x" * 3_000_000, b"", b"y" * 100_000)),
            *(b"worker 0 | " + line for line in (b"\xff\x00\xc3", b"\xe2\x82")),
            b"",
        ]
    )


def test_a_line_comes_when_it_is_written_though_its_program_goes_on(start: Start) -> None:
    job = start({"chief": "import time\nprint('now')\ntime.sleep(60)", "worker 0": WAIT})
    assert "chief    | now\n" in read_until(job, "\n", 2)


@pytest.mark.parametrize(
    ("chunks", "lines"),
    [
        ([b"a\r\n\r\nb\r", b"\nc"], [b"a", b"", b"b", b"c"]),
        ([b"a\r", b"\n\n\n", b"b"], [b"a", b"", b"", b"b"]),
        ([b"\r 10%", b"\r 20%", b"\r 30%", b"\r100%\n", b"done\n"], [b" 10%", b"100%", b"done"]),
        ([b"\r 10%\r      \rdone"], [b" 10%", b"done"]),
        # as tqdm draws a bar below another one
        ([b"\n\r 1/2\x1b[A", b"\n\r 2/2\x1b[A\n", b"\x1b[Kdone\n"], [b"", b" 1/2", b"done"]),
        ([b"\x1b[31mred\x1b[0m\n", b"\x1b[2K\x1b[1Gblack"], [b"\x1b[31mred\x1b[0m", b"black"]),
    ],
    ids=["line ends of Windows", "an empty line", "a bar", "a bar that is wiped", "two bars", "colours"],
)
def test_what_is_written_over_is_shown_now_and_then(chunks: list[bytes], lines: list[bytes]) -> None:
    out = BytesIO()
    passed = Lines(b"", out, deque(maxlen=1))
    for chunk in chunks:
        passed.take(chunk)
    passed.end()
    assert out.getvalue().split(b"\n") == [*lines, b""]


@pytest.mark.parametrize(("no_color", "is_coloured"), [("", True), ("1", False)])
def test_names_have_colours_on_a_terminal_alone(
    start: Start, monkeypatch: pytest.MonkeyPatch, no_color: str, is_coloured: bool
) -> None:
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setenv("TERM", "xterm")
    terminal, its_end = pty.openpty()
    job = start({"chief": "print('a')", "ps 0": "import sys\nprint('b', file=sys.stderr)"}, stdout=its_end)
    _, err = job.communicate(timeout=30)
    assert err == b"ps 0  | b\n"
    assert os.read(terminal, 1000) == (b"\x1b[36mchief |\x1b[0m a\r\n" if is_coloured else b"chief | a\r\n")
    os.close(its_end)
    os.close(terminal)


# One program by itself


def test_one_program_has_its_own_words_folder_and_variables_and_the_streams_of_submit(run: Run, tmp_path: Path) -> None:
    code = (
        "import json, os, sys; e = os.environ; names = 'PYTHONPATH TF_CONFIG GIVEN KEPT'.split();"
        "print(json.dumps([sys.argv[1:], os.getcwd(), [e.get(n) for n in names], sys.stdin.read()])); sys.exit('no')"
    )
    exit_code, out, err = run({"chief": [code, AS_TYPED]})
    assert (exit_code, err) == (1, "no\n")
    assert json.loads(out) == [[AS_TYPED], str(tmp_path), [None, None, "new", "yes"], ""]


def test_one_program_on_a_terminal_has_the_terminal(start: Start) -> None:
    terminal, its_end = pty.openpty()
    job = start({"chief": "import sys\nprint(sys.stdout.isatty(), end='')"}, stdout=its_end)
    job.communicate(timeout=30)
    assert os.read(terminal, 1000) == b"True"
    os.close(its_end)
    os.close(terminal)


def test_a_job_that_a_signal_ended_has_the_exit_code_of_a_shell(run: Run) -> None:
    kill = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert run({"chief": kill}) == (137, "", "")


# Failures


def test_the_first_failure_ends_all_and_is_told_with_its_last_lines(run: Run) -> None:
    fail = "import sys, time\nfor n in range(30): print('line', n)\ntime.sleep(0.2)\nsys.exit('no such day')"
    also = "import signal, sys, time\nsignal.signal(15, lambda *_: sys.exit('the others have gone'))\ntime.sleep(60)"
    exit_code, _, err = run({"chief": also, "worker 0": fail, "worker 1": IGNORE_SIGNALS})
    assert exit_code == 1
    start = err.index("submit:")
    assert err[:start].splitlines() == ["worker 0 | no such day", "chief    | the others have gone"]
    assert err[start:].splitlines() == [
        "submit: worker 0 failed with exit code 1, and that has ended the job; its last lines:",
        *(f"worker 0 | line {n}" for n in range(11, 30)),
        "worker 0 | no such day",
    ]


def test_a_program_that_is_killed_is_named_with_the_signal(run: Run) -> None:
    exit_code, _, err = run({"chief": WAIT, "worker 0": "import os\nos.kill(os.getpid(), 9)"})
    assert exit_code == 137
    assert err == (
        "submit: worker 0 was ended by SIGKILL, as the system does when memory is short, and that has ended the job; "
        "it has printed nothing.\n"
    )


def test_of_two_that_fail_at_once_the_first_program_is_the_cause(run: Run) -> None:
    later = "import sys, time\ntime.sleep(0.2)\nsys.exit(7)"
    exit_code, _, err = run({"chief": later, "worker 0": "import sys\nsys.exit('the chief has gone')"})
    assert exit_code == 7
    assert "submit: chief failed with exit code 7, and that has ended the job; it has printed nothing.\n" in err


# The end


def test_the_job_is_done_when_the_first_program_is(run: Run) -> None:
    chief = "import os\nopen(f'{os.getpid()}.chief', 'w').close()\nprint('done')"
    late, fail = f"{AFTER_CHIEF}\nprint('ended by itself')", f"{AFTER_CHIEF}\nraise SystemExit(3)"
    exit_code, out, err = run({"chief": chief, "worker 0": late, "ps 0": WAIT, "ps 1": fail})
    assert exit_code == 0
    assert "worker 0 | ended by itself\n" in out
    assert err.splitlines() == [
        "submit: ps 0 had not ended 2 s after chief, and was ended.",
        "submit: ps 1 failed with exit code 3 after chief had succeeded, which does not count.",
    ]


def test_what_a_program_has_started_ends_with_it(run: Run) -> None:
    code = "import subprocess, sys\nprint(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']).pid)"
    start = time.monotonic()
    exit_code, out, _ = run({"chief": code, "worker 0": "pass"})
    assert exit_code == 0
    assert time.monotonic() - start < 20
    assert have_ended([int(out.split("|")[1])])


# Signals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("names", [["chief"], ["chief", "worker 0"]], ids=["one", "several"])
def test_a_request_to_end_is_passed_on_once_and_waited_for(
    start: Start, names: list[str], number: signal.Signals
) -> None:
    job = start(dict.fromkeys(names, WAIT_FOR_A_SIGNAL))
    read_until(job, "ready", len(names))
    os.killpg(job.pid, number)  # as a terminal does it: to the whole group
    out, err = job.communicate(timeout=20)
    assert out.count(b"saved") == len(names)
    assert job.returncode == 128 + number
    told = f"submit: {number.name} is passed on to chief, worker 0; Ctrl-C, once more, kills all at once.\n"
    assert err.decode() == (told if len(names) > 1 else "")


def test_a_job_that_is_started_with_nohup_outlives_its_terminal(start: Start) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup leaves it to what it starts
    try:
        job = start(dict.fromkeys(["chief", "worker 0"], "print('ready', flush=True)\nimport time\ntime.sleep(1)"))
    finally:
        signal.signal(signal.SIGHUP, before)
    read_until(job, "ready", 2)
    os.killpg(job.pid, signal.SIGHUP)
    assert job.communicate(timeout=20) == (b"", b"")
    assert job.returncode == 0


def test_those_that_serve_are_asked_to_end_when_the_others_have(start: Start) -> None:
    saving = WAIT_FOR_A_SIGNAL.replace("0.2", "1.0")
    job = start({"chief": saving, "ps 0": WAIT_FOR_A_SIGNAL})
    read_until(job, "ready", 2)
    job.send_signal(signal.SIGINT)
    out, err = job.communicate(timeout=20)
    assert out.decode().splitlines() == ["chief | saved", "ps 0  | saved"]
    assert job.returncode == 130
    assert err.decode() == "submit: SIGINT is passed on to chief; Ctrl-C, once more, kills all at once.\n"


def test_a_second_ctrl_c_kills_at_once(start: Start) -> None:
    job = start({"chief": f"import os\nprint(os.getpid())\n{IGNORE_SIGNALS}", "worker 0": IGNORE_SIGNALS})
    found = re.findall(r"\| (\d+)", read_until(job, "ready", 2))
    job.send_signal(signal.SIGINT)
    time.sleep(0.3)
    job.send_signal(signal.SIGINT)
    assert job.wait(timeout=5) == 130
    assert have_ended([int(each) for each in found])


def test_no_program_outlives_a_submit_that_is_killed(start: Start) -> None:
    code = f"import os\nprint(os.getpid())\n{WAIT}"
    job = start({"chief": code, "worker 0": code})
    found = [int(each) for each in re.findall(r"\| (\d+)", read_until(job, "ready", 2))]
    assert len(found) == 2
    job.kill()
    assert have_ended(found)


def test_no_program_outlives_a_reader_that_ends_early(start: Start) -> None:
    talk = "import os, time\nprint(os.getpid())\nwhile True:\n print('more')\n time.sleep(0.05)"
    job = start({"chief": talk, "worker 0": talk})
    found = [int(each) for each in re.findall(r"\| (\d+)", read_until(job, "more", 4))]
    assert job.stdout is not None
    job.stdout.close()
    job.stdout = None
    assert job.wait(timeout=20) == 141
    assert have_ended(found)
