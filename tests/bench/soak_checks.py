"""What must hold all through a soak, as plain functions over what was seen; and the report of it.

Every finding is a broken promise. What is in trouble at the moment is not judged on being online; nobody is ever
excused for being let in without an acceptance.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from table import middle

FLAT = 1.10
"""Memory and descriptors may be that much more in the last quarter than in the second; a start is not counted."""
SETTLE_MEGABYTES = 3.0
"""A small process may grow by that much whatever its share."""
STALE_INTERVALS = 4.0


@dataclass(frozen=True, slots=True)
class Page:
    """A message of the on-call engine, as its book has it."""

    incident: int
    kind: str
    person: str
    round: int
    step: int
    """Of the round: whoever does not answer is called once more, then the next level."""
    state: str
    sent: int
    """Attempts that a channel has taken."""
    first_sent_at: float
    last_sent_at: float


def page_faults(pages: Sequence[Page], kills: Sequence[float], grace_seconds: float = 10.0) -> list[str]:
    """Pages lost or doubled. A page whose sender was killed meanwhile may have gone out twice: it may not be lost."""
    found = []
    for key, count in Counter((p.incident, p.kind, p.person, p.round, p.step) for p in pages).items():
        if count > 1 and key[1] != "test":
            found.append(f"incident {key[0]}: {count} pages of kind {key[1]} for one person and step of a round")
    for page in pages:
        excused = any(page.first_sent_at - grace_seconds <= kill <= page.last_sent_at + grace_seconds for kill in kills)
        if page.sent > 1 and not excused:
            found.append(f"incident {page.incident}: a page of kind {page.kind} was sent {page.sent} times")
        if page.state == "done" and not page.sent:
            found.append(f"incident {page.incident}: a page of kind {page.kind} is called done and was never sent")
        if page.state in {"waiting", "failed"}:
            found.append(f"incident {page.incident}: a page of kind {page.kind} is {page.state} at the end")
    return found


def stale(samples: Mapping[str, float], interval: float) -> list[str]:
    """Devices (name -> age of its samples in seconds) that still have samples although they are too old to be told."""
    return [
        f"{name}: samples {age:.0f} s old" for name, age in sorted(samples.items()) if age > STALE_INTERVALS * interval
    ]


@dataclass
class Growth:
    """One process' memory and descriptors over time; a process that was killed starts anew and is a run of its own."""

    runs: dict[int, list[tuple[float, int]]] = field(default_factory=dict)

    def note(self, pid: int, megabytes: float, descriptors: int) -> None:
        self.runs.setdefault(pid, []).append((megabytes, descriptors))

    def faults(self, name: str) -> list[str]:
        """Runs of at least forty looks whose last quarter is above their second."""
        return [fault for run in self.runs.values() if len(run) >= 40 for fault in _grown(name, run)]

    @property
    def summary(self) -> tuple[int, float, float, int]:
        """Runs, and the longest run's memory in its second and last quarter (MB), and its most descriptors."""
        longest = max(self.runs.values(), key=len)
        early, late = _quarters([megabytes for megabytes, _ in longest])
        return len(self.runs), round(early, 1), round(late, 1), max(descriptors for _, descriptors in longest)


def _grown(name: str, run: Sequence[tuple[float, int]]) -> Iterable[str]:
    memory, descriptors = (list(side) for side in zip(*run, strict=True))
    early, late = _quarters(memory)
    if late > max(early * FLAT, early + SETTLE_MEGABYTES):
        yield f"{name}: {early:.1f} MB in the second quarter, {late:.1f} MB in the last"
    early, late = _quarters(descriptors)
    if late > max(early * FLAT, early + 8):
        yield f"{name}: {early:.0f} descriptors in the second quarter, {late:.0f} in the last"


def _quarters(values: Sequence[float]) -> tuple[float, float]:
    quarter = max(1, len(values) // 4)
    return middle(values[quarter : 2 * quarter] or values), middle(values[-quarter:])
