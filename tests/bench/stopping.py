"""SIGTERM and SIGINT end a bench or a soak as Ctrl-C does: what it made on the machine is taken away again."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

STOPPED = 130
"""Ended by a signal, as shells count it; nothing was broken until then."""


def may_be_stopped() -> None:
    """Raise KeyboardInterrupt when told to end, also where a shell started us with SIGINT ignored."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)


@contextmanager
def stoppable() -> Iterator[None]:
    """The same for what has nothing to say when it is stopped: it ends, cleared away, without a trace of the code."""
    may_be_stopped()
    try:
        yield
    except KeyboardInterrupt:
        print("told to stop before its time; nothing was measured", file=sys.stderr, flush=True)
        sys.exit(STOPPED)
