"""Features of whole corpora: read once, computed once, kept on disk.

Owns the way from clips to features and its cache. Augmentation works on spectra that
are kept here, so that no recording is decoded twice.
"""

import contextlib
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
"""Sets of features or spectra kept on disk; those not used for longest go first."""

MAX_CACHE_BYTES = 2 * 1024**3
"""Size of all sets together; one of more than half of it is not kept at all."""

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
    path = _path("features", clips, config)
    is_speech, values = _read_features(path, len(clips), config) or (None, None)
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
        _write_cache(path, is_speech=is_speech, values=values)
    kept, missing = _sort_out(clips, is_speech)
    return ClipFeatures(kept, values, missing)


def clip_spectra(
    clips: Sequence[Clip],
    config: FeatureConfig,
    *,
    on_progress: Callable[[int, int], None] | None = None,
) -> ClipSpectra:
    """Read clips and compute the spectra of their words, or find them in the cache.

    Augmentation varies them anew in each epoch, so that no features can be kept in
    their place. The cache goes by the same as that of `clip_features`.

    Raises
    ------
    CorpusError
        If a recording has gone.
    AudioError
        If a recording cannot be decoded or is shorter than one window.
    """
    path = _path("spectra", clips, config)
    joined = _read_spectra(path, len(clips), config)
    if joined is None:
        parts = [spectra(audios, config) for audios in _decoded(clips, on_progress)]
        joined = join_spectra(parts, config.spectrum)
        _write_cache(path, **vars(joined))
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


def _path(kind: str, clips: Sequence[Clip], config: FeatureConfig) -> Path:
    """The cache file of "features" or "spectra"."""
    return settings().cache / kind / f"{_content_key(clips, config)}.npz"


def _read_features(
    path: Path, n_clips: int, config: FeatureConfig
) -> tuple[np.ndarray, np.ndarray] | None:
    """Which clips have speech, and their features; None if there are none."""
    arrays = _read_cache(path, "is_speech", "values")
    if arrays is None:
        return None
    is_speech, values = arrays
    if is_speech.shape != (n_clips,) or values.shape != (
        is_speech.sum(),
        *config.shape,
    ):
        return None
    return is_speech, values


def _read_spectra(path: Path, n_clips: int, config: FeatureConfig) -> Spectra | None:
    """Spectra of that many clips; None if there are none."""
    arrays = _read_cache(path, "power", "bounds", "spans")
    if arrays is None:
        return None
    power, bounds, spans = arrays
    if bounds.shape != (n_clips + 1,) or spans.shape != (n_clips, 2):
        return None
    if power.shape != (bounds[-1], config.spectrum.n_bins):
        return None
    return Spectra(power, bounds, spans)


def _read_cache(path: Path, *names: str) -> list[np.ndarray] | None:
    """What `_write_cache` wrote; None if it is not there or damaged."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            found = [arrays[name] for name in names]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    with contextlib.suppress(OSError):  # a disk that may only be read
        path.touch()
    return found


def _write_cache(path: Path, **arrays: np.ndarray) -> None:
    """Write a cache file in one step, and drop what was not used for longest.

    A disk that is full or read-only costs the time to compute the features
    again, and nothing else: the result stands without the cache.
    """
    if sum(array.nbytes for array in arrays.values()) > MAX_CACHE_BYTES / 2:
        return
    try:
        writable_folder(path.parent)
        with replacing(path) as unfinished:
            np.savez(unfinished, allow_pickle=False, **arrays)
        _drop_oldest(path.parent.parent)
    except (OSError, AudioMnistError) as error:
        logging.getLogger(__name__).warning("Features are not cached: %s", error)


def _drop_oldest(folder: Path) -> None:
    """Keep the files that were used last, up to the limits of number and size."""
    files = []
    for path in (*folder.glob("features/*.npz"), *folder.glob("spectra/*.npz")):
        with contextlib.suppress(FileNotFoundError):  # dropped by another process
            stat = path.stat()
            files.append((stat.st_mtime, stat.st_size, path))
    n_bytes = 0
    for number, (_, size, path) in enumerate(sorted(files, reverse=True), start=1):
        n_bytes += size
        if number > MAX_CACHE_FILES or n_bytes > MAX_CACHE_BYTES:
            path.unlink(missing_ok=True)
