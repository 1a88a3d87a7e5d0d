"""Work inside a network namespace without leaving this process: only one thread enters it (setns(2))."""

import ctypes
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

NAMESPACES = Path("/run/netns")
CLONE_NEWNET = 0x40000000

Result = TypeVar("Result")

_libc = ctypes.CDLL(None, use_errno=True)


def inside(namespace: str, work: Callable[[], Result]) -> Result:
    """What *work* returns or raises, run in a thread that has entered *namespace*; a socket made there stays there."""
    results: list[Result] = []
    failures: list[BaseException] = []

    def run() -> None:
        try:
            _enter(namespace)
            results.append(work())
        except BaseException as error:  # noqa: BLE001 handed to the caller's thread
            failures.append(error)

    thread = threading.Thread(target=run, name=f"in {namespace}")
    thread.start()
    thread.join()
    if failures:
        raise failures[0]
    return results[0]


def _enter(namespace: str) -> None:
    handle = os.open(NAMESPACES / namespace, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if _libc.setns(handle, CLONE_NEWNET) != 0:
            code = ctypes.get_errno()
            raise OSError(code, f"{namespace} cannot be entered: {os.strerror(code)}")
    finally:
        os.close(handle)
