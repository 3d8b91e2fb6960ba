"""Shipping a model: its files, and a card whose figures are the run's own."""

import errno
from dataclasses import replace

import numpy as np
import pytest
from breaking import breaking

from audiomnist import storage
from audiomnist.errors import ModelError
from audiomnist.evaluation.files import load_evaluation
from audiomnist.features.config import FeatureConfig
from audiomnist.networks.ann import AnnConfig
from audiomnist.networks.architectures import ARCHITECTURES
from audiomnist.networks.files import load_network
from audiomnist.recipes import publishing
from audiomnist.recipes.publishing import CARD, publish
from audiomnist.recognition.models import WEIGHTS, find_model, list_models
from audiomnist.runs.execution import execute_run
from audiomnist.runs.folder import Run, create_run, update_record
from audiomnist.runs.presets import preset
from audiomnist.runs.record import read_record
from audiomnist.training.config import TrainConfig

SMALL = replace(
    preset("ann"),
    features=FeatureConfig(n_mels=16, n_mfcc=13, n_frames=16),
    network=AnnConfig(hidden=(16,)),
    training=TrainConfig(epochs=2),
)


@pytest.fixture
def run(tiny_folder, tmp_path, monkeypatch) -> Run:
    monkeypatch.setenv("AUDIOMNIST_MODELS", str(tmp_path / "shipped"))
    return create_run(replace(SMALL, corpora=(str(tiny_folder),)))


@pytest.mark.slow
def test_a_published_model_is_found_and_its_card_tells_the_evaluation(
    run, monkeypatch
) -> None:
    shifted = replace(ARCHITECTURES["ann"], view_shift=2)
    monkeypatch.setitem(ARCHITECTURES, "ann", shifted)
    execute_run(run)
    assert run.record.model.view_shift == find_model(run.id).network.view_shift == 2
    # As in a run of a version that knew of no second look.
    update_record(run, model=replace(run.record.model, view_shift=0))
    folder = publish(run, "mine")
    loose, packed = run.folder / WEIGHTS, folder / WEIGHTS
    assert packed.stat().st_size < loose.stat().st_size
    for before, after in zip(
        load_network(loose).get_weights(),
        load_network(packed).get_weights(),
        strict=True,
    ):
        np.testing.assert_allclose(after, before, rtol=1e-3, atol=1e-6)
    published = find_model("mine")
    assert published.folder == folder
    assert read_record(folder).id == run.id
    assert published.network.view_shift == 2
    rate = load_evaluation(run.folder).accuracy
    card = (folder / CARD).read_text()
    assert f"| all | {rate.n} | {rate.value:.1%} |" in card
    assert f"{published.n_parameters:,} parameters" in card
    assert "Split rule “speaker”, seed 0" in card
    assert "given the word again, shifted by 60 ms" in card
    _assert_kept_when_publishing_fails(run, folder, monkeypatch)
    worst = load_evaluation(run.folder).per_speaker().sort_values("accuracy").iloc[0]
    assert f"{worst.speaker} ({worst.accuracy:.1%} of {worst.n})" in card


def _assert_kept_when_publishing_fails(run, folder, monkeypatch):
    """Whatever breaks off, the model that is there stays whole."""

    def files():
        return {path.name: path.read_bytes() for path in folder.iterdir()}

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    before, models = files(), list_models()
    steps = ("_write_network", "write_record", "save_evaluation", "write_atomically")
    for step in steps:
        with monkeypatch.context() as patch, pytest.raises(ModelError, match="as it"):
            patch.setattr(publishing, step, full)
            publish(run, "mine")
        assert files() == before
    # Killed, it leaves a folder that nobody takes for a model.
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(publishing, "model_card", breaking(KeyboardInterrupt()))
        patch.setattr(storage.shutil, "rmtree", lambda *_, **__: None)
        publish(run, "mine")
    assert len(list(folder.parent.iterdir())) == 2
    assert (files(), list_models()) == (before, models)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["../mine", "a/b", "", ".hidden"])
def test_a_name_that_is_no_folder_name_is_refused(run, name: str) -> None:
    update_record(run, state="finished")
    with pytest.raises(ModelError, match="cannot name a model"):
        publish(run, name)


def test_a_finished_run_without_a_model_in_its_record_is_refused(run) -> None:
    update_record(run, state="finished")
    with pytest.raises(ModelError, match="tells of no model"):
        publish(run, "mine")


def test_a_run_that_is_not_finished_has_no_model_to_ship(run) -> None:
    with pytest.raises(ModelError, match="only a finished run has a model"):
        publish(run, "mine")
