"""What recording 5,000 new connections a second costs: the recorder, beside ``conntrack -E`` and beside port blocks.

Port blocks cost nothing for a connection: without an injunction the recorder hears of none. All three see the same
connections in the same run: datagrams of 500 residents, by turns of IPv4 and IPv6, sent at the wanted rate and
forgotten together. Then the questions: 500 residents behind one address, who had address and port at that second?
"""

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "legal"))
sys.path.insert(0, str(Path(__file__).parents[1] / "captive_portal"))

from door_twin import Inside
from legal_town import OFF, WEB4, WEB6, Arrived, Street, datagram, master, street, this_year
from table import Row, row
from test_evidence_root import Person, Told, own6, people, recorded, who

from captive_portal.legal import reading, time_signal
from captive_portal.legal.conntrack import Guests, Reader, each_once
from captive_portal.legal.open_connections import Openings

RATE, SECONDS, RESIDENTS, QUESTIONS = 5000, 8, 500, 1000
RATES = (RATE, 500, 1000, 2000)
"""Connections a second, for what each costs by how many there are; the first is counted whole."""
TICKS = os.sysconf("SC_CLK_TCK")


def rows() -> list[Row]:
    with street() as here:
        idle = measured(here, recording=False)
        rates = {rate: measured(here, recording=True, rate=rate) for rate in RATES}
        ours = rates[RATE]
        look, found = looked_at(here)
    size = f"{RATE}/s, {SECONDS} s, {RESIDENTS} residents, half of it IPv6"
    share = 100 * RATE / 1e6
    return [
        row("traffic_cpu_per_connection", "us", ours["ours"], ours["peer"], "conntrack -E -e DESTROY", size),
        row("traffic_share_of_a_core", "%", round(ours["ours"] * share, 1), 25, "budget", size),
        row("traffic_complete", "connections", ours["recorded"], ours["sent"], "sent", size),
        row("traffic_complete_ipv4", "connections", ours["four"], ours["sent"] / 2, "sent", size),
        row("traffic_complete_ipv6", "connections", ours["six"], ours["sent"] / 2, "sent", size),
        row("conntrack_complete", "connections", ours["lines"], ours["sent"], "sent", size),
        row("blocks_cpu_per_connection", "us", idle["ours"], ours["ours"], "the recorder with store B", size),
        row("traffic_bytes", "octets a row", ours["bytes"], 25, "budget (RET-14)", size),
        row("openings_look", "ms", look, 500, "a twentieth of the time between two", f"{found} connections going on"),
        *(
            row("connection_cpu", "us", one["ours"], one["peer"], "conntrack -E -e DESTROY", f"{rate} a second")
            for rate, one in rates.items()
        ),
        *answered(),
    ]


def looked_at(here: Street) -> tuple[float, int]:
    """CPU milliseconds of one look at everything that goes on, and how much that was: what a power cut would take."""
    crowd = people(0, RESIDENTS, 1)
    connections(here, crowd, forgotten=False)
    link, guest = here.site.uplink, here.site.guest
    gateway6 = guest.gateway_ipv6.packed if guest.gateway_ipv6 else b""
    reader = Reader(Guests(link.address.packed, guest.ipv6, gateway6))
    with Inside(here.name("gw")):
        before = time.process_time()
        found = Openings().rows(reader, time_signal.wall(), time_signal.steady)
    return round((time.process_time() - before) * 1000, 1), len(found)


def answered() -> Iterator[Row]:
    """Of so many random (address, port, second) how many name their sender, and whom they name a second outside."""
    with recorded() as told:
        gone = {mac.text for mac, _, _ in told.left}
        for family, mark in (("ipv4", "."), ("ipv6", ":")):
            packets = [one for one in told.arrived if mark in one.address]
            chosen = random.Random(7).choices(packets, k=QUESTIONS)
            right = sum(who(told, one) == {one.who} for one in chosen)
            wrong = sum(bool(who(told, one) - {one.who}) for one in chosen)
            outside = [one for one in packets if one.who in gone]
            named = sum(bool(named_outside(told, one)) for one in outside)
            size = f"{RESIDENTS} residents behind one address" if mark == "." else f"{RESIDENTS} residents"
            yield row(f"queries_right_{family}", "answers", right, QUESTIONS, "asked", size)
            yield row(f"queries_wrong_{family}", "answers", wrong, 0, "allowed", size)
            yield row(f"queries_outside_{family}", "answers", named, 0, f"allowed, of {2 * len(outside)}", size)


def named_outside(told: Told, packet: Arrived) -> set[str]:
    """Whom the second before the session, and the one after it, name for what it had."""
    return who(told, packet, told.before - packet.second) | who(told, packet, told.between - packet.second)


def measured(here: Street, *, recording: bool, rate: int = RATE) -> dict[str, float]:
    """CPU microseconds a connection of the recorder and of conntrack(8), and how many each told."""
    process = here.start(this_year() if recording else OFF)
    crowd = people(0, RESIDENTS, 1)
    here.admit(crowd)
    here.recorded(sessions=RESIDENTS)
    told = here.folder / "conntrack.txt"
    with told.open("wb") as out:
        command = ("ip", "netns", "exec", here.name("gw"), "conntrack", "-E", "-e", "DESTROY", "-o", "timestamp")
        peer = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL)
    time.sleep(1)
    before, peer_before = cpu(process.pid), cpu(peer.pid)
    sent = connections(here, crowd, rate=rate)
    time.sleep(4)
    after, peer_after = cpu(process.pid), cpu(peer.pid)
    count, openings = here.metric("evidence_connections_total"), here.metric("evidence_openings_total")
    peer.terminate()
    peer.wait()
    here.stop()
    size = sum(path.stat().st_size for path in here.sealed.glob("B-*.sealed"))
    lines = told.read_bytes().count(b"\n")
    return {
        "ours": round((after - before) * 1e6 / sent, 1),
        "peer": round((peer_after - peer_before) * 1e6 / sent, 1),
        "recorded": count,
        **by_family(here, recording=recording),
        "lines": lines,
        "sent": sent,
        "bytes": round(size / max(1.0, count + openings), 1),
    }


def by_family(here: Street, *, recording: bool) -> dict[str, float]:
    """How many different communications the sealed files hold, IPv4 and IPv6."""
    if not recording:
        return {}
    now = int(time.time())
    found = reading.traffic(here.sealed, here.keys, reading.days_of(now - 60, now), master(here.made, "B"), ["gw-msp"])
    versions = [one.source.version for one in each_once(found)]
    return {"four": versions.count(4), "six": versions.count(6)}


def connections(here: Street, crowd: list[Person], *, rate: int = RATE, forgotten: bool = True) -> int:
    """New connections at the wanted rate, IPv4 and IPv6 by turns, the old ones forgotten twice a second."""
    sent, started = 0, time.monotonic()
    half = rate // 2
    for turn in range(SECONDS * 2):
        for n in range(half):
            person = crowd[n % RESIDENTS]
            sport = 20_000 + (turn * half + n) // RESIDENTS
            six = sport % 2 == 1
            source, target = (own6(person), IPv6Address(WEB6)) if six else (person[1], IPv4Address(WEB4))
            here.wire.send(datagram(person[0], here.gateway_mac, source, target, sport, 9000 + n % 4))
        sent += half
        if forgotten:
            here.forget_connections()
        time.sleep(max(0.0, started + (turn + 1) / 2 - time.monotonic()))
    return sent


def cpu(pid: int) -> float:
    """Seconds of CPU a process has used, its system calls included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS
