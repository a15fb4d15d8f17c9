import dataclasses
import errno
import json
import os
import select
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from tests import submissions
from tests.submissions import AS_TYPED, JOB, SENDING, Place, as_sent
from tests.vertex_service import Refused, entry
from trainer.cloud import package, vertex
from trainer.cloud.vertex import service, staging
from trainer.commands import submit

ROOT = Path(__file__).parents[1]
Process = subprocess.Popen[bytes]
PAGE = "https://console.cloud.google.com/agent-platform/locations/us-central1/training/7001?project=my-project"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> package.Package:
    return package.build(tmp_path_factory.mktemp("dist"))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, built: package.Package) -> Iterator[Place]:
    """Where jobs are sent from; the package is built once for all of them."""
    with submissions.reached(tmp_path, monkeypatch, built) as made:
        yield made


def test_what_the_server_receives_is_the_dry_run_s_yaml_field_by_field(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    (place.folder / "own").mkdir()
    (place.folder / "own" / "adam.py").write_text("Adam = None\n")
    words = shlex.split(
        "--backend vertex --project my-project --region us-central1 --staging-bucket gs://bucket --timeout 3h "
        "--display-name 'try 1' --workers 2 --parameter-servers 1 --accelerator-type NVIDIA_TESLA_T4 --spot --restarts "
        "--boot-disk-type pd-ssd --boot-disk-gb 150 --labels team=maps --labels free= "
        "--service-account me@my-project.iam.gserviceaccount.com --network projects/123/global/networks/default "
        "--tensorboard projects/my-project/locations/us-central1/tensorboards/5 --server-machine-type e2-standard-8"
    )
    argv = ["--", "--optimizer", "own/adam.py:Adam", "--dataset", AS_TYPED, "--resume"]
    assert submit.main([*words, "--dry-run", *argv]) == 0
    shown = yaml.safe_load(capsys.readouterr().out)
    assert place.staged == []
    assert submit.main([*words, *argv]) == 0
    (received,) = place.vertex.created
    assert received == as_sent(shown)
    assert received["jobSpec"]["workerPoolSpecs"][0]["containerSpec"]["args"] == argv[1:]
    assert place.vertex.calls.count("create") == 1


def test_what_a_job_needs_is_staged_once_and_found_where_the_job_looks(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    (place.folder / "own").mkdir()
    (place.folder / "own" / "adam.py").write_text("Adam = None\n")
    argv = ["--optimizer", "own/adam.py:Adam"]
    assert vertex.submit(SENDING, argv) == 0
    container = place.vertex.created[0]["jobSpec"]["workerPoolSpecs"][0]["containerSpec"]
    paths = [word for word in shlex.split(container["command"][2]) if word.startswith("/gcs/bucket/")]
    objects = place.cloud.buckets["bucket"]
    wheel, listing = (path.removeprefix("/gcs/bucket/") for path in paths)
    assert objects[wheel].startswith(b"\x1f\x8b")
    (where,) = json.loads(objects[listing]).values()
    assert objects[f"staged/{where}"] == b"Adam = None\n"
    assert len(objects) == 3
    first = {name: objects.generation(name) for name in objects}
    assert capsys.readouterr().err.count("submit: uploads ") == 2
    assert vertex.submit(SENDING, argv) == 0
    assert {name: objects.generation(name) for name in objects} == first
    assert capsys.readouterr().err.count("submit: uploads ") == 0


def test_a_job_is_shown_until_it_has_succeeded(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    place.vertex.walk("PENDING", "RUNNING", "RUNNING", "RUNNING", "SUCCEEDED")
    late = entry(1, "late, and before the second\nof two lines", number=5)
    structured = {
        **entry(4, ""),
        "textPayload": None,
        "jsonPayload": {"message": "from a library", "levelname": "INFO"},
    }
    del structured["textPayload"]
    place.vertex.entries = [
        (1, entry(0, "/gcs/bucket/try-1/model")),
        (1, entry(2, "the second")),
        (2, late),
        (2, structured),
        (6, entry(6, "the last, after the end")),
    ]
    assert vertex.submit(dataclasses.replace(SENDING, tensorboard=None), []) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "/gcs/bucket/try-1/model",
        "the second",
        "late, and before the second",
        "of two lines",
        "from a library",
        "the last, after the end",
        "gs://bucket/try-1/model",
    ]
    fetch = "python -m trainer fetch gs://bucket/try-1 runs/try-1"
    assert err.splitlines()[1:] == [
        f"submit: {JOB} is created",
        f"  job: {PAGE}",
        "  log: https://console.cloud.google.com/logs/query;query=resource.type%3D%22ml_job%22%0A"
        "resource.labels.job_id%3D%227001%22?project=my-project",
        "  output: gs://bucket/try-1",
        f"  to fetch: {fetch}",
        "submit: job 7001 is pending",
        "submit: job 7001 is running",
        f"submit: job 7001 has succeeded; its run lies in gs://bucket/try-1/model; bring it home with {fetch}",
    ]
    assert place.vertex.filters[0] == (
        'resource.type="ml_job" AND resource.labels.job_id="7001" AND timestamp>="2026-11-29T10:00:00+00:00"'
    )


def test_lines_of_several_replicas_have_their_names_in_front(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    place.vertex.entries = [(0, entry(0, "a\nb", "workerpool0-0")), (0, entry(1, "c", "workerpool1-0"))]
    assert vertex.submit(dataclasses.replace(SENDING, workers=2), ["--job-dir", "/gcs/bucket/runs/x"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "chief    | a",
        "chief    | b",
        "worker 0 | c",
        "gs://bucket/runs/x",
    ]


def test_one_need_not_wait(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    settings = dataclasses.replace(SENDING, wait=False, project=None)
    assert vertex.submit(settings, []) == 0
    assert capsys.readouterr().out == f"{JOB}\n"
    assert "get" not in place.vertex.calls
    assert len(place.vertex.created) == 1


@pytest.mark.parametrize(
    ("state", "message", "code", "sentence"),
    [
        (
            "FAILED",
            "The replica workerpool0-0 exited with a non-zero status of 3. \nTo find out more see the log.",
            3,
            "has failed: The replica workerpool0-0 exited with a non-zero status of 3. To find out more see the log; "
            "what it has left is in gs://bucket/try-1.",
        ),
        ("FAILED", "Internal error.", 1, "has failed: Internal error; what it has left is in gs://bucket/try-1."),
        ("CANCELLED", "", 1, "was cancelled; what it has left is in gs://bucket/try-1."),
        ("EXPIRED", "Too long.", 1, "has run longer than it may: Too long; what it has left is in gs://bucket/try-1."),
    ],
)
def test_a_job_that_does_not_succeed_says_why_and_its_exit_code_is_the_job_s(
    place: Place, capsys: pytest.CaptureFixture[str], state: str, message: str, code: int, sentence: str
) -> None:
    place.vertex.walk("RUNNING", state, error=message)
    place.vertex.entries = [(3, entry(9, "Traceback"))]
    assert vertex.submit(SENDING, []) == code
    out, err = capsys.readouterr()
    assert out == "Traceback\n"
    assert err.splitlines()[-1] == f"submit: job 7001 {sentence}"


# What can go wrong


def test_without_credentials_nothing_is_begun(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS")
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(place.folder))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    assert submissions.failure() == (
        "refused: submit: there are no Google Cloud credentials here; run gcloud auth application-default login."
    )
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "absent.json")
    assert submissions.failure() == (
        "refused: submit: GOOGLE_APPLICATION_CREDENTIALS names absent.json, which cannot be used: File absent.json was "
        "not found; run gcloud auth application-default login."
    )
    assert place.vertex.calls == []


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "Is a directory"),
        (b"\xff{", "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
        (b"{}", None),
        (
            b'{"type": "service_account", "token_uri": "x"}',
            "Service account info was not in the expected format, missing fields client_email",
        ),
    ],
    ids=["a folder", "no text", "no type", "no key"],
)
def test_credentials_that_cannot_be_used_are_told_in_a_sentence(
    place: Place, monkeypatch: pytest.MonkeyPatch, content: bytes | None, why: str | None
) -> None:
    path = place.folder / "key"
    path.mkdir() if content is None else path.write_bytes(content)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    start, _, end = submissions.failure().partition(" names ")
    assert start == "refused: submit: GOOGLE_APPLICATION_CREDENTIALS"
    told = why or f"The file {path} does not have a valid type. Type is None, expected one of"
    assert end.startswith(f"{path}, which cannot be used: {told}")
    assert end.endswith("; run gcloud auth application-default login.")


def test_credentials_that_have_expired_and_a_network_that_is_not_there_are_told_before_anything_is_built(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package, "build", None)
    place.vertex.fail("token", Refused(400, "Token has been expired or revoked."))
    message = submissions.failure()
    assert message.startswith("refused: submit: the Google Cloud credentials are not taken (")
    assert "Token has been expired or revoked." in message
    assert message.endswith("); run gcloud auth application-default login.")
    place.vertex.key(place.folder / "key.json")
    key = json.loads((place.folder / "key.json").read_text())
    (place.folder / "key.json").write_text(json.dumps({**key, "token_uri": "http://127.0.0.1:9/token"}))
    assert submissions.failure() == (
        "failed: submit: Google Cloud cannot be reached: HTTPConnection(host='127.0.0.1', port=9): Failed to establish "
        f"a new connection: [Errno {errno.ECONNREFUSED}] Connection refused; nothing was staged."
    )


def test_a_bucket_that_is_not_there_is_named_with_the_command_that_makes_it(place: Place) -> None:
    assert submissions.failure(staging_bucket="gs://absent/x", project="other-project") == (
        "refused: --staging-bucket: there is no bucket absent, so nothing was staged; make it with gcloud storage "
        "buckets create gs://absent --project=other-project --location=us-central1."
    )
    assert "create" not in place.vertex.calls


@pytest.mark.parametrize(
    ("argv", "folder", "place_of_it"),
    [
        ([], "gs://bucket/try-1/model", "try-1/model/settings.json"),
        (["--job-dir", "/gcs/bucket/runs/x/"], "gs://bucket/runs/x/", "runs/x/settings.json"),
    ],
    ids=["base", "job_dir"],
)
def test_a_job_that_would_find_a_run_where_it_leaves_its_own_is_refused(
    place: Place, argv: list[str], folder: str, place_of_it: str
) -> None:
    place.cloud.buckets["bucket"][place_of_it] = b"{}"
    assert submissions.failure(argv) == (
        f"refused: submit: {folder} holds a run; give another --display-name, or among the task's flags --resume to go "
        "on with it, --overwrite to replace it, or another --job-dir."
    )
    assert place.staged == [place_of_it]
    assert "create" not in place.vertex.calls
    assert vertex.submit(SENDING, [*argv, "--resume"]) == 0


def test_who_may_not_look_for_an_earlier_run_may_send_a_job(place: Place) -> None:
    place.cloud.fail(403, of="GET /storage/v1/b/bucket/o/try-1")
    assert vertex.submit(SENDING, []) == 0
    assert place.cloud.failures[0].met == 1


def test_an_upload_that_fails_says_what_was_staged_before_it(place: Place) -> None:
    (place.folder / "adam.py").write_text("Adam = None\n")
    place.cloud.fail(403, at=2, of="POST /upload", times=9)
    message = submissions.failure(["--optimizer", "adam.py:Adam"])
    (wheel,) = place.staged
    first, _, second = message.partition(": as it was told to; ")
    assert first.startswith("failed: submit: gs://bucket/staged/files/")
    assert first.endswith("/adam.py could not be uploaded")
    assert second == f"staged before it: gs://bucket/{wheel}."
    assert "create" not in place.vertex.calls


def test_an_upload_is_tried_again(place: Place) -> None:
    place.cloud.fail(503, of="POST /upload")
    assert vertex.submit(SENDING, []) == 0
    assert len(place.vertex.created) == len(place.staged) == 1


def test_a_refused_job_has_the_service_s_own_words_and_what_was_staged(place: Place) -> None:
    place.vertex.fail("create", Refused(403, "Permission 'aiplatform.customJobs.create' denied."))
    message = submissions.failure()
    assert message == (
        "failed: submit: Vertex AI did not take the job: Permission 'aiplatform.customJobs.create' denied; staged "
        f"before it: gs://bucket/{place.staged[0]}."
    )


@pytest.mark.parametrize("answer", [Refused(None), Refused(503, "Busy.")], ids=["broken", "busy"])
def test_a_job_of_which_nobody_knows_whether_it_was_taken_is_not_sent_again(place: Place, answer: Refused) -> None:
    place.vertex.fail("create", answer)
    message = submissions.failure()
    why = "Busy" if answer.code else "Remote end closed connection without response"
    assert message == (
        f"failed: submit: Vertex AI did not take the job: {why}; look for 'try 1' among the jobs of us-central1 before "
        f"it is sent again; staged before it: gs://bucket/{place.staged[0]}."
    )
    assert place.vertex.calls.count("create") == 1


def test_a_connection_that_is_lost_for_a_while_is_told_of_once(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    place.vertex.walk("RUNNING", "RUNNING", "RUNNING", "SUCCEEDED")
    place.vertex.entries = [(0, entry(0, "a")), (2, entry(1, "b"))]
    place.vertex.fail(
        "get", None, Refused(None), Refused(503, "Busy."), Refused(None), None, Refused(429, "Slow down.")
    )
    place.vertex.fail("logs", None, Refused(None), Refused(503))
    assert vertex.submit(SENDING, []) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == ["a", "b", "gs://bucket/try-1/model"]
    assert [line for line in err.splitlines() if "does not answer" in line] == [
        "submit: Vertex AI does not answer (Remote end closed connection without response); it is asked again",
        "submit: Vertex AI does not answer (Slow down); it is asked again",
    ]


def test_a_connection_that_stays_lost_is_given_up_and_the_job_goes_on(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "PATIENCE_SECONDS", 0.3)
    place.vertex.walk("RUNNING")
    place.vertex.fail("get", None, *[Refused(None)] * 99)
    assert submissions.failure() == (
        f"failed: submit: job {JOB} goes on, but Vertex AI has not answered for 0 minutes: Remote end closed "
        f"connection without response; see {PAGE}, or show its log lines with gcloud ai custom-jobs stream-logs 7001 "
        "--project=123456 --region=us-central1."
    )


def test_a_job_that_may_not_be_asked_for_goes_on(place: Place) -> None:
    place.vertex.fail("get", Refused(403, "Permission denied."))
    assert submissions.failure().startswith(
        f"failed: submit: job {JOB} goes on, but Vertex AI does not tell of it: Permission denied; see {PAGE}, or "
    )


def test_without_permission_for_logs_the_states_are_shown(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    place.vertex.walk("PENDING", "RUNNING", "SUCCEEDED")
    place.vertex.entries = [(0, entry(0, "a"))]
    place.vertex.fail("logs", *[Refused(403, "Permission denied for all log views.")] * 9)
    assert vertex.submit(SENDING, []) == 0
    out, err = capsys.readouterr()
    assert out == "gs://bucket/try-1/model\n"
    assert [line for line in err.splitlines() if "log lines" in line] == [
        "submit: its log lines cannot be read: Permission denied for all log views"
    ]
    assert place.vertex.calls.count("logs") == 1
    assert "submit: job 7001 is running" in err


def test_of_a_big_file_it_is_told_how_far_it_has_come(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(staging, "BIG_BYTES", 1 << 20)
    monkeypatch.setattr(staging, "PART_BYTES", 1 << 23)
    monkeypatch.setattr(staging, "TOLD_SECONDS", 0.0)
    content = os.urandom(5 << 22)
    (place.folder / "words.txt").write_bytes(content)
    argv = ["--warm-start", "day_hour=gs://bucket/x", "--old-vocabulary", "day_hour=words.txt"]
    assert vertex.submit(SENDING, argv) == 0
    objects = place.cloud.buckets["bucket"]
    (name,) = [name for name in objects if name.endswith("/words.txt")]
    assert objects[name] == content
    told = [line for line in capsys.readouterr().err.splitlines() if "% " in line or line.endswith("%")]
    assert told == [
        "submit: 8.4 MB of 21.0 MB, 40%",
        "submit: 16.8 MB of 21.0 MB, 80%",
        "submit: 21.0 MB of 21.0 MB, 100%",
    ]


# Stopping to look

PROGRAM = """
import sys
from pathlib import Path
from trainer.cloud import package
from trainer.cloud.vertex import following
from trainer.__main__ import main
from trainer.errors import leave
following.POLL_SECONDS = 0.05
built = package.Package(Path(sys.argv.pop(1)), (), "ab12")
package.build = lambda folder: built
leave(main())
"""


@contextmanager
def submitted(
    place: Place, built: package.Package, at_a_terminal: bool, out: int = subprocess.DEVNULL
) -> Iterator[tuple[Process, int]]:
    """A process that shows a running job, and the end of its terminal, or of a pipe of its stderr."""
    place.vertex.walk("PENDING", "RUNNING")
    words = ["--backend=vertex", "--region=us-central1", "--staging-bucket=gs://bucket", "--display-name=try 1"]
    ours, theirs = os.openpty() if at_a_terminal else os.pipe()
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", PROGRAM, str(built.path), "submit", *words]
    stdin = theirs if at_a_terminal else subprocess.DEVNULL
    with subprocess.Popen(command, env=environ, stdin=stdin, stdout=out, stderr=theirs) as process:
        os.close(theirs)
        try:
            yield process, ours
        finally:
            process.kill()
            os.close(ours)


def read_until(end: int, text: str) -> str:
    """What a process has said, up to some words; up to its end without any."""
    found = b""
    while not (text and text.encode() in found):
        assert select.select([end], [], [], 60)[0], f"no more than {found!r} was said"
        try:
            data = os.read(end, 4096)
        except OSError:  # a terminal whose other end is closed
            break
        if not data:
            break
        found += data
    return found.decode().replace("\r\n", "\n")


GOES_ON = (
    "\nsubmit: job 7001 goes on.\n"
    "  its log lines: gcloud ai custom-jobs stream-logs 7001 --project=123456 --region=us-central1\n"
    "  to cancel it:  gcloud ai custom-jobs cancel 7001 --project=123456 --region=us-central1\n"
)


@pytest.mark.slow
@pytest.mark.parametrize("answer", ["y", "", "again"])
def test_ctrl_c_at_a_terminal_asks_whether_to_cancel(place: Place, built: package.Package, answer: str) -> None:
    with submitted(place, built, at_a_terminal=True) as (process, end):
        read_until(end, "is running")
        process.send_signal(signal.SIGINT)
        assert read_until(end, "(y/N) ").endswith("\nsubmit: cancel the job? (y/N) ")
        if answer == "again":
            process.send_signal(signal.SIGINT)
        else:
            os.write(end, f"{answer}\n".encode())
        said = read_until(end, "").removeprefix(f"{answer}\n")
        assert process.wait(timeout=30) == 130
    if answer == "y":
        assert place.vertex.cancelled == [JOB]
        assert said == "submit: job 7001 is being cancelled; what it has left is in gs://bucket/try-1.\n"
    else:
        assert place.vertex.cancelled == []
        assert said.removeprefix("^C") == GOES_ON


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["ctrl-c", "sigterm"])
def test_without_a_terminal_a_job_is_left_running(
    place: Place, built: package.Package, number: signal.Signals, code: int
) -> None:
    with submitted(place, built, at_a_terminal=False) as (process, end):
        read_until(end, "is running\n")
        process.send_signal(number)
        assert read_until(end, "") == GOES_ON
        assert process.wait(timeout=30) == code
    assert place.vertex.cancelled == []


@pytest.mark.slow
def test_a_job_whose_lines_nobody_reads_on_is_left_running(place: Place, built: package.Package) -> None:
    place.vertex.entries = [(1, entry(0, "one"))]
    ours, theirs = os.pipe()
    os.close(ours)  # as head does when it has seen enough
    with submitted(place, built, at_a_terminal=False, out=theirs) as (process, end):
        os.close(theirs)
        assert read_until(end, "").endswith(f"submit: job 7001 is running\n{GOES_ON}")
        assert process.wait(timeout=30) == 141
    assert place.vertex.cancelled == []
