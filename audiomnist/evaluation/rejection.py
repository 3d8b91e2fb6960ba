"""When a model should answer, and whether it is as sure as it is right.

Owns what follows from the confidence in an `Evaluation`, the probability of the
likeliest digit: what each threshold on it costs in digits that are not answered and in
other words that are, and its calibration. A model's own threshold is chosen in
`recognition.calibration`, and an evaluation is made in `evaluate`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from audiomnist.errors import ModelError
from audiomnist.evaluation.metrics import Evaluation
from audiomnist.evaluation.significance import Rate
from audiomnist.recognition.calibration import choose_threshold

if TYPE_CHECKING:
    import pandas as pd

MAX_THRESHOLDS = 200
"""Rows of a coverage curve, at most; more are not to be told apart in a picture."""

N_BINS = 10
"""As in Naeini et al., see `expected_calibration_error`."""


@dataclass(frozen=True)
class OperatingPoint:
    """What a model does that answers from a threshold on.

    Parameters
    ----------
    threshold
        Lowest confidence with which it answers.
    coverage
        Clips that it answers, rightly or not, of all clips.
    accuracy
        Clips that it recognizes correctly, of those that it answers.
    false_answers
        Other words that it takes for a digit, of all other words.
    """

    threshold: float
    coverage: Rate
    accuracy: Rate
    false_answers: Rate


def at_threshold(evaluation: Evaluation, threshold: float) -> OperatingPoint:
    """Count what a model answers from this confidence on.

    A recording in which no speech was found is never answered.
    """
    return _operating_points(evaluation, [threshold])[0]


def _operating_points(
    evaluation: Evaluation, thresholds: Sequence[float]
) -> list[OperatingPoint]:
    """What each of these thresholds does, from one look at the answers."""
    confidence = evaluation.confidence
    n_sure = _n_reaching(confidence, thresholds)
    n_right = _n_reaching(confidence[evaluation.is_correct], thresholds)
    n_false = _n_reaching(evaluation.other_confidence, thresholds)
    n_clips, n_words = len(evaluation.clips), len(evaluation.other_words)
    return [
        OperatingPoint(
            threshold=float(threshold),
            coverage=Rate(sure, n_clips),
            accuracy=Rate(right, sure),
            false_answers=Rate(false, n_words),
        )
        for threshold, sure, right, false in zip(
            thresholds, n_sure, n_right, n_false, strict=True
        )
    ]


def _n_reaching(confidence: np.ndarray, thresholds: Sequence[float]) -> list[int]:
    """How many values are at or above each threshold; NaN is above none."""
    values = np.sort(confidence[~np.isnan(confidence)])
    places = np.searchsorted(values, np.asarray(thresholds, values.dtype))
    return [len(values) - int(place) for place in places]


def at_coverage(evaluation: Evaluation, coverage: float) -> OperatingPoint:
    """Find the highest threshold at which at least this part of the clips is answered.

    It is the one that `calibration.choose_threshold` finds for these clips.

    Parameters
    ----------
    evaluation
        Of at least one clip.
    coverage
        Part of the clips, above 0 and at most 1.

    Raises
    ------
    ValueError
        If there is no clip, or the coverage is no such part.
    ModelError
        If speech was found in too few clips.
    """
    if not evaluation.clips or not 0 < coverage <= 1:
        raise ValueError(f"coverage {coverage} of {len(evaluation.clips)} clips")
    # Below any probability of a likeliest digit, which is 1/10 at least.
    probabilities = np.nan_to_num(evaluation.probabilities, nan=0.0)
    threshold = choose_threshold(probabilities, coverage)
    if threshold == 0:
        n, n_speech = len(evaluation.clips), int(evaluation.is_answered.sum())
        raise ModelError(
            f"Speech was found in {n_speech} of {n} clips; a model cannot answer "
            f"{100 * coverage:g} % of them. Ask for a smaller part."
        )
    return at_threshold(evaluation, threshold)


def coverage_curve(
    evaluation: Evaluation, including: float | None = None
) -> "pd.DataFrame":
    """Tabulate what thresholds cost, from answering everything to the surest clip.

    Only a clip's own confidence is of use as a threshold: a lower one, down to the next
    clip's, answers the same digits and no fewer other words.

    Parameters
    ----------
    evaluation
        The model's predictions.
    including
        A threshold that is to have a row of its own, such as the model's.

    Returns
    -------
    pd.DataFrame
        Rows of rising threshold, about `MAX_THRESHOLDS` at most and evenly spaced among
        the clips' confidences; the first answers everything with speech in it. Columns
        are threshold, the shares coverage, accuracy (of the clips that are answered)
        and false_answers (of the other words), the last two with the ends of their
        Wilson intervals, `_low` and `_high`. A share of nothing, and its interval, are
        NaN.
    """
    import pandas as pd

    useful = np.unique(evaluation.confidence[evaluation.is_answered])
    places = np.linspace(0, len(useful) - 1, min(len(useful), MAX_THRESHOLDS))
    thresholds = {0.0, *useful[places.round().astype(int)].tolist()}
    if including is not None:
        thresholds.add(float(including))
    points = _operating_points(evaluation, sorted(thresholds))
    return pd.DataFrame(
        [
            (
                point.threshold,
                point.coverage.value,
                *_with_interval(point.accuracy),
                *_with_interval(point.false_answers),
            )
            for point in points
        ],
        columns=[
            "threshold",
            "coverage",
            *("accuracy", "accuracy_low", "accuracy_high"),
            *("false_answers", "false_answers_low", "false_answers_high"),
        ],
    )


def calibration(evaluation: Evaluation, n_bins: int = N_BINS) -> "pd.DataFrame":
    """Compare how sure a model is with how often it is right.

    Clips are sorted by confidence into bins of equal width, ((i - 1) / n_bins,
    i / n_bins]. Clips without speech have no confidence and are left out, though they
    count as mistakes elsewhere.

    Returns
    -------
    pd.DataFrame
        One row for each bin that is not empty, by rising confidence: mean confidence,
        accuracy, n, and the ends low and high of the accuracy's Wilson interval.

    Raises
    ------
    ValueError
        If there is not at least one bin.

    References
    ----------
    .. [1] C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, "On Calibration of Modern Neural
       Networks", ICML 2017.
    """
    import pandas as pd

    if n_bins < 1:
        raise ValueError(f"{n_bins} bins")
    has_speech = evaluation.is_answered
    confidence = evaluation.confidence[has_speech].astype(np.float64)
    is_correct = evaluation.is_correct[has_speech]
    bins = np.clip(np.ceil(confidence * n_bins), 1, n_bins)  # (n_clips with speech,)
    rows = []
    for i in np.unique(bins):
        is_in = bins == i
        rate = Rate(int(is_correct[is_in].sum()), int(is_in.sum()))
        mean = float(confidence[is_in].mean())
        rows.append((mean, rate.value, rate.n, rate.low, rate.high))
    return pd.DataFrame(rows, columns=["confidence", "accuracy", "n", "low", "high"])


def expected_calibration_error(evaluation: Evaluation, n_bins: int = N_BINS) -> float:
    """Average how far a model's confidence is from its accuracy, over all clips.

    The mean over the bins of `calibration`, weighted by their clips, of the distance
    between confidence and accuracy; in [0, 1], NaN without any clip that has speech.

    Raises
    ------
    ValueError
        If there is not at least one bin.

    References
    ----------
    .. [1] M. P. Naeini, G. F. Cooper, M. Hauskrecht, "Obtaining Well Calibrated
       Probabilities Using Bayesian Binning", AAAI 2015.
    .. [2] C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, "On Calibration of Modern Neural
       Networks", ICML 2017, eq. 3.
    """
    table = calibration(evaluation, n_bins)
    if table.empty:
        return math.nan
    distance = (table["confidence"] - table["accuracy"]).abs()
    return float(np.average(distance, weights=table["n"]))


def _with_interval(rate: Rate) -> tuple[float, float, float]:
    """A share and its interval, all NaN where it is one of nothing."""
    return (rate.value, rate.low, rate.high) if rate.n else (math.nan,) * 3
