"""Augmentation of spoken words: tempo, voice, room, microphone, noise, and cuts.

Owns the variations, which work on stored power spectra, so that every epoch sees new
versions of each clip without decoding one again. Each function takes its randomness as
an argument. Drawing an epoch is for `data`.
"""

import numpy as np

from audiomnist.features.config import FeatureConfig
from audiomnist.features.rendering import Placement, render_mel, window_middle
from audiomnist.features.spectra import Spectra
from audiomnist.training.config import AugmentationConfig
from audiomnist.training.noise import add_noise

_N_WARPS = 15
"""Filter banks between the lowest and the highest warp."""

_EQUALISER_POINTS = 6
"""Random gains over the mel bands, joined by straight lines."""

# Small rooms to large ones, and how far away the microphone is: the energy decays by
# 60 dB over the first, and the sound that comes straight is stronger by the second.
_REVERBERATION_TIME, _DIRECT_DB = (0.1, 0.7), (-3.0, 15.0)

# Bands below or above these parts of all bands are lost, by so many dB.
_LOST_LOW, _LOST_HIGH, _LOSS_DB = (0.0, 0.25), (0.75, 1.0), 25.0

# Of those that are cut, so many lose their end; the others, their beginning. What is
# lost are these parts of what was found as the word, at most. All three are guesses.
_END_CUT_PART, _LONGEST_END, _LONGEST_BEGINNING = 0.7, 0.3, 0.2


def augment(
    spectra: Spectra,
    features: FeatureConfig,
    config: AugmentationConfig,
    rng: np.random.Generator,
) -> np.ndarray:
    """Make one new version of each clip.

    Parameters
    ----------
    spectra
        Spectra of clips that all have speech.
    features
        What the network sees.
    config
        How much the versions differ.
    rng
        Source of all randomness.

    Returns
    -------
    np.ndarray
        float32, shape (n_clips, n_bins, n_frames).
    """
    if len(spectra) == 0:
        return np.zeros((0, *features.shape), dtype=np.float32)
    mel = _warped_mel(spectra, features, config, rng)  # (n_total_frames, n_mels)
    spans = _moved_end_points(spectra, features, config, rng)
    spans, is_lost = _cut_off(spans, spectra.bounds, config, rng)
    _disturb(mel, spectra, spans, features, config, rng)
    mel[is_lost] = 0
    placement = _placement(spans, features, config, rng)
    return render_mel(mel, spectra.bounds, spans, features, placement)


def augment_pairs(
    spectra: Spectra,
    features: FeatureConfig,
    config: AugmentationConfig,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Make one new version of each clip, once as it is and once disturbed.

    Both are whole words of the same tempo, voice and place; room, noise and microphone
    are in the second alone.

    Parameters
    ----------
    spectra, features, config, rng
        As in `augment`; one clip at least.

    Returns
    -------
    tuple[np.ndarray, np.ndarray]
        Undisturbed and disturbed, each float32, shape (n_clips, n_bins, n_frames).
    """
    mel = _warped_mel(spectra, features, config, rng)  # (n_total_frames, n_mels)
    spans = _moved_end_points(spectra, features, config, rng)
    placement = _placement(spans, features, config, rng)
    clean = render_mel(mel, spectra.bounds, spans, features, placement)
    _disturb(mel, spectra, spans, features, config, rng)
    return clean, render_mel(mel, spectra.bounds, spans, features, placement)


def _disturb(
    mel: np.ndarray,
    spectra: Spectra,
    spans: np.ndarray,
    features: FeatureConfig,
    config: AugmentationConfig,
    rng: np.random.Generator,
) -> None:
    """Add what lies between a mouth and a file: room, noise, microphone; in `mel`."""
    clip = np.repeat(np.arange(len(spectra)), np.diff(spectra.bounds))
    if config.reverberation_part:
        _reverberate(mel, spectra.bounds, features.spectrum.hop, config, rng)
    if config.noise_part:
        add_noise(
            mel,
            spectra.bounds,
            spans,
            features,
            rng,
            part=config.noise_part,
            babble_part=config.babble_part,
            range_db=(config.noise_low_db, config.noise_high_db),
        )
    if config.equaliser_db:
        mel *= _equaliser(len(spectra), features.n_mels, config, rng)[clip]
    if config.band_part:
        mel *= _lost_bands(len(spectra), features.n_mels, config, rng)[clip]


def _warped_mel(
    spectra: Spectra,
    features: FeatureConfig,
    config: AugmentationConfig,
    rng: np.random.Generator,
) -> np.ndarray:
    """Mel powers, each clip through a filter bank of its own warp."""
    warps = np.linspace(1 - config.warp, 1 + config.warp, _N_WARPS)
    choice = rng.integers(_N_WARPS, size=len(spectra))
    mel = np.empty((len(spectra.power), features.n_mels), dtype=np.float32)
    chosen = np.repeat(choice, np.diff(spectra.bounds))  # (n_total_frames,)
    for number, warp in enumerate(warps):
        bank = features.filter_bank(float(warp))
        frames = np.flatnonzero(chosen == number)
        mel[frames] = spectra.power[frames] @ bank.T
    return mel


def _equaliser(
    n_clips: int, n_mels: int, config: AugmentationConfig, rng: np.random.Generator
) -> np.ndarray:
    """Smooth random gains in power, (n_clips, n_mels)."""
    points = rng.normal(0, config.equaliser_db, (n_clips, _EQUALISER_POINTS))
    position = np.linspace(0, _EQUALISER_POINTS - 1, n_mels)
    below = np.minimum(position.astype(int), _EQUALISER_POINTS - 2)
    part = position - below
    gain_db = points[:, below] * (1 - part) + points[:, below + 1] * part
    return (10 ** (gain_db / 10)).astype(np.float32)


def _moved_end_points(
    spectra: Spectra,
    features: FeatureConfig,
    config: AugmentationConfig,
    rng: np.random.Generator,
) -> np.ndarray:
    """The words' spans with each end moved at random, two frames long or more."""
    most = round(config.end_points / features.spectrum.hop)
    moves = rng.integers(-most, most + 1, size=spectra.spans.shape)
    moved = np.clip(
        spectra.spans + moves, spectra.bounds[:-1, None], spectra.bounds[1:, None]
    )
    too_short = moved[:, 1] - moved[:, 0] < 2
    moved[too_short] = spectra.spans[too_short]
    return moved


def _cut_off(
    spans: np.ndarray,
    bounds: np.ndarray,
    config: AugmentationConfig,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """End some recordings within the word, or begin them there.

    Returns the spans of what is left, two frames long or more, and which frames were
    never recorded: bool, (n_total_frames,).
    """
    n_clips = len(spans)
    if not config.cut_part:
        return spans, np.zeros(bounds[-1], dtype=bool)
    is_cut = rng.random(n_clips) < config.cut_part
    at_end = rng.random(n_clips) < _END_CUT_PART
    longest = np.where(at_end, _LONGEST_END, _LONGEST_BEGINNING)
    length = spans[:, 1] - spans[:, 0]
    n_lost = (rng.random(n_clips) * longest * (length - 2)).round().astype(np.int64)
    n_lost[~is_cut] = 0
    kept = spans + np.stack(
        [np.where(at_end, 0, n_lost), np.where(at_end, -n_lost, 0)], axis=1
    )
    clip = np.repeat(np.arange(n_clips), np.diff(bounds))
    frame = np.arange(bounds[-1])
    is_lost = np.where(at_end[clip], frame >= kept[clip, 1], frame < kept[clip, 0])
    return kept, is_lost & is_cut[clip]


def _reverberate(
    mel: np.ndarray,
    bounds: np.ndarray,
    hop: float,
    config: AugmentationConfig,
    rng: np.random.Generator,
) -> None:
    """Let some of the clips decay exponentially, as in a room; changes `mel`."""
    n_clips = len(bounds) - 1
    chosen = np.flatnonzero(rng.random(n_clips) < config.reverberation_part)
    if len(chosen) == 0:
        return
    time = rng.uniform(*_REVERBERATION_TIME, (len(chosen), 1))
    decay = (10 ** (-6 * hop / time)).astype(np.float32)  # of power, in one frame
    direct_db = rng.uniform(*_DIRECT_DB, (len(chosen), 1))
    gain = ((1 - decay) * 10 ** (-direct_db / 10)).astype(np.float32)
    first, n_frames = bounds[:-1][chosen], np.diff(bounds)[chosen]
    order = np.argsort(-n_frames, kind="stable")  # the longest first
    first, n_frames, decay, gain = (
        first[order],
        n_frames[order],
        decay[order],
        gain[order],
    )
    tail = np.zeros((len(chosen), mel.shape[1]), dtype=np.float32)
    for frame in range(int(n_frames[0])):
        alive = int(np.searchsorted(-n_frames, -frame, side="left"))
        here = first[:alive] + frame
        direct = mel[here]
        mel[here] = direct + tail[:alive]
        tail = decay[:alive] * tail[:alive] + gain[:alive] * direct


def _lost_bands(
    n_clips: int, n_mels: int, config: AugmentationConfig, rng: np.random.Generator
) -> np.ndarray:
    """Gains in power that take the ends of the range away, (n_clips, n_mels)."""
    low = rng.uniform(*_LOST_LOW, (n_clips, 1)) * n_mels
    high = rng.uniform(*_LOST_HIGH, (n_clips, 1)) * n_mels
    band = np.arange(n_mels) + 0.5
    is_lost = (band < low) | (band > high)
    is_lost &= rng.random((n_clips, 1)) < config.band_part
    return np.where(is_lost, np.float32(10 ** (-_LOSS_DB / 10)), np.float32(1))


def _placement(
    spans: np.ndarray,
    features: FeatureConfig,
    config: AugmentationConfig,
    rng: np.random.Generator,
) -> Placement:
    """Place the words at another tempo and, where they are padded, off the middle."""
    n_clips = len(spans)
    length = (spans[:, 1:] - spans[:, :1]).astype(np.float64)
    frame = np.arange(features.n_frames)[None, :]
    bend = rng.uniform(-config.bend, config.bend, (n_clips, 1))
    if features.fit == "stretch":
        # The tempo is taken away by stretching, but for a bend of it.
        part = np.broadcast_to(frame / (features.n_frames - 1), (n_clips, frame.size))
        position = spans[:, :1] + _bent(part, bend) * (length - 1)
        return Placement(position, np.ones_like(position, dtype=bool))
    low, high = np.log(config.slowest), np.log(config.fastest)
    tempo = np.exp(rng.uniform(low, high, (n_clips, 1)))
    most = config.shift / features.spectrum.hop
    shift = rng.uniform(-most, most, (n_clips, 1)).round()
    step = np.maximum(tempo, (length - 1) / (features.n_frames - 1))
    if features.fit == "window":
        part = np.broadcast_to(frame / (features.n_frames - 1), (n_clips, frame.size))
        position = (_bent(part, bend) - 0.5) * (features.n_frames - 1) * step
        # The word stays inside.
        most = np.maximum(0, ((features.n_frames - 1) * step - (length - 1)) / 2)
        position += window_middle(spans) + np.clip(shift, -most, most)
        return Placement(position, np.ones_like(position, dtype=bool))
    filled = np.floor((length - 1) / step) + 1
    room = features.n_frames - filled
    first = np.clip(room // 2 + shift, 0, room)
    part = np.clip((frame - first) * step / np.maximum(length - 1, 1), 0, 1)
    position = spans[:, :1] + _bent(part, bend) * (length - 1)
    return Placement(position, (frame >= first) & (frame < first + filled))


def _bent(part: np.ndarray, bend: np.ndarray) -> np.ndarray:
    """Parts of a word, from 0 to 1, one half slower and the other faster."""
    return part + bend * part * (1 - part)
