"""The parts of a split are apart, whoever made it."""

import dataclasses

import pytest
from made_corpora import made_corpus

from audiomnist.corpora.split_rules import RULES
from audiomnist.corpora.splits import Split, speakers_of
from audiomnist.errors import CorpusError

RANDOM = RULES["random"]


def test_the_parts_of_a_split_are_sorted() -> None:
    clips = made_corpus(2).clips
    split = Split(clips[:9:-1], clips[9:4:-1], clips[4::-1], RANDOM, 0)
    assert split.train + split.validation + split.test == (
        *clips[10:],
        *clips[5:10],
        *clips[:5],
    )


def test_a_clip_in_two_parts_is_refused() -> None:
    one, two, three = made_corpus(1).clips[:3]
    with pytest.raises(CorpusError, match="1 clips are both in train and in test"):
        Split((one, two), (three,), (one,), RANDOM, 0)
    renamed = dataclasses.replace(one, take=99)
    with pytest.raises(CorpusError, match="both in train and in validation"):
        Split((one,), (renamed,), (three,), RANDOM, 0)


@pytest.mark.parametrize("name", RULES)
def test_a_test_speaker_in_another_part_is_refused_by_rules_by_speaker(name) -> None:
    by_a, by_b = (
        tuple(clip for clip in made_corpus(2).clips if clip.speaker == speaker)
        for speaker in ("s0", "s1")
    )
    rule = RULES[name]
    if not rule.is_by_speaker:
        assert Split(by_a[1:], by_b, by_a[:1], rule, 0).test == by_a[:1]
        return
    with pytest.raises(CorpusError, match="speakers s0 are in the test part and in"):
        Split(by_a[1:], by_b, by_a[:1], rule, 0)


def test_the_digest_is_of_the_parts() -> None:
    split = RANDOM.split_corpus(made_corpus(3))
    swapped = Split(split.train, split.test, split.validation, RANDOM, 0)
    assert split.digest != swapped.digest
    assert split.digest == dataclasses.replace(split, seed=1).digest


def test_the_splits_of_several_corpora_are_joined_part_by_part() -> None:
    corpora = [made_corpus(4, name="one"), made_corpus(5, name="two")]
    both = RANDOM.split(corpora, 3)
    alone = [RANDOM.split_corpus(corpus, 3) for corpus in corpora]
    for part in both.parts:
        assert set(both.parts[part]) == {c for s in alone for c in s.parts[part]}
    assert (both.rule, both.seed) == (RANDOM, 3)
    assert RANDOM.split(corpora[:1], 3) == alone[0]


def test_what_cannot_be_joined_is_explained() -> None:
    with pytest.raises(CorpusError, match="No corpus was chosen"):
        RANDOM.split([])
    with pytest.raises(CorpusError, match="each corpus in it once"):
        RANDOM.split([made_corpus(4), dataclasses.replace(made_corpus(5), name="two")])
    same_speakers = [made_corpus(4, name="one"), made_corpus(4, name="two")]
    with pytest.raises(CorpusError, match="which the rule 'corpus' forbids"):
        RULES["corpus"].split(same_speakers, held_out="one")


def test_who_is_set_aside_in_one_corpus_trains_in_none() -> None:
    tested = dataclasses.replace(
        made_corpus(3), official_test_speakers=frozenset({"s1"})
    )
    other = made_corpus(3, name="other")
    other = dataclasses.replace(other, official_test_takes=frozenset())
    split = RULES["official"].split([tested, other])
    assert "s1" in speakers_of(split.test)
    assert speakers_of(split.train + split.validation) == {"s0", "s2"}
