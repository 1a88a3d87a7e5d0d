"""Reading an answer that is known beforehand but for its values: by comparing octets with those expected."""

# ruff: noqa: PLR2004 the octets of X.690 are best read as they stand there

from collections.abc import Sequence
from dataclasses import dataclass

from collectors.snmp import ber
from collectors.snmp.ber import RawOid, Value

Filled = list[Value] | None
"""The values of a question's cells in order, fewer when the answer was cut short; None: not what was expected."""
Awaited = tuple[bytes, int, int]
"""A cell: its encoded name with the tag of its value; how many octets they are; how many octets an unsigned number may
have to be read at once (-1: a signed one; 0: whatever else)."""


@dataclass(frozen=True, slots=True)
class Expected:
    """Reads an answer that must consist of these cells; *guards* are the columns that must have ended."""

    guards: tuple[RawOid, ...]
    cells: tuple[Awaited, ...]
    are_unsigned: bool

    def __call__(self, data: bytes, at: int, end: int) -> Filled:
        """The values between *at* and *end*, or None; Malformed when it is no list of variable bindings."""
        behind = self.behind_guards(data, at, end)
        return None if behind is None else self.fill(data, behind, end)

    def fill(self, data: bytes, at: int, end: int) -> Filled:
        """The values of the cells alone."""
        found = unsigned(data, at, end, self.cells) if self.are_unsigned else None
        return fill(data, at, end, self.cells) if found is None else found

    def behind_guards(self, data: bytes, at: int, end: int) -> int | None:
        """Where the cells begin; None when a column goes on where it should have ended."""
        for root in self.guards:
            if at < end:
                (name, tag, _), at = _varbind(data, at, end)
                if tag != ber.END_OF_MIB_VIEW and name.startswith(root):
                    return None
        return at


def unsigned(data: bytes, at: int, end: int, cells: Sequence[Awaited]) -> list[Value] | None:
    """Read the values of *cells*, all unsigned numbers, as they are usually spelled; None: they are not.

    This loop is where a poll spends its time. A name that compares equal ends inside *data*, each binding is filled by
    its value and as long as it says, and what was found counts only if the last one ends at *end*.
    """
    found: list[bytes] = []
    put = found.append
    try:
        for name, length, width in cells:
            size_at = at + 2 + length
            first = size_at + 1
            stop = at + 2 + data[at + 1]
            if data[at + 2 : size_at] != name or first + data[size_at] != stop or data[at] != 0x30 or first == stop:
                return None
            if stop > first + width and (data[first] or stop > first + width + 1):
                return None  # one octet more is the zero before a first bit that is set
            put(data[first:stop])
            at = stop
    except IndexError:
        return None
    return list(map(int.from_bytes, found)) if at == end else None


def fill(data: bytes, at: int, end: int, cells: Sequence[Awaited]) -> Filled:
    """Read the values of *cells* where each must stand, however they are spelled.

    Each index lies below *end* before it is used: a name that compares equal ends inside *data*, the binding's stop is
    checked against *end* and the value's length against that stop. Whatever is spelled unusually is read step by step.
    """
    found: list[Value] = []
    put = found.append
    begins = data.startswith
    from_bytes = int.from_bytes
    for name, length, width in cells:
        if begins(name, at + 2):
            size_at = at + 2 + length
            stop = at + 2 + data[at + 1]
            if size_at < stop <= end and data[at] == 0x30 and data[at + 1] < 0x80:
                size = data[size_at]
                if size_at + 1 + size == stop and size < 0x80:
                    if 0 < size <= width or (size == width + 1 > 1 and not data[size_at + 1]):
                        put(from_bytes(data[size_at + 1 : stop], "big"))
                    elif width < 0 < size <= 4:
                        put(from_bytes(data[size_at + 1 : stop], "big", signed=True))
                    else:
                        put(ber.value(name[-1], data[size_at + 1 : stop]))
                    at = stop
                    continue
        if at >= end:
            break
        (other, tag, value), at = _varbind(data, at, end)
        if ber.tlv(ber.OBJECT_IDENTIFIER, other) != name[:-1] or tag != name[-1]:
            return None
        put(value)
    return found


def _varbind(data: bytes, at: int, end: int) -> tuple[ber.VarBind, int]:
    _, stop = ber.expect(data, at, end, ber.SEQUENCE)
    [found] = ber.read_varbinds(data, at, stop)
    return found, stop


def awaited(name: RawOid, tag: int) -> Awaited:
    """What is expected of a cell."""
    octets = ber.tlv(ber.OBJECT_IDENTIFIER, name) + bytes((tag,))
    return octets, len(octets), -1 if tag == ber.INTEGER else ber.WIDTH.get(tag, 0)


def expected(guards: tuple[RawOid, ...], cells: Sequence[Awaited]) -> Expected:
    """What reads *cells*, behind *guards*."""
    are_unsigned = all(width > 0 and length + 2 + width < 0x80 for _, length, width in cells)
    return Expected(guards, tuple(cells), are_unsigned)
