"""The record of a run, written and read again, also that of an older version."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from audiomnist.errors import RunError
from audiomnist.recognition.calibration import Calibration
from audiomnist.recognition.record import FORMAT, RECORD, ModelRecord
from audiomnist.runs.presets import preset
from audiomnist.runs.record import (
    RunRecord,
    SplitRecord,
    UnknownSpeakersTest,
    read_record,
    write_record,
)
from audiomnist.settings import REPOSITORY

NEW = RunRecord("20260101-000000-ann", datetime(2026, 1, 1, tzinfo=UTC), preset("ann"))
CALIBRATION = Calibration(0.5, 0.25, 0.9, rejects_unknown=True)
FULL = replace(
    NEW,
    state="finished",
    waiting_since=datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
    corpora={"embedded": "ab"},
    split=SplitRecord("speaker", 0, "cd", 3, 2, 1),
    versions={"python": "3.11"},
    model=ModelRecord(7, 2, CALIBRATION),
    best_epoch=2,
    seconds=1.5,
    processor_seconds=2.5,
    strangers=UnknownSpeakersTest("other", CALIBRATION, 2, 10, 9, 5, 1),
    finished=datetime(2026, 1, 3, tzinfo=UTC),
)


@pytest.mark.parametrize("record", [NEW, FULL])
def test_a_record_survives_its_file(tmp_path, record):
    write_record(tmp_path, record)
    assert json.loads((tmp_path / RECORD).read_text())["format"] == FORMAT
    assert read_record(tmp_path) == record


def test_a_record_is_read_again_when_it_was_written_anew(tmp_path):
    for record in (NEW, FULL, NEW):
        write_record(tmp_path, record)
        assert read_record(tmp_path) == record


@pytest.mark.parametrize("name", ["ann", "cnn", "best"])
def test_a_shipped_record_of_format_1_loses_nothing_when_written_anew(tmp_path, name):
    folder = REPOSITORY / "models" / name
    old, record = json.loads((folder / RECORD).read_text()), read_record(folder)
    assert old["format"] == 1
    assert record.corpora == old["corpora"]
    assert record.split.digest == old["split"]["digest"]
    assert record.created.isoformat() == old["created"]
    assert record.strangers.n_correct == old["calibration"]["n_correct"]
    assert record.strangers.calibration == record.model.calibration
    write_record(tmp_path, record)
    assert read_record(tmp_path) == record


def test_strangers_make_shares():
    assert FULL.strangers.accuracy.value == pytest.approx(0.9)
    assert FULL.strangers.false_answers.value == pytest.approx(0.2)


def test_an_unknown_state_is_refused():
    with pytest.raises(RunError, match="Its state is 'odd'; expected one of"):
        replace(NEW, state="odd")
