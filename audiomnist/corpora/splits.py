"""A corpus in three parts, and the type of the rules that make them.

Owns the promise that the parts are apart, and drawing them at random. Speech of one
speaker sounds alike, so a test clip of a speaker in the training part says little about
unknown speakers: rules by speaker keep each speaker's clips together. The rules
themselves are in `split_rules`.
"""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from typing import ClassVar, Literal

import numpy as np

from audiomnist.corpora.clips import Clip, Corpus
from audiomnist.corpora.naming import UNKNOWN_SPEAKER
from audiomnist.errors import CorpusError


class SplitRule(ABC):
    """Which clips are for training, for validation and for the test.

    Parameters
    ----------
    name
        What settings and saved runs call it.
    title, explanation
        What people read: a few words, and what such a test tells.
    asks_for
        What has to be chosen for the test: a "speaker", a "corpus", or nothing ("").
    is_by_speaker
        Whether no test speaker may be in another part.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    explanation: ClassVar[str]
    asks_for: ClassVar[Literal["", "speaker", "corpus"]] = ""
    is_by_speaker: ClassVar[bool] = False

    def suits(self, corpora: Sequence[Corpus]) -> bool:
        """Whether the rule is worth offering for these corpora."""
        return True

    @abstractmethod
    def is_tested(self, corpus: Corpus, held_out: str = "") -> bool:
        """Whether some of the test is from a corpus; others are for training only."""

    def set_aside(self, corpora: Iterable[Corpus]) -> frozenset[str]:
        """Speakers kept out of the training in every corpus, tested or not."""
        return frozenset()

    def kept_from_training(
        self, split: "Split", corpora: Iterable[Corpus]
    ) -> frozenset[str]:
        """Speakers whose clips, whatever they say, are not trained on."""
        tested = speakers_of(split.test) if self.is_by_speaker else set()
        return self.set_aside(corpora) | tested

    def split(
        self, corpora: Sequence[Corpus], seed: int = 0, *, held_out: str = ""
    ) -> "Split":
        """Split corpora and join the parts; the same seed gives the same split.

        Parameters
        ----------
        corpora
            One or more.
        seed
            Chooses among the splits that the rule allows.
        held_out
            The speaker or corpus that the rule asks for.

        Raises
        ------
        CorpusError
            If there is no corpus, none of them can be split by the rule, or the test
            part shares a clip, or a speaker who must be in it alone, with another.

        Examples
        --------
        >>> from audiomnist.corpora.library import load_corpus
        >>> from audiomnist.corpora.split_rules import RULES
        >>> split = RULES["speaker"].split([load_corpus("embedded")], seed=0)
        >>> {part: len(clips) for part, clips in split.parts.items()}
        {'train': 3570, 'validation': 410, 'test': 1020}
        """
        tested = [corpus for corpus in corpora if self.is_tested(corpus, held_out)]
        # Where none is, splitting the first one says what is wrong.
        tested = tested or list(corpora[:1])
        whole = _join(
            [
                self.split_corpus(corpus, seed, held_out=held_out)
                if corpus in tested
                else self.train_only(corpus, seed)
                for corpus in corpora
            ]
        )
        whole = _without_speakers(whole, self.set_aside(corpora))
        return _with_unknown_speakers(whole) if self.is_by_speaker else whole

    def split_one(
        self, corpus: Corpus, seed: int = 0, *, held_out: str = ""
    ) -> "Split":
        """Split one of several corpora as `split` does, without the others.

        Its test part is the same; which of the other clips validate may depend on the
        other corpora.

        Except that speakers whom another corpus's authors set aside are trained on
        here.

        Raises
        ------
        CorpusError
            If it cannot be split like this.
        """
        if self.is_tested(corpus, held_out):
            return self.split_corpus(corpus, seed, held_out=held_out)
        return self.train_only(corpus, seed)

    @abstractmethod
    def split_corpus(
        self,
        corpus: Corpus,
        seed: int = 0,
        *,
        held_out: str = "",
        test: float = 0.2,
        validation: float = 0.1,
    ) -> "Split":
        """Split a corpus that is tested.

        Parameters
        ----------
        corpus, seed, held_out
            As in `split`.
        test
            Fraction of the clips for the test part, where the rule draws it; by
            speaker, as near to it as whole speakers come.
        validation
            Fraction of the remaining clips for the validation part. By whole speakers
            too where the test is by speaker, if there are so many that one of them is
            no more than that fraction: else too few would be left to learn from.

        Raises
        ------
        CorpusError
            If the speaker to hold out is not known, a fraction is not between 0 and
            1, or the corpus has too few clips or speakers, or no such test part.
        """

    def train_only(
        self, corpus: Corpus, seed: int = 0, *, validation: float = 0.1
    ) -> "Split":
        """Use a corpus for training and validation, beside others that are tested."""
        rng = np.random.default_rng(seed)
        validating = draw_validation(
            corpus.clips, validation, rng, by_speaker=self.is_by_speaker
        )
        training = without(corpus.clips, validating)
        return Split(tuple(training), tuple(validating), (), self, seed)


@dataclass(frozen=True)
class Split:
    """Clips in three parts that have nothing in common.

    Parameters
    ----------
    train, validation, test
        The parts; kept sorted.
    rule, seed
        What made the split.

    Raises
    ------
    CorpusError
        If a clip is in two parts, or, for a rule by speaker, a test speaker is
        in another part. Of unnamed speakers nobody can say so.
    """

    train: tuple[Clip, ...]
    validation: tuple[Clip, ...]
    test: tuple[Clip, ...]
    rule: SplitRule
    seed: int

    def __post_init__(self) -> None:
        for part, clips in self.parts.items():
            object.__setattr__(self, part, tuple(sorted(clips)))
        for one, other in combinations(self.parts, 2):
            places = [
                {(clip.path, clip.member) for clip in self.parts[part]}
                for part in (one, other)
            ]
            if common := places[0] & places[1]:
                raise CorpusError(
                    f"{len(common)} clips are both in {one} and in {other}; the "
                    "parts of a split must not share any. Make the split again, "
                    "with each corpus in it once."
                )
        if self.rule.is_by_speaker:
            self._check_speakers()

    @property
    def parts(self) -> dict[str, tuple[Clip, ...]]:
        """The clips by the name of their part."""
        return {"train": self.train, "validation": self.validation, "test": self.test}

    @cached_property
    def digest(self) -> str:
        """Sha256 over which clip is in which part."""
        lines = (
            f"{part} {clip.digit} {clip.speaker} {clip.take} {clip.name}\n"
            for part, clips in self.parts.items()
            for clip in clips
        )
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    def _check_speakers(self) -> None:
        """Refuse a test speaker who is in another part."""
        shared = speakers_of(self.test) & speakers_of(self.train + self.validation)
        if shared:
            raise CorpusError(
                f"The speakers {', '.join(sorted(shared))} are in the test part and "
                f"in another, which the rule {self.rule.name!r} forbids. Rename them "
                "if they are different people, or take the rule 'random'."
            )


def _join(splits: Sequence[Split]) -> Split:
    """Join the splits of several corpora by one rule, part by part."""
    if not splits:
        raise CorpusError("No corpus was chosen. Choose at least one.")
    return Split(
        train=tuple(clip for split in splits for clip in split.train),
        validation=tuple(clip for split in splits for clip in split.validation),
        test=tuple(clip for split in splits for clip in split.test),
        rule=splits[0].rule,
        seed=splits[0].seed,
    )


def _without_speakers(split: Split, speakers: frozenset[str]) -> Split:
    """Keep some speakers in the test alone, whichever corpus their clips are from."""
    if not speakers:
        return split

    def others(clips: tuple[Clip, ...]) -> tuple[Clip, ...]:
        return tuple(clip for clip in clips if clip.speaker not in speakers)

    return replace(
        split, train=others(split.train), validation=others(split.validation)
    )


def _with_unknown_speakers(split: Split) -> Split:
    """Let whole speakers validate, where all of them would be in the training, too.

    How sure a network is of unknown speakers can be learned from nobody else. Two
    speakers or more remain for the training.
    """
    clips = split.train + split.validation
    speakers = speakers_of(clips)
    if speakers_of(split.validation) - speakers_of(split.train) or len(speakers) < 3:
        return split
    rng = np.random.default_rng(split.seed)
    drawn = draw_speakers(clips, len(split.validation) / len(clips), rng)
    validation = of_speakers(clips, drawn)
    training = without(clips, validation)
    return replace(split, train=tuple(training), validation=tuple(validation))


def draw_clips(
    clips: Iterable[Clip], fraction: float, rng: np.random.Generator
) -> list[Clip]:
    """The same fraction of each digit's clips, drawn at random."""
    by_digit: dict[int, list[Clip]] = {}
    for clip in sorted(clips):
        by_digit.setdefault(clip.digit, []).append(clip)
    drawn = []
    for digit_clips in by_digit.values():
        order = rng.permutation(len(digit_clips))
        n_drawn = round(fraction * len(digit_clips))
        drawn += [digit_clips[i] for i in order[:n_drawn]]
    return drawn


def draw_speakers(
    clips: Sequence[Clip], fraction: float, rng: np.random.Generator
) -> set[str]:
    """Speakers in random order while their clips come nearer to the fraction.

    Only of clips that name one: the others may be by anybody.
    """
    clips = of_speakers(clips, speakers_of(clips))
    n_clips = dict.fromkeys(sorted(speakers_of(clips)), 0)
    for clip in clips:
        n_clips[clip.speaker] += 1
    order = [str(speaker) for speaker in rng.permutation(list(n_clips))]
    target = fraction * len(clips)
    drawn: set[str] = set()
    n_drawn = 0
    for speaker in order:
        n_more = n_drawn + n_clips[speaker]
        if abs(n_more - target) < abs(n_drawn - target) and len(drawn) + 1 < len(order):
            drawn.add(speaker)
            n_drawn = n_more
    return drawn or {min(order, key=lambda speaker: n_clips[speaker])}


def draw_validation(
    clips: Sequence[Clip],
    fraction: float,
    rng: np.random.Generator,
    *,
    by_speaker: bool,
) -> list[Clip]:
    """Validation clips, by whole speakers where that is wanted and the clips allow."""
    if by_speaker and fraction * len(speakers_of(clips)) >= 1:
        return of_speakers(clips, draw_speakers(clips, fraction, rng))
    return draw_clips(clips, fraction, rng)


def speakers_of(clips: Iterable[Clip]) -> set[str]:
    """Who is named as a speaker of the clips."""
    return {clip.speaker for clip in clips} - {UNKNOWN_SPEAKER}


def of_speakers(clips: Iterable[Clip], speakers: set[str]) -> list[Clip]:
    """The clips by these speakers."""
    return [clip for clip in clips if clip.speaker in speakers]


def without(clips: Iterable[Clip], others: Iterable[Clip]) -> list[Clip]:
    """The clips that are not among the others."""
    excluded = set(others)
    return [clip for clip in clips if clip not in excluded]
