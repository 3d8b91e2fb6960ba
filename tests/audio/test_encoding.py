"""Kinds of files: what is written can be read, and is what its name says."""

from io import BytesIO

import numpy as np
import pytest
import soundfile

from audiomnist.audio.decoding import decode
from audiomnist.audio.encoding import (
    BROWSER_RATE,
    RECORDER_RATE,
    encode_mp3,
    encode_opus,
    encode_stereo,
    encode_telephone,
    encode_vorbis,
    encode_wav,
    encode_wav_as,
)
from audiomnist.audio.signal import Audio, resample
from audiomnist.errors import AudioError

# MPEG 1 layer III: bit rates by their index, in kbit/s, of which 64 has the fifth.
MP3_BIT_RATES = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)

MP3_FRAME = 1152  # samples


@pytest.fixture
def long_speech(spoken) -> Audio:
    """Ten seconds of different words, without a pause."""
    words = [spoken(i % 10, i % 5).samples for i in range(25)]
    return Audio(np.concatenate(words), 8000)


def mp3_frames(data: bytes) -> list[int]:
    """The bit rate of each frame, in kbit/s."""
    rates, position = [], 0
    while position + 4 <= len(data):
        header = int.from_bytes(data[position : position + 4], "big")
        assert header >> 17 == 0xFFFB >> 1, "MPEG 1 layer III, at 44.1 kHz"
        assert (header >> 10) & 3 == 0
        rates.append(MP3_BIT_RATES[(header >> 12) & 15])
        padding = (header >> 9) & 1
        position += 144_000 * rates[-1] // RECORDER_RATE + padding
    return rates


def test_mp3_has_64_kbit_a_second_in_each_frame(long_speech):
    data = encode_mp3(long_speech)
    rates = mp3_frames(data)
    assert set(rates) == {64}
    assert len(rates) * MP3_FRAME / RECORDER_RATE == pytest.approx(10, abs=0.2)
    assert 8 * len(data) / long_speech.duration == pytest.approx(64_000, rel=0.02)


@pytest.mark.parametrize(
    ("encode", "kind", "least", "most"),
    [(encode_vorbis, "VORBIS", 20_000, 64_000), (encode_opus, "OPUS", 58_000, 72_000)],
)
def test_ogg_has_no_more(long_speech, encode, kind, least, most):
    data = encode(long_speech)
    assert soundfile.info(BytesIO(data)).subtype == kind
    assert least < 8 * len(data) / long_speech.duration < most


@pytest.mark.parametrize(
    ("encode", "sample_rate"),
    [
        (encode_mp3, RECORDER_RATE),
        (encode_vorbis, RECORDER_RATE),
        (encode_opus, BROWSER_RATE),
    ],
)
def test_a_compressed_word_sounds_and_stands_as_it_did(spoken, encode, sample_rate):
    word = spoken(4)
    decoded = decode(encode(word))
    assert decoded.sample_rate == sample_rate
    assert decoded.duration == pytest.approx(word.duration, abs=0.001)
    original = resample(word, sample_rate).samples
    n_samples = min(len(original), len(decoded.samples))
    likeness = np.corrcoef(original[:n_samples], decoded.samples[:n_samples])[0, 1]
    assert likeness > 0.97


def test_24_bit_and_float_keep_what_they_can(spoken):
    word = spoken(3)
    fine = decode(encode_wav_as(word, "PCM_24"))
    assert np.abs(fine.samples - word.samples).max() <= 2**-23
    exact = decode(encode_wav_as(word, "FLOAT"))
    assert np.array_equal(exact.samples, word.samples)
    assert fine.sample_rate == exact.sample_rate == word.sample_rate


def test_stereo_has_two_channels_and_is_mixed_when_it_is_read(spoken):
    word = spoken(3)
    data = encode_stereo(word, np.zeros_like(word.samples))
    assert soundfile.info(BytesIO(data)).channels == 2
    assert decode(data).samples == pytest.approx(word.samples / 2, abs=2**-15)


def test_a_second_channel_of_another_length_is_refused(spoken):
    with pytest.raises(AudioError, match="expected the same"):
        encode_stereo(spoken(3), np.zeros(7))


def test_a_kind_that_nobody_knows_is_refused(spoken):
    with pytest.raises(AudioError, match="cannot write WAV of PCM_99"):
        encode_wav_as(spoken(3), "PCM_99")


@pytest.mark.parametrize(
    ("hz", "least_db", "most_db"),
    [
        (100, -np.inf, -30),
        (300, -4, -2),
        (1000, -0.3, 0.3),
        (3000, -1, 0.3),
        (3900, -np.inf, -8),
    ],
)
def test_a_telephone_lets_its_band_through(hz, least_db, most_db):
    time = np.arange(16_000) / 16_000
    tone = Audio((0.5 * np.sin(2 * np.pi * hz * time)).astype(np.float32), 16_000)
    data = encode_telephone(tone)
    assert soundfile.info(BytesIO(data)).subtype == "ULAW"
    decoded = decode(data)
    assert decoded.sample_rate == 8000
    middle = decoded.samples[2000:6000]
    gain_db = 10 * np.log10(np.mean(middle**2) / 0.125)
    assert least_db <= gain_db <= most_db
    assert len(np.unique(decoded.samples)) <= 256


def tone(sample_rate: int = 16_000, duration: float = 0.5, hz: float = 440) -> Audio:
    time = np.arange(round(duration * sample_rate)) / sample_rate
    return Audio((0.5 * np.sin(2 * np.pi * hz * time)).astype(np.float32), sample_rate)


def test_encode_wav_is_undone_by_decode() -> None:
    sound = tone()
    read = decode(encode_wav(sound))
    np.testing.assert_allclose(read.samples, sound.samples, atol=1 / 32768)
