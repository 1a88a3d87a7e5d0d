"""A Linux access point agrees with the town: its user before its communities, its radio; again, nothing changes.

Debian's snmpd, hostapd and init scripts, the kernel's bridge, the centre's own collectors: linux_point.py.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from access_points_play import SECRETS, Played
from linux_point import LinuxPoint, linux_point
from machines import BIN, until

from parvis.inventory import DEMO_TOWN
from parvis.processes import COLLECTORS
from tests_support import copy_town

NAME, ADDRESS, COMMUNITY = "ap-msp-etage", "10.91.1.13", "ancienne-5ea1"
SYS_NAME, USERS = "1.3.6.1.2.1.1.5.0", "1.3.6.1.6.3.15.1.2"
WEAK = f"""\
echo 'grep -q ^rocommunity /etc/snmp/snmpd.conf || SNMPDOPTS="-Lf /dev/null -u nobody-at-all"' >/etc/default/snmpd
echo 'rocommunity {COMMUNITY}' >>/etc/snmp/snmpd.conf
/etc/init.d/snmpd restart
"""
"""From now on snmpd does not start without a community."""
pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.timeout(900)]


@dataclass(frozen=True)
class Course:
    """What each run said and found, one after the other on one access point."""

    point: LinuxPoint
    looked: Played
    before: str
    first: Played
    between: str
    second: Played
    gone: str
    third: Played
    fallen: Played
    after: str


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Course]:
    folder = tmp_path_factory.mktemp("linux")
    town = copy_town(DEMO_TOWN, folder / "town")
    site = town / "sites/maison-services-publics.yml"
    site.write_text(site.read_text().replace("vendor: aruba, model: AP-515", "vendor: net-snmp, model: PC Engines APU"))
    box = folder / "box"
    box.mkdir()
    with linux_point(box, ADDRESS, community=COMMUNITY) as point:
        looked, before = played(point, town, "--check", "--diff"), state(point)
        first, between = played(point, town), state(point)
        with collectors(point, town):
            second, third, gone = played(point, town), played(point, town), state(point)
            point.says("sh", "-c", WEAK)
            fallen = played(point, town)
            yield Course(point, looked, before, first, between, second, gone, third, fallen, state(point))


def played(point: LinuxPoint, town: Path, *words: str) -> Played:
    return point.play(town, "--limit", NAME, *words)


def state(point: LinuxPoint) -> str:
    files = ("/etc/snmp/snmpd.conf", "/etc/hostapd/hostapd.conf")
    return point.says("cat", *files) + point.says("ls", "/etc/snmp/snmpd.conf.d") + str(isolated(point))


def isolated(point: LinuxPoint) -> list[str]:
    """The bridge's ports that reach the others alone."""
    ports = json.loads(point.says("bridge", "-json", "-details", "link", "show"))
    return [port["ifname"] for port in ports if port["isolated"]]


def asked(point: LinuxPoint, *words: str, oid: str = SYS_NAME) -> str:
    """What Debian's snmpget is told; empty when nothing."""
    return point.says("snmpget", "-Oqv", "-t1", "-r1", *words, ADDRESS, oid, check=False, MIBS="").strip()


def by_community(point: LinuxPoint, name: str = COMMUNITY) -> str:
    return asked(point, "-v2c", "-c", name)


def by_user(point: LinuxPoint, oid: str = SYS_NAME, level: str = "authPriv") -> str:
    proof = ("-a", "SHA-256", "-A", SECRETS["snmp-bornes-auth"], "-x", "AES", "-X", SECRETS["snmp-bornes-privacy"])
    return asked(point, "-v3", "-u", "parvis", "-l", level, *proof, oid=oid)


@contextmanager
def collectors(point: LinuxPoint, town: Path) -> Iterator[None]:
    """The centre's own, on the same machine, once they get answers from the access point."""
    secrets = point.folder / "secrets"
    secrets.mkdir()
    for name, text in SECRETS.items():
        (secrets / name).write_text(text)
    told = {"PARVIS_TOWN": str(town), "PARVIS_SECRETS": str(secrets), "PARVIS_POLL_INTERVAL": "2"}
    process = point.start(BIN / "parvis", "collectors", **told)
    try:
        until(lambda: up(point), "the collectors got no answer")
        yield
    finally:
        process.terminate()
        process.wait(30)


def up(point: LinuxPoint) -> bool:
    """Whether the collectors say that the access point answers."""
    text = point.says("curl", "-s", f"http://127.0.0.1:{COLLECTORS.port}/devices.json", check=False)
    return bool(text) and any(one["up"] for one in json.loads(text) if one["device"] == NAME)


def test_check_mode_tells_what_would_change_and_touches_nothing(course: Course) -> None:
    assert course.looked.code == 0, course.looked.said
    assert "The user and what it proves itself by" in course.looked.changed()
    assert "Devices of the residents' network do not reach each other" in course.looked.changed()
    assert "ap_isolate=0" in course.before
    assert "agentaddress  127.0.0.1,[::1]\n" in course.before
    assert "parvis.conf" not in course.before
    assert course.before.endswith("[]")


def test_sec06_the_user_answers_with_authentication_and_privacy_and_never_without(course: Course) -> None:
    assert course.first.code == 0, course.first.said
    assert by_user(course.point) != ""
    assert by_user(course.point, level="authNoPriv") == ""
    assert "No Such" in by_user(course.point, oid=f"{USERS}.1.3")


def test_sec06_communities_stay_until_the_centre_gets_answers_without_them(course: Course) -> None:
    assert f"rocommunity {COMMUNITY}" in course.between
    assert "do not ask it by bornes-v3 yet: its communities stay" in course.first.said

    assert course.second.code == 0, course.second.said
    assert "Their lines" in course.second.changed()
    assert "community" not in course.gone
    assert by_community(course.point, "public") == ""


def test_sec06_where_snmpd_falls_silent_without_communities_they_are_put_back(course: Course) -> None:
    assert course.fallen.code == 2
    assert f"{NAME}: its communities are as before: {NAME} does not answer SNMPv3 as parvis" in course.fallen.said
    assert course.after == course.gone.replace("snmpd.conf.d\n", f"snmpd.conf.d\nrocommunity {COMMUNITY}\n", 1)
    assert by_community(course.point) != ""


def test_sec01_devices_of_the_residents_network_are_isolated_on_the_radio_and_across_radios(course: Course) -> None:
    assert "ssid=Cachan-WiFi\nap_isolate=1\n" in course.point.says("cat", "/etc/hostapd/hostapd.conf")
    assert isolated(course.point) == ["wlan0"]
    unit = course.point.says("cat", "/etc/systemd/system/hostapd.service.d/parvis.conf")
    assert "ExecStartPost=/sbin/bridge link set dev wlan0 isolated on\n" in unit
    assert "hostapd" in course.point.says("ps", "ax")


def test_a_run_on_what_agrees_already_changes_nothing(course: Course) -> None:
    assert course.third.code == 0, course.third.said
    assert course.third.count(NAME, "changed") == 0


def test_no_secret_is_printed_not_even_with_the_differences(course: Course) -> None:
    printed = "".join(one.said for one in (course.looked, course.first, course.second, course.fallen))

    assert [name for name, secret in SECRETS.items() if secret in printed] == []
    assert course.point.says("find", "/etc/snmp", "-name", "*~").split() == []
