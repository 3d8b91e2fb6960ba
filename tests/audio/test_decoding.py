"""Decoding: every ordinary recording is read, everything else is explained."""

import io

import numpy as np
import pytest
import soundfile

from audiomnist.audio import limits
from audiomnist.audio.decoding import decode, load
from audiomnist.audio.encoding import encode_wav
from audiomnist.audio.signal import Audio, level_dbfs
from audiomnist.errors import AudioError


def tone(sample_rate: int = 16_000, duration: float = 0.5, hz: float = 440) -> Audio:
    time = np.arange(round(duration * sample_rate)) / sample_rate
    return Audio((0.5 * np.sin(2 * np.pi * hz * time)).astype(np.float32), sample_rate)


def encoded(samples: np.ndarray, sample_rate: int, kind: str, subtype: str) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, sample_rate, format=kind, subtype=subtype)
    return file.getvalue()


@pytest.mark.parametrize("sample_rate", [8000, 11_025, 16_000, 44_100, 48_000, 96_000])
@pytest.mark.parametrize(
    ("subtype", "tolerance"),
    [
        ("PCM_U8", 1e-2),
        ("PCM_16", 1e-4),
        ("PCM_24", 1e-6),
        ("PCM_32", 1e-6),
        ("FLOAT", 1e-7),
        ("DOUBLE", 1e-7),
    ],
)
def test_wav_of_any_width_and_rate_keeps_its_samples(
    subtype: str, tolerance: float, sample_rate: int
) -> None:
    sound = tone(sample_rate)
    read = decode(encoded(sound.samples, sample_rate, "WAV", subtype))
    assert read.sample_rate == sample_rate
    np.testing.assert_allclose(read.samples, sound.samples, atol=tolerance)


@pytest.mark.parametrize(
    ("kind", "subtype"),
    [("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", "MPEG_LAYER_III")],
)
def test_compressed_formats_keep_level_and_length(kind: str, subtype: str) -> None:
    sound = tone(16_000, 1.0)
    read = decode(encoded(sound.samples, 16_000, kind, subtype))
    assert read.sample_rate == 16_000
    assert read.duration == pytest.approx(1.0, abs=0.1)
    assert level_dbfs(read.samples) == pytest.approx(level_dbfs(sound.samples), abs=1.5)


def test_channels_are_mixed_and_opposite_phase_does_not_cancel() -> None:
    sound = tone().samples
    stereo = encoded(np.stack([sound, sound], axis=1), 16_000, "WAV", "PCM_16")
    np.testing.assert_allclose(decode(stereo).samples, sound, atol=1e-4)
    opposite = encoded(np.stack([sound, -sound], axis=1), 16_000, "WAV", "PCM_24")
    assert level_dbfs(decode(opposite).samples) == pytest.approx(-9.03, abs=0.1)


def test_format_is_found_from_contents_not_from_the_name(tmp_path) -> None:
    path = tmp_path / "really_flac.wav"
    path.write_bytes(encoded(tone().samples, 16_000, "FLAC", "PCM_16"))
    assert load(path).duration == pytest.approx(0.5)


def test_float_samples_over_full_scale_are_scaled_down() -> None:
    read = decode(encoded(4 * tone().samples, 16_000, "WAV", "FLOAT"))
    assert np.abs(read.samples).max() == pytest.approx(1)


def test_a_streamed_wav_without_a_size_is_read_to_its_end() -> None:
    data = bytearray(encode_wav(tone()))
    data[40:44] = b"\xff\xff\xff\xff"
    assert decode(bytes(data)).duration == pytest.approx(0.5)


def test_a_wav_with_padded_frames_is_not_taken_for_plain_samples() -> None:
    data = bytearray(encode_wav(tone()))
    data[32:34] = (3).to_bytes(2, "little")  # bytes of a frame: not 2 x channels
    try:
        read = decode(bytes(data), "odd.wav")
    except AudioError as error:
        assert "odd.wav" in str(error)
    else:
        assert len(read.samples) > 0


def piped_flac(samples: np.ndarray, sample_rate: int) -> bytes:
    """A flac file as a program writes it to a pipe, without its length."""
    data = bytearray(encoded(samples, sample_rate, "FLAC", "PCM_16"))
    # STREAMINFO: 36 bits of total samples end at byte 26 of the file; 0 is unknown.
    data[21] &= 0xF0
    data[22:26] = bytes(4)
    return bytes(data)


@pytest.mark.parametrize("n_frames", [100, 65_536, 65_537, 200_000])
@pytest.mark.parametrize("n_channels", [1, 2])
def test_a_flac_that_does_not_know_its_length_is_read_to_its_end(
    n_frames: int, n_channels: int
) -> None:
    rng = np.random.default_rng(0)
    samples = rng.uniform(-0.5, 0.5, (n_frames, n_channels))
    read = decode(piped_flac(samples, 48_000))
    assert read.sample_rate == 48_000
    assert read.samples.shape == (n_frames,)
    np.testing.assert_allclose(read.samples, samples.mean(axis=1), atol=1e-4)


def test_a_flac_of_unknown_length_is_refused_when_it_turns_out_too_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = piped_flac(np.zeros(61 * 8000), 8000)
    with pytest.raises(AudioError, match=r"piped\.flac lasts over 60 s"):
        decode(data, "piped.flac")
    monkeypatch.setattr(limits, "MAX_VALUES", 100_000)
    with pytest.raises(AudioError, match="more than 100,000 samples in all"):
        decode(data)


def test_a_flac_of_unknown_length_that_is_cut_off_is_refused() -> None:
    data = piped_flac(tone().samples, 16_000)
    with pytest.raises(AudioError, match="not a sound file that can be read"):
        decode(data[: len(data) // 2])


@pytest.mark.parametrize(
    ("n_channels", "sample_rate", "message"),
    [
        (8, 384_000, "more than 40,000,000 samples in all"),
        (17, 48_000, "has 17 channels; expected at most 16"),
        (1, 3000, "sample rate is 3000 Hz"),
    ],
)
def test_what_would_fill_the_memory_is_refused_before_decoding(
    n_channels: int, sample_rate: int, message: str
) -> None:
    silence = np.zeros((20 * sample_rate, n_channels), np.int16)
    kind = ("FLAC", "PCM_16") if n_channels <= 8 else ("WAV", "PCM_24")
    with pytest.raises(AudioError, match=message):
        decode(encoded(silence, sample_rate, *kind), "big.flac")


def test_load_resamples_when_asked(tmp_path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(encode_wav(tone()))
    assert load(path).sample_rate == 16_000
    assert load(path, sample_rate=8000).sample_rate == 8000


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"Dear diary, today I said seven.", "not a sound file that can be read"),
        (b"\x00" * 5000, "not a sound file that can be read"),
        (encode_wav(tone())[:4000], "is cut off"),
        (encode_wav(tone())[:40], "is cut off"),
        (
            encoded(tone().samples, 16_000, "FLAC", "PCM_16")[:900],
            "cut off|cannot|not a",
        ),
        (encoded(np.zeros(0), 16_000, "WAV", "PCM_24"), "holds no samples"),
        (encoded(np.full(900, np.nan), 16_000, "WAV", "FLOAT"), "900 of 900 samples"),
        (encode_wav(Audio(np.zeros(8000 * 600, np.float32), 8000)), "lasts 600 s"),
        (
            encoded(np.zeros(8000 * 600, np.float32), 8000, "FLAC", "PCM_16"),
            "lasts 600 s",
        ),
    ],
)
def test_bad_bytes_get_a_clear_sentence(data: bytes, message: str) -> None:
    with pytest.raises(AudioError, match=message) as caught:
        decode(data, "mine.wav")
    assert "mine.wav" in str(caught.value)


def test_a_missing_file_is_named(tmp_path) -> None:
    with pytest.raises(AudioError, match=r"gone.wav cannot be read"):
        load(tmp_path / "gone.wav")
