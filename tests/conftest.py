"""Fixtures that every test may use: a home of its own, and synthetic words."""

import io
import os
import shutil
import tarfile
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from audiomnist.audio.encoding import encode_wav
from audiomnist.audio.signal import Audio

RECORDINGS = Path(__file__).resolve().parents[2] / "shared" / "data"
"""Where archives of recordings may lie beside the checkout."""

_SETTING = os.environ.get("AUDIOMNIST_FSDD_SOURCE", "")  # `home` takes it away
_FSDD = RECORDINGS / "free-spoken-digit-dataset-1.0.10.tar.gz"

# First and second formant at the beginning and end of each synthetic "digit", in
# Hz, and whether it begins with a hiss: ten sounds that are easy to tell apart.
WORDS = (
    (300, 2200, 600, 900, True),
    (700, 1100, 400, 1900, False),
    (300, 800, 300, 800, False),
    (350, 2300, 350, 2300, True),
    (650, 1000, 650, 1000, False),
    (750, 1300, 350, 2200, False),
    (400, 2000, 400, 2000, True),
    (550, 1800, 300, 1000, False),
    (350, 2300, 700, 1200, False),
    (800, 1400, 800, 1400, True),
)


def pytest_make_parametrize_id(config: object, val: object, argname: str) -> str | None:
    """Call a case of bytes by its parameter: archives hold the time of their making.

    Each process that runs tests collects them anew, and must find the same names.
    """
    return argname if isinstance(val, bytes) else None


def packed(
    files: dict[str, bytes],
    *members: tarfile.TarInfo,
    mode: Literal["w", "w:gz"] = "w:gz",
) -> bytes:
    """A tar archive of files, and of members without contents."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for member in members:
            archive.addfile(member)
    return file.getvalue()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """First what opens pages: beside Keras, which others load, Streamlit is slow.

    It then clears Keras' session after each run of a page, as it never has to in the
    app's server.
    """
    here = Path(__file__).parent
    first = ("pages", "ui", "browser")
    items.sort(key=lambda item: item.path.relative_to(here).parts[0] not in first)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home for downloads, runs and caches, and no settings from outside."""
    folder = tmp_path / "home"
    for variable in (
        "AUDIOMNIST_MODELS",
        "AUDIOMNIST_FSDD_SOURCE",
        "AUDIOMNIST_MAX_RUNNING",
        "AUDIOMNIST_MAX_WAITING",
        "AUDIOMNIST_ICE_SERVERS",
    ):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("AUDIOMNIST_HOME", str(folder))
    if hasattr(os, "nice"):  # a run in the tests' process keeps their priority
        monkeypatch.setattr(os, "nice", lambda increment: 0)
    return folder


def speak(
    digit: int,
    speaker: int = 0,
    sample_rate: int = 8000,
    rng: np.random.Generator | None = None,
    duration: float = 0.4,
) -> Audio:
    """A synthetic word: a hiss for some, then harmonics under moving formants."""
    rng = rng or np.random.default_rng(100 * digit + speaker)
    f1, f2, g1, g2, has_hiss = WORDS[digit]
    scale = 1 + 0.04 * (speaker % 5 - 2)
    pitch = 110 + 25 * (speaker % 5) + rng.normal(0, 2)
    time = np.arange(round(duration * sample_rate)) / sample_rate
    part = time / duration
    low, high = (f1 + (g1 - f1) * part) * scale, (f2 + (g2 - f2) * part) * scale
    sound = np.zeros_like(time)
    for harmonic in range(1, int(3600 / pitch)):
        hz = harmonic * pitch
        gain = np.exp(-(((hz - low) / 120) ** 2)) + 0.5 * np.exp(
            -(((hz - high) / 180) ** 2)
        )
        sound += gain * np.sin(2 * np.pi * hz * time + rng.uniform(0, 6))
    sound *= np.sin(np.pi * part) ** 0.5
    if has_hiss:
        hiss = np.diff(rng.normal(0, 0.3, len(time) + 1))
        sound = np.where(part < 0.3, hiss * np.sin(np.pi * part / 0.3), sound)
    sound = 0.5 * sound / np.abs(sound).max() + rng.normal(0, 1e-4, len(time))
    return Audio(sound.astype(np.float32), sample_rate)


@pytest.fixture
def spoken():  # type: ignore[no-untyped-def]
    """The function `speak`, which makes a synthetic word."""
    return speak


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 120 wav files: 10 digits, 4 speakers, 3 takes."""
    folder = tmp_path_factory.mktemp("tiny")
    rng = np.random.default_rng(0)
    for digit in range(10):
        for speaker in range(4):
            for take in range(3):
                audio = speak(digit, speaker, rng=rng)
                name = f"{digit}_voice{speaker}_{take}.wav"
                (folder / name).write_bytes(encode_wav(audio))
    return folder


@pytest.fixture
def tiny(home: Path, tiny_folder: Path) -> str:
    """The name of the corpus in `tiny_folder`, imported."""
    from audiomnist.corpora.library import import_corpus

    return import_corpus("tiny", tiny_folder).corpus.name


@pytest.fixture
def no_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation without models."""
    monkeypatch.setenv("AUDIOMNIST_MODELS", str(tmp_path / "no-models"))


@pytest.fixture
def finished_run(home: Path):  # type: ignore[no-untyped-def]
    """A run that has become a shipped model."""
    from audiomnist.runs.folder import find_run
    from audiomnist.settings import REPOSITORY

    run_id = "20260101-000000-ann"
    shutil.copytree(REPOSITORY / "models" / "ann", home / "runs" / run_id)
    return find_run(run_id)


@pytest.fixture
def tiny_corpus(tiny_folder: Path):  # type: ignore[no-untyped-def]
    """The corpus in `tiny_folder`."""
    from audiomnist.corpora.library import load_corpus

    return load_corpus(tiny_folder)


@pytest.fixture(scope="session")
def fsdd_archive() -> Path:
    """The archive of the Free Spoken Digit Dataset; skips where there is none."""
    for path in (Path(_SETTING), _FSDD):
        if path.is_file():
            return path
    pytest.skip("the Free Spoken Digit Dataset is not on this machine")


@pytest.fixture(scope="session")
def fsdd_folder(fsdd_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """That corpus as it is stored, unpacked once."""
    from audiomnist.corpora.library import download

    folder = tmp_path_factory.mktemp("recorded")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUDIOMNIST_HOME", str(folder))
        download("fsdd", source=fsdd_archive)
    return folder / "corpora" / "fsdd"


@pytest.fixture
def fsdd(fsdd_folder: Path, home: Path):  # type: ignore[no-untyped-def]
    """The corpus, downloaded into the test's home."""
    from audiomnist.corpora.library import load_corpus

    shutil.copytree(fsdd_folder, home / "corpora" / "fsdd")
    return load_corpus("fsdd")


@pytest.fixture
def word(tmp_path: Path, spoken) -> Path:
    """A recording with something in it."""
    path = tmp_path / "word.wav"
    path.write_bytes(encode_wav(spoken(3)))
    return path
