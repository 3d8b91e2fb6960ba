"""The history of a training, epoch by epoch, in a file that can be read meanwhile.

Owns what is measured after each epoch, and `history.csv`; and the losses of the batches
in `batches.csv`, which tell of a training before its first epoch is done.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

from audiomnist.errors import ModelError
from audiomnist.storage import write_atomically

HISTORY = "history.csv"
BATCHES = "batches.csv"

MAX_BATCH_LOSSES = 240
"""Points of the curve of the batches' losses: as many as can be told apart."""


@dataclass(frozen=True)
class EpochMetrics:
    """The metrics of one epoch of training.

    Parameters
    ----------
    epoch
        Counted from 1.
    loss, accuracy
        Mean over the training clips while the weights change, with dropout and
        augmentation; the loss with label smoothing.
    val_loss, val_accuracy
        The same measures on the validation clips after the epoch.
    seconds, processor_seconds
        Time taken, and processor time of all threads.
    """

    epoch: int
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
    seconds: float
    processor_seconds: float


@dataclass(frozen=True)
class BatchLoss:
    """The mean loss of some batches that follow each other.

    Parameters
    ----------
    epoch
        How far the training was after them, in epochs: 0.5 is half of the first.
    loss
        Mean over these batches, as in `EpochMetrics.loss`.
    batches
        How many they are.
    """

    epoch: float
    loss: float
    batches: int = 1


def thinned(losses: Sequence[BatchLoss]) -> list[BatchLoss]:
    """Join neighbours until there are `MAX_BATCH_LOSSES` at most, alike in size."""
    left, size = list(losses), 1
    while len(left) > MAX_BATCH_LOSSES:
        size *= 2
        joined = left[:1]
        for loss in left[1:]:
            if joined[-1].batches + loss.batches <= size:
                joined[-1] = _join(joined[-1], loss)
            else:
                joined.append(loss)
        left = joined
    return left


def _join(first: BatchLoss, second: BatchLoss) -> BatchLoss:
    """One point in the place of two neighbours."""
    n = first.batches + second.batches
    total = first.loss * first.batches + second.loss * second.batches
    return BatchLoss(second.epoch, total / n, n)


def best_epoch(history: Sequence[EpochMetrics]) -> EpochMetrics:
    """The epoch of lowest validation loss, the first of equals."""
    return min(history, key=lambda metrics: metrics.val_loss)


def is_stalled(history: Sequence[EpochMetrics], patience: int) -> bool:
    """Whether the last `patience` epochs brought nothing; never if that is 0."""
    if not history or patience == 0:
        return False
    return history[-1].epoch - best_epoch(history).epoch >= patience


def write_history(history: Sequence[EpochMetrics], folder: Path) -> None:
    """Write `history.csv`, one line an epoch."""
    _write(folder / HISTORY, EpochMetrics, history)


def read_history(folder: Path) -> list[EpochMetrics]:
    """Read `history.csv`; empty before the first epoch is done.

    Raises
    ------
    ModelError
        If the file is damaged.
    """
    return [
        EpochMetrics(int(row.pop("epoch")), **row)
        for row in _read(folder / HISTORY, EpochMetrics)
    ]


def write_batch_losses(losses: Sequence[BatchLoss], folder: Path) -> None:
    """Write `batches.csv`."""
    _write(folder / BATCHES, BatchLoss, losses)


def read_batch_losses(folder: Path) -> list[BatchLoss]:
    """Read `batches.csv`; empty before the first batch is done.

    Raises
    ------
    ModelError
        If the file is damaged.
    """
    return [
        BatchLoss(row["epoch"], row["loss"], int(row["batches"]))
        for row in _read(folder / BATCHES, BatchLoss)
    ]


def _write(path: Path, row: type, rows: Sequence[Any]) -> None:
    """Write a table of records of one type."""
    table = io.StringIO(newline="")
    writer = csv.writer(table)
    writer.writerow(field.name for field in fields(row))
    writer.writerows(astuple(each) for each in rows)
    write_atomically(path, table.getvalue().encode())


def _read(path: Path, row: type) -> list[dict[str, float]]:
    """Rows of a table of records of one type; empty if there is no file."""
    names = [field.name for field in fields(row)]
    try:
        with path.open(newline="") as table:
            return [
                {name: float(values[name]) for name in names}
                for values in csv.DictReader(table)
            ]
    except FileNotFoundError:
        return []
    except (ValueError, KeyError, TypeError, csv.Error) as error:
        raise ModelError(
            f"{path} is not a training history ({error}). Train the model again."
        ) from error
