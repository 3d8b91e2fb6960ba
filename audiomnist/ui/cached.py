"""Calls of the package whose results are kept between reruns and visitors.

What is shared is read-only. A corpus or model can be replaced under its name, by this
app or by another process: where it lies and when it was written is part of each key.
"""

import contextlib
import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import streamlit as st

from audiomnist.audio.signal import Audio
from audiomnist.corpora import checks, library
from audiomnist.corpora.clips import Clip, Corpus, duration
from audiomnist.corpora.split_rules import RULES
from audiomnist.errors import CorpusError, ModelError, RunError
from audiomnist.evaluation.evaluate import evaluate
from audiomnist.evaluation.files import FILE_NAME, load_evaluation
from audiomnist.evaluation.metrics import Evaluation
from audiomnist.evaluation.rejection import at_threshold
from audiomnist.evaluation.significance import Rate
from audiomnist.recognition.models import LITERT, find_model
from audiomnist.recognition.recognizer import Recognizer
from audiomnist.recognition.record import RECORD
from audiomnist.runs.config import RunConfig
from audiomnist.runs.folder import Run
from audiomnist.runs.record import read_record
from audiomnist.settings import settings

OnProgress = Callable[[int, int], None]
"""Gets the number of clips done and their total."""

Stamp = tuple[object, ...]
"""Where files lie and when they were written: others have another."""

_LOOKING = "Looking at the recordings …"

_WARM_UP_RATE = 48_000
"""Hz; resampling is part of what takes its time at first."""


@dataclass(frozen=True)
class _Part:
    """Clips to evaluate on, and what tells them from others."""

    clips: tuple[Clip, ...]
    corpora: tuple[str, ...]

    @cached_property
    def digest(self) -> str:
        """Sha256 over where the clips lie: quicker than hashing every field."""
        lines = "\n".join(f"{clip.path} {clip.member}" for clip in self.clips)
        return hashlib.sha256(lines.encode()).hexdigest()


def corpus(name: str) -> Corpus:
    """Load a corpus by its name, as `corpora.load_corpus` does."""
    return _corpus(name, _corpus_stamp(name))


@st.cache_data(
    max_entries=8,
    show_spinner=_LOOKING,
    hash_funcs={Corpus: lambda corpus: (corpus.digest, _corpus_stamp(corpus.name))},
)
def durations(corpus: Corpus) -> np.ndarray:
    """Measure all clips of a corpus; a second or so for thousands of them.

    Returns
    -------
    np.ndarray
        Seconds, float64, shape (n_clips,), in the order of `corpus.clips`.
    """
    return np.array([duration(clip) for clip in corpus.clips])


def corpus_remarks(name: str) -> tuple[str, ...]:
    """What is wrong with a corpus, in sentences; all recordings are looked at once."""
    return _corpus_remarks(name, _corpus_stamp(name))


def split_remarks(config: RunConfig) -> tuple[str, ...]:
    """What a run's test would not tell, in sentences; where it cannot be split, yet."""
    stamps = tuple(_corpus_stamp(name) for name in config.corpora)
    split = (config.split_rule, config.split_seed, config.held_out)
    return _split_remarks(config.corpora, split, stamps)


def recognizer(model: str) -> Recognizer:
    """Load a trained model by its name, ready to predict."""
    return _recognizer(model, _model_stamp(model))


def held_out(model: str) -> Evaluation:
    """Read a model's evaluation on the test part of its own split."""
    return _held_out(
        model,
        (
            *_model_stamp(model, FILE_NAME),
            *(_corpus_stamp(name) for name in library.available()),
        ),
    )


def evaluate_corpus(
    model: str, name: str, on_progress: OnProgress | None = None
) -> Evaluation:
    """Evaluate a model on all clips of a corpus; `on_progress` as of `evaluate`."""
    return _evaluate_part(model, _Part(corpus(name).clips, (name,)), on_progress)


def evaluate_same(
    model: str, other: Evaluation, on_progress: OnProgress | None = None
) -> Evaluation:
    """Evaluate a model on the clips of another evaluation, as `evaluate_corpus`."""
    return _evaluate_part(model, _Part(other.clips, other.corpora), on_progress)


class Tested(NamedTuple):
    """The result of a run on its test part.

    Parameters
    ----------
    accuracy
        Of its digits.
    coverage
        Share of its digits that the model answers, rightly or not.
    false_answers
        Share of the other words that it takes for a digit.
    speakers
        Who speaks in its clips.
    """

    accuracy: Rate
    coverage: Rate
    false_answers: Rate
    speakers: frozenset[str]


def tested(run: Run) -> Tested | None:
    """The result of a finished run on its test part; None where it was not tested."""
    try:
        written = tuple(
            (run.folder / name).stat().st_mtime_ns for name in (FILE_NAME, RECORD)
        )
    except OSError:
        return None
    return _tested(run.folder, written)


def _evaluate_part(
    model: str, part: _Part, on_progress: OnProgress | None
) -> Evaluation:
    """Evaluate a model as it is on clips as they are."""
    recordings = tuple(_corpus_stamp(name) for name in part.corpora)
    slot = _slot(model, part, (*_model_stamp(model), *recordings))
    if slot.evaluation is None and on_progress is not None:
        on_progress(0, len(part.clips))
    with slot.lock:
        if slot.evaluation is None:
            slot.evaluation = evaluate(
                recognizer(model).model,
                part.clips,
                corpora=part.corpora,
                on_progress=on_progress,
            )
    return slot.evaluation


def _corpus_stamp(name: str) -> Stamp:
    """Tells a corpus from another one under the same name."""
    if name == "embedded":
        return _stamp(library.EMBEDDED_ARCHIVE)
    folder = settings().corpora / name
    return _stamp(folder, folder / "recordings")  # where imported ones lie


def _model_stamp(name: str, *more_files: str) -> Stamp:
    """Tells a model from another one under the same name, shipped or made by a run."""
    here = settings()
    files = (RECORD, LITERT, *more_files)
    roots = (here.models, here.runs)
    return _stamp(*(root / name / file for root in roots for file in files))


def _stamp(*paths: Path) -> Stamp:
    """Paths, and of each that exists its number, time and size."""
    parts: list[object] = []
    for path in paths:
        parts.append(str(path))
        with contextlib.suppress(OSError):
            status = path.stat()
            parts += [status.st_ino, status.st_mtime_ns, status.st_size]
    return tuple(parts)


@st.cache_resource(max_entries=8, show_spinner=False)
def _corpus(name: str, stamp: Stamp) -> Corpus:
    """The corpus of that name and stamp."""
    return library.load_corpus(name)


@st.cache_data(max_entries=32, show_spinner=_LOOKING)
def _corpus_remarks(name: str, stamp: Stamp) -> tuple[str, ...]:
    """What is wrong with the corpus of that name and stamp."""
    return tuple(checks.check_corpus(corpus(name)))


@st.cache_data(max_entries=64, show_spinner=_LOOKING)
def _split_remarks(
    names: tuple[str, ...], split: tuple[str, int, str], stamps: tuple[Stamp, ...]
) -> tuple[str, ...]:
    """What is wrong with corpora that are split by this rule, seed and choice."""
    corpora = [corpus(name) for name in names]
    rule, seed, held_out = split
    try:
        found = RULES[rule].split(corpora, seed, held_out=held_out)
    except CorpusError:  # the start will say why
        return tuple(line for each in names for line in corpus_remarks(each))
    return tuple(checks.check_split(found, corpora).sentences())


@st.cache_resource(max_entries=8, show_spinner=False)
def _recognizer(model: str, stamp: Stamp) -> Recognizer:
    """The model of that name, warmed up: the first prediction is the slowest."""
    loaded = Recognizer(find_model(model))
    noise = np.random.default_rng(0).normal(0, 0.01, _WARM_UP_RATE)
    loaded.predict(Audio(noise.astype(np.float32), _WARM_UP_RATE))
    return loaded


@st.cache_resource(max_entries=16, show_spinner=False)
def _held_out(model: str, stamp: Stamp) -> Evaluation:
    """The evaluation that was saved with the model."""
    return load_evaluation(find_model(model).folder)


@st.cache_data(max_entries=1024, show_spinner=False)
def _tested(folder: Path, written: tuple[int, ...]) -> Tested | None:
    """What evaluation and record say that were written at these times, in ns."""
    try:
        evaluation, model = load_evaluation(folder), read_record(folder).model
    except (ModelError, RunError):
        return None
    if model is None:
        return None
    point = at_threshold(evaluation, model.calibration.threshold)
    return Tested(
        evaluation.accuracy,
        point.coverage,
        point.false_answers,
        frozenset(clip.speaker for clip in evaluation.clips),
    )


class _Slot:
    """Keeps one evaluation: made once, while whoever else wants it waits.

    It is filled outside of the cached function, in which nothing can be shown.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.evaluation: Evaluation | None = None


@st.cache_resource(
    max_entries=16,
    show_spinner=False,
    hash_funcs={_Part: lambda part: part.digest},
)
def _slot(model: str, part: _Part, stamp: Stamp) -> _Slot:
    """Where the model's answers to the clips of a part are kept."""
    return _Slot()
