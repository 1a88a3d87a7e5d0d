"""The written orders to keep days beyond their time, on disk."""

import json
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import Any

from captive_portal.legal.retention import Hold
from captive_portal.legal.segment import Store
from parvis.durable import write_whole


class OrderError(Exception):
    """The order cannot be written down or found so; says why."""


def read(path: Path) -> list[Hold]:
    """Every order, those that are over included. OrderError when the file is not one of ours."""
    if not path.exists():
        return []
    try:
        return [_hold(one) for one in json.loads(path.read_text("utf-8"))]
    except (ValueError, TypeError, KeyError) as error:
        raise OrderError(f"{path} cannot be read ({error}); restore it from a backup: nothing is erased") from error


def add(path: Path, hold: Hold, today: date) -> None:
    """Write an order down; OrderError."""
    if wrong := hold.faults(today):
        raise OrderError(wrong)
    known = read(path)
    if any(one.reference == hold.reference for one in known):
        raise OrderError(f"there is an order {hold.reference}; give this one a reference of its own")
    _write(path, [*known, hold])


def release(path: Path, reference: str, today: date) -> None:
    """End an order today; OrderError when there is none."""
    known = read(path)
    if all(one.reference != reference for one in known):
        names = ", ".join(one.reference for one in known) or "none"
        raise OrderError(f"no order is called {reference}; there are {names}")
    yesterday = date.fromordinal(today.toordinal() - 1)
    _write(path, [replace(one, until=yesterday) if one.reference == reference else one for one in known])


def _write(path: Path, holds: list[Hold]) -> None:
    listed = [{key: str(value) for key, value in asdict(one).items()} for one in holds]
    write_whole(path, json.dumps(listed, ensure_ascii=False, indent=1).encode())


def _hold(said: dict[str, Any]) -> Hold:
    days = {name: date.fromisoformat(said[name]) for name in ("first", "last", "until")}
    return Hold(said["reference"], said["requester"], Store(said["store"]), gateway=said["gateway"], **days)
