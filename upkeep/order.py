"""Which units a machine runs, in the order in which they start, and the files each of them reads when it does.

rules → sessions → DHCP → names → portal; in the centre: rules → what collects → what judges → what shows.
"""

from dataclasses import dataclass
from pathlib import Path

from parvis.processes import ARCHIVE, EVIDENCE, Process
from upkeep import logs, places, publishing
from upkeep.delivered import INSTALLED
from upkeep.units import ALERTMANAGER, DHCP, PROMETHEUS, RESOLVER, RULES

NETWORKS, NETWORKD = Path("/etc/systemd/network"), "systemd-networkd.service"
RULES_FILE = Path("/etc/nftables.conf")
PACKAGE = places.PROGRAM / "pyvenv.cfg"
DATABASE = ("-access.conf", ".crt", ".key")
"""What PostgreSQL reads beside its settings (roles/database)."""
CLUSTERS = "postgresql@.service.d"
"""What is added to Debian's unit of each cluster; postgresql.service starts and stops them."""
CODE = places.PROGRAM / "lib"
REMOTE_DROP_IN = places.UNITS / f"{logs.REMOTE}.d"


@dataclass(frozen=True, slots=True)
class Part:
    """A unit of the machine. It is there when *sign* is; *reads* are files and folders it reads when it starts.

    *reload*: it takes new files without being stopped. *ask*: the program that has it do so, where it is not systemctl;
    one that does not answer in time leaves no job of systemd's behind. *socket*: a unit that is started before it.
    """

    unit: str
    sign: Path
    reads: tuple[Path, ...] = ()
    reload: bool = False
    ask: tuple[str, ...] = ()
    socket: str = ""
    ours: bool = False
    """Whether it runs our code: it is started again when the package has changed."""


def process(one: Process) -> Part:
    """The unit of a process of ours."""
    unit = places.unit(one.name)
    reads = (
        places.settings(one.name),
        places.CONFIGURATION / f"{one.name}.env",
        places.UNITS / unit,
        places.UNITS / f"{unit}.d",
        places.TOWN,
        places.SECRETS,
        places.CERTIFICATES,
        places.LEGAL,
    )
    socket = "parvis-portal.socket" if one.name == "portal" else ""
    return Part(unit, sign(one), reads, socket=socket, ours=True)


def sign(one: Process) -> Path:
    """The file that says that *one* runs on this machine: its settings, or what somebody must decide first."""
    return {EVIDENCE.name: places.CHOICE, ARCHIVE.name: places.CEREMONY}.get(one.name, places.settings(one.name))


def _debian(unit: str, sign: str, *reads: str, reload: bool = False) -> Part:
    drop_in = places.UNITS / f"{unit}.d"
    return Part(unit, Path(sign), (Path(sign), *map(Path, reads), drop_in), reload=reload)


def parts() -> tuple[Part, ...]:
    """Every unit a machine of the town may run, in the order of their start."""
    ours = {one.name: process(one) for one in INSTALLED}
    gateway = [ours[name] for name in ("gatewayd", "portal")]
    return (
        _debian("systemd-sysctl.service", "/etc/sysctl.d/60-parvis-hardening.conf", "/etc/sysctl.d"),
        _debian("systemd-journald.service", "/etc/systemd/journald.conf.d/parvis.conf"),
        _debian("chrony.service", "/etc/chrony/conf.d/parvis.conf"),
        _debian("ssh.service", "/etc/ssh/sshd_config.d/10-parvis.conf", "/etc/ssh/sshd_config", reload=True),
        Part(NETWORKD, NETWORKS / "10-parvis-guests.network", (NETWORKS,), reload=True, ask=("networkctl", "reload")),
        _debian(RULES, str(RULES_FILE), "/etc/parvis/nftables.d", reload=True),
        Part(logs.REMOTE, REMOTE_DROP_IN / "parvis.conf", (REMOTE_DROP_IN,), socket=logs.REMOTE_SOCKET),
        _debian(logs.DOOR, str(places.UNITS / logs.DOOR), str(logs.DOOR_FILE), str(places.CERTIFICATES)),
        _debian(logs.UPLOAD, str(places.UNITS / f"{logs.UPLOAD}.d/parvis.conf"), str(places.CERTIFICATES)),
        gateway[0],
        _debian(DHCP, "/etc/kea/kea-dhcp4.conf"),
        _debian(RESOLVER, "/etc/parvis/dnsmasq.conf", str(places.UNITS / RESOLVER)),
        gateway[1],
        _debian(
            "postgresql.service",
            "/etc/parvis/database.conf",
            *(f"/etc/parvis/database{end}" for end in DATABASE),
            str(places.UNITS / CLUSTERS),
        ),
        ours["collectors"],
        ours["monitor"],
        _debian(
            ALERTMANAGER,
            "/etc/prometheus/alertmanager.yml",
            "/etc/default/prometheus-alertmanager",
        ),
        _debian(PROMETHEUS, "/etc/prometheus/rules.yml", "/etc/prometheus", "/etc/default/prometheus"),
        ours["console"],
        _debian(
            "grafana-server.service",
            str(places.UNITS / "grafana-server.service.d/parvis.conf"),
            "/etc/grafana/parvis/provisioning",
            str(places.SECRETS / "grafana.env"),
        ),
        _debian("nginx.service", "/etc/nginx/nginx.conf", str(places.CERTIFICATES)),
        *(
            ours[one.name]
            for one in INSTALLED
            if one.name not in {"gatewayd", "portal", "collectors", "monitor", "console"}
        ),
        _debian(f"{logs.WEEKLY}.timer", str(places.UNITS / f"{logs.WEEKLY}.timer")),
        _debian(f"{publishing.NAME}.timer", str(places.UNITS / f"{publishing.NAME}.timer")),
        _debian("parvis-backup.timer", str(places.UNITS / "parvis-backup.timer")),
        _debian("parvis-certificates.timer", str(places.UNITS / "parvis-certificates.timer")),
    )
