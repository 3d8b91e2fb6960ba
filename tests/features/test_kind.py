"""What every kind of feature promises: its shape, its words and its scale."""

import numpy as np
import pytest
from conftest import speak

from audiomnist.features.config import KINDS, FeatureConfig
from audiomnist.features.extraction import extract


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_gives_the_rows_that_it_says(name):
    kind, config = KINDS[name], FeatureConfig(kind=name, n_mels=24, n_mfcc=11)
    (values,) = extract([speak(4)], config)
    assert values.shape == config.shape == (kind.n_bins(config), config.n_frames)
    assert kind.name == name
    assert kind.title and kind.bins and kind.axis and kind.sentence.endswith(".")
    assert str(kind.n_bins(config)) in kind.describe(config)


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_leaves_the_levels_as_they_are_and_takes_padding(name):
    kind, config = KINDS[name], FeatureConfig(kind=name)
    levels = np.random.default_rng(0).normal(size=(5, config.n_mels))
    levels = levels.astype(np.float32)
    levels.setflags(write=False)
    values = kind.transform(levels, config)
    assert values.dtype == np.float32
    for row, expected in zip(levels, values, strict=True):
        np.testing.assert_allclose(kind.transform(row, config), expected, atol=1e-5)


@pytest.mark.parametrize("name", KINDS)
def test_ticks_lie_along_the_rows(name):
    config = FeatureConfig(kind=name)
    places, labels = KINDS[name].ticks_of(config)
    assert len(places) == len(labels) > 2
    assert places[0] >= 0 and places[-1] <= config.n_bins - 1
    assert (np.diff(places) > 0).all()


def test_round_frequencies_mark_mel_bands_and_every_fifth_coefficient_bears_one():
    assert KINDS["log_mel"].ticks_of(FeatureConfig())[1] == [
        "0.25",
        "0.5",
        "1",
        "2",
    ]
    assert KINDS["mfcc"].ticks_of(FeatureConfig(kind="mfcc"))[1] == [
        "0",
        "5",
        "10",
        "15",
    ]


@pytest.mark.parametrize(
    ("name", "is_normalised", "expected"),
    [
        ("log_mel", False, "level (log)"),
        ("log_mel", True, "level (deviations)"),
        ("mfcc", False, "value"),
        ("mfcc", True, "value (deviations)"),
    ],
)
def test_a_scale_bears_the_unit_of_its_values(name, is_normalised, expected):
    assert KINDS[name].label(is_normalised=is_normalised) == expected
