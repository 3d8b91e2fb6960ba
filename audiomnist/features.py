"""From recordings to what a network sees: log-mel images and MFCCs.

Owns the one preprocessing that training, evaluation, the microphone and the
command line share. A clip's features depend on that clip alone. Features of
whole corpora, and their cache, come next.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from audiomnist.audio import Audio
from audiomnist.errors import AudioError
from audiomnist.spectra import (
    Spectra,
    SpectrumConfig,
    frames_in_batches,
    mel_filter_bank,
    power_spectra,
)
from audiomnist.speech import SpeechConfig, speech_spans

KINDS = {
    "log_mel": "Loudness of each mel band over time: the image that a CNN looks at.",
    "mfcc": "Mel-frequency cepstral coefficients: the shape of each spectrum in a "
    "few numbers.",
}
FITS = {
    "pad": "Keep the tempo: the word stands in the middle, longer ones are squeezed.",
    "stretch": "Give each word the same length, whatever its tempo.",
}

NORMALISATIONS = {
    "none": "Leave the bands as they are, relative to the word's mean power.",
    "level": "Take the mean over the word and all bands away, divide by the deviation.",
    "bands": "Take each band's own mean over the word away, which removes the "
    "microphone's colour, and divide by the deviation over all bands.",
}

_SMALLEST = 1e-20  # of a word's mean power

CONTEXT = 0.12
"""Seconds kept around each word, from which augmentation moves its end points."""


@dataclass(frozen=True)
class FeatureConfig:
    """What a network sees of a recording.

    Parameters
    ----------
    kind
        "log_mel" or "mfcc", see `KINDS`.
    spectrum
        How sound becomes power spectra.
    speech
        How the word is found.
    n_mels, fmin, fmax
        Number of mel bands, and the range that they cover in Hz.
    n_mfcc
        Cepstral coefficients that are kept, from the zeroth on; for "mfcc" only.
    floor
        Power added to each band before the logarithm, as a part of the word's
        mean band power: what lies far below it is noise.
    normalise
        What of level and colour is taken away, see `NORMALISATIONS`.
    n_frames
        Length of the features, in frames.
    fit
        How a word gets that length: "pad" or "stretch", see `FITS`.

    Raises
    ------
    AudioError
        If a number or name is out of its range.
    """

    kind: str = "log_mel"
    spectrum: SpectrumConfig = field(default_factory=SpectrumConfig)
    speech: SpeechConfig = field(default_factory=SpeechConfig)
    n_mels: int = 40
    fmin: float = 60.0
    fmax: float = 3800.0
    n_mfcc: int = 20
    floor: float = 1e-3
    normalise: str = "level"
    n_frames: int = 40
    fit: str = "pad"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise AudioError(f"kind is {self.kind!r}; expected one of {list(KINDS)}.")
        if self.fit not in FITS:
            raise AudioError(f"fit is {self.fit!r}; expected one of {list(FITS)}.")
        if self.normalise not in NORMALISATIONS:
            raise AudioError(
                f"normalise is {self.normalise!r}; expected one of "
                f"{list(NORMALISATIONS)}."
            )
        if not 0 <= self.fmin < self.fmax <= self.spectrum.sample_rate / 2:
            raise AudioError(
                f"fmin {self.fmin} and fmax {self.fmax} Hz do not fit a sample rate of "
                f"{self.sample_rate} Hz; expected 0 <= fmin < fmax <= half of it."
            )
        if not 1 <= self.n_mfcc <= self.n_mels:
            raise AudioError(
                f"n_mfcc is {self.n_mfcc}; expected 1 to n_mels, {self.n_mels}."
            )
        if self.n_frames < 2 or self.floor <= 0:
            raise AudioError(
                f"n_frames is {self.n_frames} and floor {self.floor}; expected two "
                "frames or more and a floor above 0."
            )

    @property
    def sample_rate(self) -> int:
        """Rate that recordings are converted to, in Hz."""
        return self.spectrum.sample_rate

    @property
    def n_bins(self) -> int:
        """Rows of the features: mel bands or cepstral coefficients."""
        return self.n_mels if self.kind == "log_mel" else self.n_mfcc

    @property
    def shape(self) -> tuple[int, int]:
        """The network's input: (n_bins, n_frames)."""
        return self.n_bins, self.n_frames


@dataclass(frozen=True, eq=False)
class Placement:
    """Which frames of the spectra fill the frames of the features.

    Parameters
    ----------
    position
        Frame in the spectra, possibly between two, float64,
        shape (n_clips, n_frames).
    is_word
        False where the features are padded, bool, shape (n_clips, n_frames).
    """

    position: np.ndarray
    is_word: np.ndarray


def extract(audios: Sequence[Audio], config: FeatureConfig) -> np.ndarray:
    """Compute the features of several recordings.

    Returns
    -------
    np.ndarray
        float32, shape (n_clips, n_bins, n_frames). A clip's features do not
        depend on the others.

    Raises
    ------
    AudioError
        If a recording is shorter than one window or nobody speaks in it.
    """
    is_speech, values = hear(audios, config)
    if not is_speech.all():
        number = int(np.flatnonzero(~is_speech)[0])
        raise AudioError(
            f"No speech was found in recording {number + 1} of {len(audios)}. "
            "Record the digit again, closer to the microphone."
        )
    return values


def hear(
    audios: Sequence[Audio], config: FeatureConfig
) -> tuple[np.ndarray, np.ndarray]:
    """Compute the features of those recordings in which somebody speaks.

    Returns
    -------
    tuple[np.ndarray, np.ndarray]
        In which recordings speech was found, bool, shape (n_recordings,), and
        the features of those, float32, shape (n_found, n_bins, n_frames).

    Raises
    ------
    AudioError
        If a recording is shorter than one window.
    """
    is_speech, values = [np.zeros(0, bool)], [np.zeros((0, *config.shape), np.float32)]
    for part in _spectra_in_batches(audios, config):
        is_speech.append(part.is_speech)
        heard = crop(part)
        values.append(render(heard.take(np.flatnonzero(part.is_speech)), config))
    return np.concatenate(is_speech), np.concatenate(values)


def spectra(audios: Sequence[Audio], config: FeatureConfig) -> Spectra:
    """Compute the power spectra of the word in each recording, with some context.

    Raises
    ------
    AudioError
        If a recording is shorter than one window.
    """
    context = round(CONTEXT / config.spectrum.hop)
    parts = [crop(part, context) for part in _spectra_in_batches(audios, config)]
    return join_spectra(parts, config.spectrum)


def crop(found: Spectra, context: int = 0) -> Spectra:
    """Keep each word and `context` frames around it; nothing of a clip without.

    What a word's margins and its context lack, because the recording begins or ends
    there, is silence. So a word sounds the same whether its recording was cut closely
    or has pauses around it.
    """
    first = found.spans[:, 0] - context
    kept = np.where(found.is_speech, found.spans[:, 1] + context - first, 0)
    bounds = np.concatenate([[0], np.cumsum(kept)]).astype(np.int64)
    frames = np.arange(bounds[-1]) + np.repeat(first - bounds[:-1], kept)
    power = found.power[np.clip(frames, 0, max(0, len(found.power) - 1))]
    is_outside = frames < np.repeat(found.bounds[:-1], kept)
    is_outside |= frames >= np.repeat(found.bounds[1:], kept)
    power[is_outside] = 0
    spans = found.spans - first[:, None] + bounds[:-1, None]
    spans[~found.is_speech] = bounds[:-1][~found.is_speech, None]
    return Spectra(power, bounds, spans)


def render(
    found: Spectra, config: FeatureConfig, placement: Placement | None = None
) -> np.ndarray:
    """Turn the spectra of words into features.

    Parameters
    ----------
    found
        Spectra in which each clip has speech.
    config
        What the features are.
    placement
        Where each word goes; by default as `config.fit` says.

    Returns
    -------
    np.ndarray
        float32, shape (n_clips, n_bins, n_frames); padding is 0 where the
        features are normalised, else the floor.
    """
    bank = mel_filter_bank(
        config.sample_rate,
        config.spectrum.n_fft,
        config.n_mels,
        config.fmin,
        config.fmax,
    )
    return render_mel(found.power @ bank.T, found.spans, config, placement)


def render_mel(
    mel: np.ndarray,
    spans: np.ndarray,
    config: FeatureConfig,
    placement: Placement | None = None,
) -> np.ndarray:
    """Turn mel powers (n_total_frames, n_mels) into features, as `render` does."""
    if len(spans) == 0:
        return np.zeros((0, *config.shape), dtype=np.float32)
    placement = placement or place(spans, config)
    n_frames = spans[:, 1] - spans[:, 0]
    clip = np.repeat(np.arange(len(spans)), n_frames)  # one entry a word frame
    offsets = np.concatenate([[0], np.cumsum(n_frames)])[:-1]
    frames = np.arange(len(clip)) + (spans[:, 0] - offsets)[clip]
    words = mel[frames]  # (n_word_frames, n_mels)
    average = np.full(words.shape[1], 1 / words.shape[1], dtype=np.float32)
    mean = np.add.reduceat(words @ average, offsets) / n_frames  # (n_clips,)
    floor = np.float32(config.floor)
    # Digital silence has no mean to be divided by, and stays at the floor.
    words /= np.maximum(mean, _SMALLEST).astype(np.float32)[clip, None]
    words += floor
    np.log(words, out=words)
    empty = np.log(floor)
    if config.normalise != "none":
        centre = np.add.reduceat(words, offsets) / n_frames[:, None].astype(np.float32)
        if config.normalise == "level":
            centre[:] = centre.mean(axis=1, keepdims=True)
        words -= centre[clip]
        square = np.einsum("ij,ij->i", words, words) / words.shape[1]
        square = np.add.reduceat(square, offsets) / n_frames
        words /= np.sqrt(square + 1e-6, dtype=np.float32)[clip, None]
        empty = np.float32(0)
    if config.kind == "mfcc":
        words = words @ cosine_transform(config.n_mfcc, config.n_mels).T
        silence = np.full(config.n_mels, empty, dtype=np.float32)
        padding = cosine_transform(config.n_mfcc, config.n_mels) @ silence  # (n_bins,)
    else:
        padding = np.full(config.n_mels, empty, dtype=np.float32)
    last = (offsets + n_frames - 1)[:, None]
    position = np.clip(
        placement.position - spans[:, :1] + offsets[:, None], offsets[:, None], last
    )
    below = position.astype(np.int64)
    part = (position - below).astype(np.float32)
    values = words[below]  # (n_clips, n_frames, n_bins)
    between = part.any(axis=1)  # most words stand on whole frames
    above = words[np.minimum(below + 1, last)[between]]
    values[between] += (above - values[between]) * part[between, :, None]
    values[~placement.is_word] = padding
    return np.ascontiguousarray(values.transpose(0, 2, 1), dtype=np.float32)


def place(spans: np.ndarray, config: FeatureConfig) -> Placement:
    """Place each word, frames from start to before stop, as `config.fit` says."""
    start = spans[:, :1].astype(np.float64)
    length = (spans[:, 1:] - spans[:, :1]).astype(np.float64)  # (n_clips, 1)
    frame = np.arange(config.n_frames)[None, :]
    if config.fit == "stretch":
        step = (length - 1) / (config.n_frames - 1)
        position = start + frame * step
        return Placement(position, np.ones_like(position, dtype=bool))
    # Longer words are squeezed into the frames that there are.
    step = np.maximum(1.0, (length - 1) / (config.n_frames - 1))
    filled = np.minimum(length, config.n_frames)
    first = (config.n_frames - filled) // 2
    position = start + (frame - first) * step
    return Placement(position, (frame >= first) & (frame < first + filled))


@lru_cache(maxsize=8)
def cosine_transform(n_mfcc: int, n_mels: int) -> np.ndarray:
    """Rows of the orthonormal cosine transform, type II: (n_mfcc, n_mels), read-only.

    References
    ----------
    .. [1] S. Davis and P. Mermelstein, "Comparison of parametric representations
       for monosyllabic word recognition in continuously spoken sentences", IEEE
       Transactions on Acoustics, Speech, and Signal Processing 28(4), 1980.
    """
    band = np.arange(n_mels) + 0.5
    rows = np.cos(np.pi / n_mels * np.arange(n_mfcc)[:, None] * band)
    rows *= np.sqrt(2 / n_mels)
    rows[0] /= np.sqrt(2)
    matrix = rows.astype(np.float32)
    matrix.setflags(write=False)
    return matrix


def join_spectra(parts: Sequence[Spectra], config: SpectrumConfig) -> Spectra:
    """Put the clips of several batches end to end."""
    if not parts:
        power = np.zeros((0, config.n_bins), dtype=np.float32)
        return Spectra(power, np.zeros(1, np.int64), np.zeros((0, 2), np.int64))
    offsets = np.concatenate([[0], np.cumsum([len(part.power) for part in parts])])
    bounds = [
        part.bounds[:-1] + begin for part, begin in zip(parts, offsets, strict=False)
    ]
    spans = [part.spans + begin for part, begin in zip(parts, offsets, strict=False)]
    return Spectra(
        np.concatenate([part.power for part in parts]),
        np.concatenate([*bounds, offsets[-1:]]).astype(np.int64),
        np.concatenate(spans).astype(np.int64),
    )


def _spectra_in_batches(
    audios: Sequence[Audio], config: FeatureConfig
) -> Iterator[Spectra]:
    """Spectra of whole recordings and the words in them, a batch at a time."""
    for batch in frames_in_batches(audios, config.spectrum):
        power, bounds = power_spectra(batch, config.spectrum)
        spans = speech_spans(power, bounds, config.speech, config.spectrum)
        yield Spectra(power, bounds, spans)
