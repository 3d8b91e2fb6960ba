"""What tests in a browser do again and again."""

from playwright.sync_api import Page, expect

from audiomnist.benchmark.browser import Server, wait_until_ready

SLOW = 60_000  # ms: for what a busy machine may take long for


def visit(page: Page, server: Server, path: str) -> None:
    """Open a deep link and wait until its page stands."""
    page.goto(f"{server.url}/{path}")
    wait_until_ready(page)


def assert_no_error(page: Page) -> None:
    """No traceback, no error message, and no dialog in the way."""
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_test_id("stAlertContentError")).to_have_count(0)
    expect(page.get_by_role("dialog")).to_have_count(0)
