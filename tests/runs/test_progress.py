"""How far a run has come, and how long it will still take."""

from dataclasses import replace

import pytest

from audiomnist.errors import RunError
from audiomnist.runs import progress
from audiomnist.runs.progress import Report, RunProgress, read_progress
from audiomnist.training.history import BatchLoss, EpochMetrics, read_batch_losses


@pytest.fixture
def clock(monkeypatch):
    """A clock that only the test moves, by `clock.now`."""

    class Clock:
        now = 100.0

        def monotonic(self) -> float:
            return self.now

    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


def epoch(number: int) -> EpochMetrics:
    return EpochMetrics(number, 1.0, 0.5, 1.0, 0.5, 1.0, 1.0)


def test_nothing_is_there_before_the_first_report(tmp_path):
    assert read_progress(tmp_path) is None


def test_each_stage_is_shown(tmp_path):
    report = Report(tmp_path, 5)
    for stage, number in (("waiting", 0), ("preparing", 0), ("evaluating", 5)):
        report.show(stage, number)
        assert read_progress(tmp_path) == RunProgress(stage, number, 5)


def test_the_preparation_has_parts(tmp_path, clock):
    report = Report(tmp_path, 5)
    report.show("preparing", 0)
    clock.now += 1
    report.prepare(0.4)
    assert read_progress(tmp_path) == RunProgress("preparing", 0, 5, batch=0.4)


def test_the_rest_of_the_preparation_is_told(tmp_path, clock):
    report = Report(tmp_path, 5)
    report.show("preparing", 0)
    for part in (0.1, 0.2, 0.4):
        clock.now += 10 * part
        report.prepare(part)
    assert read_progress(tmp_path).seconds_left == pytest.approx(12)
    report.begin_training(0)
    assert read_progress(tmp_path).seconds_left is None


def test_the_losses_of_the_batches_are_there_before_an_epoch_is(tmp_path, clock):
    report = Report(tmp_path, 3)
    report.begin_training(0)
    clock.now += 1
    report.end_batch(1, 2, 2.5)
    assert read_batch_losses(tmp_path) == [BatchLoss(0.5, 2.5)]
    clock.now += 1
    report.end_batch(2, 2, 2.0)
    report.end_epoch(epoch(1))
    clock.now += 1
    report.end_batch(1, 2, 1.5)
    assert len(read_batch_losses(tmp_path)) == 3
    resumed = Report(tmp_path, 3)
    resumed.begin_training(1)
    clock.now += 1
    resumed.end_batch(1, 2, 1.0)
    assert [loss.loss for loss in read_batch_losses(tmp_path)] == [2.5, 2.0, 1.0]


def test_it_is_written_four_times_a_second_at_most(tmp_path, clock):
    report = Report(tmp_path, 1)
    report.begin_training(0)
    written = []
    for batch in range(1, 101):  # one second
        clock.now += 0.01
        report.end_batch(batch, 100, 1.0)
        written.append(read_progress(tmp_path))
    assert 3 <= len(set(written)) <= 5


def test_the_time_left_follows_the_pace(tmp_path, clock):
    report = Report(tmp_path, 4)
    report.begin_training(0)
    assert read_progress(tmp_path) == RunProgress("training", 1, 4)
    clock.now += 30  # the first batch is no measure of the others
    report.end_batch(1, 10, 1.0)
    assert read_progress(tmp_path).seconds_left is None
    for batch in range(2, 6):
        clock.now += 1
        report.end_batch(batch, 10, 1.0)
    progress = read_progress(tmp_path)
    assert (progress.epoch, progress.batch) == (1, 0.5)
    assert progress.seconds_left == pytest.approx(35)


def test_the_next_epoch_follows_and_the_last_stays(tmp_path):
    report = Report(tmp_path, 2)
    report.begin_training(0)
    report.end_epoch(epoch(1))
    assert replace(read_progress(tmp_path), seconds_left=None) == RunProgress(
        "training", 2, 2
    )
    report.end_epoch(epoch(2))
    assert read_progress(tmp_path).epoch == 2
    assert read_progress(tmp_path).batch == 1.0


def test_a_resumed_training_begins_at_its_next_epoch(tmp_path):
    report = Report(tmp_path, 9)
    report.begin_training(6)
    assert read_progress(tmp_path) == RunProgress("training", 7, 9)


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", '{"stage": "training"}', '{"stage": "x", "epoch": 0, "epochs": 1}'],
)
def test_a_damaged_file_is_refused(content, tmp_path):
    (tmp_path / "progress.json").write_text(content)
    with pytest.raises(RunError, match="cannot be read"):
        read_progress(tmp_path)
