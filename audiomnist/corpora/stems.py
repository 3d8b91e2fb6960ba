"""What a file's name tells by itself: a digit, a speaker, a take, or none of them.

Owns the words that stand for digits, for recordings and for nobody. What folders and
the other names add is for `naming`.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from audiomnist.digits import DIGIT_WORDS

SEPARATORS = r"_\-. ()\[\],+"
"""Signs that separate the words of a name, for a set of a regular expression."""

LABELS = ("class", "digit", "label", "num", "number")
"""Words that say that a digit follows."""

LAYOUT = re.compile(r"([^_]+)_(.+)_(\d{1,9})")
"""The layout {digit}_{speaker}_{take}, whatever the speaker is called."""

MOST_DIGITS = 18
"""Digits of the longest take; what is longer tells no number."""

_DIGITS = {word: digit for digit, word in enumerate(DIGIT_WORDS)} | {
    str(digit): digit for digit in range(10)
}
_TOKEN = re.compile(f"[^{SEPARATORS}]+")
_WORD_AND_TAKE = re.compile(rf"({'|'.join(DIGIT_WORDS)})([0-9]+)", re.IGNORECASE)
_PADDED = re.compile(r"0+([0-9])")
_LABELLED = re.compile(rf"(?:{'|'.join(LABELS)})([0-9])", re.IGNORECASE)
_LARGER = frozenset(
    {"ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen"}
    | {"seventeen", "eighteen", "nineteen", "twenty", "thirty", "forty", "fifty"}
    | {"sixty", "seventy", "eighty", "ninety", "hundred", "thousand"}
)
# Nobody is called like this: words for recordings, and for where they are kept.
_NOBODY = frozenset(
    {"a", "all", "and", "archive", "aud", "audio", "audios", "clean", "clip"}
    | {"clips", "copy", "corpus", "data", "dataset", "datasets", "dev", "digit"}
    | {"digits", "docs", "eval", "file", "files", "final", "flac", "img", "input"}
    | {"m4a", "mic", "mono", "mp3", "my", "new", "noisy", "number", "numbers", "of"}
    | {"ogg", "old", "out", "output", "part", "processed", "raw", "rec", "record"}
    | {"recorded", "recording", "recordings", "recs", "sample", "samples", "say"}
    | {"set", "sound", "sounds", "speech", "spoken", "take", "test", "testing"}
    | {"the", "tmp", "track", "train", "training", "untitled", "upload"}
    | {"uploads", "val", "valid", "validation", "voice", "voices", "wav", "wave"}
    | {"waves", "wavs", "word", "words"}
)
_NUMBERED = re.compile(r"([^\W\d]+)([0-9]+)")
_SPEAKER_ID = re.compile(r"(s|sp|spk|speaker|person|subject|user|p|id)[0-9]+", re.I)

_Spans = Sequence[re.Match[str]]


@dataclass(frozen=True)
class Said:
    """What a file's name tells by itself.

    Parameters
    ----------
    digit, speaker, take
        None for what it does not tell.
    reason
        Why nothing it tells is certain, "" where it is.
    """

    digit: int | None = None
    speaker: str | None = None
    take: int | None = None
    reason: str = ""


def words_of(text: str) -> list[str]:
    """The words of a name, without what separates them."""
    return _TOKEN.findall(text)


def is_number(text: str) -> bool:
    """Whether a text is a number in the digits 0 to 9, short enough for a take."""
    return text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS


def is_nobody(text: str) -> bool:
    """Whether a name is made of words for recordings and numbers: no person's."""
    return all(word.lower() in _NOBODY or is_number(word) for word in words_of(text))


def digit_of(text: str) -> int | None:
    """The digit that a text is: 7, 07 or seven; None if it is none."""
    text = text.strip().lower()
    if padded := _PADDED.fullmatch(text):
        text = padded[1]
    return _DIGITS.get(text)


def plain_digit_of(text: str) -> int | None:
    """The digit that a text is, without zeros before it: 7 or seven."""
    return _DIGITS.get(text.lower())


def folder_digit(name: str) -> int | None:
    """The digit that a folder is called after: 7, 07, seven, digit_7, 7 - seven."""
    if labelled := _LABELLED.fullmatch(name):
        return int(labelled[1])
    said = {digit_of(word) for word in words_of(name) if word.lower() not in LABELS}
    return said.pop() if len(said) == 1 else None


def read_stem(stem: str) -> Said:
    """Read a file's name, without its ending and folders, that may tell a digit.

    It is either the first word, in a number or a word, or the only word for a digit:
    a number further on may be anything.
    """
    spans = list(_TOKEN.finditer(stem))
    while len(spans) > 1 and spans[0][0].lower() in LABELS:
        spans = spans[1:]
    if not spans:
        return Said()
    words = [span[0].lower() for span in spans]
    digits = [plain_digit_of(word) for word in words]
    known = [digit for digit in digits if digit is not None]
    if len(known) == len(words) and _are_several(words):
        return Said(reason=_several(known))
    first = digits[0]
    if labelled := _LABELLED.fullmatch(words[0]):
        first = int(labelled[1])
    if first is not None:
        if len(words) > 2 and digits[1] == first and not words[1].isdecimal():
            return _after_digit(stem, first, spans[2:])  # 7_seven_anna_0
        usual = LAYOUT.fullmatch(stem)
        if usual and plain_digit_of(usual[1]) == first and not is_nobody(usual[2]):
            return Said(first, usual[2], int(usual[3]))
        return _after_digit(stem, first, spans[1:])
    if larger := _LARGER.intersection(words):
        return Said(reason=no_digit(min(larger, key=words.index)))
    if len(words) == 1 and _PADDED.fullmatch(words[0]):
        return Said(digit_of(words[0]))
    return _among_words(stem, spans, words)


def read_rest(stem: str) -> Said:
    """Read speaker and take from a file's name that tells no digit.

    A name without a take may be anything that tells recordings apart: then only
    letters, or what is usual to number people by, are a speaker.
    """
    spans = list(_TOKEN.finditer(stem))
    speaker, take = _speaker_and_take(stem, spans)
    letters = "".join(words_of(speaker or ""))
    is_name = len(letters) > 1 and not any(map(str.isdecimal, letters))
    if take is None and not is_name and not _SPEAKER_ID.fullmatch(speaker or ""):
        speaker = None
    return Said(None, speaker, take)


def _after_digit(stem: str, digit: int, rest: _Spans) -> Said:
    """What follows a digit at the beginning of a name."""
    words = [span[0] for span in rest]
    if all(map(is_number, words)):
        if len(words) > 2:
            return Said(reason=_too_many_numbers(stem))
        if len(words) < 2:
            return Said(digit, None, int(words[0]) if words else None)
        return Said(digit, words[0], int(words[1]))
    return Said(digit, *_speaker_and_take(stem, rest))


def _among_words(stem: str, spans: _Spans, words: Sequence[str]) -> Said:
    """Read a name with one word for a digit that is not its first."""
    found = [
        (place, *said)
        for place in range(len(words))
        if (said := _digit_word(words[place : place + 2])) is not None
    ]
    digits = [digit for _, _, digit, _ in found]
    if len({*digits}) > 1:
        return Said(reason=_several(digits))
    if len(found) != 1:
        return Said()
    place, n_words, digit, take = found[0]
    before, _ = _speaker_and_take(stem, spans[:place])
    after, number = _speaker_and_take(stem, spans[place + n_words :])
    return Said(digit, before or after, number if take is None else take)


def _digit_word(words: Sequence[str]) -> tuple[int, int, int | None] | None:
    """How many words tell a digit, the digit, and the take where it is told, too."""
    word = words[0]
    if word in DIGIT_WORDS:
        return 1, _DIGITS[word], None
    if (fused := _WORD_AND_TAKE.fullmatch(word)) and is_number(fused[2]):
        return 1, _DIGITS[fused[1]], int(fused[2])
    if labelled := _LABELLED.fullmatch(word):
        return 1, int(labelled[1]), None
    if word in LABELS and len(words) > 1 and words[1] in _DIGITS:
        return 2, _DIGITS[words[1]], None
    return None


def _speaker_and_take(stem: str, spans: _Spans) -> tuple[str | None, int | None]:
    """Speaker and take in a part of a name, None for what is not there."""
    take = None
    if spans and is_number(spans[-1][0]):
        take, spans = int(spans[-1][0]), spans[:-1]
    elif (
        spans
        and (fused := _NUMBERED.fullmatch(spans[-1][0]))
        and is_nobody(fused[1])
        and is_number(fused[2])
    ):
        take, spans = int(fused[2]), spans[:-1]  # rec12
    while spans and is_nobody(spans[-1][0]) and not _is_only_number(spans):
        spans = spans[:-1]
    while spans and is_nobody(spans[0][0]) and not _is_only_number(spans):
        spans = spans[1:]
    if not spans:
        return None, take
    return stem[spans[0].start() : spans[-1].end()], take


def _is_only_number(spans: _Spans) -> bool:
    """Whether one number is left: people are numbered, too."""
    return len(spans) == 1 and is_number(spans[0][0])


def _are_several(words: Sequence[str]) -> bool:
    """Whether a name made of digits alone holds several of them.

    7_2 is a digit and a take, 7_1_2 a digit, a speaker and a take.
    """
    if all(word.isdecimal() for word in words[1:]):
        return len(words) > 3
    same = _DIGITS[words[0]] == _DIGITS[words[1]]
    return not (same and all(word.isdecimal() for word in words[2:]))


def no_digit(word: str) -> str:
    """Why a name is left out that has something else in the place of the digit."""
    return f"{word!r} is not a digit; expected 0 to 9 or zero to nine."


def _several(digits: Iterable[int]) -> str:
    """Why a name of several digits is left out."""
    said = [str(digit) for digit in digits]
    return (
        f"it names {len(said)} digits ({', '.join(said)}), and a clip has one. Cut it "
        "into clips of one digit each."
    )


def _too_many_numbers(stem: str) -> str:
    """Why a name of many numbers is left out."""
    return (
        f"{stem!r} holds so many numbers that its digit is not certain; expected "
        "{digit}_{speaker}_{take}. Rename it, or say how it is meant."
    )
