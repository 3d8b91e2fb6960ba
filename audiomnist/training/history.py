"""The history of a training, epoch by epoch, in a file that can be read meanwhile.

Owns what is measured after each epoch, and `history.csv`.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from audiomnist.errors import ModelError
from audiomnist.storage import write_atomically

HISTORY = "history.csv"


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
    table = io.StringIO(newline="")
    writer = csv.writer(table)
    writer.writerow(field.name for field in fields(EpochMetrics))
    writer.writerows(astuple(metrics) for metrics in history)
    write_atomically(folder / HISTORY, table.getvalue().encode())


def read_history(folder: Path) -> list[EpochMetrics]:
    """Read `history.csv`; empty before the first epoch is done.

    Raises
    ------
    ModelError
        If the file is not a history.
    """
    path = folder / HISTORY
    try:
        rows = list(csv.DictReader(io.StringIO(path.read_bytes().decode(), newline="")))
        return [
            EpochMetrics(
                int(row.pop("epoch")), **{name: float(row[name]) for name in row}
            )
            for row in rows
        ]
    except FileNotFoundError:
        return []
    except (ValueError, KeyError, TypeError, csv.Error) as error:
        raise ModelError(
            f"{path} is not a training history ({error}). Train the model again."
        ) from error
