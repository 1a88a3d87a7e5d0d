"""``script/bench gateway``: what a packet costs beside a plain NAT gateway, and what gatewayd's work costs."""

import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path as File

import reboot
from door_twin import Inside
from packets import pinned, sender
from path import FIRST, SITE, Path, device, path, wide_town
from table import Row, middle, part, row

from captive_portal import rows as rows_of
from captive_portal import ruleset
from captive_portal.admission import Allow, Deny
from captive_portal.gateway import SLOT, Gateway
from captive_portal.tables import TABLE
from captive_portal.transaction import Transaction
from parvis.addresses import MacAddress
from parvis.inventory import load

COUNTS = (1, 1_000, 20_000, 65_000)
PRESENT = (1, 10, 100, 1_000, 10_000, 65_000)
"""Sessions that are there when 32 more come."""
TOGETHER = 32
TURNS = 15
ROUNDS = 9
PACKETS = 40_000
FULL = 65_000
RESTORED = 20_000
RATE = 8_000_000_000
"""Bits per second: no packet of this bench meets its limit."""
NAT = """\
table inet nat {
    chain forward {
        type filter hook forward priority filter; policy drop;
        ct state established,related accept
        iifname "guest0" accept
    }
    chain out { type nat hook postrouting priority srcnat; oifname "wan0" masquerade; }
}
"""
SIDES = {"up": ("guests", "air0"), "down": ("net", "far0")}


def rules() -> str:
    """Our ruleset, as gatewayd loads it, for a town with the bench's guest network."""
    with tempfile.TemporaryDirectory(prefix="be-") as folder:
        town = load(wide_town(File(folder) / "town"))
    return ruleset.text(town, town.site(SITE))


def mac_of(number: int) -> MacAddress:
    return MacAddress(device(number).mac.hex(":"))


def allow(number: int) -> Allow:
    return Allow(mac_of(number), number, 86_400, RATE, RATE)


def admit(gateway: Gateway, numbers: range, at_once: int = 256) -> None:
    """Admit the devices called *numbers*, as many in one transaction as the portal asks for."""
    for start in range(numbers.start, numbers.stop, at_once):
        gateway.apply([allow(n) for n in range(start, min(start + at_once, numbers.stop))])


def ours(way: Path, count: int) -> Gateway:
    """Our ruleset, leases and sessions on *way*'s gateway."""
    with Inside(way.space("gw")):
        gateway = Gateway("guest0")
    gateway.load(rules(), {(FIRST + n, mac_of(n)): 86_400 for n in range(1, count + 1)})
    admit(gateway, range(1, count + 1))
    return gateway


def one_session(way: Path, count: int) -> None:
    """The same, all devices in session 1: as many flows and elements, but each packet meets the same two of them."""
    gateway = ours(way, count)
    changes = Transaction()
    for n in range(2, count + 1):
        key = b"guest0".ljust(SLOT, b"\0") + device(n).mac + bytes(2)
        changes.remove("auth", key, n.to_bytes(4, sys.byteorder))
        changes.add("auth", key, 86_400, (1).to_bytes(4, sys.byteorder))
    with Inside(way.space("gw")):
        changes.commit(gateway._channel)


def bare(way: Path, count: int) -> None:
    """The same, elements without limit and counter: what remains is the look-up itself."""
    with Inside(way.space("gw")):
        gateway = Gateway("guest0")
    without = re.sub(r"\n +limit rate \S+ \S+ burst \S+ \S+ counter(?=\n)", "", rules())
    gateway.load(without, {(FIRST + n, mac_of(n)): 86_400 for n in range(1, count + 1)})
    changes = Transaction()
    for n in range(1, count + 1):
        mark = n.to_bytes(4, sys.byteorder)
        changes.add("auth", b"guest0".ljust(SLOT, b"\0") + device(n).mac + bytes(2), 86_400, mark)
        for direction in SIDES:
            changes.add(direction, mark, 86_400)
    with Inside(way.space("gw")):
        changes.commit(gateway._channel)


def plain_nat(way: Path) -> None:
    """Masquerade, established accept, nothing else."""
    with tempfile.NamedTemporaryFile("w", prefix="be-") as file:
        file.write(NAT)
        file.flush()
        way.within("gw", "nft", "-f", file.name)


def costs(
    ways: dict[str, Path], count: int, packets: int = PACKETS, rounds: int = ROUNDS
) -> dict[tuple[str, str], list[float]]:
    """(way, direction) -> nanoseconds a packet in each round; the ways take turns, flows come at random."""
    for way in ways.values():
        way.establish(count)
    with ExitStack() as stack:
        senders = {
            (name, side): stack.enter_context(sender(way.space(space), link, getattr(way, f"{side}wards")(count)))
            for name, way in ways.items()
            for side, (space, link) in SIDES.items()
        }
        before = {name: way.passed() for name, way in ways.items()}
        found: dict[tuple[str, str], list[float]] = {one: [] for one in senders}
        for _ in range(rounds):
            for one, made in senders.items():
                found[one].append(made.nanoseconds(packets))
        for name, way in ways.items():
            passed = [(now - then) / (rounds * packets) for then, now in zip(before[name], way.passed(), strict=True)]
            if min(passed) < 0.99:
                raise SystemExit(f"{name}, {count} devices: only {passed} of the packets passed; the figures are void")
    return found


def growth() -> list[Row]:
    """How much a packet's cost grows from one device to 65,000.

    Ours; ours with one session for all; ours without limit and counter; plain NAT.
    """
    pinned((os.cpu_count() or 1) - 1)
    times: dict[tuple[str, str, int], float] = {}
    for count in (1, FULL):
        with path("ours") as one, path("same") as two, path("bare") as three, path("nat") as four:
            ours(one, count)
            one_session(two, count)
            bare(three, count)
            plain_nat(four)
            found = costs({"ours": one, "same": two, "bare": three, "nat": four}, count, FULL)
            times |= {(name, side, count): middle(times) for (name, side), times in found.items()}
    rows = []
    kinds = {"same": "ours, one session for all", "bare": "ours without limit and counter", "nat": "plain NAT"}
    for name, words in {"ours": "ours", **kinds}.items():
        for side in SIDES:
            few, many = times[name, side, 1], times[name, side, FULL]
            rows.append(row(f"growth_{side}, {words}", "ns", round(many), round(few), "one device", f"{FULL} devices"))
    return rows


def in_order(names: Sequence[str], count: int) -> dict[tuple[str, str], list[float]]:
    """The costs of ours and of a plain NAT gateway, made in the order of *names*."""
    with ExitStack() as stack:
        ways = {name: stack.enter_context(path(name)) for name in names}
        for name, way in ways.items():
            if name == "ours":
                ours(way, count)
            else:
                plain_nat(way)
        return costs(ways, count, max(PACKETS, count), ROUNDS // 2 + 1)


def data_plane(counts: Iterable[int] = COUNTS) -> list[Row]:
    """Ours beside a plain NAT gateway, the same flows, by turns.

    What is made first lies in the memory that earlier programs left in pieces, and costs up to a tenth more: half of
    the rounds each is the first.
    """
    pinned((os.cpu_count() or 1) - 1)
    found = []
    for count in counts:
        one_way, other_way = in_order(("ours", "nat"), count), in_order(("nat", "ours"), count)
        times = {one: [*one_way[one], *other_way[one]] for one in one_way}
        for side in SIDES:
            mine, theirs = times["ours", side], times["nat", side]
            size = f"{count} devices, {min(mine):.0f}-{max(mine):.0f} beside {min(theirs):.0f}-{max(theirs):.0f}"
            found.append(
                row(f"packet_{side}", "ns", round(middle(mine)), round(middle(theirs)), "plain NAT, same flows", size)
            )
    return found


class Took(float):
    """Seconds on the wall; *cpu* of them were spent on a core: on a busy machine the rest is waiting."""

    cpu: float = 0.0


def seconds(deed: Callable[[], object]) -> Took:
    started, cpu = time.perf_counter(), time.thread_time()
    deed()
    took = Took(time.perf_counter() - started)
    took.cpu = time.thread_time() - cpu
    return took


def admitting(gateway: Gateway, numbers: Sequence[int]) -> Took:
    """How long it takes to let some devices in, in one transaction."""
    return seconds(lambda: gateway.apply([allow(n) for n in numbers]))


def control_plane() -> list[Row]:
    """gatewayd's own work, with its own code, in a namespace with 65,000 sessions."""
    with path("control") as way:
        gateway = ours(way, 1)
        gateway.apply([Deny(mac_of(1))])
        restored = seconds(lambda: admit(gateway, range(1, RESTORED + 1)))
        small = {name: seconds(deed) for name, deed in readings(gateway).items()}
        admit(gateway, range(RESTORED + 1, FULL + 1))
        single = [admitting(gateway, [n]) for n in range(FULL + 1, FULL + 401)]
        groups = [range(n, n + TOGETHER) for n in range(FULL - 6_400, FULL, TOGETHER)]
        for group in groups:
            gateway.apply([Deny(mac_of(n)) for n in group])
        batched, renewed = ([admitting(gateway, group) / TOGETHER for group in groups] for _ in ("new", "again"))
        before = gateway.admitted().keys()
        reload = seconds(lambda: gateway.load(rules(), {}))
        lost = len(before - gateway.admitted().keys())
        large = {name: seconds(deed) for name, deed in readings(gateway).items()}
    size = f"{FULL} present"
    return [
        row("admission_p50", "ms", ms(middle(batched)), 0.3, "budget", f"{size}, 32 at once"),
        row("admission_p99", "ms", ms(part(batched, 0.99)), 2, "budget", f"{size}, 32 at once"),
        row("renewal_p50", "ms", ms(middle(renewed)), 0.3, "budget", f"{size}, 32 at once"),
        row("renewal_p99", "ms", ms(part(renewed, 0.99)), 2, "budget", f"{size}, 32 at once"),
        row("admission_single_p50", "ms", ms(middle(single)), 0.3, "budget", f"{size}, each by itself"),
        row("admission_single_p99", "ms", ms(part(single, 0.99)), 2, "budget", f"{size}, each by itself"),
        row("sessions_restored", "s", round(restored, 2), 1, "budget", f"{RESTORED} after a reboot"),
        row("sessions_restored, CPU", "s", round(restored.cpu, 2), 1, "budget", f"{RESTORED} after a reboot"),
        row("reload", "ms", ms(reload), 0, "", f"{size}; sessions lost: {lost}"),
        *(row(f"{name}, CPU", "ms", ms(took.cpu), 0, "", f"{RESTORED} sessions") for name, took in small.items()),
        *(row(f"{name}, CPU", "ms", ms(took.cpu), 0, "", f"{FULL} sessions") for name, took in large.items()),
    ]


def admissions() -> list[Row]:
    """What 32 more sessions take by the number of those present: gatewayd's transaction beside ``nft -f``."""
    found, present = [], 0
    with path("beside") as way:
        gateway = ours(way, 0)
        for count in PRESENT:
            admit(gateway, range(present + 1, count + 1))
            present = count
            mine, theirs = [], []
            for _ in range(TURNS + 1):  # the first is not counted: everything is cold
                group = range(count + 1, count + 1 + TOGETHER)
                mine.append(admitting(gateway, group))
                gateway.apply([Deny(mac_of(n)) for n in group])
                theirs.append(by_nft(way, "add", group))
                by_nft(way, "delete", group)
            size = f"{count} present, {TURNS} turns"
            found.append(row("admit_32", "ms", ms(middle(mine[1:])), ms(middle(theirs[1:])), "nft -f", size))
    return found


def by_nft(way: Path, verb: str, group: range) -> float:
    """Seconds that nft takes to add or delete the elements of the sessions in *group*, its own start included."""
    timeout = " timeout 1d" if verb == "add" else ""
    marks = ", ".join(f"{n}{timeout}" for n in group)
    who = ", ".join(f"guest0 . {mac_of(n).text}{timeout} : {n}" for n in group)
    lines = [f"{verb} element inet {TABLE} {name} {{ {marks} }}\n" for name in SIDES]
    with tempfile.NamedTemporaryFile("w", prefix="be-") as file:
        file.writelines([*lines, f"{verb} element inet {TABLE} auth {{ {who} }}\n"])
        file.flush()
        return seconds(lambda: way.within("gw", "nft", "-f", file.name))


def readings(gateway: Gateway) -> dict[str, Callable[[], object]]:
    return {
        "read_admitted": lambda: rows_of.admitted_out(b"".join(map(rows_of.admitted, gateway.rows()))),
        "read_counters": lambda: rows_of.counters_out(b"".join(map(rows_of.counted, gateway.counting()))),
        "look_for_alterations": gateway.intact,
        "look_up_100": lambda: [gateway.session(mac_of(n)) for n in range(77, 177)],
    }


def ms(seconds: float) -> float:
    return round(seconds * 1000, 3)


def rows() -> list[Row]:
    """Everything."""
    if File("/proc/sys/net/netfilter/nf_conntrack_max").exists():
        most = int(File("/proc/sys/net/netfilter/nf_conntrack_max").read_text("ascii"))
        if most < 4 * FULL:
            raise SystemExit(f"nf_conntrack_max is {most}; this bench keeps {2 * FULL} flows: raise it")
    return [*control_plane(), *admissions(), *reboot.rows(RESTORED), *data_plane(), *growth()]
