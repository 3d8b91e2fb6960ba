"""What keeps a corpus from working, found before a network learns from it.

Owns looking at all recordings of a corpus, once, and the sentences about what was found
in it and in its split. How the clips are split is for `splits`.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from audiomnist.audio.decoding import decode
from audiomnist.corpora.catalogue import CORPORA
from audiomnist.corpora.clips import RECORDINGS, Clip, Corpus, read, state_of
from audiomnist.corpora.naming import UNKNOWN_SPEAKER, same_people
from audiomnist.corpora.readings import people_remarks
from audiomnist.corpora.splits import Split, speakers_of
from audiomnist.digits import N_DIGITS
from audiomnist.errors import AudioError
from audiomnist.settings import settings, writable_folder
from audiomnist.storage import write_json

_SILENT = 3e-4  # -70 dBFS: ten steps of 16 bits
_N_EXAMPLES = 3
_CACHE = "checks"  # folder below the cache


class Sound(NamedTuple):
    """What is known of a recording without a network.

    Parameters
    ----------
    digest
        Of its bytes: equal for copies.
    is_silent
        Whether nothing can be heard in it; of a known corpus, nothing is silent.
    is_broken
        Whether it cannot be decoded.
    """

    digest: str
    is_silent: bool = False
    is_broken: bool = False


@dataclass(frozen=True)
class SplitCheck:
    """What a test of these clips cannot tell, or tells too well.

    Parameters
    ----------
    missing, untested
        Digits that nobody says in what trains, and in what tests.
    learned
        How many digits are learned.
    n_silent, silent
        Clips in which nothing can be heard, and the names of some.
    n_test, n_copies, copies
        Clips that test, how many of them train or validate, too, byte by byte, and the
        names of some, each with that of its copy.
    n_unnamed, n_unnamed_tested
        Clips that train or validate, and that test, and name no speaker.
    is_by_speaker
        Whether the test is to be on unknown speakers.
    alike
        Names in different parts that are probably one person's.
    trainer
        The only speaker who trains, "" where there are several or unknown ones.
    """

    missing: tuple[int, ...] = ()
    untested: tuple[int, ...] = ()
    learned: int = N_DIGITS
    n_silent: int = 0
    silent: tuple[str, ...] = ()
    n_test: int = 0
    n_copies: int = 0
    copies: tuple[str, ...] = ()
    n_unnamed: int = 0
    n_unnamed_tested: int = 0
    is_by_speaker: bool = False
    alike: tuple[str, ...] = ()
    trainer: str = ""

    def sentences(self) -> list[str]:
        """What is wrong, the worst first; nothing where all is well."""
        said = self.about_digits()
        if self.n_copies:
            said.append(
                f"{self.n_copies:,} of {self.n_test:,} test clips are byte for byte "
                f"the same as clips that train or validate ({_listed(self.copies)}): "
                "the network has heard the answers, and the accuracy is too good to "
                "be true."
            )
        if self.untested:
            said.append(
                f"No test clip says {_either(self.untested)}: how well that is "
                "recognized will not be known."
            )
        said += _about_silence(self.n_silent, self.silent)
        if self.alike:
            said.append(
                f"{_listed(self.alike)} are probably the same person, who trains and "
                "tests at once: the names differ in capitals or separators alone."
            )
        said += self._about_people()
        return said

    def about_digits(self) -> list[str]:
        """What the network does not learn to say."""
        return _about_digits(self.missing, self.learned)

    def _about_people(self) -> list[str]:
        """Who trains, and whether the test is on other people."""
        said = []
        if self.is_by_speaker and (self.n_unnamed or self.n_unnamed_tested):
            where = _count(self.n_unnamed, "training clip")
            if self.n_unnamed_tested:
                where += f" and {_count(self.n_unnamed_tested, 'test clip')}"
            said.append(
                f"The speaker of {where} is not named, so the test cannot promise that "
                "it is on people whom the network was not trained on."
            )
        if self.trainer:
            said.append(
                f"Only one person trains ({self.trainer}): others may be recognized "
                "much worse."
            )
        return said


def check_corpus(corpus: Corpus) -> list[str]:
    """Say in sentences what is wrong with a corpus, the worst first.

    Raises
    ------
    CorpusError
        If a recording cannot be read.
    """
    sounds = sounds_of(corpus)
    digits = {clip.digit for clip in corpus.clips}
    missing = tuple(digit for digit in range(N_DIGITS) if digit not in digits)
    said = _about_digits(missing, len(digits))
    silent = [clip for clip in corpus.clips if sounds[clip].is_silent]
    said += _about_silence(len(silent), _names(silent))
    said += _about_copies(corpus.clips, sounds)
    if broken := [clip for clip in corpus.clips if sounds[clip].is_broken]:
        said.append(
            f"{_count(len(broken), 'clip')} cannot be heard ({_listed(_names(broken))})"
            ": a training will stop there. Remove or replace what is damaged."
        )
    if len(corpus.speakers) == 1 and not corpus.n_unnamed:
        said.append(
            f"All clips are by one speaker ({corpus.speakers[0]}): a network learns "
            "this voice, and nothing tells how it fares with others."
        )
    return said + people_remarks(Counter(clip.speaker for clip in corpus.clips))


def check_split(split: Split, corpora: Iterable[Corpus]) -> SplitCheck:
    """Look at the clips of a split.

    Parameters
    ----------
    split
        Who trains, validates and tests.
    corpora
        All corpora that its clips are from.

    Raises
    ------
    CorpusError
        If a recording cannot be read.
    """
    sounds: dict[tuple[object, ...], Sound] = {}
    for corpus in corpora:
        for clip, sound in sounds_of(corpus).items():
            sounds[clip.path, clip.member] = sound
    learned = split.train + split.validation
    here = {sounds[clip.path, clip.member].digest: clip for clip in learned}
    copies = [
        (clip, here[digest])
        for clip in split.test
        if (digest := sounds[clip.path, clip.member].digest) in here
    ]
    silent = [
        clip
        for clip in learned + split.test
        if sounds[clip.path, clip.member].is_silent
    ]
    trainers = {clip.speaker for clip in learned}
    digits = {clip.digit for clip in split.train}
    tested = {clip.digit for clip in split.test}
    return SplitCheck(
        missing=tuple(digit for digit in range(N_DIGITS) if digit not in digits),
        untested=tuple(digit for digit in sorted(digits) if digit not in tested),
        learned=len(digits),
        n_silent=len(silent),
        silent=_names(silent),
        n_test=len(split.test),
        n_copies=len(copies),
        copies=tuple(
            f"{_place(clip)} and {_place(other)}"
            + (f" in {other.corpus}" if other.corpus != clip.corpus else "")
            for clip, other in copies[:_N_EXAMPLES]
        ),
        n_unnamed=_n_unnamed(learned),
        n_unnamed_tested=_n_unnamed(split.test),
        is_by_speaker=split.rule.is_by_speaker,
        alike=_alike(split) if split.rule.is_by_speaker else (),
        trainer=trainers.pop()
        if len(trainers) == 1 and _n_unnamed(learned) == 0
        else "",
    )


def sounds_of(corpus: Corpus) -> dict[Clip, Sound]:
    """Look at every recording of a corpus; again only when one has changed.

    Raises
    ------
    CorpusError
        If a recording cannot be read.
    """
    states = "\n".join(state_of(clip) for clip in corpus.clips)
    key = hashlib.sha256(states.encode(errors="surrogateescape")).hexdigest()
    folder = writable_folder(settings().cache / _CACHE)
    path = folder / f"{hashlib.sha256(corpus.name.encode()).hexdigest()[:16]}.json"
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        if kept["key"] == key:
            found = (Sound(*row) for row in kept["sounds"])
            return dict(zip(corpus.clips, found, strict=True))
    except (OSError, ValueError, KeyError, TypeError):
        pass  # not looked at yet, or not by this version: look again
    is_verified = corpus.name in CORPORA
    sounds = {clip: _look(clip, is_verified) for clip in corpus.clips}
    write_json(path, {"key": key, "sounds": [list(s) for s in sounds.values()]})
    return sounds


def _look(clip: Clip, is_verified: bool) -> Sound:
    """Look at one recording."""
    data = read(clip)
    digest = hashlib.sha256(data).hexdigest()[:32]
    if is_verified:
        return Sound(digest)
    try:
        samples = decode(data, clip.name).samples
    except AudioError:
        return Sound(digest, is_broken=True)
    # What does not move cannot be heard, wherever it lies.
    return Sound(digest, bool(np.ptp(samples) < 2 * _SILENT))


def _about_digits(missing: Sequence[int], n_digits: int) -> list[str]:
    """What a network cannot learn."""
    if n_digits == 1:
        return [
            f"Only one digit is said, {({*range(N_DIGITS)} - {*missing}).pop()}: there "
            "is nothing to tell it from, and a network that learns from these clips "
            "alone answers nothing else."
        ]
    if missing:
        return [
            f"Nobody says {_either(missing)}: a network that learns from these clips "
            "alone can never answer that."
        ]
    return []


def _about_silence(n: int, names: Sequence[str]) -> list[str]:
    """What silent clips do."""
    if not n:
        return []
    return [
        f"{_count(n, 'clip')} {'is' if n == 1 else 'are'} silent ({_listed(names)}): "
        "no digit can be learned from that, and in a test it counts as a mistake. "
        "Record it again, or remove it."
    ]


def _about_copies(clips: Sequence[Clip], sounds: Mapping[Clip, Sound]) -> list[str]:
    """What is there twice, and under two digits."""
    by_digest: dict[str, list[Clip]] = {}
    for clip in clips:
        by_digest.setdefault(sounds[clip].digest, []).append(clip)
    groups = [group for group in by_digest.values() if len(group) > 1]
    said = []
    if doubtful := [g for g in groups if len({clip.digit for clip in g}) > 1]:
        said.append(
            f"{_count(len(doubtful), 'recording')} "
            f"{'has' if len(doubtful) == 1 else 'have'} several digits at once "
            f"({_pairs(doubtful)}, byte for byte the same): one of the labels is wrong."
        )
    if groups:
        n = sum(len(group) - 1 for group in groups)
        said.append(
            f"{_count(n, 'clip')} {'is a copy' if n == 1 else 'are copies'} of "
            f"another, byte for byte ({_pairs(groups)}): if one trains and the other "
            "tests, the accuracy is too good to be true."
        )
    return said


def _alike(split: Split) -> tuple[str, ...]:
    """Names of one person, probably, in the test and in another part."""
    tested, learned = speakers_of(split.test), speakers_of(split.train)
    learned |= speakers_of(split.validation)
    return tuple(
        " and ".join(names)
        for names in same_people(tested | learned)
        if tested.intersection(names) and learned.intersection(names)
    )


def _n_unnamed(clips: Iterable[Clip]) -> int:
    """How many clips are name no speaker."""
    return sum(clip.speaker == UNKNOWN_SPEAKER for clip in clips)


def _pairs(groups: Sequence[Sequence[Clip]]) -> str:
    """The first two of some groups."""
    return _listed([f"{_place(g[0])} and {_place(g[1])}" for g in groups])


def _names(clips: Sequence[Clip]) -> tuple[str, ...]:
    """Where some of the clips are."""
    return tuple(_place(clip) for clip in clips[:_N_EXAMPLES])


def _place(clip: Clip) -> str:
    """A clip's file name with the folder that it is in, if that is not the corpus's."""
    if clip.member is not None:
        return clip.member
    folder = clip.path.parent.name
    is_own = folder in (clip.corpus, RECORDINGS)
    return clip.path.name if is_own else f"{folder}/{clip.path.name}"


def _listed(names: Sequence[str]) -> str:
    """The first few names, and whether there are more."""
    return "; ".join(names[:_N_EXAMPLES])


def _either(digits: Sequence[int]) -> str:
    """Digits in words: "3", "3 or 8", "1, 3 or 8"."""
    *first, last = map(str, digits)
    return f"{', '.join(first)} or {last}" if first else last


def _count(n: int, noun: str) -> str:
    """A number of things."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"
