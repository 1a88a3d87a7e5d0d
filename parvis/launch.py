"""Two steps to a small process: read town and settings with all their libraries, then become the process itself.

pydantic and the inventory cost 20 MB a process, and the privileged one should import little. The first step checks
everything and hands over plain facts in an anonymous file (memfd_create(2)): secrets appear in no argument and no
environment.
"""

import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from parvis.heap import ENVIRONMENT


def become(module: str, facts: dict[str, Any]) -> NoReturn:
    """Replace this process by ``python -m module``, which calls :func:`handed`. The process number stays."""
    become_with(module, json.dumps(facts).encode())


def become_with(module: str, facts: bytes) -> NoReturn:
    """The same for a process that calls :func:`handed_bytes`."""
    handle = os.memfd_create("facts", 0)
    os.write(handle, facts)
    os.lseek(handle, 0, os.SEEK_SET)
    # -OO: without the libraries' docstrings, 3 MB of a portal. The same interpreter, even where this user may no longer
    # walk to it (setpriv, a private home).
    argv = [sys.executable, "-P", "-OO", "-m", module, str(handle)]
    os.execve("/proc/self/exe", argv, {**os.environ, **ENVIRONMENT})  # noqa: S606 our own module


def handed(name: str) -> dict[str, Any]:
    """The facts the first step handed over; ps(1) shows the process by *name* from here on."""
    facts: dict[str, Any] = json.loads(handed_bytes(name))
    return facts


def handed_bytes(name: str) -> bytes:
    """The same as octets, from a process that came by :func:`become_with`."""
    with suppress(OSError):
        Path("/proc/self/comm").write_text(name, "ascii")
    with os.fdopen(int(sys.argv[1]), "rb") as handle:
        return handle.read()
