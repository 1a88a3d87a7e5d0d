"""A Linux access point, light: Debian's snmpd, hostapd and init scripts on this machine's root under a layer.

Namespaces of its own for mounts, processes and network, so that nothing of this machine is touched. Three things are
not as on a real one, and no test may lean on them: there is no radio (hostapd's driver is ``none``, veth interfaces
stand for its own), process 1 is a script instead of systemd, and the play runs within as root, not over SSH by sudo.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from access_points_play import Played, play
from machines import run, until

BEGINNING = """\
#!/bin/sh
set -e
for place in etc var; do
  mount --make-private -t tmpfs none {here}/$place
  mkdir $place/upper $place/work
  mount -t overlay overlay -o lowerdir=/$place,upperdir={here}/$place/upper,workdir={here}/$place/work /$place
done
mount -t tmpfs none /run
mkdir /run/lock
mount -t sysfs none /sys
cp snmpd.conf /etc/snmp/snmpd.conf
rm -rf /etc/snmp/snmpd.conf.d/* /var/lib/snmp/*
chown -R Debian-snmp:Debian-snmp /var/lib/snmp
cp hostapd.conf /etc/hostapd/hostapd.conf
ip link set lo up
ip address add {address}/32 dev lo
ip link add br-guests type bridge
for port in wlan0 wlan1 eth0; do
  ip link add $port type veth peer name $port.other
  ip link set $port master br-guests
done
/etc/init.d/snmpd start
/etc/init.d/hostapd start
touch ready
sleep 1000000 &
wait
"""
"""Its name is that of the services' manager, by which Ansible's modules know how they are started."""
SNMPD = """\
sysLocation    Sitting on the Dock of the Bay
sysServices    72
master  agentx
agentaddress  127.0.0.1,[::1]
view   systemonly  included   .1.3.6.1.2.1.1
rocommunity  public default -V systemonly
rocommunity6 public default -V systemonly
includeDir /etc/snmp/snmpd.conf.d
"""
"""What Debian's package has in snmpd.conf."""
HOSTAPD = """\
interface=wlan0
driver=none
ssid=Cachan-WiFi
bridge=br-guests
ap_isolate=0
"""


class LinuxPoint:
    """The machine, running; *folder* is this side's, *settings* its own variables for Ansible."""

    def __init__(self, folder: Path, pid: int) -> None:
        self.folder = folder
        self._inside = ("nsenter", "-t", str(pid), "-m", "-n", "-p")

    def says(self, *argv: str | Path, check: bool = True, **environment: str) -> str:
        """What a program prints there."""
        return run(*self._inside, *argv, check=check, **environment).stdout

    def start(self, *argv: str | Path, **environment: str) -> "subprocess.Popen[bytes]":
        """A program there that goes on."""
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen([*self._inside, *argv], stdout=log, stderr=log, env=os.environ | environment)

    def play(self, town: Path, *words: str, **variables: object) -> Played:
        """access-points.yml on it, from a machine that is the same one."""
        return play(
            self.folder,
            town,
            *words,
            within=self._inside,
            ansible_connection="local",
            ansible_become=False,
            **variables,
        )


@contextmanager
def linux_point(folder: Path, address: str, community: str) -> Iterator[LinuxPoint]:
    """It runs at *address* until the block is left; *community* is what it is asked by so far, beside Debian's own."""
    for name in ("etc", "var"):
        (folder / name).mkdir()
    (folder / "snmpd.conf").write_text(f"{SNMPD}rocommunity {community}\n")
    (folder / "hostapd.conf").write_text(HOSTAPD)
    beginning = folder / "sysvinit"
    beginning.write_text(BEGINNING.format(here=folder, address=address))
    beginning.chmod(0o755)
    apart = ("--mount", "--pid", "--net", "--fork", "--kill-child", "--mount-proc", "--propagation", "private")
    with (folder / "beginning.log").open("wb") as log:
        outside = subprocess.Popen(["unshare", *apart, beginning], cwd=folder, stdout=log, stderr=log)
    try:
        until(lambda: (folder / "ready").exists() or outside.poll() is not None, "the machine did not start", 60)
        assert outside.poll() is None, (folder / "beginning.log").read_text()
        children = Path(f"/proc/{outside.pid}/task/{outside.pid}/children").read_text().split()
        yield LinuxPoint(folder, int(children[0]))
    finally:
        outside.kill()  # unshare(1) lets be told to end; with it go all that it began
        outside.wait(30)
