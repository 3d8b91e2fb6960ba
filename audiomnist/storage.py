"""Write files and folders so that they are complete or absent.

Owns progress reports, files and folders that appear all at once, and the sentence
that explains what a disk refuses. Where things live is for `settings`; what is stored
is for the module that stores it.
"""

import ctypes
import errno
import json
import os
import secrets
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audiomnist.errors import CorpusError
from audiomnist.settings import writable_folder

_STAGES_IN_BYTES = ("downloading", "verifying", "unpacking")


@dataclass(frozen=True)
class Progress:
    """How far a longer piece of work has come.

    Parameters
    ----------
    stage
        What is being done: "downloading", "verifying", "unpacking", "copying",
        "checking", "synthesizing" or "evaluating".
    done
        Bytes or files done so far, see `is_in_bytes`.
    total
        The same in all, None while that is unknown.
    """

    stage: str
    done: int
    total: int | None

    @property
    def is_in_bytes(self) -> bool:
        """Whether `done` and `total` are bytes; else they are files."""
        return self.stage in _STAGES_IN_BYTES


OnProgress = Callable[[Progress], None]


class DiskError(CorpusError):
    """The disk is full or refuses to be written; what was read may be good."""


_TEMPORARY = ".new-"

_EXCHANGE = 2  # RENAME_EXCHANGE of Linux, RENAME_SWAP of macOS

_ABANDONED = 24 * 3600.0  # s: no unpacking takes that long


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Give a temporary folder that becomes `folder` when the block succeeds.

    Raises
    ------
    CorpusError
        If `folder` is there already. The temporary folder is removed whatever
        fails.
    DiskError
        If the disk is full or refuses to be written.
    """
    if folder.exists():
        raise CorpusError(f"The folder {folder} is there already. Remove it first.")
    writable_folder(folder.parent)
    with disk_errors(folder.parent):
        _sweep(folder.parent)
        temporary = folder.parent / f"{_TEMPORARY}{secrets.token_hex(8)}"
        temporary.mkdir()
        try:
            yield temporary
            temporary.rename(folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def replacing_folder(folder: Path) -> Iterator[Path]:
    """Give a temporary folder that takes the place of `folder` when the block succeeds.

    Whoever reads finds all files of the old one or all of the new one, also when the
    process is killed. If the block fails, the old one stays.

    Raises
    ------
    OSError
        If the disk is full or refuses to be written.
    """
    _sweep(folder.parent)
    temporary = folder.parent / f"{_TEMPORARY}{secrets.token_hex(8)}"
    temporary.mkdir()
    try:
        yield temporary
        if folder.exists():
            _exchange(temporary, folder)
        else:
            temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _exchange(one: Path, other: Path) -> None:
    """Exchange two folders; in one step where the operating system knows how to.

    As in renameat2(2) of Linux and renamex_np(2) of macOS.
    """
    libc: Any = None
    if sys.platform != "win32":
        libc = ctypes.CDLL(None, use_errno=True)
    paths = os.fsencode(one.absolute()), os.fsencode(other.absolute())
    if hasattr(libc, "renameat2"):
        here = -100  # AT_FDCWD, of no meaning beside absolute paths
        failed = libc.renameat2(here, paths[0], here, paths[1], _EXCHANGE)
    elif hasattr(libc, "renamex_np"):
        failed = libc.renamex_np(*paths, _EXCHANGE)
    else:
        aside = one.with_name(f"{one.name}-old")
        other.rename(aside)
        one.rename(other)
        aside.rename(one)
        return
    if failed:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(other))


@contextmanager
def disk_errors(
    folder: Path, *, kept: str = "Nothing half-done was kept."
) -> Iterator[None]:
    """Say in a sentence why the disk refused, for whatever writes in the block.

    Parameters
    ----------
    folder
        What is written to.
    kept
        The sentence that says what is left of the work.

    Raises
    ------
    DiskError
        In place of any OSError of the block.
    """
    try:
        yield
    except OSError as error:
        if folder.name.startswith(_TEMPORARY):
            folder = folder.parent
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskError(
                f"The disk that holds {folder} is full. {kept} Free some space "
                "there, or set AUDIOMNIST_HOME to a folder on another disk, and "
                "try again."
            ) from error
        raise DiskError(
            f"Files could not be written to {folder} ({error.strerror or error}). "
            f"{kept} Set AUDIOMNIST_HOME to a folder that you may write to, and "
            "try again."
        ) from error


def _sweep(folder: Path) -> None:
    """Remove what processes that were killed have left behind."""
    for path in folder.glob(f"{_TEMPORARY}*"):
        with suppress(FileNotFoundError):  # another process finished meanwhile
            if time.time() - path.stat().st_mtime > _ABANDONED:
                shutil.rmtree(path, ignore_errors=True)


UNFINISHED = "unfinished-"
"""Beginning of the names of files that are being written."""


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that whoever reads it finds the old or the new content."""
    with replacing(path) as unfinished:
        unfinished.write_bytes(content)


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON file whole or not at all."""
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    write_atomically(path, text.encode())


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path to write to, which takes the place of `path` if all goes well.

    Threads and processes that write the same file at once do not disturb each other:
    each has a path of its own, and whoever is last remains.
    """
    unfinished = path.with_name(f"{UNFINISHED}{secrets.token_hex(4)}-{path.name}")
    try:
        yield unfinished
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
