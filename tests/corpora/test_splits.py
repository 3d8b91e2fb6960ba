"""Parts are apart, speakers stay together where they must, and seeds repeat."""

import dataclasses
from collections import Counter
from pathlib import Path

import pytest

from audiomnist.corpora.clips import Clip, Corpus
from audiomnist.corpora.splits import (
    BY_SPEAKER,
    RULES,
    Split,
    hold_out,
    join,
    make_split,
    train_only,
)
from audiomnist.errors import CorpusError

# The rule "corpus" splits no corpus: it holds a whole one out.
OF_ONE = [rule for rule in RULES if rule != "corpus"]
OF_ONE_BY_SPEAKER = [rule for rule in BY_SPEAKER if rule != "corpus"]


def made(n_speakers: int, n_takes: int = 10, name: str = "made") -> Corpus:
    clips = tuple(
        Clip(digit, f"s{speaker}", take, Path(f"/{name}/{digit}_s{speaker}_{take}.wav"))
        for digit in range(10)
        for speaker in range(n_speakers)
        for take in range(n_takes)
    )
    return Corpus(name, name, clips, "", "", "", False, frozenset({0, 1}))


def speakers(clips: tuple[Clip, ...]) -> set[str]:
    return {clip.speaker for clip in clips}


@pytest.mark.parametrize("rule", OF_ONE)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_every_rule_uses_each_clip_once(rule: str, seed: int) -> None:
    corpus = made(6)
    split = make_split(corpus, rule, seed, held_out="s3")
    everything = split.train + split.validation + split.test
    assert sorted(everything) == list(corpus.clips)
    assert split.train and split.validation and split.test
    for clips in split.parts.values():
        assert list(clips) == sorted(clips)
    assert (split.rule, split.seed) == (rule, seed)


@pytest.mark.parametrize("rule", OF_ONE)
def test_a_seed_repeats_a_split_and_another_changes_it(rule: str) -> None:
    corpus = made(8)
    shuffled = dataclasses.replace(corpus, clips=corpus.clips[::-1])
    split = make_split(corpus, rule, 5, held_out="s3")
    assert split == make_split(shuffled, rule, 5, held_out="s3")
    digests = {make_split(corpus, rule, s, held_out="s3").digest for s in range(8)}
    assert split.digest in digests
    assert len(digests) > 1


def test_a_random_split_has_the_fractions_for_every_digit() -> None:
    split = make_split(made(5, 20), "random", test=0.3, validation=0.2)
    for clips, n in ((split.test, 30), (split.validation, 14), (split.train, 56)):
        counts = Counter(clip.digit for clip in clips)
        assert counts == dict.fromkeys(range(10), n)


@pytest.mark.parametrize("rule", OF_ONE_BY_SPEAKER)
@pytest.mark.parametrize("n_speakers", [3, 6, 30])
@pytest.mark.parametrize("seed", range(5))
def test_no_test_speaker_is_in_another_part(
    rule: str, n_speakers: int, seed: int
) -> None:
    split = make_split(made(n_speakers), rule, seed, held_out="s1")
    train, validation, test = (speakers(clips) for clips in split.parts.values())
    assert not (train & test or validation & test)
    # Few speakers are too many to lose for validation.
    assert bool(train & validation) == (n_speakers < 10)


def test_a_split_by_speaker_comes_near_the_fractions() -> None:
    split = make_split(made(30), "speaker", test=0.2, validation=0.1)
    assert len(speakers(split.test)) == 6
    assert len(speakers(split.validation)) in (2, 3)
    assert len(speakers(make_split(made(30), "speaker", test=0.5).test)) == 15


def test_one_chosen_speaker_is_left_out() -> None:
    for speaker in made(4).speakers:
        split = make_split(made(4), "leave_one_out", held_out=speaker)
        assert speakers(split.test) == {speaker}


@pytest.mark.parametrize("rule", OF_ONE_BY_SPEAKER)
def test_two_speakers_share_train_and_validation(rule: str) -> None:
    split = make_split(made(2), rule, held_out="s0")
    assert len(speakers(split.test)) == 1
    assert speakers(split.train) == speakers(split.validation) != speakers(split.test)


def test_the_official_test_part_is_what_the_corpus_says() -> None:
    split = make_split(made(3), "official")
    assert {clip.take for clip in split.test} == {0, 1}
    assert not {clip.take for clip in split.train + split.validation} & {0, 1}


@pytest.mark.parametrize("rule", OF_ONE_BY_SPEAKER)
def test_one_speaker_is_too_few(rule: str) -> None:
    with pytest.raises(CorpusError, match=r"has 1 speaker \(s0\).*Take the rule 'rand"):
        make_split(made(1), rule, held_out="s0")


def test_what_cannot_be_split_is_explained() -> None:
    corpus = made(3)
    with pytest.raises(CorpusError, match="no rule 'best'; the rules are random"):
        make_split(corpus, "best")
    with pytest.raises(CorpusError, match=r"no speaker 'eve' to hold out.*s0, s1, s2"):
        make_split(corpus, "leave_one_out", held_out="eve")
    with pytest.raises(CorpusError, match="no speaker '' to hold out"):
        make_split(corpus, "leave_one_out")
    for fraction in (0.0, 1.0, -1.0, float("nan")):
        with pytest.raises(CorpusError, match="a fraction between 0 and 1"):
            make_split(corpus, "random", test=fraction)
        with pytest.raises(CorpusError, match="a fraction between 0 and 1"):
            make_split(corpus, "random", validation=fraction)
    unofficial = dataclasses.replace(corpus, official_test_takes=frozenset())
    with pytest.raises(CorpusError, match="has no official test part"):
        make_split(unofficial, "official")
    with pytest.raises(CorpusError, match="'corpus' needs two corpora"):
        make_split(corpus, "corpus")
    for few in (made(1, 1), dataclasses.replace(corpus, clips=())):
        with pytest.raises(CorpusError, match="too few clips"):
            make_split(few, "random")


def test_a_clip_in_two_parts_is_refused() -> None:
    one, two, three = made(1).clips[:3]
    with pytest.raises(CorpusError, match="1 clips are both in train and in test"):
        Split((one, two), (three,), (one,), "random", 0)
    renamed = dataclasses.replace(one, take=99)
    with pytest.raises(CorpusError, match="both in train and in validation"):
        Split((one,), (renamed,), (three,), "random", 0)


@pytest.mark.parametrize("rule", BY_SPEAKER)
def test_a_test_speaker_in_another_part_is_refused(rule: str) -> None:
    by_a, by_b = (
        tuple(c for c in made(2).clips if c.speaker == s) for s in ["s0", "s1"]
    )
    with pytest.raises(CorpusError, match="speakers s0 are in the test part and in"):
        Split(by_a[1:], by_b, by_a[:1], rule, 0)


def test_splits_of_several_corpora_are_joined_part_by_part() -> None:
    corpora = [made(4, name="one"), made(5, name="two")]
    splits = [make_split(corpus, "random", 3) for corpus in corpora]
    both = join(splits)
    for part in both.parts:
        assert set(both.parts[part]) == {c for s in splits for c in s.parts[part]}
    assert (both.rule, both.seed) == ("random", 3)
    assert join(splits[:1]) == splits[0]
    mixed = join([splits[0], make_split(corpora[1], "official")])
    assert mixed.rule == "random + official"


def test_what_cannot_be_joined_is_explained() -> None:
    with pytest.raises(CorpusError, match="No corpus was chosen"):
        join([])
    with pytest.raises(CorpusError, match="each corpus in it once"):
        join([make_split(made(4), "random", seed) for seed in (0, 1)])


def test_the_digest_is_of_the_parts() -> None:
    split = make_split(made(3), "random")
    swapped = Split(split.train, split.test, split.validation, "random", 0)
    assert split.digest != swapped.digest


def test_a_whole_corpus_is_held_out_while_others_train() -> None:
    tested, other = made(3, name="tested"), made(12, name="other")
    other = dataclasses.replace(
        other,
        clips=tuple(
            dataclasses.replace(clip, speaker=f"o{clip.speaker}")
            for clip in other.clips
        ),
    )
    split = join([hold_out(tested, "corpus"), train_only(other, "corpus")])
    assert split.test == tested.clips
    assert sorted(split.train + split.validation) == list(other.clips)
    assert not speakers(split.train) & speakers(split.validation)


def test_beside_an_official_test_part_other_corpora_train_with_all_clips() -> None:
    split = train_only(made(3), "official")
    assert split.train == made(3).clips
    assert not split.validation + split.test
