"""Names are read in one place, and folders and archives give the clips they hold."""

import os
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from audiomnist.audio.encoding import encode_wav
from audiomnist.audio.signal import Audio
from audiomnist.corpora.clips import (
    Clip,
    Corpus,
    clips_in_archive,
    clips_in_folder,
    duration,
    load_audio,
    read,
)
from audiomnist.errors import AudioError, CorpusError


def corpus(*clips: Clip) -> Corpus:
    return Corpus("mine", "Mine", clips, "", "", "", False)


def write(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())
    return folder


def test_a_folder_gives_its_clips_and_names_the_others(tmp_path: Path) -> None:
    write(tmp_path, "a/7_anna_0.wav", "a/1_anna_0.MP3", "one/x.ogg", "cat_anna_0.wav")
    write(tmp_path, "README.md", ".hidden/2_anna_0.wav", "a/._7_anna_0.wav")
    clips, skipped = clips_in_folder(tmp_path)
    assert [(c.digit, c.speaker, c.take, c.name) for c in clips] == [
        (1, "anna", 0, "1_anna_0.MP3"),
        (1, "unknown", 0, "x.ogg"),
        (7, "anna", 0, "7_anna_0.wav"),
    ]
    assert [s.name for s in skipped] == ["cat_anna_0.wav"]
    assert skipped[0].reason.startswith("'cat' is not a digit; expected 0 to 9")


def test_a_table_tells_what_the_names_do_not(tmp_path: Path) -> None:
    write(tmp_path, "one.wav", "two.wav", "three.wav")
    (tmp_path / "labels.csv").write_text(
        "file,label,speaker\none.wav,1,Ann\ntwo.wav,two,\nfour.wav,4,Ann\n"
    )
    clips, skipped = clips_in_folder(tmp_path)
    assert [(c.digit, c.speaker, c.name) for c in clips] == [
        (1, "Ann", "one.wav"),
        (2, "unknown", "two.wav"),
    ]
    assert {s.name: s.reason for s in skipped} == {
        "three.wav": "labels.csv does not list it.",
        "four.wav": "labels.csv lists it, and it is not there.",
    }
    assert len(clips_in_folder(tmp_path, "names")[0]) == 3


def test_nobody_known_is_no_speaker(tmp_path: Path) -> None:
    named = Clip(1, "ann", 0, tmp_path / "a")
    nameless = [Clip(d, "unknown", 0, tmp_path / str(d)) for d in (2, 3)]
    assert corpus(named, *nameless).speakers == ("ann",)
    assert corpus(named, *nameless).people == "1 speaker and unnamed ones"
    assert corpus(*nameless).people == "unnamed speakers"
    assert corpus(*nameless).n_unnamed == 2


def test_a_speaker_may_have_a_backslash(tmp_path: Path) -> None:
    clips, _ = clips_in_folder(write(tmp_path, r"7_\frac$_0.wav"))
    assert [clip.speaker for clip in clips] == [r"\frac$"]


def test_names_that_are_not_utf_8_are_left_out(tmp_path: Path) -> None:
    write(tmp_path, "7_anna_0.wav", "b/8_anna_0.wav")
    try:
        for name in (b"7_ann\xe9_0.wav", b"b\xe9/8_anna_0.wav"):
            path = tmp_path / os.fsdecode(name)
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(b"")
    except OSError:
        pytest.skip("this file system takes UTF-8 only")
    clips, skipped = clips_in_folder(tmp_path)
    assert [clip.name for clip in clips] == ["7_anna_0.wav", "8_anna_0.wav"]
    assert {name for name, _ in skipped} == {
        *("7_ann\N{REPLACEMENT CHARACTER}_0.wav",),
        *("b\N{REPLACEMENT CHARACTER}/8_anna_0.wav",),
    }
    assert all("not UTF-8; rename" in reason for _, reason in skipped)
    assert corpus(*clips).digest


def test_clips_of_the_same_name_get_takes_of_their_own(tmp_path: Path) -> None:
    names = ["a/7_anna_0.wav", "b/7_anna_0.wav", "c/7_anna_0.wav", "b/7_anna_5.wav"]
    clips, _ = clips_in_folder(write(tmp_path, *names, "7/x.wav", "7/y.wav"))
    takes = {c.path.relative_to(tmp_path).as_posix(): c.take for c in clips}
    assert takes["a/7_anna_0.wav"] == 0
    assert takes["b/7_anna_5.wav"] == 5
    assert len({(c.digit, c.speaker, c.take) for c in clips}) == len(clips) == 6
    assert clips_in_folder(tmp_path)[0] == clips


def test_a_missing_folder_is_explained(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="cannot be listed"):
        clips_in_folder(tmp_path / "no")


def test_an_archive_is_read_in_place_from_many_threads(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    contents = {f"{n % 10}_a_{n}.wav": rng.bytes(2000) for n in range(100)}
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name, data in contents.items():
            archive.writestr(name, data)
    clips = clips_in_archive(tmp_path / "a.zip")
    with ThreadPoolExecutor(8) as pool:
        read_back = list(pool.map(read, clips * 5))
    assert read_back == [contents[clip.name] for clip in clips * 5]


def test_a_replaced_archive_is_read_anew(tmp_path: Path) -> None:
    for digit in (1, 2):
        with zipfile.ZipFile(tmp_path / "new.zip", "w") as archive:
            archive.writestr(f"{digit}_a_0.wav", b"")
        (tmp_path / "new.zip").replace(tmp_path / "a.zip")
        assert [clip.digit for clip in clips_in_archive(tmp_path / "a.zip")] == [digit]


def test_an_archive_that_cannot_be_read_is_explained(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="cannot be read"):
        clips_in_archive(tmp_path / "no.zip")
    (tmp_path / "bad.zip").write_bytes(b"bad")
    with pytest.raises(CorpusError, match="cannot be read"):
        clips_in_archive(tmp_path / "bad.zip")


def test_a_clip_that_is_gone_is_explained(tmp_path: Path) -> None:
    clip = Clip(7, "anna", 0, tmp_path / "7_anna_0.wav")
    with pytest.raises(CorpusError, match=r"7_anna_0\.wav cannot be read .* import it"):
        read(clip)
    with pytest.raises(CorpusError, match=r"7_anna_0\.wav is gone"):
        _ = corpus(clip).digest


def test_a_clip_is_decoded(tmp_path: Path, spoken) -> None:  # type: ignore[no-untyped-def]
    audio = spoken(7)
    clip = Clip(7, "anna", 0, tmp_path / "7_anna_0.wav")
    clip.path.write_bytes(encode_wav(audio))
    loaded = load_audio(clip)
    assert loaded.sample_rate == audio.sample_rate
    np.testing.assert_allclose(loaded.samples, audio.samples, atol=1e-4)
    clip.path.write_bytes(b"no sound")
    with pytest.raises(AudioError, match=r"7_anna_0\.wav"):
        load_audio(clip)


def test_a_clip_tells_its_duration(tmp_path: Path, spoken) -> None:  # type: ignore[no-untyped-def]
    audio = spoken(7, duration=0.37)
    data = encode_wav(audio)
    clip = Clip(7, "anna", 0, tmp_path / "7_anna_0.wav")
    clip.path.write_bytes(data)
    assert duration(clip) == audio.duration
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("7_anna_0.wav", data)
    assert duration(*clips_in_archive(tmp_path / "a.zip")) == audio.duration


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is empty"),
        (b"no sound", "is not a sound file"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "is cut off"),
        (encode_wav(Audio(np.zeros(61 * 4000, np.float32), 4000)), "lasts 61 s"),
    ],
)
def test_a_damaged_clip_has_no_duration(
    tmp_path: Path, data: bytes, sentence: str
) -> None:
    clip = Clip(7, "anna", 0, tmp_path / "7_anna_0.wav")
    clip.path.write_bytes(data)
    with pytest.raises(AudioError, match=rf"7_anna_0\.wav {sentence}"):
        duration(clip)
    clip.path.unlink()
    with pytest.raises(CorpusError, match="cannot be read"):
        duration(clip)


def test_a_corpus_is_sorted_and_knows_its_speakers(tmp_path: Path) -> None:
    first, second = (Clip(d, s, 0, tmp_path / s) for d, s in ((1, "b"), (2, "a")))
    ours = corpus(second, first)
    assert [clip.path for clip in ours.clips] == [first.path, second.path]
    assert {clip.corpus for clip in ours.clips} == {ours.name}
    assert corpus(second, first).speakers == ("a", "b")


def test_a_corpus_lists_each_recording_once(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    with pytest.raises(CorpusError, match="lists 2 clips but only 1 recordings"):
        corpus(Clip(1, "a", 0, path), Clip(1, "a", 1, path))


def test_the_digest_is_of_what_is_there_not_of_where(tmp_path: Path) -> None:
    names = ("1_a_0.wav", "2_a_0.wav")
    here, there = (
        corpus(*clips_in_folder(write(tmp_path / place, *names))[0])
        for place in ("here", "there")
    )
    assert here.digest == there.digest
    (tmp_path / "there" / names[0]).write_bytes(b"longer than before")
    other = corpus(*clips_in_folder(tmp_path / "there")[0])
    assert here.digest != other.digest
    assert here.digest != corpus(here.clips[0]).digest
