"""The other rooms' processes, started as programs, each with a settings file, secrets and folders of its own."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lab.agents.agent import TRAP_PORT
from lab.network import run
from lab.plan import VISITOR_INTERFACE, Plan, centre_address
from lab.probes import Check
from lab.processes import Program
from lab.state import file_for, folder_for
from lab.users import COLLECTORS, CONSOLE, GATEWAYD, MONITOR, PORTAL, User
from parvis import processes
from parvis.inventory import Site, Town

PARVIS = str(Path(sys.executable).parent / "parvis")
LOOPBACK = "127.0.0.1"
CALLS = 100
"""Messages one person may get: whoever plays ten faults in an hour wants to see ten calls, and not a digest."""
READ_BY_OTHERS = 0o2750
"""A folder whose owner writes and whose group passes; what is made in it belongs to the group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast the twin's rooms work, in seconds; faster than production, so that a demo need not wait."""

    poll: float = 5.0
    probe: float = 1.0
    visit: float = 60.0
    alerts: float = 0.2
    """What Prometheus's and Alertmanager's waits are multiplied by."""


Value = str | int | float | list[int] | list[str]


def toml(values: Mapping[str, Value]) -> str:
    r"""A flat TOML file; JSON's strings, numbers and lists are TOML's.

    >>> toml({"port": 9201, "listen": "10.0.0.1"})
    'port = 9201\nlisten = "10.0.0.1"\n'
    """
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())


def management(gateway: str) -> str:
    """What the certificate of a gateway's management address is called among the files."""
    return f"{gateway}-management"


def add_account(folder: Path, name: str, role: str, password: str) -> str:
    """Make a console account by its own command; what the command prints, the code to scan included."""
    settings = str(folder / "settings" / "console.toml")
    words = ("console", "--settings", settings, "account", "add", name, "--role", role, "--password-stdin")
    return run(sys.executable, PARVIS, *words, given=password + "\n")


def write_rules(folder: Path, town: Path, pace: float) -> None:
    """Have the dashboards room write Prometheus's and Alertmanager's files into *folder*."""
    run(sys.executable, PARVIS, "rules", str(town), "--into", str(folder), "--pace", str(pace))


@dataclass(frozen=True, slots=True)
class Rooms:
    """Makes the programs of our rooms for one town, in one state folder."""

    town: Town
    plan: Plan
    folder: Path
    pace: Pace
    sight: str
    """The script every one of ours starts through; see lab.users."""
    shared: bool = False

    def gateway(self, site: Site, without: frozenset[str]) -> list[Program]:
        """One site's gatewayd and portal."""
        name, address = site.gateway.name, str(site.gateway.address)
        run = folder_for(self.folder / name / "run", GATEWAYD, READ_BY_OTHERS, group=PORTAL.uid)
        both: dict[str, Value] = {"site": site.site, "socket": str(run / "gatewayd.sock"), "listen": address}
        leases = str(self.folder / name / "kea" / "leases.csv")
        enforcing: dict[str, Value] = {**both, "leases": leases, "allowed_users": [PORTAL.uid]}
        tls = self.folder / "tls" / f"{name}"
        staff = self.folder / "tls" / management(name)
        serving = {
            **both,
            "certificate": f"{tls}.crt",
            "key": f"{tls}.key",
            "management_certificate": f"{staff}.crt",
            "management_key": f"{staff}.key",
        }
        if self.shared:
            serving["shared_database"] = f"postgresql://parvis@{centre_address(self.town)}/parvis"
        made = []
        for process, user, extra in ((processes.GATEWAYD, GATEWAYD, enforcing), (processes.PORTAL, PORTAL, serving)):
            if process.name not in without:
                made.append(self.program(f"{name}.{process.name}", process, user, extra))
        return made

    def centre(self, without: frozenset[str]) -> list[Program]:
        """The collectors, the monitor and the staff console."""
        made = []
        if "collectors" not in without:
            extra: dict[str, Value] = {"poll_interval": self.pace.poll, "trap_port": TRAP_PORT}
            made.append(self.program("collectors", processes.COLLECTORS, COLLECTORS, extra))
        if "monitor" not in without:
            extra = {"probe_interval": self.pace.probe, "probe_timeout": self.pace.probe * 0.8}
            extra |= {"alert_pace": self.pace.alerts, "message_budget": CALLS}
            made.append(self.program("monitor", processes.MONITOR, MONITOR, extra))
        if "console" not in without:
            tls = self.folder / "tls"
            extra = {"certificate": f"{tls}/console.crt", "key": f"{tls}/console.key", "authority": f"{tls}/ca.pem"}
            made.append(self.program("console", processes.CONSOLE, CONSOLE, extra))
        return made

    def visitor(self, without: frozenset[str]) -> list[Program]:
        """The resident that is a program, at every site; root, because it works in the guests' namespaces."""
        if "visitor" in without:
            return []
        places = [
            f'[[places]]\nsite = "{site}"\nnamespace = "{namespace}"\ninterface = "{VISITOR_INTERFACE}"\n'
            for site, namespace in self.plan.visitors.items()
        ]
        values: dict[str, Value] = {
            "town": str(self.folder / "town"),
            "secrets": str(self.folder / "secrets" / "visitor"),
            "visit_ca": str(self.folder / "tls" / "ca.pem"),
            "visit_interval": self.pace.visit,
        }
        settings = file_for(self.folder / "settings" / "visitor.toml", toml(values) + "".join(places))
        argv = (sys.executable, "-OO", PARVIS, "visitor", "--settings", str(settings))
        return [Program("visitor", self.plan.centre, argv, "ours")]

    def program(self, name: str, process: processes.Process, user: User, extra: Mapping[str, Value]) -> Program:
        """*process* called *name* as *user*, with folders and a settings file of its own that *extra* adds to."""
        device = name.partition(".")[0] if process.place == "gateway" else ""
        base = self.folder / (device or "centre")
        values: dict[str, Value] = {
            "town": str(self.folder / "town"),
            "state": str(folder_for(base / process.name, user)),
            "run": str(base / "run"),
            "secrets": str(self.folder / "secrets" / process.name),
            "listen": LOOPBACK,
            "port": process.port,
            **extra,
        }
        settings = file_for(self.folder / "settings" / f"{name}.toml", toml(values))
        argv = (PARVIS, process.name, "--settings", str(settings))
        return Program(
            name=name,
            namespace=self.plan.namespace(device) if device else self.plan.centre,
            argv=user.command(self.sight, (sys.executable, "-OO", *argv)),
            kind="ours",
            ready=Check("healthy", process.port, str(values["listen"])),
        )
