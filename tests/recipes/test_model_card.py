"""The text of a model card."""

from dataclasses import replace

import pytest

from audiomnist.networks.architectures import ARCHITECTURES
from audiomnist.recipes.model_card import describe_data
from audiomnist.runs.clips import resolve_clips
from audiomnist.runs.presets import preset
from audiomnist.training.config import TrainConfig


@pytest.mark.parametrize("part", [0.0, 0.7])
@pytest.mark.parametrize("kind", ["cnn", "pretrained"])
def test_a_card_says_what_the_speech_embedding_gave(kind, part, tiny_folder) -> None:
    config = replace(
        preset("pretrained"),
        corpora=(str(tiny_folder),),
        network=ARCHITECTURES[kind].config(),
        training=TrainConfig(taught_part=part),
    )
    lines = describe_data(config, resolve_clips(config))
    assert ("- Pretrained: " in lines) == (kind == "pretrained")
    assert ("- Distilled: " in lines) == (part > 0)
    assert ("count for 0.7" in lines) == (part > 0)
    owes = kind == "pretrained" or part > 0
    assert ("arXiv 2002.01322" in lines) == owes
    assert ("Apache License 2.0" in lines) == owes
