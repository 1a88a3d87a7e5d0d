"""Which secrets each process is given, by name: those it always needs, and those the town's description names."""

from pathlib import Path

from parvis.inventory import Town
from parvis.processes import (
    ARCHIVE,
    COLLECTORS,
    CONSOLE,
    EVIDENCE,
    GATEWAYD,
    MANAGEMENT_TOKEN,
    MONITOR,
    PORTAL,
    Process,
)

INSTALLED = (PORTAL, GATEWAYD, COLLECTORS, MONITOR, CONSOLE, EVIDENCE, ARCHIVE)
"""The processes that the roles install; evidence and archive start once the keys' ceremony was held (docs/18)."""
OPENDATA = Process("opendata", 0, "centre", secrets=(MANAGEMENT_TOKEN,))
"""``parvis opendata`` by a timer (upkeep/publishing.py): it ends by itself and shows no port."""
SHARED_DATABASE, CONSOLE_OIDC, INFLUX_TOKEN = "shared-database", "console-oidc", "influx-token"
OPTIONAL = {PORTAL.name: (SHARED_DATABASE,), "console": (CONSOLE_OIDC,), COLLECTORS.name: (INFLUX_TOKEN,)}
"""Needed only where the settings ask for what they open."""
KEYS = {
    PORTAL.name: ("portal.key", "management.key"),
    CONSOLE.name: ("console.key",),
    EVIDENCE.name: ("management.key",),
}
"""The private keys of TLS certificates, delivered as secrets are."""


def users(town: Town, place: str) -> list[Process]:
    """The processes with a user, a folder and secrets of their own on a machine at *place*."""
    timed = (OPENDATA,) if town.open_data else ()
    return [process for process in (*INSTALLED, *timed) if process.place == place]


def secrets(town: Town, process: Process) -> list[str]:
    """The names of what *process* cannot do without."""
    published = town.open_data.secrets if town.open_data else list
    own = {COLLECTORS.name: town.snmp_secrets, MONITOR.name: town.channel_secrets, OPENDATA.name: published}
    return sorted({*process.secrets, *own.get(process.name, list)()})


def everything(town: Town) -> dict[str, list[str]]:
    """Secret -> the names of the processes that are given it; the whole town's."""
    found: dict[str, list[str]] = {}
    for process in (*users(town, "gateway"), *users(town, "centre")):
        for name in secrets(town, process):
            found.setdefault(name, []).append(process.name)
    return dict(sorted(found.items()))


DEBIAN = {
    "everywhere": ("nftables", "chrony", "unattended-upgrades", "openssl", "age", "systemd-journal-remote"),
    "gateway": ("kea-dhcp4-server", "dnsmasq-base", "libnftables1"),
    "centre": ("prometheus", "prometheus-alertmanager", "stunnel4"),
}
"""Debian's packages that a machine of each place needs beside ours."""


CHOSEN = {
    "postgresql": "etc/parvis/database.conf",
    "nginx": "etc/nginx/nginx.conf",
    "grafana": "etc/systemd/system/grafana-server.service.d/parvis.conf",
    "lego": "etc/systemd/system/parvis-certificates.service",
}
"""Debian's packages that a machine has when the town chose so -> the file of ours, below the root, that says so."""


def chosen(root: Path) -> list[str]:
    """The packages of CHOSEN that the machine below *root* has."""
    return [name for name, sign in CHOSEN.items() if (root / sign).is_file()]


TELEPHONE = ("baresip-core", "espeak-ng")
"""What speaks over a telephone line, where the town has one to call whoever is on duty."""


def packages(place: str, town: Town | None = None) -> list[str]:
    """Debian's packages of a machine at *place*, of any town or with what *town* needs besides."""
    calls = town is not None and place == "centre" and any(channel.kind == "sip" for channel in town.channels)
    return [*DEBIAN["everywhere"], *DEBIAN[place], *(TELEPHONE if calls else ())]
