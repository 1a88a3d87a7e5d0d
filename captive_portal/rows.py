"""Answers of gatewayd about thousands of sessions: rows of fixed length in base64, not an object for each.

Both sides read and write them one by one, so that neither ever holds all of them as text and as objects at once.
"""

import struct
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

from captive_portal.admission import Admitted, Picture
from captive_portal.protocol import Counted
from captive_portal.streamed import Streamed
from parvis.addresses import MacAddress

_ADMITTED = struct.Struct("<6sLL")
"""MAC address, session, milliseconds left: 19 characters in base64."""
_COUNTED = struct.Struct("<LQQL")
"""Session, bytes up, bytes down, milliseconds left."""


def admitted(those: Iterable[tuple[bytes, int, float]]) -> bytes:
    """Rows for :func:`admitted_out`: (MAC address, session, seconds left) of each."""
    return b"".join([_ADMITTED.pack(mac, session, int(left * 1000)) for mac, session, left in those])


def admitted_out(rows: bytes | None) -> dict[str, Any]:
    """The answer to Everybody, *rows* from :func:`admitted`; None when nothing has changed."""
    return {"admitted": None if rows is None else b64encode(rows).decode("ascii")}


def admitted_in(said: Mapping[str, Any]) -> Picture | None:
    """Read the answer to Everybody; None when nothing has changed."""
    if said["admitted"] is None:
        return None
    return Picture(Everybody(b64decode(said["admitted"])), said["at"])


class Everybody(Streamed[MacAddress, Admitted]):
    """Whom the kernel admits, from :func:`admitted`."""

    def __init__(self, rows: bytes) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows) // _ADMITTED.size

    def __getitem__(self, mac: MacAddress) -> Admitted:
        return self._by_mac[mac]

    def each(self) -> Iterator[tuple[MacAddress, Admitted]]:
        """See :class:`Streamed`."""
        for mac, session, left in _ADMITTED.iter_unpack(self._rows):
            yield MacAddress(mac.hex(":")), Admitted(session, left / 1000)

    @cached_property
    def _by_mac(self) -> dict[MacAddress, Admitted]:
        """For who looks somebody up, which is seldom."""
        return dict(self.each())


def counted(counters: Iterable[Counted]) -> bytes:
    """Rows for :func:`counters_out`."""
    return b"".join([_COUNTED.pack(one[0], one[1], one[2], int(one[3] * 1000)) for one in counters])


def counters_out(rows: bytes) -> dict[str, Any]:
    """The answer to Counters, *rows* from :func:`counted`."""
    return {"sessions": b64encode(rows).decode("ascii")}


def counters_in(said: Mapping[str, Any]) -> Iterator[Counted]:
    """Read the answer to Counters, one after the other."""
    for session, up, down, left in _COUNTED.iter_unpack(b64decode(said["sessions"])):
        yield Counted(session, up, down, left / 1000)
