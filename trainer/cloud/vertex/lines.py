"""The log lines of a job, each once, from Cloud Logging."""

import datetime
import json
import sys
from collections.abc import Iterator
from typing import Any

from trainer.cloud import lines
from trainer.cloud.replicas import Replicas
from trainer.cloud.vertex.service import is_passing, told

WINDOW = datetime.timedelta(minutes=1)
"""How late a line may arrive after younger ones."""

_NEVER = datetime.datetime.fromtimestamp(WINDOW.total_seconds(), datetime.UTC)


class Lines:
    """Reads what is new.

    Args:
        client: Of Cloud Logging.
        job: The job's id.
        replicas: Of several the name stands before each line, as in a rehearsal.
    """

    def __init__(self, client: Any, job: str, replicas: Replicas) -> None:
        self._client, self._job, self._labels = client, job, _labels(replicas)
        self._since: datetime.datetime | None = None
        self._newest = _NEVER
        self._seen = dict[tuple[str, str], datetime.datetime]()
        self._is_refused = False

    def new(self, job: Any) -> list[str]:
        """Returns the lines that were not there before, in their order; once it says why there are none to read."""
        if self._is_refused:
            return []
        self._since = self._since or job.create_time
        try:
            entries = list(self._entries())
        except Exception as error:  # of whatever kind: the job does not depend on it
            if not is_passing(error):
                self._is_refused = True
                print(f"submit: its log lines cannot be read: {told(error)}", file=sys.stderr)
            return []
        found = []
        for entry in entries:
            key = (str(entry.log_name), str(entry.insert_id))
            if key not in self._seen:
                self._seen[key] = entry.timestamp
                self._newest = max(self._newest, entry.timestamp)
                found += self._shown(entry)
        self._seen = {key: time for key, time in self._seen.items() if time >= self._newest - 2 * WINDOW}
        return found

    def _entries(self) -> Iterator[Any]:
        after = max(self._since or _NEVER, self._newest - WINDOW).isoformat()
        asked = f'resource.type="ml_job" AND resource.labels.job_id="{self._job}" AND timestamp>="{after}"'
        yield from self._client.list_entries(filter_=asked, order_by="timestamp asc", page_size=1000)

    def _shown(self, entry: Any) -> list[str]:
        payload = entry.payload
        if isinstance(payload, dict):  # of what a container prints, the line is in it
            payload = payload.get("message", json.dumps(payload, ensure_ascii=False))
        labels = (entry.resource.labels if entry.resource else None) or {}
        before = self._labels.get(labels.get("task_name", ""), "")
        return [f"{before}{line}" for line in str(payload or "").splitlines()]


def _labels(replicas: Replicas) -> dict[str, str]:
    """Returns what stands before the lines of each replica, by Vertex AI's name for it."""
    if replicas.is_one:
        return {}
    width, is_coloured = max(len(each.title) for each in replicas), lines.is_coloured(sys.stdout.buffer)
    return {
        each.name: lines.label(each.title, width, place, is_coloured).decode() for place, each in enumerate(replicas)
    }
