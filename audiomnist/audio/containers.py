"""The headers of wav files and their kin, and how much sound they really hold.

Owns what libsndfile takes at its word: sizes that a program could not know when it
wrote to a pipe, sizes that are a few bytes off, and recordings of which a part is
missing. Turning bytes into samples is for `decoders`.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from audiomnist.audio.limits import FORGIVEN, Limits
from audiomnist.errors import AudioError

UNKNOWN_SIZE = 0x7F000000
"""Bytes from which on a size that is not there means that it was not known.

Programs that write to a pipe put in 2^32 - 1, 2^31 - 1, 2^31 or somewhat less, such
as 0x7FFFF000 (SoX, eSpeak NG), with or without the header's own bytes.
"""

_PCM, _FLOAT, _ALAW, _MULAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_GSM, _MPEG, _MP3 = 0x31, 0x50, 0x55
_SLOWEST, _USUAL = 100, 4000  # bytes a second of compressed speech; some write 0 or 1
_KNOWN_CHUNKS = (b"fmt ", b"data", b"LIST", b"fact", b"bext", b"JUNK", b"PEAK", b"cue ")
_GUIDS = {  # the ends of w64's names of chunks
    b"riff": bytes.fromhex("2e91cf11a5d628db04c10000"),
    b"wave": bytes.fromhex("f3acd3118cd100c04f8edb8a"),
}


@dataclass(frozen=True)
class Wav:
    """Where the sound of a wav file is, and how it is stored.

    Parameters
    ----------
    fmt
        The contents of its format chunk.
    numbers
        What they begin with: the encoding's tag, channels, rate in Hz, bytes a second,
        bytes a block, bits.
    order
        Order of the bytes of a number: "<", or ">" for RIFX.
    offset, n_bytes
        Where the sound begins, and how much of it is there.
    """

    fmt: bytes
    numbers: tuple[int, ...]
    order: str
    offset: int
    n_bytes: int

    @property
    def format_tag(self) -> int:
        """The encoding's number; 1 is linear PCM."""
        return self.numbers[0]

    @property
    def n_channels(self) -> int:
        """Number of channels."""
        return self.numbers[1]

    @property
    def sample_rate(self) -> int:
        """Samples a second, in Hz."""
        return self.numbers[2]

    @property
    def block_size(self) -> int:
        """Bytes that belong together: a sample of every channel, or a block."""
        return max(1, self.numbers[4])

    @property
    def bytes_per_second(self) -> int:
        """Bytes of a second of sound; of compressed sound, as the header says."""
        if self.is_uncompressed:
            return max(1, self.sample_rate * self.block_size)
        n_bytes = self.numbers[3]
        return n_bytes if n_bytes >= _SLOWEST else _USUAL

    @property
    def is_uncompressed(self) -> bool:
        """Whether a block is one sample of every channel."""
        return self.format_tag in (_PCM, _FLOAT, _ALAW, _MULAW, _EXTENSIBLE)

    @property
    def is_plain(self) -> bool:
        """Whether the samples are 16-bit integers, one after the other."""
        is_packed = self.block_size == 2 * self.n_channels
        is_pcm16 = self.format_tag == _PCM and self.numbers[5] == 16
        return is_pcm16 and is_packed and self.order == "<"

    @property
    def is_length_guessed(self) -> bool:
        """Whether libsndfile gets the number of samples wrong."""
        return self.format_tag in (_GSM, _MPEG, _MP3)

    @property
    def n_frames(self) -> int:
        """Samples of each channel, where it is uncompressed."""
        return self.n_bytes // self.block_size

    def rewritten(self, data: bytes) -> bytes:
        """The same sound in a wav file with a true header."""
        n_bytes = self.n_bytes
        if self.format_tag == _GSM:  # half a block is padding
            n_bytes -= n_bytes % self.block_size
        sound = data[self.offset : self.offset + n_bytes]
        head = self._chunk(b"fmt ", self.fmt) + self._chunk(b"data", sound)
        magic = b"RIFF" if self.order == "<" else b"RIFX"
        return self._chunk(magic, b"WAVE" + head)

    def _chunk(self, name: bytes, contents: bytes) -> bytes:
        """A chunk with its name and size, padded to an even number of bytes."""
        size = struct.pack(self.order + "I", len(contents))
        return name + size + contents + bytes(len(contents) % 2)


def read_wav(data: bytes, limits: Limits) -> Wav | None:
    """Read the header of a wav, RF64 or w64 file; None if it is none of them.

    Sound of a size that its writer did not know is there to the end of the file, and
    `FORGIVEN` seconds may be missing from what is promised.

    Raises
    ------
    AudioError
        If it is cut off.
    """
    order = ">" if data[:4] == b"RIFX" else "<"
    if data[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64") and data[8:12] == b"WAVE":
        chunks = _riff_chunks(data, 12, order)
    elif data[:16] == b"riff" + _GUIDS[b"riff"]:
        chunks = _w64_chunks(data)
    else:
        return None
    fmt, long_size, empty = b"", None, None
    for name, offset, size in chunks:
        if name == b"fmt " and 16 <= size <= len(data) - offset:
            fmt = data[offset : offset + size]
        elif name == b"ds64" and len(data) >= offset + 16:
            (long_size,) = struct.unpack_from("<Q", data, offset + 8)
        elif name == b"data":
            if not fmt:
                return None
            numbers = struct.unpack_from(order + "HHIIHH", fmt)
            wav = Wav(fmt, numbers, order, offset, 0)
            if size == 0xFFFFFFFF and long_size is not None:
                size = long_size
            if size == 0 and _ends_in_chunks(data, offset, order):
                empty = wav
                continue
            n_bytes = _n_bytes(size, len(data), wav, limits)
            return Wav(fmt, numbers, order, offset, n_bytes)
    if empty is not None:
        return empty
    raise AudioError(
        f"{limits.name} is cut off: a wav header without any sound after it. "
        "Copy or record it again."
    )


def _n_bytes(promised: int, n_all: int, wav: Wav, limits: Limits) -> int:
    """Bytes of sound in a file of `n_all` bytes whose header promises some."""
    present = n_all - wav.offset
    if promised == 0 or _is_unknown(promised, present):
        return present
    if promised > present:
        a_second = wav.bytes_per_second
        limits.check_whole(promised / a_second, present / a_second, FORGIVEN)
    return min(promised, present)


def _is_unknown(promised: int, present: int) -> bool:
    """Whether a size says that its writer did not know it."""
    return promised >= UNKNOWN_SIZE and promised > present


def _riff_chunks(
    data: bytes, position: int, order: str
) -> Iterator[tuple[bytes, int, int]]:
    """Name, offset and size of each chunk, as far as they follow each other."""
    while position + 8 <= len(data):
        name, size = struct.unpack_from(order + "4sI", data, position)
        position += 8
        yield name, position, size
        position += size
        # Some programs forget the byte after a chunk of odd size.
        if size % 2 and data[position : position + 4] not in _KNOWN_CHUNKS:
            position += 1


def _w64_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Name, offset and size of each chunk of a w64 file."""
    position = 40
    while position + 24 <= len(data):
        name, guid, size = struct.unpack_from("<4s12sQ", data, position)
        if guid != _GUIDS[b"wave"]:
            name = b""
        # The size counts the chunk's own 24 bytes; 0 is that of an unknown one.
        yield name, position + 24, max(0, size - 24)
        position += max(24, size + -size % 8)


def _ends_in_chunks(data: bytes, position: int, order: str) -> bool:
    """Whether there is nothing from here to the end but further chunks."""
    for name, offset, size in _riff_chunks(data, position, order):
        is_name = all(32 <= letter < 127 for letter in name)
        if not is_name or offset + size > len(data) + 1:
            return False
        position = offset + size
    return len(data) - position < 8


def promised_part(data: bytes) -> float:
    """How much sound an aiff, au, caf or sph file promises for each byte of it.

    1 where all is there, where the size was not known, and for other files.
    """
    if data[:4] == b"FORM" and data[8:12] in (b"AIFF", b"AIFC"):
        chunks = _riff_chunks(data, 12, ">")
        found = [(offset, size) for name, offset, size in chunks if name == b"SSND"]
    elif data[:4] == b".snd" and len(data) >= 24:
        found = [struct.unpack_from(">II", data, 4)]
    elif data[:7] == b"NIST_1A":
        found = _nist_sound(data)
    elif data[:4] == b"caff":
        found = [
            (offset, size)
            for name, offset, size in _caf_chunks(data)
            if name == b"data"
        ]
    else:
        return 1.0
    for offset, size in found:
        present = len(data) - offset
        if present > 0 and size > present and not _is_unknown(size, present):
            return size / present
    return 1.0


def with_readable_size(data: bytes) -> bytes:
    """The same au file with the one mark of an unknown size that libsndfile knows.

    Other files, and au files that tell their size, stay as they are.
    """
    if data[:4] == b".snd" and len(data) >= 24:
        offset, size = struct.unpack_from(">II", data, 4)
        if size == 0 or _is_unknown(size, len(data) - offset):
            return data[:8] + b"\xff\xff\xff\xff" + data[12:]
    return data


def _nist_sound(data: bytes) -> list[tuple[int, int]]:
    """Offset and size of the sound of a NIST SPHERE file, where it is uncompressed."""
    header = data[:1024]
    numbers = dict(re.findall(rb"\b(\w+) -i (\d{1,9})\b", header))
    offset = re.match(rb"NIST_1A\n *(\d{1,6})\n", header)
    if offset is None or b"embedded" in header:  # as in "pcm,embedded-shorten-v2.00"
        return []
    size = int(numbers.get(b"sample_count", 0)) * int(numbers.get(b"sample_n_bytes", 0))
    return [(int(offset[1]), size * int(numbers.get(b"channel_count", 1)))]


def _caf_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Name, offset and size of each chunk of a caf file; -1, not known, as 2^64 - 1."""
    position = 8
    while position + 12 <= len(data):
        name, size = struct.unpack_from(">4sQ", data, position)
        position += 12
        yield name, position, size
        position += size
