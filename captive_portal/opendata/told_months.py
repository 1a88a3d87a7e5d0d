"""The months of availability that were told once: the monitor forgets after three years, what was published stays."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

from pydantic import TypeAdapter

from captive_portal.opendata.sites import SaidMonth

NAME = "availability.json"
_SHAPE = TypeAdapter(list[SaidMonth])


def kept(folder: Path, told: Sequence[SaidMonth]) -> list[SaidMonth]:
    """Every month known, *told* now or before; what is told now replaces what was. Durable when this returns."""
    path = folder / NAME
    before = _SHAPE.validate_json(path.read_bytes()) if path.exists() else []
    known = {(one.month, one.site): one for one in (*before, *told)}
    lines = [known[key] for key in sorted(known)]
    if lines != before:
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / f"{NAME}.new"
        with draft.open("w", encoding="utf-8") as file:
            json.dump([one.model_dump() for one in lines], file, ensure_ascii=False, indent=1)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    return lines
