"""The app as a visitor meets it: its own server process and a real Chromium.

Owns starting and stopping both, and waiting until a page has answered. The
benchmark of the server and the browser tests are built on it. Playwright is a
development dependency and imported only when a browser is started.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from audiomnist.errors import AudioMnistError
from audiomnist.settings import REPOSITORY

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PAGES = {
    "overview": "Overview",
    "dataset": "Dataset",
    "train": "Train",
    "evaluate": "Evaluate",
    "live": "Live",
}
"""Every page: the last part of its deep link, and its title in the navigation."""

TIMEOUT = 60.0
"""Longest wait for a server to be healthy or a page to be ready, in seconds."""

# Without these Chromium looks for updates and the like on the internet.
_CHROMIUM_ARGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
)
_CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


@dataclass(frozen=True)
class Server:
    """A running server of the app.

    Parameters
    ----------
    url
        Its address, without a slash at the end.
    pid
        Its process.
    healthy_at
        When it first answered, by `time.perf_counter`.
    """

    url: str
    pid: int
    healthy_at: float

    def memory_mb(self) -> float:
        """Resident memory in MB (10^6 bytes).

        Raises
        ------
        AudioMnistError
            If this system has no /proc to read it from.
        """
        try:
            status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        except OSError as error:
            raise AudioMnistError(
                f"The memory of process {self.pid} cannot be read "
                f"({error.strerror}). This measurement needs Linux."
            ) from error
        (line,) = [line for line in status.splitlines() if line.startswith("VmRSS:")]
        return int(line.split()[1]) * 1024 / 1e6


@contextmanager
def serve(home: Path) -> Iterator[Server]:
    """Start the app's server on a free port of this machine; stop it at the end.

    Parameters
    ----------
    home
        The server's `AUDIOMNIST_HOME`; what it prints is in server.txt there.

    Raises
    ------
    AudioMnistError
        If it does not become healthy.
    """
    home.mkdir(parents=True, exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py"]
    options = {"address": "127.0.0.1", "port": str(port), "headless": "true"}
    for name, value in options.items():
        command += [f"--server.{name}", value]
    printed = home / "server.txt"
    with printed.open("wb") as file:
        process = subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env=os.environ | {"AUDIOMNIST_HOME": str(home)},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        if not _becomes_healthy(f"{url}/_stcore/health", process):
            raise AudioMnistError(
                f"The server did not become healthy within {TIMEOUT:.0f} s. It "
                f"printed: {printed.read_text(errors='replace')[-2000:]}"
            )
        yield Server(url, process.pid, time.perf_counter())
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def find_chromium() -> str | None:
    """Path of an installed Chromium or Chrome, None if there is none."""
    paths = (shutil.which(name) for name in _CHROMIUM_NAMES)
    return next((path for path in paths if path), None)


@contextmanager
def chromium(microphone: Path | None = None) -> Iterator["Browser"]:
    """Start a headless Chromium that grants the microphone to every page.

    Parameters
    ----------
    microphone
        A wav file that the microphone hears, again and again; beeps if None.

    Raises
    ------
    AudioMnistError
        If Chromium or Playwright is not installed.
    """
    path = find_chromium()
    if path is None:
        raise AudioMnistError(
            "No Chromium is installed. Install one, on Debian with "
            "apt-get install chromium."
        )
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise AudioMnistError(
            "Playwright is not installed. Run pip install -r requirements-dev.txt."
        ) from error
    arguments = list(_CHROMIUM_ARGS)
    if microphone is not None:
        arguments.append(f"--use-file-for-fake-audio-capture={microphone}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=arguments, headless=False
        )
        try:
            yield browser
        finally:
            browser.close()


def wait_until_ready(page: "Page") -> None:
    """Wait until the page's script has run and its content stands still."""
    idle = '[data-testid="stApp"][data-test-script-state="notRunning"]'
    page.locator(idle).wait_for(timeout=1000 * TIMEOUT)
    page.locator("h1").first.wait_for(timeout=1000 * TIMEOUT)
    page.locator('[data-testid="stSkeleton"]').first.wait_for(
        state="detached", timeout=1000 * TIMEOUT
    )


def _becomes_healthy(url: str, process: subprocess.Popen) -> bool:
    """Ask every 20 ms until the server answers, ends or takes too long."""
    give_up_at = time.perf_counter() + TIMEOUT
    while time.perf_counter() < give_up_at and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if answer.status == 200:
                    return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.02)
    return False
