"""Recordings and a terminal for the commands."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from audiomnist.__main__ import main


@pytest.fixture
def on_terminal(capsys, monkeypatch) -> Callable[[Sequence[str]], int]:
    """`main` where stderr is a terminal."""

    def run(words: Sequence[str]) -> int:
        with monkeypatch.context() as patch:
            patch.setattr(sys.stderr, "isatty", lambda: True)
            return main(words)

    return run


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A file that is no recording."""
    path = tmp_path / "broken.wav"
    path.write_bytes(b"RIFF, or so it says")
    return path
