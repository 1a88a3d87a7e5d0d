"""Open sealed days with the holders' key: the only way to what is in stores A and B."""

import json
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from captive_portal.legal import conntrack, day_keys, sealing, segment
from captive_portal.legal.conntrack import Flow
from captive_portal.legal.ledger import COLUMNS, RECORDS, ROWS, names_in
from captive_portal.legal.segment import Broken, Frame, Name, Store
from captive_portal.legal.timeline import Record, Timeline


class Erased(Exception):
    """The day's key is gone: its time was over, or it never was here. Nobody can read that day any more."""


def days_of(first: int, last: int) -> list[date]:
    """The UTC days to read for the seconds from *first* to *last*: theirs, the one before, and the one after.

    What began is said again when a day's file begins; what ended may have ended the day after.
    """
    start, end = (datetime.fromtimestamp(moment, UTC).date() for moment in (first, last))
    return [start + timedelta(days=n) for n in range(-1, (end - start).days + 2)]


def blocks(folder: Path, keys: Path, name: Name, masters: Iterable[bytes]) -> Iterator[bytes]:
    """Each block of one sealed file, opened; Erased, Broken, sealing.NotOurs."""
    privates = _privates(keys, name, masters)
    before = None
    for one in segment.frames((folder / str(name)).read_bytes()):
        segment.follow(before, one, str(name))
        opened, privates = _opened(privates, one, name)
        yield opened
        before = one


def _opened(privates: list[bytes], one: Frame, name: Name) -> tuple[bytes, list[bytes]]:
    """A frame's block, and the only key that is tried for the next."""
    for private in privates:
        with suppress(sealing.NotOurs):
            return sealing.unseal(private, one.body, name.about(one.number)), [private]
    raise sealing.NotOurs(f"{name}, block {one.number}: is for other holders, or was changed")


def timelines(folder: Path, keys: Path, days: Iterable[date], master: bytes) -> list[Timeline]:
    """What every gateway's store A tells of *days*, one timeline a gateway; days that are not there are passed over."""
    made: dict[str, Timeline] = {}
    for name in _of_days(folder, Store.SOURCE, days):
        line = made.setdefault(name.gateway, Timeline(name.gateway))
        for block in blocks(folder, keys, name, [master]):
            line.read(records_in(block))
    return list(made.values())


def traffic(folder: Path, keys: Path, days: Iterable[date], master: bytes, gateways: Iterable[str]) -> Iterator[Flow]:
    """The communications of store B on *days* at *gateways*."""
    wanted = set(gateways)
    for name in _of_days(folder, Store.TRAFFIC, days):
        if name.gateway in wanted:
            for block in blocks(folder, keys, name, [master]):
                yield from flows_in(block)


def records_in(block: bytes) -> list[Record]:
    """The lines of a block; Broken when it has none."""
    if not block.startswith(RECORDS):
        raise Broken("a block of lines begins otherwise")
    return [json.loads(line) for line in zlib.decompress(block[1:]).splitlines()]


def flows_in(block: bytes) -> list[Flow]:
    """The communications of a block; Broken when it has none."""
    if block.startswith(COLUMNS):
        return list(conntrack.flows(conntrack.rows_of(zlib.decompress(block[1:]))))
    if block.startswith(ROWS):
        return list(conntrack.flows(zlib.decompress(block[1:]), tick=1))
    raise Broken("a block of communications begins otherwise")


def _of_days(folder: Path, store: Store, days: Iterable[date]) -> list[Name]:
    wanted = set(days)
    return [name for name in names_in(folder, store) if name.day in wanted]


def _privates(keys: Path, name: Name, masters: Iterable[bytes]) -> list[bytes]:
    """The day's private keys that *masters* open: one, or more where the holders changed on that day."""
    stem = name.key.removesuffix(".key")
    wrapped = [day_keys.read(path.read_text("ascii")) for path in sorted(keys.glob(f"{stem}*.key"))]
    if not wrapped:
        raise Erased(f"{stem}: the key of that day was destroyed; its files cannot be read")
    found = []
    for master in masters:
        for one in wrapped:
            with suppress(sealing.NotOurs):
                found.append(one.private(master))
    if not found:
        raise sealing.NotOurs(f"{stem}: is sealed to other holders")
    return found
