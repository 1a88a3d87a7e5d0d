"""The portal without a network: an honest gateway in memory, a clock to turn, and residents who click."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from html.parser import HTMLParser
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from flask.testing import FlaskClient
from prometheus_client import CollectorRegistry
from werkzeug.test import TestResponse

from captive_portal import store_terms
from captive_portal.admission import Admitted, Allow, Block, Deny, Picture, Step, Unblock
from captive_portal.circumstances import Hours, Rules, always_open
from captive_portal.commands import session_policy
from captive_portal.devices import key
from captive_portal.doorkeeper import Doorkeeper
from captive_portal.forms import Signer
from captive_portal.funnel import counting
from captive_portal.page_facts import page_facts
from captive_portal.protocol import Counted, Seen, State, Truth
from captive_portal.pseudonym import Pseudonyms
from captive_portal.remote import GatewayAway
from captive_portal.returning import Returning
from captive_portal.session import Now
from captive_portal.standing import WELCOME, Standing
from captive_portal.store import Store
from captive_portal.store_directives import Directives
from captive_portal.store_migration import migrate
from captive_portal.timeline import Timeline
from captive_portal.web.application import create_app
from captive_portal.web.terms import terms
from captive_portal.web.visitor import Hall
from parvis.addresses import MacAddress
from parvis.catalogue import Instruments
from parvis.inventory import Town

ANNA = MacAddress.parse("02:00:00:00:00:0a")
SECRET = b"s" * 32
HOST = "wifi.cachan.example"


@dataclass
class Clock:
    """The time, as the test sets it."""

    boot: str = "boot-1"
    since_boot: float = 1000.0
    wall: float = 1_767_970_800.0
    """2026-01-09, 16:00 in Paris."""

    def __call__(self) -> Now:
        return Now(self.boot, self.since_boot, self.wall)

    def passes(self, seconds: float) -> None:
        self.since_boot += seconds
        self.wall += seconds


@dataclass
class MemoryGateway:
    """Does what nftables would: keeps sessions, expires them by itself, goes away when told."""

    clock: Clock
    away: bool = False
    people: dict[IPv4Address | IPv6Address, MacAddress] = field(default_factory=dict)
    sessions: dict[MacAddress, tuple[Allow, float]] = field(default_factory=dict)
    blocked: dict[MacAddress, float] = field(default_factory=dict)
    arrived: list[MacAddress] = field(default_factory=list)
    bytes: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Up and down, by session."""
    open_until: float = 0.0
    transactions: int = 0

    def identify(self, address: IPv4Address | IPv6Address) -> MacAddress | None:
        self._there()
        return self.people.get(address)

    def visitor(self, address: IPv4Address | IPv6Address) -> tuple[MacAddress | None, Truth | None]:
        mac = self.identify(address)
        return mac, self.session(mac) if mac else None

    def session(self, mac: MacAddress) -> Truth | None:
        found = self.admitted().get(mac)
        return Truth(found.session, found.seconds, *self.bytes.get(found.session, (0, 0))) if found else None

    def admitted(self) -> dict[MacAddress, Admitted]:
        self._there()
        now = self.clock.since_boot
        return {m: Admitted(a.session, end - now) for m, (a, end) in self.sessions.items() if end > now}

    def altered(self, *, surely: bool) -> Picture | None:  # noqa: ARG002 it never is sure itself
        return self.everybody_soon()

    def everybody_soon(self) -> Picture:
        return Picture(self.admitted(), self.clock.since_boot)

    def apply(self, steps: Iterable[Step]) -> None:
        self._there()
        todo = list(steps)
        self.transactions += bool(todo)
        for step in todo:
            if isinstance(step, Deny | Block):
                self.sessions.pop(step.mac, None)
            if isinstance(step, Block):
                self.blocked[step.mac] = self.clock.since_boot + int(step.seconds)
            if isinstance(step, Unblock):
                self.blocked.pop(step.mac, None)
            if isinstance(step, Allow):
                self.sessions[step.mac] = (step, self.clock.since_boot + int(step.seconds))

    def arrivals(self, after: int, wait: float) -> tuple[int, list[MacAddress]]:  # noqa: ARG002 as the real one
        self._there()
        return len(self.arrived), self.arrived[after:]

    def counters(self) -> Iterator[Counted]:
        for one in self.admitted().values():
            yield Counted(one.session, *self.bytes.get(one.session, (0, 0)), one.seconds)

    def counters_soon(self) -> Iterator[Counted]:
        return self.counters()

    def open(self, seconds: int) -> None:
        self._there()
        self.open_until = self.clock.since_boot + seconds

    def device(self, mac: MacAddress) -> Seen:
        truth = self.session(mac)
        number, seconds = (truth.session, truth.seconds) if truth else (None, None)
        up, down = self.bytes.get(number or 0, (0, 0))
        blocked = self.blocked.get(mac, 0.0) - self.clock.since_boot
        return Seen(None, 0, 0, None, number, seconds, up, down, blocked if blocked > 0 else None, None)

    def status(self) -> State:
        self._there()
        return State("", 0, max(0.0, self.open_until - self.clock.since_boot), {"auth": len(self.admitted())})

    def _there(self) -> None:
        if self.away:
            raise GatewayAway("away")


class House:
    """A portal ready to be visited."""

    def __init__(self, town: Town, folder: Path, **limits: Any) -> None:
        """*limits*: fields of the policy that are not the town's."""
        self.clock = Clock()
        self.remember = limits.pop("remember", 0.0)
        self.hours: Hours = always_open
        self.radio: Hours = always_open
        self.known: dict[MacAddress, str] = {}
        self.gateway = MemoryGateway(self.clock)
        self.facts = page_facts(town, town.sites[0])
        self.policy = replace(session_policy(town.policy(town.sites[0])), **limits)
        self.database = folder / "portal.sqlite3"
        migrate(self.database)
        self.store = Store(self.database)
        self.registry = CollectorRegistry()
        self.instruments = Instruments("portal", self.registry)
        self.fibre = True
        self.stands: Standing = WELCOME
        self.directives = Directives(self.store, self.facts.site, self.clock)
        self.timeline = Timeline(Pseudonyms(b"p" * 32), ZoneInfo(town.timezone), self.clock, counting(self.instruments))
        self.doorkeeper = self.new_doorkeeper(self.instruments)
        self.app = create_app(self.hall())

    def new_doorkeeper(self, instruments: Instruments | None = None) -> Doorkeeper:
        """A doorkeeper as after a restart of the process."""
        return Doorkeeper(
            self.store,
            self.gateway,
            self.policy,
            instruments or Instruments("portal", CollectorRegistry()),
            self.clock,
            self.timeline.note,
            Returning(SECRET, self.remember, self.facts.terms_version),
            Rules(self._hours, self.directives.standing, lambda mac: key(mac, SECRET), self.known),
        )

    def _hours(self, wall: float) -> tuple[bool, float | None]:
        return self.hours(wall)

    def standing(self, mac: MacAddress, truth: Truth | None = None) -> Standing:
        """As the doorkeeper says, unless the test has set something."""
        return self.doorkeeper.standing(mac, truth) if self.stands is WELCOME else self.stands

    def hall(self) -> Hall:
        texts = {language: terms(self.facts, self.facts.terms_version, language) for language in self.facts.languages}
        shown = [store_terms.Shown(self.facts.terms_version, one.language, one.html) for one in texts.values()]
        store_terms.keep(self.store, shown, self.clock.wall)
        return Hall(
            facts=self.facts,
            terms=texts,
            door=self.gateway,
            doorkeeper=self.doorkeeper,
            signer=Signer(b"k" * 32),
            clock=self.clock,
            uplink=lambda: self.fibre,
            instruments=self.instruments,
            timeline=self.timeline,
            directives=self.directives,
            standing=self.standing,
            radio=self.radio,
            record=self.store.record,
            shown=partial(store_terms.read, self.store),
            pause=lambda _seconds: None,
        )

    def ends_orders(self) -> None:
        """Staff end every order that is in force."""
        for given in self.directives.standing():
            self.directives.end(given.number, "agent")

    def value(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(name, labels) or 0.0

    def visitor(self, address: str = "10.11.0.5", mac: MacAddress | None = ANNA) -> "Visitor":
        if mac is not None:
            self.gateway.people[ip_address(address)] = mac
        return Visitor(self.app.test_client(use_cookies=False), address)


@dataclass
class Visitor:
    """Somebody with a browser."""

    client: FlaskClient
    address: str

    def get(self, path: str, **headers: str) -> TestResponse:
        return self._open(path, "GET", headers)

    def post(self, path: str, data: Any = None, **headers: str) -> TestResponse:
        return self._open(path, "POST", headers, data=data)

    def _open(self, path: str, method: str, headers: dict[str, str], **more: Any) -> TestResponse:
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        environment = {"REMOTE_ADDR": self.address}
        if "Host" in named:
            environment["HTTP_HOST"] = named.pop("Host")
        return self.client.open(
            path, method=method, base_url=f"https://{HOST}", headers=named, environ_overrides=environment, **more
        )

    def token(self, page: str = "/fr/", form: str = "accept") -> str:
        return Forms(self.get(page).text).tokens[form]

    def accepts(self, language: str = "fr") -> TestResponse:
        return self.post(f"/{language}/accept", {"token": self.token(f"/{language}/")})

    def leaves(self) -> TestResponse:
        return self.post("/fr/leave", {"token": self.token("/fr/status", "leave")})

    def extends(self) -> TestResponse:
        return self.post("/fr/extend", {"token": self.token("/fr/status", "extend")})


class Forms(HTMLParser):
    """The tokens of a page's forms, by the last word of their action."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tokens: dict[str, str] = {}
        self._action = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "form":
            self._action = (found.get("action") or "").rpartition("/")[2]
        if tag == "input" and found.get("name") == "token":
            self.tokens[self._action] = found.get("value") or ""


class Page(HTMLParser):
    """What a page is made of."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]
