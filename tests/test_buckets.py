"""The stand-in for Cloud Storage, as the real clients meet it."""

import io
from collections.abc import Iterator

import pytest
import tensorflow as tf
from google.api_core import exceptions
from google.cloud import storage

from tests import buckets
from tests.bucket_objects import Cloud

# google-cloud-storage


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    with buckets.served() as cloud:
        for name, value in cloud.environment.items():
            monkeypatch.setenv(name, value)
        yield cloud


@pytest.fixture
def bucket(cloud: Cloud) -> storage.Bucket:
    return storage.Client().bucket("bucket")


@pytest.mark.parametrize("name", ["runs/x/settings.json", "a b/ä%2F?#.tsv"])
def test_an_object_is_read_as_it_was_written(name: str, cloud: Cloud, bucket: storage.Bucket) -> None:
    blob = bucket.blob(name)
    blob.upload_from_string(b"Mon 00\r\n", "text/plain")
    assert dict(cloud.buckets["bucket"]) == {name: b"Mon 00\r\n"}
    assert bucket.blob(name).download_as_bytes() == b"Mon 00\r\n"
    there = bucket.get_blob(name)
    assert (there.size, there.content_type, there.crc32c) == (8, "text/plain", blob.crc32c)
    blob.delete()
    assert not blob.exists()


def test_a_large_file_comes_in_pieces(cloud: Cloud, bucket: storage.Bucket) -> None:
    content = bytes(range(256)) * 4097
    bucket.blob("large", chunk_size=256 * 1024).upload_from_file(io.BytesIO(content))
    assert [asked.method for asked in cloud.asked if "uploadType" in asked.query] == ["POST", *["PUT"] * 5]
    assert cloud.buckets["bucket"]["large"] == content
    assert bucket.blob("large", chunk_size=256 * 1024).download_as_bytes() == content


def test_a_list_comes_in_pages_and_with_a_delimiter_as_folders(cloud: Cloud, bucket: storage.Bucket) -> None:
    for name in ("a", "runs/x/b", "runs/x/c", "runs/y/d", "runs/z"):
        cloud.buckets["bucket"][name] = b""
    cloud.page = 2
    assert [blob.name for blob in bucket.list_blobs(prefix="runs/")] == ["runs/x/b", "runs/x/c", "runs/y/d", "runs/z"]
    found = bucket.list_blobs(prefix="runs/", delimiter="/")
    assert ([blob.name for blob in found], found.prefixes) == (["runs/z"], {"runs/x/", "runs/y/"})
    assert len([asked for asked in cloud.asked if asked.path.endswith("/o")]) == 4


def test_an_object_that_is_there_is_not_written_where_none_is_wanted(cloud: Cloud, bucket: storage.Bucket) -> None:
    bucket.blob("digest").upload_from_string("once", if_generation_match=0)
    with pytest.raises(exceptions.PreconditionFailed):
        bucket.blob("digest").upload_from_string("again", if_generation_match=0)
    assert cloud.buckets["bucket"]["digest"] == b"once"


def test_an_object_is_copied_and_renamed(cloud: Cloud, bucket: storage.Bucket) -> None:
    cloud.buckets["bucket"]["a"] = b"x"
    bucket.copy_blob(bucket.blob("a"), bucket, "b/c")
    bucket.rename_blob(bucket.blob("a"), "d/e")
    assert dict(cloud.buckets["bucket"]) == {"b/c": b"x", "d/e": b"x"}


def test_an_unknown_bucket_is_not_found(cloud: Cloud) -> None:
    client = storage.Client()
    with pytest.raises(exceptions.NotFound, match="The specified bucket does not exist"):
        client.bucket("other").blob("a").upload_from_string("x")
    with pytest.raises(exceptions.NotFound):
        client.get_bucket("other")
    assert client.get_bucket("bucket").name == "bucket"


def test_requests_fail_as_they_are_told_to(cloud: Cloud, bucket: storage.Bucket) -> None:
    cloud.fail(403, at=2, of="^POST /upload/.*[?&]uploadType=multipart")
    bucket.blob("a").upload_from_string("x")
    with pytest.raises(exceptions.Forbidden):
        bucket.blob("b").upload_from_string("x")
    bucket.blob("c").upload_from_string("x")
    assert [*cloud.buckets["bucket"]] == ["a", "c"]


def test_bytes_that_were_changed_under_way_are_refused(cloud: Cloud, bucket: storage.Bucket) -> None:
    blob = bucket.blob("a")
    blob.crc32c = "AAAAAA=="
    with pytest.raises(exceptions.BadRequest):
        blob.upload_from_string("x", checksum=None)
    assert not cloud.buckets["bucket"]


# TensorFlow's file system


def test_tensorflow_sees_the_same_objects(cloud: Cloud) -> None:
    files = tf.io.gfile
    files.makedirs("gs://bucket/runs/x")
    with files.GFile("gs://bucket/runs/x/labels.tsv", "wb") as file:
        file.write(b"Mon 00\n" * 1000)
    assert dict(cloud.buckets["bucket"]) == {"runs/": b"", "runs/x/": b"", "runs/x/labels.tsv": b"Mon 00\n" * 1000}
    cloud.buckets["bucket"]["runs/x/logs/events"] = bytes(range(256))
    cloud.page = 1
    assert sorted(files.listdir("gs://bucket/runs/x")) == ["labels.tsv", "logs/"]
    assert files.glob("gs://bucket/runs/*/labels.tsv") == ["gs://bucket/runs/x/labels.tsv"]
    with files.GFile("gs://bucket/runs/x/logs/events", "rb") as file:
        file.seek(250)
        assert file.read() == bytes(range(250, 256))
    files.rename("gs://bucket/runs/x/labels.tsv", "gs://bucket/runs/y/labels.tsv")
    files.rmtree("gs://bucket/runs/x")
    assert [*cloud.buckets["bucket"]] == ["runs/", "runs/y/labels.tsv"]
    assert cloud.refused == []


def test_tensorflow_finds_no_unknown_bucket(cloud: Cloud) -> None:
    assert not tf.io.gfile.exists("gs://other/runs")
    with pytest.raises(tf.errors.NotFoundError):
        tf.io.gfile.mkdir("gs://other/runs")
