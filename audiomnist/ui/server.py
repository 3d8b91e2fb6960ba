"""Keep the server small: memory that was freed goes back to the operating system.

By default glibc gives every thread a heap of its own, and keeps large blocks in it
once some were freed. A visitor's page runs in a thread, so a server that draws
pictures for many grows by tens of megabytes that nobody uses.
"""

import ctypes
import sys
from functools import cache

# Options of mallopt(3), from malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8

_LARGE = 256 * 1024
"""Bytes from which on a block is mapped, and returned when it is freed."""


@cache
def keep_small() -> None:
    """Set glibc up for one process with many short threads; elsewhere do nothing."""
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
