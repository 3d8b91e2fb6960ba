"""Configs survive the way to JSON and back, and wrong ones are explained."""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest

from audiomnist.configs import config_from_dict, config_to_dict
from audiomnist.errors import ConfigError
from audiomnist.features.config import FeatureConfig
from audiomnist.features.spectra import SpectrumConfig
from audiomnist.features.speech import SpeechConfig
from audiomnist.networks.ann import AnnConfig
from audiomnist.runs.config import RunConfig
from audiomnist.training.config import AugmentationConfig, TrainConfig


@pytest.mark.parametrize(
    "config",
    [
        FeatureConfig(),
        FeatureConfig(kind="mfcc", spectrum=SpectrumConfig(hop_length=80), fmin=100),
        FeatureConfig(speech=SpeechConfig(margin=0.1), normalise="none"),
        AugmentationConfig(warp=0.1),
        RunConfig(),
        RunConfig(network=AnnConfig(hidden=(8,))),
        TrainConfig(),
        TrainConfig(augmentation=AugmentationConfig(slowest=0.9)),
        TrainConfig(augmentation=None),
    ],
)
def test_a_config_survives_json(config: object) -> None:
    text = json.dumps(config_to_dict(config))
    assert config_from_dict(type(config), json.loads(text)) == config


def test_whole_numbers_are_read_as_floats_where_floats_belong() -> None:
    values = config_to_dict(FeatureConfig()) | {"fmin": 60}
    assert config_from_dict(FeatureConfig, values) == replace(
        FeatureConfig(), fmin=60.0
    )


@dataclass(frozen=True)
class Needy:
    """A config with a setting that has no default."""

    size: int


@dataclass(frozen=True)
class Dated:
    """A config with a moment and with values by names."""

    since: datetime
    sizes: dict[str, int]


def test_moments_and_values_by_names_survive_json() -> None:
    dated = Dated(datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC), {"a": 1})
    text = json.dumps(config_to_dict(dated))
    assert config_from_dict(Dated, json.loads(text)) == dated


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        (FeatureConfig, ["no"], "expected a dictionary"),
        (FeatureConfig, {"n_mells": 40}, "has no setting n_mells"),
        (FeatureConfig, {"n_mels": "forty"}, "n_mels is 'forty'; expected int"),
        (FeatureConfig, {"n_mels": True}, "n_mels is True; expected int"),
        (FeatureConfig, {"spectrum": {"hop": 1}}, "SpectrumConfig has no setting hop"),
        (Needy, {}, "do not fit"),
        (Dated, {"since": "today"}, "since is 'today'; expected a moment"),
        (Dated, {"since": "2026-01-01"}, "expected its distance from UTC"),
        (Dated, {"sizes": {"a": "big"}}, "sizes is 'big'; expected int"),
        (Dated, {"sizes": 3}, "sizes is 3"),
        (RunConfig, {"network": {"kind": "rnn"}}, "expected one of"),
    ],
)
def test_wrong_settings_are_explained(kind: type, values: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        config_from_dict(kind, values)
