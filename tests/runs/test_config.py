"""What a run is made of: checked on construction, and always split the same way."""

from dataclasses import replace

import pytest
from unvaried import UNVARIED

from audiomnist.errors import ConfigError
from audiomnist.networks.architectures import ARCHITECTURES
from audiomnist.networks.pretrained import PretrainedConfig
from audiomnist.runs.config import RunConfig
from audiomnist.runs.presets import preset
from audiomnist.training.config import TrainConfig


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_a_preset_begins_with_the_embedded_voices_by_speaker(kind):
    config = preset(kind)
    assert config.network.kind == kind
    assert (config.corpora, config.split_rule) == (("embedded",), "speaker")
    assert config.features.kind == ("mfcc" if kind == "ann" else "log_mel")


def test_the_preset_of_the_ann_varies_nothing_but_the_end_points():
    augmentation = preset("ann").training.augmentation
    assert augmentation == replace(UNVARIED, end_points=0.045)


def test_a_preset_with_a_setting_that_is_none_is_refused(monkeypatch):
    typo = replace(ARCHITECTURES["ann"], training={"epoch": 3})
    monkeypatch.setitem(ARCHITECTURES, "ann", typo)
    with pytest.raises(ConfigError, match="TrainConfig has no setting epoch"):
        preset("ann")


def test_there_is_no_preset_for_an_unknown_network():
    with pytest.raises(ConfigError, match="expected one of"):
        preset("rnn")


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"corpora": ()}, "expected at least one"),
        ({"corpora": ("fsdd", "fsdd")}, "each once"),
        ({"split_rule": "alphabet"}, "expected one of"),
        ({"split_rule": "leave_one_out"}, "does not fit; expected a speaker"),
        ({"held_out": "theo"}, "does not fit; expected nothing"),
        ({"split_rule": "corpus"}, "does not fit; expected a corpus"),
        ({"split_seed": -1}, "split_seed is -1"),
        ({"title": "x" * 101}, "101 characters"),
    ],
)
def test_a_wrong_setting_is_refused(setting, message):
    with pytest.raises(ConfigError, match=message):
        RunConfig(**setting)


@pytest.mark.parametrize(
    "features",
    [
        preset("cnn").features,
        replace(preset("pretrained").features, kind="mfcc", n_mfcc=32),
        replace(preset("pretrained").features, n_frames=75),
    ],
    ids=["cnn", "mfcc", "short"],
)
def test_a_teacher_has_to_know_the_features(features):
    training = TrainConfig(taught_part=0.5)
    RunConfig(features=preset("pretrained").features, training=training)
    RunConfig(features=features, training=replace(training, taught_part=0.0))
    with pytest.raises(
        ConfigError, match=r"A teacher \(taught_part is 0.5\) needs log_mel"
    ):
        RunConfig(features=features, training=training)
    with pytest.raises(ConfigError, match="The network needs log_mel with 32 bins"):
        RunConfig(features=features, network=PretrainedConfig())


def test_the_split_is_the_one_that_was_asked_for(tiny_corpus):
    corpora = [tiny_corpus]
    config = RunConfig(split_rule="random")
    assert config.split(corpora) == config.split(corpora)
    assert config.split(corpora) != replace(config, split_seed=1).split(corpora)
    one_out = replace(config, split_rule="leave_one_out", held_out="voice2")
    assert {clip.speaker for clip in one_out.split(corpora).test} == {"voice2"}
    assert one_out.split_one(tiny_corpus).test == one_out.split(corpora).test
    assert not replace(one_out, held_out="somebody").split_one(tiny_corpus).test
