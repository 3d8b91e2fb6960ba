"""A good beginning for each network: what it sees and how it learns.

Owns the presets that page and command line start from.
"""

from dataclasses import replace

from audiomnist.features.config import FeatureConfig
from audiomnist.features.spectra import SpectrumConfig
from audiomnist.networks.config import PRETRAINED_HIDDEN, NetworkConfig
from audiomnist.networks.speech_embedding import N_MELS
from audiomnist.runs.config import RunConfig
from audiomnist.training.config import UNVARIED, AugmentationConfig, TrainConfig

_END_POINTS_ALONE = replace(UNVARIED, end_points=0.045)

CUT_PART = 0.3
"""Part of the words that training cuts off: docs/lab-notebook.md says what for."""


def preset(kind: str) -> RunConfig:
    """A good beginning for each network: what it sees and how it learns.

    Parameters
    ----------
    kind
        One of `networks.NETWORKS`.

    Raises
    ------
    ConfigError
        If there is no such network.
    """
    network, training = NetworkConfig(kind), TrainConfig(epochs=15)
    features = FeatureConfig()
    if kind == "ann":
        network = replace(network, hidden=(512, 256), dropout=0.3)
        training = replace(
            training, epochs=30, learning_rate=2e-3, augmentation=_END_POINTS_ALONE
        )
        # Dense layers cannot follow a word that is said slower: stretch it. They
        # scale each coefficient themselves, and lose by a mean that is taken away.
        # Stretched, a word whose end was found late is another word to them.
        features = FeatureConfig(
            kind="mfcc", n_mfcc=16, n_frames=32, fit="stretch", normalise="none"
        )
    elif network.is_pretrained:
        network = replace(network, hidden=PRETRAINED_HIDDEN)
        if kind == "team":
            # The CNN knows the voices that it learned from better than the pretrained
            # network does, and strangers' worse: docs/lab-notebook.md.
            network = replace(network, cnn_weight=0.25)
        # What the speech embedding has always heard; the word and its surroundings,
        # for it knows talk that goes on and needs no silence around a word.
        features = FeatureConfig(
            spectrum=SpectrumConfig(hop_length=80, pre_emphasis=0.0),
            n_mels=N_MELS,
            floor=1e-4,
            normalise="none",
            n_frames=92,
            fit="window",
        )
        training = replace(
            training,
            epochs=8 if kind == "pretrained" else 16,
            batch_size=128,
            augmentation=AugmentationConfig(
                slowest=0.8, fastest=1.25, cut_part=CUT_PART
            ),
        )
    elif kind in ("resnet", "ensemble"):
        if kind == "resnet":
            network = replace(network, filters=(16, 32, 64, 96, 160), dropout=0.3)
        training = replace(
            training, epochs=30, batch_size=128, augmentation=AugmentationConfig()
        )
    return RunConfig(features=features, network=network, training=training)
