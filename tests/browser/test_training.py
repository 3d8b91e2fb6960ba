"""A training in the browser: started, watched, found again, cancelled."""

from pathlib import Path

import pytest
from driving import SLOW, assert_no_error, visit
from playwright.sync_api import Page, expect

from audiomnist.benchmark.browser import Server, wait_until_ready
from audiomnist.corpora.library import import_corpus
from audiomnist.runs.folder import list_runs
from audiomnist.runs.presets import preset

HURRY = 300  # ms between two presses


def test_a_training_is_watched_found_again_and_evaluated(
    server: Server, page: Page, tiny_folder: Path
):
    import_corpus("tiny", tiny_folder)
    visit(page, server, "train")
    choose_network(page, "ANN")
    choose_corpus(page, "tiny")
    set_slider(page, "Epochs", 100)
    page.get_by_role("button", name="Start training").click()

    epochs = metric(page, "Epochs done")
    expect(epochs).not_to_have_text("0", timeout=SLOW)  # there from the start on
    page.get_by_test_id("stVegaLiteChart").first.wait_for(timeout=SLOW)
    (run,) = list_runs()
    assert run.state == "running"
    assert f"run={run.id}" in page.url
    seen, first = epochs.inner_text(), curve(page)
    expect(epochs).not_to_have_text(seen, timeout=SLOW)
    expect_changed(page, first)

    page.reload()
    wait_until_ready(page)
    expect(page.get_by_text(run.id).first).to_be_visible(timeout=SLOW)
    assert int(metric(page, "Epochs done").inner_text()) > int(seen)
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


def test_a_reload_keeps_the_form(server: Server, page: Page, tiny_folder: Path):
    import_corpus("tiny", tiny_folder)
    visit(page, server, "train")
    choose_network(page, "ANN")
    choose_corpus(page, "tiny")
    set_slider(page, "Epochs", 7)
    page.get_by_text("More settings").click()
    page.get_by_text("Vary the clips (augmentation)").click()
    wait_until_ready(page)
    page.get_by_role("textbox", name="Name (optional)").fill("kept")
    page.keyboard.press("Enter")
    wait_until_ready(page)
    set_slider(page, "Epochs", 8)

    page.reload()
    wait_until_ready(page)
    page.get_by_role("button", name="Start training").click()
    expect(page.get_by_role("heading", name="kept")).to_be_visible(timeout=SLOW)
    (run,) = list_runs()
    assert (run.config.network.kind, run.config.corpora) == ("ann", ("tiny",))
    assert run.config.training.epochs == 8
    is_varied = preset("ann").training.augmentation is not None
    assert (run.config.training.augmentation is not None) != is_varied


def test_a_start_on_a_phone_shows_its_progress(
    server: Server, page: Page, tiny_folder: Path
):
    import_corpus("tiny", tiny_folder)
    page.set_viewport_size({"width": 390, "height": 844})
    visit(page, server, "train")
    choose_corpus(page, "tiny")
    page.get_by_role("button", name="Start training").click()
    expect(page.get_by_test_id("stProgress").first).to_be_in_viewport(timeout=SLOW)
    expect(page.get_by_role("button", name="Cancel")).to_be_in_viewport()


def choose_network(page: Page, name: str) -> None:
    """Choose a network of the form."""
    page.get_by_test_id("stButtonGroup").get_by_text(name, exact=True).click()
    wait_until_ready(page)


def metric(page: Page, label: str):
    """The value of a metric."""
    card = page.get_by_test_id("stMetric").filter(has_text=label)
    return card.get_by_test_id("stMetricValue").last


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
