"""The console and one site's management API over real TLS, and staff who sign in and click."""

import html
import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyotp
import trustme
from flask import Flask
from flask.testing import FlaskClient
from house import ANNA, House
from prometheus_client import CollectorRegistry
from werkzeug.test import TestResponse

from captive_portal.console.accounts import Accounts
from captive_portal.console.application import create_app
from captive_portal.console.audit import Audit
from captive_portal.console.hall import Hall
from captive_portal.console.roles import Action, Role
from captive_portal.console.secrecy import Acknowledgements
from captive_portal.console.sites import Site, Sites
from captive_portal.devices import key
from captive_portal.management.api import create_api
from captive_portal.management.desk import Desk
from captive_portal.tls import TlsServer
from parvis.catalogue import Instruments
from parvis.inventory import Town

TOKEN = "t" * 40
PASSWORD = "correct horse battery"


def desk_of(house: House) -> Desk:
    """The site's desk, over the house's parts."""
    return Desk(
        site=house.facts.site,
        zone=ZoneInfo(house.facts.timezone),
        clock=house.clock,
        store=house.store,
        door=house.gateway,
        doorkeeper=house.doorkeeper,
        timeline=house.timeline,
        directives=house.directives,
        key=lambda mac: key(mac, b"s" * 32),
        uplink=lambda: house.fibre,
    )


def issued(folder: Path, name: str = "site") -> tuple[Path, Path, Path]:
    """(CA, certificate, key) for 127.0.0.1."""
    authority = trustme.CA()
    made = authority.issue_cert("127.0.0.1", "localhost")
    ca, certificate, private = (folder / f"{name}.{end}" for end in ("ca", "crt", "key"))
    authority.cert_pem.write_to_path(ca)
    certificate.write_bytes(b"".join(part.bytes() for part in made.cert_chain_pems))
    made.private_key_pem.write_to_path(private)
    return ca, certificate, private


@dataclass
class Office:
    """The console of a town whose first site is a House; other sites are not there."""

    house: House
    town: Town
    folder: Path
    app: Flask = field(init=False)
    hall: Hall = field(init=False)
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    server: TlsServer = field(init=False)

    def open(self, stack: ExitStack) -> None:
        ca, certificate, private = issued(self.folder)
        api = create_api(desk_of(self.house), TOKEN, self.house.instruments)
        self.server = stack.enter_context(TlsServer(("127.0.0.1", 0), api, certificate, private))
        first, second = self.town.sites[:2]
        sites = [
            Site(first.site, first.title.by_language(), "127.0.0.1", self.server.port),
            Site(second.site, second.title.by_language(), "127.0.0.1", 1),
        ]
        self.hall = Hall(
            town=self.town.title.by_language(),
            zone=ZoneInfo(self.town.timezone),
            accounts=Accounts(self.folder / "accounts.json"),
            audit=Audit(self.audit_folder()),
            sites=Sites(sites, ca, TOKEN),
            instruments=Instruments("console", self.registry),
            acknowledged=Acknowledgements(self.folder / "acknowledged.json"),
            wall=lambda: self.house.clock.wall,
            monotonic=lambda: self.house.clock.since_boot,
        )
        self.app = create_app(self.hall)

    def audit_folder(self) -> Path:
        found = self.folder / "audit"
        found.mkdir(exist_ok=True)
        return found

    @property
    def site(self) -> str:
        return self.house.facts.site

    @property
    def silent_site(self) -> str:
        return self.town.sites[1].site

    def staff(self, role: Role = Role.TECHNICIAN, name: str = "") -> "Staff":
        """Somebody with an account of *role*, signed in."""
        name = name or role.value
        made = self.hall.accounts.add(name, role, PASSWORD)
        self.hall.acknowledged.note(name, self.house.clock.wall)
        found = Staff(self, self.app.test_client(), name, made.totp)
        assert found.signs_in().status_code == 303
        return found

    def anybody(self) -> "Staff":
        return Staff(self, self.app.test_client(), "nobody", pyotp.random_base32())

    def value(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(name, labels) or 0.0

    def entries(self) -> list[dict[str, Any]]:
        from dataclasses import asdict  # noqa: PLC0415

        return [asdict(entry) for entry in self.hall.audit.newest(100)]


@dataclass
class Staff:
    """Somebody with a browser that keeps cookies."""

    office: Office
    client: FlaskClient
    name: str
    totp: str

    def signs_in(self, password: str = PASSWORD, code: str | None = None, name: str | None = None) -> TestResponse:
        page = self.get("/entrer").text
        code = pyotp.TOTP(self.totp).at(int(self.office.house.clock.wall)) if code is None else code
        data = {"name": name or self.name, "password": password, "code": code, "token": token_of(page)}
        return self.client.post("/entrer", data=data, base_url="https://console.example")

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.client.get(path, base_url="https://console.example", headers=headers)

    def post(self, path: str, page: str = "/", **data: str) -> TestResponse:
        """Post a form of ours: with the token of *page*."""
        data.setdefault("token", token_of(self.get(page).text))
        return self.client.post(path, data=data, base_url="https://console.example")


def token_of(page: str) -> str:
    found = re.search(r'name="token" value="([^"]+)"', page)
    return found[1] if found else ""


@contextmanager
def office(town: Town, folder: Path) -> Iterator[Office]:
    house = House(town, folder)
    made = Office(house, town, folder)
    with ExitStack() as stack:
        stack.enter_context(house.doorkeeper)
        made.open(stack)
        yield made
    assert threading.active_count() < 100


def words(page: str) -> str:
    """The page's text."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def forms(here: "Office") -> dict[Action, tuple[str, dict[str, str]]]:
    """For each action a post or a page that does it."""
    code = here.house.timeline.code(ANNA)
    site = f"/lieux/{here.site}"
    order = {"minutes": "5", "why": "essai"}
    return {
        Action.OVERVIEW: ("/", {}),
        Action.SESSIONS: (site, {}),
        Action.DEVICE: (f"/appareil?code={code}", {}),
        Action.FIGURES: ("/chiffres", {}),
        Action.AUDIT: ("/journal", {}),
        Action.DISCONNECT: (f"{site}/appareils/{code}/deconnecter", {"why": "essai"}),
        Action.BLOCK: (f"{site}/appareils/{code}/bloquer", order),
        Action.BANNER: (f"{site}/ordres", {**order, "kind": "banner", "fr": "Un", "en": "One"}),
        Action.CLOSE: (f"{site}/ordres", {**order, "kind": "closed"}),
        Action.OPEN_DOOR: (f"{site}/ordres", {**order, "kind": "open-door"}),
        Action.DISCONNECT_ALL: (f"{site}/deconnecter-tous", {"why": "essai"}),
    }
