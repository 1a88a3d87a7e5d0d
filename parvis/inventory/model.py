"""What exists in a town: places, equipment, people. One YAML file describes the town, one each site."""

from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field

from parvis.inventory.contracts import Line
from parvis.inventory.people import Channel, Name, Person, Rota
from parvis.inventory.places import Location, OpenData, Pictogram, SiteKind
from parvis.inventory.planned import Maintenance, Ups
from parvis.inventory.snmp import CommunityCredential, Credential, Snmp, UserCredential
from parvis.inventory.wording import Appearance, EmergencyNumber, Legal, OnlineService, Part, Text
from parvis.languages import Language
from parvis.values import Duration, Mac, Rate, Size

Interface = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.-]{1,14}$")]
"""A Linux interface name; IFNAMSIZ leaves 15 characters. ``up`` and ``br`` are keywords of ip(8)."""
Host = Annotated[str, Field(pattern=r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$", max_length=200)]
"""A DNS name (RFC 1123), lower case."""


def _known_zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{text!r} is not a time zone; write a tz database name such as Europe/Paris") from error
    return text


def _french_first(languages: tuple[Language, ...]) -> tuple[Language, ...]:
    if languages[:1] != ("fr",) or len(set(languages)) != len(languages):
        raise ValueError("languages begin with fr, which prevails, and name each once; write [fr, en, ...]")
    return languages


class Vendor(StrEnum):
    """Makers of equipment the collectors have met."""

    UBIQUITI = "ubiquiti"
    MIKROTIK = "mikrotik"
    ARUBA = "aruba"
    HPE = "hpe"
    OPENWRT = "openwrt"
    NET_SNMP = "net-snmp"
    OTHER = "other"


class Contact(Part):
    """Where residents ask for help."""

    email: str = Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
    phone: str = Field(pattern=r"^\+[0-9 ]{8,20}$")


Length = Annotated[Duration, Field(ge=10, le=7 * 86400)]
DeviceRate = Annotated[Rate, Field(ge=64_000)]


class Offer(Part):
    """What a policy may grant or limit besides time and rates; what is absent is not limited.

    *idle*: a session ends after so many seconds without a byte in either direction. *remember*: seconds for which an
    acceptance admits a device that comes back without a tap, at most until the terms change. *quota*: bytes of a
    session in both directions, IP headers included; beyond it the device gets *slow_down* and *slow_up*, and is never
    cut. *max_devices* at once at the site. *hours*: whether the door keeps the building's opening hours.
    """

    idle: Annotated[Duration, Field(ge=60, le=7 * 86400)] | None = None
    remember: Annotated[Duration, Field(ge=60, le=365 * 86400)] | None = None
    quota: Annotated[Size, Field(ge=10_000_000)] | None = None
    slow_down: DeviceRate = 1_000_000
    slow_up: DeviceRate = 512_000
    max_devices: Annotated[int, Field(ge=1, le=60_000)] | None = None
    hours: Literal["always", "building"] = "always"


class PortalPolicy(Offer):
    """What a resident is offered. *session* in seconds, rates in bits per second."""

    host: Host
    terms_version: str = Field(pattern=r"^\d+\.\d+\.\d+$")
    session: Length
    rate_down: DeviceRate
    rate_up: DeviceRate


class SitePolicy(Offer):
    """What differs at one site; all the rest is the town's."""

    host: Host | None = None
    terms_version: str | None = Field(None, pattern=r"^\d+\.\d+\.\d+$")
    session: Length | None = None
    rate_down: DeviceRate | None = None
    rate_up: DeviceRate | None = None

    def changes(self) -> dict[str, Any]:
        """Field -> value, of what the site's file says; ``idle: null`` is said, ``session: null`` is not."""
        said = ((name, getattr(self, name)) for name in self.model_fields_set)
        return {name: value for name, value in said if value is not None or name in Offer.model_fields}


class KnownDevice(Part):
    """A printer, a kiosk: admitted as long as it is listed, without page, session or opening hours."""

    mac: Mac
    title: str = Field(min_length=1, max_length=80)
    why: str = Field(min_length=1, max_length=200)


class Gateway(Part):
    """The site's gateway. *address* is on the management network; interfaces are those of the Linux machine."""

    name: Name
    address: IPv4Address
    guest_interface: Interface = "guest0"
    management_interface: Interface = "mgmt0"
    uplink_interface: Interface = "wan0"


class FarEnd(Part):
    """The module at the other end of a fibre, where it is a switch of the town's too."""

    device: Name
    port: str = Field(min_length=1, max_length=40)


class Uplink(Part):
    """The site's fibre. *address* is the gateway's end, *peer* the operator's; *switch* and *port* hold the module.

    *far* is the module it is lit from, where the town can ask it; *line* is what the operator sold, with its promises.
    *targets*: at least two addresses beyond it that have nothing to do with each other; without it the town's.
    """

    name: Name
    operator: str = Field(min_length=1, max_length=80)
    contract: str = Field(min_length=1, max_length=80)
    capacity: Rate
    address: IPv4Address
    peer: IPv4Address
    ipv6: IPv6Address | None = None
    ipv6_peer: IPv6Address | None = None
    switch: Name
    port: str = Field(min_length=1, max_length=40)
    far: FarEnd | None = None
    hotline: str | None = Field(None, pattern=r"^\+[0-9 ]{8,20}$")
    """The operator's number for faults: it stands in the message of who is called."""
    line: Line | None = None
    targets: Annotated[tuple[IPv4Address | IPv6Address, ...], Field(min_length=2, max_length=8)] | None = None


class Switch(Part):
    """A switch on the management network."""

    name: Name
    vendor: Vendor
    model: str = Field(min_length=1, max_length=80)
    address: IPv4Address
    snmp: Snmp


class AccessPoint(Part):
    """An access point, and the switch port that feeds it. *mac* is the equipment's own, never a resident's."""

    name: Name
    vendor: Vendor
    model: str = Field(min_length=1, max_length=80)
    address: IPv4Address
    mac: Mac
    snmp: Snmp
    switch: Name
    port: str = Field(min_length=1, max_length=40)
    place: Text
    under_threes: bool | None = None
    """Whether children under three are there; in a nursery it must be said."""


class GuestNetwork(Part):
    """The residents' network. The gateway has the first address; without *ipv6* the family is closed."""

    ipv4: IPv4Network
    ipv6: IPv6Network | None = None

    @property
    def gateway_ipv4(self) -> IPv4Address:
        """The gateway's address, first of the network."""
        return self.ipv4.network_address + 1

    @property
    def gateway_ipv6(self) -> IPv6Address | None:
        """The gateway's address, ``::1`` of the network; None where IPv6 is closed."""
        return self.ipv6.network_address + 1 if self.ipv6 else None


class ManagementNetwork(Part):
    """The equipment's network."""

    ipv4: IPv4Network


class Site(Part):
    """One place with public Wi-Fi. *class* A pages at any hour, B and C in the day."""

    site: Name
    title: Text
    kind: SiteKind
    site_class: Literal["A", "B", "C"] = Field(alias="class")
    opening_hours: str = Field(min_length=1, max_length=200)
    guest: GuestNetwork
    management: ManagementNetwork
    gateway: Gateway
    uplink: Uplink
    switches: tuple[Switch, ...] = Field(min_length=1)
    access_points: tuple[AccessPoint, ...] = Field(min_length=1)
    ups: tuple[Ups, ...] = ()
    radio_hours: str | None = Field(None, min_length=1, max_length=200)
    """When the access points are lit, as opening_hours are written; None: always."""
    radio_switch: bool = False
    """Whoever teaches switches the access points off and on."""
    location: Location | None = None
    pictogram: Pictogram | None = None
    school_council_informed: date | None = None
    portal: SitePolicy | None = None
    """What differs from the town's policy."""
    known_devices: Annotated[tuple[KnownDevice, ...], Field(max_length=1000)] = ()
    visitor: Mac | None = None
    """The interface of the resident that is a program (``parvis visitor``); what it accepts counts in no figure."""

    def polled(self) -> Iterator[Switch | AccessPoint | Ups]:
        """Every device that is asked by SNMP."""
        yield from self.switches
        yield from self.access_points
        yield from self.ups


class Centre(Part):
    """The town's machine room: collectors, monitor and staff reach every site from *ipv4*, over the fibres."""

    ipv4: IPv4Network

    @property
    def address(self) -> IPv4Address:
        """The machine's own address, first of the network."""
        return self.ipv4.network_address + 1


class TownFile(Part):
    """The content of town.yml."""

    town: Name
    title: Text
    timezone: Annotated[str, AfterValidator(_known_zone)]
    contact: Contact
    portal: PortalPolicy
    credentials: tuple[Credential, ...]
    internet_targets: tuple[IPv4Address | IPv6Address, ...] = Field(min_length=2)
    dns_upstream: tuple[IPv4Address | IPv6Address, ...] = Field(min_length=1)
    centre: Centre
    people: tuple[Person, ...] = Field(min_length=1)
    rota: Rota
    channels: Annotated[tuple[Channel, ...], Field(max_length=10)] = ()
    """The ways to reach people, best first."""
    outside_watch: str | None = Field(None, pattern=r"^https?://[^\s/]+$")
    """Where `parvis oncall watch` runs, outside the town: Alertmanager tells it when the monitor is silent."""
    maintenance: Annotated[tuple[Maintenance, ...], Field(max_length=500)] = ()
    """Announced work; what is decided on the spot is told to the monitor: `parvis oncall maintenance`."""
    languages: Annotated[tuple[Language, ...], AfterValidator(_french_first)] = ("fr", "en")
    services: Annotated[tuple[OnlineService, ...], Field(max_length=8)] = ()
    garden: Annotated[tuple[Host, ...], Field(max_length=32)] = ()
    """Names, with everything below them, that are reachable before acceptance: the walled garden."""
    emergency: Annotated[tuple[EmergencyNumber, ...], Field(max_length=8)] = ()
    news: Text | None = None
    appearance: Appearance = Appearance()
    legal: Legal | None = None
    open_data: OpenData | None = None
    network_name: Annotated[str, Field(min_length=1, max_length=32)] | None = None
    """The SSID, as posters and pages call it."""


class Town(TownFile):
    """The whole town: town.yml, its sites in the order of their names, the text files of its folder portal/."""

    sites: tuple[Site, ...]
    portal_files: dict[str, str] = Field(default_factory=dict)
    """Path below portal/ -> content; what is in them, the portal judges."""
    calendars: dict[str, str] = Field(default_factory=dict)
    """Path below rota/ -> iCalendar text that changes the rota; what is in them, the monitor judges."""
    events: dict[str, str] = Field(default_factory=dict)
    """Path below events/ -> iCalendar text of what goes on in the town (market, fête); the monitor judges it."""

    def policy(self, site: Site) -> PortalPolicy:
        """The portal policy in force at *site*: the town's, and what the site changes."""
        return self.portal.model_copy(update=site.portal.changes()) if site.portal else self.portal

    def beyond(self, site: Site) -> tuple[IPv4Address | IPv6Address, ...]:
        """Addresses of the internet that have nothing to do with each other, which *site* asks by its own uplink."""
        return site.uplink.targets or self.internet_targets

    def site(self, name: str) -> Site:
        """The site called *name*; KeyError with the names there are."""
        for site in self.sites:
            if site.site == name:
                return site
        raise KeyError(f"no site is called {name!r}; there are {', '.join(s.site for s in self.sites)}")

    def credential(self, name: str) -> CommunityCredential | UserCredential:
        """The credential called *name*; KeyError with the names there are."""
        for credential in self.credentials:
            if credential.name == name:
                return credential
        raise KeyError(f"no credential is called {name!r}; there are {', '.join(c.name for c in self.credentials)}")

    def snmp_secrets(self) -> list[str]:
        """The names of the secrets the credentials use."""
        return sorted({name for credential in self.credentials for name in credential.secrets})

    def channel_secrets(self) -> list[str]:
        """The names of the secrets the channels use; one a person where the name says ``{person}``."""
        named = {str(secret) for channel in self.channels if (secret := getattr(channel, "secret", None))}
        return sorted({name.replace("{person}", person.name) for name in named for person in self.people})
