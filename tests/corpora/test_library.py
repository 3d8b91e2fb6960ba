"""Corpora are loaded, downloaded and imported whole, or it is said why not."""

import dataclasses
import errno
import gzip
import hashlib
import io
import tarfile
import zipfile
from collections import Counter
from pathlib import Path

import pytest
from conftest import RECORDINGS, packed
from loopback import serve

from audiomnist.audio.encoding import encode_wav
from audiomnist.corpora import library
from audiomnist.corpora.catalogue import CORPORA
from audiomnist.corpora.clips import load_audio, parse_name, read
from audiomnist.corpora.library import (
    available,
    download,
    import_corpus,
    load_corpus,
    remove_corpus,
)
from audiomnist.corpora.readings import preview
from audiomnist.errors import AudioMnistError, CorpusError
from audiomnist.storage import Progress

OPEN_DIGITS = RECORDINGS / "open-digits-1.tar.gz"


def recorded(path: Path) -> Path:
    """A file of other recordings, or the test is skipped."""
    if not path.exists():
        pytest.skip(f"{path} is not on this machine")
    return path


def stored(home: Path) -> list[str]:
    """What lies in the folder of corpora."""
    folder = home / "corpora"
    return sorted(p.name for p in folder.iterdir()) if folder.exists() else []


@pytest.fixture
def small_fsdd(tiny_folder: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """An archive in the layout of FSDD's, and its catalogue entry."""
    wavs = {p.name: p.read_bytes() for p in tiny_folder.iterdir()}
    digest = hashlib.sha256(b"".join(wavs[name] for name in sorted(wavs)))
    known = dataclasses.replace(
        CORPORA["fsdd"], n_clips=len(wavs), sha256=digest.hexdigest()
    )
    monkeypatch.setitem(CORPORA, "fsdd", known)
    layout = {f"fsdd-1.0.10/recordings/{name}": data for name, data in wavs.items()}
    others = {"fsdd-1.0.10/README.md": b"text", "fsdd-1.0.10/utils/0_a_0.wav": b"x"}
    return packed({**layout, **others})


@pytest.mark.parametrize("name", CORPORA)
def test_every_card_is_complete(name: str) -> None:
    known = CORPORA[name]
    assert known.name == name
    assert known.title and known.description and known.n_clips > 0
    assert known.source and known.licence and known.citation
    if known.url:
        assert known.url.startswith("https://")
        assert known.folders and known.download_mb
        assert {len(known.sha256), len(known.archive_sha256)} <= {0, 64}
        assert known.sha256 or known.archive_sha256 or known.n_speakers


def test_the_embedded_corpus_is_complete() -> None:
    corpus = load_corpus("embedded")
    assert corpus.is_synthetic
    assert Counter(clip.digit for clip in corpus.clips) == dict.fromkeys(range(10), 500)
    assert len(corpus.speakers) > 50
    for clip in corpus.clips:
        assert parse_name(clip.name) == (clip.digit, clip.speaker, clip.take)
    per_speaker = Counter((clip.speaker, clip.digit) for clip in corpus.clips)
    assert len(per_speaker) == 10 * len(corpus.speakers)
    assert max(per_speaker.values()) - min(per_speaker.values()) <= 1
    assert library.EMBEDDED_ARCHIVE.stat().st_size <= 15e6


def test_embedded_clips_can_be_decoded() -> None:
    corpus = load_corpus("embedded")
    sounds = set()
    for clip in corpus.clips[::97]:
        audio = load_audio(clip)
        assert audio.sample_rate == 16_000
        assert 0.2 < audio.duration < 1.5
        assert 0.1 < abs(audio.samples).max() < 0.99
        sounds.add(audio.samples.tobytes())
    assert len(sounds) == len(corpus.clips[::97])


def test_a_downloaded_corpus_is_verified_and_loaded(
    small_fsdd: bytes, home: Path
) -> None:
    assert available() == ("embedded",)
    steps: list[Progress] = []
    with serve(small_fsdd) as server:
        corpus = download("fsdd", source=server.url, on_progress=steps.append)
        download("fsdd", source=server.url)
        assert len(server.requests) == 1
    assert available() == ("embedded", "fsdd")
    assert corpus == load_corpus("fsdd")
    assert len(corpus.clips) == 120
    assert corpus.official_test_takes == frozenset(range(5))
    assert list(dict.fromkeys(s.stage for s in steps)) == [
        *("downloading", "unpacking", "checking")
    ]
    assert stored(home) == ["fsdd"]
    assert {p.suffix for p in (home / "corpora" / "fsdd").iterdir()} == {".wav"}
    assert {p.suffix for p in (home / "cache" / "downloads").iterdir()} == {".lock"}


def test_an_interrupted_download_goes_on(small_fsdd: bytes, home: Path) -> None:
    with serve(small_fsdd, etag='"1"', cuts=[100_000, 0, 0, 0]) as server:
        with pytest.raises(CorpusError, match="keeps breaking off"):
            download("fsdd", source=server.url)
        assert available() == ("embedded",)
        server.requests.clear()
        assert len(download("fsdd", source=server.url).clips) == 120
        assert server.requests == ["bytes=100000-"]


@pytest.mark.parametrize("stage", ["unpacking", "checking"])
@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.ENOSPC, "full")])
def test_an_interrupted_unpacking_keeps_the_download(
    small_fsdd: bytes, home: Path, stage: str, error: BaseException
) -> None:
    def interrupt(progress: Progress) -> None:
        if progress.stage == stage:
            raise error

    with serve(small_fsdd) as server:
        with pytest.raises((KeyboardInterrupt, CorpusError)):
            download("fsdd", source=server.url, on_progress=interrupt)
        assert stored(home) == []
        assert len(download("fsdd", source=server.url).clips) == 120
        assert len(server.requests) == 1
    assert {p.suffix for p in (home / "cache" / "downloads").iterdir()} == {".lock"}


def test_the_source_can_be_a_file_or_a_setting(
    small_fsdd: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "mine.tar.gz"
    file.write_bytes(small_fsdd)
    monkeypatch.setenv("AUDIOMNIST_FSDD_SOURCE", str(tmp_path / "no.tar.gz"))
    with pytest.raises(CorpusError, match=r"no\.tar\.gz cannot be opened"):
        download("fsdd")
    assert len(download("fsdd", source=file).clips) == 120
    assert file.exists()
    remove_corpus("fsdd")
    monkeypatch.setenv("AUDIOMNIST_FSDD_SOURCE", str(file))
    assert len(download("fsdd").clips) == 120


def test_the_setting_of_one_corpus_is_not_the_source_of_another(
    small_fsdd: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "its-own.tar.gz"
    known = dataclasses.replace(CORPORA["fsdd"], name="other", url=str(place))
    monkeypatch.setitem(CORPORA, "other", known)
    monkeypatch.setenv("AUDIOMNIST_FSDD_SOURCE", str(tmp_path / "fsdd.tar.gz"))
    with pytest.raises(CorpusError, match=r"its-own\.tar\.gz cannot be opened"):
        download("other")
    place.write_bytes(small_fsdd)
    assert len(download("other").clips) == 120


def test_other_contents_than_expected_are_refused(
    small_fsdd: bytes, tiny_folder: Path, home: Path
) -> None:
    wrong = packed({f"x/recordings/{p.name}": b"?" for p in tiny_folder.iterdir()})
    sentence = (
        "does not hold Free Spoken Digit Dataset.*Expected 120 recordings with "
        "sha256 .*got 120 with .*another version.*download was removed"
    )
    with serve(wrong) as server:
        with pytest.raises(CorpusError, match=sentence):
            download("fsdd", source=server.url)
        assert stored(home) == []
        server.data = small_fsdd
        assert len(download("fsdd", source=server.url).clips) == 120
        assert len(server.requests) == 2


def test_missing_recordings_are_refused(small_fsdd: bytes, home: Path) -> None:
    few = packed({"x/recordings/0_a_0.wav": b"?"})
    with serve(few) as server, pytest.raises(CorpusError, match="got 1 with"):
        download("fsdd", source=server.url)
    assert stored(home) == []


def test_a_damaged_archive_is_downloaded_again(small_fsdd: bytes, home: Path) -> None:
    with serve(small_fsdd[:-5000]) as server:
        with pytest.raises(CorpusError, match="damaged or cut short"):
            download("fsdd", source=server.url)
        assert stored(home) == []
        server.data = small_fsdd
        assert len(download("fsdd", source=server.url).clips) == 120


def test_a_missing_archive_is_explained(home: Path) -> None:
    with (
        serve(b"", status=404) as server,
        pytest.raises(CorpusError, match="the server answered 404"),
    ):
        download("fsdd", source=server.url)


@pytest.mark.parametrize("name", ["embedded", "other"])
def test_only_known_corpora_are_downloaded(name: str) -> None:
    with pytest.raises(CorpusError, match="cannot be downloaded; fsdd, audiomnist, "):
        download(name)


def test_an_unwritable_home_is_explained(
    small_fsdd: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("AUDIOMNIST_HOME", str(tmp_path / "file" / "home"))
    with (
        serve(small_fsdd) as server,
        pytest.raises(AudioMnistError, match=r"cannot be created.*AUDIOMNIST_HOME"),
    ):
        download("fsdd", source=server.url)


def test_a_corpus_that_lost_clips_is_noticed(small_fsdd: bytes, home: Path) -> None:
    with serve(small_fsdd) as server:
        corpus = download("fsdd", source=server.url)
    corpus.clips[0].path.unlink()
    with pytest.raises(CorpusError, match="has 119 clips here; expected 120"):
        load_corpus("fsdd")


def test_a_corpus_that_is_not_here_is_explained() -> None:
    with pytest.raises(
        CorpusError, match=r"fsdd.* is not here yet.*python -m audiomnist data download"
    ):
        load_corpus("fsdd")
    with pytest.raises(CorpusError, match="no corpus or folder 'x'; known are embed"):
        load_corpus("x")
    with pytest.raises(CorpusError, match="no corpus or folder ''"):
        load_corpus("")


def test_a_folder_is_a_corpus(tiny_folder: Path, tmp_path: Path) -> None:
    corpus = load_corpus(tiny_folder)
    assert corpus == load_corpus(str(tiny_folder))
    assert len(corpus.clips) == 120 and len(corpus.speakers) == 4
    assert not corpus.is_synthetic
    (tmp_path / "cat.wav").write_bytes(b"")
    with pytest.raises(CorpusError, match=r"no recording of a digit.*7_anna_0\.wav"):
        load_corpus(tmp_path)


def zip_of(folder: Path) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for path in folder.iterdir():
            archive.write(path, f"deep/er/{path.name}")
    return file


@pytest.mark.parametrize("kind", ["folder", "zip", "tar"])
def test_recordings_are_imported(kind: str, tiny_folder: Path, tmp_path: Path) -> None:
    source: Path | io.BytesIO = tiny_folder
    if kind == "zip":
        source = zip_of(tiny_folder)
    if kind == "tar":
        source = tmp_path / "mine.tar.gz"
        files = {p.name: p.read_bytes() for p in tiny_folder.iterdir()}
        source.write_bytes(packed(files))
    report = import_corpus("mine", source)
    assert report.skipped == ()
    assert available() == ("embedded", "mine")
    assert report.corpus == load_corpus("mine")
    original = load_corpus(tiny_folder)
    assert [read(c) for c in report.corpus.clips] == [read(c) for c in original.clips]


def test_an_import_keeps_what_it_can_and_says_what_it_cannot(
    spoken,  # type: ignore[no-untyped-def]
    tmp_path: Path,
    home: Path,
) -> None:
    sound = encode_wav(spoken(7))
    files = {
        "a/7_anna_0.wav": sound,
        "b/7_anna_0.wav": sound,
        "seven/x_nohash_1.wav": sound,
        "cat_anna_0.wav": sound,
        "1_anna_0.wav": b"",
        "2_anna_0.wav": b"no sound at all",
        "readme.txt": b"text",
    }
    report = import_corpus("mine", io.BytesIO(packed(files)))
    clips = report.corpus.clips
    assert [(c.digit, c.speaker, c.take) for c in clips] == [
        *((7, "anna", 0), (7, "anna", 1), (7, "x", 1))
    ]
    reasons = {recording.name: recording.reason for recording in report.skipped}
    assert list(reasons) == ["1_anna_0.wav", "2_anna_0.wav", "cat_anna_0.wav"]
    assert "'cat' is not a digit" in reasons["cat_anna_0.wav"]
    kept = [p for p in (home / "corpora" / "mine").rglob("*") if p.is_file()]
    assert len(kept) == len(clips)
    assert load_corpus("mine") == report.corpus


def test_a_folder_is_imported_as_well_as_an_archive(tmp_path: Path, spoken) -> None:  # type: ignore[no-untyped-def]
    for name in ("a/7_anna_0.wav", "cat.wav", "8_anna_0.wav"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(encode_wav(spoken(7)))
    (tmp_path / "in" / "8_anna_0.wav").write_bytes(b"")
    report = import_corpus("mine", tmp_path / "in")
    assert [clip.name for clip in report.corpus.clips] == ["7_anna_0.wav"]
    assert [name for name, _ in report.skipped] == ["8_anna_0.wav", "cat.wav"]
    assert (tmp_path / "in" / "cat.wav").exists()


def test_what_names_mean_is_kept_where_they_do_not_tell(tmp_path, spoken, home):
    sound = encode_wav(spoken(7))
    files = {"deep/anna_7_0.wav": sound, "deep/ben_3_1.wav": sound, "cat.wav": sound}
    pattern = "{speaker}_{digit}_{take}"
    looked = preview(io.BytesIO(packed(files)), pattern)
    assert len(looked.read) == 2 and stored(home) == []
    for name, source in (("one", io.BytesIO(packed(files))), ("two", tmp_path / "in")):
        for place, data in files.items():
            path = tmp_path / "in" / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        corpus = import_corpus(name, source, pattern=pattern).corpus
        assert [(c.digit, c.speaker, c.take) for c in corpus.clips] == [
            *((3, "ben", 1), (7, "anna", 0))
        ]
        assert load_corpus(name) == corpus


def test_a_table_is_imported_with_its_recordings(tmp_path, spoken, home):
    sound = encode_wav(spoken(7))
    table = b"file;word;who\nx.wav;seven;Ann\ny.wav;eight;Ann\ngone.wav;1;Ann\n"
    files = {"mine/x.wav": sound, "mine/y.wav": b"no sound", "mine/labels.csv": table}
    files["mine/log.csv"] = b"time,loss\n1,2\n"
    for place, data in files.items():
        path = tmp_path / "in" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    for name, source in (("one", io.BytesIO(packed(files))), ("two", tmp_path / "in")):
        assert len(preview(source).read) == 2
        report = import_corpus(name, source)
        assert [(c.digit, c.speaker) for c in report.corpus.clips] == [(7, "Ann")]
        assert [each.name for each in report.skipped] == ["gone.wav", "mine/y.wav"]
        assert report.others == {".csv": 1}, "the other one"
        assert load_corpus(name) == report.corpus
        assert report.corpus.skipped == ()


def bomb() -> bytes:
    info = tarfile.TarInfo("0_zero_0.wav")
    info.size = 10 * 1000**3
    return gzip.compress(info.tobuf() + bytes(1_000_000))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (packed({"../7_anna_0.wav": b""}), "a name outside the archive's own folder"),
        (bomb(), "unpacks to more than"),
        (b"no archive", "neither a zip nor a tar"),
        (packed({"readme.txt": b""}), "mine holds no recording of a digit: 0"),
        (packed({"cat_a_0.wav": b""}), "no recording of a digit: 1 .*'cat' is not a"),
        (packed({"7_a_0.wav": b""}), "no recording of a digit: 1"),
    ],
)
def test_an_import_that_fails_leaves_nothing(
    data: bytes, sentence: str, home: Path
) -> None:
    with pytest.raises(CorpusError, match=sentence):
        import_corpus("mine", io.BytesIO(data))
    assert stored(home) == []


@pytest.mark.parametrize("name", ["", "..", "../x", "a/b", "a b", ".x", "x" * 41, "é"])
def test_a_name_that_is_more_than_a_name_is_refused(
    name: str, tiny_folder: Path, home: Path
) -> None:
    with pytest.raises(CorpusError, match="cannot be a corpus's name"):
        import_corpus(name, tiny_folder)
    assert stored(home) == []


def test_a_name_that_is_taken_is_refused(tiny_folder: Path) -> None:
    import_corpus("mine", tiny_folder)
    for name in ("mine", "MINE", "fsdd", "embedded"):
        with pytest.raises(CorpusError, match=r"already.*Choose another name"):
            import_corpus(name, tiny_folder)


def test_a_corpus_is_removed(tiny_folder: Path, home: Path) -> None:
    import_corpus("mine", tiny_folder)
    remove_corpus("mine")
    assert available() == ("embedded",)
    assert stored(home) == []
    with pytest.raises(CorpusError, match="no corpus 'mine' to remove"):
        remove_corpus("mine")
    with pytest.raises(CorpusError, match=r"no corpus '\.\./mine' to remove"):
        remove_corpus("../mine")
    with pytest.raises(CorpusError, match="cannot be removed"):
        remove_corpus("embedded")


@pytest.mark.corpus
def test_the_free_spoken_digit_dataset_is_recognised(fsdd_archive: Path) -> None:
    data = fsdd_archive.read_bytes()
    with serve(data, etag='"1"', cuts=[5_000_000]) as server:
        corpus = download("fsdd", source=server.url)
        assert server.requests == ["", "bytes=5000000-"]
    assert len(corpus.clips) == 3000
    assert corpus.speakers == (
        *("george", "jackson", "lucas", "nicolas", "theo", "yweweler"),
    )
    assert {load_audio(clip).sample_rate for clip in corpus.clips[::50]} == {8000}


@pytest.mark.corpus
def test_recordings_from_several_sources_are_imported() -> None:
    report = import_corpus("open-digits", recorded(OPEN_DIGITS))
    assert len(report.corpus.clips) == 515
    assert len(report.skipped) == 171
    assert all("is not a digit" in reason for _, reason in report.skipped)
