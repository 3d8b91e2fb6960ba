"""Every page by axe-core's rules, in both themes."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from driving import SLOW, visit
from playwright.sync_api import Page, expect

from audiomnist.benchmark.browser import PAGES, Server

PHONE = {"width": 390, "height": 844}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_no_violation(shared_server: Server, page: Page, path, scheme):
    page.emulate_media(color_scheme=scheme)
    visit(page, shared_server, path)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    found = Axe().run(page).response["violations"]
    assert [
        (each["id"], node["html"]) for each in found for node in each["nodes"]
    ] == []


@pytest.mark.parametrize("path", ["overview", "dataset"])
def test_ten_digits_are_in_one_line_of_a_phone(shared_server: Server, page: Page, path):
    page.set_viewport_size(PHONE)
    visit(page, shared_server, path)
    pills = page.get_by_test_id("stButtonGroup").first.get_by_role("button")
    pills = pills.or_(page.get_by_test_id("stButtonGroup").first.get_by_role("radio"))
    tops = {pill.bounding_box()["y"] for pill in pills.filter(has_text="0").all()}
    tops |= {pill.bounding_box()["y"] for pill in pills.filter(has_text="9").all()}
    assert len(tops) == 1


def test_pictures_follow_the_systems_theme(shared_server: Server, page: Page):
    page.emulate_media(color_scheme="light")
    visit(page, shared_server, "overview")
    picture = page.get_by_role("img", name="Wave of a recording").first
    in_light = picture.get_attribute("src")
    page.emulate_media(color_scheme="dark")
    expect(picture).not_to_have_attribute("src", in_light, timeout=SLOW)
    page.emulate_media(color_scheme="light")
    expect(picture).to_have_attribute("src", in_light, timeout=SLOW)
