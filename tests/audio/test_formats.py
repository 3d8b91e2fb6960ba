"""The formats: one list, which every way in and the documentation show."""

from pathlib import Path

import pytest

from audiomnist.__main__ import main
from audiomnist.audio.formats import FORMAT_NAMES, FORMATS, SUFFIXES

DOCS = Path(__file__).parents[2] / "docs"


def test_endings_are_distinct_and_in_lower_case() -> None:
    assert len(SUFFIXES) == len(set(SUFFIXES))
    assert all(suffix.startswith(".") and suffix.islower() for suffix in SUFFIXES)
    assert all(f".{kind.name}" == kind.suffixes[0] for kind in FORMATS)


@pytest.mark.parametrize("words", [["predict"], ["data", "import"]])
def test_the_command_line_lists_them(words: list[str], capsys) -> None:
    main([*words, "--help"])
    assert FORMAT_NAMES in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("page", ["using.md", "command-line.md"])
def test_the_documentation_lists_them(page: str) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    assert FORMAT_NAMES in " ".join(text.split())
