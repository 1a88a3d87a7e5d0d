"""``parvis audit``: gathers what the machine is for upkeep.audit, and prints the report."""

import re
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from parvis.inventory import ClearText, Site, Town, examine, in_clear_text
from parvis.processes import (
    CONSOLE_HTTPS_PORT,
    EVIDENCE_SHARED_PORT,
    MANAGEMENT_PORT,
    PORTAL,
    PORTAL_HTTP_PORT,
    PORTAL_HTTPS_PORT,
    TRAP_PORT,
)
from upkeep import audit as judging
from upkeep import hardening, open_agents, places, ports
from upkeep.commands import only_root
from upkeep.delivered import INSTALLED
from upkeep.machine import ask, lines
from upkeep.order import CLUSTERS
from upkeep.units import DEBIAN

WORST_SCORE = 3.0
COLOURS_OF_SIGNS = {judging.SIGNS[verdict]: colour for verdict, colour in judging.COLOURS.items()}
SYSCTL = Path("/proc/sys")
DNS, DHCP, DHCP6 = 53, 67, 547
LISTENING = re.compile(r"\S+\s+\S+\s+\d+\s+\d+\s+\[?([^\s\]%]+)\]?(?:%\S+)?:(\d+)\s")


@click.command()
@click.option("--report", type=click.Path(path_type=Path, dir_okay=False), help="Write the report into this file.")
def audit(report: Path | None) -> None:
    """Compare this machine with the security requirements (docs/20), print a report; exit code 1 for one not met."""
    only_root()
    town = examine(places.TOWN)[0] if places.TOWN.is_dir() else None
    site = here(town)
    found = gather(town, site)
    when = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    text = judging.report(found, hardening.exceptions(site), socket.gethostname(), when)
    if report:
        report.write_text(text, "utf-8")
    for row in text.splitlines():
        click.echo(click.style(row, fg=COLOURS_OF_SIGNS.get(row[2:3])))
    sys.exit(any(line.verdict == "not met" for line in found))


def here(town: Town | None) -> Site | None:
    """The site whose gateway this machine is; None in the centre."""
    settings = places.settings(PORTAL.name)
    said = re.search(r'^site = "([^"]+)"', settings.read_text(), re.MULTILINE) if settings.is_file() else None
    return town.site(said[1]) if town and said else None


def gather(town: Town | None, site: Site | None) -> list[judging.Line]:
    """Everything the machine says, judged."""
    rules = hardening.rules()
    wanted = {setting.name: setting.value for setting in hardening.kernel_settings()}
    sshd = dict(line.split(" ", 1) for line in lines("sshd", "-T") if " " in line)
    installed = frozenset(lines("dpkg-query", "--show", "--showformat=${Package}\n"))
    bits = lines("find", "/usr", "-xdev", "-type", "f", "-perm", "/6000")
    names = [path.name for path in places.UNITS.glob("parvis-*.service")]
    names += [name for name in DEBIAN if (places.UNITS / f"{name}.d/parvis.conf").is_file()]
    names += clusters()
    today = datetime.now(UTC).date()
    devices = polled(town, site)
    return [
        *judging.kernel(wanted, {name: _sysctl(name) for name in wanted}),
        *judging.ssh(rules["ssh"], sshd),
        *judging.listening(_listening(), allowed(town, site)),
        *judging.clear_text(asked_in_clear_text(town, site), today),
        *judging.open_agents(devices, open_agents.answering(devices)),
        *judging.units({name: score(name) for name in names}, WORST_SCORE),
        *judging.absent(rules["packages_absent"], installed),
        *judging.setuid(bits, rules["setuid_allowed"]),
    ]


def asked_in_clear_text(town: Town | None, site: Site | None) -> list[ClearText]:
    """The devices this machine asks in SNMPv2c: all of the town's in the centre, none from a gateway."""
    return list(in_clear_text(town)) if town and site is None else []


def clusters() -> list[str]:
    """The units of the PostgreSQL that serves the town's gateways, where this machine has it."""
    if not (places.UNITS / CLUSTERS / "parvis.conf").is_file():
        return []
    listed = lines("systemctl", "list-units", "--plain", "--no-legend", "postgresql@*.service")
    return [line.split()[0] for line in listed if line]


def polled(town: Town | None, site: Site | None) -> dict[str, str]:
    """The devices this machine asks by SNMP -> their addresses: all of them in the centre, none from a gateway."""
    if town is None or site is not None:
        return {}
    return {device.name: str(device.address) for one in town.sites for device in one.polled()}


def allowed(town: Town | None, site: Site | None) -> dict[int, frozenset[str]]:
    """Port -> the addresses at which something may listen on this machine."""
    if town is None:
        return {}
    if site is None:
        own, anywhere = frozenset({str(town.centre.address)}), frozenset("*")
        return {ports.SSH: own, CONSOLE_HTTPS_PORT: own, ports.PROXY: anywhere, TRAP_PORT: anywhere} | dict.fromkeys(
            (ports.JOURNAL, ports.DATABASE), own
        )
    management, guest = frozenset({str(site.gateway.address)}), _guest(site)
    # dnsmasq's DHCPv6 socket has no address of its own; the ruleset lets only the guests' interface reach it.
    made = dict.fromkeys((PORTAL_HTTP_PORT, PORTAL_HTTPS_PORT, DHCP6), frozenset("*"))
    staff = (
        ports.SSH,
        MANAGEMENT_PORT,
        EVIDENCE_SHARED_PORT,
        *(one.port for one in INSTALLED if one.place == "gateway"),
    )
    made |= dict.fromkeys(staff, management)
    return made | dict.fromkeys((DNS, DHCP), guest)


def _guest(site: Site) -> frozenset[str]:
    return frozenset({str(site.guest.gateway_ipv4), str(site.guest.gateway_ipv6), "fe80"})


def score(unit: str) -> float:
    """The exposure of *unit* as ``systemd-analyze security`` reckons it; 10 when it says nothing."""
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", ask("systemd-analyze", "security", unit).text)
    return float(found[1]) if found else 10.0


def _sysctl(name: str) -> str | None:
    path = SYSCTL / name
    try:
        return path.read_text().strip()
    except OSError:
        return None


def _listening() -> list[tuple[str, int]]:
    """Addresses and ports at which something waits; a UDP port of the range the kernel hands out is an asker's own."""
    handed_out = int((_sysctl("net/ipv4/ip_local_port_range") or "32768").split()[0])
    found = [LISTENING.match(line) for line in lines("ss", "--numeric", "--listening", "--tcp", "--udp", "--no-header")]
    waiting = [(match[1].partition("%")[0], int(match[2]), match[0].startswith("udp")) for match in found if match]
    return [(address, port) for address, port, asks in waiting if not (asks and port >= handed_out)]
