"""What follows from a model's answers to labelled clips.

Owns the type `Evaluation` and the metrics of right and wrong that are derived from it;
none is stored. When a model should answer at all is for `rejection`.
"""

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from audiomnist.corpora.clips import Clip, Corpus
from audiomnist.corpora.naming import UNKNOWN_SPEAKER
from audiomnist.digits import N_DIGITS
from audiomnist.errors import ModelError
from audiomnist.evaluation.significance import Rate

if TYPE_CHECKING:
    import pandas as pd

NO_ANSWER = -1
"""Stands for the digit where no speech was found."""

_FEW_SPEAKERS = 3


class Mistake(NamedTuple):
    """A clip that was not recognized correctly.

    Parameters
    ----------
    clip
        The clip, with the digit that was said.
    answer
        The predicted digit, or None where no speech was found.
    probability
        The model's probability of its answer; NaN without one.
    """

    clip: Clip
    answer: int | None
    probability: float


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A model's probabilities for labelled clips; every metric follows from them.

    Parameters
    ----------
    clips
        The clips, each once.
    probabilities
        float32, shape (n_clips, 10); a row of NaN where no speech was found, which
        counts as wrong.
    corpora
        Names of the corpora that the clips are from, by which the recordings are
        found again on another machine.
    other_words
        Probabilities for recordings of other words, which are not digits, float32,
        shape (n_other_words, 10); rows of NaN as above. No metric of digits counts
        them.
    other_word_names
        Their file names, in the same order; empty where they are not known.

    Raises
    ------
    ModelError
        If the shapes do not fit, or a row is neither probabilities nor all NaN.
    """

    clips: tuple[Clip, ...]
    probabilities: np.ndarray
    corpora: tuple[str, ...] = ()
    other_words: np.ndarray = field(
        default_factory=lambda: np.zeros((0, N_DIGITS), np.float32)
    )
    other_word_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.probabilities.shape != (len(self.clips), N_DIGITS):
            raise ModelError(
                f"The probabilities have shape {self.probabilities.shape}; expected "
                f"({len(self.clips)}, {N_DIGITS}), one row a clip. Evaluate again."
            )
        n_other_words = len(self.other_word_names) or len(self.other_words)
        if self.other_words.shape != (n_other_words, N_DIGITS):
            raise ModelError(
                "The probabilities of the other words have shape "
                f"{self.other_words.shape}; expected ({n_other_words}, {N_DIGITS}), "
                "one row a recording. Evaluate again."
            )
        _check_rows(self.probabilities)
        _check_rows(self.other_words)

    @property
    def is_answered(self) -> np.ndarray:
        """Whether speech was found in each clip, bool, shape (n_clips,)."""
        return _has_speech(self.probabilities)

    @property
    def confidence(self) -> np.ndarray:
        """Probability of each clip's likeliest digit, float32, shape (n_clips,).

        NaN where no speech was found: at or above no threshold.
        """
        return self.probabilities.max(axis=1)

    @property
    def other_confidence(self) -> np.ndarray:
        """The same for the other words, shape (n_other_words,)."""
        return self.other_words.max(axis=1)

    @property
    def digits(self) -> np.ndarray:
        """Digits that were said, int, shape (n_clips,)."""
        return np.array([clip.digit for clip in self.clips], dtype=np.int64)

    @property
    def predicted(self) -> np.ndarray:
        """Predicted digits, int, shape (n_clips,); -1 for no answer."""
        scores = np.nan_to_num(self.probabilities, nan=0.0)
        return np.where(self.is_answered, scores.argmax(axis=1), NO_ANSWER)

    @property
    def is_correct(self) -> np.ndarray:
        """Whether each clip was recognized correctly, bool, shape (n_clips,)."""
        return self.predicted == self.digits

    @property
    def accuracy(self) -> Rate:
        """Share of the clips that were recognized correctly."""
        return Rate(int(self.is_correct.sum()), len(self.clips))

    def confusion(self) -> np.ndarray:
        """Count the answers: int, shape (10, 11), spoken by predicted digit.

        The last column holds the clips without an answer, so that every row sums to
        the number of clips of its digit.
        """
        columns = np.where(self.is_answered, self.predicted, N_DIGITS)
        cells = self.digits * (N_DIGITS + 1) + columns
        counts = np.bincount(cells, minlength=N_DIGITS * (N_DIGITS + 1))
        return counts.reshape(N_DIGITS, N_DIGITS + 1)

    def report(self) -> "pd.DataFrame":
        """Precision, recall, F1 and support by scikit-learn's classification report.

        Returns
        -------
        pd.DataFrame
            One row for each digit that was said ("0" to "9"), then "macro avg" and
            "weighted avg" over them; columns precision, recall, f1 and support. A
            digit that was never predicted has precision 0.
        """
        import pandas as pd
        from sklearn.metrics import classification_report

        labels = np.unique(self.digits)
        if not len(labels):
            return pd.DataFrame(columns=["precision", "recall", "f1", "support"])
        report = classification_report(
            self.digits,
            self.predicted,
            labels=labels,
            output_dict=True,
            zero_division=0,
        )
        names = [*(str(digit) for digit in labels), "macro avg", "weighted avg"]
        table = pd.DataFrame.from_dict(
            {name: report[name] for name in names}, orient="index"
        )
        table = table.rename(columns={"f1-score": "f1"})
        return table.astype({"support": int}).rename_axis("digit")

    def per_speaker(self) -> "pd.DataFrame":
        """Accuracy of each speaker: columns speaker, n, accuracy, low and high."""
        import pandas as pd

        is_correct = self.is_correct
        correct_of: dict[str, list[bool]] = {}
        for clip, correct in zip(self.clips, is_correct, strict=True):
            correct_of.setdefault(clip.speaker, []).append(bool(correct))
        rates = {
            speaker: Rate(sum(correct), len(correct))
            for speaker, correct in sorted(correct_of.items())
        }
        return pd.DataFrame(
            [
                (speaker, rate.n, rate.value, rate.low, rate.high)
                for speaker, rate in rates.items()
            ],
            columns=["speaker", "n", "accuracy", "low", "high"],
        )

    def errors(self) -> list[Mistake]:
        """Mistakes, the surest first; clips without an answer come last."""
        predicted = self.predicted
        mistakes = []
        for i in np.flatnonzero(~self.is_correct):
            answer = int(predicted[i])
            if answer == NO_ANSWER:
                mistakes.append(Mistake(self.clips[i], None, math.nan))
            else:
                probability = float(self.probabilities[i, answer])
                mistakes.append(Mistake(self.clips[i], answer, probability))
        mistakes.sort(
            key=lambda m: (m.answer is None, -m.probability, identity(m.clip))
        )
        return mistakes

    def with_recordings(self, corpora: Iterable[Corpus]) -> "Evaluation":
        """Give each clip the path that it has in these corpora.

        Clips that none of them holds stay as they are.
        """
        here = {identity(clip): clip for corpus in corpora for clip in corpus.clips}
        return replace(
            self, clips=tuple(here.get(identity(clip), clip) for clip in self.clips)
        )


Identity = tuple[str, int, str, int, str]


def identity(clip: Clip) -> Identity:
    """What makes a clip the same on every machine: its corpus and what it is there."""
    name = PurePosixPath(clip.name).name
    return clip.corpus, clip.digit, clip.speaker, clip.take, name


def _has_speech(probabilities: np.ndarray) -> np.ndarray:
    """Whether each row holds probabilities and not NaN alone."""
    return ~np.isnan(probabilities).all(axis=1)


def _check_rows(probabilities: np.ndarray) -> None:
    """Refuse rows that are neither probabilities nor all NaN."""
    rows = probabilities[_has_speech(probabilities)]
    is_probability = (rows >= 0) & (rows <= 1)
    if not is_probability.all() or not np.allclose(rows.sum(axis=1), 1, atol=1e-3):
        raise ModelError(
            "Some rows of the evaluation are not probabilities that sum to 1. "
            "Evaluate the model again."
        )


def few_speakers(speakers: Collection[str]) -> str:
    """Say what a figure is worth that the clips of so few people gave; "" for more.

    Nobody can tell how many speakers are not named.
    """
    known = {*speakers} - {UNKNOWN_SPEAKER}
    if len(known) > _FEW_SPEAKERS:
        return ""
    who = "one speaker" if len(known) == 1 else f"{len(known)} speakers"
    names = ", ".join(sorted(known))
    if len(known) < len(speakers):
        part = f"Besides {who} ({names}), who" if known else "Who"
        return (
            f"{part} speaks in these clips is not known: they may be few people, and "
            "other people may be recognized much better or worse."
        )
    return (
        f"All of these clips are by {who} ({names}). The interval holds for further "
        "clips by the same speakers; other people may be recognized much better or "
        "worse."
    )
