"""A download arrives whole, goes on where it stopped, or says why it cannot."""

import errno
from pathlib import Path

import filelock
import numpy as np
import pytest
from loopback import serve

from audiomnist.corpora import downloads
from audiomnist.corpora.downloads import fetch, is_url
from audiomnist.errors import CorpusError
from audiomnist.storage import Progress

DATA = np.random.default_rng(0).bytes(1_000_000)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "downloads" / "file"


def left(file: Path) -> list[str]:
    """What lies beside the file, apart from its lock."""
    return sorted(p.name for p in file.parent.iterdir() if p.suffix != ".lock")


def test_addresses_are_told_from_paths() -> None:
    assert is_url("https://example.org/a.zip")
    assert is_url("HTTP://example.org")
    assert not is_url("/home/anna/a.zip")
    assert not is_url("http.zip")


@pytest.mark.parametrize("has_length", [True, False])
def test_a_file_arrives_whole(file: Path, has_length: bool) -> None:
    steps: list[Progress] = []
    with serve(DATA, has_length=has_length) as server:
        assert fetch(server.url, file, steps.append) == file
    assert file.read_bytes() == DATA
    assert left(file) == ["file"]
    assert steps[-1] == Progress(
        "downloading", len(DATA), len(DATA) if has_length else None
    )


def test_a_file_that_is_there_is_not_downloaded_again(file: Path) -> None:
    file.parent.mkdir()
    file.write_bytes(b"here")
    with serve(DATA) as server:
        fetch(server.url, file)
        assert server.requests == []
    assert file.read_bytes() == b"here"


@pytest.mark.parametrize("etag", ['"v1"', ""])
def test_a_cut_connection_is_taken_up_again(file: Path, etag: str) -> None:
    with serve(DATA, etag=etag, cuts=[400_000, 300_000]) as server:
        fetch(server.url, file)
        assert server.requests == ["", "bytes=400000-", "bytes=700000-"]
    assert file.read_bytes() == DATA


def test_a_later_call_goes_on_where_the_last_one_stopped(file: Path) -> None:
    with serve(DATA, etag='"v1"', cuts=[400_000, 0, 0, 0]) as server:
        with pytest.raises(CorpusError, match=r"0\.4 MB that have arrived are kept"):
            fetch(server.url, file)
        assert left(file) == ["file.part", "file.part.json"]
        server.requests.clear()
        fetch(server.url, file)
        assert server.requests == ["bytes=400000-"]
    assert file.read_bytes() == DATA
    assert left(file) == ["file"]


def test_a_server_without_ranges_starts_over(file: Path) -> None:
    with serve(DATA, has_ranges=False, cuts=[400_000]) as server:
        fetch(server.url, file)
        assert server.requests == ["", "bytes=400000-"]
    assert file.read_bytes() == DATA


def test_a_file_changed_on_the_server_starts_over(file: Path) -> None:
    with serve(DATA, etag='"v1"', cuts=[400_000, 0, 0, 0]) as server:
        with pytest.raises(CorpusError, match="keeps breaking off"):
            fetch(server.url, file)
        server.data, server.etag = DATA[::-1], '"v2"'
        fetch(server.url, file)
    assert file.read_bytes() == DATA[::-1]


def test_a_file_now_shorter_on_the_server_starts_over(file: Path) -> None:
    with serve(DATA, cuts=[400_000, 0, 0, 0]) as server:
        with pytest.raises(CorpusError, match="keeps breaking off"):
            fetch(server.url, file)
        server.data = DATA[:1000]
        fetch(server.url, file)
    assert file.read_bytes() == DATA[:1000]


def test_the_beginning_of_another_address_is_not_continued(file: Path) -> None:
    with (
        serve(DATA[::-1], cuts=[400_000, 0, 0, 0]) as other,
        pytest.raises(CorpusError, match="keeps breaking off"),
    ):
        fetch(other.url, file)
    with serve(DATA) as server:
        fetch(server.url, file)
        assert server.requests == [""]
    assert file.read_bytes() == DATA


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_refusing_server_is_explained(file: Path, status: int) -> None:
    sentence = f"the server answered {status}.*Check the address"
    with (
        serve(DATA, status=status) as server,
        pytest.raises(CorpusError, match=sentence),
    ):
        fetch(server.url, file)
    assert left(file) == []


def test_an_unreachable_server_is_explained(file: Path) -> None:
    with serve(DATA) as server:
        url = server.url
    with pytest.raises(CorpusError, match=r"cannot be reached.*internet connection"):
        fetch(url, file)
    with pytest.raises(CorpusError, match="cannot be reached"):
        fetch("http://host.invalid/file", file)


def test_an_endless_file_is_refused(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "MAX_BYTES", 500_000)
    for has_length in (True, False):
        with (
            serve(DATA, has_length=has_length) as server,
            pytest.raises(CorpusError, match="is larger than"),
        ):
            fetch(server.url, file)
        assert left(file) == []


def test_a_full_disk_is_explained_and_what_arrived_kept(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class FullFile:
        def __init__(self, path: Path) -> None:
            self.file = path.open("ab")

        def __enter__(self) -> "FullFile":
            return self

        def __exit__(self, *_: object) -> None:
            self.file.close()

        def write(self, data: bytes) -> int:
            if self.file.tell() > 300_000:
                raise OSError(errno.ENOSPC, "No space left on device")
            return self.file.write(data)

    with serve(DATA, etag='"v1"') as server:
        with monkeypatch.context() as patch:
            patch.setattr(downloads, "_appending", FullFile)
            with pytest.raises(CorpusError, match=r"is full. What has arrived is kept"):
                fetch(server.url, file)
        assert not file.exists()
        fetch(server.url, file)
        assert server.requests[1].startswith("bytes=3")
    assert file.read_bytes() == DATA


def test_two_downloads_of_one_file_do_not_mix(file: Path) -> None:
    file.parent.mkdir()
    with (
        serve(DATA) as server,
        filelock.FileLock(file.with_name("file.lock")),
        pytest.raises(CorpusError, match="being downloaded by another page"),
    ):
        fetch(server.url, file)
