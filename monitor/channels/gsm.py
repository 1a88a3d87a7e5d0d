"""SMS by our own modem, through the folders of gammu-smsd's ``files`` service: it works with the fibre cut.

``outbox`` is written, ``sent`` and ``error`` tell what the network said, ``inbox`` holds what came in.
"""

import os
import re
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

from monitor.channels import Reply, Told, told

_INCOMING = re.compile(r"IN\d{8}_\d{6}_\d+_(?P<number>[^_]+)_\d+\.txt")
"""``IN<date>_<time>_<serial>_<number>_<part>.txt`` (gammu-smsd, files back end)."""

WRITTEN_SECONDS = 60.0
"""What is empty for longer came in empty."""


def send(task: dict[str, Any]) -> Told:
    """Put a file into the outbox, whole or not at all; its name is the reference."""
    spool = Path(task["channel"]["spool"])
    phone = re.sub(r"[^+\d]", "", task["to"]["phone"])
    name = f"OUTA00000000_000000_00_{phone}_{uuid4().hex[:12]}.txt"
    draft = spool / "outbox" / f".{name}"
    with draft.open("w", encoding="utf-8") as file:
        file.write(task["short"])
        file.flush()
        os.fsync(file.fileno())
    draft.rename(spool / "outbox" / name)
    return told("accepted", proves=True, reference=name)


def prove(task: dict[str, Any]) -> Told:
    """What the modem made of it: in ``sent`` the network has taken it, in ``error`` it has not."""
    spool, name = Path(task["channel"]["spool"]), task["reference"]
    if (spool / "sent" / name).exists():
        return told("proved", proves=True, reference=name)
    if (spool / "error" / name).exists():
        return told("failed", proves=True, reference=name, detail="the network refused it")
    return told("accepted", proves=True, reference=name)


def replies(task: dict[str, Any]) -> list[Reply]:
    """What came in; what is read is removed. A file still empty is being written: it is left for the next time."""
    found: list[Reply] = []
    for path in sorted((Path(task["channel"]["spool"]) / "inbox").glob("IN*.txt")):
        if named := _INCOMING.fullmatch(path.name):
            text = path.read_text("utf-8", "replace")
            if not text and abs(time.time() - path.stat().st_mtime) < WRITTEN_SECONDS:
                continue
            found.append({"number": named["number"], "text": text, "mark": path.name})
            path.unlink()
    return found
