"""Whether a wall clock is believed before a key is destroyed, which nothing undoes. No clock, no file.

Three that do not know of each other testify: the kernel, whether anything keeps the clock; the clock nobody can set,
since a moment that was believed; and the days of which something is written already. A machine that comes up with a
wrong year, or whose clock is set while it runs, destroys nothing until the clock is right again, or somebody answers
for it.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from captive_portal.legal.segment import day_of

STEP_MS = 600_000
"""By so much the two clocks may differ since the mark; NTP steers by less."""
AWAY_DAYS = 7
"""So long a machine may have been off, or its gateways silent, without anybody being asked about the clock."""
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment that was believed: *wall* (milliseconds since 1970), *up* (since the start called *boot*).

    *by*: who has compared the clock with another one; empty where nobody had to. *misdated*: blocks up to that day (ISO
    8601) were there already, later than the clock that was believed: their date is wrong.
    """

    wall: int
    up: int
    boot: str
    by: str = ""
    misdated: str = ""


@dataclass(frozen=True, slots=True)
class Observed:
    """What can be known now; *newest*: the newest day of which anything is written."""

    wall: int
    up: int
    boot: str
    synchronised: bool
    newest: date | None

    @property
    def day(self) -> date:
        """The UTC day, by the clock in question."""
        return day_of(self.wall)


def doubts(now: Observed, mark: Mark | None) -> str:
    """Why the clock is not believed, in words that say what to look at; empty when it is."""
    return jumped(now, mark) if now.synchronised else "nothing keeps this machine's clock (chronyc tracking)"


def jumped(now: Observed, mark: Mark | None) -> str:
    """What speaks against the clock, whoever keeps it: that it was set, or is far from all that is known."""
    if mark is not None and mark.boot == now.boot:
        return _set_by((now.wall - mark.wall) - (now.up - mark.up), now, mark)
    newest = now.newest if now.newest and not (mark and now.newest.isoformat() <= mark.misdated) else None
    if newest is not None and newest > now.day:
        return f"records are of {newest}, and the clock says {_words(now.wall)}: it runs behind, or ran ahead before"
    return _far_from(now, mark, newest)


def _set_by(step: int, now: Observed, mark: Mark) -> str:
    if abs(step) <= STEP_MS:
        return ""
    way = "ahead" if step > 0 else "back"
    return f"the clock says {_words(now.wall)}: since {_words(mark.wall)} it was set {way} by {_length(abs(step))}"


def _far_from(now: Observed, mark: Mark | None, newest: date | None) -> str:
    """How far it is from what is known, where the machine has started anew, or nothing was ever believed."""
    known = [day for day in (newest, mark and day_of(mark.wall)) if day]
    if mark is not None and now.wall < mark.wall - STEP_MS:
        return f"the clock says {_words(now.wall)}, and it was later already: {_words(mark.wall)}"
    if known and (now.day - max(known)).days > AWAY_DAYS:
        days = (now.day - max(known)).days
        return f"the clock says {_words(now.wall)}, {days} days after the last day that is known, {max(known)}"
    return ""


def _words(wall: int) -> str:
    return datetime.fromtimestamp(wall / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _length(step: int) -> str:
    days, minutes = divmod(step // 60_000, 1440)
    return f"{days} days" if days else f"{minutes} minutes"
