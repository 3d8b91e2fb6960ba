"""The app as a visitor uses it: a real server and a real browser."""

import re
from pathlib import Path

import pytest
from driving import SLOW, assert_no_error, visit
from playwright.sync_api import Page, expect

from audiomnist.benchmark.browser import PAGES, Server, wait_until_ready

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}


@pytest.mark.parametrize("path", PAGES)
def test_a_deep_link_is_good_as_the_first_request(server: Server, page: Page, path):
    visit(page, server, path)
    expect(page).to_have_title(f"{PAGES[path]} · Audio MNIST")
    links = page.get_by_test_id("stSidebarNavLink")
    expect(links).to_have_count(len(PAGES))
    names = links.evaluate_all(
        """links => links.map(link => {
            const name = link.cloneNode(true);
            name.querySelectorAll("[data-testid=stIconMaterial]").forEach(
                icon => icon.remove()
            );
            return name.textContent.trim();
        })"""
    )
    assert names == list(PAGES.values())
    assert_no_error(page)


def test_a_clip_can_be_played(shared_server: Server, page: Page):
    visit(page, shared_server, "dataset")
    player = page.locator("audio").first
    player.wait_for(state="attached")
    assert player.evaluate("player => player.currentTime") == 0
    player.evaluate("player => player.play()")
    page.wait_for_function("document.querySelector('audio').currentTime > 0.1")
    assert player.evaluate("player => player.duration") > 0.1


def test_the_shipped_models_confusion_matrix_is_seen(shared_server: Server, page: Page):
    visit(page, shared_server, "evaluate?model=cnn")
    expect(page.get_by_role("img", name="Confusion matrix").first).to_be_visible(
        timeout=SLOW
    )
    assert_no_error(page)


def test_an_uploaded_file_is_recognized_and_a_broken_one_is_refused(
    shared_server: Server, page: Page, seven: Path, tmp_path: Path
):
    visit(page, shared_server, "live")
    page.get_by_test_id("stButtonGroup").get_by_text("Upload", exact=True).click()
    wait_until_ready(page)
    page.locator('input[type="file"]').set_input_files(seven)
    expect(page.get_by_text("“seven”")).to_be_visible(timeout=SLOW)
    large = tmp_path / "large.wav"  # the browser refuses it, and the server knows not
    with large.open("wb") as file:
        file.truncate(60 * 1024**2)
    page.locator('input[type="file"]').set_input_files(large)
    expect(page.get_by_text("“seven”")).to_be_hidden(timeout=SLOW)
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


def test_the_server_never_loads_tensorflow(shared_server: Server, page: Page):
    for path in PAGES:
        visit(page, shared_server, path)
    maps = Path(f"/proc/{shared_server.pid}/maps")
    if not maps.exists():
        pytest.skip("this system does not tell which libraries a process has loaded")
    loaded = maps.read_text(encoding="utf-8")
    assert "ai_edge_litert" in loaded, "the pages have recognized something"
    assert "/tensorflow/" not in loaded
    assert "/h5py/" not in loaded, "a library that Keras loads"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_no_page_is_wider_than_its_window(
    shared_server: Server, page: Page, scheme, size
):
    page.set_viewport_size(size)
    page.emulate_media(color_scheme=scheme)
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
