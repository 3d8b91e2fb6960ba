"""Take the README's pictures of every page, in light and dark.

Run `PYTHONPATH=. python docs/screenshots.py` in the repository. Starts a server with
a home of its own, trains a small network for the Train page and lets the microphone
hear a digit.
"""

import tempfile
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page

from audiomnist.audio.decoding import load
from audiomnist.audio.encoding import encode_wav
from audiomnist.audio.signal import Audio, resample
from audiomnist.benchmark.browser import Server, chromium, serve, wait_until_ready

FOLDER = Path(__file__).parent / "screenshots"
WORD = Path(__file__).parent / "seven.wav"
WIDTH, HEIGHT = 1280, 900
LEAST, MOST = 700, 1500  # heights of a picture
SETTLING_MS = 1500  # figures and charts are drawn after the script has ended
TRAINING_MS = 180_000
N_COLOURS = 256  # as many as a byte tells apart: a third of the size


def main() -> None:
    """Take all pictures."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        microphone = Path(folder) / "microphone.wav"
        microphone.write_bytes(_recording())
        with serve(home) as server, chromium(microphone) as browser:
            run = _train(browser, server)
            for theme in ("light", "dark"):
                for name in ("overview", "dataset", "evaluate", "live"):
                    _take(browser, f"{server.url}/{name}", name, theme)
                _take(browser, run, "train", theme)


def _recording() -> bytes:
    """What the microphone hears: silence, a word, silence, at 48 kHz."""
    word = resample(load(WORD), 48_000)
    rng = np.random.default_rng(0)
    samples = rng.normal(0, 1e-4, 4 * 48_000).astype(np.float32)
    samples[72_000 : 72_000 + len(word.samples)] += word.samples
    return encode_wav(Audio(samples, 48_000))


def _train(browser: Browser, server: Server) -> str:
    """Train a network on the Train page; return the run's address."""
    page = browser.new_page()
    page.goto(f"{server.url}/train")
    wait_until_ready(page)
    page.get_by_role("button", name="Start training").click()
    page.get_by_text("Finished").first.wait_for(timeout=TRAINING_MS)
    address = page.url
    page.close()
    return address


def _take(browser: Browser, address: str, name: str, theme: str) -> None:
    """Take one picture, as high as the page but not higher than `MOST`."""
    context = browser.new_context(
        color_scheme=theme,  # type: ignore[arg-type]
        viewport={"width": WIDTH, "height": HEIGHT},
    )
    page = context.new_page()
    page.goto(address)
    wait_until_ready(page)
    if name == "live":
        _record(page)
    page.wait_for_timeout(SETTLING_MS)
    content = page.get_by_test_id("stMainBlockContainer").bounding_box()
    assert content is not None, "every page has content"
    height = min(MOST, max(LEAST, round(content["height"])))
    page.set_viewport_size({"width": WIDTH, "height": height})
    page.wait_for_timeout(SETTLING_MS)
    save(page.screenshot(), FOLDER / f"{name}-{theme}.png")
    context.close()


def save(png: bytes, path: Path) -> None:
    """Write a picture with a palette, as small as it gets."""
    picture = Image.open(BytesIO(png)).convert("RGB")
    # Covers rare colours, such as those of icons, and then moves to the common ones.
    picture = picture.quantize(N_COLOURS, Image.Quantize.MAXCOVERAGE, kmeans=1)
    picture.save(path, optimize=True)


def _record(page: Page) -> None:
    """Record the word that the microphone hears."""
    recorder = page.get_by_test_id("stAudioInput")
    recorder.get_by_role("button", name="Record", exact=True).click()
    page.wait_for_timeout(3500)
    recorder.get_by_role("button", name="Stop recording").click()
    page.get_by_text("sure").first.wait_for()
    wait_until_ready(page)


if __name__ == "__main__":
    main()
