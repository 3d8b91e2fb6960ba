"""The event file of a training, from which TensorBoard draws its curves.

Owns that file: one record an epoch, also across an interruption. TensorFlow is imported
only inside functions.
"""

import os
import struct
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from audiomnist.training.history import EpochMetrics

EVENTS = "tensorboard/events.out.tfevents"

_SHOWN = ("loss", "accuracy", "val_loss", "val_accuracy")

_RECORD_FRAME = 8 + 4 + 4  # bytes of a TFRecord besides its content


def write_events(
    history: Sequence[EpochMetrics],
    learning_rate: Callable[[int], float],
    folder: Path,
) -> None:
    """Bring a run's event file up to its history: add what is missing, cut the rest.

    Parameters
    ----------
    history
        The epochs so far.
    learning_rate
        Gives the learning rate at the end of an epoch, counted from 1.
    folder
        The run's folder.
    """
    from tensorflow.compat.v1 import Event, Summary

    path, now = folder / EVENTS, time.time()
    n_there = keep_records(path, 1 + len(history))  # the first is the format's version
    events = [] if n_there else [Event(wall_time=now, file_version="brain.Event:2")]
    for metrics in history[max(0, n_there - 1) :]:
        scalars = {tag: getattr(metrics, tag) for tag in _SHOWN}
        scalars["learning_rate"] = learning_rate(metrics.epoch)
        values = [Summary.Value(tag=tag, simple_value=scalars[tag]) for tag in scalars]
        summary = Summary(value=values)
        events.append(Event(wall_time=now, step=metrics.epoch, summary=summary))
    path.parent.mkdir(exist_ok=True)
    with path.open("ab") as file:  # at once: an epoch is there or is not
        file.write(_records(events))


def keep_records(path: Path, n_records: int) -> int:
    """Cut the end of a file of TFRecords [1]_ off, so that more can be added.

    Parameters
    ----------
    path
        The file, which need not be there.
    n_records
        How many records are kept at most. One that is not whole, since the process
        that wrote it was killed, is never kept.

    Returns
    -------
    int
        How many records are left.

    References
    ----------
    .. [1] TensorFlow, "TFRecord and tf.train.Example": the length of the content in 8
       bytes, 4 bytes to check it, the content, 4 bytes to check that.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return 0
    n_kept = end = 0
    while n_kept < n_records and end + _RECORD_FRAME < len(content):
        (length,) = struct.unpack_from("<Q", content, end)
        following = end + _RECORD_FRAME + length
        if length == 0 or following > len(content):
            break
        n_kept, end = n_kept + 1, following
    if end < len(content):
        os.truncate(path, end)
    return n_kept


def _records(events: Sequence[Any]) -> bytes:
    """Events in the format of their file, which TensorFlow writes to files alone."""
    import tensorflow

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "records")
        with tensorflow.io.TFRecordWriter(str(path)) as writer:
            for event in events:
                writer.write(event.SerializeToString())
        return path.read_bytes()
