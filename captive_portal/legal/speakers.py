"""Who holds which IPv6 address: who has spoken from it, by the ruleset's sets known6 and came6. No clock, no I/O.

A device that was silent for ten minutes can lose its address to another (RFC 6620); known6 remembers it for an hour all
the same. From when the other came on, it holds the address no more, until it speaks again.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from captive_portal.legal.bindings import Thing


class Held(NamedTuple):
    """Who holds an address now; and of those that came or were displaced, when that was (milliseconds)."""

    things: set[Thing]
    moments: dict[Thing, int]


def held(spoken: Mapping[Thing, int], begun: Mapping[Thing, int], since: int) -> Held:
    """Who holds what. *spoken*: when each spoke last; *begun*: when it first did, where known; *since*: the last look.

    >>> old, heir = Thing("six", "02:00:00:00:00:01", "2001:db8::1"), Thing("six", "02:00:00:00:00:02", "2001:db8::1")
    >>> held({old: 1000, heir: 900_500}, {old: 500, heir: 900_000}, 899_000) == ({heir}, {old: 900_000, heir: 900_000})
    True
    """
    by_address: defaultdict[str, list[Thing]] = defaultdict(list)
    for thing, at in spoken.items():
        if thing in begun or at >= since:  # else it was displaced before
            by_address[thing.ip].append(thing)
    things, moments = set(), {thing: begun[thing] for thing in spoken if thing in begun}
    for sharers in by_address.values():
        heir = max(sharers, key=lambda one: (begun.get(one, since), spoken[one]))
        came = begun.get(heir, since)
        for thing in sharers:
            if thing is heir or spoken[thing] >= came:
                things.add(thing)
            else:
                moments[thing] = came
    return Held(things, moments)
