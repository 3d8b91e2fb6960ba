"""From a network's logits to calibrated probabilities.

Owns the calibration of a model: how its logits become probabilities, from which
probability on it answers, and how both are fitted to labelled clips. The models that
carry one are for `models`.
"""

from dataclasses import dataclass

import numpy as np

from audiomnist.digits import N_DIGITS
from audiomnist.errors import ModelError

COVERAGE = 0.98
"""Part of the validation clips that a model answers, see `choose_threshold`."""

MIN_CLIPS = 50
"""Clips of unknown speakers to fit to, at least: 2 % of them are one clip."""

MAX_THRESHOLD = 0.5
"""Threshold where too few clips of unknown speakers tell of a better one."""

_TEMPERATURES = np.geomspace(0.2, 5, 161)


@dataclass(frozen=True)
class Calibration:
    """How a model's logits are read.

    Parameters
    ----------
    temperature
        What the logits are divided by, above 0, so that a probability of 0.9 is right
        nine times in ten [1]_.
    threshold
        Lowest probability of the likeliest digit with which to answer; 0 answers
        everything.
    coverage
        Part of the clips that it was fitted to that the threshold lets be answered.
    rejects_unknown
        Whether the network has learned to reject other words and noises. It then has
        an eleventh answer, "none of these", whose logit is 0.

    Raises
    ------
    ModelError
        If a value is out of range.

    References
    ----------
    .. [1] C. Guo et al., "On calibration of modern neural networks", International
       Conference on Machine Learning, 2017.
    """

    temperature: float = 1.0
    threshold: float = 0.0
    coverage: float = COVERAGE
    rejects_unknown: bool = False

    def __post_init__(self) -> None:
        if not self.temperature > 0:
            raise ModelError(
                f"The temperature is {self.temperature}; expected above 0."
            )
        if not 0 <= self.threshold <= 1:
            raise ModelError(f"The threshold is {self.threshold}; expected 0 to 1.")
        if not 0 < self.coverage <= 1:
            raise ModelError(
                f"The coverage is {self.coverage}; expected above 0, up to 1."
            )

    @classmethod
    def fit(
        cls,
        logits: np.ndarray,
        digits: np.ndarray,
        *,
        rejects_unknown: bool = False,
        weights: np.ndarray | None = None,
        is_unknown: np.ndarray | None = None,
    ) -> "Calibration":
        """Fit the temperature, then the threshold, to labelled clips.

        Parameters
        ----------
        logits
            Of clips that the network has not learned from, one at least, (n_clips, 10).
        digits
            What they say, shape (n_clips,).
        rejects_unknown
            Whether the network has learned to reject other words.
        weights
            How much each clip counts for the temperature, shape (n_clips,); None: all
            the same. For the threshold each clip counts once.
        is_unknown
            Which clips are by speakers outside the training, bool, (n_clips,); None:
            all of them. A network is far surer of the speakers that it knows, so the
            others are left out if `MIN_CLIPS` remain. Where too few do, what is known
            of unknown speakers is nothing: the threshold is then `MAX_THRESHOLD` at
            most, from where on a digit is likelier than all else together.

        Returns
        -------
        Calibration
            With the temperature from 0.2 to 5 that has the lowest mean negative log
            likelihood, and the threshold of `choose_threshold`.
        """
        are_enough = is_unknown is None or is_unknown.sum() >= MIN_CLIPS
        if is_unknown is not None and are_enough:
            logits, digits = logits[is_unknown], digits[is_unknown]
            weights = None if weights is None else weights[is_unknown]
        clip = np.arange(len(digits))

        def loss(temperature: float) -> float:
            tried = cls(temperature, rejects_unknown=rejects_unknown)
            likelihood = tried.probabilities(logits)[clip, digits]
            return float(np.average(-np.log(likelihood + 1e-12), weights=weights))

        best = min(map(float, _TEMPERATURES), key=loss)
        probabilities = cls(best, rejects_unknown=rejects_unknown).probabilities(logits)
        threshold = choose_threshold(probabilities)
        if not are_enough:
            threshold = min(threshold, MAX_THRESHOLD)
        return cls(best, threshold, COVERAGE, rejects_unknown)

    def outcomes(self, logits: np.ndarray) -> np.ndarray:
        """Turn logits into probabilities of the digits and of "none of these".

        Parameters
        ----------
        logits
            float32, shape (n_clips, 10).

        Returns
        -------
        np.ndarray
            float32, shape (n_clips, 11), the last column for "none of these"; rows sum
            to 1. A network that has not learned to reject gives it 0.
        """
        scaled = logits / np.float32(self.temperature)
        if self.rejects_unknown:
            return _softmax(with_unknown(scaled))
        none = np.zeros((len(logits), 1), dtype=np.float32)
        return np.concatenate([_softmax(scaled), none], axis=1)

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Turn logits into the probabilities with which digits are answered.

        As `spread_unknown` makes them of `outcomes`.

        Parameters
        ----------
        logits
            float32, shape (n_clips, 10).

        Returns
        -------
        np.ndarray
            float32, shape (n_clips, 10); rows sum to 1.
        """
        return spread_unknown(self.outcomes(logits))

    def should_answer(
        self, confidence: "np.ndarray | np.floating | float"
    ) -> np.ndarray:
        """Whether the likeliest digit of a clip is likely enough to be the answer.

        Parameters
        ----------
        confidence
            Its probability, any shape; NaN where nobody speaks.

        Returns
        -------
        np.ndarray
            bool, of the same shape; False for NaN.
        """
        return np.greater_equal(confidence, self.threshold)


def with_unknown(logits: np.ndarray) -> np.ndarray:
    """Append the logit of "none of these", 0: (n_clips, 10) to (n_clips, 11)."""
    return np.concatenate([logits, np.zeros((len(logits), 1), logits.dtype)], axis=1)


def spread_unknown(outcomes: np.ndarray) -> np.ndarray:
    """Spread what falls to "none of these" evenly over the digits.

    Of a sound that is not a digit, each digit is as likely as the others. So the
    largest probability says both, that it is a digit and which.

    Parameters
    ----------
    outcomes
        Of `Calibration.outcomes`, float32, shape (n_clips, 11).

    Returns
    -------
    np.ndarray
        float32, shape (n_clips, 10); rows sum to 1.
    """
    return outcomes[:, :N_DIGITS] + outcomes[:, N_DIGITS:] / np.float32(N_DIGITS)


def choose_threshold(probabilities: np.ndarray, coverage: float = COVERAGE) -> float:
    """Choose from which probability on a model should answer.

    Parameters
    ----------
    probabilities
        Of validation clips, at least one, shape (n_clips, 10).
    coverage
        Part of the clips that must be answered.

    Returns
    -------
    float
        The highest threshold at or above which the likeliest digit of that part
        of the clips is.
    """
    likeliest = np.sort(probabilities.max(axis=1))  # (n_clips,)
    n_answered = int(np.ceil(coverage * len(likeliest)))
    return float(likeliest[len(likeliest) - n_answered])


def _softmax(logits: np.ndarray) -> np.ndarray:
    """Powers of e that sum to 1 in each row, of the same shape."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
    return powers / powers.sum(axis=1, keepdims=True)
