"""Fetch one file over HTTP, and resume an interrupted download.

Owns the partial file and the conversation with the server; what the file must contain
is checked by `verification`.
"""

import http.client
import json
import re
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import filelock

from audiomnist.errors import CorpusError
from audiomnist.settings import writable_folder
from audiomnist.storage import OnProgress, Progress, disk_errors

MAX_BYTES = 4 * 1024**3
"""Bytes that a download may have, so that no server can fill the disk."""

_TIMEOUT = 30.0  # s without a byte
_ATTEMPTS = 3  # in a row without one new byte
_CHUNK = 128 * 1024  # bytes
_KEPT = "What has arrived is kept, and the next attempt goes on from there."
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


def is_url(source: str) -> bool:
    """Whether a source is a web address rather than a file's path."""
    return re.match("https?://", source, re.IGNORECASE) is not None


def fetch(url: str, file: Path, on_progress: OnProgress | None = None) -> Path:
    """Download an address to a file, continuing an earlier attempt.

    What arrives is kept in `file` with ".part" appended until it is complete;
    a connection that breaks is taken up again with an HTTP Range request, in
    this call and in later ones. A server without ranges starts over.

    Parameters
    ----------
    url
        Address, http or https.
    file
        Where to put it. Returned at once if it is there already.
    on_progress
        Called with the bytes that have arrived and the bytes in all.

    Returns
    -------
    Path
        `file`, complete as far as the server says.

    Raises
    ------
    CorpusError
        If the server cannot be reached, refuses or keeps breaking off, if the
        file is larger than `MAX_BYTES`, if the disk is full, or if another
        process is downloading it. What has arrived is kept where it is of use.
    """
    writable_folder(file.parent)
    lock = filelock.FileLock(file.with_name(file.name + ".lock"), timeout=0)
    try:
        with lock:
            if not file.exists():
                _fetch(url, _Part(file), on_progress)
    except filelock.Timeout as error:
        raise CorpusError(
            f"{url} is being downloaded by another page or command already. "
            "Wait until that one is done."
        ) from error
    return file


class _Interrupted(Exception):
    """The connection broke while the file was coming in."""


@dataclass(frozen=True)
class _Part:
    """What has arrived of a file, and which version on the server it belongs to."""

    file: Path

    @property
    def bytes(self) -> Path:
        """The bytes that have arrived."""
        return self.file.with_name(self.file.name + ".part")

    @property
    def record(self) -> Path:
        """Address and version of the bytes, as JSON."""
        return self.file.with_name(self.file.name + ".part.json")

    @property
    def size(self) -> int:
        """How many bytes have arrived."""
        return self.bytes.stat().st_size if self.bytes.exists() else 0

    @property
    def origin(self) -> tuple[str, str]:
        """Address of the bytes and the server's name for their version, or ""."""
        try:
            record = json.loads(self.record.read_text(encoding="utf-8"))
            return str(record["url"]), str(record["version"])
        except (OSError, ValueError, KeyError, TypeError):
            return "", ""

    def begin(self, url: str, version: str) -> None:
        """Start again from the first byte."""
        self.discard()
        with disk_errors(self.file.parent):
            record = json.dumps({"url": url, "version": version})
            self.record.write_text(record, encoding="utf-8")

    def finish(self) -> None:
        """Turn the bytes into the file."""
        with disk_errors(self.file.parent, kept=_KEPT):
            self.bytes.replace(self.file)
            self.record.unlink(missing_ok=True)

    def discard(self) -> None:
        """Remove the bytes and what is known of them."""
        with disk_errors(self.file.parent):
            self.bytes.unlink(missing_ok=True)
            self.record.unlink(missing_ok=True)


def _fetch(url: str, part: _Part, on_progress: OnProgress | None) -> None:
    """Ask until the file is complete or the server gives nothing new."""
    if part.origin[0] != url:
        part.discard()
    failures = 0
    while failures < _ATTEMPTS:
        before = part.size
        try:
            if _transfer(url, part, on_progress):
                part.finish()
                return
            reason = "the connection was closed"
        except _Interrupted as error:
            reason = str(error)
        failures = 0 if part.size > before else failures + 1
    raise CorpusError(
        f"The download of {url} keeps breaking off ({reason}). The "
        f"{part.size / 1e6:.1f} MB that have arrived are kept. Start the download "
        "again and it goes on from there."
    )


def _transfer(url: str, part: _Part, on_progress: OnProgress | None) -> bool:
    """One request: append or start over; whether the file is complete then."""
    with _answer(url, part) as response:
        start, total = _extent(response)
        if start not in (0, part.size):
            part.discard()  # this cannot be joined to what is here
            return False
        if start == 0:
            part.begin(url, _version(response))
        done = start
        if max(done, total or 0) <= MAX_BYTES:
            with (
                disk_errors(part.file.parent, kept=_KEPT),
                _appending(part.bytes) as file,
            ):
                while done <= MAX_BYTES and (data := _read(response)):
                    file.write(data)
                    done += len(data)
                    if on_progress:
                        on_progress(Progress("downloading", done, total))
    if max(done, total or 0) > MAX_BYTES:
        part.discard()
        raise CorpusError(
            f"{url} is larger than {MAX_BYTES / 1e9:.1f} GB, the most that is "
            "downloaded. Nothing was kept. Check the address."
        )
    return total is None or done == total


def _appending(path: Path) -> BinaryIO:
    """A file that is open for more bytes at its end."""
    return path.open("ab")


def _answer(url: str, part: _Part) -> http.client.HTTPResponse:
    """The server's answer to the request for what is still missing."""
    request = urllib.request.Request(url, headers={"User-Agent": "audiomnist"})
    if part.size:
        request.add_header("Range", f"bytes={part.size}-")
        if part.origin[1]:
            request.add_header("If-Range", part.origin[1])
    try:
        answer: http.client.HTTPResponse = urllib.request.urlopen(
            request, timeout=_TIMEOUT
        )
    except urllib.error.HTTPError as error:
        if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE and part.size:
            part.discard()  # the file on the server is a shorter one by now
            return _answer(url, part)
        raise CorpusError(
            f"{url} cannot be downloaded: the server answered {error.code} "
            f"({error.reason}). Check the address, or name another source."
        ) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise CorpusError(
            f"{url} cannot be reached ({reason}). Check the internet connection and "
            "the address, or take a file that you have already: python -m audiomnist "
            "data download NAME --from FILE."
        ) from error
    return answer


def _extent(response: http.client.HTTPResponse) -> tuple[int, int | None]:
    """Where in the file the answer starts, -1 if unclear, and the file's size."""
    if response.status == http.client.PARTIAL_CONTENT:
        match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if match is None:
            return -1, None
        return int(match[1]), None if match[2] == "*" else int(match[2])
    length = response.headers.get("Content-Length", "")
    return 0, int(length) if length.isdecimal() else None


def _version(response: http.client.HTTPResponse) -> str:
    """How the server names this version of the file, "" if it does not."""
    tag: str = response.headers.get("ETag", "")
    is_exact = tag and not tag.startswith("W/")
    return tag if is_exact else response.headers.get("Last-Modified", "")


def _read(response: http.client.HTTPResponse) -> bytes:
    """The next bytes, b"" at the end."""
    try:
        return response.read(_CHUNK)
    except (OSError, http.client.HTTPException) as error:
        raise _Interrupted(str(error) or type(error).__name__) from error
