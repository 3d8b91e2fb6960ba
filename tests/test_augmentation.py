"""Augmentation: each option does what it says, repeatably, and nothing else."""

from dataclasses import replace

import numpy as np
import pytest

from audiomnist.augmentation import AugmentationConfig, augment
from audiomnist.errors import RunError
from audiomnist.features import FeatureConfig, render, spectra

OFF = AugmentationConfig(
    tempo=0, shift=0, end_points=0, warp=0, equaliser_db=0, noise_part=0
)
FEATURES = FeatureConfig()


@pytest.fixture
def found(spoken):
    return spectra(
        [spoken(digit, speaker) for digit in range(10) for speaker in range(3)],
        FEATURES,
    )


def versions(found, config: AugmentationConfig, seed: int = 0, features=FEATURES):
    return augment(found, features, config, np.random.default_rng(seed))


@pytest.mark.parametrize(
    "features", [FEATURES, FeatureConfig(kind="mfcc", fit="stretch", n_frames=32)]
)
def test_with_everything_off_nothing_changes(found, features) -> None:
    plain = render(found, features)
    np.testing.assert_allclose(
        versions(found, OFF, features=features), plain, atol=1e-4
    )


@pytest.mark.parametrize(
    "option",
    [
        {"tempo": 0.2},
        {"shift": 0.06},
        {"end_points": 0.06},
        {"warp": 0.18},
        {"equaliser_db": 5.0},
        {"noise_part": 1.0},
    ],
)
def test_each_option_alone_changes_most_clips_and_keeps_them_recognisable(
    found, option: dict
) -> None:
    plain = render(found, FEATURES)
    changed = versions(found, replace(OFF, **option))
    differs = np.abs(changed - plain).max(axis=(1, 2)) > 1e-3
    assert differs.mean() > 0.6
    assert np.isfinite(changed).all()
    similarity = np.corrcoef(plain.ravel(), changed.ravel())[0, 1]
    assert similarity > 0.3


def test_a_seed_repeats_and_another_does_not(found) -> None:
    config = AugmentationConfig()
    np.testing.assert_array_equal(versions(found, config), versions(found, config))
    assert np.abs(versions(found, config, 0) - versions(found, config, 1)).max() > 0.5


def test_noise_goes_to_its_part_of_the_clips(found) -> None:
    plain = render(found, FEATURES)
    config = replace(OFF, noise_part=0.5, noise_low_db=5, noise_high_db=5)
    noisy = np.abs(versions(found, config) - plain).max(axis=(1, 2)) > 1e-3
    assert 0.2 < noisy.mean() < 0.8


def test_louder_noise_changes_more(found) -> None:
    plain = render(found, FEATURES)
    faint, loud = (
        np.abs(
            versions(
                found, replace(OFF, noise_part=1, noise_low_db=snr, noise_high_db=snr)
            )
            - plain
        ).mean()
        for snr in (30, 0)
    )
    assert loud > 2 * faint


def test_tempo_changes_how_many_frames_a_word_fills(found) -> None:
    plain = np.abs(render(found, FEATURES)).sum(axis=1) > 0
    other = np.abs(versions(found, replace(OFF, tempo=0.2))).sum(axis=1) > 0
    ratio = other.sum(axis=1) / plain.sum(axis=1)
    assert 0.7 < ratio.min() < 0.95 and 1.05 < ratio.max() < 1.3


def test_no_clips_give_no_versions() -> None:
    assert versions(spectra([], FEATURES), AugmentationConfig()).shape == (0, 40, 40)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tempo": 1.0}, "tempo is 1.0"),
        ({"warp": 0.5}, "warp 0.5"),
        ({"end_points": 0.5}, "end_points is 0.5 s"),
        ({"shift": -1.0}, "shift -1.0 s"),
        ({"noise_part": 1.5}, "noise_part is 1.5"),
        ({"noise_low_db": 50.0}, "noise from 50.0"),
        ({"equaliser_db": -1.0}, "equaliser_db is -1.0"),
    ],
)
def test_impossible_settings_are_refused(settings: dict, message: str) -> None:
    with pytest.raises(RunError, match=message):
        AugmentationConfig(**settings)
