"""A small run, and an end to whatever a test leaves at work."""

import pytest

from audiomnist.features.config import FeatureConfig
from audiomnist.networks.ann import AnnConfig
from audiomnist.runs.config import RunConfig
from audiomnist.runs.folder import list_runs
from audiomnist.runs.queue import cancel_run
from audiomnist.training.config import TrainConfig


@pytest.fixture
def config(tiny_folder):
    """A run of two epochs that trains on digits alone: other words take seconds."""
    return RunConfig(
        corpora=(str(tiny_folder),),
        others=(),
        split_rule="random",
        features=FeatureConfig(n_mels=16, n_mfcc=16, n_frames=16),
        network=AnnConfig(hidden=(16,)),
        training=TrainConfig(epochs=2, batch_size=32, learning_rate=0.01),
    )


@pytest.fixture(autouse=True)
def nothing_left_running(home):
    """Trainings in processes of their own end with the test."""
    yield
    for run in list_runs():
        cancel_run(run)
