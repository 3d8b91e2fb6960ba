"""From a run's clips to the spectra and features that it learns from.

Owns the data of its training, with the negatives.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from audiomnist.corpora.clips import Clip
from audiomnist.corpora.other_words import EMBEDDED
from audiomnist.features.cache import (
    ClipSpectra,
    clip_features,
    clip_spectra,
    with_speech,
)
from audiomnist.features.extraction import extract_spoken, join_spectra, spectra
from audiomnist.runs.clips import RunClips
from audiomnist.runs.config import RunConfig
from audiomnist.training.config import TrainConfig
from audiomnist.training.data import TrainingData
from audiomnist.training.negatives import noises

_N_NOISES, _N_VALIDATION_NOISES = 400, 100
_MOST_OFTEN = 20.0
_NOISE_WEIGHT = 3.0  # beside a made word: each stands for more kinds of sounds


def prepare(
    clips: RunClips, config: RunConfig, on_progress: Callable[[float], None]
) -> TrainingData:
    """Read the clips to learn from and to validate with.

    Parameters
    ----------
    clips
        The run's recordings.
    config
        What the run is made of.
    on_progress
        Called with the part that is done, from 0 to 1.

    Raises
    ------
    CorpusError
        If a recording has gone.
    AudioError
        If a recording cannot be decoded.
    """
    split, others = clips.split, clips.split_words
    parts = (split.train, split.validation, others["train"], others["validation"])
    n_before = np.cumsum([0, *map(len, parts)])

    def show(part: int) -> Callable[[int, int], None]:
        return lambda done, _: on_progress((n_before[part] + done) / n_before[-1])

    features = config.features
    learned = clip_spectra(split.train, features, on_progress=show(0))
    kept = clip_features(split.validation, features, on_progress=show(1))
    data = TrainingData(
        learned.spectra,
        learned.digits,
        kept.values,
        kept.digits,
        features,
        weights=_weights(learned.clips, config.training, clips),
        is_unknown=_is_unknown(kept.clips, split.train),
    )
    if not clips.words:
        return data
    words = clip_spectra(others["train"], features, on_progress=show(2))
    held_out = clip_features(others["validation"], features, on_progress=show(3))
    return _with_negatives(
        data, words, held_out.values, clips.words, config.training.seed
    )


def _with_negatives(
    data: TrainingData,
    words: ClipSpectra,
    held_out: np.ndarray,
    sources: dict[str, tuple[Clip, ...]],
    seed: int,
) -> TrainingData:
    """Add the negatives: other words, those held out for validation, and noises."""
    features, rng = data.features, np.random.default_rng(seed)
    sounds = with_speech(spectra(noises(_N_NOISES, rng), features))
    _, hums = extract_spoken(noises(_N_VALIDATION_NOISES, rng), features)
    return replace(
        data,
        negatives=join_spectra([words.spectra, sounds], features.spectrum),
        negative_weights=_negative_weights(words.clips, len(sounds), sources),
        validation_negatives=np.concatenate([held_out, hums]),
    )


def _is_unknown(clips: Sequence[Clip], training: Sequence[Clip]) -> np.ndarray:
    """Which clips are by nobody who speaks in the training, bool, (n_clips,)."""
    known = {clip.speaker for clip in training}
    return np.array([clip.speaker not in known for clip in clips], dtype=bool)


def _weights(
    clips: tuple[Clip, ...], training: TrainConfig, run_clips: RunClips
) -> np.ndarray | None:
    """How often each clip is learned from, (n_clips,); None where all are equal."""
    if training.speaker_balance == 0 and training.synthetic_weight == 1:
        return None
    synthetic = {
        clip
        for corpus in run_clips.corpora.values()
        if corpus.is_synthetic
        for clip in corpus.clips
    }
    n_clips = Counter((clip.speaker, clip in synthetic) for clip in clips)
    return np.array(
        [
            (training.synthetic_weight if clip in synthetic else 1.0)
            * n_clips[clip.speaker, clip in synthetic] ** -training.speaker_balance
            for clip in clips
        ]
    )


def _negative_weights(
    words: tuple[Clip, ...], n_noises: int, sources: dict[str, tuple[Clip, ...]]
) -> np.ndarray:
    """How often each word and noise is drawn, (n_words + n_noises,).

    Recorded words are few, and like what visitors say: all of them together are drawn
    as often as all synthetic ones, and those of each source as often as those of
    another, but none of them more than `_MOST_OFTEN` times as often as a synthetic
    word.
    """
    source_of = {clip: name for name, clips in sources.items() for clip in clips}
    n_clips = Counter(source_of[clip] for clip in words)
    made = _NOISE_WEIGHT * n_noises + n_clips[EMBEDDED]
    n_recorded = sum(name != EMBEDDED for name in n_clips)
    weight_of = {
        name: 1.0 if name == EMBEDDED else min(made / n_recorded / n, _MOST_OFTEN)
        for name, n in n_clips.items()
    }
    of_words = [weight_of[source_of[clip]] for clip in words]
    return np.array(of_words + n_noises * [_NOISE_WEIGHT])
