"""The archive of a known corpus becomes its recordings, or it is said why not."""

import dataclasses
import hashlib
import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from loopback import serve

from audiomnist.audio import Audio, encode_wav
from audiomnist.corpora import CORPORA, download, load_corpus, remove_corpus
from audiomnist.errors import CorpusError
from audiomnist.negatives import load_others, others_here
from audiomnist.run_configs import RunConfig
from audiomnist.splits import make_split

WAV = encode_wav(Audio(np.full(800, 0.1, dtype=np.float32), 16_000))


def packed(names: list[str], texts: dict[str, str] | None = None) -> bytes:
    """A tar.gz archive of recordings and texts."""
    files = dict.fromkeys(names, WAV)
    files |= {name: text.encode() for name, text in (texts or {}).items()}
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def with_card(monkeypatch: pytest.MonkeyPatch, name: str, **changes: object) -> None:
    """Another card for a corpus."""
    monkeypatch.setitem(CORPORA, name, dataclasses.replace(CORPORA[name], **changes))


def audiomnist_names(n_speakers: int = 3, n_takes: int = 2) -> list[str]:
    """Names in the layout of AudioMNIST's archive."""
    return [
        f"AudioMNIST-master/data/{who:02}/{digit}_{who:02}_{take}.wav"
        for who in range(1, n_speakers + 1)
        for digit in range(10)
        for take in range(n_takes)
    ]


@pytest.fixture
def small_audiomnist(monkeypatch: pytest.MonkeyPatch) -> bytes:
    """An archive in the layout of AudioMNIST's, and a card that expects it."""
    with_card(monkeypatch, "audiomnist", n_clips=60, n_speakers=3)
    return packed(audiomnist_names(), {"AudioMNIST-master/README.md": "text"})


WORDS = ("zero", "one", "nine", "bed", "tree")
SPEAKERS = ("a1", "b2", "c3", "d4")


@pytest.fixture
def small_commands(monkeypatch: pytest.MonkeyPatch) -> bytes:
    """An archive in the layout of Speech Commands', and a card that expects it."""
    names = [
        f"./{word}/{who}_nohash_{take}.wav"
        for word in WORDS
        for who in SPEAKERS
        for take in range(2)
    ]
    texts = {
        "./testing_list.txt": "bed/d4_nohash_0.wav\nnine/b2_nohash_1.wav\n",
        "./validation_list.txt": "nine/a1_nohash_1.wav\n",
    }
    data = packed([*names, "./_background_noise_/white.wav"], texts)
    with_card(
        monkeypatch,
        "speech-commands",
        n_clips=24,
        other_words=3,
        archive_sha256=hashlib.sha256(data).hexdigest(),
    )
    return data


def test_audiomnist_is_recognised_by_its_speakers(
    small_audiomnist: bytes, home: Path
) -> None:
    with serve(small_audiomnist) as server:
        corpus = download("audiomnist", source=server.url)
    assert corpus == load_corpus("audiomnist")
    assert (len(corpus.clips), corpus.speakers) == (60, ("01", "02", "03"))
    assert not corpus.official_test
    assert not (home / "others").exists()


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (audiomnist_names()[1:], "Expected 60 recordings; got 59"),
        (audiomnist_names(2, 3), "Expected 2 of each digit by each of 3 speakers; got"),
        (
            [*audiomnist_names()[1:], "x/data/01/1_01_9.wav"],
            "Expected 2 of each digit .* got up to 3 by 3",
        ),
    ],
)
def test_other_recordings_are_refused(
    small_audiomnist: bytes,
    home: Path,
    tmp_path: Path,
    names: list[str],
    sentence: str,
) -> None:
    file = tmp_path / "other.tar.gz"
    file.write_bytes(packed(names))
    with pytest.raises(CorpusError, match=sentence):
        download("audiomnist", source=file)
    assert not any((home / "corpora").iterdir())
    assert file.exists()


def test_a_recording_that_cannot_be_heard_is_named(
    small_audiomnist: bytes, tmp_path: Path, home: Path
) -> None:
    file = tmp_path / "broken.tar.gz"
    names = audiomnist_names()
    file.write_bytes(packed(names[1:], {names[0]: "no sound"}))
    with pytest.raises(CorpusError, match=r"only recordings; got 0_01_0\.wav"):
        download("audiomnist", source=file)
    assert not any((home / "corpora").iterdir())


def test_speech_commands_keeps_its_test_and_a_part_of_its_other_words(
    small_commands: bytes, home: Path
) -> None:
    with serve(small_commands) as server:
        corpus = download("speech-commands", source=server.url)
    assert corpus == load_corpus("speech-commands")
    assert (len(corpus.clips), corpus.speakers) == (24, SPEAKERS)
    assert {clip.digit for clip in corpus.clips} == {0, 1, 9}
    # The list names one digit by b2; what else b2 says is no stranger's either.
    assert {clip.speaker for clip in corpus.official_test} == {"b2"}
    assert others_here() == ("embedded", "speech-commands")
    words = load_others("speech-commands")
    assert len(words) == 6
    assert {clip.path.parent.name for clip in words} == {"bed", "tree"}
    assert {clip.speaker for clip in words} == {"a1", "b2"}
    remove_corpus("speech-commands")
    assert others_here() == ("embedded",)


def test_the_official_split_keeps_speakers_apart(
    small_commands: bytes, home: Path
) -> None:
    with serve(small_commands) as server:
        corpus = download("speech-commands", source=server.url)
    split = make_split(corpus, "official", validation=0.34)
    parts = [{clip.speaker for clip in clips} for clips in split.parts.values()]
    assert parts[2] == {"b2"}
    assert not parts[0] & parts[1] and not parts[2] & (parts[0] | parts[1])
    config = RunConfig(
        corpora=("speech-commands",),
        split_rule="official",
        others=("speech-commands",),
    )
    others = config.split_others(config.split())
    assert {clip.speaker for clip in others["test"]} == {"b2"}
    assert "b2" not in {clip.speaker for clip in others["train"]}


def test_another_archive_is_refused_by_its_digest(
    small_commands: bytes, tmp_path: Path, home: Path
) -> None:
    file = tmp_path / "other.tar.gz"
    file.write_bytes(packed(["one/a1_nohash_0.wav"]))
    with pytest.raises(CorpusError, match="Expected an archive with sha256"):
        download("speech-commands", source=file)
    with pytest.raises(CorpusError, match=r"no\.tar\.gz cannot be opened"):
        download("speech-commands", source=tmp_path / "no.tar.gz")
    assert not (home / "corpora").exists()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "test recordings cannot be read"),
        ("bed/d4_nohash_0.wav", "lists no test recording of a digit"),
    ],
)
def test_a_lost_test_list_is_noticed(
    small_commands: bytes, home: Path, text: str | None, sentence: str
) -> None:
    with serve(small_commands) as server:
        download("speech-commands", source=server.url)
    path = home / "corpora" / "speech-commands" / "testing_list.txt"
    path.unlink()
    if text:
        path.write_text(text)
    with pytest.raises(CorpusError, match=sentence):
        load_corpus("speech-commands")


def test_what_does_not_bring_its_test_list_is_refused(
    small_commands: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, home: Path
) -> None:
    data = packed([f"{word}/a1_nohash_0.wav" for word in ("one", "two")])
    digest = hashlib.sha256(data).hexdigest()
    with_card(monkeypatch, "speech-commands", n_clips=2, archive_sha256=digest)
    file = tmp_path / "without.tar.gz"
    file.write_bytes(data)
    with pytest.raises(CorpusError, match=r"Expected a testing_list\.txt; got none"):
        download("speech-commands", source=file)
    assert not any((home / "corpora").iterdir())
