"""Clips of spoken digits: their names, their bytes, and the corpora they make up.

Owns the types `Clip` and `Corpus`, and listing and reading the recordings in a folder
or a zip archive. What their names tell is for `naming`; where corpora come from, for
`library`.
"""

import hashlib
import threading
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple

from audiomnist.audio.decoding import decode, duration_of
from audiomnist.audio.formats import SUFFIXES
from audiomnist.audio.signal import Audio
from audiomnist.corpora import tables
from audiomnist.corpora.naming import UNKNOWN_SPEAKER, ClipName, parse_name
from audiomnist.corpora.patterns import AUTOMATIC
from audiomnist.corpora.readings import readings_in_folder
from audiomnist.errors import CorpusError

OTHER_WORD = -1
"""Stands for the digit of a clip in which none is said."""

RECORDINGS = "recordings"
"""Folder of the recordings in the folder of a corpus that was imported."""

_archive_lock = threading.Lock()


@dataclass(frozen=True, order=True)
class Clip:
    """One recording of one spoken digit.

    Parameters
    ----------
    digit
        What is said, 0 to 9, or `OTHER_WORD`.
    speaker
        Who says it, `UNKNOWN_SPEAKER` where nothing tells.
    take
        Which of the speaker's recordings of the digit, from 0.
    path
        The recording, or the archive that holds it.
    member
        Its name inside the archive, None for a file of its own.
    corpus
        Name of the corpus that it is from, "" outside of any.
    """

    digit: int
    speaker: str
    take: int
    path: Path
    member: str | None = None
    corpus: str = ""

    @property
    def name(self) -> str:
        """The recording's file name."""
        return self.path.name if self.member is None else self.member


class Skipped(NamedTuple):
    """A recording that was left out, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Corpus:
    """Recordings of spoken digits that belong together.

    Parameters
    ----------
    name
        What the command line and run records call it.
    title
        What people call it.
    clips
        The recordings; kept sorted, each with the name of this corpus.
    source, licence, citation
        Where it comes from, what may be done with it, how to cite it.
    is_synthetic
        Whether the voices are a machine's.
    official_test_takes, official_test_speakers
        Takes and speakers that the corpus's authors set aside for testing.
    skipped
        Recordings in the same place that are no clips of digits.

    Raises
    ------
    CorpusError
        If a recording is listed twice.
    """

    name: str
    title: str
    clips: tuple[Clip, ...]
    source: str
    licence: str
    citation: str
    is_synthetic: bool
    official_test_takes: frozenset[int] = frozenset()
    official_test_speakers: frozenset[str] = frozenset()
    skipped: tuple[Skipped, ...] = ()

    def __post_init__(self) -> None:
        clips = tuple(
            Clip(clip.digit, clip.speaker, clip.take, clip.path, clip.member, self.name)
            for clip in sorted(self.clips)
        )
        places = {(clip.path, clip.member) for clip in clips}
        if len(places) < len(clips):
            raise CorpusError(
                f"The corpus {self.name!r} lists {len(clips)} clips but only "
                f"{len(places)} recordings. List each recording once."
            )
        object.__setattr__(self, "clips", clips)

    @cached_property
    def speakers(self) -> tuple[str, ...]:
        """Everybody who is known to speak in it, sorted."""
        return tuple(sorted({clip.speaker for clip in self.clips} - {UNKNOWN_SPEAKER}))

    @cached_property
    def n_unnamed(self) -> int:
        """How many clips name no speaker: by one person, or by as many as clips."""
        return sum(clip.speaker == UNKNOWN_SPEAKER for clip in self.clips)

    @property
    def people(self) -> str:
        """How many speak in it, in words: "1 speaker", "2,600 speakers"."""
        n = len(self.speakers)
        known = f"{n:,} speaker{'' if n == 1 else 's'}"
        if not self.n_unnamed:
            return known
        return f"{known} and unnamed ones" if n else "unnamed speakers"

    @cached_property
    def official_test(self) -> tuple[Clip, ...]:
        """The clips that the corpus's authors set aside for testing, sorted."""
        return tuple(
            clip
            for clip in self.clips
            if clip.take in self.official_test_takes
            or clip.speaker in self.official_test_speakers
        )

    @cached_property
    def digest(self) -> str:
        """Sha256 over names and sizes: the same wherever the corpus lies."""
        lines = (
            f"{clip.digit} {clip.speaker} {clip.take} {clip.name} {_n_bytes(clip)}\n"
            for clip in self.clips
        )
        return hashlib.sha256("".join(lines).encode()).hexdigest()


def read(clip: Clip) -> bytes:
    """Read the recording's file as it is stored, safely from any thread.

    Raises
    ------
    CorpusError
        If the recording is gone or the archive that holds it is damaged.
    """
    try:
        if clip.member is None:
            return clip.path.read_bytes()
        with _archive_lock:
            return _archive(clip.path, _mtime(clip.path)).read(clip.member)
    except (OSError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise CorpusError(
            f"{clip.name} cannot be read from {clip.path} ({error}). If its corpus "
            "was moved or removed, load, download or import it again."
        ) from error


def load_audio(clip: Clip) -> Audio:
    """Read and decode a clip, at its own sample rate.

    Raises
    ------
    CorpusError
        If the recording cannot be read.
    AudioError
        If it is no recording.
    """
    return decode(read(clip), clip.name)


def duration(clip: Clip) -> float:
    """Tell how long a clip is, from its header where that can be trusted.

    Returns
    -------
    float
        Seconds, above 0 and at most `limits.MAX_DURATION`.

    Raises
    ------
    CorpusError
        If the recording cannot be read.
    AudioError
        If it is no recording, holds no sound or is too long.
    """
    return duration_of(read(clip), clip.name)


def clips_in_folder(
    folder: Path, pattern: str = AUTOMATIC
) -> tuple[tuple[Clip, ...], tuple[Skipped, ...]]:
    """List the recordings in a folder and the folders inside it.

    Parameters
    ----------
    folder
        Where they lie.
    pattern
        What their names mean, see `readings`.

    Returns
    -------
    tuple
        The clips, and the recordings whose names are not UTF-8 or do not tell a digit,
        with what tables list and is not there.

    Raises
    ------
    CorpusError
        If the folder cannot be listed, or the pattern is none.
    """
    readings = readings_in_folder(folder, pattern)
    clips = [Clip(*meaning, folder / name) for name, meaning in readings.read]
    left_out = [Skipped(each.name, each.reason) for each in readings.left_out]
    return _with_distinct_takes(clips), tuple(left_out)


def write_meanings(clips: Sequence[Clip], folder: Path) -> None:
    """Write a table of the clips that are here, where their names alone tell less.

    Tables that came with them are replaced by it.

    Parameters
    ----------
    clips
        Some may be gone.
    folder
        Where they lie.
    """
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in tables.SUFFIXES:
            path.unlink()
    here = [clip for clip in clips if clip.path.exists()]
    if set(clips_in_folder(folder)[0]) == set(here):
        return
    rows = [
        (
            clip.path.relative_to(folder).as_posix(),
            ClipName(clip.digit, clip.speaker, clip.take),
        )
        for clip in here
    ]
    (folder / tables.FILE_NAME).write_bytes(tables.write_table(rows))


def clips_in_archive(archive: Path) -> tuple[Clip, ...]:
    """List the recordings in a zip archive, which stays packed.

    Raises
    ------
    CorpusError
        If it cannot be read, or holds a name that `parse_name` does not
        understand.
    """
    return _with_distinct_takes(
        Clip(*parse_name(name), archive, name) for name in names_in_archive(archive)
    )


def names_in_archive(archive: Path) -> list[str]:
    """Names of the recordings in a zip archive, sorted.

    Raises
    ------
    CorpusError
        If it cannot be read.
    """
    try:
        with _archive_lock:
            names = _archive(archive, _mtime(archive)).namelist()
    except (OSError, zipfile.BadZipFile) as error:
        raise CorpusError(
            f"The archive {archive} cannot be read ({error}). Install Audio MNIST "
            "again."
        ) from error
    return sorted(name for name in names if name.lower().endswith(SUFFIXES))


def _with_distinct_takes(clips: Iterable[Clip]) -> tuple[Clip, ...]:
    """Give clips that repeat a digit, speaker and take the next free take."""
    clips = tuple(clips)
    next_take: dict[tuple[int, str], int] = {}
    for clip in clips:
        key = (clip.digit, clip.speaker)
        next_take[key] = max(next_take.get(key, 0), clip.take + 1)
    distinct, seen = [], set()
    for clip in clips:
        key = (clip.digit, clip.speaker)
        if (*key, clip.take) in seen:
            clip = replace(clip, take=next_take[key])
            next_take[key] += 1
        seen.add((*key, clip.take))
        distinct.append(clip)
    return tuple(sorted(distinct))


def _n_bytes(clip: Clip) -> int:
    """Size of the recording's file."""
    try:
        if clip.member is None:
            return clip.path.stat().st_size
        with _archive_lock:
            return _archive(clip.path, _mtime(clip.path)).getinfo(clip.member).file_size
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise CorpusError(
            f"{clip.name} is gone from {clip.path} ({error}). Load its corpus again, "
            "or download or import it again."
        ) from error


def state_of(clip: Clip) -> str:
    """Where a recording lies, its size and when it was written: others differ.

    Raises
    ------
    CorpusError
        If it has gone.
    """
    n_bytes, time = _n_bytes(clip), _mtime(clip.path)
    return f"{clip.path} {clip.member} {n_bytes} {time}"


@lru_cache(maxsize=4)
def _archive(path: Path, mtime_ns: int) -> zipfile.ZipFile:
    """An archive kept open; a changed file is opened anew."""
    return zipfile.ZipFile(path)


def _mtime(path: Path) -> int:
    """When the file was last changed, in ns."""
    return path.stat().st_mtime_ns
