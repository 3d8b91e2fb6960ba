"""How recordings that lie together were read, to look at before they are imported.

Owns the choice between a table and the names, and what else names could mean.
"""

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from audiomnist.audio.formats import SUFFIXES
from audiomnist.corpora.archives import list_names
from audiomnist.corpora.naming import (
    UNKNOWN_SPEAKER,
    ClipName,
    Reading,
    path_of,
    same_people,
)
from audiomnist.corpora.patterns import AUTOMATIC, n_read, other_meanings, read_names
from audiomnist.corpora.stems import LAYOUT, plain_digit_of
from audiomnist.corpora.tables import SUFFIXES as TABLES
from audiomnist.corpora.tables import is_table, read_tables
from audiomnist.errors import CorpusError

NAMES_ALONE = "names"
"""Reads names by their layouts and heeds no table."""


@dataclass(frozen=True)
class Readings:
    """What the names of recordings and tables beside them tell.

    Parameters
    ----------
    names
        Recordings, with the folders above them.
    tables
        Contents of the files that may be tables, by their names.
    pattern
        How they are meant: a pattern, NAMES_ALONE, or AUTOMATIC, by which a table is
        heeded if there is one.
    unreadable
        Recordings whose names are not UTF-8.
    """

    names: tuple[str, ...]
    tables: Mapping[str, bytes] = field(default_factory=dict)
    pattern: str = AUTOMATIC
    unreadable: tuple[Reading, ...] = ()

    @cached_property
    def by_table(self) -> list[Reading] | None:
        """What tables say; None without any, or where they are not heeded."""
        is_heeded = self.pattern == AUTOMATIC
        return read_tables(self.names, self.tables) if is_heeded else None

    @cached_property
    def heeded_tables(self) -> tuple[str, ...]:
        """Names of the files that are tables of recordings and are heeded."""
        if self.by_table is None:
            return ()
        return tuple(name for name, data in self.tables.items() if is_table(name, data))

    @cached_property
    def all(self) -> list[Reading]:
        """How everything was read, in the order of the names.

        Raises
        ------
        CorpusError
            If the pattern is none, or a table is damaged.
        """
        if self.by_table is not None:
            return self.by_table
        pattern = AUTOMATIC if self.pattern == NAMES_ALONE else self.pattern
        return read_names(self.names, pattern)

    @cached_property
    def read(self) -> list[tuple[str, ClipName]]:
        """Names that tell a digit, and what they mean."""
        return [(name, said) for name, said, _ in self.all if said is not None]

    @property
    def is_plain(self) -> bool:
        """Whether all names are {digit}_{speaker}_{take}: then there is no doubt."""
        return (
            bool(self.read)
            and self.by_table is None
            and all(
                (found := LAYOUT.fullmatch(path_of(name).stem)) is not None
                and plain_digit_of(found[1]) == said.digit
                for name, said in self.read
            )
        )

    @property
    def left_out(self) -> list[Reading]:
        """Names that tell none."""
        return [*self.unreadable, *(each for each in self.all if not each.meaning)]

    @cached_property
    def examples(self) -> list[tuple[str, ClipName]]:
        """What is in `read`, one from each folder first: names look alike in one."""
        turn: Counter[str] = Counter()
        order = []
        for place, (name, _) in enumerate(self.read):
            folder = name.rpartition("/")[0]
            order.append((turn[folder], place))
            turn[folder] += 1
        return [self.read[place] for _, place in sorted(order)]

    @cached_property
    def other_meanings(self) -> dict[str, int]:
        """How many recordings each pattern reads that reads them differently."""
        found: dict[str, int] = {}
        if self.by_table is not None:
            found[NAMES_ALONE] = n_read(read_names(self.names))
        found |= {
            pattern: n_read(readings)
            for pattern, readings in other_meanings(self.names).items()
        }
        return {pattern: n for pattern, n in found.items() if n}

    def remarks(self) -> list[str]:
        """Sentences about who speaks, where names leave that open."""
        return people_remarks(Counter(said.speaker for _, said in self.read))


def preview(source: Path | BinaryIO, pattern: str = AUTOMATIC) -> Readings:
    """Read the names of recordings that could be imported; nothing is kept.

    Parameters
    ----------
    source, pattern
        As in `library.import_corpus`.

    Raises
    ------
    CorpusError
        If the source cannot be read safely.
    """
    if isinstance(source, Path) and source.is_dir():
        return readings_in_folder(source, pattern)
    found = list_names(source, suffixes=(*SUFFIXES, *TABLES), read=TABLES)
    contents = {name: data for name, data in found.items() if data is not None}
    names = sorted(name for name, data in found.items() if data is None)
    return Readings(tuple(names), contents, pattern)


def readings_in_folder(folder: Path, pattern: str = AUTOMATIC) -> Readings:
    """Read the names of the recordings in a folder and the folders inside it.

    Parameters
    ----------
    folder
        Where they lie.
    pattern
        How the names are meant.

    Raises
    ------
    CorpusError
        If the folder cannot be listed, or a table in it cannot be read.
    """

    def refuse(error: OSError) -> None:
        raise CorpusError(
            f"The folder {error.filename} cannot be listed ({error.strerror}). "
            "Check that it exists and that you may read it."
        ) from error

    names = []
    for parent, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        inside = Path(parent).relative_to(folder).as_posix()
        names += [
            f"{inside}/{name}" if inside != "." else name
            for name in files
            if name.lower().endswith((*SUFFIXES, *TABLES)) and not name.startswith(".")
        ]
    readable, unreadable = [], []
    for name in sorted(names):
        shown = os.fsencode(name).decode(errors="replace")
        if shown == name:
            readable.append(name)
        else:  # it could be neither shown nor hashed
            reason = "the name is not UTF-8; rename the file or its folder."
            unreadable.append(Reading(shown, None, reason))
    return Readings(
        tuple(name for name in readable if name.lower().endswith(SUFFIXES)),
        {
            name: _contents(folder / name)
            for name in readable
            if name.lower().endswith(TABLES)
        },
        pattern,
        tuple(unreadable),
    )


def _contents(path: Path) -> bytes:
    """Contents of a file that may be a table."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise CorpusError(
            f"{path} cannot be read ({error.strerror}). Check that you may read it, or "
            "take it out of the folder."
        ) from error


def people_remarks(n_clips: Mapping[str, int]) -> list[str]:
    """Say in sentences what names leave open about who speaks.

    Parameters
    ----------
    n_clips
        Number of clips by the name of their speaker.
    """
    said = []
    n, n_unnamed = sum(n_clips.values()), n_clips.get(UNKNOWN_SPEAKER, 0)
    if n_unnamed:
        part = "No clip" if n_unnamed == n else f"{n - n_unnamed:,} of {n:,} clips"
        verb = "names" if n_unnamed == n else "name"
        said.append(
            f"{part} {verb} a speaker: where the speaker is not named, no test can "
            "promise that it is on people whom the network was not trained on."
        )
    said += [
        f"{' and '.join(alike)} are probably the same person: the names differ in "
        "capitals or separators alone. Give them one name, or they may train and test "
        "at once."
        for alike in same_people(n_clips)
    ]
    return said
