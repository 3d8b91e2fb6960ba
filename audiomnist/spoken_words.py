"""Make a folder of other words that people said, out of Debian's packages.

Owns the list of cuts, `embedded/spoken_words.csv.gz`: which part of which recording
in which package is a word that is no digit, and who says it. It is a developer's
command, for training on more than synthetic voices; it needs the packages, which are
games and learning programs, and leaves a folder beside those of `neural_voices`. A
network learns from the words by `negatives`, a later step.

The list was made once by a speech recogniser: recordings were cut at their pauses, and
what sounded like a digit was left out. With the list kept, anyone can make the same
folder again. The recordings stay under their own licences and are not in the
repository.
"""

import csv
import gzip
import lzma
import tarfile
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import SEEK_CUR, BytesIO
from pathlib import Path
from typing import IO
from urllib.parse import unquote

from audiomnist.audio import Audio, decode, encode_wav, resample
from audiomnist.errors import AudioError, CorpusError
from audiomnist.settings import settings
from audiomnist.storage import OnProgress, Progress, new_folder

NAME = "spoken"
"""The folder's name, in `others` below the home."""

SAMPLE_RATE = 16_000  # Hz
CUT_LIST = Path(__file__).resolve().parent / "embedded" / "spoken_words.csv.gz"


@dataclass(frozen=True)
class Package:
    """A package of Debian that the words come from.

    Parameters
    ----------
    version
        The one that the list of cuts was made from, of Debian 12.
    licence
        What its recordings are under, as its copyright file says.
    """

    version: str
    licence: str


PACKAGES = {
    "alsa-utils": Package("1.2.8-1", "GPL-2"),
    "asterisk-core-sounds-en-wav": Package("1.6.1-1", "CC-BY-SA-3.0"),
    "asterisk-prompt-it-menardi-wav": Package(
        "1:1.4.22+mm20110907-3.1", "CC-BY-SA-3.0"
    ),
    "codec2-examples": Package("1.0.5-1", "LGPL-2.1"),
    "freedroidrpg-data": Package("1.0-1", "GPL-2+"),
    "hedgewars-data": Package("1.0.2-6", "GFDL-1.3"),
    "klettres-data": Package("4:22.12.3-1", "GPL-2+"),
    "ktuberling-data": Package("4:22.12.3-1", "GPL-2+"),
    "linphone-common": Package("5.1.65-4", "GPL-3+"),
    "megaglest-data": Package("3.13.0-3", "CC-BY-SA-3.0"),
    "netpanzer-data": Package("0.8.7+ds-4.1", "GPL-2+"),
    "nexuiz-data": Package("2.5.2-12", "GPL-2+"),
    "openarena-081-misc": Package("0.8.5split-14", "GPL-2+"),
    "openarena-081-players": Package("0.8.5split-14", "GPL-2+"),
    "planetblupi-common": Package("1.14.2-3", "GPL-3+"),
    "pocketsphinx-testdata": Package("0.8+5prealpha+1-15", "BSD-2-Clause"),
    "tuxpaint-stamps-default": Package("2022.06.04-1", "GPL-2"),
    "unknown-horizons": Package("2019.1-6", "CC-BY-SA-3.0"),
    "warzone2100-data": Package("4.3.3-3", "GPL-2+"),
    "wordwarvi-sound": Package("1.0.4-2", "CC-BY-SA-3.0"),
}
"""By name; `apt-get download` fetches them on Debian 12."""

_LONGEST = 600.0  # s: a tutorial's lines are longer than one digit
_CHUNK = 1024**2  # bytes
_DAMAGED = (
    *(tarfile.TarError, zipfile.BadZipFile, lzma.LZMAError, zlib.error),
    *(EOFError, OSError, ValueError, NotImplementedError, RuntimeError),
)


@dataclass(frozen=True)
class Cut:
    """One word: where it is found, and what its recording is called.

    Parameters
    ----------
    package
        One of `PACKAGES`.
    path
        The recording in the package; after a `!` the rest is inside a zip archive.
    first, n_samples
        Where the word begins and how long it is, of the whole recording at 16 kHz.
    word, speaker, take
        What is said (for a part of a sentence, what the sentence is called), by
        whom, and which time.
    """

    package: str
    path: str
    first: int
    n_samples: int
    word: str
    speaker: str
    take: int

    @property
    def name(self) -> str:
        """The file name of its recording."""
        return f"{self.word}_{self.speaker}_{self.take}.wav"


def list_cuts() -> tuple[Cut, ...]:
    """Read the list of cuts, sorted by package and path."""
    with gzip.open(CUT_LIST, "rt", encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        next(rows)  # the names of the columns, which are those of `Cut`
        return tuple(
            Cut(package, path, int(first), int(n_samples), word, speaker, int(take))
            for package, path, first, n_samples, word, speaker, take in rows
        )


def make_spoken(packages: Path, *, on_progress: OnProgress | None = None) -> Path:
    """Cut the words out of the packages; the same samples at every call.

    Parameters
    ----------
    packages
        The folder with the .deb files of all `PACKAGES`.
    on_progress
        Called with the words done and in all.

    Returns
    -------
    Path
        The folder of the recordings, {word}_{speaker}_{take}.wav at 16 kHz. It
        appears when all are made, or not at all.

    Raises
    ------
    CorpusError
        If a package is missing, damaged or of a version without the recordings, if
        the folder is there already, or if it cannot be written.
    """
    files, cuts = _find(packages), list_cuts()
    n_done = 0
    with new_folder(settings().others / NAME) as temporary:
        for name, deb in files.items():
            todo = defaultdict(list)
            for cut in cuts:
                if cut.package == name:
                    todo[cut.path].append(cut)
            for path, data in _recordings(deb, {*todo}):
                for cut, word in _words(data, todo.pop(path, []), deb):
                    (temporary / cut.name).write_bytes(encode_wav(word))
                    n_done += 1
                if on_progress:
                    on_progress(Progress("copying", n_done, len(cuts)))
            if todo:
                raise _unfit(deb, f"holds no {min(todo)}.")
    return settings().others / NAME


def _find(folder: Path) -> dict[str, Path]:
    """The .deb file of each package, of the expected version where there are more."""
    found = {
        name: max(files, key=lambda deb: (_version(deb) == package.version, deb.name))
        for name, package in PACKAGES.items()
        if (files := [*folder.glob(f"{name}_*.deb")])
    }
    if missing := " ".join(sorted(PACKAGES.keys() - found)):
        raise CorpusError(
            f"{len(found)} of {len(PACKAGES)} packages are in the folder {folder}. "
            f"Fetch the others into it on Debian 12: apt-get download {missing}"
        )
    return found


def _words(data: bytes, cuts: list[Cut], deb: Path) -> Iterator[tuple[Cut, Audio]]:
    """What is cut out of one recording."""
    if not cuts:  # a second file of the same name
        return
    path = cuts[0].path
    try:
        samples = resample(decode(data, path, _LONGEST), SAMPLE_RATE).samples
    except AudioError as error:
        raise _unfit(deb, f"holds what cannot be decoded: {error}") from error
    for cut in cuts:
        end = cut.first + cut.n_samples
        if end > len(samples):
            length = f"{len(samples)} samples at 16 kHz in place of {end}"
            raise _unfit(deb, f"holds {path} with {length}.")
        yield cut, Audio(samples[cut.first : end], SAMPLE_RATE)


def _recordings(deb: Path, paths: Collection[str]) -> Iterator[tuple[str, bytes]]:
    """Those of the wanted files that are in a package, in its order."""
    plain = {path.partition("!")[0] for path in paths}
    try:
        with _contents(deb) as stream, tarfile.open(fileobj=stream, mode="r|") as files:
            for member in files:
                path = member.name.removeprefix("./")
                file = files.extractfile(member) if path in plain else None
                data = file.read() if file else b""
                if path in paths:
                    yield path, data
                elif file:
                    with zipfile.ZipFile(BytesIO(data)) as inner:
                        for name in inner.namelist():
                            if f"{path}!{name}" in paths:
                                yield f"{path}!{name}", inner.read(name)
            while stream.read(_CHUNK):  # to the end, where the checksum is compared
                pass
    except _DAMAGED as error:
        reason = str(error) or type(error).__name__
        raise _unfit(deb, f"is damaged or cannot be read ({reason}).") from error


@contextmanager
def _contents(deb: Path) -> Iterator[IO[bytes]]:
    """The tar archive of a package's files.

    A package is an ar archive, whose members have a header of 60 bytes each, with the
    name in the first 16 and the size from the 49th on; see deb(5) and ar(5).
    """
    with deb.open("rb") as file:
        if file.read(8) != b"!<arch>\n":
            raise ValueError("no ar archive")
        while header := file.read(60):
            name, size = header[:16].decode().rstrip(" /"), int(header[48:58])
            if file.tell() + size > deb.stat().st_size:
                raise EOFError("cut short")
            if name == "data.tar.xz":
                with lzma.open(file) as stream:  # which ends before other members
                    yield stream
                return
            if name.startswith("data.tar"):  # Ubuntu's are compressed by zstd
                raise ValueError(f"{name} in place of data.tar.xz")
            file.seek(size + size % 2, SEEK_CUR)
    raise EOFError("no data.tar.xz")


def _unfit(deb: Path, found: str) -> CorpusError:
    """The error for a package that is not as it should be."""
    name = deb.name.partition("_")[0]
    expected = PACKAGES[name].version
    return CorpusError(
        f"{deb}, version {_version(deb)} of {name}, {found} Expected version "
        f"{expected}, that of Debian 12, as it was downloaded. Remove the file and "
        f"fetch it again: apt-get download {name}={expected}"
    )


def _version(deb: Path) -> str:
    """A package's version from {name}_{version}_{machine}.deb, with %3a for a colon."""
    return unquote(deb.stem.split("_")[1])
