"""The months of availability that were told once: the monitor forgets after three years, what was published stays."""

import json
from collections.abc import Sequence
from pathlib import Path

from pydantic import TypeAdapter

from captive_portal.opendata.sites import SaidMonth
from parvis.durable import write_whole

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
        write_whole(path, json.dumps([one.model_dump() for one in lines], ensure_ascii=False, indent=1))
    return lines
