"""Folders appear complete or not at all, and a refusing disk is explained."""

import errno
import json
import os
from pathlib import Path

import pytest

from audiomnist import storage
from audiomnist.errors import CorpusError
from audiomnist.storage import (
    UNFINISHED,
    Progress,
    disk_errors,
    new_folder,
    replacing,
    replacing_folder,
    write_json,
)


@pytest.mark.parametrize(
    ("stage", "is_in_bytes"),
    [("downloading", True), ("unpacking", True), ("checking", False)],
)
def test_progress_tells_whether_it_counts_bytes(stage: str, is_in_bytes: bool) -> None:
    assert Progress(stage, 1, 2).is_in_bytes == is_in_bytes


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_new_folder_appears_when_its_block_succeeds(tmp_path: Path) -> None:
    with new_folder(tmp_path / "new") as temporary:
        (temporary / "file").write_text("here")
        assert not (tmp_path / "new").exists()
    assert (tmp_path / "new" / "file").read_text() == "here"
    assert names(tmp_path) == ["new"]


def test_a_new_folder_leaves_nothing_when_its_block_fails(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), new_folder(tmp_path / "new") as temporary:
        (temporary / "file").write_text("here")
        raise KeyboardInterrupt
    assert names(tmp_path) == []


def test_a_folder_that_is_there_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    with (
        pytest.raises(CorpusError, match="is there already"),
        new_folder(tmp_path / "old"),
    ):
        pass


def test_what_a_killed_process_left_is_removed_a_day_later(tmp_path: Path) -> None:
    for name, age in ((".new-old", 2 * 24 * 3600), (".new-busy", 60)):
        (tmp_path / name).mkdir()
        time = (tmp_path / name).stat().st_mtime - age
        os.utime(tmp_path / name, (time, time))
    with new_folder(tmp_path / "new"):
        pass
    assert names(tmp_path) == [".new-busy", "new"]


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (errno.ENOSPC, "disk that holds .* is full. It is kept. Free some space"),
        (errno.EDQUOT, "disk that holds .* is full"),
        (errno.EROFS, "could not be written to .* \\(Read-only file system\\)"),
    ],
)
def test_a_refusing_disk_is_explained(tmp_path: Path, code: int, sentence: str) -> None:
    with (
        pytest.raises(CorpusError, match=sentence),
        disk_errors(tmp_path, kept="It is kept."),
    ):
        raise OSError(code, os.strerror(code))


class InterruptionError(Exception):
    pass


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(InterruptionError), replacing(path) as unfinished:
        assert unfinished.name.startswith(UNFINISHED)
        unfinished.write_text("half")
        raise InterruptionError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_may_be_written_twice_at_once(tmp_path):
    path = tmp_path / "file"
    with replacing(path) as first:
        first.write_text("first")
        with replacing(path) as second:
            second.write_text("second")
        assert path.read_text() == "second"
    assert path.read_text() == "first"
    assert list(tmp_path.iterdir()) == [path]


def test_json_is_written_as_it_is(tmp_path):
    content = {"digit": 7, "title": "Größe", "parts": [1.5, None]}
    write_json(tmp_path / "file", content)
    assert json.loads((tmp_path / "file").read_text(encoding="utf-8")) == content


@pytest.mark.parametrize("system", ["as it is", "without an exchange"])
def test_a_folder_is_replaced_as_a_whole(tmp_path, monkeypatch, system):
    if system != "as it is":
        monkeypatch.setattr(storage.ctypes, "CDLL", lambda *_, **__: object())
    folder = tmp_path / "model"
    for content in ("first", "second"):
        with replacing_folder(folder) as unfinished:
            (unfinished / content).write_text(content)
        assert names(folder) == [content]
    assert names(tmp_path) == ["model"]


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), KeyboardInterrupt()])
def test_a_folder_that_could_not_be_replaced_is_as_it_was(tmp_path, error):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "old").write_text("old")
    with pytest.raises(type(error)), replacing_folder(folder) as unfinished:
        (unfinished / "new").write_text("new")
        raise error
    assert names(folder) == ["old"]
    assert names(tmp_path) == ["model"]
