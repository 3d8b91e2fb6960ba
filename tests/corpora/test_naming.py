"""Names are read in one place: what they tell for certain, and why they do not."""

import unicodedata

import pytest

from audiomnist.corpora.naming import (
    parse_name,
    read_listing,
    same_people,
    speaker_name,
)
from audiomnist.digits import DIGIT_WORDS
from audiomnist.errors import CorpusError


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("7_anna_0.wav", (7, "anna", 0)),
        ("seven_anna_12.flac", (7, "anna", 12)),
        ("Seven_anna_12.FLAC", (7, "anna", 12)),
        ("0_01_49.wav", (0, "01", 49)),
        ("3_anna_maria_2.ogg", (3, "anna_maria", 2)),
        ("7-jean-luc-3.wav", (7, "jean-luc", 3)),
        ("9_A$^$P_0.wav", (9, "A$^$P", 0)),
        ("7.anna.0.wav", (7, "anna", 0)),
        ("7_anna.wav", (7, "anna", 0)),
        ("7_seven_anna_0.wav", (7, "anna", 0)),
        ("digit_7_anna_0.wav", (7, "anna", 0)),
        ("7_take_3.wav", (7, "unknown", 3)),
        ("zero.wav", (0, "unknown", 0)),
        ("7.wav", (7, "unknown", 0)),
        ("07.wav", (7, "unknown", 0)),
        ("two9.wav", (2, "unknown", 9)),
        ("seven (2).wav", (7, "unknown", 2)),
        ("anna_seven_2.wav", (7, "anna", 2)),
        ("anna_digit_7_2.wav", (7, "anna", 2)),
        ("deep/er/9_x_007.mp3", (9, "x", 7)),
        ("deep\\er\\9_x_007.mp3", (9, "x", 7)),
        ("anna/seven-2.wav", (7, "anna", 2)),
        ("s01/one_2.wav", (1, "s01", 2)),
        ("recordings/7_2.wav", (7, "unknown", 2)),
        ("01/0_01_12.wav", (0, "01", 12)),
        ("07/3_07_12.wav", (3, "07", 12)),
        ("seven/0a7c2a8d_nohash_3.wav", (7, "0a7c2a8d", 3)),
        ("7/anna_0.wav", (7, "anna", 0)),
        ("data/7/anna.wav", (7, "anna", 0)),
        ("digit_7/rec12.wav", (7, "unknown", 12)),
        ("07/a1b2c3d4.wav", (7, "unknown", 0)),
        ("7/01_3.wav", (7, "01", 3)),
        ("8/0.wav", (8, "unknown", 0)),
        ("Zero/recording 12.wav", (0, "unknown", 12)),
        ("7/7_anna_0.wav", (7, "anna", 0)),
    ],
)
def test_names_tell_digit_speaker_and_take(name, expected):
    assert parse_name(name) == expected


@pytest.mark.parametrize("digit", range(10))
def test_every_digit_has_a_number_and_a_word(digit):
    assert parse_name(f"{digit}_a_1.wav").digit == digit
    assert parse_name(f"{DIGIT_WORDS[digit]}_a_1.wav").digit == digit


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("ten_anna_0.wav", "'ten' is not a digit; expected 0 to 9 or zero to nine"),
        ("12_anna_0.wav", "'12' is not a digit"),
        ("٣_anna_0.wav", "is not a digit"),
        ("anna_7_0.wav", "'anna' is not a digit"),
        ("7/twenty_one_0.wav", "'twenty' is not a digit"),
        ("anna.wav", "not a digit's name; expected {digit}_{speaker}_{take}"),
        ("01647.wav", "not a digit's name"),
        ("", "not a digit's name"),
        ("0_1_6_4_7.wav", r"it names 5 digits \(0, 1, 6, 4, 7\)"),
        ("7/zero-one.wav", r"it names 2 digits \(0, 1\)"),
        ("one_two_3.wav", "it names 3 digits"),
        ("anna_one_two.wav", "it names 2 digits"),
        ("7_2024_01_15.wav", "so many numbers that its digit is not certain"),
        ("8/7_anna_0.wav", "contradiction: its folder '8' says 8 and its name says 7"),
        ("eight/seven.wav", "contradiction: its folder 'eight' says 8"),
        ("digit_8/7.wav", "contradiction"),
        ("8/7_2.wav", "contradiction"),
    ],
)
def test_a_name_that_tells_no_digit_for_certain_is_explained(name, sentence):
    with pytest.raises(CorpusError, match=sentence):
        parse_name(name)


def meanings(*names: str) -> list[tuple[int, str, int] | None]:
    return [reading.meaning for reading in read_listing(names)]


def test_names_explain_each_other():
    counted = ("1.wav", "2.wav", "57.wav")
    assert [parse_name(name).digit for name in counted[:2]] == [1, 2]
    assert meanings(*counted) == [None] * 3
    assert "go up to 57" in read_listing(counted)[0].reason
    # Folders that go on beyond 9 are people.
    assert meanings("01/seven.wav", "12/one.wav") == [(7, "01", 0), (1, "12", 0)]
    # Whoever counts begins with 0 or 1.
    assert meanings("8/0.wav", "8/1.wav", "8/7.wav")[2] == (8, "unknown", 7)
    # Where most names begin with the folder's digit, all begin with one.
    assert meanings("8/8_0.wav", "8/8_1.wav", "8/1_2.wav")[2] is None
    # A folder that holds everything need not be a person.
    assert meanings("mine/7/rec1.wav") == [(7, "unknown", 1)]
    assert meanings("ann/7/rec1.wav", "ben/7/rec1.wav") == [
        (7, "ann", 1),
        (7, "ben", 1),
    ]


def test_a_speaker_has_one_spelling():
    decomposed = unicodedata.normalize("NFD", "José")
    assert decomposed != "José"
    assert parse_name(f"7_{decomposed}_0.wav").speaker == "José"
    assert parse_name(f"{decomposed}/seven-1.wav").speaker == "José"
    assert speaker_name(" Anna \n Maria ") == "Anna Maria"
    for text in ("", "Unknown", "n/a", "unk"):
        assert speaker_name(text) == "unknown"


def test_people_who_differ_in_capitals_are_found():
    speakers = ("theo", "Theo", "ann-marie", "Ann_Marie", "ben", "unknown", "Unknown")
    assert same_people(speakers) == [("Ann_Marie", "ann-marie"), ("Theo", "theo")]
