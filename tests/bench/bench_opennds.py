"""``script/bench opennds``: ours beside openNDS, the same residents on the same kind of network, by turns."""

import tempfile
from pathlib import Path as File
from typing import Any

from bench_gateway import costs, ours
from door_twin import pss
from gate import Gate, built, gate
from packets import pinned
from path import FIRST, Path, device, path
from peer import Peer, fetch
from table import Row, middle, row

ROUNDS = 3
STEPS = {"redirect": 8, "splash": 8, "login": 32, "login_anew": 32, "way": 8}
"""What is measured, and with how many devices a round: a login of openNDS takes a twentieth of a redirect."""
NAMES = {
    "redirect": "redirects",
    "splash": "splash pages",
    "login": "logins, the page's connection",
    "login_anew": "logins, a new connection",
    "way": "redirect, page and login",
}
ADMITTING = {"login", "login_anew", "way"}
CLIENTS = (200, 1_000, 5_000)
THREADS = (1, 8)
PLAN = [(what, threads) for what in STEPS for threads in THREADS for _ in range(ROUNDS)]


def asked(gates: dict[str, Gate]) -> dict[tuple[str, str, int], list[dict[str, Any]]]:
    """(portal, step, at once) -> the rounds; devices are new in each."""
    found: dict[tuple[str, str, int], list[dict[str, Any]]] = {}
    last = 0
    for what, threads in PLAN:
        devices = [last + 1, last + STEPS[what]]
        last = devices[1]
        for portal, made in gates.items():
            one = made.walk(portal=portal, what=what, devices=devices, threads=threads)
            if what in ADMITTING:
                one["online"] = made.walk(portal=portal, what="online", devices=devices, threads=4, patience=4)[
                    "online"
                ]
            found.setdefault((portal, what, threads), []).append(one)
    return found


def pages(root: File) -> tuple[list[Row], str]:
    """The steps of a login, failures and memory; and openNDS' rules with all of them in."""
    count = sum(STEPS[what] for what, _ in PLAN)
    with built(count) as theirs, gate(count, local=False) as mine:
        peer = Peer(theirs, root)
        peer.start(range(1, count + 1))
        for made in (theirs, mine):
            made.street(range(1, count + 1))
        found = asked({"ours": mine, "opennds": theirs})
        memory = (round(sum(made_memory(mine)), 1), round(peer.memory(), 1))
        rules = peer.rules()
        peer.stop()
        if "-A ndsINC -d " not in rules:
            raise SystemExit(f"openNDS has let nobody in: {found}\n{rules}")
    table = []
    for what, each in STEPS.items():
        for threads in THREADS:
            here, there = found["ours", what, threads], found["opennds", what, threads]
            size = f"{threads} at once, {ROUNDS} x {each} devices"
            for name, unit, key in (
                (NAMES[what], "1/s", "rate"),
                (f"{what}, CPU of the server", "ms", "server_cpu_ms"),
                (f"{what}, CPU of the driver", "ms", "driver_cpu_ms"),
            ):
                ours, beside = (round(middle([one[key] for one in rounds]), 1) for rounds in (here, there))
                table.append(row(name, unit, ours, beside, "openNDS", size))
            table.append(row(f"{NAMES[what]} failed", "1", failed(here, what), failed(there, what), "openNDS", size))
    table.append(row("memory_pss", "MB", *memory, "openNDS", f"{count} devices seen"))
    return table, rules


def failed(rounds: list[dict[str, Any]], what: str) -> int:
    """Requests that went wrong, and devices that were not online after their login."""
    wrong: int = sum(one["failures"] for one in rounds)
    if what in ADMITTING:
        wrong += sum(one["count"] - one["online"] for one in rounds)
    return wrong


def made_memory(made: Gate) -> list[float]:
    return [pss(made.processes[name].pid) for name in ("portal", "gatewayd")]


def grown(rules: str, count: int) -> str:
    """openNDS' rules, its first client's lines written once for each of *count* devices of the data plane's bench."""
    example = next(line.split()[3].partition("/")[0] for line in rules.splitlines() if line.startswith("-A ndsINC -d "))
    lines = []
    for line in rules.splitlines():
        words = line.split()
        about = next((word for word in words if word.endswith("/32") and word.startswith("10.64.1.")), "")
        if not about:
            lines.append(line)
        elif about.startswith(f"{example}/"):
            for number in range(1, count + 1):
                own = line.replace(about, f"{FIRST + number}/32")
                lines.append(" ".join(mac_instead(own.split(), device(number).mac.hex(":"))))
    return "\n".join(lines) + "\n"


def mac_instead(words: list[str], mac: str) -> list[str]:
    return [mac if before == "--mac-source" else word for before, word in zip(["", *words], words, strict=False)]


def load_rules(way: Path, rules: str, root: File) -> None:
    """Put *rules* and a masquerade on *way*'s gateway, with the tools unpacked at *root*."""
    libraries = next(root.rglob("libxtables.so.12")).parent
    tool = (
        "env",
        f"LD_LIBRARY_PATH={libraries}",
        f"XTABLES_LIBDIR={libraries}/xtables",
        str(root / "usr/sbin/xtables-legacy-multi"),
    )
    with tempfile.NamedTemporaryFile("w", prefix="be-") as file:
        file.write(rules)
        file.flush()
        way.within("gw", *tool, "iptables-legacy-restore", file.name)
    way.within("gw", "nft", "add table ip out; add chain ip out p { type nat hook postrouting priority srcnat; }")
    way.within("gw", "nft", "add rule ip out p oifname wan0 masquerade")


def packets(rules: str, root: File) -> list[Row]:
    """What a packet costs behind openNDS' rules."""
    pinned(1)
    table = []
    for count in CLIENTS:
        with path("ours") as one, path("nds") as two:
            ours(one, count)
            load_rules(two, grown(rules, count), root)
            times = costs({"ours": one, "nds": two}, count, 4_000)
        for side in ("up", "down"):
            mine, theirs = times["ours", side], times["nds", side]
            size = f"{count} clients"
            table.append(
                row(f"packet_{side}", "ns", round(middle(mine)), round(middle(theirs)), "openNDS' rules", size)
            )
    return table


def rows() -> list[Row]:
    """Everything."""
    with tempfile.TemporaryDirectory(prefix="be-nds-") as folder:
        File(folder).chmod(0o755)
        root = fetch(File(folder))
        table, rules = pages(root)
        return table + packets(rules, root)
