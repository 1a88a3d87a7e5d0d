"""How many clients each access point has, as one number, whether its device tells them radio by radio or in all.

And whether it tells them: a table that is empty says nothing, which is neither nobody nor that the radios are off.
No I/O, no clock.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from collectors.layout import Layout, Part, layout

BY_RADIO, IN_ALL = "wifi_radio_clients", "wifi_clients"
TOTAL = "wifi_ap_clients"
SOURCES = frozenset((BY_RADIO, IN_ALL))
RADIO_UP, STATE = "wifi_radio_up", "wifi_clients_state"
State = Literal["counted", "off", "not_exposed"]
"""Of an access point: its clients are counted; all its radios are off; it does not tell them by SNMP."""


@dataclass(slots=True)
class Clients:
    """The sums of one device; what has to be added up is worked out once for the same series."""

    _seen: tuple[Layout, ...] = ()
    _points: tuple[tuple[str, ...], ...] = ()
    """For each part the access point of each of its series; the empty word is the device itself."""
    _told: Layout | None = None

    def of(self, parts: Iterable[Part]) -> Part | None:
        """The clients of each access point in *parts*; None where they are not told."""
        sources = [part for part in parts if part.layout.metric in SOURCES]
        if not sources:
            return None
        seen = tuple([part.layout for part in sources])
        if seen != self._seen:
            self._seen = seen
            self._points = tuple(tuple(dict(labels).get("ap", "") for labels in each.rows.each()) for each in seen)
        found = totals([(p.layout.metric, names, p.values) for p, names in zip(sources, self._points, strict=True)])
        labels = [(("ap", name),) if name else () for name in found]
        if self._told is None or tuple(self._told.rows.each()) != tuple(labels):
            self._told = layout(TOTAL, labels)
        return Part(self._told, list(found.values()))


def totals(told: Sequence[tuple[str, Sequence[str], Sequence[float | None]]]) -> dict[str, float]:
    """The clients of each access point; *told* are metrics with the access point and the value of each series.

    Radios are added up; what is told in all counts where no radio is told. A controller's own sum is no access point
    where it names some.

    >>> totals([("wifi_radio_clients", ("a", "a", "b"), (1, 2, None)), ("wifi_clients", ("b", ""), (7, 10))])
    {'a': 3, 'b': 7}
    >>> totals([("wifi_radio_clients", ("", ""), (4, 0)), ("wifi_clients", ("",), (5,))])
    {'': 4}
    """
    found: dict[str, float] = {}
    for metric in (BY_RADIO, IN_ALL):
        here: dict[str, float] = {}
        for each, points, values in told:
            if each == metric:
                for point, value in zip(points, values, strict=True):
                    if value is not None:
                        here[point] = here.get(point, 0) + value
        found = {**here, **found}
    if len(found) > 1 and not any(each == BY_RADIO and "" in points for each, points, _ in told):
        found.pop("", None)
    return dict(sorted(found.items()))


def state(parts: Iterable[Part], *, is_counted: bool) -> Part:
    """What an access point tells of its clients; *is_counted*: a number of them."""
    radios = {value for part in parts if part.layout.metric == RADIO_UP for value in part.values} - {None}
    if radios and not any(radios):
        return Part(_of_state("off"), [1.0])
    return Part(_of_state("counted" if is_counted else "not_exposed"), [1.0])


@cache
def _of_state(word: State) -> Layout:
    return layout(STATE, [(("state", word),)])
