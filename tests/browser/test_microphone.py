"""A microphone in the browser: recorded and streamed digits, and silence."""

import re
from collections.abc import Callable
from pathlib import Path

from driving import SLOW, assert_no_error, visit
from playwright.sync_api import Page, expect

from audiomnist.benchmark.browser import Server, wait_until_ready


def test_a_recorded_digit_is_recognized(
    shared_server: Server, listen: Callable[[Path], Page], seven: Path
):
    page = listen(seven)
    visit(page, shared_server, "live")
    record(page, seconds=3.5)
    expect(page.get_by_text("“seven”")).to_be_visible(timeout=SLOW)
    assert_no_error(page)


def test_silence_is_no_digit(
    shared_server: Server, listen: Callable[[Path], Page], silence: Path
):
    page = listen(silence)
    visit(page, shared_server, "live")
    record(page, seconds=2)
    expect(page.get_by_text("No speech heard").first).to_be_visible(timeout=SLOW)


def test_a_streamed_digit_is_recognized(
    shared_server: Server, listen: Callable[[Path], Page], seven: Path
):
    page = listen(seven)
    visit(page, shared_server, "live")
    page.get_by_test_id("stButtonGroup").get_by_text("Stream", exact=True).click()
    wait_until_ready(page)
    stream = page.frame_locator(
        'iframe[title="streamlit_webrtc.component.webrtc_streamer"]'
    )
    stream.get_by_role("button", name="Start listening").click(timeout=SLOW)
    expect(page.get_by_role("heading", name=re.compile("Recognized: 7"))).to_be_visible(
        timeout=SLOW
    )
    assert_no_error(page)


def record(page: Page, seconds: float) -> None:
    """Record from the microphone for a while."""
    recorder = page.get_by_test_id("stAudioInput")
    recorder.get_by_role("button", name="Record", exact=True).click()
    recorder.get_by_role("button", name="Stop recording").wait_for(timeout=SLOW)
    page.wait_for_timeout(1000 * seconds)
    recorder.get_by_role("button", name="Stop recording").click()
