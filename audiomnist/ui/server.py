"""Before the first visitor: a server that stays small and is awake when one comes."""

import contextlib
import ctypes
import sys
from io import BytesIO

import numpy as np
from streamlit.runtime.pages_manager import PagesManager

from audiomnist import plots
from audiomnist.audio import Audio
from audiomnist.clips import load_audio
from audiomnist.corpora import load_corpus
from audiomnist.errors import AudioMnistError
from audiomnist.models import DEFAULT_MODEL, find_model
from audiomnist.recognizer import Recognizer

# Options of mallopt(3), from malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8

_LARGE = 256 * 1024
"""Bytes from which on a block is mapped, and returned when it is freed."""


def prepare() -> None:
    """Do once, when the server starts, what no visitor should wait for."""
    keep_small()
    # Streamlit takes any folder pages/ for its older kind of navigation until
    # `st.navigation` says otherwise, and then the very first deep link opens its page
    # under the message "Page not found" (Streamlit 1.67).
    PagesManager.uses_pages_directory = False
    wake()


def keep_small() -> None:
    """Let glibc return memory that was freed; elsewhere do nothing.

    By default it gives every thread a heap of its own, and keeps large blocks in it
    once some were freed. A page runs in a thread for each visitor, so the server would
    grow by tens of megabytes that nobody uses.
    """
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "mallopt"):
        return
    for option, value in (
        (_M_ARENA_MAX, 1),
        (_M_MMAP_THRESHOLD, _LARGE),
        (_M_TRIM_THRESHOLD, _LARGE),
    ):
        libc.mallopt(option, value)


def wake() -> None:
    """Do each step of the first page once: imports take most of its time.

    A server without recordings or models wakes as far as it can; what is missing is
    said on the page.
    """
    audio = Audio(np.zeros(1000, np.float32), 8000)
    plots.waveform(audio, None, style=plots.Style()).savefig(BytesIO(), format="png")
    with contextlib.suppress(AudioMnistError):
        clip = load_corpus("embedded").clips[0]
        Recognizer(find_model(DEFAULT_MODEL)).predict(load_audio(clip))
