"""What keeps a corpus from working is found before a network learns from it."""

from pathlib import Path

import numpy as np
import pytest

from audiomnist.audio.encoding import encode_wav
from audiomnist.audio.signal import Audio
from audiomnist.configs import config_from_dict, config_to_dict
from audiomnist.corpora import checks
from audiomnist.corpora.checks import SplitCheck, check_corpus, check_split
from audiomnist.corpora.clips import Corpus
from audiomnist.corpora.library import load_corpus
from audiomnist.corpora.split_rules import RULES

N_TAKES = 6  # of each digit by each speaker: enough for three parts


@pytest.fixture
def make(tmp_path: Path):
    """Write a corpus of recordings, each of other noise unless its bytes are given."""
    rng = np.random.default_rng(0)

    def write(files: dict[str, bytes | float], name: str = "made") -> Corpus:
        for place, sound in files.items():
            if isinstance(sound, float):
                noise = sound * rng.uniform(-1, 1, 800).astype(np.float32)
                sound = encode_wav(Audio(noise + np.float32(0.1), 8000))
            path = tmp_path / name / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(sound)
        return load_corpus(tmp_path / name)

    return write


def full(*speakers: str, digits=range(10), level: float = 0.3) -> dict[str, float]:
    return {
        f"{digit}_{speaker}_{take}.wav": level
        for digit in digits
        for speaker in speakers
        for take in range(N_TAKES)
    }


def test_nothing_is_said_of_a_good_corpus(make):
    corpus = make(full("ann", "ben"))
    assert check_corpus(corpus) == []
    for rule in ("random", "speaker"):
        assert not set(check(corpus, rule).sentences()) - {
            "Only one person trains (ann): others may be recognized much worse.",
            "Only one person trains (ben): others may be recognized much worse.",
        }


def check(corpus: Corpus, rule: str = "random", held_out: str = "") -> SplitCheck:
    return check_split(RULES[rule].split([corpus], held_out=held_out), [corpus])


def test_digits_that_nobody_says_are_named(make):
    corpus = make(full("ann", "ben", digits=(0, 1, 2, 4, 5, 6, 7, 9)))
    expected = "Nobody says 3 or 8: a network that learns from these clips alone can"
    assert check_corpus(corpus)[0].startswith(expected)
    assert check(corpus).sentences()[0].startswith(expected)
    assert check(corpus).missing == (3, 8)


def test_one_digit_is_too_few(make):
    corpus = make(full("ann", "ben", digits=(7,)))
    assert check_corpus(corpus)[0].startswith("Only one digit is said, 7: there is")
    assert check(corpus).sentences()[0].startswith("Only one digit is said, 7")


def test_a_digit_that_is_not_tested_is_named(make):
    few = {f"8_ann_{take}.wav": 0.3 for take in range(N_TAKES)}
    corpus = make(full("ann", "ben", digits=range(8)) | few)
    found = check(corpus, "leave_one_out", "ben")
    assert found.untested == (8,)
    assert "No test clip says 8" in " ".join(found.sentences())


def test_silent_clips_are_named(make):
    corpus = make(full("ann", "ben") | {"7_ann_9.wav": 0.0, "8_ann_9.wav": 1e-4})
    (said,) = check_corpus(corpus)
    assert said.startswith("2 clips are silent (7_ann_9.wav; 8_ann_9.wav)")
    assert check(corpus).n_silent == 2
    assert any("2 clips are silent" in each for each in check(corpus).sentences())


def test_clips_that_cannot_be_heard_are_named(make):
    corpus = make(full("ann", "ben") | {"7_ann_9.wav": b"no sound"})
    (said,) = check_corpus(corpus)
    assert said.startswith("1 clip cannot be heard (7_ann_9.wav)")


def test_copies_on_both_sides_are_counted_and_named(make):
    corpus = make(full("theo"))
    copies = {
        clip.name.replace("theo", "Theo"): clip.path.read_bytes()
        for clip in corpus.clips
    }
    corpus = make(copies)
    said = check_corpus(corpus)
    assert said[0].startswith("60 clips are copies of another, byte for byte (0_")
    assert "Theo and theo are probably the same person" in said[1]
    for rule in ("speaker", "leave_one_out"):
        found = check(corpus, rule, "Theo")
        assert found.n_copies == found.n_test == 60
        assert found.alike == ("Theo and theo",)
        first, second = found.sentences()[:2]
        assert first.startswith("60 of 60 test clips are byte for byte the same as")
        assert "Theo_0.wav and 0_theo_0.wav" in first or "_theo_" in first
        assert "Theo and theo are probably the same person, who trains and" in second


def test_copies_in_another_corpus_are_found(make):
    corpus = make(full("ann", "ben"))
    copies = {c.name.replace("_", "_x", 1): c.path.read_bytes() for c in corpus.clips}
    other = make(copies, "other")
    split = RULES["corpus"].split([corpus, other], held_out="made")
    assert check_split(split, [corpus, other]).n_copies == 120


def test_one_recording_of_two_digits_is_named(make):
    corpus = make(full("ann", "ben"))
    corpus = make({"3_ben_9.wav": corpus.clips[0].path.read_bytes()})
    assert (
        "has several digits at once (0_ann_0.wav and 3_ben_9"
        in (check_corpus(corpus)[0])
    )


def test_who_speaks_is_said_where_it_is_not_known(make):
    alone = make(full("ann"), "alone")
    assert "All clips are by one speaker (ann)" in check_corpus(alone)[0]
    nameless = make(
        {f"{digit}/{take}.wav": 0.3 for digit in range(10) for take in range(6)}
    )
    (said,) = check_corpus(nameless)
    assert said.startswith("No clip names a speaker")
    mixed = make(full("ann", "ben"))
    assert any(
        "120 of 180 clips name a speaker" in each for each in check_corpus(mixed)
    )
    found = check(mixed, "speaker")
    assert (found.n_unnamed, found.n_unnamed_tested, found.trainer) == (60, 0, "")
    assert "cannot promise that it is on people whom" in " ".join(found.sentences())
    assert "cannot promise" not in " ".join(check(mixed, "random").sentences())


def test_recordings_are_looked_at_once(make, monkeypatch):
    corpus = make(full("ann", "ben"))
    said = check_corpus(corpus)

    def refuse(*_: object) -> None:
        raise AssertionError("looked at again")

    with monkeypatch.context() as patch:
        patch.setattr(checks, "_look", refuse)
        assert check_corpus(corpus) == said
    assert "silent" in check_corpus(make({"0_ann_0.wav": 0.0}))[0]


def test_a_check_is_kept_with_a_run():
    check = SplitCheck((3,), (8,), 9, 1, ("a",), 5, 2, ("a and b",), alike=("t and T",))
    assert config_from_dict(SplitCheck, config_to_dict(check)) == check
