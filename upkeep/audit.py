"""The self-audit: what the hardening asks for, compared with what the machine is. Pictures in, a report out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from parvis.inventory import ClearText

Verdict = Literal["met", "not met", "exception", "not here"]
SIGNS: dict[Verdict, str] = {"met": "✓", "not met": "✗", "exception": "≈", "not here": "-"}
RANK: dict[Verdict, int] = {"not met": 0, "exception": 1}
NAMED: dict[Verdict, str] = {"exception": "by exception", "not here": "not on this machine"}
COLOURS: dict[Verdict, str] = {"not met": "red", "exception": "yellow"}


@dataclass(frozen=True, slots=True)
class Line:
    """One thing asked for, and what was found."""

    requirement: str
    asked: str
    found: str
    verdict: Verdict


def kernel(wanted: Mapping[str, str], found: Mapping[str, str | None]) -> list[Line]:
    """SEC-08: each kernel setting; None where this kernel or container has none."""
    return [_kernel(name, value, found.get(name)) for name, value in wanted.items()]


def _kernel(name: str, wanted: str, found: str | None) -> Line:
    if found is None:
        return Line("SEC-08", f"{name} = {wanted}", "not here", "not here")
    met = found.split() == wanted.split()
    return Line("SEC-08", f"{name} = {wanted}", found, "met" if met else "not met")


def ssh(wanted: Mapping[str, str], found: Mapping[str, str]) -> list[Line]:
    """SEC-04: what ``sshd -T`` says it does."""
    lines = []
    for key, value in wanted.items():
        is_now = found.get(key.lower(), "unknown to this version")
        met = is_now.lower() == str(value).lower()
        lines.append(Line("SEC-04", f"{key} {value}", is_now, "met" if met else "not met"))
    return lines


def listening(found: Iterable[tuple[str, int]], allowed: Mapping[int, frozenset[str]]) -> list[Line]:
    """SEC-02: nothing listens but what has a reason, where it has one. *allowed*: port -> addresses, ``*`` any."""
    lines = []
    for address, port in sorted(set(found)):
        if address.startswith(("127.", "::1")):
            continue
        places = allowed.get(port, frozenset())
        met = "*" in places or ("fe80" if address.startswith("fe80:") else address) in places
        asked = f"port {port} at {', '.join(sorted(places)) or 'no address'}"
        lines.append(Line("SEC-02", asked, f"{address}:{port}", "met" if met else "not met"))
    return lines


def clear_text(exceptions: Iterable[ClearText], today: date) -> list[Line]:
    """SEC-06: each device asked in SNMPv2c; not met when the exception has ended or never had an end."""
    return [
        Line("SEC-06", f"SNMPv3 for {one.device}", one.words(today), "not met" if one.overdue(today) else "exception")
        for one in exceptions
    ]


def open_agents(devices: Iterable[str], answering: Mapping[str, str]) -> list[Line]:
    """SEC-06: each device, and the community everybody knows to which it answers."""
    return [
        _open_agent(f"{device} answers nobody without a secret", answering.get(device)) for device in sorted(devices)
    ]


def _open_agent(asked: str, community: str | None) -> Line:
    if community is None:
        return Line("SEC-06", asked, "silent", "met")
    return Line("SEC-06", asked, f"answers the community {community}", "not met")


def units(scores: Mapping[str, float], most: float) -> list[Line]:
    """SEC-10: what ``systemd-analyze security`` gives each unit the town runs; 0 is best."""
    return [
        Line("SEC-10", f"{name} at most {most}", f"{score}", "met" if score <= most else "not met")
        for name, score in sorted(scores.items())
    ]


def absent(packages: Iterable[str], installed: frozenset[str]) -> list[Line]:
    """SEC-07: packages that have no place here."""
    return [
        Line(
            "SEC-07",
            f"no {name}",
            "there" if name in installed else "absent",
            "not met" if name in installed else "met",
        )
        for name in packages
    ]


def setuid(found: Iterable[str], allowed: Iterable[str]) -> list[Line]:
    """SEC-07 (R56, R57): programs with the setuid or setgid bit that have no reason to have it."""
    known = frozenset(allowed)
    strangers = sorted(path for path in found if path.rpartition("/")[2] not in known)
    if not strangers:
        return [Line("SEC-07", "no setuid program without a reason", "none", "met")]
    return [Line("SEC-07", "no setuid program without a reason", path, "not met") for path in strangers]


def report(lines: Iterable[Line], exceptions: Mapping[str, str], host: str, when: str) -> str:
    """The report, Markdown: what is not met first, then exceptions."""
    listed = sorted(lines, key=lambda line: (RANK.get(line.verdict, len(RANK)), line.requirement))
    counts = {verdict: sum(line.verdict == verdict for line in listed) for verdict in SIGNS}
    counts["exception"] += len(exceptions)
    told = ", ".join(f"{count} {NAMED.get(verdict, verdict)}" for verdict, count in counts.items())
    head = [
        f"# Self-audit of {host}",
        "",
        f"{when}. {told}.",
        "",
        "| | requirement | asked | found |",
        "|---|---|---|---|",
    ]
    rows = [f"| {SIGNS[line.verdict]} | {line.requirement} | `{line.asked}` | {line.found} |" for line in listed]
    noted = [f"| {SIGNS['exception']} | SEC-08 | `{name}` | {why} |" for name, why in exceptions.items()]
    return "\n".join([*head, *rows, *noted]) + "\n"
