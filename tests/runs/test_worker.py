"""Worker processes: known to live, stopped, and never mistaken for another."""

import json
import os
import subprocess
import sys
import threading
import time

import pytest

from audiomnist.errors import RunError
from audiomnist.runs import worker

HOLD = """
import sys, time
from pathlib import Path
from audiomnist.runs import worker
with worker.hold(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    return folder


@pytest.fixture
def holder(folder):
    """Another process that holds the folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


@pytest.fixture
def imposter(monkeypatch, tmp_path):
    """Let a Python script stand in for `python -m audiomnist`."""
    if os.name == "nt":
        pytest.skip("needs a shell script")

    def imitate(code: str) -> None:
        script = tmp_path / "imposter"
        script.write_text(f"#!{sys.executable}\n{code}")
        script.chmod(0o755)
        monkeypatch.setattr(worker.sys, "executable", str(script))

    return imitate


def wait_for(claim, seconds=20.0):
    until = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_folder_without_a_worker_is_not_alive(folder):
    assert not worker.is_alive(folder)
    assert not worker.is_starting(folder)
    assert worker.queued_at(folder) is None
    assert list(folder.iterdir()) == []


def test_a_held_folder_is_alive_until_it_is_let_go(folder):
    with worker.hold(folder):
        assert worker.is_alive(folder)
        assert worker.queued_at(folder) == pytest.approx(time.time(), abs=60)
    assert not worker.is_alive(folder)
    assert worker.queued_at(folder) is None


def test_a_folder_has_one_worker(folder, holder, monkeypatch):
    monkeypatch.setattr(worker, "_LOCK_TIME", 0.1)
    with (
        pytest.raises(RunError, match="trained by another process"),
        worker.hold(folder),
    ):
        pass
    assert worker.is_alive(folder)


def test_who_keeps_workers_out_is_not_taken_for_one(folder):
    ticket = json.dumps({"queued": 5.0, "pid": 1})
    (folder / "worker.json").write_text(ticket)
    with worker.keep_out(folder):
        assert worker.is_alive(folder)
        assert not (folder / "worker.json").exists()
    assert not worker.is_alive(folder)


def test_a_worker_is_not_kept_out_of_its_own_folder(folder, holder, monkeypatch):
    monkeypatch.setattr(worker, "_LOCK_TIME", 0.1)
    with (
        pytest.raises(RunError, match="trained by another process"),
        worker.keep_out(folder),
    ):
        pass
    assert (folder / "worker.json").exists()


def test_this_process_does_not_end_itself(folder, monkeypatch):
    sent = []
    monkeypatch.setattr(worker.os, "kill", lambda *signal: sent.append(signal))
    monkeypatch.setattr(worker, "_POLITE", 0.1)
    with (
        worker.hold(folder),
        pytest.raises(RunError, match="trained by this process"),
    ):
        worker.stop(folder)
    assert sent == []


def test_a_killed_worker_is_not_alive(folder, holder):
    assert worker.is_alive(folder)
    holder.kill()
    holder.wait()
    assert not worker.is_alive(folder)
    assert not worker.is_starting(folder)


def test_a_worker_of_another_process_is_stopped(folder, holder):
    worker.stop(folder)
    assert holder.wait(5) != 0
    assert not worker.is_alive(folder)


def test_a_worker_that_does_not_listen_is_stopped(folder, imposter, monkeypatch):
    monkeypatch.setattr(worker, "_POLITE", 0.3)
    imposter(
        "import signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('deaf', flush=True)\n"
        "time.sleep(60)\n"
    )
    worker.start(folder, [], worker.reserve(folder))
    wait_for(lambda: worker.last_words(folder) == "deaf")
    worker.stop(folder)
    assert worker._started[folder].returncode is not None


def test_stopping_nothing_does_nothing(folder):
    worker.stop(folder)
    assert list(folder.iterdir()) == []


def test_a_process_of_the_same_number_is_left_alone(folder):
    ticket = {"queued": time.time(), "pid": os.getpid(), "started": 5.0}
    (folder / "worker.json").write_text(json.dumps(ticket))
    worker.stop(folder)
    assert not worker.is_starting(folder)


def test_an_innocent_process_of_the_same_number_is_not_ended(
    folder, holder, monkeypatch
):
    innocent = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    ticket = json.loads((folder / "worker.json").read_text())
    ticket["pid"], ticket["started"] = innocent.pid, ticket["started"] - 100
    (folder / "worker.json").write_text(json.dumps(ticket))
    monkeypatch.setattr(worker.time, "sleep", lambda seconds: holder.kill())
    worker.stop(folder)  # until whoever holds the folder has ended by itself
    assert innocent.poll() is None
    innocent.kill()
    innocent.wait()


def test_a_started_worker_gets_its_words_and_surroundings(folder, imposter, home):
    imposter(
        "import os, sys\n"
        "print(*sys.argv[1:], os.environ['AUDIOMNIST_HOME'],\n"
        "      os.environ['OMP_NUM_THREADS'], os.getsid(0) == os.getpid())\n"
    )
    worker.start(folder, ["train", "--run", "x"], worker.reserve(folder))
    wait_for(lambda: worker.last_words(folder))
    n_threads = max(1, (os.cpu_count() or 1) - 1)
    expected = f"-m audiomnist train --run x {home} {n_threads} True"
    assert worker.last_words(folder) == expected


@pytest.mark.parametrize("is_another_process", [False, True])
def test_a_worker_is_starting_until_it_dies(
    folder, imposter, monkeypatch, is_another_process
):
    imposter("import time\ntime.sleep(60)\n")
    worker.start(folder, [], worker.reserve(folder))
    process = worker._started[folder]
    if is_another_process:
        monkeypatch.delitem(worker._started, folder)
    monkeypatch.setattr(worker, "START_TIME", 0.0)
    assert worker.is_starting(folder), "however long it takes"
    process.kill()
    wait_for(lambda: not worker.is_starting(folder))
    process.wait()


def test_a_worker_that_nobody_starts_is_not_waited_for(folder, monkeypatch):
    worker.reserve(folder)
    assert worker.is_starting(folder)
    now = time.time()
    for later in (6, -3600):  # the clock may be set back
        monkeypatch.setattr(worker.time, "time", lambda later=later: now + later)
        assert not worker.is_starting(folder)


def look_together(folder):
    """What twenty onlookers see at the same time."""
    looks = []

    def look():
        looks.extend(worker.is_alive(folder) for _ in range(200))

    onlookers = [threading.Thread(target=look) for _ in range(20)]
    for onlooker in onlookers:
        onlooker.start()
    for onlooker in onlookers:
        onlooker.join()
    assert len(looks) == 4000
    return looks


def test_onlookers_do_not_take_each_other_for_a_worker(folder, holder):
    assert all(look_together(folder))
    holder.kill()
    holder.wait()
    assert not any(look_together(folder))


def test_onlookers_keep_nobody_out(folder):
    with worker.hold(folder):
        pass
    onlooker = threading.Thread(target=look_together, args=(folder,))
    onlooker.start()
    for _ in range(20):
        with worker.keep_out(folder):
            pass
    onlooker.join()


def test_a_worker_that_dies_at_birth_is_seen_and_reaped(folder, imposter):
    imposter("raise SystemExit('cannot live')\n")
    worker.start(folder, [], worker.reserve(folder))
    wait_for(lambda: not worker.is_starting(folder))
    assert worker.last_words(folder) == "cannot live"
    assert worker._started[folder].returncode == 1


def test_a_worker_that_cannot_be_started_is_said(folder, monkeypatch):
    monkeypatch.setattr(worker.sys, "executable", "/nonexistent/python")
    with pytest.raises(RunError, match="No process could be started"):
        worker.start(folder, [], worker.reserve(folder))


def test_the_chatter_of_tensorflow_is_no_last_word(folder):
    chatter = "WARNING: All log messages\nI0000 00:00:17.1 port.cc:153] on\nINFO: x\n"
    (folder / worker.OUTPUT).write_text("out of luck\n\n" + chatter)
    assert worker.last_words(folder) == "out of luck"
    (folder / worker.OUTPUT).write_text(chatter)
    assert worker.last_words(folder) == ""


def test_the_oldest_ticket_leads(tmp_path):
    for name, queued in (("a", 3.0), ("b", 1.0), ("c", 2.0), ("d", None)):
        (tmp_path / name).mkdir()
        if queued:
            ticket = json.dumps({"queued": queued, "pid": None})
            (tmp_path / name / "worker.json").write_text(ticket)
    names = [folder.name for folder in worker.queued_folders(tmp_path)]
    assert names == ["b", "c", "a"]


def test_the_place_in_the_queue_is_kept_by_the_worker(folder):
    ticket = json.dumps({"queued": 5.0, "pid": None})
    (folder / "worker.json").write_text(ticket)
    with worker.hold(folder):
        assert worker.queued_at(folder) == 5.0
