"""From a run's recordings to what it learns from: how often each is heard."""

from dataclasses import replace

import numpy as np
import pytest

from audiomnist.audio import encode_wav
from audiomnist.negatives import load_others
from audiomnist.run_configs import RunConfig
from audiomnist.run_data import _N_NOISES, prepare
from audiomnist.settings import settings
from audiomnist.training import TrainConfig


@pytest.fixture
def config(tiny_folder, spoken) -> RunConfig:
    """A run on few recordings, with 24 recorded words of twelve people."""
    folder = settings().home / "others" / "said"
    folder.mkdir(parents=True)
    for speaker in range(12):
        for take in range(2):
            path = folder / f"tree_person{speaker}_{take}.wav"
            path.write_bytes(encode_wav(spoken(3, speaker)))
    return RunConfig(
        corpora=(str(tiny_folder),),
        others=("said",),
        training=TrainConfig(others_part=0.5),
    )


def prepared(config: RunConfig):
    return prepare(config.split(), config, lambda part: None)


@pytest.mark.parametrize("sources", [("said",), ("said", "embedded")])
def test_recorded_other_words_are_heard_as_often_as_all_made_sounds(config, sources):
    config = replace(config, others=sources)
    data = prepared(config)
    assert data.others is not None and data.others_weights is not None
    words = config.split_others(config.split())["train"]
    said = set(load_others("said"))
    is_said = np.array([clip in said for clip in words])
    assert len(data.others_weights) == len(data.others)
    n_words = len(data.others) - _N_NOISES
    assert abs(n_words - len(words)) < 10  # noises may hold nothing to hear
    weight = data.others_weights[: len(words)]
    total = data.others_weights.sum()
    assert weight[is_said].sum() == pytest.approx(total / 2, rel=0.01)
    assert len(set(weight[is_said])) == 1


def test_nothing_is_heard_besides_digits_if_that_is_not_wanted(config):
    training = replace(config.training, others_part=0.0)
    data = prepared(replace(config, training=training))
    assert data.others is None


def test_each_speaker_counts_alike_if_that_is_wanted(config):
    training = replace(config.training, speaker_balance=1.0)
    data = prepared(replace(config, training=training))
    assert prepared(config).weights is None
    assert data.weights is not None
    speakers = {clip.speaker for clip in config.split().train}
    assert data.weights.sum() == pytest.approx(len(speakers))
