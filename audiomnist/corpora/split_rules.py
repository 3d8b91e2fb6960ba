"""The rules for splitting corpora, by their names.

Owns what each rule is called, what it tells, and which clips it tests. To add one,
write its class and name it in `RULES`: forms, command line, reports and model cards
ask the rule for whatever they say of it. What every rule keeps to is in `splits`.
"""

from abc import abstractmethod
from collections.abc import Iterable, Sequence

import numpy as np

from audiomnist.corpora.clips import Clip, Corpus
from audiomnist.corpora.splits import (
    Split,
    SplitRule,
    draw_clips,
    draw_speakers,
    draw_validation,
    of_speakers,
    without,
)
from audiomnist.errors import CorpusError


class WithinCorpus(SplitRule):
    """A rule that splits a corpus into training and test clips of its own."""

    @abstractmethod
    def _tested(
        self, corpus: Corpus, held_out: str, fraction: float, rng: np.random.Generator
    ) -> list[Clip]:
        """The test clips."""

    def _validates_by_speaker(self, corpus: Corpus) -> bool:
        """Whether the validation part has whole speakers, where they are many."""
        return self.is_by_speaker

    def split_corpus(
        self,
        corpus: Corpus,
        seed: int = 0,
        *,
        held_out: str = "",
        test: float = 0.2,
        validation: float = 0.1,
    ) -> Split:
        """Split a corpus: see `SplitRule.split_corpus`."""
        for name, fraction in (("test", test), ("validation", validation)):
            if not 0 < fraction < 1:
                raise CorpusError(
                    f"The {name} part is {fraction} of the clips; expected a fraction "
                    "between 0 and 1, such as 0.2."
                )
        rng = np.random.default_rng(seed)
        tested = self._tested(corpus, held_out, test, rng)
        rest = without(corpus.clips, tested)
        by_speaker = self._validates_by_speaker(corpus)
        validating = draw_validation(rest, validation, rng, by_speaker=by_speaker)
        training = without(rest, validating)
        if not (tested and validating and training):
            raise CorpusError(
                f"The corpus {corpus.name!r} has too few clips ({len(corpus.clips)}) "
                f"to train, validate and test by the rule {self.name!r}. Add "
                "recordings: a few of each digit for each part."
            )
        return Split(tuple(training), tuple(validating), tuple(tested), self, seed)


class BySpeaker(WithinCorpus):
    """Test on whole speakers."""

    name = "speaker"
    title = "By speaker"
    explanation = (
        "Whole speakers are drawn at random, so the network is tested on people whom "
        "it was not trained on. A corpus of a single speaker is for training only, and "
        "so are clips that name no speaker."
    )
    is_by_speaker = True

    def is_tested(self, corpus: Corpus, held_out: str = "") -> bool:
        """Whether there are several speakers; a single one is for training only."""
        return len(corpus.speakers) > 1

    def _tested(
        self, corpus: Corpus, held_out: str, fraction: float, rng: np.random.Generator
    ) -> list[Clip]:
        """Clips of speakers drawn at random."""
        _check_two_speakers(corpus, self)
        return of_speakers(corpus.clips, draw_speakers(corpus.clips, fraction, rng))


class Random(WithinCorpus):
    """Test on clips drawn at random."""

    name = "random"
    title = "Random (optimistic)"
    explanation = (
        "Clips are drawn at random, digit by digit. The network is tested on the "
        "speakers whom it was trained on, so the accuracy flatters it."
    )

    def is_tested(self, corpus: Corpus, held_out: str = "") -> bool:
        """Every corpus is."""
        return True

    def _tested(
        self, corpus: Corpus, held_out: str, fraction: float, rng: np.random.Generator
    ) -> list[Clip]:
        """Clips drawn at random, digit by digit."""
        return draw_clips(corpus.clips, fraction, rng)


class LeaveOneOut(WithinCorpus):
    """Test on one speaker."""

    name = "leave_one_out"
    title = "Leave one speaker out"
    explanation = (
        "The network is tested on one chosen speaker and trained on all others. Done "
        "for each speaker in turn, this shows how well unknown speakers are "
        "recognized. Other corpora are for training only."
    )
    asks_for = "speaker"
    is_by_speaker = True

    def is_tested(self, corpus: Corpus, held_out: str = "") -> bool:
        """Whether the chosen speaker speaks in it."""
        return held_out in corpus.speakers

    def _tested(
        self, corpus: Corpus, held_out: str, fraction: float, rng: np.random.Generator
    ) -> list[Clip]:
        """The chosen speaker's clips."""
        _check_two_speakers(corpus, self)
        if held_out not in corpus.speakers:
            raise CorpusError(
                f"The corpus {corpus.name!r} has no speaker {held_out!r} to hold out. "
                f"Choose one of {', '.join(corpus.speakers)}."
            )
        return of_speakers(corpus.clips, {held_out})


class Official(WithinCorpus):
    """Test on what the corpus's authors set aside."""

    name = "official"
    title = "The corpus’s own test part"
    explanation = (
        "The test part is the one that the corpus's authors set aside, so that "
        "results can be compared with published ones. A corpus without such a part is "
        "for training only."
    )

    def suits(self, corpora: Sequence[Corpus]) -> bool:
        """Whether one of them has such a part."""
        return any(corpus.official_test for corpus in corpora)

    def is_tested(self, corpus: Corpus, held_out: str = "") -> bool:
        """Whether it has such a part."""
        return bool(corpus.official_test)

    def set_aside(self, corpora: Iterable[Corpus]) -> frozenset[str]:
        """Speakers whom the corpora's authors set aside."""
        return frozenset().union(*(each.official_test_speakers for each in corpora))

    def train_only(
        self, corpus: Corpus, seed: int = 0, *, validation: float = 0.1
    ) -> Split:
        """Train on all clips of a corpus; validation is on the tested corpora."""
        return Split(corpus.clips, (), (), self, seed)

    def _tested(
        self, corpus: Corpus, held_out: str, fraction: float, rng: np.random.Generator
    ) -> list[Clip]:
        """What the corpus's authors set aside."""
        if not corpus.official_test:
            raise CorpusError(
                f"The corpus {corpus.name!r} has no official test part. Take the rule "
                "'speaker' or 'random'."
            )
        return list(corpus.official_test)

    def _validates_by_speaker(self, corpus: Corpus) -> bool:
        """Whether the official test is by speaker, too."""
        return bool(corpus.official_test_speakers)


class WholeCorpus(SplitRule):
    """Test on one corpus and train on the others."""

    name = "corpus"
    title = "One corpus against the others"
    explanation = (
        "The network is tested on one chosen corpus and trained on the others: other "
        "people, other rooms and other microphones."
    )
    asks_for = "corpus"
    is_by_speaker = True

    def suits(self, corpora: Sequence[Corpus]) -> bool:
        """Whether there are two or more."""
        return len(corpora) > 1

    def is_tested(self, corpus: Corpus, held_out: str = "") -> bool:
        """Whether it is the chosen one."""
        return corpus.name == held_out

    def split(
        self, corpora: Sequence[Corpus], seed: int = 0, *, held_out: str = ""
    ) -> Split:
        """Split corpora: see `SplitRule.split`."""
        if len(corpora) < 2:
            raise CorpusError(
                "The rule 'corpus' needs two corpora or more: one to test on and the "
                "others to train on. Choose a second corpus, or the rule 'speaker'."
            )
        names = [corpus.name for corpus in corpora]
        if held_out not in names:
            raise CorpusError(
                f"The corpus {held_out!r} is to be held out, but is not among those "
                f"chosen. Hold out one of {', '.join(names)}."
            )
        return super().split(corpora, seed, held_out=held_out)

    def split_corpus(
        self,
        corpus: Corpus,
        seed: int = 0,
        *,
        held_out: str = "",
        test: float = 0.2,
        validation: float = 0.1,
    ) -> Split:
        """Test on all clips of a corpus."""
        return Split((), (), corpus.clips, self, seed)


RULES: dict[str, SplitRule] = {
    rule.name: rule
    for rule in (BySpeaker(), Random(), LeaveOneOut(), Official(), WholeCorpus())
}
"""The rules by name, in the order in which forms offer them."""


def _check_two_speakers(corpus: Corpus, rule: SplitRule) -> None:
    """Refuse a rule by speaker for a corpus of one speaker."""
    if len(corpus.speakers) < 2:
        known = f"{corpus.people} ({', '.join(corpus.speakers) or 'no names'})"
        raise CorpusError(
            f"The corpus {corpus.name!r} has {known}; the rule {rule.name!r} needs two "
            "or more by name. Take the rule 'random', or name the speakers in "
            "the files' names: {digit}_{speaker}_{take}."
        )
