"""The steps of a run in this process, from clips to an evaluated model."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from breaking import breaking

from audiomnist.errors import CorpusError, RunError
from audiomnist.features.cache import clip_features
from audiomnist.recognition.calibration import COVERAGE
from audiomnist.recognition.models import (
    LITERT,
    WEIGHTS,
    Model,
    find_model,
    list_models,
)
from audiomnist.runs import data, execution
from audiomnist.runs.execution import execute_run
from audiomnist.runs.folder import create_run, delete_run, list_runs
from audiomnist.runs.queue import cancel_run, launch_run, requeue_run, resume_run
from audiomnist.storage import UNFINISHED
from audiomnist.training.config import AugmentationConfig
from audiomnist.training.loop import CHECKPOINT


def measures(history):
    return [(m.loss, m.accuracy, m.val_loss, m.val_accuracy) for m in history]


def test_a_run_becomes_a_model(config, tiny_corpus, monkeypatch):
    config = replace(config, others=("embedded",))
    run = create_run(config)
    (run.folder / f"{UNFINISHED}1-{WEIGHTS}").write_bytes(b"of a killed worker")
    seen, epochs = [], []

    evaluate = execution.evaluate_run

    def watched(running, clips):
        model = Model.load(running.folder)
        seen.append(
            (running.state, running.progress.stage, model.calibration.threshold)
        )
        assert running.id not in list_models()
        evaluate(running, clips)

    monkeypatch.setattr(execution, "evaluate_run", watched)
    execute_run(run, epochs.append)
    assert (run.state, run.message) == ("finished", "")
    assert epochs == run.history
    record = run.record
    assert seen == [("running", "evaluating", record.model.calibration.threshold)]
    assert record.corpora == {config.corpora[0]: tiny_corpus.digest}
    split = config.split([tiny_corpus])
    assert record.split.rule == "random"
    assert record.split.digest == split.digest
    assert record.split.test == len(split.test)
    assert set(record.versions) > {"python", "tensorflow", "keras"}
    assert record.created < record.finished
    assert record.best_epoch in (1, 2)
    assert record.seconds == sum(metrics.seconds for metrics in run.history)
    assert record.processor_seconds > 0
    left = {path.name for path in run.folder.iterdir()}
    assert {WEIGHTS, LITERT} < left and CHECKPOINT not in left
    assert not [name for name in left if name.startswith(UNFINISHED)]

    model = find_model(run.id)
    n_inputs, n_hidden = 16 * 16, 16
    norms = 4 * n_inputs + 4 * n_hidden
    n_weights = n_inputs * n_hidden + n_hidden * 10 + 10
    assert model.n_parameters == norms + n_weights
    kept = clip_features(split.validation, config.features).values
    answered = model.probabilities(kept).max(axis=1) >= model.calibration.threshold
    assert np.mean(answered) >= COVERAGE

    cancel_run(run)
    assert run.state == "finished"
    for again in (launch_run, resume_run):
        with pytest.raises(RunError, match="is finished"):
            again(run)
    with pytest.raises(RunError, match="finished and not waiting"):
        execute_run(run)
    delete_run(run)
    assert list_runs() == []


def test_an_error_is_kept_and_the_rest_is_done_when_resumed(config, monkeypatch):
    run = create_run(config)
    gone = breaking(CorpusError("The test clips have gone."))
    with monkeypatch.context() as patch, pytest.raises(CorpusError, match="gone"):
        patch.setattr(execution, "evaluate_run", gone)
        execute_run(run)
    assert (run.state, run.message) == ("failed", "The test clips have gone.")
    before = run.history
    requeue_run(run)
    assert (run.state, run.message) == ("waiting", "")
    execute_run(run)
    assert run.state == "finished"
    assert run.history == before


def test_what_nobody_expected_is_kept_and_raised(config, monkeypatch):
    run = create_run(config)
    by_nothing = breaking(ZeroDivisionError("by no clips"))
    monkeypatch.setattr(data, "clip_spectra", by_nothing)
    with pytest.raises(ZeroDivisionError):
        execute_run(run)
    assert (run.state, run.message) == ("failed", "ZeroDivisionError: by no clips")


def test_a_corpus_that_is_not_here_fails_the_run(config):
    run = create_run(replace(config, corpora=("nowhere",)))
    with pytest.raises(CorpusError, match="nowhere"):
        execute_run(run)
    assert run.state == "failed"
    assert "nowhere" in run.message


@pytest.mark.slow
def test_an_interrupted_run_goes_on_where_it_was(config):
    augmentation = AugmentationConfig()
    training = replace(config.training, epochs=3, augmentation=augmentation)
    config = replace(config, others=("embedded",), training=training)
    whole, broken = create_run(config), create_run(config)
    execute_run(whole)

    def interrupt(metrics):
        if metrics.epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execute_run(broken, interrupt)
    assert (broken.state, broken.message) == ("cancelled", "")
    assert len(broken.history) == 2
    rest = []
    requeue_run(broken)
    execute_run(broken, rest.append)
    assert [metrics.epoch for metrics in rest] == [3]
    assert measures(broken.history) == measures(whole.history)
    assert broken.record.model == whole.record.model


def test_a_corpus_that_has_changed_is_not_mixed_in(config, tiny_folder, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(tiny_folder, copy)
    run = create_run(replace(config, corpora=(str(copy),)))
    with pytest.raises(KeyboardInterrupt):
        execute_run(run, breaking(KeyboardInterrupt()))
    shutil.copy(copy / "0_voice0_0.wav", copy / "0_voice0_9.wav")
    requeue_run(run)
    with pytest.raises(RunError, match="has changed since"):
        execute_run(run)
    assert run.state == "failed"


@pytest.mark.parametrize("is_there", [True, False])
def test_a_finished_run_keeps_no_checkpoint(config, is_there, monkeypatch):
    def end(run, clips):
        if not is_there:
            (run.folder / CHECKPOINT).unlink()

    monkeypatch.setattr(execution, "evaluate_run", end)
    run = create_run(config)
    execute_run(run)
    assert run.state == "finished"
    assert not (run.folder / CHECKPOINT).exists()
