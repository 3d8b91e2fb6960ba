"""Encode sound as files of several formats, as recorders and networks do.

Owns plain 16-bit wav files and what recorders, browsers and telephones make of a
recording. Reading files is for `decoding`.
"""

from io import BytesIO
from typing import Any

import numpy as np

from audiomnist.audio.signal import Audio, resample
from audiomnist.errors import AudioError

BIT_RATE = 64_000
"""Bits a second of mp3, and of Opus on average."""

RECORDER_RATE, BROWSER_RATE = 44_100, 48_000
"""Sample rates of mp3 and Vorbis, and of Opus, in Hz."""

TELEPHONE_RATE = 8000
"""Sample rate of a telephone line, in Hz."""

TELEPHONE_BAND = (300.0, 3400.0)
"""What a telephone line lets through, in Hz: ITU-T G.712."""

# libsndfile's compression level, 0 to 1, goes evenly from the highest to the lowest
# bit rate: of MPEG 1 layer III for mp3 at 44.1 kHz, and of Opus with one channel.
_MP3_BIT_RATES, _OPUS_BIT_RATES = (320_000, 32_000), (256_000, 6_000)

# Vorbis has qualities in place of bit rates, 0 to 10; this is the second, which spends
# 64 kbit/s on sound of all frequencies and less on speech.
_VORBIS_LEVEL = 0.8

_TELEPHONE_ORDER = 8


def encode_wav(audio: Audio) -> bytes:
    """Encode as a mono wav file of 16 bit."""
    # libsndfile would scale floats by 32767, and `decode` divides by 32768.
    pcm = np.clip(np.rint(audio.samples * 32768), -32768, 32767).astype(np.int16)
    return _encode(pcm, audio.sample_rate, "WAV", "PCM_16")


def encode_wav_as(audio: Audio, subtype: str) -> bytes:
    """Encode as wav of libsndfile's subtype, such as "PCM_24", "FLOAT" or "ULAW".

    Raises
    ------
    AudioError
        If libsndfile does not know the subtype.
    """
    return _encode(audio.samples, audio.sample_rate, "WAV", subtype)


def encode_stereo(left: Audio, right: np.ndarray) -> bytes:
    """Encode as wav of 16 bit with a second channel, shape (n_samples,), beside it.

    Raises
    ------
    AudioError
        If the second channel is not as long as the first.
    """
    if right.shape != left.samples.shape:
        raise AudioError(
            f"The channels have the shapes {left.samples.shape} and {right.shape}; "
            "expected the same. Cut or pad the second one."
        )
    channels = np.stack([left.samples, right], axis=1)  # (n_samples, 2)
    return _encode(channels, left.sample_rate, "WAV", "PCM_16")


def encode_mp3(audio: Audio) -> bytes:
    """Encode as mp3 of 64 kbit/s, constant, at 44.1 kHz."""
    return _encode(
        resample(audio, RECORDER_RATE).samples,
        RECORDER_RATE,
        "MP3",
        "MPEG_LAYER_III",
        bitrate_mode="CONSTANT",
        compression_level=_level(_MP3_BIT_RATES),
    )


def encode_vorbis(audio: Audio) -> bytes:
    """Encode as Ogg Vorbis of a low quality at 44.1 kHz."""
    samples = resample(audio, RECORDER_RATE).samples
    return _encode(
        samples, RECORDER_RATE, "OGG", "VORBIS", compression_level=_VORBIS_LEVEL
    )


def encode_opus(audio: Audio) -> bytes:
    """Encode as Ogg Opus of about 64 kbit/s at 48 kHz, as browsers do."""
    samples = resample(audio, BROWSER_RATE).samples
    level = _level(_OPUS_BIT_RATES)
    return _encode(samples, BROWSER_RATE, "OGG", "OPUS", compression_level=level)


def encode_telephone(audio: Audio) -> bytes:
    """Encode as a telephone line does: 300 to 3400 Hz, 8 kHz, 8 bits of mu-law [1]_.

    References
    ----------
    .. [1] ITU-T Recommendation G.711, "Pulse code modulation (PCM) of voice
       frequencies", 1988.
    """
    samples = resample(audio, TELEPHONE_RATE).samples
    spectrum = np.fft.rfft(samples)
    hz = np.fft.rfftfreq(len(samples), 1 / TELEPHONE_RATE)
    # The magnitude of Butterworth filters, without their delay.
    low, high = TELEPHONE_BAND
    part = (hz / low) ** (2 * _TELEPHONE_ORDER)
    spectrum *= np.sqrt(part / (1 + part))
    spectrum /= np.sqrt(1 + (hz / high) ** (2 * _TELEPHONE_ORDER))
    band = np.clip(np.fft.irfft(spectrum, len(samples)), -1, 1)
    return _encode(band, TELEPHONE_RATE, "WAV", "ULAW")


def _encode(
    samples: np.ndarray, sample_rate: int, kind: str, subtype: str, **options: Any
) -> bytes:
    """Encode (n_samples,) or (n_samples, n_channels) with libsndfile."""
    import soundfile

    file = BytesIO()
    try:
        soundfile.write(
            file, samples, sample_rate, format=kind, subtype=subtype, **options
        )
    except (soundfile.LibsndfileError, ValueError) as error:
        raise AudioError(
            f"libsndfile cannot write {kind} of {subtype} at {sample_rate} Hz "
            f"({error}). Choose another kind, or install soundfile again."
        ) from error
    return file.getvalue()


def _level(bit_rates: tuple[int, int]) -> float:
    """libsndfile's compression level of `BIT_RATE`."""
    highest, lowest = bit_rates
    return (highest - BIT_RATE) / (highest - lowest)
