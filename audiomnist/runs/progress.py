"""How far a live run has come, in a file that others read.

Owns `progress.json`, the estimate of the time that is left, and when the losses of the
batches are written.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from audiomnist.configs import config_from_dict, config_to_dict
from audiomnist.errors import ConfigError, RunError
from audiomnist.storage import write_json
from audiomnist.training.history import (
    BatchLoss,
    EpochMetrics,
    read_batch_losses,
    thinned,
    write_batch_losses,
)

STAGES = ("waiting", "preparing", "training", "evaluating")

_FILE = "progress.json"
_REPORT_EVERY = 0.25  # s; nobody looks more often


@dataclass(frozen=True)
class RunProgress:
    """How far a living run has come.

    Parameters
    ----------
    stage
        One of `STAGES`.
    epoch, epochs
        The epoch that is being learned, counted from 1, and their number; epoch
        is 0 before the first.
    batch
        Part of this epoch, or of the preparation, that is done: 0 to 1.
    seconds_left
        Until the end of the preparation or of the training; None while it cannot be
        told.

    Raises
    ------
    ConfigError
        If the stage is not one of `STAGES`.
    """

    stage: str
    epoch: int
    epochs: int
    batch: float = 0.0
    seconds_left: float | None = None

    def __post_init__(self) -> None:
        if self.stage not in STAGES:
            raise ConfigError(
                f"The stage is {self.stage!r}; expected one of {list(STAGES)}."
            )


def read_progress(folder: Path) -> RunProgress | None:
    """What was last written in a run's folder; None before that.

    Raises
    ------
    RunError
        If the file is damaged.
    """
    try:
        return config_from_dict(RunProgress, json.loads((folder / _FILE).read_bytes()))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, ConfigError) as error:
        raise RunError(
            f"{folder / _FILE} cannot be read ({error}). Cancel the run and resume it."
        ) from error


class Report:
    """Writes the progress of one run, not more often than anybody looks.

    Parameters
    ----------
    folder
        The run's folder.
    epochs
        The number of epochs that it may have.
    on_report
        Called whenever there is something to report, written or not.
    """

    def __init__(
        self,
        folder: Path,
        epochs: int,
        on_report: Callable[[], None] = lambda: None,
    ) -> None:
        self.folder, self.on_report = folder, on_report
        self.progress = RunProgress("waiting", 0, epochs)
        self._written_at: float | None = None
        self._begun: tuple[float, float] | None = None  # time (s), part or epochs done
        self._losses: list[BatchLoss] = []

    def show(self, stage: str, epoch: int) -> None:
        """Enter a stage."""
        self._begun = None
        self._write(RunProgress(stage, epoch, self.progress.epochs))

    def prepare(self, part: float) -> None:
        """Part of the preparation that is done."""
        progress = replace(
            self.progress, batch=part, seconds_left=self._seconds_left(part, 1)
        )
        self._write(progress, may_wait=True)

    def begin_training(self, n_done: int) -> None:
        """Enter the training with some epochs done."""
        kept = read_batch_losses(self.folder)
        self._losses = [loss for loss in kept if loss.epoch <= n_done]
        self.show("training", min(n_done + 1, self.progress.epochs))

    def end_batch(self, batch: int, n_batches: int, loss: float) -> None:
        """One more batch of the present epoch is done, with this loss."""
        part = batch / n_batches
        done = self.progress.epoch - 1 + part
        self._losses.append(BatchLoss(done, loss))
        # The first batch waits for TensorFlow to compile: it begins the measurement.
        left = self._seconds_left(done, self.progress.epochs)
        progress = replace(self.progress, batch=part, seconds_left=left)
        self._write(progress, may_wait=True)

    def _seconds_left(self, done: float, total: float) -> float | None:
        """How long the rest takes at the pace since the first call in this stage."""
        now = time.monotonic()
        if self._begun is None:
            self._begun = now, done
        since, before = self._begun
        if done <= before:
            return None
        return (now - since) / (done - before) * (total - done)

    def end_epoch(self, metrics: EpochMetrics) -> None:
        """An epoch is done and its files are written."""
        following = min(metrics.epoch + 1, self.progress.epochs)
        part = 0.0 if following > metrics.epoch else 1.0
        self._write(replace(self.progress, epoch=following, batch=part))

    def _write(self, progress: RunProgress, *, may_wait: bool = False) -> None:
        """Keep the progress, and write it unless that was done a moment ago."""
        self.on_report()
        self.progress = progress
        now = time.monotonic()
        if may_wait and self._written_at and now - self._written_at < _REPORT_EVERY:
            return
        if self._losses:
            self._losses = thinned(self._losses)
            write_batch_losses(self._losses, self.folder)
        write_json(self.folder / _FILE, config_to_dict(progress))
        self._written_at = now
