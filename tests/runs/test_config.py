"""What a run is made of: checked on construction, and always split the same way."""

from dataclasses import replace

import pytest

from audiomnist.corpora.library import import_corpus, load_corpus
from audiomnist.errors import ConfigError, CorpusError
from audiomnist.networks.config import NETWORKS, NetworkConfig
from audiomnist.runs.config import RunConfig
from audiomnist.runs.presets import preset
from audiomnist.training.config import TrainConfig


@pytest.mark.parametrize("kind", NETWORKS)
def test_a_preset_begins_with_the_embedded_voices_by_speaker(kind):
    config = preset(kind)
    assert config.network.kind == kind
    assert (config.corpora, config.split_rule) == (("embedded",), "speaker")
    assert config.features.kind == ("mfcc" if kind == "ann" else "log_mel")


def test_there_is_no_preset_for_an_unknown_network():
    with pytest.raises(ConfigError, match="expected one of"):
        preset("rnn")


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"corpora": ()}, "expected at least one"),
        ({"corpora": ("fsdd", "fsdd")}, "each once"),
        ({"split_rule": "alphabet"}, "expected one of"),
        ({"split_rule": "leave_one_out"}, "does not fit"),
        ({"held_out": "theo"}, "does not fit"),
        ({"split_rule": "corpus"}, "does not fit"),
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
        RunConfig(features=features, network=NetworkConfig("pretrained"))


def test_the_split_is_the_one_that_was_asked_for(tiny_folder):
    config = RunConfig(corpora=(str(tiny_folder),), split_rule="random")
    assert config.split() == config.split()
    assert config.split() != replace(config, split_seed=1).split()
    one_out = replace(config, split_rule="leave_one_out", held_out="voice2")
    assert {clip.speaker for clip in one_out.split().test} == {"voice2"}
    with pytest.raises(CorpusError):
        replace(config, corpora=("nothing",)).split()


def test_who_speaks_alone_in_a_corpus_only_trains(tiny_folder, tmp_path):
    (tmp_path / "7_anna_0.wav").write_bytes(
        (tiny_folder / "7_voice1_0.wav").read_bytes()
    )
    config = RunConfig(corpora=(str(tmp_path), str(tiny_folder)))
    split = config.split()
    assert "anna" in {clip.speaker for clip in split.train}
    assert split.test and "anna" not in {clip.speaker for clip in split.test}
    with pytest.raises(CorpusError, match="has 1 speaker"):
        replace(config, corpora=(str(tmp_path),)).split()


@pytest.mark.parametrize(
    ("rule", "held_out", "is_tested"),
    [
        ("random", "", True),
        ("speaker", "", True),
        ("official", "", False),
        ("leave_one_out", "voice1", True),
        ("leave_one_out", "somebody else", False),
        ("corpus", "tiny", True),
        ("corpus", "embedded", False),
    ],
)
def test_one_corpus_is_split_as_among_the_others(
    tiny_folder, rule, held_out, is_tested
):
    import_corpus("tiny", tiny_folder)
    config = RunConfig(corpora=("embedded", "tiny"), split_rule=rule, held_out=held_out)
    alone = config.split_of(load_corpus("tiny"))
    assert bool(alone.test) == is_tested
    assert sum(map(len, alone.parts.values())) == 120
    if rule == "official" or held_out == "somebody else":
        return  # nothing is tested: the whole cannot be split
    for part, clips in config.split().parts.items():
        of_tiny = tuple(clip for clip in clips if clip.corpus == "tiny")
        assert of_tiny == alone.parts[part]


def test_one_corpus_is_split_where_the_others_are_not_here():
    config = RunConfig(corpora=("far away", "embedded"), split_rule="speaker")
    assert config.split_of(load_corpus("embedded")).test
