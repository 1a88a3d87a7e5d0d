"""The values of a table that is asked by plan, held in little room: unsigned numbers eight octets each.

Counters are most of what a switch says; as objects of Python's each would take 40 octets. What is no unsigned number,
and what is asked together with it, stands in a list.
"""

from array import array
from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple, cast

from collectors.snmp.ber import Value

OCTETS_64 = "Q"
Take = Callable[[Sequence[Any]], Sequence[Any]]


class Where(NamedTuple):
    """Where values stand: among the numbers or the others, and there in *place*."""

    are_numbers: bool
    place: slice


class Values:
    """The values of one device's table; a plan says where each stands. *version* is raised when others are put."""

    __slots__ = ("numbers", "others", "version")

    def __init__(self, numbers: int, others: int) -> None:
        self.numbers: array[int] | list[Value] = array(OCTETS_64, bytes(8 * numbers))
        self.others: list[Value] = [None] * others
        self.version = 0

    def put(self, where: Where, values: Sequence[Value]) -> None:
        """Put *values*, as many as fit there; what is nothing cannot stand in an array, and makes it a list."""
        if not where.are_numbers:
            self.others[where.place] = values
            self.version += 1
            return
        if isinstance(self.numbers, array):
            try:
                self.numbers[where.place] = array(OCTETS_64, cast("Sequence[int]", values))
            except TypeError:
                self.numbers = list(self.numbers)
            else:
                return
        self.numbers[where.place] = values

    def take(self, where: Where) -> Sequence[Value]:
        """The values that stand there."""
        return (self.numbers if where.are_numbers else self.others)[where.place]


class Pick(NamedTuple):
    """Takes some values, always as a sequence. *are_numbers*: of which of both; None: of either, the whole given."""

    are_numbers: bool | None
    take: Callable[[Any], Sequence[Any]]

    def source(self, values: Values) -> Any:
        """What ``take`` takes of."""
        if self.are_numbers is None:
            return values
        return values.numbers if self.are_numbers else values.others


def picked(whereabouts: Sequence[tuple[bool, int]], cells: Iterable[int]) -> Pick:
    """The pick of *cells*, which stand as *whereabouts* says.

    >>> values = Values(4, 2)
    >>> values.put(Where(True, slice(0, 4)), [1, 2, 3, 4])
    >>> values.put(Where(False, slice(0, 2)), [b"a", b"b"])
    >>> there = [(True, 0), (True, 2), (False, 1)]
    >>> picks = [picked(there, cells) for cells in ([0, 1], [2], [1, 2])]
    >>> [list(pick.take(pick.source(values))) for pick in picks]
    [[1, 3], [b'b'], [3, b'b']]
    """
    found = [whereabouts[cell] for cell in cells]
    kinds = {are_numbers for are_numbers, _ in found}
    if len(kinds) > 1:
        return Pick(None, lambda values: [(values.numbers if where else values.others)[at] for where, at in found])
    return Pick(kinds.pop() if kinds else False, _getter([at for _, at in found]))


def _getter(places: Sequence[int]) -> Take:
    """Those at even distances as one slice."""
    if not places:
        return _nothing
    step = places[1] - places[0] if len(places) > 1 else 1
    stop = places[0] + step * len(places)
    if step > 0 and list(places) == list(range(places[0], stop, step)):
        return itemgetter(slice(places[0], places[-1] + 1, step))
    return itemgetter(*places)


def _nothing(_values: Sequence[Any]) -> tuple[()]:
    return ()
