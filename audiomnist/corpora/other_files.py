"""Files beside the recordings, counted by their endings.

Owns what an import says about files that it does not take for recordings, so that none
is left out without a word. Which endings are those of recordings is for
`audio.formats`.
"""

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from audiomnist.audio.formats import SUFFIXES
from audiomnist.corpora.clips import Skipped

HIDDEN = "hidden"
"""Stands for the ending of a file whose name begins with a dot."""


def ending(path: PurePosixPath) -> str:
    """The ending of a file that is no recording: ".txt", "" without, or `HIDDEN`."""
    if any(part.startswith((".", "__MACOSX")) for part in path.parts):
        return HIDDEN
    return path.suffix.lower()


def count_in_folder(folder: Path, suffixes: tuple[str, ...] = SUFFIXES) -> Counter[str]:
    """Count the files in a folder, and the folders inside it, that are no recordings.

    Hidden folders are not looked into.

    Parameters
    ----------
    folder
        Where they lie.
    suffixes
        Endings that are not counted.

    Returns
    -------
    Counter[str]
        Numbers of files by `ending`.
    """
    counts: Counter[str] = Counter()
    for _, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        endings = (ending(PurePosixPath(name)) for name in files)
        counts.update(found for found in endings if found not in suffixes)
    return counts


def describe(counts: Counter[str]) -> tuple[Skipped, ...]:
    """Say how many files of each ending were left out, most first, and why."""
    rows: Iterable[tuple[str, int]] = sorted(
        counts.items(), key=lambda item: (-item[1], item[0])
    )
    return tuple(Skipped(_name(found, n), _reason(found)) for found, n in rows)


def _name(found: str, n: int) -> str:
    """Files of an ending in words: "3 files that end in .txt"."""
    files = "1 file" if n == 1 else f"{n:,} files"
    if found == HIDDEN:
        return files.replace("file", "hidden file")
    if not found:
        return f"{files} without an ending"
    return f"{files} that end{'s' if n == 1 else ''} in {found}"


def _reason(found: str) -> str:
    """Why files of an ending are no recordings."""
    if found == HIDDEN:
        return "names that begin with a dot are those of programs."
    return "not the ending of a format that is read here. Convert what is sound."
