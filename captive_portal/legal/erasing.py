"""Erase days: the key first, which makes every copy unreadable wherever it is, then the files. Ends where it began."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from captive_portal.legal.retention import Day
from captive_portal.legal.segment import Name, key_name
from parvis.durable import sync_folder


def days_in(folder: Path, keys: Path) -> list[Day]:
    """Every day of which a key or a file is there."""
    found = set()
    for path in folder.glob("*.sealed"):
        with suppress(ValueError):
            name = Name.read(path.name)
            found.add(Day(name.store, name.gateway, name.day))
    for path in keys.glob("*.key"):
        with suppress(ValueError):
            found.add(key_day(path.name))
    return sorted(found)


def key_day(text: str) -> Day:
    """Whose key a file is, by its name; ValueError when it is none.

    >>> key_day("A-gw-msp-2026-11-30.key")
    Day(store=<Store.SOURCE: 'A'>, gateway='gw-msp', day=datetime.date(2026, 11, 30))
    """
    stem = text.removesuffix(".key").split("-")
    for end in (len(stem), len(stem) - 1):  # the key of former holders has their fingerprint behind
        with suppress(ValueError):
            name = Name.read("-".join([*stem[:end], "000001.sealed"]))
            return Day(name.store, name.gateway, name.day)
    raise ValueError(f"{text} is not the name of a day's key")


def erase(days: Iterable[Day], folder: Path, keys: Path) -> int:
    """Destroy the keys of *days*, then remove their files; how many days. Whatever interrupts it, it goes on next time.

    The key's octets are written over before the file is removed. On flash they may stay until the disk tidies up, so
    its partition is to be encrypted (docs/18-evidence.md).
    """
    todo = list(days)
    for one in todo:
        for path in sorted(keys.glob(f"{key_name(one.store, one.gateway, one.day).removesuffix('.key')}*.key")):
            _overwrite(path)
            path.unlink()
    if todo:
        sync_folder(keys)
    for one in todo:
        for path in folder.glob(f"{one.store.value}-{one.gateway}-{one.day.isoformat()}-*.sealed"):
            path.unlink()
    return len(todo)


def _overwrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(os.urandom(path.stat().st_size))
        file.flush()
        os.fsync(file.fileno())
