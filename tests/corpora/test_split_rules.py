"""Each rule: the same splits for ever, and what it says of itself is so."""

import dataclasses
from collections import Counter

import pytest
from made_corpora import made_corpus

from audiomnist.corpora.clips import Clip, Corpus
from audiomnist.corpora.library import load_corpus
from audiomnist.corpora.split_rules import RULES
from audiomnist.corpora.splits import speakers_of
from audiomnist.errors import CorpusError

# The rule "corpus" splits no corpus: it holds a whole one out.
OF_ONE = [rule for rule in RULES if rule != "corpus"]
OF_ONE_BY_SPEAKER = [rule for rule in OF_ONE if RULES[rule].is_by_speaker]

MADE = {
    "speaker": "8bf511300031aed4",
    "random": "663d78788721d4ad",
    "leave_one_out": "6fcb689eb21f54e5",
    "official": "3562c66011582fb0",
    "corpus": "e8588d7c00c6601d",
}
"""How the digest of each rule's split of the embedded corpus begins, at seed 0."""

TRAIN_ONLY = {
    "speaker": "f4fbf2feb1c17345",
    "random": "5bafe03922bf38eb",
    "leave_one_out": "f4fbf2feb1c17345",
    "official": "0d0e1b19f871ca75",
    "corpus": "f4fbf2feb1c17345",
}
"""The same, where other corpora test."""

HELD_OUT = {"speaker": "adam", "corpus": "embedded"}
"""What is held out of the embedded corpus, by what a rule asks for."""


@pytest.fixture(scope="module")
def embedded() -> Corpus:
    """The embedded corpus, as if its authors had set some speakers aside."""
    corpus = load_corpus("embedded")
    speakers = frozenset(corpus.speakers[:15])
    return dataclasses.replace(corpus, official_test_speakers=speakers)


@pytest.mark.parametrize("name", RULES)
def test_a_rule_splits_as_ever(name: str, embedded: Corpus) -> None:
    rule = RULES[name]
    held_out = HELD_OUT.get(rule.asks_for, "")
    split = rule.split_one(embedded, held_out=held_out)
    assert split.digest.startswith(MADE[name])
    assert rule.train_only(embedded).digest.startswith(TRAIN_ONLY[name])


@pytest.mark.parametrize("name", RULES)
def test_a_rule_keeps_what_it_says(name: str) -> None:
    rule = RULES[name]
    assert rule.name == name
    assert rule.title and rule.explanation.endswith(".")
    corpora = [
        made_corpus(12, name="one"),
        made_corpus(12, name="two", speaker="t"),
    ]
    held_out = {"speaker": "s3", "corpus": "one"}.get(rule.asks_for, "")
    assert rule.suits(corpora)
    split = rule.split(corpora, 1, held_out=held_out)
    assert split == rule.split(corpora, 1, held_out=held_out)
    assert split.rule is rule
    assert {clip for clips in split.parts.values() for clip in clips} == {
        clip for corpus in corpora for clip in corpus.clips
    }
    tested = {clip.corpus for clip in split.test}
    assert tested == {c.name for c in corpora if rule.is_tested(c, held_out)}
    apart = rule.kept_from_training(split, corpora)
    assert not speakers(split.train) & apart
    assert speakers(split.test) <= apart or not rule.is_by_speaker
    for corpus in corpora:
        alone = rule.split_one(corpus, 1, held_out=held_out)
        for part, clips in alone.parts.items():
            assert set(clips) == set(split.parts[part]) & set(corpus.clips)
        only = rule.train_only(corpus, 1)
        assert not only.test and len(only.train + only.validation) == len(corpus.clips)


def test_rules_are_offered_where_they_suit() -> None:
    corpus = made_corpus(3)
    unofficial = dataclasses.replace(corpus, official_test_takes=frozenset())

    def offered(*corpora: Corpus) -> list[str]:
        return [name for name, rule in RULES.items() if rule.suits(corpora)]

    always = ["speaker", "random", "leave_one_out"]
    assert offered() == offered(unofficial) == always
    assert offered(corpus) == [*always, "official"]
    assert offered(unofficial, unofficial) == [*always, "corpus"]


def speakers(clips: tuple[Clip, ...]) -> set[str]:
    return {clip.speaker for clip in clips}


@pytest.mark.parametrize("rule", OF_ONE)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_every_rule_uses_each_clip_once(rule: str, seed: int) -> None:
    corpus = made_corpus(6)
    split = RULES[rule].split_corpus(corpus, seed, held_out="s3")
    everything = split.train + split.validation + split.test
    assert sorted(everything) == list(corpus.clips)
    assert split.train and split.validation and split.test
    for clips in split.parts.values():
        assert list(clips) == sorted(clips)
    assert (split.rule, split.seed) == (RULES[rule], seed)


@pytest.mark.parametrize("rule", OF_ONE)
def test_a_seed_repeats_a_split_and_another_changes_it(rule: str) -> None:
    split_corpus, corpus = RULES[rule].split_corpus, made_corpus(8)
    shuffled = dataclasses.replace(corpus, clips=corpus.clips[::-1])
    split = split_corpus(corpus, 5, held_out="s3")
    assert split == split_corpus(shuffled, 5, held_out="s3")
    digests = {split_corpus(corpus, s, held_out="s3").digest for s in range(8)}
    assert split.digest in digests
    assert len(digests) > 1


def test_a_random_split_has_the_fractions_for_every_digit() -> None:
    split = RULES["random"].split_corpus(made_corpus(5, 20), test=0.3, validation=0.2)
    for clips, n in ((split.test, 30), (split.validation, 14), (split.train, 56)):
        counts = Counter(clip.digit for clip in clips)
        assert counts == dict.fromkeys(range(10), n)


@pytest.mark.parametrize("rule", OF_ONE_BY_SPEAKER)
@pytest.mark.parametrize("n_speakers", [3, 6, 30])
@pytest.mark.parametrize("seed", range(5))
def test_no_test_speaker_is_in_another_part(
    rule: str, n_speakers: int, seed: int
) -> None:
    split = RULES[rule].split_corpus(made_corpus(n_speakers), seed, held_out="s1")
    train, validation, test = (speakers(clips) for clips in split.parts.values())
    assert not (train & test or validation & test)
    # Few speakers are too many to lose for validation.
    assert bool(train & validation) == (n_speakers < 10)


def test_a_split_by_speaker_comes_near_the_fractions() -> None:
    rule, corpus = RULES["speaker"], made_corpus(30)
    split = rule.split_corpus(corpus, test=0.2, validation=0.1)
    assert len(speakers(split.test)) == 6
    assert len(speakers(split.validation)) in (2, 3)
    assert len(speakers(rule.split_corpus(corpus, test=0.5).test)) == 15


@pytest.mark.parametrize("rule", ["speaker", "leave_one_out"])
def test_whole_speakers_validate_where_whole_speakers_test(rule: str) -> None:
    split = RULES[rule].split([made_corpus(6)], held_out="s2")
    unknown = speakers_of(split.validation)
    assert len(unknown) == 1 and not unknown & speakers_of(split.train)
    few = RULES[rule].split([made_corpus(3)], held_out="s2")
    assert speakers_of(few.validation) == speakers_of(few.train)


def test_one_chosen_speaker_is_left_out() -> None:
    for speaker in made_corpus(4).speakers:
        split = RULES["leave_one_out"].split_corpus(made_corpus(4), held_out=speaker)
        assert speakers(split.test) == {speaker}


@pytest.mark.parametrize("rule", OF_ONE_BY_SPEAKER)
def test_two_speakers_share_train_and_validation(rule: str) -> None:
    split = RULES[rule].split_corpus(made_corpus(2), held_out="s0")
    assert len(speakers(split.test)) == 1
    assert speakers(split.train) == speakers(split.validation) != speakers(split.test)


def test_the_official_test_part_is_what_the_corpus_says() -> None:
    split = RULES["official"].split_corpus(made_corpus(3))
    assert {clip.take for clip in split.test} == {0, 1}
    assert not {clip.take for clip in split.train + split.validation} & {0, 1}


@pytest.mark.parametrize("rule", OF_ONE_BY_SPEAKER)
def test_one_speaker_is_too_few(rule: str) -> None:
    with pytest.raises(CorpusError, match=r"has 1 speaker \(s0\).*Take the rule 'rand"):
        RULES[rule].split_corpus(made_corpus(1), held_out="s0")


def test_what_cannot_be_split_is_explained() -> None:
    corpus = made_corpus(3)
    leave_one_out, whole = RULES["leave_one_out"], RULES["corpus"]
    with pytest.raises(CorpusError, match=r"no speaker 'eve' to hold out.*s0, s1, s2"):
        leave_one_out.split([corpus], held_out="eve")
    with pytest.raises(CorpusError, match="no speaker '' to hold out"):
        leave_one_out.split_corpus(corpus)
    for fraction in (0.0, 1.0, -1.0, float("nan")):
        with pytest.raises(CorpusError, match="a fraction between 0 and 1"):
            RULES["random"].split_corpus(corpus, test=fraction)
        with pytest.raises(CorpusError, match="a fraction between 0 and 1"):
            RULES["random"].split_corpus(corpus, validation=fraction)
    unofficial = dataclasses.replace(corpus, official_test_takes=frozenset())
    with pytest.raises(CorpusError, match="has no official test part"):
        RULES["official"].split([unofficial])
    with pytest.raises(CorpusError, match="'corpus' needs two corpora"):
        whole.split([corpus], held_out="made")
    with pytest.raises(CorpusError, match=r"'far' is to be held out.*one of made, two"):
        whole.split([corpus, made_corpus(3, name="two")], held_out="far")
    for few in (made_corpus(1, 1), dataclasses.replace(corpus, clips=())):
        with pytest.raises(CorpusError, match="too few clips"):
            RULES["random"].split([few])


def test_a_whole_corpus_is_held_out_while_others_train() -> None:
    tested = made_corpus(3, name="tested")
    other = made_corpus(12, name="other", speaker="o")
    split = RULES["corpus"].split([tested, other], held_out="tested")
    assert split.test == tested.clips
    assert sorted(split.train + split.validation) == list(other.clips)
    assert not speakers(split.train) & speakers(split.validation)


def test_who_speaks_alone_in_a_corpus_only_trains() -> None:
    several, alone = made_corpus(4), made_corpus(1, name="alone", speaker="anna")
    split = RULES["speaker"].split([alone, several])
    assert "anna0" in speakers(split.train)
    assert split.test and "anna0" not in speakers(split.test)


def test_beside_an_official_test_part_other_corpora_train_with_all_clips() -> None:
    split = RULES["official"].train_only(made_corpus(3))
    assert split.train == made_corpus(3).clips
    assert not split.validation + split.test


def test_clips_of_unknown_speakers_train_and_test_no_stranger() -> None:
    known = made_corpus(4)
    nameless = tuple(
        dataclasses.replace(clip, speaker="unknown", path=clip.path.with_suffix(".x"))
        for clip in made_corpus(1).clips
    )
    corpus = dataclasses.replace(known, clips=known.clips + nameless)
    for rule in OF_ONE_BY_SPEAKER:
        split = RULES[rule].split_corpus(corpus, held_out="s0")
        assert "unknown" not in speakers(split.test)
        assert "unknown" in speakers(split.train)
    alone = dataclasses.replace(known, clips=nameless, name="alone")
    with pytest.raises(CorpusError, match=r"has unnamed speakers \(no names\).*random"):
        RULES["speaker"].split([alone])
    with pytest.raises(CorpusError, match="no speaker 'unknown' to hold out"):
        RULES["leave_one_out"].split([corpus], held_out="unknown")
    # Nobody can say whether they are the same people.
    others = dataclasses.replace(known, clips=known.clips[:-1] + nameless[:1])
    split = RULES["corpus"].split(
        [dataclasses.replace(alone, clips=nameless[1:]), others], held_out="alone"
    )
    assert speakers(split.test) == {"unknown"} and "unknown" in speakers(split.train)
