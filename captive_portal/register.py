"""The live sessions in memory, as the one writer keeps them, so that nothing is read from disk each second.

What a transaction changes is set apart until it is committed: what could not be written has not happened.
"""

from collections.abc import Collection, ItemsView, Iterable, Iterator, Mapping

from captive_portal.admission import Wanted
from captive_portal.session import Policy
from captive_portal.store import Live
from captive_portal.streamed import Streamed
from parvis.addresses import MacAddress


class Register:
    """Who has a session. One thread changes it; any may ask :meth:`standing`, :meth:`of` and the length."""

    def __init__(self) -> None:
        self._live: dict[MacAddress, Live] = {}
        self._changed: dict[MacAddress, Live | None] = {}

    def get(self, mac: MacAddress) -> Live | None:
        """The session of *mac*, as this transaction sees it."""
        return self._changed[mac] if mac in self._changed else self._live.get(mac)

    def standing(self, mac: MacAddress) -> Live | None:
        """The session of *mac* that is on disk."""
        return self._live.get(mac)

    def put(self, mac: MacAddress, live: Live) -> None:
        """Give *mac* this session."""
        self._changed[mac] = live

    def remove(self, mac: MacAddress) -> None:
        """Take *mac*'s session away."""
        self._changed[mac] = None

    def items(self) -> ItemsView[MacAddress, Live]:
        """Every session on disk."""
        return self._live.items()

    def of(self, numbers: set[int]) -> dict[MacAddress, Live]:
        """The sessions on disk with these numbers."""
        return {mac: live for mac, live in list(self._live.items()) if live.number in numbers}

    def __len__(self) -> int:
        """How many there are, as this transaction sees it."""
        more = sum((live is not None) - (mac in self._live) for mac, live in self._changed.items())
        return len(self._live) + more

    def commit(self) -> dict[MacAddress, Live | None]:
        """What was changed is on disk now; returns it."""
        done, self._changed = self._changed, {}
        for mac, live in done.items():
            if live is None:
                self._live.pop(mac, None)
            else:
                self._live[mac] = live
        return done

    def rollback(self) -> None:
        """What was changed could not be written."""
        self._changed = {}

    def agrees(self, live: Iterable[tuple[MacAddress, Live]]) -> bool:
        """Whether the disk says exactly the same."""
        count = 0
        for count, (mac, one) in enumerate(live, 1):  # noqa: B007 how many there were is what is wanted
            if _times(one) != _times(self._live.get(mac)):
                return False
        return count == len(self._live)

    def replace(self, live: dict[MacAddress, Live]) -> int:
        """Take what the disk says instead; returns for how many devices that is different."""
        before, self._live = self._live, live
        if not before:
            return len(live)
        wrong = sum(_times(one) != _times(before.get(mac)) for mac, one in live.items())
        return wrong + sum(mac not in live for mac in before)


class People(Streamed[MacAddress, Wanted]):
    """Whom the kernel should admit: everybody of the register, at the rates of *policy*, and the *known* equipment."""

    def __init__(
        self, register: Register, slowed: Collection[int], policy: Policy, known: Mapping[MacAddress, Wanted]
    ) -> None:
        """*slowed*: numbers of the sessions that are over their quota."""
        self._register, self._slowed, self._known = register, slowed, known
        self._fast, self._slow = policy.rates(slowed=False), policy.rates(slowed=True)

    def __getitem__(self, mac: MacAddress) -> Wanted:
        if mac in self._known:
            return self._known[mac]
        live = self._register.standing(mac)
        if live is None:
            raise KeyError(mac)
        return self._wanted(live)

    def __len__(self) -> int:
        return sum(1 for _ in self.each())

    def each(self) -> Iterator[tuple[MacAddress, Wanted]]:
        """See :class:`Streamed`."""
        yield from self._known.items()
        for mac, live in self._register.items():
            if mac not in self._known:
                yield mac, self._wanted(live)

    def _wanted(self, live: Live) -> Wanted:
        return Wanted(live.number, live.session.deadline, *(self._slow if live.number in self._slowed else self._fast))


def _times(live: Live | None) -> object:
    return live and (live.number, live.session)
