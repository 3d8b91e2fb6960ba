"""Corpora whose recordings need not exist."""

from pathlib import Path

from audiomnist.corpora.clips import Clip, Corpus


def made_corpus(
    n_speakers: int, n_takes: int = 10, name: str = "made", speaker: str = "s"
) -> Corpus:
    """A corpus of speakers who say each digit equally often; takes 0 and 1 test."""
    clips = tuple(
        Clip(digit, who, take, Path(f"/{name}/{digit}_{who}_{take}.wav"))
        for digit in range(10)
        for who in (f"{speaker}{number}" for number in range(n_speakers))
        for take in range(n_takes)
    )
    return Corpus(name, name, clips, "", "", "", False, frozenset({0, 1}))
