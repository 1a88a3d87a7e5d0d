"""One device to poll, as the inventory describes it, and the result of one poll."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from collectors.clocks import Verdict
from collectors.layout import Readings

if TYPE_CHECKING:
    from parvis.inventory import Site, Town

KINDS = {"AccessPoint": "access-point", "Switch": "switch", "Ups": "ups"}
"""By the inventory's classes, which the running service does without."""


@dataclass(frozen=True, slots=True)
class Device:
    """Whom to poll. *town* and *site* are empty in a one-shot poll.

    *credential* is a name of the inventory, *version* what it speaks: ``v1``, ``v2c`` or ``v3``.
    """

    name: str
    host: str
    port: int = 161
    credential: str = ""
    version: str = ""
    object_id: str | None = None
    kind: str = ""
    site: str = ""
    town: str = ""
    requests_per_second: float | None = None
    any_source: bool = False
    context: str = ""
    engine_id: str = ""
    slow_lane: bool = False
    behind: tuple[tuple[str, str], ...] = ()
    """Names and addresses of the site's access points, which a switch may have learned."""

    @property
    def labels(self) -> dict[str, str]:
        """The labels every sample of the device has."""
        given = {"town": self.town, "site": self.site, "device": self.name}
        return {name: value for name, value in given.items() if value}

    @property
    def addresses(self) -> tuple[str, ...]:
        """What a scraper may call it beside its name."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.host, f"{host}:{self.port}"


def devices(town: "Town") -> list[Device]:
    """Every device of *town* that is asked by SNMP."""
    return [
        Device(
            name=device.name,
            host=str(device.address),
            port=device.snmp.port,
            credential=device.snmp.credential,
            version=town.credential(device.snmp.credential).version,
            object_id=device.snmp.object_id,
            kind=KINDS[type(device).__name__],
            site=site.site,
            town=town.town,
            requests_per_second=device.snmp.requests_per_second,
            any_source=device.snmp.any_source,
            context=device.snmp.context,
            engine_id=device.snmp.engine_id or "",
            slow_lane=device.snmp.slow_lane,
            behind=_behind(site) if KINDS[type(device).__name__] == "switch" else (),
        )
        for site in town.sites
        for device in site.polled()
    ]


def _behind(site: "Site") -> tuple[tuple[str, str], ...]:
    return tuple((point.name, point.mac.text) for point in site.access_points)


@dataclass(frozen=True, slots=True)
class Polled:
    """A successful poll: what was found, and which profile gave it its meaning, and why."""

    samples: Readings
    profile: str
    title: str
    why: str
    description: str
    clients: int | None
    clock: Verdict | None
    faults: tuple[tuple[str, str], ...]
    """For each column whose walk ended in disorder: its OID and how."""
    implausible: int = 0
    """Values that were left out because no such thing can have them."""
    foreign: Readings = field(default_factory=lambda: Readings((), 0.0, ()))
    """What snmp_exporter's modules name, where the settings want some."""
    modules: tuple[str, ...] = ()
    """The modules that fit the device."""
    variables: int = 0
    """How many variables the tables had."""
    engine_id: bytes = b""
    """The SNMPv3 engine that answered; empty where none is known."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A poll that failed: the one-word reason, what happened, and what to do."""

    reason: str
    detail: str
    advice: str


Outcome = Polled | Failed
