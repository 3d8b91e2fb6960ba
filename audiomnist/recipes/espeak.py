"""Make the embedded recordings: digits and other words by eSpeak NG's voices.

Owns the plan of who says what and how, the synthesis through the library inside
the package `espeakng-loader`, and the archives `embedded/voices.zip` and
`embedded/words.zip`. It is a developer's command; the app needs only its result,
which `corpora.clips` reads.

The first archive holds 5,000 recordings, 500 of each digit, named
{digit}_{voice}_{take}.opus, the second one the other words, named
{word}_{voice}_{take}.opus: Ogg Opus, 16 kHz, mono, none of a person. eSpeak NG
is free software under the GPL; what a program says is not covered by its
licence, and this project dedicates the recordings to the public domain (CC0 1.0).

References
----------
.. [1] eSpeak NG, https://github.com/espeak-ng/espeak-ng.
"""

import ctypes
import io
import itertools
import multiprocessing
import os
import zipfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

from audiomnist.audio.signal import Audio
from audiomnist.digits import DIGIT_WORDS
from audiomnist.errors import CorpusError
from audiomnist.recipes.words import WORDS
from audiomnist.settings import writable_folder
from audiomnist.storage import OnProgress, Progress, disk_errors, replacing

N_CLIPS_PER_DIGIT = 500
N_WORDS_PER_VOICE = 8
SAMPLE_RATE = 16_000  # Hz

ACCENTS = (
    *("en", "en-029", "en-gb-scotland", "en-gb-x-gbclan"),
    *("en-gb-x-gbcwmd", "en-gb-x-rp", "en-us", "en-us-nyc"),
)
"""eSpeak NG's accents of English, the Shavian alphabet's left out."""

NOT_HUMAN = (
    *("Demonic", "Tweaky", "UniRobot", "anikaRobot", "croak", "kaukovalta"),
    *("whisper", "whisperf"),
    *("RicishayMax", "RicishayMax2", "RicishayMax3"),  # long echoes
    *(f"robosoft{number}" for number in ("", 2, 3, 4, 5, 6, 7, 8)),
)
"""Variants that do not pass for a person speaking."""

NEAR_COPIES = (
    *("Gene2", "Henrique", "benjamin", "klatt2", "klatt5", "klatt6"),
    *("miguel", "steph2", "steph3"),
)
"""Variants within 1.5 dB of another one, as a mean over the log-mel spectrograms
of the ten digits. One utterance said twice differs by 0.7 to 1 dB, two variants
by 8.5 in the median. In a split by voice a copy would be on both sides."""

_COMPRESSION = 0.945  # libsndfile's scale from 0 (best) to 1 (smallest)
_VOLUME = 25  # eSpeak NG's scale; from about 50 its limiter distorts some voices
_RATE, _LOUDNESS, _PITCH, _RANGE, _WORD_GAP = 1, 2, 3, 4, 7  # espeak_PARAMETER
_FIRST_WORD_KEY = 100  # what other words are drawn from lies beyond the digits
_SEED = 1  # of the noise in eSpeak NG's voices
_SYNCHRONOUS, _UTF8 = 2, 1  # AUDIO_OUTPUT_SYNCHRONOUS, espeakCHARS_UTF8


@dataclass(frozen=True)
class Utterance:
    """One word to be said: by whom, and how.

    Parameters
    ----------
    word, label
        What is said, and what the clip's name says of it: the digit, or the word.
    voice, take
        By which of eSpeak NG's variants, which time.
    accent
        One of `ACCENTS`.
    words_per_minute
        Speaking rate.
    pitch, pitch_range
        Base and range, on eSpeak NG's scale from 0 to 100.
    peak_dbfs
        Level of the loudest sample.
    silence
        Seconds of silence before and after the word.
    """

    word: str
    label: str
    voice: str
    take: int
    accent: str
    words_per_minute: int
    pitch: int
    pitch_range: int
    peak_dbfs: float
    silence: tuple[float, float]

    @property
    def name(self) -> str:
        """The clip's file name."""
        speaker = self.voice.lower().replace(" ", "-")
        return f"{self.label}_{speaker}_{self.take}.opus"


def voices() -> tuple[str, ...]:
    """List eSpeak NG's variants that pass for a person, sorted.

    Raises
    ------
    CorpusError
        If `espeakng-loader` is not installed.
    """
    folder = Path(_loader().get_data_path()) / "voices" / "!v"
    excluded = {*NOT_HUMAN, *NEAR_COPIES}
    return tuple(sorted({path.name for path in folder.iterdir()} - excluded))


def plan(n_clips_per_digit: int = N_CLIPS_PER_DIGIT) -> tuple[Utterance, ...]:
    """Say which voice says which digit how; the same at every call.

    The voices take turns, so that each says every digit equally often or once
    more; rates, pitches and levels are drawn for each utterance from its digit,
    voice and take alone, and a voice's takes of a digit differ in accent.

    Parameters
    ----------
    n_clips_per_digit
        Utterances of each digit.

    Raises
    ------
    CorpusError
        If `espeakng-loader` is not installed.
    """
    names = voices()
    return tuple(
        _utterance(
            DIGIT_WORDS[digit],
            str(digit),
            digit,
            names[number % len(names)],
            number // len(names),
        )
        for digit in range(10)
        for number in range(n_clips_per_digit)
    )


def plan_words(n_words_per_voice: int = N_WORDS_PER_VOICE) -> tuple[Utterance, ...]:
    """Say which voice says which other words; the same at every call.

    Parameters
    ----------
    n_words_per_voice
        Different words of each voice.

    Raises
    ------
    CorpusError
        If `espeakng-loader` is not installed.
    """
    said = itertools.cycle(np.random.default_rng(_SEED).permutation(len(WORDS)))
    return tuple(
        _utterance(WORDS[number], WORDS[number], _FIRST_WORD_KEY + number, voice, 0)
        for voice in voices()
        for number in itertools.islice(said, n_words_per_voice)
    )


def synthesize(utterances: Sequence[Utterance]) -> list[Audio]:
    """Say utterances one after the other, in this process.

    eSpeak NG's voices flutter along a table that it steps through from one
    utterance to the next, so the same list gives the same samples only as the
    first in a process; `make_embedded` starts one for each voice.

    Returns
    -------
    list of Audio
        16 kHz, in the order of `utterances`.

    Raises
    ------
    CorpusError
        If `espeakng-loader` is not installed, or has no such accent.
    """
    import soxr

    engine = _Engine()
    audios = []
    for utterance in utterances:
        samples = engine.say(utterance)
        sounding = np.flatnonzero(samples)
        samples = samples[sounding[0] : sounding[-1] + 1]
        samples = soxr.resample(samples, engine.sample_rate, SAMPLE_RATE)
        samples *= 10 ** (utterance.peak_dbfs / 20) / np.abs(samples).max()
        before, after = (round(s * SAMPLE_RATE) for s in utterance.silence)
        audios.append(Audio(np.pad(samples, (before, after)), SAMPLE_RATE))
    return audios


def make_embedded(
    out: Path,
    on_progress: OnProgress | None = None,
    *,
    utterances: Iterable[Utterance] | None = None,
) -> Path:
    """Write the archive of the embedded corpus, the same samples at every call.

    Parameters
    ----------
    out
        The zip file to write; it appears when it is complete.
    on_progress
        Called with the clips done and in all.
    utterances
        What to say; everything in `plan` if None.

    Raises
    ------
    CorpusError
        If `espeakng-loader` is not installed, or the file cannot be written.
    """
    todo = sorted(
        plan() if utterances is None else utterances,
        key=lambda said: (said.voice, said.label, said.take),
    )
    by_voice = [list(g) for _, g in groupby(todo, key=lambda said: said.voice)]
    writable_folder(out.parent)
    members: dict[str, bytes] = {}
    # A fresh process for each voice: see `synthesize`.
    with ProcessPoolExecutor(
        mp_context=multiprocessing.get_context("spawn"), max_tasks_per_child=1
    ) as pool:
        for recordings in pool.map(_recordings, by_voice):
            members.update(recordings)
            if on_progress:
                on_progress(Progress("synthesizing", len(members), len(todo)))
    with (
        disk_errors(out.parent),
        replacing(out) as unfinished,
        zipfile.ZipFile(unfinished, "w") as archive,
    ):
        for name in sorted(members):
            archive.writestr(zipfile.ZipInfo(name), members[name])
    return out


def load_espeak() -> tuple[ctypes.CDLL, int]:
    """Load the eSpeak NG library, silent, and tell its sample rate in Hz.

    Raises
    ------
    CorpusError
        If `espeakng-loader` is not installed.
    """
    loader = _loader()
    library = ctypes.CDLL(loader.get_library_path())
    data = os.fsencode(loader.get_data_path())
    return library, library.espeak_Initialize(_SYNCHRONOUS, 0, data, 0)


def _utterance(word: str, label: str, number: int, voice: str, take: int) -> Utterance:
    """How one voice says one word once, drawn from its number and these two alone."""
    key = [number, *voice.encode()]
    accents = np.random.default_rng(key).permutation(ACCENTS)
    rng = np.random.default_rng([take, *key])
    return Utterance(
        word=word,
        label=label,
        voice=voice,
        take=take,
        accent=str(accents[take % len(accents)]),
        words_per_minute=int(rng.integers(115, 211)),
        pitch=int(rng.integers(20, 81)),
        pitch_range=int(rng.integers(20, 81)),
        peak_dbfs=round(float(rng.uniform(-12, -1)), 2),
        silence=(round(rng.uniform(0.05, 0.1), 4), round(rng.uniform(0.05, 0.1), 4)),
    )


def _recordings(utterances: Sequence[Utterance]) -> list[tuple[str, bytes]]:
    """Names and Ogg Opus files of utterances, in this process."""
    import soundfile

    recordings = []
    for utterance, audio in zip(utterances, synthesize(utterances), strict=True):
        file = io.BytesIO()
        soundfile.write(
            file,
            audio.samples,
            audio.sample_rate,
            format="OGG",
            subtype="OPUS",
            compression_level=_COMPRESSION,
        )
        recordings.append((utterance.name, file.getvalue()))
    return recordings


class _Engine:
    """The eSpeak NG library, loaded and silent."""

    def __init__(self) -> None:
        self.library, self.sample_rate = load_espeak()
        self.chunks: list[np.ndarray] = []
        # Kept, because the library calls it for as long as it is loaded.
        self.callback = ctypes.CFUNCTYPE(
            ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
        )(self._receive)
        self.library.espeak_SetSynthCallback(self.callback)
        # Breath and roughness are noise, which would follow the clock otherwise.
        self.library.espeak_ng_SetRandSeed(ctypes.c_long(_SEED))

    def say(self, utterance: Utterance) -> np.ndarray:
        """The samples of one utterance, float32, at `sample_rate`."""
        self.chunks.clear()
        voice = f"{utterance.accent}+{utterance.voice}"
        if self.library.espeak_SetVoiceByName(voice.encode()):
            raise CorpusError(
                f"eSpeak NG has no voice {voice!r}. Install the version of "
                "espeakng-loader that requirements-dev.txt names."
            )
        for parameter, value in (
            (_RATE, utterance.words_per_minute),
            (_LOUDNESS, _VOLUME),
            (_PITCH, utterance.pitch),
            (_RANGE, utterance.pitch_range),
            (_WORD_GAP, 0),
        ):
            self.library.espeak_SetParameter(parameter, value, 0)
        word = utterance.word.encode() + b"\0"
        self.library.espeak_Synth(word, len(word), 0, 1, 0, _UTF8, None, None)
        self.library.espeak_Synchronize()
        return np.concatenate(self.chunks).astype(np.float32) / 2**15

    def _receive(self, samples: object, n_samples: int, _events: object) -> int:
        """Take samples from the library; 0 lets it go on."""
        if samples and n_samples:
            self.chunks.append(np.ctypeslib.as_array(samples, (n_samples,)).copy())
        return 0


def _loader():  # type: ignore[no-untyped-def]
    """The package that brings the eSpeak NG library and its voices."""
    try:
        import espeakng_loader
    except ImportError as error:
        raise CorpusError(
            "Making the embedded corpus needs the package espeakng-loader, which is "
            "not installed. Run pip install -r requirements-dev.txt."
        ) from error
    return espeakng_loader
