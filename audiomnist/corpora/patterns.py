"""Patterns: somebody says what the names of recordings are made of.

Owns reading names by a pattern, and which patterns could be meant. How names are read
without one is for `naming`.
"""

import re
from collections.abc import Iterable, Sequence

from audiomnist.corpora.naming import (
    ClipName,
    Reading,
    path_of,
    read_listing,
    speaker_name,
)
from audiomnist.corpora.stems import LABELS, MOST_DIGITS, SEPARATORS, digit_of
from audiomnist.digits import DIGIT_WORDS
from audiomnist.errors import CorpusError

AUTOMATIC = ""
"""Reads each name by the layout that it has."""

PATTERNS = (
    "{digit}_{speaker}_{take}",
    "{digit}_{take}_{speaker}",
    "{speaker}_{digit}_{take}",
    "{speaker}_{take}_{digit}",
    "{digit}_{speaker}",
    "{speaker}_{digit}",
    "{digit}_{take}",
    "{take}_{digit}",
    "{digit}_*",
    "{digit}",
    "{digit}/{speaker}_{take}",
    "{digit}/{speaker}",
    "{digit}/{take}",
    "{digit}/*",
    "{speaker}/{digit}_{take}",
    "{speaker}/{take}_{digit}",
    "{speaker}/{digit}",
    "{speaker}/{digit}_*",
    "{digit}/{speaker}/*",
    "{speaker}/{digit}/*",
)
"""Patterns to offer where names can mean several things."""

_LONGEST = 100  # characters of a pattern
_KINDS = {
    "{digit}": rf"(?:(?:{'|'.join(LABELS)})[{SEPARATORS}]*)?"
    rf"(?P<digit>0*[0-9]|{'|'.join(DIGIT_WORDS)})",
    "{speaker}": r"(?P<speaker>[^/]+?)",
    "{take}": rf"(?P<take>[0-9]{{1,{MOST_DIGITS}}})",
    "*": r"[^/]*?",
    "_": f"[{SEPARATORS}]+",
}


def read_names(names: Sequence[str], pattern: str = AUTOMATIC) -> list[Reading]:
    """Read the names of recordings that belong together.

    Parameters
    ----------
    names
        File names, with the folders above them.
    pattern
        What the end of every name is made of: {digit}, {speaker} and {take}, of which
        the first is needed; "/" between folders, "*" for anything, "_" for any of the
        signs that separate words. AUTOMATIC reads each name by its own layout.

    Returns
    -------
    list of Reading
        One for each name, in their order.

    Raises
    ------
    CorpusError
        If the pattern is none.
    """
    if pattern == AUTOMATIC:
        return read_listing(names)
    expression = _compile(pattern)
    return [_read(expression, pattern, name) for name in names]


def other_meanings(names: Sequence[str]) -> dict[str, list[Reading]]:
    """Read names by all patterns that fit some and mean something else.

    Returns
    -------
    dict[str, list of Reading]
        The readings by their pattern, those first that read most names.
    """
    known = [_meanings(read_listing(names))]
    found: dict[str, list[Reading]] = {}
    for pattern in PATTERNS:
        readings = read_names(names, pattern)
        meanings = _meanings(readings)
        if n_read(readings) and meanings not in known:
            known.append(meanings)
            found[pattern] = readings
    order = sorted(found, key=lambda pattern: -n_read(found[pattern]))
    return {pattern: found[pattern] for pattern in order}


def n_read(readings: Iterable[Reading]) -> int:
    """How many names were read."""
    return sum(reading.meaning is not None for reading in readings)


def _meanings(readings: Sequence[Reading]) -> list[ClipName | None]:
    """What names mean, to compare."""
    return [reading.meaning for reading in readings]


def _compile(pattern: str) -> re.Pattern[str]:
    """A pattern as a regular expression for the end of a path without its ending."""
    parts = re.findall(r"\{[^{}]*\}|[^{}]|[{}]", pattern)
    wrong = [part for part in parts if part[0] in "{}" and part not in _KINDS]
    is_twice = any(parts.count(kind) > 1 for kind in ("{speaker}", "{take}"))
    if parts.count("{digit}") != 1 or wrong or is_twice or len(pattern) > _LONGEST:
        raise CorpusError(
            f"{pattern[:_LONGEST]!r} is no pattern for names; expected {{digit}} once, "
            "{speaker} and {take} at most once, and * for anything else, such as "
            "{speaker}/{digit}_{take}."
        )
    text = "".join(_KINDS.get(part, re.escape(part)) for part in parts)
    return re.compile(text, re.IGNORECASE)


def _read(expression: re.Pattern[str], pattern: str, name: str) -> Reading:
    """Read one name by a pattern."""
    path = path_of(name)
    ends = [*path.parts[:-1], path.stem][-(pattern.count("/") + 1) :]
    found = expression.fullmatch("/".join(ends))
    if found is None or (digit := digit_of(found["digit"])) is None:
        return Reading(name, None, f"it does not fit the pattern {pattern}.")
    said = found.groupdict()
    speaker = speaker_name(said.get("speaker") or "")
    return Reading(name, ClipName(digit, speaker, int(said.get("take") or 0)))
