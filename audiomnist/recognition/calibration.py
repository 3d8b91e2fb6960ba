"""From a network's logits to calibrated probabilities.

Owns the answer "none of these", the temperature that calibrates probabilities, and the
threshold below which a model does not answer. The models that use them are in `models`.
"""

import numpy as np

from audiomnist.digits import N_DIGITS

COVERAGE = 0.98
"""Part of the validation clips that a model answers, see `choose_threshold`."""

_MOSTLY = 0.5
"""Share of "none of these" from which a sound is called so."""

_TEMPERATURES = np.geomspace(0.2, 5, 161)


def probabilities_of(
    logits: np.ndarray, temperature: float = 1.0, *, knows_others: bool = False
) -> np.ndarray:
    """Turn logits into probabilities of the digits.

    A network that has learned what is no digit has an eleventh answer, "none of
    these", with the logit 0. What falls to it is spread evenly over the digits: of
    a sound that is no digit, each is as likely as the others. So the largest
    probability says both, that it is a digit and which.

    Parameters
    ----------
    logits
        float32, shape (n_clips, 10).
    temperature
        What they are divided by first, above 0 [1]_.
    knows_others
        Whether there is that eleventh answer.

    Returns
    -------
    np.ndarray
        float32, shape (n_clips, 10); rows sum to 1.

    References
    ----------
    .. [1] C. Guo et al., "On calibration of modern neural networks", International
       Conference on Machine Learning, 2017.
    """
    scaled = logits / np.float32(temperature)
    if not knows_others:
        return _softmax(scaled)
    none = np.zeros((len(scaled), 1), scaled.dtype)
    powers = _softmax(np.concatenate([scaled, none], axis=1))
    return powers[:, :N_DIGITS] + powers[:, N_DIGITS:] / np.float32(N_DIGITS)


def is_none_of_these(probabilities: np.ndarray) -> bool:
    """Whether most of a sound's probability, (10,), is that it is no digit.

    What is none of the digits is spread evenly over them, see `probabilities_of`.
    """
    return bool(len(probabilities) * np.min(probabilities) > _MOSTLY)


def fit_temperature(
    logits: np.ndarray,
    digits: np.ndarray,
    *,
    knows_others: bool = False,
    weights: np.ndarray | None = None,
) -> float:
    """Find the temperature with which labelled clips are likeliest.

    Parameters
    ----------
    logits
        Of clips that the network has not learned from, one at least, (n_clips, 10).
    digits
        What they say, shape (n_clips,).
    knows_others
        As in `probabilities_of`.
    weights
        How much each clip counts, shape (n_clips,); None: all the same.

    Returns
    -------
    float
        From 0.2 to 5, the lowest mean negative log likelihood.
    """
    clip = np.arange(len(digits))
    losses = []
    for value in _TEMPERATURES:
        probabilities = probabilities_of(logits, value, knows_others=knows_others)
        loss = -np.log(probabilities[clip, digits] + 1e-12)
        losses.append(np.average(loss, weights=weights))
    return float(_TEMPERATURES[int(np.argmin(losses))])


def _softmax(logits: np.ndarray) -> np.ndarray:
    """Powers of e that sum to 1 in each row, of the same shape."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
    return powers / powers.sum(axis=1, keepdims=True)


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
