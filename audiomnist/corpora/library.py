"""Load, download, import and remove corpora.

Owns the folder of corpora on this machine. What a clip and a corpus are is in `clips`,
which corpora are known in `catalogue`; how they are split is for `splits`.
"""

import re
import secrets
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import filelock

from audiomnist.audio.formats import FORMAT_NAMES, SUFFIXES
from audiomnist.corpora import tables
from audiomnist.corpora.archives import unpack
from audiomnist.corpora.catalogue import CORPORA, KnownCorpus
from audiomnist.corpora.clips import (
    RECORDINGS,
    Clip,
    Corpus,
    Skipped,
    clips_in_archive,
    clips_in_folder,
    load_audio,
    read,
    write_meanings,
)
from audiomnist.corpora.other_files import count_in_folder, describe, ending
from audiomnist.corpora.patterns import AUTOMATIC
from audiomnist.corpora.readings import Readings, readings_in_folder
from audiomnist.corpora.verification import fetch_and_keep, official_test_speakers
from audiomnist.errors import AudioError, CorpusError
from audiomnist.settings import EMBEDDED_FILES, settings, writable_folder
from audiomnist.storage import OnProgress, Progress, disk_errors, new_folder

EMBEDDED_ARCHIVE = EMBEDDED_FILES / "voices.zip"

_CORPUS_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")


@dataclass(frozen=True)
class ImportReport:
    """What came of an import.

    Parameters
    ----------
    corpus
        The corpus, as it can be loaded from now on.
    skipped
        Recordings that were left out, and why.
    others
        Numbers of files that are no recordings, by their `other_files.ending`.
    """

    corpus: Corpus
    skipped: tuple[Skipped, ...]
    others: Counter[str] = field(default_factory=Counter)

    @property
    def left_out(self) -> tuple[Skipped, ...]:
        """All that was left out: recordings, then files of each ending, and why."""
        return (*self.skipped, *describe(self.others))

    @property
    def n_left_out(self) -> int:
        """Number of files that were left out."""
        return len(self.skipped) + self.others.total()


def available() -> tuple[str, ...]:
    """Names that `load_corpus` can load now, the known corpora first."""
    folder = settings().corpora
    here = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    here = {name for name in here if _CORPUS_NAME.fullmatch(name)}
    known = [name for name in CORPORA if name == "embedded" or name in here]
    return (*known, *sorted(here - CORPORA.keys()))


def load_corpus(name_or_folder: str | Path) -> Corpus:
    """Load a known or imported corpus by its name, or a folder of recordings.

    Parameters
    ----------
    name_or_folder
        A name of `available`, or the path of a folder of recordings whose names, or
        a table beside them, tell digits. The others in the folder are in `skipped`.

    Raises
    ------
    CorpusError
        If there is no such corpus or folder, it has no clip of a digit, or
        clips of a known corpus are missing.
    """
    name = str(name_or_folder)
    is_name = isinstance(name_or_folder, str)
    if is_name and name == "embedded":
        return _load_embedded()
    if is_name and name in available():
        return _load_stored(name)
    if name and Path(name_or_folder).is_dir():
        return _load_folder(Path(name_or_folder))
    if name in CORPORA:
        raise CorpusError(
            f"{CORPORA[name].title} ({name}) is not here yet. Run "
            f"python -m audiomnist data download {name}, or use the Dataset page."
        )
    raise CorpusError(
        f"There is no corpus or folder {name!r}; known are "
        f"{', '.join(dict.fromkeys((*available(), *CORPORA)))}. Give one of these "
        "names or the path of a folder of recordings."
    )


def download(
    name: str,
    *,
    source: str | Path | None = None,
    on_progress: OnProgress | None = None,
) -> Corpus:
    """Download a known corpus, verify it and load it; at once if it is here.

    An interrupted download goes on where it stopped, if the server can do that. What
    was downloaded is kept until it is unpacked, or found not to be the corpus. Of
    AudioMNIST, of which no digest is published, names, numbers and sound are checked;
    of the others, every byte.

    Parameters
    ----------
    name
        "fsdd", "audiomnist" or "speech-commands".
    source
        Address or file of its archive; if None, for "fsdd" the setting
        `AUDIOMNIST_FSDD_SOURCE`, else the corpus's own address.
    on_progress
        Called with the stages "downloading", "verifying", "unpacking" and "checking",
        as far as each is needed.

    Raises
    ------
    CorpusError
        If the name is not that of a corpus to download, the archive cannot be
        downloaded or read, or does not hold the recordings expected, or if another page
        or command is downloading it.
    """
    known = CORPORA.get(name)
    if known is None or not known.url:
        names = ", ".join(known.name for known in CORPORA.values() if known.url)
        raise CorpusError(f"{name!r} cannot be downloaded; {names} can.")
    setting = settings().fsdd_source if name == "fsdd" else ""
    place = str(source or setting or known.url)
    downloads = writable_folder(settings().cache / "downloads")
    try:
        with filelock.FileLock(downloads / f"{name}.lock", timeout=0):
            if name not in available():
                fetch_and_keep(known, place, downloads, on_progress)
    except filelock.Timeout as error:
        raise CorpusError(
            f"{known.title} is being downloaded by another page or command already. "
            "Wait until that one is done."
        ) from error
    return load_corpus(name)


def import_corpus(
    name: str,
    source: Path | BinaryIO,
    *,
    pattern: str = AUTOMATIC,
    on_progress: OnProgress | None = None,
) -> ImportReport:
    """Take recordings of spoken digits into a corpus of their own.

    Every recording is decoded once, so that what is kept can be used.

    Parameters
    ----------
    name
        What to call the corpus: letters, digits, "-" and "_", at most 40.
    source
        Zip or tar archive (path or binary file), or folder, of files of
        `formats.FORMATS` whose names tell digits, or with a table that does.
    pattern
        What the names mean, see `readings`.
    on_progress
        Called with the stages "unpacking" or "copying", and "checking".

    Raises
    ------
    CorpusError
        If the name is taken or no name, the source cannot be read safely, or
        it holds no recording of a digit. Nothing is kept then.
    """
    check_new_name(name)
    skipped: list[Skipped] = []
    others: Counter[str] = Counter()
    with new_folder(settings().corpora / name) as temporary:
        inside = temporary / RECORDINGS
        if isinstance(source, Path) and source.is_dir():
            skipped += _copy_recordings(source, inside, pattern, on_progress)
            others = count_in_folder(source, (*SUFFIXES, *tables.SUFFIXES))
        else:
            unpack(
                source,
                inside,
                suffixes=(*SUFFIXES, *tables.SUFFIXES),
                on_other=lambda path: others.update([ending(path)]),
                on_progress=on_progress,
            )
        clips, unnamed = clips_in_folder(inside, pattern)
        others = _left_out(others, readings_in_folder(inside, pattern))
        unreadable = _unreadable(clips, inside, on_progress)
        skipped = sorted({*skipped, *unnamed, *unreadable})
        if len(unreadable) == len(clips):
            raise _no_clips(name, skipped, others)
        for recording in (*unnamed, *unreadable):
            (inside / recording.name).unlink(missing_ok=True)
        write_meanings(clips, inside)
    return ImportReport(load_corpus(name), tuple(skipped), others)


def remove_corpus(name: str) -> None:
    """Delete a downloaded or imported corpus from this machine.

    Raises
    ------
    CorpusError
        If there is no such corpus, or it is the embedded one.
    """
    if name == "embedded":
        raise CorpusError(
            "The embedded corpus is part of Audio MNIST and cannot be removed."
        )
    if name not in available():
        raise CorpusError(
            f"There is no corpus {name!r} to remove; here are {', '.join(available())}."
        )
    folder = settings().corpora / name
    removed = folder.with_name(f".removed-{secrets.token_hex(8)}")
    with disk_errors(folder, kept="The corpus was not removed."):
        folder.rename(removed)
    shutil.rmtree(removed, ignore_errors=True)


def _load_embedded() -> Corpus:
    """The corpus that comes with the package."""
    return _known_corpus(CORPORA["embedded"], clips_in_archive(EMBEDDED_ARCHIVE))


def _load_stored(name: str) -> Corpus:
    """A corpus that was downloaded or imported."""
    folder = settings().corpora / name
    known = CORPORA.get(name)
    if known is None:
        return _load_folder(folder)
    speakers = official_test_speakers(known, folder)
    return _known_corpus(known, clips_in_folder(folder)[0], speakers)


def _known_corpus(
    known: KnownCorpus,
    clips: tuple[Clip, ...],
    official_test_speakers: frozenset[str] = frozenset(),
) -> Corpus:
    """A corpus as the catalogue describes it, complete."""
    if len(clips) != known.n_clips:
        raise CorpusError(
            f"{known.title} has {len(clips):,} clips here; expected "
            f"{known.n_clips:,}. Remove it and download it again."
        )
    return Corpus(
        name=known.name,
        title=known.title,
        clips=clips,
        source=known.source,
        licence=known.licence,
        citation=known.citation,
        is_synthetic=known.is_synthetic,
        official_test_takes=known.official_test_takes,
        official_test_speakers=official_test_speakers,
    )


def _load_folder(folder: Path) -> Corpus:
    """The recordings of a folder, about which nothing else is known."""
    clips, skipped = clips_in_folder(folder)
    if not clips:
        raise _no_clips(str(folder), skipped)
    name = folder.resolve().name
    return Corpus(
        name=name,
        title=name,
        clips=clips,
        source="Recordings given by a user",
        licence="Not known: that of whoever made the recordings",
        citation="",
        is_synthetic=False,
        skipped=skipped,
    )


def _left_out(others: Counter[str], readings: Readings) -> Counter[str]:
    """Count the tables that told nothing among the other files."""
    idle = {*readings.tables} - {*readings.heeded_tables}
    return others + Counter(ending(PurePosixPath(name)) for name in idle)


def _copy_recordings(
    source: Path, folder: Path, pattern: str, on_progress: OnProgress | None
) -> Sequence[Skipped]:
    """Copy a folder's clips, with the folders that they are in; say which are none."""
    clips, skipped = clips_in_folder(source, pattern)
    folder.mkdir()
    for name, data in readings_in_folder(source).tables.items():
        copy = folder / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(data)
    for done, clip in enumerate(clips):
        copy = folder / clip.path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(read(clip))
        if on_progress:
            on_progress(Progress("copying", done + 1, len(clips)))
    return skipped


def _unreadable(
    clips: Sequence[Clip], folder: Path, on_progress: OnProgress | None
) -> list[Skipped]:
    """The clips that are no recordings, and why."""
    unreadable = []
    for done, clip in enumerate(clips):
        try:
            load_audio(clip)
        except AudioError as error:
            name = clip.path.relative_to(folder).as_posix()
            unreadable.append(Skipped(name, str(error)))
        if on_progress:
            on_progress(Progress("checking", done + 1, len(clips)))
    return unreadable


def check_new_name(name: str) -> None:
    """Refuse a name that is taken, or that is more than a name.

    Raises
    ------
    CorpusError
        If no new corpus can be called like this.
    """
    if not _CORPUS_NAME.fullmatch(name):
        raise CorpusError(
            f"{name!r} cannot be a corpus's name. Use up to 40 letters, digits, "
            '"-" and "_", beginning with a letter or digit.'
        )
    taken = {known.lower() for known in (*CORPORA, *available())}
    if name.lower() in taken:
        raise CorpusError(
            f"There is a corpus {name!r} already. Choose another name, or remove it "
            f"first with python -m audiomnist data remove {name}."
        )


def _no_clips(
    name: str, skipped: Sequence[Skipped], others: Counter[str] | None = None
) -> CorpusError:
    """The error for recordings of which none is a digit's."""
    first = f" The first, {skipped[0].name}: {skipped[0].reason}" if skipped else ""
    found = "1 file was" if len(skipped) == 1 else f"{len(skipped)} files were"
    rest = ", ".join(left_out.name for left_out in describe(others or Counter()))
    return CorpusError(
        f"{name} holds no recording of a digit: {found} found that ended like a sound "
        f"file ({FORMAT_NAMES}), and left out.{first}"
        + (f" Others: {rest}." if rest else "")
        + " Call the files {digit}_{speaker}_{take}, such as 7_anna_0.wav, or put them "
        "into a folder for each digit."
    )
