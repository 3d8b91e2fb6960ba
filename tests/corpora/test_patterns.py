"""Somebody says how names are meant."""

import pytest

from audiomnist.corpora.patterns import PATTERNS, other_meanings, read_names
from audiomnist.errors import CorpusError


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("{speaker}_{digit}_{take}", "anna_7_0.wav", (7, "anna", 0)),
        ("{speaker}_{take}_{digit}", "a/anna-0-seven.wav", (7, "anna", 0)),
        ("{digit}_{speaker}", "7.2.wav", (7, "2", 0)),
        ("{digit}/*", "8/7_anna_0.wav", (8, "unknown", 0)),
        ("{digit}_*", "8/7_anna_0.wav", (7, "unknown", 0)),
        ("{speaker}/{digit}_{take}", "x/1/Seven_2.wav", (7, "1", 2)),
        ("{digit}/{take}", "digit_07/12.wav", (7, "unknown", 12)),
        ("rec*{digit}x", "rec-33-7X.wav", (7, "unknown", 0)),
        ("{digit}_{speaker}_{take}", "7_unknown_3.wav", (7, "unknown", 3)),
    ],
)
def test_a_pattern_says_what_names_mean(pattern, name, expected):
    (reading,) = read_names([name], pattern)
    assert reading.meaning == expected


def test_a_name_that_does_not_fit_is_left_out():
    for name in ("anna.wav", "ten_anna_0.wav", "x/y.wav", ""):
        (reading,) = read_names([name], "{digit}_{speaker}_{take}")
        assert reading.meaning is None
        assert reading.reason == "it does not fit the pattern {digit}_{speaker}_{take}."


@pytest.mark.parametrize(
    "pattern",
    ["{speaker}", "{digit}{digit}", "{digit}_{word}", "{digit", "{digit}{take}{take}"],
)
def test_what_is_no_pattern_is_explained(pattern):
    with pytest.raises(CorpusError, match="is no pattern for names; expected"):
        read_names(["7_anna_0.wav"], pattern)


def test_other_meanings_are_offered_and_the_same_one_is_not():
    found = other_meanings(["anna_7_0.wav", "ben_3_12.wav"])
    assert next(iter(found)) == "{speaker}_{digit}_{take}"
    assert [reading.meaning for reading in found["{speaker}_{digit}_{take}"]] == [
        (7, "anna", 0),
        (3, "ben", 12),
    ]
    assert "{digit}_{speaker}_{take}" not in other_meanings(["7_anna_0.wav"])
    assert {"{digit}_*", "{digit}/*"} <= other_meanings(["8/7_anna_0.wav"]).keys()


def test_every_pattern_that_is_offered_is_one():
    for pattern in PATTERNS:
        read_names(["7_anna_0.wav"], pattern)
