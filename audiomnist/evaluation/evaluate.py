"""Evaluate a trained model on clips that it has not learned from.

Owns the evaluation of a model and the comparison of two. What follows from the answers
is for `metrics` and `rejection`, the file of an evaluation for `files`. Which clips are
held out is decided by the split.
"""

from collections.abc import Callable, Sequence

import numpy as np

from audiomnist.corpora.clips import Clip
from audiomnist.digits import N_DIGITS
from audiomnist.errors import CorpusError, ModelError
from audiomnist.evaluation.files import file_name
from audiomnist.evaluation.metrics import Evaluation, Identity, identity
from audiomnist.evaluation.significance import McNemar, exact_mcnemar
from audiomnist.features.cache import clip_features
from audiomnist.recognition.models import Model

_BATCH_SIZE = 1024


def evaluate(
    model: Model,
    clips: Sequence[Clip],
    *,
    corpora: Sequence[str] = (),
    other_words: Sequence[Clip] = (),
    on_progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Evaluate a model on labelled clips, and on other words that it should reject.

    Parameters
    ----------
    model
        A trained model; its own feature configuration is used.
    clips
        Clips that it was not trained on, if the result is to mean something.
    corpora
        Names of the corpora that they are from.
    other_words
        Recordings of words that are not digits; the digit of these clips is ignored.
    on_progress
        Called with the number of recordings done and their total.

    Raises
    ------
    CorpusError
        If there is no clip to evaluate on.
    AudioError
        If a recording cannot be read.

    Examples
    --------
    >>> from audiomnist.corpora.library import load_corpus
    >>> from audiomnist.recognition.models import find_model
    >>> clips = load_corpus("embedded").clips[:20]
    >>> evaluation = evaluate(find_model("cnn"), clips, corpora=["embedded"])
    >>> evaluation.accuracy.n, evaluation.confusion().shape
    (20, (10, 11))
    """
    if not clips:
        raise CorpusError("There is no clip to evaluate on. Choose a larger part.")
    total = len(clips) + len(other_words)

    def report(n_before: int, n_done: int) -> None:
        if on_progress is not None:
            on_progress(n_before + n_done, total)

    # In two passes: other words must not change the batches of the digits.
    return Evaluation(
        tuple(clips),
        _predict(model, clips, lambda done, _: report(0, done)),
        tuple(corpora),
        _predict(model, other_words, lambda done, _: report(len(clips), done)),
        tuple(file_name(clip) for clip in other_words),
    )


def mcnemar(a: Evaluation, b: Evaluation) -> McNemar:
    """Compare two models on the same clips, in whatever order.

    Clips are the same when corpus, digit, speaker, take and file name are, wherever
    the recordings lie.

    Raises
    ------
    ModelError
        If the evaluations are of different clips.
    """
    clips_a, correct_a = _correct_in_order(a)
    clips_b, correct_b = _correct_in_order(b)
    if clips_a != clips_b:
        n_common = len(set(clips_a).intersection(clips_b))
        raise ModelError(
            f"The two evaluations are of different clips: {len(a.clips)} and "
            f"{len(b.clips)}, of which {n_common} are the same. Evaluate both models "
            "on the same clips and compare again."
        )
    return exact_mcnemar(correct_a, correct_b)


def _correct_in_order(evaluation: Evaluation) -> tuple[list[Identity], list[bool]]:
    """What the clips are, sorted, and whether each was recognized correctly."""
    clips = [identity(clip) for clip in evaluation.clips]
    order = sorted(range(len(clips)), key=clips.__getitem__)
    is_correct = evaluation.is_correct
    return [clips[i] for i in order], [bool(is_correct[i]) for i in order]


def _predict(
    model: Model, clips: Sequence[Clip], on_progress: Callable[[int, int], None]
) -> np.ndarray:
    """A model's probabilities for each clip, NaN where no speech is found."""
    features = clip_features(clips, model.features, on_progress=on_progress)
    rows = [
        model.probabilities(features.values[first : first + _BATCH_SIZE])
        for first in range(0, len(features.values), _BATCH_SIZE)
    ]
    row_of = {clip: i for i, clip in enumerate(features.clips)}
    probabilities = np.full((len(clips), N_DIGITS), np.nan, dtype=np.float32)
    if rows:
        answers = np.concatenate(rows)
        for i, clip in enumerate(clips):
            if clip in row_of:
                probabilities[i] = answers[row_of[clip]]
    return probabilities
