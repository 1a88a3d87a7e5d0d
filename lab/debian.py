"""Debian's own programs in the twin: Kea, dnsmasq, snmpd, Prometheus, PostgreSQL, udhcpc … Each in one function.

Where a room generates the configuration, only its paths are set for this machine.
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lab.plan import DNS, SERVICES, WEB, Plan, Resident, centre_address
from lab.probes import Check
from lab.processes import Program
from lab.state import file_for, folder_for
from lab.users import GATEWAYD, ROOT, SERVERS, postgres
from parvis.inventory import CommunityCredential, Site, Switch, Town
from parvis.processes import ALERTMANAGER_PORT, PROMETHEUS_PORT

READ_BY_GROUP = 0o2750
"""A folder whose new files belong to its group: since 2.6.3 Kea keeps its lease file from everybody else."""
PACKAGES = {
    "ip": "iproute2",
    "nft": "nftables",
    "setpriv": "util-linux",
    "kea-dhcp4": "kea-dhcp4-server",
    "dnsmasq": "dnsmasq-base",
    "snmpd": "snmpd",
    "udhcpc": "udhcpc",
    "prometheus": "prometheus",
    "prometheus-alertmanager": "prometheus-alertmanager",
}
"""Program -> the Debian package that has it."""
NET_SNMP_NAMES = {"SHA-1": "SHA", "AES-128": "AES", "AES-192-reeder": "AES-192-C", "AES-256-reeder": "AES-256-C"}
UNCONFINED = ("aa-exec", "-p", "unconfined", "--")
APPARMOR = Path("/sys/kernel/security/apparmor/profiles")
LEASE_SCRIPT = Path(__file__).with_name("lease.sh")
POSTGRESQL_SCRIPT = Path(__file__).with_name("postgresql.sh")
POSTGRESQL, POSTGRESQL_PORT = Path("/usr/lib/postgresql"), 5432
SHARED_SECRET = "shared-database"  # noqa: S105 a name
RETRY_SECONDS, TRIES = 1, 3
DHCP_PORT, SNMP_PORT, DNS_PORT = 67, 161, 53


def missing(without: frozenset[str] = frozenset(), *, shared: bool = False) -> dict[str, str]:
    """The programs this machine lacks, each with its Debian package."""
    wanted = {program: package for program, package in PACKAGES.items() if program not in without}
    found = {program: package for program, package in wanted.items() if shutil.which(program) is None}
    return found | ({"postgres": "postgresql"} if shared and not postgresql_programs() else {})


def postgresql_programs() -> Path | None:
    """Where the newest PostgreSQL's programs are; Debian keeps them off the path."""
    found = [path for path in POSTGRESQL.glob("*/bin") if (path / "postgres").exists()]
    return max(found, key=lambda path: float(path.parent.name), default=None)


def unconfined(argv: tuple[str, ...]) -> tuple[str, ...]:
    """*argv* outside AppArmor's profiles, which hold Debian's servers to the paths of their packages."""
    return (*UNCONFINED, *argv) if APPARMOR.exists() and shutil.which(UNCONFINED[0]) else argv


@dataclass(frozen=True, slots=True)
class Debian:
    """Makes Debian's programs for one town, in one state folder. *texts* are the rooms' outputs by name."""

    town: Town
    plan: Plan
    folder: Path
    texts: Mapping[str, str]
    secrets: Mapping[str, str]
    sight: str
    """The script what runs as another user starts through; see lab.users."""

    def internet_dns(self) -> Program:
        """The fake internet's DNS: any name leads to its web server, the town's services to their own address."""
        garden = (f"--address=/{name}/{address}" for name in self.town.garden for address in SERVICES)
        answers = (*(f"--address=/#/{address}" for address in WEB), *garden)
        listening = tuple(f"--listen-address={address}" for address in DNS)
        options = ("--keep-in-foreground", "--conf-file=/dev/null", "--no-hosts", "--no-resolv", "--bind-interfaces")
        argv = ("dnsmasq", *options, "--log-facility=-", "--pid-file=", *listening, *answers)
        return Program("inet.dnsmasq", self.plan.inet, unconfined(argv), "debian", Check("udp", DNS_PORT))

    def kea(self, site: Site) -> Program:
        """The site's DHCP server; its lease file is one that gatewayd may read."""
        name = site.gateway.name
        here = folder_for(self.folder / name / "kea", ROOT, READ_BY_GROUP, group=GATEWAYD.uid)
        server = json.loads(self.texts[f"gateway/{name}/kea-dhcp4.json"])
        server["Dhcp4"]["lease-database"]["name"] = str(here / "leases.csv")
        config = file_for(here / "kea-dhcp4.json", json.dumps(server, indent=1))
        # Since 2.6.3 Kea writes leases only below this folder, /var/lib/kea by default (Kea ARM, path restrictions)
        environment = {"KEA_PIDFILE_DIR": str(here), "KEA_LOCKFILE_DIR": "none", "KEA_DHCP_DATA_DIR": str(here)}
        argv = unconfined(("kea-dhcp4", "-c", str(config)))
        namespace = self.plan.namespace(name)
        return Program(f"{name}.kea", namespace, argv, "debian", Check("udp", DHCP_PORT), environment)

    def dnsmasq(self, site: Site) -> Program:
        """The site's resolver and router advertisements."""
        name = site.gateway.name
        config = file_for(self.folder / name / "dnsmasq.conf", self.texts[f"gateway/{name}/dnsmasq.conf"])
        argv = ("dnsmasq", "--keep-in-foreground", f"--conf-file={config}", "--log-facility=-", "--pid-file=")
        namespace = self.plan.namespace(name)
        return Program(f"{name}.dnsmasq", namespace, unconfined(argv), "debian", Check("udp", DNS_PORT))

    def snmpd(self, site: Site, switch: Switch) -> Program:
        """A switch: Debian's agent sees the namespace's real ports, so a cut fibre is a port that is down."""
        here = self.folder / switch.name
        here.mkdir(exist_ok=True)
        lines = [
            f"agentAddress udp:{switch.address}:{switch.snmp.port}",
            f"sysName {switch.name}",
            f"sysDescr {switch.model}",
            f"sysLocation {site.title.fr}",
            f"sysContact {self.town.contact.email}",
            "sysServices 2",
            "dontLogTCPWrappersConnects yes",
            *self._snmp_access(switch.snmp.credential),
        ]
        file_for(here / "snmpd.conf", "\n".join(lines) + "\n", mode=0o600)
        kept = here / "persistent"  # engine identifier and boots
        argv = ("snmpd", "-f", "-Lo", "-I", "-smux")
        environment = {"SNMP_PERSISTENT_DIR": str(kept), "MIBS": "", "SNMPCONFPATH": f"{here}:{kept}"}
        namespace = self.plan.namespace(switch.name)
        ready = Check("udp", switch.snmp.port)
        return Program(f"{switch.name}.snmpd", namespace, unconfined(argv), "debian", ready, environment)

    def _snmp_access(self, name: str) -> list[str]:
        credential = self.town.credential(name)
        if isinstance(credential, CommunityCredential):
            return [f"rocommunity {self.secrets[credential.community_secret]}"]
        auth, privacy = (NET_SNMP_NAMES.get(kind, kind) for kind in (credential.auth, credential.privacy))
        kept = ((auth, credential.auth_secret), (privacy, credential.privacy_secret))
        protocols = [f'{protocol} "{self.secrets[name]}"' for protocol, name in kept if name]
        level = ("noauth", "auth", "priv")[len(protocols)]
        return [" ".join(("createUser", credential.user, *protocols)), f"rouser {credential.user} {level}"]

    def prometheus(self, rules: Path) -> Program:
        """The town's Prometheus, with the files of the folder *rules*."""
        here = self._server_folder("prometheus", rules)
        where = (f"--config.file={here / 'prometheus.yml'}", f"--storage.tsdb.path={here / 'data'}")
        argv = ("prometheus", *_flags(here / "prometheus.args"), *where)
        ready = Check("tcp", PROMETHEUS_PORT)
        return Program("prometheus", self.plan.centre, SERVERS.command(self.sight, argv), "debian", ready)

    def alertmanager(self, rules: Path) -> Program:
        """The town's Alertmanager, with the files of the folder *rules*."""
        here = self._server_folder("alertmanager", rules)
        where = (f"--config.file={here / 'alertmanager.yml'}", f"--storage.path={here / 'data'}")
        argv = ("prometheus-alertmanager", *_flags(here / "alertmanager.args"), *where)
        ready = Check("tcp", ALERTMANAGER_PORT)
        return Program("alertmanager", self.plan.centre, SERVERS.command(self.sight, argv), "debian", ready)

    def postgresql(self) -> Program:
        """The database the gateways share; it listens in the machine room and asks for the password."""
        user, programs = postgres(), postgresql_programs() or POSTGRESQL
        here = folder_for(self.folder / "centre" / "postgresql", user)
        password = file_for(here / "password", self.secrets[SHARED_SECRET], user)
        script = file_for(self.folder / "postgresql.sh", POSTGRESQL_SCRIPT.read_text(), mode=0o755)
        argv = ("sh", str(script), str(programs), str(here), centre_address(self.town), str(password))
        ready = Check("tcp", POSTGRESQL_PORT)
        return Program("postgresql", self.plan.centre, user.command(self.sight, argv), "debian", ready)

    def _server_folder(self, name: str, rules: Path) -> Path:
        here = folder_for(self.folder / "centre" / name, SERVERS)
        for file in rules.iterdir():
            file_for(here / file.name, file.read_text(), SERVERS)
        return here

    def phone(self, resident: Resident, resolver: Path) -> Program:
        """A resident's DHCP client, asking for option 114 (RFC 8910)."""
        script = file_for(self.folder / "lease.sh", LEASE_SCRIPT.read_text(), mode=0o755)
        lease = lease_file(self.folder, resident)
        asking = ("-O", "114", "-t", str(TRIES), "-T", str(RETRY_SECONDS), "-A", str(RETRY_SECONDS))
        argv = ("udhcpc", "-f", "-i", "wlan0", "-s", str(script), *asking)
        environment = {"PARVIS_LEASE": str(lease), "PARVIS_RESOLVER": str(resolver)}
        ready = Check("exists", path=str(lease))
        return Program(resident.alias, resident.namespace, argv, "resident", ready, environment)


def _flags(file: Path) -> list[str]:
    return file.read_text().split()


def lease_file(folder: Path, resident: Resident) -> Path:
    """Where the resident's DHCP client notes its lease."""
    return folder / "residents" / f"{resident.alias}.lease"


def lease(folder: Path, resident: Resident) -> dict[str, str]:
    """The resident's lease: ip, router, dns, lease (seconds), and *url*, option 114 as text; empty without a lease."""
    file = lease_file(folder, resident)
    lines = file.read_text().splitlines() if file.exists() else []
    noted = dict(line.split("=", 1) for line in lines)
    digits = noted.pop("opt114", "")
    return {**noted, "url": bytes.fromhex(digits).decode()} if digits else noted
