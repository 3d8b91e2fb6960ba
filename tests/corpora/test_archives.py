"""Archives give their recordings, and cannot do harm."""

import bz2
import errno
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from conftest import packed

from audiomnist.corpora import archives
from audiomnist.corpora.archives import unpack
from audiomnist.errors import CorpusError
from audiomnist.storage import Progress

WAV = (".wav",)
FILES = {"set/a/7_anna_0.wav": b"seven" * 1000, "set/8_ben_1.WAV": b"eight"}
OTHERS = {"set/README.md": b"text", "set/._x.wav": b"x", "__MACOSX/y.wav": b"y"}


def zipped(files: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return file.getvalue()


def tarred(files: dict[str, bytes], *members: tarfile.TarInfo) -> bytes:
    return packed(files, *members, mode="w")


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


MAKERS: dict[str, Callable[[dict[str, bytes]], bytes]] = {
    "zip": zipped,
    "tar": tarred,
    "tar.gz": lambda files: gzip.compress(tarred(files)),
    "tar.bz2": lambda files: bz2.compress(tarred(files)),
    "tar.xz": lambda files: lzma.compress(tarred(files)),
}


def refused(data: bytes, tmp_path: Path, sentence: str, **limits: int) -> None:
    """The archive is refused with the sentence, and nothing is left of it."""
    place = tmp_path / "place"
    with pytest.raises(CorpusError, match=sentence):
        unpack(io.BytesIO(data), place / "out", suffixes=WAV, **limits)
    assert list(place.iterdir()) == []
    assert not (tmp_path / "evil.wav").exists()


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("as_path", [True, False])
def test_every_kind_of_archive_gives_its_recordings(
    tmp_path: Path, kind: str, as_path: bool
) -> None:
    data = MAKERS[kind]({**FILES, **OTHERS})
    path = tmp_path / "misnamed.dat"
    path.write_bytes(data)
    out = tmp_path / "out"
    files = unpack(path if as_path else io.BytesIO(data), out, suffixes=WAV)
    assert {f.relative_to(out).as_posix(): f.read_bytes() for f in files} == FILES
    assert files == sorted(files)


def test_progress_reaches_what_was_announced(tmp_path: Path) -> None:
    steps: list[Progress] = []
    data = zipped({f"{n}.wav": bytes(1000) for n in range(5)})
    unpack(io.BytesIO(data), tmp_path / "o", suffixes=WAV, on_progress=steps.append)
    assert {step.stage for step in steps} == {"unpacking"}
    assert steps[-1].done == steps[-1].total == 5000


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize(
    "name",
    [
        "../evil.wav",
        "a/../../evil.wav",
        "/tmp/evil.wav",
        "..\\evil.wav",
        "C:\\evil.wav",
    ],
)
def test_a_name_outside_its_folder_is_refused(
    tmp_path: Path, kind: str, name: str
) -> None:
    data = MAKERS[kind]({**FILES, name: b"evil"})
    refused(data, tmp_path, "a name outside the archive's own folder")


def test_a_name_with_control_characters_is_refused(tmp_path: Path) -> None:
    refused(tarred({"a\n.wav": b""}), tmp_path, "cannot be stored")


@pytest.mark.parametrize(
    "member",
    [
        special("a.wav", tarfile.SYMTYPE, "/etc/passwd"),
        special("a.wav", tarfile.LNKTYPE, "set/8_ben_1.WAV"),
        special("a.wav", tarfile.CHRTYPE),
        special("a.wav", tarfile.BLKTYPE),
        special("a.wav", tarfile.FIFOTYPE),
    ],
    ids=["symlink", "hard link", "character device", "block device", "pipe"],
)
def test_links_and_devices_are_refused(tmp_path: Path, member: tarfile.TarInfo) -> None:
    refused(tarred(FILES, member), tmp_path, "a link, device or sparse file")


@pytest.mark.parametrize("name", ["7_ann\udce9_0.wav", "b\udce9/7_anna_0.wav"])
def test_a_name_that_is_not_utf_8_is_refused(tmp_path: Path, name: str) -> None:
    refused(tarred({name: b""}), tmp_path, "cannot be stored .* is not UTF-8")


@pytest.mark.parametrize("make", [zipped, tarred])
@pytest.mark.parametrize(
    "name",
    [f"7_{'a' * 250}_0.wav", f"{'é' * 128}/7_a_0.wav", "folder/" * 143 + "a.wav"],
)
def test_a_name_that_is_too_long_is_refused(
    tmp_path: Path, make: Callable[[dict[str, bytes]], bytes], name: str
) -> None:
    refused(make({name: b""}), tmp_path, "too long .* at most 255 bytes .* and 1000")


def test_the_longest_name_is_unpacked(tmp_path: Path) -> None:
    name = f"7_{'a' * 247}_0.wav"
    (file,) = unpack(io.BytesIO(zipped({name: b"x"})), tmp_path / "out", suffixes=WAV)
    assert file.name == name and len(name) == 255


def test_a_link_in_a_zip_archive_is_refused(tmp_path: Path) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        info = zipfile.ZipInfo("a.wav")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    refused(file.getvalue(), tmp_path, "a link, device or sparse file")


def test_an_encrypted_archive_is_refused(tmp_path: Path) -> None:
    data = bytearray(zipped({"a.wav": b"sound"}))
    data[data.index(b"PK\x01\x02") + 8] |= 1  # the flag in the central directory
    refused(bytes(data), tmp_path, "is encrypted")


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("name", ["zeros.wav", "zeros.bin"])
def test_an_archive_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, kind: str, name: str
) -> None:
    data = MAKERS[kind]({**FILES, name: bytes(3_000_000)})
    refused(data, tmp_path, "unpacks to more than 2.0 MB", max_total_bytes=2_000_000)


def test_a_zip_archive_that_lies_about_sizes_is_refused(tmp_path: Path) -> None:
    data = bytearray(zipped({"zeros.wav": bytes(1_000_000)}))
    start = data.index(b"PK\x01\x02")
    data[start + 24 : start + 28] = (1000).to_bytes(4, "little")
    refused(bytes(data), tmp_path, "damaged or cut short", max_total_bytes=10_000)


def test_ten_gigabytes_of_zeros_are_refused_at_once(tmp_path: Path) -> None:
    info = tarfile.TarInfo("0_zero_0.wav")
    info.size = 10 * 1000**3
    bomb = gzip.compress(info.tobuf() + bytes(1_000_000))
    refused(bomb, tmp_path, "unpacks to more than 2.1 GB")


def test_headers_that_never_end_are_refused(tmp_path: Path) -> None:
    header = tarfile.TarInfo("././@PaxHeader")
    header.type, header.size = tarfile.XHDTYPE, 100_000_000
    bomb = gzip.compress(header.tobuf() + bytes(100_000_000), 1)
    refused(bomb, tmp_path, "damaged or cut short \\(endless header\\)")


def test_headers_within_headers_are_refused(tmp_path: Path) -> None:
    header = special("././@LongLink", tarfile.GNUTYPE_LONGNAME)
    header.size = 1
    nested = (header.tobuf(tarfile.GNU_FORMAT) + bytes(512)) * 1000
    refused(nested + tarred(FILES), tmp_path, "damaged or cut short \\(endless header")
    refused(tarred(FILES)[:-10240] + nested, tmp_path, "damaged or cut short")


def test_sparse_files_are_refused(tmp_path: Path) -> None:
    member = special("a.wav", tarfile.GNUTYPE_SPARSE)
    refused(tarred(FILES, member), tmp_path, "a link, device or sparse file")


@pytest.mark.parametrize("kind", MAKERS)
def test_too_many_files_are_refused(tmp_path: Path, kind: str) -> None:
    data = MAKERS[kind]({f"{n}.wav": b"" for n in range(11)})
    refused(data, tmp_path, "more than 10 files", max_files=10)
    unpack(io.BytesIO(data), tmp_path / "enough", suffixes=WAV, max_files=11)


@pytest.mark.parametrize("kind", MAKERS)
def test_an_archive_cut_short_anywhere_is_refused(tmp_path: Path, kind: str) -> None:
    rng = np.random.default_rng(0)
    data = MAKERS[kind]({f"{n}.wav": rng.bytes(3000) for n in range(4)})
    for fraction in (0.1, 0.3, 0.5, 0.69):  # a third of a small tar is zeros at its end
        refused(data[: int(fraction * len(data))], tmp_path, "is damaged or cut short")


@pytest.mark.parametrize("kind", MAKERS)
def test_a_changed_byte_gives_the_files_or_the_error(tmp_path: Path, kind: str) -> None:
    rng = np.random.default_rng(1)
    good = MAKERS[kind](FILES)
    for trial in range(60):
        data = bytearray(good)
        data[rng.integers(len(data))] ^= int(rng.integers(1, 256))
        out = tmp_path / str(trial)
        try:
            unpack(io.BytesIO(data), out, suffixes=WAV)
        except CorpusError:
            assert not out.exists()
        else:
            assert out.is_dir()


@pytest.mark.parametrize("name", [b"\0.wav", b"\0/", b"\xff\xfe", b"a\0b.wav", b"//"])
def test_no_name_in_a_zip_archive_is_an_error_of_its_own(
    tmp_path: Path, name: bytes
) -> None:
    placeholder = b"x" * len(name)
    data = zipped({placeholder.decode(): b"sound"}).replace(placeholder, name)
    with suppress(CorpusError):
        unpack(io.BytesIO(data), tmp_path / "out", suffixes=WAV)


def test_a_huge_dictionary_is_refused_before_it_is_made(tmp_path: Path) -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 2**20}]
    data = bytearray(lzma.compress(tarred(FILES), filters=filters))
    place = data.index(b"\x21\x01", 12)  # the filter, its size of properties
    data[place + 2] = 38  # 2 GB
    header = 4 * (data[12] + 1)
    checksum = zlib.crc32(data[12 : 12 + header - 4])
    data[12 + header - 4 : 12 + header] = checksum.to_bytes(4, "little")
    refused(bytes(data), tmp_path, "Memory usage limit exceeded")


def test_an_xz_file_of_several_streams_is_one(tmp_path: Path) -> None:
    data = tarred(FILES)
    streams = [lzma.compress(data[:3000]), bytes(8), lzma.compress(data[3000:])]
    out = tmp_path / "out"
    files = unpack(io.BytesIO(b"".join([*streams, bytes(4)])), out, suffixes=WAV)
    assert {f.relative_to(out).as_posix(): f.read_bytes() for f in files} == FILES


def test_a_zip_archive_packed_by_lzma_is_refused(tmp_path: Path) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("7_anna_0.wav", b"sound")
    refused(file.getvalue(), tmp_path, "in a way that is not read")


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    for data in (b"", b"RIFF", b"text " * 1000):
        refused(data, tmp_path, "neither a zip nor a tar archive")
    refused(gzip.compress(b"text" * 1000), tmp_path, "is damaged or cut short")


def test_a_missing_archive_is_explained(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"no\.zip cannot be opened"):
        unpack(tmp_path / "no.zip", tmp_path / "out", suffixes=WAV)


def test_the_same_name_twice_is_refused(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("a.wav", b"1")
            archive.writestr("a.wav", b"2")
    refused(file.getvalue(), tmp_path, "twice under the same name")


def test_a_folder_that_is_there_is_kept(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="is there already"):
        unpack(io.BytesIO(zipped(FILES)), tmp_path, suffixes=WAV)


def test_a_full_disk_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(archives, "_write", full)
    refused(zipped(FILES), tmp_path, "The disk that holds .* is full")
