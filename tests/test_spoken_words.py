"""Other words that people said are cut out of packages as the list of cuts says."""

import csv
import errno
import gzip
import io
import lzma
import re
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from audiomnist import spoken_words
from audiomnist.__main__ import BAD_INPUT, main
from audiomnist.audio import Audio, decode, encode_wav, load, resample
from audiomnist.clips import DIGIT_WORDS
from audiomnist.encodings import encode_stereo, encode_vorbis
from audiomnist.errors import CorpusError
from audiomnist.negatives import load_others
from audiomnist.spoken_words import PACKAGES, Package, list_cuts, make_spoken
from audiomnist.storage import Progress

COLUMNS = ("package", "path", "first", "n_samples", "word", "speaker", "take")
CUTS = (
    ("game-data", "usr/share/game/hello_all.wav", 800, 4000, "hello", "anna", 1),
    ("game-data", "usr/share/game/hello_all.wav", 5000, 3300, "hello", "anna", 2),
    ("game-data", "usr/share/game/stop.ogg", 0, 4800, "stop", "ben2", 1),
    ("letters", "usr/share/letters/all.pk3!en/a.wav", 100, 5000, "a", "carol", 1),
)
N_CUTS = len(CUTS)
DIFFERENCE = 1 / 32768  # of 16-bit samples from those that were rounded
INNER = "usr/share/letters/all.pk3"
HELLO = "usr/share/game/hello_all.wav"


def noise(duration: float, sample_rate: int, seed: int) -> Audio:
    """White noise, in which every place is unlike every other one."""
    samples = np.random.default_rng(seed).uniform(
        -0.5, 0.5, round(duration * sample_rate)
    )
    return Audio(samples.astype(np.float32), sample_rate)


def zipped(files: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return file.getvalue()


def tarred(files: dict[str, bytes]) -> bytes:
    """A tar archive as dpkg writes it: folders too, and names that begin with ./."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        folder = tarfile.TarInfo("./usr")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        link = tarfile.TarInfo("./usr/link.wav")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
        for name, data in files.items():
            info = tarfile.TarInfo(f"./{name}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def packed(members: dict[str, bytes]) -> bytes:
    """An ar archive."""
    data = b"!<arch>\n"
    for name, content in members.items():
        header = f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n"
        data += header.encode() + content + b"\n" * (len(content) % 2)
    return data


def package(files: dict[str, bytes]) -> bytes:
    """A Debian package; its members have odd and even sizes."""
    return packed(
        {
            "debian-binary": b"2.0\n",
            "control.tar.xz": b"odd",
            "data.tar.xz": lzma.compress(tarred(files)),
            "_signature": b"of somebody",
        }
    )


@pytest.fixture
def recordings() -> dict[str, dict[str, bytes]]:
    """The recordings in the packages, and some that no cut is in."""
    left, right = noise(0.6, 22_050, 1), noise(0.6, 22_050, 2)
    inner = {"en/a.wav": encode_wav(noise(0.4, 16_000, 4)), "en/b.wav": b"no sound"}
    return {
        "game-data": {
            HELLO: encode_stereo(left, right.samples),
            "usr/share/game/README": b"text",
            "usr/share/game/stop.ogg": encode_vorbis(noise(0.3, 44_100, 3)),
        },
        "letters": {
            "usr/share/letters/a.wav": b"no sound",
            INNER: zipped(inner),
        },
    }


@pytest.fixture
def packages(tmp_path, monkeypatch, recordings) -> Path:
    """A folder of small packages, which are now the ones that are known."""
    cut_list = tmp_path / "cuts.csv.gz"
    with gzip.open(cut_list, "wt", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows((COLUMNS, *CUTS))
    known = {
        "game-data": Package("1:2.0-3", "GPL-2+"),
        "letters": Package("5.1", "CC-BY-SA-3.0"),
    }
    monkeypatch.setattr(spoken_words, "CUT_LIST", cut_list)
    monkeypatch.setattr(spoken_words, "PACKAGES", known)
    folder = tmp_path / "debs"
    folder.mkdir()
    game, letters = (package(files) for files in recordings.values())
    (folder / "game-data_1%3a2.0-3_all.deb").write_bytes(game)
    (folder / "letters_5.1_amd64.deb").write_bytes(letters)
    return folder


def refuse(packages: Path, home: Path, match: str) -> str:
    """Check that nothing is made of these packages and nothing is left behind."""
    with pytest.raises(CorpusError, match=match) as raised:
        make_spoken(packages)
    others = home / "others"
    assert not others.exists() or not [*others.iterdir()]
    return str(raised.value)


# The folder


def test_each_word_is_the_part_of_its_recording_that_the_list_names(
    packages, recordings, home
):
    steps: list[Progress] = []
    folder = make_spoken(packages, on_progress=steps.append)
    assert folder == home / "others" / "spoken"
    assert [path.name for path in sorted(folder.iterdir())] == [
        "a_carol_1.wav",
        "hello_anna_1.wav",
        "hello_anna_2.wav",
        "stop_ben2_1.wav",
    ]
    assert steps[-1] == Progress("copying", N_CUTS, N_CUTS)
    assert [step.done for step in steps] == sorted(step.done for step in steps)
    for package, path, first, n_samples, word, speaker, take in CUTS:
        outer, _, inner = path.partition("!")
        data = recordings[package][outer]
        if inner:
            data = zipfile.ZipFile(io.BytesIO(data)).read(inner)
        source = resample(decode(data), 16_000).samples
        made = load(folder / f"{word}_{speaker}_{take}.wav")
        assert made.sample_rate == 16_000
        np.testing.assert_allclose(
            made.samples, source[first : first + n_samples], rtol=0, atol=DIFFERENCE
        )


def test_the_words_are_found_as_other_words_of_their_speakers(packages):
    make_spoken(packages)
    clips = load_others("spoken")
    assert {clip.speaker for clip in clips} == {"anna", "ben2", "carol"}
    assert len(clips) == N_CUTS


def test_the_same_bytes_come_again(packages, tmp_path, monkeypatch):
    made = []
    for number in "12":
        monkeypatch.setenv("AUDIOMNIST_HOME", str(tmp_path / number))
        folder = make_spoken(packages)
        made.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert made[0] == made[1]


def test_a_folder_that_is_there_is_left_alone(packages, home):
    (home / "others" / "spoken").mkdir(parents=True)
    with pytest.raises(CorpusError, match="is there already"):
        make_spoken(packages)
    assert not [*(home / "others" / "spoken").iterdir()]


def test_a_full_disk_is_said_and_nothing_kept(packages, home, monkeypatch):
    def fail(path: Path, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fail)
    refuse(packages, home, "is full")


# Packages that are not as they should be


def test_packages_that_are_missing_are_named_with_the_command(packages, home):
    (packages / "letters_5.1_amd64.deb").unlink()
    message = refuse(packages, home, "1 of 2 packages")
    assert message.endswith("apt-get download letters")
    message = refuse(packages / "nowhere", home, "0 of 2 packages")
    assert message.endswith("apt-get download game-data letters")


def test_another_version_does_where_the_recordings_are_the_same(packages):
    (packages / "letters_5.1_amd64.deb").rename(packages / "letters_6.0_arm64.deb")
    assert len([*make_spoken(packages).iterdir()]) == N_CUTS


@pytest.mark.parametrize(
    ("recording", "found"),
    [
        (None, f"holds no {HELLO}"),
        (
            encode_wav(noise(0.51, 16_000, 1)),
            "8160 samples at 16 kHz in place of 8300",
        ),
        (b"no sound", "holds what cannot be decoded: .*not a sound file"),
        (b"", "holds what cannot be decoded: .*is empty"),
    ],
)
def test_another_version_with_other_recordings_is_named(
    packages, recordings, home, recording, found
):
    files = recordings["game-data"]
    if recording is None:
        del files[HELLO]
    else:
        files[HELLO] = recording
    (packages / "game-data_1%3a2.0-3_all.deb").unlink()
    (packages / "game-data_1%3a3.0-1_all.deb").write_bytes(package(files))
    message = refuse(packages, home, found)
    assert "version 1:3.0-1 of game-data" in message
    assert "Expected version 1:2.0-3" in message
    assert message.endswith("apt-get download game-data=1:2.0-3")


@pytest.mark.parametrize("other", ["1%3a1.0-1", "1%3a3.0-1"])
def test_of_two_versions_the_one_of_the_list_is_taken(packages, other):
    (packages / f"game-data_{other}_all.deb").write_bytes(b"another")
    assert len([*make_spoken(packages).iterdir()]) == N_CUTS


def test_an_archive_inside_that_lacks_the_recording_is_named(packages, home):
    without = package({INNER: zipped({"en/b.wav": b"no sound"})})
    (packages / "letters_5.1_amd64.deb").write_bytes(without)
    refuse(packages, home, "holds no usr/share/letters/all.pk3!en/a.wav")


def flipped(data: bytes, place: int) -> bytes:
    """The same with one byte changed."""
    changed = bytearray(data)
    changed[place] ^= 0xFF
    return bytes(changed)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda data: b"", "no ar archive"),
        (lambda data: b"<html>Not found</html>", "no ar archive"),
        (lambda data: data[:-500], "cut short"),
        (lambda data: packed({"control.tar.xz": b"odd"}), "no data.tar.xz"),
        (lambda data: data[:8], "no data.tar.xz"),
        (lambda data: data[:30], "damaged"),
        (lambda data: flipped(data, len(data) // 2), "damaged"),
        (lambda data: flipped(data, 8 + 50), "damaged"),
        (lambda data: packed({"data.tar.xz": b"no archive"}), "damaged"),
        (lambda data: packed({"data.tar.xz": lzma.compress(b"text")}), "damaged"),
        (lambda data: packed({"data.tar.zst": b""}), "data.tar.zst in place of"),
        (lambda data: package({INNER: b"no archive"}), "zip"),
        (lambda data: package({INNER: zipped({"en/a.wav": b"a"})[:-9]}), "zip"),
    ],
)
def test_damaged_packages_are_named(packages, home, damage, reason):
    path = packages / "letters_5.1_amd64.deb"
    path.write_bytes(damage(path.read_bytes()))
    message = refuse(packages, home, reason)
    assert str(path) in message
    assert "damaged or cannot be read" in message
    assert message.endswith("fetch it again: apt-get download letters=5.1")


def test_the_checksum_at_the_end_is_compared(packages, home, recordings):
    # Zeros after the archive's end, which nothing reads but to get to the checksum.
    compressed = lzma.compress(tarred(recordings["letters"]) + bytes(200_000))
    # An index of a known size and 12 bytes follow the checksum: the .xz format, 2.1.2.
    n_after = 12 + 4 * (int.from_bytes(compressed[-8:-4], "little") + 1)
    damaged = packed({"data.tar.xz": flipped(compressed, -n_after - 1)})
    (packages / "letters_5.1_amd64.deb").write_bytes(damaged)
    refuse(packages, home, "damaged")


# The list in the repository


def test_the_list_is_well_formed():
    cuts = list_cuts()
    assert len({cut.name for cut in cuts}) == len(cuts) > 2000
    assert {cut.package for cut in cuts} == PACKAGES.keys()
    assert list(cuts) == sorted(
        cuts, key=lambda cut: (cut.package, cut.path, cut.first, cut.n_samples)
    )
    for cut in cuts:
        assert re.fullmatch("[a-z]+", cut.word) and cut.word not in DIGIT_WORDS
        assert re.fullmatch("[a-z0-9]+", cut.speaker)
        assert cut.take >= 1 and cut.first >= 0
        assert 0.2 <= cut.n_samples / spoken_words.SAMPLE_RATE <= 1.2
        assert not cut.path.startswith(("/", ".")) and cut.path.count("!") <= 1
    assert spoken_words.CUT_LIST.stat().st_size < 60_000


def test_nobody_speaks_in_two_packages():
    speakers = {(cut.speaker, cut.package) for cut in list_cuts()}
    assert len({speaker for speaker, _ in speakers}) == len(speakers)


def test_every_package_has_a_licence():
    assert list(PACKAGES) == sorted(PACKAGES)
    assert all(package.version and package.licence for package in PACKAGES.values())


# The command


def test_the_command_makes_the_folder(capsys, packages, home):
    assert main(["data", "words", str(packages)]) == 0
    folder = home / "others" / "spoken"
    shown = capsys.readouterr().out
    assert shown == f"{N_CUTS} words of 3 speakers lie in {folder}\n"
    assert len([*folder.iterdir()]) == N_CUTS


def test_the_command_prints_the_packages_and_does_nothing_else(capsys, home):
    assert main(["data", "words", "--packages"]) == 0
    assert capsys.readouterr().out == " ".join(PACKAGES) + "\n"
    assert not home.exists()


def test_the_command_says_in_one_line_what_is_missing(capsys, tmp_path):
    assert main(["data", "words", str(tmp_path)]) == BAD_INPUT
    captured = capsys.readouterr()
    assert not captured.out
    assert f"apt-get download {' '.join(PACKAGES)}" in captured.err
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize("words", [(), ("--packages", "folder")])
def test_the_command_takes_either_a_folder_or_the_option(words):
    with pytest.raises(SystemExit) as ended:
        main(["data", "words", *words])
    assert ended.value.code == BAD_INPUT
