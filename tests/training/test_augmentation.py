"""Augmentation: each option does what it says, repeatably, and nothing else."""

from dataclasses import replace

import numpy as np
import pytest
from unvaried import UNVARIED

from audiomnist.audio.noise import pink, white
from audiomnist.audio.signal import Audio
from audiomnist.errors import ConfigError
from audiomnist.features.config import FeatureConfig
from audiomnist.features.extraction import spectra
from audiomnist.features.rendering import render
from audiomnist.features.spectra import Spectra, power_spectra
from audiomnist.features.speech import speech_spans
from audiomnist.training import noise
from audiomnist.training.augmentation import augment, augment_pairs
from audiomnist.training.config import AugmentationConfig

FEATURES = FeatureConfig()


@pytest.fixture
def words(spoken):
    return spectra(
        [spoken(digit, speaker) for digit in range(10) for speaker in range(3)],
        FEATURES,
    )


def versions(words, config: AugmentationConfig, seed: int = 0, features=FEATURES):
    return augment(words, features, config, np.random.default_rng(seed))


@pytest.mark.parametrize(
    "features",
    [
        FEATURES,
        FeatureConfig(kind="mfcc", fit="stretch", n_frames=32),
        FeatureConfig(fit="window", n_frames=60),
    ],
)
def test_with_everything_off_nothing_changes(words, features) -> None:
    plain = render(words, features)
    np.testing.assert_allclose(
        versions(words, UNVARIED, features=features), plain, atol=1e-4
    )


@pytest.mark.parametrize(
    "option",
    [
        {"slowest": 0.8, "fastest": 1.2},
        {"bend": 0.3},
        {"reverberation_part": 1.0},
        {"noise_part": 1.0, "babble_part": 1.0},
        {"band_part": 1.0},
        {"shift": 0.06},
        {"end_points": 0.06},
        {"warp": 0.18},
        {"equaliser_db": 5.0},
        {"noise_part": 1.0},
        {"cut_part": 1.0},
    ],
)
def test_each_option_alone_changes_most_clips_and_keeps_them_recognisable(
    words, option: dict
) -> None:
    plain = render(words, FEATURES)
    changed = versions(words, replace(UNVARIED, **option))
    differs = np.abs(changed - plain).max(axis=(1, 2)) > 1e-3
    assert differs.mean() > 0.6
    assert np.isfinite(changed).all()
    similarity = np.corrcoef(plain.ravel(), changed.ravel())[0, 1]
    assert similarity > 0.3


@pytest.mark.parametrize("part", [0.5, 1.0])
def test_a_cut_silences_one_end_of_its_part_of_the_words_and_no_more(part) -> None:
    # 160 frames of one colour each, of which those from 50 to 110 are the word.
    bounds = 160 * np.arange(401)
    power = np.ones((bounds[-1], FEATURES.spectrum.n_bins), np.float32)
    clips = Spectra(power, bounds, bounds[:-1, None] + [50, 110])
    window = FeatureConfig(fit="window", n_frames=200, normalise="none")
    shown = versions(clips, replace(UNVARIED, cut_part=part), features=window)
    is_sound = (shown > shown.max() - 1).all(axis=1)  # (n_clips, n_frames)
    first, n_sound = is_sound.argmax(axis=1), is_sound.sum(axis=1)
    is_cut = n_sound < 150
    assert (n_sound[~is_cut] == 160).all()
    assert is_cut.mean() == pytest.approx(part, abs=0.08)
    at_end = is_cut & (first < 50)  # else the silence is before the sound
    assert at_end.sum() / is_cut.sum() == pytest.approx(0.7, abs=0.08)
    # What is left beside the other end of the word; half a frame may be blurred away.
    n_lost = 110 - n_sound
    assert n_lost[at_end].min() >= 0 and 14 <= n_lost[at_end].max() <= 20
    at_beginning = is_cut & ~at_end
    assert n_lost[at_beginning].min() >= 0 and 8 <= n_lost[at_beginning].max() <= 14


def test_a_pair_is_of_whole_words(words) -> None:
    cut = replace(UNVARIED, cut_part=1.0)
    pairs = (
        augment_pairs(words, FEATURES, config, np.random.default_rng(0))
        for config in (UNVARIED, cut)
    )
    for whole, other in zip(*pairs, strict=True):
        np.testing.assert_array_equal(whole, other)


def test_a_seed_repeats_and_another_does_not(words) -> None:
    config = AugmentationConfig()
    np.testing.assert_array_equal(versions(words, config), versions(words, config))
    assert np.abs(versions(words, config, 0) - versions(words, config, 1)).max() > 0.5


def test_noise_goes_to_its_part_of_the_clips(words) -> None:
    plain = render(words, FEATURES)
    config = replace(UNVARIED, noise_part=0.5, noise_low_db=5, noise_high_db=5)
    noisy = np.abs(versions(words, config) - plain).max(axis=(1, 2)) > 1e-3
    assert 0.2 < noisy.mean() < 0.8


def test_louder_noise_changes_more(words) -> None:
    plain = render(words, FEATURES)
    faint, loud = (
        np.abs(
            versions(
                words,
                replace(UNVARIED, noise_part=1, noise_low_db=snr, noise_high_db=snr),
            )
            - plain
        ).mean()
        for snr in (30, 0)
    )
    assert loud > 2 * faint


def test_tempo_changes_how_many_frames_a_word_fills(words) -> None:
    plain = np.abs(render(words, FEATURES)).sum(axis=1) > 0
    other = (
        np.abs(versions(words, replace(UNVARIED, slowest=0.8, fastest=1.2))).sum(axis=1)
        > 0
    )
    ratio = other.sum(axis=1) / plain.sum(axis=1)
    assert 0.7 < ratio.min() < 0.95 and 1.05 < ratio.max() < 1.3


@pytest.mark.parametrize(
    "option", [{"slowest": 0.8, "fastest": 1.2}, {"bend": 0.3}, {"shift": 0.06}]
)
def test_a_window_moves_and_bends_too(spoken, option) -> None:
    features = FeatureConfig(fit="window", n_frames=60)
    sounds = [spoken(digit, speaker) for digit in range(10) for speaker in range(3)]
    words = spectra(sounds, features)
    plain = render(words, features)
    changed = versions(words, replace(UNVARIED, **option), features=features)
    same = [
        np.corrcoef(one.ravel(), other.ravel())[0, 1]
        for one, other in zip(plain, changed, strict=True)
    ]
    assert 0.5 < np.mean(same) < 0.99


def test_a_room_makes_the_end_of_a_word_longer(words) -> None:
    plain = render(words, FEATURES)
    reverberant = versions(words, replace(UNVARIED, reverberation_part=1))
    # Beside the loudest frame, what follows it has risen.
    rise = reverberant - plain
    middle = FEATURES.n_frames // 2
    assert rise[:, :, middle:].mean() > rise[:, :, :middle].mean()


def test_babble_sounds_like_the_other_clips(words) -> None:
    loud = replace(UNVARIED, noise_part=1, noise_low_db=-60, noise_high_db=-60)
    unscaled = replace(FEATURES, normalise="none")
    plain, babble, hiss = (
        features[:, :, 15:25].mean(axis=(0, 2))  # within the words, (n_mels,)
        for features in (
            render(words, unscaled),
            versions(words, replace(loud, babble_part=1), features=unscaled),
            versions(words, replace(loud, babble_part=0), features=unscaled),
        )
    )
    assert np.corrcoef(plain, babble)[0, 1] > 0.8
    assert np.corrcoef(plain, hiss)[0, 1] < 0.5


@pytest.mark.parametrize("snr_db", [-10.0, 5.0])
@pytest.mark.parametrize("falls", [0.0, 1.0])
def test_noise_is_as_loud_as_noise_in_the_samples(
    spoken, monkeypatch, snr_db, falls
) -> None:
    """In front of the pre-emphasis, which white noise passes better than words do."""
    monkeypatch.setattr(noise, "_NOISE_FALLS", (falls, falls))
    unscaled = replace(FEATURES, normalise="none", floor=1e-6)
    clean = [pad(spoken(digit, speaker)) for digit in range(10) for speaker in range(3)]
    words = spectra(clean, unscaled)
    config = replace(UNVARIED, noise_part=1, noise_low_db=snr_db, noise_high_db=snr_db)
    ours = versions(words, replace(config, babble_part=0), features=unscaled)
    rng = np.random.default_rng(3)
    make = white if falls == 0 else pink
    noisy = []
    for audio in clean:
        word = audio.samples[2400:-2400]
        sound = make(len(audio.samples), 8000, rng)
        gain = np.sqrt(np.mean(word**2) * 10 ** (-snr_db / 10))
        samples = audio.samples + gain * sound
        noisy.append(Audio(samples.astype(np.float32), 8000))
    power, bounds = power_spectra(noisy, unscaled.spectrum)
    power_clean, _ = power_spectra(clean, unscaled.spectrum)
    spans = speech_spans(power_clean, bounds, unscaled.speech, unscaled.spectrum)
    theirs = render(Spectra(power, bounds, spans), unscaled)
    inside = slice(15, 25)
    difference = (ours - theirs)[:, 4:, inside].mean(axis=(0, 2))  # (n_mels - 4,)
    assert np.abs(difference).max() < 0.35  # 1.5 dB


def pad(audio: Audio) -> Audio:
    """The recording with 0.3 s of silence on both sides."""
    return Audio(np.pad(audio.samples, 2400), audio.sample_rate)


def test_a_narrow_band_loses_its_ends_alone(words) -> None:
    unscaled = replace(FEATURES, normalise="none")
    plain = render(words, unscaled)
    narrow = versions(words, replace(UNVARIED, band_part=1), features=unscaled)
    loss = (plain - narrow).mean(axis=(0, 2))  # (n_mels,)
    assert max(loss[0], loss[-1]) > 3 * abs(loss[len(loss) // 2])


def test_no_clips_give_no_versions() -> None:
    assert versions(spectra([], FEATURES), AugmentationConfig()).shape == (0, 40, 40)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"slowest": 0.0}, "tempo goes from 0.0"),
        ({"fastest": 0.9}, "to 0.9"),
        ({"bend": 1.0}, "bend is 1.0"),
        ({"babble_part": 2.0}, "babble_part"),
        ({"warp": 0.5}, "warp is 0.5"),
        ({"end_points": 0.5}, "end_points is 0.5 s"),
        ({"shift": -1.0}, "shift -1.0 s"),
        ({"noise_part": 1.5}, "noise_part"),
        ({"cut_part": 1.5}, "cut_part"),
        ({"noise_low_db": 50.0}, "noise goes from 50.0"),
        ({"equaliser_db": -1.0}, "equaliser_db -1.0"),
    ],
)
def test_impossible_settings_are_refused(settings: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        AugmentationConfig(**settings)
