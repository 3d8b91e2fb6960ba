"""How names were read, to look at before anything is imported."""

from audiomnist.corpora.readings import NAMES_ALONE, Readings, people_remarks

NAMES = ("ann/0_0.wav", "ann/1_0.wav", "ben/0_0.wav", "cat.wav")
TABLE = {"labels.csv": b"path,digit,speaker\ncat.wav,3,Cay\n"}


def test_names_are_read_and_the_first_are_from_all_folders():
    readings = Readings(NAMES)
    assert len(readings.read) == 3
    assert [each.name for each in readings.left_out] == ["cat.wav"]
    assert [name for name, _ in readings.examples] == [
        "ann/0_0.wav",
        "ben/0_0.wav",
        "ann/1_0.wav",
    ]
    assert readings.other_meanings["{digit}_{speaker}"] == 3


def test_a_table_is_heeded_if_nobody_says_otherwise():
    by_table = Readings(NAMES, TABLE)
    assert [name for name, _ in by_table.read] == ["cat.wav"]
    assert by_table.other_meanings[NAMES_ALONE] == 3
    assert len(Readings(NAMES, TABLE, NAMES_ALONE).read) == 3
    assert len(Readings(NAMES, TABLE, "{digit}_{take}").read) == 3


def test_it_is_said_who_may_be_one_person_and_who_is_nobody_known():
    said = people_remarks({"theo": 3, "Theo": 2, "unknown": 5})
    assert "5 of 10 clips name a speaker" in said[0]
    assert said[1].startswith("Theo and theo are probably the same person")
    assert "No clip names a speaker" in people_remarks({"unknown": 5})[0]
    assert people_remarks({"theo": 3, "ann": 2}) == []
