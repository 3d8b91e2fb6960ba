"""From a run's recordings to what it learns from: how often each is drawn."""

from dataclasses import replace

import numpy as np
import pytest

from audiomnist.audio.encoding import encode_wav
from audiomnist.corpora.other_words import load_other_words
from audiomnist.runs.clips import resolve_clips
from audiomnist.runs.config import RunConfig
from audiomnist.runs.data import _MOST_OFTEN, _N_NOISES, prepare
from audiomnist.settings import settings
from audiomnist.training.config import TrainConfig


@pytest.fixture
def config(tiny_folder, spoken) -> RunConfig:
    """A run on few recordings, with 96 recorded words of twelve people."""
    folder = settings().other_words / "said"
    folder.mkdir(parents=True)
    for speaker in range(12):
        for take in range(8):
            path = folder / f"tree_person{speaker}_{take}.wav"
            path.write_bytes(encode_wav(spoken(3, speaker)))
    return RunConfig(
        corpora=(str(tiny_folder),),
        others=("said",),
        training=TrainConfig(others_part=0.5),
    )


def prepared(config: RunConfig):
    return prepare(resolve_clips(config), config, lambda part: None)


def shares(data, config: RunConfig) -> tuple[np.ndarray, np.ndarray]:
    """How often each negative is drawn, and which ones people said."""
    assert data.negatives is not None and data.negative_weights is not None
    assert len(data.negative_weights) == len(data.negatives)
    words = resolve_clips(config).split_words["train"]
    said = set(load_other_words("said"))
    n_noises = len(data.negatives) - len(words)
    assert 0.9 * _N_NOISES < n_noises <= _N_NOISES  # some are silent
    is_said = [clip in said for clip in words] + n_noises * [False]
    return data.negative_weights / data.negative_weights.sum(), np.array(is_said)


def test_recorded_other_words_are_drawn_as_often_as_all_made_sounds(config):
    share, is_said = shares(prepared(config), config)
    assert share[is_said].sum() == pytest.approx(0.5)
    assert len(set(share[is_said])) == len(set(share[~is_said])) == 1


def test_each_source_of_recorded_words_is_drawn_as_often(config, spoken):
    folder = settings().other_words / "more"
    folder.mkdir()
    for number in range(100):
        path = folder / f"go_somebody{number % 10}_{number}.wav"
        path.write_bytes(encode_wav(spoken(2, number % 10)))
    config = replace(config, others=("said", "more"))
    words = resolve_clips(config).split_words["train"]
    data = prepared(config)
    assert data.negative_weights is not None
    share = data.negative_weights / data.negative_weights.sum()
    for name in config.others:
        of_source = [clip in set(load_other_words(name)) for clip in words]
        assert share[: len(words)][of_source].sum() == pytest.approx(1 / 4)


def test_a_few_recorded_words_are_not_drawn_over_and_over(config):
    config = replace(config, others=("said", "embedded"))
    share, is_said = shares(prepared(config), config)
    assert share[is_said].sum() < 0.5
    np.testing.assert_allclose(share[is_said] / share[~is_said].min(), _MOST_OFTEN)


def test_nothing_is_drawn_besides_digits_if_that_is_not_wanted(config):
    training = replace(config.training, others_part=0.0)
    data = prepared(replace(config, training=training))
    assert data.negatives is None


def test_each_speaker_counts_alike_if_that_is_wanted(config):
    training = replace(config.training, speaker_balance=1.0)
    data = prepared(replace(config, training=training))
    assert prepared(config).weights is None
    assert data.weights is not None
    speakers = {clip.speaker for clip in resolve_clips(config).split.train}
    assert data.weights.sum() == pytest.approx(len(speakers))


@pytest.mark.parametrize(
    ("rule", "expected"), [("random", {False}), ("speaker", {True})]
)
def test_clips_by_speakers_outside_the_training_are_known(config, rule, expected):
    data = prepared(replace(config, split_rule=rule))
    assert set(data.is_unknown) == expected
    assert len(data.is_unknown) == len(data.validation)
