"""The town's open data, by a timer in the centre: exported each night, pushed to the portals the town names (docs/19).

Each night, though the figures are monthly: how the sites are is published too, and a month that a silent site held back
is asked for again.
"""

from parvis.inventory import OpenData
from upkeep import places
from upkeep.delivered import OPENDATA

NAME = f"parvis-{OPENDATA.name}"
EXPORT = places.STATE / OPENDATA.name / "export"
"""What is public: the files as docs/19 lists them."""


def units(data: OpenData, given: list[str], sandbox: str) -> dict[str, str]:
    """The timer and what it starts, by path below /etc/systemd/system. *given*: the names of its secrets."""
    words = [("export", EXPORT), *([("push", EXPORT)] if data.pushed() else [])]
    settings = places.settings(OPENDATA.name)
    steps = "".join(
        f"ExecStart={places.COMMAND} {OPENDATA.name} {verb} {at} --settings {settings}\n" for verb, at in words
    )
    handed = "".join(f"LoadCredential={name}:{places.SECRETS / name}\n" for name in given)
    service = f"""\
# Generated (upkeep/publishing.py).
[Unit]
Description=Parvis: the town's open data
Documentation=file:{places.PROGRAM}/share/docs/19-data-and-open-data.md
After=network-online.target
Wants=network-online.target

[Service]
Type=oneshot
User={OPENDATA.user}
Group={OPENDATA.user}
EnvironmentFile=-{places.CONFIGURATION / OPENDATA.name}.env
{steps}{handed}StateDirectory=parvis/{OPENDATA.name}
StateDirectoryMode=0700
TimeoutStartSec=15min
MemoryMax=768M
TasksMax=64
Nice=10
IOSchedulingClass=idle
{sandbox}"""
    timer = """\
# Generated (upkeep/publishing.py).
[Unit]
Description=Parvis: the town's open data, each night

[Timer]
OnCalendar=*-*-* 04:30
RandomizedDelaySec=20min
Persistent=yes

[Install]
WantedBy=timers.target
"""
    return {f"{NAME}.service": service, f"{NAME}.timer": timer}
