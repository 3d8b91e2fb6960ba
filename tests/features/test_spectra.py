"""Spectra: equal to librosa's, peaks where tones are, no clip touches another."""

import librosa
import numpy as np
import pytest

from audiomnist.audio.signal import Audio
from audiomnist.errors import AudioError, ConfigError
from audiomnist.features.spectra import (
    FRAMES_AT_ONCE,
    SpectrumConfig,
    frames_in_batches,
    mel_filter_bank,
    power_spectra,
)


def noise(n_samples: int, seed: int = 0, sample_rate: int = 8000) -> Audio:
    rng = np.random.default_rng(seed)
    return Audio(rng.normal(0, 0.1, n_samples).astype(np.float32), sample_rate)


@pytest.mark.parametrize(("win_length", "n_fft"), [(200, 256), (256, 256), (400, 512)])
def test_power_spectra_are_librosas(win_length: int, n_fft: int) -> None:
    config = SpectrumConfig(
        win_length=win_length, n_fft=n_fft, hop_length=120, pre_emphasis=0
    )
    sound = noise(4000)
    power, _ = power_spectra([sound], config)
    padded = np.pad(sound.samples, win_length // 2)
    # librosa puts a short window into the middle of n_fft samples, which changes
    # the phase only; here it is put in front.
    side = (n_fft - win_length) // 2
    expected = np.abs(
        librosa.stft(
            np.pad(padded, side),
            n_fft=n_fft,
            hop_length=120,
            win_length=win_length,
            center=False,
        )
    )
    np.testing.assert_allclose(
        power[: expected.shape[1]], expected.T**2, rtol=2e-3, atol=2e-5
    )


@pytest.mark.parametrize("n_mels", [20, 40])
@pytest.mark.parametrize(("fmin", "fmax"), [(0, 4000), (60, 3800)])
def test_mel_filter_bank_is_librosas(n_mels: int, fmin: float, fmax: float) -> None:
    expected = librosa.filters.mel(
        sr=8000, n_fft=256, n_mels=n_mels, fmin=fmin, fmax=fmax
    )
    np.testing.assert_allclose(
        mel_filter_bank(8000, 256, n_mels, fmin, fmax), expected, atol=1e-7
    )


def test_a_tone_peaks_in_its_bin_and_its_band() -> None:
    time = np.arange(8000) / 8000
    sound = Audio(np.sin(2 * np.pi * 1000 * time).astype(np.float32), 8000)
    power, _ = power_spectra([sound], SpectrumConfig())
    assert power[30].argmax() == 32  # 1000 Hz / (8000 Hz / 256)
    bank = mel_filter_bank(8000, 256, 40, 60, 3800)
    centre = bank[(power[30] @ bank.T).argmax()] @ (np.arange(129) * 8000 / 256)
    assert centre / bank[(power[30] @ bank.T).argmax()].sum() == pytest.approx(
        1000, rel=0.05
    )


def test_warp_moves_the_filters_up() -> None:
    frequencies = np.arange(129)
    plain, warped = (
        mel_filter_bank(8000, 256, 40, 60, 3000, warp) for warp in (1, 1.1)
    )
    centres = [(bank @ frequencies) / bank.sum(axis=1) for bank in (plain, warped)]
    np.testing.assert_allclose(centres[1][20:] / centres[0][20:], 1.1, rtol=0.02)


def test_pre_emphasis_lifts_high_frequencies() -> None:
    flat, _ = power_spectra([noise(8000)], SpectrumConfig(pre_emphasis=0))
    lifted, _ = power_spectra([noise(8000)], SpectrumConfig(pre_emphasis=0.95))
    ratio = (lifted.mean(axis=0) / flat.mean(axis=0))[[5, 60, 120]]
    assert ratio[0] < 0.1 < 1 < ratio[1] < ratio[2]


def test_a_clip_does_not_depend_on_its_neighbours() -> None:
    config = SpectrumConfig()
    clips = [noise(900 + 117 * number, number) for number in range(9)]
    together, bounds = power_spectra(clips, config)
    for number, clip in enumerate(clips):
        alone, _ = power_spectra([clip], config)
        np.testing.assert_allclose(
            together[bounds[number] : bounds[number + 1]], alone, rtol=1e-5, atol=1e-7
        )


def test_other_rates_are_converted() -> None:
    time = np.arange(48_000) / 48_000
    sound = Audio(np.sin(2 * np.pi * 1000 * time).astype(np.float32), 48_000)
    power, bounds = power_spectra([sound], SpectrumConfig())
    assert power[30].argmax() == 32
    assert bounds.tolist() == [0, 8000 // 120 + 1]


def test_batches_hold_every_clip_once_and_in_order() -> None:
    clips = [noise(8000, number) for number in range(150)]
    batches = list(frames_in_batches(clips, SpectrumConfig()))
    assert [clip for batch in batches for clip in batch] == clips
    frames = [sum(len(clip.samples) // 120 + 1 for clip in batch) for batch in batches]
    assert max(frames) < FRAMES_AT_ONCE + 200


def test_a_clip_shorter_than_a_window_is_explained() -> None:
    with pytest.raises(
        AudioError, match=r"lasts 12.5 ms; expected at least one window"
    ):
        power_spectra([noise(800), noise(100)], SpectrumConfig())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"hop_length": 0}, "do not fit"),
        ({"win_length": 300}, "do not fit"),
        ({"pre_emphasis": 1.0}, "pre_emphasis is 1.0"),
        ({"sample_rate": 2000}, "sample_rate is 2000 Hz"),
    ],
)
def test_contradicting_sizes_are_refused(settings: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        SpectrumConfig(**settings)


@pytest.mark.parametrize("hop_length", [80, 120, 199])
def test_a_frame_stands_for_the_hop_around_its_centre(hop_length: int) -> None:
    config = SpectrumConfig(hop_length=hop_length)
    frames = np.arange(1000)
    begin = config.seconds_of(frames)
    assert np.allclose(begin + config.hop / 2, frames * hop_length / 8000)
    assert np.array_equal(config.frames_at(begin), frames)
    assert np.array_equal(config.frames_at(begin + 0.99 * config.hop), frames)
