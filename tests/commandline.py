"""The command line in a process of its own, and what it printed."""

import os
import signal
import subprocess
import sys

from audiomnist.settings import REPOSITORY


def start(*words: str, **options) -> subprocess.Popen:
    """Start the command line as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "audiomnist", *words],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_listen_to_ctrl_c if os.name == "posix" else None,
        **options,
    )


def _listen_to_ctrl_c() -> None:
    """What runs in the background, as tests may, has been told to ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def one_line(text: str) -> str:
    """The only line of a text."""
    assert text.endswith("\n")
    (line,) = text.splitlines()
    return line
