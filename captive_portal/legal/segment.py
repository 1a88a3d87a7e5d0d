"""The sealed files' format: frames, each with the hash (SHA-256) of the frame before it. No disk, no clock.

A frame is written whole or its rest is cut off. The chain goes on from one file to the next of a store, so that a frame
or a file that was changed, left out or put elsewhere shows; the last hash, noted elsewhere, proves the end.
"""

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum

START = bytes(32)
"""What the first frame has for the hash of the one before."""
MAGIC = b"PVE1"
_HEAD = struct.Struct(">4sIQq32s")
"""Magic, length of the body, number, milliseconds since 1970 (UTC), hash of the frame before."""
LARGEST = 16 * 1024 * 1024


class Store(StrEnum):
    """The stores; no program joins them, and each has keys of its own."""

    SOURCE = "A"
    """Who had which address and ports (CPCE R.10-13 IV)."""
    TRAFFIC = "B"
    """Communications and their recipients (R.10-13 V), only while an injunction is in force."""
    SECURITY = "C"
    """What the security of the network needs (R.10-14 IV)."""


class Broken(Exception):
    """The chain is broken: a frame was changed, left out or cut. Whoever keeps the machine must explain it."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One sealed block; *hash* is its own."""

    number: int
    at: int
    before: bytes
    body: bytes
    hash: bytes


@dataclass(frozen=True, slots=True)
class Name:
    """What a sealed file is called: ``A-gw-msp-2026-11-30-000012.sealed``; *number* rises by one from file to file."""

    store: Store
    gateway: str
    day: date
    number: int

    def __str__(self) -> str:
        return f"{self.store.value}-{self.gateway}-{self.day.isoformat()}-{self.number:06}.sealed"

    @property
    def key(self) -> str:
        """What the file with the day's key is called."""
        return key_name(self.store, self.gateway, self.day)

    def about(self, number: int) -> str:
        """The words a block is sealed with: moved to another place it does not open."""
        return f"parvis evidence {self.store.value} {self.gateway} {self.day.isoformat()} {number}"

    @classmethod
    def read(cls, text: str) -> "Name":
        """The name *text* spells; ValueError when it is none of ours.

        >>> Name.read("A-gw-msp-2026-11-30-000012.sealed").gateway
        'gw-msp'
        """
        rest, dot, ending = text.rpartition(".")
        store, _, rest = rest.partition("-")
        rest, _, number = rest.rpartition("-")
        gateway, day = rest[: -len("-2026-11-30")], rest[-len("2026-11-30") :]
        made = cls(Store(store), gateway, date.fromisoformat(day), int(number))
        if (dot, ending) != (".", "sealed") or str(made) != text or "/" in text:
            raise ValueError(f"{text} is not the name of a sealed file")
        return made


def key_name(store: Store, gateway: str, day: date) -> str:
    """What the file with the key of *day* is called."""
    return f"{store.value}-{gateway}-{day.isoformat()}.key"


def day_of(milliseconds: int) -> date:
    """The UTC day of a moment."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).date()


def frame(number: int, at: int, before: bytes, body: bytes) -> bytes:
    """One frame as it is written."""
    return _HEAD.pack(MAGIC, len(body), number, at, before) + body


def frames(data: bytes) -> Iterator[Frame]:
    """The whole frames in *data*; a cut last one is left out, anything else that is no frame is Broken."""
    offset = 0
    while offset + _HEAD.size <= len(data):
        magic, length, number, at, before = _HEAD.unpack_from(data, offset)
        if magic != MAGIC or length > LARGEST:
            raise Broken(f"no frame begins at octet {offset}")
        end = offset + _HEAD.size + length
        if end > len(data):
            return
        yield Frame(number, at, before, data[offset + _HEAD.size : end], hash_of(data[offset:end]))
        offset = end


def whole(data: bytes) -> int:
    """How many octets of *data* are whole frames."""
    return sum(_HEAD.size + len(one.body) for one in frames(data))


def hash_of(data: bytes) -> bytes:
    """SHA-256."""
    return hashlib.sha256(data).digest()


def follow(before: Frame | None, one: Frame, where: str) -> None:
    """Broken unless *one* follows *before*; what the oldest frame there is follows from may be erased already."""
    if before is not None and (one.number != before.number + 1 or one.before != before.hash):
        raise Broken(f"{where}, block {one.number}: does not follow from block {before.number}")
