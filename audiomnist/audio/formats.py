"""The formats of sound files that are read: one list for every way in.

Owns their names and the endings of their files. Whether a file is one of them is told
by its contents, which is for `decoding`; endings only tell which files of a folder or
an archive are recordings.
"""

from typing import NamedTuple


class Format(NamedTuple):
    """What people call a format, and how its files end.

    Parameters
    ----------
    name
        As it stands in a list of formats.
    suffixes
        Endings of file names, in lower case with their dot.
    """

    name: str
    suffixes: tuple[str, ...]


FORMATS = (
    Format("wav", (".wav", ".wave", ".bwf", ".rf64", ".w64")),
    Format("flac", (".flac",)),
    Format("ogg", (".ogg", ".oga", ".spx")),
    Format("opus", (".opus",)),
    Format("mp3", (".mp3", ".mp2")),
    Format("m4a", (".m4a", ".m4b", ".mp4", ".mov")),
    Format("aac", (".aac",)),
    Format("webm", (".webm", ".weba", ".mka", ".mkv")),
    Format("3gp", (".3gp", ".3gpp", ".3g2")),
    Format("amr", (".amr", ".awb")),
    Format("wma", (".wma",)),
    Format("caf", (".caf",)),
    Format("aiff", (".aiff", ".aif", ".aifc")),
    Format("au", (".au", ".snd")),
    Format("sph", (".sph",)),
)
"""What telephones, browsers, recorders and corpora of speech come in."""

SUFFIXES = tuple(suffix for kind in FORMATS for suffix in kind.suffixes)
"""Endings of the files that are taken for recordings."""

FORMAT_NAMES = (
    ", ".join(kind.name for kind in FORMATS[:-1]) + f" and {FORMATS[-1].name}"
)
"""The formats in words: "wav, flac, ... and sph"."""
