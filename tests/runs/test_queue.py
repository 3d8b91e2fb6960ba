"""Runs at work: in this process, in processes of their own, and in the queue."""

import contextlib
import errno
import os
import shutil
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from audiomnist.errors import CorpusError, RunError
from audiomnist.features.cache import clip_features
from audiomnist.features.config import FeatureConfig
from audiomnist.networks.ann import AnnConfig
from audiomnist.recognition.calibration import COVERAGE
from audiomnist.recognition.models import (
    LITERT,
    WEIGHTS,
    Model,
    find_model,
    list_models,
)
from audiomnist.runs import data, execution, outcome, queue, worker
from audiomnist.runs.config import RunConfig
from audiomnist.runs.execution import execute_run
from audiomnist.runs.folder import create_run, delete_run, list_runs
from audiomnist.runs.queue import cancel_run, launch_run, requeue_run, resume_run
from audiomnist.storage import UNFINISHED
from audiomnist.training.config import AugmentationConfig, TrainConfig
from audiomnist.training.loop import CHECKPOINT

LIVING = ("waiting", "running")


@pytest.fixture
def config(tiny_folder):
    """A run of two epochs that hears nothing but digits: other words take seconds."""
    return RunConfig(
        corpora=(str(tiny_folder),),
        others=(),
        split_rule="random",
        features=FeatureConfig(n_mels=16, n_mfcc=16, n_frames=16),
        network=AnnConfig(hidden=(16,)),
        training=TrainConfig(epochs=2, batch_size=32, learning_rate=0.01),
    )


@pytest.fixture
def endless(config):
    """A run that is still busy when the test has seen enough."""
    return replace(config, training=replace(config.training, epochs=5000))


@pytest.fixture(autouse=True)
def nothing_left_running(home, monkeypatch):
    """Trainings in this process leave its priority alone, others end with the test."""
    if hasattr(os, "nice"):
        monkeypatch.setattr(os, "nice", lambda increment: 0)
    yield
    for run in list_runs():
        cancel_run(run)


def breaking(error):
    """A function that only raises an error."""

    def fail(*_, **__):
        raise error

    return fail


def wait_until(claim, seconds=120.0):
    until = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < until, "waited for too long"
        time.sleep(0.02)


def is_learning(run):
    return run.state == "running" and len(run.history) >= 1


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def worker_of(run):
    return worker._started[run.folder].process


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
    with monkeypatch.context() as patch, pytest.raises(CorpusError):
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
    with pytest.raises(CorpusError):
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


@pytest.fixture
def ctrl_c():
    """Send this process a Ctrl-C, also where it was started to ignore them."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield lambda: signal.raise_signal(signal.SIGINT)
    assert signal.signal(signal.SIGINT, before) is signal.default_int_handler


def swallowed(ctrl_c):
    with contextlib.suppress(KeyboardInterrupt):
        ctrl_c()


def mistaken(ctrl_c):
    try:
        ctrl_c()
    except KeyboardInterrupt:
        raise ValueError("The archive is still being written.") from None


def mistaken_for_a_file(ctrl_c):
    try:
        ctrl_c()
    except KeyboardInterrupt:
        raise OSError(errno.EIO, "The archive is still being written.") from None


@pytest.mark.parametrize("library", [swallowed, mistaken, mistaken_for_a_file])
def test_ctrl_c_counts_whatever_a_library_makes_of_it(config, ctrl_c, library):
    run = create_run(config)
    with pytest.raises(KeyboardInterrupt):
        execute_run(run, lambda metrics: library(ctrl_c))
    assert (run.state, run.message) == ("cancelled", "")
    assert len(run.history) == 1


def test_ctrl_c_swallowed_at_the_end_stops_what_would_come_next(
    config, ctrl_c, monkeypatch
):
    run = create_run(config)
    monkeypatch.setattr(execution, "evaluate_run", lambda *_: swallowed(ctrl_c))
    with pytest.raises(KeyboardInterrupt):
        execute_run(run)
    assert run.state == "finished"


def test_ctrl_c_swallowed_in_the_preparation_stops_before_an_epoch(
    config, ctrl_c, monkeypatch
):
    prepare = execution.prepare

    def interrupted(clips, config, report):
        report(0.1)
        swallowed(ctrl_c)
        return prepare(clips, config, report)

    monkeypatch.setattr(execution, "prepare", interrupted)
    run = create_run(config)
    with pytest.raises(KeyboardInterrupt):
        execute_run(run)
    assert (run.state, len(run.history)) == ("cancelled", 0)


def test_a_finished_run_stays_finished_when_it_is_interrupted(config, monkeypatch):
    run = create_run(config)
    unlink = Path.unlink

    def interrupted(path, **options):
        if path.name == CHECKPOINT:
            raise KeyboardInterrupt
        unlink(path, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", interrupted)
        with pytest.raises(KeyboardInterrupt):
            execute_run(run)
    assert run.state == "finished"
    assert run.record.model.calibration.threshold > 0


def test_a_run_whose_reader_has_gone_is_cancelled(config):
    run = create_run(config)
    with pytest.raises(BrokenPipeError):
        execute_run(run, breaking(BrokenPipeError(errno.EPIPE, "Broken")))
    assert (run.state, run.message) == ("cancelled", "")


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


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_said(config, number, monkeypatch):
    run = create_run(config)
    full = breaking(OSError(number, os.strerror(number)))
    monkeypatch.setattr(data, "clip_spectra", full)
    with pytest.raises(RunError, match="The disk that holds"):
        execute_run(run)
    assert run.state == "failed"
    assert "is full. Free some space there and resume the run" in run.message


def test_a_file_that_is_refused_is_said(config, monkeypatch):
    run = create_run(config)
    refused = breaking(PermissionError(errno.EACCES, "Permission denied", "clip.npy"))
    monkeypatch.setattr(data, "clip_spectra", refused)
    with pytest.raises(RunError, match=r"cannot read or write clip.npy \(Permission"):
        execute_run(run)
    assert run.state == "failed"
    assert "and resume the run" in run.message


def test_a_folder_that_takes_nothing_is_said(config, monkeypatch):
    run, ended = create_run(config), create_run(config)
    cancel_run(ended)
    with monkeypatch.context() as patch:
        refusal = breaking(OSError(errno.EIO, "Input/output error"))
        patch.setattr(queue, "update_record", refusal)
        patch.setattr(outcome, "update_record", refusal)
        for refused, act in ((run, cancel_run), (ended, requeue_run)):
            with pytest.raises(RunError, match=r"cannot .* \(Input/output error\)"):
                act(refused)
    with monkeypatch.context() as patch:
        refusal = breaking(OSError(errno.EROFS, "Read-only file system"))
        patch.setattr(worker, "write_atomically", refusal)
        with pytest.raises(RunError, match="Read-only file system"):
            execute_run(run)


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


def test_only_what_was_stopped_can_be_resumed(config):
    run = create_run(config)
    with pytest.raises(RunError, match="is waiting; only a cancelled or failed"):
        resume_run(run)
    with worker.hold(run.folder), pytest.raises(RunError, match="a second time"):
        launch_run(run)


def test_a_run_is_cancelled_before_it_begins(config):
    run = create_run(config)
    cancel_run(run)
    assert (run.state, run.message) == ("cancelled", "")
    with pytest.raises(RunError, match="cancelled and not waiting"):
        execute_run(run)
    assert run.state == "cancelled"
    with pytest.raises(RunError, match="Resume it"):
        launch_run(run)


@pytest.mark.skipif(os.name == "nt", reason="needs a shell script")
@pytest.mark.parametrize("is_launched", [False, True])
def test_a_run_is_cancelled_by_several_at_once(
    config, is_launched, monkeypatch, tmp_path
):
    for _ in range(3):
        run = create_run(config)
        if is_launched:
            script = tmp_path / "worker"
            script.write_text(
                f"#!{sys.executable}\nimport sys, time\nfrom pathlib import Path\n"
                "from audiomnist.runs import worker\n"
                f"with worker.hold(Path({str(run.folder)!r})):\n    time.sleep(60)\n"
            )
            script.chmod(0o755)
            with monkeypatch.context() as patch:
                patch.setattr(sys, "executable", str(script))
                launch_run(run)
            wait_until(lambda run=run: worker.is_alive(run.folder))
        with ThreadPoolExecutor(8) as several:
            list(several.map(cancel_run, [run] * 8))
        assert (run.state, run.record.state) == ("cancelled", "cancelled")
        assert worker.queued_at(run.folder) is None


def test_a_worker_that_dies_at_birth_fails_its_run(config, monkeypatch):
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    run = create_run(config)
    launch_run(run)
    wait_until(lambda: run.state == "failed")
    assert "without a word" in run.message


@pytest.fixture
def slow_start(monkeypatch):
    """Hold up the start of each process; gives what tells of one and lets it go on."""
    begun, may_go_on = threading.Event(), threading.Event()

    def popen(*_, **__):
        begun.set()
        assert may_go_on.wait(60)
        raise OSError(errno.ENOMEM, "Cannot allocate memory")

    monkeypatch.setattr(worker.subprocess, "Popen", popen)
    yield begun, may_go_on
    may_go_on.set()


def test_a_slow_start_keeps_its_place_and_nobody_waiting(
    config, monkeypatch, slow_start
):
    monkeypatch.setenv("AUDIOMNIST_MAX_RUNNING", "1")
    monkeypatch.setenv("AUDIOMNIST_MAX_WAITING", "0")
    begun, may_go_on = slow_start
    first, second = create_run(config), create_run(config)
    with ThreadPoolExecutor(2) as visitors:
        starting = visitors.submit(launch_run, first)
        assert begun.wait(60)
        refused = visitors.submit(launch_run, second)
        with pytest.raises(RunError, match="this server lets 0 wait"):
            refused.result(timeout=60)
        assert (first.state, starting.done()) == ("waiting", False)
        assert list_runs() == [second, first]
        may_go_on.set()
        with pytest.raises(RunError, match="Cannot allocate memory"):
            starting.result(timeout=60)
    assert worker.queued_at(first.folder) is None


def test_a_run_that_is_cancelled_before_its_process_starts_has_none(
    config, monkeypatch
):
    run = create_run(config)
    reserve = worker.reserve

    def cancelled(folder):
        queued = reserve(folder)
        cancel_run(run)
        return queued

    monkeypatch.setattr(worker, "reserve", cancelled)
    monkeypatch.setattr(worker.subprocess, "Popen", None)
    launch_run(run)
    assert run.state == "cancelled"
    assert worker.queued_at(run.folder) is None


def test_a_refused_resume_changes_nothing(config, monkeypatch):
    run = create_run(config)
    cancel_run(run)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", "/nonexistent/python")
        with pytest.raises(RunError, match="No process could be started"):
            resume_run(run)
    assert run.state == "cancelled"


@pytest.mark.slow
def test_a_launched_run_finishes_by_itself(config):
    run = create_run(config)
    launch_run(run)
    assert run.state in LIVING
    stages = set()
    wait_until(lambda: stages.add(run.progress.stage) or run.state not in LIVING)
    assert (run.state, run.message) == ("finished", "")
    assert {"preparing", "training"} & stages
    assert len(run.history) == 2
    assert (run.folder / "evaluation.json").exists()
    wait_until(lambda: list_runs() and worker_of(run).returncode == 0)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_killed_run_fails_at_once_and_can_be_resumed(endless):
    run = create_run(endless)
    launch_run(run)
    wait_until(lambda: is_learning(run))
    worker_of(run).send_signal(signal.SIGKILL)
    worker_of(run).wait()
    assert run.state == "failed"
    assert "ended without a word" in run.message
    n_epochs = len(run.history)
    resume_run(run)
    wait_until(lambda: len(run.history) > n_epochs)
    epochs = [metrics.epoch for metrics in run.history]
    assert epochs == list(range(1, len(epochs) + 1))
    cancel_run(run)
    assert run.state == "cancelled"


@pytest.mark.slow
def test_a_run_is_cancelled_inside_an_epoch(endless):
    training = replace(endless.training, batch_size=1)
    run = create_run(replace(endless, training=training))
    launch_run(run)
    wait_until(lambda: run.progress.stage == "training" and run.progress.batch > 0)
    assert run.progress.batch < 1
    pid = worker_of(run).pid
    begin = time.monotonic()
    cancel_run(run)
    assert time.monotonic() - begin < 5
    assert run.state == "cancelled"
    worker_of(run).wait()
    assert not alive(pid)


@pytest.mark.slow
def test_runs_take_their_turns(endless, monkeypatch):
    monkeypatch.setenv("AUDIOMNIST_MAX_RUNNING", "1")
    monkeypatch.setenv("AUDIOMNIST_MAX_WAITING", "2")
    first, second, third, fourth = (create_run(endless) for _ in range(4))
    launch_run(first)
    wait_until(lambda: is_learning(first))
    launch_run(second)
    wait_until(lambda: worker.is_alive(second.folder))
    launch_run(third)
    with pytest.raises(RunError, match="2 runs wait for their turn already"):
        launch_run(fourth)
    assert [run.state for run in (second, third)] == ["waiting", "waiting"]
    assert second.progress.stage == "waiting"
    assert first.state == "running"
    cancel_run(second)
    assert second.state == "cancelled"
    launch_run(fourth)
    cancel_run(first)
    wait_until(lambda: third.state == "running")
    assert fourth.state == "waiting"
    cancel_run(fourth)
    assert (third.state, fourth.state) == ("running", "cancelled")


@pytest.mark.slow
def test_two_runs_work_side_by_side_where_that_is_allowed(endless, monkeypatch):
    monkeypatch.setenv("AUDIOMNIST_MAX_RUNNING", "2")
    pair = [create_run(endless) for _ in range(2)]
    for run in pair:
        launch_run(run)
    wait_until(lambda: all(run.state == "running" for run in pair))
