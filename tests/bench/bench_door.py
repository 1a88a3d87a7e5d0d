"""``script/bench door``: acceptances, pages and redirects a second, and what idle phones cost.

Driver and portal share the machine's cores, so each rate is a lower bound; CPU per request is what a busy machine
cannot blur. An acceptance is on disk (synchronous=FULL) and in the kernel before its answer leaves.
"""

import statistics
import sys
from pathlib import Path
from typing import Any

from gate import Gate, built, calm, gate, settled
from reboot import sessions_on_disk
from resident import wait_for
from table import Row, row

DEVICES = 1_200
"""A sixth of them at once keeps a connection: the portal takes 384."""
PRESENT = (10, 1_000, 20_000)
"""Sessions that are there already, for how the cost of a request grows."""
MORE = 300
"""New devices a round."""
PROBES = 300
SECONDS = 5.0
ROUNDS = 3
REDIRECT = {"what": "redirect", "port": 8080}
FLOOR = "bare WSGI page, same server"
BARE_PORT = 8444
BARE = Path(__file__).with_name("bare_page.py")


def asked(made: Gate, **words: Any) -> dict[str, float]:
    """The driver's numbers; ``cpu_ms`` is the CPU time of our two processes for each request."""
    found = made.knock(**words)
    if found["failures"]:
        raise SystemExit(f"{words['what']}: {found['failures']} of {found['count']} failed: {found['first_failure']}")
    return found


def accepts(made: Gate) -> list[dict[str, float]]:
    """Each device once: half over connections made before, as a phone's browser has after the first page, half anew."""
    third = DEVICES // ROUNDS
    found = []
    for start in range(0, DEVICES, third):
        half = third // 2
        kept = asked(made, what="accept", devices=[start + 1, start + half], ready=half // 16 + 1)
        anew = asked(made, what="accept", devices=[start + half + 1, start + third])
        found.append({**{f"kept_{k}": v for k, v in kept.items()}, **{f"anew_{k}": v for k, v in anew.items()}})
    return found


def by_sessions() -> list[Row]:
    """CPU of a page, a redirect and an acceptance by the number of those who are online already."""
    found = []
    for present in PRESENT:
        with built(present + ROUNDS * MORE) as made:
            made.are_local()
            sessions_on_disk(made, present)
            made.start_gatewayd()
            wait_for(lambda: made.metric(9202, "gateway_leases") >= present, "leases", 60)  # noqa: B023 called at once
            made.start_portal()
            settled(made, present)
            calm(made)
            bare = start_bare(made)
            taken = [by_turns(made, present + turn * MORE + 1, bare) for turn in range(ROUNDS)]
        size = f"{present} sessions present"
        for name in ("splash", "redirect", "accept"):
            mine = mid([one[name] for one in taken], "cpu_ms")
            floor = mid([one["bare"] for one in taken], "cpu_ms") if name == "splash" else 0
            found.append(row(f"{name}_cpu", "ms", mine, floor, FLOOR if floor else "", size))
    return found


def by_turns(made: Gate, first: int, bare: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Pages, redirects and acceptances of devices that are not online yet, *first* and those behind it.

    Pages go over one connection a thread, as in :func:`rows`: a device each would be 16 times as many handshakes.
    """
    new = [first, first + MORE - 1]
    pages = {"what": "splash", "devices": [first, first], "seconds": SECONDS / 2, "kept": True}
    return {
        "splash": asked(made, **pages),
        "bare": asked(made, **pages, **bare),
        "redirect": asked(made, **REDIRECT, devices=new, seconds=SECONDS / 2),
        "accept": asked(made, what="accept", devices=new, ready=MORE // 16 + 1),
    }


def start_bare(made: Gate) -> dict[str, Any]:
    """Serve the splash page's own bytes by a bare WSGI page; how the driver finds it."""
    address, file = str(made.site.guest.gateway_ipv4), made.folder / "bare.gz"
    made.within("gw", "curl", "-sSk", "-H", "Accept-Encoding: gzip", "-o", str(file), f"https://{address}:8443/fr/")
    key = made.certificate.with_suffix(".key")
    paths = f"PYTHONPATH={BARE.parents[2]}"
    argv = (
        "env",
        paths,
        sys.executable,
        str(BARE),
        address,
        str(BARE_PORT),
        str(made.certificate),
        str(key),
        str(file),
    )
    pid = made.start("bare", "gw", *argv).pid
    url = f"https://{address}:{BARE_PORT}/"
    wait_for(
        lambda: made.within("gw", "curl", "-sko", "/dev/null", "-w", "%{http_code}", url, check=False) == "200", url
    )
    return {"port": BARE_PORT, "servers": [pid]}


def rows() -> list[Row]:
    """Everything."""
    size = f"{DEVICES} devices"
    with gate(DEVICES + 300) as made:
        bare = start_bare(made)
        pages = [
            {
                "kept": asked(made, what="splash", devices=[1, 1], seconds=SECONDS, kept=True),
                "bare, kept": asked(made, what="splash", devices=[1, 1], seconds=SECONDS, kept=True, **bare),
                "anew": asked(made, what="splash", devices=[1, 200], seconds=SECONDS),
                "bare, anew": asked(made, what="splash", devices=[1, 200], seconds=SECONDS, **bare),
                "redirect": asked(made, **REDIRECT, devices=[1, 200], seconds=SECONDS),
            }
            for _ in range(ROUNDS)
        ]
        made.stop("bare")
        idle = made.cpu_seconds()["portal"]
        made.knock(**REDIRECT, devices=[1, 200], seconds=10, rate=PROBES, threads=4)
        probes = (made.cpu_seconds()["portal"] - idle) / 10
        taken = accepts(made)
        settled(made, DEVICES)
    found = []
    for name, words, budget in (
        ("kept", "splash, kept TLS", 1500),
        ("anew", "splash, TLS anew", 1500),
        ("redirect", "redirect", 5000),
    ):
        one = [page[name] for page in pages]
        found.append(row(words, "1/s", mid(one, "rate"), budget, "budget", f"p99 {mid(one, 'p99') * 1e3:.0f} ms"))
        found.append(
            row(f"{words}, CPU", "ms", mid(one, "cpu_ms"), 0, "", f"driver {mid(one, 'driver_cpu'):.2f} of a core")
        )
    for name, words in (("kept", "kept TLS"), ("anew", "TLS anew")):
        mine, floor = ([page[who] for page in pages] for who in (name, f"bare, {name}"))
        found.append(row(f"splash, {words}", "1/s", mid(mine, "rate"), mid(floor, "rate"), FLOOR, size))
        found.append(row(f"splash, {words}, CPU", "ms", mid(mine, "cpu_ms"), mid(floor, "cpu_ms"), FLOOR, size))
    for name, words in (("kept", "accept, kept TLS"), ("anew", "accept, TLS anew")):
        found.append(row(words, "1/s", mid(taken, f"{name}_rate"), 800, "budget", size))
        found.append(row(f"{words}, p99", "ms", round(mid(taken, f"{name}_p99") * 1e3), 100, "budget", size))
        found.append(row(f"{words}, CPU", "ms", mid(taken, f"{name}_cpu_ms"), 0, "", size))
    found.append(
        row("idle phones' probes, CPU", "% of a core", round(probes * 100, 1), 15, "budget", f"{PROBES} a second")
    )
    return [*found, *by_sessions()]


def mid(found: list[dict[str, float]], name: str) -> float:
    return round(statistics.median(one[name] for one in found), 3)
