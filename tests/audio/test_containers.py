"""Headers: sizes that are not known, a little off, or a promise that is not kept."""

import io
import struct

import numpy as np
import pytest
import soundfile

from audiomnist.audio.decoding import decode, duration_of
from audiomnist.errors import AudioError

RATE = 8000
SAMPLES = (0.5 * np.sin(np.arange(RATE) * 0.3)).astype(np.float32)  # a second

SUBTYPES = ("PCM_16", "PCM_24", "FLOAT", "ULAW", "IMA_ADPCM", "GSM610")
WRITTEN = {  # what programs write to a pipe
    "nothing": 0,
    "all bits": 0xFFFFFFFF,
    "all bits without the header": 0xFFFFFFFF - 36,
    "the largest signed number": 0x7FFFFFFF,
    "SoX and eSpeak NG": 0x7FFFF000,
    "SoX with a longer header": 0x7FFFEFC2,
    "above the largest signed number": 0x80000000,
}


def written(kind: str, subtype: str = "PCM_16", n_channels: int = 1) -> bytearray:
    """A second of a tone as a file of libsndfile's."""
    file = io.BytesIO()
    channels = np.stack([SAMPLES] * n_channels, axis=1)
    soundfile.write(file, channels, RATE, format=kind, subtype=subtype)
    return bytearray(file.getvalue())


def size_at(data: bytearray, kind: str) -> tuple[int, str]:
    """Where the size of the sound is, and how it is written."""
    if kind == "AU":
        return 8, ">I"
    if kind == "W64":
        return data.index(b"data\xf3\xac") + 16, "<Q"
    if kind == "RF64":
        return data.index(b"ds64") + 16, "<Q"
    if kind == "AIFF":
        return data.index(b"SSND") + 4, ">I"
    if kind == "CAF":
        return data.index(b"data") + 4, ">Q"
    return data.index(b"data") + 4, "<I"


def resized(kind: str, subtype: str, size: int, *, relative: bool = False) -> bytes:
    """A second of a tone whose header promises another size."""
    data = written(kind, subtype)
    place, form = size_at(data, kind)
    (true_size,) = struct.unpack_from(form, data, place)
    struct.pack_into(form, data, place, size + true_size * relative)
    return bytes(data)


@pytest.mark.parametrize("subtype", SUBTYPES)
@pytest.mark.parametrize("size", WRITTEN.values(), ids=WRITTEN)
def test_a_wav_of_unknown_size_is_read_to_its_end(size: int, subtype: str) -> None:
    whole = decode(bytes(written("WAV", subtype)))
    data = resized("WAV", subtype, size)
    np.testing.assert_array_equal(decode(data).samples, whole.samples)
    assert duration_of(data) == whole.duration
    data = data[:4] + struct.pack("<I", size) + data[8:]  # and of the whole file
    np.testing.assert_array_equal(decode(data).samples, whole.samples)


@pytest.mark.parametrize(
    ("kind", "sizes"),
    [
        ("AU", [0, 2**32 - 1, 2**31 - 1, 2**31, 0x7FFFF000]),
        ("AIFF", [0, 2**32 - 1, 2**31 - 1, 2**31, 0x7F000008]),
        ("CAF", [2**64 - 1]),
        ("W64", [0, 24, 2**64 - 1, 2**63 - 1]),
        ("RF64", [0, 2**64 - 1, 2**63 - 1]),
    ],
)
def test_other_files_of_unknown_size_are_read_to_their_end(
    kind: str, sizes: list[int]
) -> None:
    for size in sizes:
        read = decode(resized(kind, "PCM_16", size))
        assert read.sample_rate == RATE
        np.testing.assert_allclose(read.samples, SAMPLES, atol=1e-4)


@pytest.mark.parametrize(
    ("subtype", "width"), [("PCM_16", 2), ("PCM_24", 3), ("FLOAT", 4), ("ULAW", 1)]
)
@pytest.mark.parametrize("seconds", [-0.03, -0.001, 0.001, 0.03])
def test_a_size_that_is_a_little_off_is_forgiven(
    seconds: float, subtype: str, width: int
) -> None:
    n_bytes = round(seconds * RATE) * width
    read = decode(resized("WAV", subtype, n_bytes, relative=True))
    n_frames = len(read.samples)
    assert n_frames == RATE + min(0, round(seconds * RATE))
    np.testing.assert_allclose(read.samples, SAMPLES[:n_frames], atol=0.02)


@pytest.mark.parametrize(
    ("kind", "subtype"),
    [
        *(("WAV", subtype) for subtype in SUBTYPES),
        *((kind, "PCM_16") for kind in ("AIFF", "AU", "CAF", "W64", "RF64", "NIST")),
        ("WAVEX", "PCM_16"),
        ("CAF", "ALAC_16"),
        ("FLAC", "PCM_16"),
    ],
)
def test_half_of_a_recording_is_refused(kind: str, subtype: str) -> None:
    data = bytes(written(kind, subtype))
    assert decode(data).duration == pytest.approx(1, abs=0.1)
    with pytest.raises(AudioError, match=r"half\.x is (cut off|not a sound file)"):
        decode(data[: (len(data) + 1024) // 2], "half.x")


def chunk(name: bytes, contents: bytes) -> bytes:
    """A chunk without a byte after it."""
    return name + struct.pack("<I", len(contents)) + contents


TEXT = b"INFOISFT\x05\0\0\0title"  # of odd size


@pytest.mark.parametrize("padding", [b"", b"\0"])
def test_a_chunk_of_odd_size_may_be_padded_or_not(padding: bytes) -> None:
    wav = bytes(written("WAV"))
    with_title = wav[:36] + chunk(b"LIST", TEXT) + padding + wav[36:]
    np.testing.assert_array_equal(decode(with_title).samples, decode(wav).samples)
    assert decode(wav + chunk(b"LIST", TEXT) + padding).duration == 1


def test_nothing_but_other_chunks_behind_an_empty_one_is_no_sound() -> None:
    head = bytes(written("WAV")[:36])
    for rest in (b"", chunk(b"LIST", TEXT), chunk(b"LIST", TEXT) + b"\0"):
        with pytest.raises(AudioError, match=r"empty\.wav holds no samples"):
            decode(head + chunk(b"data", b"") + rest, "empty.wav")
    both = head + chunk(b"data", b"") + bytes(written("WAV")[36:])
    assert decode(both).duration == 1


def test_the_bytes_a_second_of_a_compressed_wav_need_not_be_true() -> None:
    data = bytearray(resized("WAV", "GSM610", 10, relative=True))
    data[28:32] = bytes(4)
    assert decode(bytes(data)).duration == pytest.approx(1, abs=0.05)


def test_a_big_endian_wav_is_read() -> None:
    wav = written("WAV")
    fmt = struct.pack(">HHIIHH", 1, 1, RATE, 2 * RATE, 2, 16)
    sound = np.frombuffer(wav[44:], "<i2").astype(">i2").tobytes()
    parts = [(b"fmt ", fmt), (b"data", sound)]
    chunks = [name + struct.pack(">I", len(part)) + part for name, part in parts]
    data = b"RIFX" + struct.pack(">I", len(wav) - 8) + b"WAVE" + b"".join(chunks)
    np.testing.assert_allclose(decode(data).samples, SAMPLES, atol=1e-4)
