"""What makes an installed machine itself: its configuration, its state, and the users and packages they need."""

from collections.abc import Iterator
from pathlib import Path

CONFIGURATION = (
    "etc/parvis",
    "etc/systemd/system/parvis-*",
    "etc/systemd/system/*.d/parvis.conf",
    "etc/systemd/network/10-parvis-*",
    "etc/nftables.conf",
    "etc/kea/kea-dhcp4.conf",
    "etc/prometheus/*.yml",
    "etc/default/prometheus",
    "etc/default/prometheus-alertmanager",
    "etc/nginx/nginx.conf",
    "etc/grafana/parvis",
    "etc/postgresql/*/main/conf.d/parvis.conf",
    "etc/sysctl.d/*-parvis-*.conf",
)
"""Paths below / as Path.glob reads them."""
STATE = ("var/lib/parvis",)
LEASES = ("var/lib/kea/kea-leases4.csv",)
"""Who has which address: belongs to living sessions, so it is only kept on the machine itself."""
NOT_KEPT = (
    "var/lib/parvis/settled",
    "var/lib/parvis/collectors/influx",
    "var/lib/parvis/monitor/reserve",
    "var/lib/parvis/evidence",
    "var/lib/parvis/archive/sealed",
    "var/lib/parvis/archive/keys",
    "var/lib/parvis/archive/clock.json",
)
"""What a new start makes anew, room held for a full disk, figures on their way to InfluxDB (perhaps a gigabyte),
the sealed log with its days' keys, which are copied and erased otherwise, and what testifies for this machine's
clock alone."""
SQLITE = b"SQLite format 3\0"


def files(root: Path, patterns: tuple[str, ...]) -> Iterator[Path]:
    """Every file below *root* that the patterns name."""
    for pattern in patterns:
        for path in sorted(root.glob(pattern)):
            found = sorted(path.rglob("*")) if path.is_dir() else [path]
            for file in found:
                if file.is_file() and not any(file.is_relative_to(root / left) for left in NOT_KEPT):
                    yield file


def is_sqlite(file: Path) -> bool:
    """Whether *file* is a database that must be copied by SQLite itself."""
    with file.open("rb") as opened:
        return opened.read(len(SQLITE)) == SQLITE


def is_sqlite_shadow(file: Path) -> bool:
    """Whether *file* is SQLite's own beside a database: the copy of the database holds what is in it."""
    return file.name.endswith(("-wal", "-shm", "-journal"))
