"""A stand-in for Google Cloud Storage, since tests have no account: objects in memory, served to the real clients.

google-cloud-storage comes over HTTP, by its variable `STORAGE_EMULATOR_HOST`. TensorFlow has no such variable: it comes
through a proxy, by `https_proxy`, which answers for Google's hosts with a certificate of its own. Both see the same
objects. The package gcp-storage-emulator is not used: it has no TLS and no proxy, no pages of a list and no
`ifGenerationMatch`, answers one request at a time, and cannot be told to fail.
"""

import json
import re
import ssl
import sys
import tempfile
import threading
import urllib.parse
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import trustme

from tests.bucket_objects import Asked, Bucket, Cloud, digests, resource

HOSTS = ("storage.googleapis.com", "www.googleapis.com")
"""The hosts that the proxy answers for; to another it lets nothing through."""


@contextmanager
def served(*names: str) -> Iterator[Cloud]:
    """Serves buckets until the block ends.

    Args:
        names: Of the buckets, empty at first; "bucket" alone by default.

    Yields:
        The service; its `environment` is for other processes, its `buckets` hold the objects.
    """
    authority = trustme.CA()
    certificate = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(*HOSTS).configure_cert(certificate)
    cloud = Cloud({name: Bucket() for name in names or ("bucket",)})
    answers = {f"do_{method}": _Handler.answer for method in ("DELETE", "GET", "HEAD", "POST", "PUT")}
    handler = type("Handler", (_Handler,), {"cloud": cloud, "certificate": certificate, **answers})
    server = _Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}"
    with tempfile.TemporaryDirectory() as folder:
        authority.cert_pem.write_to_path(str(Path(folder, "authority.pem")))
        cloud.environment.update(
            STORAGE_EMULATOR_HOST=address,
            https_proxy=address,
            no_proxy="127.0.0.1,localhost",  # which gRPC would take that way as well
            CURL_CA_BUNDLE=str(Path(folder, "authority.pem")),
            NO_GCE_CHECK="true",
            GOOGLE_AUTH_TOKEN_FOR_TESTING="nobody",
        )
        try:
            yield cloud
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing of one who goes before the answer is there, as a process does that is killed."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Refused(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class _Handler(BaseHTTPRequestHandler):
    cloud: Cloud
    certificate: ssl.SSLContext
    protocol_version = "HTTP/1.1"  # connections stay, as the service's do
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, format: str, *words: Any) -> None:
        """Says nothing; what was asked is noted."""

    def do_CONNECT(self) -> None:
        if self.path.partition(":")[0] not in HOSTS:
            self.cloud.refused.append(self.path)
            self.send_error(403)
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.flush()
        # What comes next on this connection are requests to the host, within TLS.
        self.connection = self.certificate.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb")
        self.close_connection = False

    def handle_expect_100(self) -> bool:
        """Says at once that what is announced may come, for which TensorFlow waits a second."""
        is_wanted = super().handle_expect_100()
        self.wfile.flush()
        return is_wanted

    def finish(self) -> None:
        """Closes what a connection has opened."""
        super().finish()
        if self.connection is not self.request:
            self.connection.close()

    def answer(self) -> None:
        """Answers a request."""
        address = urllib.parse.urlsplit(self.path)
        body = self._body()
        query = dict(urllib.parse.parse_qsl(address.query, keep_blank_values=True))
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.command, address.path, query, body, headers)
        try:
            if status := self.cloud.note(asked):
                raise _Refused(status, "as it was told to")
            with self.cloud.lock:
                answer = _Service(self.cloud, asked).answer()
        except _Refused as refused:
            answer = refused.status, _json({"error": {"code": refused.status, "message": str(refused)}}), {}
        self._send(*answer)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":  # TensorFlow's are, and have a length too
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        chunks = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
        self.wfile.flush()


_Answer = tuple[int, bytes, dict[str, str]]


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


class _Service:
    """The answer to one request."""

    def __init__(self, cloud: Cloud, asked: Asked) -> None:
        self.cloud, self.asked = cloud, asked

    def answer(self) -> _Answer:
        """Returns the answer: status, bytes and headers."""
        if "upload_id" in self.asked.query:
            return self._continued()
        kind, bucket, name, *other = self._places()
        self._bucket(bucket)
        if other:
            return self._copied(bucket, name, *other)
        if kind == "upload":
            return self._uploaded(bucket)
        if name is None:
            return self._listed(bucket) if kind == "objects" else _told({"kind": "storage#bucket", "name": bucket})
        if self.asked.method == "DELETE":
            del self._there(bucket, name)[name]
            return 204, b"", {}
        if kind == "bytes" or self.asked.query.get("alt") == "media":
            return self._read(bucket, name)
        return _told(resource(bucket, name, self._there(bucket, name).held(name)))

    def _places(self) -> list[Any]:
        """Returns what kind of request it is, its bucket and object, and those that it copies to."""
        # What is in an object's name is written as %2F here; gcloud says of a part that it is one.
        parts = self.asked.path.removeprefix("/resumable").split("/")[1:]
        words = [urllib.parse.unquote(part) for part in parts]
        if parts[0] not in ("storage", "upload", "download"):
            return ["bytes", words[0], "/".join(words[1:])]
        after = words[words.index("b") + 1 :]
        kind = "upload" if parts[0] == "upload" else "objects" if "o" in after[1:2] else "bucket"
        if len(after) > 3:  # BUCKET o OBJECT rewriteTo b BUCKET o OBJECT
            return [after[3], after[0], after[2], after[5], after[7]]
        return [kind, after[0], after[2] if len(after) > 2 else None]

    def _bucket(self, name: str) -> Bucket:
        if name not in self.cloud.buckets:
            raise _Refused(404, "The specified bucket does not exist.")
        return self.cloud.buckets[name]

    def _there(self, bucket: str, name: str) -> Bucket:
        if name not in (found := self._bucket(bucket)):
            raise _Refused(404, f"No such object: {bucket}/{name}")
        self._as_wanted(found, name)
        return found

    def _as_wanted(self, bucket: Bucket, name: str) -> None:
        wanted = self.asked.query.get("ifGenerationMatch")
        if wanted is not None and int(wanted) != bucket.generation(name):
            raise _Refused(412, "At least one of the pre-conditions you specified did not hold.")

    def _read(self, bucket: str, name: str) -> _Answer:
        held = self._there(bucket, name).held(name)
        crc, md5 = digests(held.content)
        headers = {"Content-Type": held.kind, "X-Goog-Hash": f"crc32c={crc},md5={md5}"}
        headers["X-Goog-Generation"] = str(held.generation)
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.asked.headers.get("range", ""))
        if wanted is None:
            return 200, held.content, headers
        size, first = len(held.content), int(wanted[1])
        if first >= size:
            raise _Refused(416, "The requested range cannot be satisfied.")
        last = min(int(wanted[2] or size), size - 1)
        return 206, held.content[first : last + 1], {**headers, "Content-Range": f"bytes {first}-{last}/{size}"}

    def _listed(self, bucket: str) -> _Answer:
        query, objects = self.asked.query, self._bucket(bucket)
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        entries: dict[str, bool] = {}  # names, and the beginnings of names up to a delimiter
        for name in objects:
            if name.startswith(prefix):
                head, found, _ = name[len(prefix) :].partition(delimiter) if delimiter else (name, "", "")
                entries[f"{prefix}{head}{delimiter}" if found else name] = bool(found)
        wanted = [name for name in sorted(entries) if name > query.get("pageToken", "")]
        page = wanted[: min(self.cloud.page, int(query.get("maxResults", self.cloud.page)))]
        return _told(
            {
                "kind": "storage#objects",
                "items": [resource(bucket, name, objects.held(name)) for name in page if not entries[name]],
                "prefixes": [name for name in page if entries[name]],
                **({"nextPageToken": page[-1]} if len(page) < len(wanted) else {}),
            }
        )

    def _copied(self, bucket: str, name: str, other: str, to: str) -> _Answer:
        held, target = self._there(bucket, name).held(name), self._bucket(other)
        target.put(to, held.content, held.kind)
        told, size = resource(other, to, target.held(to)), str(len(held.content))
        if "/rewriteTo/" not in self.asked.path:
            return _told(told)
        sizes = {"totalBytesRewritten": size, "objectSize": size}
        return _told({"kind": "storage#rewriteResponse", "done": True, **sizes, "resource": told})

    def _uploaded(self, bucket: str) -> _Answer:
        query, body = self.asked.query, self.asked.body
        kind = self.asked.headers.get("content-type", "application/octet-stream")
        if query["uploadType"] == "multipart":
            kind = kind.replace("'", '"')  # gcloud's quotes about the boundary
            parts: Any = BytesParser().parsebytes(b"content-type: " + kind.encode() + b"\r\n\r\n" + body)
            about, file = parts.get_payload()
            described = {"contentType": file.get_content_type(), **json.loads(about.get_payload(decode=True))}
            content = file.get_payload(decode=True)
            return self._put(bucket, query.get("name") or described["name"], content, described)
        if query["uploadType"] == "media":
            return self._put(bucket, query["name"], body, {"contentType": kind})
        described = json.loads(body or b"{}")
        name, upload = query.get("name") or described["name"], uuid.uuid4().hex
        self._as_wanted(self._bucket(bucket), name)
        self.cloud.uploads[upload] = bucket, name, described.get("contentType", kind), b""
        host = self.asked.headers["host"]
        scheme = "https" if host.partition(":")[0] in HOSTS else "http"
        address = f"{scheme}://{host}{self.asked.path}?uploadType=resumable&upload_id={upload}"
        return 200, b"", {"Location": address}

    def _continued(self) -> _Answer:
        upload = self.asked.query["upload_id"]
        if upload not in self.cloud.uploads:
            raise _Refused(404, "There is no such upload.")
        bucket, name, kind, before = self.cloud.uploads[upload]
        told = re.fullmatch(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)", self.asked.headers.get("content-range", "bytes */0"))
        if told is None or int(told[1] or len(before)) != len(before):
            raise _Refused(400, "The range does not follow what is there.")
        content = before + self.asked.body
        if told[3] == "*" or len(content) < int(told[3]):
            self.cloud.uploads[upload] = bucket, name, kind, content
            return 308, b"", {"Range": f"bytes=0-{len(content) - 1}"} if content else {}
        del self.cloud.uploads[upload]
        return self._put(bucket, name, content, {"contentType": kind})

    def _put(self, bucket: str, name: str, content: bytes, described: dict[str, Any]) -> _Answer:
        self._as_wanted(objects := self._bucket(bucket), name)
        for told, is_so in zip(("crc32c", "md5Hash"), digests(content), strict=True):
            if described.get(told, is_so) != is_so:
                raise _Refused(400, f"Provided {told} does not match.")
        objects.put(name, content, described.get("contentType", "application/octet-stream"))
        return _told(resource(bucket, name, objects.held(name)))


def _told(value: dict[str, Any]) -> _Answer:
    return 200, _json(value), {"Content-Type": "application/json; charset=UTF-8"}
