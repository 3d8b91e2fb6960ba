"""What FFmpeg reads where libsndfile cannot, and every decoder's errors."""

import io
import sys
import warnings
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from audiomnist.audio import decoders, limits
from audiomnist.audio.decoding import decode, duration_of
from audiomnist.audio.signal import level_dbfs
from audiomnist.errors import AudioError

LEVEL = -9.03  # of the tone, in dBFS


def tone(sample_rate: int, duration: float = 1.0) -> np.ndarray:
    """A tone at half of full scale, float32, shape (n_samples,)."""
    time = np.arange(round(duration * sample_rate)) / sample_rate
    return (0.5 * np.sin(2 * np.pi * 300 * time)).astype(np.float32)


def encoded(
    container: str,
    codec: str,
    sample_rate: int,
    *,
    samples: np.ndarray | None = None,
    options: dict[str, str] | None = None,
    cover: bool = False,
    file: Path | None = None,
) -> bytes:
    """A tone as FFmpeg writes it, to a file where one is given."""
    memory = io.BytesIO()
    samples = tone(sample_rate) if samples is None else samples
    with av.open(
        file or memory, "w", format=container, options=options or {}
    ) as output:
        stream = output.add_stream(codec, rate=sample_rate, layout="mono")
        if codec == "wmav2":
            stream.bit_rate = 128_000
        picture = output.add_stream("png", rate=1) if cover else None
        if picture is not None:
            picture.width = picture.height = 64
            picture.pix_fmt = "rgb24"
            picture.disposition = av.stream.Disposition.attached_pic
            noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
            image = av.VideoFrame.from_ndarray(noise, "rgb24")
            output.mux(picture.encode(image))
            output.mux(picture.encode(None))
        resampler = av.AudioResampler(stream.codec_context.format, "mono", sample_rate)
        frame = av.AudioFrame.from_ndarray(samples[None], "fltp", "mono")
        frame.sample_rate = sample_rate
        fifo = av.AudioFifo()
        for part in resampler.resample(frame):
            fifo.write(part)
        size = stream.codec_context.frame_size or 1024
        while (piece := fifo.read(size, partial=True)) is not None:
            output.mux(stream.encode(piece))
        output.mux(stream.encode(None))
    return memory.getvalue()


@pytest.mark.parametrize(
    ("container", "codec", "sample_rate"),
    [
        ("ipod", "aac", 44_100),  # m4a
        ("ipod", "alac", 16_000),
        ("mp4", "aac", 22_050),
        ("3gp", "aac", 16_000),
        ("adts", "aac", 16_000),
        ("webm", "libopus", 48_000),
        ("matroska", "flac", 16_000),
        ("ogg", "flac", 16_000),
        ("amr", "libopencore_amrnb", 8000),
        ("asf", "wmav2", 44_100),
        ("caf", "alac", 16_000),
        ("caf", "pcm_s16be", 16_000),
        ("aiff", "pcm_s16be", 16_000),
        ("au", "pcm_mulaw", 8000),
        ("wav", "libmp3lame", 44_100),
        ("mp2", "mp2", 16_000),
    ],
)
def test_what_telephones_and_browsers_record_keeps_level_and_length(
    container: str, codec: str, sample_rate: int
) -> None:
    read = decode(encoded(container, codec, sample_rate), "seven.wav")
    assert read.sample_rate == sample_rate
    assert read.duration == pytest.approx(1, abs=0.15)
    assert level_dbfs(read.samples) == pytest.approx(LEVEL, abs=1.5)


@pytest.mark.parametrize("sample_rate", [8000, 16_000, 22_050, 44_100, 48_000])
@pytest.mark.parametrize("cover", [False, True])
@pytest.mark.parametrize("quality", [{}, {"q": "5"}])
def test_an_mp3_that_does_not_tell_its_length_is_read_to_its_end(
    sample_rate: int, cover: bool, quality: dict[str, str], capfd
) -> None:
    options = {"write_xing": "0", "id3v2_version": "3" if cover else "0"}
    # Silence and a tone at a variable rate: the first frames tell nothing of the rest.
    samples = np.concatenate([np.zeros(sample_rate, np.float32), tone(sample_rate)])
    codec = "libmp3lame"
    if quality:
        data = variable_mp3(samples, sample_rate, options)
    else:
        data = encoded(
            "mp3", codec, sample_rate, samples=samples, options=options, cover=cover
        )
    read = decode(data)
    n_delayed = len(read.samples) - len(samples)
    per_frame = 1152 if sample_rate >= 32_000 else 576
    assert 0 <= n_delayed < 4 * per_frame
    assert len(read.samples) % per_frame == 0
    assert level_dbfs(read.samples[-sample_rate // 2 : -2 * per_frame]) > LEVEL - 2
    assert duration_of(data) == read.duration
    assert capfd.readouterr().err == ""


def variable_mp3(
    samples: np.ndarray, sample_rate: int, options: dict[str, str]
) -> bytes:
    """An mp3 of a variable rate, without the frame that tells its length."""
    file = io.BytesIO()
    soundfile.write(
        file,
        samples,
        sample_rate,
        format="MP3",
        subtype="MPEG_LAYER_III",
        bitrate_mode="VARIABLE",
        compression_level=0.5,
    )
    with av.open(io.BytesIO(file.getvalue())) as source, io.BytesIO() as out:
        with av.open(out, "w", format="mp3", options=options) as output:
            stream = output.add_stream_from_template(source.streams.audio[0])
            for packet in source.demux(source.streams.audio[0]):
                if packet.dts is not None:
                    packet.stream = stream
                    output.mux(packet)
        return out.getvalue()


def test_an_mp3_that_tells_its_length_is_not_read_by_half() -> None:
    data = encoded("mp3", "libmp3lame", 16_000)
    assert len(decode(data).samples) == pytest.approx(16_000, abs=576)
    with pytest.raises(AudioError, match=r"seven\.mp3 is cut off: 1\.0. s of sound"):
        decode(data[: len(data) // 2], "seven.mp3")


def test_half_of_an_m4a_is_refused(tmp_path) -> None:
    path = tmp_path / "whole.m4a"  # what tells where the sound is, is at its beginning
    encoded("ipod", "aac", 16_000, file=path, options={"movflags": "faststart"})
    data = path.read_bytes()
    assert decode(data).duration == pytest.approx(1, abs=0.1)
    with pytest.raises(AudioError, match=r"seven\.m4a is cut off"):
        decode(data[: len(data) * 2 // 3], "seven.m4a")
    late = encoded("ipod", "aac", 16_000)
    with pytest.raises(AudioError, match=r"seven\.m4a is not a sound file"):
        decode(late[: len(late) * 2 // 3], "seven.m4a")


@pytest.mark.parametrize(
    ("container", "codec"), [("ipod", "aac"), ("webm", "libopus"), ("flac", "flac")]
)
def test_hours_of_silence_end_at_the_limit_while_they_are_decoded(
    container: str, codec: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = encoded(container, codec, 48_000, samples=np.zeros(70 * 48_000, np.float32))
    decoded = []
    check_length = limits.Limits.check_length

    def count(self: limits.Limits, n_frames: int, *args: int, **part: bool) -> None:
        decoded.append(n_frames)
        check_length(self, n_frames, *args, **part)

    monkeypatch.setattr(limits.Limits, "check_length", count)
    with pytest.raises(AudioError, match=r"hours\.x lasts (over 60|70) s"):
        decode(data, "hours.x")
    if codec != "flac":
        assert 60 * 48_000 < decoded[-1] < 61 * 48_000, "the rest was not decoded"
        monkeypatch.setattr(limits, "MAX_VALUES", 10_000)
        with pytest.raises(AudioError, match="more than 10,000 samples in all"):
            decode(data)


def test_a_file_of_too_many_small_packets_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(decoders, "_MAX_PACKETS", 10)
    with pytest.raises(AudioError, match=r"tiny\.m4a holds more than 10 pieces"):
        decode(encoded("ipod", "aac", 16_000), "tiny.m4a")


def test_a_picture_is_no_recording() -> None:
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as output:
        stream = output.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        output.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        output.mux(stream.encode(None))
    with pytest.raises(AudioError, match=r"cat\.mp4 holds no sound"):
        decode(file.getvalue(), "cat.mp4")


def test_a_list_of_other_files_is_not_followed(tmp_path) -> None:
    path = tmp_path / "secret.wav"
    soundfile.write(path, tone(8000), 8000)
    for text in (
        f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:1,\n{path}\n#EXT-X-ENDLIST\n",
        f"ffconcat version 1.0\nfile {path}\n",
        f"[playlist]\nFile1={path}\n",
    ):
        with pytest.raises(AudioError, match=r"list\.mp3 is not a sound file"):
            decode(text.encode(), "list.mp3")


@pytest.mark.parametrize(
    "failure",
    [RuntimeError, ValueError, TypeError, MemoryError, OSError, OverflowError],
)
def test_whatever_a_decoder_raises_names_the_file(
    failure: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    flac = io.BytesIO()
    soundfile.write(flac, tone(8000), 8000, format="FLAC")
    m4a = encoded("ipod", "aac", 16_000)

    def fail(*args: object, **options: object) -> None:
        raise failure("inside")

    monkeypatch.setattr(soundfile.SoundFile, "read", fail)
    monkeypatch.setattr(decoders, "_samples", fail)
    for data in (flac.getvalue(), m4a):
        with pytest.raises(AudioError, match=r"^mine\.x is not a sound file that can"):
            decode(data, "mine.x")


def test_damaged_bytes_are_heard_or_explained(capfd) -> None:
    rng = np.random.default_rng(0)
    files = [
        encoded("ipod", "aac", 16_000),
        encoded("webm", "libopus", 48_000),
        encoded("mp3", "libmp3lame", 16_000),
        encoded("ogg", "flac", 16_000),
    ]
    for kind in ("AIFF", "CAF", "FLAC", "OGG", "VOC", "WAV"):
        file = io.BytesIO()
        soundfile.write(file, tone(8000), 8000, format=kind)
        files.append(file.getvalue())
    n_refused = 0
    for data in files:
        for _ in range(25):
            damaged = bytearray(data)
            for place in rng.integers(0, min(len(data), 400), 20):
                damaged[place] = rng.integers(256)
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("error")
                    decode(bytes(damaged), "damaged.x")
            except AudioError as error:
                assert "damaged.x" in str(error)
                n_refused += 1
    assert n_refused > 0
    assert capfd.readouterr().err == "", "libraries print nothing"


@pytest.mark.parametrize(
    ("layout", "codec"), [("7.1", "aac"), ("7.1", "flac"), ("5.1", "aac")]
)
def test_all_channels_of_a_film_are_mixed(layout: str, codec: str) -> None:
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as output:
        stream = output.add_stream(codec, rate=48_000, layout=layout)
        n_channels = stream.layout.nb_channels
        form = stream.codec_context.format.name
        packed = np.repeat(tone(48_000), n_channels)[None]
        frame = av.AudioFrame.from_ndarray(packed, "flt", layout)
        frame.sample_rate = 48_000
        fifo = av.AudioFifo()
        for part in av.AudioResampler(form, layout, 48_000).resample(frame):
            fifo.write(part)
        size = stream.codec_context.frame_size or 1024
        while (piece := fifo.read(size, partial=True)) is not None:
            output.mux(stream.encode(piece))
        output.mux(stream.encode(None))
    read = decode(file.getvalue())
    assert read.duration == pytest.approx(1, abs=0.1)
    assert level_dbfs(read.samples) == pytest.approx(LEVEL, abs=2)  # LFE is filtered


def test_more_channels_than_the_planes_of_a_frame_are_refused() -> None:
    values = np.zeros((1, 90), np.float32)
    frame = av.AudioFrame.from_ndarray(values, "flt", "7.1.2")
    frame.sample_rate = 48_000
    with pytest.raises(
        AudioError, match=r"wide\.m4a has 10 channels; expected at most"
    ):
        decoders._samples(frame, limits.Limits("wide.m4a"))


def test_a_header_that_leads_nowhere_is_refused_without_a_print(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # libsndfile seeks before the beginning, and cffi would print what Python raises.
    printed: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", printed.append)
    with pytest.raises(AudioError, match="is not a sound file"):
        decode(b"FORM\0\0\0\0AIFFCOMM\0\0\0\x12\0\x01")
    assert not printed


def test_samples_of_every_width_are_scaled_to_one() -> None:
    ramp = np.linspace(-1, 1, 100, endpoint=False, dtype=np.float32)
    for form in ("u8", "u8p", "s16", "s16p", "s32", "s32p", "flt", "fltp", "dbl"):
        kind = {"u8": np.uint8, "s16": np.int16, "s32": np.int32, "flt": np.float32}
        dtype = kind.get(form.removesuffix("p"), np.float64)
        if np.issubdtype(dtype, np.floating):
            whole = ramp.astype(dtype)
        elif dtype is np.uint8:
            whole = np.round(128 * ramp + 128).astype(dtype)
        else:
            whole = (ramp.astype(float) * -float(np.iinfo(dtype).min)).astype(dtype)
        both = np.stack([whole, whole[::-1]], axis=1)  # (n_frames, n_channels)
        values = both.T.copy() if form.endswith("p") else both.reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(values, form, "stereo")
        frame.sample_rate = 48_000
        samples = decoders._samples(frame, limits.Limits("x"))
        assert samples.dtype == np.float32
        np.testing.assert_allclose(
            samples, np.stack([ramp, ramp[::-1]], axis=1), atol=1 / 128
        )
