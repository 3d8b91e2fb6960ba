"""A small corpus in the place of a large one, and recipes that train fast on it."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from conftest import speak

from audiomnist.audio.encoding import encode_wav
from audiomnist.corpora.catalogue import CORPORA
from audiomnist.features.config import FeatureConfig
from audiomnist.recipes.models import Recipe
from audiomnist.runs.config import RunConfig
from audiomnist.settings import settings

TAKES = (0, 5, 6)  # the first tests officially, the others train


def write_fsdd(speakers: Sequence[str], patch: pytest.MonkeyPatch) -> None:
    """Let the dataset be three takes of each digit by these speakers."""
    n_clips = 10 * len(TAKES) * len(speakers)
    patch.setitem(CORPORA, "fsdd", replace(CORPORA["fsdd"], n_clips=n_clips))
    folder = settings().corpora / "fsdd"
    folder.mkdir(parents=True)
    for who, speaker in enumerate(speakers):
        for digit in range(10):
            for take in TAKES:
                path = folder / f"{digit}_{speaker}_{take}.wav"
                path.write_bytes(encode_wav(speak(digit, who)))


def shrink_recipes(
    patch: pytest.MonkeyPatch, change: Callable[[RunConfig], RunConfig]
) -> None:
    """Give each recipe few features and units, and change it besides."""
    made = Recipe.config

    def config(recipe: Recipe, *arguments: object, **names: object) -> RunConfig:
        whole = made(recipe, *arguments, **names)
        features = FeatureConfig(n_mels=16, n_mfcc=13, n_frames=16)
        network = whole.network
        if hasattr(network, "hidden"):
            network = replace(network, hidden=(8,))
        return change(replace(whole, features=features, network=network))

    patch.setattr(Recipe, "config", config)
