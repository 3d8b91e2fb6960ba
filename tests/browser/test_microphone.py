"""A microphone in the browser: recorded and streamed digits, and silence."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from driving import SLOW, assert_no_error, visit
from playwright.sync_api import Page, expect

from audiomnist.benchmark.browser import Server, wait_until_ready

KEEP_TRACKS = """
window.tracks = [];
const ask = MediaDevices.prototype.getUserMedia;
MediaDevices.prototype.getUserMedia = async function (wanted) {
  const stream = await ask.call(this, wanted);
  window.tracks.push(...stream.getTracks());
  return stream;
};"""

NO_MICROPHONE = "MediaDevices.prototype.enumerateDevices = async () => [];"

REFUSED = """
MediaDevices.prototype.getUserMedia = async () => {
  throw new DOMException("Permission dismissed", "NotAllowedError");
};"""


def test_a_recorded_digit_is_recognized(
    shared_server: Server, listen: Callable[[Path], Page], seven: Path
):
    page = listen(seven)
    page.add_init_script(KEEP_TRACKS)
    visit(page, shared_server, "live")
    record(page, seconds=3.5)
    answer = page.get_by_text("“seven”")
    expect(answer).to_be_visible(timeout=SLOW)
    assert_no_error(page)
    settings = page.evaluate("window.tracks.map(track => track.getSettings())")
    changes = ("echoCancellation", "noiseSuppression", "autoGainControl")
    assert [settings[0][name] for name in changes] == [False] * 3, "as streamed"
    record(page, seconds=0.5, then=lambda: expect(answer).to_be_hidden())
    open_page(page, "Evaluate")
    open_page(page, "Live")
    expect(page.get_by_text("Nothing recorded yet")).to_be_visible(timeout=SLOW)
    expect(page.get_by_test_id("answer")).to_have_count(0)


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
    words = page.get_by_role("heading", name=re.compile("Recognized: 7"))
    expect(words).to_be_visible(timeout=SLOW)
    expect(page.get_by_role("heading", name="The last word")).to_be_visible()
    assert_no_error(page)
    open_page(page, "Evaluate")
    open_page(page, "Live")
    page.get_by_test_id("stButtonGroup").get_by_text("Stream", exact=True).click()
    wait_until_ready(page)
    stream.get_by_role("button", name="Start listening").wait_for(timeout=SLOW)
    expect(words).to_have_count(0)


@pytest.mark.parametrize("way", ["Record", "Stream"])
def test_a_missing_microphone_is_said_before_it_is_used(
    shared_server: Server, page: Page, way: str
):
    page.add_init_script(NO_MICROPHONE)
    visit(page, shared_server, "live")
    page.get_by_test_id("stButtonGroup").get_by_text(way, exact=True).click()
    expect(page.get_by_text("finds no microphone")).to_be_visible(timeout=SLOW)
    expect(page.get_by_test_id("stAudioInput")).to_have_count(0)
    page.evaluate(
        "MediaDevices.prototype.enumerateDevices = async () => [{kind: 'audioinput'}]"
    )
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("finds no microphone")).to_have_count(0, timeout=SLOW)


def test_a_refused_microphone_is_explained(shared_server: Server, page: Page):
    page.add_init_script(REFUSED)
    visit(page, shared_server, "live")
    recorder = page.get_by_test_id("stAudioInput")
    recorder.get_by_role("button", name="Record", exact=True).click()
    expect(page.get_by_text("does not let this page use")).to_be_visible(timeout=SLOW)
    expect(recorder).to_have_count(0)
    page.get_by_role("button", name="Try again").click()
    expect(recorder).to_be_visible(timeout=SLOW)
    expect(page.get_by_text("An error has occurred")).to_have_count(0)


def open_page(page: Page, title: str) -> None:
    """Open another page by the navigation."""
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=title).click()
    page.get_by_role("heading", name=title, level=1).wait_for(timeout=SLOW)
    wait_until_ready(page)


def record(page: Page, seconds: float, then: Callable[[], None] = lambda: None) -> None:
    """Record from the microphone for a while; `then` runs before it is stopped."""
    recorder = page.get_by_test_id("stAudioInput")
    recorder.get_by_role("button", name="Record", exact=True).click()
    recorder.get_by_role("button", name="Stop recording").wait_for(timeout=SLOW)
    page.wait_for_timeout(1000 * seconds)
    then()
    recorder.get_by_role("button", name="Stop recording").click()
