"""Our own engine for informs: a name kept for ever, boots counted at each start (RFC 3414 section 2.2)."""

import json
import os
from pathlib import Path

from parvis.durable import write_whole

MOST_BOOTS = 2**31 - 1
PYSNMP_ENTERPRISE = 20408
"""RFC 3411 names an engine after an enterprise; ours is pysnmp's engine, in the format 5: octets."""


class BadIdentity(Exception):
    """The file of our engine's identity cannot be used; the text says which file and what to do."""


def next_boot(file: Path) -> tuple[str, int]:
    """Our engine's name (in hexadecimal digits) and the number of this boot, which is on disk before it is used.

    BadIdentity when *file* is damaged or cannot be written: with a guessed number, senders that know a higher one
    would take us for a replay.
    """
    name, boots = _read(file) if file.exists() else (_new_name(), 0)
    if boots >= MOST_BOOTS:
        name, boots = _new_name(), 0
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, json.dumps({"engine_id": name, "boots": boots + 1}))
    except OSError as error:
        raise BadIdentity(
            f"{file} cannot be written: {error}; give the collectors a state folder of their own"
        ) from error
    return name, boots + 1


def _new_name() -> str:
    return ((PYSNMP_ENTERPRISE | 0x80000000).to_bytes(4) + b"\x05" + os.urandom(8)).hex()


def _read(file: Path) -> tuple[str, int]:
    try:
        raw = json.loads(file.read_text("utf-8"))
        name, boots = bytes.fromhex(raw["engine_id"]).hex(), int(raw["boots"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        advice = "remove it, and make senders of informs forget our engine"
        raise BadIdentity(f"{file} is damaged ({error!r}); {advice}") from error
    return name, boots
