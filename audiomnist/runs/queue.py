"""The queue of runs: waiting, started in a process of their own, cancelled, resumed.

Owns whose turn it is. What a run does in its turn is for `execution`, its folder for
`folder`, its process for `worker`.
"""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from filelock import FileLock

from audiomnist.errors import RunError
from audiomnist.recognition.record import FINISHED
from audiomnist.runs import worker
from audiomnist.runs.folder import (
    CANCELLED,
    ENDED,
    Run,
    find_run,
    update_record,
)
from audiomnist.runs.outcome import end_run, writing
from audiomnist.runs.record import RunRecord, write_record
from audiomnist.settings import settings, writable_folder

_TURN_LOCK = ".turn.lock"

_TURN_POLL = 0.5  # s between two looks at the queue


def launch_run(run: Run) -> None:
    """Start a process that trains a waiting run when its turn comes.

    Its place in the queue is taken at once; while the process starts, others may look
    at the queue and change it.

    Raises
    ------
    RunError
        If too many runs wait already, the run is not waiting to be started, or
        the process cannot be started.
    """
    with _queue():
        _refuse_launch(run)
        queued = worker.reserve(run.folder)
    worker.start(run.folder, ["train", "--run", run.id], queued)


def _refuse_launch(run: Run) -> None:
    """Raise what speaks against the start of a run, if anything does."""
    here = settings()
    if run.state in ENDED or worker.queued_at(run.folder) is not None:
        raise RunError(
            f"The run {run.id} is {run.state} and cannot be started a second "
            "time. Resume it, or make a new one."
        )
    states = [other.state for other in _queued_runs()]
    n_waiting = states.count("waiting")
    if n_waiting + states.count("running") >= here.max_running + here.max_waiting:
        raise RunError(
            f"{n_waiting} runs wait for their turn already; this server lets "
            f"{here.max_waiting} wait. Cancel one or try again later."
        )


def resume_run(run: Run) -> None:
    """Start a cancelled or failed run again, after its last epoch.

    Raises
    ------
    RunError
        If it is neither, or `launch` refuses; it then stays as it was.
    """
    before = requeue_run(run)
    try:
        launch_run(run)
    except RunError:
        with writing(run):
            write_record(run.folder, before)
        raise


def requeue_run(run: Run) -> RunRecord:
    """Let a cancelled or failed run wait again, to be launched or executed.

    Returns
    -------
    RunRecord
        Its record as it was, with the state and message that it showed.

    Raises
    ------
    RunError
        If it is in another state, or its folder cannot be written.
    """
    state, message = run.state, run.message
    if state not in ENDED or state == FINISHED:
        raise RunError(
            f"The run {run.id} is {state}; only a cancelled or failed one can be "
            "resumed."
        )
    with writing(run), worker.keep_out(run.folder):
        (run.folder / CANCELLED).unlink(missing_ok=True)
        before = replace(run.record, state=state, message=message)
        update_record(run, state="waiting", message="", waiting_since=datetime.now(UTC))
    return before


def cancel_run(run: Run) -> None:
    """Stop a run wherever it is; one that has ended stays as it is.

    Its epochs are kept, and `resume` goes on from there.

    Raises
    ------
    RunError
        If its folder cannot be written.
    """
    if run.state in ENDED:
        return
    with writing(run):
        (run.folder / CANCELLED).touch()
        worker.stop(run.folder)
        with worker.keep_out(run.folder):
            if run.record.state not in ENDED:
                end_run(run, "cancelled")
            (run.folder / CANCELLED).unlink(missing_ok=True)


def wait_for_turn(run: Run) -> None:
    """Wait until no older run waits and a place is free, then take it."""
    while True:
        with _queue():
            others = [other for other in _queued_runs() if other != run]
            mine = worker.queued_at(run.folder) or 0.0
            n_running = sum(other.state == "running" for other in others)
            is_next = not any(
                other.state == "waiting"
                and (worker.queued_at(other.folder) or 0.0, other.id) < (mine, run.id)
                for other in others
            )
            if is_next and n_running < settings().max_running:
                update_record(run, state="running")
                return
        time.sleep(_TURN_POLL)


@contextlib.contextmanager
def _queue() -> Iterator[None]:
    """Let one process at a time look at the queue and change it."""
    with FileLock(writable_folder(settings().runs) / _TURN_LOCK):
        yield


def _queued_runs() -> list[Run]:
    """Runs that wait or work, the oldest first; damaged ones are left out."""
    queued = []
    for folder in worker.queued_folders(settings().runs):
        with contextlib.suppress(RunError):
            queued.append(find_run(folder.name))
    return queued
