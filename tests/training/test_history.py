"""The history of a training, and files that are replaced at once."""

import struct

import pytest

from audiomnist.errors import ModelError
from audiomnist.training.events import keep_records
from audiomnist.training.history import (
    BATCHES,
    HISTORY,
    MAX_BATCH_LOSSES,
    BatchLoss,
    EpochMetrics,
    best_epoch,
    is_stalled,
    read_batch_losses,
    read_history,
    thinned,
    write_batch_losses,
    write_history,
)


def epoch(number: int, val_loss: float) -> EpochMetrics:
    return EpochMetrics(number, 0.1 + 0.2, 1 / 3, val_loss, 0.0, 1e-9, 4.0)


def test_a_history_comes_back_exactly(tmp_path):
    assert read_history(tmp_path) == []
    history = [epoch(1, 2.5), epoch(2, 1 / 7)]
    write_history(history, tmp_path)
    assert read_history(tmp_path) == history
    assert len((tmp_path / HISTORY).read_text().splitlines()) == 3


@pytest.mark.parametrize(
    "content", [b"epoch,loss\n1,much\n", b"epoch,loss\n1,0.5\n", b"a\nb\n", b"\xff\n1"]
)
def test_a_damaged_history_is_refused(content, tmp_path):
    (tmp_path / HISTORY).write_bytes(content)
    with pytest.raises(ModelError, match="not a training history"):
        read_history(tmp_path)
    (tmp_path / BATCHES).write_bytes(content)
    with pytest.raises(ModelError, match="not a training history"):
        read_batch_losses(tmp_path)


def test_few_losses_stand_for_many_batches(tmp_path):
    many = [BatchLoss((i + 1) / 100, i % 7) for i in range(4 * MAX_BATCH_LOSSES + 3)]
    few: list[BatchLoss] = []
    for each in many:  # as they come
        few = thinned([*few, each])
    assert MAX_BATCH_LOSSES / 2 < len(few) <= MAX_BATCH_LOSSES
    assert max(each.batches for each in few) == 8, "old ones are not coarser"
    assert few[-1].epoch == many[-1].epoch
    assert sum(each.batches for each in few) == len(many)
    total = sum(each.loss * each.batches for each in few)
    assert total == pytest.approx(sum(each.loss for each in many))
    write_batch_losses(few, tmp_path)
    assert read_batch_losses(tmp_path) == few


def test_the_best_epoch_is_the_first_of_lowest_validation_loss():
    history = [epoch(1, 3.0), epoch(2, 1.0), epoch(3, 1.0), epoch(4, 2.0)]
    assert best_epoch(history).epoch == 2


def test_a_training_is_stalled_when_its_best_epoch_is_long_ago():
    history = [epoch(1, 3.0), epoch(2, 1.0), epoch(3, 1.0), epoch(4, 2.0)]
    assert [is_stalled(history, patience) for patience in (0, 2, 3)] == [0, 1, 0]
    assert not is_stalled([], 1)


def test_whole_records_are_kept_up_to_their_number(tmp_path):
    path = tmp_path / "records"
    assert keep_records(path, 3) == 0
    records = [
        struct.pack("<QI", len(content), 0) + content + struct.pack("<I", 0)
        for content in (b"one", b"second", b"3")
    ]
    whole = b"".join(records)
    for n_bytes in range(len(whole) + 1):
        path.write_bytes(whole[:n_bytes])
        n_kept = keep_records(path, 2)
        assert path.read_bytes() == b"".join(records[:n_kept])
        assert n_kept == 2 or len(b"".join(records[: n_kept + 1])) > n_bytes
    path.write_bytes(records[0] + bytes(100))  # as a power failure may leave it
    assert keep_records(path, 3) == 1
    assert path.read_bytes() == records[0]
