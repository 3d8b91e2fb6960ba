"""Conditions that a recording goes through: noise, level, pauses, files, faults.

Owns the conditions under which a model is tested, each a function from a recording and
a random generator to another recording. They apply to the whole recording; the word in
it still has to be found. How well a model does under them is for `robustness`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from audiomnist.audio.decoding import decode
from audiomnist.audio.encoding import (
    encode_mp3,
    encode_opus,
    encode_stereo,
    encode_telephone,
    encode_vorbis,
    encode_wav,
    encode_wav_as,
)
from audiomnist.audio.noise import babble, fan, mains_hum, pink, white
from audiomnist.audio.signal import Audio, resample
from audiomnist.errors import AudioError
from audiomnist.features.speech import Speech

PAUSE = 0.5
"""Background before and after a word in noise, in seconds."""

ROOM_SNR_DB = 40.0
"""Speech over noise in a quiet room, in dB."""

SNRS_DB = (20, 10, 5, 0)
"""Ratios of the word's mean power to the noise's at which noise is tried, in dB."""

CLICK_BEFORE = 0.3
"""Time from a key click to the word, in seconds."""

_CLICK_DECAY, _CLICK_DURATION = 0.001, 0.005  # s
_OTHER_CHANNEL_SNR_DB = 30.0


@dataclass(frozen=True, eq=False)
class Recording:
    """A clean recording, and where in it the word is.

    Parameters
    ----------
    audio
        The recording.
    word
        The word as found in it, in seconds: what noise and clicks are measured by.
    talkers
        Other people saying other words, for babble.

    Raises
    ------
    AudioError
        If the word is no part of the recording, or silent.
    """

    audio: Audio
    word: Speech
    talkers: tuple[Audio, ...] = ()

    def __post_init__(self) -> None:
        if not self._word_samples.any():
            raise AudioError(
                f"There is no sound from {self.word.start:.2f} to {self.word.end:.2f} "
                f"s in a recording of {self.audio.duration:.2f} s. Give the part in "
                "which somebody speaks."
            )

    @cached_property
    def word_power(self) -> float:
        """Mean square of the word."""
        return float(np.mean(np.square(self._word_samples, dtype=np.float64)))

    @cached_property
    def word_peak(self) -> float:
        """Largest absolute sample of the word."""
        return float(np.abs(self._word_samples).max())

    @property
    def _word_samples(self) -> np.ndarray:
        """The samples between the word's ends."""
        first, last = (
            round(max(0.0, time) * self.audio.sample_rate)
            for time in (self.word.start, self.word.end)
        )
        return self.audio.samples[first:last]


@dataclass(frozen=True)
class Condition:
    """One condition under which a recording is made.

    Parameters
    ----------
    name
        What it is called, the only one of its name.
    group
        What it is a kind of: "clean", "noise", "level", "pauses", "rate", "file" or
        "fault".
    change
        From a recording and a random generator to the recording under the condition,
        as long as the one it is given.
    pause
        Digital silence that is put before and after the recording first, in seconds.
    """

    name: str
    group: str
    change: Callable[[Recording, np.random.Generator], Audio]
    pause: float = 0.0

    def apply(self, recording: Recording, rng: np.random.Generator) -> Audio:
        """Bring a recording into this condition; the same generator, the same result.

        Raises
        ------
        AudioError
            If nobody else is given to talk in the background, for babble.
        """
        return self.change(surround(recording, self.pause), rng)


def surround(recording: Recording, pause: float) -> Recording:
    """Put digital silence of some seconds before and after a recording."""
    audio, word = recording.audio, recording.word
    n_samples = round(pause * audio.sample_rate)
    return replace(
        recording,
        audio=Audio(np.pad(audio.samples, n_samples), audio.sample_rate),
        word=Speech(word.start + pause, word.end + pause),
    )


def unchanged(recording: Recording, rng: np.random.Generator) -> Audio:
    """Leave it as it is."""
    return recording.audio


def with_noise(
    recording: Recording,
    rng: np.random.Generator,
    make: Callable[[int, int, np.random.Generator], np.ndarray],
    snr_db: float,
) -> Audio:
    """Add a noise of unit power all along, `snr_db` under the mean power of the word.

    Where the sum leaves full scale, all of it is made softer.
    """
    audio = recording.audio
    noise = make(len(audio.samples), audio.sample_rate, rng)
    sound = audio.samples + _gain(recording, snr_db) * noise
    return _within_scale(sound, audio.sample_rate)


def with_babble(recording: Recording, rng: np.random.Generator, snr_db: float) -> Audio:
    """Let the recording's talkers talk at once, see `with_noise`.

    Raises
    ------
    AudioError
        If the recording has no talkers.
    """
    make = partial(babble, recording.talkers)
    return with_noise(recording, rng, make, snr_db)


def with_background(
    recording: Recording, rng: np.random.Generator, level_dbfs: float
) -> Audio:
    """Add pink noise of a level in dB relative to full scale."""
    audio = recording.audio
    noise = pink(len(audio.samples), audio.sample_rate, rng)
    sound = audio.samples + 10 ** (level_dbfs / 20) * noise
    return _within_scale(sound, audio.sample_rate)


def with_click(
    recording: Recording, rng: np.random.Generator, over_peak_db: float
) -> Audio:
    """Press a key 0.3 s before the word, in a quiet room.

    The click is a few milliseconds of decaying noise, whose peak is by so many dB
    above that of the word.
    """
    audio = with_noise(recording, rng, pink, ROOM_SNR_DB)
    click_time = np.arange(0, _CLICK_DURATION, 1 / audio.sample_rate)
    click = rng.standard_normal(len(click_time)) * np.exp(-click_time / _CLICK_DECAY)
    click *= recording.word_peak * 10 ** (over_peak_db / 20) / np.abs(click).max()
    sound = audio.samples.astype(np.float64)
    first = max(0, round((recording.word.start - CLICK_BEFORE) * audio.sample_rate))
    sound[first : first + len(click)] += click[: len(sound) - first]
    return _within_scale(sound, audio.sample_rate)


def with_offset(recording: Recording, rng: np.random.Generator, offset: float) -> Audio:
    """Move every sample by a part of full scale, as a faulty sound input does."""
    return _within_scale(recording.audio.samples + offset, recording.audio.sample_rate)


def at_level(recording: Recording, rng: np.random.Generator, peak_dbfs: float) -> Audio:
    """Bring the recording's peak to a level, in a wav file of 16 bit.

    What lies above 0 dB is clipped, as it is in any such file.
    """
    audio = recording.audio
    gain = 10 ** (peak_dbfs / 20) / np.abs(audio.samples).max()
    samples = np.clip(gain * audio.samples, -1, 1).astype(np.float32)
    return decode(encode_wav(Audio(samples, audio.sample_rate)))


def at_rate(recording: Recording, rng: np.random.Generator, sample_rate: int) -> Audio:
    """Convert to a sample rate in Hz, softer where peaks between samples need it."""
    converted = resample(recording.audio, sample_rate)
    return _within_scale(converted.samples, sample_rate)


def through_file(
    recording: Recording, rng: np.random.Generator, encode: Callable[[Audio], bytes]
) -> Audio:
    """Write a file and read it."""
    return decode(encode(recording.audio))


def through_stereo(
    recording: Recording, rng: np.random.Generator, second: str
) -> Audio:
    """Write a file of two channels and read it.

    Parameters
    ----------
    recording, rng
        As in every condition.
    second
        What the second channel holds: the "same" as the first, "silence", or
        "noise", white and 30 dB under the word.

    Raises
    ------
    AudioError
        If the second channel is none of these.
    """
    audio = recording.audio
    if second == "same":
        samples = audio.samples
    elif second == "silence":
        samples = np.zeros_like(audio.samples)
    elif second == "noise":
        noise = white(len(audio.samples), audio.sample_rate, rng)
        samples = _gain(recording, _OTHER_CHANNEL_SNR_DB) * noise
    else:
        raise AudioError(
            f"The second channel is {second!r}; expected same, silence or noise."
        )
    return decode(encode_stereo(audio, samples))


def _gain(recording: Recording, snr_db: float) -> float:
    """By how much noise of unit power is to be multiplied."""
    return float(np.sqrt(recording.word_power * 10 ** (-snr_db / 10)))


def _within_scale(samples: np.ndarray, sample_rate: int) -> Audio:
    """Make it softer as a whole where it leaves full scale."""
    loudest = max(1.0, float(np.abs(samples).max()))
    return Audio((samples / loudest).astype(np.float32), sample_rate)


CLEAN = Condition("as recorded", "clean", unchanged)

_NOISES: dict[str, Callable[..., Audio]] = {
    "white noise": partial(with_noise, make=white),
    "pink noise": partial(with_noise, make=pink),
    "babble": with_babble,
    "fan": partial(with_noise, make=fan),
}
_PAUSES = (0.5, 1, 2, 3)  # s
_PEAKS_DBFS = (0, -10, -20, -30, -40)
_FILES: dict[str, Callable[[Audio], bytes]] = {
    "wav, 24 bit": partial(encode_wav_as, subtype="PCM_24"),
    "wav, 32 bit float": partial(encode_wav_as, subtype="FLOAT"),
    "mp3, 64 kbit/s": encode_mp3,
    "Ogg Vorbis": encode_vorbis,
    "Ogg Opus, 64 kbit/s": encode_opus,
    "telephone": encode_telephone,
}
_SECOND_CHANNELS = {
    "same": "both the same",
    "silence": "one silent",
    "noise": "noise in one (-30 dB)",
}
_RATES = (8000, 16_000, 22_050, 44_100, 48_000)  # Hz

CONDITIONS: tuple[Condition, ...] = (
    CLEAN,
    *(
        Condition(f"{name}, {snr_db} dB", "noise", partial(add, snr_db=snr_db), PAUSE)
        for name, add in _NOISES.items()
        for snr_db in SNRS_DB
    ),
    *(
        Condition(f"peak at {db} dBFS", "level", partial(at_level, peak_dbfs=db))
        for db in _PEAKS_DBFS
    ),
    *(
        Condition(f"{pause} s of silence around", "pauses", unchanged, pause)
        for pause in _PAUSES
    ),
    *(
        Condition(
            f"{pause} s of a quiet room around (40 dB)",
            "pauses",
            partial(with_noise, make=pink, snr_db=ROOM_SNR_DB),
            pause,
        )
        for pause in _PAUSES
    ),
    *(
        Condition(
            f"{pause} s around, pink noise at -60 dBFS",
            "pauses",
            partial(with_background, level_dbfs=-60),
            pause,
        )
        for pause in _PAUSES
    ),
    *(
        Condition(
            f"sampled at {rate / 1000:g} kHz",
            "rate",
            partial(at_rate, sample_rate=rate),
        )
        for rate in _RATES
    ),
    *(
        Condition(name, "file", partial(through_file, encode=encode))
        for name, encode in _FILES.items()
    ),
    *(
        Condition(f"stereo, {title}", "file", partial(through_stereo, second=second))
        for second, title in _SECOND_CHANNELS.items()
    ),
    *(
        Condition(
            f"key click, {db:+d} dB" if db else "key click as loud as the word",
            "fault",
            partial(with_click, over_peak_db=db),
            PAUSE,
        )
        for db in (0, 10)
    ),
    Condition(
        "mains hum, 10 dB",
        "fault",
        partial(with_noise, make=mains_hum, snr_db=10),
        PAUSE,
    ),
    Condition("offset of 0.1", "fault", partial(with_offset, offset=0.1), PAUSE),
    *(
        Condition(f"clipped by {db} dB", "fault", partial(at_level, peak_dbfs=db))
        for db in (6, 12)
    ),
)
"""Every condition, the clean one first."""
