"""Decode sound files of any common format to mono.

Owns the step from bytes to samples, the same for corpus clips, uploads and the
microphone. What the files' headers promise is for `containers`, the libraries that
decode are for `decoders`; where in a recording the word is belongs to
`features.speech`.
"""

from pathlib import Path

import numpy as np

from audiomnist.audio.containers import Wav, promised_part, read_wav, with_readable_size
from audiomnist.audio.decoders import (
    Sound,
    decode_with_ffmpeg,
    decode_with_libsndfile,
    header_duration,
    is_mp3,
)
from audiomnist.audio.limits import FORGIVEN, MAX_DURATION, Limits
from audiomnist.audio.signal import Audio, resample
from audiomnist.errors import AudioError


def decode(
    data: bytes, name: str = "The recording", max_duration: float = MAX_DURATION
) -> Audio:
    """Decode the bytes of a sound file and mix its channels to mono.

    The format is found from the contents, never from the name.

    Parameters
    ----------
    data
        A whole file of one of `formats.FORMATS`, or another that libsndfile or
        FFmpeg reads.
    name
        What messages call it.
    max_duration
        Longest recording accepted, in seconds.

    Raises
    ------
    AudioError
        If it is empty, cut off, too long, not sound, or holds non-finite samples.
    """
    limits = Limits(name, max_duration)
    if not data:
        raise AudioError(f"{name} is empty (0 bytes). Record or copy it again.")
    wav = read_wav(data, limits)
    if wav is not None:
        limits.check_format(wav.n_channels, wav.sample_rate)
        if wav.n_bytes == 0:
            raise _no_samples(name)
    if wav is not None and wav.is_plain:
        sound = _plain(data, wav, limits)
        if wav.n_channels == 1 and len(sound.channels):
            return Audio(sound.channels[:, 0], sound.sample_rate)
    elif wav is not None:
        contents = wav.rewritten(data)
        sound = _decode(contents, limits, is_trusted=not wav.is_length_guessed)
    else:
        sound = _decode(data, limits, is_trusted=not is_mp3(data))
    if len(sound.channels) == 0:
        raise _no_samples(name)
    try:
        with np.errstate(invalid="ignore", over="ignore"):  # `Audio` refuses infinity
            return Audio(_to_mono(sound.channels), sound.sample_rate)
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


def duration_of(data: bytes, name: str = "The recording") -> float:
    """Tell how long a recording is, from its header where that can be trusted.

    Returns
    -------
    float
        Seconds, above 0 and at most `MAX_DURATION`.

    Raises
    ------
    AudioError
        If it is no recording, holds no sound or is too long.
    """
    seconds = 0.0
    if data[:4] in (b"fLaC", b"OggS"):
        seconds = header_duration(data)
    elif (wav := read_wav(data, Limits(name))) is not None and wav.is_uncompressed:
        seconds = wav.n_frames / max(wav.sample_rate, 1)
    if 0 < seconds <= MAX_DURATION:
        return seconds
    # Only decoding tells how long a streamed recording is, or what is wrong.
    return decode(data, name).duration


def _plain(data: bytes, wav: Wav, limits: Limits) -> Sound:
    """The samples of a wav file of 16 bit."""
    limits.check_length(wav.n_frames, wav.n_channels, wav.sample_rate)
    flat = np.frombuffer(data, "<i2", wav.n_frames * wav.n_channels, wav.offset)
    samples = flat * np.float32(1 / 32768)
    return Sound(samples.reshape(-1, wav.n_channels), wav.sample_rate)


def _decode(data: bytes, limits: Limits, *, is_trusted: bool) -> Sound:
    """Decode with libsndfile if it is trusted, or with FFmpeg what it cannot read."""
    data = with_readable_size(data)
    sound = decode_with_libsndfile(data, limits) if is_trusted else None
    if sound is None:
        sound = decode_with_ffmpeg(data, limits)
    there = len(sound.channels) / sound.sample_rate
    limits.check_whole(there * promised_part(data), there, FORGIVEN)
    return sound


def _no_samples(name: str) -> AudioError:
    """The error for a file without any sound in it."""
    return AudioError(f"{name} holds no samples. Record or export it again.")


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
