"""Noises: their power, their colour, and whom babble is made of."""

from itertools import pairwise

import numpy as np
import pytest

from audiomnist.audio.noise import (
    MAINS_HZ,
    MIN_HZ,
    N_TALKERS,
    babble,
    fan,
    mains_hum,
    pink,
    white,
)
from audiomnist.audio.signal import Audio
from audiomnist.errors import AudioError

RATE = 16_000


def octave_slope(samples: np.ndarray, sample_rate: int) -> float:
    """By how many dB the density of power rises an octave, from 60 to 6000 Hz."""
    power = np.abs(np.fft.rfft(samples)) ** 2
    hz = np.fft.rfftfreq(len(samples), 1 / sample_rate)
    edges = 60 * 2.0 ** np.arange(0, 7)
    density_db = [
        10 * np.log10(power[(hz >= low) & (hz < high)].mean())
        for low, high in pairwise(edges)
    ]
    return float(np.polyfit(np.arange(len(density_db)), density_db, 1)[0])


def tone(hz: float, sample_rate: int = RATE, duration: float = 0.5) -> Audio:
    time = np.arange(round(duration * sample_rate)) / sample_rate
    sound = 0.3 * np.sin(2 * np.pi * hz * time)
    return Audio(sound.astype(np.float32), sample_rate)


@pytest.mark.parametrize("make", [white, pink, fan])
def test_a_noise_has_unit_power_and_follows_its_generator(make):
    first, again, other = (
        make(RATE, RATE, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert first.shape == (RATE,)
    assert np.mean(first**2) == pytest.approx(1)
    assert np.array_equal(first, again)
    assert not np.allclose(first, other)


@pytest.mark.parametrize(("make", "slope"), [(white, 0), (pink, -3.01)])
@pytest.mark.parametrize("seed", range(3))
def test_the_colour_of_a_noise(make, slope, seed):
    sound = make(10 * RATE, RATE, np.random.default_rng(seed))
    assert octave_slope(sound, RATE) == pytest.approx(slope, abs=0.25)


def test_coloured_noise_holds_nothing_inaudible():
    sound = pink(10 * RATE, RATE, np.random.default_rng(0))
    power = np.abs(np.fft.rfft(sound)) ** 2
    hz = np.fft.rfftfreq(len(sound), 1 / RATE)
    assert power[hz < MIN_HZ].sum() < 1e-12 * power.sum()


def test_a_fan_is_low_and_hums_at_the_mains():
    sound = fan(10 * RATE, RATE, np.random.default_rng(0))
    power = np.abs(np.fft.rfft(sound)) ** 2
    hz = np.fft.rfftfreq(len(sound), 1 / RATE)
    assert power[hz < 500].sum() > 0.95 * power.sum()
    assert min(abs(hz[power.argmax()] - mains) for mains in MAINS_HZ) < 0.2


def test_harmonics_of_the_mains_fall_with_their_number():
    sound = mains_hum(RATE, RATE, np.random.default_rng(0))
    power = np.abs(np.fft.rfft(sound)) ** 2
    mains = int(power.argmax())
    assert mains in MAINS_HZ
    assert power[2 * mains] / power[mains] == pytest.approx(1 / 4, rel=0.05)
    assert power[3 * mains] / power[mains] == pytest.approx(1 / 9, rel=0.05)


def test_babble_is_all_voices_alike_whatever_their_level_rate_and_length():
    voices = [
        tone(300),
        Audio(tone(500).samples * np.float32(0.01), RATE),
        tone(700, 8000, duration=2.0),
    ]
    sound = babble(voices, RATE, RATE, np.random.default_rng(0))
    power = np.abs(np.fft.rfft(sound)) ** 2
    shares = [power[hz - 20 : hz + 21].sum() / power.sum() for hz in (300, 500, 700)]
    assert shares == pytest.approx([1 / 3] * 3, abs=0.02)
    assert np.mean(sound**2) == pytest.approx(1)


def test_babble_draws_no_more_talkers_than_it_needs():
    voices = [tone(200 + 200 * i) for i in range(2 * N_TALKERS)]
    sound = babble(voices, RATE, RATE, np.random.default_rng(0))
    power = np.abs(np.fft.rfft(sound)) ** 2
    sounding = [
        i
        for i in range(len(voices))
        if power[190 + 200 * i : 211 + 200 * i].sum() > 0.05 * power.sum()
    ]
    assert len(sounding) == N_TALKERS


@pytest.mark.parametrize("voices", [[], [Audio(np.zeros(100, np.float32), RATE)]])
def test_babble_needs_somebody_who_talks(voices):
    with pytest.raises(AudioError, match="other speakers"):
        babble(voices, RATE, RATE, np.random.default_rng(0))
