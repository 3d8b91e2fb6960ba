"""Statistics of right and wrong: an interval for one model, a test for two.

Owns Wilson's interval and McNemar's test, and knows nothing of clips or models. They
are applied by `metrics` and `evaluate`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

# Two-sided 95 % quantile of the normal distribution.
_Z_95 = 1.959963984540054


@dataclass(frozen=True)
class Rate:
    """A share of successes with its 95 % confidence interval."""

    successes: int
    n: int

    @property
    def value(self) -> float:
        """Successes by n; NaN when there was no trial."""
        return self.successes / self.n if self.n else math.nan

    @property
    def low(self) -> float:
        """Lower end of the Wilson interval."""
        return wilson(self.successes, self.n)[0]

    @property
    def high(self) -> float:
        """Upper end of the Wilson interval."""
        return wilson(self.successes, self.n)[1]

    def __str__(self) -> str:
        if not self.n:
            return "none tried"
        return (
            f"{100 * self.value:.1f} % (95 % interval {100 * self.low:.1f} to "
            f"{100 * self.high:.1f} %, n = {self.n})"
        )


@dataclass(frozen=True)
class McNemar:
    """Two models on the same clips, compared where exactly one of them is right.

    Parameters
    ----------
    n
        Clips that both models were given.
    only_a, only_b
        Clips that only the first, and only the second model recognized correctly.
    p_value
        Probability of a split at least as uneven if both models were equally good.
    """

    n: int
    only_a: int
    only_b: int
    p_value: float


def wilson(successes: int, n: int) -> tuple[float, float]:
    """Compute the Wilson score interval of a proportion, at 95 % confidence.

    Returns
    -------
    tuple[float, float]
        Lower and upper end, in [0, 1]; (0, 1) when n is 0.

    Raises
    ------
    ValueError
        If there are more successes than trials, or fewer than none.

    References
    ----------
    .. [1] E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical
       Inference", J. Am. Stat. Assoc. 22 (158), 209-212, 1927.
    """
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes in {n} trials")
    if n == 0:
        return 0.0, 1.0
    share, z_squared = successes / n, _Z_95**2
    centre = share + z_squared / (2 * n)
    spread = _Z_95 * math.sqrt(share * (1 - share) / n + z_squared / (4 * n * n))
    scale = 1 + z_squared / n
    # At the ends the formula gives exactly 0 and 1; rounding must not leave them.
    low = 0.0 if successes == 0 else (centre - spread) / scale
    high = 1.0 if successes == n else (centre + spread) / scale
    return low, high


def exact_mcnemar(correct_a: Sequence[bool], correct_b: Sequence[bool]) -> McNemar:
    """Test whether two models are equally good on the same clips.

    McNemar's test in its exact form: a two-sided binomial test, with probability one
    half, of the clips that exactly one of the models recognized correctly.

    Parameters
    ----------
    correct_a, correct_b
        Whether each model recognized each clip correctly, in the same order.

    References
    ----------
    .. [1] Q. McNemar, "Note on the sampling error of the difference between correlated
       proportions or percentages", Psychometrika 12 (2), 153-157, 1947.
    """
    pairs = list(zip(correct_a, correct_b, strict=True))
    only_a = sum(a and not b for a, b in pairs)
    only_b = sum(b and not a for a, b in pairs)
    n_discordant = only_a + only_b
    tail = sum(math.comb(n_discordant, k) for k in range(min(only_a, only_b) + 1))
    p_value = min(1.0, 2 * tail / 2**n_discordant)
    return McNemar(len(pairs), only_a, only_b, p_value)
