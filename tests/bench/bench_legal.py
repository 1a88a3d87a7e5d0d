"""What recording 5,000 new connections a second costs: the recorder, beside ``conntrack -E`` and beside port blocks.

Port blocks cost nothing for a connection: without an injunction the recorder hears of none. All three see the same
connections in the same run: datagrams of 500 residents, sent at the wanted rate and forgotten together.
"""

import os
import subprocess
import sys
import time
from ipaddress import IPv4Address
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "legal"))

from legal_town import OFF, WEB4, Street, datagram, street, this_year
from table import Row, row

from parvis.addresses import MacAddress

RATE, SECONDS, RESIDENTS = 5000, 8, 500
TICKS = os.sysconf("SC_CLK_TCK")


def rows() -> list[Row]:
    with street() as here:
        idle = measured(here, recording=False)
        ours = measured(here, recording=True)
    size = f"{RATE}/s, {SECONDS} s, {RESIDENTS} residents"
    share = 100 * RATE / 1e6
    return [
        row("traffic_cpu_per_connection", "us", ours["ours"], ours["peer"], "conntrack -E -e DESTROY", size),
        row("traffic_share_of_a_core", "%", round(ours["ours"] * share, 1), 25, "budget", size),
        row("traffic_complete", "connections", ours["recorded"], ours["sent"], "sent", size),
        row("conntrack_complete", "connections", ours["lines"], ours["sent"], "sent", size),
        row("blocks_cpu_per_connection", "us", idle["ours"], ours["ours"], "the recorder with store B", size),
        row("traffic_bytes", "octets a connection", ours["bytes"], 25, "budget (RET-14)", size),
    ]


def measured(here: Street, *, recording: bool) -> dict[str, float]:
    """CPU microseconds a connection of the recorder and of conntrack(8), and how many each told."""
    process = here.start(this_year() if recording else OFF)
    people = [(MacAddress(f"02:00:00:00:{n >> 8:02x}:{n & 255:02x}"), IPv4Address("10.11.0.10") + n, n + 1)
              for n in range(RESIDENTS)]  # fmt: skip
    here.admit(people)
    here.recorded(sessions=RESIDENTS)
    told = here.folder / "conntrack.txt"
    with told.open("wb") as out:
        command = ("ip", "netns", "exec", here.name("gw"), "conntrack", "-E", "-e", "DESTROY", "-o", "timestamp")
        peer = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL)
    time.sleep(1)
    before, peer_before = cpu(process.pid), cpu(peer.pid)
    sent = connections(here, people)
    time.sleep(4)
    after, peer_after = cpu(process.pid), cpu(peer.pid)
    recorded = here.metric("evidence_connections_total")
    peer.terminate()
    peer.wait()
    here.stop()
    size = sum(path.stat().st_size for path in here.sealed.glob("B-*.sealed"))
    lines = told.read_bytes().count(b"\n")
    return {
        "ours": round((after - before) * 1e6 / sent, 1),
        "peer": round((peer_after - peer_before) * 1e6 / sent, 1),
        "recorded": recorded,
        "lines": lines,
        "sent": sent,
        "bytes": round(size / max(1.0, recorded), 1),
    }


def connections(here: Street, people: list[tuple[MacAddress, IPv4Address, int]]) -> int:
    """New connections at the wanted rate, the old ones forgotten twice a second."""
    target, sent, started = IPv4Address(WEB4), 0, time.monotonic()
    half = RATE // 2
    for turn in range(SECONDS * 2):
        for n in range(half):
            mac, address, _ = people[n % RESIDENTS]
            sport = 20_000 + (turn * half + n) // RESIDENTS
            here.wire.send(datagram(mac, here.gateway_mac, address, target, sport, 9000 + n % 4))
        sent += half
        here.forget_connections()
        time.sleep(max(0.0, started + (turn + 1) / 2 - time.monotonic()))
    return sent


def cpu(pid: int) -> float:
    """Seconds of CPU a process has used, its system calls included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS
