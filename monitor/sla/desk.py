"""Gathers what a report needs: from the history's file, the inventory, the calendars. Reads only."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from monitor.history.blocks import HOUR
from monitor.history.series import name
from monitor.holidays_of_france import french_holidays
from monitor.sla.figures import Terms, interrupted, judged
from monitor.sla.hours import Span, month_of, none_is_a_holiday, year_of
from monitor.sla.published import line, months_over
from monitor.sla.report import Figures, Report, Seen, quantiles, report
from monitor.store_history import History
from monitor.store_outages import KEEP_SPELLS, Register
from parvis.inventory import Site, Sla, Town
from parvis.opening import LOOKED_SECONDS, Opening

OF_THE_MONTH = ("rtt", "loss", "in", "out", "rx")
BEFORE_SECONDS = 31 * 86400.0
"""Outages so long before the year count for repetitions."""
MOST_CHANGES = 10_000
MEASURED = ("up", "degraded", "down")


class Desk:
    """Reports of the links of one town."""

    def __init__(self, town: Town, history: History, register: Register) -> None:
        self.town = town
        self.register = register
        self.zone = ZoneInfo(town.timezone)
        self._history = history

    def terms(self, site: Site) -> Terms:
        """What the operator of *site* promised; a link without a contract's terms promises nothing."""
        line = site.uplink.line
        sla = line.sla if line and line.sla else Sla()
        hours = sla.gtr_hours
        if hours is None or hours.holidays == "none":
            return Terms(sla, self.zone, none_is_a_holiday)
        return Terms(sla, self.zone, french_holidays(alsace_moselle=hours.holidays == "alsace-moselle"))

    def report(self, site: Site, month: date, now: float) -> Report:
        """The *month* (any day of it) of the link of *site*."""
        period, year = month_of(month, self.zone), year_of(month, self.zone)
        until = min(period[1], now)
        uplink = site.uplink.name
        spells = self.register.spells(uplink, year[0], until)
        seen = Seen(
            self.register.outages(year[0] - BEFORE_SECONDS, until, uplink),
            [(spell.starts_at, spell.seen_at) for spell in spells if spell.state in MEASURED],
            opened(site, self.town.timezone, (period[0], until)),
            self._figures(uplink, (period[0], until)),
        )
        return report(site, month, seen, self.terms(site), now)

    def months(self, now: float) -> list[dict[str, Any]]:
        """The availability of each site in each month that is over and wholly known, as open data publish it."""
        known = datetime.fromtimestamp(now - KEEP_SPELLS, self.zone).date() + timedelta(days=1)
        today = datetime.fromtimestamp(now, self.zone).date()
        found = []
        for month in months_over(known, today):
            lines = (self._month(site, month, now) for site in self.town.sites)
            found += [one for one in lines if one is not None]
        return found

    def _month(self, site: Site, month: date, now: float) -> dict[str, Any] | None:
        period, uplink, terms = month_of(month, self.zone), site.uplink.name, self.terms(site)
        found = [judged(one, terms, now) for one in self.register.outages(*period, uplink)]
        spells = self.register.spells(uplink, *period)
        seen = [(spell.starts_at, spell.seen_at) for spell in spells if spell.state in MEASURED]
        return line(site.site, month, found, seen, period)

    def allowance_used(self, site: Site, now: float) -> float | None:
        """Of the interruptions the contract allows in its period, the part used; None: nothing is promised."""
        sold = site.uplink.line
        if sold is None or sold.sla is None:
            return None
        sla, today = sold.sla, datetime.fromtimestamp(now, self.zone).date()
        month, year = month_of(today, self.zone), year_of(today, self.zone)
        terms = Terms(sla, self.zone, none_is_a_holiday)
        outages = self.register.outages(year[0], now, site.uplink.name)
        found = [judged(one, terms, now) for one in outages]
        used = []
        if sla.ims_year is not None:
            used.append(interrupted(found, year, now) / sla.ims_year)
        if sla.availability is not None and sla.availability < 1:
            period = month if sla.availability_period == "month" else year
            allowed = (1 - sla.availability) * (period[1] - period[0])
            used.append(interrupted(found, period, now) / allowed)
        return max(used, default=None)

    def fault_rate(self, month: date, now: float) -> float:
        """Faults signalled to operators in the month, by link: to compare with ARCEP's taux de pannes."""
        start, end = month_of(month, self.zone)
        found = self.register.outages(start, min(end, now))
        told = [one for one in found if one.signalled_at is not None and start <= one.signalled_at < end]
        return len(told) / len(self.town.sites)

    def _figures(self, uplink: str, span: Span) -> Figures:
        names = {kind: name(kind, uplink) for kind in OF_THE_MONTH}
        read = self._history.read(list(names.values()), *span, HOUR)
        found = {}
        for kind, called in names.items():
            values = [block.middle if kind == "rtt" else block.mean for _, block in read[called]]
            if (made := quantiles(values)) is not None:
                found[kind] = made
        return found


def opened(site: Site, timezone: str, span: Span) -> Sequence[Span]:
    """When the building of *site* is open within *span*."""
    hours = Opening(site.opening_hours, timezone)
    found: list[Span] = []
    at = span[0]
    for _ in range(MOST_CHANGES):
        is_open, change = hours.at(at)
        until = min(at + LOOKED_SECONDS if change is None else change, span[1])
        if is_open:
            begins = found.pop()[0] if found and found[-1][1] == at else at
            found.append((begins, until))
        if until >= span[1]:
            break
        at = until
    return found


def month_given(text: str) -> date:
    """The first day of a month written 2026-11; ValueError."""
    return datetime.strptime(text, "%Y-%m").date()  # noqa: DTZ007 a month has no zone
