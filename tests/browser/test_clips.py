"""The table of clips, as a browser shows it."""

import re

from driving import SLOW, visit
from playwright.sync_api import Page, expect

from audiomnist.benchmark.browser import Server
from audiomnist.corpora import library
from audiomnist.corpora.clips import duration


def test_a_click_on_any_cell_chooses_the_clip(shared_server: Server, page: Page):
    visit(page, shared_server, "dataset")
    expect(
        page.get_by_text(re.compile("by synthetic voice adam, take 0"))
    ).to_be_visible(timeout=SLOW)
    table = page.get_by_test_id("stDataFrame").first
    table.click(position={"x": 100, "y": 35 + 35 * 2 + 17})  # a speaker, third row
    expect(
        page.get_by_text(re.compile("by synthetic voice adam, take 2"))
    ).to_be_visible(timeout=SLOW)
    table.click(position={"x": 212, "y": 17})  # sorts by length
    table.click(position={"x": 100, "y": 35 + 17})
    clips = library.load_corpus("embedded").clips
    shortest = min(clips, key=duration)
    said = f"by synthetic voice {shortest.speaker}, take {shortest.take}"
    expect(page.get_by_text(said)).to_be_visible(timeout=SLOW)
