"""Programs the monitor runs and waits for: what has not ended in time is ended with all that it started."""

import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress

PIPE = subprocess.PIPE


def ran(words: Sequence[str], given: str, seconds: float) -> "subprocess.CompletedProcess[str]":
    """What *words* said to *given*; TimeoutExpired after *seconds*, OSError when it cannot be run.

    An ssh in a dead network, or a telephone that rings on, would outlive the program that started it.
    """
    with subprocess.Popen(  # noqa: S603 the words are ours
        words, stdin=PIPE, stdout=PIPE, stderr=PIPE, text=True, errors="replace", start_new_session=True
    ) as child:
        try:
            said, complained = child.communicate(given, seconds)
        except BaseException:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            raise
    return subprocess.CompletedProcess(words, child.returncode, said, complained)
