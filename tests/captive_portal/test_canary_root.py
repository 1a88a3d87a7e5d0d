"""A resident who can be recognised by everything goes through the whole door; then all that was written is searched."""

import base64
import hashlib
import json
import os
import re
import socket
import sqlite3
import struct
import time
import urllib.parse
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatch
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path

import pytest
from centre import CONSOLE_UID, Agent, Authority, Centre
from dhcp_client import DhcpClient
from door_twin import GATEWAYD_UID, PORTAL_UID, WEB4, WEB6, Inside, Resident, running
from staffed_twin import StaffedTwin

from captive_portal.dpo.retention import report
from parvis.data_inventory import data_inventory

pytestmark = [pytest.mark.root, pytest.mark.slow]
MAC, HOSTNAME, ADDRESS = "02:c0:de:ca:7a:7e", "kanari-7f3a", "10.11.2.217"
AGENT, REFERRER = "KanariAgent/9.13", "http://kanari-from.example/"
VISITED = ("kanari-http.example", "kanari-sni.example", "kanari-dns.example", "kanari-query-4711", "kanari-path")
STATES = ("portal", "console")
"""The state folders of our processes."""
RESIDENTS_OWN = ("*.lease", "*.lease.*", "udhcpc.sh")
"""What the resident's DHCP client writes on the resident's own disk."""

ALLOWED = {
    "kea/leases.csv*": (
        "always",
        "Kea's leases: no DHCP without them; a released or expired line goes with Kea's clean-up, an hour later",
    ),
    "portal/portal.sqlite3": (
        "live",
        "the live session's row has the MAC address; it is erased with the session's end",
    ),
    "backup of portal/portal.sqlite3": ("live", "what is in the file is in its copy; a later copy has it no more"),
    "portal/portal.sqlite3-wal": ("live", "the same row, before it is in the file; emptied at least every hour"),
}
"""Where a MAC address or an address may be written, since when, and why. Nothing else, and never a visited name.

In the kernel's memory, and nowhere on a disk: nftables' sets, the neighbour table, conntrack.
"""


class WatchedTwin(StaffedTwin):
    """Everything is logged that can be, and what staff are told is remembered; a console is at the centre."""

    told: list[str] = []  # noqa: RUF012 one twin a module

    @cached_property
    def centre(self) -> Centre:
        """The town's centre, with a certificate authority."""
        return Centre(self, Authority(self.folder))

    def _settings(self, name: str, **more: object) -> Path:
        return super()._settings(name, log_level="debug", **more)

    def management(self) -> dict[str, object]:
        return self.centre.authority.for_portal(self)

    def staff(self, path: str, body: dict[str, object] | None = None) -> str:
        self.told.append(super().staff(path, body))
        return self.told[-1]


@dataclass
class Canary:
    """What gives the resident away, in every way that programs write it."""

    who: Resident
    addresses: list[str] = field(default_factory=list)

    def traces(self) -> dict[str, list[bytes]]:
        return {
            "MAC address": mac_traces(MAC),
            "IP address": [trace for address in self.addresses for trace in address_traces(address)],
            "host name": texts(HOSTNAME),
            "visited name": [trace for name in VISITED for trace in texts(name)],
            "browser": [trace for name in (AGENT, REFERRER) for trace in texts(name)],
        }

    def found_in(self, data: bytes) -> list[str]:
        lower = data.lower()
        return sorted(
            {what for what, traces in self.traces().items() for one in traces if one in data or one.lower() in lower}
        )


def texts(text: str) -> list[bytes]:
    """*text* in the encodings of logs, URLs, databases and mails, and its unkeyed digests."""
    plain = text.encode()
    digests = [hashlib.new(kind, plain).hexdigest().encode() for kind in ("md5", "sha1", "sha256")]
    quoted = [urllib.parse.quote(text, safe="").encode(), text.encode("utf-16-le"), plain.hex().encode()]
    return [plain, base64.b64encode(plain).rstrip(b"="), *quoted, *digests]


def mac_traces(mac: str) -> list[bytes]:
    """A MAC address upper and lower, with every separator, packed, as a number, and as EUI-64 (RFC 4291 appendix A)."""
    raw = bytes.fromhex(mac.replace(":", ""))
    eui = bytes([raw[0] ^ 2]) + raw[1:3] + b"\xff\xfe" + raw[3:]
    spelled = [mac, mac.replace(":", "-"), mac.replace(":", ""), f"{raw.hex()[:4]}.{raw.hex()[4:8]}.{raw.hex()[8:]}"]
    host = str(ip_address(b"\xfe\x80" + bytes(6) + eui)).removeprefix("fe80::")
    number = str(int.from_bytes(raw)).encode()
    return [t for one in spelled for t in texts(one)] + [raw, eui, eui.hex().encode(), host.encode(), number]


def address_traces(address: str) -> list[bytes]:
    """An IP address as text, in full, packed, and as a number."""
    found = ip_address(address)
    return [*texts(str(found)), *texts(found.exploded), found.packed, found.packed.hex().encode()]


@pytest.fixture(scope="module")
def twin() -> Iterator[WatchedTwin]:
    with running(WatchedTwin, "30min") as made:
        made.centre.starts()
        yield made


@pytest.mark.timeout(400)
def test_gdp01_pri02_no_file_log_metric_or_answer_to_staff_holds_a_residents_traces(twin: WatchedTwin) -> None:
    canary = joins(twin)
    tries_before_accepting(twin, canary.who)
    assert canary.who.accepts(*browser()) == "303 https://wifi.cachan.example/fr/status"
    browses(twin, canary.who)
    extends(canary.who)
    devices_of_staff(twin)
    agent, site = twin.centre.account("administrator"), f"/lieux/{twin.site.site}"
    staff_look(twin, agent)
    staff_give_orders(agent, site)
    assert_only_where_allowed(twin, canary, "live")

    canary.who.leaves()
    canary.who.accepts(*browser())
    staff_disconnect(twin, agent, site)
    assert canary.who.api()["captive"] is True
    canary.who.accepts(*browser())
    staff_block(twin, agent, site)
    assert canary.who.api()["captive"] is True
    canary.who.curl(*browser(), "https://wifi.cachan.example/fr/")
    ends_and_is_cleaned_up(twin)

    assert_only_where_allowed(twin, canary, "always")
    assert unknown_files(twin) == [], "say in parvis/data_inventory.yml what they are"


def joins(twin: WatchedTwin) -> Canary:
    who = twin.resident("c1")
    who.run("ip", "link", "set", "eth0", "down")
    who.run("ip", "link", "set", "eth0", "address", MAC)
    who.run("sysctl", "-qw", "net.ipv6.conf.eth0.use_tempaddr=2", "net.ipv6.conf.all.use_tempaddr=2")
    who = twin.resident("c1")
    who.hostname = HOSTNAME
    who.run("ip", "link", "set", "eth0", "up")
    DhcpClient(who.namespace).lease(MAC, wish=ADDRESS)
    who.joins()
    told = json.loads(who.run("ip", "-j", "addr", "show", "dev", "eth0"))
    addresses = [one["local"] for one in told[0]["addr_info"]]
    assert ADDRESS in addresses, "one that no configuration names"
    assert len(addresses) >= 4, "IPv4, link-local, EUI-64 and temporary"
    return Canary(who, addresses)


def browser() -> tuple[str, ...]:
    return ("-A", AGENT, "-e", REFERRER)


def tries_before_accepting(twin: WatchedTwin, who: Resident) -> None:
    for host in ("connectivitycheck.gstatic.com", VISITED[0]):
        path = f"http://{host}/{VISITED[4]}?q={VISITED[3]}"
        assert who.code(*browser(), "--resolve", f"{host}:80:{WEB4}", path).startswith("302")
    who.code("--resolve", f"{VISITED[1]}:443:{WEB4}", f"https://{VISITED[1]}/")
    asks_dns(who, VISITED[2])
    who.api(*browser())
    forged = ("-d", f"token={VISITED[3]}", f"https://{who.host}/fr/accept")
    assert who.code(*browser(), *forged) == f"303 https://{who.host}/fr/?again=1"
    who.code(*browser(), f"https://{who.host}/{VISITED[4]}?{VISITED[3]}")
    twin.ask(f'{{"op": "identify", "address": "{who.ipv4}", "x": "{MAC}"}}'.encode())


def asks_dns(who: Resident, name: str) -> None:
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    with Inside(who.namespace), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        channel.sendto(
            struct.pack(">6H", 7, 256, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">2H", 1, 1), ("10.11.0.1", 53)
        )


def browses(twin: WatchedTwin, who: Resident) -> None:
    assert who.reaches(WEB4)
    assert who.reaches(WEB6)
    who.code(*browser(), "--resolve", f"{VISITED[0]}:80:{WEB4}", f"http://{VISITED[0]}/{VISITED[4]}?q={VISITED[3]}")
    asks_dns(who, VISITED[2])
    twin.within("gw", "nft", "flush", "ruleset")
    time.sleep(2)
    assert who.reaches(WEB4)


def extends(who: Resident) -> None:
    token = who.token("/fr/status", "extend", *browser())
    assert who.code(*browser(), "-d", f"token={token}", f"https://{who.host}/fr/extend").startswith("303")


def devices_of_staff(twin: WatchedTwin) -> list[str]:
    """Today's codes of who is online; looked at as staff do."""
    codes = [str(one["code"]) for one in json.loads(twin.staff("/v1/sessions"))["sessions"]]
    for code in codes:
        twin.staff(f"/v1/devices/{code}")
    twin.staff("/v1/site")
    twin.staff("/v1/figures")
    twin.staff(f"/v1/usage/{datetime.now(UTC):%Y-%m}")
    return codes


def staff_look(twin: WatchedTwin, agent: Agent) -> None:
    """At all sites, at this one's sessions, at the device's timeline, at the figures, at what staff did."""
    (code,) = devices_of_staff(twin)
    assert code in agent.get(f"/lieux/{twin.site.site}")
    assert "Conditions acceptées" in agent.get(f"/appareil?code={code}")
    agent.get("/")
    agent.get("/chiffres")
    assert "<td>entrée</td>" in twin.centre.account("dpo").get("/journal")


def staff_give_orders(agent: Agent, site: str) -> None:
    """A banner that stays, and an open door that is closed again."""
    order = {"minutes": "5", "why": "essai"}
    assert "De faux SMS" in agent.post(site, f"{site}/ordres", kind="banner", fr="De faux SMS", en="False", **order)
    page = agent.post(site, f"{site}/ordres", kind="open-door", **order)
    (number,) = re.findall(r'/ordres/(\d+)/fin"><input type="hidden" name="kind" value="open-door"', page)
    page = agent.post(site, f"{site}/ordres/{number}/fin", kind="open-door", why="essai")
    assert 'name="kind" value="open-door"' not in page.partition("Donner un ordre")[0]


def staff_disconnect(twin: WatchedTwin, agent: Agent, site: str) -> None:
    (code,) = devices_of_staff(twin)
    agent.post(f"/appareil?code={code}", f"{site}/appareils/{code}/deconnecter", why="essai")


def staff_block(twin: WatchedTwin, agent: Agent, site: str) -> None:
    (code,) = devices_of_staff(twin)
    page = agent.post(f"/appareil?code={code}", f"{site}/appareils/{code}/bloquer", why="essai", minutes="10")
    assert "Bloqué encore" in page


def ends_and_is_cleaned_up(twin: WatchedTwin) -> None:
    """The portal cleans its file up every hour, and when it starts."""
    twin.stop("portal")
    twin.start_portal()
    time.sleep(1.5)


def assert_only_where_allowed(twin: WatchedTwin, canary: Canary, when: str) -> None:
    places = {name: text for name, text in everything_written(twin) if canary.found_in(text)}
    allowed = [place for place, (since, _) in ALLOWED.items() if since in {"always", when}]
    wrong = {
        name: canary.found_in(text)
        for name, text in places.items()
        if not any(fnmatch(name, place) for place in allowed) or "visited name" in canary.found_in(text)
    }
    assert wrong == {}
    assert any(fnmatch(name, "kea/leases.csv*") for name in places), "the search would have found it"


def everything_written(twin: WatchedTwin) -> Iterator[tuple[str, bytes]]:
    for path in files(twin.folder):
        name = str(path.relative_to(twin.folder))
        if not any(fnmatch(path.name, own) for own in RESIDENTS_OWN):
            yield name, path.read_bytes()
    for path in elsewhere(twin):
        yield str(path), path.read_bytes()
    for port in (9201, 9202):
        for page in ("metrics", "healthz"):
            url = f"http://{twin.site.gateway.address}:{port}/{page}"
            yield url, twin.within("gw", "curl", "-sS", url).encode()
    yield from twin.centre.pages_for_machines()
    yield "backup of portal/portal.sqlite3", backup(twin.folder / "portal/portal.sqlite3")
    reported = [kept.says() for name in STATES for kept in report(data_inventory(), twin.folder / name, time.time())]
    assert any("acceptance-proof" in line for line in reported)
    yield "retention report", "\n".join(reported).encode()
    yield "what staff were told", "\n".join([*twin.told, *twin.centre.seen]).encode()
    for name in ("portal", "gatewayd", "dnsmasq", "kea", "console"):
        for part in ("cmdline", "environ"):
            yield f"{name} {part}", Path(f"/proc/{twin.processes[name].pid}/{part}").read_bytes()


def backup(database: Path) -> bytes:
    """A copy as SQLite's own backup makes it."""
    with closing(sqlite3.connect(database)) as here, closing(sqlite3.connect(":memory:")) as copy:
        here.backup(copy)
        return bytes(copy.serialize())


def unknown_files(twin: WatchedTwin) -> list[str]:
    """Files in our processes' state folders that the data inventory does not name."""
    inventory = data_inventory()
    known = [place for kind in inventory.kinds.values() for place in kind.files]
    known += [f"{place}{end}" for place in inventory.databases.values() for end in ("", "-wal", "-shm")]
    found = [str(path.relative_to(twin.folder)) for name in STATES for path in files(twin.folder / name)]
    assert found
    return [name for name in found if not any(fnmatch(name, place) for place in known)]


def files(folder: Path) -> Iterable[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def elsewhere(twin: WatchedTwin) -> Iterable[Path]:
    """Files of our processes' users anywhere else where programs write."""
    for top in ("/tmp", "/var", "/run", "/dev/shm"):
        for folder, _, names in os.walk(top):
            if not Path(folder).is_relative_to(twin.folder):
                yield from (path for name in names if (path := Path(folder, name)).is_file() and ours(path))


def ours(path: Path) -> bool:
    try:
        return path.stat().st_uid in {GATEWAYD_UID, PORTAL_UID, CONSOLE_UID}
    except OSError:
        return False


def test_the_search_finds_every_way_of_writing_an_address() -> None:
    canary = Canary(Resident("", MAC, Path(), Path(), ""), ["10.11.3.254", "2001:db8:11::c0de"])
    written = [
        "02-C0-DE-CA-7A-7E",
        "02c0deca7a7e",
        "02c0.deca.7a7e",
        "fe80::c0:deff:feca:7a7e",
        "02%3ac0%3ade%3aca%3a7a%3a7e",
    ]
    for text in written:
        assert canary.found_in(f"… {text} …".encode()) != [], text
    assert canary.found_in(b"\x02\xc0\xde\xca\x7a\x7e") == ["MAC address"]
    assert canary.found_in(b"2001:0db8:0011:0000:0000:0000:0000:c0de") == ["IP address"]
    assert canary.found_in(b"nothing of the kind 10.11.3.25 02:c0:de") == []
