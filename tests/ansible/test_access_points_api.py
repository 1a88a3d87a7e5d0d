"""Access points that are set from afar: RouterOS by its API, the rest by staff; and what does not answer, by name.

Real: Ansible, community.routeros with librouteros, TLS, Debian's snmpd. Not real: RouterOS itself (routeros_api.py says
what stands for it) and the centre, of whose collectors one answer is given. The collectors themselves are asked in
test_access_points_linux_root.py.
"""

import json
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import trustme
import yaml
from access_points_play import ROOT, SECRETS, Played, play
from routeros_api import PASSWORD, Router, routeros

from parvis.inventory import DEMO_TOWN, Vendor
from tests_support import copy_town

WIFI, WIRELESS, AWAY = "ap-src-attente", "ap-lagrange-gymnase", "ap-msp-salle-a"
SHOWN, SILENT, WEAK = "ap-src-guichets", "ap-msp-etage", "ap-biblio-adultes"
HOSTS = f"{WIFI},{WIRELESS},{AWAY},{SHOWN},{SILENT},{WEAK}"
COMMUNITY = "ancienne-5ea1"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def free(kind: socket.SocketKind, address: str) -> int:
    with socket.socket(socket.AF_INET, kind) as one:
        one.bind((address, 0))
        return int(one.getsockname()[1])


def community(name: str, **differs: str) -> dict[str, str]:
    """A row of /snmp/community as RouterOS prints it."""
    usual = {
        "name": name, "addresses": "::/0", "security": "none", "read-access": "true", "write-access": "false",
        "authentication-protocol": "MD5", "encryption-protocol": "DES", "authentication-password": "",
        "encryption-password": "", "disabled": "false", "default": "false",
    }  # fmt: skip
    return usual | differs


def of_wifi() -> dict[str, list[dict[str, str]]]:
    """A device with the package wifi: one radio names the network, one takes it from a profile, one has another."""
    return {
        "/snmp": [{"enabled": "true", "contact": "", "location": ""}],
        "/snmp/community": [community("public", default="true"), community(COMMUNITY)],
        "/interface/wifi": [
            {"name": "wifi1", "configuration.ssid": "Cachan-WiFi", "security.passphrase": "secret-a1"},
            {"name": "wifi2", "configuration": "residents"},
            {"name": "wifi3", "configuration": "residents", "configuration.ssid": "Bureaux"},
        ],
        "/interface/wifi/configuration": [{"name": "residents", "ssid": "Cachan-WiFi"}],
        "/interface/bridge/port": [
            {"interface": "wifi1", "bridge": "guests", "horizon": "none"},
            {"interface": "ether1", "bridge": "guests", "horizon": "none"},
        ],
    }


def of_wireless() -> dict[str, list[dict[str, str]]]:
    """A device with the package wireless, asked in SNMPv2c until its exception ends."""
    return {
        "/snmp": [{"enabled": "true", "contact": "", "location": ""}],
        "/snmp/community": [community("public", default="true"), community(SECRETS["snmp-anciennes-community"])],
        "/interface/wireless": [
            {"name": "wlan1", "ssid": "Cachan-WiFi", "default-forwarding": "true"},
            {"name": "wlan2", "ssid": "Bureaux", "default-forwarding": "true"},
        ],
        "/interface/bridge/port": [{"interface": "wlan1", "bridge": "guests", "horizon": "none"}],
    }


class Centre(BaseHTTPRequestHandler):
    """Says that the collectors get answers from two of the devices by their credential."""

    def do_GET(self) -> None:
        known = {"credential": "reseau-v3", "version": "v3", "up": True}
        text = json.dumps([{"device": name, **known} for name in (WIFI, WEAK)]).encode()
        self.send_response(200 if self.path == "/devices.json" else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        pass


@dataclass(frozen=True)
class Course:
    """Run after run on the same devices, the first only looking; *untouched* is what it did to RouterOS."""

    wifi: Router
    wireless: Router
    weak: Router
    looked: Played
    untouched: list[str]
    first: Played
    second: Played


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory, collections: None) -> Iterator[Course]:  # noqa: ARG001 needed there
    folder = tmp_path_factory.mktemp("api")
    ports = free(socket.SOCK_STREAM, "127.91.2.12"), free(socket.SOCK_DGRAM, "127.91.2.12")
    authority, centre = trustme.CA(), HTTPServer(("127.0.0.1", 0), Centre)
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    threading.Thread(target=centre.serve_forever, daemon=True).start()
    told = {
        "access_points_routeros_password": PASSWORD,
        "access_points_routeros_authority": str(folder / "authority.pem"),
        "access_points_routeros_port": ports[0],
        "parvis_collectors_port": centre.server_port,
        "ansible_connection": "local",
    }
    town = on_loopback(copy_town(DEMO_TOWN, folder / "town"), ports[1])

    def run(*words: str, hosts: str) -> Played:
        return play(folder, town, "--limit", hosts, *words, **told)

    with ExitStack() as stack:
        stack.callback(centre.server_close)
        stack.callback(centre.shutdown)
        wifi = stack.enter_context(routeros(folder / "wifi", "127.91.2.12", ports, authority, of_wifi()))
        wireless = stack.enter_context(routeros(folder / "wireless", "127.91.4.11", ports, authority, of_wireless()))
        user = {**of_wifi(), "/snmp/community": [bornes()]}
        stack.enter_context(routeros(folder / "shown", "127.91.2.11", ports, authority, user))
        weak = stack.enter_context(
            routeros(folder / "weak", "127.91.3.11", ports, authority, of_wifi(), needs_communities=True)
        )
        looked, untouched = run("--check", "--diff", hosts=WIFI), list(wifi.log)
        yield Course(wifi, wireless, weak, looked, untouched, run(hosts=HOSTS), run(hosts=f"{WIFI},{WIRELESS}"))


def bornes() -> dict[str, str]:
    """The user of bornes-v3, as somebody has made it on a device of another maker."""
    proof = {"authentication-protocol": "SHA-256", "encryption-protocol": "AES"}
    passwords = SECRETS["snmp-bornes-auth"].replace("\\", "\\\\").replace('"', '\\"'), SECRETS["snmp-bornes-privacy"]
    words = {"authentication-password": passwords[0], "encryption-password": passwords[1]}
    return community("parvis", security="private", **proof, **words)


def on_loopback(town: Path, snmp_port: int) -> Path:
    """The town's equipment at addresses of the loopback network, SNMP at *snmp_port*; RouterOS with what it knows."""
    for site in (town / "sites").glob("*.yml"):
        text = site.read_text().replace("10.91.", "127.91.")
        text = text.replace("snmp: {credential: bornes-v3}", f"snmp: {{credential: bornes-v3, port: {snmp_port}}}")
        for name in (AWAY, WEAK):
            text = text.replace(f"{name}, vendor: ubiquiti", f"{name}, vendor: mikrotik")
        lines = text.splitlines()
        for at, line in enumerate(lines):
            if any(f"name: {name}," in line for name in (WIFI, AWAY, WEAK)):
                lines[at + 1] = lines[at + 1].replace("credential: bornes-v3", "credential: reseau-v3")
        site.write_text("\n".join(lines) + "\n")
    return town


def asked(router: Router, *words: str) -> str:
    where = f"{router.address}:{router.snmp_port}"
    argv = ["snmpget", "-Oqv", "-t1", "-r2", *words, where, "1.3.6.1.2.1.1.5.0"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False, env={"MIBS": ""})
    return done.stdout.strip()


def rows(router: Router, path: str) -> dict[str, dict[str, str]]:
    return {row.get("name") or row["interface"]: row for row in router.tables[path]}


def test_check_mode_tells_what_would_change_and_touches_nothing(course: Course) -> None:
    assert course.looked.code == 0, course.looked.said
    assert "The user, what it proves itself by, and from where" in course.looked.changed()
    assert "Devices of the residents' network do not reach each other (wifi)" in course.looked.changed()
    assert course.untouched == []


def test_sec06_routeros_gets_the_towns_user_for_the_centre_alone_and_then_loses_its_communities(course: Course) -> None:
    left = rows(course.wifi, "/snmp/community")
    proof = ("-a", "SHA", "-A", SECRETS["snmp-reseau-auth"], "-x", "AES", "-X", SECRETS["snmp-reseau-privacy"])

    assert course.first.count(WIFI, "failed") == 0, course.first.said
    assert {name: row["disabled"] for name, row in left.items()} == {"public": "yes", "reseau": "no"}
    assert (left["reseau"]["addresses"], left["reseau"]["write-access"]) == ("10.90.0.0/24", "no")
    assert asked(course.wifi, "-v3", "-u", "reseau", "-l", "authPriv", *proof) != ""
    assert asked(course.wifi, "-v2c", "-c", COMMUNITY) == ""
    assert [command.partition(" ")[0] for command in course.wifi.log if command.startswith("/snmp")] == [
        f"/snmp/community/{verb}" for verb in ("add", "remove", "set")
    ]


def test_sec06_a_device_that_falls_silent_without_its_communities_has_them_again(course: Course) -> None:
    left = rows(course.weak, "/snmp/community")

    assert f"{WEAK}: its communities are as before: {WEAK} does not answer SNMPv3 as reseau" in course.first.said
    assert {(name, row["security"], row["disabled"]) for name, row in left.items()} == {
        ("public", "none", "no"),
        (COMMUNITY, "none", "no"),
        ("reseau", "private", "no"),
    }
    assert asked(course.weak, "-v2c", "-c", COMMUNITY) != ""


def test_sec01_routeros_isolates_the_radios_that_carry_the_residents_network_and_no_other(course: Course) -> None:
    radios, ports = rows(course.wifi, "/interface/wifi"), rows(course.wifi, "/interface/bridge/port")
    isolated = {name: row.get("datapath.client-isolation") for name, row in radios.items()}

    assert isolated == {"wifi1": "yes", "wifi2": "yes", "wifi3": None}
    assert {name: row["horizon"] for name, row in ports.items()} == {"wifi1": "1", "ether1": "none"}
    old = rows(course.wireless, "/interface/wireless")
    assert {name: row["default-forwarding"] for name, row in old.items()} == {"wlan1": "no", "wlan2": "true"}


def test_sec06_a_device_under_an_exception_keeps_its_communities_and_says_until_when(course: Course) -> None:
    assert course.first.count(WIRELESS, "failed") == 0, course.first.said
    assert (
        "(anciennes-v2c) until 2027-12-31: replaced with the gymnasium's works; its communities stay"
        in course.first.said
    )
    assert not [command for command in course.wireless.log if command.startswith("/snmp")]
    assert asked(course.wireless, "-v2c", "-c", SECRETS["snmp-anciennes-community"]) != ""


def test_a_run_on_what_agrees_already_changes_nothing(course: Course) -> None:
    assert course.second.code == 0, course.second.said
    assert [course.second.count(name, "changed") for name in (WIFI, WIRELESS)] == [0, 0]


def test_what_does_not_answer_fails_by_name_and_stops_no_other(course: Course) -> None:
    failed = {name: course.first.count(name, "failed") for name in HOSTS.split(",")}

    assert course.first.code == 2
    assert failed == {AWAY: 1, WIFI: 0, WIRELESS: 0, SHOWN: 0, SILENT: 0, WEAK: 1}
    assert f"fatal: [{AWAY}]: FAILED!" in course.first.said
    assert "Error while connecting" in course.first.said


def test_what_has_no_module_is_said_in_one_line_with_what_was_seen_from_outside(course: Course) -> None:
    shown, silent = (
        course.first.said.partition(f"{name} (")[2].partition("as seen just now")[0] for name in (SHOWN, SILENT)
    )

    assert shown.startswith("ubiquiti U6-Pro), by hand: SNMPv3 user parvis, read only, authentication SHA-256")
    assert "Client Device Isolation" in shown
    assert shown.endswith("It answers SNMPv3 so, ")
    assert "deny-inter-user-bridging" in silent
    assert silent.endswith("It does NOT answer SNMPv3 so, ")


def test_no_secret_is_printed(course: Course) -> None:
    printed = "".join(one.said for one in (course.looked, course.first, course.second))

    assert [secret for secret in (*SECRETS.values(), PASSWORD, COMMUNITY, "secret-a1") if secret in printed] == []


def test_every_vendor_has_tasks_or_words() -> None:

    told = yaml.safe_load((ROOT / "ansible/roles/access_points/vars/main.yml").read_text("utf-8"))[
        "access_points_by_hand"
    ]

    assert {vendor.value for vendor in Vendor} - told.keys() == {"mikrotik", "net-snmp"}
