"""How a run ends: finished, cancelled or failed, and what is then written."""

import contextlib
import errno
import os
import signal
from pathlib import Path

import pytest
from breaking import breaking

from audiomnist.errors import RunError
from audiomnist.runs import data, execution, outcome, queue, worker
from audiomnist.runs.execution import execute_run
from audiomnist.runs.folder import create_run
from audiomnist.runs.queue import cancel_run, requeue_run
from audiomnist.training.loop import CHECKPOINT


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
