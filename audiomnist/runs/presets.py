"""A good beginning for each network: what it sees and how it learns.

Owns the presets that page and command line start from. What is particular to a network
is declared beside it, in `networks`; this makes settings of it.
"""

from audiomnist.configs import config_from_dict
from audiomnist.features.config import FeatureConfig
from audiomnist.networks.architectures import find_architecture
from audiomnist.runs.config import RunConfig
from audiomnist.training.config import TrainConfig

_EPOCHS = 15


def preset(kind: str) -> RunConfig:
    """Settings of a run to begin with: those that a network declares, else defaults.

    Parameters
    ----------
    kind
        One of `networks.architectures.ARCHITECTURES`.

    Raises
    ------
    ConfigError
        If there is no such network, or it declares settings that are none.
    """
    network = find_architecture(kind)
    training = {"epochs": _EPOCHS, **network.training}
    return RunConfig(
        features=config_from_dict(FeatureConfig, dict(network.features)),
        network=network.config(),
        training=config_from_dict(TrainConfig, training),
    )
