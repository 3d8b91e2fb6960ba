"""Before the first visitor: a server that stays small and is awake when one comes."""

import contextlib
import ctypes
import gc
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO

import numpy as np
from streamlit.env_util import is_repl
from streamlit.runtime.pages_manager import PagesManager
from streamlit.string_util import validate_material_icon

from audiomnist.audio.signal import Audio
from audiomnist.errors import AudioMnistError
from audiomnist.plots.sound import plot_waveform
from audiomnist.plots.style import Style

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


@asynccontextmanager
async def lifespan(app: object) -> AsyncIterator[None]:
    """Wake before the server of `app` answers anybody, and do nothing when it ends."""
    wake()
    yield


def wake() -> None:
    """Do each step of the first page once: imports and drawing take most of its time.

    A server without recordings or models wakes as far as it can; what is missing is
    said on the page.
    """
    from audiomnist.ui.overview import walk  # caches of Streamlit need its runtime

    # Streamlit would do both for the first element of the first page: load its list of
    # icons, and look through the source of all modules for who called it.
    validate_material_icon(":material/hearing:")
    is_repl()
    audio = Audio(np.zeros(1000, np.float32), 8000)
    plot_waveform(audio, None, style=Style()).savefig(BytesIO(), format="png")
    with contextlib.suppress(AudioMnistError):
        walk.rehearse()
    # Streamlit collects garbage after each run of a page: what stays for good need not
    # be looked at each time.
    gc.collect()
    gc.freeze()
