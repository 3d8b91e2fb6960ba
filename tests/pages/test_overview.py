"""The overview page: one clip from sound to answer, for each visitor's theme."""

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest
from visitor import APP, errors, open_page, press, text, widget

from audiomnist.corpora import library
from audiomnist.features.config import KINDS
from audiomnist.plots.sound import plot_waveform
from audiomnist.ui import listen


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_figures_are_drawn_for_the_visitors_theme(theme, monkeypatch):
    seen = []
    draw = plot_waveform

    def spy(audio, speech, *, style):  # type: ignore[no-untyped-def]
        seen.append(style.dark)
        return draw(audio, speech, style=style)

    monkeypatch.setattr(listen, "plot_waveform", spy)
    st.cache_data.clear()  # all visitors of AppTest are one
    page = AppTest.from_file(APP, default_timeout=60)
    page.context["theme"] = theme
    page.run()
    assert not page.exception
    assert seen == [theme == "dark"]


def test_pictures_are_drawn_once_for_a_visitor(monkeypatch):
    page = open_page("overview")
    monkeypatch.setattr(listen, "plot_waveform", None)
    assert not page.run().exception


def test_overview_walks_from_sound_to_answer():
    page = open_page("overview")
    assert len(page.get("audio")) == 1
    # Wave, spectrogram, and for each of two networks its input and its answer.
    assert len(page.get("image")) == 6
    assert "A **7** by synthetic voice" in text(page)
    assert "**MFCC:**" in text(page) and "**Log-mel:**" in text(page)
    explained = {line.help for line in page.markdown if line.help}
    assert explained == {kind.sentence for kind in KINDS.values()}
    links = {link.label for link in page.get("page_link")}
    assert {"**Say a digit**", "**Train**", "**Evaluate**", "**Browse clips**"} <= links


def test_overview_plays_another_voice_and_another_digit():
    page = open_page("overview")
    first = text(page)
    press(page, "Another voice")
    assert "A **7** by" in text(page)
    assert text(page) != first
    widget(page, "button_group", "Pick a digit").set_value(3).run()
    assert "A **3** by" in text(page)


def test_overview_without_models_still_shows_the_sound(no_models):
    page = open_page("overview")
    assert "Train one on the Train page" in text(page)
    assert len(page.get("image")) == 2


def test_overview_without_its_recordings_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(library, "EMBEDDED_ARCHIVE", tmp_path / "voices.zip")
    page = open_page("overview")
    assert "voices.zip" in errors(page)[0]
    assert "Your turn" in text(page)
