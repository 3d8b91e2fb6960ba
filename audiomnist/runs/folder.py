"""Runs as folders: the settings of each, and its progress so far.

Owns the files of a run as anybody may read them at any moment, also while a worker
writes them. What a run is made of is in `config`, what is written of it in `record`;
who trains, and when, is for `queue`.
"""

import contextlib
import itertools
import shutil
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from audiomnist.errors import ModelError, RunError
from audiomnist.recognition.models import is_folder_name
from audiomnist.recognition.record import FINISHED
from audiomnist.runs import worker
from audiomnist.runs.config import RunConfig
from audiomnist.runs.progress import RunProgress, read_progress
from audiomnist.runs.record import RunRecord, read_record, write_record
from audiomnist.settings import settings, writable_folder
from audiomnist.training.history import (
    BatchLoss,
    EpochMetrics,
    read_batch_losses,
    read_history,
)

ENDED = (FINISHED, "cancelled", "failed")
"""States that only a person changes."""

CANCELLED = "cancelled"
"""A file that is there from the wish to cancel to the end of the process."""

LAUNCH_TIME = 30.0
"""Seconds that a new run may wait for somebody to launch it."""

_LOOKS = 3  # a worker may come or go between the record and its lock


@dataclass(frozen=True)
class Run:
    """One training of one network; every property is read from the disk anew.

    Parameters
    ----------
    id
        Name of the folder.
    folder
        The run's files.
    """

    id: str
    folder: Path

    @property
    def record(self) -> RunRecord:
        """What `run.json` holds; RunError if it is damaged."""
        return read_record(self.folder)

    @property
    def config(self) -> RunConfig:
        """What was asked for; RunError if `run.json` is damaged."""
        return self.record.config

    @property
    def state(self) -> str:
        """One of `record.STATES`."""
        return self._status()[0]

    @property
    def message(self) -> str:
        """Why the run failed; empty in every other state."""
        return self._status()[1]

    @property
    def history(self) -> list[EpochMetrics]:
        """The epochs so far; RunError if `history.csv` is damaged."""
        try:
            return read_history(self.folder)
        except ModelError as error:
            raise RunError(str(error)) from error

    @property
    def batch_losses(self) -> list[BatchLoss]:
        """The losses of its batches so far; RunError if `batches.csv` is damaged."""
        try:
            return read_batch_losses(self.folder)
        except ModelError as error:
            raise RunError(str(error)) from error

    @property
    def progress(self) -> RunProgress:
        """How far it has come; in the stage "waiting" before it has its turn."""
        waiting = RunProgress("waiting", 0, self.config.training.epochs)
        return read_progress(self.folder) or waiting

    def _status(self) -> tuple[str, str]:
        """State and message, as the record and the worker's life say together."""
        for _ in range(_LOOKS):
            state, message = self._written()
            if state in ENDED:
                return state, message
            if (self.folder / CANCELLED).exists():
                return "cancelled", ""
            if worker.is_alive(self.folder):
                return state, ""
            if worker.is_starting(self.folder) or (
                state == "waiting" and self._is_new()
            ):
                return "waiting", ""
        words = worker.last_words(self.folder)
        return "failed", (
            "The training process ended without a word; it was killed, or the "
            "machine was switched off. Resume the run to go on from its last epoch."
            + (f" Its last line was: {words}" if words else "")
        )

    def _written(self) -> tuple[str, str]:
        """State and message as the worker or `cancel` last wrote them."""
        record = self.record
        return record.state, record.message

    def _is_new(self) -> bool:
        """Whether the run waits since a moment ago and nobody has started it yet."""
        if worker.queued_at(self.folder) is not None:
            return False
        record = self.record
        since = (record.waiting_since or record.created).timestamp()
        return worker.is_recent(since, LAUNCH_TIME)


def create_run(config: RunConfig) -> Run:
    """Make the folder of a new run, which waits to be launched or executed.

    Raises
    ------
    AudioMnistError
        If the folder of runs cannot be written.
    """
    root = writable_folder(settings().runs)
    now = datetime.now(UTC)
    base = f"{now:%Y%m%d-%H%M%S}-{config.network.kind}"
    for number in itertools.count(1):
        name = base if number == 1 else f"{base}-{number}"
        run = Run(name, root / name)
        try:
            run.folder.mkdir()
            write_record(run.folder, RunRecord(name, now, config))
        except FileExistsError:
            continue
        except OSError as error:
            shutil.rmtree(run.folder, ignore_errors=True)
            raise RunError(
                f"The run {name} cannot be written to {root} ({error.strerror}). "
                "Free disk space, or set AUDIOMNIST_HOME to another folder."
            ) from error
        return run
    raise AssertionError("numbers have no end")


def list_runs() -> list[Run]:
    """All runs, the newest first; folders that are damaged are left out."""
    worker.reap()
    root = settings().runs
    if not root.is_dir():
        return []
    created = {}
    for folder in root.iterdir():
        with contextlib.suppress(RunError):
            run = find_run(folder.name)
            created[run] = run.record.created
    return sorted(created, key=lambda run: (created[run], run.id), reverse=True)


def find_run(run_id: str) -> Run:
    """The run of this id.

    Raises
    ------
    RunError
        If there is none, or its folder is damaged.
    """
    run = Run(run_id, settings().runs / run_id)
    if not is_folder_name(run_id) or not run.folder.is_dir():
        raise RunError(
            f"There is no run {run_id!r}. List the runs and choose one of them."
        )
    run.record  # noqa: B018
    return run


def delete_run(run: Run) -> None:
    """Remove a run's folder, also a damaged one.

    Raises
    ------
    RunError
        If a process is working on it, or it cannot be removed.
    """
    if worker.is_alive(run.folder) or worker.is_starting(run.folder):
        raise RunError(f"The run {run.id} is being trained. Cancel it first.")
    try:
        shutil.rmtree(run.folder)
    except OSError as error:
        raise RunError(
            f"The run {run.id} cannot be removed from {run.folder} ({error.strerror})."
        ) from error


def update_record(run: Run, **changes: Any) -> None:
    """Write some entries of a run's record; while it lives, only its worker may."""
    write_record(run.folder, replace(run.record, **changes))


def keep_threshold(run: Run, threshold: float) -> None:
    """Let a finished run's model answer from another probability on.

    Parameters
    ----------
    run
        A finished run.
    threshold
        Lowest probability of the likeliest digit with which to answer, in [0, 1].

    Raises
    ------
    RunError
        If the run is not finished or has no model, or its record cannot be written.
    ModelError
        If the threshold is out of range.
    """
    model = run.record.model
    if run.state != FINISHED or model is None:
        raise RunError(
            f"The run {run.id} is {run.state} and has no model whose threshold could "
            "be changed. Wait until it is finished."
        )
    calibration = replace(model.calibration, threshold=threshold)
    update_record(run, model=replace(model, calibration=calibration))
