"""Data sets by name: this project's own, one TFDS builder a file, and all of TFDS."""

import contextlib
import fcntl
import importlib
import os
import pkgutil
import random
import socket
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

from trainer import paths
from trainer.errors import Refusal, nearest
from trainer.terminal import quiet


class Absent(Refusal):
    """A data set is not here and cannot be made: it needs a file by hand, or a network that may not be used."""


def names() -> list[str]:
    """Returns the sorted names of this project's own data sets, one for each file in this folder.

    Example:
        >>> "nyc_flights" in names()
        True
    """
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))


def title(builder: Any) -> str:
    """Returns the name of a builder with its config, as a person writes it: `nyc_flights/JFK`."""
    config = builder.builder_config
    return f"{builder.name}/{config.name}" if config else str(builder.name)


def builder(name: str, data_dir: str) -> Any:
    """Returns the TFDS builder of a data set, prepared or not.

    Args:
        name: `NAME` or `NAME/CONFIG`, of this project or of TFDS.
        data_dir: The folder that holds prepared data sets.

    Raises:
        Refusal: There is no data set or no config of that name.
    """
    import tensorflow_datasets as tfds

    own = _data_set(name)
    if own in names():
        importlib.import_module(f"{__name__}.{own}")  # TFDS finds a builder by name once its class exists
    try:
        return tfds.builder(name, data_dir=data_dir)
    except (ValueError, AssertionError) as error:  # TFDS asserts that it knows a version
        raise Refusal(_what_is_unknown(name)) from error


def _data_set(name: str) -> str:
    return name.partition("/")[0].partition(":")[0]


def _what_is_unknown(name: str) -> str:
    import tensorflow_datasets as tfds

    data_set, config = _data_set(name), name.partition("/")[2].partition(":")[0]
    known = [*names(), *tfds.list_builders(with_community_datasets=False)]
    if data_set not in known:
        return f"--dataset: no data set '{data_set}' here or in TFDS{nearest(data_set, known) or '.'}"
    configs = list(tfds.builder_cls(data_set).builder_configs)
    if config and not configs:
        return f"{data_set}: no config '{config}'; it has none."
    if config and config not in configs:
        return f"{data_set}: no config '{config}' among {', '.join(configs)}{nearest(config, configs) or '.'}"
    return f"--dataset: TFDS cannot load '{name}'; write NAME or NAME/CONFIG."


def needs_network(builder: Any) -> bool:
    """Tells whether preparing a data set fetches something; a builder says otherwise with `NEEDS_DOWNLOAD = False`."""
    return bool(getattr(builder, "NEEDS_DOWNLOAD", True))


def manual_dir(data_dir: str) -> str:
    """Returns the folder in which a data set looks for what has to be put there by hand."""
    return paths.join(data_dir, "manual")


def prepare(builder: Any, download: bool, rows: int | None = None, manual: str | None = None) -> None:
    """Prepares a data set, with TFDS's progress bar on stderr, unless it is prepared already.

    Args:
        builder: From `builder()`.
        download: Whether the network may be used. A data set of this project that needs no network is prepared
            in any case.
        rows: Prepare only so many examples of each split; None is all.
        manual: The folder of files that cannot be fetched; None is `manual` in the builder's folder.

    Raises:
        Absent: The data set is not prepared, and preparing it needs the network or a file that is not there.
        Refusal: What it is made of cannot be used.
    """
    if not _is_prepared(builder):
        manual = manual or manual_dir(os.fspath(builder.data_dir_root))
        _check_manual(builder, manual)
        if not download and needs_network(builder):
            raise Absent(
                f"{title(builder)}: not prepared in {builder.data_dir_root}; give --download to fetch it, "
                "or --data-dir with a folder that holds it."
            )
        with _waiting_for_others(builder):
            if not _is_prepared(builder):
                _check_network(builder)
                _prepare(builder, rows, manual)
    if not builder.info.splits:  # another process prepared it after this builder was made
        builder.info.read_from_directory(builder.data_dir)


def _is_prepared(builder: Any) -> bool:
    with quiet():  # TFDS warns of a folder that is not there yet
        return bool(builder.is_prepared())


def _check_manual(builder: Any, folder: str) -> None:
    """Refuses a data set without its files by hand, which a builder of this project names as `manual_files`."""
    if not builder.MANUAL_DOWNLOAD_INSTRUCTIONS:
        return
    there, files = paths.names_in(folder), getattr(builder, "manual_files", None)
    absent = [file for file in files or () if file not in there and file.removesuffix(".gz") not in there]
    if not absent and (there or files):
        return
    what = f"there is no {absent[0]}" if absent else "there is no file"
    how = " ".join(builder.MANUAL_DOWNLOAD_INSTRUCTIONS.split()).removesuffix(".")
    raise Absent(f"{title(builder)}: {what} in {folder}; {how}.")


def _check_network(builder: Any) -> None:
    """Refuses a data set none of whose hosts has an address here: TFDS would ask each for minutes."""
    hosts = {urllib.parse.urlsplit(url).hostname for url in builder.url_infos or ()} - {None}
    if not needs_network(builder) or not hosts or urllib.request.getproxies():  # names are a proxy's to resolve
        return
    for host in sorted(map(str, hosts)):
        with contextlib.suppress(OSError):
            socket.getaddrinfo(host, 443)
            return
    raise Absent(_unreachable(builder, ", ".join(sorted(map(str, hosts)))))


def _unreachable(builder: Any, what: str) -> str:
    return (
        f"{title(builder)}: not prepared in {builder.data_dir_root}, and {what} cannot be reached; try again with a "
        "network, or give --data-dir with a folder that holds it."
    )


@contextlib.contextmanager
def _waiting_for_others(builder: Any) -> Iterator[None]:
    """Keeps other processes of this machine from preparing data in the same folder while the block runs."""
    folder = os.fspath(builder.data_dir_root)
    if paths.is_remote(folder):
        yield
        return
    paths.make_folder(folder)
    handle = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # not every file system has locks
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print(f"{title(builder)}: another process prepares data in {folder}; waiting for it", file=sys.stderr)
                fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def _of_their_own() -> Iterator[None]:
    """Draws random numbers unlike those of a process with the same seed: of them TFDS makes names of folders."""
    state = random.getstate()
    random.seed()
    try:
        yield
    finally:
        random.setstate(state)


def _prepare(builder: Any, rows: int | None, manual: str) -> None:
    import requests
    import tensorflow_datasets as tfds

    config = tfds.download.DownloadConfig(manual_dir=manual, max_examples_per_split=rows)
    try:
        # TFDS announces itself on stdout, which belongs to the results of a command.
        with contextlib.redirect_stdout(sys.stderr), _of_their_own():
            builder.download_and_prepare(download_config=config)
    except OSError as error:
        if builder.is_prepared():  # of two processes that prepare at once one moves its folder in place
            return
        if isinstance(error, requests.RequestException):
            host = urllib.parse.urlsplit(error.request.url).hostname if error.request is not None else "the network"
            raise Absent(_unreachable(builder, str(host))) from None
        raise
