"""What a message of the outbox says, with its links: read from the book, written by monitor.messages."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from monitor import messages
from monitor.calendars import shifts_of
from monitor.incidents import CALLING, CALLS_AGAIN, LIVE, Event
from monitor.links import VALID_SECONDS, Link, token
from monitor.oncall import Kind
from monitor.rota import Roster
from monitor.store_oncall import Book
from parvis.inventory import Town
from parvis.runbooks import of


class Letters:
    """Writes messages. *public_url*: where phones reach the monitor's pages; empty: no links."""

    def __init__(self, town: Town, book: Book, key: bytes, public_url: str = "") -> None:
        self._town = town
        self._zone = ZoneInfo(town.timezone)
        self._book = book
        self._key = key
        self._url = public_url.rstrip("/")

    def write(
        self, row: Mapping[str, Any], channel: str, now: float, *, replies: bool, plain: bool
    ) -> messages.Message:
        """The message of outbox line *row* for *channel*. *replies*: can be answered; *plain*: may hold no link."""
        if row["kind"] == Kind.TEST:
            return messages.test(channel, self._local(now))
        if row["kind"] == Kind.DIGEST:
            with self._book.look() as entries:
                causes = [self._cause(entries.row(number)) for number in entries.folded_in(row["id"])]
            return messages.digest(causes, "" if plain or not self._url else f"{self._url}/oncall")
        if row["kind"] == Kind.RELAY:
            return self._relay(row, now, "" if plain or not self._url else f"{self._url}/oncall")
        with self._book.look() as entries:
            found = entries.row(row["incident"])
            again = self._again(entries.timeline_of(row["incident"])) if row["round"] > 1 else None
        if row["kind"] == Kind.ALL_CLEAR:
            ended = found["ended_at"] if found else None
            return messages.all_clear(self._cause(found), self._local(ended or now))
        links = {} if plain or not self._url else self.links(row["id"], now)
        cause = self._cause(found)
        led = f"{self._url}{cause.runbook}" if links and cause.runbook.startswith("/") else cause.runbook
        cause = replace(cause, again=again, runbook=led)
        return messages.call(cause, links, replies=replies, level=row["level"])

    def _relay(self, row: Mapping[str, Any], now: float, link: str) -> messages.Message:
        with self._book.look() as entries:
            live = [one for one in entries.rows() if one["state"] in LIVE and one["severity"] in CALLING]
        until = Roster(self._town, shifts_of(self._town)).turn(self._local(now), row["level"]).ends
        return messages.relay([self._cause(one) for one in live], until, link)

    def links(self, page: int, now: float) -> dict[str, str]:
        """The signed links of a message, by action."""
        until = int(now) + VALID_SECONDS
        return {a: f"{self._url}/a/{token(Link(page, a, until), self._key)}" for a in messages.ACTIONS}

    def facts(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """What pages.jsonl says of a message beside its text."""
        with self._book.look() as entries:
            found = entries.row(row["incident"])
            names = [alert["name"] for alert in entries.alerts_of(row["incident"])]
        if found is None:
            return {"incident": 0, "alert": "", "site": "", "severity": "", "layer": ""}
        kept = {key: found[key] for key in ("site", "severity", "layer")}
        return {"incident": found["number"], "alert": names[0] if names else "", **kept}

    def _again(self, lines: Sequence[Mapping[str, Any]]) -> messages.Again | None:
        """What made calling begin anew the last time, by the timeline; None when it says nothing of it."""
        taken = self._local(0.0)
        found = None
        for line in lines:
            if line["what"] == Event.ACKNOWLEDGE:
                taken = self._local(line["at"])
            elif line["what"] in CALLS_AGAIN:
                event = Event(line["what"])
                found = messages.Again(event, taken if event is Event.EXPIRE else self._local(line["at"]))
        return found

    def _cause(self, row: Mapping[str, Any] | None) -> messages.Cause:
        if row is None:
            return messages.Cause(0, "?", "", "", self._local(0.0))
        since = self._local(row["opened_at"])
        found = of(row["runbook"])
        facts = {"severity": row["severity"], "first": found.first if found else ()}
        return messages.Cause(row["number"], row["title"], row["impact"], row["runbook"], since, **facts)

    def _local(self, at: float) -> datetime:
        return datetime.fromtimestamp(at, UTC).astimezone(self._zone)
