"""What an agent answers to a request, given its tree: GET, GETNEXT, GETBULK (RFC 3416). No I/O."""

from bisect import bisect_right
from collections.abc import Iterator
from typing import Any

from pysnmp.proto import api, rfc1905

from lab.agents.tables import Oid, Tree

protocol = api.PROTOCOL_MODULES[api.SNMP_VERSION_2C]
Bindings = list[tuple[Any, Any]]

MAX_BINDINGS = 60
"""A response stays within one Ethernet frame or a little more; GETBULK may answer less than asked."""
NOT_WRITABLE = 17


class Picture:
    """A device's tree at one moment, in order."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._order = sorted(tree)

    def get(self, oid: Oid) -> Any:
        """The value of *oid*, or noSuchObject."""
        return self._tree.get(oid, rfc1905.noSuchObject)

    def after(self, oid: Oid) -> tuple[Oid, Any]:
        """The first object after *oid*; endOfMibView when there is none."""
        position = bisect_right(self._order, oid)
        if position == len(self._order):
            return oid, rfc1905.endOfMibView
        found = self._order[position]
        return found, self._tree[found]


def response(request: Any, picture: Picture) -> Any:
    """The Response-PDU to *request*; None for a PDU an agent does not answer."""
    names = [tuple(name) for name, _ in protocol.apiPDU.get_varbinds(request)]
    kind = type(request)
    answer = protocol.GetResponsePDU()
    protocol.apiPDU.set_defaults(answer)
    protocol.apiPDU.set_request_id(answer, protocol.apiPDU.get_request_id(request))
    if kind is rfc1905.SetRequestPDU:
        protocol.apiPDU.set_error_status(answer, NOT_WRITABLE)
        protocol.apiPDU.set_error_index(answer, 1)
        protocol.apiPDU.set_varbinds(answer, protocol.apiPDU.get_varbinds(request))
        return answer
    bindings = _bindings(request, kind, names, picture)
    if bindings is None:
        return None
    protocol.apiPDU.set_varbinds(answer, bindings)
    return answer


def _bindings(request: Any, kind: type, names: list[Oid], picture: Picture) -> Bindings | None:
    if kind is rfc1905.GetRequestPDU:
        return [(name, picture.get(name)) for name in names]
    if kind is rfc1905.GetNextRequestPDU:
        return [picture.after(name) for name in names]
    if kind is rfc1905.GetBulkRequestPDU:
        single = int(protocol.apiBulkPDU.get_non_repeaters(request))
        times = int(protocol.apiBulkPDU.get_max_repetitions(request))
        return [picture.after(name) for name in names[:single]] + list(_repeated(names[single:], times, picture))
    return None


def _repeated(names: list[Oid], times: int, picture: Picture) -> Iterator[tuple[Oid, Any]]:
    current = list(names)
    for _ in range(min(times, MAX_BINDINGS // max(1, len(names)))):
        row = [picture.after(name) for name in current]
        yield from row
        if all(value is rfc1905.endOfMibView for _, value in row):
            return
        current = [name for name, _ in row]
