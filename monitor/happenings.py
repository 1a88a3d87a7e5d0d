"""What goes on in town as a metric: dashboards mark markets and fêtes, which explain a crowd."""

from datetime import UTC, datetime, timedelta

from monitor.calendars import CalendarFaulty, Happening, happenings
from monitor.instruments import MonitorMetrics
from parvis.inventory import Town
from parvis.running import log

READ_SECONDS = 6 * 3600.0
"""The calendars are unrolled so often, for a day ahead."""


class Happenings:
    """The events of one town; a calendar that cannot be read shows none and says so once a reading."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self._read_at: float | None = None
        self._known: tuple[Happening, ...] = ()
        self._shown: set[tuple[str, str]] = set()

    def show(self, metrics: MonitorMetrics, now: float) -> None:
        """Show what goes on at *now*, and no longer what is over."""
        if not self._town.events:
            return
        at = datetime.fromtimestamp(now, UTC)
        if self._read_at is None or not 0 <= now - self._read_at < READ_SECONDS:
            self._known, self._read_at = self._read(at), now
        going_on = {(one.site, one.title) for one in self._known if one.starts <= at < one.ends}
        for labels in self._shown - going_on:
            metrics.set("town_event_info", None, *labels)
        for labels in going_on:
            metrics.set("town_event_info", 1.0, *labels)
        self._shown = going_on

    def _read(self, at: datetime) -> tuple[Happening, ...]:
        try:
            return happenings(self._town, at, at + timedelta(days=1))
        except CalendarFaulty as error:
            log.warning("events not shown", fault=str(error))
            return ()
