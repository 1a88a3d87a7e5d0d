"""Sealed days without a gateway: what a recorder would have written, for any date."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from legal_town import keys_made

from captive_portal.legal import ledger
from captive_portal.legal.bindings import LEASE, SESSION, SIX, Thing
from captive_portal.legal.ceremony import Made
from captive_portal.legal.conntrack import _ROW
from captive_portal.legal.ledger import Ledger
from captive_portal.legal.segment import Store
from parvis.reserve import Reserve

GATEWAY = "gw-msp"
ANNA, BRUNO = "02:00:00:00:00:0a", "02:00:00:00:00:0b"
ABOUT = {"site": "maison-services-publics", "guest": "10.11.0.0/22", "public": "198.51.100.2"}
MADE = keys_made()


def ms(text: str) -> int:
    """Milliseconds of an ISO moment, UTC unless it says otherwise."""
    moment = datetime.fromisoformat(text)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def sec(text: str) -> int:
    return ms(text) // 1000


def head(at: str, **more: object) -> dict[str, Any]:
    return {"k": "file", "at": ms(at), "restart": 1, "gap": 1, **ABOUT, "version": "0", **more}


def all_said(at: str) -> dict[str, Any]:
    return {"k": "all", "at": ms(at)}


def lease(at: str, mac: str, ip: str, *, on: bool = True, **more: object) -> dict[str, Any]:
    return Thing(SIX if ":" in ip else LEASE, mac, ip).record(ms(at), on=on, **more)


def session(at: str, mac: str, number: int, *, on: bool = True, **more: object) -> dict[str, Any]:
    given = {"terms": "2.0.0"} if on and "re" not in more else {}
    return Thing(SESSION, mac, number=number).record(ms(at), on=on, **given, **more)


def row(start: str, stop: str, mark: int, source: str, target: str, tport: int = 443) -> bytes:
    """A communication of store B."""
    here, there = ip_address(source), ip_address(target)
    return _ROW.pack(ms(start), ms(stop), 6, len(here.packed), 0, mark, 50_000, tport, 1_100, here.packed, there.packed)


class Disk:
    """An archive's folders, and a pen for them."""

    def __init__(self, folder: Path, made: Made = MADE) -> None:
        self.made = made
        self.sealed, self.keys = folder / "sealed", folder / "keys"
        for path in (self.sealed, self.keys):
            path.mkdir(parents=True, exist_ok=True)

    def ledger(self, store: Store = Store.SOURCE, gateway: str = GATEWAY) -> Ledger:
        reserve = Reserve(self.sealed / "reserve", 0)
        return Ledger(self.sealed, self.keys, gateway, store, self.made.public.stores[store], reserve)

    def write(
        self, at: str, lines: Iterable[dict[str, Any]], store: Store = Store.SOURCE, gateway: str = GATEWAY
    ) -> None:
        """One block, in a file of its own."""
        pen = self.ledger(store, gateway)
        pen.append(ledger.records(lines), ms(at))
        pen.close()

    def write_rows(self, at: str, rows: Iterable[bytes]) -> None:
        pen = self.ledger(Store.TRAFFIC)
        pen.append(ledger.rows(b"".join(rows)), ms(at))
        pen.close()

    def day(self, day: date, store: Store = Store.SOURCE) -> None:
        """A day on which Anna was there from 10 to 11 o'clock."""
        at = day.isoformat()
        lines = [
            head(f"{at}T00:00:00"),
            all_said(f"{at}T00:00:00"),
            lease(f"{at}T10:00:00", ANNA, "10.11.0.5"),
            session(f"{at}T10:00:00", ANNA, 7),
            {"k": "alive", "at": ms(f"{at}T10:30:00"), "offset": 0.25, "sync": 1},
            session(f"{at}T11:00:00", ANNA, 7, on=False),
            lease(f"{at}T11:00:00", ANNA, "10.11.0.5", on=False),
        ]
        if store is Store.SECURITY:
            lines = [Thing("blocked", ANNA).record(ms(f"{at}T10:00:00"), on=True)]
        self.write(f"{at}T12:00:00", lines, store)
