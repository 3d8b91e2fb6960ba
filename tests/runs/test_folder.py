"""What is asked of a run, and what its folder says of it."""

import json
import os
from dataclasses import replace

import pytest

from audiomnist.errors import AudioMnistError, ModelError, RunError
from audiomnist.recognition.record import RECORD
from audiomnist.runs import folder, worker
from audiomnist.runs.folder import (
    create_run,
    delete_run,
    find_run,
    keep_threshold,
    list_runs,
    update_record,
)
from audiomnist.runs.presets import preset
from audiomnist.runs.progress import RunProgress
from audiomnist.settings import settings
from audiomnist.training.history import HISTORY


def test_a_new_run_waits_and_remembers_what_was_asked():
    config = replace(preset("ann"), title="Größer", split_seed=4)
    run = create_run(config)
    assert run.config == config
    assert (run.state, run.message, run.history) == ("waiting", "", [])
    assert run.progress == RunProgress("waiting", 0, config.training.epochs)
    assert run.id.endswith("-ann")
    assert find_run(run.id) == run


def test_ids_are_unique_and_the_newest_run_comes_first():
    made = [create_run(preset("ann")) for _ in range(12)]
    assert len({run.id for run in made}) == 12
    assert list_runs() == made[::-1]


def test_without_a_home_there_are_no_runs():
    assert list_runs() == []
    assert not settings().runs.exists()


def test_a_run_that_nobody_started_fails_after_a_while(monkeypatch):
    run = create_run(preset("ann"))
    monkeypatch.setattr(folder, "LAUNCH_TIME", 0.0)
    assert run.state == "failed"
    assert "without a word" in run.message


def damaged(**wrong):
    """The record of a run in which this is wrong."""
    created = "2026-01-01T00:00:00+00:00"
    right = {"id": "a", "state": "running", "created": created, "config": {}}
    return json.dumps({**right, **wrong})


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        '{"state": "running"}',
        damaged(state="odd"),
        damaged(created="yesterday"),
        damaged(created="2026-01-01T00:00:00"),
        damaged(config=3),
        damaged(colour="red"),
        damaged(format=3),
        damaged(corpora={"embedded": 3}),
        damaged(split={"rule": "speaker"}),
    ],
)
def test_a_damaged_run_is_left_out_and_can_be_deleted(content):
    good, bad = create_run(preset("ann")), create_run(preset("cnn"))
    (bad.folder / RECORD).write_text(content)
    (settings().runs / "notes.txt").write_text("no run")
    (settings().runs / "empty").mkdir()
    assert list_runs() == [good]
    with pytest.raises(RunError, match=r"Delete it and train again"):
        find_run(bad.id)
    delete_run(bad)
    assert not bad.folder.exists()


def test_settings_that_are_out_of_range_damage_a_run():
    run = create_run(preset("ann"))
    record = json.loads((run.folder / RECORD).read_text())
    record["config"]["features"]["fit"] = "squeeze"
    (run.folder / RECORD).write_text(json.dumps(record))
    with pytest.raises(RunError, match="fit is 'squeeze'"):
        find_run(run.id)
    assert list_runs() == []


def test_a_damaged_history_is_said():
    run = create_run(preset("ann"))
    (run.folder / HISTORY).write_text("epoch\nmany\n")
    with pytest.raises(RunError, match="not a training history"):
        _ = run.history


@pytest.mark.parametrize("name", ["", "..", "../runs", "/tmp", "a/b", "nobody"])
def test_no_id_leads_out_of_the_folder_of_runs(name):
    create_run(preset("ann"))
    with pytest.raises(RunError, match="There is no run"):
        find_run(name)


def test_the_record_outlives_its_worker_as_a_failure():
    run = create_run(preset("ann"))
    with worker.hold(run.folder):
        assert run.state == "waiting"
        update_record(run, state="running")
        assert run.state == "running"
        with pytest.raises(RunError, match="Cancel it first"):
            delete_run(run)
    (run.folder / worker.OUTPUT).write_text("first\nKilled by the moon\n\n")
    assert run.state == "failed"
    assert run.message.endswith("Its last line was: Killed by the moon")
    update_record(run, state="finished")
    assert (run.state, run.message) == ("finished", "")


def test_a_worker_that_ends_while_somebody_looks_has_not_failed(monkeypatch):
    run = create_run(preset("ann"))
    update_record(run, state="running")

    def ends_now(_):
        update_record(run, state="finished")
        return False

    monkeypatch.setattr(worker, "is_alive", ends_now)
    assert run.state == "finished"


def test_a_folder_that_cannot_be_written_is_said(monkeypatch, home):
    home.parent.mkdir(exist_ok=True)
    home.write_text("a file, no folder")
    with pytest.raises(AudioMnistError, match="cannot be created"):
        create_run(preset("ann"))


def test_a_full_disk_leaves_no_run_behind(monkeypatch):
    def full(*_):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(folder, "write_record", full)
    with pytest.raises(RunError, match="No space left on device"):
        create_run(preset("ann"))
    assert list(settings().runs.iterdir()) == []


def test_only_a_finished_run_has_a_threshold_to_keep(finished_run):
    keep_threshold(finished_run, 0.25)
    assert finished_run.record.model.calibration.threshold == 0.25
    with pytest.raises(ModelError, match=r"threshold is 1\.5; expected 0 to 1"):
        keep_threshold(finished_run, 1.5)
    waiting = create_run(preset("ann"))
    with pytest.raises(RunError, match="is waiting and has no model whose threshold"):
        keep_threshold(waiting, 0.25)
