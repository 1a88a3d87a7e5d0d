"""The daily report: how many blocks and days each store has, what is oldest, whether every chain holds. Counts only.

It is signed, and it has the last hash of each chain: whoever kept yesterday's report proves that nothing before it was
changed since.
"""

import json
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from captive_portal.legal import sealing, segment
from captive_portal.legal.erasing import days_in
from captive_portal.legal.ledger import names_in
from captive_portal.legal.retention import Hold, last_day, overdue
from captive_portal.legal.segment import Broken, Store
from parvis.durable import write_whole
from parvis.kept import kept_days

KEPT_DAYS = kept_days("retention-report")


@dataclass(frozen=True, slots=True)
class Chain:
    """One store of one gateway; *broken* is empty while it holds, *last* the hash of its newest block."""

    store: Store
    gateway: str
    blocks: int
    first: int
    number: int
    last: str
    broken: str = ""


def chains(folder: Path, today: date) -> list[Chain]:
    """Every chain in *folder*, walked from end to end."""
    found = []
    for store in Store:
        gateways = dict.fromkeys(name.gateway for name in names_in(folder, store))
        found += [_chain(folder, store, gateway, today) for gateway in gateways]
    return found


def _chain(folder: Path, store: Store, gateway: str, today: date) -> Chain:
    before, count, first, broken = None, 0, 0, ""
    last_name = None
    for name in names_in(folder, store, gateway):
        data = (folder / str(name)).read_bytes()
        try:
            if last_name is not None and name.number != last_name.number + 1:
                if last_day(store, last_name.day) >= today:
                    raise Broken(f"{name}: the file before it is missing")  # noqa: TRY301 told below, in one place
                before = None  # what is older is kept by an order; its neighbours were erased
            for one in segment.frames(data):
                segment.follow(before, one, str(name))
                before, count = one, count + 1
                first = first or one.at
            if segment.whole(data) != len(data):
                raise Broken(f"{name}: its last block is cut")  # noqa: TRY301 told below, in one place
        except Broken as error:
            broken = broken or str(error)
        last_name = name
    last, number = (before.hash.hex(), before.number) if before else ("", 0)
    return Chain(store, gateway, count, first, number, last, broken)


def counts(folder: Path, keys: Path, holds: Iterable[Hold], today: date) -> dict[str, Any]:
    """How much there is of each store, and how old it is."""
    orders, days = list(holds), days_in(folder, keys)
    stores = {}
    for store in Store:
        here = [one.day for one in days if one.store is store]
        stores[store.value] = {
            "days": len(set(here)),
            "oldest": min(here).isoformat() if here else None,
            "files": len(names_in(folder, store)),
            "bytes": sum((folder / str(name)).stat().st_size for name in names_in(folder, store)),
            "overdue": overdue((one for one in days if one.store is store), orders, today),
        }
    held = [{"reference": one.reference, "until": one.until.isoformat()} for one in orders if today <= one.until]
    return {"day": today.isoformat(), "stores": stores, "holds": held}


def facts(folder: Path, keys: Path, holds: Iterable[Hold], today: date) -> dict[str, Any]:
    """What the report of *today* says: the counts, and each chain walked from end to end."""
    walked = [
        {"store": one.store.value, "gateway": one.gateway, "blocks": one.blocks, "number": one.number, "last": one.last,
         "broken": one.broken}
        for one in chains(folder, today)
    ]  # fmt: skip
    return {**counts(folder, keys, holds, today), "chains": walked}


def is_written(folder: Path, day: date) -> bool:
    """Whether the report of *day* is there."""
    return _path(folder, day.isoformat()).exists()


def _path(folder: Path, day: str) -> Path:
    return folder / f"report-{day}.json"


def write(folder: Path, said: dict[str, Any], signer: bytes, *, forget: bool) -> Path:
    """Write the signed report of its day into *folder*; with *forget*, reports older than three years go."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    data = json.dumps(said, ensure_ascii=False, sort_keys=True).encode()
    whole = {"report": said, "signature": b64encode(sealing.sign(signer, data)).decode()}
    path = _path(folder, said["day"])
    write_whole(path, json.dumps(whole, ensure_ascii=False, sort_keys=True, indent=1).encode())
    today = date.fromisoformat(said["day"])
    for old in folder.glob("report-*.json") if forget else ():
        if (today - date.fromisoformat(old.stem.removeprefix("report-"))).days > KEPT_DAYS:
            old.unlink()
    return path


def changed_since(folder: Path, said: dict[str, Any]) -> list[str]:
    """Which chains in *folder* do not have the blocks that a report *said* they had; empty when all do."""
    wrong = []
    for chain in said["chains"]:
        store, gateway, number = Store(chain["store"]), chain["gateway"], chain["number"]
        found = ""
        oldest = None
        for name in names_in(folder, store, gateway):
            for one in segment.frames((folder / str(name)).read_bytes()):
                oldest = one.number if oldest is None else oldest
                found = one.hash.hex() if one.number == number else found
        if number and found != chain["last"] and not (oldest is None or oldest > number):
            wrong.append(f"store {store.value} of {gateway}, block {number}: is not the one of {said['day']}")
    return wrong
