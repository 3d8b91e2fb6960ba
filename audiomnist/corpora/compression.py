"""Decompress what tar archives are compressed by, within a limit on memory.

Owns knowing gzip, bzip2 and xz apart. An xz file names the size of the dictionary that
unpacking it takes, up to 4 GB, whatever its own size is; Python's own reader believes
it.
"""

import bz2
import gzip
import lzma
from typing import BinaryIO, cast

MAX_MEMORY = 128 * 1024**2
"""Bytes that unpacking may take; `xz -9` needs half of it."""

_CHUNK = 64 * 1024  # bytes


def decompressed(file: BinaryIO) -> BinaryIO:
    """What a file holds if it is compressed by gzip, bzip2 or xz; else the file itself.

    The file is at its beginning, before and, where it is not compressed, after.
    """
    start = file.read(6)
    file.seek(0)
    if start[:2] == b"\x1f\x8b":
        return cast("BinaryIO", gzip.GzipFile(fileobj=file))
    if start[:3] == b"BZh":
        return cast("BinaryIO", bz2.BZ2File(file))
    if start == b"\xfd7zXZ\x00":
        return cast("BinaryIO", XzStream(file))
    return file


class XzStream:
    """The contents of an xz file, read forward only.

    Parameters
    ----------
    file
        The file, from its beginning; several streams after each other are one.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._input = b""
        self._decoder = _new_decoder()
        self._is_fresh = True  # nothing of its stream was read

    def read(self, size: int) -> bytes:
        """Read up to this many bytes, fewer at the end only.

        Raises
        ------
        lzma.LZMAError
            If the file is damaged or takes more memory than `MAX_MEMORY`.
        EOFError
            If it is cut short.
        """
        parts = []
        while size > 0:
            data = self._next(size)
            if not data:
                break
            parts.append(data)
            size -= len(data)
        return b"".join(parts)

    def _next(self, size: int) -> bytes:
        """Some bytes, at most so many; none at the end."""
        while True:
            if self._decoder.eof:
                self._input = self._decoder.unused_data
                self._decoder, self._is_fresh = _new_decoder(), True
            if self._decoder.needs_input:
                self._input = self._input or self._file.read(_CHUNK)
                if self._is_fresh:  # padding between streams
                    padded = self._input
                    self._input = padded.lstrip(b"\0")
                    if padded and not self._input:
                        continue
                if not self._input:
                    if self._is_fresh:
                        return b""
                    raise EOFError("the xz stream has no end")
            given, self._input, self._is_fresh = self._input, b"", False
            if data := self._decoder.decompress(given, size):
                return data


def _new_decoder() -> lzma.LZMADecompressor:
    """A decoder of one stream."""
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MAX_MEMORY)
