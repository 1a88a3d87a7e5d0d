"""The journals of the gateways in the centre, by systemd's own journal-upload and journal-remote over mutual TLS.

Native format, near real time; what a gateway could not send waits in its own journal. Debian's journal-remote knows no
TLS, so stunnel stands before it: whoever shows no certificate of the town's authority says nothing. A file of the
centre's takes a week, then it is closed; 90 days after its first line it is gone (RET-08).
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from parvis.diagnosis import Diagnosis
from parvis.inventory import Town
from upkeep import places
from upkeep.machine import lines
from upkeep.ports import JOURNAL

UPLOAD, REMOTE, REMOTE_SOCKET = (
    "systemd-journal-upload.service",
    "systemd-journal-remote.service",
    "systemd-journal-remote.socket",
)
DOOR, WEEKLY = "parvis-logs.service", "parvis-logs-week"
DOOR_FILE = places.CONFIGURATION / "logs.conf"
FOLDER = Path("/var/log/journal/remote")
SOCKET = Path("/run/parvis-logs.socket")
GROUP = "systemd-journal-remote"
PROGRAMS = "/usr/lib/systemd"
CLOSED_DAYS = 75
"""A file's first line is at most 7 days older than its last, and the timer comes once in 7: gone after 90 at most."""
SILENT_SECONDS = 3600
"""A gateway's journal has several lines an hour, whatever happens."""


@dataclass(frozen=True, slots=True)
class Received:
    """The journal of a gateway as the centre has it; *age*: seconds since its last line, None when there is none."""

    gateway: str
    age: float | None


def upload(town: Town, sandbox: str) -> str:
    """What is added to Debian's unit on a gateway: to whom, with which certificate, and to try again for ever."""
    words = {
        "url": f"https://{town.centre.address}:{JOURNAL}",
        "key": places.CREDENTIALS / UPLOAD / "management.key",
        "cert": places.CERTIFICATES / "management.crt",
        "trust": places.CERTIFICATES / "authority.pem",
    }
    return f"""\
# Generated (upkeep/logs.py).
[Unit]
StartLimitIntervalSec=0

[Service]
ExecStart=
ExecStart={PROGRAMS}/systemd-journal-upload --save-state {" ".join(f"--{key}={word}" for key, word in words.items())}
LoadCredential=management.key:{places.SECRETS / "management.key"}
Restart=always
RestartSec=10
{sandbox}"""


def door(sandbox: str) -> str:
    """The centre's unit that takes the gateways' connections (stunnel)."""
    return f"""\
# Generated (upkeep/logs.py).
[Unit]
Description=Parvis: where the gateways' journals arrive
After=network-online.target {REMOTE_SOCKET}
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
ExecStart=/usr/bin/stunnel4 {DOOR_FILE}
DynamicUser=yes
SupplementaryGroups={GROUP}
LoadCredential=console.key:{places.SECRETS / "console.key"}
Restart=always
RestartSec=1
MemoryMax=128M
{sandbox}
[Install]
WantedBy=multi-user.target
"""


def door_settings(town: Town) -> str:
    """Settings of stunnel: at the centre's own address, for certificates of the town's authority."""
    return f"""\
; Generated (upkeep/logs.py).
foreground = yes
syslog = no
debug = warning
pid =
[journals]
accept = {town.centre.address}:{JOURNAL}
connect = {SOCKET}
cert = {places.CERTIFICATES / "console.crt"}
key = {places.CREDENTIALS / DOOR / "console.key"}
CAfile = {places.CERTIFICATES / "authority.pem"}
verifyChain = yes
sslVersionMin = TLSv1.2
"""


def remote(sandbox: str) -> str:
    """What is added to Debian's unit in the centre: what it writes; at each start a new file, and old ones go."""
    closed = f"{FOLDER}/gateways@$$(date -u +%%Y%%m%%dT%%H%%M%%S).journal"
    return f"""\
# Generated (upkeep/logs.py).
[Unit]
StartLimitIntervalSec=0

[Service]
ExecStartPre=/bin/sh -c 'if [ -e {FOLDER}/gateways.journal ]; then mv {FOLDER}/gateways.journal {closed}; fi'
ExecStartPre=/usr/bin/find {FOLDER} -type f -name "gateways@*.journal*" -mtime +{CLOSED_DAYS} -delete
ExecStart=
ExecStart={PROGRAMS}/systemd-journal-remote --listen-http=-3 --split-mode=none --output={FOLDER}/gateways.journal
Restart=always
RestartSec=1
{sandbox}"""


def socket() -> str:
    """What is added to Debian's socket: reached by the door alone."""
    return f"""\
# Generated (upkeep/logs.py).
[Socket]
ListenStream=
ListenStream={SOCKET}
SocketMode=0660
SocketGroup={GROUP}
"""


def weekly(sandbox: str) -> dict[str, str]:
    """The timer by which the centre begins a new file."""
    service = f"""\
# Generated (upkeep/logs.py).
[Unit]
Description=Parvis: gateways' journals, a new file

[Service]
Type=oneshot
ExecStart=/usr/bin/systemctl try-restart {REMOTE}
{sandbox}"""
    timer = """\
# Generated (upkeep/logs.py).
[Unit]
Description=Parvis: gateways' journals, each week

[Timer]
OnCalendar=Mon 01:30 UTC
Persistent=yes

[Install]
WantedBy=timers.target
"""
    return {f"{WEEKLY}.service": service, f"{WEEKLY}.timer": timer}


def units(town: Town, place: str, sandbox: str) -> dict[str, str]:
    """Unit files and additions to Debian's, by path below /etc/systemd/system."""
    if place == "gateway":
        return {f"{UPLOAD}.d/parvis.conf": upload(town, sandbox)}
    added = {f"{REMOTE}.d/parvis.conf": remote(sandbox), f"{REMOTE_SOCKET}.d/parvis.conf": socket()}
    return {DOOR: door(sandbox), **added, **weekly(sandbox)}


def diagnoses(town: Town | None) -> Iterator[Diagnosis]:
    """In the centre: whether each gateway's journal arrives (entry point parvis.doctors)."""
    if town is None or not (places.UNITS / DOOR).is_file():
        return
    for site in town.sites:
        yield judged(received(site.gateway.name, time.time()))


def received(gateway: str, now: float, folder: Path = FOLDER) -> Received:
    """What there is of *gateway*, by the name that its machine gives itself."""
    words = (f"--directory={folder}", f"_HOSTNAME={gateway}", "--lines=1", "--output=json", "--quiet")
    last = [json.loads(line)["__REALTIME_TIMESTAMP"] for line in lines("journalctl", *words) if line.startswith("{")]
    return Received(gateway, now - int(last[0]) / 1e6 if last else None)


def judged(one: Received) -> Diagnosis:
    """Whether that is well.

    >>> judged(Received("gw-msp", 12.0)).words
    'last line 0 min ago'
    """
    about = f"journal of {one.gateway}"
    fix = f"on {one.gateway}: journalctl -u {UPLOAD} -n 20; systemctl restart {UPLOAD}"
    if one.age is None:
        return Diagnosis("look", about, "nothing has arrived", fix)
    words = f"last line {one.age / 60:.0f} min ago"
    return Diagnosis("look", about, words, fix) if one.age > SILENT_SECONDS else Diagnosis("ok", about, words)
