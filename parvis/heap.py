"""The C library's heap, kept small in processes that live for months: mallopt(3) and malloc_trim(3) of glibc."""

import ctypes

M_ARENA_MAX = -8
"""malloc.h"""

_libc = ctypes.CDLL(None)


def share_one_heap() -> None:
    """One heap for all threads instead of one each; the interpreter's lock lets only one of them allocate anyway.

    Call it before threads start.
    """
    _libc.mallopt(M_ARENA_MAX, 1)


def give_back() -> None:
    """Return to the kernel what the process took to start, and no longer uses."""
    _libc.malloc_trim(0)
