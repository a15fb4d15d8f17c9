import os
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from trainer import paths

# TensorFlow's file system reads file:// as it reads gs://: it stands for every remote one.
KINDS = ["local", "file"]
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
each_text = hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)


@pytest.fixture(params=KINDS)
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path) if request.param == "local" else f"file://{tmp_path}"


@pytest.mark.parametrize(
    ("path", "remote"),
    [
        ("gs://bucket/run", True),
        ("file:///tmp/run", True),
        ("ram://run", True),
        ("/gcs/bucket/run", False),
        ("runs/flights", False),
        ("C:/runs", False),
        ("", False),
    ],
)
def test_a_path_with_a_scheme_is_remote(path: str, remote: bool) -> None:
    assert paths.is_remote(path) is remote


def test_a_local_path_becomes_absolute_and_a_remote_one_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/ada")
    assert paths.absolute("runs/../data") == str(tmp_path / "data")
    assert paths.absolute("~/data") == "/home/ada/data"
    assert paths.absolute("gs://bucket/../data") == "gs://bucket/../data"


@given(TEXTS.filter(lambda text: "\0" not in text))
def test_an_absolute_path_stays_as_it_is(text: str) -> None:
    assert paths.absolute(paths.absolute(text)) == paths.absolute(text)


def test_names_are_joined_with_one_slash() -> None:
    assert paths.join("gs://bucket/run/", "tables", "day_hour.tsv") == "gs://bucket/run/tables/day_hour.tsv"
    assert paths.join("gs://bucket/run") == "gs://bucket/run"
    assert paths.join("runs/flights", "logs") == "runs/flights/logs"


def test_files_and_folders_are_told_apart(folder: str) -> None:
    file = paths.join(folder, "labels.tsv")
    paths.write_text(file, "Mon 00")
    absent = paths.join(folder, "absent")
    assert [paths.exists(path) for path in (folder, file, absent)] == [True, True, False]
    assert [paths.is_folder(path) for path in (folder, file, absent)] == [True, False, False]


def test_names_in_a_folder_are_sorted_and_an_absent_one_has_none(folder: str) -> None:
    for name in ("b", "a", "c"):
        paths.make_folder(paths.join(folder, name))
    paths.write_text(paths.join(folder, "aa"), "")
    assert paths.names_in(folder) == ["a", "aa", "b", "c"]
    assert paths.names_in(paths.join(folder, "absent")) == []
    assert paths.names_in(paths.join(folder, "aa")) == []


def test_a_folder_is_made_with_those_above_it_and_made_again_without_harm(folder: str) -> None:
    deep = paths.join(folder, "a", "b", "c")
    paths.make_folder(deep)
    paths.write_text(paths.join(deep, "x"), "kept")
    paths.make_folder(deep)
    assert paths.read_text(paths.join(deep, "x")) == "kept"


def test_a_folder_is_removed_with_all_that_is_in_it(folder: str) -> None:
    paths.make_folder(paths.join(folder, "run", "logs"))
    paths.write_text(paths.join(folder, "run", "logs", "events"), "x")
    paths.remove_folder(paths.join(folder, "run"))
    assert paths.names_in(folder) == []


@each_text
@given(TEXTS)
def test_a_text_is_read_as_it_was_written(folder: str, text: str) -> None:
    file = paths.join(folder, "text")
    paths.write_text(file, text)
    assert paths.read_text(file) == text


def test_bytes_are_read_as_they_are(folder: str) -> None:
    file = paths.join(folder, "words")
    with paths.written_whole(file) as temporary:
        Path(temporary).write_bytes(b"\xe9t\xe9\r\n\0")
    assert paths.read_bytes(file) == b"\xe9t\xe9\r\n\0"


def test_a_file_that_is_not_there_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        paths.read_bytes(str(tmp_path / "absent"))


def test_a_file_is_replaced_whole(folder: str) -> None:
    file = paths.join(folder, "metrics.json")
    paths.write_text(file, "old and longer")
    paths.write_text(file, "new")
    assert paths.read_text(file) == "new"
    assert paths.names_in(folder) == ["metrics.json"]


def test_a_failure_leaves_the_old_file_and_nothing_beside_it(folder: str) -> None:
    file = paths.join(folder, "metrics.json")
    paths.write_text(file, "old")
    seen = []

    def half_write() -> None:
        with paths.written_whole(file) as temporary:
            seen.append(temporary)
            Path(temporary).write_text("ne")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        half_write()
    assert paths.read_text(file) == "old"
    assert paths.names_in(folder) == ["metrics.json"]
    assert not os.path.exists(seen[0])


def test_a_reader_sees_the_old_file_until_the_new_one_is_whole(folder: str) -> None:
    file = paths.join(folder, "metrics.json")
    paths.write_text(file, "old")
    with paths.written_whole(file) as temporary:
        Path(temporary).write_text("new")
        assert paths.read_text(file) == "old"
    assert paths.read_text(file) == "new"


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_a_file_may_be_read_by_whom_the_mask_allows(tmp_path: Path, mask: int, mode: int) -> None:
    file = tmp_path / "labels.tsv"
    before = os.umask(mask)
    try:
        paths.write_text(str(file), "Mon 00")
        assert os.umask(mask) == mask
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.stat().st_mode) == mode


def test_a_file_in_the_current_folder_needs_no_folder_in_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    paths.write_text("metrics.json", "{}")
    assert paths.names_in(".") == ["metrics.json"]


def test_a_file_in_an_absent_folder_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        paths.write_text(str(tmp_path / "absent" / "metrics.json"), "{}")
