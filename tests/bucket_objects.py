"""The objects of the stand-in for Cloud Storage, and what it tells of them."""

import base64
import hashlib
import re
import threading
import time
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import google_crc32c


@dataclass(frozen=True)
class Asked:
    """A request as it came.

    Args:
        method: GET, POST and so on.
        path: Of the address, as it came, without the query.
        query: What follows the question mark, by name.
        body: What was sent.
        headers: By name, in small letters.
    """

    method: str
    path: str
    query: dict[str, str]
    body: bytes
    headers: dict[str, str]

    @property
    def text(self) -> str:
        """The request as one reads it: `GET /storage/v1/b/bucket/o?prefix=runs/`."""
        query = "&".join(f"{name}={value}" for name, value in self.query.items())
        return f"{self.method} {unquote(self.path)}{f'?{query}' if query else ''}"


@dataclass(frozen=True)
class Held:
    """An object: its bytes, what kind of file they are, and the number of its writing."""

    content: bytes
    kind: str
    generation: int


class Bucket(MutableMapping[str, bytes]):
    """The objects of a bucket: their bytes by name. Each writing of an object has a number of its own."""

    def __init__(self) -> None:
        self._held: dict[str, Held] = {}
        self._last = 0

    def __getitem__(self, name: str) -> bytes:
        return self._held[name].content

    def __setitem__(self, name: str, content: bytes) -> None:
        self.put(name, content)

    def __delitem__(self, name: str) -> None:
        del self._held[name]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._held))

    def __len__(self) -> int:
        return len(self._held)

    def put(self, name: str, content: bytes, kind: str = "application/octet-stream") -> None:
        """Writes an object."""
        self._last = max(time.time_ns() // 1000, self._last + 1)  # as the real ones: microseconds, and no two alike
        self._held[name] = Held(content, kind, self._last)

    def held(self, name: str) -> Held:
        """Returns an object with what is told of it."""
        return self._held[name]

    def generation(self, name: str) -> int:
        """Returns the number of an object's writing, 0 where there is none."""
        return self._held[name].generation if name in self._held else 0


def resource(bucket: str, name: str, held: Held) -> dict[str, Any]:
    """Returns what the service tells of an object."""
    when = datetime.fromtimestamp(held.generation / 1e6, UTC).isoformat(timespec="milliseconds")
    crc, md5 = digests(held.content)
    return {
        "kind": "storage#object",
        "id": f"{bucket}/{name}/{held.generation}",
        "name": name,
        "bucket": bucket,
        "generation": str(held.generation),
        "metageneration": "1",
        "contentType": held.kind,
        "storageClass": "STANDARD",
        "size": str(len(held.content)),
        "timeCreated": when.replace("+00:00", "Z"),
        "updated": when.replace("+00:00", "Z"),
        "crc32c": crc,
        "md5Hash": md5,
        "etag": str(held.generation),
    }


def digests(content: bytes) -> tuple[str, str]:
    """Returns the CRC32C and the MD5 of bytes as the service writes them."""
    crc = google_crc32c.Checksum(content).digest()
    md5 = hashlib.md5(content, usedforsecurity=False).digest()
    return base64.b64encode(crc).decode(), base64.b64encode(md5).decode()


@dataclass
class Failure:
    """Requests that are to fail: `times` of those that are meant, from the `at`-th on, with a status."""

    status: int
    at: int
    times: int
    of: str
    met: int = 0

    def strikes(self, asked: Asked) -> bool:
        """Tells whether a request fails."""
        if not re.search(self.of, asked.text):
            return False
        self.met += 1
        return self.at <= self.met < self.at + self.times


@dataclass
class Cloud:
    """The service: its buckets, what it was asked, and what it has been told to do wrong.

    Args:
        buckets: By name; a name that is not there is answered with 404.
        environment: The variables with which another process comes to these buckets.
        page: The most objects that one answer lists.
        delay: Seconds that each answer takes.
        most_at_once: How many requests were there at the same time.
        asked: The requests so far, oldest first.
        refused: The hosts and ports that the proxy was asked for and lets nothing through to.
    """

    buckets: dict[str, Bucket] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    page: int = 1000
    delay: float = 0.0
    most_at_once: int = 0
    asked: list[Asked] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    uploads: dict[str, tuple[str, str, str, bytes]] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    _at_once: int = 0

    def fail(self, status: int, at: int = 1, times: int = 1, of: str = "") -> None:
        """Makes requests fail.

        Args:
            status: What they are answered with, as 503.
            at: The first of them that fails, from now on.
            times: How many fail.
            of: A regular expression that is found in the text of the requests that are meant; all are by default.
        """
        with self.lock:
            self.failures.append(Failure(status, at, times, of))

    def note(self, asked: Asked) -> int | None:
        """Notes a request, and returns the status that it is to fail with."""
        with self.lock:
            self.asked.append(asked)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        time.sleep(self.delay)
        with self.lock:
            self._at_once -= 1
            struck = [failure.status for failure in self.failures if failure.strikes(asked)]
        return struck[0] if struck else None
