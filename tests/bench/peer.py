"""openNDS, Debian's package, run beside ours: unpacked into a folder and laid over /usr for its own processes only.

Nothing is installed, nothing starts as a service. It writes one iptables rule set and forks shell scripts; iptables-nft
does not suit it on every kernel, so it gets iptables-legacy.
"""

import signal
import subprocess
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from door_twin import pss
from gate import Gate, address_of, descendants, mac_of
from resident import sh, wait_for

PACKAGES = (
    *(
        "opennds",
        "opennds-daemon",
        "opennds-daemon-common",
        "libmicrohttpd12",
        "iptables",
        "libip4tc2",
        "libip6tc2",
        "libxtables12",
    ),
    *("libnetfilter-conntrack3", "libnfnetlink0"),
)
CONFIG = """\
GatewayInterface guest0
GatewayName bench
MaxClients 6000
SessionTimeout 0
login_option_enabled 1
FirewallRuleSet authenticated-users {
  FirewallRule allow all
}
"""


def fetch(folder: Path) -> Path:
    """Debian's packages, unpacked; the folder that is laid over the root."""
    root = folder / "opennds"
    root.mkdir()
    done = subprocess.run(
        ("apt-get", "download", *PACKAGES), cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )
    found = sorted(folder.glob("*.deb"))
    if done.returncode or not found:
        raise SystemExit(f"openNDS could not be had: {done.stderr.strip()}")
    for package in found:
        sh("dpkg", "-x", str(package), str(root))
    return root


START = """\
set -e
mount --bind {here} /mnt
for place in usr etc; do
  top=/mnt/$place.top
  mount -t tmpfs none $top
  mkdir $top/upper $top/work
  mount -t overlay overlay -o lowerdir={root}/$place:/$place,upperdir=$top/upper,workdir=$top/work /$place
done
mount --bind /mnt/misc /var/lib/misc
cp /mnt/opennds.conf /etc/opennds/opennds.conf
ln -sf iptables-legacy /usr/sbin/iptables
ldconfig
mount -t tmpfs none /run
mount -t tmpfs none /tmp
exec opennds -f -d 1
"""
"""In namespaces of its own for mounts and processes: its scripts edit /etc and restart dnsmasq by name."""


class Peer:
    """openNDS on *gate*'s guest interface, where neither gatewayd nor the portal runs."""

    def __init__(self, gate: Gate, root: Path) -> None:
        self._gate, self._root = gate, root

    def start(self, devices: Iterable[int]) -> None:
        """Start it; it refuses clients that dnsmasq has no lease of."""
        here = self._gate.folder / "peer"
        for name in ("misc", "usr.top", "etc.top"):
            (here / name).mkdir(parents=True)
        (here / "opennds.conf").write_text(CONFIG, "ascii")
        leases = (f"1999999999 {mac_of(n)} {address_of(n)} host *\n" for n in devices)
        (here / "misc" / "dnsmasq.leases").write_text("".join(leases), "ascii")
        (here / "start.sh").write_text(START.format(here=here, root=self._root), "ascii")
        self._gate.within("gw", "ip", "-6", "addr", "flush", "dev", "guest0")
        masquerade = "add table ip out; add chain ip out p { type nat hook postrouting priority srcnat; }; "
        self._gate.within("gw", "nft", masquerade + "add rule ip out p oifname wan0 masquerade")
        apart = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private")
        self._gate.start("opennds", "gw", *apart, "sh", str(here / "start.sh"))
        wait_for(lambda: ":2050" in self._gate.within("gw", "ss", "-ltn"), "openNDS", 30)

    def stop(self) -> None:
        """End it and all it started: unshare(1), which waits for them, hears no other signal."""
        self._gate.stop("opennds", signal.SIGKILL)

    def rules(self) -> str:
        """Its rules as iptables-save prints them."""
        inside = ("nsenter", "-t", str(self.pids[0]), "-m", "-n", "-p")
        return sh(*inside, "iptables-legacy-save")

    def memory(self) -> float:
        """PSS in MB."""
        return sum(size for pid in self.pids if (size := held(pid)))

    @property
    def pids(self) -> list[int]:
        """openNDS' processes, without those that only started it."""
        return [pid for pid in descendants(self._gate.processes["opennds"].pid) if command(pid) == "opennds"]


def command(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text("ascii").strip()


def held(pid: int) -> float:
    """PSS in MB; 0 for a process that has ended. One whose script has just ended is asked again."""
    for _ in range(20):
        with suppress(OSError):
            return pss(pid)
        time.sleep(0.1)
    return 0.0
