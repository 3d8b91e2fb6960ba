"""Networks of few units, and made-up features for them."""

from dataclasses import fields

import numpy as np

from audiomnist.networks.architectures import ARCHITECTURES
from audiomnist.networks.config import NetworkConfig

SHAPE = (20, 16)
KNOWN_SHAPE = (32, 84)
SHAPES = {
    name: KNOWN_SHAPE if each.pretraining else SHAPE
    for name, each in ARCHITECTURES.items()
}
SMALL = {"hidden": (12, 8), "filters": (4, 5, 6, 7, 8), "cnn_weight": 0.25}


def small(kind: str, **settings) -> NetworkConfig:
    """A network's settings with few units and filters, where it has these settings."""
    config = ARCHITECTURES[kind].config
    names = {field.name for field in fields(config)}
    return config(**{k: v for k, v in SMALL.items() if k in names}, **settings)


def sounds(kind: str, n_clips: int) -> np.ndarray:
    """Random features of the shape that a kind of network takes."""
    shape = (n_clips, *SHAPES[kind])
    return np.random.default_rng(1).normal(size=shape).astype(np.float32)


def shaken(network):
    """Give a network weights and running statistics that no new one has.

    The speech embedding keeps its own, which no new one lacks.
    """
    rng = np.random.default_rng(0)
    for variable in network.weights:
        if variable.path.startswith("embedding_"):
            continue
        value = rng.uniform(0.2, 1, variable.shape)
        variable.assign(value - (0.6 if "kernel" in variable.path else 0))
    return network
