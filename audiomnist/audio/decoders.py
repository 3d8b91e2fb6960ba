"""The two libraries that decode: libsndfile, and FFmpeg for all that it cannot read.

Owns what is particular to each: which files it can be trusted with, how they are read
to their end within the limits, and its many errors, which become an `AudioError` each.
Which of the two is asked, and mixing to mono, is for `decoding`.
"""

from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from audiomnist.audio.formats import FORMAT_NAMES
from audiomnist.audio.limits import Limits
from audiomnist.errors import AudioError

if TYPE_CHECKING:
    import av

_FAILURES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    BufferError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,  # libsndfile's own among them
    TypeError,
    ValueError,
)
"""What libraries raise about bytes that they cannot decode."""

_UNKNOWN_LENGTH = 2**62
"""Number of samples from which on libsndfile means that it does not know."""

_BLOCK = 65_536
"""Samples of each channel that are read at a time where the length is unknown."""

_FRAMES = 0.1
"""Seconds that may be missing from compressed sound: codecs cut it into frames."""

_MAX_DAMAGED, _SMALL = 2, 4096
"""Packets that may fail, and their bytes: a stream may begin or end inside of one."""

_MAX_PACKETS = 50_000
"""Packets that are decoded: two minutes of the shortest that codecs have, 2.5 ms."""

# Containers of sound; none that names other files or addresses, as playlists do.
_CONTAINERS = (
    "wav,w64,flac,ogg,mp3,aac,loas,mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,amr,asf,caf,"
    "aiff,au,nistsphere,voc,ac3,eac3,wv,tta"
)
_TELLS_LENGTH = {"flac", "mov", "asf", "wv", "tta"}  # and `containers` of others
_MP3_LENGTHS = (b"Xing", b"Info", b"VBRI")  # what tells how many frames an mp3 has


_MAX_PLANES = 8
"""Most channels of one frame of FFmpeg's: PyAV finds planes after these in vain."""

# How samples are stored, by FFmpeg's name: their type, middle and range.
_STORED: dict[str, tuple[type[np.generic], int, int]] = {
    "u8": (np.uint8, 128, 128),
    "s16": (np.int16, 0, 2**15),
    "s32": (np.int32, 0, 2**31),
    "flt": (np.float32, 0, 1),
    "dbl": (np.float64, 0, 1),
}


class Sound(NamedTuple):
    """Decoded sound.

    Parameters
    ----------
    channels
        float32 in [-1, 1] (more where the file holds more), shape
        (n_frames, n_channels).
    sample_rate
        Samples a second, in Hz.
    """

    channels: np.ndarray
    sample_rate: int


class _Bytes(BytesIO):
    """Bytes in memory for libsndfile, which prints what seeking before them raises."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Seek, or stay where there is no such place."""
        try:
            return super().seek(offset, whence)
        except ValueError:
            return self.tell()


def unreadable(limits: Limits) -> AudioError:
    """The error for bytes that are no sound, or too damaged to be heard."""
    return AudioError(
        f"{limits.name} is not a sound file that can be read here; expected "
        f"{FORMAT_NAMES}. Convert it or choose another file."
    )


def is_mp3(data: bytes) -> bool:
    """Whether the bytes begin as those of an mp3 do: with a tag or a frame.

    libsndfile takes the length of one from a guess, and writes to stderr.
    """
    return data[:3] == b"ID3" or (data[:1] == b"\xff" and data[1:2] >= b"\xe0")


def decode_with_libsndfile(data: bytes, limits: Limits) -> Sound | None:
    """Decode with libsndfile; None where it cannot open the file or finds no sound.

    Raises
    ------
    AudioError
        If the file is damaged, cut off or beyond the limits.
    """
    import soundfile

    try:
        file = soundfile.SoundFile(_Bytes(data))
    except _FAILURES:
        return None
    try:
        with file:
            n_promised, n_channels = file.frames, file.channels
            limits.check_format(n_channels, file.samplerate)
            if n_promised == 0:
                return None
            if n_promised >= _UNKNOWN_LENGTH:  # written to a pipe
                return Sound(_read_to_the_end(data, limits), file.samplerate)
            limits.check_length(n_promised, n_channels, file.samplerate)
            # The number is needed where libsndfile cannot seek, as in GSM 6.10.
            channels = file.read(n_promised, dtype="float32", always_2d=True)
    except _FAILURES as error:
        raise unreadable(limits) from error
    n_frames, sample_rate = len(channels), file.samplerate
    limits.check_whole(n_promised / sample_rate, n_frames / sample_rate, 0)
    return Sound(channels, sample_rate)


def header_duration(data: bytes) -> float:
    """Seconds that libsndfile finds in a header, 0 where it finds none."""
    import soundfile

    try:
        with soundfile.SoundFile(_Bytes(data)) as file:
            return float(file.frames / max(file.samplerate, 1))
    except _FAILURES:
        return 0.0


def _read_to_the_end(data: bytes, limits: Limits) -> np.ndarray:
    """Read a file that does not say how long it is: (n_frames, n_channels)."""
    import soundfile

    class Stream(soundfile.SoundFile):
        """A file that is read from its beginning to its end."""

        def seekable(self) -> bool:
            """No: libsndfile finds no place in what has no known end."""
            return False

    blocks, n_frames = [], 0
    with Stream(_Bytes(data)) as file:
        while len(block := file.read(_BLOCK, dtype="float32", always_2d=True)):
            n_frames += len(block)
            limits.check_length(n_frames, file.channels, file.samplerate, is_part=True)
            blocks.append(block)
        return np.concatenate([*blocks, np.zeros((0, file.channels), np.float32)])


def decode_with_ffmpeg(data: bytes, limits: Limits) -> Sound:
    """Decode with FFmpeg's libraries, packet by packet to the end.

    Raises
    ------
    AudioError
        If it is no sound, damaged, cut off or beyond the limits.
    """
    import av

    options = {"format_whitelist": _CONTAINERS, "protocol_whitelist": ""}
    try:
        with av.open(
            BytesIO(data), "r", container_options=options, metadata_errors="replace"
        ) as container:
            stream = container.streams.best("audio")
            if not isinstance(stream, av.AudioStream):
                raise AudioError(
                    f"{limits.name} holds no sound, only pictures or text. Choose a "
                    "recording."
                )
            sound = _decode_stream(container, stream, limits)
            promised = _promised_duration(container, stream, data)
    except (av.error.FFmpegError, *_FAILURES) as error:
        raise unreadable(limits) from error
    there = len(sound.channels) / sound.sample_rate
    limits.check_whole(promised, there, _FRAMES)
    return sound


def _decode_stream(
    container: "av.container.InputContainer",
    stream: "av.AudioStream",
    limits: Limits,
) -> Sound:
    """Decode the packets of one stream until its end or the limits."""
    import av

    blocks: list[np.ndarray] = []
    sample_rate, n_frames, n_damaged = 0, 0, 0
    for n_packets, packet in enumerate(container.demux(stream)):
        if n_packets > _MAX_PACKETS:
            raise AudioError(
                f"{limits.name} holds more than {_MAX_PACKETS:,} pieces of sound; "
                "expected one spoken digit. Convert it to wav."
            )
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            n_damaged += 1
            if n_damaged > _MAX_DAMAGED or packet.size > _SMALL:
                raise
            continue
        for frame in frames:
            block = _samples(frame, limits)
            if not blocks:
                sample_rate = frame.sample_rate
            elif (block.shape[1], frame.sample_rate) != (
                blocks[0].shape[1],
                sample_rate,
            ):
                raise AudioError(
                    f"{limits.name} changes its channels or its rate on the way "
                    f"({sample_rate} Hz, then {frame.sample_rate} Hz). Convert it to "
                    "wav."
                )
            n_frames += len(block)
            limits.check_length(n_frames, block.shape[1], sample_rate, is_part=True)
            blocks.append(block)
    if not blocks:
        if n_damaged:
            raise unreadable(limits)
        rate = stream.codec_context.sample_rate
        limits.check_format(1, rate)
        return Sound(np.zeros((0, 1), np.float32), rate)
    return Sound(np.concatenate(blocks), sample_rate)


def _samples(frame: "av.AudioFrame", limits: Limits) -> np.ndarray:
    """A frame's samples as float32, shape (n_frames, n_channels)."""
    n_channels = frame.layout.nb_channels
    limits.check_format(n_channels, frame.sample_rate)
    if n_channels > _MAX_PLANES:
        raise AudioError(
            f"{limits.name} has {n_channels} channels; expected at most {_MAX_PLANES} "
            "in this format. Mix it to one or two."
        )
    dtype, middle, scale = _STORED[frame.format.name.removesuffix("p")]
    # Not `frame.to_ndarray`, which reads a ninth plane of eight and ends the process.
    if frame.format.is_planar:
        planes = [
            np.frombuffer(memoryview(plane), dtype)
            for plane in frame.planes[:n_channels]
        ]
        values = np.stack([plane[: frame.samples] for plane in planes], axis=1)
    else:
        values = np.frombuffer(memoryview(frame.planes[0]), dtype)[
            : frame.samples * n_channels
        ]
        values = values.reshape(-1, n_channels)
    with np.errstate(over="ignore"):  # infinity is refused later, by its name
        samples = values.astype(np.float32)
    return (samples - np.float32(middle)) / np.float32(scale)


def _promised_duration(
    container: "av.container.InputContainer", stream: "av.AudioStream", data: bytes
) -> float:
    """Seconds that the file says it lasts; 0 where FFmpeg could only guess them."""
    kinds = set(container.format.name.split(","))
    if stream.duration and stream.time_base and kinds & _TELLS_LENGTH:
        return float(stream.duration * stream.time_base)
    if stream.duration and stream.time_base and "mp3" in kinds:
        first = data.find(b"\xff", _id3_size(data))
        if any(name in data[first : first + 200] for name in _MP3_LENGTHS):
            return float(stream.duration * stream.time_base)
    if "matroska" in kinds and container.duration and len(container.streams) == 1:
        return container.duration / 1_000_000
    return 0.0


def _id3_size(data: bytes) -> int:
    """Bytes of the tag before an mp3's frames; its size has 7 bits in each byte."""
    if data[:3] != b"ID3" or len(data) < 10:
        return 0
    size = 0
    for byte in data[6:10]:
        size = size << 7 | byte & 0x7F
    return 10 + size
