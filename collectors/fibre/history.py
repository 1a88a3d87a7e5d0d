"""Each module's light from day to day: medians, because one reading may be a bent cable. No I/O, no clock."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from collectors.fibre.trend import SECONDS_PER_DAY, Day, median
from parvis.kept import kept_days

KEEP_DAYS = kept_days("equipment-history")
EVERY_SECONDS = 600
"""One reading in ten minutes is enough for a day's median."""
MOST_SERIES = 4000
VERSION = 1


class Light(NamedTuple):
    """Whose light: *direction* rx or tx; *lane* empty where a module has one."""

    device: str
    port: str
    lane: str
    direction: str


class Unreadable(ValueError):
    """The stored history is not one of ours; whoever changed the file must put the old one back, or remove it."""


@dataclass(slots=True)
class History:
    """Medians of the past days, and the readings of this one."""

    days: dict[Light, dict[int, float]] = field(default_factory=dict)
    today: dict[Light, list[float]] = field(default_factory=dict)
    day: int = 0
    _noted: dict[Light, float] = field(default_factory=dict)

    def note(self, light: Light, at: float, dbm: float) -> bool:
        """Take a reading of Unix time *at*; whether a day was closed by it."""
        day = int(at // SECONDS_PER_DAY)
        closed = day > self.day and bool(self.today)
        if day > self.day:
            self._close(day)
        known = light in self.days or light in self.today
        too_soon = at - self._noted.get(light, 0.0) < EVERY_SECONDS
        if day < self.day or too_soon or (not known and len({*self.days, *self.today}) >= MOST_SERIES):
            return closed
        self.today.setdefault(light, []).append(dbm)
        self._noted[light] = at
        return closed

    def _close(self, day: int) -> None:
        for light, readings in self.today.items():
            self.days.setdefault(light, {})[self.day] = round(median(readings), 3)
        self.today, self.day = {}, day
        for light, found in list(self.days.items()):
            kept = {each: value for each, value in found.items() if each > day - KEEP_DAYS}
            self.days[light] = kept
            if not kept:
                del self.days[light]

    def points(self, light: Light) -> list[Day]:
        """The closed days of *light*, in order."""
        return sorted((float(day), value) for day, value in self.days.get(light, {}).items())

    def as_json(self) -> dict[str, Any]:
        """For the disk."""
        return {"version": VERSION, "day": self.day, "series": list(self._rows())}

    def _rows(self) -> Iterator[dict[str, Any]]:
        for light in sorted({*self.days, *self.today}):
            days = {str(day): value for day, value in sorted(self.days.get(light, {}).items())}
            yield {**light._asdict(), "days": days, "today": self.today.get(light, [])}


def from_json(found: Any) -> History:
    """What was stored; Unreadable when it is something else."""
    try:
        history = History(day={VERSION: int(found["day"])}[found["version"]])
        for row in found["series"]:
            light = Light(*(str(row[name]) for name in Light._fields))
            if row["days"]:
                history.days[light] = {int(day): float(value) for day, value in row["days"].items()}
            if row["today"]:
                history.today[light] = [float(value) for value in row["today"]]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise Unreadable(f"not days of version {VERSION}: {error!r}") from error
    return history
