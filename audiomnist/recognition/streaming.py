"""Words in a stream: what a microphone records becomes recognitions.

Owns when a word begins and ends while more sound keeps coming, in noise that may change
at any time. What the word is, and where exactly in its part of the stream, is the
recognizer's business.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from audiomnist.audio.signal import Audio
from audiomnist.errors import ConfigError
from audiomnist.features.prominence import prominence_db
from audiomnist.features.spectra import mel_filter_bank
from audiomnist.features.speech import SpeechConfig
from audiomnist.recognition.recognizer import Recognition, Recognizer

_FRAME_DURATION = 0.02
_N_BANDS, _FMIN, _FMAX = 12, 100.0, 3800.0
# Levels under this are digital silence or nearly so; noise is never taken for less.
_LEAST_DBFS = -85.0
# Part of the frames that may be louder, or softer, in a sound that is called steady.
_OUTLIERS = 0.05


@dataclass(frozen=True)
class StreamConfig:
    """How words are found in a stream.

    A frame's prominence is measured as in recordings, see `SpeechConfig`, but here the
    noise of a band is a low quantile of its levels over the last seconds.

    Parameters
    ----------
    onset_db, onset_duration
        A word begins where frames of this prominence go on for so many seconds.
    offset_db, offset_part
        It goes on in frames of this prominence and of this part of its highest.
    hangover
        Seconds under that after which it has ended; pauses inside words are shorter.
    min_word, max_word
        Shorter sounds, in seconds, are clicks. Longer ones are cut where they are
        quietest.
    context
        Seconds given to the recognizer on both sides of a word.
    noise_spread_db
        Noise wavers by this much above its low quantile; less does not count.
    noise_quantile, noise_memory
        The quantile, and the seconds over which it is taken.
    first_noise_dbfs
        Noise assumed of each band, until there is a memory of it.
    steady_duration, steady_range_db
        Sound whose level stays for so many seconds within this range is noise.

    Raises
    ------
    ConfigError
        If the settings contradict each other.
    """

    onset_db: float = 1.5
    onset_duration: float = 0.06
    offset_db: float = SpeechConfig.least_db
    offset_part: float = SpeechConfig.least_part
    hangover: float = 0.18
    min_word: float = 0.1
    max_word: float = 1.5
    context: float = 0.3
    noise_spread_db: float = SpeechConfig.noise_spread_db
    noise_quantile: float = 0.2
    noise_memory: float = 3.0
    first_noise_dbfs: float = -70.0
    steady_duration: float = 0.8
    steady_range_db: float = 7.0

    def __post_init__(self) -> None:
        durations = (self.onset_duration, self.min_word, self.hangover)
        if min(durations) < _FRAME_DURATION or self.context < 0:
            raise ConfigError(
                f"onset_duration, min_word and hangover are {durations} s, context "
                f"{self.context} s; expected at least a frame of {_FRAME_DURATION} s "
                "each, and a context of 0 or more."
            )
        if self.max_word < max(3 * self.min_word, self.steady_duration):
            raise ConfigError(
                f"min_word is {self.min_word} s, max_word {self.max_word} s and "
                f"steady_duration {self.steady_duration} s; expected max_word to be "
                "three times min_word or more, and no shorter than steady_duration."
            )
        if not 0 <= self.noise_quantile < 1 or self.noise_memory < self.max_word:
            raise ConfigError(
                f"noise_quantile is {self.noise_quantile} and noise_memory "
                f"{self.noise_memory} s; expected a part from 0 to under 1, over at "
                "least the longest word."
            )


class StreamingRecognizer:
    """Recognizes the digits in a stream; keeps its last seconds and no more.

    The answers do not depend on how the stream is divided into calls. One stream
    each, fed by one thread at a time.

    Parameters
    ----------
    recognizer
        What recognizes the words.
    sample_rate
        Of the stream, in Hz.
    config
        How words are found.
    """

    def __init__(
        self,
        recognizer: Recognizer,
        sample_rate: int,
        config: StreamConfig | None = None,
    ) -> None:
        self.recognizer = recognizer
        self.sample_rate = sample_rate
        self.config = config = config or StreamConfig()
        self._frame_length = round(_FRAME_DURATION * sample_rate)
        self._pending = np.zeros(0, dtype=np.float32)
        # The word, its context and what has come since, with a second to spare.
        n_kept = _n_frames(config.max_word + 2 * config.context + config.hangover + 1)
        self._kept = np.zeros((n_kept, self._frame_length), dtype=np.float32)
        self._levels = np.zeros((n_kept, _N_BANDS))
        self._prominence = np.zeros(n_kept)
        n_memory = _n_frames(config.noise_memory)
        self._noise = np.full((n_memory, _N_BANDS), config.first_noise_dbfs)
        self._n_frames = 0
        self._onset: int | None = None
        self._last_loud = 0
        self._free_from = 0

    @property
    def duration(self) -> float:
        """Seconds of the stream so far."""
        return self._n_frames * self._frame_length / self.sample_rate

    def feed(self, samples: np.ndarray) -> list[Recognition]:
        """Process the next piece of the stream.

        Parameters
        ----------
        samples
            float32 in [-1, 1], shape (n_samples,), of any length.

        Returns
        -------
        list[Recognition]
            The words that ended, in order, each with its context as its `audio`, which
            begins `offset` seconds after the stream. Sounds in which nobody speaks are
            left out.

        Raises
        ------
        AudioError
            If the samples are not one channel or not finite.
        """
        Audio(samples, self.sample_rate)
        words: list[Recognition] = []
        # One second at a time, so that memory does not grow with the piece.
        for begin in range(0, len(samples), self.sample_rate):
            piece = samples[begin : begin + self.sample_rate]
            pending = np.concatenate([self._pending, piece.astype(np.float32)])
            n_frames = len(pending) // self._frame_length
            n_used = n_frames * self._frame_length
            self._pending = pending[n_used:]
            frames = pending[:n_used].reshape(n_frames, self._frame_length)
            levels = _band_levels(frames, self.sample_rate)
            for frame, level in zip(frames, levels, strict=True):
                words += self._feed_frame(frame, level)
        return words

    def flush(self) -> list[Recognition]:
        """Recognize the word that the end of the stream has cut short, if any."""
        if self._onset is None:
            return []
        return self._end_word(self._last_loud + 1)

    def _feed_frame(self, frame: np.ndarray, level: np.ndarray) -> list[Recognition]:
        """Process one frame: (frame_length,) samples and their levels, (n_bands,)."""
        config, now = self.config, self._n_frames
        noise = _quantile(self._noise, config.noise_quantile)
        reference = np.maximum(noise, _LEAST_DBFS) + config.noise_spread_db
        slot = now % len(self._kept)
        self._kept[slot] = frame
        self._levels[slot] = level
        self._prominence[slot] = prominence_db(level, reference)
        self._noise[now % len(self._noise)] = level
        self._n_frames += 1
        if self._onset is None:
            self._begin_word()
            return []
        word = self._recent(self._prominence, self._n_frames - self._onset)
        threshold = max(config.offset_db, config.offset_part * float(word.max()))
        if word[-1] >= threshold:
            self._last_loud = now
        if now - self._last_loud >= _n_frames(config.hangover):
            return self._end_word(self._last_loud + 1)
        if self._is_steady():
            return self._learn_noise()
        if len(word) >= _n_frames(config.max_word):
            return self._cut_word(word)
        return []

    def _begin_word(self) -> None:
        """Note the onset of a word if the last frames make one."""
        n_onset = _n_frames(self.config.onset_duration)
        first = self._n_frames - n_onset
        if (
            first >= self._free_from
            and self._recent(self._prominence, n_onset).min() >= self.config.onset_db
        ):
            self._onset, self._last_loud = first, self._n_frames - 1

    def _end_word(self, end: int, *, is_cut: bool = False) -> list[Recognition]:
        """Answer the word from its onset to before frame `end`."""
        assert self._onset is not None
        onset, self._onset = self._onset, None
        n_context = _n_frames(self.config.context)
        first = max(onset - n_context, self._free_from, 0)
        # What follows a cut is not context but the next word, or other noise.
        last = end if is_cut else min(end + n_context, self._n_frames)
        self._free_from = end
        if end - onset < _n_frames(self.config.min_word):
            return []
        slots = np.arange(first, last) % len(self._kept)
        word = self.recognizer.recognize(
            Audio(self._kept[slots].reshape(-1), self.sample_rate)
        )
        if word.prediction.speech is None:
            return []
        offset = first * self._frame_length / self.sample_rate
        return [replace(word, offset=offset)]

    def _cut_word(self, word: np.ndarray) -> list[Recognition]:
        """Answer what lies before the quietest frame; the rest goes on as a word."""
        assert self._onset is not None
        margin = _n_frames(self.config.min_word)
        smooth = np.convolve(word, np.ones(3) / 3, mode="same")
        cut = margin + int(smooth[margin:-margin].argmin())
        loud = np.flatnonzero(word[cut:] >= self.config.offset_db)
        onset = self._onset + cut
        words = self._end_word(onset, is_cut=True)
        if len(loud):
            self._onset = onset + int(loud[0])
        return words

    def _is_steady(self) -> bool:
        """Whether the level has stayed the same for so long that it must be noise."""
        assert self._onset is not None
        n_steady = _n_frames(self.config.steady_duration)
        if self._n_frames - self._onset < n_steady:
            return False
        loudness = self._recent(self._levels, n_steady).mean(axis=1)
        low, high = np.quantile(loudness, (_OUTLIERS, 1 - _OUTLIERS))
        return bool(high - low < self.config.steady_range_db)

    def _learn_noise(self) -> list[Recognition]:
        """Take the last, steady sound for noise; answer a word that came before it."""
        assert self._onset is not None
        n_steady = _n_frames(self.config.steady_duration)
        steady = self._recent(self._levels, n_steady)
        self._noise[:] = np.resize(steady, self._noise.shape)
        # Beside the noise that is known now, nothing stood out until here.
        self._prominence[:] = 0
        # What may be an outlier still belongs to the word.
        n_noise = n_steady - int(_OUTLIERS * n_steady)
        end = max(self._onset, self._n_frames - n_noise)
        return self._end_word(end, is_cut=True)

    def _recent(self, ring: np.ndarray, n_frames: int) -> np.ndarray:
        """The last frames of a ring, oldest first: (n_frames, ...)."""
        slots = np.arange(self._n_frames - n_frames, self._n_frames) % len(ring)
        return ring[slots]


def _n_frames(seconds: float) -> int:
    """Frames in so many seconds."""
    return round(seconds / _FRAME_DURATION)


def _quantile(values: np.ndarray, part: float) -> np.ndarray:
    """A quantile of each column, by the nearest rank: (n_columns,)."""
    rank = int(part * len(values))
    return np.partition(values, rank, axis=0)[rank]


def _band_levels(frames: np.ndarray, sample_rate: int) -> np.ndarray:
    """Level of each mel band of each frame, in dBFS: (n_frames, n_bands).

    The level of a band is that of a signal with the band's power density from 0 to
    4 kHz, so that it hardly depends on the sample rate.
    """
    window, bank = _analysis(frames.shape[1], sample_rate)
    power = np.square(np.abs(np.fft.rfft(frames * window)))  # (n_frames, n_bins)
    return 10 * np.log10(power @ bank.T + 1e-12)


@lru_cache(maxsize=8)
def _analysis(frame_length: int, sample_rate: int) -> tuple[np.ndarray, np.ndarray]:
    """Hann window and weights of the bands for frames of this length."""
    window = np.hanning(frame_length)
    fmax = min(_FMAX, 0.48 * sample_rate)
    bank = mel_filter_bank(sample_rate, frame_length, _N_BANDS, _FMIN, fmax)
    bank = bank / bank.sum(axis=1, keepdims=True)
    density = 2 * 4000 / (sample_rate * np.square(window).sum())
    return window, bank * density
