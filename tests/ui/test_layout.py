"""What every page shares: title, navigation, errors as text."""

import re

import pytest
from streamlit.testing.v1 import AppTest
from visitor import open_page

from audiomnist.settings import REPOSITORY
from audiomnist.ui.layout import PAGES, plain


@pytest.mark.parametrize("name", PAGES)
def test_each_page_shows_its_title_and_no_error(name):
    page = open_page(name)
    assert len(page.title) == 1
    assert not page.error


def test_the_navigation_knows_exactly_the_folders_in_pages():
    folders = {path.parent.name for path in (REPOSITORY / "pages").glob("*/page.py")}
    assert set(PAGES) == folders


@pytest.mark.parametrize(
    "name",
    [
        ":material_delete:",
        ":smile:",
        ":streamlit:",
        ":+1:",
        "www.example.org",
        "https://example.org",
        "anna@example.org",
        "a -> b",
    ],
)
def test_what_is_looked_for_after_the_escapes_is_kept_apart(name):
    shown = plain(name).replace("\\", "")
    assert shown.count("\N{WORD JOINER}") == 1
    assert shown.replace("\N{WORD JOINER}", "") == name


def test_ordinary_names_are_only_escaped():
    for name in ("anna", "José", "12:30", "a@ b", "x-1", "see: this", "שלום"):
        assert plain(name).replace("\\", "") == name
    assert plain("a\u202eb") == r"a\\u202eb"


def test_names_in_errors_are_no_markdown():
    said = r"*a*_b_[c](d)$e$:red[f]\g.wav is empty. Record `it` again."

    def show(said: str) -> None:
        from audiomnist.errors import AudioError
        from audiomnist.ui import layout

        with layout.guard():
            raise AudioError(said)

    page = AppTest.from_function(show, args=(said,)).run()
    assert not page.exception
    (box,) = page.error
    assert box.value == plain(said)
    assert plain(said).count("\\*") == 2


def test_icons_are_streamlits_own_and_no_emoji():
    """Emoji are boxes where a machine has no font for them."""
    emoji = re.compile("[\U0001f000-\U0001faff\u2600-\u27bf\u2b50\u23e9-\u23fa\ufe0f]")
    files = [
        *(REPOSITORY / "pages").rglob("*.py"),
        *(REPOSITORY / "audiomnist" / "ui").rglob("*.py"),
    ]
    assert len(files) > 20
    found = [f.name for f in files if emoji.search(f.read_text(encoding="utf-8"))]
    assert found == []
