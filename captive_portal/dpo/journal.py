"""The month's review of what staff did, for the data protection officer: counts, and the lines to look at. No I/O."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from captive_portal.console.audit import ITSELF, Entry

NIGHT_ENDS, NIGHT_BEGINS = 6, 22
MANY_REFUSALS = 5


@dataclass
class Review:
    """One month. *deeds*: by who and what; *refused*: sign-ins that failed, by name; *look*: lines worth a question."""

    month: str
    deeds: Counter[tuple[str, str]] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    look: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """The review as text, French."""
        told = [f"Revue du journal des agents, {self.month}", "", "Actions, par agent"]
        told += [f"  {who:24} {did:20} {count:>6}" for (who, did), count in sorted(self.deeds.items())] or ["  aucune"]
        told += ["", "Connexions refusées"]
        told += [f"  {who:24} {count:>27}" for who, count in sorted(self.refused.items())] or ["  aucune"]
        return [*told, "", "À regarder", *([f"  {line}" for line in self.look] or ["  rien"])]


def review(entries: Iterable[Entry], month: str, zone: ZoneInfo) -> Review:
    """The review of *month* (``2026-11``, in UTC as the log has it)."""
    found = Review(month)
    for entry in entries:
        if not entry.at.startswith(month):
            continue
        if entry.did == "sign-in" and entry.how:
            found.refused[entry.who] += 1
            continue
        found.deeds[entry.who, entry.did] += 1
        hour = datetime.fromisoformat(entry.at).astimezone(zone).hour
        where = f"{entry.at} {entry.who}: {entry.did} {entry.site} {entry.about}".rstrip()
        if entry.how == "forbidden":
            found.look.append(f"{where} (interdit à son rôle)")
        elif not NIGHT_ENDS <= hour < NIGHT_BEGINS and entry.did not in {"sign-in", "sign-out"} and entry.who != ITSELF:
            found.look.append(f"{where} (la nuit : {entry.why or 'sans raison'})")
    found.look += [f"{who}: {n} connexions refusées" for who, n in found.refused.items() if n >= MANY_REFUSALS]
    return found
