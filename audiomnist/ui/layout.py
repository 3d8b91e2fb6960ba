"""What every page shares: its heading, links between pages, errors in plain words."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from audiomnist.errors import AudioMnistError
from audiomnist.plots.text import visible

_JOINER = "\N{WORD JOINER}"

_READ_AGAIN = re.compile(
    r":(?=[\w+/-]+:)|(?<=http:/)(?=/)|(?<=https:/)(?=/)|(?<=www)(?=\.)"
    r"|(?<=[-.\w+])@(?=[-\w])",
    re.IGNORECASE,
)
"""Where icons and emoji, addresses of the web, and those of mail are recognized."""

_ARROW = re.compile(r"(?<!\S)(<->|->|<-|--|>=|<=|~=)(?!\S)")


class PageInfo(NamedTuple):
    """How a page is called in the navigation and in links to it."""

    title: str
    icon: str
    help: str


PAGES = {
    "overview": PageInfo(
        "Overview",
        ":material/hearing:",
        "Follow one recording through every step, from sound to digit.",
    ),
    "dataset": PageInfo(
        "Dataset",
        ":material/library_music:",
        "Browse and play the recordings, download or import more.",
    ),
    "train": PageInfo(
        "Train",
        ":material/model_training:",
        "Train a network of your own and watch it learn.",
    ),
    "evaluate": PageInfo(
        "Evaluate",
        ":material/bar_chart:",
        "How often a model is right, and where it is wrong.",
    ),
    "live": PageInfo(
        "Live", ":material/mic:", "Say a digit and see what a model recognizes."
    ),
}
"""The pages by the name of their folder in pages/, in the order of the navigation."""

LOGO = """\
<svg xmlns="http://www.w3.org/2000/svg" width="208" height="40" viewBox="0 0 208 40">
<g stroke="#14917f" stroke-width="4" stroke-linecap="round">
<path d="M4 17v6M12 11v18M20 5v30M28 13v14M36 17v6"/></g>
<text x="50" y="28" font-family="Georgia, 'Source Serif 4', serif" font-size="23"
 font-weight="700" fill="#14917f" textLength="150" lengthAdjust="spacingAndGlyphs"
>Audio MNIST</text></svg>"""
"""Five bars of sound and the name, in a colour that is readable in light and dark."""

FAVICON = """\
<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40" viewBox="0 0 40 40">
<g stroke="#14917f" stroke-width="4" stroke-linecap="round">
<path d="M4 17v6M12 11v18M20 5v30M28 13v14M36 17v6"/></g></svg>"""
"""The bars alone. A browser's tab would fetch an icon of Streamlit's from elsewhere."""

_CSS = """\
<style>
[data-testid="stBaseButton-primary"] p, [data-testid="stBaseButton-primary"] span,
[data-testid="stMultiSelect"] span[title]:not(:empty),
[data-testid="stMultiSelect"] span[title]:not(:empty) ~ * {
  color: light-dark(#ffffff, #06201c) !important;
}
@media (max-width: 480px) {
  [class*="st-key-overview-digit"] button, [class*="st-key-dataset-digits"] button {
    min-width: 0; padding-inline: 0.6rem;
  }
  [class*="st-key-overview-digit"] [role="group"],
  [class*="st-key-overview-digit"] [role="radiogroup"],
  [class*="st-key-dataset-digits"] [role="group"] { gap: 0.2rem; }
}
</style>"""
"""What themes of Streamlit cannot say: dark text on the dark theme's bright colour,
where Streamlit writes in white, and ten digits in one line of a phone."""


def script(page: str) -> str:
    """The script of a page, as Streamlit wants it: relative to streamlit_app.py."""
    return f"pages/{page}/page.py"


def heading(title: str, lead: str) -> None:
    """Show a page's title and, under it, what the page is for."""
    st.html(_CSS)
    st.title(title, anchor=False)
    st.markdown(lead)


def link(page: str, label: str, *, help: str | None = None, **query: str) -> None:
    """Show a link to another page, named as its folder in pages/.

    Parameters
    ----------
    page
        Name of the page.
    label
        What a visitor can do there.
    help
        Shown when the pointer rests on it.
    query
        Query parameters of the address.
    """
    st.page_link(
        script(page),
        label=label,
        icon=PAGES[page].icon,
        help=help,
        query_params=query or None,
    )


def plain(text: str) -> str:
    """Escape words of a visitor, so that Markdown shows them as they were typed.

    CommonMark takes any punctuation of ASCII after a backslash for itself. Line breaks
    become spaces, for they can begin a block. Streamlit also looks for icons, emoji,
    arrows, addresses and mail in the text that is left of it: an invisible character
    that joins words keeps these apart.
    """
    words = visible(" ".join(text.split()))
    words = _READ_AGAIN.sub(lambda found: f"{found[0]}{_JOINER}", words)
    words = _ARROW.sub(lambda found: f"{found[0][0]}{_JOINER}{found[0][1:]}", words)
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", words)


@contextmanager
def guard(place: DeltaGenerator | None = None) -> Iterator[None]:
    """Show an error of the package as text; what is outside the block still runs.

    Parameters
    ----------
    place
        Where the text appears, by default where the block ends.
    """
    try:
        yield
    except AudioMnistError as error:
        show_error(str(error), place)


def show_error(text: str, place: DeltaGenerator | None = None) -> None:
    """Show what went wrong, in the words of the error; names in it stay as they are."""
    (place or st).error(plain(text), icon=":material/error:")


def beware(sentences: Sequence[str], title: str) -> None:
    """Say what is wrong with recordings, in a list; nothing where all is well."""
    if sentences:
        lines = "\n".join(f"- {plain(sentence)}" for sentence in sentences)
        st.warning(f"**{title}**\n{lines}", icon=":material/warning:")


def destroy(label: str, question: str, *, key: str) -> bool:
    """Offer what cannot be undone: asked first, and in no button like those that start.

    Parameters
    ----------
    label
        What is done, such as "Remove it".
    question
        What is lost, and for whom, in Markdown.
    key
        Of the widgets.

    Returns
    -------
    bool
        Whether the visitor has agreed and pressed.
    """
    st.markdown(question)
    is_sure = st.checkbox("Yes, for everybody", key=f"{key}-sure")
    return st.button(
        label, icon=":material/delete_forever:", key=key, disabled=not is_sure
    )


def empty(text: str) -> None:
    """Say that there is nothing here yet, and how that changes."""
    st.info(text, icon=":material/lightbulb:")
