"""Names that others gave are drawn as they are written."""

import matplotlib.font_manager
import pytest
from results import pixels_of, speaker_table

from audiomnist.plots import text
from audiomnist.plots.results import plot_speaker_accuracy
from audiomnist.plots.style import Style
from audiomnist.plots.text import elided, has_font, labels, visible

NAMES = ["A$^$P", "$x_1$", r"\$\frac", "a_b^c", "{x}", "José", "Αθηνά", "Жанна", "שלום"]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_no_formula(name):
    table = speaker_table(2)
    table["speaker"] = ["anna", name]
    figure = plot_speaker_accuracy(table, style=Style())
    assert pixels_of(figure).size
    assert figure.axes[0].get_yticklabels()[1].get_text() == name
    assert not figure.axes[0].get_yticklabels()[1].get_parse_math()
    assert has_font([name])


def test_letters_that_no_font_has_are_spelled(monkeypatch):
    monkeypatch.setattr(text, "_letters_in", lambda file: frozenset("an "))
    text._fonts_for.cache_clear()
    assert labels(["an明a", "an"]).texts == ["anU+660E a", "an"]
    assert labels(["a\u200dn\ufe0f"]).texts == ["an"]
    assert not has_font(["明"])
    text._fonts_for.cache_clear()


def test_fonts_that_are_here_help_out(monkeypatch):
    letters = {"one": "an", "two": "明", "three": "明"}
    fonts = {"DejaVu Sans": "one", "Noto Sans CJK": "two", "Other": "three"}
    monkeypatch.setattr(text, "_font_files", lambda: fonts)
    monkeypatch.setattr(text, "_letters_in", lambda file: frozenset(letters[file]))
    text._fonts_for.cache_clear()
    found = labels(["明", "anna"])
    assert found.texts == ["明", "anna"]
    assert found.options["fontfamily"] == ["DejaVu Sans", "Noto Sans CJK"]
    text._fonts_for.cache_clear()


def test_a_font_that_has_gone_is_no_font(monkeypatch):
    def refuse(file: str) -> None:
        raise OSError(file)

    monkeypatch.setattr(matplotlib.font_manager, "get_font", refuse)
    assert text._letters_in("gone.ttf") == frozenset()


def test_long_names_are_cut_and_can_be_told_apart():
    long = ["a" * 80, "a" * 40 + "1" + "b" * 40, "a" * 40 + "2" + "b" * 40, "anna"]
    short = elided(long)
    assert len({*short}) == 4 and max(map(len, short)) <= 24
    assert short[0] == "a" * 16 + "…" + "a" * 7
    assert "1" in short[1] and "2" in short[2] and short[3] == "anna"
    many = elided([f"{'x' * 30}{number:03}{'y' * 30}" for number in range(300)])
    assert len({*many}) == 300
    assert elided(["明" * 12, "明" * 13]) == ["明" * 12, "明" * 8 + "…" + "明" * 3]


def test_one_long_name_leaves_room_for_the_others():
    table = speaker_table(3)
    table["speaker"] = ["anna", "ben", "W" * 80]
    figure = plot_speaker_accuracy(table, style=Style())
    figure.canvas.draw()
    assert figure.axes[0].get_position().width > 0.5


def test_what_cannot_be_seen_is_written_out():
    assert visible("a\u202eb\x1bc\n") == r"a\u202eb\u001bc\u000a"
    assert visible("Ann Marie שלום 明") == "Ann Marie שלום 明"
