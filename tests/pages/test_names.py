"""Names that others gave are shown on every page as they were written."""

from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest
from visitor import open_page, widget

from audiomnist.audio.encoding import encode_wav
from audiomnist.corpora import library
from audiomnist.corpora.checks import SplitCheck
from audiomnist.corpora.naming import UNKNOWN_SPEAKER
from audiomnist.evaluation.files import save_evaluation
from audiomnist.evaluation.metrics import Evaluation
from audiomnist.runs.folder import update_record
from audiomnist.ui import state
from audiomnist.ui.evaluate.views import VIEWS
from audiomnist.ui.layout import PAGES, plain

# Each part becomes something else in Markdown, in Streamlit's or in a figure.
PARTS = (
    *("*a*", "__b__", "[c](d)", ":red[e]", ":material_delete:", "$x^2_$", "<b>f"),
    *(":smile:", "www.g.org", "h@i.org", "`j`", "~~k~~", "&lt;", "\\frac"),
)
NAME = " ".join(PARTS)
MARKDOWN = (
    *("title", "header", "subheader", "markdown", "caption", "metric", "button"),
    *("info", "success", "warning", "error", "page_link", "expander", "popover"),
    *("selectbox", "multiselect", "button_group", "text_input", "checkbox", "badge"),
)


@pytest.fixture
def odd(home, tmp_path, spoken, finished_run) -> str:
    """A corpus of a speaker with such a name, and a run that is tested on it."""
    for digit in range(3):
        for speaker in (NAME, NAME.swapcase(), UNKNOWN_SPEAKER):
            path = tmp_path / "in" / f"{digit}_{speaker}_0.wav"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(encode_wav(spoken(digit)))
    clips = library.import_corpus("a__b__", tmp_path / "in").corpus.clips
    rows = np.full((len(clips), 10), 0.1, np.float32)
    save_evaluation(Evaluation(clips, rows, ("a__b__",)), finished_run.folder)
    config = replace(
        finished_run.config,
        title=NAME[:60],
        held_out=NAME,
        corpora=("a__b__",),
        split_rule="leave_one_out",
    )
    check = SplitCheck(copies=(NAME,), n_copies=3, alike=(NAME,), trainer=NAME)
    update_record(finished_run, config=config, check=check)
    return finished_run.id


def markup(page: AppTest) -> list[str]:
    """Every text of a page that is read as Markdown."""
    found = []
    for kind in MARKDOWN:
        for element in page.get(kind):
            for field in ("body", "label", "help"):
                found.append(str(getattr(element.proto, field, "")))
    return found


def assert_literal(page: AppTest) -> None:
    """No part of the name is left that is read as anything but itself."""
    assert not page.exception
    for text in markup(page):
        rest = text.replace("\\\\", "").replace("\\", "\0")
        for part in PARTS:
            assert part not in rest, text


def test_what_is_checked_is_found():
    assert plain(NAME).count("\N{WORD JOINER}") == 4
    assert all(part not in plain(NAME).replace("\\", "\0") for part in PARTS)


@pytest.mark.parametrize("name", [name for name in PAGES if name != "evaluate"])
def test_names_are_shown_as_they_are(odd, name):
    page = open_page(name, model=odd, run=odd)
    if name == "dataset":
        widget(page, "selectbox", "Corpus").set_value("a__b__").run()
        assert NAME in page.dataframe[0].value["Speaker"].tolist()
    if name == "train":
        widget(page, "multiselect", "Corpora").set_value(["a__b__"]).run()
        widget(page, "selectbox", "Split into training and test").set_value(
            "leave_one_out"
        ).run()
        assert NAME in widget(page, "selectbox", "Speaker to leave out").options
    assert_literal(page)
    if name in ("dataset", "train"):
        shown = plain(NAME if name == "dataset" else NAME[:60])
        assert any(shown in text for text in markup(page))


def test_names_are_shown_as_they_are_in_every_view(odd):
    page = open_page("evaluate", model=odd)
    assert any(plain(NAME) in box.value for box in page.warning)
    for view in VIEWS:
        page.session_state[state.EVALUATE_VIEW] = view
        assert_literal(page.run())
