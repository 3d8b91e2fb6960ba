"""Features: librosa's numbers, one clip at a time or in batches."""

from dataclasses import replace

import librosa
import numpy as np
import pytest

from audiomnist.audio.signal import Audio
from audiomnist.errors import AudioError, ConfigError
from audiomnist.features.config import NORMALISATIONS, FeatureConfig
from audiomnist.features.extraction import crop, extract, spectra
from audiomnist.features.mfcc import cosine_transform
from audiomnist.features.rendering import frame_steps, render
from audiomnist.features.spectra import Spectra, SpectrumConfig, power_spectra

CONFIGS = [
    FeatureConfig(),
    FeatureConfig(kind="mfcc", fit="stretch", n_frames=32),
    FeatureConfig(kind="mfcc", n_mfcc=40),
    FeatureConfig(normalise="none", n_mels=32, n_frames=24),
    FeatureConfig(normalise="none", n_frames=60, fit="window"),
    FeatureConfig(kind="mfcc", n_frames=50, fit="window"),
]
WINDOW = FeatureConfig(normalise="none", n_frames=60, fit="window")
WHOLE = FeatureConfig(
    spectrum=SpectrumConfig(win_length=256, pre_emphasis=0),
    normalise="none",
    floor=1e-10,
    n_frames=30,
)


def whole_clip(audio: Audio, config: FeatureConfig) -> np.ndarray:
    """Features of all frames, not of the word alone: (n_bins, n_frames)."""
    power, bounds = power_spectra([audio], config.spectrum)
    everything = Spectra(power, bounds, bounds[None, :])
    return render(everything, replace(config, n_frames=len(power)))[0]


def librosas_mel(audio: Audio) -> np.ndarray:
    return librosa.feature.melspectrogram(
        y=np.pad(audio.samples, 128),
        sr=8000,
        n_fft=256,
        hop_length=120,
        center=False,
        n_mels=40,
        fmin=60,
        fmax=3800,
    )


@pytest.mark.parametrize("digit", range(10))
def test_log_mel_is_librosas(spoken, digit: int) -> None:
    sound = spoken(digit)
    mel = librosas_mel(sound)
    ours = whole_clip(sound, WHOLE)[:, : mel.shape[1]]
    expected = np.log(mel / mel.mean() + 1e-10)
    np.testing.assert_allclose(ours, expected, atol=0.02)
    assert np.abs(ours - expected).mean() < 1e-3


@pytest.mark.parametrize("digit", range(10))
def test_mfcc_is_librosas(spoken, digit: int) -> None:
    sound = spoken(digit)
    mel = librosas_mel(sound)
    expected = librosa.feature.mfcc(S=np.log(mel / mel.mean() + 1e-10), n_mfcc=20)
    ours = whole_clip(sound, replace(WHOLE, kind="mfcc"))[:, : mel.shape[1]]
    np.testing.assert_allclose(ours, expected, atol=0.06)


@pytest.mark.parametrize("config", CONFIGS)
def test_batches_and_single_clips_agree(spoken, config: FeatureConfig) -> None:
    # 600 clips of several lengths and levels: more than one batch of frames.
    clips = [
        Audio(word.samples * np.float32(gain), 8000)
        for number in range(600)
        for word in [spoken(number % 10, number, duration=0.3 + 0.01 * (number % 30))]
        for gain in [10.0 ** (-(number % 3))]
    ]
    together = extract(clips, config)
    assert together.shape == (600, *config.shape)
    for number in range(0, 600, 37):
        alone = extract([clips[number]], config)[0]
        np.testing.assert_allclose(together[number], alone, atol=2e-4)


@pytest.mark.parametrize("config", CONFIGS)
def test_shape_type_and_range(spoken, config: FeatureConfig) -> None:
    values = extract([spoken(digit) for digit in range(10)], config)
    assert values.shape == (10, *config.shape)
    assert values.dtype == np.float32
    assert np.isfinite(values).all()


def test_level_and_microphone_colour_are_taken_away(spoken) -> None:
    sound = spoken(5).samples
    config = FeatureConfig()
    plain, quiet = extract(
        [Audio(sound * np.float32(g), 8000) for g in (1, 0.01)], config
    )
    np.testing.assert_allclose(plain, quiet, atol=1e-3)


def test_normalised_bands_have_no_mean_and_unit_deviation(spoken) -> None:
    config = FeatureConfig(normalise="bands")
    (values,) = extract([spoken(3, duration=0.4)], config)
    word = values[:, np.abs(values).sum(axis=0) > 0]
    np.testing.assert_allclose(word.mean(axis=1), 0, atol=1e-4)
    assert np.sqrt(np.mean(word**2)) == pytest.approx(1, abs=1e-3)


def test_a_normalised_level_keeps_the_bands_apart(spoken) -> None:
    (values,) = extract([spoken(3, duration=0.4)], FeatureConfig(normalise="level"))
    word = values[:, np.abs(values).sum(axis=0) > 0]
    assert word.mean() == pytest.approx(0, abs=1e-4)
    assert np.sqrt(np.mean(word**2)) == pytest.approx(1, abs=1e-3)
    assert np.ptp(word.mean(axis=1)) > 0.5


@pytest.mark.parametrize("normalise", NORMALISATIONS)
def test_a_word_sounds_the_same_in_a_close_cut_and_between_pauses(
    spoken, normalise
) -> None:
    word = spoken(5)
    padded = np.pad(word.samples, (2400, 2400))
    config = FeatureConfig(normalise=normalise)
    close, between = extract([word, Audio(padded, 8000)], config)
    assert np.corrcoef(close.ravel(), between.ravel())[0, 1] > 0.95


@pytest.mark.parametrize("normalise", NORMALISATIONS)
def test_a_crop_is_the_same_whatever_lies_around_the_word(spoken, normalise) -> None:
    config = FeatureConfig(normalise=normalise)
    word = spoken(5, duration=0.375).samples  # whole frames
    n_pause, margin = 20, 8
    images = []
    for first in (0, n_pause):
        sound = Audio(np.pad(word, first * 120), 8000)
        power, bounds = power_spectra([sound], config.spectrum)
        span = np.array([[first - margin, first + 26 + margin]])
        images.append(render(crop(Spectra(power, bounds, span), config), config)[0])
    assert np.corrcoef(images[0].ravel(), images[1].ravel())[0, 1] > 0.999


def test_silence_around_the_word_changes_little(spoken) -> None:
    rng = np.random.default_rng(0)
    word = spoken(5)
    padded = np.pad(word.samples, (1200, 1200 * 7))
    padded = (padded + rng.normal(0, 1e-4, len(padded))).astype(np.float32)
    near, far = extract([word, Audio(padded, 8000)], FeatureConfig())
    assert np.corrcoef(near.ravel(), far.ravel())[0, 1] > 0.75


def test_pad_keeps_the_tempo_and_stretch_does_not(spoken) -> None:
    clips = [spoken(4, duration=duration) for duration in (0.25, 0.5)]
    short, long = extract(clips, FeatureConfig(fit="pad"))
    filled = [np.count_nonzero(np.abs(values).sum(axis=0)) for values in (short, long)]
    assert 14 <= filled[0] <= 22 and 29 <= filled[1] <= 38
    short, long = extract(clips, FeatureConfig(fit="stretch"))
    assert np.abs(short).sum(axis=0).min() > 0 and np.abs(long).sum(axis=0).min() > 0


def test_a_word_longer_than_the_image_is_squeezed_into_it(spoken) -> None:
    (values,) = extract([spoken(4, duration=1.2)], FeatureConfig())
    assert np.abs(values).sum(axis=0).min() > 0


def test_mfcc_is_the_cosine_transform_of_log_mel(spoken) -> None:
    sound = [spoken(7)]
    log_mel = extract(sound, FeatureConfig())[0]
    mfcc = extract(sound, FeatureConfig(kind="mfcc", n_mfcc=20))[0]
    np.testing.assert_allclose(mfcc, cosine_transform(20, 40) @ log_mel, atol=1e-4)


def test_no_speech_is_an_error_and_not_a_row_of_zeros(spoken) -> None:
    silence = Audio(np.zeros(8000, np.float32), 8000)
    with pytest.raises(AudioError, match="No speech was found in recording 2 of 2"):
        extract([spoken(1), silence], FeatureConfig())


def test_no_clips_give_no_features() -> None:
    assert extract([], FeatureConfig()).shape == (0, 40, 40)


def test_too_short_a_clip_is_explained() -> None:
    with pytest.raises(AudioError, match="expected at least one window"):
        extract([Audio(np.zeros(50, np.float32), 8000)], FeatureConfig())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "wavelet"}, "kind is 'wavelet'; expected one of"),
        ({"fit": "crop"}, "fit is 'crop'"),
        ({"fmax": 5000.0}, "do not fit a sample rate of 8000 Hz"),
        ({"n_mfcc": 41}, "n_mfcc is 41; expected 1 to n_mels, 40"),
        ({"n_frames": 1}, "n_frames is 1"),
        ({"floor": 0.0}, "floor 0.0"),
    ],
)
def test_impossible_settings_are_refused(settings: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        FeatureConfig(**settings)


def window_of(power: np.ndarray, span: tuple[int, int], config: FeatureConfig):
    """The features of a clip in which the word lies at a span."""
    bounds, spans = np.array([0, len(power)]), np.array([span])
    return render(crop(Spectra(power, bounds, spans), config), config)[0]


@pytest.mark.parametrize("normalise", NORMALISATIONS)
def test_a_window_shows_a_word_whole_of_which_a_part_was_found(spoken, normalise):
    config = replace(WINDOW, normalise=normalise)
    word = np.pad(spoken(5, duration=0.375).samples, 120 * 60)
    power, _ = power_spectra([Audio(word, 8000)], config.spectrum)
    whole = window_of(power, (60, 86), config)
    part = window_of(power, (66, 80), config)
    # A band's mean over the part is not that over the whole.
    least = 0.9 if normalise == "bands" else 0.99
    assert np.corrcoef(whole.ravel(), part.ravel())[0, 1] > least
    padded = replace(config, fit="pad")
    far = [window_of(power, span, padded) for span in ((60, 86), (66, 80))]
    assert np.corrcoef(far[0].ravel(), far[1].ravel())[0, 1] < 0.95


def test_a_window_shows_what_lies_around_the_word(spoken):
    word = np.pad(spoken(5, duration=0.375).samples, 120 * 60)
    power, _ = power_spectra([Audio(word, 8000)], WINDOW.spectrum)
    louder = power.copy()
    louder[50] += power.mean()
    plain, other = (window_of(p, (60, 86), WINDOW) for p in (power, louder))
    changed = np.flatnonzero(np.abs(plain - other).max(axis=0) > 1)
    assert changed.tolist() == [7]  # the middle, 72.5, stands between frames 29 and 30


def test_a_window_is_silent_beyond_the_recording(spoken):
    power, _ = power_spectra([spoken(5, duration=0.375)], WINDOW.spectrum)
    image = window_of(power, (0, len(power)), WINDOW)
    n_beside = (60 - len(power)) // 2
    beside = np.concatenate([image[:, :n_beside], image[:, -n_beside:]], axis=1)
    np.testing.assert_allclose(beside, np.log(WINDOW.floor), atol=1e-5)
    assert image[:, n_beside + 1 : -n_beside - 1].max() > 0


def test_longer_words_are_squeezed_into_the_window(spoken):
    sound = spoken(5, duration=3.0)
    whole, _ = power_spectra([sound], WINDOW.spectrum)
    for n_frames in range(61, len(whole)):
        power = whole[:n_frames]
        image = window_of(power, (0, n_frames), WINDOW)
        exact = window_of(power, (0, n_frames), replace(WINDOW, n_frames=n_frames))
        np.testing.assert_allclose(image[:, [0, -1]], exact[:, [0, -1]], atol=1e-3)


def test_digital_silence_stays_at_the_floor() -> None:
    config = FeatureConfig()
    silent = Spectra(
        np.zeros((10, config.spectrum.n_bins), np.float32),
        np.array([0, 10]),
        np.array([[0, 10]]),
    )
    np.testing.assert_allclose(render(silent, config), 0, atol=1e-3)


def test_the_step_of_the_frames_is_the_hop_until_a_word_is_longer(spoken):
    def step(audio: Audio, config: FeatureConfig) -> float:
        (seconds,) = frame_steps(spectra([audio], config).spans, config)
        return seconds

    word = spoken(7)
    hiss = np.random.default_rng(0).normal(0, 0.1, 19200).astype(np.float32)
    long = Audio(np.pad(hiss, 8000), 8000)  # 2.4 s between pauses
    for fit in ("pad", "window"):
        config = FeatureConfig(n_frames=90, fit=fit)
        assert step(word, config) == pytest.approx(config.spectrum.hop)
        seconds = step(long, config) * config.n_frames
        assert seconds == pytest.approx(2.4, abs=0.15)
    config = FeatureConfig(n_frames=90, fit="stretch")
    assert step(word, config) < config.spectrum.hop
