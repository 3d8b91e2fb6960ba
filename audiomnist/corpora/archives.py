"""Unpack zip and tar archives of recordings, whatever somebody put into them.

Owns reading archives and writing what they hold into a new folder, safely: a member
cannot leave its folder, links and devices are refused, sizes are counted while
unpacking, and a folder appears complete or not at all. What the files mean is for
`library`.
"""

import io
import lzma
import re
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO

from audiomnist.corpora.compression import decompressed
from audiomnist.corpora.limits import Limits
from audiomnist.errors import CorpusError
from audiomnist.storage import OnProgress, Progress, new_folder

MAX_TOTAL_BYTES = 2 * 1024**3
"""Bytes that an archive may unpack to."""

MAX_FILES = 200_000
"""Members that an archive may have, folders included."""

_CHUNK = 256 * 1024  # bytes
_MAX_HEADER = 1024**2  # bytes of tar headers before one member
_MAX_NAME = 255  # bytes of a file's or folder's name: the usual file systems' limit
_MAX_PATH = 1000  # bytes; Linux takes 4096 with the folders above, macOS 1024
_DAMAGED = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    struct.error,
    ValueError,
    LookupError,
    ArithmeticError,
    AttributeError,
    TypeError,
    RuntimeError,  # NotImplementedError and RecursionError among them
    MemoryError,
)
"""Whatever the readers of archives raise at bytes that they do not expect."""

_ZIP_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)


def unpack(
    archive: Path | BinaryIO,
    folder: Path,
    *,
    suffixes: tuple[str, ...],
    max_total_bytes: int = MAX_TOTAL_BYTES,
    max_files: int = MAX_FILES,
    on_other: Callable[[PurePosixPath], None] | None = None,
    on_progress: OnProgress | None = None,
) -> list[Path]:
    """Unpack the wanted files of a zip or tar archive into a new folder.

    Parameters
    ----------
    archive
        Path or seekable binary file; zip, or tar as it is or compressed by
        gzip, bzip2 or xz. Known by its contents, not by its name.
    folder
        The folder to make. It appears when all is unpacked, or not at all.
    suffixes
        Endings of the wanted files, in lower case with their dot. Other files
        are checked like the wanted ones and left out, and so are hidden ones.
    max_total_bytes
        Bytes that all members together may have, counted while unpacking.
    max_files
        Members that the archive may have.
    on_other
        Called with the name of each file that is left out.
    on_progress
        Called now and then with bytes done and in all.

    Returns
    -------
    list of Path
        The files in `folder`, sorted.

    Raises
    ------
    CorpusError
        If the archive is missing, no archive, damaged, encrypted or too large,
        holds a name outside its folder or one that cannot be stored, a link or
        a device, or if the disk is full or the folder is there already.
    """
    name = _name(archive)
    limits = Limits(name, max_total_bytes, max_files)
    with (
        new_folder(folder) as temporary,
        _told_damages(name),
        _opened(archive) as file,
    ):
        members = _members(file, limits)
        for path, chunks in members:
            if _is_wanted(path, suffixes):
                _write(temporary / path, chunks, limits)
            elif on_other:
                on_other(path)
            if on_progress:
                on_progress(Progress("unpacking", *limits.progress))
        if on_progress:
            total = limits.progress[1]
            on_progress(Progress("unpacking", total or 0, total))
    return sorted(path for path in folder.rglob("*") if path.is_file())


def list_names(
    archive: Path | BinaryIO,
    *,
    suffixes: tuple[str, ...],
    read: tuple[str, ...] = (),
    max_total_bytes: int = MAX_TOTAL_BYTES,
    max_files: int = MAX_FILES,
) -> dict[str, bytes | None]:
    """List the wanted files of a zip or tar archive without unpacking it.

    Parameters
    ----------
    archive, suffixes, max_total_bytes, max_files
        As in `unpack`.
    read
        Those of the endings whose files are read, too.

    Returns
    -------
    dict
        Contents of the files that are read and None for others, by their names in the
        archive.

    Raises
    ------
    CorpusError
        As `unpack` does.
    """
    name = _name(archive)
    limits = Limits(name, max_total_bytes, max_files)
    found: dict[str, bytes | None] = {}
    with _told_damages(name), _opened(archive) as file:
        for path, chunks in _members(file, limits):
            if _is_wanted(path, suffixes):
                is_read = path.suffix.lower() in read
                found[path.as_posix()] = b"".join(chunks) if is_read else None
    return found


class _Counted(io.RawIOBase):
    """A decompressed tar stream, read forward only and within limits.

    tarfile reads long names and extended headers into memory at the size that
    the archive claims; `header_left` bounds what it may read outside of data.
    """

    def __init__(self, stream: BinaryIO, limits: Limits) -> None:
        self.stream = stream
        self.limits = limits
        self.header_left: int | None = _MAX_HEADER
        self.last = b""

    def read(self, size: int = -1) -> bytes:
        """Read and count, refusing headers that never end."""
        if self.header_left is not None:
            self.header_left -= size
            if size < 0 or self.header_left < 0:
                raise tarfile.ReadError("endless header")
        self.last = self.stream.read(size)
        self.limits.add_bytes(len(self.last))
        return self.last

    def tell(self) -> int:
        """Bytes read so far."""
        return self.limits.n_bytes

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Skip forward by reading, so that skipped bytes count too."""
        if whence != io.SEEK_SET or offset < self.tell():
            raise tarfile.ReadError("members out of order")
        self.limits.check_bytes(offset - self.tell())
        while self.tell() < offset:
            data = self.stream.read(min(_CHUNK, offset - self.tell()))
            if not data:
                raise EOFError("unexpected end of data")
            self.limits.add_bytes(len(data))
        return offset


_Members = Iterator[tuple[PurePosixPath, Iterator[bytes]]]


def _members(file: BinaryIO, limits: Limits) -> _Members:
    """The checked names and contents of an archive's plain files, in its order."""
    start = file.read(4)
    file.seek(0)
    if start in (b"PK\x03\x04", b"PK\x05\x06"):
        return _zip_members(file, limits)
    return _tar_members(file, decompressed(file), limits)


def _zip_members(file: BinaryIO, limits: Limits) -> _Members:
    """The plain files of a zip archive."""
    with zipfile.ZipFile(file) as archive:
        total = 0
        for info in archive.infolist():
            limits.add_member()
            total += info.file_size
        limits.check_bytes(total)
        for info in archive.infolist():
            path = _checked_path(info.filename, limits.name)
            kind = stat.S_IFMT(info.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise _not_plain(info.filename, limits.name)
            if info.flag_bits & 1:
                raise CorpusError(
                    f"{limits.name} is encrypted ({info.filename} needs a "
                    "password). Make it again without a password."
                )
            if info.compress_type not in _ZIP_METHODS:  # LZMA's may take gigabytes
                raise CorpusError(
                    f"{limits.name} packs {info.filename} in a way that is not read. "
                    "Make it again as an ordinary zip archive."
                )
            if info.is_dir():
                continue
            with archive.open(info) as member:
                yield path, _zip_chunks(member, limits)
            limits.progress = (limits.n_bytes, total)


def _zip_chunks(member: IO[bytes], limits: Limits) -> Iterator[bytes]:
    """The contents of one zip member, counted."""
    while data := member.read(_CHUNK):
        limits.add_bytes(len(data))
        yield data


def _tar_members(file: BinaryIO, stream: BinaryIO, limits: Limits) -> _Members:
    """The plain files of a tar archive that `stream` decompresses from `file`."""
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    counted = _Counted(stream, limits)
    try:
        archive = tarfile.open(fileobj=counted, mode="r:")  # noqa: SIM115
    except (tarfile.ReadError, OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        if stream is not file:
            raise
        raise CorpusError(
            f"{limits.name} is neither a zip nor a tar archive. Give a .zip, "
            ".tar, .tar.gz, .tar.bz2 or .tar.xz file, or a folder of recordings."
        ) from error
    with archive:
        while member := archive.next():
            limits.add_member()
            path = _checked_path(member.name, limits.name)
            if member.isdir():
                counted.header_left = _MAX_HEADER
                continue
            if not member.isreg() or member.issparse():
                raise _not_plain(member.name, limits.name)
            limits.check_bytes(member.size)
            counted.header_left = None
            yield path, _tar_chunks(archive, member)
            counted.header_left = _MAX_HEADER
            limits.progress = (file.tell(), size)
        # tarfile takes a damaged or missing header for the end; the real end is a
        # block of zeros. Reading on makes gzip compare its checksum.
        if not counted.last or counted.last.strip(b"\0"):
            raise EOFError("it has no end")
        counted.header_left = None
        while counted.read(_CHUNK):
            pass


def _tar_chunks(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Iterator[bytes]:
    """The contents of one tar member."""
    data = archive.extractfile(member)
    assert data is not None, "only plain files are read"
    left = member.size
    while left:
        chunk = data.read(min(_CHUNK, left))
        if not chunk:
            raise EOFError(f"{member.name} ends early")
        left -= len(chunk)
        yield chunk


def _write(path: Path, chunks: Iterator[bytes], limits: Limits) -> None:
    """Write one member to a file that is not there yet."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            for chunk in chunks:
                file.write(chunk)
    except (FileExistsError, NotADirectoryError) as error:
        raise CorpusError(
            f"{limits.name} holds {path.name} twice under the same name. Nothing "
            "was kept. Make the archive again with one of them."
        ) from error


def _checked_path(name: str, archive_name: str) -> PurePosixPath:
    """A member's path, known to stay inside the folder it is unpacked to."""
    text = name.replace("\\", "/")
    path = PurePosixPath(text)
    if text.startswith("/") or re.match("[A-Za-z]:", text) or ".." in path.parts:
        raise CorpusError(
            f"{archive_name} holds {name!r}, a name outside the archive's own "
            "folder. Nothing was kept. Make the archive again with relative names."
        )
    # tarfile stands surrogates in for bytes that are no UTF-8.
    if any(ord(c) < 32 or "\ud800" <= c <= "\udfff" for c in text):
        raise CorpusError(
            f"{archive_name} holds a file name that cannot be stored "
            f"({name[:60]!r}): it has control characters or is not UTF-8. Nothing "
            "was kept. Rename the file and make the archive again."
        )
    n_longest = max((len(part.encode()) for part in path.parts), default=0)
    if n_longest > _MAX_NAME or len(text.encode()) > _MAX_PATH:
        raise CorpusError(
            f"{archive_name} holds a name that is too long ({name[:60]!r} and so "
            f"on); expected at most {_MAX_NAME} bytes for a file or folder and "
            f"{_MAX_PATH} with the folders above it. Nothing was kept. Shorten the "
            "name and make the archive again."
        )
    return path


def _is_wanted(path: PurePosixPath, suffixes: tuple[str, ...]) -> bool:
    """Whether the ending is wanted and no part of the path is hidden."""
    is_hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
    return path.suffix.lower() in suffixes and not is_hidden


@contextmanager
def _opened(archive: Path | BinaryIO) -> Iterator[BinaryIO]:
    """The archive as a binary file at its beginning."""
    if not isinstance(archive, Path):
        archive.seek(0)
        yield archive
        return
    try:
        file = archive.open("rb")
    except OSError as error:
        raise CorpusError(
            f"{archive} cannot be opened ({error.strerror}). Give the path of a "
            "zip or tar archive, or of a folder of recordings."
        ) from error
    with file:
        yield file


@contextmanager
def _told_damages(name: str) -> Iterator[None]:
    """Say in a sentence what is wrong with an archive that is read in the block."""
    try:
        yield
    except RecursionError as error:  # tarfile reads headers by recursion
        raise _damaged(name, tarfile.ReadError("endless header")) from error
    except _DAMAGED as error:
        raise _damaged(name, error) from error
    except OSError as error:
        if error.errno is None:  # gzip and bz2 report bad data this way
            raise _damaged(name, error) from error
        raise


def _name(archive: Path | BinaryIO) -> str:
    """What to call the archive in a message."""
    name = archive if isinstance(archive, Path) else getattr(archive, "name", "")
    return Path(name).name if isinstance(name, str | Path) and name else "The archive"


def _damaged(name: str, error: Exception) -> CorpusError:
    """The error for an archive that cannot be read to its end."""
    return CorpusError(
        f"{name} is damaged or cut short ({str(error) or type(error).__name__}). "
        "Nothing was kept. Download or make it again."
    )


def _not_plain(member: str, archive_name: str) -> CorpusError:
    """The error for links, devices, pipes and sparse files."""
    return CorpusError(
        f"{archive_name} holds {member!r}, a link, device or sparse file. Only "
        "plain files are unpacked and nothing was kept. Make the archive again with "
        "the files themselves."
    )
