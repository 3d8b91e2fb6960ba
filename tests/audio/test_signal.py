"""Sound in memory: resampling, level, and what is no audio."""

import numpy as np
import pytest

from audiomnist.audio.signal import SILENCE_DBFS, Audio, level_dbfs, resample
from audiomnist.errors import AudioError


def tone(sample_rate: int = 16_000, duration: float = 0.5, hz: float = 440) -> Audio:
    time = np.arange(round(duration * sample_rate)) / sample_rate
    return Audio((0.5 * np.sin(2 * np.pi * hz * time)).astype(np.float32), sample_rate)


@pytest.mark.parametrize("new_rate", [8000, 48_000])
def test_resampling_keeps_a_tone_and_its_length(new_rate: int) -> None:
    resampled = resample(tone(16_000, 1.0, 1000), new_rate)
    assert resampled.sample_rate == new_rate
    assert resampled.duration == pytest.approx(1.0, abs=1e-3)
    spectrum = np.abs(np.fft.rfft(resampled.samples))
    assert np.argmax(spectrum) == pytest.approx(1000, abs=1)


def test_resampling_removes_what_the_new_rate_cannot_hold() -> None:
    assert level_dbfs(resample(tone(16_000, 1.0, 6000), 8000).samples) < -60


def test_level_is_the_root_mean_square() -> None:
    assert level_dbfs(tone(duration=1.0).samples) == pytest.approx(-9.03, abs=0.01)
    assert level_dbfs(np.zeros(10, np.float32)) == SILENCE_DBFS
    assert level_dbfs(np.zeros(0, np.float32)) == SILENCE_DBFS


@pytest.mark.parametrize(
    ("samples", "sample_rate", "message"),
    [
        (np.zeros((3, 2), np.float32), 8000, "expected one channel"),
        (np.array([0, np.inf], np.float32), 8000, "1 of 2 samples"),
        (np.zeros(5, np.float32), 0, "sample rate is 0"),
    ],
)
def test_audio_checks_itself(
    samples: np.ndarray, sample_rate: int, message: str
) -> None:
    with pytest.raises(AudioError, match=message):
        Audio(samples, sample_rate)
