"""A server and a real Chromium, fresh where a test asks for it."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from audiomnist.audio.encoding import encode_wav
from audiomnist.audio.signal import Audio, resample
from audiomnist.benchmark.browser import Server, chromium, find_chromium, serve
from audiomnist.corpora import library
from audiomnist.corpora.clips import load_audio
from audiomnist.recognition.models import DEFAULT_MODEL, find_model
from audiomnist.recognition.recognizer import Recognizer
from audiomnist.runs.folder import list_runs
from audiomnist.runs.queue import cancel_run

HERE = Path(__file__).parent
MICROPHONE_RATE = 48_000  # Hz


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder is a browser test."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session", autouse=True)
def installed_chromium() -> None:
    """Skip where there is no Chromium, but not where CI promises one."""
    if find_chromium() is None:
        message = "no Chromium is installed"
        if os.environ.get("AUDIOMNIST_REQUIRE_BROWSER"):
            pytest.fail(message)
        pytest.skip(message)


@pytest.fixture
def server(home: Path) -> Iterator[Server]:
    """A server that nobody has visited, with an empty home."""
    with serve(home) as started:
        yield started
        for run in list_runs():
            if run.state in ("waiting", "running"):
                cancel_run(run)


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for the tests that leave nothing behind."""
    with serve(tmp_path_factory.mktemp("shared")) as started:
        yield started


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser whose microphone only beeps."""
    with chromium() as started:
        yield started


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of that browser, with no memory of any other."""
    with browser.new_context() as context:
        yield context.new_page()


@pytest.fixture
def listen() -> Iterator[Callable[[Path], Page]]:
    """Open a page in a browser of its own, whose microphone hears a wav file.

    Not together with `page`: Playwright drives one browser at a time.
    """
    with ExitStack() as started:
        yield lambda sound: started.enter_context(chromium(sound)).new_page()


@pytest.fixture(scope="session")
def seven(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A microphone recording: 1.5 s of silence, somebody's seven, and silence again.

    The first embedded seven that the default model is sure of: what is tested is
    the way from the microphone to the page, not the model.
    """
    recognizer = Recognizer(find_model(DEFAULT_MODEL))
    for clip in library.load_corpus("embedded").clips:
        if clip.digit == 7:
            word = resample(load_audio(clip), MICROPHONE_RATE)
            recording = _between_silence(word)
            prediction = recognizer.predict(recording)
            if prediction.digit == 7 and prediction.probabilities[7] > 0.95:
                break
    else:
        pytest.fail("the default model is sure of no embedded seven")
    path = tmp_path_factory.mktemp("microphone") / "seven.wav"
    path.write_bytes(encode_wav(recording))
    return path


@pytest.fixture(scope="session")
def silence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A microphone in a quiet room: 4 s of faint noise."""
    noise = np.random.default_rng(0).normal(0, 1e-4, 4 * MICROPHONE_RATE)
    path = tmp_path_factory.mktemp("microphone") / "silence.wav"
    path.write_bytes(encode_wav(Audio(noise.astype(np.float32), MICROPHONE_RATE)))
    return path


def _between_silence(word: Audio) -> Audio:
    """A word of normal loudness in a quiet room: silence before and after it."""
    rng = np.random.default_rng(0)
    samples = rng.normal(0, 1e-4, 4 * word.sample_rate).astype(np.float32)
    start = round(1.5 * word.sample_rate)
    loud = word.samples * np.float32(0.5 / np.abs(word.samples).max())
    samples[start : start + len(loud)] += loud
    return Audio(samples, word.sample_rate)
