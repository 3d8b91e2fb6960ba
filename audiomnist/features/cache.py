"""Features of whole corpora: read once, computed once, kept on disk.

Owns the way from clips to features and its cache. Augmentation works on spectra that
are kept here, so that no recording is decoded twice.
"""

import hashlib
import json
import logging
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audiomnist.audio.signal import Audio
from audiomnist.configs import config_to_dict
from audiomnist.corpora.clips import Clip, load_audio, read
from audiomnist.errors import AudioMnistError
from audiomnist.features.config import VERSION, FeatureConfig
from audiomnist.features.extraction import extract_spoken, join_spectra, spectra
from audiomnist.features.spectra import Spectra
from audiomnist.settings import settings, writable_folder
from audiomnist.storage import replacing

MAX_CACHE_FILES = 64
"""Sets of features kept on disk; the oldest go first."""

_CLIPS_AT_ONCE = 256


@dataclass(frozen=True, eq=False)
class ClipFeatures:
    """Features of the clips in which speech was found, and the clips without.

    Parameters
    ----------
    clips
        The clips in the order of `values`.
    values
        float32, shape (n_clips, n_bins, n_frames).
    missing
        Clips in which no speech was found.
    """

    clips: tuple[Clip, ...]
    values: np.ndarray
    missing: tuple[Clip, ...]

    @property
    def digits(self) -> np.ndarray:
        """What is said in the clips: int64, shape (n_clips,)."""
        return _digits(self.clips)


@dataclass(frozen=True, eq=False)
class ClipSpectra:
    """Spectra of the clips in which speech was found, and the clips without.

    Parameters
    ----------
    clips
        The clips in the order of `spectra`.
    spectra
        Of their words, with some context; each has speech.
    missing
        Clips in which no speech was found.
    """

    clips: tuple[Clip, ...]
    spectra: Spectra
    missing: tuple[Clip, ...]

    @property
    def digits(self) -> np.ndarray:
        """What is said in the clips: int64, shape (n_clips,)."""
        return _digits(self.clips)


def clip_features(
    clips: Sequence[Clip],
    config: FeatureConfig,
    *,
    on_progress: Callable[[int, int], None] | None = None,
) -> ClipFeatures:
    """Read clips and compute their features, or find both in the cache.

    The cache goes by the bytes of the recordings, by `config` and by the code that
    computes features, so that a change of any is never answered with old ones.

    Parameters
    ----------
    clips
        Clips of any corpora.
    config
        What the features are.
    on_progress
        Called with the number of clips done and of clips in all.

    Raises
    ------
    CorpusError
        If a recording has gone.
    AudioError
        If a recording cannot be decoded or is shorter than one window.
    """
    path = settings().cache / "features" / f"{_content_key(clips, config)}.npz"
    is_speech, values = _read_cache(path, len(clips), config) or (None, None)
    if is_speech is None or values is None:
        parts = [
            extract_spoken(audios, config) for audios in _decoded(clips, on_progress)
        ]
        is_speech = np.concatenate(
            [part[0] for part in [extract_spoken([], config), *parts]]
        )
        values = np.concatenate(
            [part[1] for part in [extract_spoken([], config), *parts]]
        )
        _write_cache(path, is_speech, values)
    kept, missing = _sort_out(clips, is_speech)
    return ClipFeatures(kept, values, missing)


def clip_spectra(
    clips: Sequence[Clip],
    config: FeatureConfig,
    *,
    on_progress: Callable[[int, int], None] | None = None,
) -> ClipSpectra:
    """Read clips and compute the spectra of their words, for augmentation.

    Raises
    ------
    CorpusError
        If a recording has gone.
    AudioError
        If a recording cannot be decoded or is shorter than one window.
    """
    parts = [spectra(audios, config) for audios in _decoded(clips, on_progress)]
    joined = join_spectra(parts, config.spectrum)
    kept, missing = _sort_out(clips, joined.is_speech)
    return ClipSpectra(kept, with_speech(joined), missing)


def with_speech(spectra: Spectra) -> Spectra:
    """Leave the clips without speech out; they have no frames."""
    bounds = np.append(spectra.bounds[:-1][spectra.is_speech], len(spectra.power))
    return Spectra(spectra.power, bounds, spectra.spans[spectra.is_speech])


def _decoded(
    clips: Sequence[Clip], on_progress: Callable[[int, int], None] | None
) -> Iterator[list[Audio]]:
    """Decode clips, some at a time."""
    for begin in range(0, len(clips), _CLIPS_AT_ONCE):
        batch = clips[begin : begin + _CLIPS_AT_ONCE]
        yield [load_audio(clip) for clip in batch]
        if on_progress is not None:
            on_progress(begin + len(batch), len(clips))


def _digits(clips: Sequence[Clip]) -> np.ndarray:
    """What is said in clips: int64, shape (n_clips,)."""
    return np.array([clip.digit for clip in clips], dtype=np.int64)


def _sort_out(
    clips: Sequence[Clip], is_speech: np.ndarray
) -> tuple[tuple[Clip, ...], tuple[Clip, ...]]:
    """The clips with speech and those without."""
    kept = tuple(
        clip for clip, is_kept in zip(clips, is_speech, strict=True) if is_kept
    )
    rest = tuple(
        clip for clip, is_kept in zip(clips, is_speech, strict=True) if not is_kept
    )
    return kept, rest


def _content_key(clips: Sequence[Clip], config: FeatureConfig) -> str:
    """Digest of the version, of the settings and of every recording's bytes."""
    digest = hashlib.sha256(f"features {VERSION}".encode())
    digest.update(json.dumps(config_to_dict(config), sort_keys=True).encode())
    for clip in clips:
        data = read(clip)
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.hexdigest()


def _read_cache(
    path: Path, n_clips: int, config: FeatureConfig
) -> tuple[np.ndarray, np.ndarray] | None:
    """What `_write_cache` wrote; None if it is not there or damaged."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            is_speech, values = arrays["is_speech"], arrays["values"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    if is_speech.shape != (n_clips,) or values.shape != (
        is_speech.sum(),
        *config.shape,
    ):
        return None
    return is_speech, values


def _write_cache(path: Path, is_speech: np.ndarray, values: np.ndarray) -> None:
    """Write a cache file in one step, and drop the oldest beyond the limit.

    A disk that is full or read-only costs the time to compute the features
    again, and nothing else: the result stands without the cache.
    """
    try:
        writable_folder(path.parent)
        with replacing(path) as unfinished:
            np.savez(unfinished, is_speech=is_speech, values=values)
        files = sorted(path.parent.glob("*.npz"), key=lambda old: old.stat().st_mtime)
        for old in files[:-MAX_CACHE_FILES]:
            old.unlink(missing_ok=True)
    except (OSError, AudioMnistError) as error:
        logging.getLogger(__name__).warning("Features are not cached: %s", error)
