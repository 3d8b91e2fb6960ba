"""Runs in processes of their own: their turns, and how they are cancelled."""

import errno
import os
import shutil
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from audiomnist.errors import RunError
from audiomnist.runs import worker
from audiomnist.runs.execution import execute_run
from audiomnist.runs.folder import create_run, list_runs
from audiomnist.runs.queue import cancel_run, launch_run, resume_run

LIVING = ("waiting", "running")


@pytest.fixture
def endless(config):
    """A run that is still busy when the test has seen enough."""
    return replace(config, training=replace(config.training, epochs=5000))


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
    return worker._started[run.folder]


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
