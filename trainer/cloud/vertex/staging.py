"""Puts what a job needs into its bucket; what is there already stays, since its name holds its digest."""

import io
import os
import shlex
import sys
import time
from collections.abc import Iterator
from typing import Any

from trainer.cloud.vertex.forms import bucket_name
from trainer.cloud.vertex.goods import Goods
from trainer.cloud.vertex.request import staged_folder
from trainer.cloud.vertex.service import Account, told
from trainer.cloud.vertex.settings import Settings
from trainer.errors import Refusal, TrainingFailure
from trainer.terminal import quantity

BIG_BYTES = 1 << 26
"""A larger file is sent in parts, and it is told how far it has come."""

PART_BYTES = 1 << 25

TOLD_SECONDS = 5.0


def stage(settings: Settings, who: Account, goods: Goods) -> list[str]:
    """Uploads what is not there yet.

    Args:
        settings: The flags of submit.
        who: Who uploads.
        goods: What is wanted.

    Returns:
        Where each file and list lies now.

    Raises:
        Refusal: There is no such bucket.
        TrainingFailure: A file could not be uploaded; those that were are named.
    """
    from google.api_core.exceptions import NotFound
    from google.cloud import storage

    client = storage.Client(project=who.project, credentials=who.credentials)
    bucket = client.bucket(bucket_name(settings.bucket))
    above = staged_folder(settings).removeprefix(f"gs://{bucket.name}/")
    lies = list[str]()
    for place, content in _contents(goods):
        address = f"gs://{bucket.name}/{above}/{place}"
        try:
            _upload(bucket.blob(f"{above}/{place}"), content, address)
        except NotFound:
            raise Refusal(_no_bucket(settings, who, bucket.name)) from None
        except Exception as error:  # whatever the network and the library raise, it is the same for a person
            made = f"staged before it: {', '.join(lies)}" if lies else "nothing was staged before it"
            raise TrainingFailure(f"submit: {address} could not be uploaded: {told(error)}; {made}.") from None
        lies.append(address)
    return lies


def _contents(goods: Goods) -> Iterator[tuple[str, str | bytes]]:
    """Yields each place, and the file or the bytes that belong there; the list comes when what it names is there."""
    yield from goods.files.items()
    if goods.listing_place is not None and goods.listing is not None:
        yield goods.listing_place, goods.listing.encode()


def _upload(blob: Any, content: str | bytes, address: str) -> None:
    from google.api_core.exceptions import PreconditionFailed

    if blob.exists():
        return
    # Generation 0 is no object: two that upload the same do not disturb each other.
    how = {"if_generation_match": 0, "checksum": "crc32c"}
    try:
        if isinstance(content, bytes):
            blob.upload_from_string(content, content_type="application/json", **how)
            return
        size = os.path.getsize(content)
        print(f"submit: uploads {address}, {quantity(size)}", file=sys.stderr)
        if size > BIG_BYTES:
            blob.chunk_size = PART_BYTES
        with open(content, "rb") as file:
            blob.upload_from_file(_Told(file, size) if size > BIG_BYTES else file, size=size, **how)
    except PreconditionFailed:
        return


class _Told(io.RawIOBase):
    """A file that tells how much of it was read."""

    def __init__(self, file: Any, size: int) -> None:
        super().__init__()
        self._file, self._size, self._last = file, size, time.monotonic()

    def read(self, size: int = -1) -> bytes:
        data: bytes = self._file.read(size)
        if time.monotonic() - self._last > TOLD_SECONDS:
            self._last = time.monotonic()
            read = self._file.tell()
            print(f"submit: {quantity(read)} of {quantity(self._size)}, {read / self._size:.0%}", file=sys.stderr)
        return data

    def tell(self) -> int:
        return int(self._file.tell())

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return int(self._file.seek(offset, whence))


def _no_bucket(settings: Settings, who: Account, bucket: str) -> str:
    words = ["gcloud", "storage", "buckets", "create", f"gs://{bucket}"]
    command = shlex.join([*words, f"--project={who.project}", f"--location={settings.region}"])
    return f"--staging-bucket: there is no bucket {bucket}, so nothing was staged; make it with {command}."
