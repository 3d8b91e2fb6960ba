"""A model is evaluated on another corpus, as a browser shows it."""

from driving import SLOW, assert_no_error, visit
from playwright.sync_api import Page, expect

from audiomnist.benchmark.browser import Server


def test_older_figures_go_while_another_corpus_is_evaluated(server: Server, page: Page):
    visit(page, server, "evaluate?model=ann")
    matrix = page.get_by_role("img", name="Confusion matrix").first
    expect(matrix).to_be_visible(timeout=SLOW)
    box = page.get_by_role("combobox", name="Evaluated on")
    box.click()
    page.get_by_role("option", name="All of Embedded voices").click()
    bar = page.get_by_text("Evaluating the model:")
    expect(bar).to_be_visible(timeout=SLOW)
    assert not matrix.is_visible(), "it would stand under the other corpus's name"
    expect(bar).to_contain_text("of 5,000 clips")
    expect(bar).to_be_hidden(timeout=SLOW)
    expect(matrix).to_be_visible(timeout=SLOW)
    assert_no_error(page)
