"""The archive of a known corpus becomes its recordings, or it is said why not."""

import dataclasses
import hashlib
from pathlib import Path

import numpy as np
import pytest
from conftest import packed
from loopback import serve

from audiomnist.audio.encoding import encode_wav
from audiomnist.audio.signal import Audio
from audiomnist.corpora import archives
from audiomnist.corpora.catalogue import CORPORA
from audiomnist.corpora.library import download, load_corpus, remove_corpus
from audiomnist.corpora.other_words import available_other_words, load_other_words
from audiomnist.corpora.split_rules import RULES
from audiomnist.errors import CorpusError
from audiomnist.runs.clips import resolve_clips
from audiomnist.runs.config import RunConfig
from audiomnist.storage import Progress

WAV = encode_wav(Audio(np.full(800, 0.1, dtype=np.float32), 16_000))


def archive_of(names: list[str], texts: dict[str, str] | None = None) -> bytes:
    """A tar.gz archive of recordings and texts."""
    others = {name: text.encode() for name, text in (texts or {}).items()}
    return packed(dict.fromkeys(names, WAV) | others)


def with_card(monkeypatch: pytest.MonkeyPatch, name: str, **changes: object) -> None:
    """Another known for a corpus."""
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
    """An archive in the layout of AudioMNIST's, and its catalogue entry."""
    with_card(monkeypatch, "audiomnist", n_clips=60, n_speakers=3)
    return archive_of(audiomnist_names(), {"AudioMNIST-master/README.md": "text"})


WORDS = ("zero", "one", "nine", "bed", "tree")
SPEAKERS = ("a1", "b2", "c3", "d4", *(f"e{number}" for number in range(8)))


@pytest.fixture
def small_commands(monkeypatch: pytest.MonkeyPatch) -> bytes:
    """An archive in the layout of Speech Commands', and its catalogue entry."""
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
    data = archive_of([*names, "./_background_noise_/white.wav"], texts)
    with_card(
        monkeypatch,
        "speech-commands",
        n_clips=72,
        other_words=4,
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
        (
            audiomnist_names(2, 3),
            "Expected 2 of each digit by each of 3 speakers; got 3 of 0 by 01",
        ),
        ([*audiomnist_names()[1:], "x/01/1_01_9.wav"], "2 of each digit .* got 1 of 0"),
        ([*audiomnist_names()[1:], "x/01/0_01_1.wav"], r"got 0_01_1\.wav twice"),
        ([*audiomnist_names()[1:], "x/01/ten_01_0.wav"], "'ten' is not a digit"),
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
    file.write_bytes(archive_of(names))
    with pytest.raises(CorpusError, match=sentence):
        download("audiomnist", source=file)
    assert not any((home / "corpora").iterdir())
    assert file.exists()


def test_a_recording_that_cannot_be_decoded_is_named(
    small_audiomnist: bytes, tmp_path: Path, home: Path
) -> None:
    file = tmp_path / "broken.tar.gz"
    names = audiomnist_names()
    file.write_bytes(archive_of(names[1:], {names[0]: "no sound"}))
    with pytest.raises(CorpusError, match=r"only recordings; got 0_01_0\.wav"):
        download("audiomnist", source=file)
    assert not any((home / "corpora").iterdir())


def test_speech_commands_keeps_its_test_and_a_part_of_its_other_words(
    small_commands: bytes, home: Path
) -> None:
    steps: list[Progress] = []
    with serve(small_commands) as server:
        corpus = download(
            "speech-commands", source=server.url, on_progress=steps.append
        )
    assert list(dict.fromkeys(step.stage for step in steps)) == [
        *("downloading", "verifying", "unpacking")
    ]
    assert corpus == load_corpus("speech-commands")
    assert (len(corpus.clips), corpus.speakers) == (72, SPEAKERS)
    assert {clip.digit for clip in corpus.clips} == {0, 1, 9}
    # The list names one digit by b2; what else b2 says is no stranger's either.
    assert {clip.speaker for clip in corpus.official_test} == {"b2", "d4"}
    assert available_other_words() == ("embedded", "speech-commands")
    words = load_other_words("speech-commands")
    assert {clip.path.parent.name for clip in words} == {"bed", "tree"}
    assert len(words) == 8
    # Of many speakers, not of the first in the alphabet alone.
    assert {clip.speaker for clip in words} > {"a1", "e5"}
    remove_corpus("speech-commands")
    assert available_other_words() == ("embedded",)


def test_words_of_ones_own_are_left_alone(small_commands: bytes, home: Path) -> None:
    own = home / "others" / "speech-commands" / "bed" / "me_nohash_0.wav"
    own.parent.mkdir(parents=True)
    own.write_bytes(WAV)
    with serve(small_commands) as server:
        download("speech-commands", source=server.url)
    assert [clip.path for clip in load_other_words("speech-commands")] == [own]
    remove_corpus("speech-commands")
    assert own.exists()


def test_who_tests_officially_trains_in_no_other_corpus(
    small_commands: bytes, tmp_path: Path
) -> None:
    with serve(small_commands) as server:
        corpus = download("speech-commands", source=server.url)
    split = RULES["official"].split_corpus(corpus, validation=0.2)
    parts = [{clip.speaker for clip in clips} for clips in split.parts.values()]
    assert parts[2] == {"b2", "d4"}
    assert not parts[0] & parts[1] and not parts[2] & (parts[0] | parts[1])
    mine = tmp_path / "mine"
    mine.mkdir()
    for name in ("7_b2_0.wav", "7_zoe_0.wav", "8_d4_1.wav"):
        (mine / name).write_bytes(WAV)
    config = RunConfig(
        corpora=("speech-commands", str(mine)),
        split_rule="official",
        others=("speech-commands",),
    )
    clips = resolve_clips(config)
    split, others = clips.split, clips.split_words
    train = {clip.speaker for clip in (*split.train, *split.validation)}
    assert train == {*SPEAKERS, "zoe"} - {"b2", "d4"}
    assert {clip.speaker for clip in others["test"]} == {"d4"}
    train = {clip.speaker for clip in (*others["train"], *others["validation"])}
    assert train and not train & {"b2", "d4"}


def test_two_downloads_of_one_corpus_do_not_meet(
    small_commands: bytes, home: Path
) -> None:
    def again(progress: Progress) -> None:
        if progress.stage == "unpacking":
            with pytest.raises(CorpusError, match="is being downloaded by another"):
                download("speech-commands", source=server.url)
            refused.append(progress)

    refused: list[Progress] = []
    with serve(small_commands) as server:
        download("speech-commands", source=server.url, on_progress=again)
        assert len(server.requests) == 1
    assert refused
    assert len(load_corpus("speech-commands").clips) == 72


def test_another_archive_is_refused_by_its_digest(
    small_commands: bytes, tmp_path: Path, home: Path
) -> None:
    file = tmp_path / "other.tar.gz"
    file.write_bytes(archive_of(["one/a1_nohash_0.wav"]))
    with pytest.raises(CorpusError, match="Expected an archive with sha256"):
        download("speech-commands", source=file)
    with pytest.raises(CorpusError, match=r"no\.tar\.gz cannot be opened"):
        download("speech-commands", source=tmp_path / "no.tar.gz")
    assert not (home / "corpora").exists()


def test_a_known_corpus_may_be_larger_than_a_strangers(
    small_commands: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MAX_TOTAL_BYTES", 1000)
    with serve(small_commands) as server:
        assert len(download("speech-commands", source=server.url).clips) == 72


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "test recordings cannot be read"),
        ("seven.wav", "lists no test recording; expected lines such as"),
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
    data = archive_of([f"{word}/a1_nohash_0.wav" for word in ("one", "two")])
    digest = hashlib.sha256(data).hexdigest()
    with_card(monkeypatch, "speech-commands", n_clips=2, archive_sha256=digest)
    file = tmp_path / "without.tar.gz"
    file.write_bytes(data)
    with pytest.raises(
        CorpusError, match=r"Expected a file testing_list\.txt; got none"
    ):
        download("speech-commands", source=file)
    assert not any((home / "corpora").iterdir())
