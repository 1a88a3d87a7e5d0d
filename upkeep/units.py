"""systemd units of our processes and of Debian's beside them: own users, least privileges, order, limits, watchdog.

A process of ours is one entry of parvis/processes.py and one of NEEDS here. The sandbox is the same for all; what a
process needs beyond it stands in its entry, with the reason.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from parvis.inventory import Town
from parvis.processes import (
    ARCHIVE,
    COLLECTORS,
    CONSOLE,
    EVIDENCE,
    GATEWAYD,
    MONITOR,
    PORTAL,
    PORTAL_HTTP_PORT,
    Process,
)
from upkeep import logs, places, publishing
from upkeep.delivered import INSTALLED, KEYS, OPENDATA, secrets

RESOLVER = "parvis-resolver.service"
DHCP = "kea-dhcp4-server.service"
RULES = "nftables.service"
PROMETHEUS, ALERTMANAGER = "prometheus.service", "prometheus-alertmanager.service"
WALL = "nginx.service"
DEBIAN = (DHCP, PROMETHEUS, ALERTMANAGER, WALL, logs.UPLOAD, logs.REMOTE)
"""Debian's services that the town runs and others can reach: ours to harden and to judge."""
KEA_GROUP = "_kea"
"""Since 2.6.3 Kea keeps its lease file from everybody else."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What a process needs beyond what all have. *after*: the start order; *calls*: system calls or their groups."""

    title: str
    memory: str
    after: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    families: tuple[str, ...] = ("AF_INET", "AF_INET6", "AF_UNIX")
    calls: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()


NEEDS = {
    GATEWAYD.name: Needs(
        "the gateway's daemon: ruleset, leases, sessions",
        "384M",
        after=(RULES,),
        groups=(KEA_GROUP,),
        families=("AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK", "AF_PACKET"),
        # capset: it gives CAP_NET_RAW up before it serves
        calls=("capset",),
        lines=("RuntimeDirectory=parvis", "RuntimeDirectoryMode=0755"),
    ),
    PORTAL.name: Needs(
        "the captive portal",
        "512M",
        after=(places.unit(GATEWAYD.name), DHCP, RESOLVER),
        # route netlink: the addresses of this machine, and which uplink is there
        families=("AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK"),
    ),
    COLLECTORS.name: Needs("the SNMP collectors", "1G"),
    MONITOR.name: Needs(
        "the monitor: probes, incidents, on call",
        "768M",
        # route netlink: a telephone call (docs/16) tells the operator which of this machine's addresses it speaks from
        families=("AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK"),
    ),
    CONSOLE.name: Needs("the staff console", "384M"),
    EVIDENCE.name: Needs(
        "the recorder of evidence",
        "512M",
        after=(places.unit(GATEWAYD.name),),
        families=("AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK"),
        # what was heard and not yet sealed outlives a restart (docs/18)
        lines=("FileDescriptorStoreMax=8",),
    ),
    ARCHIVE.name: Needs("the archive of evidence", "384M"),
}

ONLINE = "systemd-networkd-wait-online.service"
NETWORK_SECONDS = 15
"""As long as a start waits for networkd to be done with the guests' link."""
SANDBOX = """\
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
ProtectProc=invisible
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RemoveIPC=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
KeyringMode=private
SystemCallArchitectures=native
SystemCallErrorNumber=EPERM
UMask=0077
DevicePolicy=closed
"""
"""systemd.exec(5), after ANSSI-BP-028 R63 to R65; ``systemd-analyze security`` judges each unit in a test."""


def unit(process: Process, given: Iterable[str]) -> str:
    """The unit file of *process*, which is handed the secrets and private keys called *given*."""
    needs = NEEDS[process.name]
    after = " ".join(("network-online.target", *needs.after))
    handed = "".join(f"LoadCredential={name}:{places.SECRETS / name}\n" for name in given)
    return f"""\
# Generated (upkeep/units.py).
[Unit]
Description=Parvis: {needs.title}
Documentation=file:{places.PROGRAM}/share/docs/01-architecture.md
After={after}
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
User={process.user}
Group={process.user}
{_groups(needs)}ExecStart={places.COMMAND} {process.name} --settings {places.settings(process.name)}
EnvironmentFile=-{places.CONFIGURATION / process.name}.env
{handed}StateDirectory=parvis/{process.name}
StateDirectoryMode=0700
{"".join(f"{line}{chr(10)}" for line in needs.lines)}Restart=always
RestartSec=1
TimeoutStartSec=90
TimeoutStopSec=20
WatchdogSec=60
OOMPolicy=continue
MemoryMax={needs.memory}
TasksMax=256
LimitNOFILE=16384
{SANDBOX}{_privileges(process.capabilities)}RestrictAddressFamilies={" ".join(needs.families)}
{_calls(needs.calls)}
[Install]
WantedBy=multi-user.target
"""


def _groups(needs: Needs) -> str:
    return f"SupplementaryGroups={' '.join(needs.groups)}\n" if needs.groups else ""


def _privileges(capabilities: tuple[str, ...]) -> str:
    names = " ".join(f"CAP_{name.upper()}" for name in capabilities)
    # Without capabilities of its own a process can be in a user namespace of its own too.
    alone = "" if capabilities else "PrivateUsers=yes\n"
    return f"CapabilityBoundingSet={names}\nAmbientCapabilities={names}\n{alone}"


def _calls(extra: tuple[str, ...]) -> str:
    allowed = f"SystemCallFilter={' '.join(extra)}\n" if extra else ""
    return f"SystemCallFilter=@system-service\nSystemCallFilter=~@privileged @resources\n{allowed}"


def portal_socket() -> str:
    """The socket on which phones' probes wait while the portal is restarted, instead of failing."""
    return f"""\
# Generated (upkeep/units.py).
[Unit]
Description=Parvis: plain HTTP of devices not yet admitted

[Socket]
ListenStream=[::]:{PORTAL_HTTP_PORT}
BindIPv6Only=both
Backlog=1024
FreeBind=yes

[Install]
WantedBy=sockets.target
"""


def resolver() -> str:
    """Debian's dnsmasq for names and stateless DHCPv6, with nothing of the package's own defaults.

    CAP_NET_ADMIN: it puts the walled garden's addresses into nftables' sets.
    """
    capabilities = ("net_admin", "net_bind_service", "net_raw")
    return f"""\
# Generated (upkeep/units.py).
[Unit]
Description=Parvis: the guests' resolver (dnsmasq)
After=network-online.target {places.unit(GATEWAYD.name)}
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
User=dnsmasq
Group=nogroup
ExecStart=/usr/sbin/dnsmasq --keep-in-foreground --user= --conf-file={places.CONFIGURATION}/dnsmasq.conf \
--log-facility=- --pid-file= --dhcp-leasefile=/var/lib/parvis-resolver/leases
StateDirectory=parvis-resolver
Restart=always
RestartSec=1
MemoryMax=256M
{SANDBOX}{_privileges(capabilities)}RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
{_calls(())}
[Install]
WantedBy=multi-user.target
"""


def dhcp() -> str:
    """What is added to Debian's unit of Kea: the order, restarts, and the sandbox."""
    return f"""\
# Generated (upkeep/units.py).
[Unit]
After={places.unit(GATEWAYD.name)}
StartLimitIntervalSec=0

[Service]
Restart=always
RestartSec=1
MemoryMax=512M
CapabilityBoundingSet=CAP_NET_BIND_SERVICE CAP_NET_RAW
{SANDBOX.replace("UMask=0077", "UMask=0027")}RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK AF_PACKET
{_calls(())}"""


def observer() -> str:
    """What is added to Debian's units of Prometheus and Alertmanager: the sandbox, and their own folder."""
    return f"""\
# Generated (upkeep/units.py).
[Unit]
StartLimitIntervalSec=0

[Service]
Restart=always
RestartSec=1
ReadWritePaths=/var/lib/prometheus
{SANDBOX}{_privileges(())}RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
{_calls(())}"""


def rules() -> str:
    """What is added to Debian's unit of nftables: stopping it closes nothing and opens nothing.

    Debian's own ExecStop flushes every table: on a gateway that would open the gate.
    """
    return "# Generated (upkeep/units.py).\n[Service]\nExecStop=\n"


def patience() -> str:
    """What is added to Debian's wait for the network: a gateway whose link fails is started all the same.

    The door comes up without the uplink; two minutes, as Debian waits, are two minutes in which nobody is online.
    """
    return f"""\
# Generated (upkeep/units.py).
[Service]
ExecStart=
ExecStart=/usr/lib/systemd/systemd-networkd-wait-online --timeout={NETWORK_SECONDS}
"""


def files(town: Town, place: str) -> dict[str, str]:
    """Every unit file of a machine at *place* (``gateway`` or ``centre``), by its path below /etc/systemd/system."""
    made = {
        places.unit(process.name): unit(process, [*secrets(town, process), *KEYS.get(process.name, ())])
        for process in INSTALLED
        if process.place == place
    }
    made[f"{RULES}.d/parvis.conf"] = rules()
    if place == "gateway":
        made["parvis-portal.socket"] = portal_socket()
        made[RESOLVER] = resolver()
        made[f"{DHCP}.d/parvis.conf"] = dhcp()
        made[f"{ONLINE}.d/parvis.conf"] = patience()
    else:
        made |= {f"{name}.d/parvis.conf": observer() for name in (PROMETHEUS, ALERTMANAGER)}
    sandbox = f"{SANDBOX}{_privileges(())}RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX\n{_calls(())}"
    if place == "centre" and town.open_data:
        made |= publishing.units(town.open_data, secrets(town, OPENDATA), sandbox)
    return made | logs.units(town, place, sandbox)
