"""The app as a visitor uses it: a real server, a real browser, a microphone."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from audiomnist.benchmark.browser import PAGES, Server, wait_until_ready
from audiomnist.corpora.library import import_corpus
from audiomnist.runs.folder import list_runs

SLOW = 60_000  # ms: for what a busy machine may take long for
HURRY = 300  # ms between two presses
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}


def visit(page: Page, server: Server, path: str) -> None:
    """Open a deep link and wait until its page stands."""
    page.goto(f"{server.url}/{path}")
    wait_until_ready(page)


def assert_no_error(page: Page) -> None:
    """No traceback, no error message, and no dialog in the way."""
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_test_id("stAlertContentError")).to_have_count(0)
    expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.parametrize("path", PAGES)
def test_a_deep_link_is_good_as_the_first_request(server: Server, page: Page, path):
    visit(page, server, path)
    expect(page).to_have_title(f"{PAGES[path]} · Audio MNIST")
    links = page.get_by_test_id("stSidebarNavLink")
    expect(links).to_have_count(len(PAGES))
    assert [re.sub(r"\W", "", text) for text in links.all_inner_texts()] == list(
        PAGES.values()
    )
    assert_no_error(page)


def test_a_clip_can_be_played(shared_server: Server, page: Page):
    visit(page, shared_server, "dataset")
    player = page.locator("audio").first
    player.wait_for(state="attached")
    assert player.evaluate("player => player.currentTime") == 0
    player.evaluate("player => player.play()")
    page.wait_for_function("document.querySelector('audio').currentTime > 0.1")
    assert player.evaluate("player => player.duration") > 0.1


def test_a_training_is_watched_found_again_and_evaluated(
    server: Server, page: Page, tiny_folder: Path
):
    import_corpus("tiny", tiny_folder)
    visit(page, server, "train")
    page.get_by_test_id("stButtonGroup").get_by_text("ANN", exact=True).click()
    wait_until_ready(page)
    choose_corpus(page, "tiny")
    set_slider(page, "Epochs", 100)
    page.get_by_role("button", name="Start training").click()

    epochs = metric(page, "Epochs done")
    epochs.wait_for(timeout=SLOW)
    page.get_by_test_id("stVegaLiteChart").first.wait_for(timeout=SLOW)
    seen = int(epochs.inner_text())
    first = curve(page)
    page.wait_for_function(
        "([element, seen]) => Number(element.innerText) >= seen + 2",
        arg=[epochs.element_handle(), seen],
        timeout=SLOW,
    )
    expect_changed(page, first)

    (run,) = list_runs()
    assert run.state == "running"
    assert f"run={run.id}" in page.url
    page.reload()
    wait_until_ready(page)
    expect(page.get_by_text(run.id).first).to_be_visible(timeout=SLOW)
    assert int(metric(page, "Epochs done").inner_text()) >= seen + 2
    visit(page, server, "train")  # found again without its name in the address too
    expect(page.get_by_text(run.id).first).to_be_visible(timeout=SLOW)

    expect(page.get_by_text("Test accuracy")).to_be_visible(timeout=2 * SLOW)
    assert run.state == "finished"
    page.get_by_role("link", name="See where it is wrong").click()
    expect(page).to_have_title("Evaluate · Audio MNIST", timeout=SLOW)
    wait_until_ready(page)
    expect(page.get_by_role("img", name="Confusion matrix").first).to_be_visible(
        timeout=SLOW
    )
    assert_no_error(page)


def test_the_shipped_models_confusion_matrix_is_seen(shared_server: Server, page: Page):
    visit(page, shared_server, "evaluate?model=cnn")
    expect(page.get_by_role("img", name="Confusion matrix").first).to_be_visible(
        timeout=SLOW
    )
    assert_no_error(page)


def test_a_training_started_in_a_hurry_is_one_and_can_be_cancelled(
    server: Server, page: Page, tiny_folder: Path
):
    import_corpus("tiny", tiny_folder)
    visit(page, server, "train")
    choose_corpus(page, "tiny")
    set_slider(page, "Epochs", 100)  # else a fast machine ends before the click
    for _ in range(2):
        page.get_by_role("button", name="Start training").click()
        page.wait_for_timeout(HURRY)
    page.get_by_role("button", name="Cancel").click(timeout=SLOW)
    expect(page.get_by_role("button", name="Resume")).to_be_visible(timeout=SLOW)
    (run,) = list_runs()
    assert run.state == "cancelled"


def test_a_recorded_digit_is_heard(
    shared_server: Server, open_browser: Callable[..., Browser], seven: Path
):
    page = open_browser(seven).new_page()
    visit(page, shared_server, "live")
    record(page, seconds=3.5)
    expect(page.get_by_text("“seven”")).to_be_visible(timeout=SLOW)
    assert_no_error(page)


def test_silence_is_no_digit(
    shared_server: Server, open_browser: Callable[..., Browser], silence: Path
):
    page = open_browser(silence).new_page()
    visit(page, shared_server, "live")
    record(page, seconds=2)
    expect(page.get_by_text("No speech heard").first).to_be_visible(timeout=SLOW)


def test_a_streamed_digit_is_heard(
    shared_server: Server, open_browser: Callable[..., Browser], seven: Path
):
    page = open_browser(seven).new_page()
    visit(page, shared_server, "live")
    page.get_by_test_id("stButtonGroup").get_by_text("Stream", exact=True).click()
    wait_until_ready(page)
    stream = page.frame_locator(
        'iframe[title="streamlit_webrtc.component.webrtc_streamer"]'
    )
    stream.get_by_role("button", name="Start listening").click(timeout=SLOW)
    expect(page.get_by_role("heading", name=re.compile("Heard: 7"))).to_be_visible(
        timeout=SLOW
    )
    assert_no_error(page)


def test_an_uploaded_file_is_heard_and_a_broken_one_is_refused(
    shared_server: Server, page: Page, seven: Path, tmp_path: Path
):
    visit(page, shared_server, "live")
    page.get_by_test_id("stButtonGroup").get_by_text("Upload", exact=True).click()
    wait_until_ready(page)
    page.locator('input[type="file"]').set_input_files(seven)
    expect(page.get_by_text("“seven”")).to_be_visible(timeout=SLOW)
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF, or so it says")
    page.locator('input[type="file"]').set_input_files(broken)
    expect(page.get_by_text("broken.wav is").first).to_be_visible(timeout=SLOW)
    odd = tmp_path / "*my* _7_ [a](b) $1$.wav"
    odd.write_bytes(b"RIFF, or so it says")
    page.locator('input[type="file"]').set_input_files(odd)
    message = page.get_by_test_id("stAlertContentError")
    expect(message).to_contain_text(f"{odd.name} is", timeout=SLOW)
    expect(page.get_by_test_id("stException")).to_have_count(0)


def test_the_server_never_loads_tensorflow(server: Server, page: Page):
    for path in PAGES:
        visit(page, server, path)
    maps = Path(f"/proc/{server.pid}/maps")
    if not maps.exists():
        pytest.skip("this system does not tell which libraries a process has loaded")
    loaded = maps.read_text(encoding="utf-8")
    assert "ai_edge_litert" in loaded, "the pages have heard something"
    assert "/tensorflow/" not in loaded
    assert "/h5py/" not in loaded, "a library that Keras loads"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_no_page_is_wider_than_its_window(
    shared_server: Server, open_browser: Callable[..., Browser], scheme, size
):
    context = open_browser().new_context(viewport=size, color_scheme=scheme)
    page = context.new_page()
    for path in PAGES:
        visit(page, shared_server, path)
        assert_no_error(page)
        widths = page.evaluate(
            "[...document.querySelectorAll('html, body, [data-testid=stMain]')]"
            ".map(element => element.scrollWidth - element.clientWidth)"
        )
        assert max(widths) <= 0, path
        assert is_dark(page) == (scheme == "dark")


def is_dark(page: Page) -> bool:
    """Whether the page's background is darker than its text."""
    background, text = page.evaluate(
        "(() => { const style = getComputedStyle("
        "document.querySelector('[data-testid=stApp]'));"
        "return [style.backgroundColor, style.color]; })()"
    )
    return brightness(background) < brightness(text)


def brightness(colour: str) -> float:
    """Mean of red, green and blue of a CSS colour."""
    red, green, blue = re.findall(r"[\d.]+", colour)[:3]
    return (float(red) + float(green) + float(blue)) / 3


def metric(page: Page, label: str):
    """The value of a metric."""
    card = page.get_by_test_id("stMetric").filter(has_text=label)
    return card.get_by_test_id("stMetricValue")


def curve(page: Page) -> bytes:
    """A picture of the first chart."""
    return page.get_by_test_id("stVegaLiteChart").first.screenshot()


def expect_changed(page: Page, before: bytes) -> None:
    """Wait until the first chart looks different."""
    for _ in range(50):
        if curve(page) != before:
            return
        page.wait_for_timeout(100)
    pytest.fail("the curves stand still")


def choose_corpus(page: Page, name: str) -> None:
    """Put one corpus in the place of those that are chosen."""
    field = page.get_by_test_id("stMultiSelect").filter(has_text="Corpora")
    field.get_by_role("button", name="Clear all").click()
    wait_until_ready(page)
    field.get_by_role("combobox").click()
    page.get_by_role("option", name=name, exact=True).click()
    page.keyboard.press("Escape")
    wait_until_ready(page)


def set_slider(page: Page, label: str, value: int) -> None:
    """Move a slider by its keys."""
    slider = page.get_by_role("slider", name=label)
    slider.focus()
    for _ in range(200):
        now = int(slider.get_attribute("aria-valuenow") or slider.input_value())
        if now == value:
            break
        page.keyboard.press("ArrowRight" if now < value else "ArrowLeft")
    wait_until_ready(page)


def record(page: Page, seconds: float) -> None:
    """Record from the microphone for a while."""
    recorder = page.get_by_test_id("stAudioInput")
    recorder.get_by_role("button", name="Record", exact=True).click()
    recorder.get_by_role("button", name="Stop recording").wait_for(timeout=SLOW)
    page.wait_for_timeout(1000 * seconds)
    recorder.get_by_role("button", name="Stop recording").click()
