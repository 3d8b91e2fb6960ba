"""Which clips train a network, which choose among its epochs, which test it.

Owns the rules for splitting a corpus and the promise that its parts are apart.
Speech of one speaker sounds alike, so a clip of a speaker who also trains says
little about strangers: the rules by speaker keep each speaker's clips together.
What the clips become is for `features`, the next step.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations

import numpy as np

from audiomnist.corpora.clips import Clip, Corpus
from audiomnist.errors import CorpusError

RULES = {
    "random": (
        "Clips are drawn at random, digit by digit; the same speakers train and "
        "test, so the accuracy flatters."
    ),
    "speaker": (
        "Whole speakers are drawn at random; the test is by people whom the "
        "network has never heard. A corpus of one speaker only trains."
    ),
    "leave_one_out": (
        "One chosen speaker is the test and all others train; done for each "
        "speaker in turn it tells how strangers will fare. Other corpora only train."
    ),
    "official": (
        "The test part is the one that the corpus's authors set aside, so that "
        "results can be compared with published ones; a corpus without one only trains."
    ),
    "corpus": (
        "One chosen corpus is the test and the others train: other people, rooms and "
        "microphones altogether."
    ),
}
"""The rules, and what each means."""

BY_SPEAKER = ("speaker", "leave_one_out", "corpus")
"""Rules that keep each test speaker out of training."""


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
        in another part.
    """

    train: tuple[Clip, ...]
    validation: tuple[Clip, ...]
    test: tuple[Clip, ...]
    rule: str
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
        if self.rule in BY_SPEAKER:
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
        shared = _speakers(self.test) & _speakers(self.train + self.validation)
        if shared:
            raise CorpusError(
                f"The speakers {', '.join(sorted(shared))} are in the test part and "
                f"in another, which the rule {self.rule!r} forbids. Rename them if "
                "they are different people, or take the rule 'random'."
            )


def make_split(
    corpus: Corpus,
    rule: str,
    seed: int = 0,
    *,
    test: float = 0.2,
    validation: float = 0.1,
    held_out: str = "",
) -> Split:
    """Split a corpus by a rule; the same seed gives the same split.

    Parameters
    ----------
    corpus
        What to split.
    rule
        One of `RULES`.
    seed
        Chooses among the splits that the rule allows.
    test
        Fraction of the clips for the test part, for "random" and "speaker"; by
        speaker, as near to it as whole speakers come.
    validation
        Fraction of the remaining clips for the validation part. By whole
        speakers too for the rules by speaker and where the official test is by
        speaker, if there are so many that one of them
        is no more than that fraction: else too few would be left to learn from.
    held_out
        The test speaker of "leave_one_out". A whole corpus is held out by
        `hold_out`.

    Raises
    ------
    CorpusError
        If the rule or speaker is not known, a fraction is not between 0 and 1,
        or the corpus has too few clips or speakers, or no official test part.
    """
    if rule not in RULES:
        raise CorpusError(
            f"There is no rule {rule!r}; the rules are {', '.join(RULES)}."
        )
    for name, fraction in (("test", test), ("validation", validation)):
        if not 0 < fraction < 1:
            raise CorpusError(
                f"The {name} part is {fraction} of the clips; expected a fraction "
                "between 0 and 1, such as 0.2."
            )
    rng = np.random.default_rng(seed)
    if rule == "random":
        tested = _draw_clips(corpus.clips, test, rng)
    elif rule == "official":
        tested = _official(corpus)
    elif rule == "corpus":
        raise CorpusError(
            "The rule 'corpus' needs two corpora or more: one is the test and the "
            "others train. Choose a second corpus, or the rule 'speaker'."
        )
    elif rule == "speaker":
        tested = _of_speakers(corpus.clips, _draw_test_speakers(corpus, test, rng))
    else:
        tested = _of_speakers(corpus.clips, {_check_held_out(corpus, held_out)})
    rest = _without(corpus.clips, tested)
    by_speaker = rule in BY_SPEAKER or bool(
        rule == "official" and corpus.official_test_speakers
    )
    validating = _draw_validation(rest, validation, rng, by_speaker=by_speaker)
    training = _without(rest, validating)
    if not (tested and validating and training):
        raise CorpusError(
            f"The corpus {corpus.name!r} has too few clips ({len(corpus.clips)}) to "
            f"train, validate and test by the rule {rule!r}. Add recordings: a few "
            "of each digit for each part."
        )
    return Split(tuple(training), tuple(validating), tuple(tested), rule, seed)


def train_only(
    corpus: Corpus, rule: str, seed: int = 0, *, validation: float = 0.1
) -> Split:
    """Let a corpus train and validate, beside others that are tested by `rule`.

    Parameters
    ----------
    corpus, rule, seed, validation
        As in `make_split`; for the rule "official", all clips train.
    """
    if rule == "official":
        return Split(corpus.clips, (), (), rule, seed)
    rng = np.random.default_rng(seed)
    validating = _draw_validation(
        corpus.clips, validation, rng, by_speaker=rule in BY_SPEAKER
    )
    training = _without(corpus.clips, validating)
    return Split(tuple(training), tuple(validating), (), rule, seed)


def hold_out(corpus: Corpus, rule: str, seed: int = 0) -> Split:
    """Let all clips of a corpus test, beside others that train."""
    return Split((), (), corpus.clips, rule, seed)


def join(splits: Sequence[Split]) -> Split:
    """Join the splits of several corpora, part by part.

    Parameters
    ----------
    splits
        One or more; the rule of the result names all of theirs.

    Raises
    ------
    CorpusError
        If there is none, or the parts of the result overlap: see `Split`.
    """
    if not splits:
        raise CorpusError("No corpus was chosen. Choose at least one.")
    return Split(
        train=tuple(clip for split in splits for clip in split.train),
        validation=tuple(clip for split in splits for clip in split.validation),
        test=tuple(clip for split in splits for clip in split.test),
        rule=" + ".join(dict.fromkeys(split.rule for split in splits)),
        seed=splits[0].seed,
    )


def without_speakers(split: Split, speakers: frozenset[str]) -> Split:
    """Let some speakers only test, whichever corpus their clips are from."""
    if not speakers:
        return split

    def others(clips: tuple[Clip, ...]) -> tuple[Clip, ...]:
        return tuple(clip for clip in clips if clip.speaker not in speakers)

    return replace(
        split, train=others(split.train), validation=others(split.validation)
    )


def _draw_clips(
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


def _draw_speakers(
    clips: Sequence[Clip], fraction: float, rng: np.random.Generator
) -> set[str]:
    """Speakers in random order while their clips come nearer to the fraction."""
    n_clips = dict.fromkeys(sorted(_speakers(clips)), 0)
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


def _draw_test_speakers(
    corpus: Corpus, fraction: float, rng: np.random.Generator
) -> set[str]:
    """Test speakers of a corpus that has two speakers or more."""
    _check_two_speakers(corpus, "speaker")
    return _draw_speakers(corpus.clips, fraction, rng)


def _draw_validation(
    clips: Sequence[Clip],
    fraction: float,
    rng: np.random.Generator,
    *,
    by_speaker: bool,
) -> list[Clip]:
    """Validation clips, by whole speakers where that is wanted and the clips allow."""
    if by_speaker and fraction * len(_speakers(clips)) >= 1:
        return _of_speakers(clips, _draw_speakers(clips, fraction, rng))
    return _draw_clips(clips, fraction, rng)


def _official(corpus: Corpus) -> list[Clip]:
    """The clips that the corpus's authors set aside."""
    if not corpus.official_test:
        raise CorpusError(
            f"The corpus {corpus.name!r} has no official test part. Take the rule "
            "'speaker' or 'random'."
        )
    return list(corpus.official_test)


def _check_held_out(corpus: Corpus, speaker: str) -> str:
    """The speaker to hold out, known to be one of several."""
    _check_two_speakers(corpus, "leave_one_out")
    if speaker not in corpus.speakers:
        raise CorpusError(
            f"The corpus {corpus.name!r} has no speaker {speaker!r} to hold out. "
            f"Choose one of {', '.join(corpus.speakers)}."
        )
    return speaker


def _check_two_speakers(corpus: Corpus, rule: str) -> None:
    """Refuse a rule by speaker for a corpus of one speaker."""
    if len(corpus.speakers) < 2:
        raise CorpusError(
            f"The corpus {corpus.name!r} has {len(corpus.speakers)} speaker "
            f"({', '.join(corpus.speakers)}); the rule {rule!r} needs two or more. "
            "Take the rule 'random', or name the speakers in the files' names: "
            "{digit}_{speaker}_{take}."
        )


def _speakers(clips: Iterable[Clip]) -> set[str]:
    """Who speaks in the clips."""
    return {clip.speaker for clip in clips}


def _of_speakers(clips: Iterable[Clip], speakers: set[str]) -> list[Clip]:
    """The clips by these speakers."""
    return [clip for clip in clips if clip.speaker in speakers]


def _without(clips: Iterable[Clip], others: Iterable[Clip]) -> list[Clip]:
    """The clips that are not among the others."""
    excluded = set(others)
    return [clip for clip in clips if clip not in excluded]
