"""Text in figures that somebody else wrote: names of speakers, corpora and files.

Owns showing it as it was written: no formula, in letters that a font of this machine
has, and no longer than others can bear. What Markdown makes of it is for `ui.layout`.
"""

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from itertools import takewhile
from typing import Any, NamedTuple

_WIDTH = 24  # columns of the longest label: the figure is some 80 columns wide
_FIRST_FONT = "DejaVu Sans"  # comes with Matplotlib
# They have no letters of their own: boxes that name an alphabet, pictures, formulas.
_NO_LETTERS = ("Last Resort", "Emoji", "STIX", "cm", "Math")


class Labels(NamedTuple):
    """Labels to draw, and how.

    Parameters
    ----------
    texts
        What to write, in the order of the names.
    options
        Properties of Matplotlib's text.
    """

    texts: list[str]
    options: dict[str, Any]


def labels(names: Sequence[str]) -> Labels:
    """Prepare names for a figure; whatever takes text of others takes these options.

    Letters that no font here has are written as their numbers in Unicode, such as
    U+5C0F; of long names the middle, or what they have in common, is left out.
    """
    shown = [visible(name) for name in names]
    missing, families = _fonts_for(frozenset("".join(shown)))
    spell = _number_of(missing)
    spelled = ["".join(map(spell, name)).strip() for name in shown]
    options = {"parse_math": False, "fontfamily": list(families)}
    return Labels(elided(spelled), options)


def has_font(names: Iterable[str]) -> bool:
    """Whether fonts on this machine have all letters of the names."""
    return not _fonts_for(frozenset("".join(map(visible, names))))[0]


def visible(text: str) -> str:
    r"""Write characters that cannot be seen, or that turn text around, as \u202e."""
    return "".join(
        char if not _is_control(char) else f"\\u{ord(char):04x}" for char in text
    )


def elided(names: Sequence[str], width: int = _WIDTH) -> list[str]:
    """Leave parts out of long names so that they can still be told apart.

    Parameters
    ----------
    names
        Each as long as it is.
    width
        Columns that a name may have; a Chinese letter has two.
    """
    short = [_elide(name, width) for name in names]
    for label in {label for label in short if short.count(label) > 1}:
        same = [place for place, other in enumerate(short) if other == label]
        alike = [names[place] for place in same]
        if len({*alike}) < 2:
            continue
        n_common = len(list(takewhile(_is_one, zip(*alike, strict=False))))
        for number, place in enumerate(same, 1):
            differing = names[place][max(0, n_common - 2) :]
            head = _cut(names[place], width // 3)
            short[place] = f"{head}…{_cut(differing, width - width // 3 - 2)}"
            if any(short[place] == short[before] for before in same[: number - 1]):
                short[place] = f"{_cut(short[place], width - 5)} #{number}"
    return short


def _is_one(chars: Iterable[str]) -> bool:
    """Whether characters are the same."""
    return len({*chars}) == 1


def _elide(name: str, width: int) -> str:
    """A name without its middle, if it is too long."""
    if _columns(name) <= width:
        return name
    n_head = width * 2 // 3
    tail = _cut(name[::-1], width - n_head - 1)[::-1]
    return f"{_cut(name, n_head)}…{tail}"


def _cut(text: str, width: int) -> str:
    """The beginning of a text, as much as there is room for."""
    n_columns = 0
    for place, char in enumerate(text):
        n_columns += _columns(char)
        if n_columns > width:
            return text[:place]
    return text


def _columns(text: str) -> int:
    """How many columns a text takes."""
    return sum(
        0
        if unicodedata.combining(char)
        else 2
        if unicodedata.east_asian_width(char) in "WF"
        else 1
        for char in text
    )


def _is_control(char: str) -> bool:
    """Whether a character acts on others and is none itself."""
    is_bidirectional = char in "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e"
    return (
        unicodedata.category(char) in ("Cc", "Cs", "Co", "Cn")
        or is_bidirectional
        or "\u2066" <= char <= "\u2069"
    )


def _number_of(missing: frozenset[str]) -> Callable[[str], str]:
    """Gives a character, or its number where it is missing."""

    def spell(char: str) -> str:
        if char not in missing:
            return char
        # What only joins or chooses a form can be left out.
        is_form = unicodedata.category(char) == "Cf" or "\ufe00" <= char <= "\ufe0f"
        return "" if is_form else f"U+{ord(char):04X} "

    return spell


@lru_cache(maxsize=64)
def _fonts_for(chars: frozenset[str]) -> tuple[frozenset[str], tuple[str, ...]]:
    """Characters that no font has, and the families that have the others."""
    wanted = {char for char in chars if not char.isspace()}
    families = [_FIRST_FONT]
    files = _font_files()
    for family in (_FIRST_FONT, *files):
        if not wanted:
            break
        found = wanted & _letters_in(files[family])
        if found and family != _FIRST_FONT:
            families.append(family)
        wanted -= found
    return frozenset(wanted), tuple(families)


@lru_cache(maxsize=1)
def _font_files() -> Mapping[str, str]:
    """A file of each family on this machine that has letters, sans serif first."""
    from matplotlib import font_manager

    # Matplotlib keeps its list, and does not notice fonts that were installed since.
    known = {font.fname for font in font_manager.fontManager.ttflist}
    for file in sorted({*font_manager.findSystemFonts()} - known):
        with suppress(OSError, RuntimeError):  # of a kind that is not drawn
            font_manager.fontManager.addfont(file)
    fonts = [
        (font.name, font.fname)
        for font in font_manager.fontManager.ttflist
        if font.style == "normal" and not any(part in font.name for part in _NO_LETTERS)
    ]
    return dict(sorted(fonts, key=lambda font: ("Sans" not in font[0], *font)))


@lru_cache(maxsize=1024)
def _letters_in(file: str) -> frozenset[str]:
    """Characters that a font has."""
    from matplotlib import font_manager

    try:
        return frozenset(map(chr, font_manager.get_font(file).get_charmap()))
    except (OSError, RuntimeError):  # removed since, or of a kind that is not drawn
        return frozenset()
