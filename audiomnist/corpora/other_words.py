"""Other words: recordings of words that are not digits, and their split.

Owns finding them (embedded, in a folder, or brought by a corpus) and splitting them by
speaker. How a network learns from them to reject such words is for `training`.
"""

import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import numpy as np

from audiomnist.audio.formats import FORMAT_NAMES, SUFFIXES
from audiomnist.corpora.clips import OTHER_WORD, Clip, names_in_archive
from audiomnist.corpora.naming import SPEECH_COMMANDS_STEM, UNKNOWN_SPEAKER
from audiomnist.errors import CorpusError
from audiomnist.settings import EMBEDDED_FILES, OTHER_WORDS, settings

EMBEDDED = "embedded"
"""Source of the other words that come with the app."""

EMBEDDED_ARCHIVE = EMBEDDED_FILES / "words.zip"

_TEST_PART, _VALIDATION_PART = 0.2, 0.1  # of the speakers


def load_other_words(name_or_folder: str) -> tuple[Clip, ...]:
    """List recordings of other words.

    Parameters
    ----------
    name_or_folder
        "embedded", the name of a folder of recordings in `others` below the home or
        of a corpus that brought some, or the path of a folder. None of them says a
        digit; they are named {word}_{speaker}_{take}, as in Speech Commands, or as
        they are.

    Returns
    -------
    tuple[Clip, ...]
        Sorted; the digit of each is `OTHER_WORD`.

    Raises
    ------
    CorpusError
        If there is no such folder or no recording in it.
    """
    places: list[tuple[str, Path, str | None]]
    if name_or_folder == EMBEDDED:
        archive = EMBEDDED_ARCHIVE
        places = [(name, archive, name) for name in names_in_archive(archive)]
    elif (folder := _folder(name_or_folder)).is_dir():
        places = [
            (str(path), path, None)
            for path in sorted(folder.rglob("*"))
            if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
        ]
    else:
        raise CorpusError(
            f"There are no other words {name_or_folder!r}. Give {EMBEDDED!r}, the name "
            "of a corpus here that brought some, or the path of a folder of recordings "
            "in which nobody says a digit."
        )
    clips = (
        Clip(OTHER_WORD, *_speaker_and_take(name, number), path, member)
        for number, (name, path, member) in enumerate(places)
    )
    if recordings := tuple(sorted(clips)):
        return recordings
    raise CorpusError(
        f"The folder {name_or_folder} holds no recordings; expected {FORMAT_NAMES} "
        "files."
    )


def split_other_words(
    clips: Iterable[Clip], test_speakers: Iterable[str] = (), seed: int = 0
) -> dict[str, tuple[Clip, ...]]:
    """Split recordings of other words by who speaks, beside a split of digits.

    Parameters
    ----------
    clips
        What `load_other_words` lists.
    test_speakers
        Speakers of the test part of the digits; their other words are for the test,
        too.
    seed
        Draws the test and validation speakers among the rest.

    Returns
    -------
    dict[str, tuple[Clip, ...]]
        "train", "validation" and "test"; no speaker is in two of them.
    """
    clips = tuple(clips)
    speakers = sorted({clip.speaker for clip in clips})
    testing = {*test_speakers} & {*speakers}
    drawn = np.random.default_rng(seed).permutation(len(speakers)) / len(speakers)
    part_of = {
        speaker: "test"
        if speaker in testing or (not testing and place < _TEST_PART)
        else "validation"
        if 1 - place <= _VALIDATION_PART
        else "train"
        for speaker, place in zip(speakers, drawn, strict=True)
    }
    return {
        part: tuple(clip for clip in clips if part_of[clip.speaker] == part)
        for part in ("train", "validation", "test")
    }


def available_other_words() -> tuple[str, ...]:
    """Names that `load_other_words` knows now."""
    folder, corpora = settings().other_words, settings().corpora
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    names |= {path.parent.name for path in corpora.glob(f"*/{OTHER_WORDS}")}
    # What is being made at this moment has a name that begins with a dot.
    return (EMBEDDED, *sorted(name for name in names if not name.startswith(".")))


def _folder(name_or_folder: str) -> Path:
    """The folder of this name below the home, else of this path."""
    named = (
        settings().other_words / name_or_folder,
        settings().corpora / name_or_folder / OTHER_WORDS,
    )
    here = (folder for folder in named if name_or_folder and folder.is_dir())
    return next(here, Path(name_or_folder))


def _speaker_and_take(name: str, number: int) -> tuple[str, int]:
    """Who speaks in a recording and which take it is, as far as its name tells."""
    stem = PurePosixPath(name.replace(os.sep, "/")).stem
    if named := SPEECH_COMMANDS_STEM.fullmatch(stem):
        return named[1], number
    parts = stem.split("_")
    if len(parts) >= 3 and parts[-1].isdecimal():
        return "_".join(parts[1:-1]), number
    return UNKNOWN_SPEAKER, number
