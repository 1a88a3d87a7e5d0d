"""Behind which port of a switch an access point of the inventory sits, from the addresses the switch has learned.

Only the addresses of the inventory's own equipment are asked for, each by its name (BRIDGE-MIB dot1dTpFdbPort,
RFC 4188): the table itself, which holds residents' addresses, is never read. No I/O, no clock.
"""

from collections.abc import Iterable, Mapping
from functools import cache

from collectors.column import Column, IndexPart
from collectors.profile import Condition, Label, Match, Profile, Rule, Table

BASE_PORT = "1.3.6.1.2.1.17.1.4.1"
LEARNED = "1.3.6.1.2.1.17.4.3.1.2"


@cache
def profile(equipment: tuple[tuple[str, str], ...]) -> Profile:
    """What to ask a switch about *equipment*, names and addresses."""
    places = {f"learned_{number}": named for number, named in enumerate(equipment)}
    return Profile(
        profile="bridge",
        title="Equipment behind ports",
        layer="base",
        match=(Match(probe=f"{BASE_PORT}.2"),),
        scalars={name: Column(oid=f"{LEARNED}.{dotted(mac)}", absent=(0,)) for name, (_, mac) in places.items()},
        tables={
            "bridge_port": Table(
                oid=BASE_PORT,
                columns={"ifindex": Column(arc=2)},
                index={"base": IndexPart(at=0)},
                every="hour",
                derive="bridge",
            )
        },
        metrics=tuple(_rules(places)),
    )


def _rules(places: Mapping[str, tuple[str, str]]) -> Iterable[Rule]:
    for column, (name, _) in places.items():
        port = Label(of="bridge_port", by=column, key="base", column="port")
        labels: dict[str, tuple[Label, ...]] = {"port": (port,), "behind": (Label(text=name),)}
        yield Rule(metric="port_device_info", labels=labels, where={column: Condition(matches=".")})


def dotted(mac: str) -> str:
    """An address as it stands in an index.

    >>> dotted("02:00:5e:01:03:0a")
    '2.0.94.1.3.10'
    """
    return ".".join(str(int(part, 16)) for part in mac.split(":"))
