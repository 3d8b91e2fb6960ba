"""From the archive of a known corpus to its recordings, if they are the ones.

Owns the check of an archive against its card, and what of it is kept where: the digits,
the authors' list of test recordings, and other words. How the archive comes here and
how the corpus is loaded is for `corpora`, the next step.
"""

import hashlib
import shutil
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from audiomnist.archives import unpack
from audiomnist.audio import decode
from audiomnist.cards import CorpusCard
from audiomnist.clips import SUFFIXES, parse_name
from audiomnist.errors import AudioError, CorpusError
from audiomnist.settings import settings
from audiomnist.storage import OnProgress, Progress, new_folder

_MAX_TOTAL_BYTES = 8 * 1024**3  # a known corpus may be larger than a stranger's
_CHUNK = 1024**2  # bytes


def keep_recordings(
    card: CorpusCard, archive: Path, place: str, on_progress: OnProgress | None = None
) -> None:
    """Unpack a known corpus's recordings and keep them if they are the ones.

    Parameters
    ----------
    card
        What they must be.
    archive
        Zip or tar archive.
    place
        What to call it in a message.
    on_progress
        Called with the stages "unpacking" and "checking".

    Raises
    ------
    CorpusError
        If the archive cannot be read, or is not the card's. Nothing is kept then.
    """
    _check_archive(card, archive, place, on_progress)
    wanted = (*SUFFIXES, Path(card.official_test_list).suffix)
    with new_folder(settings().corpora / card.name) as temporary:
        inside = temporary / ".archive"
        unpack(
            archive,
            inside,
            suffixes=wanted if card.official_test_list else SUFFIXES,
            max_total_bytes=_MAX_TOTAL_BYTES,
            on_progress=on_progress,
        )
        files = [path for path in inside.rglob("*") if path.parent.name in card.folders]
        files.sort(key=lambda file: (file.name.encode(), file.parent.name))
        _check_recordings(card, files, place, on_progress)
        for file in files:
            # Names are distinct in one folder; several keep theirs.
            parent = file.parent.name if len(card.folders) > 1 else "."
            (temporary / parent).mkdir(exist_ok=True)
            file.rename(temporary / parent / file.name)
        if card.official_test_list:
            listed = next(inside.rglob(card.official_test_list), None)
            if listed is None:
                wanted_list = f"a {card.official_test_list}"
                raise _other_contents(card, place, wanted_list, "none")
            listed.rename(temporary / card.official_test_list)
        if card.other_words:
            _keep_others(card, inside)
        shutil.rmtree(inside)


def official_test_speakers(card: CorpusCard, folder: Path) -> frozenset[str]:
    """Who speaks in the recordings that the authors set aside for testing.

    Raises
    ------
    CorpusError
        If their list has gone or names no recording.
    """
    if not card.official_test_list:
        return frozenset()
    path = folder / card.official_test_list
    try:
        names = path.read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(
            f"The list of {card.title}'s test recordings cannot be read from {path} "
            f"({error}). Remove the corpus and download it again."
        ) from error
    digits = [name for name in names if name.partition("/")[0] in card.folders]
    if not digits:
        raise CorpusError(
            f"{path} lists no test recording of a digit. Remove the corpus and "
            "download it again."
        )
    return frozenset(parse_name(name).speaker for name in digits)


def _check_archive(
    card: CorpusCard, archive: Path, place: str, on_progress: OnProgress | None
) -> None:
    """Refuse an archive that has not the card's digest."""
    if not card.archive_sha256:
        return
    digest, done = hashlib.sha256(), 0
    try:
        total = archive.stat().st_size
        with archive.open("rb") as file:
            while data := file.read(_CHUNK):
                digest.update(data)
                done += len(data)
                if on_progress:
                    on_progress(Progress("checking", done, total))
    except OSError as error:
        raise CorpusError(
            f"{place} cannot be opened ({error.strerror}). Give the path of an archive "
            f"of {card.title}."
        ) from error
    if digest.hexdigest() != card.archive_sha256:
        raise _other_contents(
            card,
            place,
            f"an archive with sha256 {card.archive_sha256}",
            digest.hexdigest(),
        )


def _check_recordings(
    card: CorpusCard,
    files: list[Path],
    place: str,
    on_progress: OnProgress | None,
) -> None:
    """Refuse recordings that are not the card's."""
    digest = hashlib.sha256()
    for done, file in enumerate(files):
        data = file.read_bytes()
        digest.update(data)
        if not card.sha256 and not card.archive_sha256:
            _check_sound(card, file, data, place)
        if on_progress:
            on_progress(Progress("checking", done + 1, len(files)))
    expected, found = f"{card.n_clips:,} recordings", f"{len(files):,}"
    if card.sha256:
        expected += f" with sha256 {card.sha256}"
        found += f" with {digest.hexdigest()}"
    is_sum_right = card.sha256 in ("", digest.hexdigest())
    if len(files) != card.n_clips or not is_sum_right:
        raise _other_contents(card, place, expected, found)
    if card.n_speakers:
        _check_speakers(card, files, place)


def _check_sound(card: CorpusCard, file: Path, data: bytes, place: str) -> None:
    """Refuse a recording that cannot be heard."""
    try:
        decode(data, file.name)
    except AudioError as error:
        raise _other_contents(card, place, "only recordings", str(error)) from error


def _check_speakers(card: CorpusCard, files: Iterable[Path], place: str) -> None:
    """Refuse recordings that are not so many of each digit by each speaker."""
    names = [parse_name(f"{file.parent.name}/{file.name}") for file in files]
    n_takes = Counter((name.digit, name.speaker) for name in names)
    n_speakers = len({name.speaker for name in names})
    n_each = card.n_clips // (10 * card.n_speakers)
    is_even = len(n_takes) == 10 * n_speakers and set(n_takes.values()) == {n_each}
    if n_speakers != card.n_speakers or not is_even:
        raise _other_contents(
            card,
            place,
            f"{n_each} of each digit by each of {card.n_speakers} speakers",
            f"up to {max(n_takes.values(), default=0)} by {n_speakers}",
        )


def _keep_others(card: CorpusCard, inside: Path) -> None:
    """Keep some recordings of every word that is no digit, for `negatives`."""
    folder = settings().others / card.name
    shutil.rmtree(folder, ignore_errors=True)
    by_word: dict[str, list[Path]] = {}
    for file in sorted(inside.rglob("*")):
        word = file.parent.name
        # What begins with "_" is no word: long recordings of noise.
        if file.suffix.lower() in SUFFIXES and not word.startswith("_"):
            by_word.setdefault(word, []).append(file)
    with new_folder(folder) as temporary:
        for word, files in by_word.items():
            (temporary / word).mkdir()
            for file in files[: card.other_words]:
                file.rename(temporary / word / file.name)


def _other_contents(
    card: CorpusCard, place: str, expected: str, found: str
) -> CorpusError:
    """The error for an archive that is not the corpus's."""
    return CorpusError(
        f"{place} does not hold {card.title}. Expected {expected}; got {found}. "
        "Nothing was kept. The archive is probably another version, or was changed on "
        "its way: download it again, or name another source."
    )
