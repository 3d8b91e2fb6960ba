"""Decode sound files of any common format to mono.

Owns the step from bytes to samples, the same for corpus clips, uploads and the
microphone. Where in a recording the word is belongs to `features.speech`.
"""

import struct
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np

from audiomnist.audio.signal import MAX_SAMPLE_RATE, MIN_SAMPLE_RATE, Audio, resample
from audiomnist.errors import AudioError

MAX_DURATION = 60.0
"""Longest recording of one digit that is accepted, in seconds."""

MAX_CHANNELS = 16
"""Most channels that are mixed to one; microphones have one or two."""

MAX_VALUES = 40_000_000
"""Most samples of all channels that are decoded: 160 MB, a minute of much."""

_UNKNOWN_LENGTH = 2**62
"""Number of samples from which on libsndfile means that it does not know."""

_BLOCK = 65_536
"""Samples of each channel that are read at a time where the length is unknown."""

_FORMATS = "wav, flac, ogg (Vorbis or Opus) and mp3"


def decode(
    data: bytes, name: str = "The recording", max_duration: float = MAX_DURATION
) -> Audio:
    """Decode the bytes of a sound file and mix its channels to mono.

    The format is found from the contents, never from the name.

    Parameters
    ----------
    data
        A whole file: wav (8 to 32 bit or float), flac, ogg or mp3.
    name
        What messages call it.
    max_duration
        Longest recording accepted, in seconds.

    Raises
    ------
    AudioError
        If it is empty, cut off, too long, not sound, or holds non-finite samples.
    """
    if not data:
        raise AudioError(f"{name} is empty (0 bytes). Record or copy it again.")
    wav = _wav_format(data, name)
    if wav is not None and wav.is_pcm16:
        _check_length(wav.n_frames, wav.sample_rate, name, max_duration)
        flat = np.frombuffer(data, "<i2", wav.n_frames * wav.n_channels, wav.offset)
        samples = flat * np.float32(1 / 32768)
        if wav.n_channels == 1 and samples.size:
            return Audio(samples, wav.sample_rate)
        channels, sample_rate = samples.reshape(-1, wav.n_channels), wav.sample_rate
    else:
        channels, sample_rate = _decode_with_libsndfile(data, name, max_duration)
    if len(channels) == 0:
        raise AudioError(f"{name} holds no samples. Record or export it again.")
    try:
        return Audio(_to_mono(channels), sample_rate)
    except AudioError as error:
        raise AudioError(f"{name}: {error}") from error


def load(path: Path | str, sample_rate: int | None = None) -> Audio:
    """Read a sound file, at its own rate unless another is asked for.

    Raises
    ------
    AudioError
        If the file cannot be read or decoded.

    Examples
    --------
    >>> audio = load("docs/seven.wav")
    >>> audio.sample_rate, round(audio.duration, 2)
    (16000, 0.51)
    >>> load("docs/seven.wav", sample_rate=8000).sample_rate
    8000
    """
    if not isinstance(path, Path):
        path = Path(path)
    try:
        with path.open("rb", buffering=0) as file:  # read whole: a buffer only costs
            data = file.readall()
    except OSError as error:
        raise AudioError(
            f"{path} cannot be read ({error.strerror}). Check the name and try again."
        ) from error
    audio = decode(data, path.name)
    return audio if sample_rate is None else resample(audio, sample_rate)


@dataclass(frozen=True)
class _WavFormat:
    """What the header of a wav file promises."""

    format_tag: int
    n_channels: int
    sample_rate: int
    n_bits: int
    frame_size: int
    offset: int
    n_frames: int

    @property
    def is_pcm16(self) -> bool:
        """Whether the samples are plain 16-bit integers, one after the other."""
        is_packed = self.frame_size == 2 * self.n_channels
        return self.format_tag == 1 and self.n_bits == 16 and is_packed


def _wav_format(data: bytes, name: str) -> _WavFormat | None:
    """Read a RIFF header; None if it is not wav or not one of the usual kinds."""
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        return None
    (riff_size,) = struct.unpack_from("<I", data, 4)
    position, fmt = 12, None
    while position + 8 <= len(data):
        chunk, size = struct.unpack_from("<4sI", data, position)
        position += 8
        if chunk == b"fmt " and size >= 16 and position + 16 <= len(data):
            fmt = struct.unpack_from("<HHIIHH", data, position)
        elif chunk == b"data":
            if fmt is None or fmt[1] == 0 or fmt[4] == 0:
                return None
            present = len(data) - position
            # Programs that write to a pipe cannot know the size: 0 with everything
            # after it, or 2^32 - 1.
            is_streamed = size >= 0xFFFFFF00 or (size == 0 and riff_size == 0)
            if size > present and not is_streamed:
                raise AudioError(
                    f"{name} is cut off: its header promises {size} bytes of sound "
                    f"and {present} are there. Copy or record it again."
                )
            n_bytes = present if is_streamed else size
            return _WavFormat(
                fmt[0], fmt[1], fmt[2], fmt[5], fmt[4], position, n_bytes // fmt[4]
            )
        position += size + size % 2
    raise AudioError(
        f"{name} is cut off: a wav header without any sound after it. "
        "Copy or record it again."
    )


def _decode_with_libsndfile(
    data: bytes, name: str, max_duration: float
) -> tuple[np.ndarray, int]:
    """Decode whatever libsndfile knows: (n_frames, n_channels) and the rate."""
    import soundfile

    try:
        with soundfile.SoundFile(BytesIO(data)) as file:
            sample_rate, n_promised = file.samplerate, file.frames
            _check_size(file.channels, sample_rate, name)
            if n_promised >= _UNKNOWN_LENGTH:  # written to a pipe
                return _read_to_the_end(data, name, max_duration), sample_rate
            _check_length(n_promised, sample_rate, name, max_duration)
            _check_values(n_promised, file.channels, sample_rate, name)
            channels = file.read(dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, RuntimeError, TypeError) as error:
        raise AudioError(
            f"{name} is not a sound file that can be read here; expected {_FORMATS}. "
            "Convert it or choose another file."
        ) from error
    if len(channels) < n_promised:
        raise AudioError(
            f"{name} is cut off: {n_promised} samples are promised and "
            f"{len(channels)} are there. Copy or record it again."
        )
    return channels, sample_rate


def _read_to_the_end(data: bytes, name: str, max_duration: float) -> np.ndarray:
    """Read a file that does not say how long it is: (n_frames, n_channels)."""
    import soundfile

    class Stream(soundfile.SoundFile):
        """A file that is read from its beginning to its end."""

        def seekable(self) -> bool:
            """No: libsndfile finds no place in what has no known end."""
            return False

    blocks, n_frames = [], 0
    with Stream(BytesIO(data)) as file:
        while len(block := file.read(_BLOCK, dtype="float32", always_2d=True)):
            n_frames += len(block)
            _check_length(n_frames, file.samplerate, name, max_duration, is_part=True)
            _check_values(n_frames, file.channels, file.samplerate, name)
            blocks.append(block)
        return np.concatenate([*blocks, np.zeros((0, file.channels), np.float32)])


def _check_size(n_channels: int, sample_rate: int, name: str) -> None:
    """Refuse rates and channels that no microphone has, before decoding them."""
    if not MIN_SAMPLE_RATE <= sample_rate <= MAX_SAMPLE_RATE:
        raise AudioError(
            f"{name}: the sample rate is {sample_rate} Hz; expected "
            f"{MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE} Hz. Record it again."
        )
    if n_channels > MAX_CHANNELS:
        raise AudioError(
            f"{name} has {n_channels} channels; expected at most {MAX_CHANNELS}. "
            "Mix it to one or two."
        )


def _check_length(
    n_frames: int,
    sample_rate: int,
    name: str,
    max_duration: float,
    *,
    is_part: bool = False,
) -> None:
    """Refuse a recording that is longer than one digit can be, before reading it."""
    duration = n_frames / max(sample_rate, 1)
    if duration > max_duration:
        length = f"over {max_duration:.0f} s" if is_part else f"{duration:.0f} s"
        raise AudioError(
            f"{name} lasts {length}; expected one spoken digit, at most "
            f"{max_duration:.0f} s. Cut out the part with the digit."
        )


def _check_values(n_frames: int, n_channels: int, sample_rate: int, name: str) -> None:
    """Refuse more samples than fit into memory, before or while reading them."""
    if n_frames * n_channels > MAX_VALUES:
        raise AudioError(
            f"{name} holds {n_channels} channels at {sample_rate} Hz, more than "
            f"{MAX_VALUES:,} samples in all. Mix it to one channel or convert it to "
            "48000 Hz."
        )


def _to_mono(channels: np.ndarray) -> np.ndarray:
    """Mix (n_frames, n_channels) to (n_frames,), at most full scale."""
    mono = channels[:, 0]
    if channels.shape[1] > 1:
        mono = channels.mean(axis=1)
        # Channels in opposite phase cancel: keep the stronger one instead.
        power = np.square(channels).mean(axis=0)
        if np.square(mono).mean() < 0.01 * power.max():
            mono = channels[:, int(power.argmax())]
    peak = max(float(mono.max()), -float(mono.min()))
    if np.isfinite(peak) and peak > 1:
        mono = mono / np.float32(peak)
    return np.ascontiguousarray(mono, dtype=np.float32)
