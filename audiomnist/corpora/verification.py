"""Verify the archive of a known corpus and keep its recordings.

Owns the check of an archive against the catalogue, and where its parts are kept: the
digits, the authors' list of test recordings, and other words. Downloading the archive
is for `downloads`, loading the corpus for `library`.
"""

import hashlib
import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from audiomnist.audio.decoding import decode
from audiomnist.audio.formats import SUFFIXES
from audiomnist.corpora.archives import unpack
from audiomnist.corpora.catalogue import KnownCorpus
from audiomnist.corpora.downloads import fetch, is_url
from audiomnist.corpora.naming import SPEECH_COMMANDS_STEM, ClipName, parse_name
from audiomnist.errors import AudioError, CorpusError
from audiomnist.settings import OTHER_WORDS, settings
from audiomnist.storage import DiskError, OnProgress, Progress, new_folder

_MAX_TOTAL_BYTES = 8 * 1024**3  # a known corpus may be larger than an uploaded one
_CHUNK = 1024**2  # bytes


def fetch_and_keep(
    known: KnownCorpus, place: str, downloads: Path, on_progress: OnProgress | None
) -> None:
    """Download a known corpus's archive, if it is not here, and unpack it.

    Parameters
    ----------
    known, place, on_progress
        As in `keep_recordings`; the place may be an address.
    downloads
        Folder for what is downloaded.

    Raises
    ------
    CorpusError
        If it cannot be had or is not that of the corpus.
    """
    if is_url(place):
        key = hashlib.sha256(place.encode()).hexdigest()[:12]
        archive = fetch(place, downloads / f"{known.name}-{key}", on_progress)
    else:
        archive = Path(place).expanduser()
    try:
        keep_recordings(known, archive, place, on_progress)
    except DiskError:
        raise  # the archive may be good: the next try need not fetch it again
    except CorpusError as error:
        _remove_download(archive, place)
        if is_url(place):
            raise CorpusError(f"{error} The download was removed.") from error
        raise
    _remove_download(archive, place)


def _remove_download(archive: Path, place: str) -> None:
    """Delete an archive that was downloaded, and none that somebody gave."""
    if is_url(place):
        archive.unlink(missing_ok=True)


def keep_recordings(
    known: KnownCorpus, archive: Path, place: str, on_progress: OnProgress | None = None
) -> None:
    """Unpack a known corpus's recordings and keep them if they are the ones.

    Other words, where the corpus has some, lie in its folder `OTHER_WORDS`.

    Parameters
    ----------
    known
        What they must be.
    archive
        Zip or tar archive.
    place
        What to call it in a message.
    on_progress
        Called with the stages "verifying" (where the archive has a digest),
        "unpacking" and "checking".

    Raises
    ------
    CorpusError
        If the archive cannot be read or is not that of the corpus, or the corpus is
        there already. Nothing is kept then.
    """
    _check_archive(known, archive, place, on_progress)
    wanted = (*SUFFIXES, Path(known.official_test_list).suffix)
    with new_folder(settings().corpora / known.name) as temporary:
        inside = temporary / ".archive"
        unpacked = unpack(
            archive,
            inside,
            suffixes=wanted if known.official_test_list else SUFFIXES,
            max_total_bytes=_MAX_TOTAL_BYTES,
            on_progress=on_progress,
        )
        recordings = [path for path in unpacked if path.suffix.lower() in SUFFIXES]
        digits = [path for path in recordings if path.parent.name in known.folders]
        digits.sort(key=lambda path: (path.name.encode(), path.parent.name))
        _check_recordings(known, digits, place, on_progress)
        for file in digits:
            # Names are distinct in one folder; several keep theirs.
            parent = file.parent.name if len(known.folders) > 1 else "."
            (temporary / parent).mkdir(exist_ok=True)
            file.rename(temporary / parent / file.name)
        if known.official_test_list:
            listed = [
                path for path in unpacked if path.name == known.official_test_list
            ]
            if not listed:
                expected = f"a file {known.official_test_list}"
                raise _other_contents(known, place, expected, "none")
            listed[0].rename(temporary / known.official_test_list)
        if known.other_words:
            others = [path for path in recordings if path not in {*digits}]
            _keep_other_words(others, temporary / OTHER_WORDS, known.other_words)
        shutil.rmtree(inside)


def official_test_speakers(known: KnownCorpus, folder: Path) -> frozenset[str]:
    """Who speaks in the recordings that the authors set aside, digits or not.

    Raises
    ------
    CorpusError
        If their list has gone or names nobody.
    """
    if not known.official_test_list:
        return frozenset()
    path = folder / known.official_test_list
    try:
        lines = path.read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(
            f"{known.title}: the list of its test recordings cannot be read from "
            f"{path} ({error}). Remove the corpus and download it again."
        ) from error
    stems = [SPEECH_COMMANDS_STEM.fullmatch(Path(line).stem) for line in lines]
    speakers = frozenset(stem[1] for stem in stems if stem)
    if not speakers:
        raise CorpusError(
            f"{known.title}: {path} lists no test recording; expected lines such as "
            "seven/0132a06d_nohash_0.wav. Remove the corpus and download it again."
        )
    return speakers


def _check_archive(
    known: KnownCorpus, archive: Path, place: str, on_progress: OnProgress | None
) -> None:
    """Refuse an archive with another digest."""
    if not known.archive_sha256:
        return
    digest, done = hashlib.sha256(), 0
    try:
        total = archive.stat().st_size
        with archive.open("rb") as file:
            while data := file.read(_CHUNK):
                digest.update(data)
                done += len(data)
                if on_progress:
                    on_progress(Progress("verifying", done, total))
    except OSError as error:
        raise CorpusError(
            f"{place} cannot be opened ({error.strerror}). Give the path of an archive "
            f"of {known.title}."
        ) from error
    if digest.hexdigest() != known.archive_sha256:
        expected = f"an archive with sha256 {known.archive_sha256}"
        raise _other_contents(known, place, expected, digest.hexdigest())


def _check_recordings(
    known: KnownCorpus,
    files: Sequence[Path],
    place: str,
    on_progress: OnProgress | None,
) -> None:
    """Refuse recordings that are not those of the corpus."""
    digest = hashlib.sha256()
    is_verified = bool(known.archive_sha256)  # byte by byte, with the archive
    for done, file in enumerate(() if is_verified else files):
        data = file.read_bytes()
        digest.update(data)
        if not known.sha256:
            _check_sound(known, file, data, place)
        if on_progress:
            on_progress(Progress("checking", done + 1, len(files)))
    expected, actual = f"{known.n_clips:,} recordings", f"{len(files):,}"
    if known.sha256:
        expected += f" with sha256 {known.sha256}"
        actual += f" with {digest.hexdigest()}"
    is_sum_right = known.sha256 in ("", digest.hexdigest())
    if len(files) != known.n_clips or not is_sum_right:
        raise _other_contents(known, place, expected, actual)
    if known.n_speakers:
        _check_speakers(known, files, place)


def _check_sound(known: KnownCorpus, file: Path, data: bytes, place: str) -> None:
    """Refuse a recording that cannot be decoded."""
    try:
        decode(data, file.name)
    except AudioError as error:
        raise _other_contents(known, place, "only recordings", str(error)) from error


def _check_speakers(known: KnownCorpus, files: Sequence[Path], place: str) -> None:
    """Refuse recordings that are not so many of each digit by each speaker."""
    n_each = known.n_clips // (10 * known.n_speakers)
    expected = f"{n_each} of each digit by each of {known.n_speakers} speakers"
    names: set[ClipName] = set()
    for file in files:
        try:
            name = parse_name(f"{file.parent.name}/{file.name}")
        except CorpusError as error:
            raise _other_contents(known, place, expected, str(error)) from error
        if name in names:
            raise _other_contents(known, place, expected, f"{file.name} twice")
        names.add(name)
    n_takes = Counter((name.digit, name.speaker) for name in names)
    for (digit, speaker), n in sorted(n_takes.items()):
        if n != n_each:
            raise _other_contents(
                known, place, expected, f"{n} of {digit} by {speaker}"
            )
    n_speakers = len({name.speaker for name in names})
    if n_speakers != known.n_speakers:
        raise _other_contents(known, place, expected, f"{n_speakers} speakers")


def _keep_other_words(files: Sequence[Path], folder: Path, n_each: int) -> None:
    """Keep some recordings of every word that is not a digit."""
    by_word: dict[str, list[Path]] = {}
    for file in sorted(files):
        # What begins with "_" is no word: long recordings of noise.
        if not file.parent.name.startswith("_"):
            by_word.setdefault(file.parent.name, []).append(file)
    for word, its in by_word.items():
        (folder / word).mkdir(parents=True)
        # Names begin with the speaker: evenly spaced ones are many people's.
        for number in range(min(n_each, len(its))):
            file = its[number * len(its) // min(n_each, len(its))]
            file.rename(folder / word / file.name)


def _other_contents(
    known: KnownCorpus, place: str, expected: str, actual: str
) -> CorpusError:
    """The error for an archive that is not the corpus's."""
    return CorpusError(
        f"{place} does not hold {known.title}. Expected {expected}; got {actual}. "
        "Nothing was kept. The archive is probably another version, or was changed on "
        "its way: download it again, or name another source."
    )
