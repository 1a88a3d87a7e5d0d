"""The C library's heap, kept small in processes that live for months: mallopt(3) and malloc_trim(3) of glibc."""

import ctypes
import gc
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count

TIDY_SECONDS = 20.0
"""What start, first requests and first polls used once is worth returning soon."""
SMALL = {"MALLOC_ARENA_MAX": (-8, 1), "MALLOC_TRIM_THRESHOLD_": (-1, 1024 * 1024)}
"""Environment variable -> (its number in malloc.h, value): one heap for all threads, of which the interpreter's lock
lets only one allocate anyway; and what is free at its end, beyond some bytes, goes back to the kernel."""
ENVIRONMENT = {name: str(value) for name, (_, value) in SMALL.items()}
"""For a process that we start: its heap is small from the first byte on."""

SEARCH_AFTER = 50_000
"""So many objects more than before make Python look for cycles by itself, between two times of :func:`tidy`. Its own
700 are reached two hundred times a second where a thousand devices are polled: a fifth of the time, for nothing."""
WHOLE_EVERY = 180
"""How many times what is left over is tidied up before all is looked through: once an hour."""

_libc = ctypes.CDLL(None)
_tidied = count(1)


def keep_small() -> None:
    """Keep this process' heap small; call it before threads start."""
    for number, value in SMALL.values():
        _libc.mallopt(number, value)


def tidy() -> None:
    """Collect what nobody uses any more, and give it back; what is in use is not looked through again for an hour.

    Python looks through all objects again whenever a quarter has come on top: with what is known of a thousand devices
    that takes a fifth of the poller's time. A frozen object that is no longer used goes as before; only one that is
    part of a cycle waits for the hour.
    """
    if next(_tidied) % WHOLE_EVERY == 0:
        gc.unfreeze()
    settle()


@contextmanager
def uncollected() -> Iterator[None]:
    """Make no search for cycles while thousands of objects that stay are made: it doubles the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def keep_tidy(also: Callable[[], object]) -> threading.Thread:
    """:func:`tidy` for ever, and *also* each time, in a thread, where nobody else has the time."""

    def work() -> None:
        while True:
            time.sleep(TIDY_SECONDS)
            tidy()
            also()

    thread = threading.Thread(target=work, name="tidy", daemon=True)
    thread.start()
    return thread


def settle() -> None:
    """What is no longer used goes back to the kernel, and what is there stays.

    It is not searched for cycles again, which with 20,000 sessions would halt everybody for a tenth of a second; and
    what comes later not before there is very much of it.
    """
    gc.set_threshold(SEARCH_AFTER)
    gc.collect()  # what is frozen as rubbish would stay
    gc.freeze()
    give_back()


def give_back() -> None:
    """Return to the kernel what the process took to start, and no longer uses."""
    _libc.malloc_trim(0)
