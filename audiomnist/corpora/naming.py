"""What the names of recordings tell: digit, speaker and take.

Owns the reading of names, one at a time or a whole listing, in which names explain each
other: numbered folders that go on beyond nine stand for no digits. What cannot be read
for certain is left out with its reason; `patterns` can then say how it is meant. What a
file's name tells without its folders is for `stems`.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import NamedTuple

from audiomnist.corpora.stems import (
    LAYOUT,
    Said,
    folder_digit,
    is_nobody,
    is_number,
    no_digit,
    plain_digit_of,
    read_rest,
    read_stem,
    words_of,
)
from audiomnist.errors import CorpusError

UNKNOWN_SPEAKER = "unknown"
"""Stands for the speaker where nothing tells who it is; never for one person."""

SPEECH_COMMANDS_STEM = re.compile(r"(.+)_nohash_(\d{1,9})")
"""Speaker and take in the file names of Speech Commands."""

_UNKNOWN_WORDS = frozenset({"unknown", "unk", "anonymous", "none", "nan", "n/a", "?"})
_N_NAMES = 2  # numbers in names such as 7/01_3.wav


class ClipName(NamedTuple):
    """What the name of a recording tells."""

    digit: int
    speaker: str
    take: int


class Reading(NamedTuple):
    """How a name was read, or why it was not.

    Parameters
    ----------
    name
        The recording's name with the folders above it.
    meaning
        What it tells; None for a recording that is left out.
    reason
        Why it is left out, "" for others.
    """

    name: str
    meaning: ClipName | None
    reason: str = ""


def parse_name(name: str) -> ClipName:
    r"""Read digit, speaker and take from the name of a recording.

    The file's name tells the digit first and then speaker and take, as far as it has
    them: 7_anna_0.wav, seven-2.wav, two9.wav, 7.anna.0.wav. Or the folder is a digit's:
    seven/a1b2_nohash_0.wav, digit_7/anna_0.wav, 07/12.wav. A speaker whom the file does
    not name may have a folder: anna/seven-2.wav. A digit is 0 to 9 or zero to nine.

    Parameters
    ----------
    name
        File name, with the folders above it where there are some, after "/" or "\".

    Raises
    ------
    CorpusError
        If it does not tell one digit for certain.
    """
    (reading,) = read_listing([name.replace("\\", "/")])
    if reading.meaning is None:
        raise CorpusError(f"{name}: {reading.reason}")
    return reading.meaning


def read_listing(names: Sequence[str]) -> list[Reading]:
    """Read the names of recordings that belong together, each by its own layout.

    Parameters
    ----------
    names
        File names, with the folders above them.

    Returns
    -------
    list of Reading
        One for each name, in their order.
    """
    paths = [path_of(name) for name in names]
    listing = _Listing.of(paths)
    return [_read(name, path, listing) for name, path in zip(names, paths, strict=True)]


def path_of(name: str) -> PurePosixPath:
    """A recording's name as a path, in composed characters."""
    return PurePosixPath(unicodedata.normalize("NFC", name))


def speaker_name(text: str) -> str:
    """A speaker's name in one spelling: composed characters, on one line.

    It is `UNKNOWN_SPEAKER` for an empty text, and for words that mean the same.
    """
    name = " ".join(unicodedata.normalize("NFC", text).split())
    return UNKNOWN_SPEAKER if name.lower() in _UNKNOWN_WORDS or not name else name


def same_people(speakers: Iterable[str]) -> list[tuple[str, ...]]:
    """Speakers whose names differ in case or separators alone, as theo and Theo."""
    by_key: dict[str, list[str]] = {}
    for speaker in sorted({*speakers} - {UNKNOWN_SPEAKER}):
        key = unicodedata.normalize("NFKC", speaker).casefold()
        by_key.setdefault(re.sub(r"[\s_\-.]+", "", key), []).append(speaker)
    return [tuple(alike) for alike in by_key.values() if len(alike) > 1]


@dataclass(frozen=True)
class _Listing:
    """What names tell of each other.

    Parameters
    ----------
    first_numbers
        Of the files in a folder whose names are numbers alone, the first one.
    folders
        Names of the folders that lie directly in each folder.
    """

    first_numbers: dict[PurePosixPath, list[str]] = field(default_factory=dict)
    folders: dict[PurePosixPath, set[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, paths: Sequence[PurePosixPath]) -> "_Listing":
        """What these names tell."""
        listing = cls()
        for path in paths:
            words = words_of(path.stem)
            if words and all(map(is_number, words)) and len(words) <= _N_NAMES:
                listing.first_numbers.setdefault(path.parent, []).append(words[0])
        for folder in {parent for path in paths for parent in path.parents}:
            if folder.name:
                listing.folders.setdefault(folder.parent, set()).add(folder.name)
        return listing

    def digit(self, folder: PurePosixPath) -> int | None:
        """The digit that a folder is called after.

        None for others, and for numbers beside which there are numbers beyond 9.
        """
        if not folder.name:
            return None
        beside = self.folders[folder.parent] if is_number(folder.name) else ()
        if any(is_number(name) and int(name) > 9 for name in beside):
            return None
        return folder_digit(folder.name)

    def is_counted(self, folder: PurePosixPath, digit: int) -> bool:
        """Whether numbers in a digit's folder count takes or people, and tell no digit.

        Whoever counts begins with 0 or 1, comes beyond 9, or writes 01; where most
        numbers are the folder's own digit, all of them are digits.
        """
        numbers = self.first_numbers.get(folder, [])
        if 2 * sum(number == str(digit) for number in numbers) > len(numbers):
            return False
        return any(len(number) > 1 or int(number) < 2 for number in numbers)

    def most(self, folder: PurePosixPath) -> int:
        """The highest number that a file in a folder is called."""
        return max(map(int, self.first_numbers[folder]))

    def is_alone(self, folder: PurePosixPath) -> bool:
        """Whether no other folder lies beside it: it may hold everything."""
        return len(self.folders[folder.parent]) == 1


def _read(name: str, path: PurePosixPath, listing: _Listing) -> Reading:
    """Read one name of a listing."""
    folder, digit = _digit_folder(path, listing)
    nohash = SPEECH_COMMANDS_STEM.fullmatch(path.stem)
    if digit is not None and nohash:
        return Reading(name, ClipName(digit, speaker_name(nohash[1]), int(nohash[2])))
    said = read_stem(path.stem)
    if folder is not None and digit is not None:
        if _is_speakers(folder, path.stem):  # AudioMNIST: 07/0_07_12.wav
            digit = None
        else:
            said = _in_digit_folder(path, digit, said, listing)
    if said.reason:
        return Reading(name, None, said.reason)
    if digit is None and said.digit is None:
        return Reading(name, None, _no_digit(path))
    if digit is None and is_number(path.stem) and listing.most(path.parent) > 9:
        return Reading(name, None, _counted(listing.most(path.parent)))
    if None not in (digit, said.digit) and digit != said.digit:
        return Reading(name, None, _contradiction(folder, digit, said.digit))
    meant = digit if said.digit is None else said.digit
    assert meant is not None
    speaker = said.speaker or _speaker_folder(path, listing)
    return Reading(name, ClipName(meant, speaker_name(speaker), said.take or 0))


def _digit_folder(
    path: PurePosixPath, listing: _Listing
) -> tuple[PurePosixPath | None, int | None]:
    """The nearest folder that is called after a digit, at most two steps up."""
    for folder in list(path.parents)[:2]:
        if (digit := listing.digit(folder)) is not None:
            return folder, digit
    return None, None


def _is_speakers(folder: PurePosixPath, stem: str) -> bool:
    """Whether a folder has the number of the speaker whom the file's name tells."""
    usual = LAYOUT.fullmatch(stem)
    names = (folder.name, usual[2] if usual else "")
    return all(map(is_number, names)) and int(names[0]) == int(names[1])


def _in_digit_folder(
    path: PurePosixPath, digit: int, said: Said, listing: _Listing
) -> Said:
    """What a name tells in a digit's folder, where it need not tell a digit itself."""
    words = words_of(path.stem)
    is_numbers = words and all(map(is_number, words)) and len(words) <= _N_NAMES
    if is_numbers and listing.is_counted(path.parent, digit):
        speaker = words[0] if len(words) == _N_NAMES else None
        return Said(None, speaker, int(words[-1]))
    if said.digit is None and not said.reason:
        return read_rest(path.stem)
    return said


def _speaker_folder(path: PurePosixPath, listing: _Listing) -> str:
    """The name of the folder that is called after the speaker; "" without one."""
    for folder in path.parents:
        is_person = is_number(folder.name) or not is_nobody(folder.name)
        if folder.name and is_person and listing.digit(folder) is None:
            # What is further up and holds everything may be the corpus's own folder.
            is_near = folder == path.parent
            return folder.name if is_near or not listing.is_alone(folder) else ""
    return ""


def _no_digit(path: PurePosixPath) -> str:
    """Why a name tells no digit."""
    first = LAYOUT.fullmatch(path.stem)
    if first and plain_digit_of(first[1]) is None:
        return no_digit(first[1])
    return (
        "not a digit's name; expected {digit}_{speaker}_{take}, such as 7_anna_0.wav, "
        "or a folder for each digit, such as 7/anna_0.wav."
    )


def _counted(most: int) -> str:
    """Why a file whose name is a number alone is left out."""
    return (
        f"the numbers of the files go up to {most}, so they are no digits; expected "
        "{digit}_{speaker}_{take}, or a folder for each digit."
    )


def _contradiction(
    folder: PurePosixPath | None, digit: int | None, said: int | None
) -> str:
    """Why a recording is left out whose folder and name do not agree."""
    name = folder.name if folder else ""
    return (
        f"a contradiction: its folder {name!r} says {digit} and its name says {said}. "
        "Listen to it and rename it, or choose which of them tells."
    )
