"""What is known beforehand: announced work, which nobody is called for; and the battery that tells of a mains cut."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from ipaddress import IPv4Address
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from parvis.inventory.people import Name, Period
from parvis.inventory.snmp import Snmp
from parvis.inventory.wording import Part

Every = Literal["day", "week", "month"]
MOST_SECONDS = 14 * 86400
"""The longest one window may be: what is forgotten open would hide a failure for ever."""


class Maintenance(Period):
    """Announced work on *of* (sites, uplinks or devices; empty: the whole town), with everything behind it.

    *every*: it comes again each day, week or month at the same local time, until the day *until* (inclusive).
    """

    reason: str = Field(min_length=3, max_length=120)
    of: Annotated[tuple[Name, ...], Field(max_length=200)] = ()
    every: Every | None = None
    until: date | None = None

    @model_validator(mode="after")
    def _is_bounded(self) -> Self:
        length = self.ends.replace(tzinfo=None) - self.starts.replace(tzinfo=None)
        if length.total_seconds() > MOST_SECONDS:
            raise ValueError("lasts longer than 14 days; take what is gone out of the inventory instead")
        if self.every == "day" and length > timedelta(days=1):
            raise ValueError("is longer than the day after which it comes again; shorten it")
        if self.until is not None and self.every is None:
            raise ValueError("until says how long it comes again; say every, or leave it out")
        return self

    def times(self, zone: ZoneInfo, since: float, before: float) -> Iterator[tuple[float, float]]:
        """(start, end) in Unix seconds of each time it takes place that touches the span from *since* to *before*.

        Local times are kept over clock changes; a month that lacks the day is passed over.
        """
        length = self.ends.replace(tzinfo=None) - self.starts.replace(tzinfo=None)
        for start in self._starts(zone, since - length.total_seconds() - 2 * 86400, before):
            begins, ends = _unix(start, zone), _unix(start + length, zone)
            if ends > since and begins < before:
                yield begins, ends

    def _starts(self, zone: ZoneInfo, since: float, before: float) -> Iterator[datetime]:
        """The local time at which each begins; at most one more than needed."""
        first = self.starts if self.starts.tzinfo is None else self.starts.astimezone(zone).replace(tzinfo=None)
        if self.every is None:
            yield first
            return
        begin = max(first, datetime.fromtimestamp(since, zone).replace(tzinfo=None))
        end = datetime.fromtimestamp(before, zone).replace(tzinfo=None)
        day = begin.date()
        while day <= end.date() and (self.until is None or day <= self.until):
            again = datetime.combine(day, first.time())
            if again >= first and self._falls_on(day, first.date()):
                yield again
            day += timedelta(days=1)

    def _falls_on(self, day: date, first: date) -> bool:
        if self.every == "week":
            return day.weekday() == first.weekday()
        return self.every == "day" or day.day == first.day


def _unix(local: datetime, zone: ZoneInfo) -> float:
    return local.replace(tzinfo=zone).timestamp()


class Ups(Part):
    """A battery (UPS-MIB, RFC 1628) that feeds the site's cabinet, and says when the mains is gone."""

    name: Name
    model: str = Field(min_length=1, max_length=80)
    address: IPv4Address
    snmp: Snmp
