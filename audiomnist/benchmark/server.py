"""The app's server under a real browser: first page, memory, reruns while training."""

import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audiomnist.benchmark import report
from audiomnist.benchmark.browser import (
    PAGES,
    TIMEOUT,
    chromium,
    serve,
    wait_until_ready,
)
from audiomnist.errors import AudioMnistError
from audiomnist.runs.folder import Run, create_run
from audiomnist.runs.presets import preset
from audiomnist.runs.queue import cancel_run, launch_run

if TYPE_CHECKING:
    from playwright.sync_api import Page

_MANY_EPOCHS = 500  # so that the training outlasts the measurement


def measure(starts: int = 3, reruns: int = 20) -> dict[str, Any]:
    """Measure fresh servers, each with a browser of its own.

    Parameters
    ----------
    starts
        Servers to start for the time to the first page.
    reruns
        Page changes to time before a training and during it.

    Returns
    -------
    dict
        first_page_s, a number for each start, from the server's health to a page
        that can be used; memory_mb after a visit to every page; rerun_ms and
        rerun_while_training_ms, the medians of a page's rerun for a visitor, and
        their ratio.

    Raises
    ------
    AudioMnistError
        If Chromium is missing, or the server or the training fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        first_pages = [_first_page(Path(folder) / str(i)) for i in range(starts)]
        home = Path(folder) / "visited"
        with serve(home) as server, chromium() as browser:
            page = browser.new_page()
            for path in PAGES:
                page.goto(f"{server.url}/{path}")
                wait_until_ready(page)
            memory_mb = server.memory_mb()
            before = _rerun_ms(page, reruns)
            with _training(home):
                during = _rerun_ms(page, reruns)
    return {
        "starts": starts,
        "reruns": reruns,
        "first_page_s": first_pages,
        "memory_mb": memory_mb,
        "rerun_ms": before,
        "rerun_while_training_ms": during,
        "ratio": during / before,
    }


def table(entry: dict[str, Any]) -> str:
    """Lay a result out as Markdown."""
    rows = [
        [
            f"from the server's health to a usable first page (median of "
            f"{entry['starts']})",
            f"{statistics.median(entry['first_page_s']):.1f} s",
        ],
        [
            "memory of the server after a visit to every page",
            f"{entry['memory_mb']:.0f} MB",
        ],
        [
            f"rerun of a page (median of {entry['reruns']})",
            f"{entry['rerun_ms']:.0f} ms",
        ],
        [
            "the same while a network trains",
            f"{entry['rerun_while_training_ms']:.0f} ms "
            f"({entry['ratio']:.2f} times as long)",
        ],
    ]
    return report.markdown_table(["the server", "measured"], rows)


def _first_page(home: Path) -> float:
    """Seconds from a fresh server's health to its first page."""
    with chromium() as browser:
        page = browser.new_page()
        page.goto("about:blank")
        with serve(home) as server:
            page.goto(server.url)
            wait_until_ready(page)
            return time.perf_counter() - server.healthy_at


def _rerun_ms(page: "Page", n: int) -> float:
    """Median time from a click on another page's link until that page stands."""
    times = []
    titles = ["Dataset", "Overview"]
    for i in range(n + len(titles)):
        title = titles[i % len(titles)]
        start = time.perf_counter()
        page.get_by_test_id("stSidebarNavLink").filter(has_text=title).click()
        page.wait_for_function(
            "title => document.title.startsWith(title) && document.querySelector("
            "'[data-testid=stApp]').dataset.testScriptState === 'notRunning'",
            arg=title,
            timeout=1000 * TIMEOUT,
        )
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times[len(titles) :])


@contextmanager
def _training(home: Path) -> Iterator[None]:
    """A network in training in a server's home, as the Train page starts one."""
    outside = os.environ.get("AUDIOMNIST_HOME")
    os.environ["AUDIOMNIST_HOME"] = str(home)
    try:
        config = preset("cnn")
        training = replace(config.training, epochs=_MANY_EPOCHS, patience=0)
        run = create_run(replace(config, corpora=("embedded",), training=training))
        launch_run(run)
        try:
            _wait_for_first_epoch(run)
            yield
            if run.state != "running":
                raise AudioMnistError(f"The training ended early: {run.message}")
        finally:
            cancel_run(run)
    finally:
        if outside is None:
            del os.environ["AUDIOMNIST_HOME"]
        else:
            os.environ["AUDIOMNIST_HOME"] = outside


def _wait_for_first_epoch(run: Run) -> None:
    """Wait until the training is past its preparation."""
    give_up_at = time.perf_counter() + 5 * TIMEOUT
    while not run.history:
        if run.state not in ("waiting", "running") or time.perf_counter() > give_up_at:
            raise AudioMnistError(f"The training did not start: {run.message}")
        time.sleep(0.2)
