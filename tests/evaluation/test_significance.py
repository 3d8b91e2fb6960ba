import math
import random

import pytest

from audiomnist.evaluation.significance import Rate, exact_mcnemar, wilson


# R. G. Newcombe, "Two-sided confidence intervals for the single proportion", Statistics
# in Medicine 17, 1998, table I, method 3 (score without continuity correction).
@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_published_intervals(successes, n, low, high):
    assert wilson(successes, n) == pytest.approx((low, high), abs=5e-5)


def test_wilson_contains_the_share_and_narrows_with_n():
    for n in (1, 5, 50, 5000):
        for successes in {0, 1, n // 2, n}:
            low, high = wilson(successes, n)
            assert 0 <= low <= successes / n <= high <= 1
    assert wilson(90, 100)[0] < wilson(900, 1000)[0]


def test_wilson_is_symmetric():
    low, high = wilson(3, 40)
    assert wilson(37, 40) == pytest.approx((1 - high, 1 - low))


def test_nothing_tried_says_nothing():
    assert wilson(0, 0) == (0, 1)
    assert math.isnan(Rate(0, 0).value)
    assert str(Rate(0, 0)) == "none tried"


@pytest.mark.parametrize(("successes", "n"), [(-1, 5), (6, 5)])
def test_wilson_refuses_impossible_counts(successes, n):
    with pytest.raises(ValueError, match="trials"):
        wilson(successes, n)


def test_a_rate_says_its_interval_and_n():
    text = str(Rate(57, 60))
    assert "95.0 %" in text
    assert "n = 60" in text
    assert f"{100 * Rate(57, 60).low:.1f} to" in text


def _answers(both: int, only_a: int, only_b: int) -> tuple[list[bool], list[bool]]:
    pairs = [(True, True)] * both + [(True, False)] * only_a + [(False, True)] * only_b
    random.Random(0).shuffle(pairs)
    return [a for a, _ in pairs], [b for _, b in pairs]


def test_mcnemar_by_hand():
    # 8 of 9 on one side: 2 * (C(9, 0) + C(9, 1)) / 2 ** 9 = 20 / 512.
    result = exact_mcnemar(*_answers(100, 8, 1))
    assert (result.n, result.only_a, result.only_b) == (109, 8, 1)
    assert result.p_value == pytest.approx(20 / 512)


def test_mcnemar_agrees_with_the_binomial_test():
    from scipy.stats import binomtest

    for only_a, only_b in [(0, 5), (3, 3), (40, 21), (700, 800)]:
        p_value = exact_mcnemar(*_answers(7, only_a, only_b)).p_value
        assert p_value == pytest.approx(binomtest(only_a, only_a + only_b).pvalue)


def test_equal_models_are_not_different():
    assert exact_mcnemar(*_answers(10, 0, 0)).p_value == 1
    assert exact_mcnemar(*_answers(0, 4, 4)).p_value == 1


def test_mcnemar_does_not_depend_on_the_order_of_the_models():
    a, b = _answers(5, 9, 2)
    assert exact_mcnemar(a, b).p_value == exact_mcnemar(b, a).p_value
