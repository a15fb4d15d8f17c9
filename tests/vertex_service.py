"""A stand-in for Vertex AI's jobs, for Cloud Logging and for the endpoint of tokens, over plain HTTP.

It is one because there is no account here to try the real ones with. Each request is parsed into the types of Google's
own libraries, and answered with 400, as the API does, where a field is unknown or a needed one is missing; jobs walk
through the states that a test writes down. What it cannot tell is whether Google would run the job.
"""

import json
import re
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.cloud import aiplatform_v1
from google.cloud.logging_v2.types import ListLogEntriesRequest
from google.protobuf import json_format

NUMBER = "123456"
"""The project's number, by which Vertex AI names its jobs whatever they were asked for by."""

KINDS = {"customJobs": aiplatform_v1.CustomJob, "hyperparameterTuningJobs": aiplatform_v1.HyperparameterTuningJob}


class Refused(Exception):
    """An answer that is an error, in Google's form; without a code the connection is broken off."""

    def __init__(self, code: int | None, message: str = "") -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass
class Vertex:
    """The service, and what a test may look at and write down.

    Args:
        url: Where it listens.
        created: The jobs that were sent, as JSON has them once they have been parsed.
        calls: What was asked, in order: "create", "get", "cancel", "logs" or "token".
        states: Of the job, one an asking, as fields of its JSON; the last stays.
        entries: Of the log: how many times it was asked before an entry is there, and the entry.
        cancelled: The names of the jobs that were cancelled.
        filters: With what the log was asked.
        failures: By call, what happens instead of an answer, one an asking; None is an answer.
    """

    url: str = ""
    created: list[dict[str, Any]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    states: deque[dict[str, Any]] = field(default_factory=lambda: deque([{"state": "JOB_STATE_SUCCEEDED"}]))
    entries: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    filters: list[str] = field(default_factory=list)
    failures: dict[str, deque[Refused | None]] = field(default_factory=dict)

    def fail(self, call: str, *answers: Refused | None) -> None:
        """Lets the next askings fail."""
        self.failures.setdefault(call, deque()).extend(answers)

    def walk(self, *states: str, error: str = "") -> None:
        """Writes down the states that a job goes through, and what went wrong at its end."""
        self.states = deque({"state": f"JOB_STATE_{state}"} for state in states)
        if error:
            self.states[-1]["error"] = {"code": 3, "message": error}

    def key(self, path: Path) -> Path:
        """Writes the key file of a service account whose tokens come from here."""
        made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        no_password = serialization.NoEncryption()
        pem = made.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, no_password)
        account = {"type": "service_account", "project_id": "my-project", "private_key_id": "1", "client_id": "1"}
        account |= {"private_key": pem.decode(), "client_email": "me@my-project.iam.gserviceaccount.com"}
        path.write_text(json.dumps({**account, "token_uri": f"{self.url}/token"}))
        return path

    def answer(self, method: str, target: str, body: bytes) -> dict[str, Any]:
        """Returns the answer to a request, or raises the `Refused` that it is."""
        address = urlsplit(target)
        call = _call(method, address.path)
        self.calls.append(call)
        planned = self.failures.get(call)
        if planned and (failure := planned.popleft()) is not None:
            raise failure
        if call == "token":
            return {"access_token": "token", "expires_in": 3600, "token_type": "Bearer"}
        if call == "logs":
            return self._logs(json.loads(body))
        whole = "enum-encoding=int" in "".join(parse_qs(address.query).get("$alt", []))
        return getattr(self, f"_{call}")(address.path.removeprefix("/v1/"), body, whole)

    def _create(self, path: str, body: bytes, whole: bool) -> dict[str, Any]:
        kind = path.rpartition("/")[2]
        job = _parsed(body, KINDS[kind])
        _check(job)
        self.created.append(json_format.MessageToDict(job))
        place = re.sub("projects/[^/]+", f"projects/{NUMBER}", path)
        job.name = f"{place}/{7000 + len(self.created)}"
        job.state = aiplatform_v1.JobState.JOB_STATE_PENDING
        job.create_time.FromJsonString("2026-11-29T10:00:00Z")
        self._kept = job
        return json_format.MessageToDict(job, use_integers_for_enums=whole)

    def _get(self, path: str, body: bytes, whole: bool) -> dict[str, Any]:
        job = self._known(path)
        now = self.states.popleft() if len(self.states) > 1 else self.states[0]
        for name in now:
            job.ClearField(name)
        json_format.ParseDict(now, job)
        return json_format.MessageToDict(job, use_integers_for_enums=whole)

    def _cancel(self, path: str, body: bytes, whole: bool) -> dict[str, Any]:
        self.cancelled.append(self._known(path.removesuffix(":cancel")).name)
        return {}

    def _known(self, path: str) -> Any:
        job = getattr(self, "_kept", None)
        if job is None or job.name != path:
            raise Refused(404, f"There is no job {path}.")
        return job

    def _logs(self, body: dict[str, Any]) -> dict[str, Any]:
        asked = _parsed(json.dumps(body).encode(), ListLogEntriesRequest)
        if not asked.resource_names:
            raise Refused(400, "resource_names: it is needed.")
        self.filters.append(asked.filter)
        after = re.search(r'timestamp>="([^"]+)"', asked.filter)
        ready = [entry for polls, entry in self.entries if len(self.filters) > polls]
        found = [entry for entry in ready if after is None or entry["timestamp"] >= after[1][:19]]
        start = int(asked.page_token or 0)
        page = sorted(found, key=lambda entry: entry["timestamp"])[start : start + (asked.page_size or 50)]
        end = start + len(page)
        return {"entries": page, **({"nextPageToken": str(end)} if end < len(found) else {})}


def entry(second: int, text: str, replica: str = "workerpool0-0", number: int | None = None) -> dict[str, Any]:
    """Returns a log line of a job, as Cloud Logging has it."""
    labels = {"job_id": "7001", "task_name": replica, "project_id": "my-project"}
    return {
        "logName": f"projects/my-project/logs/{replica}",
        "insertId": f"{second}-{number or 0}",
        "timestamp": f"2026-11-29T10:00:{second:02}.5Z",
        "severity": "INFO",
        "resource": {"type": "ml_job", "labels": labels},
        "textPayload": text,
    }


def _call(method: str, path: str) -> str:
    if path == "/token":
        return "token"
    if path == "/v2/entries:list":
        return "logs"
    if path.endswith(":cancel"):
        return "cancel"
    return "create" if method == "POST" else "get"


def _parsed(body: bytes, kind: Any) -> Any:
    try:
        return json_format.Parse(body, kind.pb()(), ignore_unknown_fields=False)
    except json_format.ParseError as error:
        raise Refused(400, f"Invalid JSON payload received. {error}") from None


def _check(job: Any) -> None:
    """Refuses what Vertex AI refuses, as far as its documentation says."""
    is_custom = isinstance(job, aiplatform_v1.CustomJob.pb())
    spec = job.job_spec if is_custom else job.trial_job_spec
    missing = [] if job.display_name else ["display_name"]
    if not is_custom:
        needed = {"max_trial_count": job.max_trial_count, "parallel_trial_count": job.parallel_trial_count}
        needed |= {"study_spec.metrics": job.study_spec.metrics, "study_spec.parameters": job.study_spec.parameters}
        missing += [name for name, value in needed.items() if not value]
    pools = list(spec.worker_pool_specs)
    if not pools:
        missing.append("worker_pool_specs")
    for place, pool in enumerate(pools):
        if not pool.ByteSize() and place:
            continue
        needed = {"machine_spec.machine_type": pool.machine_spec.machine_type, "replica_count": pool.replica_count}
        needed["container_spec.image_uri"] = pool.container_spec.image_uri
        missing += [f"worker_pool_specs[{place}].{name}" for name, value in needed.items() if not value]
    if missing:
        raise Refused(400, f"The following required fields are not set: {', '.join(missing)}.")
    if pools[0].replica_count != 1:
        raise Refused(400, "worker_pool_specs[0].replica_count must be 1.")


@contextmanager
def serving() -> Iterator[Vertex]:
    """Serves on a port of this machine until the block ends."""
    service = Vertex()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"service": service}))
    server.daemon_threads = True
    service.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    service: Vertex

    def do_POST(self) -> None:  # the library calls it so
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            code, answer = 200, self.service.answer(self.command, self.path, body)
        except Refused as refused:
            if refused.code is None:
                self.close_connection = True
                return
            status = {400: "INVALID_ARGUMENT", 403: "PERMISSION_DENIED", 404: "NOT_FOUND"}.get(
                refused.code, "UNAVAILABLE"
            )
            code, answer = refused.code, {"error": {"code": refused.code, "message": refused.message, "status": status}}
        content = json.dumps(answer).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json; charset=UTF-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST  # noqa: N815  # as above

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""
