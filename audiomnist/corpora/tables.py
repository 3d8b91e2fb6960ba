"""Tables that say what recordings are: a CSV or TSV of path, digit and speaker.

Owns finding out which columns mean what, and which row is about which recording. How
names are read where there is no table is for `naming`.
"""

import csv
import io
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from audiomnist.corpora.naming import ClipName, Reading, path_of, speaker_name
from audiomnist.corpora.stems import digit_of, is_number
from audiomnist.errors import CorpusError

SUFFIXES = (".csv", ".tsv")
"""Endings of the files that may be such tables."""

FILE_NAME = "clips.csv"
"""What the table is called that an import writes where names alone do not tell."""

COLUMNS = ("path", "digit", "speaker", "take")
"""Its columns."""

_MAX_BYTES = 20_000_000  # of a table: 200,000 long lines
_MAX_CELL = 10_000  # characters

_MEANINGS = {
    "path": "path file filename file_name filepath file_path relative_path wav "
    "wav_file wav_path audio audio_path audio_file clip recording",
    "digit": "digit label word class target number said text transcript transcription "
    "y",
    "speaker": "speaker speaker_id speaker_name spk who person user client_id subject",
    "take": "take repetition rep trial",
}
_COLUMN = {
    title: column for column, titles in _MEANINGS.items() for title in titles.split()
}

_Row = tuple[str, str, str, str]  # path, digit, speaker and take as they are written


def read_tables(
    names: Sequence[str], tables: Mapping[str, bytes]
) -> list[Reading] | None:
    """Read what tables say of recordings.

    A table has a heading with the columns path and digit, and speaker and take where
    those are known, under one of their usual names; or no heading and its columns in
    that order. Paths are relative to the table, or end like the recording's.

    Parameters
    ----------
    names
        Recordings, with the folders above them.
    tables
        Contents of the files that may be tables, by their names.

    Returns
    -------
    list of Reading
        One for each recording, in their order, and then one for each row that is about
        none of them; None if none of the files is such a table.

    Raises
    ------
    CorpusError
        If a file is damaged or larger than a table is.
    """
    rows_of = {name: _rows(name, data) for name, data in sorted(tables.items())}
    rows_of = {name: rows for name, rows in rows_of.items() if rows}
    if not rows_of:
        return None
    places = _Places(names)
    found: dict[str, set[ClipName | str]] = {}
    lost = []
    for table, rows in rows_of.items():
        for row in rows:
            name = places.find(PurePosixPath(table).parent, row[0])
            if name is None:
                lost.append(
                    Reading(row[0], None, f"{table} lists it, and it is not there.")
                )
            else:
                found.setdefault(name, set()).add(_meaning(table, row))
    titles = ", ".join(rows_of)
    return [_reading(name, found.get(name, set()), titles) for name in names] + lost


def is_table(name: str, data: bytes) -> bool:
    """Whether a file is a table that `read_tables` reads.

    Raises
    ------
    CorpusError
        If it is damaged or larger than a table is.
    """
    return bool(_rows(name, data))


def write_table(rows: Sequence[tuple[str, ClipName]]) -> bytes:
    """Write recordings and what they are as a table that `read_tables` reads."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows((path, *meaning) for path, meaning in rows)
    return text.getvalue().encode()


class _Places:
    """Recordings by their paths, and by the ends of these that no other has."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = {str(path_of(name)): name for name in names}
        self._ends: dict[str, list[str]] = defaultdict(list)
        for path, name in self._names.items():
            for end in {PurePosixPath(path).name, PurePosixPath(path).stem}:
                self._ends[end].append(name)

    def find(self, folder: PurePosixPath, path: str) -> str | None:
        """The recording that a row in a table in a folder is about."""
        written = path_of(path.strip().removeprefix("./"))
        here = path_of(str(written).replace("\\", "/"))
        for place in (path_of(str(folder)) / written, written, folder / here, here):
            if str(place) in self._names:
                return self._names[str(place)]
        alike = self._ends.get(here.name, [])
        return alike[0] if len(alike) == 1 else None


def _meaning(table: str, row: _Row) -> ClipName | str:
    """What a row says of its recording, or why it cannot be used."""
    _, digit, speaker, take = row
    said = digit_of(digit)
    if said is None:
        return f"{table} says {digit!r}, which is not a digit."
    number = take.strip()
    return ClipName(
        said, speaker_name(speaker), int(number) if is_number(number) else 0
    )


def _reading(name: str, said: set[ClipName | str], tables: str) -> Reading:
    """What all rows about a recording say together."""
    if not said:
        return Reading(name, None, f"{tables} does not list it.")
    if len(said) > 1:
        return Reading(name, None, f"{tables} lists it twice, with different meanings.")
    (one,) = said
    return Reading(name, None, one) if isinstance(one, str) else Reading(name, one)


def _rows(name: str, data: bytes) -> list[_Row]:
    """The rows of a table; none if the file is another one."""
    if len(data) > _MAX_BYTES:
        raise CorpusError(
            f"{name} has {len(data) / 1e6:.0f} MB; a table of recordings has at most "
            f"{_MAX_BYTES / 1e6:.0f}. Give the columns {', '.join(COLUMNS)} alone."
        )
    text = _text(data)
    first = text.split("\n", 1)[0]
    delimiter = max("\t,;", key=first.count)
    try:
        lines = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    except csv.Error as error:
        raise CorpusError(
            f"{name} is no table that can be read ({error}). Write it again as CSV "
            f"with the columns {', '.join(COLUMNS)}, or leave it out."
        ) from error
    return list(_cells([[cell[:_MAX_CELL] for cell in row] for row in lines if row]))


def _cells(lines: Sequence[Sequence[str]]) -> Iterator[_Row]:
    """The cells that mean something, in the order of `COLUMNS`."""
    titles = lines[0] if lines else ()
    named = [
        _COLUMN.get(title.strip().lower().replace(" ", "_").replace("-", "_"))
        for title in titles
    ]
    place = {column: named.index(column) for column in COLUMNS if column in named}
    if {"path", "digit"} <= place.keys():
        lines = lines[1:]
    elif len(titles) > 1 and digit_of(titles[1]) is not None:
        place = {column: i for i, column in enumerate(COLUMNS)}
    else:
        return
    for line in lines:
        path, digit, speaker, take = (
            line[place[column]] if place.get(column, len(line)) < len(line) else ""
            for column in COLUMNS
        )
        if path.strip():
            yield path, digit, speaker, take


def _text(data: bytes) -> str:
    """A table's text: UTF-8 or UTF-16 as spreadsheets write it, else Latin-1."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")
