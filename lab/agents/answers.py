"""What an agent answers to a request, given its tree: GET, GETNEXT, GETBULK (RFC 3416, v1 as RFC 1157). No I/O."""

import itertools
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass

from lab.agents import ber
from lab.agents.ber import Binding, Cell, Oid, Request

Tree = Mapping[Oid, Cell]

MAX_BINDINGS = 60
"""A response stays within one Ethernet frame or a little more; GETBULK may answer less than asked."""
TOO_BIG, NO_SUCH_NAME, NOT_WRITABLE = 1, 2, 17
SNMP_V1 = 0


@dataclass(frozen=True, slots=True)
class Manners:
    """How an agent walks and answers; the default is as the standard says."""

    most: int = 0
    """Bindings that fit a reply; more are ``tooBig``. 0: as many as are asked for."""
    text_order: bool = False
    """Rows come as their indexes sort as text: 1, 10, 2."""
    endless: bool = False
    """A column has no end: after its last row comes another."""
    repeating: bool = False
    """What follows an object is that object again."""


class Picture:
    """A device's tree at one moment, in order; *look* gives a value when it is asked for."""

    def __init__(self, names: Sequence[Oid], look: Callable[[Oid], Cell], manners: Manners | None = None) -> None:
        self.manners = manners or Manners()
        self._order = sorted(names)
        self._look = look
        self._known = frozenset(names)
        self._next = _text_order(self._order) if self.manners.text_order else {}

    @classmethod
    def of(cls, tree: Tree, manners: Manners | None = None) -> "Picture":
        """A picture of values that do not move."""
        return cls(tuple(tree), tree.__getitem__, manners)

    def seen(self, look: Callable[[Oid], Cell]) -> "Picture":
        """The same objects with other values."""
        other = copy(self)
        other._look = look  # noqa: SLF001 of our own kind
        return other

    def get(self, name: Oid) -> Cell:
        """The value of *name*, or noSuchObject."""
        return self._look(name) if name in self._known else (ber.NO_SUCH_OBJECT, None)

    def after(self, name: Oid) -> Binding:
        """The first object after *name*; endOfMibView when there is none."""
        if self.manners.repeating and name in self._known:
            return name, self._look(name)
        found = self._next.get(name) or self._following(name)
        if self.manners.endless and name[:-1] != found[:-1] and self._is_row(name):
            return (*name[:-1], name[-1] + 1), (ber.INTEGER, 1)
        return (found, self._look(found)) if found else (name, (ber.END_OF_MIB, None))

    def _following(self, name: Oid) -> Oid:
        position = bisect_right(self._order, name)
        return self._order[position] if position < len(self._order) else ()

    def _is_row(self, name: Oid) -> bool:
        """Whether *name* lies in a column we have, though perhaps after its end."""
        position = bisect_right(self._order, name) - 1
        return position >= 0 and self._order[position][:-1] == name[:-1] and name[-1] > 0


def _text_order(order: Sequence[Oid]) -> dict[Oid, Oid]:
    """Each object -> what follows it where rows are sorted as text, as some agents do."""
    wrong = sorted(order, key=lambda name: (name[:-1], str(name[-1])))
    return dict(itertools.pairwise(wrong))


def response(request: Request, picture: Picture, version: int = 1) -> bytes | None:
    """The Response-PDU to *request*; None for a PDU an agent does not answer."""
    if request.kind == ber.SET:
        return ber.pdu(ber.RESPONSE, request.number, NOT_WRITABLE, 1, _echo(request))
    found = list(_bindings(request, picture)) if request.kind in {ber.GET, ber.GET_NEXT, ber.GET_BULK} else None
    if found is None:
        return None
    if 0 < picture.manners.most < len(found):
        return ber.pdu(ber.RESPONSE, request.number, TOO_BIG, 0, [])
    missing = next((place for place, (_, (tag, _)) in enumerate(found, 1) if tag >= ber.NO_SUCH_OBJECT), 0)
    if version == SNMP_V1 and missing:
        return ber.pdu(ber.RESPONSE, request.number, NO_SUCH_NAME, missing, _echo(request))
    return ber.pdu(ber.RESPONSE, request.number, 0, 0, found)


def _echo(request: Request) -> list[Binding]:
    return [(name, (ber.NULL, None)) for name in request.names]


def _bindings(request: Request, picture: Picture) -> Iterator[Binding]:
    if request.kind == ber.GET:
        yield from ((name, picture.get(name)) for name in request.names)
    elif request.kind == ber.GET_NEXT:
        yield from map(picture.after, request.names)
    else:
        single = max(request.first, 0)
        yield from map(picture.after, request.names[:single])
        yield from _repeated(request.names[single:], request.second, picture)


def _repeated(names: Sequence[Oid], times: int, picture: Picture) -> Iterator[Binding]:
    current = list(names)
    for _ in range(min(times, MAX_BINDINGS // max(1, len(names)))):
        row = [picture.after(name) for name in current]
        yield from row
        if all(tag == ber.END_OF_MIB for _, (tag, _) in row):
            return
        current = [name for name, _ in row]
